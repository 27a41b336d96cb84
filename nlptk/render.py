"""Docs as text for people and programs: an aligned table, JSON Lines, and a self-contained HTML page."""

from __future__ import annotations

import html
import itertools
import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nlptk.doc import Doc

# Universal part-of-speech tags (https://universaldependencies.org/u/pos/) with the CSS class of their family.
UPOS = {
    "ADJ": ("adjective", "mod"),
    "ADP": ("adposition", "fun"),
    "ADV": ("adverb", "mod"),
    "AUX": ("auxiliary", "verb"),
    "CCONJ": ("coordinating conjunction", "fun"),
    "DET": ("determiner", "fun"),
    "INTJ": ("interjection", "etc"),
    "NOUN": ("noun", "noun"),
    "NUM": ("numeral", "mod"),
    "PART": ("particle", "fun"),
    "PRON": ("pronoun", "noun"),
    "PROPN": ("proper noun", "noun"),
    "PUNCT": ("punctuation", "etc"),
    "SCONJ": ("subordinating conjunction", "fun"),
    "SYM": ("symbol", "etc"),
    "VERB": ("verb", "verb"),
    "X": ("other", "etc"),
}
COLUMN_TITLES = {"pos": "UPOS", "tag": "XPOS", "ent": "ENTITY", "lemma": "LEMMA"}

# Labels that most corpora share keep one colour on every page; the others take the rest in turn (render.css).
_LABEL_COLOURS = {
    "PER": 0, "PERSON": 0, "LOC": 1, "GPE": 1, "LOCATION": 1, "ORG": 2, "CORPORATION": 2, "ORGANIZATION": 2,
}  # fmt: skip
_FREE_COLOURS = (3, 4, 5, 6, 7)
_LONG_WORD = 24  # characters; a longer word may break over lines and shows its tag on hover only

# What a page or terminal must not see raw: C0 as Unicode's control pictures, the rest as U+FFFD.
_MARKS: dict[int, str] = {
    **{code: chr(0x2400 + code) for code in range(0x20)},
    0x7F: "\u2421",
    **dict.fromkeys([*range(0x80, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF], "\ufffd"),
    # Line separators, and the bidirectional controls that could reorder what stands around them.
    **dict.fromkeys([0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)], "\ufffd"),
}
_SPACE_MARKS = {**_MARKS, 0x09: "\t", 0x0A: "\n", 0x0D: "\n", 0x85: "\n", 0x2028: "\n", 0x2029: "\n"}


def visible(text: str) -> str:
    """``text`` with control characters and lone surrogates as visible marks, for terminal or page."""
    return text.translate(_MARKS)


def display_width(text: str) -> int:
    """Columns that ``text`` takes on a terminal: wide characters 2, combining and format characters 0."""
    if text.isascii():
        return len(text)
    return sum(
        2
        if unicodedata.east_asian_width(c) in "WF"
        else 0
        if unicodedata.category(c) in ("Mn", "Me", "Cf")
        else 1
        for c in text
    )


def clip(text: str, width: int) -> str:
    """``text`` cut to ``width`` terminal columns, with an ellipsis where something was cut."""
    text = text[: width + 1]  # a wide enough bound: no need to measure a million characters
    if display_width(text) <= width:
        return text
    while display_width(text) >= width:
        text = text[:-1]
    return text + "…"


def _shown_columns(doc: Doc) -> list[str]:
    """The Doc's string columns: the standard ones first, then the others as they stand."""
    standard = [name for name in ("pos", "tag", "lemma", "ent") if doc.has_column(name)]
    return standard + [name for name in doc.columns if name not in standard]


def sentence_ranges(doc: Doc) -> Iterator[tuple[int, int]]:
    """First token and end of each sentence; the whole Doc where no sentence starts are set."""
    size = len(doc)
    if not size:
        return
    marks = doc.sent_starts
    starts = [0] if marks is None else [i for i, mark in enumerate(marks.tolist()) if mark or i == 0]
    yield from itertools.pairwise([*starts, size])


def to_table(doc: Doc, *, max_width: int = 40) -> str:
    """One line a token in aligned columns: number, text, string columns; a blank line between sentences.

    Widths count East Asian wide characters twice. Cells wider than ``max_width`` end in an ellipsis; control
    characters and lone surrogates are shown as visible marks. No newline at the end; empty for an empty Doc.
    """
    columns = _shown_columns(doc)
    cells = [
        list(map(visible, doc.words)),
        *(list(map(visible, doc.column(name))) for name in columns),
    ]
    titles = ["TEXT", *(COLUMN_TITLES.get(name, visible(name).upper()) for name in columns)]
    cells = [[clip(cell, max_width) or "_" for cell in column] for column in cells]
    widths = [max(map(display_width, [title, *column])) for title, column in zip(titles, cells, strict=True)]
    number_width = max(3, len(str(len(doc))))

    def line(number: str, row: Iterable[str]) -> str:
        padded = (cell + " " * (width - display_width(cell)) for cell, width in zip(row, widths, strict=True))
        return f"{number:>{number_width}}  {'  '.join(padded)}".rstrip()

    blocks = []
    for start, end in sentence_ranges(doc):
        rows = (line(str(i - start + 1), (column[i] for column in cells)) for i in range(start, end))
        blocks.append("\n".join([line("#", titles), *rows]))
    return "\n\n".join(blocks)


def to_jsonl(doc: Doc) -> str:
    """``doc.to_json()`` on one line that is always valid UTF-8 and that ``str.splitlines`` keeps whole.

    Characters stand as they are; lone surrogates and Unicode's line separators are escaped.
    """
    data = doc.to_json()
    line = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    try:
        line.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(data, separators=(",", ":"))
    return line.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("\x85", "\\u0085")


def to_html(docs: Doc | Iterable[Doc], *, title: str = "nlptk") -> str:
    """A whole HTML page: sentences numbered, entities highlighted, tags beneath the words, details on hover.

    The page needs neither scripts nor files beside it, follows the reader's light or dark mode, and shows
    control characters and lone surrogates as visible marks. `html_parts` writes a long page piece by piece.
    """
    from nlptk.doc import Doc

    return "".join(html_parts([docs] if isinstance(docs, Doc) else docs, title=title))


def html_parts(docs: Iterable[Doc], *, title: str = "nlptk") -> Iterator[str]:
    """The pieces of `to_html`'s page: its head, one piece a Doc, its legend; memory stays that of one Doc."""
    page = _Page()
    name = _escape(title)
    style = Path(__file__).with_name("render.css").read_text(encoding="utf-8")
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="generator" content="nlptk">\n<title>{name}</title>\n'
        f"<style>\n{style}</style>\n</head>\n<body>\n"
    )
    for doc in docs:
        yield page.article(doc)
    # Written last, because only now the counts are known; the style sheet places it first.
    yield f"<header>\n<h1>{name}</h1>\n{page.summary()}{page.legend()}</header>\n</body>\n</html>\n"


def _escape(text: str) -> str:
    return html.escape(visible(text))


class _Page:
    """Counts and colours that one page gathers while its Docs are written."""

    def __init__(self) -> None:
        self.texts = self.sentences = self.tokens = 0
        self.entities: Counter[str] = Counter()
        self.tags: Counter[str] = Counter()
        self.colours: dict[str, int] = {}

    def colour(self, label: str) -> int:
        if label not in self.colours:
            free = _FREE_COLOURS[
                sum(c >= _FREE_COLOURS[0] for c in self.colours.values()) % len(_FREE_COLOURS)
            ]
            self.colours[label] = _LABEL_COLOURS.get(label.upper(), free)
        return self.colours[label]

    def article(self, doc: Doc) -> str:
        self.texts += 1
        tokens = self._tokens(doc)
        entity_of: list[tuple[int, str] | None] = [None] * len(doc)
        for number, span in enumerate(doc.ents):
            self.entities[span.label_] += 1
            entity_of[span.start : span.end] = [(number, span.label_)] * (span.end - span.start)
        lines = []
        for start, end in sentence_ranges(doc):
            self.sentences += 1
            parts = []
            for entity, members in itertools.groupby(range(start, end), key=entity_of.__getitem__):
                words = "".join(word + space for word, space in (tokens[i] for i in members))
                if entity is None:
                    parts.append(words)
                    continue
                body = words.rstrip()
                label = _escape(entity[1])
                start_tag = (
                    f'<wbr><mark class="c{self.colour(entity[1])}" data-label="{label}" title="{label}">'
                )
                parts.append(f"{start_tag}{body}</mark>{words[len(body) :]}")
            n = self.sentences
            lines.append(f'<li id="s{n}" value="{n}"><p>{"".join(parts).strip()}</p></li>\n')
        lang = ' lang="zh-Hans"' if _mostly_han(doc.text) else ""
        return f"<article{lang}>\n<ol>\n{''.join(lines)}</ol>\n</article>\n"

    def _tokens(self, doc: Doc) -> list[tuple[str, str]]:
        """Each token's HTML and the whitespace after it."""
        columns = [name for name in _shown_columns(doc) if name != "ent"]
        titles = [COLUMN_TITLES.get(name, name) for name in columns]
        values = [doc.column(name) for name in columns]
        self.tokens += len(doc)
        tokens = []
        for i, (text, whitespace) in enumerate(zip(doc.words, doc.whitespaces, strict=True)):
            space = whitespace.replace("\r\n", "\n").translate(_SPACE_MARKS)
            if text.isspace():
                tokens.append(("", text.translate(_SPACE_MARKS) + space))
                continue
            details = [(title, value[i]) for title, value in zip(titles, values, strict=True) if value[i]]
            word = _escape(text)
            if not details:
                tokens.append((f"<span>{word}</span>", space))
                continue
            tag = details[0][1]
            self.tags[tag] += 1
            family = UPOS.get(tag, ("", "etc"))[1]
            hint = _escape(" · ".join(f"{title} {value}" for title, value in details))
            if len(text) > _LONG_WORD:  # a ruby with a tag that must not break would not break either
                tokens.append((f'<span class="{family} long" title="{hint}">{word}</span>', space))
                continue
            # Punctuation needs no tag beneath it: the mark says it, and the gaps would tear the line apart.
            beneath = "" if tag in ("PUNCT", text) else _escape(tag)
            tokens.append((f'<ruby class="{family}" title="{hint}">{word}<rt>{beneath}</rt></ruby>', space))
        return tokens

    def summary(self) -> str:
        counts = [
            (self.texts, "text"), (self.sentences, "sentence"), (self.tokens, "token"),
            (self.entities.total(), "entity"),
        ]  # fmt: skip
        words = [f"<b>{n:,}</b> {_plural(noun, n)}" for n, noun in counts]
        return f'<p class="counts">{" · ".join(words)}</p>\n'

    def legend(self) -> str:
        out = []
        if self.entities:
            chips = "".join(
                f'<li><mark class="c{self.colour(label)}" data-label="{_escape(label)}">{n:,}</mark></li>'
                for label, n in sorted(self.entities.items(), key=lambda item: (-item[1], item[0]))
            )
            out.append(f'<ul class="legend">{chips}</ul>\n')
        if self.tags:
            rows = "".join(
                f'<li class="{UPOS.get(tag, ("", "etc"))[1]}"><b>{_escape(tag)}</b> '
                f"{UPOS[tag][0] + ' ' if tag in UPOS else ''}<i>{n:,}</i></li>"
                for tag, n in sorted(self.tags.items(), key=lambda item: (-item[1], item[0]))
            )
            out.append(
                '<label class="switch"><input type="checkbox" id="tags" checked> '
                "Tags beneath the words</label>\n"
                f'<details><summary>What the tags mean</summary><ul class="tagset">{rows}</ul></details>\n'
            )
        return "".join(out)


def _plural(noun: str, n: int) -> str:
    return noun if n == 1 else f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"


def _mostly_han(text: str) -> bool:
    """Whether a third of the first thousand characters is Han: the page then asks for Chinese glyphs."""
    sample = text[:1000]
    return 3 * sum("\u4e00" <= c <= "\u9fff" for c in sample) > len(sample)
