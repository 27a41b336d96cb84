"""Word pairs and analogies: files as they stand, and the numbers of gensim."""

from __future__ import annotations

import gzip
import math
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nlptk.errors import ConfigError, DataError
from nlptk.vectors.evaluation import (
    correlation,
    evaluate_word_analogies,
    evaluate_word_pairs,
    score_word_analogies,
    score_word_pairs,
)
from nlptk.vectors.evaluation_files import kind_of, read_analogies, read_word_pairs

Table = tuple[list[str], npt.NDArray[np.float32]]

ANALOGIES = """: capital-of
Athens Greece Rome Italy
Athens Greece Oslo Norway
Athens Greece Rome Atlantis
three words only

: gram1-plural
cat cats dog dogs
dog dogs cat cats
"""


NOUNS = ["greece", "italy", "norway", "athens", "rome", "oslo", "cat", "dog", "cats", "dogs"]


def table(words: list[str], seed: int = 0, dim: int = 8) -> Table:
    return words, np.random.default_rng(seed).normal(size=(len(words), dim)).astype(np.float32)


def capitals() -> Table:
    """Words for which both kinds of question have right answers."""
    words, rows = table([*NOUNS, "the", "of"], dim=32)
    index = {word: i for i, word in enumerate(words)}
    for capital, country in [("athens", "greece"), ("rome", "italy"), ("oslo", "norway")]:
        rows[index[country]] = rows[index[capital]] + 6 * np.eye(32, dtype=np.float32)[0]
    return words, rows


@pytest.fixture
def analogies(tmp_path: Path) -> Path:
    path = tmp_path / "questions.txt"
    path.write_text(ANALOGIES, "utf-8")
    return path


def pairs_file(folder: Path, text: str, name: str = "pairs.tsv") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


# ---- files ----


@pytest.mark.parametrize(
    ("text", "pairs", "scores"),
    [
        ("# Word 1\tWord 2\tHuman (mean)\ncat\tdog\t7.5\nsun\tsea\t2\n", 2, [7.5, 2.0]),
        ("Word 1,Word 2,Human (mean)\ncat,dog,7.5\nsun,sea,2\n", 2, [7.5, 2.0]),
        ("word1\tword2\tPOS\tconc\tSimLex999\ncat\tdog\tN\t1.5\t7.5\nsun\tsea\tN\t9\t2\n", 2, [7.5, 2.0]),
        ("cat dog 7.5\r\nsun sea 2\r\n", 2, [7.5, 2.0]),
        ("1\tcat\t dog \t7.5\n2\tsun\tsea\t2", 2, [7.5, 2.0]),
        ("\ufeffcat\tdog\t7.5\nsun\tsea\tmany\nsun\tsea\t2\n", 2, [7.5, 2.0]),
    ],
)
def test_pairs_in_many_layouts(tmp_path: Path, text: str, pairs: int, scores: list[float]) -> None:
    path = pairs_file(tmp_path, text)
    assert kind_of(path) == "pairs"
    data = read_word_pairs(path)
    assert data.scores == scores
    assert data.pairs == [("cat", "dog"), ("sun", "sea")][:pairs]
    assert data.skipped == ("many" in text)


def test_analogies_by_section(analogies: Path, tmp_path: Path) -> None:
    assert kind_of(analogies) == "analogies"
    data = read_analogies(analogies)
    assert [(name, len(questions)) for name, questions in data.sections] == [
        ("capital-of", 3),
        ("gram1-plural", 2),
    ]
    assert data.skipped == 1
    zipped = tmp_path / "questions.gz"
    zipped.write_bytes(gzip.compress(ANALOGIES.replace("\n", "\r\n").encode()))
    assert read_analogies(zipped) == data


@pytest.mark.parametrize("text", ["", "# a comment is no test set\n", "one\ttwo\n", "prose is no test set\n"])
def test_a_file_that_is_neither(tmp_path: Path, text: str) -> None:
    path = pairs_file(tmp_path, text)
    with pytest.raises(DataError, match=r"pairs\.tsv holds neither word pairs .* nor analogies"):
        kind_of(path)
    with pytest.raises(DataError, match="holds no word pairs"):
        read_word_pairs(path)
    with pytest.raises(DataError, match="holds no analogies"):
        read_analogies(path)


def test_questions_before_a_section_are_named(tmp_path: Path) -> None:
    path = pairs_file(tmp_path, "a b c d\n")
    assert kind_of(path) == "analogies"
    with pytest.raises(DataError, match="line 1: a question before any section"):
        read_analogies(path)


def test_bytes_that_are_not_utf8_are_named_by_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.tsv"
    path.write_bytes(b"cat\tdog\t1\ncaf\xe9\ttea\t2\n")
    with pytest.raises(DataError, match=r"bad\.tsv, line 2: byte 0xe9"):
        read_word_pairs(path)


@pytest.mark.parametrize(
    ("name", "kind", "count"),
    [
        ("en/wordsim353.tsv.gz", "pairs", 353),
        ("en/simlex999.txt.gz", "pairs", 999),
        ("zh/cwe-240.txt.gz", "pairs", 240),
        ("zh/cwe-297.txt.gz", "pairs", 297),
        ("en/questions-words.txt.gz", "analogies", 19544),
        ("zh/CA8-morphological.txt.gz", "analogies", 10177),
        ("zh/CA8-semantic.txt.gz", "analogies", 7636),
        ("zh/ca_translated.txt.gz", "analogies", 953),
    ],
)
def test_published_test_sets_are_read_whole(data_dir: Path, name: str, kind: str, count: int) -> None:
    path = data_dir / "wordvec-eval" / name
    assert kind_of(path) == kind
    if kind == "pairs":
        pairs = read_word_pairs(path)
        assert (len(pairs.pairs), pairs.skipped) == (count, 0)
    else:
        analogies = read_analogies(path)
        assert (sum(len(questions) for _, questions in analogies.sections), analogies.skipped) == (count, 0)


# ---- against gensim ----

_LETTERS = st.sampled_from("abcd")
_WORD = st.builds(lambda letter, upper: letter.upper() if upper else letter, _LETTERS, st.booleans())


@given(
    words=st.lists(st.one_of(_WORD, st.sampled_from("efghijklmno")), min_size=4, unique=True),
    questions=st.lists(st.tuples(_WORD, _WORD, _WORD, _WORD), min_size=1, max_size=8),
    seed=st.integers(0, 99),
    limit=st.integers(1, 12),
    folded=st.booleans(),
    dummy=st.booleans(),
)
def test_analogies_are_gensims(
    tmp_path_factory: pytest.TempPathFactory,
    words: list[str],
    questions: list[tuple[str, str, str, str]],
    seed: int,
    limit: int,
    folded: bool,
    dummy: bool,
) -> None:
    gensim = pytest.importorskip("gensim.models")
    words, rows = table(words, seed)
    peer = gensim.KeyedVectors(rows.shape[1])
    peer.add_vectors(words, rows)
    path = tmp_path_factory.getbasetemp() / "questions.txt"
    path.write_text(": one\n" + "\n".join(map(" ".join, questions)) + "\n", "utf-8")
    options = {"restrict_vocab": limit, "case_insensitive": folded, "dummy4unknown": dummy}
    assert evaluate_word_analogies((words, rows), path, **options) == peer.evaluate_word_analogies(  # type: ignore[arg-type]
        str(path), **options
    )


@given(
    pairs=st.lists(st.tuples(_WORD, _WORD, st.integers(0, 9)), min_size=3, max_size=12),
    seed=st.integers(0, 99),
    folded=st.booleans(),
    dummy=st.booleans(),
)
@example(pairs=[("b", "d", 0), ("b", "d", 0), ("b", "d", 1)], seed=0, folded=True, dummy=False)
def test_word_pairs_are_gensims(
    tmp_path_factory: pytest.TempPathFactory,
    pairs: list[tuple[str, str, int]],
    seed: int,
    folded: bool,
    dummy: bool,
) -> None:
    gensim = pytest.importorskip("gensim.models")
    # A word's cosine with itself is 1 but for rounding, which decides ranks: such pairs are left out.
    pairs = [pair for pair in pairs if pair[0].upper() != pair[1].upper()]
    words, rows = table(["a", "b", "B", "D", "x"], seed)
    peer = gensim.KeyedVectors(rows.shape[1])
    peer.add_vectors(words, rows)
    path = tmp_path_factory.getbasetemp() / "pairs.tsv"
    path.write_text("".join(f"{a}\t{b}\t{score}\n" for a, b, score in pairs), "utf-8")
    options = {"case_insensitive": folded, "dummy4unknown": dummy}
    known = {word.upper() for word in words} if folded else set(words)
    used = [p for p in pairs if dummy or all((w.upper() if folded else w) in known for w in p[:2])]
    if len(used) < 3:
        return  # gensim gives no p-value for two
    pearson, spearman, unknown = evaluate_word_pairs((words, rows), path, **options)  # type: ignore[arg-type]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # equal scores have no correlation
        theirs = peer.evaluate_word_pairs(str(path), **options)
    assert unknown == theirs[2]
    np.testing.assert_allclose([*pearson, *spearman], [*theirs[0], *theirs[1]], rtol=1e-4, atol=1e-5)


@pytest.mark.filterwarnings("ignore:.*init_sims:DeprecationWarning")
def test_3cosmul_is_gensims(analogies: Path) -> None:
    gensim = pytest.importorskip("gensim.models")
    words, rows = table([*NOUNS, *"qrstuvw"], 5)
    peer = gensim.KeyedVectors(rows.shape[1])
    peer.add_vectors(words, rows)
    questions = [q for _, qs in read_analogies(analogies).sections for q in qs if "Atlantis" not in q]
    right = {
        (a, b, c, d)
        for a, b, c, d in (tuple(map(str.lower, q)) for q in questions)
        if peer.most_similar_cosmul([b, c], [a], topn=1)[0][0] == d
    }
    scores = score_word_analogies((words, rows), analogies, method="mul")
    assert {tuple(map(str.lower, q)) for q in scores.total.correct} == right


# ---- what the numbers mean ----


def test_scores_by_section_and_group(analogies: Path) -> None:
    scores = score_word_analogies(capitals(), analogies)
    first, second = scores.sections
    assert (first.accuracy, first.unknown, len(first.correct)) == (1.0, 1, 2)
    assert (len(second.correct) + len(second.incorrect), second.unknown) == (2, 0)
    assert [(group.name, len(group.correct)) for group in scores.groups] == [
        ("semantic", 2),
        ("syntactic", len(second.correct)),
    ]
    assert (scores.questions, scores.coverage, scores.skipped) == (5, 0.8, 1)
    assert score_word_analogies(capitals(), analogies, dummy4unknown=True).sections[0].accuracy == 2 / 3


def test_many_rows_in_blocks_give_the_same_answers(analogies: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words, rows = capitals()
    words = [*(f"w{i}" for i in range(5000)), *words]
    rows = np.concatenate([table(words[:5000], 3, 32)[1], rows])
    whole = score_word_analogies((words, rows), analogies, restrict_vocab=None)
    monkeypatch.setattr("nlptk.vectors.analogies._CELLS", 1)
    assert score_word_analogies((words, rows), analogies, restrict_vocab=None) == whole
    assert len(whole.total.correct) >= 2


def test_unknown_words_by_subwords(tmp_path: Path) -> None:
    class Subworded:
        index_to_key, vectors = table(["cat", "dog"])

        def get_vector(self, word: str) -> npt.NDArray[np.float32]:
            if word == "?":
                raise KeyError(word)
            return self.vectors[0] if word == "catlike" else self.vectors[1]

    path = pairs_file(tmp_path, "cat\tdog\t1\ncat\tcatlike\t9\ncat\t?\t4\n")
    assert score_word_pairs(Subworded(), path).unknown == 2
    scores = score_word_pairs(Subworded(), path, subwords=True)
    assert (scores.unknown, scores.spearman.statistic) == (1, 1.0)
    with pytest.raises(ConfigError, match="KeyedVectors"):
        score_word_pairs(table(["cat"]), path, subwords=True)


def test_vectors_of_zeros_are_similar_to_nothing(tmp_path: Path, analogies: Path) -> None:
    words, rows = capitals()
    rows[:] = 0
    path = pairs_file(tmp_path, "cat\tdog\t1\ncats\tdogs\t2\n")
    assert math.isnan(score_word_pairs((words, rows), path).spearman.statistic)
    assert score_word_analogies((words, rows), analogies).total.accuracy < 1


def test_correlation_of_little() -> None:
    assert math.isnan(correlation(np.ones(1), np.ones(1)).statistic)
    assert math.isnan(correlation(np.ones(3), np.arange(3.0)).pvalue)
    for equal in (0.1, 0.7, -0.85, 1e-300):  # the mean of three of some is another number
        for n in (3, 10, 37):
            for x, y in (
                (np.full(n, equal), np.arange(n, dtype=float)),
                (np.arange(n) ** 2.0, np.full(n, equal)),
            ):
                assert math.isnan(correlation(x, y).statistic)
                assert math.isnan(correlation(x, y).pvalue)
    assert correlation(np.arange(2.0), np.arange(2.0)) == (1.0, 1.0)
    assert correlation(np.arange(5.0), -np.arange(5.0)) == (-1.0, 0.0)


def test_bad_vectors_are_named(tmp_path: Path, analogies: Path) -> None:
    words, rows = capitals()
    with pytest.raises(ConfigError, match="12 words but 3 vectors"):
        score_word_analogies((words, rows[:3]), analogies)
    with pytest.raises(ConfigError, match="restrict_vocab is 0"):
        score_word_analogies((words, rows), analogies, restrict_vocab=0)
    with pytest.raises(ConfigError, match="method 'cos'"):
        score_word_analogies((words, rows), analogies, method="cos")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="no pair has vectors"):
        score_word_pairs((words, rows), pairs_file(tmp_path, "un\tdeux\t3\n"))
    rows[2, 1] = np.nan
    with pytest.raises(DataError, match="vector of 'norway' holds NaN"):
        score_word_analogies((words, rows), analogies)
