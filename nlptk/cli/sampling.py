"""Options of what is drawn and not searched."""

from __future__ import annotations

from typing import Annotated

import typer

PANEL = "Sampling"

Temperature = Annotated[
    float | None, typer.Option(help="Below 1: safer.", show_default="1", rich_help_panel=PANEL)
]
TopK = Annotated[
    int | None, typer.Option(help="Draw from so many.", show_default=False, rich_help_panel=PANEL)
]
TopP = Annotated[
    float | None, typer.Option(help="Draw from this share.", show_default=False, rich_help_panel=PANEL)
]
MinP = Annotated[
    float | None,
    typer.Option(help="Nothing below this share of the best.", show_default=False, rich_help_panel=PANEL),
]
RepetitionPenalty = Annotated[
    float | None,
    typer.Option(help="Above 1: less of what was had.", show_default=False, rich_help_panel=PANEL),
]
Seed = Annotated[int | None, typer.Option(min=0, help="The same gives the same text.", rich_help_panel=PANEL)]
