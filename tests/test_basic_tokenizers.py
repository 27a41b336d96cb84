"""char_tokenizer and sentencizer."""

from __future__ import annotations

import pytest

import nlptk
from nlptk import Doc
from nlptk.errors import ConfigError
from nlptk.tokenize.basic import CharTokenizer, Sentencizer


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, world!", ["Hello", ",", "world", "!"]),
        ("我爱NLP，真的。", ["我", "爱", "NLP", "，", "真", "的", "。"]),
        ("It's 3.14 o’clock.", ["It's", "3.14", "o’clock", "."]),
        ("1,000.5 end.Next", ["1,000.5", "end", ".", "Next"]),
        ("'quoted' it'", ["'", "quoted", "'", "it", "'"]),
        ("  a\n\nb  ", ["  ", "a", "b"]),
        ("   ", ["   "]),
        ("", []),
        ("👩‍👩‍👧 ok", ["👩‍👩‍👧", "ok"]),
        ("e\u0301te\u0301", ["e\u0301te\u0301"]),
        ("\x00\ud83d a", ["\x00\ud83d", "a"]),
        ("カタカナと漢字", ["カタカナと", "漢", "字"]),
    ],
)
def test_char_tokenizer(text: str, words: list[str]) -> None:
    assert CharTokenizer()(Doc(text)).words == words


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ('He said: "Go." Then he left.', ['He said: "Go."', "Then he left."]),
        ('He left. "Go," she said.', ["He left.", '"Go," she said.']),
        ("What?! (No.) Yes", ["What?!", "(No.)", "Yes"]),
        ("你好。“走吧。”他说。", ["你好。", "“走吧。”", "他说。"]),
        ("A heading\n\nText here", ["A heading", "Text here"]),
        ("One line\nand on", ["One line\nand on"]),
        ("no end", ["no end"]),
        ("  ", ["  "]),
        ("", []),
        ('"Go." He went.', ['"Go."', "He went."]),
    ],
)
def test_sentencizer(text: str, sentences: list[str]) -> None:
    doc = Sentencizer()(CharTokenizer()(Doc(text)))
    assert [sent.text for sent in doc.sents] == sentences


def test_sentencizer_settings() -> None:
    doc = CharTokenizer()(Doc("a; b. c"))
    assert [s.text for s in Sentencizer([";"])(doc).sents] == ["a;", "b. c"]
    assert [s.text for s in Sentencizer()(doc).sents] == ["a;", "b. c"]  # set already
    assert [s.text for s in Sentencizer(overwrite=True)(doc).sents] == ["a; b.", "c"]
    with pytest.raises(ConfigError, match="single characters"):
        Sentencizer(["..."])
    nlp = nlptk.blank("xx")
    nlp.add_pipe("sentencizer", config={"punct_chars": ";", "overwrite": True})
    again = nlptk.Language.from_bytes(nlp.to_bytes())
    assert [s.text for s in again("a; b. c").sents] == ["a;", "b. c"]


@pytest.mark.parametrize("lang", ["zh", "xx"])
def test_blank(lang: str) -> None:
    nlp = nlptk.blank(lang)
    assert nlp.lang == lang
    assert nlp.pipe_names == ["tokenizer"]
    assert nlp("我 ok").is_tokenized


def test_blank_of_an_unknown_language() -> None:
    with pytest.raises(ConfigError, match="no language 'de': use one of en, zh, xx"):
        nlptk.blank("de")
