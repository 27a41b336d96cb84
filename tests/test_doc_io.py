"""Docs as JSON, bytes and files, and to spaCy and back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlptk import Doc, DocBin, Span, Token
from nlptk.errors import ConfigError, DataError, MissingDependencyError, ModelError
from nlptk.tokenize.basic import CharTokenizer

TEXTS = st.text(st.one_of(st.characters(), st.sampled_from(" \n\u3000\x00\ud83d\ude00😀汉ab.")), max_size=40)


@st.composite
def docs(draw: st.DrawFn) -> Doc:
    """Docs with anything that a Doc can hold."""
    doc = Doc(draw(TEXTS))
    if draw(st.booleans()):
        CharTokenizer()(doc)
        n = len(doc)
        if draw(st.booleans()):
            doc.sent_starts = draw(st.lists(st.booleans(), min_size=n, max_size=n))
        for column in draw(st.sets(st.sampled_from(["pos", "tag", "chunk", "1", "\ud800/ü"]))):
            doc.set_column(
                column, draw(st.lists(st.text(st.characters(), max_size=3), min_size=n, max_size=n))
            )
        if draw(st.booleans()):
            tags = st.sampled_from(["O", "B-X", "I-X", "B-\ud83d", ""])
            doc.set_column("ent", draw(st.lists(tags, min_size=n, max_size=n)))
        if draw(st.booleans()):
            doc.tensors["vector"] = np.arange(n * 2, dtype=np.float32).reshape(n, 2)
    doc.cats = draw(st.dictionaries(st.text(st.characters(), max_size=3), st.floats(0, 1), max_size=2))
    doc.user_data = draw(
        st.dictionaries(st.tuples(st.just("k"), st.integers()), st.text(st.characters()), max_size=2)
    )
    return doc


def assert_same(a: Doc, b: Doc) -> None:
    assert a.text == b.text
    assert a.is_tokenized == b.is_tokenized
    assert a.starts.tolist() == b.starts.tolist()
    assert a.ends.tolist() == b.ends.tolist()
    assert (a.sent_starts is None) == (b.sent_starts is None)
    if a.sent_starts is not None and b.sent_starts is not None:
        assert a.sent_starts.tolist() == b.sent_starts.tolist()
    assert set(a.columns) == set(b.columns)
    assert all(a.column(name) == b.column(name) for name in a.columns)
    assert a.cats == b.cats
    assert a.user_data == b.user_data
    assert a.tensors.keys() == b.tensors.keys()
    for name, rows in a.tensors.items():
        assert rows.dtype == b.tensors[name].dtype
        assert rows.tolist() == b.tensors[name].tolist()


@given(docs())
def test_bytes_round_trip(doc: Doc) -> None:
    assert_same(doc, Doc.from_bytes(doc.to_bytes()))


@given(st.lists(docs(), max_size=4))
def test_docbin_round_trip(many: list[Doc]) -> None:
    again = DocBin.from_bytes(DocBin(many).to_bytes())
    assert len(again) == len(many)
    for a, b in zip(many, again.get_docs(), strict=True):
        assert_same(a, b)


@given(docs())
def test_json_round_trip(doc: Doc) -> None:
    data = json.loads(json.dumps(doc.to_json(), ensure_ascii=False))
    again = Doc.from_json(data)
    assert again.text == doc.text
    assert again.words == doc.words
    assert again.is_tokenized == doc.is_tokenized
    assert again.cats == doc.cats
    assert [(e.text, e.label_) for e in again.ents] == [(e.text, e.label_) for e in doc.ents]
    if doc.sent_starts is not None and len(doc):
        assert [s.text for s in again.sents] == [s.text for s in doc.sents]
    for column in set(doc.columns) - {"ent"}:
        if len(doc):
            assert again.column(column) == doc.column(column)


def test_two_lone_surrogates_do_not_become_one_character(tmp_path: Path) -> None:
    text = "\ud83d\ude00"  # two code points, not the emoji that their UTF-16 pair would mean
    doc = CharTokenizer()(Doc(text))
    doc.set_column("pos", [text] * len(doc))
    doc.to_disk(tmp_path / "doc")
    for again in (Doc.from_bytes(doc.to_bytes()), Doc.from_disk(tmp_path / "doc")):
        assert again.text == text
        assert len(again.text) == 2
        assert again.column("pos") == doc.column("pos")


def test_json_layout() -> None:
    doc = Doc.from_words(["Ada", "left", "."], [True, False, False], sent_starts=[1, 0, 0])
    doc.set_column("pos", ["PROPN", "VERB", "PUNCT"])
    doc.set_column("ent", ["B-PER", "O", "O"])
    doc.cats = {"news": 0.25}
    assert doc.to_json() == {
        "text": "Ada left.",
        "ents": [{"start": 0, "end": 3, "label": "PER"}],
        "sents": [{"start": 0, "end": 9}],
        "cats": {"news": 0.25},
        "tokens": [
            {"id": 0, "start": 0, "end": 3, "pos": "PROPN"},
            {"id": 1, "start": 4, "end": 8, "pos": "VERB"},
            {"id": 2, "start": 8, "end": 9, "pos": "PUNCT"},
        ],
    }


def test_json_underscore() -> None:
    for cls in (Doc, Token, Span):
        cls.set_extension("json_test", default=None)
    try:
        doc = Doc.from_words(["a", "b", "c"])
        doc._.json_test, doc[1]._.json_test, doc[1:3]._.json_test = 1, "two", [3]
        data = doc.to_json(underscore=["json_test"])
        assert data["_"] == {"json_test": 1}
        assert data["underscore_token"] == {"json_test": [{"start": 2, "value": "two"}]}
        assert data["underscore_span"] == {"json_test": [{"start": 2, "end": 5, "value": [3]}]}
        again = Doc.from_json(data)
        assert again._.json_test == 1
        assert again[1]._.json_test == "two"
        assert again[1:3]._.json_test == [3]
        assert "_" not in doc.to_json()
        with pytest.raises(ConfigError, match="no extension 'nothing'"):
            doc.to_json(underscore=["nothing"])
    finally:
        for cls in (Doc, Token, Span):
            cls.remove_extension("json_test")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"text": None}, "must be a str"),
        ({"tokens": [{"start": 0}]}, "end"),
        ({"tokens": [{"start": 0, "end": 1}]}, "belongs to no token"),
        ({"tokens": [{"start": 0, "end": 1.5}]}, "whole numbers"),
        ({"tokens": None}, "no tokens"),
        ({"tokens": 3}, "not iterable"),
        ({"ents": [{"start": 0, "end": 2, "label": "X"}]}, "does not begin and end with a token"),
        ({"sents": [{"start": 1}]}, "a sentence does not begin"),
        ({"cats": {"a": "b"}}, "TypeError"),
        ({"cats": {"a": float("nan")}}, "score nan"),
        ({"cats": [1]}, "AttributeError"),
        ({"_": 3}, "AttributeError"),
    ],
)
def test_bad_json_is_named(change: dict, message: str) -> None:
    good = Doc.from_words(["a", "b"])
    good.ents = [("X", 0, 1)]  # type: ignore[assignment]
    with pytest.raises(DataError, match=f"this JSON is not a Doc.*{message}"):
        Doc.from_json({**good.to_json(), **change})


@pytest.mark.parametrize("data", [[], None, {}, "text"])
def test_json_of_something_else(data: object) -> None:
    with pytest.raises(DataError, match="not a Doc"):
        Doc.from_json(data)  # type: ignore[arg-type]


def test_json_refuses_a_column_that_it_would_lose() -> None:
    doc = Doc.from_words(["a"])
    doc.set_column("start", ["x"])
    with pytest.raises(ConfigError, match="'start' cannot be written"):
        doc.to_json()


def small_doc() -> Doc:
    doc = Doc.from_words(["a", "b"], sent_starts=[1, 0])
    doc.set_column("pos", ["X", "Y"])
    return doc


@pytest.mark.parametrize("kind", ["doc", "docbin"])
def test_every_truncation_and_every_altered_byte_is_seen(kind: str) -> None:
    good = small_doc().to_bytes() if kind == "doc" else DocBin([small_doc()]).to_bytes()
    read = Doc.from_bytes if kind == "doc" else DocBin.from_bytes
    for size in range(len(good)):
        with pytest.raises(ModelError):
            read(good[:size])
    with pytest.raises(ModelError):
        read(good + b"\0")
    for place in range(len(good)):
        for change in (0x01, 0x20, 0x80):
            with pytest.raises(ModelError):
                read(good[:place] + bytes([good[place] ^ change]) + good[place + 1 :])


@pytest.mark.parametrize("cls", [Doc, DocBin])
@given(st.binary(max_size=60))
def test_any_bytes_give_a_model_error(cls: type, data: bytes) -> None:
    with pytest.raises(ModelError):
        cls.from_bytes(data)


@pytest.mark.parametrize("cls", [Doc, DocBin])
def test_wrong_kinds_and_missing_files(cls: type, tmp_path: Path) -> None:
    for data in (None, "text", 3):
        with pytest.raises(ModelError):
            cls.from_bytes(data)
    with pytest.raises(ModelError, match="nothing: cannot be read: No such file"):
        cls.from_disk(tmp_path / "nothing")
    (tmp_path / "broken").write_bytes(b"x" * 100)
    with pytest.raises(ModelError, match="broken"):
        cls.from_disk(tmp_path / "broken")


def test_one_kind_of_file_is_not_read_as_another() -> None:
    import zlib

    from nlptk.store import pack_sealed

    other = pack_sealed({"x": np.zeros(2, np.float32)}, "test")
    with pytest.raises(ModelError, match="is not a Doc"):
        Doc.from_bytes(other)
    with pytest.raises(ModelError, match="is not a DocBin"):
        DocBin.from_bytes(zlib.compress(other))


def test_user_data_that_is_not_json_is_refused() -> None:
    doc = small_doc()
    doc.user_data["f"] = object()
    with pytest.raises(ConfigError, match="cannot be written as JSON"):
        doc.to_bytes()
    with pytest.raises(ConfigError, match="cannot be written as JSON"):
        DocBin([doc]).to_bytes()
    again = DocBin.from_bytes(DocBin([doc], store_user_data=False).to_bytes())
    assert next(again.get_docs()).user_data == {}
    doc = small_doc()
    doc.cats = {"a": float("nan")}
    with pytest.raises(ConfigError, match="JSON"):
        doc.to_bytes()
    doc.cats = {"a": np.float32(0.5)}  # type: ignore[dict-item]
    assert Doc.from_bytes(doc.to_bytes()).cats == {"a": 0.5}


# ---- spaCy ------------------------------------------------------------------------------------------------


def spacy_doc() -> Doc:
    text = "  Ada  met\n\nBob .  "
    doc = Doc(text, [0, 2, 7, 12, 16], [2, 5, 10, 15, 17], sent_starts=[1, 0, 0, 1, 0])
    doc.set_column("pos", ["SPACE", "PROPN", "VERB", "PROPN", "PUNCT"])
    doc.set_column("tag", ["_SP", "NNP", "VBD", "NNP", "."])
    doc.set_column("lemma", ["  ", "Ada", "meet", "Bob", "."])
    doc.set_column("ent", ["O", "B-PER", "O", "B-PER", "I-PER"])
    doc.cats = {"x": 1.0}
    return doc


def test_to_spacy_and_back() -> None:
    pytest.importorskip("spacy")
    doc = spacy_doc()
    there = doc.to_spacy()
    assert there.text == doc.text
    assert [t.text for t in there if not t.is_space] == doc.words[1:]
    assert there[1].is_alpha
    assert [(e.text, e.label_) for e in there.ents] == [("Ada", "PER"), ("Bob .", "PER")]
    assert there[1].pos_ == "PROPN"
    assert len(list(there.sents)) == 2
    assert there.cats == {"x": 1.0}
    back = Doc.from_spacy(there)
    assert back.text == doc.text
    assert back.words == doc.words
    assert [back.column(c) for c in ("pos", "tag", "lemma", "ent")] == [
        doc.column(c) for c in ("pos", "tag", "lemma", "ent")
    ]
    assert [s.text for s in back.sents] == [s.text for s in doc.sents]


@given(st.text(st.sampled_from("ab \n\t汉."), max_size=15))
def test_spacy_keeps_every_text(text: str) -> None:
    pytest.importorskip("spacy")
    doc = CharTokenizer()(Doc(text))
    there = doc.to_spacy()
    assert there.text == text
    assert Doc.from_spacy(there).words == doc.words


def test_from_spacys_own_tokenizer_and_json() -> None:
    spacy = pytest.importorskip("spacy")
    there = spacy.blank("en")("Hello  there,\n\n you. It's me.")
    doc = Doc.from_spacy(there)
    assert doc.text == there.text
    assert doc.words == [t.text for t in there if not t.is_space]
    assert Doc.from_json(there.to_json()).text == there.text
    plain = Doc.from_words(["New", "York"])
    plain.ents = [("LOC", 0, 2)]  # type: ignore[assignment]
    theirs = spacy.tokens.Doc(there.vocab).from_json(plain.to_json(), validate=True)
    assert [(e.text, e.label_) for e in theirs.ents] == [("New York", "LOC")]


def test_without_spacy_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "spacy", None)
    monkeypatch.setitem(sys.modules, "spacy.tokens", None)
    with pytest.raises(MissingDependencyError, match="pip install spacy"):
        spacy_doc().to_spacy()
