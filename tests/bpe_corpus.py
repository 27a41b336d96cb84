"""The text that the tests of ``nlptk bpe`` learn from, and the model that the command line makes of it."""

from __future__ import annotations

from pathlib import Path

from nlptk.cli.main import main

CORPUS = [
    "The otters on the river bank were fed on Sunday.",
    "Nobody fed the otters; they complained to the river.",
    "水獭在河边吃鱼。河边的鱼很好吃。",
    "the other river, the other bank, the other otters",
] * 3


def train_in(folder: Path) -> Path:
    """corpus.txt and its tokenizer.json, laid into the folder."""
    (folder / "corpus.txt").write_text("\n".join(CORPUS) + "\n", encoding="utf-8")
    arguments = [folder / "corpus.txt", "--vocab-size", 320, "--special-token", "<|end|>", "--quiet"]
    assert main(["bpe", "train", *map(str, arguments), "-o", str(folder / "tokenizer.json")]) == 0
    return folder
