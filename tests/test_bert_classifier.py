"""BERT fine-tuned to tell the class of a text: it learns, long texts go in windows, files are shared."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch

import nlptk
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.neural.bert import Bert
from nlptk.neural.bert_config import BertConfig
from nlptk.neural.classifier import BertClassifier
from nlptk.tokenize.wordpiece import WordPiece

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = [a + b for a in "bdklm" for b in "aeiou"]
POSITIONS = 18  # so windows of 16


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT with a vocabulary of whole words."""
    folder = tmp_path_factory.mktemp("bert")
    vocab = [*SPECIAL, *WORDS, "good", "bad", "not"]
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(vocab),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=POSITIONS,
    )
    Bert(config).save_pretrained(folder)
    WordPiece(vocab).save(folder)
    return folder


def texts(count: int, seed: int) -> tuple[list[str], list[str]]:
    """Neutral words round a good or a bad one; one with "not" before it means the other."""
    rng = random.Random(seed)
    X, y = [], []
    for _ in range(count):
        word, negated = rng.choice(["good", "bad"]), rng.random() < 0.3
        words = [rng.choice(WORDS) for _ in range(rng.randint(0, 8))]
        words[(place := rng.randint(0, len(words))) : place] = ["not", word] if negated else [word]
        X.append(" ".join(words))
        y.append("pos" if (word == "good") != negated else "neg")
    return X, y


TRAIN, DEV = texts(500, 1), texts(120, 2)
SETTINGS = {"learning_rate": 3e-3, "epochs": 14, "batch_tokens": 200, "device": "cpu"}


@pytest.fixture(scope="module")
def classifier(pretrained: Path) -> BertClassifier:
    return nlptk.BertClassifier(pretrained, **SETTINGS).fit(*TRAIN, *DEV)


def test_it_learns_what_single_words_do_not_tell(classifier: BertClassifier) -> None:
    assert classifier.classes_ == ["neg", "pos"]
    assert classifier.score(*DEV) > 0.9  # 0.7 without "not"
    assert classifier.log_.best == classifier.score(*DEV)


def test_probabilities_do_not_hang_on_the_batch(classifier: BertClassifier) -> None:
    shares = classifier.predict_proba(DEV[0])
    assert shares.shape == (len(DEV[0]), 2)
    assert shares.dtype == np.float32
    np.testing.assert_allclose(shares.sum(1), 1, atol=1e-6)
    alone = np.concatenate([classifier.predict_proba([text]) for text in DEV[0][:20]])
    np.testing.assert_allclose(shares[:20], alone, atol=1e-5)
    assert classifier.predict_proba([]).shape == (0, 2)


def test_no_part_of_a_long_text_is_cut_off(classifier: BertClassifier) -> None:
    filler = " ".join(WORDS)  # longer than a window
    for word, label in (("good", "pos"), ("bad", "neg")):
        told = classifier.predict_proba([filler, f"{filler} {filler} {word}"])
        at = classifier.classes_.index(label)
        assert told[1, at] > told[0, at]
    batch = classifier.predict_proba(["good", f"{filler} bad", "bad"])
    np.testing.assert_allclose(batch[1], classifier.predict_proba([f"{filler} bad"])[0], atol=1e-5)


def test_windows_learn_too(pretrained: Path) -> None:
    filler = " ".join(WORDS)
    X = [f"{filler} {word}" for word in ("good", "bad")] * 8
    made = BertClassifier(pretrained, **{**SETTINGS, "epochs": 60}, stride=16).fit(X, ["p", "n"] * 8)
    assert made.predict(X[:2]) == ["p", "n"]


@pytest.mark.parametrize("text", ["", " ", "\x00", "\ud800", "😀 好", "a" * 5000])
def test_any_text_has_a_class(classifier: BertClassifier, text: str) -> None:
    assert np.isfinite(classifier.predict_proba([text])).all()


def test_a_checkpoint_goes_out_and_in(classifier: BertClassifier, tmp_path: Path) -> None:
    classifier.save_pretrained(tmp_path)
    again = BertClassifier.from_pretrained(tmp_path, device="cpu")
    assert again.classes_ == classifier.classes_
    np.testing.assert_array_equal(again.predict_proba(DEV[0]), classifier.predict_proba(DEV[0]))


def test_transformers_reads_the_checkpoint(classifier: BertClassifier, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    classifier.save_pretrained(tmp_path)
    peer = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    tokenizer = WordPiece.load(tmp_path)
    with torch.no_grad():
        scores = peer(torch.tensor([tokenizer.encode(DEV[0][0])])).logits
    np.testing.assert_allclose(scores.softmax(1).numpy(), classifier.predict_proba(DEV[0][:1]), atol=1e-5)
    assert peer.config.id2label == {0: "neg", 1: "pos"}


def test_training_goes_on_where_it_stopped(pretrained: Path, tmp_path: Path) -> None:
    settings = {**SETTINGS, "epochs": 2}
    whole = BertClassifier(pretrained, **settings).fit(*TRAIN)

    class Stop(Exception):
        pass

    def stop(info: dict[str, object]) -> None:
        if info["epoch"] == 2:
            raise Stop

    with pytest.raises(Stop):
        BertClassifier(pretrained, **settings).fit(*TRAIN, checkpoint=tmp_path / "state", progress=stop)
    resumed = BertClassifier(pretrained, **settings).fit(*TRAIN, checkpoint=tmp_path / "state", resume=True)
    np.testing.assert_array_equal(resumed.predict_proba(DEV[0]), whole.predict_proba(DEV[0]))


def test_wrong_use_is_said(pretrained: Path, classifier: BertClassifier) -> None:
    with pytest.raises(ConfigError, match="needs pretrained="):
        BertClassifier().fit(["a"], ["x"])
    with pytest.raises(ConfigError, match="not fitted; call fit"):
        BertClassifier().predict(["a"])
    with pytest.raises(ConfigError, match="nothing to save"):
        BertClassifier().save_pretrained("nowhere")
    with pytest.raises(ConfigError, match="give both or neither"):
        BertClassifier(pretrained).fit(["a"], ["x"], ["a"])
    with pytest.raises(ConfigError, match="stride must be from 1 to 16"):
        BertClassifier(pretrained, stride=17).fit(["a"], ["x"])
    with pytest.raises(ConfigError, match="epochs must be an integer of at least 1"):
        BertClassifier(pretrained, epochs=0).fit(["a"], ["x"])
    with pytest.raises(DataError, match="2 texts but there are 1 labels"):
        BertClassifier(pretrained).fit(["a", "b"], ["x"])
    with pytest.raises(DataError, match="X has no texts"):
        BertClassifier(pretrained).fit([], [])
    with pytest.raises(DataError, match="X_dev has no texts"):
        BertClassifier(pretrained).fit(["a"], ["x"], [], [])
    with pytest.raises(DataError, match="labels: 1 is nan, which is not a string"):
        BertClassifier(pretrained).fit(["a", "b"], ["x", float("nan")])  # type: ignore[list-item]
    with pytest.raises(DataError, match="X is one string"):
        classifier.predict("good")
    with pytest.raises(ConfigError, match="needs labels"):
        BertClassifier.from_pretrained(pretrained)
    with pytest.raises(ModelError, match=r"config\.json: cannot be read"):
        BertClassifier.from_pretrained(pretrained / "nowhere")
