"""Component ``textcat``: fills ``doc.cats`` by a linear model or fastText's."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from nlptk.classify.base import TextClassifier
from nlptk.classify.component import TextCategorizer
from nlptk.classify.fasttext import FastTextClassifier
from nlptk.classify.linear import LinearClassifier
from nlptk.errors import ConfigError

MODELS: dict[str, type[TextClassifier]] = {"linear": LinearClassifier, "fasttext": FastTextClassifier}


class LinearTextCategorizer(TextCategorizer):
    """Gives each Doc the probabilities of labels by a model that is linear in what a text has.

    It sees the words of the Doc; a linear model that is told to cut texts in another way, by a `tokenizer` of
    its own or into characters, sees the text.

    Args:
        model: "linear" or "fasttext".
        multilabel: see :class:`nlptk.classify.component.TextCategorizer`.
        options: settings of :class:`nlptk.classify.linear.LinearClassifier` or
            :class:`nlptk.classify.fasttext.FastTextClassifier`.
    """

    name = "textcat"

    def __init__(self, model: str = "linear", multilabel: bool | None = None, **options: Any) -> None:
        if model not in MODELS:
            raise ConfigError(f"unknown model {model!r} of textcat; choose one of {', '.join(MODELS)}")
        self.model, self.kind = model, MODELS[model]
        super().__init__(multilabel, **options)

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Kind, setting and the classifier's own state."""
        config, arrays = super().to_state()
        return {"model": self.model, **config}, arrays
