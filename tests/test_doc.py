"""Doc: tokens, columns, sentences, entities, spans."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlptk import Doc, Span
from nlptk.errors import ConfigError
from nlptk.tokenize.basic import CharTokenizer

# Every code point, lone surrogates and NUL included, with those that make trouble drawn more often.
TEXTS = st.text(
    st.one_of(st.characters(), st.sampled_from(" \n\t\u3000\x00\x1c\ud83d\ude00😀汉字ab.,")), max_size=60
)


def tokenized(text: str) -> Doc:
    return CharTokenizer()(Doc(text))


def test_text_is_kept_and_untokenized_doc_has_no_tokens() -> None:
    doc = Doc("Hello world")
    assert doc.text == "Hello world" == str(doc)
    assert not doc.is_tokenized
    assert len(doc) == 0
    assert doc.sent_starts is None
    assert doc.columns == ()


@pytest.mark.parametrize("text", [b"bytes", None, 3, ["a"]])
def test_text_must_be_a_string(text: object) -> None:
    with pytest.raises(ConfigError, match="must be a str"):
        Doc(text)  # type: ignore[arg-type]


@given(TEXTS)
def test_tokens_and_whitespace_spell_the_text(text: str) -> None:
    doc = tokenized(text)
    assert "".join(token.text_with_ws for token in doc) == text
    assert "".join(word + gap for word, gap in zip(doc.words, doc.whitespaces, strict=True)) == text
    Doc(text, doc.starts, doc.ends)  # passes the checks that the tokenizer skips


def test_a_million_characters_without_a_space() -> None:
    text = "x" * 1_000_000
    doc = tokenized(text)
    assert len(doc) == 1
    assert doc[0].text == text


def test_empty_text_has_zero_tokens() -> None:
    doc = Doc("", [], [])
    assert doc.is_tokenized
    assert list(doc) == []
    assert doc.words == []
    assert doc.ents == ()


def test_offsets_are_read_only_int32_and_the_callers_arrays_stay_free() -> None:
    starts = np.array([0, 2])
    doc = Doc("a b", starts, [1, 3])
    assert doc.starts.dtype == doc.ends.dtype == np.int32
    with pytest.raises(ValueError, match="read-only"):
        doc.starts[0] = 1
    starts[0] = 5
    assert doc.starts[0] == 0


@pytest.mark.parametrize(
    ("starts", "ends", "message"),
    [
        ([0], [1, 3], "1 starts but 2 ends"),
        ([], [], "at least one token"),
        ([1], [3], "must start at 0"),
        ([0, 0], [1, 3], "token 0"),
        ([0, 2], [3, 3], "token 0"),
        ([0, 2], [1, 4], "token 1"),
        ([0, 2], [1, 2], "token 1"),
        ([0, 2, 1], [1, 3, 2], "token 1"),
        ([0], [1], "'b' after token 0"),
        ([0, 3], [1, 3], "token 0|token 1"),
        ([0, 2**32 + 2], [1, 2**32 + 3], "token"),
        ([-1, 2], [1, 3], "must start at 0"),
        ([0.0, 2.5], [1, 3], "starts must be one row of whole numbers"),
        ([[0, 2]], [[1, 3]], "one row"),
        (["a"], ["b"], "whole numbers"),
        ([[0], [0, 1]], [1, 3], "whole numbers"),
        ([0, 2**70], [1, 2**70 + 1], "whole numbers"),
    ],
)
def test_bad_offsets_are_named_and_change_nothing(starts: list, ends: list, message: str) -> None:
    doc = Doc("a b", [0, 2], [1, 3])
    doc.set_column("pos", ["X", "Y"])
    with pytest.raises(ConfigError, match=message):
        doc.set_tokens(starts, ends)
    assert doc.words == ["a", "b"]
    assert doc.column("pos") == ["X", "Y"]


@given(TEXTS, st.lists(st.integers(-2, 62), max_size=6), st.lists(st.integers(-2, 62), max_size=6))
def test_offsets_are_taken_exactly_if_they_spell_the_text(text: str, starts: list, ends: list) -> None:
    try:
        doc = Doc(text, starts, ends)
    except ConfigError:
        in_order = all(s < e for s, e in zip(starts, ends, strict=False))
        pieces = [text[s:e] for s, e in zip(starts, ends, strict=False)]
        gaps = [text[e:n] for e, n in zip(ends, [*starts[1:], len(text)], strict=False)]
        spelled = "".join(piece + gap for piece, gap in zip(pieces, gaps, strict=False))
        assert not (
            len(starts) == len(ends)
            and in_order
            and all(e <= n for e, n in zip(ends, [*starts[1:], len(text)], strict=False))
            and starts[:1] == [0]
            and all(gap.isspace() or not gap for gap in gaps)
            and spelled == text
        )
    else:
        assert "".join(token.text_with_ws for token in doc) == text


def test_set_tokens_drops_columns_and_tensors() -> None:
    doc = Doc("a b", [0, 2], [1, 3])
    doc.set_column("pos", ["X", "Y"])
    doc.tensors["vector"] = np.zeros((2, 3), np.float32)
    doc.set_tokens([0, 2], [1, 3])
    assert doc.columns == ()
    assert doc.tensors == {}
    assert doc.sent_starts is None


def test_starts_and_ends_go_together() -> None:
    with pytest.raises(ConfigError, match="together"):
        Doc("a", [0])
    with pytest.raises(ConfigError, match="sent_starts needs"):
        Doc("a", sent_starts=[1])


def test_from_words() -> None:
    doc = Doc.from_words(["Hello", "world", "!"], [True, False, False], sent_starts=[1, 0, 1])
    assert doc.text == "Hello world!"
    assert doc.words == ["Hello", "world", "!"]
    assert [sent.text for sent in doc.sents] == ["Hello world", "!"]
    assert Doc.from_words(["a", "b"]).text == "a b"
    assert Doc.from_words([]).is_tokenized
    for wrong in ("ab", ["a", 3], [None]):
        with pytest.raises(ConfigError, match="a list of strings"):
            Doc.from_words(wrong)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="2 words but 1 spaces"):
        Doc.from_words(["a", "b"], [True])
    with pytest.raises(ConfigError, match="word 1 is empty"):
        Doc.from_words(["a", ""])


@given(st.lists(st.text(st.characters(), min_size=1, max_size=5), max_size=8))
def test_from_words_keeps_the_rules(words: list[str]) -> None:
    doc = Doc.from_words(words)
    assert doc.words == words
    Doc(doc.text, doc.starts, doc.ends)


# ---- columns ----------------------------------------------------------------------------------------------


def test_string_columns() -> None:
    doc = Doc.from_words(["a", "b", "c"])
    doc.set_column("pos", ["X", "", "X"])
    assert doc.column("pos") == ["X", "", "X"]
    assert doc.codes("pos").tolist() == [1, 0, 1]
    assert doc.codes("pos").dtype == np.int32
    assert doc.labels("pos") == ("", "X")
    assert doc.has_column("pos")
    assert not doc.has_column("tag")
    assert doc.columns == ("pos",)


def test_set_codes_keeps_the_array_and_the_table() -> None:
    doc = Doc.from_words(["a", "b"])
    codes, labels = np.array([2, 1], np.int32), ("", "N", "V")
    doc.set_codes("tag", codes, labels)
    assert doc.codes("tag") is codes
    assert doc.labels("tag") is labels
    assert doc.column("tag") == ["V", "N"]


@pytest.mark.parametrize(
    ("codes", "labels", "message"),
    [
        ([0], ["", "N"], "1 values for 2 tokens"),
        ([0, 2], ["", "N"], "outside its 2 labels"),
        ([0, -1], ["", "N"], "outside its 2 labels"),
        ([0, 2**32], ["", "N"], "outside its 2 labels"),
        ([0, 1], ["N", ""], "must be ''"),
        ([0, 0], [], "outside its 0 labels"),
        ([0.5, 1.0], ["", "N"], "whole numbers"),
    ],
)
def test_bad_codes(codes: list, labels: list, message: str) -> None:
    doc = Doc.from_words(["a", "b"])
    with pytest.raises(ConfigError, match=message):
        doc.set_codes("tag", codes, labels)
    assert doc.columns == ()


def test_bad_columns() -> None:
    doc = Doc.from_words(["a", "b"])
    with pytest.raises(ConfigError, match="1 values for 2 tokens"):
        doc.set_column("pos", ["X"])
    with pytest.raises(ConfigError, match="must hold strings, not int"):
        doc.set_column("pos", ["X", 3])  # type: ignore[list-item]
    with pytest.raises(ConfigError, match="no column 'pos' \\(it has none\\)"):
        doc.column("pos")


def test_sent_starts() -> None:
    doc = Doc.from_words(["a", "b", "c"])
    with pytest.raises(ConfigError, match="sentence boundaries are not set"):
        list(doc.sents)
    doc.sent_starts = [False, False, True]
    assert doc.sent_starts is not None
    assert doc.sent_starts.tolist() == [1, 0, 1]  # the first token always starts one
    assert [(s.start, s.end) for s in doc.sents] == [(0, 2), (2, 3)]
    with pytest.raises(ConfigError, match="2 values for 3 tokens"):
        doc.sent_starts = [1, 0]
    for wrong in ([1, -1, 0], [1, 0, 2], [1, None, 0], ["1", "0", "0"], [1.0, 0.0, 0.5], [[1], [0, 1]]):
        with pytest.raises(ConfigError, match="sent_starts must be"):
            doc.sent_starts = wrong  # type: ignore[assignment]
    assert doc.sent_starts.tolist() == [1, 0, 1]
    doc.sent_starts = None
    assert doc.sent_starts is None


def test_ents() -> None:
    doc = Doc.from_words(["Ada", "Lovelace", "met", "Babbage"])
    assert doc.ents == ()
    doc.ents = (Span(doc, 0, 2, "PER"), ("PER", 3, 4))  # type: ignore[assignment]
    assert doc.column("ent") == ["B-PER", "I-PER", "O", "B-PER"]
    assert [(e.text, e.label_) for e in doc.ents] == [("Ada Lovelace", "PER"), ("Babbage", "PER")]
    with pytest.raises(ConfigError, match="overlaps"):
        doc.ents = [("A", 0, 2), ("B", 1, 3)]  # type: ignore[assignment]
    with pytest.raises(ConfigError, match="within 4 tokens"):
        doc.ents = [("A", 0, 5)]  # type: ignore[assignment]
    assert len(doc.ents) == 2
    doc.ents = ()
    assert doc.column("ent") == ["O"] * 4


# ---- indexing and spans -----------------------------------------------------------------------------------


def test_indexing() -> None:
    doc = Doc.from_words(["a", "b", "c"])
    assert doc[0].text == "a"
    assert doc[-1].text == "c"
    assert doc[np.int64(1)].text == "b"
    assert doc[1:].text == "b c"
    assert doc[-2:-1].text == "b"
    assert len(doc[2:1]) == 0
    assert [token.i for token in doc] == [0, 1, 2]
    for i in (3, -4):
        with pytest.raises(IndexError, match="the Doc has 3 tokens"):
            doc[i]
    with pytest.raises(ConfigError, match="without a step"):
        doc[::2]
    with pytest.raises(TypeError):
        doc["a"]  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("start", "end", "mode", "text"),
    [
        (0, 8, "strict", "New York"),
        (0, 6, "strict", None),
        (1, 8, "strict", None),
        (0, 6, "contract", "New"),
        (1, 3, "contract", None),
        (1, 6, "expand", "New York"),
        (3, 4, "expand", None),  # the space alone touches no token
        (3, 4, "contract", None),
        (3, 5, "expand", "York"),
        (0, 13, "strict", "New York City"),
        (0, 14, "strict", None),
        (0, 99, "expand", "New York City"),
        (-5, 3, "contract", "New"),
        (4, 4, "expand", None),
        (8, 4, "expand", None),
    ],
)
def test_char_span(start: int, end: int, mode: str, text: str | None) -> None:
    span = Doc.from_words(["New", "York", "City"]).char_span(start, end, "LOC", mode)
    if text is None:
        assert span is None
    else:
        assert span is not None
        assert (span.text, span.label_) == (text, "LOC")


def test_char_span_mode_must_be_known() -> None:
    with pytest.raises(ConfigError, match="strict, contract, expand"):
        Doc.from_words(["a"]).char_span(0, 1, alignment_mode="outside")


@given(TEXTS, st.integers(0, 60), st.integers(0, 60))
def test_char_span_modes_nest(text: str, start: int, end: int) -> None:
    doc = tokenized(text)
    strict, contract, expand = (doc.char_span(start, end, "", m) for m in ("strict", "contract", "expand"))
    if strict is not None:
        assert strict == contract == expand
        assert strict.text == text[start:end]
    if contract is not None:
        assert expand is not None
        assert start <= contract.start_char
        assert contract.end_char <= end
        assert expand.start <= contract.start < contract.end <= expand.end
    if expand is None:
        assert not text[start:end].strip() or start >= end or not doc[0].text.strip()


# ---- copies -----------------------------------------------------------------------------------------------


def annotated() -> Doc:
    doc = Doc.from_words(["a", "\ud83d", "c"], sent_starts=[1, 0, 1])
    doc.set_column("pos", ["X", "", "Y"])
    doc.tensors["vector"] = np.arange(6, dtype=np.float32).reshape(3, 2)
    doc.cats = {"good": 0.5}
    doc.user_data = {"k": [1]}
    return doc


@pytest.mark.parametrize("duplicate", [Doc.copy, copy.deepcopy, lambda d: pickle.loads(pickle.dumps(d))])
def test_copies_are_equal_and_independent(duplicate) -> None:
    doc = annotated()
    other = duplicate(doc)
    assert other.text == doc.text
    assert other.words == doc.words
    assert other.column("pos") == ["X", "", "Y"]
    assert other.cats == doc.cats
    assert other.user_data == doc.user_data
    assert other.tensors["vector"].tolist() == doc.tensors["vector"].tolist()
    with pytest.raises(ValueError, match="read-only"):
        other.starts[0] = 1
    other[0].pos_ = "Z"
    other[1].is_sent_start = True
    other.cats["bad"] = 1.0
    other.user_data["new"] = 1
    assert doc.column("pos") == ["X", "", "Y"]
    assert doc.sent_starts is not None
    assert doc.sent_starts.tolist() == [1, 0, 1]
    assert doc.cats == {"good": 0.5}
    assert doc.user_data == {"k": [1]}


def test_vector_is_the_mean() -> None:
    doc = annotated()
    assert doc.has_vector
    assert doc.vector.tolist() == [2.0, 3.0]
    assert doc[2].vector.tolist() == [4.0, 5.0]
    assert doc[0:0].vector.tolist() == [0.0, 0.0]
    with pytest.raises(ConfigError, match="no vectors"):
        Doc.from_words(["a"])[0].vector  # noqa: B018
