"""Tags and keywords against jieba.posseg and jieba.analyse themselves."""

from __future__ import annotations

import logging
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jieba_texts import texts

from nlptk.errors import DataError
from nlptk.tokenize.jieba import JiebaTokenizer
from nlptk.tokenize.jieba_analysis import Pair

jieba = pytest.importorskip("jieba")
jieba.setLogLevel(logging.WARNING)
# jieba leaves files open.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

PARAGRAPH = (
    "研究人员在北京大学开发了一种自然语言处理工具，工具可以在普通计算机上处理大量中文文本。研究人员表示，"
    "文本处理的速度比原来的工具快了许多，The tool and THE Tool 2.0 可以处理英文 and 中文。\r\n"
    "北京的计算机研究所也在研究这种工具，语言处理的研究在中国发展得很快。"
)

# Runs that only the HMM joins: rare characters and ones that begin no word.
rare = st.lists(
    st.one_of(
        st.characters(min_codepoint=0x4E00, max_codepoint=0x9FD5), st.sampled_from("网易杭研龥丁彧。a1.%-+")
    ),
    max_size=25,
).map("".join)


@pytest.fixture(scope="module")
def tokenizer() -> JiebaTokenizer:
    return JiebaTokenizer()


@pytest.fixture(scope="module")
def posseg() -> Any:
    import jieba.posseg

    jieba.posseg.initialize()
    return jieba.posseg


@pytest.fixture(scope="module")
def analyse() -> ModuleType:
    import jieba.analyse

    found: ModuleType = jieba.analyse
    return found


def plain(pairs: Any) -> list[tuple[str, str]]:
    return [(pair.word, pair.flag) for pair in pairs]


@settings(max_examples=400)
@given(st.one_of(texts, rare, st.text(max_size=40)))
def test_tags(tokenizer: JiebaTokenizer, posseg: Any, text: str) -> None:
    for hmm in (True, False):
        assert tokenizer.posseg(text, hmm=hmm) == plain(posseg.cut(text, HMM=hmm))


def test_a_pair(tokenizer: JiebaTokenizer) -> None:
    word = tokenizer.posseg("北京")[0]
    assert word == Pair("北京", "ns")
    assert (word.word, word.flag, str(word)) == ("北京", "ns", "北京/ns")


def test_tags_of_user_words(tmp_path: Path) -> None:
    import jieba.posseg

    path = tmp_path / "main.txt"
    path.write_text("我 100 r\n来到 20 v\n北京 50 ns\n大学 7 n\n", "utf-8")
    ours, theirs = JiebaTokenizer(dictionary=path), jieba.Tokenizer(str(path))
    theirs.tmp_dir = str(tmp_path)
    tagger = jieba.posseg.POSTokenizer(theirs)
    for target in (ours, theirs):
        target.add_word("京大", 500, "nz")
        target.add_word("到北", 3)
        target.add_word("来到", 30)
        target.add_word("大学", 30, "新")
        target.del_word("北京")
    for text in ("我来到北京大学", "大学", "到北京", "我大学来到北"):
        assert ours.posseg(text) == plain(tagger.cut(text))
    again = JiebaTokenizer.from_state(*ours.to_state())
    assert again.posseg("我来到北京大学") == ours.posseg("我来到北京大学")


# ---- keywords ----------------------------------------------------------------------------------------------


def check_keywords(tokenizer: JiebaTokenizer, analyse: ModuleType, text: str) -> None:
    """Weights to the last bit, and the order of equal ones."""
    for ours, theirs in (
        (tokenizer.extract_tags, analyse.extract_tags),
        (tokenizer.textrank, analyse.textrank),
    ):
        assert ours(text) == theirs(text)
        for allowed in ((), ("n", "ns", "v", "eng", "x", "nr")):
            expected = theirs(text, None, True, allowed)
            assert ours(text, None, True, allowed) == expected
            for top in (1, 3, -2, 0):
                assert ours(text, top, True, allowed) == theirs(text, top, True, allowed)
            pairs = theirs(text, None, True, allowed, True)
            if allowed:
                pairs = [((pair.word, pair.flag), weight) for pair, weight in pairs]
            assert ours(text, None, True, allowed, True) == pairs


def test_keywords(tokenizer: JiebaTokenizer, analyse: ModuleType) -> None:
    check_keywords(tokenizer, analyse, PARAGRAPH)
    check_keywords(tokenizer, analyse, "")
    assert tokenizer.extract_tags(PARAGRAPH)[:3] == analyse.extract_tags(PARAGRAPH, 3)
    assert all(isinstance(found, Pair) for found in tokenizer.textrank(PARAGRAPH, withFlag=True))


words = [
    "北京",
    "大学",
    "研究",
    "语言处理",
    "the",
    "The",
    "AND",
    "网易",
    "杭研",
    "工具",
    "，",
    " ",
    "\r\n",
    "我",
    "xyz",
    "3.5",
]


@settings(max_examples=150)
@given(st.one_of(st.lists(st.sampled_from(words), max_size=40).map("".join), texts))
def test_keywords_of_any_text(tokenizer: JiebaTokenizer, analyse: ModuleType, text: str) -> None:
    check_keywords(tokenizer, analyse, text)


def test_stop_words_and_idf(analyse: ModuleType, tmp_path: Path) -> None:
    stop, idf = tmp_path / "stop.txt", tmp_path / "idf.txt"
    stop.write_text("工具\n2.0\ntool\n", "utf-8")
    idf.write_text("北京 1.5\n文本 9.25\n研究 2.5\n中文 4\n", "utf-8")
    tokenizer = JiebaTokenizer()
    tfidf, textrank = analyse.TFIDF(), analyse.TextRank()
    for target in (tokenizer, tfidf):
        target.set_stop_words(str(stop))
        target.set_idf_path(str(idf))
    textrank.set_stop_words(str(stop))
    assert tokenizer.extract_tags(PARAGRAPH, None, True) == tfidf.extract_tags(PARAGRAPH, None, True)
    assert tokenizer.textrank(PARAGRAPH, None, True) == textrank.textrank(PARAGRAPH, None, True)
    assert "工具" not in tokenizer.extract_tags(PARAGRAPH, None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no words"),
        (b"a 1\nb\n", "line 2: an idf line"),
        (b"a x\n", "line 1: an idf line"),
        (b"a inf\n", "not finite"),
        (b"a 1\n\xff 1\n", "line 2: is not UTF-8"),
    ],
)
def test_bad_idf(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "idf.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        JiebaTokenizer().set_idf_path(path)
    with pytest.raises(DataError, match="cannot read"):
        JiebaTokenizer().set_stop_words(tmp_path / "absent.txt")


def test_stop_words_and_idf_are_saved(tmp_path: Path) -> None:
    stop, idf = tmp_path / "stop.txt", tmp_path / "idf.txt"
    stop.write_text("茶叶\n", encoding="utf-8")
    idf.write_text("云南 1.5\n北京 9.5\n人 3\n", encoding="utf-8")
    ours = JiebaTokenizer()
    ours.set_stop_words(stop)
    ours.set_idf_path(idf)
    text = "云南的茶叶很好，茶叶从云南运到北京。"
    found = ours.extract_tags(text, withWeight=True)
    assert found[0][0] == "北京"
    assert "茶叶" not in dict(found)
    stop.unlink()
    idf.unlink()
    again = JiebaTokenizer.from_state(*ours.to_state())
    assert again.extract_tags(text, withWeight=True) == found
    assert JiebaTokenizer.from_state(*again.to_state()).extract_tags(text, withWeight=True) == found
