"""``nlptk train seq2seq`` and ``nlptk translate``: a model and its use, and clear refusals."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="neural models need torch")

from cli_process import check_refusal

Run = Callable[..., tuple[int, str, str]]
SIZES = (
    "--units", "char", "--dim", 32, "--hidden", 64, "--layers", 1, "--dropout", 0, "--batch-tokens", 200,
    "--learning-rate", 0.01, "--device", "cpu", "-q",
)  # fmt: skip
_random = random.Random(5)
SOURCES = ["".join(_random.choices("abcde", k=_random.randint(1, 4))) for _ in range(300)]


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with sources, what they are turned round, pairs of both, and some lines to translate."""
    folder = tmp_path_factory.mktemp("texts")
    targets = [text[::-1] for text in SOURCES]
    (folder / "in.txt").write_text("".join(f"{text}\n" for text in SOURCES))
    (folder / "out.txt").write_text("".join(f"{text}\n" for text in targets))
    pairs = "".join(f"{a}\t{b}\tmore\n" for a, b in zip(SOURCES, targets, strict=True))
    (folder / "pairs.tsv.gz").write_bytes(gzip.compress(pairs.encode()))
    (folder / "new.txt").write_text("abc\n\ncab\n")
    return folder


@pytest.fixture(scope="module")
def model(texts: Path) -> Path:
    from nlptk.cli.main import main

    words = [
        "train", "seq2seq", "--model", "gru", "--train", texts / "pairs.tsv.gz", *SIZES, "--epochs", 15,
        "-o", texts / "model",
    ]  # fmt: skip
    assert main([str(word) for word in words]) == 0
    return texts / "model"


def test_training_tells_what_it_made(run: Run, texts: Path) -> None:
    status, out, err = run(
        "train", "seq2seq", "--train-source", texts / "in.txt", "--train-target", texts / "out.txt",
        "--dev", texts / "pairs.tsv.gz", *SIZES, "--epochs", 1, "--json", "-o", texts / "other",
        "--checkpoint", texts / "state",
    )  # fmt: skip
    assert (status, err) == (0, "")
    told = json.loads(out)
    assert told["updates"] == told["log"][0]["step"]
    assert told["dev"]["loss"] == pytest.approx(-told["log"][0]["dev_score"], abs=1e-4)
    assert told["left_out"] == 0
    assert (texts / "state" / "training.safetensors").is_file()
    meta = json.loads((texts / "other" / "meta.json").read_text())
    files = [(file["file"], file["pairs"]) for file in meta["data"]["train"]]
    assert files == [("in.txt", 300), ("out.txt", 300)]


def test_each_line_is_answered_by_a_line(run: Run, texts: Path, model: Path) -> None:
    assert run("translate", model, texts / "new.txt", "-q") == (0, "cba\n\nbac\n", "")
    assert run("translate", model, texts / "new.txt", "-q", "-o", texts / "t.txt", "--beam", 1)[0] == 0
    assert (texts / "t.txt").read_text() == "cba\n\nbac\n"


def test_n_best_and_json(run: Run, texts: Path, model: Path) -> None:
    (texts / "one.txt").write_text("abc\n")
    status, out, _ = run("translate", model, texts / "one.txt", "-q", "--n-best", 3)
    assert status == 0
    rows = [line.split("\t") for line in out.splitlines()]
    assert len(rows) == 3
    assert rows[0][1] == "cba"
    assert float(rows[0][0]) >= float(rows[1][0]) >= float(rows[2][0])
    _, out, _ = run("translate", model, texts / "one.txt", "-q", "--json", "--prefix", "b")
    (only,) = json.loads(out)
    assert only["text"].startswith("b")


def test_drawn_translations_follow_the_seed(run: Run, texts: Path, model: Path) -> None:
    words = ("translate", model, texts / "new.txt", "-q", "--sample", "--temperature", 4, "--n-best", 5)
    first, again, other = run(*words), run(*words, "--seed", 1), run(*words, "--seed", 2)
    assert first == again
    assert first[1] != other[1]
    assert len(first[1].splitlines()) == 11  # of the empty line there is one
    assert run("translate", model, texts / "new.txt", "-q", "--sample", "--top-k", 1)[1] == "cba\n\nbac\n"
    result = run("translate", model, texts / "new.txt", "-q", "--coverage-penalty", 0.2)
    assert result == (0, "cba\n\nbac\n", "")
    result = run("translate", model, texts / "new.txt", "-q", "--sample", "--beam", 3)
    check_refusal(result, 2, "--beam has no meaning with --sample")
    result = run("translate", model, texts / "new.txt", "-q", "--top-p", 0.9)
    check_refusal(result, 2, "--top-p has no meaning without --sample")


def test_bad_input_of_translate_is_one_sentence(run: Run, texts: Path, model: Path) -> None:
    (texts / "long.txt").write_text("a\n" + "a" * 300 + "\n")
    check_refusal(run("translate", model, texts / "long.txt", "-q"), 1, "text 2 has 300 tokens")
    (texts / "latin.txt").write_bytes(b"a\nb\n\xe9\n")
    check_refusal(run("translate", model, texts / "latin.txt", "-q"), 1, "latin.txt, line 3: byte 0xe9")
    result = run("translate", model, texts / "new.txt", "-q", "--beam", 50)
    check_refusal(result, 2, "a beam of 50 is larger than the vocabulary")
    result = run("translate", model, texts / "new.txt", "-q", "--prefix", "é")
    check_refusal(result, 1, "the prefix of text 1, 'é', has a character that the vocabulary lacks")
    check_refusal(run("translate", texts, texts / "new.txt", "-q"), 1, "cannot be read")


def test_bad_input_of_training_is_one_sentence(run: Run, texts: Path) -> None:
    def refused(named: str, status: int, *words: object) -> None:
        check_refusal(run("train", "seq2seq", *words, *SIZES, "-o", texts / "m"), status, named)

    (texts / "short.txt").write_text("a\n")
    both = ("--train-source", texts / "in.txt", "--train-target")
    refused("there are 300 training sources and 1 targets", 1, *both, texts / "short.txt")
    refused("short.txt, line 1: has no tab", 1, "--train", texts / "short.txt")
    (texts / "none.txt").write_text("")
    refused("none.txt holds no pair", 1, "--train", texts / "none.txt")
    (texts / "broken.txt").write_bytes(b"a\tb\n\xff\tc\n")
    refused("broken.txt, line 2: byte 0xff", 1, "--train", texts / "broken.txt")
    refused("give --train alone, or --train-source with", 2, "--train-source", texts / "in.txt")
    refused("give --train, or --train-source and --train-target", 2)
    pairs = ("--train", texts / "pairs.tsv.gz")
    refused("--resume goes on from a --checkpoint", 2, *pairs, "--resume")
    refused("--attention is not for --model transformer", 2, *pairs, "--attention", "dot")
    refused("--heads is not for --model gru", 2, *pairs, "--model", "gru", "--heads", 2)
    assert not (texts / "m").exists()
