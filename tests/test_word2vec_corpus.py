"""The corpora of word vectors: each word of each line is read once, however they are cut and packed."""

from __future__ import annotations

import gzip
import io
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlptk import _core
from nlptk.errors import ConfigError, DataError
from nlptk.vectors.corpus import Corpus, open_corpus

TEXTS = [
    "",
    "\n",
    "one",
    "one two\nthree\n",
    "\n\n one\n\n\ntwo \n",
    "one\r\ntwo\rthree\r\n",
    "\ufeffone two\nthree",
    "\ufeff",
    "\ufeff\none",
    "one\ufeff two\n\ufeffthree\n",
    "nul\0 \0 inside\0word\n",
    "a\u00a0b\u2003c\u3000d\u0085e\u1680f\u2028g\u205fh\u202fi\x1cj\x1dk\x1el\x1fm\vn\fo\n",
    "no space: a\u200bb\u200dc\u2060d\u180ee\u00ade\n",
    "\u6c34\u736d \u6e38\u6cf3\n\U0001f9a6 \U0001f468\u200d\U0001f469\n",
    "x" * 5000 + "\n" + "y " * 5000 + "\n" + "last",
]
ENDS = "\n \t\r\u0085\u00a0\u2003\u3000\x1f\x1e\0"
texts = st.text(
    st.one_of(
        st.sampled_from(ENDS + "ab\ufeff\u00e9\u6c34\U0001f9a6"), st.characters(exclude_categories=["Cs"])
    )
)


def lines_of(text: str) -> list[list[str]]:
    """The words of a text line by line; a mark of byte order at its head is none of them."""
    lines = [line.split() for line in text.removeprefix("\ufeff").split("\n")]
    return [line for line in lines if line]


def read(corpus: _core.TokenCorpus) -> list[list[str]]:
    return [line for chunk in range(corpus.chunks) for line in corpus.lines(chunk) if line]


def check(path: Path, text: str, chunk_bytes: int) -> None:
    path.write_bytes(text.encode())
    corpus = _core.TokenCorpus([str(path)], ["t"], chunk_bytes=chunk_bytes)
    assert corpus.bytes == len(text.encode())
    assert corpus.chunks == -(-corpus.bytes // chunk_bytes)
    assert read(corpus) == lines_of(text)


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
@pytest.mark.parametrize("chunk_bytes", [1, 2, 3, 4, 5, 7, 16, 1000, 1 << 20])
def test_every_line_is_read_once_and_whole(tmp_path: Path, text: str, chunk_bytes: int) -> None:
    check(tmp_path / "t.txt", text, chunk_bytes)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("corpus") / "t.txt"


@given(text=texts, chunk_bytes=st.integers(1, 40))
def test_any_text_is_read_once_and_whole(scratch: Path, text: str, chunk_bytes: int) -> None:
    check(scratch, text, chunk_bytes)


@given(text=texts, chunk_bytes=st.integers(1, 40), threads=st.integers(1, 3))
def test_words_are_counted_as_python_counts_them(
    scratch: Path, text: str, chunk_bytes: int, threads: int
) -> None:
    scratch.write_bytes(text.encode())
    corpus = _core.TokenCorpus([str(scratch)], ["t"], chunk_bytes=chunk_bytes)
    vocabulary = _core.WordVocabulary.count(corpus, 1, threads=threads)
    expected = Counter(word for line in lines_of(text) for word in line)
    assert dict(zip(vocabulary.words(), vocabulary.counts().tolist(), strict=True)) == expected
    assert vocabulary.raw_tokens == vocabulary.tokens == expected.total()


# The reader's buffer is 256 KiB: what stands at its ends must be read as elsewhere.
@pytest.mark.parametrize("tail", ["\u3000x\n", "\U0001f9a6\u3000y", " \n", "\u00e9", "\n\u2003"])
@pytest.mark.parametrize("distance", range(4))
@pytest.mark.parametrize("filler", ["a b ", "word\n", "z"])
def test_ends_of_the_buffer_cut_nothing(tmp_path: Path, tail: str, distance: int, filler: str) -> None:
    size = (1 << 18) - distance
    text = (filler * size)[:size] + tail
    check(tmp_path / "t.txt", text, 1 << 20)
    check(tmp_path / "t.txt", text + "more words\n" + text, (1 << 18) - 3)


def test_a_long_line_belongs_to_the_chunk_that_it_begins_in(tmp_path: Path) -> None:
    text = "first\n" + "word " * 200_000 + "\nlast\n"
    path = tmp_path / "t.txt"
    path.write_text(text)
    corpus = _core.TokenCorpus([str(path)], ["t"], chunk_bytes=1000)
    assert [len(line) for line in corpus.lines(0)] == [1, 200_000]
    assert [corpus.lines(chunk) for chunk in range(1, corpus.chunks)] == [[]] * (corpus.chunks - 2) + [
        [["last"]]
    ]


@given(lines=st.lists(st.lists(st.text(st.sampled_from("a \n\t\u3000\0\u6c34\ufeff"), min_size=1))))
def test_words_of_sentences_may_hold_anything_but_the_marks(lines: list[list[str]]) -> None:
    with open_corpus(lines) as corpus:
        assert read(corpus) == [line for line in lines if line]


@given(
    lines=st.lists(st.lists(st.text(st.sampled_from("ab \n\u3000"), min_size=1), min_size=1)),
    chunk_bytes=st.integers(1, 9),
)
def test_spooled_words_are_read_for_any_chunk(
    scratch: Path, lines: list[list[str]], chunk_bytes: int
) -> None:
    scratch.write_bytes("".join("\x1f".join(line) + "\x1e" for line in lines).encode())
    assert read(_core.TokenCorpus([str(scratch)], ["t"], spooled=True, chunk_bytes=chunk_bytes)) == lines


# ---- bytes that are not UTF-8 ----

BROKEN = [
    b"\xff",
    b"one \xfftwo\n",
    b"\xc3",
    b"\xe6\xb0 x",
    b"\xf0\x9f\xa6\n",
    b"\xed\xa0\x80",
    b"\xc0\xaf\xf5\x80",
    b"\xe2\x80A \xe2\x80",
    b"\xe3\x80 b\xe2\x80\x80c",
    b"\xf4\x90\x80\x80 \xf4\x8f\xbf\xbf",
    b"\xe0\x9f\xbf \xe0\xa0",
    b"\xf0\x8f \xf0\x90\x80",
    b"\x80\xbf\xc2\x85\x85",
    bytes(range(256)) * 3,
]


@pytest.mark.parametrize("data", BROKEN, ids=range(len(BROKEN)))
@pytest.mark.parametrize("errors", ["replace", "ignore"])
def test_broken_bytes_are_replaced_or_dropped_as_python_does(
    tmp_path: Path, data: bytes, errors: str
) -> None:
    check_broken(tmp_path / "t.txt", data, errors, 1 << 20)


@given(data=st.binary(), errors=st.sampled_from(["replace", "ignore"]), chunk_bytes=st.integers(1, 20))
def test_any_bytes_are_replaced_or_dropped_as_python_does(
    scratch: Path, data: bytes, errors: str, chunk_bytes: int
) -> None:
    check_broken(scratch, data, errors, chunk_bytes)


def check_broken(path: Path, data: bytes, errors: str, chunk_bytes: int) -> None:
    path.write_bytes(data)
    corpus = _core.TokenCorpus([str(path)], ["t"], errors=errors, chunk_bytes=chunk_bytes)
    assert read(corpus) == lines_of(data.decode("utf-8", errors))


@pytest.mark.parametrize("data", BROKEN, ids=range(len(BROKEN)))
def test_strict_names_the_first_line_that_is_not_utf8(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "t.txt"
    path.write_bytes(b"fine\n\nfine\n" + data)
    corpus = _core.TokenCorpus([str(path)], ["the corpus"], chunk_bytes=4)
    with pytest.raises(UnicodeDecodeError) as python:
        data.decode()
    line = 4 + data[: python.value.start].count(b"\n")
    byte = data[python.value.start]
    with pytest.raises(ValueError, match=rf"^the corpus, line {line}: byte 0x{byte:02x} is not UTF-8"):
        read(corpus)


# ---- kinds of corpora ----


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    text = "one two\n\u6c34\u736d three".encode()
    made = {"plain": tmp_path / "t.txt", "gzip": tmp_path / "t.gz", "other": tmp_path / "u.txt"}
    made["plain"].write_bytes(text)
    made["gzip"].write_bytes(gzip.compress(text))
    made["other"].write_bytes(b"four\n")
    return made


FIRST = [["one", "two"], ["\u6c34\u736d", "three"]]


def corpus_lines(corpus: Corpus, **options: object) -> list[list[str]]:
    with open_corpus(corpus, **options) as opened:  # type: ignore[arg-type]
        return read(opened)


def test_files_are_told_apart_by_what_is_in_them(files: dict[str, Path]) -> None:
    assert corpus_lines(files["plain"]) == FIRST
    assert corpus_lines(str(files["gzip"])) == FIRST
    assert corpus_lines([files["gzip"], files["other"], files["plain"]]) == [*FIRST, ["four"], *FIRST]


def test_standard_input_is_copied(files: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("plain", "gzip"):
        data = io.BufferedReader(io.BytesIO(files[name].read_bytes()))  # type: ignore[arg-type]
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(data))
        assert corpus_lines(["-", files["other"]]) == [*FIRST, ["four"]]


def test_copies_are_removed(files: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    with open_corpus([files["gzip"], files["gzip"]], folder=folder):
        assert len(list(folder.rglob("*.txt"))) == 2
    with pytest.raises(RuntimeError), open_corpus([["a"]], folder=folder):
        raise RuntimeError
    assert list(folder.iterdir()) == []


def test_what_the_body_raises_stays_what_it_is(files: dict[str, Path]) -> None:
    with pytest.raises(ValueError, match=r"^mine$") as caught, open_corpus(files["plain"]):
        raise ValueError("mine")
    assert caught.type is ValueError


def test_a_tokenizer_cuts_raw_text(files: dict[str, Path]) -> None:
    def tokenizer(line: str) -> list[str]:
        return list(line)

    assert corpus_lines(files["gzip"], tokenizer=tokenizer) == [list("onetwo"), list("\u6c34\u736dthree")]
    with pytest.raises(ConfigError, match="for files of raw text"):
        corpus_lines([["a"]], tokenizer=tokenizer)
    with pytest.raises(DataError, match=r"the tokenizer gave .*ud800"):
        corpus_lines(files["plain"], tokenizer=lambda _: ["\ud800"])


def test_a_corpus_is_not_asked_twice_for_what_it_gives_once(files: dict[str, Path]) -> None:
    class Sentences:
        asked = 0

        def __iter__(self) -> Iterator[list[str]]:
            self.asked += 1
            yield ["a", "b"]

    sentences = Sentences()
    assert corpus_lines(sentences) == [["a", "b"]]
    assert sentences.asked == 1
    for once in (iter([["a"]]), (s for s in [["a"]]), map(list, ["a"])):
        with pytest.raises(ConfigError, match="can be read only once"):
            corpus_lines(once)


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        (
            ["the cat sat"],
            "cannot read 'the cat sat': No such file or directory; sentences are given as lists",
        ),
        ("no-such.txt", "cannot read 'no-such.txt': No such file or directory$"),
        ("nul\0", "cannot read 'nul.x00': embedded null byte$"),
        ("x" * 5000, "^.{0,140}: File name too long$"),
        ([["a"], "b c"], "sentence 1 is str: it must be a list of words"),
        ([["a"], {"b"}], "sentence 1 is set: it must be a list of words"),
        ([["a", 1]], "sentence 0 holds a word that is no string"),
        ([["a"], ["\udc80"]], "sentence 1 holds '.udc80', a lone surrogate"),
        ([["a\x1fb"]], "sentence 0 holds a word with U.001E or U.001F"),
        ([["a"], ["a", "b\x1e"]], "sentence 1 holds a word with U.001E or U.001F"),
        (["/"], "'/'"),
    ],
)
def test_what_is_no_corpus_is_named(corpus: Corpus, message: str) -> None:
    with pytest.raises(DataError, match=message):
        corpus_lines(corpus)


@pytest.mark.parametrize("corpus", [b"bytes", 7, None])
def test_what_cannot_be_a_corpus_is_wrong_use(corpus: Corpus) -> None:
    with pytest.raises(ConfigError, match="a corpus is a file, a list of files, or sentences"):
        corpus_lines(corpus)
    with pytest.raises(ConfigError, match="errors must be one of"):
        corpus_lines([["a"]], errors="backslash")


def test_a_damaged_gzip_file_is_named(files: dict[str, Path]) -> None:
    files["gzip"].write_bytes(files["gzip"].read_bytes()[:-9])
    with pytest.raises(DataError, match=r"t\.gz.*gzip stream is damaged or cut short"):
        corpus_lines(files["gzip"])


def test_a_word_without_end_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    limit = 1 << 20
    for size, space in [(limit, ""), (limit, " "), (limit - 3, "\u3000"), (limit, "\n")]:
        path.write_text("one\n" + "x" * size + space + "two")
        if space:
            assert [len(w) for line in corpus_lines(path) for w in line] == [3, size, 3]
    for size in (limit + 1, 3 * limit):
        path.write_text("one\n" + "x" * size + " two\n")
        with (
            pytest.raises(DataError, match=r"t\.txt, line 2: a word of more than 1 MiB"),
            open_corpus(path) as c,
        ):
            _count(c)


def _count(corpus: _core.TokenCorpus) -> None:
    try:
        _core.WordVocabulary.count(corpus, 1)
    except ValueError as error:
        raise DataError(str(error)) from None


def test_a_file_that_shrank_or_went_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text("a b\n" * 1000)
    corpus = _core.TokenCorpus([str(path)], [str(path)], chunk_bytes=1000)
    path.unlink()
    with pytest.raises(ValueError, match=r"cannot read '.*t\.txt': No such file"):
        read(corpus)
    with pytest.raises(ValueError, match="is no regular file"):
        _core.TokenCorpus([str(tmp_path)], ["folder"])
