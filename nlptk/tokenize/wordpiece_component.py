"""The pipeline component `wordpiece`: BERT's words as tokens, with the ids of their pieces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nlptk.tokenize.json_component import JsonTokenizerComponent
from nlptk.tokenize.wordpiece import WordPiece

if TYPE_CHECKING:
    from nlptk.doc import Doc


class WordPieceComponent(JsonTokenizerComponent):
    """Sets the words of BERT's basic tokenizer as tokens; assigns "doc.tokens".

    A token is a word, a punctuation mark, a CJK character or a special token, not a piece: taggers and
    entities are of words. The pieces are in ``doc.user_data["wordpiece"]``: "ids" of the whole text without
    special tokens round it, and "offsets" [n_tokens + 1], so that token i has ``ids[offsets[i]:offsets[i +
    1]]``.
    """

    name = "wordpiece"
    tokenizer_class = WordPiece

    def annotate(self, docs: Sequence[Doc]) -> None:
        """Set the tokens and the pieces of each Doc."""
        for doc in docs:
            starts, ends, first, ids = self.tokenizer.word_arrays(doc.text)
            doc.set_tokens(starts, ends, validate=False)
            doc.user_data["wordpiece"] = {"ids": ids.tolist(), "offsets": first.tolist()}
