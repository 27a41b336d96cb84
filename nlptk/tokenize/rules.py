"""RuleTokenizer: English tokens, and sentences if wanted, by rules in C++; it needs no model.

The conventions are those of the English Web Treebank as Universal Dependencies has it: "don't" is "do" "n't",
"cannot" is "can" "not", "well-known" is three tokens and "e-mail" one. docs/tokenizers.md has the whole list.

Source: Bies, Mott, Warner and Kulick 2012, English Web Treebank (LDC2012T13), tokenization guidelines.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nlptk import _core
from nlptk.component import Component
from nlptk.errors import ConfigError

if TYPE_CHECKING:
    from nlptk.doc import Doc


class RuleTokenizer(Component):
    """Splits English text into tokens; assigns "doc.tokens", and "doc.sents" if asked to.

    The text is never altered: tokens are offsets, everything that is not whitespace lies in one, and
    whitespace that leads a text is a token of its own. Time is linear in the length of any text.

    Args:
        sentences: also mark where sentences begin.
        threads: over the texts of a batch; 0 for one for each core.

    Raises:
        ConfigError: `threads` is negative or no whole number.
    """

    name = "tokenizer_en"
    assigns: tuple[str, ...] = ("doc.tokens",)

    def __init__(self, sentences: bool = False, threads: int = 0) -> None:
        if isinstance(threads, bool) or not isinstance(threads, int) or threads < 0:
            raise ConfigError(f"tokenizer_en: threads must be 0 or a positive whole number, not {threads!r}")
        self.sentences = bool(sentences)
        self.threads = threads
        if self.sentences:
            self.assigns = ("doc.tokens", "doc.sents")

    def tokenize(self, text: str) -> list[str]:
        """The tokens of one text. Raises TypeError for anything but str."""
        return _core.rule_words(text)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Start and end of each token, in characters. Raises TypeError for anything but str."""
        starts, ends, _, _ = _core.rule_tokenize([text])
        return list(zip(starts.tolist(), ends.tolist(), strict=True))

    def split_sentences(self, text: str) -> list[str]:
        """The sentences of one text, without the whitespace between. Raises TypeError for what is no str."""
        starts, ends, flags, _ = _core.rule_tokenize([text], True)
        assert flags is not None
        first = flags.nonzero()[0]
        last = [*(first[1:] - 1), len(ends) - 1]
        return [text[starts[a] : ends[b]] for a, b in zip(first, last, strict=bool(len(first)))]

    def annotate(self, docs: Sequence[Doc]) -> None:
        """Set the tokens of each Doc, and its sentence starts if the component has `sentences`."""
        starts, ends, flags, offsets = _core.rule_tokenize(
            [doc.text for doc in docs], self.sentences, self.threads
        )
        bounds = offsets.tolist()
        for doc, a, b in zip(docs, bounds[:-1], bounds[1:], strict=True):
            sents = None if flags is None else flags[a:b]
            doc.set_tokens(starts[a:b], ends[a:b], sents, validate=False)

    def to_state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The settings; no arrays."""
        return {"sentences": self.sentences, "threads": self.threads}, {}
