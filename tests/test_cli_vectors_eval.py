"""``nlptk vectors eval``: tables, JSON, and files that are no test set."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nlptk.vectors.evaluation import score_word_analogies, score_word_pairs
from nlptk.vectors.keyed_vectors import KeyedVectors

Run = Callable[..., tuple[int, str, str]]

WORDS = ["athens", "greece", "rome", "italy", "cat", "cats", "dog", "dogs", "猫", "狗"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = np.random.default_rng(3).normal(size=(len(WORDS), 6)).astype(np.float32)
    KeyedVectors(WORDS, rows).save(tmp_path / "vectors.txt")
    (tmp_path / "pairs.tsv").write_text(
        "Word 1\tWord 2\tHuman (mean)\ncat\tdog\t8\nrome\tcat\t1\nrome\tx\t3\n"
    )
    (tmp_path / "cn.txt").write_text("猫\t狗\t8\n猫\t cat\t1\n狗\tdog\t2\n", "utf-8")
    (tmp_path / "questions.txt").write_text(
        ": capitals\nAthens Greece Rome Italy\nAthens Greece Oslo Norway\n: gram-plural\ncat cats dog dogs\n"
    )
    return tmp_path


def test_help_shows_an_example(run: Run) -> None:
    status, out, err = run("vectors", "eval", "--help")
    assert (status, err) == (0, "")
    assert "Example: " in out


def test_tables_show_what_the_library_finds(run: Run, folder: Path) -> None:
    names = ["pairs.tsv", "questions.txt", "cn.txt"]
    status, out, err = run("vectors", "eval", folder / "vectors.txt", *(folder / name for name in names))
    assert (status, err) == (0, "")
    wv = KeyedVectors.load(folder / "vectors.txt")
    pairs = score_word_pairs(wv, folder / "pairs.tsv")
    rows = [line.split() for line in out.splitlines()]
    assert rows[1] == [
        "pairs.tsv",
        f"{pairs.spearman.statistic:.4f}",
        f"{pairs.pearson.statistic:.4f}",
        "3",
        "66.7%",
    ]
    assert rows[2][0] == "cn.txt"
    assert rows[2][3:] == ["3", "100.0%"]
    total = score_word_analogies(wv, folder / "questions.txt").total
    assert rows[4] == ["questions.txt", "accuracy", "correct", "asked", "unknown"]
    assert [row[0] for row in rows[5:]] == ["capitals", "gram-plural", "semantic", "syntactic", "Total"]
    assert rows[-1][2:] == [f"{total.accuracy:.4f}", str(len(total.correct)), "2", "1"]


def test_json_holds_every_number(run: Run, folder: Path) -> None:
    status, out, _ = run(
        "vectors", "eval", folder / "vectors.txt", folder / "pairs.tsv", folder / "questions.txt",
        "--json", "--method", "mul", "--count-unknown", "--restrict-vocab", 6, "--case-sensitive",
    )  # fmt: skip
    assert status == 0
    pairs, analogies = json.loads(out)["files"]
    wv = KeyedVectors.load(folder / "vectors.txt")
    options = {"restrict_vocab": 6, "dummy4unknown": True, "case_insensitive": False}
    found = score_word_pairs(wv, folder / "pairs.tsv", **options)  # type: ignore[arg-type]
    assert (pairs["kind"], pairs["pairs"], pairs["unknown"]) == ("pairs", 3, found.unknown)
    assert pairs["spearman"] == found.spearman.statistic
    total = score_word_analogies(wv, folder / "questions.txt", method="mul", **options).total  # type: ignore[arg-type]
    assert (analogies["accuracy"], analogies["asked"], analogies["unknown"]) == (total.accuracy, 3, 3)
    assert list(analogies["sections"]) == ["capitals", "gram-plural"]
    assert (analogies["semantic"]["asked"], analogies["method"]) == (2, "mul")


def test_no_correlation_is_null_in_json(run: Run, folder: Path) -> None:
    (folder / "one.tsv").write_text("cat\tdog\t3\n")
    status, out, _ = run("vectors", "eval", folder / "vectors.txt", folder / "one.tsv", "--json")
    assert (status, json.loads(out)["files"][0]["spearman"]) == (0, None)


def test_what_is_no_test_set_is_one_sentence(run: Run, folder: Path) -> None:
    prose = folder / "prose.txt"
    prose.write_text("Some text, but no test set at all.\n")
    status, out, err = run("vectors", "eval", folder / "vectors.txt", prose)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "prose.txt holds neither word pairs" in err
    status, _, err = run("vectors", "eval", folder / "vectors.txt", prose, "--kind", "pairs")
    assert (status, "holds no word pairs" in err) == (1, True)
    status, _, err = run("vectors", "eval", folder / "vectors.txt", folder / "none.tsv")
    assert (status, "does not exist" in err) == (2, True)


def test_methods_of_keyed_vectors_delegate(folder: Path) -> None:
    wv = KeyedVectors.load(folder / "vectors.txt")
    accuracy, sections = wv.evaluate_word_analogies(folder / "questions.txt", restrict_vocab=8)
    assert [section["section"] for section in sections] == ["capitals", "gram-plural", "Total accuracy"]
    assert 0 <= accuracy <= 1
    pearson, spearman, unknown = wv.evaluate_word_pairs(folder / "pairs.tsv")
    assert unknown == pytest.approx(100 / 3)
    assert abs(spearman.statistic) == pytest.approx(1)
    assert -1 <= pearson.statistic <= 1
    assert wv.quantize().evaluate_word_pairs(folder / "pairs.tsv")[1] == spearman
