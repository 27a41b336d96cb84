"""Component word_vectors: vectors and similarity of Docs, unseen words, saving, processes."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest

import nlptk
from nlptk import Doc, Language
from nlptk.errors import ConfigError, ModelError
from nlptk.vectors import component as module
from nlptk.vectors.component import WordVectorsComponent
from nlptk.vectors.keyed_vectors import KeyedVectors
from nlptk.vectors.subwords import Subwords

WORDS = ["the", "cat", "dog", "sat", "Paris", "猫", "坐"]


def keyed(subwords: bool = False, seed: int = 0) -> KeyedVectors:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(len(WORDS), 6)).astype(np.float32)
    buckets = rng.normal(size=(50, 6)).astype(np.float32)
    return KeyedVectors(WORDS, rows, subwords=Subwords(buckets, 3, 4) if subwords else None)


def pipeline(path: Path, lang: str = "en", **config: object) -> Language:
    nlp = nlptk.blank(lang)
    nlp.add_pipe("word_vectors", config={"path": str(path), **config})
    return nlp


@pytest.fixture
def path(tmp_path: Path) -> Path:
    keyed().save(tmp_path / "vectors.txt", digits=0)
    return tmp_path / "vectors.txt"


@pytest.fixture
def subworded(tmp_path: Path) -> Path:
    keyed(subwords=True).save(tmp_path / "vectors.safetensors")
    return tmp_path / "vectors.safetensors"


def test_vectors_of_tokens_spans_and_docs(path: Path) -> None:
    wv = keyed()
    doc = pipeline(path)("The cat sat there")
    assert "vector" not in doc.tensors  # nothing was asked for yet
    np.testing.assert_array_equal(doc[1].vector, wv["cat"])
    np.testing.assert_array_equal(doc[0].vector, wv["the"])  # in lower case
    np.testing.assert_array_equal(doc[3].vector, np.zeros(6))
    np.testing.assert_allclose(doc[1:3].vector, (wv["cat"] + wv["sat"]) / 2)
    np.testing.assert_allclose(doc.vector, doc.tensors["vector"].mean(axis=0))
    assert [token.has_vector for token in doc] == [True, True, True, False]
    assert doc.has_vector
    assert doc[:1].has_vector
    assert doc[1].vector_norm == pytest.approx(np.linalg.norm(wv["cat"]))


def test_similarity_is_the_cosine(path: Path) -> None:
    nlp, wv = pipeline(path), keyed()
    doc, other = nlp("the cat"), nlp("a dog")
    assert doc[1].similarity(other[1]) == pytest.approx(wv.similarity("cat", "dog"), abs=1e-6)
    assert doc.similarity(doc) == pytest.approx(1)
    assert doc[0:2].similarity(doc) == pytest.approx(1)
    assert doc.similarity(other[1]) == pytest.approx(other[1].similarity(doc))
    assert doc[1].similarity(other[0]) == 0.0  # "a" has no vector
    other.tensors["vector"] = np.zeros((2, 3))
    with pytest.raises(ConfigError, match="6 and 3 dimensions"):
        doc.similarity(other)
    with pytest.raises(ConfigError, match="no vectors"):
        Doc.from_words(["a"]).similarity(doc)


def test_case_can_be_told(path: Path) -> None:
    doc = pipeline(path, lower=False)("The cat in Paris")
    assert [token.has_vector for token in doc] == [False, True, False, True]


def test_unseen_words_by_subwords(subworded: Path) -> None:
    wv = keyed(subwords=True)
    doc = pipeline(subworded)("Catlike cat x")
    np.testing.assert_allclose(doc[0].vector, wv["catlike"], rtol=1e-6)
    np.testing.assert_array_equal(doc[1].vector, wv["cat"])
    assert doc[0].has_vector
    without = pipeline(subworded, subwords=False)("Catlike cat")
    assert not without[0].vector.any()
    assert not without[0].has_vector


def test_quantized_and_cut_to_the_first(subworded: Path) -> None:
    wv = keyed(subwords=True)
    nlp = pipeline(subworded, top=3, quantize=True)
    doc = nlp("the cat sat Catlike")
    assert nlp.get_pipe("word_vectors").vectors.index_to_key == WORDS[:3]
    np.testing.assert_allclose(doc[1].vector, wv["cat"], atol=0.02)
    np.testing.assert_allclose(doc[2].vector, wv.subwords.vectors_of(["sat"])[0], atol=0.02)  # type: ignore[union-attr]
    np.testing.assert_allclose(doc[3].vector, wv["catlike"], atol=0.02)


def test_chinese(path: Path) -> None:
    doc = pipeline(path, lang="zh")("猫坐")
    rows = {token.text: token.vector for token in doc}
    assert all(token.has_vector for token in doc if token.text in WORDS)
    for word in rows.keys() & set(WORDS):
        np.testing.assert_array_equal(rows[word], keyed()[word])


@pytest.mark.parametrize("quantize", [False, True])
def test_saved_with_the_pipeline(subworded: Path, tmp_path: Path, quantize: bool) -> None:
    nlp = pipeline(subworded, quantize=quantize)
    nlp.to_disk(tmp_path / "model")
    subworded.unlink()
    again = nlptk.load(tmp_path / "model")
    assert "vectors" not in vars(again.get_pipe("word_vectors")._table)  # made when asked for
    for text in ("the cat", "Catlike ß \ud800 \0", ""):
        np.testing.assert_array_equal(again(text).vector, nlp(text).vector)
    again.to_disk(tmp_path / "again")
    np.testing.assert_array_equal(nlptk.load(tmp_path / "again")("cat").vector, nlp("cat").vector)


def test_docs_that_are_copied_cut_out_or_made_anew(path: Path) -> None:
    doc = pipeline(path)("the cat sat")
    for other in (doc.copy(), copy.deepcopy(doc), pickle.loads(pickle.dumps(doc))):
        np.testing.assert_array_equal(other.vector, doc.vector)
    np.testing.assert_array_equal(doc[1:3].as_doc()[0].vector, keyed()["cat"])
    fresh = pipeline(path)("the cat sat")
    assert len(pickle.dumps(fresh)) < 2000  # the name of the table, not the table
    fresh.set_tokens([0, 4], [3, 11])
    assert [token.has_vector for token in fresh] == [True, False]
    saved = Doc.from_bytes(doc.to_bytes())
    np.testing.assert_array_equal(saved.vector, doc.vector)  # they were asked for before


def test_a_table_that_is_not_there_is_none(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = pickle.dumps(pipeline(path)("the cat"))
    monkeypatch.setattr(module, "_ALIVE", set())
    doc = pickle.loads(data)
    assert not doc.has_vector
    with pytest.raises(ConfigError, match="no vectors"):
        _ = doc[0].vector


def test_docs_of_other_processes_have_vectors(path: Path) -> None:
    nlp = pipeline(path)
    docs = list(nlp.pipe(["the cat", "dog"] * 3, n_process=2, batch_size=2))
    np.testing.assert_array_equal(docs[1].vector, keyed()["dog"])
    assert docs[0].similarity(docs[2]) == pytest.approx(1)
    assert docs[0].vector_source is docs[1].vector_source


def test_what_was_set_before_is_replaced(path: Path) -> None:
    component = WordVectorsComponent(path)
    doc = Doc.from_words(["cat"])
    doc.tensors["vector"] = np.ones((1, 2))
    np.testing.assert_array_equal(component(doc)[0].vector, keyed()["cat"])
    again = pickle.loads(pickle.dumps(component))
    assert again.vectors.index_to_key == WORDS


def test_bad_settings_and_arrays(path: Path) -> None:
    with pytest.raises(ConfigError, match="needs a file of vectors"):
        nlptk.blank("en").add_pipe("word_vectors")
    config, arrays = WordVectorsComponent(path).to_state()
    with pytest.raises(ModelError, match="lacks the arrays"):
        WordVectorsComponent.from_state(config, {})
    broken = WordVectorsComponent.from_state(config, {**arrays, "words": arrays["words"][:-1]})
    with pytest.raises(ModelError, match="do not fit"):
        _ = broken.vectors
    short = WordVectorsComponent.from_state(config, {**arrays, "vectors": arrays["vectors"][:2]})
    with pytest.raises(ModelError, match="do not fit"):
        _ = short.vectors
