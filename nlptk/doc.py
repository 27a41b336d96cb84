"""Doc: a text and what is known of it, as columns aligned with its tokens.

`text` is never altered. Tokens are character offsets into it, whitespace is what lies between them, and every
annotation is a column: integer codes with a label table of the Doc's own (``pos``, ``tag``, ``ent``,
``lemma`` or any name), or a float matrix in `tensors`. `Token` and `Span` are views made when asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from operator import index
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from nlptk import doc_io
from nlptk.align import char_to_token_span, iob_to_spans, spans_to_iob
from nlptk.errors import ConfigError
from nlptk.extensions import Extensible
from nlptk.offsets import Int32Array, Offsets, UInt8Array, as_sent_starts, check_tokens, whole_numbers
from nlptk.similarity import DocVectors, VectorSource
from nlptk.views import Span, Token

if TYPE_CHECKING:
    import os

    from typing_extensions import Self

_NO_OFFSETS: Int32Array = np.zeros(0, np.int32)
_NO_OFFSETS.setflags(write=False)
MAX_TEXT = 2**31 - 1


class Doc(Extensible, DocVectors):
    """A text with its tokens, sentences and annotation columns.

    Parameters: `text`, any string, lone surrogates and NUL included; `starts`, `ends`: character offsets
    (code points) of the tokens, see `set_tokens`; without them the Doc has no tokens yet
    (`is_tokenized` is False); `sent_starts`: 1 (or True) at the first token of each sentence.

    Attributes: `text`; `starts`, `ends` (read-only int32 arrays, [n_tokens]); `is_tokenized`; `cats`
    (category -> score); `user_data`; `tensors` (name -> float array [n_tokens, d], but "doc_vector" [d]);
    `vector_source`: what makes ``tensors["vector"]`` when a vector is first asked for, or None.
    """

    __slots__ = (
        "_columns",
        "_sent_starts",
        "cats",
        "ends",
        "is_tokenized",
        "starts",
        "tensors",
        "text",
        "user_data",
        "vector_source",
    )

    text: str
    starts: Int32Array
    ends: Int32Array
    is_tokenized: bool
    cats: dict[str, float]
    user_data: dict[Any, Any]
    tensors: dict[str, npt.NDArray[Any]]
    vector_source: VectorSource | None
    _columns: dict[str, tuple[Int32Array, tuple[str, ...]]]
    _sent_starts: UInt8Array | None

    def __init__(
        self,
        text: str,
        starts: Offsets | None = None,
        ends: Offsets | None = None,
        *,
        sent_starts: Offsets | Sequence[bool] | None = None,
    ) -> None:
        if not isinstance(text, str):
            raise ConfigError(f"a Doc's text must be a str, not {type(text).__name__}")
        if len(text) > MAX_TEXT:
            raise ConfigError(f"a text of {len(text)} characters is too long for one Doc: split it")
        self.text = text
        self.starts = self.ends = _NO_OFFSETS
        self.is_tokenized = False
        self.cats = {}
        self.user_data = {}
        self.tensors = {}
        self.vector_source = None
        self._columns = {}
        self._sent_starts = None
        if starts is not None or ends is not None:
            if starts is None or ends is None:
                raise ConfigError("a Doc needs starts and ends together")
            self.set_tokens(starts, ends, sent_starts)
        elif sent_starts is not None:
            raise ConfigError("sent_starts needs starts and ends beside it")

    @classmethod
    def from_words(
        cls,
        words: Sequence[str],
        spaces: Sequence[bool] | None = None,
        *,
        sent_starts: Offsets | Sequence[bool] | None = None,
    ) -> Self:
        """A tokenized Doc from words; ``spaces[i]`` says whether one space follows word i (default: all but
        the last).

        Raises ConfigError for an empty word or where the lengths differ.
        """
        if isinstance(words, str) or not all(isinstance(word, str) for word in words):
            raise ConfigError("from_words takes a list of strings")
        if spaces is None:
            text = " ".join(words)
            gaps = [1] * len(words)
        else:
            gaps = [1 if space else 0 for space in spaces]
            if len(gaps) != len(words):
                raise ConfigError(f"{len(words)} words but {len(gaps)} spaces: they must be as many")
            text = "".join([word + " " if gap else word for word, gap in zip(words, gaps, strict=True)])
        lengths = np.fromiter(map(len, words), np.int32, len(words))
        if not lengths.all():
            raise ConfigError(f"word {int(np.argmin(lengths))} is empty: every word needs a character")
        starts = np.fromiter(
            accumulate(map(int.__add__, map(len, words), gaps), initial=0), np.int32, len(words) + 1
        )
        doc = cls(text)
        doc.set_tokens(starts[:-1], starts[:-1] + lengths, sent_starts, validate=False)
        return doc

    # ---- tokens -------------------------------------------------------------------------------------------

    def set_tokens(
        self,
        starts: Offsets,
        ends: Offsets,
        sent_starts: Offsets | Sequence[bool] | None = None,
        *,
        validate: bool = True,
    ) -> None:
        """Set the tokens to the characters [starts[i], ends[i]); all columns and tensors are dropped.

        Tokens must be sorted, disjoint and not empty; the first must start at 0, and only whitespace may lie
        between them and behind the last, so that the tokens and their whitespace spell the text. Whitespace
        that leads a text is therefore a token of its own. Raises ConfigError otherwise, and the Doc is
        unchanged. ``validate=False`` is for kernels that keep these rules by construction.
        """
        if validate:
            starts, ends = whole_numbers(starts, "starts"), whole_numbers(ends, "ends")
            check_tokens(self.text, starts.tolist(), ends.tolist())
        new_starts, new_ends = np.array(starts, np.int32), np.array(ends, np.int32)
        sents = None if sent_starts is None else as_sent_starts(sent_starts, len(new_starts))
        new_starts.setflags(write=False)
        new_ends.setflags(write=False)
        self.starts, self.ends, self._sent_starts = new_starts, new_ends, sents
        self.is_tokenized = True
        if self._columns:
            self._columns = {}
        if self.tensors:
            self.tensors = {}

    @property
    def sent_starts(self) -> UInt8Array | None:
        """uint8 [n_tokens], 1 at the first token of each sentence; None where sentences are not set."""
        return self._sent_starts

    @sent_starts.setter
    def sent_starts(self, value: Offsets | Sequence[bool] | None) -> None:
        self._sent_starts = None if value is None else as_sent_starts(value, len(self))

    def __len__(self) -> int:
        return len(self.starts)

    def __iter__(self) -> Iterator[Token]:
        return (Token(self, i) for i in range(len(self.starts)))

    @overload
    def __getitem__(self, key: int) -> Token: ...

    @overload
    def __getitem__(self, key: slice) -> Span: ...

    def __getitem__(self, key: int | slice) -> Token | Span:
        n = len(self.starts)
        if isinstance(key, slice):
            start, end, step = key.indices(n)
            if step != 1:
                raise ConfigError("a Span is a run of tokens: slice a Doc without a step")
            return Span(self, start, max(start, end))
        i = index(key)
        if not -n <= i < n:
            raise IndexError(f"token {i} is out of range: the Doc has {n} tokens")
        return Token(self, i + n if i < 0 else i)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    @property
    def words(self) -> list[str]:
        """The tokens' texts."""
        return list(map(self.text.__getitem__, map(slice, self.starts.tolist(), self.ends.tolist())))

    @property
    def whitespaces(self) -> list[str]:
        """What follows each token before the next begins (any whitespace, often one space)."""
        nexts = [*self.starts[1:].tolist(), len(self.text)]
        return list(map(self.text.__getitem__, map(slice, self.ends.tolist(), nexts)))

    # ---- columns ------------------------------------------------------------------------------------------

    def set_codes(self, column: str, codes: Offsets, labels: Sequence[str], *, validate: bool = True) -> None:
        """Set a string column as integer `codes` [n_tokens] into `labels`; ``labels[0]`` must be "" (unset).

        The array is kept, not copied, where it is int32 already. Raises ConfigError if the length is not the
        number of tokens, or a code lies outside the table.
        """
        table = tuple(labels)
        if validate:
            codes = whole_numbers(codes, f"codes of column {column!r}")
            if codes.size and (codes.min() < 0 or codes.max() >= len(table)):
                raise ConfigError(f"column {column!r} has a code outside its {len(table)} labels")
        array = np.asarray(codes, np.int32)
        if validate:
            if array.shape != self.starts.shape:
                raise ConfigError(f"column {column!r} has {array.size} values for {len(self)} tokens")
            if not table or table[0] != "":
                raise ConfigError(f"column {column!r}: labels[0] must be '' (unset)")
        self._columns[column] = (array, table)

    def set_column(self, column: str, values: Sequence[str]) -> None:
        """Set a string column from one string for each token ("" = unset)."""
        table: dict[str, int] = {"": 0}
        codes = [table.setdefault(value, len(table)) for value in values]
        for value in table:
            if not isinstance(value, str):
                raise ConfigError(f"column {column!r} must hold strings, not {type(value).__name__}")
        self.set_codes(column, np.array(codes, np.int32), tuple(table))

    def _column(self, column: str) -> tuple[Int32Array, tuple[str, ...]]:
        try:
            return self._columns[column]
        except KeyError:
            have = ", ".join(self._columns) or "none"
            raise ConfigError(
                f"the Doc has no column {column!r} (it has {have}): run a component that sets it"
            ) from None

    def codes(self, column: str) -> Int32Array:
        """The column's codes, int32 [n_tokens]; 0 is unset."""
        return self._column(column)[0]

    def labels(self, column: str) -> tuple[str, ...]:
        """The column's label table; ``labels[0]`` is ""."""
        return self._column(column)[1]

    def column(self, column: str) -> list[str]:
        """The column's strings, one for each token."""
        codes, labels = self._column(column)
        return list(map(labels.__getitem__, codes.tolist()))

    def has_column(self, column: str) -> bool:
        """Whether the column is set."""
        return column in self._columns

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns that are set."""
        return tuple(self._columns)

    def _value(self, column: str, i: int) -> str:
        found = self._columns.get(column)
        return "" if found is None else found[1][found[0][i]]

    def _set_value(self, column: str, i: int, value: str) -> None:
        if not isinstance(value, str):
            raise ConfigError(f"column {column!r} must hold strings, not {type(value).__name__}")
        codes, labels = self._columns.get(column) or (np.zeros(len(self), np.int32), ("",))
        if not codes.flags.writeable:
            codes = codes.copy()
        if value not in labels:
            labels = (*labels, value)
        codes[i] = labels.index(value)
        self._columns[column] = (codes, labels)

    # ---- spans --------------------------------------------------------------------------------------------

    @property
    def sents(self) -> Iterator[Span]:
        """The sentences. Raises ConfigError where no component has set them."""
        if self._sent_starts is None:
            raise ConfigError(
                "sentence boundaries are not set: add a 'segmenter' or a 'sentencizer' to the pipeline"
            )
        edges = [*np.flatnonzero(self._sent_starts).tolist(), len(self)]
        return (Span(self, start, end) for start, end in pairwise(edges))

    @property
    def ents(self) -> tuple[Span, ...]:
        """The entities, from the IOB2 column "ent"; assign Spans or (label, start, end) to set it."""
        if "ent" not in self._columns:
            return ()
        return tuple(Span(self, start, end, label) for label, start, end in iob_to_spans(self.column("ent")))

    @ents.setter
    def ents(self, spans: Iterable[Span | tuple[str, int, int]]) -> None:
        triples = [(span.label_, span.start, span.end) if isinstance(span, Span) else span for span in spans]
        self.set_column("ent", spans_to_iob(triples, len(self)))

    def char_span(self, start: int, end: int, label: str = "", alignment_mode: str = "strict") -> Span | None:
        """The Span of the characters [start, end), or None where no token fits.

        `alignment_mode`: "strict" (must begin and end with a token), "contract" (the tokens wholly inside) or
        "expand" (the tokens touched).
        """
        found = char_to_token_span(self.starts, self.ends, start, end, alignment_mode)
        return None if found is None else Span(self, *found, label)

    # ---- custom attributes, copies, files -----------------------------------------------------------------

    def _extension_place(self) -> tuple[Doc, None, None]:
        return self, None, None

    def copy(self) -> Self:
        """A Doc that can be changed without changing this one; offsets and label tables are shared."""
        other = type(self)(self.text)
        other.starts, other.ends, other.is_tokenized = self.starts, self.ends, self.is_tokenized
        other._sent_starts = None if self._sent_starts is None else self._sent_starts.copy()
        other._columns = {name: (codes.copy(), labels) for name, (codes, labels) in self._columns.items()}
        other.vector_source = self.vector_source
        other.cats, other.user_data, other.tensors = dict(self.cats), dict(self.user_data), dict(self.tensors)
        return other

    def __reduce__(self) -> tuple[Callable[..., Doc], tuple[Any, ...]]:
        state = {name: getattr(self, name) for name in Doc.__slots__}
        return _rebuild, (type(self), state)

    def to_json(self, underscore: Sequence[str] | None = None) -> dict[str, Any]:
        """The Doc as JSON data in spaCy's layout; `underscore` names the extensions to write.

        Tensors, and user data that is no named extension, are not part of it: `to_bytes` keeps everything.
        """
        return doc_io.to_json(self, underscore)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The Doc that `to_json` (or spaCy's) wrote. Raises DataError naming what is wrong."""
        return doc_io.from_json(cls, data)

    def to_bytes(self) -> bytes:
        """The whole Doc as one safetensors file. Raises ConfigError if `user_data` is not JSON-able."""
        return doc_io.to_bytes(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The Doc that `to_bytes` wrote. Raises ModelError if the data is truncated or altered."""
        return doc_io.from_bytes(cls, data)

    def to_disk(self, path: str | os.PathLike[str]) -> None:
        """Write `to_bytes` to a file, at once or not at all."""
        doc_io.to_disk(self, path)

    @classmethod
    def from_disk(cls, path: str | os.PathLike[str]) -> Self:
        """The Doc that `to_disk` wrote. Raises ModelError if the file is missing, truncated or altered."""
        return doc_io.from_disk(cls, path)

    def to_spacy(self, vocab: Any = None) -> Any:
        """This Doc as a ``spacy.tokens.Doc``: words, whitespace, sentences, pos, tag, lemma, ent and cats.

        `vocab`: the spaCy pipeline's own (``nlp.vocab``), if its components are to go on with the Doc.
        """
        return doc_io.to_spacy(self, vocab)

    @classmethod
    def from_spacy(cls, doc: Any) -> Self:
        """A Doc from a ``spacy.tokens.Doc``; whitespace tokens become whitespace again."""
        return doc_io.from_spacy(cls, doc)


def _rebuild(cls: type[Doc], state: dict[str, Any]) -> Doc:
    doc = cls.__new__(cls)
    doc.vector_source = None  # Docs that were pickled before there was one
    for name, value in state.items():
        setattr(doc, name, value)
    doc.starts.setflags(write=False)
    doc.ends.setflags(write=False)
    return doc
