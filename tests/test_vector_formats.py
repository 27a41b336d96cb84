"""Files of word vectors: written and read back, and read by gensim and fastText."""

from __future__ import annotations

import gzip
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

from nlptk import KeyedVectors
from nlptk.errors import DataError
from nlptk.vectors import formats
from nlptk.vectors.subwords import Subwords

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


def numbers_of(path: Path) -> list[list[str]]:
    return [line.split(" ")[1:] for line in path.read_text("utf-8").splitlines()[1:]]


# ---- text ----


@given(
    values=st.lists(FLOATS | st.integers(-(10**7), 10**7).map(lambda n: n / 64), min_size=1),
    digits=st.integers(1, 9),
)
def test_numbers_are_those_of_printf(
    values: list[float], digits: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("text") / "a.txt"
    matrix = np.array(values, np.float32)[:, None]
    formats.save(path, [f"w{i}" for i in range(len(values))], matrix, digits=digits)
    assert numbers_of(path) == [[f"{x:.{digits}g}"] for x in matrix[:, 0]]


@given(values=st.lists(FLOATS, min_size=1))
def test_all_digits_read_back_as_the_same_floats(
    values: list[float], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("text") / "a.txt"
    matrix = np.array([values], np.float32)
    formats.save(path, ["w"], matrix, digits=0)
    (row,) = numbers_of(path)
    assert np.array(row, np.float32).tobytes() == matrix.tobytes()


@pytest.mark.parametrize(("threads", "dim"), [(1, 1), (1, 7), (2, 300)])
def test_many_blocks_keep_their_order(tmp_path: Path, threads: int, dim: int) -> None:
    rng = np.random.default_rng(dim)
    wide = rng.standard_normal((300_000 * threads // dim, dim + 3)).astype(np.float32)
    matrix = wide[:, :dim]  # rows that lie apart
    words = [f"词{i}" if i % 3 else f"w{i}" for i in range(len(matrix))]
    path = tmp_path / "a.txt.gz"
    formats.save(path, words, matrix, threads=threads)
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        assert next(lines) == f"{len(matrix)} {dim}\n"
        for word, row, line in zip(words, matrix, lines, strict=True):
            assert line == " ".join([word, *(f"{x:.6g}" for x in row.tolist())]) + "\n"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_not_written(tmp_path: Path, bad: float) -> None:
    matrix = np.zeros((3, 2), np.float32)
    matrix[1, 1] = bad
    with pytest.raises(DataError, match=r"row 1 \(b\) holds NaN or an infinity"):
        formats.save(tmp_path / "a.txt", ["a", "b", "c"], matrix)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("New York", "word 1 .*white space"),
        ("", "word 1 is empty"),
        ("a\n", "white space"),
        ("\ud800", "lone surrogate"),
    ],
)
def test_words_that_a_line_cannot_carry(tmp_path: Path, word: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        formats.save(tmp_path / "a.txt", ["a", word], np.zeros((2, 2), np.float32))
    assert list(tmp_path.iterdir()) == []


# ---- there and back ----


def table(size: int = 50, dim: int = 9, buckets: int = 0) -> KeyedVectors:
    rng = np.random.default_rng(size)
    words = ["river", "水獭", "é", "🦦", "a.b", "</s>", "<", "\u00a0", "\u3000x"]
    words += [f"w{i}" for i in range(size - len(words))]
    rows = rng.standard_normal((size, dim)).astype(np.float32)
    counts = np.arange(2 * size, size, -1)
    if not buckets:
        return KeyedVectors(words, rows, counts=counts)
    subwords = Subwords(rng.standard_normal((buckets, dim)).astype(np.float32), 3, 5)
    return KeyedVectors(words, subwords.with_own(words, rows), counts=counts, subwords=subwords)


NAMES = ["a.txt", "a.vec", "a.glove", "a.bin", "a.safetensors", "a.txt.gz", "a.glove.gz", "a.bin.gz"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mmap", [True, False])
def test_there_and_back(tmp_path: Path, name: str, mmap: bool) -> None:
    made = table()
    made.save(tmp_path / name, digits=0)
    again = KeyedVectors.load(tmp_path / name, mmap=mmap)
    assert again.index_to_key == made.index_to_key
    assert (again.vectors == made.vectors).all()
    assert again.subwords is None
    if name.endswith("safetensors"):
        assert isinstance(again.vectors, np.memmap) == mmap
        assert (again.counts == made.counts).all()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["a.bin", "a.bin.gz", "a.safetensors"])
@pytest.mark.parametrize("mmap", [True, False])
def test_subwords_there_and_back(tmp_path: Path, name: str, mmap: bool) -> None:
    made = table(buckets=200)
    made.save(tmp_path / name)
    again = KeyedVectors.load(tmp_path / name, mmap=mmap)
    assert again.index_to_key == made.index_to_key
    assert np.allclose(again.vectors, made.vectors, atol=1e-6)
    assert (again.counts == made.counts).all()
    assert again.subwords is not None
    assert made.subwords is not None
    assert (again.subwords.min_n, again.subwords.max_n) == (3, 5)
    assert (again.subwords.vectors == made.subwords.vectors).all()
    assert (again["otter"] == made["otter"]).all()
    assert isinstance(again.subwords.vectors, np.memmap) == (mmap and not name.endswith("gz"))


@given(words=st.lists(st.text(), min_size=1, unique=True))
def test_any_words_in_our_own_format(words: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("own") / "a.safetensors"
    KeyedVectors(words, np.ones((len(words), 2))).save(path)
    assert KeyedVectors.load(path).index_to_key == words


def test_our_own_format_is_safetensors(tmp_path: Path) -> None:
    made = table(buckets=20).quantize()
    made.save(tmp_path / "a.safetensors")
    arrays = safetensors.numpy.load_file(tmp_path / "a.safetensors")
    assert sorted(arrays) == [
        "codes",
        "counts",
        "offsets",
        "scales",
        "subword_codes",
        "subword_scales",
        "words",
    ]
    assert (arrays["codes"] == made.codes).all()
    assert arrays["words"].tobytes().decode() == "".join(made.index_to_key)


# ---- the peers' files ----


@pytest.mark.parametrize("binary", [True, False])
def test_gensim_reads_and_writes_word2vec(tmp_path: Path, binary: bool) -> None:
    models = pytest.importorskip("gensim.models")
    made = table()
    path, back = tmp_path / "ours", tmp_path / "theirs"
    made.save_word2vec_format(path, binary=binary)
    peer = models.KeyedVectors.load_word2vec_format(str(path), binary=binary)
    assert peer.index_to_key == made.index_to_key
    assert (peer.vectors == made.vectors).all()
    peer.save_word2vec_format(str(back), binary=binary)
    for again in (KeyedVectors.load(back), KeyedVectors.load_word2vec_format(back, binary=binary)):
        assert again.index_to_key == made.index_to_key
        assert (again.vectors == made.vectors).all()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # gensim leaves a file open
def test_gensim_reads_and_writes_glove(tmp_path: Path) -> None:
    models = pytest.importorskip("gensim.models")
    made = table()
    made.save_word2vec_format(tmp_path / "a", write_header=False)
    peer = models.KeyedVectors.load_word2vec_format(str(tmp_path / "a"), no_header=True)
    assert (peer.vectors == made.vectors).all()
    peer.save_word2vec_format(str(tmp_path / "b"), write_header=False)
    assert (KeyedVectors.load_word2vec_format(tmp_path / "b", no_header=True).vectors == made.vectors).all()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # smart_open's, of gensim
def test_gensim_reads_and_writes_fasttext(tmp_path: Path) -> None:
    fasttext = pytest.importorskip("gensim.models.fasttext")
    made = table(buckets=300)
    made.save(tmp_path / "a.bin")
    peer = fasttext.load_facebook_vectors(str(tmp_path / "a.bin"))
    marked = made.index_to_key.index("</s>")  # has no n-grams in fastText, but in gensim
    for number, word in enumerate(made.index_to_key):
        assert number == marked or np.allclose(peer[word], made[word], atol=1e-6)
    assert np.allclose(peer["otter"], made["otter"], atol=1e-6)
    sentences = [["otter", "river", "水獭"], ["otters", "swim"]] * 5
    trained = fasttext.FastText(
        sentences, vector_size=7, min_count=1, bucket=100, epochs=1, seed=1, workers=1
    )
    fasttext.save_facebook_model(trained, str(tmp_path / "b.bin"))
    again = KeyedVectors.load(tmp_path / "b.bin")
    assert again.index_to_key == trained.wv.index_to_key
    assert again.counts is not None
    assert again.counts.tolist() == [5, 5, 5, 5, 5]
    for word in ("otter", "水獭", "swimming", "unseen"):
        assert np.allclose(again[word], trained.wv[word], atol=1e-6)


@pytest.mark.parametrize("buckets", [0, 300])
def test_fasttext_reads_and_writes(tmp_path: Path, buckets: int) -> None:
    fasttext = pytest.importorskip("fasttext")
    made = table(buckets=buckets)
    made.save(tmp_path / "a.bin", format="fasttext")
    peer = fasttext.load_model(str(tmp_path / "a.bin"))
    assert peer.get_words() == made.index_to_key
    for word in made.index_to_key:
        assert np.allclose(peer.get_word_vector(word), made[word], atol=1e-6)
    if buckets:
        for word in ("otter", "水", "é" * 30, "x"):
            assert np.allclose(peer.get_word_vector(word), made[word], atol=1e-6)
        near = [word for _, word in peer.get_nearest_neighbors("ottering", 5)]
        assert near == [word for word, _ in made.most_similar("ottering", topn=5)]
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("the otter swims in the river\nthe 水獭 swims too\n" * 20, "utf-8")
    # Of fewer threads and of other sizes fastText leaves numbers of its matrix uninitialized.
    options = {"dim": 10, "minCount": 1, "epoch": 1, "thread": 2, "verbose": 0, "maxn": 5 if buckets else 0}
    trained = fasttext.train_unsupervised(str(corpus), bucket=buckets or 1, **options)
    trained.save_model(str(tmp_path / "b.bin"))
    again = KeyedVectors.load(tmp_path / "b.bin")
    words, counts = trained.get_words(include_freq=True)
    assert again.index_to_key == words
    assert again.counts is not None
    assert again.counts.tolist() == counts.tolist()
    for word in [*words, *(["unseen", "ottery"] if buckets else [])]:
        assert np.allclose(again[word], trained.get_word_vector(word), atol=1e-6)


def test_subword_ids_are_fasttext_s(tmp_path: Path) -> None:
    fasttext = pytest.importorskip("fasttext")
    made = table(buckets=300)
    made.save(tmp_path / "a.bin")
    peer = fasttext.load_model(str(tmp_path / "a.bin"))
    assert made.subwords is not None
    for word in ("otter", "水獭在河里", "a", "</s>", "é" * 9, "\u0000x"):
        wanted = peer.get_subwords(word)[1] - len(made)
        assert made.subwords.ids(word).tolist() == wanted.tolist()[int(word in made.index_to_key) :]


def test_what_text_files_may_have(tmp_path: Path) -> None:
    """A byte-order mark, CRLF, spaces at line ends, tabs, blank lines at the end, no line end at the end."""
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeff3 2\r\na 1 2 \r\nb\t.5\t-1e-3\r\nc +3 1e-60\r\n\r\n \n".encode())
    made = KeyedVectors.load(path)
    assert made.index_to_key == ["a", "b", "c"]
    assert made.vectors.tolist() == np.float32([[1, 2], [0.5, -1e-3], [3, 0]]).tolist()
    path.write_bytes(b". . . 1 2\nat a@b.c 3 4\nx 5 6")  # as GloVe's files have words
    assert KeyedVectors.load(path).index_to_key == [". . .", "at a@b.c", "x"]


@given(
    texts=st.lists(
        st.from_regex(r"\A-?[0-9]{0,18}\.?[0-9]{1,18}(e[-+]?[0-9]{1,2})?\Z")
        | st.floats(allow_nan=False, allow_infinity=False, width=32).map(repr)
        | st.floats(-1, 1).map(repr),
        min_size=1,
    )
)
def test_numbers_are_read_as_numpy_reads_them(
    texts: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with np.errstate(over="ignore"):
        texts = [text for text in texts if np.isfinite(np.float32(text))]
    path = tmp_path_factory.mktemp("numbers") / "a.txt"
    path.write_text("".join(f"w{i} 1 {text}\n" for i, text in enumerate(texts)))
    if texts:
        nearest = [nearest_float(text) for text in texts]
        assert KeyedVectors.load(path).vectors[:, 1].tolist() == nearest


def nearest_float(text: str) -> float:
    """The float32 nearest to a decimal: not by way of a double, which may round twice."""
    near = np.float32(text)
    exact = Fraction(text)
    with np.errstate(over="ignore"):  # next to the largest is infinity
        around = [np.nextafter(near, np.float32(-np.inf)), near, np.nextafter(near, np.float32(np.inf))]
    finite = [float(x) for x in around if np.isfinite(x)]
    least = min(abs(Fraction(x) - exact) for x in finite)
    best = [x for x in finite if abs(Fraction(x) - exact) == least]
    even = [x for x in best if np.float32(x).view(np.int32) % 2 == 0]
    return (even or best)[0]


def test_the_first_of_equal_words_is_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [(b"a", 1), (b"b", 2), (b"a", 3), (b"a", 4)]
    binary = b"".join(word + b" " + np.float32(x).tobytes() + b"\n" for word, x in rows)
    for name, content in {
        "a.txt": b"4 1\na 1\nb 2\na 3\na 4\n",
        "a.glove": b"a 1\nb 2\na 3\na 4\n",
        "a.bin": b"4 1\n" + binary,
    }.items():
        (tmp_path / name).write_bytes(content)
        caplog.clear()
        made = KeyedVectors.load(tmp_path / name)
        assert (made.index_to_key, made.vectors.tolist()) == (["a", "b"], [[1], [2]])
        assert "2 words stand there twice (the first is 'a')" in caplog.text
