"""The drawing of the demo; the embedded pipelines themselves are tested elsewhere."""

from __future__ import annotations

import re

import pytest

import nlptk
from nlptk.cli import demo
from nlptk.cli.main import main
from nlptk.doc import Doc
from nlptk.render import display_width


def annotated() -> Doc:
    words = ["小明", "met", "Ada", "Lovelace", "in", "Lima", "."]
    doc = Doc.from_words(words, sent_starts=[1, 0, 0, 0, 0, 0, 0])
    doc.set_column("pos", ["PROPN", "VERB", "PROPN", "PROPN", "ADP", "PROPN", "PUNCT"])
    doc.set_column("tag", ["NNP", "VBD", "NNP", "NNP", "IN", "NNP", "."])
    doc.ents = [("PER", 0, 1), ("PER", 2, 4), ("LOC", 5, 6)]
    return doc


def test_tags_stand_beneath_their_words_and_labels_above() -> None:
    assert demo.drawn(annotated(), 80).plain.split("\n") == [
        "PER──        PER────────────       LOC──",
        "小明   met   Ada    Lovelace  in   Lima   .",
        "PROPN  VERB  PROPN  PROPN     ADP  PROPN  PUNCT",
        "NNP    VBD   NNP    NNP       IN   NNP    .",
    ]


@pytest.mark.parametrize("width", [20, 33, 60])
def test_lines_keep_to_the_width(width: int) -> None:
    lines = demo.drawn(annotated(), width).plain.split("\n")
    assert max(map(display_width, lines)) <= width
    shown = " ".join(lines)
    assert all(word in shown for word in annotated().words)


def test_a_doc_without_annotations_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.drawn(Doc.from_words(["a\x1b", "b"]), 40).plain == "a␛  b"


@pytest.mark.parametrize("arguments", [[], ["--model", "zh"]])
def test_demo_runs_every_text_through_the_pipelines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    loaded = []

    def load(name: str) -> nlptk.Language:
        loaded.append(name)
        nlp = nlptk.blank("xx")
        nlp.add_pipe("sentencizer")
        return nlp

    monkeypatch.setattr(nlptk, "load", load)
    assert main(["demo", *arguments]) == 0
    assert loaded == (["zh"] if arguments else ["en", "zh"])
    out = capsys.readouterr().out
    texts = sum(len(demo.TEXTS[name]) for name in loaded)
    assert len(re.findall("╭", out)) == texts
    assert re.search(r"\d+ words in \d+\.\d ms", out)
