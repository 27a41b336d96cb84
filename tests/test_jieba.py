"""JiebaTokenizer against jieba 0.42.1 itself: cutting, modes, settings, engines."""

from __future__ import annotations

from typing import Any

import jieba_fixtures
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jieba_fixtures import check_same, jieba
from jieba_texts import texts

import nlptk
from nlptk.errors import ConfigError
from nlptk.tokenize.jieba import JiebaTokenizer

library, tokenizer = jieba_fixtures.library, jieba_fixtures.tokenizer  # by these names pytest finds them


@settings(max_examples=500)
@given(texts)
def test_cuts_as_jieba_does(tokenizer: JiebaTokenizer, library: Any, text: str) -> None:
    check_same(tokenizer, library, text)


@settings(max_examples=300)
@given(st.text(max_size=60))
def test_any_text(tokenizer: JiebaTokenizer, library: Any, text: str) -> None:
    check_same(tokenizer, library, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\r\n",
        "\n\r\n\r",
        "a",
        "a1.5%b",
        "1.2.3%%",
        "AAAB超T恤衫xyz",
        "  ，， \t 。",
        "这家研究所的工程师每天检查3台新式交换机，并把结果写进第12号报告",
        "还没有结婚的和尚未上学的",
        "王小龥在云南大学读完硕士以后去了京都大学",
        "鿕鿖龥",
        "\ud800我\udfff",
        "\0我\0来到\0",
    ],
)
def test_examples(tokenizer: JiebaTokenizer, library: Any, text: str) -> None:
    check_same(tokenizer, library, text)


def test_long_texts(tokenizer: JiebaTokenizer, library: Any) -> None:
    for text in ("我来到北京清华大学" * 5000, "网易龥" * 5000, "a" * 20_000, "，" * 20_000, " " * 20_000):
        assert tokenizer.cut(text) == library.lcut(text)
    long = "我爱龥丁" * 250_000
    spans = tokenizer.spans(long)
    assert spans[0][0] == 0
    assert spans[-1][1] == len(long) == 1_000_000
    assert "".join(tokenizer.cut(long)) == long


@pytest.mark.parametrize(
    ("first", "last"),
    [(0, 0x400), (0x2000, 0x2100), (0x3000, 0x3100), (0x4DF0, 0x4E20), (0x9FC0, 0xA000), (0xD7F0, 0xD810),
     (0xDFF0, 0xE010), (0xFEF0, 0x10010), (0x1FFF0, 0x20010), (0x10FFF0, 0x110000)],
)  # fmt: skip
def test_every_character_at_the_edges_of_blocks(
    tokenizer: JiebaTokenizer, library: Any, first: int, last: int
) -> None:
    for c in map(chr, range(first, last)):
        check_same(tokenizer, library, f"{c}我{c}a{c}{c}")


def test_modes() -> None:
    assert JiebaTokenizer("search").cut("清华大学") == jieba.lcut_for_search("清华大学")
    assert JiebaTokenizer("full").cut("清华大学") == jieba.lcut("清华大学", cut_all=True)
    assert JiebaTokenizer(hmm=False).cut("杭研大厦") == jieba.lcut("杭研大厦", HMM=False)


@pytest.mark.parametrize(
    "settings",
    [{"mode": "fast"}, {"engine": "hanlp"}, {"threads": -1}, {"threads": True}],
    ids=str,
)
def test_bad_settings(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="jieba: "):
        JiebaTokenizer(**settings)


def test_bad_texts(tokenizer: JiebaTokenizer) -> None:
    for wrong in (b"bytes", None, 3):
        with pytest.raises(TypeError, match="a text must be str"):
            tokenizer.cut(wrong)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="a text must be str"):
            tokenizer.posseg(wrong)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="mode must be one of"):
        tokenizer.cut("我", mode="fast")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # jieba leaves files open
def test_the_library_as_engine(library: Any) -> None:
    real, ours = JiebaTokenizer(engine="jieba"), JiebaTokenizer()
    text = " 我来到北京清华大学\r\n网易杭研 3.5%"
    for one in (real, ours):
        one.add_word("京清", 10**6, "nz")
        one.suggest_freq(("大", "学"), tune=True)
    check_same(ours, real._kernel._tokenizer, text)
    assert real.tokenize(text, mode="search") == ours.tokenize(text, mode="search")
    assert real.posseg(text) == ours.posseg(text)
    for config in ({}, {"pos": True}):
        docs = [nlptk.Doc(text), nlptk.Doc(text)]
        JiebaTokenizer(**config)(docs[0])
        JiebaTokenizer(engine="jieba", **config)(docs[1])
        assert docs[0].words == docs[1].words
        assert [token.tag_ for token in docs[0]] == [token.tag_ for token in docs[1]]
    for method in ("extract_tags", "textrank"):
        for options in ({}, {"withWeight": True, "allowPOS": ("nz", "v"), "withFlag": True}):
            assert getattr(real, method)(text, **options) == getattr(ours, method)(text, **options)
    again = JiebaTokenizer.from_state(*real.to_state())
    assert again.engine == "jieba"
    assert again.cut(text) == ours.cut(text)
    with pytest.raises(ConfigError, match="no offsets in full mode"):
        real.spans(text, mode="full")
    with pytest.raises(ConfigError, match="use engine='nlptk'"):
        JiebaTokenizer(engine="jieba", whole_words=True).add_word("New York")
