"""``nlptk lm``: what is written, what is said, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from nlptk import NgramLM

Run = Callable[..., tuple[int, str, str]]

TEXT = "the cat sat on the mat\nthe dog sat on the cat\na dog ran\n\nthe cat ran to a mat\n"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.txt"
    path.write_text(TEXT)
    return path


def expected(**settings: object) -> NgramLM:
    return NgramLM(**{"order": 3, "discount_fallback": (0.5, 1, 1.5), **settings}).fit(TEXT.splitlines())  # type: ignore[arg-type]


@pytest.mark.parametrize("command", ["train", "perplexity", "generate"])
def test_help_shows_an_example(run: Run, command: str) -> None:
    status, out, err = run("lm", command, "--help")
    assert (status, err) == (0, "")
    assert "Example: nlptk lm" in out


def test_models_are_those_of_the_library(run: Run, corpus: Path, tmp_path: Path) -> None:
    folder, arpa = tmp_path / "lm", tmp_path / "lm.arpa.gz"
    status, out, err = run(
        "lm",
        "train",
        corpus,
        "--order",
        3,
        "--discount-fallback",
        "-o",
        folder,
        "--arpa",
        arpa,
        "--json",
        "-q",
    )
    assert (status, err) == (0, "")
    said = json.loads(out)
    model = expected()
    assert (said["sentences"], said["tokens"], said["words"]) == (5, 26, len(model.words))
    assert said["ngrams"] == model.counts
    for loaded in (NgramLM.load(folder), NgramLM.load_arpa(arpa)):
        assert loaded.score("the dog sat") == model.score("the dog sat")
    test = tmp_path / "test.txt"
    test.write_text("the cow sat\n")
    for place in (folder, arpa):
        status, out, err = run("lm", "perplexity", place, test, "--json")
        said, found = json.loads(out), model.perplexity(["the cow sat"])
        assert (said["perplexity"], said["perplexity_without_unknown"]) == (found.including, found.excluding)
        assert (said["tokens"], said["unknown"]) == (4, 1)
        status, out, err = run("lm", "generate", place, "-n", 3, "-p", "the cat", "--seed", 5)
        assert out.splitlines() == [" ".join(s) for s in model.sample(3, "the cat", seed=5)]
    status, out, err = run("lm", "perplexity", folder, "-", stdin=b"the cow sat\n")
    assert out.startswith(f"perplexity {found.including:.3f} of 4 tokens")
    assert "1 unknown words" in out


def test_progress_is_said_on_stderr(run: Run, corpus: Path, tmp_path: Path) -> None:
    arguments = ("lm", "train", corpus, "--model", "laplace", "--order", 2, "-o", tmp_path / "lm")
    status, out, err = run(*arguments)
    assert (status, out) == (0, "")
    assert f"n-grams of 26 tokens in 0.0 s; wrote {tmp_path / 'lm'}" in err.replace("0.1 s", "0.0 s")
    assert run(*arguments, "--quiet") == (0, "", "")
    assert NgramLM.load(tmp_path / "lm").smoothing == "laplace"


def test_characters_and_other_settings(run: Run, corpus: Path, tmp_path: Path) -> None:
    folder = tmp_path / "lm"
    train = ("lm", "train", corpus, "--order", 3, "--discount-fallback", "-q", "-o", folder)
    assert run(*train, "--units", "characters") == (0, "", "")
    status, out, _ = run("lm", "generate", folder, "--units", "characters", "--seed", 1, "--json")
    said = json.loads(out)
    assert status == 0
    assert said["text"] == "".join(said["words"])
    assert " " in NgramLM.load(folder)
    words = tmp_path / "words.txt"
    words.write_text("the cat\nsat\n")
    assert run(*train, "--vocabulary", words) == (0, "", "")
    assert set(NgramLM.load(folder).words[3:]) == {"the", "cat", "sat"}
    assert run(*train, "--min-freq", 2, "--prune", "0,1") == (0, "", "")
    assert NgramLM.load(folder).counts == expected(min_freq=2, prune=(0, 1)).counts
    assert run(*train, "--tokenizer", "en", "--lower") == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("train", "{corpus}"), 2, "give --output, --arpa or both"),
        (("train", "{corpus}", "-o", "{corpus}"), 2, "is a file; give a folder"),
        (
            ("train", "{corpus}", "--arpa", "{tmp}/none/x.arpa"),
            2,
            "--arpa {tmp}/none/x.arpa cannot be written: there is no folder",
        ),
        (("train", "none.txt", "-o", "x"), 2, "does not exist"),
        (("train", "{corpus}", "-o", "{tmp}/lm"), 1, "too small or odd"),
        (("train", "{corpus}", "-o", "{tmp}/lm", "--prune", "0,x"), 2, "--prune takes numbers"),
        (("train", "{corpus}", "-o", "{tmp}/lm", "--prune", "1"), 2, "begin with 0"),
        (("train", "{corpus}", "--arpa", "{tmp}/x", "--model", "laplace"), 2, "which laplace is not"),
        (
            ("train", "{corpus}", "-o", "{tmp}/lm", "--units", "characters", "--lower"),
            2,
            "without --tokenizer",
        ),
        (("perplexity", "{corpus}", "{corpus}"), 1, "corpus.txt, line 1: an ARPA file begins with"),
        (("perplexity", "{tmp}", "{corpus}"), 1, "cannot be read"),
        (("generate", "{tmp}/none"), 2, "does not exist"),
    ],
)
def test_what_is_refused(
    run: Run, corpus: Path, tmp_path: Path, arguments: tuple[str, ...], status: int, message: str
) -> None:
    filled = [argument.format(corpus=corpus, tmp=tmp_path) for argument in arguments]
    found, out, err = run("lm", *filled)
    assert (found, out) == (status, "")
    assert message.format(tmp=tmp_path) in err.replace("\n", " ")
    assert "Traceback" not in err
    assert not (tmp_path / "lm").exists()
