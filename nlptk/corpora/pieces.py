"""Sentences as the readers hand them on, and how sentences become the Docs of a corpus.

Every format that has tokens is read to `Piece`s: one sentence's text, its tokens' offsets, and columns.
`build_doc` joins pieces to a Doc; `group` cuts a stream of pieces into sentences, paragraphs or documents
first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from nlptk.doc import Doc
from nlptk.errors import ConfigError

Unit = Literal["sentence", "paragraph", "document"]
Boundary = Literal["", "paragraph", "document"]
UNITS = ("sentence", "paragraph", "document")

# Scripts written without spaces between words: Han with its radicals and punctuation, kana, bopomofo,
# full-width forms.
CJK_RANGES = (
    (0x2E80, 0x312F),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFE30, 0xFE4F),
    (0xFF01, 0xFFEF),
    (0x20000, 0x323AF),
)


@dataclass
class Piece:
    """One sentence: text from its first token to its last, character offsets of the tokens, columns.

    Attributes:
        before: whitespace that the file says stands before the sentence.
        after: whitespace that the file says follows it; None where the file says nothing.
        spaced: the file marks missing spaces (SpaceAfter=No), so that no mark means a space.
        boundary: the sentence opens a paragraph or a document.
        multiword: character ranges of surface tokens that stand for several words.
        id: the corpus's name of the sentence; doc_id: that of the document which it opens.
    """

    text: str
    starts: list[int]
    ends: list[int]
    columns: dict[str, list[str]] = field(default_factory=dict)
    before: str = ""
    after: str | None = None
    spaced: bool = False
    boundary: Boundary = ""
    multiword: list[tuple[int, int]] = field(default_factory=list)
    id: str = ""
    doc_id: str = ""


def is_cjk(char: str) -> bool:
    """Whether `char` belongs to a script (or its punctuation) that sets no space between words."""
    code = ord(char)
    return code >= 0x2E80 and any(low <= code <= high for low, high in CJK_RANGES)


def gap_between(left: str, right: str, spaces: bool | None = None, lang: str | None = None) -> str:
    """The space, or none, between two words of a file that does not say.

    `spaces` True or False decides. Otherwise a space stands unless one of the two characters that meet is
    CJK; with ``lang="zh"`` it stands only where two ASCII letters or digits would meet.
    """
    if spaces is not None:
        return " " if spaces else ""
    if lang == "zh":
        meet = left[-1].isascii() and left[-1].isalnum() and right[0].isascii() and right[0].isalnum()
        return " " if meet else ""
    return "" if is_cjk(left[-1]) or is_cjk(right[0]) else " "


def join_words(
    words: Sequence[str], spaces: bool | None = None, lang: str | None = None
) -> tuple[str, list[int], list[int]]:
    """Text and offsets for words of a file that does not keep spacing; see `gap_between`.

    A sentence of single characters of which one is CJK (a file with one character a line) is joined without
    spaces.
    """
    if spaces is None and any(is_cjk(word[0]) for word in words) and all(len(word) == 1 for word in words):
        spaces = False
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    position = 0
    for i, word in enumerate(words):
        if i:
            gap = gap_between(words[i - 1], word, spaces, lang)
            parts.append(gap)
            position += len(gap)
        starts.append(position)
        position += len(word)
        ends.append(position)
        parts.append(word)
    return "".join(parts), starts, ends


def align_forms(text: str, forms: Sequence[str]) -> tuple[str, list[int], list[int]] | int:
    """`text` from the first form to the last, and the offsets of the forms in it.

    The forms must follow each other with only whitespace between.

    Returns the index of the first form that does not (``len(forms)`` if text is left over) instead of
    offsets.
    """
    starts: list[int] = []
    ends: list[int] = []
    position = 0
    size = len(text)
    for i, form in enumerate(forms):
        start = position
        if not text.startswith(form, start):
            while start < size and text[start].isspace():
                start += 1
            if not text.startswith(form, start):
                return i
        starts.append(start)
        position = start + len(form)
        ends.append(position)
    if text[position:].strip():
        return len(forms)
    shift = starts[0] if starts else 0
    if shift:
        starts, ends = [start - shift for start in starts], [end - shift for end in ends]
    return text[shift:position], starts, ends


def group(pieces: Iterable[Piece], unit: Unit) -> Iterator[list[Piece]]:
    """Cut a stream of pieces into lists: one piece each, or a paragraph's, or a document's.

    A file that marks no paragraphs (or documents) is one.

    Raises:
        ConfigError: `unit` is not one of ``UNITS``.
    """
    if unit not in UNITS:
        raise ConfigError(f"unknown unit {unit!r}; use 'sentence', 'paragraph' or 'document'")
    held: list[Piece] = []
    for piece in pieces:
        opens = unit == "sentence" or piece.boundary == "document" or (unit == "paragraph" and piece.boundary)
        if held and opens:
            yield held
            held = []
        held.append(piece)
    if held:
        yield held


def build_doc(
    pieces: Sequence[Piece],
    *,
    unit: Unit = "document",
    spaces: bool | None = None,
    lang: str | None = None,
) -> Doc:
    """Join pieces to one Doc with gold tokens, sentence starts and columns.

    Between two sentences stands the whitespace that the file gives; where it gives none, a blank line before
    a paragraph or document, and otherwise what `gap_between` says. Whitespace before the first sentence
    becomes the Doc's leading whitespace token. Outer whitespace is kept for `unit` ``"document"`` only.

    ``doc.user_data["multiword"]`` lists ``[start_char, end_char]`` of surface tokens that stand for several
    words; ``doc.user_data["id"]`` holds the corpus's name of the document, or of the (first) sentence for the
    smaller units.
    """
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    sentence_starts: list[int] = []
    multiword: list[list[int]] = []
    names = list(dict.fromkeys(name for piece in pieces for name in piece.columns))
    columns: dict[str, list[str]] = {name: [] for name in names}
    position = 0
    lead = pieces[0].before if pieces and unit == "document" else ""
    if lead:
        parts.append(lead)
        starts.append(0)
        ends.append(len(lead))
        sentence_starts.append(1)
        position = len(lead)
        for values in columns.values():
            values.append("")
    for i, piece in enumerate(pieces):
        if i:
            gap = _sentence_gap(pieces[i - 1], piece, spaces, lang) + piece.before
            parts.append(gap)
            position += len(gap)
        parts.append(piece.text)
        starts.extend([position + start for start in piece.starts] if position else piece.starts)
        ends.extend([position + end for end in piece.ends] if position else piece.ends)
        sentence_starts.append(0 if lead and not i else 1)
        sentence_starts.extend([0] * (len(piece.starts) - 1))
        multiword.extend([position + start, position + end] for start, end in piece.multiword)
        for name, values in columns.items():
            values.extend(piece.columns.get(name) or [""] * len(piece.starts))
        position += len(piece.text)
    if pieces and unit == "document":
        parts.append(pieces[-1].after or "")
    doc = Doc("".join(parts), starts, ends, sent_starts=sentence_starts)
    for name, values in columns.items():
        doc.set_column(name, values)
    if multiword:
        doc.user_data["multiword"] = multiword
    name = (pieces[0].doc_id if unit == "document" else pieces[0].id) if pieces else ""
    if name:
        doc.user_data["id"] = name
    return doc


def _sentence_gap(left: Piece, right: Piece, spaces: bool | None, lang: str | None) -> str:
    # SpaceAfter=No on a paragraph's last word is common; the paragraph mark says more.
    if right.boundary and not left.after:
        return "\n\n"
    if left.after is not None:
        return left.after
    if left.spaced and spaces is None:
        return " "
    return gap_between(left.text, right.text, spaces, lang)
