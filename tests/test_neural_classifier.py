"""The neural classifier: every encoder learns what single words do not tell, and keeps it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nlptk import KeyedVectors
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.neural.bert import Bert
from nlptk.neural.bert_config import BertConfig
from nlptk.neural.classifier import NeuralClassifier
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
BASE = {"batch_tokens": 200, "device": "cpu", "dropout": 0.1}
WORDS_OPTIONS = {**BASE, "dim": 16, "hidden": 16, "epochs": 10, "learning_rate": 0.01}
BERT_OPTIONS = {**BASE, "learning_rate": 3e-3, "epochs": 14}
ENCODERS = ["cnn", "bilstm", "gru", "transformer", "bert"]


def made(encoder: str, pretrained: Path, **options: Any) -> NeuralClassifier:
    if encoder == "bert":
        return NeuralClassifier(encoder, **{"pretrained": pretrained, **BERT_OPTIONS, **options})
    return NeuralClassifier(encoder, **{**WORDS_OPTIONS, **options})


@pytest.fixture(scope="module", params=ENCODERS)
def classifier(request: pytest.FixtureRequest, pretrained: Path) -> NeuralClassifier:
    return made(request.param, pretrained).fit(*TRAIN, *DEV)


@pytest.fixture(scope="module")
def bert(pretrained: Path) -> NeuralClassifier:
    return made("bert", pretrained, epochs=8).fit(*TRAIN)


def test_it_learns_what_single_words_do_not_tell(classifier: NeuralClassifier) -> None:
    assert classifier.classes_ == ["neg", "pos"]
    assert classifier.score(*DEV) > 0.9  # 0.7 without "not"
    assert classifier.log_.best == classifier.score(*DEV)


def test_probabilities_do_not_hang_on_the_batch(classifier: NeuralClassifier) -> None:
    shares = classifier.predict_proba(DEV[0])
    assert shares.shape == (len(DEV[0]), 2)
    assert shares.dtype == np.float32
    np.testing.assert_allclose(shares.sum(1), 1, atol=1e-6)
    alone = np.concatenate([classifier.predict_proba([text]) for text in DEV[0][:20]])
    np.testing.assert_allclose(shares[:20], alone, atol=1e-5)
    words = classifier.predict_proba([text.split() for text in DEV[0]])
    np.testing.assert_allclose(words, shares, atol=1e-5)
    assert classifier.predict_proba([]).shape == (0, 2)


@pytest.mark.parametrize("text", ["\x00", "\ud800", "😀 好", "a" * 5000, "a " * 3000])
def test_any_text_has_a_class(classifier: NeuralClassifier, text: str) -> None:
    assert np.isfinite(classifier.predict_proba([text])).all()


def test_a_text_without_words_has_the_prior(classifier: NeuralClassifier) -> None:
    found = classifier.predict_proba(["", "good", " \n", "\t"])
    share = TRAIN[1].count("neg") / len(TRAIN[1])
    np.testing.assert_allclose(found[[0, 2, 3]], [[share, 1 - share]] * 3, atol=1e-6)
    assert classifier.empty(["", "good", " \n", "\t"]).tolist() == [True, False, True, True]


def test_state_goes_out_and_in(classifier: NeuralClassifier) -> None:
    config, arrays = classifier.to_state()
    config = json.loads(json.dumps(config))
    again = NeuralClassifier.from_state(config, arrays)
    assert again.classes_ == classifier.classes_
    texts = [*DEV[0], ""]
    np.testing.assert_allclose(again.predict_proba(texts), classifier.predict_proba(texts), atol=1e-6)
    name = next(name for name in arrays if name.startswith("model.") and arrays[name].ndim == 2)
    broken = {**arrays, name: np.full_like(arrays[name], np.nan)}
    with pytest.raises(ModelError, match="holds NaN or infinity"):
        NeuralClassifier.from_state(config, broken)
    with pytest.raises(ModelError):
        NeuralClassifier.from_state(config, {key: arrays[key] for key in arrays if key != name})
    with pytest.raises(ModelError, match="not usable"):
        NeuralClassifier.from_state({}, arrays)


@pytest.mark.parametrize("encoder", ["bilstm", "transformer"])
def test_attention_gives_each_word_a_share(encoder: str, pretrained: Path) -> None:
    trained = made(encoder, pretrained).fit(*TRAIN)
    texts = ["ba be good bi bo bu", "", "not bad"]
    shares = trained.attention(texts)
    assert [len(row) for row in shares] == [6, 0, 2]
    assert all(row.sum() == pytest.approx(1, abs=1e-5) for row in shares if len(row))
    with pytest.raises(ConfigError, match="no attention over words"):
        made("cnn", pretrained, epochs=1).fit(["a b c", "d"], ["x", "y"]).attention(["a"])


@pytest.mark.parametrize("encoder", ["cnn", "bert"])
def test_several_labels_a_text(encoder: str, pretrained: Path) -> None:
    X = TRAIN[0]
    y = [[label for label in ("good", "bad", "not") if label in text.split()] for text in X]
    trained = made(encoder, pretrained, class_weight="balanced").fit(X, y)
    assert trained.multilabel_
    assert trained.classes_ == ["bad", "good", "not"]
    wanted = [[label for label in trained.classes_ if label in text.split()] for text in DEV[0]]
    assert trained.score(DEV[0], wanted) > 0.95
    again = NeuralClassifier.from_state(*trained.to_state())
    assert again.predict(DEV[0]) == trained.predict(DEV[0])


def test_a_rare_class_counts_more_with_weights(pretrained: Path) -> None:
    X = ["ba be"] * 30 + ["ba be"] * 10
    y = ["often"] * 30 + ["rare"] * 10
    plain, balanced, named = (
        made("cnn", pretrained, class_weight=weights, epochs=20).fit(X, y).predict_proba(X[:1])[0, 1]
        for weights in (None, "balanced", {"rare": 9.0})
    )
    assert plain == pytest.approx(0.25, abs=0.08)
    assert balanced == pytest.approx(0.5, abs=0.08)
    assert named == pytest.approx(0.75, abs=0.08)


def test_given_vectors_tell_words_apart(pretrained: Path) -> None:
    names = [f"w{i}" for i in range(60)]
    kinds = np.arange(60) % 2
    vectors = KeyedVectors(names, np.where(kinds[:, None] == 1, 1.0, -1.0).repeat(4, 1).astype(np.float32))
    X, y = [[name] * 3 for name in names], [str(kind) for kind in kinds]
    trained = made("cnn", pretrained, vectors=vectors).fit(X[:40], y[:40])
    assert trained.score(X[40:], y[40:]) == 1.0  # words that training has not seen


# ---- BERT --------------------------------------------------------------------------------------------------


def test_no_part_of_a_long_text_is_cut_off(bert: NeuralClassifier) -> None:
    filler = " ".join(WORDS)  # longer than a window
    for word, label in (("good", "pos"), ("bad", "neg")):
        told = bert.predict_proba([filler, f"{filler} {filler} {word}"])
        at = bert.classes_.index(label)
        assert told[1, at] > told[0, at]
    batch = bert.predict_proba(["good", f"{filler} bad", "bad"])
    np.testing.assert_allclose(batch[1], bert.predict_proba([f"{filler} bad"])[0], atol=1e-5)


def test_a_weight_is_what_the_score_gains_with_the_words_vector(bert: NeuralClassifier) -> None:
    filler = " ".join(WORDS)
    model, embedding = bert._model, bert._model.network.bert.embeddings.words
    for text in ("ba good be", f"{filler} {filler} not bad"):  # of several windows, too
        (one,) = bert.explain([text])
        assert one.words == text.split()
        word = model.tokenizer.token_to_id(one.words[-2])
        weight = sum(w for name, w in zip(one.words, one.weights, strict=True) if name == one.words[-2])
        margins = []
        for factor in (0.99, 1.01):
            kept = embedding.weight.data[word].clone()
            embedding.weight.data[word] *= factor
            with torch.no_grad():
                (scores,) = model.logits(model.collate(model.examples([text])))
            embedding.weight.data[word] = kept
            margins.append((scores[bert.classes_.index(one.label)] - scores.mean()).item())
        assert (margins[1] - margins[0]) / 0.02 == pytest.approx(weight, rel=0.05, abs=1e-3)


def test_windows_learn_too(pretrained: Path) -> None:
    filler = " ".join(WORDS)
    X = [f"{filler} {word}" for word in ("good", "bad")] * 8
    trained = made("bert", pretrained, epochs=60, stride=16).fit(X, ["p", "n"] * 8)
    assert trained.predict(X[:2]) == ["p", "n"]


def test_transformers_reads_the_checkpoint(bert: NeuralClassifier, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    bert.save_pretrained(tmp_path)
    peer = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    tokenizer = WordPiece.load(tmp_path)
    with torch.no_grad():
        scores = peer(torch.tensor([tokenizer.encode(DEV[0][0])])).logits
    np.testing.assert_allclose(scores.softmax(1).numpy(), bert.predict_proba(DEV[0][:1]), atol=1e-5)
    assert peer.config.id2label == {0: "neg", 1: "pos"}
    again = NeuralClassifier("bert", pretrained=tmp_path, learning_rate=1e-12, epochs=1, device="cpu")
    np.testing.assert_allclose(  # the head is in the checkpoint, so training begins where it ended
        again.fit(*TRAIN).predict_proba(DEV[0]), bert.predict_proba(DEV[0]), atol=1e-4
    )


@pytest.mark.parametrize("encoder", ["cnn", "bert"])
def test_training_goes_on_where_it_stopped(encoder: str, pretrained: Path, tmp_path: Path) -> None:
    whole = made(encoder, pretrained, epochs=2).fit(*TRAIN)

    class Stop(Exception):
        pass

    def stop(info: dict[str, object]) -> None:
        if info["epoch"] == 2:
            raise Stop

    state = {"checkpoint": tmp_path / "state"}
    with pytest.raises(Stop):
        made(encoder, pretrained, epochs=2).fit(*TRAIN, **state, progress=stop)
    resumed = made(encoder, pretrained, epochs=2).fit(*TRAIN, **state, resume=True)
    np.testing.assert_array_equal(resumed.predict_proba(DEV[0]), whole.predict_proba(DEV[0]))


# ---- bad input ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"encoder": "lstm"},
            "there is no encoder 'lstm'; choose one of cnn, bilstm, gru, trans",
        ),
        ({"encoder": "bert"}, "needs pretrained="),
        ({"widths": ()}, "widths must be numbers of words"),
        ({"characters": "rnn"}, "characters must be 'cnn', 'lstm' or None"),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1"),
        ({"epochs": 0}, "epochs must be an integer of at least 1"),
        ({"class_weight": "even"}, "class_weight must be 'balanced'"),
        ({"class_weight": {"z": 1.0}}, "class_weight names 'z'"),
        ({"class_weight": {"x": 0.0}}, "must be numbers above 0"),
    ],
)
def test_wrong_settings_are_said(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        NeuralClassifier(**{**WORDS_OPTIONS, **options}).fit(["a", "b"], ["x", "y"])


def test_wrong_data_is_said(pretrained: Path) -> None:
    new = NeuralClassifier(**WORDS_OPTIONS)
    with pytest.raises(ConfigError, match="not fitted; call fit"):
        new.predict(["a"])
    with pytest.raises(ConfigError, match="not fitted; call fit"):
        new.to_state()
    with pytest.raises(ConfigError, match="give both or neither"):
        new.fit(["a", "b"], ["x", "y"], ["a"])
    with pytest.raises(ConfigError, match="stride must be from 1 to 16"):
        made("bert", pretrained, stride=17).fit(["a", "b"], ["x", "y"])
    with pytest.raises(ConfigError, match="all texts are empty"):
        new.fit(["", " "], ["x", "y"])
    with pytest.raises(DataError, match="there are 2 texts but 1 labels in y"):
        new.fit(["a", "b"], ["x"])
    with pytest.raises(DataError, match="there are no texts; give one"):
        new.fit([], [])
    with pytest.raises(DataError, match="X_dev has no texts"):
        new.fit(["a", "b"], ["x", "y"], [], [])
    with pytest.raises(DataError, match="label 1 of y is nan, which is not a string"):
        new.fit(["a", "b"], ["x", float("nan")])  # type: ignore[list-item]
    with pytest.raises(DataError, match="text 1 of X is 3, which is not a string"):
        new.fit(["a", 3], ["x", "y"])  # type: ignore[list-item]
    with pytest.raises(DataError, match="y has no labels but"):
        new.fit(["a", "b"], [[], []])
    with pytest.raises(DataError, match="100001 different labels, but a classifier tells 100000 apart"):
        new.fit(["a"] * 100_001, [str(i) for i in range(100_001)])
    with pytest.warns(UserWarning, match="labels of y_dev are not in y and will never be predicted: 'z'"):
        new.fit(["a", "b"], ["x", "y"], ["a", "b", "a"], ["x", "z", "z"])
    with pytest.raises(DataError, match="X is one string"):
        new.predict("good")
    with pytest.raises(ConfigError, match="save_pretrained is for encoder 'bert'"):
        new.save_pretrained("nowhere")


def test_long_texts_count_more_where_one_asks() -> None:
    """Of the same words in every text, those of the long ones decide, though they are fewer."""
    short, long = [f"{word} da" for word in WORDS] * 4, [" ".join([word, *["da"] * 15]) for word in WORDS]
    X, y = [*short, *long], ["neg"] * len(short) + ["pos"] * len(long)
    options = WORDS_OPTIONS | {"epochs": 3, "learning_rate": 1e-3}
    plain, weighted = (
        NeuralClassifier("cnn", **options, length_weight=power).fit(X, y).predict_proba(["ba da ba da"])[0, 1]
        for power in (0.0, 2.0)
    )
    assert plain < 0.5 < weighted


def test_what_a_text_counts_is_in_the_loss() -> None:
    fitted = NeuralClassifier("cnn", **WORDS_OPTIONS | {"epochs": 1}).fit(*TRAIN)
    model, X = fitted._model.eval(), [text.split() for text in TRAIN[0][:3]]
    gold, counts = torch.tensor([0, 1, 1]), torch.tensor([0.5, 0.0, 2.0])
    with torch.no_grad():
        lost, count = model((model.collate(model.examples(X)), gold, counts))
    p = fitted.predict_proba(X)
    assert float(count) == 2.5
    assert float(lost) == pytest.approx(-0.5 * np.log(p[0, 0]) - 2 * np.log(p[2, 1]), rel=1e-4)


@pytest.mark.parametrize("power", [-1, 11, float("nan")])
def test_a_length_weight_out_of_range_is_refused(power: float) -> None:
    with pytest.raises(ConfigError, match="length_weight must be from 0 to 10"):
        NeuralClassifier("cnn", length_weight=power).fit(*TRAIN)


@pytest.mark.parametrize("encoder", [encoder for encoder in ENCODERS if encoder != "bert"])
def test_sizes_that_are_not_given_go_together(encoder: str) -> None:
    fitted = NeuralClassifier(encoder, epochs=1, device="cpu").fit(*(part[:20] for part in TRAIN))
    assert fitted.predict_proba(["ba"]).sum() == pytest.approx(1)
