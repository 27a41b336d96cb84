"""KeyedVectors against gensim: the same words in the same order, the same numbers."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nlptk import KeyedVectors
from nlptk.errors import ConfigError, DataError
from nlptk.vectors.subwords import Subwords

Array = np.ndarray[Any, Any]
SIZE, DIM = 3000, 37


@pytest.fixture(scope="module")
def matrix() -> Array:
    rng = np.random.default_rng(1)
    return (rng.standard_normal((SIZE, DIM)) * rng.uniform(0.1, 3, (SIZE, 1))).astype(np.float32)


@pytest.fixture(scope="module")
def ours(matrix: Array) -> KeyedVectors:
    return KeyedVectors([f"w{i}" for i in range(SIZE)], matrix)


@pytest.fixture(scope="module")
def peer(matrix: Array) -> Any:
    made = pytest.importorskip("gensim.models").KeyedVectors(DIM)
    made.add_vectors([f"w{i}" for i in range(SIZE)], matrix)
    return made


def same(mine: list[tuple[str, float]], theirs: list[tuple[str, float]]) -> None:
    assert [word for word, _ in mine] == [word for word, _ in theirs]
    assert np.allclose([score for _, score in mine], [score for _, score in theirs], atol=3e-6)


# ---- nearest words ----


def calls(matrix: Array) -> list[dict[str, Any]]:
    rng = np.random.default_rng(2)
    made: list[dict[str, Any]] = [
        {"positive": "w5"},
        {"positive": ["w5"], "topn": 1},
        {"positive": ["w1", "w2"], "negative": "w3", "topn": 30},
        {"negative": ["w3", "w8"]},
        {"positive": [("w1", 0.5), ("w2", 2.0)], "negative": [("w3", -0.25)]},
        {"positive": matrix[7]},
        {"positive": [matrix[7], "w8", 9], "negative": [matrix[3]]},
        {"positive": "w9", "restrict_vocab": 100},
        {"positive": "w9", "clip_start": 50, "clip_end": 70, "topn": 30},
        {"positive": "w9", "clip_start": 2990, "topn": 30},
        {"positive": "w0", "topn": 4000},
        {"positive": "w0", "topn": 0},
    ]
    for _ in range(30):
        words = [f"w{i}" for i in rng.integers(0, SIZE, 3)]
        made.append({"positive": words[:2], "negative": words[2:]})
    return made


def test_most_similar(ours: KeyedVectors, peer: Any, matrix: Array) -> None:
    for call in calls(matrix):
        same(ours.most_similar(**call), peer.most_similar(**call))


@pytest.mark.filterwarnings("ignore:Call to deprecated `init_sims`:DeprecationWarning")  # by gensim itself
def test_cosmul(ours: KeyedVectors, peer: Any) -> None:
    for positive, negative in ((["w1", "w2"], ["w3"]), (["w1"], ["w3", "w4"]), ("w1", "w2"), (["w8"], [])):
        mine = ours.most_similar_cosmul(positive, negative, topn=20)
        same(mine, peer.most_similar_cosmul(positive, negative, topn=20))
        all_of_them = ours.most_similar_cosmul(positive, negative, topn=None)
        assert np.allclose(all_of_them, peer.most_similar_cosmul(positive, negative, topn=None), rtol=1e-5)


def test_all_cosines(ours: KeyedVectors, peer: Any) -> None:
    for call in ({"topn": None}, {"topn": None, "restrict_vocab": 7}):
        mine, theirs = ours.most_similar("w4", **call), peer.most_similar("w4", **call)
        assert mine.shape == theirs.shape
        assert np.allclose(mine, theirs, atol=1e-6)


def test_a_batch_gives_what_each_query_gives(ours: KeyedVectors) -> None:
    queries: list[Any] = [f"w{i}" for i in range(40)]
    queries += [{"positive": ["w1", f"w{i}"], "negative": ["w3"]} for i in range(40)]
    queries += [["w1", "w2"], {"positive": "w9"}]
    for multiply, one in ((False, ours.most_similar), (True, ours.most_similar_cosmul)):
        answers = ours.most_similar_batch(queries, topn=7, restrict_vocab=2000, multiply=multiply)
        for query, answer in zip(queries, answers, strict=True):
            pair = (
                (query.get("positive"), query.get("negative")) if isinstance(query, dict) else (query, None)
            )
            assert answer == one(*pair, topn=7, restrict_vocab=2000)
    assert ours.most_similar_batch([]) == []
    assert ours.most_similar_batch(["w1"], topn=0) == [[]]


def test_other_similarities(ours: KeyedVectors, peer: Any, matrix: Array) -> None:
    same(ours.similar_by_vector(matrix[3]), peer.similar_by_vector(matrix[3]))
    same(ours.similar_by_word("w3", 5), peer.similar_by_word("w3", 5))
    words = [f"w{i}" for i in range(20)]
    for a, b in itertools.pairwise(words):
        assert ours.similarity(a, b) == pytest.approx(peer.similarity(a, b), abs=1e-6)
        assert ours.distance(a, b) == pytest.approx(peer.distance(a, b), abs=1e-6)
    assert ours.n_similarity(words[:3], words[3:9]) == pytest.approx(
        peer.n_similarity(words[:3], words[3:9]), abs=1e-6
    )
    for size in range(1, 20):
        assert ours.doesnt_match(words[:size]) == peer.doesnt_match(words[:size])
    assert np.allclose(ours.distances("w1"), peer.distances("w1"), atol=1e-6)
    assert np.allclose(ours.distances(matrix[1], words), peer.distances(matrix[1], words), atol=1e-6)
    mean = ours.get_mean_vector([*words, matrix[5], "unknown"], pre_normalize=False)
    assert np.allclose(
        mean, peer.get_mean_vector([*words, matrix[5], "unknown"], pre_normalize=False), atol=1e-6
    )


def test_words_and_rows(ours: KeyedVectors, peer: Any, matrix: Array) -> None:
    assert (len(ours), ours.vector_size, "w1" in ours, "none" in ours) == (SIZE, DIM, True, False)
    assert (ours["w7"] == matrix[7]).all()
    assert (ours[["w7", "w9"]] == matrix[[7, 9]]).all()
    assert ours[[]].shape == (0, DIM)
    assert np.allclose(ours.get_vector("w7", norm=True), peer.get_vector("w7", norm=True), atol=1e-7)
    assert np.allclose(ours.norms, np.linalg.norm(matrix, axis=1))
    assert np.allclose(ours.get_normed_vectors(), peer.get_normed_vectors(), atol=1e-6)
    assert (ours.get_index("w7"), ours.get_index(7), ours.has_index_for("x")) == (7, 7, False)
    ours["w7"][:] = 0  # a copy
    assert (ours["w7"] == matrix[7]).all()


def test_evaluation(ours: KeyedVectors, peer: Any, tmp_path: Path) -> None:
    pairs, analogies = tmp_path / "pairs.txt", tmp_path / "analogies.txt"
    pairs.write_text("".join(f"w{i}\tw{i + 7}\t{i * 37 % 11}\n" for i in range(30)))
    analogies.write_text(": all\n" + "".join(f"w{i} w{i + 1} w{i + 2} w{i + 3}\n" for i in range(9)))
    mine, theirs = ours.evaluate_word_pairs(pairs), peer.evaluate_word_pairs(str(pairs))
    assert mine[1].statistic == pytest.approx(theirs[1].statistic, abs=1e-6)
    assert mine[2] == theirs[2]
    assert ours.evaluate_word_analogies(analogies)[0] == peer.evaluate_word_analogies(str(analogies))[0]


# ---- unseen words ----


def test_unseen_words(tmp_path: Path) -> None:
    """As gensim has it of a model that fastText's file carries to it."""
    gensim = pytest.importorskip("gensim.models.fasttext")
    rng = np.random.default_rng(3)
    words = ["otter", "otters", "river", "水獭", "й", "."]
    subwords = Subwords(rng.standard_normal((97, 8)).astype(np.float32), 2, 4)
    made = KeyedVectors(
        words, subwords.with_own(words, rng.standard_normal((6, 8)).astype(np.float32)), subwords=subwords
    )
    made.save(tmp_path / "a.bin")
    peer = gensim.load_facebook_vectors(str(tmp_path / "a.bin"))
    for word in ("otter", "ottery", "riverside", "江水", "é" * 50, "x", "otter river"):
        assert np.allclose(made[word], peer[word], atol=1e-6)
        assert word in made
    same(made.most_similar("ottering", topn=3), peer.most_similar("ottering", topn=3))
    same(made.most_similar(["otter", "ottering"], topn=3), peer.most_similar(["otter", "ottering"], topn=3))
    assert made.similarity("ottery", "riverly") == pytest.approx(
        peer.similarity("ottery", "riverly"), abs=1e-6
    )
    assert made["\ud800 otter"].shape == (8,)


def test_words_without_any_vector() -> None:
    subwords = Subwords(np.ones((5, 2), np.float32), 4, 5)
    made = KeyedVectors(["long", "words"], np.ones((2, 2), np.float32), subwords=subwords)
    assert "x" not in made
    with pytest.raises(KeyError, match="too short for any n-gram"):
        made["x"]
    bare = KeyedVectors(["a", "b"], np.ones((2, 2), np.float32))
    for call in (
        lambda: bare["x"],
        lambda: bare.most_similar("x"),
        lambda: bare.similarity("a", "x"),
        lambda: bare[5],
    ):
        with pytest.raises(KeyError, match="is not one of the 2 words of the vocabulary"):
            call()


# ---- 8 bits ----


def test_quantized(ours: KeyedVectors, matrix: Array, tmp_path: Path) -> None:
    small = ours.quantize()
    assert small.codes is not None
    assert small.codes.nbytes * 4 == matrix.nbytes
    assert small.quantize() is small
    off = np.linalg.norm(small.vectors - matrix, axis=1) / np.linalg.norm(matrix, axis=1)
    assert ours.quantization_loss() == pytest.approx(off.mean(), rel=1e-4)
    assert 0.001 < off.mean() < 0.01
    largest = np.abs(matrix).max(1)
    assert (np.abs(small.vectors - matrix) <= largest[:, None] / 127 * 0.501).all()
    # Answers are those of the vectors that the codes stand for.
    wide = KeyedVectors(ours.index_to_key, small.vectors)
    for word in ("w1", "w2"):
        same(small.most_similar(word, topn=50), wide.most_similar(word, topn=50))
        same(small.most_similar_cosmul([word, "w3"], "w9"), wide.most_similar_cosmul([word, "w3"], "w9"))
    assert np.allclose(small.most_similar("w1", topn=None), wide.most_similar("w1", topn=None), atol=1e-6)
    for name in ("a.safetensors", "a.txt", "a.bin"):
        small.save(tmp_path / name, digits=0)
        again = KeyedVectors.load(tmp_path / name)
        assert (again.vectors == small.vectors).all()
    assert (again.codes is None, KeyedVectors.load(tmp_path / "a.safetensors").codes is None) == (True, False)


def test_quantized_subwords(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    subwords = Subwords(rng.standard_normal((50, 6)).astype(np.float32))
    made = KeyedVectors(["river"], rng.standard_normal((1, 6)), subwords=subwords).quantize()
    made.save(tmp_path / "a.safetensors")
    again = KeyedVectors.load(tmp_path / "a.safetensors")
    assert (again["otter"] == made["otter"]).all()
    assert np.allclose(again["otter"], subwords.vectors_of(["otter"])[0], atol=0.05)


def test_rows_of_zeros() -> None:
    made = KeyedVectors(["zero", "one", "two"], [[0, 0], [1, 0], [1, 1]])
    assert made.most_similar("one") == [("two", pytest.approx(0.5**0.5)), ("zero", 0.0)]
    assert made.similarity("zero", "one") == 0
    assert made.quantize().most_similar("one")[1] == ("zero", 0.0)


# ---- wrong use ----


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda kv: kv.most_similar(), "the mean of nothing"),
        (lambda kv: kv.most_similar([]), "the mean of nothing"),
        (lambda kv: kv.most_similar(np.ones(3)), "a vector must be 37 finite numbers"),
        (lambda kv: kv.most_similar(np.full(DIM, np.nan)), "a vector must be 37 finite numbers"),
        (lambda kv: kv.most_similar_cosmul(negative="w1"), "nothing to be similar to"),
        (lambda kv: kv.most_similar_cosmul([("w1", 2.0)]), "takes no weights"),
        (lambda kv: kv.get_mean_vector(["w1"], [1, 2]), "1 keys need as many weights"),
        (lambda kv: kv.doesnt_match([]), "none of these words has a vector"),
        (lambda kv: kv.n_similarity([], ["w1"]), "the mean of nothing"),
        (lambda kv: kv.load_word2vec_format("x", binary=True, no_header=True), "binary files have a header"),
        (lambda kv: kv.save_word2vec_format("x", binary=True, write_header=False), "files need a header"),
        (lambda kv: kv.save("x.pkl"), "does not say which format"),
        (lambda kv: kv.save("x.txt", format="csv"), "format must be one of"),
        (lambda kv: kv.save("x.safetensors.gz"), "leave out .gz"),
        (lambda _: KeyedVectors(["a", "a"], np.ones((2, 2))), "2 words, but only 1 different"),
        (lambda _: KeyedVectors(["a"], np.ones((2, 2))), "1 words need float32 vectors"),
        (lambda _: KeyedVectors(["a"], np.ones(2)), "1 words need float32 vectors"),
        (lambda _: KeyedVectors(["a"], np.ones((1, 2)), counts=[1, 2]), "as many counts"),
        (lambda _: KeyedVectors(["a"], [[1, 2]], subwords=Subwords(np.float32([[1, 2, 3]]))), "3 dimensions"),
        (lambda _: Subwords(np.ones(3, np.float32)), "subword vectors must be"),
        (lambda _: Subwords(np.ones((3, 3))), "subword vectors must be"),
        (lambda _: Subwords(np.ones((3, 3), np.float32), -1, 3), "not possible"),
    ],
)  # fmt: skip
def test_wrong_use(ours: KeyedVectors, call: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        call(ours)


def test_what_is_no_number_names_its_word() -> None:
    rows = np.ones((3, 2), np.float32)
    rows[1, 1] = np.nan
    bad = KeyedVectors(["a", "b", "c"], rows)
    for call in (lambda: bad.most_similar("a"), bad.quantize):
        with pytest.raises(DataError, match="the vector of 'b': row 1 holds NaN or an infinity"):
            call()
