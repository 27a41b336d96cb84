"""Component ``neural_textcat``: fills ``doc.cats`` by a neural classifier."""

from __future__ import annotations

from nlptk.classify.component import TextCategorizer
from nlptk.doc import Doc
from nlptk.draw import Attention
from nlptk.neural.classifier import NeuralClassifier


class NeuralTextCategorizer(TextCategorizer):
    """Gives each Doc the probabilities of labels by a CNN, a recurrent network, a Transformer or BERT.

    Args:
        multilabel: see :class:`nlptk.classify.component.TextCategorizer`.
        options: settings of :class:`nlptk.neural.classifier.NeuralClassifier`.
    """

    name = "neural_textcat"
    kind = NeuralClassifier

    def to_attention(self, doc: Doc) -> Attention:
        """What the classifier looks at in a Doc: see its `to_attention`."""
        assert isinstance(self.classifier, NeuralClassifier)
        return self.classifier.to_attention(self._texts([doc])[0])
