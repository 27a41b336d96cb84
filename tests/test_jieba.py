"""JiebaTokenizer against jieba 0.42.1 itself: cutting, user words, pipelines, saving."""

from __future__ import annotations

import io
import logging
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jieba_texts import HAN, texts

import nlptk
from nlptk.errors import ConfigError, DataError
from nlptk.tokenize.jieba import JiebaTokenizer

jieba = pytest.importorskip("jieba")
jieba.setLogLevel(logging.WARNING)


@pytest.fixture(scope="module")
def tokenizer() -> JiebaTokenizer:
    return JiebaTokenizer()


@pytest.fixture(scope="module")
def library() -> Any:
    return jieba.Tokenizer()


def check_same(tokenizer: JiebaTokenizer, library: Any, text: str) -> None:
    for hmm in (True, False):
        words = library.lcut(text, HMM=hmm)
        assert tokenizer.cut(text, hmm=hmm) == words
        assert tokenizer.tokenize(text, hmm=hmm) == list(library.tokenize(text, HMM=hmm))
        assert tokenizer.cut_for_search(text, hmm=hmm) == library.lcut_for_search(text, HMM=hmm)
        found = list(library.tokenize(text, mode="search", HMM=hmm))
        assert tokenizer.tokenize(text, mode="search", hmm=hmm) == found
    assert tokenizer.cut_all(text) == library.lcut(text, cut_all=True)
    assert len(tokenizer.spans(text, mode="full")) == len(tokenizer.cut_all(text))


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


# ---- user words --------------------------------------------------------------------------------------------

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


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A main dictionary that both read in no time."""
    path = tmp_path_factory.mktemp("small") / "main.txt"
    words = [
        "我",
        "来到",
        "北京",
        "清华",
        "清华大学",
        "大学",
        "华大",
        "学",
        "的",
        "中国",
        "国人",
        "人民",
        "T恤",
        "B9",
    ]
    path.write_text("".join(f"{word} {7 * i % 50 + 1} n\n" for i, word in enumerate(words)), "utf-8")
    return path


def library_of(path: Path) -> Any:
    made = jieba.Tokenizer(str(path))
    made.tmp_dir = str(path.parent)
    made.initialize()
    return made


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


# ---- as a component ----------------------------------------------------------------------------------------


@settings(max_examples=200)
@given(texts)
def test_doc_spells_its_text(tokenizer: JiebaTokenizer, library: Any, text: str) -> None:
    doc = nlptk.Doc(text)
    tokenizer(doc)
    assert "".join(token.text_with_ws for token in doc) == text
    nlptk.Doc(text).set_tokens(doc.starts, doc.ends)  # checks the rules for tokens
    lead = text[: len(text) - len(text.lstrip())]
    expected = [lead] * bool(lead) + [word for word in library.lcut(text) if not word.isspace()]
    assert doc.words == expected


def test_blank_chinese_uses_it() -> None:
    nlp = nlptk.blank("zh")
    assert nlp("我来到北京清华大学。").words == ["我", "来到", "北京", "清华大学", "。"]
    nlp.get_pipe("tokenizer").add_word("来到北京")
    again = nlptk.Language.from_bytes(nlp.to_bytes())
    batch = ["我来到北京清华大学。", "", " 好\n"] * 100
    assert [doc.words for doc in again.pipe(batch)] == [doc.words for doc in nlp.pipe(batch)]
    assert again(batch[0]).words == ["我", "来到北京", "清华大学", "。"]


def test_pipelines_that_split_characters_still_load(tmp_path: Path) -> None:
    nlp = nlptk.Language("zh")
    nlp.add_pipe("char_tokenizer", name="tokenizer")
    nlp.to_disk(tmp_path / "old")
    assert nlptk.load(tmp_path / "old")("我来到").words == ["我", "来", "到"]


def test_tags_in_a_doc(tokenizer: JiebaTokenizer) -> None:
    nlp = nlptk.Language("zh")
    nlp.add_pipe("jieba", config={"pos": True})
    doc = nlp("  我爱 北京3.5%\n")
    assert [(token.text, token.tag_) for token in doc] == [
        ("  ", "x"), ("我", "r"), ("爱", "v"), ("北京", "ns"), ("3.5", "m"), ("%", "x"),
    ]  # fmt: skip
    assert nlp.analyze_pipes()["summary"]["jieba"]["assigns"] == ["doc.tokens", "doc.tag"]


@pytest.mark.parametrize("mode", ["full", "search"])
def test_overlapping_modes_are_no_tokens(mode: str) -> None:
    with pytest.raises(ConfigError, match=f"words of mode '{mode}' overlap"):
        JiebaTokenizer(mode)(nlptk.Doc("清华大学"))


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


def test_pickle() -> None:
    tokenizer = JiebaTokenizer(hmm=False)
    tokenizer.add_word("学研究", tag="nz")
    tokenizer.del_word("云南")
    again = pickle.loads(pickle.dumps(tokenizer))
    assert again.posseg("云南大学研究") == tokenizer.posseg("云南大学研究")
    assert again.suggest_freq("云计算") == tokenizer.suggest_freq("云计算")


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


def test_a_saved_dictionary_with_counts_up_to_the_highest(tmp_path: Path) -> None:
    path = tmp_path / "dictionary.txt"
    path.write_text("云 5\n", encoding="utf-8")
    tokenizer = JiebaTokenizer(dictionary=path)
    tokenizer.add_word("计算", 2**53 - 100)
    again = JiebaTokenizer.from_state(*tokenizer.to_state())
    assert again._kernel.total == tokenizer._kernel.total
    assert again.cut("云计算") == ["云", "计算"]
