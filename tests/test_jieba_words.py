"""Words that users add to jieba: one by one, from dictionaries, while others cut."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jieba_fixtures
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jieba_fixtures import check_same, jieba, library_of
from jieba_texts import HAN, texts

import nlptk
from nlptk.errors import ConfigError, DataError
from nlptk.tokenize.jieba import JiebaTokenizer

small = jieba_fixtures.small  # by these names pytest finds them

user_words = st.lists(
    st.sampled_from([*HAN, *"aB9.% \n", "\ud800", "\U00020000"]), min_size=1, max_size=4
).map("".join)


changes = st.one_of(
    st.tuples(st.just("add"), user_words, st.sampled_from([None, 0, 1, 5, 1000, 10**7])),
    st.tuples(st.just("delete"), user_words, st.none()),
    st.tuples(st.just("join"), user_words, st.none()),
    st.tuples(st.just("part"), user_words, st.none()),
)


def change(target: Any, kind: str, word: str, count: int | None) -> Any:
    if kind == "add":
        return target.add_word(word, count)
    if kind == "delete":
        return target.del_word(word)
    return target.suggest_freq(word if kind == "join" else tuple(word), tune=True)


@settings(max_examples=100)
@given(st.lists(st.tuples(changes, texts), min_size=1, max_size=12))
def test_user_words(small: Path, steps: list[tuple[tuple[str, str, int | None], str]]) -> None:
    from jieba import finalseg

    finalseg.Force_Split_Words.clear()  # a global of jieba's
    tokenizer, library = JiebaTokenizer(dictionary=small), library_of(small)
    for (kind, word, count), text in steps:
        assert change(tokenizer, kind, word, count) == change(library, kind, word, count)
        for probe in (text, f"我{word}来到{word[:2]}", word * 2):
            check_same(tokenizer, library, probe)
    config, arrays = tokenizer.to_state()
    again = JiebaTokenizer.from_state(config, arrays)
    for (_, word, _), text in steps:
        for probe in (text, f"我{word}来到{word[:2]}"):
            assert again.cut(probe) == tokenizer.cut(probe)
            assert again.cut_all(probe) == tokenizer.cut_all(probe)
    assert again.suggest_freq("来到北京") == tokenizer.suggest_freq("来到北京")
    finalseg.Force_Split_Words.clear()


def test_many_user_words(small: Path) -> None:
    """Enough to move families of the trie about."""
    tokenizer, peer = JiebaTokenizer(dictionary=small), library_of(small)
    letters = [chr(c) for c in range(0x4E00, 0x4E00 + 300)] + [chr(c) for c in range(0x3400, 0x3500)]
    for i in range(4000):
        word = letters[i % 550] + letters[i * 7 % 556] + letters[i * 31 % 541]
        tokenizer.add_word(word, i % 50)
        peer.add_word(word, i % 50)
    for word, count in peer.FREQ.items():
        assert tokenizer._kernel.count(word) == count
    assert tokenizer._kernel.total == peer.total
    from jieba import finalseg

    finalseg.Force_Split_Words.clear()


def test_user_dictionary(tmp_path: Path) -> None:
    lines = ["\ufeff云平台 5", "王小龥 2 nr\r", "", "数据办 3 i", "my_tool 3 eng", "好用 300", "赏月亭 3 nz"]
    lines += ["双鹿队 3 NZ", "台中", "万能 词", ""]
    content = "\n".join(lines)
    path = tmp_path / "user.txt"
    path.write_text(content, "utf-8", newline="")
    tokenizer, library = JiebaTokenizer(user_dict=path), jieba.Tokenizer()
    with path.open("rb") as file:  # jieba leaves open what it opens
        library.load_userdict(file)
    text = "王小龥在数据办管云平台; my_tool 好用台中 赏月亭 双鹿队 万能 词"
    check_same(tokenizer, library, text)
    assert tokenizer._kernel.total == library.total
    for stream in (io.BytesIO(content.encode()), io.StringIO(content.removeprefix("\ufeff"))):
        other = JiebaTokenizer()
        other.load_userdict(stream)
        assert other.cut(text) == tokenizer.cut(text)
    assert tokenizer.posseg("王小龥")[0] == ("王小龥", "nr")
    with pytest.raises(DataError, match=r"user\.txt, line 10: a line is a word"):
        JiebaTokenizer().load_userdict(path, strict=True)


def test_bad_user_dictionaries(tmp_path: Path) -> None:
    path = tmp_path / "user.txt"
    path.write_bytes("好词 3\n".encode() + b"\xff\xfe 3\n")
    with pytest.raises(DataError, match=r"user\.txt, line 2: is not UTF-8"):
        JiebaTokenizer(user_dict=[path])
    path.write_text("好词 99999999999999999999 n\n", "utf-8")
    with pytest.raises(DataError, match=r"user\.txt, line 1: .*between 0 and 2\^53"):
        JiebaTokenizer(user_dict=str(path))
    with pytest.raises(DataError, match="cannot read"):
        JiebaTokenizer(user_dict=tmp_path / "absent.txt")
    tokenizer = JiebaTokenizer()
    with pytest.raises(ConfigError, match="a path or an open file, not int"):
        tokenizer.load_userdict(3)
    with pytest.raises(ConfigError, match="cannot add ''"):
        tokenizer.add_word("", 3)
    with pytest.raises(ConfigError, match="between 0 and 2"):
        tokenizer.add_word("词", -1)


def test_main_dictionary(tmp_path: Path) -> None:
    path = tmp_path / "main.txt"
    path.write_text("我 100 r\n来到 20 v\n北 3\n北京 50 ns\n\U00020000京 7 x\n", "utf-8")
    tokenizer, library = JiebaTokenizer(dictionary=path), library_of(path)
    for text in ("我来到北京清华大学", "\U00020000京\U00020001", ""):
        check_same(tokenizer, library, text)
    config, arrays = tokenizer.to_state()
    tokenizer.add_word("清华", 9, "nz")
    path.unlink()
    again = JiebaTokenizer.from_state(config, arrays)
    again.add_word("清华", 9, "nz")
    assert again.posseg("我来到北京清华大学") == tokenizer.posseg("我来到北京清华大学")
    assert JiebaTokenizer.from_state(*again.to_state()).cut("北京清华") == ["北京", "清华"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no words"),
        (b"a 1 n\nb\n", r"line 2: a dictionary line is"),
        (b"a 1 n\nb x n\n", r"line 2: a dictionary line is"),
        (b"a 1 n\n\nb 1\n", r"line 2: a dictionary line is"),
        (b"a -1 n\n", r"line 1: a dictionary line is"),
        (b"a 1 n\n\xff 1 n\n", r"line 2: is not UTF-8"),
        (b"a 0 n\n", "between 1 and 2"),
    ],
)
def test_bad_main_dictionaries(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "main.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        JiebaTokenizer(dictionary=path)


def test_whole_words() -> None:
    tokenizer = JiebaTokenizer(whole_words=True)
    for word in ("New York", "New York City", "赏月·楼阁", "月·"):
        tokenizer.add_word(word, tag="nz")
    tokenizer.add_word("云平台")
    assert tokenizer.cut("我在New York City看赏月·楼阁，New York云平台") == [
        "我", "在", "New York City", "看", "赏月·楼阁", "，", "New York", "云平台",
    ]  # fmt: skip
    assert tokenizer.posseg("看New York")[1] == ("New York", "nz")
    assert tokenizer.cut_for_search("New York大学") == ["New York", "大学"]
    again = JiebaTokenizer.from_state(*tokenizer.to_state())
    assert again.cut("去New York") == ["去", "New York"]
    again.del_word("New York")
    assert again.cut("去New York") == ["去", "New", " ", "York"]
    assert JiebaTokenizer().cut("New York") == ["New", " ", "York"]


def test_threads_may_cut_while_one_adds(small: Path) -> None:
    tokenizer = JiebaTokenizer(dictionary=small, threads=2)
    texts = ["我来到北京清华大学" * 50] * 200

    def cut() -> int:
        docs = [nlptk.Doc(text) for text in texts]
        tokenizer.annotate(docs)
        return sum(len(tokenizer.cut(doc.text * 20)) for doc in docs)

    with ThreadPoolExecutor(3) as pool:
        cuts = [pool.submit(cut) for _ in range(3)]
        for i in range(0x4E00, 0x4E00 + 500):
            tokenizer.add_word(chr(i) + "龥龥", 3)
        assert {future.result() for future in cuts} == {200 * 4 * 50 * 20}


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("词", "abc"), ConfigError, "whole number, not 'abc'"),
        (("词", float("inf")), ConfigError, "whole number, not inf"),
        ((5,), TypeError, "a word must be str, not int"),
        ((b"word", 5), TypeError, "a word must be str, not bytes"),
        (("词", 5, 7), TypeError, "a tag must be str, not int"),
        (("词词词", 5, "a\nb"), ConfigError, "no line end"),
        (("词词词", 5, "\ud800"), ConfigError, "lone surrogate"),
    ],
)
def test_a_wrong_word_changes_nothing(
    arguments: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    tokenizer = JiebaTokenizer()
    total = tokenizer._kernel.total
    with pytest.raises(error, match=message):
        tokenizer.add_word(*arguments)
    assert tokenizer._kernel.total == total
    assert tokenizer._kernel.count("词词词") is None


def test_lines_that_are_no_lines() -> None:
    with pytest.raises(DataError, match="line 2: a count of 5000 digits is too high"):
        JiebaTokenizer().load_userdict(["云计算 5", "云 " + "1" * 5000])
    with pytest.raises(ConfigError, match="line 1: a line must be str or bytes, not int"):
        JiebaTokenizer().load_userdict([5])
    with pytest.raises(TypeError, match="a part of a word must be str, not int"):
        JiebaTokenizer().suggest_freq((1, 2))  # type: ignore[arg-type]
