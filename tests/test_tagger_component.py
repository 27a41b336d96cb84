"""The tagger in a pipeline: columns, spacing, leading white space, disk."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nlptk
from nlptk import Language
from nlptk.doc import Doc
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.tag.component import Tagger

ANY_TEXT = st.text(st.characters(codec=None), max_size=40)


def tagged(line: str, column: str = "pos") -> Doc:
    """A Doc of one sentence of word/label."""
    pairs = [item.rsplit("/", 1) for item in line.split()]
    doc = Doc.from_words([word for word, _ in pairs])
    doc.set_column(column, [label for _, label in pairs])
    return doc


TRAIN = [
    tagged("The/DET old/ADJ miller/NOUN grinds/VERB wheat/NOUN ./PUNCT"),
    tagged("She/PRON bakes/VERB bread/NOUN in/ADP the/DET morning/NOUN ./PUNCT"),
    tagged("They/PRON run/VERB slowly/ADV to/ADP the/DET river/NOUN ./PUNCT"),
    Doc("", [], []),
]
TRAIN[-1].set_column("pos", [])
NAMED = [
    tagged("Anna/B-PER Berg/I-PER lives/O in/O New/B-LOC Haven/I-LOC ./O", "ent"),
    tagged("Yesterday/O Carl/B-PER met/O Anna/B-PER Dahl/I-PER ./O", "ent"),
]
SMALL = ["word", "lower[-1]", "suffix:1"]


def without_labels(docs: list[Doc]) -> list[Doc]:
    return [Doc(doc.text, doc.starts, doc.ends, sent_starts=doc.sent_starts) for doc in docs]


def words(text: str) -> Doc:
    """A Doc cut at single characters, white space between; the kernels must take any tokens."""
    starts = [i for i, c in enumerate(text) if i == 0 or not c.isspace()]
    lead = len(text) - len(text.lstrip())
    starts = [0, *range(lead, len(text))] if lead else list(range(len(text)))
    kept = [s for s in starts if s == 0 or not text[s].isspace()]
    return Doc(text, kept, [lead if lead and s == 0 else s + 1 for s in kept])


@pytest.fixture(scope="module", params=["crf", "hmm"])
def tagger(request) -> Tagger:
    return Tagger("pos", request.param, threads=1).fit(TRAIN)


@pytest.fixture(scope="module")
def namer() -> Tagger:
    return Tagger("ent", templates=SMALL, threads=1).fit(NAMED)


def test_it_fills_its_column(tagger):
    docs = without_labels(TRAIN)
    tagger.annotate(docs)
    assert [doc.column("pos") for doc in docs] == [doc.column("pos") for doc in TRAIN]
    assert tagger.assigns == ("doc.pos",)
    assert tagger.requires == ("doc.tokens",)
    assert tagger.labels == ("ADJ", "ADP", "ADV", "DET", "NOUN", "PRON", "PUNCT", "VERB")


def test_entities_come_out_as_spans(namer):
    doc = namer(without_labels(NAMED)[0])
    assert [(span.text, span.label_) for span in doc.ents] == [("Anna Berg", "PER"), ("New Haven", "LOC")]


@given(st.lists(ANY_TEXT, max_size=4))
def test_a_batch_is_tagged_as_its_docs_are(tagger, namer, texts):
    for one in (tagger, namer):
        together = [words(text) for text in texts]
        one.annotate(together)
        alone = [one(words(text)) for text in texts]
        assert [d.column(one.column) for d in together] == [d.column(one.column) for d in alone]


@pytest.mark.parametrize("text", [" a", "\n", "  \t a b", "\u3000"])
def test_leading_white_space_has_no_label(tagger, namer, text):
    doc = words(text)
    assert doc[0].is_space
    assert tagger(doc).column("pos")[0] == ""
    assert namer(doc).column("ent")[0] == "O"
    assert "" not in doc.column("pos")[1:]


def test_leading_white_space_is_no_part_of_the_first_sentence(namer):
    plain, led = words("ab"), words(" ab")
    assert namer(led).column("ent")[1:] == namer(plain).column("ent")


def test_a_batch_may_hold_empty_docs(tagger):
    docs = [Doc("", [], []), words(" "), words("a"), Doc("", [], []), words(" ")]
    tagger.annotate(docs)
    assert [len(doc.column("pos")) for doc in docs] == [0, 1, 1, 0, 1]
    tagger.annotate([])


def test_sentences_are_tagged_apart(namer):
    # Behind "Anna" stands I-PER, but not where another sentence begins.
    whole = Doc.from_words(["Anna", "Berg"], sent_starts=[1, 0])
    apart = Doc.from_words(["Anna", "Berg"], sent_starts=[1, 1])
    assert namer(whole).column("ent") == ["B-PER", "I-PER"]
    assert not namer(apart).column("ent")[1].startswith("I-")


@pytest.mark.parametrize("text", ["raw text", " raw", ""])
def test_docs_without_tokens_are_refused(tagger, text):
    with pytest.raises(ConfigError, match="has no tokens"):
        tagger.annotate([words("a b"), Doc(text)])


def test_other_columns_are_required_and_read():
    docs = [tagged("a/DET b/NOUN"), tagged("a/VERB b/ADV"), tagged("b/NOUN a/DET"), tagged("b/ADV a/VERB")]
    for doc in docs:
        doc.set_column("chunk", [label.lower() for label in doc.column("pos")])
    tagger = Tagger("chunk", templates=["col:pos"], threads=1).fit(docs)
    assert tagger.requires == ("doc.tokens", "doc.pos")
    probe = tagged("x/NOUN y/VERB")
    assert tagger(probe).column("chunk") == ["noun", "verb"]
    with pytest.raises(ConfigError, match="need column 'pos'"):
        tagger(Doc.from_words(["x"]))


def test_training_docs_must_have_labels():
    bare = Doc.from_words(["a", "b"])
    for fit, message in [
        (lambda: Tagger().fit([TRAIN[0], bare]), "training Doc 1 has no column 'pos'"),
        (lambda: Tagger().fit(TRAIN, [bare]), "dev Doc 0 has no column 'pos'"),
        (lambda: Tagger().fit([]), "no tokens"),
        (lambda: Tagger().fit([TRAIN[-1]]), "no tokens"),
    ]:
        with pytest.raises(DataError, match=message):
            fit()
    bare.set_column("pos", ["X", ""])
    with pytest.raises(DataError, match="token 'b' of training Doc 0 has no 'pos' label"):
        Tagger().fit([bare])


def test_dev_is_scored_and_labels_only_it_has_are_misses():
    seen: list[dict] = []
    dev = [tagged("The/DET miller/NOUN Oh/INTJ")]
    tagger = Tagger(templates=SMALL, threads=1, max_iterations=3).fit(TRAIN, dev, progress=seen.append)
    assert len(seen) == 3
    assert seen[-1]["dev_score"] < 1
    assert "INTJ" not in tagger.labels


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "svm"}, "unknown tagger model 'svm'"),
        ({"column": ""}, "column"),
        ({"column": 3}, "column"),
        ({"unheard": 1}, "unheard"),
        ({"templates": ["wrod"]}, "wrod"),
        ({"model": "hmm", "templates": ["word"]}, "templates"),
    ],
)
def test_bad_settings_are_named(options, message):
    with pytest.raises(ConfigError, match=message):
        Tagger(**options)


def test_an_untrained_tagger_says_so():
    for model in ("crf", "hmm"):
        with pytest.raises(ConfigError, match="fit"):
            Tagger(model=model)(words("a"))


# ---- state and disk ----------------------------------------------------------------------------------------


def test_state_gives_the_same_tagger(tagger):
    config, arrays = tagger.to_state()
    back = Tagger.from_state(json.loads(json.dumps(config)), arrays)
    docs = without_labels(TRAIN)
    back.annotate(docs)
    assert [doc.column("pos") for doc in docs] == [doc.column("pos") for doc in TRAIN]
    assert back.labels == tagger.labels
    blank = Tagger.from_state(*Tagger("tag", templates=SMALL).to_state())
    assert (blank.column, blank.labels, blank.tagger.templates) == ("tag", (), SMALL)


def test_a_config_that_is_not_usable_gives_model_error(namer):
    config, arrays = namer.to_state()
    for name in config:
        with pytest.raises(ModelError, match=name):
            Tagger.from_state({k: v for k, v in config.items() if k != name}, arrays)
    for change in ({"model": "svm"}, {"model": []}, {"column": None}, {"state": 3}, {"state": {}}):
        with pytest.raises(ModelError, match="not usable"):
            Tagger.from_state({**config, **change}, arrays)
    with pytest.raises(ModelError):
        Tagger.from_state(config, {})


@pytest.fixture(scope="module")
def saved(tmp_path_factory, namer) -> Path:
    nlp = Language("en")
    nlp.add_pipe("char_tokenizer")
    nlp.add_pipe(namer)
    path = tmp_path_factory.mktemp("model") / "namer"
    nlp.to_disk(path)
    return path


def test_through_disk_and_bytes(saved):
    loaded = nlptk.load(saved)
    expected = loaded("Anna Berg lives").column("ent")
    assert expected == ["B-PER", "I-PER", "O"]
    again = Language.from_bytes(loaded.to_bytes())
    assert again("Anna Berg lives").column("ent") == expected


def copy_of(saved: Path, target: Path, name: str, data: bytes) -> Path:
    target.mkdir(exist_ok=True)
    for file in saved.iterdir():
        (target / file.name).write_bytes(data if file.name == name else file.read_bytes())
    return target


def test_every_truncated_file_gives_model_error(saved, tmp_path):
    for file in saved.iterdir():
        whole = file.read_bytes()
        for size in {*range(0, len(whole), 1 + len(whole) // 300), len(whole) - 1}:
            with pytest.raises(ModelError):
                nlptk.load(copy_of(saved, tmp_path / "cut", file.name, whole[:size]))


def test_every_altered_byte_of_the_weights_gives_model_error(saved, tmp_path):
    (file,) = saved.glob("*.safetensors")
    whole = file.read_bytes()
    for at in range(0, len(whole), 1 + len(whole) // 300):
        altered = whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :]
        with pytest.raises(ModelError):
            nlptk.load(copy_of(saved, tmp_path / "altered", file.name, altered))


def test_an_altered_byte_of_the_description_never_crashes(saved, tmp_path):
    whole = (saved / "meta.json").read_bytes()
    refused = 0
    for at in range(0, len(whole), 1 + len(whole) // 300):
        altered = whole[:at] + bytes([whole[at] ^ 0x11]) + whole[at + 1 :]
        try:
            nlp = nlptk.load(copy_of(saved, tmp_path / "altered", "meta.json", altered))
        except ModelError:
            refused += 1
            continue
        assert len(nlp("Anna Berg lives")) == 3  # the byte was part of a name or number
    assert refused > 100


def test_weights_with_nan_do_not_load(namer):
    config, arrays = namer.to_state()
    for name in ("transitions", "start", "end", "scale"):
        bad = arrays[name].copy()
        bad.reshape(-1)[0] = np.nan
        with pytest.raises(ModelError, match="not usable"):
            Tagger.from_state(config, {**arrays, name: bad})
