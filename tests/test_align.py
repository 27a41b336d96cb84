"""Alignment of tokenizations, and IOB tags to spans and back."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlptk import Doc
from nlptk.align import bioes_to_iob, get_alignment, iob_to_bioes, iob_to_spans, spans_to_iob
from nlptk.errors import ConfigError


def test_alignment_many_to_many() -> None:
    found = get_alignment(["I", "can", "not", "do", "it"], ["I", "cannot", "d", "oit"])
    assert found.a2b == [[0], [1], [1], [2, 3], [3]]
    assert found.b2a == [[0], [1, 2], [3], [3, 4]]


def test_alignment_of_docs_ignores_whitespace() -> None:
    a = Doc(" New  York", [0, 1, 6], [1, 4, 10])
    b = Doc.from_words(["New York"])
    assert get_alignment(a, b) == ([[], [0], [0]], [[1, 2]])
    assert get_alignment([], []) == ([], [])


def test_alignment_of_different_texts_is_refused() -> None:
    with pytest.raises(ConfigError, match="at non-space character 2 one has 'd' and the other 'c'"):
        get_alignment(["ab", "d"], ["a", "bc"])
    with pytest.raises(ConfigError, match="character 1 one has '' and the other 'b'"):
        get_alignment(["a"], ["ab"])
    with pytest.raises(ConfigError, match="not one string"):
        get_alignment("ab", ["ab"])


@given(st.text(st.sampled_from("abc 汉\ud800"), max_size=12), st.data())
def test_alignment_is_symmetric_and_overlaps_exactly(text: str, data: st.DataObject) -> None:
    def cut() -> list[str]:
        places = sorted(data.draw(st.sets(st.integers(1, max(1, len(text) - 1)), max_size=5)) if text else [])
        edges = [0, *[p for p in places if p < len(text)], len(text)]
        return [text[i:j] for i, j in pairwise(edges) if i < j]

    a, b = cut(), cut()
    found = get_alignment(a, b)

    def chars(words: list[str]) -> list[set[int]]:
        at, result = 0, []
        for word in words:
            size = len(word.replace(" ", ""))
            result.append(set(range(at, at + size)))
            at += size
        return result

    chars_a, chars_b = chars(a), chars(b)
    assert found.a2b == [[j for j, y in enumerate(chars_b) if x & y] for x in chars_a]
    assert found.b2a == [[i for i, x in enumerate(chars_a) if x & y] for y in chars_b]


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        ([], []),
        (["O", "", "O"], []),
        (["B-X", "I-X", "O"], [("X", 0, 2)]),
        (["B-X", "B-X"], [("X", 0, 1), ("X", 1, 2)]),
        (["I-X", "I-X", "I-Y"], [("X", 0, 2), ("Y", 2, 3)]),  # IOB1
        (["B-X", "I-Y"], [("X", 0, 1), ("Y", 1, 2)]),
        (["S-X", "B-Y", "I-Y", "E-Y", "I-Y"], [("X", 0, 1), ("Y", 1, 4), ("Y", 4, 5)]),  # BIOES
        (["U-X", "B-Y", "L-Y", "O"], [("X", 0, 1), ("Y", 1, 3)]),  # BILUO
        (["B-A-B", "I-A-B"], [("A-B", 0, 2)]),
        (["B", "I", "O"], [("", 0, 2)]),
    ],
)
def test_iob_to_spans(tags: list[str], spans: list[tuple[str, int, int]]) -> None:
    assert iob_to_spans(tags) == spans


@given(
    st.lists(st.sampled_from(["O", "", "B-X", "I-X", "E-X", "S-X", "B-Y", "I-Y", "E-Y", "S-Y"]), max_size=10)
)
def test_every_tag_inside_is_in_exactly_one_span_and_schemes_agree(tags: list[str]) -> None:
    spans = iob_to_spans(tags)
    covered = [i for _, start, end in spans for i in range(start, end)]
    assert covered == [i for i, tag in enumerate(tags) if tag not in ("O", "")]
    assert all(tags[i].endswith(label) for label, start, end in spans for i in range(start, end))
    assert iob_to_spans(spans_to_iob(spans, len(tags))) == spans
    assert iob_to_spans(iob_to_bioes(tags)) == spans
    assert bioes_to_iob(iob_to_bioes(tags)) == spans_to_iob(spans, len(tags))


def test_schemes() -> None:
    assert iob_to_bioes(["B-X", "I-X", "I-X", "O", "B-X"]) == ["B-X", "I-X", "E-X", "O", "S-X"]
    assert bioes_to_iob(["B-X", "E-X", "S-Y"]) == ["B-X", "I-X", "B-Y"]
    with pytest.raises(ConfigError, match="scheme 'bilou'"):
        spans_to_iob([], 1, "bilou")
    for span in (("X", -1, 1), ("X", 1, 1), ("X", 0, 4)):
        with pytest.raises(ConfigError, match="within 3 tokens"):
            spans_to_iob([span], 3)
