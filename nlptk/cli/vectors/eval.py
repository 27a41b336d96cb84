"""``nlptk vectors eval``: vectors against human similarity scores and analogies."""

from __future__ import annotations

import enum
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nlptk.cli.files import OnErrorOrIgnore, existing_files
from nlptk.cli.progress import Progress
from nlptk.cli.tables import table
from nlptk.cli.vectors.similar import Errors, Method, Vectors

if TYPE_CHECKING:
    from nlptk.vectors.evaluation import AnalogyScores, PairScores, SectionScores


class TestSet(enum.Enum):
    """What the files hold."""

    pairs = "pairs"
    analogies = "analogies"


def evaluate(
    vectors: Vectors,
    files: Annotated[
        list[Path],
        typer.Argument(
            callback=existing_files,
            metavar="FILES",
            help="Word pairs with scores, or analogies by section; gzip or not.",
            show_default=False,
        ),
    ],
    kind: Annotated[
        TestSet | None,
        typer.Option(help="What the files hold, if not to be told by them.", show_default=False),
    ] = None,
    restrict_vocab: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Only so many words, the most frequent; else 30,000 for analogies, 300,000 for pairs.",
            show_default=False,
        ),
    ] = None,
    method: Annotated[Method, typer.Option(help="Analogies by 3CosAdd or 3CosMul.")] = Method.add,
    case_sensitive: Annotated[
        bool, typer.Option("--case-sensitive", help="Tell upper from lower case.")
    ] = False,
    count_unknown: Annotated[
        bool,
        typer.Option("--count-unknown", help="Count what has an unknown word as wrong, or as similarity 0."),
    ] = False,
    subwords: Annotated[
        bool, typer.Option("--subwords", help="In pairs, make vectors of unknown words from subwords.")
    ] = False,
    errors: Errors = OnErrorOrIgnore.strict,
    as_json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Score vectors: rank correlation with human similarity, accuracy on analogies by section, coverage.

    Example: nlptk vectors eval vectors.bin wordsim353.tsv questions-words.txt --json
    """
    from nlptk.vectors.evaluation import score_word_analogies, score_word_pairs
    from nlptk.vectors.evaluation_files import kind_of
    from nlptk.vectors.keyed_vectors import KeyedVectors

    kinds = [kind.value if kind else kind_of(path) for path in files]  # before the vectors take their time
    common: dict[str, Any] = {"case_insensitive": not case_sensitive, "dummy4unknown": count_unknown}
    if restrict_vocab is not None:
        common["restrict_vocab"] = restrict_vocab
    found: list[PairScores | AnalogyScores] = []
    with Progress("eval", total=len(files) + 1, quiet=quiet) as progress:
        wv = KeyedVectors.load(vectors, errors=errors.value)
        for path, held in zip(files, kinds, strict=True):
            progress.update(len(found) + 1, note=path.name)
            found.append(
                score_word_pairs(wv, path, subwords=subwords, **common)
                if held == "pairs"
                else score_word_analogies(wv, path, method=method.value, **common)
            )
    if as_json:
        answer = {"vectors": str(vectors), "files": [_as_json(scores, method.value) for scores in found]}
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    typer.echo("\n\n".join(filter(None, [_pair_table(found), *map(_analogy_table, found)])))


def _as_json(scores: PairScores | AnalogyScores, method: str) -> dict[str, Any]:
    from nlptk.vectors.evaluation import PairScores

    row: dict[str, Any] = {
        "file": scores.source,
        "coverage": scores.coverage,
        "skipped_lines": scores.skipped,
    }
    if isinstance(scores, PairScores):
        return {
            **row,
            "kind": "pairs",
            "pairs": scores.pairs,
            "unknown": scores.unknown,
            "spearman": _number(scores.spearman.statistic),
            "spearman_p": _number(scores.spearman.pvalue),
            "pearson": _number(scores.pearson.statistic),
            "pearson_p": _number(scores.pearson.pvalue),
        }
    sections = {section.name: _section(section) for section in scores.sections}
    groups = {group.name: _section(group) for group in scores.groups}
    total = _section(scores.total)
    return {**row, "kind": "analogies", "method": method, **total, **groups, "sections": sections}


def _number(value: float) -> float | None:
    return value if value == value else None  # JSON has no NaN


def _section(section: SectionScores) -> dict[str, Any]:
    right = len(section.correct)
    return {
        "accuracy": section.accuracy,
        "correct": right,
        "asked": right + len(section.incorrect),
        "unknown": section.unknown,
    }


def _pair_table(found: list[PairScores | AnalogyScores]) -> str:
    from nlptk.vectors.evaluation import PairScores

    rows = [
        (
            Path(scores.source).name,
            f"{scores.spearman.statistic:.4f}",
            f"{scores.pearson.statistic:.4f}",
            f"{scores.pairs:,}",
            f"{scores.coverage:.1%}",
        )
        for scores in found
        if isinstance(scores, PairScores)
    ]
    return table(("word pairs", "rho", "pearson", "pairs", "coverage"), rows) if rows else ""


def _analogy_table(scores: PairScores | AnalogyScores) -> str:
    from nlptk.vectors.evaluation import PairScores

    if isinstance(scores, PairScores):
        return ""
    rows = []
    for section in [*scores.sections, *scores.groups, scores.total]:
        right, asked = len(section.correct), len(section.correct) + len(section.incorrect)
        accuracy = f"{section.accuracy:.4f}" if asked else "-"
        rows.append((section.name, accuracy, f"{right:,}", f"{asked:,}", f"{section.unknown:,}"))
    return table((Path(scores.source).name, "accuracy", "correct", "asked", "unknown"), rows)
