"""Docs as tables, JSON Lines and HTML pages."""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_checks import chromium, contrast

from nlptk.doc import Doc
from nlptk.render import display_width, html_parts, to_html, to_jsonl, to_table, visible

CSS = (Path(__file__).parents[1] / "nlptk" / "render.css").read_text(encoding="utf-8")
ANY_TEXT = st.text(
    st.characters(codec=None) | st.sampled_from("\x00\x1b\ud800\udfff\u202e\u2028\x85 \n<&\"'"), max_size=30
)


def english() -> Doc:
    words = ["Nobody", "told", "Ada", "Lovelace", ".", "She", "knew", "!"]
    doc = Doc.from_words(
        words, [True, True, True, False, True, True, False, False], sent_starts=[1, 0, 0, 0, 0, 1, 0, 0]
    )
    doc.set_column("pos", ["PRON", "VERB", "PROPN", "PROPN", "PUNCT", "PRON", "VERB", "PUNCT"])
    doc.set_column("tag", ["NN", "VBD", "NNP", "NNP", ".", "PRP", "VBD", "."])
    doc.ents = [("PER", 2, 4)]
    return doc


def chinese() -> Doc:
    doc = Doc.from_words(["小明", "在", "苏州", "钓鱼", "。"], [False] * 5, sent_starts=[1, 0, 0, 0, 0])
    doc.set_column("pos", ["PROPN", "ADP", "PROPN", "VERB", "PUNCT"])
    doc.ents = [("PER", 0, 1), ("LOC", 2, 3)]
    return doc


class _Text(HTMLParser):
    """The text of a page as a reader sees it, without the tags beneath the words."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "wbr", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "p" in self.open and "article" in self.open and "rt" not in self.open:
            self.words += data


def page_text(page: str) -> str:
    parser = _Text()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser.words


def test_table_is_aligned_by_terminal_width() -> None:
    assert to_table(chinese()).splitlines() == [
        "  #  TEXT  UPOS   ENTITY",
        "  1  小明  PROPN  B-PER",
        "  2  在    ADP    O",
        "  3  苏州  PROPN  B-LOC",
        "  4  钓鱼  VERB   O",
        "  5  。    PUNCT  O",
    ]


def test_table_numbers_each_sentence_from_one() -> None:
    first, second = to_table(english()).split("\n\n")
    assert [line.split()[:2] for line in second.splitlines()] == [
        ["#", "TEXT"],
        ["1", "She"],
        ["2", "knew"],
        ["3", "!"],
    ]
    assert first.splitlines()[3].split() == ["3", "Ada", "PROPN", "NNP", "B-PER"]


def test_table_clips_long_words_and_escapes_controls() -> None:
    table = to_table(Doc.from_words(["x" * 1_000_000, "a\x1b[2Jb"]), max_width=10)
    assert table.splitlines()[1:] == ["  1  xxxxxxxxx…", "  2  a␛[2Jb"]


def test_table_of_an_empty_doc_is_empty() -> None:
    assert to_table(Doc("", [], [])) == ""


@given(ANY_TEXT)
def test_table_keeps_one_line_a_token(word: str) -> None:
    doc = Doc.from_words(["a", word + "b"])
    lines = to_table(doc).split("\n")
    assert len(lines) == 3
    assert all(character.isprintable() or character == "\u3000" or not visible(character).isprintable()
               for line in lines for character in line)  # fmt: skip


@given(ANY_TEXT)
def test_jsonl_is_one_line_of_utf8_and_loses_nothing(word: str) -> None:
    doc = Doc.from_words([word + "b", "c"])
    line = to_jsonl(doc)
    line.encode("utf-8")
    assert len(line.splitlines()) == 1
    assert json.loads(line)["text"] == json.loads(json.dumps(doc.text))


def test_html_shows_entities_tags_and_counts() -> None:
    page = to_html([english(), chinese()], title="Two <texts>")
    assert "<title>Two &lt;texts&gt;</title>" in page
    assert page_text(page) == "Nobody told Ada Lovelace.She knew!小明在苏州钓鱼。"
    assert page.count('data-label="PER"') == 3  # two entities and the legend
    assert '<ruby class="noun" title="UPOS PROPN · XPOS NNP">Ada<rt>PROPN</rt></ruby>' in page
    assert "<b>2</b> texts · <b>3</b> sentences · <b>13</b> tokens · <b>3</b> entities" in page
    assert '<article lang="zh-Hans">' in page
    assert [int(n) for n in re.findall(r'<li id="s(\d+)"', page)] == [1, 2, 3]


def test_html_needs_nothing_from_outside() -> None:
    page = to_html(english())
    assert not re.search(r"<script|<link|<img|<iframe|@import|url\(|https?:", page)


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_html_escapes_everything(word: str, label: str, title: str) -> None:
    doc = Doc.from_words(["a" + word, "b"])
    doc.set_column("pos", [label, "X"])
    doc.set_column("ent", ["B-" + label, "O"])
    page = to_html(doc, title=title)
    page.encode("utf-8")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e]", page)
    assert page_text(page).split() == [*(visible("a" + word)).split(), "b"]
    assert html.escape(visible(title)) in page


@given(ANY_TEXT)
def test_html_escapes_whitespace_between_tokens(text: str) -> None:
    starts = [i for i, c in enumerate(text) if i == 0 or not c.isspace()]
    doc = Doc(text, starts, [i + 1 for i in starts]) if not text[:1].isspace() else Doc.from_words(["a"])
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", to_html(doc))


def test_html_is_written_piece_by_piece() -> None:
    asked = []

    def docs() -> object:
        for number in range(3):
            asked.append(number)
            yield english()

    parts = html_parts(docs())  # type: ignore[arg-type]
    next(parts), next(parts)
    assert asked == [0]


def test_html_labels_take_different_colours() -> None:
    doc = Doc.from_words(["a", "b", "c", "d"])
    doc.ents = [("SONG", 0, 1), ("PER", 1, 2), ("FISH", 2, 3), ("SONG", 3, 4)]
    colours = dict(re.findall(r'<mark class="(c\d)" data-label="(\w+)" title', to_html(doc)))
    assert sorted(colours.values()) == ["FISH", "PER", "SONG"]


@pytest.mark.parametrize("dark", [False, True])
def test_colours_are_readable(dark: bool) -> None:
    """WCAG 2.1 asks for a contrast of 4.5 between text and what is behind it."""
    light_part, dark_part = CSS.split("@media (prefers-color-scheme: dark)")
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light_part))
    if dark:
        colours.update(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", dark_part))
    pairs = [(name, ground) for name in ("ink", "soft") for ground in ("page", "card")]
    pairs += [
        (family, ground) for family in ("noun", "verb", "mod", "fun", "etc") for ground in ("page", "card")
    ]
    pairs += [(f"c{i}-ink", f"c{i}-bg") for i in range(8)] + [("ink", f"c{i}-bg") for i in range(8)]
    poor = {pair: contrast(*(colours[name] for name in pair)) for pair in pairs}
    assert {pair: ratio for pair, ratio in poor.items() if ratio < 4.5} == {}


def test_chromium_draws_the_page(tmp_path: Path) -> None:
    hostile = Doc.from_words(["<script>document.title='no'</script>", "\ud800\x00", "x" * 3000])
    hostile.set_column("pos", ['"><b>', "X", "X"])
    page = tmp_path / "page.html"
    page.write_text(to_html([english(), chinese(), hostile], title="Drawn"), encoding="utf-8")
    dom, said = chromium(page)
    assert said == []
    assert page_text(
        dom[dom.index("<body") : dom.rindex("</html>")].replace("</body>", "") + "</body>"
    ).startswith("Nobody told Ada Lovelace.She knew!小明在苏州钓鱼。")
    assert "<title>Drawn</title>" in dom
    assert "<script" not in dom
    assert dom.count("<mark") == 3 + 2


def test_width_counts_wide_and_combining_characters() -> None:
    assert [display_width(text) for text in ("abc", "中文", "é", "e\u0301", "Ａ")] == [3, 4, 1, 1, 2]
