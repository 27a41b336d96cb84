"""Neural language models: what is learnt, perplexity by hand, text and numbers, files, bad input."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="neural models need torch")

import nlptk  # noqa: E402
from nlptk.errors import ConfigError, DataError, ModelError  # noqa: E402
from nlptk.neural.lm import MODELS, NeuralLM  # noqa: E402
from nlptk.neural.lm_units import END, UNKNOWN, Units, checked_lines  # noqa: E402

LINES = ["the cat sat on the mat .", "a dog ran in the park .", "the dog sat on a cat ."] * 6
KINDS = list(MODELS)
SMALL: dict[str, Any] = {"dim": 16, "layers": 2, "heads": 2, "window": 16, "batch_size": 4, "epochs": 3}


def made(model: str = "lstm", **settings: Any) -> NeuralLM:
    return NeuralLM(model, **{**SMALL, **settings})


@pytest.fixture(scope="module", params=KINDS)
def fitted(request: pytest.FixtureRequest) -> NeuralLM:
    return made(request.param, learning_rate=5e-3, epochs=8).fit(LINES, LINES[:6])


@pytest.fixture(scope="module")
def bpe() -> nlptk.BPE:
    return nlptk.BPE.train(LINES, vocab_size=280)


# ---- learning ----------------------------------------------------------------------------------------------


def test_the_loss_falls(fitted: NeuralLM) -> None:
    losses = [entry["loss"] for entry in fitted.log_.entries]
    assert losses[-1] < min(losses[0], math.log(len(fitted.units))) - 0.4
    scores = [entry["dev_score"] for entry in fitted.log_.entries]
    assert fitted.log_.best == max(scores)
    found = fitted.perplexity(LINES[:6], parts=SMALL["batch_size"])
    assert -found.bits_per_character == pytest.approx(fitted.log_.best)


@pytest.mark.parametrize("model", KINDS)
def test_bfloat16_learns_the_same(model: str) -> None:
    one, other = (made(model, precision=p).fit(LINES).log_.entries for p in ("float32", "bfloat16"))
    assert [e["loss"] for e in one] == pytest.approx([e["loss"] for e in other], rel=0.02)
    assert one != other


@pytest.mark.parametrize("settings", [{"hidden": 24}, {"tie": False}, {"hidden": 24, "tie": False}])
def test_sizes_and_tied_weights(settings: Any) -> None:
    model = made(**settings).fit(LINES[:6])
    network = model.network
    assert (network.output.weight is network.embedding.weight) == settings.get("tie", True)
    assert network.net.dim == settings.get("hidden", 16)
    copy = NeuralLM.from_state(*model.to_state())
    assert (copy.network.output.weight is copy.network.embedding.weight) == settings.get("tie", True)
    assert copy.perplexity(LINES) == model.perplexity(LINES)


def test_on_words_and_pieces(bpe: nlptk.BPE, tmp_path: Path) -> None:
    words = made(unit="words").fit([*LINES, "once"])
    assert words.units.tokens[0] == "the"
    assert words.units.encode("the once cat") == [2, UNKNOWN, words.units.encode("cat")[0]]
    text = words.perplexity(["the once", "cat"])
    assert (text.tokens, text.words, text.characters, text.unknown) == (5, 5, 13, 1)
    assert text.per_word == text.per_token
    bpe.save(tmp_path / "bpe.json")
    pieces = made(unit=bpe).fit(LINES)
    same = made(unit=tmp_path / "bpe.json").fit(LINES)
    text = pieces.perplexity(LINES)
    assert text == same.perplexity(LINES)
    assert text.tokens == sum(len(bpe.encode(line)) + 1 for line in LINES)
    assert text.words == sum(len(line.split()) + 1 for line in LINES)
    assert text.characters == sum(len(line) + 1 for line in LINES)
    assert text.unknown == 0
    assert text.per_word ** (text.words / text.tokens) == pytest.approx(text.per_token)
    assert text.bits_per_character == pytest.approx(math.log2(text.per_word) * text.words / text.characters)


# ---- perplexity --------------------------------------------------------------------------------------------


def test_perplexity_by_hand(fitted: NeuralLM) -> None:
    """One token after the other, through `step`; a text within one window of the Transformer."""
    lines = ["the cat", "a dog"] if fitted.model != "transformer" else ["the mat", "a cat"]
    network, ids = (
        fitted.network,
        [END, *fitted.units.encode(lines[0]), END, *fitted.units.encode(lines[1]), END],
    )
    state, log_prob = network.start(1), 0.0
    with torch.no_grad():
        for before, after in pairwise(ids):
            log_probs, state = network.step(torch.tensor([before]), state)
            log_prob += float(log_probs[0, after])
    found = fitted.perplexity(lines)
    assert found.log_prob == pytest.approx(log_prob, abs=1e-4)
    assert found.tokens == len(ids) - 1
    assert found.per_token == pytest.approx(math.exp(-log_prob / (len(ids) - 1)))


def test_empty_lines_are_left_out(fitted: NeuralLM) -> None:
    assert fitted.perplexity(["the cat\n", "", " ", "a\r\n"]) == fitted.perplexity(["the cat", "a"])
    assert checked_lines(["a\nb", "c\r\n\r\nd"], "it") == ["a", "b", "c", "d"]


# ---- text --------------------------------------------------------------------------------------------------


def test_generate(fitted: NeuralLM, bpe: nlptk.BPE) -> None:
    prompts = ["the ", "a", "the cat sat on the mat .\nthe d", ""]
    found = fitted.generate(prompts, max_length=30)
    assert all(text.startswith(prompt) for text, prompt in zip(found, prompts, strict=True))
    assert all(text.count("\n") == prompt.count("\n") for text, prompt in zip(found, prompts, strict=True))
    assert found == fitted.generate(prompts, max_length=30)
    assert found != fitted.generate(prompts, max_length=30, seed=2)
    assert fitted.generate("the ", max_length=30) == found[0]
    long = fitted.generate("the ", max_length=60, line=False, temperature=0.9, top_k=5)
    assert len(long) == 64
    best, greedy = (fitted.generate("the ", beam=beam, max_length=40) for beam in (3, 1))
    assert best.startswith("the ")
    log_probs = [fitted.perplexity([text]).log_prob for text in (best, greedy)]
    assert log_probs[0] >= log_probs[1] - 1e-3 or fitted.model == "transformer"
    assert fitted.generate("the ", top_k=1, max_length=40) == greedy


@pytest.mark.parametrize("unit", ["words", "bpe"])
def test_generate_words_and_pieces(unit: str, bpe: nlptk.BPE) -> None:
    model = made(unit=bpe if unit == "bpe" else unit).fit(LINES)
    for text in model.generate(["the cat", "a"], max_length=12):
        assert text.startswith(("the cat", "a"))
        assert "<unk>" not in text


def test_numbers_and_back(bpe: nlptk.BPE) -> None:
    for units in (
        Units.of("characters", LINES, 1),
        Units.of("words", LINES, 1),
        Units.of(bpe, LINES, 1),
    ):
        text = units.encode_lines(LINES)
        assert text.ids[0] == text.ids[-1] == END
        assert text.ids.max() < len(units)
        assert units.decode(text.ids[1:-1]) == "\n".join(LINES)
    characters = Units.of("characters", ["aab"], 2)
    assert characters.encode("aξb") == [2, UNKNOWN, UNKNOWN]
    assert characters.unknown("aξbξ") == ["ξ", "b"]
    assert characters.decode([2, UNKNOWN, END, 2]) == "a\ufffd\na"


# ---- files -------------------------------------------------------------------------------------------------


def test_save_and_load(fitted: NeuralLM, tmp_path: Path) -> None:
    path = tmp_path / "lm.safetensors"
    fitted.save(path)
    copy = NeuralLM.load(path)
    assert copy.perplexity(LINES) == fitted.perplexity(LINES)
    assert copy.generate("the ") == fitted.generate("the ")
    assert copy.get_params() == fitted.get_params()
    json.dumps(fitted.to_state()[0])


def test_a_bpe_is_in_the_file(bpe: nlptk.BPE, tmp_path: Path) -> None:
    model = made(unit=bpe, epochs=1).fit(LINES)
    model.save(tmp_path / "lm")
    copy = NeuralLM.load(tmp_path / "lm")
    assert copy.perplexity(LINES) == model.perplexity(LINES)
    assert isinstance(copy.unit, nlptk.BPE)


def test_damaged_files(tmp_path: Path) -> None:
    model = made(epochs=1).fit(LINES)
    path = tmp_path / "lm"
    model.save(path)
    with pytest.raises(ModelError, match="cannot read"):
        NeuralLM.load(tmp_path / "none")
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(ModelError, match="altered"):
        NeuralLM.load(path)
    with pytest.raises(DataError, match="cannot write"):
        model.save(tmp_path / "no" / "folder")
    config, arrays = model.to_state()
    for changed in ({"dim": 8}, {"unit": "letters"}, {"model": "elman"}, {"colour": "red"}, {"layers": 3}):
        with pytest.raises(ModelError):
            NeuralLM.from_state({**config, **changed}, arrays)
    with pytest.raises(ModelError):
        NeuralLM.from_state(config, {name: a for name, a in arrays.items() if "embedding" not in name})
    with pytest.raises(ModelError, match="NaN"):
        NeuralLM.from_state(
            config, {n: np.full_like(a, np.nan) if a.dtype == np.float32 else a for n, a in arrays.items()}
        )


# ---- bad input ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "the text holds no text: all its lines are empty"),
        (["", " \n"], "holds no text"),
        ("one string", "must be lines, not one string"),
        (["a", 3], "line 1 of the text is int, not a string"),
        (["short"], "the text has 6 tokens, fewer than a window of 16: use a smaller window"),
    ],
)
def test_bad_text(lines: Any, message: str) -> None:
    for model in ("lstm", "transformer"):
        with pytest.raises(DataError, match=message):
            made(model).fit(lines)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "elman"}, "there is no model 'elman'; choose one of rnn, lstm, gru, transformer"),
        ({"unit": "letters"}, "unit must be 'characters', 'words' or the file of a BPE, not 'letters'"),
        ({"window": 0}, "window must be an integer of at least 1"),
        ({"batch_size": 0}, "batch_size must be"),
        ({"min_count": 0}, "min_count must be"),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1"),
        ({"model": "transformer", "heads": 3}, "heads must divide dim"),
        ({"model": "transformer", "positions": "gps"}, "positions must be one of"),
        ({"hidden": -1}, "hidden must be"),
        ({"dim": 0}, "dim must be"),
        ({"layers": 0}, "layers must be"),
        ({"precision": "float8"}, "precision must be"),
        ({"epochs": 0}, "epochs must be"),
    ],
)
def test_bad_settings(settings: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        made(**settings).fit(LINES)


def test_bad_uses(fitted: NeuralLM) -> None:
    for use in (lambda m: m.perplexity(LINES), lambda m: m.generate("a"), lambda m: m.to_state()):
        with pytest.raises(ConfigError, match="not fitted"):
            use(made())
    with pytest.raises(DataError, match="does not know the character 'ξ' of the prompt"):
        fitted.generate("the ξ")
    with pytest.raises(DataError, match="list of prompts is empty"):
        fitted.generate([])
    with pytest.raises(DataError, match="the text holds no text"):
        fitted.perplexity([""])
    with pytest.raises(ConfigError, match="parts must be"):
        fitted.perplexity(LINES, parts=0)
    with pytest.raises(ConfigError, match="temperature"):
        fitted.generate("the ", temperature=0)


def test_a_loss_that_is_not_finite() -> None:
    with pytest.raises(DataError, match="the loss is nan"):
        made("rnn", learning_rate=1e30, max_grad_norm=0.0, optimizer="sgd").fit(LINES)
