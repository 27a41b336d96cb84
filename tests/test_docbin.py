"""DocBin: the container (its round trip and damage tests are with those of Doc, in test_doc_io.py)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nlptk import Doc, DocBin
from nlptk.errors import ConfigError


def tagged(words: list[str], tags: list[str]) -> Doc:
    doc = Doc.from_words(words)
    doc.set_column("pos", tags)
    return doc


def test_label_tables_are_shared_inside_the_bin(tmp_path: Path) -> None:
    bin_ = DocBin([tagged(["a", "b"], ["X", "Y"]), tagged(["c"], ["Y"]), Doc.from_words(["d"])])
    bin_.to_disk(tmp_path / "bin")
    first, second, third = DocBin.from_disk(tmp_path / "bin").get_docs()
    assert first.labels("pos") is second.labels("pos")
    assert first.labels("pos") == ("", "X", "Y")
    assert second.column("pos") == ["Y"]
    assert third.columns == ()


def test_the_bin_holds_copies() -> None:
    doc = tagged(["a"], ["X"])
    bin_ = DocBin()
    bin_.add(doc)
    doc[0].pos_ = "Z"
    out = next(bin_.get_docs())
    assert out.column("pos") == ["X"]
    out[0].pos_ = "W"
    assert next(bin_.get_docs()).column("pos") == ["X"]


def test_merge_and_len() -> None:
    a, b = DocBin([tagged(["a"], ["X"])]), DocBin([tagged(["b"], ["Y"])])
    a.merge(b)
    a.merge(a)
    assert len(a) == 4
    assert [d.text for d in a.get_docs()] == ["a", "b", "a", "b"]
    assert len(b) == 1
    with pytest.raises(ConfigError, match="takes Docs, not str"):
        a.add("text")  # type: ignore[arg-type]


def test_it_is_compact() -> None:
    rng = np.random.default_rng(0)
    words = [f"word{i}" for i in range(300)]
    docs = []
    for _ in range(200):
        chosen = [words[i] for i in rng.integers(0, 300, 20)]
        docs.append(tagged(chosen, [f"T{i}" for i in rng.integers(0, 17, 20)]))
    size = len(DocBin(docs).to_bytes())
    assert size < sum(len(doc.text) for doc in docs)
    assert size < 0.2 * sum(len(doc.to_bytes()) for doc in docs)


def test_tensors_of_different_width_and_type() -> None:
    a, b = Doc.from_words(["a", "b"]), Doc.from_words(["c"])
    a.tensors["vector"] = np.ones((2, 3), np.float16)
    b.tensors["vector"] = np.full((1, 4), np.nan)
    a2, b2 = DocBin.from_bytes(DocBin([a, b]).to_bytes()).get_docs()
    assert a2.tensors["vector"].dtype == np.float16
    assert a2.tensors["vector"].shape == (2, 3)
    assert np.isnan(b2.tensors["vector"]).all()
