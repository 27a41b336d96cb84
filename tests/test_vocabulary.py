"""Vocabularies, one-hot rows and vectors of documents."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from nlptk import DocumentVectors, KeyedVectors, OneHotVectorizer, Vocabulary
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.store import pack, unpack

DOCUMENTS = [["the", "cat", "sat"], ["the", "dog"], [], ["cat", "the", "unicorn"]]
_tokens = st.sampled_from(["a", "b", "ab", "", "日本", "\ud800", "<unk>", "x\x00"])
_documents = st.lists(st.lists(_tokens, max_size=6), max_size=6)


def vectors() -> KeyedVectors:
    words = ["the", "cat", "dog", "sat", "mat"]
    return KeyedVectors(words, np.random.default_rng(5).normal(size=(5, 4)))


# ---- vocabularies ----


@given(_documents, st.integers(1, 3), st.one_of(st.none(), st.integers(2, 5)))
def test_order_and_sizes(documents: list[list[str]], min_count: int, max_size: int | None) -> None:
    vocabulary = Vocabulary.build(documents, min_count=min_count, max_size=max_size, special=["<pad>"])
    counts = Counter(token for document in documents for token in document)
    seen = counts.pop("<unk>", 0)
    rest = sorted((token for token in counts if counts[token] >= min_count), key=lambda t: (-counts[t], t))
    expected = ["<pad>", "<unk>", *rest][:max_size]
    assert vocabulary.tokens == expected
    assert vocabulary.counts is not None
    assert vocabulary.counts.tolist() == [0, seen, *(counts[token] for token in expected[2:])]
    ids, offsets = vocabulary.encode_batch(documents)
    assert [vocabulary[token] for document in documents for token in document] == ids.tolist()
    assert offsets.tolist() == np.cumsum([0, *map(len, documents)]).tolist()
    known = [token if token in vocabulary else "<unk>" for document in documents for token in document]
    assert vocabulary.decode(ids) == known
    config, arrays = vocabulary.to_state()
    again = Vocabulary.from_state(config, unpack(pack(arrays, "it"), "it"))
    assert again == vocabulary
    assert again.counts is not None
    assert again.counts.tolist() == vocabulary.counts.tolist()


def test_unknown_tokens() -> None:
    vocabulary = Vocabulary.build(DOCUMENTS, unknown=None, min_count=2)
    assert vocabulary.tokens == ["the", "cat"]
    assert vocabulary.encode(["cat", "the"]).tolist() == [1, 0]
    assert vocabulary.encode(["cat", "the"]).dtype == np.int32
    with pytest.raises(DataError, match="document 1 holds a token that is not in the vocabulary"):
        vocabulary.encode_batch([["the"], ["dog"]])
    with pytest.raises(KeyError, match="'dog' is not one of the 2 tokens"):
        vocabulary["dog"]
    for number in (-1, 2):
        with pytest.raises(DataError, match="not the number of one of the 2 tokens"):
            vocabulary.decode([number])
    assert Vocabulary.build([], special=["<unk>", "<s>"]).tokens == ["<unk>", "<s>"]


def test_a_str_subclass_is_a_token() -> None:
    class Name(str):
        pass

    assert Vocabulary(["a", "b"]).encode([Name("b"), "a"]).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Vocabulary(["a", "b", "a"]), "'a' stands twice"),
        (lambda: Vocabulary(["a"], unknown="b"), "'b', is not in the vocabulary"),
        (lambda: Vocabulary(["a"], counts=[1, 2]), "1 tokens need as many counts"),
        (lambda: Vocabulary([1]), "made of strings"),
        (lambda: Vocabulary.build([], min_count=0), "min_count must be at least 1"),
        (lambda: Vocabulary.build([], max_size=1, special=["<pad>"]), "does not hold the 2 special tokens"),
        (lambda: Vocabulary.build([], special="<pad>"), "a list of strings, not one string"),
        (lambda: Vocabulary.build([], special=["<s>", "<s>"]), "'<s>' stands twice"),
    ],
)
def test_vocabularies_that_are_none(make: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()


@pytest.mark.parametrize("documents", ["text", ["a text"], [["a", 1]], [3]])
def test_documents_that_are_none(documents: Any) -> None:
    vocabulary = Vocabulary(["a"], unknown="a")
    for use in (
        Vocabulary.build,
        vocabulary.encode_batch,
        OneHotVectorizer().fit,
        DocumentVectors(vectors()).fit,
    ):
        with pytest.raises(DataError, match=r"list of words|lists of words|no string"):
            use(documents)


def test_altered_vocabularies_are_refused() -> None:
    config, arrays = Vocabulary.build(DOCUMENTS).to_state()
    for change in ({"counts": arrays["counts"][1:]}, {"terms": arrays["terms"][1:]}, {"offsets": None}):
        with pytest.raises(ModelError, match=r"altered|lacks"):
            Vocabulary.from_state(config, arrays | change)
    for wrong in ({}, {"unknown": "<?>"}):
        with pytest.raises(ModelError, match="altered"):
            Vocabulary.from_state(wrong, arrays)


# ---- one-hot rows ----


def test_rows_of_tokens() -> None:
    made = OneHotVectorizer(min_count=2)
    matrix, offsets = made.fit_transform(DOCUMENTS)
    assert made.get_feature_names_out().tolist() == ["<unk>", "the", "cat"]
    assert offsets.tolist() == [0, 3, 5, 5, 8]
    assert matrix.dtype == np.float32
    assert matrix.toarray().argmax(axis=1).tolist() == [1, 2, 0, 1, 0, 2, 1, 0]
    assert matrix.sum(axis=1).A1.tolist() == [1] * 8
    without, _ = OneHotVectorizer(min_count=2, unknown=None).fit_transform(DOCUMENTS)
    assert without.toarray().tolist() == matrix.toarray()[:, 1:].tolist()
    assert OneHotVectorizer(vocabulary=Vocabulary(["b"])).fit([]).transform([]).matrix.shape == (0, 1)
    texts = OneHotVectorizer(tokenizer="en").fit(["I do", "don't"])
    assert texts.transform(["don't"]).matrix.shape == (2, 4)


def test_states_of_one_hot() -> None:
    made = OneHotVectorizer(tokenizer="en").fit(["the cat", "the dog"])
    config, arrays = made.to_state()
    again = OneHotVectorizer.from_state(config, unpack(pack(arrays, "it"), "it"))
    assert (again.transform(["a cat"]).matrix != made.transform(["a cat"]).matrix).nnz == 0
    with pytest.raises(ModelError, match="altered"):
        OneHotVectorizer.from_state({}, arrays)
    with pytest.raises(ConfigError, match="code"):
        OneHotVectorizer(tokenizer=str.split).fit(["a"]).to_state()
    with pytest.raises(NotFittedError):
        OneHotVectorizer().transform(DOCUMENTS)


# ---- vectors of documents ----


def test_means() -> None:
    kv = vectors()
    found = DocumentVectors(kv).fit_transform(DOCUMENTS)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[0], kv[["the", "cat", "sat"]].mean(0), rtol=1e-5)
    np.testing.assert_allclose(found[3], kv[["the", "cat"]].mean(0), rtol=1e-5)  # a unicorn has no vector
    assert found[2].tolist() == [0] * 4
    made = DocumentVectors(kv, tokenizer=str.split).fit(["the"])
    np.testing.assert_allclose(made.transform(["dog the dog"])[0], (2 * kv["dog"] + kv["the"]) / 3, rtol=1e-5)


def test_weights_of_tfidf() -> None:
    kv = vectors()
    made = DocumentVectors(kv, "tfidf").fit(DOCUMENTS)
    oracle = TfidfVectorizer(analyzer=list, norm=None).fit(DOCUMENTS)
    for document in ([*DOCUMENTS[0], "the"], DOCUMENTS[3]):
        row = oracle.transform([document]).toarray()[0]
        words = [word for word in oracle.vocabulary_ if word in kv]
        weights = row[[oracle.vocabulary_[word] for word in words]]
        np.testing.assert_allclose(
            made.transform([document])[0], weights @ kv[words] / weights.sum(), rtol=1e-5, atol=1e-6
        )
    np.testing.assert_allclose(made.transform([["mat", "mat"]])[0], kv["mat"], rtol=1e-5)


def test_sif_is_the_papers() -> None:
    kv = vectors()
    made = DocumentVectors(kv, "sif", a=0.01)
    found = made.fit_transform(DOCUMENTS)
    counts = Counter(token for document in DOCUMENTS for token in document)
    rows = np.zeros((4, 4))
    for row, document in zip(rows, DOCUMENTS, strict=True):
        known = [word for word in document if word in kv]
        for word in known:
            row += 0.01 / (0.01 + counts[word] / counts.total()) * kv[word] / len(known)
    first = np.linalg.svd(rows)[2][0]
    np.testing.assert_allclose(found, rows - np.outer(rows @ first, first), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(made.transform(DOCUMENTS), found, rtol=1e-6)
    unseen = kv["mat"] - (kv["mat"] @ first) * first
    np.testing.assert_allclose(made.transform([["mat"]])[0], unseen, rtol=1e-4, atol=1e-6)


def test_documents_in_a_pipeline() -> None:
    kv = vectors()
    made = make_pipeline(DocumentVectors(kv), LinearSVC()).fit(DOCUMENTS * 3, [0, 1, 0, 0] * 3)
    assert made.predict([["dog"]]).tolist() == [1]
    copied = clone(made[0])
    assert copied.vectors is kv
    assert copied.fit(DOCUMENTS).get_feature_names_out().tolist() == [f"documentvectors{i}" for i in range(4)]


@pytest.mark.parametrize("how", ["mean", "tfidf", "sif"])
def test_states_of_document_vectors(how: str) -> None:
    kv = vectors()
    made = DocumentVectors(kv, how).fit([*DOCUMENTS, ["\ud800"]])
    config, arrays = made.to_state()
    again = DocumentVectors.from_state(config, unpack(pack(arrays, "it"), "it"), kv)
    assert np.array_equal(again.transform(DOCUMENTS), made.transform(DOCUMENTS))
    for change in ({"weights": np.zeros(99)}, {"component": arrays["component"] * np.nan}, {"terms": None}):
        with pytest.raises(ModelError, match=r"altered|lacks"):
            DocumentVectors.from_state(config, arrays | change, kv)
    with pytest.raises(ModelError, match="altered"):
        DocumentVectors.from_state({}, arrays, kv)
    with pytest.raises(ModelError, match="4 numbers, not 2"):
        DocumentVectors.from_state(config, arrays, KeyedVectors(["a"], np.ones((1, 2))))


def test_document_vectors_that_are_none() -> None:
    for settings in ({"how": "max"}, {"a": 0}, {"vectors": {}}):
        with pytest.raises(ConfigError, match=r"how must|a must|vectors must"):
            DocumentVectors(**{"vectors": vectors(), **settings}).fit(DOCUMENTS)
    with pytest.raises(DataError, match="no documents"):
        DocumentVectors(vectors()).fit([])
    with pytest.raises(DataError, match="document 1 is float"):
        DocumentVectors(vectors(), tokenizer="en").fit(["a", np.nan])
    with pytest.raises(DataError, match="not one string"):
        DocumentVectors(vectors(), tokenizer="en").fit("a")
    with pytest.raises(NotFittedError):
        DocumentVectors(vectors()).transform(DOCUMENTS)
