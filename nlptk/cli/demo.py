"""``nlptk demo``: the embedded English and Chinese pipelines on a few sentences, drawn for the terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from nlptk.errors import ConfigError
from nlptk.render import UPOS, display_width, sentence_ranges, visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from nlptk.doc import Doc

TEXTS = {
    "en": (
        "Ada Lovelace wasn't impressed: the engine that Charles Babbage drew in London had never run.",
        "Margaret Hamilton's team at MIT wrote the code that took Apollo 11 to the Moon. NASA kept it.",
        "Could somebody from Greenpeace tell the ferry to Norway that Mr. Olsen's goats (all 14) are mine?",
    ),
    "zh": (
        "屠呦呦在北京的实验室里试了一百九十一次，终于发现了青蒿素。",
        "王小波从美国回到中国以后，先在北京大学教书，后来专心写小说。",
        "周末我们坐高铁去杭州，沿着西湖走了三个小时，晚上吃了一碗片儿川。真香！",
    ),
}
NAMES = {"en": "English", "zh": "Chinese"}
ENTITY_STYLES = {"PER": "black on yellow", "LOC": "black on green", "ORG": "black on cyan"}
TAG_STYLES = {
    "noun": "bright_blue",
    "verb": "bright_red",
    "mod": "green",
    "fun": "magenta",
    "etc": "bright_black",
}
GAP = 2  # columns between words


def demo(
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="Only this pipeline: en or zh.", show_default=False)
    ] = None,
) -> None:
    """Annotate a few English and Chinese sentences with the embedded pipelines and show what they found.

    Example: nlptk demo --model zh
    """
    from rich.console import Console

    if model is not None and model not in TEXTS:
        raise ConfigError(f"There is no demo for {model!r}; use --model {' or '.join(TEXTS)}.")
    console = Console(highlight=False)
    for language in [model] if model else list(TEXTS):
        _show(console, language)
    console.print("Now yours:  echo 'Your sentence.' | nlptk annotate --model en", style="dim")


def _show(console: Console, language: str) -> None:
    from rich.panel import Panel

    import nlptk

    started = time.perf_counter()
    nlp = nlptk.load(language)
    loaded = time.perf_counter()
    docs = list(nlp.pipe(TEXTS[language]))
    done = time.perf_counter()
    console.rule(f"[bold]{NAMES[language]}[/]  [dim]{' → '.join(nlp.pipe_names)}[/]", align="left")
    for doc in docs:
        console.print(Panel(drawn(doc, console.width - 4), border_style="bright_black"))
    sentences = sum(len(list(sentence_ranges(doc))) for doc in docs)
    console.print(
        f"loaded in {1e3 * (loaded - started):.0f} ms, then {len(docs)} texts, {sentences} sentences and "
        f"{sum(map(len, docs))} words in {1e3 * (done - loaded):.1f} ms\n",
        style="dim",
    )


def drawn(doc: Doc, width: int) -> Text:
    """The Doc in lines of at most ``width`` columns: entities over the words, tags beneath them."""
    from rich.text import Text

    columns = [name for name in ("pos", "tag") if doc.has_column(name)]
    tags = [list(map(visible, doc.column(name))) for name in columns]
    words = list(map(visible, doc.words))
    widths = [max(map(display_width, cells)) for cells in zip(words, *tags, strict=True)]
    blocks = [
        _block(doc, words, tags, widths, start, end)
        for first, last in sentence_ranges(doc)
        for start, end in _lines(widths, first, last, width)
    ]
    return Text("\n\n").join(blocks)


def _lines(widths: list[int], start: int, end: int, width: int) -> Iterator[tuple[int, int]]:
    """Token ranges that fit on a line each; a wider token has a line of its own."""
    used = 0
    for i in range(start, end):
        if i > start and used + widths[i] > width:
            yield start, i
            start, used = i, 0
        used += widths[i] + GAP
    if start < end:
        yield start, end


def _block(
    doc: Doc, words: list[str], tags: list[list[str]], widths: list[int], start: int, end: int
) -> Text:
    """One line of words with the row of entity labels above and the rows of tags below."""
    from rich.text import Text

    entity_of = {i: entity for entity in doc.ents for i in range(entity.start, entity.end)}
    entities, line = Text(), Text()
    rows = [Text() for _ in tags]
    for i in range(start, end):
        entity = entity_of.get(i)
        style = ENTITY_STYLES.get(entity.label_, "black on bright_magenta") if entity else ""
        inner = bool(entity and i + 1 < entity.end and i + 1 < end)  # the gap belongs to the entity too
        room = widths[i] + (GAP if inner else 0)
        label = visible(entity.label_)[:room] if entity and i in (entity.start, start) else ""
        entities.append(label.ljust(room, "─" if entity else " "), style=style.partition(" on ")[2])
        line.append(words[i], style=style)
        line.append(" " * (room - display_width(words[i])), style=style if inner else "")
        for row, values in zip(rows, tags, strict=True):
            family = UPOS.get(tags[0][i], ("", "etc"))[1]
            row.append(values[i] + " " * (room - display_width(values[i])), style=TAG_STYLES[family])
        for text in (entities, line, *rows):
            text.append("" if inner else " " * GAP)
    lines = [line, *rows] if not entities.plain.strip() else [entities, line, *rows]
    for text in lines:
        text.rstrip()
    for row in rows[1:]:
        row.stylize("dim")
    return Text("\n").join(lines)
