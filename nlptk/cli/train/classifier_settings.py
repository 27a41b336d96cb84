"""Which options of ``nlptk train classifier`` a model takes, and what its settings call them."""

from __future__ import annotations

import enum
from typing import Any

from nlptk.cli.train.options import given
from nlptk.errors import ConfigError


class ClassifierModel(str, enum.Enum):
    """What learns."""

    linear = "linear"
    fasttext = "fasttext"
    cnn = "cnn"
    bilstm = "bilstm"
    gru = "gru"
    transformer = "transformer"
    bert = "bert"

    @property
    def neural(self) -> bool:
        """Whether torch is needed."""
        return self not in (ClassifierModel.linear, ClassifierModel.fasttext)


class LinearAlgorithm(str, enum.Enum):
    """How a linear model is trained."""

    svm = "svm"
    logistic = "logistic"
    naive_bayes = "naive-bayes"


class Weighting(str, enum.Enum):
    """What an n-gram counts."""

    tfidf = "tfidf"
    counts = "count"
    binary = "binary"


class Analyzer(str, enum.Enum):
    """What n-grams are of."""

    word = "word"
    char = "char"
    char_wb = "char_wb"


class Loss(str, enum.Enum):
    """Of fastText."""

    softmax = "softmax"
    hs = "hs"
    ova = "ova"


def _same(*names: str) -> dict[str, str]:
    return dict(zip(names, names, strict=True))


# Option -> setting, of those that a model takes.
_LINEAR = {
    **_same("algorithm", "weighting", "analyzer", "C", "alpha", "class_weight", "threshold"),
    "ngrams": "ngram_range",
    "min_freq": "min_df",
}
_FASTTEXT = {
    **_same("dim", "loss", "learning_rate", "vectors"),
    "ngrams": "word_ngrams",
    "min_freq": "min_count",
    "max_iterations": "epochs",
}
_NEURAL = {
    **_same("class_weight", "threshold", "min_freq", "vectors", "pretrained", "hidden", "layers", "dropout"),
    **_same("unknown", "length_weight", "learning_rate", "batch_tokens", "patience", "device", "precision"),
    "max_iterations": "epochs",
}
_ALL = _same("multilabel", "seed")
_SHOWN = {"class_weight": "balanced"}


def settings_of(model: ClassifierModel, **options: Any) -> dict[str, Any]:
    """The settings of the model's component that options ask for; None stands for an option not given.

    Raises ConfigError for one that the model does not take.
    """
    takes = _ALL | {"linear": _LINEAR, "fasttext": _FASTTEXT}.get(model.value, _NEURAL)
    asked = given(**options)
    for name in asked:
        if name not in takes:
            shown = _SHOWN.get(name, name).replace("_", "-")
            raise ConfigError(f"--{shown} is not for --model {model.value}.")
    found = {
        takes[name]: value.value if isinstance(value, enum.Enum) else value for name, value in asked.items()
    }
    if "ngram_range" in found:
        found["ngram_range"] = [1, found["ngram_range"]]
    return {"encoder" if model.neural else "model": model.value, **found}
