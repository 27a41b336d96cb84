"""Scores against hand-computed cases and their own laws."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlptk.doc import Doc
from nlptk.errors import ConfigError, DataError
from nlptk.scoring import (
    PRF,
    accuracy,
    entity_scores,
    label_scores,
    label_table,
    segmentation_scores,
    word_scores,
)


def test_prf() -> None:
    score = PRF(2, 4, 3) + PRF(1, 2, 3)
    assert (score.precision, score.recall, score.f1) == (0.5, 0.5, 0.5)
    assert PRF().to_dict() == {"precision": 0, "recall": 0, "f1": 0, "correct": 0, "predicted": 0, "gold": 0}


def test_accuracy_tells_known_words_from_unknown() -> None:
    score = accuracy(
        [["D", "N"], ["V", "N", "P"]],
        [["D", "V"], ["V", "N", "N"]],
        words=[["the", "cat"], ["see", "new", "."]],
        known={"the", "see", "."},
    )
    assert (score.correct, score.total, score.accuracy) == (3, 5, 0.6)
    assert (score.known, score.unknown) == ((2, 3), (1, 2))
    assert score.unknown_accuracy == 0.5
    assert score.per_label["N"] == PRF(1, 2, 2)
    result = json.loads(json.dumps(score.to_dict()))
    assert result["known_accuracy"] == pytest.approx(2 / 3)
    assert result["per_label"]["P"]["recall"] == 0
    assert "unknown_accuracy" not in accuracy("AB", "AA").to_dict()
    assert accuracy(["A"], ["A"]).known_accuracy is None


@pytest.mark.parametrize(
    ("gold", "pred", "message"),
    [
        ([["A"]], [["A"], ["B"]], "1 gold sequences but 2"),
        (["A"], ["A", "B"], "sequence 0 has 1 gold labels but 2"),
    ],
)
def test_unequal_sequences_are_refused(gold: list[str], pred: list[str], message: str) -> None:
    for function in (accuracy, entity_scores):
        with pytest.raises(DataError, match=message):
            function(gold, pred)


def test_mixed_arguments_are_refused() -> None:
    with pytest.raises(ConfigError, match="mixed"):
        accuracy(["A", ["B"]], ["A", "B"])  # type: ignore[list-item]
    with pytest.raises(ConfigError, match="words= and known="):
        accuracy("A", "A", known=["x"])


@pytest.mark.parametrize(
    ("gold", "pred", "counts"),
    [
        # Exact spans and types.
        ("B-PER I-PER O B-LOC", "B-PER I-PER O B-LOC", (2, 2, 2)),
        ("B-PER I-PER O B-LOC", "B-PER O O B-LOC", (1, 2, 2)),
        ("B-PER I-PER O B-LOC", "B-LOC I-LOC O B-PER", (0, 2, 2)),
        # An I- after O or after another type starts an entity.
        ("B-PER I-PER", "I-PER I-PER", (1, 1, 1)),
        ("B-PER B-LOC", "B-PER I-LOC", (2, 2, 2)),
        ("B-PER I-PER I-PER", "B-PER I-LOC I-PER", (0, 3, 1)),
        # Two adjacent entities are not one of two tokens.
        ("B-PER B-PER", "B-PER I-PER", (0, 1, 2)),
        # IOB1 marks only the second of two adjacent ones; BIOES closes with E and S.
        ("I-PER I-PER B-PER", "B-PER I-PER B-PER", (2, 2, 2)),
        ("B-PER I-PER O B-LOC", "B-PER E-PER O S-LOC", (2, 2, 2)),
        ("B-PER I-PER B-PER", "B-PER E-PER I-PER", (2, 2, 2)),
        ("O O", "O E-LOC", (0, 1, 0)),
        ("O", "O", (0, 0, 0)),
    ],
)
def test_entities_count_as_in_conlleval(gold: str, pred: str, counts: tuple[int, int, int]) -> None:
    overall = entity_scores(gold.split(), pred.split()).overall
    assert (overall.correct, overall.predicted, overall.gold) == counts


def test_entity_scores_by_type() -> None:
    gold = [["B-PER", "O", "B-LOC", "I-LOC"], ["B-LOC", "O"]]
    pred = [["B-PER", "O", "B-LOC", "O"], ["B-LOC", "B-ORG"]]
    score = entity_scores(gold, pred)
    assert score.per_label == {"LOC": PRF(1, 2, 2), "ORG": PRF(0, 1, 0), "PER": PRF(1, 1, 1)}
    assert (score.precision, score.recall) == (0.5, pytest.approx(2 / 3))
    assert score.f1 == pytest.approx(4 / 7)
    assert (score.accuracy, score.tokens) == (pytest.approx(4 / 6), 6)
    assert json.loads(json.dumps(score.to_dict()))["per_label"]["LOC"]["f1"] == 0.5
    assert label_table(score.per_label).splitlines()[1].split() == ["LOC", "0.5000", "0.5000", "0.5000", "2"]


def test_entities_do_not_run_over_the_end_of_a_sequence() -> None:
    assert entity_scores([["B-PER"], ["I-PER"]], [["B-PER"], ["O"]]).overall == PRF(1, 1, 2)


LABELS = st.sampled_from(["O", *(f"{prefix}-{kind}" for prefix in "BIES" for kind in "XY")])
PAIRS = st.lists(st.lists(st.tuples(LABELS, LABELS), max_size=8), max_size=4)


@given(PAIRS)
def test_entity_scores_swap(pairs: list[list[tuple[str, str]]]) -> None:
    gold = [[left for left, _ in pair] for pair in pairs]
    pred = [[right for _, right in pair] for pair in pairs]
    one, other = entity_scores(gold, pred), entity_scores(pred, gold)
    assert (one.precision, one.recall, one.f1) == (other.recall, other.precision, other.f1)
    assert sum(one.per_label.values(), PRF()) == one.overall
    same = entity_scores(gold, gold)
    assert same.overall.correct == same.overall.gold == same.overall.predicted


def test_label_scores() -> None:
    scores = label_scores({("A", "A"): 3, ("A", "B"): 1, ("B", "A"): 2})
    assert scores == {"A": PRF(3, 5, 4), "B": PRF(0, 1, 2)}


# ---- segmentation -----------------------------------------------------------------------------


def cut(*tokens: str) -> Doc:
    """Tokens side by side; ``"ab=x+yz"`` is a multiword token ab of the words x and yz."""
    starts: list[int] = []
    ends: list[int] = []
    forms: list[str] = []
    ranges: list[list[int]] = []
    text = ""
    for token in tokens:
        surface, _, words = token.partition("=")
        parts = words.split("+") if words else [""]
        if words:
            ranges.append([len(text), len(text) + len(surface)])
        for i, part in enumerate(parts):
            starts.append(len(text) + i * len(surface) // len(parts))
            ends.append(len(text) + (i + 1) * len(surface) // len(parts))
            forms.append(part)
        text += surface
    doc = Doc(text, starts, ends)
    doc.set_column("form", forms)
    doc.user_data["multiword"] = ranges
    return doc


@pytest.mark.parametrize(
    ("gold", "pred", "correct"),
    [
        (["one", "two"], ["one", "two"], 2),
        (["onetwo"], ["one", "two"], 0),
        (["on", "et", "wo"], ["one", "t", "wo"], 1),
        # Words of a multiword token are found by form, not by place.
        (["du=de+le", "x"], ["d", "u", "x"], 1),
        (["du=d+U", "x"], ["d", "u", "x"], 3),
        (["dux"], ["du=d+u", "x"], 0),
        # The span grows until no multiword token sticks out of it.
        (["abc=a+b+c", "de=d+e"], ["a", "bcd=b+c+d", "e"], 5),
        (["abc=a+Q+c", "def=d+R+f"], ["ab=a+b", "cd=c+d", "ef=e+f"], 4),
        (["ab=a+b", "cd=bc+d"], ["a", "bc", "d"], 2),
        # A plain word that begins before the span is no part of it.
        (["a", "bc=b+c"], ["ab=Q+R", "c"], 1),
    ],
)
def test_words_are_aligned_as_in_conll_2018(gold: list[str], pred: list[str], correct: int) -> None:
    left, right = cut(*gold), cut(*pred)
    assert segmentation_scores(left, right).words == PRF(correct, len(right), len(left))
    assert segmentation_scores(right, left).words == PRF(correct, len(left), len(right))


def test_sentences_are_character_spans_without_whitespace() -> None:
    gold = Doc("One two. Three! Four?", [0, 4, 9, 16], [3, 8, 15, 21], sent_starts=[1, 0, 1, 1])
    pred = Doc("One  two.\nThree! Four?", [0, 5, 10, 17], [3, 9, 16, 22], sent_starts=[1, 0, 1, 0])
    score = segmentation_scores(gold, pred)
    assert score.sentences == PRF(1, 2, 3)
    assert score.words == PRF(4, 4, 4)
    assert json.loads(json.dumps(score.to_dict()))["sentences"]["recall"] == pytest.approx(1 / 3)
    both = segmentation_scores([gold, gold], [pred, gold])
    assert both.sentences == PRF(4, 5, 6)


def test_whitespace_tokens_and_sentences_do_not_count() -> None:
    gold = Doc("a b", [0, 2], [1, 3])
    pred = Doc("  a\n b", [0, 2, 5], [2, 3, 6], sent_starts=[1, 1, 0])
    score = segmentation_scores(gold, pred)
    assert (score.words, score.sentences) == (PRF(2, 2, 2), PRF(1, 1, 1))
    empty = segmentation_scores(Doc("", [], []), Doc(" ", [0], [1]))
    assert (empty.words, empty.sentences) == (PRF(), PRF())


def test_different_texts_are_refused() -> None:
    with pytest.raises(
        DataError, match="Doc 1: gold and predicted text differ at visible character 2: 'c' and 'd'"
    ):
        segmentation_scores([cut("a"), cut("abc")], [cut("a"), cut("abd")])
    with pytest.raises(DataError, match="1 gold Docs but 2"):
        word_scores(cut("a"), [cut("a"), cut("b")])


def test_word_scores_tell_known_words_from_unknown() -> None:
    gold, pred = cut("我们", "喜欢", "自然", "语言"), cut("我们", "喜", "欢", "自然语言")
    score = word_scores(gold, pred, known=["我们", "喜欢"])
    assert score.words == PRF(1, 4, 4)
    assert (score.known, score.unknown) == ((1, 2), (0, 2))
    assert score.to_dict()["known_recall"] == 0.5
    assert word_scores(gold, gold).to_dict()["f1"] == 1.0


@st.composite
def cuts(draw: st.DrawFn, multiword: bool) -> tuple[Doc, Doc]:
    text = draw(st.text(st.sampled_from("ab"), min_size=1, max_size=10))
    sides = []
    for _ in range(2):
        tokens, at = [], 0
        while at < len(text):
            end = min(len(text), at + draw(st.integers(1, 4)))
            count = draw(st.integers(1, end - at)) if multiword else 1
            words = draw(st.lists(st.sampled_from(["a", "b", "ab"]), min_size=count, max_size=count))
            tokens.append(text[at:end] + ("=" + "+".join(words) if count > 1 else ""))
            at = end
        sides.append(cut(*tokens))
    return sides[0], sides[1]


@given(cuts(multiword=False))
def test_segmentation_scores_swap(pair: tuple[Doc, Doc]) -> None:
    gold, pred = pair
    one, other = segmentation_scores(gold, pred).words, segmentation_scores(pred, gold).words
    assert (one.precision, one.recall, one.f1) == (other.recall, other.precision, other.f1)


# With multiword tokens conll18_ud_eval is not symmetric: where both sides start together, gold goes first.
@given(cuts(multiword=True))
def test_segmentation_scores_bounds(pair: tuple[Doc, Doc]) -> None:
    gold, pred = pair
    one = segmentation_scores(gold, pred).words
    assert one.correct <= min(one.gold, one.predicted)
    assert segmentation_scores(gold, gold).words.f1 == 1.0
    assert word_scores(gold, gold).words.f1 == 1.0
