"""``nlptk vectors phrases``: what is written, what is said, and what is refused."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from nlptk.vectors.phrases import Phrases

Run = Callable[..., tuple[int, str, str]]

TEXT = "we like new york\nnew york and the bank of america\nthe bank of america in new york\n" * 6
LOW = ("--min-count", 1, "--threshold", 0.5)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.txt"
    path.write_text(TEXT)
    return path


def test_help_shows_an_example(run: Run) -> None:
    status, out, err = run("vectors", "phrases", "--help")
    assert (status, err) == (0, "")
    assert "Example: " in out


def test_phrases_are_those_of_the_library(run: Run, corpus: Path, tmp_path: Path) -> None:
    model = Phrases(min_count=1, threshold=0.5).fit(corpus)
    expected = "".join(" ".join(model[line.split()]) + "\n" for line in TEXT.splitlines())
    assert "new_york" in expected
    status, out, err = run("vectors", "phrases", corpus, *LOW, "--quiet")
    assert (status, out, err) == (0, expected, "")
    output = tmp_path / "joined.txt"
    status, out, err = run("vectors", "phrases", corpus, "-o", output, *LOW)
    assert (status, out, output.read_text()) == (0, "", expected)
    assert f"{len(model.phrases)} phrases in " in err
    assert str(output) in err


def test_standard_input_and_gzip_are_read_alike(run: Run, corpus: Path, tmp_path: Path) -> None:
    packed = tmp_path / "corpus.gz"
    packed.write_bytes(gzip.compress(TEXT.encode()))
    written = [
        run("vectors", "phrases", corpus, packed, *LOW, "-q"),
        run("vectors", "phrases", "-", packed, *LOW, "-q", stdin=TEXT.encode()),
    ]
    assert written[0] == written[1]
    assert written[0][1].count("\n") == 2 * TEXT.count("\n")


def test_phrases_found_before_are_joined(run: Run, corpus: Path, tmp_path: Path) -> None:
    saved = tmp_path / "phrases.json"
    connectors = ("--connector-words", "en", "--passes", 2)
    status, out, _ = run("vectors", "phrases", corpus, *LOW, *connectors, "--save", saved, "--json")
    assert status == 0
    result = json.loads(out)
    assert (result["phrases"], result["output"], result["saved"]) == (
        len(Phrases.load(saved).phrases),
        None,
        str(saved),
    )
    line = b"a bank of america in new york"
    status, out, err = run("vectors", "phrases", "-", "--model", saved, "-q", stdin=line)
    assert (status, err) == (0, "")
    assert "bank_of_america" in out


def test_two_thresholds_for_two_passes(run: Run, corpus: Path) -> None:
    both = ("--threshold", 0.5, "--threshold", 1000, "--min-count", 1)
    status, out, _ = run("vectors", "phrases", corpus, *both, "--passes", 2, "-q")
    assert status == 0
    assert out == run("vectors", "phrases", corpus, *LOW, "-q")[1]
    status, _, err = run("vectors", "phrases", corpus, *both, "-q")
    assert (status, "2 thresholds for 1 passes" in err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--json",), "--json goes with --output or --save"),
        (("--json", "-o", "-", "--save", "x.json"), "exclude each other"),
        (("--scoring", "npmi", "--threshold", 3), "from -1 to 1"),
        (("--delimiter", ""), "delimiter"),
        (("-o", "none/out.txt"), "there is no folder"),
    ],
)
def test_wrong_use_is_one_sentence(
    run: Run,
    corpus: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[object, ...],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = run("vectors", "phrases", corpus, *arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_failed_work_leaves_no_file(run: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.txt"
    bad.write_bytes(b"new york\nnew \xff york\n")
    output = tmp_path / "out.txt"
    status, _, err = run("vectors", "phrases", bad, "-o", output, "-q")
    assert status == 1
    assert "bad.txt, line 2: byte 0xff is not UTF-8" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.txt"]
    status, _, _ = run("vectors", "phrases", bad, "-o", output, "-q", "--errors", "replace")
    assert (status, output.read_text("utf-8")) == (0, "new york\nnew � york\n")
    empty = tmp_path / "empty.txt"
    empty.write_text(" \n")
    status, _, err = run("vectors", "phrases", empty, "-q")
    assert (status, "the corpus has no words" in err) == (1, True)
