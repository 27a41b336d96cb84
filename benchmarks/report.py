"""Write docs/benchmarks.md from the results that the benchmarks left in benchmarks/results/.

python benchmarks/report.py [--results FOLDER] [--output FILE]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from common import RESULTS, ROOT

# Sections in this order; results of any other name follow.
ORDER = (
    "accuracy",
    "accuracy_peers",
    "pipeline",
    "latency",
    "viterbi",
    "crf",
    "crf_tagging",
    "crf_stream",
    "crf_head",
    "hmm",
    "jieba",
    "bpe",
    "wordpiece",
    "bert",
    "neural_tagger",
    "neural_classifier",
    "pretraining",
    "char_lm",
    "translation",
    "word2vec",
    "phrases",
    "similar",
    "linear",
    "fasttext",
    "tfidf",
    "zh_classifier",
    "ngram_lm",
)

INTRODUCTION = """# Benchmarks

Every number here was written by a script of [`benchmarks/`](../benchmarks), none by hand: `make bench`
measures everything again and writes this page. Contestants take turns on the same input on the same machine,
each in a process of its own; what is given is the median. The corpora are not part of the repository;
`NLPTK_DATA` says where they are.
"""


def main() -> None:
    """Read the results, write the page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--results", type=Path, default=RESULTS, help="folder of the JSON results")
    options.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks.md", help="the page")
    given = options.parse_args()
    results = read(given.results)
    if not results:
        options.error(f"{given.results} holds no results; run the benchmarks first")
    given.output.write_text(page(results), encoding="utf-8")
    missed = sum(not entry["met"] for result in results for entry in result["targets"])
    print(f"wrote {given.output}: {len(results)} sections, {missed} targets missed")


def read(folder: Path) -> list[dict[str, Any]]:
    """All results of a folder, in the page's order."""
    results = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    rank = {name: number for number, name in enumerate(ORDER)}
    return sorted(results, key=lambda result: (rank.get(result["name"], len(rank)), result["name"]))


def page(results: Sequence[dict[str, Any]]) -> str:
    """The whole page as Markdown."""
    targets = [entry for result in results for entry in result["targets"]]
    rows = [[e["what"], e["reach"], e["shown"], "reached" if e["met"] else "**missed**"] for e in targets]
    missed = sum(not entry["met"] for entry in targets)
    verdict = f"{len(targets) - missed} of {len(targets)} targets are reached."
    parts = [INTRODUCTION, "## What was to be reached", verdict]
    parts.append(markdown_table(["what", "reach", "measured", ""], rows))
    parts += [section(result) for result in results]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def section(result: dict[str, Any]) -> str:
    """One benchmark: command, tables, notes, where and when it was measured."""
    parts = [f"## {result['title']}", f"`{result['command']}`"]
    if result["quick"]:
        parts.append("**A quick run: it shows that the benchmark works, its numbers say nothing.**")
    for entry in result["tables"]:
        if entry["rows"]:
            parts += [f"### {entry['title']}", markdown_table(entry["columns"], entry["rows"])]
    if result["notes"]:
        parts.append("\n".join(f"- {note}" for note in result["notes"]))
    parts.append(provenance(result))
    return "\n\n".join(parts)


def provenance(result: dict[str, Any]) -> str:
    """Machine, versions and commit as one line."""
    on = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    return (
        f"*{on['cpu']}, {on['cores']} cores, {on['memory_gib']} GiB, {on['system']}, "
        f"kernels for {on['isa']}; Python {on['python']}, {versions}; commit {result['commit']}, "
        f"{result['when']}, load {on['load']}.*"
    )


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; a bar inside a cell is escaped."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    main()
