"""``nlptk train bert``: a folder that taggers and classifiers begin with, and clear refusals."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="neural models need torch")

from bert_models import LETTERS, tokenizer

from nlptk import KeyedVectors
from nlptk.neural.heads import BertForPreTraining

Run = Callable[..., tuple[int, str, str]]
SIZES = ("--hidden", 24, "--layers", 1, "--heads", 2, "--max-length", 32, "--batch-tokens", 128)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    rng = random.Random(1)
    lines = [" ".join(rng.choice(LETTERS[:6]) * 2 + "." for _ in range(20)) for _ in range(40)]
    (tmp_path / "text.txt").write_text("\n".join(lines) + "\n")
    tokenizer().save(tmp_path / "pieces")
    rows = np.random.default_rng(0).normal(size=(26, 24)).astype(np.float32)
    KeyedVectors(list(LETTERS), rows).save(tmp_path / "vectors.safetensors")
    return tmp_path / "text.txt"


def test_it_writes_a_checkpoint_and_says_how_good_it_is(run: Run, text: Path) -> None:
    folder = text.parent
    status, out, err = run(
        "train", "bert", text, "--tokenizer", folder / "pieces", "--documents", "line", "--dev", text, *SIZES,
        "--vectors", folder / "vectors.safetensors", "--dropout", 0, "--max-steps", 3, "--evaluate-every", 2,
        "--device", "cpu", "--json", "-q", "-o", folder / "bert",
    )  # fmt: skip
    assert (status, err) == (0, "")
    told = json.loads(out)
    assert told["updates"] == 3
    assert [entry["step"] for entry in told["log"]] == [2, 3]
    assert 0 < told["dev"]["loss"] < 6
    model = BertForPreTraining.from_pretrained(folder / "bert")
    assert model.config.hidden_dropout_prob == model.config.attention_probs_dropout_prob == 0
    assert model.config.hidden_size == 24
    letter = model.bert.embeddings.words.weight[tokenizer().get_vocab()["a"]]
    given = KeyedVectors.load(folder / "vectors.safetensors")
    centred = given.vectors - given.vectors.mean(0)
    cosine = np.corrcoef(letter.detach().numpy(), centred[given.key_to_index["a"]])[0, 1]
    assert cosine > 0.95  # three updates do not turn it


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--resume",), "--resume goes on from a --checkpoint; name its folder"),
        (("--hidden", 12, "--vectors", "$vectors"), "the vectors have 24 dimensions and the model 12"),
        (("--dropout", 1.5), "Invalid value for '--dropout'"),
        (("--documents", "page"), "documents must be 'blank' or 'line'"),
    ],
)
def test_bad_options_are_refused(run: Run, text: Path, options: tuple[object, ...], message: str) -> None:
    folder = text.parent
    given = [folder / "vectors.safetensors" if one == "$vectors" else one for one in options]
    status, _, err = run(
        "train", "bert", text, "--tokenizer", folder / "pieces", *SIZES, "--documents", "line",
        "--max-steps", 1, "-q", "-o", folder / "bert", *given,
    )  # fmt: skip
    assert status != 0
    assert message in " ".join(err.split())
    assert not (folder / "bert").exists()
