"""The pipeline component `bpe`: the subwords of a BPE model as tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nlptk.tokenize.bpe import BPE
from nlptk.tokenize.json_component import JsonTokenizerComponent
from nlptk.tokenize.subwords import set_subword_tokens

if TYPE_CHECKING:
    from nlptk.doc import Doc


class BPEComponent(JsonTokenizerComponent):
    """Sets subwords as tokens; assigns "doc.tokens".

    A token is what the model makes of the text, without the white space that belongs to it; tokens that share
    a character (a rare one is several bytes) are one. The model's own tokens are in ``doc.user_data["bpe"]``:
    "ids" and "offsets", start and end of each in characters.
    """

    name = "bpe"
    tokenizer_class = BPE

    def annotate(self, docs: Sequence[Doc]) -> None:
        """Set the tokens of each Doc."""
        ids, starts, ends, bounds = self.tokenizer.encode_arrays([doc.text for doc in docs])
        for doc, a, b in zip(docs, bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            set_subword_tokens(doc, starts[a:b], ends[a:b])
            offsets = list(zip(starts[a:b].tolist(), ends[a:b].tolist(), strict=True))
            doc.user_data["bpe"] = {"ids": ids[a:b].tolist(), "offsets": offsets}
