"""Options that commands of ``nlptk train`` share, and what they mean."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated, Any

import typer

from nlptk.errors import ConfigError

NEURAL = "Neural networks"  # the panel of their options


class Precision(str, enum.Enum):
    """Of a neural network's products."""

    float32 = "float32"
    bfloat16 = "bfloat16"


class Algorithm(str, enum.Enum):
    """How a CRF is trained."""

    lbfgs = "lbfgs"
    ap = "ap"
    pa = "pa"
    arow = "arow"
    sgd = "sgd"


Train = Annotated[
    Path, typer.Option("--train", exists=True, dir_okay=False, help="Corpus to learn from; gzip or not.")
]
Dev = Annotated[
    Path | None,
    typer.Option(
        "--dev", exists=True, dir_okay=False, help="Held-out corpus: picks the best iteration, is scored."
    ),
]
Output = Annotated[
    Path, typer.Option("--output", "-o", help="Folder for the model; a model that is there is replaced.")
]
CorpusFormat = Annotated[
    str | None,
    typer.Option(
        help="conllu, iob2, conll, wordtag or segmented; without it the files' names tell.",
        show_default=False,
    ),
]
Documents = Annotated[
    bool,
    typer.Option("--documents", help="Take documents whole, not sentence by sentence: for col:elsewhere."),
]
Lang = Annotated[str, typer.Option("--lang", help="Language of the pipeline: en or zh.")]
Algo = Annotated[
    Algorithm | None, typer.Option(help="L-BFGS, SGD, or what learns from mistakes.", show_default=False)
]
C1 = Annotated[float | None, typer.Option(min=0, help="Weight of the L1 term (lbfgs).", show_default=False)]
C2 = Annotated[float | None, typer.Option(min=0, help="Weight of the L2 term.", show_default=False)]
Iterations = Annotated[
    int | None, typer.Option("--max-iterations", min=1, help="Passes at most.", show_default=False)
]
MinFreq = Annotated[int | None, typer.Option(min=1, help="Drop rarer features.", show_default=False)]
Template = Annotated[
    str | None,
    typer.Option(help="Name of a built-in feature template, or a file of one.", show_default=False),
]
Seed = Annotated[int | None, typer.Option(help="Of whatever is random.", show_default=False)]
Threads = Annotated[int | None, typer.Option(min=0, help="0: all cores.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]


def option(
    help: str, panel: str | None = None, *names: str, show_default: bool | str = False, **limits: Any
) -> Any:
    """An option whose default is the model's own."""
    return typer.Option(*names, help=help, show_default=show_default, rich_help_panel=panel, **limits)


def device_option(panel: str | None = None) -> Any:
    """``--device``"""
    return option("auto, cpu, cuda or cuda:1.", panel)


def checkpoint_option(panel: str | None = None) -> Any:
    """``--checkpoint``"""
    return option("Folder for the state of the training.", panel, file_okay=False)


def resume_option(panel: str | None = None) -> Any:
    """``--resume``"""
    return option("Go on from the checkpoint.", panel, "--resume")


def check_resume(checkpoint: Path | None, resume: bool) -> None:
    """Raise ConfigError for a training that is to go on from nowhere."""
    if resume and checkpoint is None:
        raise ConfigError("--resume goes on from a --checkpoint; name its folder.")


def given(**options: Any) -> dict[str, Any]:
    """Only what the user asked for: the components know their own defaults."""
    return {name: value for name, value in options.items() if value is not None}


def gazetteers(options: list[str] | None) -> dict[str, str] | None:
    """NAME=FILE options as names and files."""
    if not options:
        return None
    found: dict[str, str] = {}
    for one in options:
        name, equals, file = one.partition("=")
        if not (name and equals and file) or name in found:
            raise ConfigError(f"--gazetteer takes NAME=FILE, each name once, not {one!r}")
        found[name] = file
    return found


def template_of(name: str | None) -> str | list[str] | None:
    """A template's name as it is; a file as its lines without comments."""
    if name is None or not Path(name).is_file():
        return name
    from nlptk.corpora.files import read_lines

    lines = (line.partition("#")[0].strip() for line in read_lines(name))
    return [line for line in lines if line]
