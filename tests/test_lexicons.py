"""Word lists and word classes."""

from __future__ import annotations

import gzip
import importlib.util

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlptk import _core, lexicons
from nlptk.errors import ConfigError, DataError
from nlptk.lexicons import Gazetteer, WordClasses, jieba_words, lexicon_keys, read_lexicon

WORDS = st.text(st.characters(codec=None), max_size=8)


@given(st.lists(WORDS, unique=True, max_size=30), WORDS)
def test_a_lexicon_finds_exactly_its_words(words, other):
    keys = np.array([_core.lexicon_key(word) for word in words], np.uint32)
    lexicon = _core.Lexicon(keys)
    assert [lexicon.find(word) for word in words] == list(range(1, len(words) + 1))
    assert (lexicon.find(other) > 0) == (other in words)


@given(st.lists(WORDS))
def test_keys_are_sorted_and_unique(words):
    keys = lexicon_keys(words)
    assert keys.dtype == np.uint32
    assert keys.tolist() == sorted({_core.lexicon_key(word) for word in words})


def test_nearly_all_of_many_words_have_keys_of_their_own():
    # 32 bits for 200,000 words: about five pairs share a key by chance; a poor hash would show at once.
    keys = lexicon_keys(f"{chr(97 + i % 26)}{i}" for i in range(200_000))
    assert len(keys) > 199_970


def test_read_lexicon_strips_and_skips_blank_lines(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("alpha\n  beta \n\n中文\n", encoding="utf-8")
    assert read_lexicon(str(path)).tolist() == lexicon_keys(["alpha", "beta", "中文"]).tolist()
    packed = tmp_path / "words.txt.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read_lexicon(str(packed)).tolist() == read_lexicon(str(path)).tolist()
    path.write_text("", encoding="utf-8")
    assert len(read_lexicon(str(path))) == 0


def test_read_lexicon_names_a_missing_file(tmp_path):
    with pytest.raises(DataError, match="none"):
        read_lexicon(str(tmp_path / "none.txt"))


def test_jieba_words_come_from_its_dictionary():
    words = jieba_words(4)
    assert len(words) > 100_000
    assert all(2 <= len(word) <= 4 for word in words)
    assert "中国" in words


def test_without_jieba_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="pip install jieba"):
        lexicons.read_lexicon("jieba")


def test_word_classes_are_read(tmp_path):
    path = tmp_path / "classes.tsv"
    path.write_text("word\tfine\tcoarse\nStone\t7\t1\nriver\t65534\t0\nstone\t9\t9\n", encoding="utf-8")
    classes = WordClasses.read(path)
    assert classes.names == ("fine", "coarse")
    rows = dict(zip(classes.keys.tolist(), classes.values.tolist(), strict=True))
    assert rows == {_core.lexicon_key("stone"): [7, 1], _core.lexicon_key("river"): [65534, 0]}
    assert classes.keys.tolist() == sorted(rows)


def test_words_are_lowered_as_the_kernel_lowers_them(tmp_path):
    path = tmp_path / "classes.tsv"
    path.write_text("word\tc\nΟΔΟΣ\t5\nİzmir\t6\n", encoding="utf-8")
    classes = WordClasses.read(path)
    kernel = _core.TokenFeatures([(12, 0)], [[(0, 0, 0)]], [1], classes.keys, classes.values)
    keys = [_key(kernel, word) for word in ("ΟΔΟΣ", "οδοσ", "İzmir", "other")]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def _key(kernel, word):
    ends = np.array([len(word)], np.int32)
    offsets = np.array([0, 1], np.int64)
    return int(kernel.keys([word], np.zeros(1, np.int32), ends, offsets, offsets, [])[0, 0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "classes.tsv:1: the header"),
        ("word\n", "classes.tsv:1: the header"),
        ("token\tc\n", "classes.tsv:1: the header"),
        ("word\tc\na\t1\nb\n", "classes.tsv:3: expected a word and 1 class"),
        ("word\tc\na\t1\t2\n", "classes.tsv:2:"),
        ("word\tc\na\t-1\n", "classes.tsv:2:"),
        ("word\tc\na\t1.5\n", "classes.tsv:2:"),
        ("word\tc\na\t65535\n", "up to 65534"),
    ],
)
def test_malformed_word_classes_name_the_line(tmp_path, text, message):
    path = tmp_path / "classes.tsv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        WordClasses.read(path)


@pytest.mark.parametrize(
    ("keys", "values"),
    [
        (np.zeros(2, np.uint32), np.zeros((2, 2), np.uint16)),
        (np.zeros(2, np.uint32), np.zeros((3, 1), np.uint16)),
        (np.zeros(2, np.uint32), np.zeros(2, np.uint16)),
        (np.zeros((2, 1), np.uint32), np.zeros((2, 1), np.uint16)),
        (np.zeros(2, np.int64), np.zeros((2, 1), np.uint16)),
        (np.zeros(2, np.uint32), np.zeros((2, 1), np.float32)),
    ],
)
def test_word_classes_of_another_shape_are_refused(keys, values):
    with pytest.raises(ConfigError, match="word classes must be"):
        WordClasses(("c",), keys, values)


def test_empty_word_classes():
    empty = WordClasses.empty()
    assert empty.names == ()
    assert empty.values.shape == (0, 0)


def rows_of(classes: WordClasses) -> dict[int, list[int]]:
    return dict(zip(classes.keys.tolist(), classes.values.tolist(), strict=True))


def test_possible_tags_are_classes_of_words_with_the_same_labels():
    X = [["The", "run", "the", "walk"], ["run", "Walk", "rare", "walk", "run"]]
    y = [["D", "N", "D", "V"], ["V", "N", "J", "V", "N"]]
    classes = WordClasses.of_labels(X, y, min_count=2)
    assert classes.names == ("tags",)
    key = _core.lexicon_key
    assert rows_of(classes) == {key("the"): [0], key("run"): [1], key("walk"): [1]}  # D; N and V
    shares = rows_of(WordClasses.of_labels(X, y, name="t", min_count=3, min_share=0.5))
    assert shares == {key("run"): [0], key("walk"): [1]}  # two of three places are N, are V
    assert len(WordClasses.of_labels([], []).keys) == 0
    for wrong in (y[:1], [y[0], y[1][:-1]]):
        with pytest.raises(DataError, match="a label for each word"):
            WordClasses.of_labels(X, wrong)


def test_joined_classes_are_those_of_both():
    first = WordClasses.of_labels([["a", "b"]], [["A", "B"]], name="f", min_count=1)
    second = WordClasses.of_labels([["b", "c"]], [["C", "C"]], name="s", min_count=1)
    both = first.joined(second)
    key = _core.lexicon_key
    assert both.names == ("f", "s")
    assert rows_of(both) == {key("a"): [0, 65535], key("b"): [1, 0], key("c"): [65535, 0]}
    assert both.keys.tolist() == sorted(both.keys.tolist())
    assert rows_of(first.joined(WordClasses.empty())) == rows_of(first)
    with pytest.raises(ConfigError, match="both have classes named 'f'"):
        first.joined(first)


# ---- gazetteers --------------------------------------------------------------------------------------------


def test_a_gazetteer_is_read(tmp_path):
    path = tmp_path / "names.tsv"
    path.write_text("New York\tLOC\n\nWashington\tPER\nwashington\tLOC\nIBM\n", encoding="utf-8")
    gazetteer = Gazetteer.read("n", path)
    rows = dict(zip(gazetteer.keys.tolist(), gazetteer.classes.tolist(), strict=True))
    # classes in order: none, LOC, LOC and PER
    assert rows == {_core.lexicon_key(n): c for n, c in (("ibm", 0), ("newyork", 1), ("washington", 2))}
    assert gazetteer.longest == len("washington")
    assert gazetteer.keys.tolist() == sorted(rows)
    cased = Gazetteer.read("n", path, ignore_case=False)
    assert len(cased.keys) == 4
    packed = tmp_path / "names.tsv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert Gazetteer.read("n", str(packed)).keys.tolist() == gazetteer.keys.tolist()


def test_jiebas_dictionary_is_a_gazetteer_of_tags():
    gazetteer = Gazetteer.read("j", "jieba")
    assert len(gazetteer.keys) > 300_000
    rows = dict(zip(gazetteer.keys.tolist(), gazetteer.classes.tolist(), strict=True))
    tag = {word: rows[_core.lexicon_key(word)] for word in ("北京", "上海", "吃饭")}
    assert tag["北京"] == tag["上海"] != tag["吃饭"]


def test_a_gazetteer_without_names():
    empty = Gazetteer.of("n", [])
    assert (len(empty.keys), empty.longest) == (0, 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\tb\tc\n", "names.tsv:1: expected a name"),
        ("a\n\tLOC\n", "names.tsv:2: expected a name"),
        ("x" * 1001 + "\n", "names.tsv:1: expected a name"),
    ],
)
def test_a_malformed_gazetteer_names_the_line(tmp_path, text, message):
    path = tmp_path / "names.tsv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        Gazetteer.read("n", path)


@pytest.mark.parametrize(
    "change",
    [
        {"keys": np.zeros(2, np.int64)},
        {"keys": np.zeros((2, 1), np.uint32)},
        {"classes": np.zeros(3, np.uint16)},
        {"classes": np.zeros(2, np.uint8)},
        {"prefixes": np.zeros(3, np.uint8)},
        {"prefixes": np.zeros(0, np.uint8)},
        {"prefixes": np.zeros(4, np.uint16)},
        {"longest": -1},
        {"longest": 10**6},
        {"longest": 2.5},
    ],
)
def test_a_gazetteer_of_another_shape_is_refused(change):
    fields = {
        "keys": np.zeros(2, np.uint32),
        "classes": np.zeros(2, np.uint16),
        "prefixes": np.zeros(4, np.uint8),
        "longest": 4,
    }
    Gazetteer("n", **fields)
    with pytest.raises(ConfigError, match="gazetteer"):
        Gazetteer("n", **{**fields, **change})


def test_a_name_must_have_characters():
    with pytest.raises(DataError, match="1 to"):
        Gazetteer.of("n", [("  ", "")])
