"""``nlptk vectors similar | analogy | convert``."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cli_process import command, environment

from nlptk import KeyedVectors
from nlptk.vectors.subwords import Subwords

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Towns and rivers: each river is its town moved by one vector."""
    words = ["Ulm", "Donau", "Köln", "Rhein", "Wien", "河"]
    rows = [[1, 0, 0, 0], [1, 0, 0, 1], [0, 1, 0, 0], [0, 1, 0, 1], [0.9, 0.3, 0.1, 0], [0, 0, 1, 0.5]]
    KeyedVectors(words, rows).save(tmp_path / "a.txt")
    return tmp_path / "a.txt"


# ---- similar ----


def test_similar(run: Run, file: Path) -> None:
    assert run("vectors", "similar", file, "Ulm", "-n", 2) == (0, "Wien\t0.9435\nDonau\t0.7071\n", "")
    status, out, err = run("vectors", "similar", file, "Ulm", "河", "--topn", 1)
    assert (status, out, err) == (0, "Ulm\tWien\t0.9435\n河\tDonau\t0.3162\n", "")
    assert run("vectors", "similar", file, "Ulm", "-n", 1, "--restrict-vocab", 4)[1] == "Donau\t0.7071\n"


def test_similar_as_json(run: Run, file: Path) -> None:
    status, out, err = run("vectors", "similar", file, "河", "Ulm", "-n", 1, "--json")
    assert (status, err) == (0, "")
    assert [json.loads(line) for line in out.splitlines()] == [
        {"word": "河", "similar": [{"word": "Donau", "score": 0.316228}]},
        {"word": "Ulm", "similar": [{"word": "Wien", "score": 0.943456}]},
    ]


def test_unseen_words_by_subwords(run: Run, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    subwords = Subwords(rng.standard_normal((500, 20)).astype(np.float32))
    words = ["river", "otter"]
    KeyedVectors(words, subwords.vectors_of(words), subwords=subwords).save(tmp_path / "a.bin")
    status, out, err = run("vectors", "similar", tmp_path / "a.bin", "rivers", "-n", 1)
    assert (status, out.split("\t")[0], err) == (0, "river", "")


# ---- analogy ----


def test_analogy(run: Run, file: Path) -> None:
    for method in ("add", "mul"):
        status, out, err = run(
            "vectors", "analogy", file, "Ulm", "Donau", "Köln", "-n", 1, "--method", method
        )
        assert (status, out.split("\t")[0], err) == (0, "Rhein", "")
        out = run("vectors", "analogy", file, "Ulm", "Donau", "Köln", "-n", 1, "--method", method, "--json")[
            1
        ]
        row = json.loads(out)
        assert (row["a"], row["b"], row["c"], row["method"]) == ("Ulm", "Donau", "Köln", method)
        assert [found["word"] for found in row["similar"]] == ["Rhein"]


# ---- convert ----


@pytest.mark.parametrize("name", ["b.vec", "b.glove", "b.bin", "b.safetensors", "b.txt.gz"])
def test_convert_there_and_back(run: Run, file: Path, name: str) -> None:
    there, back = file.with_name(name), file.with_name("back.txt")
    status, out, err = run("vectors", "convert", file, there)
    assert (status, out, err) == (0, f"saved {there}: 6 words, 4 dimensions\n", "")
    assert run("vectors", "convert", there, back)[0] == 0
    assert back.read_bytes() == file.read_bytes()


def test_convert_by_name(run: Run, file: Path) -> None:
    there = file.with_name("vectors")
    assert run("vectors", "convert", file, there, "--to", "word2vec-bin", "--from", "word2vec")[0] == 0
    made = KeyedVectors.load(there, format="word2vec-bin")
    assert made.index_to_key[5] == "河"


def test_quantize(run: Run, file: Path) -> None:
    there = file.with_name("b.safetensors")
    status, out, err = run("vectors", "convert", file, there, "--quantize", "--json")
    assert (status, err) == (0, "")
    result = json.loads(out)
    assert (result["output"], result["words"], result["dimensions"]) == (str(there), 6, 4)
    assert 0 < result["loss"] < 0.01
    assert KeyedVectors.load(there).codes is not None
    assert "8 bits lose 0." in run("vectors", "convert", file, there, "--quantize")[1]


def test_bytes_that_are_no_utf8(run: Run, file: Path) -> None:
    file.write_bytes(b"1 2\n\xff 1 2\n")
    status, out, err = run("vectors", "similar", file, "a")
    assert (status, out) == (1, "")
    assert "line 2: the word b'\\xff' is not UTF-8" in err
    assert run("vectors", "convert", file, file.with_name("b.vec"), "--errors", "replace")[0] == 0
    assert file.with_name("b.vec").read_text("utf-8") == "1 2\n\ufffd 1 2\n"


# ---- wrong use ----


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["similar", "{}", "nothing"], 2, "'nothing' is not one of the 6 words"),
        (["similar", "{}"], 2, "Missing argument 'WORD..."),
        (["similar", "{}.none", "a"], 2, "does not exist"),
        (["similar", "{}", "Ulm", "--topn", "0"], 2, "--topn"),
        (["analogy", "{}", "Ulm", "Köln"], 2, "Missing argument 'C'"),
        (["analogy", "{}", "Ulm", "Köln", "nothing"], 2, "'nothing' is not one of the 6 words"),
        (["analogy", "{}", "Ulm", "Köln", "Wien", "--method", "sub"], 2, "--method"),
        (["convert", "{}", "{}.pkl"], 2, "does not say which format to write"),
        (["convert", "{}", "-"], 2, "OUT cannot be standard output"),
        (["convert", "{}", "/"], 2, "OUT / is a folder"),
        (["convert", "{}", "{}/b.txt"], 2, "is not a writable folder"),
        (["convert", "{}", "{}.vec", "--from", "fasttext"], 1, "has version"),
        (["convert", "{}", "{}.vec", "--from", "word2vec-bin"], 1, "row "),
        (["convert", "{}", "{}.safetensors.gz"], 2, "leave out .gz"),
    ],
)
def test_wrong_use(run: Run, file: Path, arguments: list[str], status: int, message: str) -> None:
    before = sorted(file.parent.iterdir())
    found, out, err = run("vectors", *(argument.replace("{}", str(file)) for argument in arguments))
    assert (found, out) == (status, "")
    assert message in err
    assert err.startswith("nlptk: error: ")
    assert err.count("\n") == 1
    assert sorted(file.parent.iterdir()) == before


def test_standard_input(file: Path) -> None:
    done = subprocess.run(
        command("vectors", "similar", "-", "Ulm", "-n", 1),
        input=file.read_bytes(),
        capture_output=True,
        env=environment(),
    )
    assert (done.returncode, done.stdout.decode(), done.stderr) == (0, "Wien\t0.9435\n", b"")
