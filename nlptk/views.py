"""Token and Span: views of a Doc, made when asked for. The names are spaCy's."""

from __future__ import annotations

from collections.abc import Iterator
from operator import index
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from nlptk.align import char_to_token_span, split_iob
from nlptk.errors import ConfigError
from nlptk.extensions import Extensible
from nlptk.lexical import is_punct, like_num, word_shape
from nlptk.similarity import DOC_VECTOR, HasVector, vectors_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from nlptk.doc import Doc


class Token(Extensible, HasVector):
    """Token `i` of `doc`. Two Tokens are equal if they are the same token of the same Doc."""

    __slots__ = ("doc", "i")

    def __init__(self, doc: Doc, i: int) -> None:
        self.doc = doc
        self.i = i

    def __len__(self) -> int:
        return len(self.text)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Token) and self.doc is other.doc and self.i == other.i

    def __hash__(self) -> int:
        return hash((id(self.doc), self.i))

    def _extension_place(self) -> tuple[Doc, int, None]:
        return self.doc, self.idx, None

    # ---- text ---------------------------------------------------------------------------------------------

    @property
    def idx(self) -> int:
        """Offset of its first character in the text."""
        return int(self.doc.starts[self.i])

    @property
    def text(self) -> str:
        """Its characters."""
        doc, i = self.doc, self.i
        return doc.text[doc.starts[i] : doc.ends[i]]

    @property
    def whitespace_(self) -> str:
        """The whitespace between it and the next token (or the end); may be longer than one character."""
        doc, i = self.doc, self.i
        return doc.text[doc.ends[i] : doc.starts[i + 1] if i + 1 < len(doc) else None]

    @property
    def text_with_ws(self) -> str:
        """`text` and `whitespace_`."""
        doc, i = self.doc, self.i
        return doc.text[doc.starts[i] : doc.starts[i + 1] if i + 1 < len(doc) else None]

    @property
    def lower_(self) -> str:
        """The text in lower case."""
        return self.text.lower()

    @property
    def shape_(self) -> str:
        """Its shape, such as "Xxxx" or "dd.d" (see `nlptk.lexical.word_shape`)."""
        return word_shape(self.text)

    @property
    def prefix_(self) -> str:
        """Its first character."""
        return self.text[0]

    @property
    def suffix_(self) -> str:
        """Its last three characters."""
        return self.text[-3:]

    @property
    def is_alpha(self) -> bool:
        """Letters only."""
        return self.text.isalpha()

    @property
    def is_digit(self) -> bool:
        """Digits only."""
        return self.text.isdigit()

    @property
    def is_punct(self) -> bool:
        """Punctuation only."""
        return is_punct(self.text)

    @property
    def is_space(self) -> bool:
        """Whitespace only."""
        return self.text.isspace()

    @property
    def is_title(self) -> bool:
        """In title case."""
        return self.text.istitle()

    @property
    def is_upper(self) -> bool:
        """In upper case."""
        return self.text.isupper()

    @property
    def is_lower(self) -> bool:
        """In lower case."""
        return self.text.islower()

    @property
    def like_num(self) -> bool:
        """Looks like a number ("10.9", "ten", "3/4", "三百")."""
        return like_num(self.text)

    # ---- annotation ---------------------------------------------------------------------------------------

    @property
    def pos_(self) -> str:
        """The universal part of speech (column "pos"), "" where unset."""
        return self.doc._value("pos", self.i)

    @pos_.setter
    def pos_(self, value: str) -> None:
        self.doc._set_value("pos", self.i, value)

    @property
    def tag_(self) -> str:
        """The language's own tag (column "tag"), "" where unset."""
        return self.doc._value("tag", self.i)

    @tag_.setter
    def tag_(self, value: str) -> None:
        self.doc._set_value("tag", self.i, value)

    @property
    def lemma_(self) -> str:
        """The lemma (column "lemma"), "" where unset."""
        return self.doc._value("lemma", self.i)

    @lemma_.setter
    def lemma_(self, value: str) -> None:
        self.doc._set_value("lemma", self.i, value)

    @property
    def ent_type_(self) -> str:
        """The label of the entity it is in, "" outside."""
        return split_iob(self.doc._value("ent", self.i))[1]

    @property
    def ent_iob_(self) -> str:
        """ "B", "I" or "O"; "" where no entities are set."""
        return split_iob(self.doc._value("ent", self.i))[0]

    @property
    def is_sent_start(self) -> bool | None:
        """Whether a sentence starts here; None where sentences are not set."""
        sents = self.doc.sent_starts
        return None if sents is None else bool(sents[self.i])

    @is_sent_start.setter
    def is_sent_start(self, value: bool) -> None:
        if self.doc.sent_starts is None:
            self.doc.sent_starts = np.zeros(len(self.doc), np.uint8)
        assert self.doc.sent_starts is not None
        self.doc.sent_starts[self.i] = bool(value) or self.i == 0

    @property
    def is_sent_end(self) -> bool | None:
        """Whether a sentence ends here; None where sentences are not set."""
        sents = self.doc.sent_starts
        return None if sents is None else self.i + 1 == len(self.doc) or bool(sents[self.i + 1])

    @property
    def sent(self) -> Span:
        """The sentence it is in."""
        return self.doc[self.i : self.i + 1].sent

    @property
    def has_vector(self) -> bool:
        """Whether it has a vector; one that is made of what is known of the word, if a component does so."""
        source = self.doc.vector_source
        return "vector" in self.doc.tensors if source is None else self.text in source

    @property
    def vector(self) -> npt.NDArray[Any]:
        """Its row of ``doc.tensors["vector"]``, [d]."""
        row: npt.NDArray[Any] = vectors_of(self.doc)[self.i]
        return row

    def nbor(self, i: int = 1) -> Token:
        """The token `i` places on (negative: before). Raises IndexError outside the Doc."""
        if not 0 <= self.i + i < len(self.doc):
            raise IndexError(f"token {self.i} has no neighbour at {i:+d}: the Doc has {len(self.doc)} tokens")
        return self.doc[self.i + i]


class Span(Extensible, HasVector):
    """Tokens [start, end) of `doc`, with a label. Equal to a Span of the same Doc, place and label."""

    __slots__ = ("doc", "end", "label_", "start")

    def __init__(self, doc: Doc, start: int, end: int, label: str = "") -> None:
        if not 0 <= start <= end <= len(doc):
            raise ConfigError(f"a Span [{start}, {end}) does not lie within the Doc's {len(doc)} tokens")
        self.doc = doc
        self.start = start
        self.end = end
        self.label_ = label

    def __len__(self) -> int:
        return self.end - self.start

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Span) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[int, int, int, str]:
        return id(self.doc), self.start, self.end, self.label_

    def _extension_place(self) -> tuple[Doc, int, int]:
        return self.doc, self.start_char, self.end_char

    def __iter__(self) -> Iterator[Token]:
        return (Token(self.doc, i) for i in range(self.start, self.end))

    @overload
    def __getitem__(self, key: int) -> Token: ...

    @overload
    def __getitem__(self, key: slice) -> Span: ...

    def __getitem__(self, key: int | slice) -> Token | Span:
        n = len(self)
        if isinstance(key, slice):
            start, end, step = key.indices(n)
            if step != 1:
                raise ConfigError("a Span is a run of tokens: slice it without a step")
            return Span(self.doc, self.start + start, self.start + max(start, end))
        i = index(key)
        if not -n <= i < n:
            raise IndexError(f"token {i} is out of range: the Span has {n} tokens")
        return Token(self.doc, self.start + (i + n if i < 0 else i))

    @property
    def start_char(self) -> int:
        """Offset of its first character in the text."""
        if self.start < len(self.doc):
            return int(self.doc.starts[self.start])
        return len(self.doc.text)

    @property
    def end_char(self) -> int:
        """Offset behind its last character (of the last token, without whitespace)."""
        return int(self.doc.ends[self.end - 1]) if self.end > self.start else self.start_char

    @property
    def text(self) -> str:
        """Its characters, without the whitespace behind the last token."""
        return self.doc.text[self.start_char : self.end_char]

    @property
    def text_with_ws(self) -> str:
        """Its characters and the whitespace behind the last token."""
        doc = self.doc
        if self.start == self.end:
            return ""
        return doc.text[self.start_char : doc.starts[self.end] if self.end < len(doc) else None]

    @property
    def lemma_(self) -> str:
        """Its tokens' lemmas, joined by their whitespace."""
        return "".join(token.lemma_ + token.whitespace_ for token in self).rstrip()

    @property
    def ents(self) -> tuple[Span, ...]:
        """The entities that lie wholly inside."""
        return tuple(ent for ent in self.doc.ents if self.start <= ent.start and ent.end <= self.end)

    @property
    def sents(self) -> Iterator[Span]:
        """The sentences that it touches, whole."""
        return (sent for sent in self.doc.sents if sent.start < self.end and self.start < sent.end)

    @property
    def sent(self) -> Span:
        """The sentence that its first token is in."""
        for sent in self.doc.sents:
            if sent.start <= self.start < sent.end:
                return sent
        raise ConfigError("an empty Span at the end of a Doc is in no sentence")

    @property
    def has_vector(self) -> bool:
        """Whether ``doc.tensors["vector"]`` is set, or a component will make it."""
        return "vector" in self.doc.tensors or self.doc.vector_source is not None

    @property
    def vector(self) -> npt.NDArray[Any]:
        """The mean of its tokens' vectors, [d]; zeros for an empty Span."""
        rows = vectors_of(self.doc)[self.start : self.end]
        mean: npt.NDArray[Any] = rows.mean(axis=0) if len(rows) else np.zeros(rows.shape[1:], rows.dtype)
        return mean

    def char_span(self, start: int, end: int, label: str = "", alignment_mode: str = "strict") -> Span | None:
        """As `Doc.char_span`, with offsets that count from the first character of this Span."""
        doc = self.doc
        starts, ends = doc.starts[self.start : self.end], doc.ends[self.start : self.end]
        first = self.start_char
        found = char_to_token_span(starts, ends, first + start, first + end, alignment_mode)
        return None if found is None else Span(doc, self.start + found[0], self.start + found[1], label)

    def as_doc(self) -> Doc:
        """A Doc of its own: text, tokens, columns, sentences and tensors of this Span."""
        doc, cut = self.doc, slice(self.start, self.end)
        offset = self.start_char
        new = type(doc)(self.text_with_ws)
        sents = doc.sent_starts
        new.set_tokens(
            doc.starts[cut] - offset,
            doc.ends[cut] - offset,
            None if sents is None else sents[cut],
            validate=False,
        )
        for name in doc.columns:
            new.set_codes(name, doc.codes(name)[cut].copy(), doc.labels(name))
        if len(new) and doc.has_column("ent"):
            prefix, label = split_iob(new._value("ent", 0))
            if prefix == "I":  # an entity that is cut in two begins anew
                new._set_value("ent", 0, f"B-{label}")
        new.tensors = {name: rows[cut] for name, rows in doc.tensors.items() if name != DOC_VECTOR}
        new.vector_source = doc.vector_source
        return new
