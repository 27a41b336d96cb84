"""CountVectorizer, TfidfVectorizer and HashingVectorizer against scikit-learn's of those names."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.feature_extraction.text as theirs
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

import nlptk
from nlptk.errors import ConfigError, DataError
from nlptk.tokenize.jieba import JiebaTokenizer
from nlptk.vectors import counts as ours

# Dotted I and final sigma (whose lower case is no table's), marks, digits of many kinds, Han, astral letters,
# odd white space, NUL, surrogates, letters that are neither alphabetic nor numeric.
_WORDS = (
    "The the cat x a_b don't İstanbul ΟΔΟΣ ΑΣ. Σ naïve ß Ⓐ e\u0301te ²³ ⅷx 日本語 一个 𝔘𝔫𝔦 \u2028\u2028 \t\n "
    "\x00b b\x00 ǅ ﬁne of OF"
)
_PIECES = [*_WORDS.split(" "), "\ud800ab", "\udc00\ud800", "  ", "\u3000", ""]
_texts = st.lists(
    st.one_of(
        st.lists(st.sampled_from(_PIECES), max_size=12).map(" ".join),
        st.text(max_size=20),
        st.lists(st.sampled_from(_PIECES), max_size=6).map("".join),
    ),
    min_size=1,
    max_size=12,
)
SMALL = ["The cat sat on the mat.", "A cat, a CAT and a dog", "", "dog\x00eat dog"]


def same_matrix(a: Any, b: Any) -> None:
    assert type(a) is type(b)
    assert (a.shape, a.dtype, a.indices.dtype, a.indptr.dtype) == (
        b.shape,
        b.dtype,
        b.indices.dtype,
        b.indptr.dtype,
    )
    a, b = a.copy(), b.copy()
    a.sort_indices()
    b.sort_indices()
    assert np.array_equal(a.indptr, b.indptr)
    assert np.array_equal(a.indices, b.indices)
    np.testing.assert_allclose(b.data, a.data, rtol=1e-13 if a.dtype == np.float64 else 1e-6, atol=0)


def outcome(vectorizer: Any, documents: Iterable[str]) -> Any:
    """The matrix, or what the error says."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return vectorizer.fit_transform(documents)
        except ValueError as error:
            return str(error)


def compare(name: str, documents: list[str], more: list[str], **settings: Any) -> None:
    their, our = getattr(theirs, name)(**settings), getattr(ours, name)(**settings)
    expected, found = outcome(their, documents), outcome(our, documents)
    if isinstance(expected, str):
        assert found == expected
        return
    same_matrix(expected, found)
    if name != "HashingVectorizer":
        assert our.vocabulary_ == their.vocabulary_
        assert our.get_feature_names_out().tolist() == their.get_feature_names_out().tolist()
    same_matrix(their.transform(more), our.transform(more))


_of_both = {
    "lowercase": st.booleans(),
    "binary": st.booleans(),
    "dtype": st.sampled_from([np.float64, np.float32]),
}
_of_words = {
    "ngram_range": st.sampled_from([(1, 1), (1, 2), (2, 2), (2, 4)]),
    "stop_words": st.sampled_from([None, ["the", "cat"], "english"]),
    "token_pattern": st.sampled_from(
        [r"(?u)\b\w\w+\b", r"(?u)\b\w+\b", r"\w\w+", r"\S+", "[a-z]+", r"(\w)\w*"]
    ),
    "tokenizer": st.sampled_from([None, None, str.split]),
}
_of_chars = {
    "analyzer": st.sampled_from(["char", "char_wb"]),
    "ngram_range": st.sampled_from([(1, 1), (1, 3), (2, 2), (3, 9)]),
}
_of_python = {
    "strip_accents": st.sampled_from([None, None, "unicode", "ascii"]),
    "preprocessor": st.sampled_from([None, None, str.swapcase]),
}
_of_terms = {
    "min_df": st.sampled_from([1, 2, 0.3]),
    "max_df": st.sampled_from([1.0, 0.7, 3]),
    "max_features": st.sampled_from([None, 1, 4]),
}
_analysis = st.one_of(
    st.fixed_dictionaries(_of_both | _of_words | _of_python),
    st.fixed_dictionaries(_of_both | _of_chars | _of_python),
)


@settings(max_examples=150, deadline=None)
@given(_texts, _texts, _analysis, st.fixed_dictionaries(_of_terms))
def test_counts_are_those_of_scikit_learn(
    documents: list[str], more: list[str], analysis: dict[str, Any], terms: dict[str, Any]
) -> None:
    if analysis["dtype"] is np.float32:
        analysis["dtype"] = np.int64
    compare("CountVectorizer", documents, more, **analysis, **terms)


@settings(max_examples=150, deadline=None)
@given(
    _texts, _texts, _analysis, st.fixed_dictionaries(_of_terms), st.booleans(), st.sampled_from(["l1", None])
)
def test_weights_are_those_of_scikit_learn(
    documents: list[str],
    more: list[str],
    analysis: dict[str, Any],
    terms: dict[str, Any],
    flag: bool,
    norm: str | None,
) -> None:
    compare("TfidfVectorizer", documents, more, **analysis, **terms)
    compare("TfidfVectorizer", documents, more, **analysis, sublinear_tf=True, smooth_idf=flag, norm=norm)
    compare("TfidfVectorizer", documents, more, **analysis, use_idf=False)


@settings(max_examples=150, deadline=None)
@given(
    _texts, _analysis, st.sampled_from([1, 7, 2**20, 2**31 - 1]), st.booleans(), st.sampled_from(["l2", None])
)
def test_hashes_are_those_of_scikit_learn(
    documents: list[str], analysis: dict[str, Any], n_features: int, signs: bool, norm: str | None
) -> None:
    # scikit-learn cannot hash a surrogate.
    documents = [text.encode("utf-8", "ignore").decode() for text in documents]
    settings = analysis | {"n_features": n_features, "alternate_sign": signs, "norm": norm}
    compare("HashingVectorizer", documents, documents, **settings)


@pytest.mark.parametrize("between", ["", "y"])
@pytest.mark.parametrize(
    ("analyzer", "begin", "end"),
    [
        ("word", 0, 0x110000),
        ("word", 0, 0x100),
        *(
            (chars, *part)
            for chars in ("char", "char_wb")
            for part in ((0, 0x100), (0, 0x10000), (0x10000, 0x11000))
        ),
    ],
)
def test_every_character_is_read_as_python_reads_it(
    analyzer: str, begin: int, end: int, between: str
) -> None:
    text = between.join(map(chr, range(begin, end)))
    compare("CountVectorizer", [text], [text[::-1]], analyzer=analyzer)


def test_only_two_characters_need_pythons_lower() -> None:
    """What the binding hands to str.lower(); that of capital sigma depends on what stands about it."""
    assert [chr(c) for c in range(0x110000) if len(chr(c).lower()) != 1] == ["İ"]
    assert "ΑΣ".lower() != "ΑΣΑ".lower()[:2]


def test_a_million_characters_without_a_space() -> None:
    text = "ab" * 500_000
    assert ours.CountVectorizer().fit([text]).vocabulary_ == {text: 0}
    found = ours.CountVectorizer(analyzer="char", ngram_range=(1, 3)).fit_transform([text])
    assert found.toarray().tolist() == [[500_000, 500_000, 499_999, 500_000, 499_999, 499_999]]
    found = ours.CountVectorizer(analyzer="char_wb", ngram_range=(2, 2)).fit_transform([text])
    assert found.toarray().tolist() == [[1, 500_000, 1, 499_999]]
    compare(
        "CountVectorizer",
        [text[:9999], "b " + text[:9999]],
        [text[1:9999]],
        analyzer="char_wb",
        ngram_range=(2, 4),
    )


def test_columns_are_sorted_in_rows() -> None:
    for make in (ours.CountVectorizer, ours.TfidfVectorizer, ours.HashingVectorizer):
        matrix = make(ngram_range=(1, 2)).fit_transform(SMALL)
        assert all(np.diff(matrix[row].indices).min(initial=1) > 0 for row in range(len(SMALL)))
        assert matrix.has_canonical_format


@pytest.mark.parametrize("threads", ["1", "3"])
def test_threads_and_batches_change_nothing(threads: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NLPTK_NUM_THREADS", threads)
    monkeypatch.setattr(ours, "_BATCH", 300)
    words = np.random.default_rng(3).zipf(1.3, 20_000) % 5000
    documents = [" ".join(f"w{word}" for word in row) for row in words.reshape(1000, 20)]
    compare("TfidfVectorizer", documents, documents[::7], ngram_range=(1, 2), min_df=2, max_features=900)
    compare("HashingVectorizer", documents, documents[::7], n_features=1000)


def test_it_reads_bytes_files_and_generators(tmp_path: Path) -> None:
    files = []
    for number, text in enumerate(SMALL):
        (tmp_path / str(number)).write_text(text, encoding="utf-8")
        files.append(str(tmp_path / str(number)))
    expected = ours.CountVectorizer().fit_transform(SMALL)
    same_matrix(expected, ours.CountVectorizer().fit_transform(text.encode() for text in SMALL))
    same_matrix(expected, ours.CountVectorizer(input="filename").fit_transform(files))


@pytest.mark.parametrize("name", ["CountVectorizer", "TfidfVectorizer"])
@pytest.mark.parametrize("vocabulary", [["cat", "dog", "the"], {"dog": 0, "cat": 1}, {"zebra"}])
def test_a_chosenvocabulary(name: str, vocabulary: Any) -> None:
    compare(name, SMALL, ["cat cat zebra"], vocabulary=vocabulary)
    their = theirs.CountVectorizer(vocabulary=vocabulary).transform(SMALL)
    same_matrix(their, ours.CountVectorizer(vocabulary=vocabulary).transform(SMALL))


def test_what_only_python_can_do_is_left_to_scikit_learn() -> None:
    compare("CountVectorizer", SMALL, SMALL, analyzer=str.split)
    compare("CountVectorizer", SMALL, SMALL, ngram_range=(0, 1))
    compare("CountVectorizer", SMALL, SMALL, analyzer=lambda text: [len(word) for word in text.split()])
    compare("HashingVectorizer", SMALL, SMALL, analyzer=str.split)

    class Shouting(ours.CountVectorizer):  # type: ignore[misc]
        def build_analyzer(self) -> Any:
            plain = super().build_analyzer()
            return lambda text: [word + "!" for word in plain(text)]

    assert "cat!" in Shouting().fit(SMALL).vocabulary_


def test_warnings_are_those_of_scikit_learn() -> None:
    for module in (theirs, ours):
        with pytest.warns(UserWarning, match="token_pattern"):
            module.CountVectorizer(tokenizer=str.split).fit(SMALL)
        with pytest.warns(UserWarning, match="inconsistent"):
            module.CountVectorizer(stop_words=["don't"]).fit(SMALL)


# ---- tokenizers of nlptk ----


@pytest.mark.parametrize("tokenizer", ["jieba", JiebaTokenizer()])
def test_chinese_is_cut_by_jieba(tokenizer: Any) -> None:
    documents = ["我来到北京清华大学", "他来到了网易杭研大厦"]
    cut = JiebaTokenizer().cut
    their = theirs.TfidfVectorizer(tokenizer=cut, token_pattern=None, ngram_range=(1, 2))
    our = ours.TfidfVectorizer(tokenizer=tokenizer, ngram_range=(1, 2))
    same_matrix(their.fit_transform(documents), our.fit_transform(documents))
    assert our.vocabulary_ == their.vocabulary_
    assert "来到 北京" in our.vocabulary_


def test_whitespace_is_a_tokenizer() -> None:
    documents = [*SMALL, " What\u3000stands\xa0between\tspace, stays! ", "\u2028"]
    their = theirs.TfidfVectorizer(tokenizer=str.split, token_pattern=None, ngram_range=(1, 2))
    our = ours.TfidfVectorizer(tokenizer="whitespace", ngram_range=(1, 2))
    same_matrix(their.fit_transform(documents), our.fit_transform(documents))
    assert our.vocabulary_ == their.vocabulary_
    assert "space, stays!" in our.vocabulary_


def test_english_is_cut_by_rules() -> None:
    assert set(ours.CountVectorizer(tokenizer="en").fit(["I don't."]).vocabulary_) == {"i", "do", "n't", "."}
    hashed = ours.HashingVectorizer(tokenizer="en", n_features=2**18, alternate_sign=False, norm=None)
    assert hashed.transform(["I don't."]).sum() == 4


def test_a_tokenizer_that_there_is_not() -> None:
    with pytest.raises(ConfigError, match="no component 'klingon'"):
        ours.CountVectorizer(tokenizer="klingon").fit(SMALL)
    with pytest.raises(ConfigError, match="does not cut texts"):
        ours.CountVectorizer(tokenizer="sentencizer").fit(SMALL)


# ---- in scikit-learn's company ----


def test_pipelines_searches_and_columns() -> None:
    texts = [f"good film number {n}" if n % 2 else f"bad film number {n}" for n in range(24)]
    labels = [n % 2 for n in range(24)]
    search = GridSearchCV(
        make_pipeline(nlptk.TfidfVectorizer(), LinearSVC()),
        {"tfidfvectorizer__ngram_range": [(1, 1), (1, 2)], "tfidfvectorizer__tokenizer": [None, "en"]},
        cv=3,
    ).fit(texts, labels)
    assert search.best_score_ == 1
    columns = ColumnTransformer([("text", nlptk.CountVectorizer(), 0)])
    assert columns.fit_transform(np.array([texts]).T).shape[0] == 24
    assert "text__film" in columns.get_feature_names_out()
    copy_of = clone(nlptk.TfidfVectorizer(min_df=3, tokenizer="en"))
    assert copy_of.get_params() == nlptk.TfidfVectorizer(min_df=3, tokenizer="en").get_params()
    assert isinstance(copy_of, theirs.TfidfVectorizer)
    assert isinstance(copy_of, nlptk.CountVectorizer)


def test_copies_and_pickles_go_on() -> None:
    our = ours.TfidfVectorizer().fit(SMALL)
    expected = our.transform(SMALL)
    for other in (copy.deepcopy(our), pickle.loads(pickle.dumps(our))):
        same_matrix(expected, other.transform(SMALL))
    our.vocabulary_ = {"cat": 0}
    assert ours.CountVectorizer.transform(our, ["cat cat dog"]).toarray().tolist() == [[2]]


def test_what_was_fitted_is_inverted() -> None:
    our = ours.CountVectorizer().fit(SMALL)
    assert our.inverse_transform(our.transform(["the dog"]))[0].tolist() == ["dog", "the"]


# ---- bad input ----


@pytest.mark.parametrize("make", [ours.CountVectorizer, ours.TfidfVectorizer, ours.HashingVectorizer])
def test_documents_that_are_none(make: Any) -> None:
    with pytest.raises(DataError, match="document 1 is int: it must be a string"):
        make().fit_transform(["one", 2])
    with pytest.raises(ValueError, match=r"np\.nan is an invalid document"):
        make().fit_transform(["one", np.nan])
    with pytest.raises(ValueError, match="string object received"):
        make().fit_transform("one text")
    with pytest.raises(UnicodeDecodeError):
        make().fit_transform([b"\xff"])
    with pytest.raises(TypeError, match="a text must be str, not int"):
        make(tokenizer=lambda text: [1], token_pattern=None).fit_transform(["one"])


@pytest.mark.parametrize("documents", [[], [""], ["a b c"], ["the", "the"]])
def test_no_vocabulary_is_left(documents: list[str]) -> None:
    for chosen in ({"stop_words": ["the"]}, {"max_df": 1}, {"min_df": 3}):
        compare("CountVectorizer", documents, documents, **chosen)
    with pytest.raises(ValueError, match="empty"):
        ours.HashingVectorizer().transform([])


@pytest.mark.parametrize("make", [ours.CountVectorizer, ours.TfidfVectorizer])
def test_settings_that_are_none(make: Any) -> None:
    for wrong in ({"ngram_range": (2, 1)}, {"min_df": 2.5}, {"max_features": 0}, {"analyzer": "bytes"}):
        with pytest.raises(ValueError, match=r"ngram_range|min_df|max_features|analyzer"):
            make(**wrong).fit(SMALL)
    with pytest.raises(NotFittedError):
        make().transform(SMALL)
    with pytest.raises(ValueError, match="max_df corresponds to < documents than min_df"):
        make(min_df=3, max_df=1).fit(SMALL)


def test_scikit_learn_is_imported_when_a_vectorizer_is() -> None:
    code = """
import sys, nlptk
nlptk.Vocabulary(["a"])
assert not {"sklearn", "scipy", "torch"} & {*sys.modules}
nlptk.CountVectorizer, nlptk.DocumentVectors
assert "sklearn" in sys.modules and "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_documents_may_be_lists_of_words() -> None:
    texts = ["The cat  sat", "a Cat sat down", ""]
    lists = [text.split() for text in texts]
    for make in (ours.CountVectorizer, ours.TfidfVectorizer, ours.HashingVectorizer):
        from_words, from_texts = make(ngram_range=(1, 2)), make(ngram_range=(1, 2), token_pattern=r"\w+")
        wanted = from_texts.fit_transform(texts)
        assert abs(from_words.fit_transform(lists) - wanted).sum() == 0
        assert abs(from_words.transform([tuple(words) for words in lists]) - wanted).sum() == 0
    as_they_are = ours.CountVectorizer(lowercase=False).fit(lists)
    assert as_they_are.get_feature_names_out().tolist() == ["Cat", "The", "a", "cat", "down", "sat"]
    with pytest.raises(DataError, match="document 1 is str: it must be a list of words, as the first"):
        ours.CountVectorizer().fit([["a"], "b"])
    with pytest.raises(DataError, match="document 0 is list: it must be a string"):
        ours.CountVectorizer(analyzer="char").fit([["a"], ["b"]])
