"""The classifiers of a comparison: linear, fastText and networks, as ``nlptk train classifier`` sets them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from nlptk.classify.base import TextClassifier
from nlptk.compare.contestant import Contestant, Data, How, Predict, Task
from nlptk.compare.ours import network_settings, restore, save, schedule

_TASKS: tuple[Task, ...] = ("classifiers",)
#: Texts that fastText reads at least, those of all epochs together; and its fewest epochs (the default) and
#: most: with the default alone it answers the commonest class, whatever a few hundred texts say.
_FASTTEXT_READINGS, _FASTTEXT_EPOCHS = 40_000, (5, 100)


def _preparer(model: TextClassifier, lang: str) -> Callable[[Sequence[str]], list[Any]]:
    """Texts as the model takes them: cut into words by the language's tokenizer, or whole."""
    import nlptk

    if not model.takes_words:
        return list
    nlp = nlptk.blank(lang)  # once, as its dictionary takes longer to read than a text
    return lambda texts: [[word for word in doc.words if not word.isspace()] for doc in nlp.pipe(texts)]


def _fit(model: TextClassifier, data: Data, folder: Path, how: How) -> None:
    prepare = _preparer(model, how.lang)
    model.fit(prepare(data.train.items), data.train.gold, prepare(data.dev.items), data.dev.gold)
    save(model, folder, how.lang)


def _predict(model: TextClassifier, lang: str) -> Predict:
    prepare = _preparer(model, lang)
    return lambda texts: model.predict(prepare(texts))


def _train_linear(data: Data, folder: Path, how: How) -> dict[str, Any]:
    from nlptk.classify.linear import LinearClassifier

    _fit(LinearClassifier(seed=how.seed), data, folder, how)
    return {}


def _load_linear(folder: Path, how: How) -> Predict:
    from nlptk.classify.linear import LinearClassifier

    return _predict(restore(LinearClassifier, folder), how.lang)


def _train_fasttext(data: Data, folder: Path, how: How) -> dict[str, Any]:
    from nlptk.classify.fasttext import FastTextClassifier

    least, most = _FASTTEXT_EPOCHS
    epochs = max(least, min(-(-_FASTTEXT_READINGS // len(data.train)), most))
    # One thread: more do not give the same model twice.
    _fit(FastTextClassifier(epochs=epochs, seed=how.seed, threads=1), data, folder, how)
    return {"epochs": epochs}


def _load_fasttext(folder: Path, how: How) -> Predict:
    from nlptk.classify.fasttext import FastTextClassifier

    return _predict(restore(FastTextClassifier, folder), how.lang)


def _settings(encoder: str) -> dict[str, Any]:
    from nlptk.neural.classifier_making import ENCODERS

    return ENCODERS[encoder]


def _train_network(data: Data, folder: Path, how: How, *, encoder: str) -> dict[str, Any]:
    from nlptk.neural.classifier import NeuralClassifier

    settings = network_settings(data, how, encoder, _settings(encoder))
    _fit(NeuralClassifier(**settings), data, folder, how)
    return {name: settings[name] for name in ("epochs", "batch_tokens")}


def _load_network(folder: Path, how: How) -> Predict:
    from nlptk.neural.classifier import NeuralClassifier

    model = restore(NeuralClassifier, folder)
    model.set_params(device=how.device)
    return _predict(model, how.lang)


def _network(encoder: str, about: str, cost: float) -> Contestant:
    return Contestant(
        encoder,
        "neural",
        _TASKS,
        about,
        partial(_train_network, encoder=encoder),
        _load_network,
        ("torch",),
        ("nlptk.neural.classifier",),
        "bert" if encoder == "bert" else None,
        cost,
        lambda tokens: schedule(_settings(encoder), encoder, tokens)["epochs"],
    )


CONTESTANTS = (
    Contestant(
        "linear", "classical", _TASKS, "linear SVM over TF-IDF of words and pairs of words",
        _train_linear, _load_linear, ("sklearn:scikit-learn",),
        ("nlptk.classify.linear_training", "nlptk.linear_svm", "nlptk.vectors.counts", "scipy.optimize"),
        cost=0.01,
    ),
    Contestant(
        "fasttext", "classical", _TASKS, "fastText: mean of word vectors (100), 5 epochs or more",
        _train_fasttext, _load_fasttext, imports=("nlptk.classify.fasttext",), cost=0.01,
    ),
    _network("cnn", "CNN over words (100), widths 3, 4 and 5, 160 filters each", 0.025),
    _network("bilstm", "BiLSTM of 160 a direction over words (100), pooled by attention", 0.03),
    _network("gru", "GRU of 160 a direction over words (100), pooled by attention", 0.03),
    _network("transformer", "Transformer of 160, 4 heads, over words (100), pooled by attention", 0.035),
    _network("bert", "BERT fine-tuned from a checkpoint", 0.9),
)  # fmt: skip
