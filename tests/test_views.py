"""Token and Span attributes."""

from __future__ import annotations

import numpy as np
import pytest

from nlptk import Doc, Span
from nlptk.errors import ConfigError
from nlptk.lexical import is_punct, like_num, word_shape


@pytest.fixture
def doc() -> Doc:
    doc = Doc("  Ada met  Bob .\n", [0, 2, 6, 11, 15], [2, 5, 9, 14, 16], sent_starts=[1, 0, 0, 1, 0])
    doc.set_column("pos", ["SPACE", "PROPN", "VERB", "PROPN", "PUNCT"])
    doc.set_column("lemma", ["", "Ada", "meet", "Bob", "."])
    doc.set_column("ent", ["O", "B-PER", "O", "B-PER", "I-PER"])
    return doc


def test_token_text(doc: Doc) -> None:
    assert [t.text for t in doc] == ["  ", "Ada", "met", "Bob", "."]
    assert [t.whitespace_ for t in doc] == ["", " ", "  ", " ", "\n"]
    assert [t.text_with_ws for t in doc] == ["  ", "Ada ", "met  ", "Bob ", ".\n"]
    assert [t.idx for t in doc] == [0, 2, 6, 11, 15]
    assert [t.i for t in doc] == [0, 1, 2, 3, 4]
    assert [t.is_space for t in doc] == [True, False, False, False, False]
    ada = doc[1]
    assert (len(ada), str(ada), repr(ada)) == (3, "Ada", "Ada")
    assert (ada.lower_, ada.shape_, ada.prefix_, ada.suffix_) == ("ada", "Xxx", "A", "Ada")
    assert (ada.is_alpha, ada.is_digit, ada.is_punct, ada.like_num) == (True, False, False, False)
    assert (ada.is_title, ada.is_upper, ada.is_lower) == (True, False, False)
    assert doc[4].is_punct
    assert isinstance(ada.idx, int)


def test_token_annotation(doc: Doc) -> None:
    assert [t.pos_ for t in doc][1:3] == ["PROPN", "VERB"]
    assert doc[2].lemma_ == "meet"
    assert doc[2].tag_ == ""
    assert [t.ent_iob_ for t in doc] == ["O", "B", "O", "B", "I"]
    assert [t.ent_type_ for t in doc] == ["", "PER", "", "PER", "PER"]
    assert [t.is_sent_start for t in doc] == [True, False, False, True, False]
    assert [t.is_sent_end for t in doc] == [False, False, True, False, True]
    bare = Doc.from_words(["x"])[0]
    assert (bare.pos_, bare.ent_type_, bare.ent_iob_) == ("", "", "")
    assert bare.is_sent_start is None
    assert bare.is_sent_end is None


def test_token_annotation_can_be_set(doc: Doc) -> None:
    doc[1].pos_ = "NOUN"
    doc[1].tag_ = "NN"
    doc[1].lemma_ = "ada"
    assert doc.column("pos")[1] == "NOUN"
    assert doc.column("tag") == ["", "NN", "", "", ""]
    assert doc[1].lemma_ == "ada"
    with pytest.raises(ConfigError, match="must hold strings"):
        doc[1].pos_ = 3  # type: ignore[assignment]
    fresh = Doc.from_words(["a", "b"])
    fresh[1].is_sent_start = True
    fresh[0].is_sent_start = False  # the first token stays one
    assert [s.text for s in fresh.sents] == ["a", "b"]


def test_setting_a_token_leaves_a_frozen_array_alone() -> None:
    codes = np.array([1, 1], np.int32)
    codes.setflags(write=False)
    doc = Doc.from_words(["a", "b"])
    doc.set_codes("pos", codes, ("", "X"))
    doc[0].pos_ = "Y"
    assert doc.column("pos") == ["Y", "X"]
    assert codes.tolist() == [1, 1]


def test_neighbours_and_equality(doc: Doc) -> None:
    assert doc[1].nbor().text == "met"
    assert doc[1].nbor(-1).text == "  "
    for token, step in ((doc[4], 1), (doc[0], -1)):
        with pytest.raises(IndexError, match="no neighbour"):
            token.nbor(step)
    assert doc[1] == doc[1]
    assert doc[1] != doc[2]
    assert doc[1] != doc.copy()[1]
    assert len({doc[1], doc[1], doc[2]}) == 2
    assert doc[1:3] == Span(doc, 1, 3)
    assert doc[1:3] != Span(doc, 1, 3, "X")
    assert len({doc[1:3], doc[1:3]}) == 1
    assert doc[1].sent.text == "  Ada met"


def test_span(doc: Doc) -> None:
    span = doc[1:4]
    assert span.text == "Ada met  Bob"
    assert span.text_with_ws == "Ada met  Bob "
    assert (span.start, span.end, span.start_char, span.end_char) == (1, 4, 2, 14)
    assert len(span) == 3
    assert [t.text for t in span] == ["Ada", "met", "Bob"]
    assert (span[0].text, span[-1].text, span[1:].text) == ("Ada", "Bob", "met  Bob")
    assert (str(span), repr(span)) == (span.text, span.text)
    assert span.lemma_ == "Ada meet  Bob"
    assert [s.text for s in span.sents] == ["  Ada met", "Bob ."]
    assert span.sent.text == "  Ada met"
    assert [e.text for e in doc[0:3].ents] == ["Ada"]
    with pytest.raises(IndexError):
        span[3]
    with pytest.raises(ConfigError, match="without a step"):
        span[::2]
    with pytest.raises(ConfigError, match="within the Doc's 5 tokens"):
        Span(doc, 2, 9)


def test_empty_spans(doc: Doc) -> None:
    for place in (0, 2, 5):
        span = doc[place:place]
        assert (span.text, span.text_with_ws, len(span)) == ("", "", 0)
    assert doc[5:5].start_char == len(doc.text)
    with pytest.raises(ConfigError, match="empty Span"):
        doc[5:5].sent  # noqa: B018


def test_span_char_span_counts_from_its_start(doc: Doc) -> None:
    found = doc[2:4].char_span(5, 8, "PER")
    assert found is not None
    assert (found.text, found.start, found.label_) == ("Bob", 3, "PER")
    assert doc[2:4].char_span(-4, -1) is None  # "Ada" lies before it


def test_as_doc(doc: Doc) -> None:
    doc.tensors["vector"] = np.arange(10.0).reshape(5, 2)
    new = doc[3:5].as_doc()
    assert new.text == "Bob .\n"
    assert new.words == ["Bob", "."]
    assert new.column("pos") == ["PROPN", "PUNCT"]
    assert [s.text for s in new.sents] == ["Bob ."]
    assert new[1].vector.tolist() == [8.0, 9.0]
    new[0].pos_ = "X"
    assert doc[3].pos_ == "PROPN"
    cut = doc[4:5].as_doc()  # begins inside an entity
    assert [(e.text, e.label_) for e in cut.ents] == [(".", "PER")]
    assert cut.column("ent") == ["B-PER"]
    assert doc[2:2].as_doc().text == ""


@pytest.mark.parametrize(
    ("text", "shape"),
    [("Apple", "Xxxxx"), ("iPhone15", "xXxxxxdd"), ("U.S.", "X.X."), ("汉字", "xx"), ("", "")],
)
def test_word_shape(text: str, shape: str) -> None:
    assert word_shape(text) == shape


@pytest.mark.parametrize(
    "text", ["10", "10.9", "1,000", "-3", "3/4", "50%", "ten", "Hundred", "21st", "三百", "第三", ".5"]
)
def test_like_num(text: str) -> None:
    assert like_num(text)


@pytest.mark.parametrize("text", ["", "第", "a1", "often", "1..2", "-", "."])
def test_not_like_num(text: str) -> None:
    assert not like_num(text)


def test_is_punct() -> None:
    assert is_punct("...")
    assert is_punct("，")
    assert not is_punct("")
    assert not is_punct("a.")
    assert not is_punct("$")  # a symbol, by Unicode
