"""Files of a comparison: read, checked, cut to sizes; answers in units; typing errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from compare_toys import labelled, segmented, tagged, write_columns
from hypothesis import given
from hypothesis import strategies as st

from nlptk.compare.contestant import Part, Task, length
from nlptk.compare.data import choose, read_sources
from nlptk.compare.durations import parse_duration, shown
from nlptk.compare.noise import lower_case, typos
from nlptk.compare.units import (
    Answers,
    by_length,
    check_answers,
    disagreements,
    knows,
    units_of,
    vocabulary_of,
)
from nlptk.errors import ConfigError, DataError
from nlptk.scoring import entity_scores


def sources(**changes):
    given = {"train": tagged(9, 1), "dev": tagged(3, 2), "test": tagged(4, 3), "column": "upos"}
    return read_sources("taggers", **{**given, **changes})


def test_files_are_read_with_their_hashes(tmp_path):
    train, test = (write_columns(tmp_path / f"{n}.conll", 20, i) for i, n in enumerate(["train", "test"]))
    found = read_sources("taggers", train, None, test, column="1")
    assert [(one.role, one.name) for one in found.all] == [
        ("train", "train.conll"), ("dev", "train.conll"), ("test", "test.conll"),
    ]  # fmt: skip
    assert [len(one.part) for one in found.all] == [18, 2, 20]
    assert found.train.part.items[8] == tagged(20, 0)[0][8]
    assert found.dev.part.items == [tagged(20, 0)[0][i] for i in (9, 19)]
    assert any("held out" in warning for warning in found.warnings)
    assert len(found.test.sha256) == 64
    assert found.test.sha256 != found.train.sha256
    assert found.labels == ("ADJ", "DET", "NOUN", "VERB")
    assert found.metric == "accuracy"


def test_entities_are_told_by_column_or_labels():
    words, tags = [["Ada", "ran"], ["in", "Rome"]], [["B-PER", "O"], ["O", "B-LOC"]]
    for column in ("ner", "2"):
        found = read_sources("taggers", (words, tags), (words, tags), (words, tags), column=column)
        assert found.metric == "f1"
        assert found.labels == ("LOC", "PER")


def test_sentences_that_stand_in_train_are_counted():
    train = tagged(9, 1)
    other = ([*train[0][:2], ["Quite", "another"]], [*train[1][:2], ["DET", "NOUN"]])
    warnings = sources(test=other).warnings
    assert any("2 test sentences stand in train too (of 3)" in one for one in warnings)
    warnings = sources(test=([["Quite", "another"]], [["DET", "NOUN"]])).warnings
    assert not any("stand" in one for one in warnings)


def test_other_labels_are_named_and_another_tag_set_is_refused():
    new = ([["Hello", "dog", "dog"]], [["INTJ", "NOUN", "NOUN"]])
    (warning,) = [one for one in sources(test=new).warnings if "has labels" in one]
    assert "test (test) has labels that train (train) has not: INTJ" in warning
    assert "1 of 3" in warning
    with pytest.raises(DataError, match=r"labels that train \(train\) has not: DT, NN, VBZ; they are most"):
        sources(also=[([["The", "dog", "sees"]], [["DT", "NN", "VBZ"]])])


@pytest.mark.parametrize(
    ("task", "changes", "message"),
    [
        ("taggers", {"column": None}, "a column is needed"),
        ("classifiers", {}, "a column is needed"),
        ("taggers", {"train": ([], [])}, "0 items"),
        ("taggers", {"test": ([["a"]], [["X", "Y"]])}, "1 words but 2 labels"),
        ("taggers", {"test": ([["a"], ["b"]], [["X"]])}, "2 items and 1 answers"),
        ("taggers", {"test": (["a"], [["X"]])}, "not of the form"),
        ("taggers", {"test": ([["a"]], [["X"]], [])}, "neither a file nor a pair"),
        ("taggers", {"dev": None, "train": ([["a"]], [["X"]])}, "give a dev file"),
    ],
)
def test_what_cannot_be_compared_is_refused(task, changes, message):
    given = {"train": tagged(9, 1), "dev": tagged(3, 2), "test": tagged(4, 3), "column": "upos"}
    with pytest.raises((ConfigError, DataError), match=message):
        read_sources(task, **{**given, **changes})


def test_further_files_have_names_of_their_own(tmp_path):
    words = ([["a"]], [["DET"]])
    assert [one.name for one in sources(also=[words, words]).also] == ["also 1", "also 2"]
    path = write_columns(tmp_path / "a.conll", 4, 1)
    with pytest.raises(ConfigError, match=r"two further test files are called 'a\.conll'"):
        sources(column="1", train=path, dev=path, test=path, also=[path, path])


def test_labels_that_the_test_file_lacks_are_named():
    test = ([["The", "dog"]], [["DET", "NOUN"]])
    (warning,) = [one for one in sources(test=test).warnings if "lacks" in one]
    assert "test (test) lacks labels that train (train) has: ADJ, VERB; no score" in warning


def test_sentences_that_are_held_out_count_as_seen():
    words, tags = tagged(20, 0)
    found = sources(train=(words, tags), dev=None, test=(words[9:10], tags[9:10]))
    assert found.dev.part.items[0] == words[9]
    assert any("1 test sentence stands in train too (of 1)" in one for one in found.warnings)


def test_a_word_without_a_label_is_named(tmp_path):
    path = tmp_path / "some.conllu"
    path.write_text("1\tHi\t_\t_\t_\t_\t0\troot\t_\t_\n2\tyou\t_\tPRON\t_\t_\t1\tx\t_\t_\n\n", "utf-8")
    with pytest.raises(DataError, match="'Hi' of sentence 1 has no 'upos'"):
        read_sources("taggers", path, None, path, column="upos")


def test_plain_text_has_no_words_to_learn(tmp_path):
    path = tmp_path / "plain.txt"
    path.write_text("我们喜欢北京\n", "utf-8")
    with pytest.raises(DataError, match="marks no words"):
        read_sources("segmenters", path, None, path)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 5))
def test_smaller_sizes_are_part_of_greater_ones(one, other, seed):
    part = Part(list(range(30)), [str(i) for i in range(30)])
    small, great = (choose(part, size, seed) for size in sorted([one, other]))
    assert len(great) == min(max(one, other), 30)
    assert set(small.items) <= set(great.items)
    if len(great) < 30:
        assert great.items[: len(small)] == small.items
    assert all(str(item) == gold for item, gold in zip(great.items, great.gold, strict=True))
    assert choose(part, 30, seed) == part


def answers_of(task: Task, metric: str, part: Part, answers: list[Any]) -> Answers:
    return Answers(units_of(task, metric, part.gold), units_of(task, metric, answers), metric)


iob = st.lists(st.sampled_from(["O", "B-X", "I-X", "B-Y", "I-Y"]), min_size=1, max_size=8)


@given(st.lists(iob.flatmap(lambda gold: st.tuples(st.just(gold), st.permutations(gold))), min_size=1))
def test_counts_of_entities_are_conllevals(rows):
    gold, found = [row[0] for row in rows], [row[1] for row in rows]
    part = Part([["w"] * len(labels) for labels in gold], gold)
    answers = answers_of("taggers", "f1", part, found)
    wanted = entity_scores(gold, found)
    assert answers.counts().sum(0).tolist() == [
        wanted.overall.correct, wanted.overall.predicted, wanted.overall.gold,
    ]  # fmt: skip
    assert answers.per_label() == dict(wanted.per_label)


def test_words_of_a_segmentation_are_spans_of_what_is_visible():
    part = Part(["我们 喜欢北京"], [["我们", "喜欢", "北京"]])
    answers = answers_of("segmenters", "f1", part, [["我们", "喜", "欢", "北京"]])
    assert answers.counts().tolist() == [[2, 4, 3]]
    known = knows("segmenters", part, {"北京"})
    assert known is not None
    assert answers.counts(known).tolist() == [[1, 1, 1]]
    assert {label: prf.gold for label, prf in answers.per_label().items()} == {
        "1 character": 0, "2 characters": 3,
    }  # fmt: skip
    with pytest.raises(DataError, match="do not spell"):
        check_answers("segmenters", part, [["我", "喜欢", "北京"]])


def test_known_and_unknown_words_make_up_all():
    words, tags = tagged(6, 1)
    part = Part(words, tags)
    answers = answers_of("taggers", "accuracy", part, [["NOUN"] * len(row) for row in words])
    judge = knows("taggers", part, vocabulary_of("taggers", Part([["dog", "The"]], [["NOUN", "DET"]])))
    assert judge is not None
    known, unknown = (answers.counts(lambda i, u, kept=kept: judge(i, u) is kept) for kept in (True, False))
    assert np.array_equal(known + unknown, answers.counts())
    assert known[:, 1].sum() == sum(row.count("dog") + row.count("The") for row in words)
    assert knows("classifiers", part, set()) is None


def test_groups_of_length_and_disagreements_add_up():
    part = Part([["a"] * n for n in (2, 5, 6, 40, 90)], [["X"] * n for n in (2, 5, 6, 40, 90)])
    good = answers_of("taggers", "accuracy", part, part.gold)
    bad = answers_of("taggers", "accuracy", part, [["Y", *row[1:]] for row in part.gold])
    groups = by_length("taggers", part, bad.counts())
    assert [(one["from"], one["to"], one["sentences"]) for one in groups] == [
        (1, 5, 2), (6, 10, 1), (21, 40, 1), (41, None, 1),
    ]  # fmt: skip
    assert groups[0]["score"] == 5 / 7
    assert disagreements({"good": good, "bad": bad}) == [
        {"right": "good", "wrong": "bad", "units": 5}, {"right": "bad", "wrong": "good", "units": 0},
    ]  # fmt: skip


def test_answers_must_fit():
    part = Part([["a", "b"]], [["X", "Y"]])
    with pytest.raises(DataError, match="0 answers to 1 items"):
        check_answers("taggers", part, [])
    with pytest.raises(DataError, match="1 labels to the 2 words of item 0"):
        check_answers("taggers", part, [["X"]])


def test_typing_errors_leave_words_and_characters_in_their_number():
    words, tags = tagged(200, 1)
    noisy = typos("taggers", Part(words, tags))
    changed = [(a, b) for x, y in zip(words, noisy.items, strict=True) for a, b in zip(x, y, strict=True)]
    long = [pair for pair in changed if len(pair[0]) > 3]
    assert 0.05 < sum(a != b for a, b in long) / len(long) < 0.15
    assert all(a == b for a, b in changed if len(a) <= 3)
    assert all(a[0] == b[0] and a[-1] == b[-1] for a, b in changed)
    assert typos("taggers", Part(words, tags)) == noisy
    texts, rows = segmented(100, 1)
    noisy = typos("segmenters", Part(texts, rows))
    assert noisy.items != texts
    for text, new, row, words in zip(texts, noisy.items, rows, noisy.gold, strict=True):
        assert "".join(words) == new
        assert sorted(new) == sorted(text)
        assert list(map(len, words)) == list(map(len, row))
    texts, labels = labelled(100, 1)
    assert typos("classifiers", Part(texts, labels)).gold == labels


def test_lower_case_keeps_the_number_of_characters():
    part = Part(["İstanbul NASA"], [["İstanbul", "NASA"]])
    lowered = lower_case("segmenters", part)
    assert lowered.items == ["İstanbul nasa"]
    assert lowered.gold == [["İstanbul", "nasa"]]


def test_length_of_texts_and_lists():
    assert length(["a", "b c"]) == 2
    assert [length(text) for text in ("", "a bc,  d", "我们 love北京!", "５月")] == [0, 3, 6, 2]


def test_durations():
    assert [parse_duration(text) for text in ("90", 90, "90s", "1.5m", "1h30m", "2H")] == [
        90, 90, 90, 90, 5400, 7200,
    ]  # fmt: skip
    for wrong in ("", "soon", "0", "-3m", "nan", "m", 0, "1m1h"):
        with pytest.raises(ConfigError, match="is no duration"):
            parse_duration(wrong)
    assert [shown(s) for s in (4.21, 65, 700, 5400, 8000)] == [
        "4.2 s",
        "65 s",
        "12 min",
        "90 min",
        "2 h 13 min",
    ]
