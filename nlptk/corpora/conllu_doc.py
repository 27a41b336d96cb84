"""CoNLL-U sentences to Docs and Docs to CoNLL-U sentences.

Whitespace other than one space is kept by UDPipe's MISC keys (Straka and Straková, 2017): SpacesBefore,
SpacesAfter and SpacesInToken, with ``\\s \\t \\r \\n \\p \\\\`` for space, tab, carriage return, line feed,
bar and backslash. Entities travel as ``NER=B-PER`` in MISC. A Doc's text and tokens come back exactly,
whatever characters they hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from nlptk.corpora.conllu import Row, Sentence, row_line
from nlptk.corpora.files import error_at
from nlptk.corpora.labels import is_iob_label, to_iob2
from nlptk.corpora.pieces import Boundary, Piece, align_forms, build_doc, is_cjk, join_words
from nlptk.doc import Doc

_ESCAPES = {" ": "\\s", "\t": "\\t", "\r": "\\r", "\n": "\\n", "|": "\\p", "\\": "\\\\"}
_UNESCAPES = {code: char for char, code in _ESCAPES.items()}
_TO_ESCAPE = re.compile(r"[\s|\\]")
_TO_UNESCAPE = re.compile(r"\\(?:[strnp\\]|u[0-9A-Fa-f]{4})")
# Tab and whatever any program may take for a line end.
_BREAKS = re.compile("[\t\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+")
_SPACE_KEYS = ("SpacesBefore=", "SpacesAfter=", "SpacesInToken=")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")

_FIELDS = (("pos", "upos"), ("tag", "xpos"), ("lemma", "lemma"))


def escape(text: str) -> str:
    """UDPipe's escapes for a MISC value; other whitespace becomes ``\\uXXXX``."""
    return _TO_ESCAPE.sub(lambda match: _ESCAPES.get(match[0]) or f"\\u{ord(match[0]):04X}", text)


def unescape(value: str) -> str:
    """The text of a MISC value with UDPipe's escapes or ``\\uXXXX`` (as UD's own files write it)."""
    return _TO_UNESCAPE.sub(lambda match: _UNESCAPES.get(match[0]) or chr(int(match[0][2:], 16)), value)


def sentence_piece(
    sentence: Sentence, *, strict: bool = False, spaces: bool | None = None, lang: str | None = None
) -> Piece:
    """A sentence's words over its text.

    The text is ``# text`` where the forms can be found in it one after another; otherwise it is built from
    the forms and SpaceAfter=No. UDPipe's spacing keys, where there are any, decide instead. A file with
    neither gets spaces as `nlptk.corpora.pieces.gap_between` says (`spaces`, `lang`). Words of a multiword
    range take the parts of its surface that they spell; words that do not spell it (French "au" for "à le")
    share its characters evenly, in order, and keep their own form in column ``"form"``; a surface too short
    for its words becomes one token with the first word's labels. Empty nodes are left out.

    Raises:
        DataError: only if `strict`: ``# text`` disagrees with the forms or with SpaceAfter; names file and
        line.
    """
    surfaces = _surfaces(sentence)
    miscs = [row.misc for row, _ in surfaces]
    no_space = ["SpaceAfter=No" in misc.split("|") for misc in miscs]
    explicit = any(
        item.startswith(_SPACE_KEYS) for misc in miscs if "Spaces" in misc for item in misc.split("|")
    )
    text = sentence.text
    found = None if explicit or text is None else align_forms(text, [row.form for row, _ in surfaces])
    before = ""
    if strict and text is not None:
        _check_alignment(sentence, surfaces, text, found, no_space)
    if isinstance(found, tuple):
        text, starts, ends = found
    elif explicit or any(no_space):
        text, starts, ends = _build_spaced(surfaces, no_space)
        before = _misc_value(miscs[0], "SpacesBefore=") or ""
    else:
        text, starts, ends = join_words([row.form for row, _ in surfaces], spaces, lang)
    after = _misc_value(miscs[-1], "SpacesAfter=")
    piece = Piece(
        text,
        starts,
        ends,
        before=before,
        after="" if after is None and no_space[-1] else after,
        spaced=explicit or any(no_space),
        boundary=_boundary(sentence),
        id=sentence.sent_id or "",
        doc_id=sentence.comment("newdoc") or "",
    )
    _fill_columns(piece, _split_surfaces(piece, surfaces))
    return piece


def _surfaces(sentence: Sentence) -> list[tuple[Row, list[Row]]]:
    """Surface tokens in order, each with its words: the row itself, or the words of its multiword range."""
    surfaces: list[tuple[Row, list[Row]]] = []
    covered = 0
    for row in sentence.rows:
        if row.id.isdigit():
            if int(row.id) <= covered:
                surfaces[-1][1].append(row)
            else:
                surfaces.append((row, [row]))
        elif "-" in row.id:
            covered = int(row.id.partition("-")[2])
            surfaces.append((row, []))
    return surfaces


def _misc_value(misc: str, key: str) -> str | None:
    for item in misc.split("|"):
        if item.startswith(key):
            return unescape(item[len(key) :])
    return None


def _token_text(row: Row) -> str:
    return _misc_value(row.misc, "SpacesInToken=") or row.form


def _build_spaced(
    surfaces: Sequence[tuple[Row, list[Row]]], no_space: Sequence[bool]
) -> tuple[str, list[int], list[int]]:
    """Text and offsets from the forms and MISC alone."""
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    position = 0
    gap = ""
    for i, (row, _) in enumerate(surfaces):
        if i:
            gap += _misc_value(row.misc, "SpacesBefore=") or ""
            parts.append(gap)
            position += len(gap)
        form = _token_text(row)
        starts.append(position)
        position += len(form)
        ends.append(position)
        parts.append(form)
        after = _misc_value(row.misc, "SpacesAfter=")
        gap = after if after is not None else ("" if no_space[i] else " ")
    return "".join(parts), starts, ends


def _check_alignment(
    sentence: Sentence,
    surfaces: Sequence[tuple[Row, list[Row]]],
    text: str,
    found: tuple[str, list[int], list[int]] | int | None,
    no_space: Sequence[bool],
) -> None:
    if isinstance(found, int):
        if found == len(surfaces):
            number = row_line(sentence, surfaces[-1][0])
            raise error_at(sentence.source, number, "'# text' goes on after the last word")
        row = surfaces[found][0]
        message = f"form {row.form!r} of word {row.id} is not found in its place in '# text'"
        raise error_at(sentence.source, row_line(sentence, row), message)
    if found is None:
        spelled = "".join(row.form for row, _ in surfaces)
        if "".join(spelled.split()) != "".join(text.split()):
            number = row_line(sentence, surfaces[0][0])
            raise error_at(sentence.source, number, "'# text' is not spelled by the words of the sentence")
        return
    if not any(no_space):
        return
    _, starts, ends = found
    for i in range(len(surfaces) - 1):
        if (ends[i] == starts[i + 1]) != no_space[i]:
            row = surfaces[i][0]
            message = f"SpaceAfter of word {row.id} ({row.form!r}) disagrees with '# text'"
            raise error_at(sentence.source, row_line(sentence, row), message)


def _boundary(sentence: Sentence) -> Boundary:
    boundary: Boundary = ""
    for line in sentence.comments:
        mark = line[1:].lstrip()
        if mark.startswith("newdoc"):
            return "document"
        if mark.startswith("newpar"):
            boundary = "paragraph"
    return boundary


def _split_surfaces(piece: Piece, surfaces: Sequence[tuple[Row, list[Row]]]) -> list[Row]:
    """Cut the surface tokens of `piece` into words; returns the row of each token that the piece then has."""
    if all(len(words) == 1 for _, words in surfaces):
        return [words[0] for _, words in surfaces]
    starts: list[int] = []
    ends: list[int] = []
    rows: list[Row] = []
    forms: list[str] = []
    for (_, words), start, end in zip(surfaces, piece.starts, piece.ends, strict=True):
        surface = piece.text[start:end]
        cuts = _cut(surface, [_token_text(word) for word in words])
        if len(words) > 1:
            piece.multiword.append((start, end))
        for i in range(len(cuts) - 1):
            starts.append(start + cuts[i])
            ends.append(start + cuts[i + 1])
            rows.append(words[i])
            form = _token_text(words[i])
            forms.append(form if len(words) > 1 and form != surface[cuts[i] : cuts[i + 1]] else "")
    piece.starts, piece.ends = starts, ends
    if any(forms):
        piece.columns["form"] = forms
    return rows


def _cut(surface: str, forms: Sequence[str]) -> list[int]:
    """Where `surface` is cut into words: first 0, last its length."""
    sizes = [len(form) for form in forms]
    if len(forms) > 1 and ("".join(forms).lower() != surface.lower() or sum(sizes) != len(surface)):
        count = len(forms) if len(forms) <= len(surface) else 1
        return [i * len(surface) // count for i in range(count + 1)]
    if len(forms) == 1:
        return [0, len(surface)]
    cuts = [0]
    for size in sizes:
        cuts.append(cuts[-1] + size)
    return cuts


def _fill_columns(piece: Piece, words: Sequence[Row]) -> None:
    for name, attribute in _FIELDS:
        values = [getattr(row, attribute) for row in words]
        if any(value != "_" for value in values):
            piece.columns[name] = ["" if value == "_" else value for value in values]
    if any("NER=" in row.misc for row in words):
        labels = [_misc_value(row.misc, "NER=") or "O" for row in words]
        if all(map(is_iob_label, labels)):
            piece.columns["ent"] = to_iob2(labels)


def sentences_to_doc(
    sentences: Iterable[Sentence],
    *,
    strict: bool = False,
    spaces: bool | None = None,
    lang: str | None = None,
) -> Doc:
    """All sentences as one Doc, outer whitespace included; undoes `doc_to_conllu`. See `sentence_piece`."""
    pieces = [sentence_piece(sentence, strict=strict, spaces=spaces, lang=lang) for sentence in sentences]
    return build_doc(pieces, spaces=spaces, lang=lang)


def doc_to_conllu(doc: Doc, doc_id: str | None = None) -> list[Sentence]:
    """A tokenized Doc as CoNLL-U sentences; ``str(sentence)`` is the text of each.

    Columns pos, tag and lemma go to UPOS, XPOS and LEMMA, ent to ``NER=`` in MISC; HEAD and what else a Doc
    lacks are ``_``. The first sentence carries ``# newdoc`` (with `doc_id` or ``doc.user_data["id"]``), one
    after a blank line ``# newpar``; ``# sent_id`` counts from 1. The Doc's leading whitespace token becomes
    SpacesBefore of the first word. Labels and lemmas that hold tabs or line ends get a space instead.
    """
    if not len(doc):
        return []
    return list(_Writer(doc, doc_id if doc_id is not None else str(doc.user_data.get("id", ""))).sentences())


class _Writer:
    """A Doc taken apart: per token its offsets, the whitespace after it and the values of the columns."""

    def __init__(self, doc: Doc, doc_id: str) -> None:
        self.text = doc.text
        self.doc_id = doc_id
        self.starts: list[int] = doc.starts.tolist()
        self.ends: list[int] = doc.ends.tolist()
        size = len(self.starts)
        self.gaps = [self.text[self.ends[i] : start] for i, start in enumerate(self.starts[1:])]
        self.gaps.append(self.text[self.ends[-1] :])
        self.columns = {
            name: doc.column(name)
            for name, _ in (*_FIELDS, ("ent", ""), ("form", ""))
            if doc.has_column(name)
        }
        marks: list[int] = [0] * size if doc.sent_starts is None else doc.sent_starts.tolist()
        marks[0] = 1
        self.before = ""
        lead = self.token(0)
        if size > 1 and lead.isspace() and not self.gaps[0] and not self.token(1).isspace():
            self.before = lead
            marks[:2] = [0, 1]
        self.heads = [i for i, mark in enumerate(marks) if mark]
        self.surfaces = self._find_surfaces(doc.user_data.get("multiword") or (), set(self.heads))

    def token(self, i: int) -> str:
        return self.text[self.starts[i] : self.ends[i]]

    def form(self, i: int) -> str:
        """The word as it is written in FORM: the token, unless column "form" says otherwise."""
        own = self.columns["form"][i] if "form" in self.columns else ""
        return own or self.token(i)

    def _find_surfaces(self, ranges: Iterable[Sequence[int]], heads: set[int]) -> dict[int, int]:
        """First token of each multiword range to the token after its last; only ranges that read back as they
        are."""
        first_at = {start: i for i, start in enumerate(self.starts)}
        last_at = {end: i for i, end in enumerate(self.ends)}
        surfaces: dict[int, int] = {}
        for start, end in ranges:
            first, last = first_at.get(start), last_at.get(end)
            if first is None or last is None or first >= last or heads & set(range(first + 1, last + 1)):
                continue
            cuts = _cut(self.text[start:end], [self.form(i) for i in range(first, last + 1)])
            if [start + cut for cut in cuts] == [*self.starts[first : last + 1], end]:
                surfaces[first] = last + 1
        return surfaces

    def sentences(self) -> Iterator[Sentence]:
        for number, (first, stop) in enumerate(
            zip(self.heads, [*self.heads[1:], len(self.starts)], strict=True), 1
        ):
            rows: list[Row] = []
            spelled: list[str] = []
            token = first
            while token < stop:
                end = self.surfaces.get(token, token + 1)
                spacing = self._spacing(token, end, first, stop)
                surface, in_token = _clean_form(self.text[self.starts[token] : self.ends[end - 1]])
                if end > token + 1:
                    ids = f"{token - first + 1}-{end - first}"
                    rows.append(Row(ids, surface, misc=_join_misc([*in_token, *spacing])))
                    spacing = []
                for i in range(token, end):
                    rows.append(self._word(i, i - first + 1, spacing))
                spelled.append(surface + (" " if self.gaps[end - 1] else ""))
                token = end
            yield Sentence(self._comments(number, first, "".join(spelled).rstrip(" ")), rows)

    def _word(self, i: int, number: int, spacing: list[str]) -> Row:
        form, in_token = _clean_form(self.form(i))
        row = Row(str(number), form)
        for name, attribute in _FIELDS:
            if name in self.columns:
                setattr(row, attribute, _one_line(self.columns[name][i]) or "_")
        entity = self.columns["ent"][i] if "ent" in self.columns else ""
        row.misc = _join_misc([*([f"NER={escape(entity)}"] if entity else []), *in_token, *spacing])
        return row

    def _spacing(self, token: int, end: int, first: int, stop: int) -> list[str]:
        """MISC items for the whitespace round the surface token of words token..end-1 in the sentence
        first..stop-1."""
        items = []
        if self.before and token == self.heads[0] and token == first:
            items.append(f"SpacesBefore={escape(self.before)}")
        gap = self.gaps[end - 1]
        if not gap:
            items.append("SpaceAfter=No")
        elif gap != " " or (end == stop and self._end_needs_mark(end)):
            items.append(f"SpacesAfter={escape(gap)}")
        return items

    def _end_needs_mark(self, end: int) -> bool:
        # The single space after a sentence is a reader's default, but for the last one and between CJK
        # characters.
        if end == len(self.starts):
            return True
        return is_cjk(self.text[self.ends[end - 1] - 1]) or is_cjk(self.text[self.starts[end]])

    def _comments(self, number: int, first: int, spelled: str) -> list[str]:
        doc_id = _one_line(self.doc_id)
        comments = []
        if number == 1:
            comments.append(f"# newdoc id = {doc_id}" if doc_id else "# newdoc")
        elif _BLANK_LINE.search(self.gaps[first - 1]):
            comments.append("# newpar")
        comments.append(f"# sent_id = {doc_id}-{number}" if doc_id else f"# sent_id = {number}")
        comments.append(f"# text = {spelled}")
        return comments


def _one_line(value: str) -> str:
    return _BREAKS.sub(" ", value)


def _clean_form(form: str) -> tuple[str, list[str]]:
    """FORM for any string, and the SpacesInToken item where FORM alone would not give it back."""
    clean = _one_line(form).strip()
    if clean == form:
        return form, []
    return clean or "_", [f"SpacesInToken={escape(form)}"]


def _join_misc(items: Sequence[str]) -> str:
    return "|".join(items) or "_"
