"""Phrases: what gensim finds and joins, files in threads, saving, and bad input."""

from __future__ import annotations

import gzip
import io
import json
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlptk.corpora.files import open_text
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.vectors.phrases import ENGLISH_CONNECTOR_WORDS, Phrases

SENTENCES = [
    ["we", "saw", "new", "york", "city", "from", "the", "bank", "of", "america"],
    ["new", "york", "is", "larger", "than", "york"],
    ["the", "bank", "of", "america", "is", "in", "new", "york"],
] * 4


def gensim_phrases(sentences: list[list[str]], **settings: Any) -> Any:
    phrases = pytest.importorskip("gensim.models.phrases")
    return phrases.Phrases(sentences, **settings)


# ---- against gensim ----

# Words with the delimiter in them: then a word and a pair may be one text, and two pairs, too.
_WORD = st.sampled_from(["a", "b", "c", "a_b", "b_c", "_", "__", "of", "the", "\ud800", "\0", "年 月", "é"])
_SENTENCES = st.lists(st.lists(_WORD, max_size=12), min_size=1, max_size=12).filter(any)


@given(
    sentences=_SENTENCES,
    scoring=st.sampled_from(["default", "npmi"]),
    threshold=st.sampled_from([0.1, 0.5, 1.0]),
    min_count=st.sampled_from([1, 1.5, 2]),
    delimiter=st.sampled_from(["_", "__", "-", "→"]),
    connectors=st.sampled_from([(), ("of", "the"), ("b", "of")]),
)
def test_what_is_joined_and_every_score_are_gensims(
    sentences: list[list[str]],
    scoring: str,
    threshold: float,
    min_count: float,
    delimiter: str,
    connectors: tuple[str, ...],
) -> None:
    settings = {"scoring": scoring, "threshold": threshold, "min_count": min_count, "delimiter": delimiter}
    theirs = gensim_phrases(sentences, connector_words=frozenset(connectors), **settings)
    ours = Phrases(connector_words=connectors, threads=2, **settings).fit(sentences)  # type: ignore[arg-type]
    assert ours.transform(sentences) == [theirs[sentence] for sentence in sentences]
    assert ours.find_phrases(sentences) == theirs.find_phrases(sentences)


@given(sentences=_SENTENCES)
def test_passes_are_gensims_one_after_another(sentences: list[list[str]]) -> None:
    settings: dict[str, Any] = {"min_count": 1, "threshold": 0.5}
    first = gensim_phrases(sentences, **settings)
    second = gensim_phrases([first[sentence] for sentence in sentences], **settings)
    ours = Phrases(passes=2, **settings).fit(sentences)
    assert ours.transform(sentences) == [second[first[sentence]] for sentence in sentences]


def test_files_are_read_as_gensim_reads_lines(tmp_path: Path) -> None:
    path = tmp_path / "corpus.txt"
    # White space as Python has it, an empty line, and a line so long that it is several sentences.
    text = "new\u3000york\xa0is\tlarge \r\n\nnew york\x1cnew\u200byork\n" + "new york " * 12_001
    path.write_text(text, "utf-8", newline="")
    word2vec = pytest.importorskip("gensim.models.word2vec")
    lines = list(word2vec.LineSentence(str(path)))
    theirs = gensim_phrases(lines, min_count=1, threshold=1e-9)
    ours = Phrases(min_count=1, threshold=1e-9).fit(path)
    assert ours.find_phrases(lines) == theirs.find_phrases(lines)
    with open_text(path) as reader:
        joined = "".join(ours.join_lines(reader))
    assert joined.split() == [word for line in lines for word in theirs[line]]
    assert [line.split() for line in joined.split("\n")[:3]] == [theirs[lines[0]], [], theirs[lines[1]]]
    assert joined.count("\n") == text.count("\n")


def test_connector_words_are_gensims() -> None:
    phrases = pytest.importorskip("gensim.models.phrases")
    assert phrases.ENGLISH_CONNECTOR_WORDS == ENGLISH_CONNECTOR_WORDS


# ---- by themselves ----


def test_phrases_of_several_passes() -> None:
    sentences = [["in", "new", "york", "city"], ["new", "york", "is"], ["bank", "of", "america", "in"]] * 4
    model = Phrases(min_count=1, threshold=0.5, connector_words=ENGLISH_CONNECTOR_WORDS, passes=2)
    model.fit(sentences)
    assert model[["new", "york", "city"]] == ["new_york_city"]
    assert model[["bank", "of", "america", "of"]] == ["bank_of_america", "of"]
    assert set(model.find_phrases([["new", "york", "city"]])) == {"new_york", "new_york_city"}
    assert model.phrases["new_york_city"] > 0.5
    assert model[[]] == []
    assert model[["", "new", "", "york"]] == ["", "new", "", "york"]


def test_a_threshold_for_each_pass() -> None:
    model = Phrases(min_count=1, threshold=[0.5, 1000], passes=2).fit(SENTENCES)
    assert model[["new", "york", "city"]] == ["new_york", "city"]
    with pytest.raises(ConfigError, match="2 thresholds for 1 passes"):
        Phrases(threshold=[1, 2]).fit(SENTENCES)


def test_several_files_any_number_of_threads_one_result(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.txt", tmp_path / "b.txt.gz"
    text = "".join(" ".join(sentence) + "\n" for sentence in SENTENCES)
    plain.write_text(text)
    packed.write_bytes(gzip.compress(text.encode()))
    seen: list[tuple[int, int, int | None]] = []
    one = Phrases(min_count=1, threshold=0.5, threads=1).fit(
        [plain, str(packed)], progress=lambda *told: seen.append(told)
    )
    many = Phrases(min_count=1, threshold=0.5, threads=5).fit(SENTENCES * 2)
    assert one.phrases == many.phrases
    assert seen[-1][:2] == (1, 2 * len(text))


def test_counting_is_bounded() -> None:
    rare = ([f"w{i}", f"v{i}"] for i in range(200_000))
    model = Phrases(min_count=1, threshold=0.01, max_vocab_size=500).fit(chain([["new", "york"]] * 50, rare))
    assert list(model.phrases) == ["new_york"]


def test_settings_are_scikit_learns() -> None:
    model = Phrases(min_count=2)
    assert model.get_params()["min_count"] == 2
    assert model.set_params(threshold=3.0).threshold == 3.0
    with pytest.raises(ConfigError, match="no setting 'size'"):
        model.set_params(size=1)


# ---- saving ----


@pytest.mark.parametrize("name", ["phrases.json", "phrases.json.gz"])
def test_saved_and_loaded(tmp_path: Path, name: str) -> None:
    sentences = [*SENTENCES, *[["年\ud800", "月 日"]] * 5]
    model = Phrases(
        min_count=1, threshold=[0.5, 0.25], connector_words=ENGLISH_CONNECTOR_WORDS, passes=2, scoring="npmi"
    ).fit(sentences)
    model.save(tmp_path / name)
    again = Phrases.load(tmp_path / name)
    assert again.phrases == model.phrases
    assert again.transform(sentences) == model.transform(sentences)
    assert again.get_params() == {**model.get_params(), "connector_words": sorted(ENGLISH_CONNECTOR_WORDS)}
    again.save(tmp_path / "again.json")
    assert Phrases.load(tmp_path / "again.json").phrases == model.phrases


def test_damaged_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "phrases.json"
    Phrases(min_count=1, threshold=0.5).fit(SENTENCES).save(path)
    whole = path.read_text()
    for cut in (0, 10, len(whole) // 2, len(whole) - 3):
        path.write_text(whole[:cut])
        with pytest.raises(ModelError, match=r"phrases\.json is damaged"):
            Phrases.load(path)
    data = json.loads(whole)
    for change, message in [
        ({"format": "x"}, "does not hold phrases"),
        ({"version": 9}, "version 9"),
        ({"passes": [[["ab", 2, 1, 1.0]]]}, "shorter than its words"),
        ({"passes": []}, "damaged"),
        ({"settings": {"colour": 1}}, "damaged"),
    ]:
        path.write_text(json.dumps({**data, **change}))
        with pytest.raises(ModelError, match=message):
            Phrases.load(path)
    with pytest.raises(ModelError, match="cannot read"):
        Phrases.load(tmp_path / "none.json")


# ---- bad input ----


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scoring": "pmi"}, "scoring must be"),
        ({"delimiter": ""}, "delimiter"),
        ({"min_count": 0}, "min_count"),
        ({"threshold": 0}, "above 0"),
        ({"threshold": 2, "scoring": "npmi"}, "from -1 to 1"),
        ({"passes": 0}, "at least 1"),
        ({"connector_words": [""]}, "connector word"),
    ],
)
def test_settings_that_are_none(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Phrases(**settings).fit(SENTENCES)


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        ([], "no words"),
        ([[], []], "no words"),
        (["one", ["two"]], "sentence 0 is str"),
        ([["a"], ["b", 1]], "sentence 1 holds a word that is no string"),
    ],
)
def test_corpora_that_are_none(corpus: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Phrases().fit(corpus)


def test_a_generator_is_read_once() -> None:
    with pytest.raises(ConfigError, match="2 passes read the corpus"):
        Phrases(passes=2).fit(iter(SENTENCES))
    assert Phrases(min_count=1, threshold=0.5).fit(iter(SENTENCES)).phrases
    with pytest.raises(ConfigError, match="a corpus is"):
        Phrases().fit(3)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="call fit"):
        Phrases()[["a"]]


def test_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "corpus.txt"
    path.write_bytes(b"new york\nnew york\nnew \xff york\nnew york")
    with pytest.raises(DataError, match=r"corpus\.txt, line 3: byte 0xff"):
        Phrases().fit(path)
    model = Phrases(min_count=1, threshold=0.1).fit(path, errors="replace")
    with open_text(path) as reader, pytest.raises(DataError, match="line 3: byte 0xff"):
        list(model.join_lines(reader))
    with open_text(path) as reader:
        text = "".join(model.join_lines(reader, errors="replace"))
    assert text == "new_york\nnew_york\nnew � york\nnew_york"


def test_text_without_white_space_or_without_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "corpus.txt"
    path.write_text("_" * 1_000_000 + " " + "x" * 1_000_000)
    model = Phrases(min_count=1, threshold=1e-9).fit(path)
    assert not model.phrases
    with open_text(path) as reader:
        out = io.StringIO()
        out.writelines(model.join_lines(reader))
    assert out.getvalue() == path.read_text()
