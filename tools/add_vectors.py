"""Adds word vectors to an embedded pipeline: the most frequent words of a file, in 8 bits.

    python tools/add_vectors.py en vectors.bin --source "English Wikipedia 2014, CC BY-SA 3.0"

The component `word_vectors` is added, or replaced, as the last one; model card and licence note name where
the vectors are from. Both pipelines together must stay below 12 MB, or nothing is written.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from pathlib import Path

from compact import save_compact

import nlptk

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 12_000_000  # bytes, of all pipelines together


def add(folder: Path, vectors: Path, top: int, source: str, output: Path) -> None:
    """Write to `output` the pipeline of `folder` with vectors."""
    nlp = nlptk.load(folder)
    if "word_vectors" in nlp.pipe_names:
        nlp.remove_pipe("word_vectors")
    config = {"path": str(vectors), "top": top, "quantize": True, "subwords": False}
    nlp.add_pipe("word_vectors", last=True, config=config)
    sources = [line for line in nlp.meta["data"]["sources"] if not line.startswith("Word vectors: ")]
    nlp.meta["data"]["sources"] = [*sources, f"Word vectors: {source}"]
    save_compact(nlp, output)
    for name, mark in (("README.md", "- "), ("LICENSE", "")):
        text = (folder / name).read_text(encoding="utf-8")
        (output / name).write_text(named(text, sources, source, mark), encoding="utf-8")


def named(text: str, sources: list[str], source: str, mark: str) -> str:
    """The model card or licence note with the vectors' source behind the other sources."""
    text = re.sub(rf"^{re.escape(mark)}Word vectors: .*\n", "", text, flags=re.MULTILINE)
    last = f"{mark}{sources[-1]}\n"
    if last not in text:
        sys.exit(f"the text does not name {sources[-1]!r}, so there is no place to name the vectors")
    return text.replace(last, f"{last}{mark}Word vectors: {source}\n")


def size_of(folder: Path) -> int:
    """Bytes of the files in a folder."""
    return sum(path.stat().st_size for path in folder.iterdir())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lang", choices=["en", "zh"])
    parser.add_argument("vectors", type=Path, help="any format that nlptk reads, most frequent word first")
    parser.add_argument("--top", type=int, default=10_000, help="words kept (10,000)")
    parser.add_argument("--source", required=True, help="the corpus and its licence, for the model card")
    parser.add_argument("--pipelines", type=Path, default=ROOT / "nlptk" / "pipelines")
    options = parser.parse_args()
    folder = options.pipelines / options.lang
    with tempfile.TemporaryDirectory(dir=options.pipelines, prefix=".") as scratch:
        made = Path(scratch) / options.lang
        add(folder, options.vectors, options.top, options.source, made)
        others = sum(
            size_of(path)
            for path in options.pipelines.iterdir()
            if path.is_dir() and path.name in {"en", "zh"} - {options.lang}
        )
        total = others + size_of(made)
        if total > LIMIT:
            sys.exit(f"the pipelines would be {total / 1e6:.2f} MB, above 12: keep fewer words (--top)")
        start = time.perf_counter()
        nlp = nlptk.load(made)
        seconds = time.perf_counter() - start
        save_compact(nlp, folder)  # at once or not at all; files that are no longer used are removed
        for name in ("README.md", "LICENSE"):
            (made / name).replace(folder / name)
    print(
        f"{folder}: {size_of(folder) / 1e6:.2f} MB (all: {total / 1e6:.2f}), loads in {1000 * seconds:.0f} ms"
    )


if __name__ == "__main__":
    main()
