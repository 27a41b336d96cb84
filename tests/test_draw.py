"""Attention as a page and as a picture: what they show, in Chromium too, hostile words, clear refusals."""

from __future__ import annotations

import html
import json
import re
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_checks import contrast, narrow_and_wide, used

from nlptk import draw
from nlptk.draw import figures, picture
from nlptk.draw import page as page_module
from nlptk.draw.weights import shown
from nlptk.errors import ConfigError, DataError, MissingDependencyError

ROWS, COLUMNS = ["Der", "Hund", "schläft", ""], ["the", "dog", "sleeps", ".", ""]
HOSTILE = [
    "<script>document.title='no'</script>", "</script>", "<!--", "\ud800\0", "🦦", "x" * 3000, "猫", "$x$",
    "&lt;", "\u202eabc", " ", "\n",
]  # fmt: skip


def attention(
    layers: int = 2, heads: int = 3, rows: Any = ROWS, columns: Any = COLUMNS, title: str = "A dog"
) -> draw.Attention:
    weights = np.random.default_rng(1).dirichlet(np.ones(len(columns)), (layers, heads, len(rows)))
    return draw.Attention(weights.astype(np.float32), rows, columns, title)


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


# ---- weights -----------------------------------------------------------------------------------------------


def test_one_layer_and_head_or_their_mean() -> None:
    seen = attention()
    np.testing.assert_array_equal(seen.of(1, 2), seen.weights[1, 2])
    np.testing.assert_allclose(seen.of(), seen.weights.mean((0, 1)), rtol=1e-6)
    np.testing.assert_allclose(seen.of(head=2), seen.weights[:, 2].mean(0), rtol=1e-6)


@pytest.mark.parametrize("chosen", [{"layer": 2}, {"head": 3}, {"layer": -1}])
def test_a_layer_or_head_that_there_is_not(chosen: dict[str, int], tmp_path: Path) -> None:
    (what,) = chosen
    for name in ("page.html", "head.png"):
        with pytest.raises(ConfigError, match=f"there is no {what} .*: give one from 0 to [12]$"):
            draw.attention(attention(), tmp_path / name, **chosen)
    assert list(tmp_path.iterdir()) == []


def changed(value: float) -> np.ndarray:
    weights = np.full((1, 2, 2, 2), 0.5, np.float32)
    weights[0, 1, 1, 0] = value
    return weights


@pytest.mark.parametrize(
    ("weights", "rows", "message"),
    [
        (changed(np.nan), "ab", "layer 0, head 1, row 1, column 0 is nan"),
        (changed(-0.5), "ab", "not negative: layer 0, head 1, row 1, column 0 is -0.5"),
        (np.full((1, 1, 2, 2), 1e300), "ab", "column 0 is inf"),
        (np.eye(2), "ab", r"must be \[layers, heads, rows, columns\], not \[2, 2\]: weights\[None, None\]"),
        (np.zeros((0, 2, 2, 2)), "ab", r"there is no attention to draw: weights are \[0, 2, 2, 2\]"),
        (np.zeros((1, 1, 0, 2)), "", "there is no attention to draw"),
        (np.zeros((1, 1, 3, 2)), "ab", "the weights have 3 rows, and there are 2 words for them"),
        ([[["a"]]], "a", "an array of numbers"),
        ([[1.0], [1.0, 2.0]], "a", "an array of numbers"),
    ],
)
def test_weights_that_cannot_be_drawn(weights: Any, rows: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        draw.Attention(weights, [*rows], ["x", "y"])


@pytest.mark.parametrize("words", ["ab", ["a", 1], [None, "b"]])
def test_words_that_are_none(words: Any) -> None:
    with pytest.raises(DataError, match="the words of columns must be a list of strings"):
        draw.Attention(np.ones((1, 1, 1, 2)), ["a"], words)


def test_rows_need_not_sum_to_one() -> None:
    seen = draw.Attention(np.array([[[[0.0, 3.5], [0.0, 0.0]]]]), ["a", "b"], ["c", "d"])
    data = data_of(draw.to_html(seen))
    assert data["unit"] * (2**16 - 1) == 3.5


@given(st.text(st.characters(codec=None), max_size=5))
def test_every_word_is_seen(word: str) -> None:
    drawn = shown(word)
    assert drawn
    assert " " not in drawn or word.strip()
    drawn.encode("utf-8")


# ---- the page ----------------------------------------------------------------------------------------------


def test_a_page_needs_nothing_and_holds_any_word(tmp_path: Path) -> None:
    seen = attention(rows=HOSTILE, columns=HOSTILE, title="<i>\ud800 @DATA@ @TITLE@")
    assert draw.attention(seen, tmp_path / "page.HTML") == []
    page = (tmp_path / "page.HTML").read_text("utf-8")
    assert not re.search(r"https?:(?!//www\.w3\.org/2000/svg)|src=|@import|url\(", page)
    assert page.count("<script") == page.count("</script>") == 2
    assert data_of(page)["rows"] == data_of(page)["columns"] == [*map(shown, HOSTILE)]
    assert page.count("&lt;i&gt;\ufffd @DATA@ @TITLE@") == 2
    assert [path.name for path in tmp_path.iterdir()] == ["page.HTML"]


def test_a_notebook_shows_the_page() -> None:
    seen = attention(rows=HOSTILE, title='"</iframe>')
    found = re.fullmatch(r'<iframe srcdoc="([^"]*)" [^>]*></iframe>', seen._repr_html_())
    assert found
    assert html.unescape(found[1]) == draw.to_html(seen)


def test_a_page_that_would_be_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_module, "_MOST", 100)
    with pytest.raises(DataError, match="a page takes 100 weights, and these are 120"):
        draw.to_html(attention())


@pytest.mark.parametrize("dark", [False, True])
def test_colours_are_readable(dark: bool) -> None:
    light_part, dark_part = draw.to_html(attention()).split("@media (prefers-color-scheme: dark)")
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", light_part))
    if dark:
        colours.update(re.findall(r"--(\w+): (#[0-9a-f]{6})", dark_part))
    pairs = [
        ("ink", "page"),
        ("ink", "card"),
        ("ink", "shade"),
        ("soft", "page"),
        ("hot", "page"),
        ("on", "hot"),
    ]
    poor = {pair: contrast(*(colours[name] for name in pair)) for pair in pairs}
    assert {pair: ratio for pair, ratio in poor.items() if ratio < 4.5} == {}


USE = """<script>{
const each = (what) => [...document.querySelectorAll(what)];
const result = { stops: each('main [tabindex="0"]').length };
const button = (side, i) => each(`#${side} button`)[i];
const point = (side, i) => button(side, i).dispatchEvent(new PointerEvent("pointerenter"));
const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key }));
const numbers = (side) => each(`#${side} .number`).map((one) => one.textContent);
const strokes = () => each("#lines path").map((one) => one.getAttribute("d")).join("").split("M").length - 1;
result.words = ["rows", "columns"].map((side) => each(`#${side} .word`).map((one) => one.textContent));
result.strokes = [strokes()];
point("rows", 1);
result.mean = numbers("columns");
result.strokes.push(strokes());
document.querySelector('#layers input[value="1"]').click();
result.layer = numbers("columns");
document.querySelector('#heads input[value="2"]').click();
result.both = numbers("columns");
result.told = document.getElementById("told").textContent;
result.shares = each("#columns button").map((one) => Number(one.style.getPropertyValue("--share")));
point("columns", 2);
result.column = numbers("rows");
button("rows", 3).click();
point("columns", 0);
result.pinned = numbers("columns");
button("rows", 0).focus();
press("Escape");
press("ArrowDown");
result.down = [document.activeElement.textContent, numbers("columns")];
press("ArrowRight");
press("End");
result.end = document.activeElement === button("columns", 4);
result.stopsAfter = each('main [tabindex="0"]').length;
document.activeElement.blur();
result.left = numbers("columns");
document.body.insertAdjacentHTML("beforeend", "<pre id=result></pre>");
document.getElementById("result").textContent = JSON.stringify(result);
}</script>"""


def test_the_page_in_chromium(tmp_path: Path) -> None:
    seen = attention()
    result = used(draw.to_html(seen), USE, tmp_path / "page.html")

    def same(found: list[str], told: np.ndarray) -> None:
        np.testing.assert_allclose([float(number) for number in found], told, atol=6e-4)

    assert result["words"] == [[*map(shown, ROWS)], [*map(shown, COLUMNS)]]
    mean = seen.of()
    assert result["strokes"] == [int((mean > 0.05 * mean.max()).sum()), len(COLUMNS)]
    same(result["mean"], mean[1])
    same(result["layer"], seen.of(1)[1])
    same(result["both"], seen.of(1, 2)[1])
    same(result["column"], seen.of(1, 2)[:, 2])
    same(result["pinned"], seen.of(1, 2)[3])
    np.testing.assert_allclose(result["shares"], seen.of(1, 2)[1] / seen.of(1, 2)[1].max(), atol=1e-4)
    order = np.argsort(-seen.of(1, 2)[1]).tolist()
    told = " · ".join(f"{shown(COLUMNS[i])}\u00a0{seen.of(1, 2)[1, i]:.3f}" for i in order)
    assert result["told"] == f"Hund looks at {told}"
    assert result["down"][0] == "Hund"
    same(result["down"][1], seen.of(1, 2)[1])
    assert (result["stops"], result["stopsAfter"], result["end"]) == (1, 1, True)
    assert result["left"] == [""] * len(COLUMNS)


READ = """<script>{
const texts = [...document.querySelectorAll("main .word")].map((one) => one.textContent);
const hidden = [...document.querySelectorAll("fieldset")].map((one) => one.offsetParent === null);
document.querySelectorAll("#columns button")[1].dispatchEvent(new PointerEvent("pointerenter"));
const result = { texts, hidden, title: document.title, told: document.getElementById("told").textContent };
result.numbers = [...document.querySelectorAll("#columns .number")].map((one) => one.textContent);
document.body.insertAdjacentHTML("beforeend", "<pre id=result></pre>");
document.getElementById("result").textContent = JSON.stringify(result);
}</script>"""


def test_hostile_words_in_chromium(tmp_path: Path) -> None:
    seen = attention(1, 1, HOSTILE, HOSTILE, "<b>\0 title")
    result = used(draw.to_html(seen), READ, tmp_path / "page.html")
    assert result["texts"] == 2 * [*map(shown, HOSTILE)]
    assert result["title"] == "<b>␀ title"
    assert result["hidden"] == [True, True]


def test_one_row_is_read_in_the_text(tmp_path: Path) -> None:
    seen = attention(1, 1, ["text"], ["a", "warm", "film"])
    result = used(draw.to_html(seen), READ, tmp_path / "page.html")
    assert result["numbers"] == [f"{weight:.3f}" for weight in seen.of()[0]]
    assert result["told"] == f"warm\u00a0{seen.of()[0, 1]:.3f}"


MEASURE = """<script>
addEventListener("load", () => {
  const boxes = (what) => [...document.querySelectorAll(what)].map((one) => one.getBoundingClientRect());
  document.querySelectorAll("#rows button")[5].dispatchEvent(new PointerEvent("pointerenter"));
  const rows = boxes("#rows button"), columns = boxes("#columns button"), words = boxes("main button, label");
  const overlap = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  const one = document.createElement("pre");
  one.textContent = JSON.stringify({
    width: innerWidth,
    wide: document.documentElement.scrollWidth,
    high: document.documentElement.scrollHeight,
    gap: Math.min(...columns.map((box) => box.left)) - Math.max(...rows.map((box) => box.right)),
    overlaps: words.filter((a, i) => words.some((b, j) => i < j && overlap(a, b))).length,
    cut: [...document.querySelectorAll(".word")].filter((one) =>
      one.textContent.length < 8 && one.scrollWidth > one.clientWidth).map((one) => one.textContent),
    footer: document.querySelector("footer").getBoundingClientRect().bottom,
  });
  parent.document.body.append(one);
});
</script>"""


def test_narrow_and_wide_in_chromium(tmp_path: Path) -> None:
    words = [*HOSTILE, *(f"word{i}" for i in range(60))]
    seen = attention(4, 16, words, words, "y" * 3000)
    found = narrow_and_wide([draw.to_html(seen)], MEASURE, tmp_path / "frames.html")
    for one in found:
        assert one["wide"] <= one["width"]
        assert one["gap"] >= 50
        assert one["overlaps"] == 0
        assert one["cut"] == []
        assert one["high"] > len(words) * 28  # it scrolls
        assert one["footer"] == 900  # and what is pointed at is told where it is seen


# ---- the picture -------------------------------------------------------------------------------------------


def png_size(path: Path) -> tuple[int, int]:
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def test_a_picture_has_its_words_and_weights() -> None:
    figure = pytest.importorskip("matplotlib.figure").Figure()
    axes, seen = figure.add_subplot(), attention()
    picture.draw(axes, seen.of(1, 2), ["$a$", "b", "c", "d"], COLUMNS, "A title")
    assert [label.get_text() for label in axes.get_xticklabels()] == COLUMNS
    assert [label.get_text() for label in axes.get_yticklabels()] == [r"\$a\$", "b", "c", "d"]
    assert axes.get_title(loc="left") == "A title"
    np.testing.assert_array_equal(axes.images[0].get_array(), seen.of(1, 2))
    assert [text.get_text() for text in axes.texts] == [f"{weight:.2f}" for weight in seen.of(1, 2).flat]


def test_a_picture_is_as_large_as_its_words(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    sizes = []
    for count in (4, 40):
        words = [f"w{i}" for i in range(count)]
        assert draw.attention(attention(1, 1, words, words), tmp_path / "a.png") == []
        sizes.append(png_size(tmp_path / "a.png"))
    assert sizes[0][0] == 450
    assert all(a + 600 < b for a, b in zip(*sizes, strict=True))
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_picture_of_any_word(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    words = [*HOSTILE, "\U0010fffd"]
    missing = draw.attention(attention(1, 1, words, words, "\U0010fffd\ud800"), tmp_path / "a.png")
    assert "\U0010fffd" in missing  # private use: no font has it
    assert max(png_size(tmp_path / "a.png")) < 1200  # the long word is cut


def test_a_picture_that_would_be_too_large(tmp_path: Path) -> None:
    words = ["w"] * 301
    with pytest.raises(
        DataError, match=r"a PNG takes 300 words a side, and here are 301: write an \.html page"
    ):
        draw.attention(attention(1, 1, ["a"], words), tmp_path / "a.png")


def test_without_matplotlib_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'nlptk\[plot\]', or write an .html page"):
        draw.attention(attention(), tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []
    assert figures.plain("a$\ud800") == r"a\$?"


@pytest.mark.parametrize("name", ["a.svg", "a", "html"])
def test_another_suffix(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"must end in \.html, for a page, or \.png"):
        draw.attention(attention(), tmp_path / name)


@pytest.mark.parametrize("name", ["a.html", "a.png"])
def test_a_folder_that_is_not_there(name: str, tmp_path: Path) -> None:
    if name.endswith("png"):
        pytest.importorskip("matplotlib")
    with pytest.raises(DataError, match="cannot write"):
        draw.attention(attention(), tmp_path / "no" / name)
