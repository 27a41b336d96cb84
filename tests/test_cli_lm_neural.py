"""``nlptk train lm`` and ``nlptk lm`` with neural models: train, perplexity, generate, and clear refusals."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="neural models need torch")

from cli_process import check_refusal

from nlptk.neural.lm import NeuralLM

Run = Callable[..., tuple[int, str, str]]
LINES = ["the cat sat on the mat", "a dog ran", "the dog sat"] * 8
SIZES = ("--dim", 16, "--layers", 1, "--window", 16, "--batch-size", 4, "--epochs", 2, "--device", "cpu")


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt.gz"
    path.write_bytes(gzip.compress("\n".join(LINES).encode()))
    return path


@pytest.fixture
def model(text: Path) -> Path:
    path = text.parent / "lm.safetensors"
    NeuralLM("gru", dim=16, window=16, batch_size=4, epochs=2).fit(LINES).save(path)
    return path


@pytest.mark.parametrize("kind", ["lstm", "transformer"])
def test_train(run: Run, text: Path, kind: str) -> None:
    output = text.parent / "lm"
    heads = ("--heads", 2, "--positions", "alibi") if kind == "transformer" else ("--hidden", 24, "--no-tie")
    status, out, err = run(
        "train", "lm", text, "--model", kind, *SIZES, *heads, "--dev", text, "-o", output, "--json", "-q"
    )
    assert (status, err) == (0, "")
    told = json.loads(out)
    assert [entry["epoch"] for entry in told["log"]] == [1, 2]
    lm = NeuralLM.load(output)
    assert (lm.model, lm.dim, lm.window) == (kind, 16, 16)
    assert (lm.positions, lm.tie) == (("alibi", True) if kind == "transformer" else ("rope", False))
    assert told["dev"]["bits_per_character"] == lm.perplexity(LINES, parts=4).bits_per_character


def test_train_says_what_it_made(run: Run, text: Path) -> None:
    status, out, _ = run(
        "train", "lm", text, *SIZES, "--unit", "words", "--dev", text, "-o", text.parent / "lm"
    )
    assert status == 0
    assert out.startswith(f"saved {text.parent / 'lm'} after ")
    assert "bits per character" in out


def test_perplexity(run: Run, text: Path, model: Path) -> None:
    lm = NeuralLM.load(model)
    status, out, err = run("lm", "perplexity", model, text, "--json")
    assert (status, err) == (0, "")
    found = lm.perplexity(LINES)
    assert json.loads(out) == {
        "perplexity": found.per_token,
        "perplexity_per_word": found.per_word,
        "bits_per_character": found.bits_per_character,
        "log_prob": found.log_prob,
        "tokens": found.tokens,
        "words": found.words,
        "characters": found.characters,
        "unknown": 0,
    }
    (text.parent / "other.txt").write_text("the cξt\n")
    status, out, _ = run("lm", "perplexity", model, text.parent / "other.txt", "--parts", 2)
    assert out.startswith("perplexity ")
    assert "of 8 tokens, 1 of them unknown" in out


def test_generate(run: Run, model: Path) -> None:
    lm = NeuralLM.load(model)
    status, out, err = run(
        "lm", "generate", model, "-p", "the ", "-p", "a", "--top-k", 3, "--seed", 5, "--json"
    )
    assert (status, err) == (0, "")
    texts = lm.generate(["the ", "a"], top_k=3, seed=5)
    assert [json.loads(line) for line in out.splitlines()] == [
        {"prompt": "the ", "text": texts[0]},
        {"prompt": "a", "text": texts[1]},
    ]
    status, out, _ = run("lm", "generate", model, "--beam", 2, "--length-penalty", 0.6, "--max-length", 20)
    assert out == lm.generate(beam=2, length_penalty=0.6, max_length=20) + "\n"


def test_refusals(run: Run, text: Path, model: Path) -> None:
    output = ("-o", text.parent / "lm")
    check_refusal(run("train", "lm", text, "--resume", *output), 2, "--resume goes on from a --checkpoint")
    check_refusal(run("train", "lm", text, "--heads", 2, *output), 2, "--heads is not for --model lstm")
    check_refusal(
        run("train", "lm", text, "--unit", "nothing", *output), 2, "the file of a BPE, not 'nothing'"
    )
    check_refusal(run("train", "lm", text, "-o", text.parent / "no" / "lm"), 2, "there is no folder")
    (text.parent / "empty").write_text("\n\n")
    check_refusal(run("train", "lm", text.parent / "empty", *output), 1, "holds no text")
    check_refusal(run("lm", "perplexity", model, text.parent / "empty"), 1, "holds no text")
    check_refusal(run("lm", "perplexity", text, text), 1, "an ARPA file begins with")
    damaged = text.parent / "damaged"
    damaged.write_bytes(model.read_bytes()[:-9])
    check_refusal(run("lm", "perplexity", damaged, text), 1, str(damaged))
    units = ("--units", "words")
    check_refusal(run("lm", "perplexity", model, text, *units), 2, "--units is not for a neural model")
    check_refusal(run("lm", "generate", model, "--unknown"), 2, "--unknown is not for a neural model")
    check_refusal(run("lm", "generate", text, "--top-k", 2), 2, "--top-k is not for an n-gram model")
    check_refusal(run("lm", "perplexity", text, text, "--parts", 2), 2, "--parts is not for an n-gram model")
    check_refusal(run("lm", "generate", model, "-p", "ξ"), 1, "does not know the character 'ξ'")
    check_refusal(run("lm", "generate", model, "--temperature", 0), 2, "temperature must be a number above 0")
    check_refusal(run("lm", "generate", model, "--beam", 99), 2, "larger than the vocabulary")
    check_refusal(run("lm", "generate", model, "--beam", 2, "--top-k", 2), 2, "no meaning with --beam")
    check_refusal(run("lm", "generate", model, "--length-penalty", 1), 2, "no meaning without --beam")
