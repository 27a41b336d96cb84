"""Stacked CRFs: what the second gains, labels out of fold, words elsewhere in the document, state."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tagged_sentences import NX, NY, through_json

import nlptk
from nlptk import _core
from nlptk.doc import Doc
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.lexicons import Gazetteer
from nlptk.tag.component import Tagger
from nlptk.tag.crf import CRFTagger
from nlptk.tag.features import TokenBatch
from nlptk.tag.stacking import StackedTagger, folds_of, with_first_labels


def far_sentences(count: int, seed: int) -> tuple[list[list[str]], list[list[str]]]:
    """Words whose label is told by a neighbour's label two words on, which a word of the neighbour tells.

    A word "?" has the label of the word two places after it, and that label is told only by the suffixes of
    many words, so no feature of words two away, seen once or never, tells it.
    """
    rng = random.Random(seed)
    X, y = [], []
    for _ in range(count):
        label = rng.choice("AB")
        word = "".join(rng.choice("klmnprst") + rng.choice("aeiou") for _ in range(4))
        X.append(["?", rng.choice(["and", "or"]), word + {"A": "ing", "B": "est"}[label]])
        y.append([label, "O", label])
    return X, y


TEMPLATES = ["bias", "word", "suffix:3"]


@pytest.fixture(scope="module")
def stacked() -> StackedTagger:
    return StackedTagger(TEMPLATES, folds=3, threads=1).fit(*far_sentences(150, 1))


@pytest.fixture(scope="module")
def namer() -> StackedTagger:
    """With lexicons, which both CRFs share."""
    places = Gazetteer.of("places", [("New Haven", "town"), ("Bergen", "town")])
    templates = ["word", "kind", "lower[-1]", "gazetteer:places"]
    return StackedTagger(templates, folds=3, gazetteers={"places": places}, threads=1).fit(NX, NY)


def test_the_second_learns_what_hangs_on_labels_two_words_away(stacked):
    X, y = far_sentences(100, 2)
    alone = CRFTagger(TEMPLATES, threads=1).fit(*far_sentences(150, 1))
    assert alone.score(X, y) < 0.9
    assert stacked.score(X, y) > 0.99


def test_the_first_crf_is_that_of_the_same_settings_alone(stacked):
    X, _ = far_sentences(20, 3)
    alone = CRFTagger(TEMPLATES, threads=1).fit(*far_sentences(150, 1))
    assert stacked._first.predict(X) == alone.predict(X)


def test_labels_out_of_fold_are_by_crfs_that_have_not_learnt_from_the_token():
    """A word alone tells the label, and comes in one sentence only: out of fold nothing is known of it."""
    words = [f"w{number}" for number in range(40)]
    X, y = [[word] for word in words], [["AB"[number % 2]] for number in range(40)]
    batch = TokenBatch.from_words(X)
    tagger = StackedTagger(["word"], folds=4, threads=1)
    gold = [label for labels in y for label in labels]
    first = tagger._make_first(tagger._make_features()).fit_batch(batch, gold)
    assert [first.classes_[i] for i in first.predict_batch(batch)] == gold
    fold_of = folds_of(batch, 4, seed=1)
    found = tagger._out_of_fold(first, batch, gold, fold_of, None)
    for fold in range(4):
        rest = [number for number in range(40) if fold_of[number] != fold]
        held = [number for number in range(40) if fold_of[number] == fold]
        other = CRFTagger(["word"], threads=1).fit([X[i] for i in rest], [y[i] for i in rest])
        expected = other.predict([X[i] for i in held])
        assert [[first.classes_[found[i]]] for i in held] == expected
    assert len({first.classes_[i] for i in found[fold_of == 0]}) == 1


@given(st.lists(st.lists(st.integers(0, 3), max_size=4), max_size=6), st.integers(2, 4), st.integers(0, 9))
def test_folds_are_even_and_do_not_divide_documents(sizes, folds, seed):
    sentences = [size for document in sizes for size in document]
    documents = np.cumsum([0, *(sum(document) for document in sizes)])
    sequences = np.unique(np.cumsum([0, *sentences]))
    starts = np.zeros(int(documents[-1]), np.int32)
    batch = TokenBatch([""] * len(sizes), starts, starts, documents, sequences)
    filled = [document for document in sizes if sum(document)]
    if len(sequences) - 1 < folds:
        with pytest.raises(DataError, match=f"{len(sequences) - 1} sentences, too few for {folds} folds"):
            folds_of(batch, folds, seed)
        return
    found = folds_of(batch, folds, seed)
    assert found.shape == (len(sequences) - 1,)
    of_document = np.searchsorted(documents, sequences[:-1], side="right")
    units = set(zip(of_document.tolist(), found.tolist(), strict=True))
    if len(filled) >= folds:
        assert len(units) == len(filled)
        counts = Counter(fold for _, fold in units)
    else:
        counts = Counter(found.tolist())
    assert set(counts) == set(range(folds))
    assert max(counts.values()) - min(counts.values()) <= 1


def elsewhere(docs: list[Doc], labels: list[str]) -> list[str | None]:
    """The column "elsewhere" in words."""
    classes = sorted(set(labels))
    found = np.array([classes.index(label) for label in labels], np.int32)
    values = with_first_labels(TokenBatch.from_docs(docs), classes, found, ["elsewhere"]).columns["elsewhere"]
    names = {_core.hash_string(kind): kind for kind in [*classes, *(label[2:] for label in classes)]}
    return [names.get(value) if value else None for value in values.tolist()]


def test_elsewhere_is_the_usual_label_of_the_words_other_places():
    docs = [Doc.from_words(["Bergen", "is", "in", "Bergen", "near", "bergen"])]
    docs.append(Doc.from_words(["Bergen", "is"]))
    labels = ["B-LOC", "O", "O", "B-PER", "O", "O", "O", "O"]
    assert elsewhere(docs, labels) == ["PER", None, None, "LOC", None, None, None, None]
    one = [Doc.from_words(["x"] * 4)]
    assert elsewhere(one, ["A", "B", "B", "C"]) == ["B", "A", "A", "B"]  # of equals the first by name


@given(st.lists(st.lists(st.tuples(st.sampled_from("abX"), st.sampled_from(["O", "B-P", "I-P", "Q"])))))
def test_elsewhere_against_counting(content):
    docs = [Doc.from_words([word for word, _ in document]) for document in content]
    labels = [label for document in content for _, label in document]
    expected = []
    for document in content:
        for place, (word, _) in enumerate(document):
            others = [
                label[2:] if label[1:2] == "-" else label
                for at, (other, label) in enumerate(document)
                if other == word and at != place
            ]
            expected.append(max(sorted(others), key=others.count) if others else None)
    assert elsewhere(docs, labels) == expected


def test_state_gives_the_same_tagger(stacked, namer):
    for tagger, X in ((stacked, far_sentences(30, 4)[0]), (namer, NX)):
        config, arrays = through_json(tagger)
        back = StackedTagger.from_state(config, arrays)
        assert back.get_params() | {"clusters": 0, "gazetteers": 0} == {
            **tagger.get_params(),
            "templates": config["templates"],
            "clusters": 0,
            "gazetteers": 0,
        }
        assert back.predict(X) == tagger.predict(X)
        assert back.predict_marginals(X) == tagger.predict_marginals(X)
        assert through_json(back)[0] == config


def test_marginals_and_best_sequences_look_at_the_first_crf_too(stacked):
    X, y = far_sentences(20, 5)
    assert [best[0][0] for best in stacked.predict_nbest(X, 2)] == stacked.predict(X) == y
    likely = [[max(one, key=one.get) for one in sentence] for sentence in stacked.predict_marginals(X)]
    assert likely == y


def test_an_altered_state_gives_model_error(namer):
    config, arrays = through_json(namer)
    for name in arrays:
        with pytest.raises(ModelError):
            StackedTagger.from_state(config, {k: v for k, v in arrays.items() if k != name})
    of_three = StackedTagger(["word"], folds=2, threads=1).fit([["a"], ["b"], ["c"]], [["A"], ["B"], ["C"]])
    swapped = {name: array for name, array in of_three.to_state()[1].items() if name.startswith("first_")}
    with pytest.raises(ModelError, match="labels but its first CRF weights for 3"):
        StackedTagger.from_state(config, {**arrays, **swapped})
    with pytest.raises(ModelError, match="template"):
        StackedTagger.from_state({**config, "templates": ["col:first"]}, arrays)


@settings(max_examples=100)
@given(st.data())
def test_altered_arrays_give_labels_or_a_model_error(namer, data):
    config, arrays = through_json(namer)
    arrays = {name: array.copy() for name, array in arrays.items()}
    name = data.draw(st.sampled_from([name for name in sorted(arrays) if name.startswith("first_")]))
    raw = arrays[name].view(np.uint8).reshape(-1)
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        found = StackedTagger.from_state(config, arrays).predict(NX)
    except ModelError:
        return
    assert [len(labels) for labels in found] == [len(words) for words in NX]


def tagged(words: list[str], labels: list[str], starts: list[bool]) -> Doc:
    doc = Doc.from_words(words, sent_starts=starts)
    doc.set_column("pos", labels)
    return doc


def test_in_a_pipeline_and_on_disk(tmp_path: Path):
    """Documents of two sentences: what "Vale" is, only the sentence that names it so tells."""
    rng = random.Random(7)
    docs = []
    for _ in range(40):
        kind = rng.choice(["PER", "LOC"])
        name = "".join(rng.choice("bcdfg") + rng.choice("aeiou") for _ in range(3)).title()
        words = [{"PER": "Mr", "LOC": "in"}[kind], name, ".", "See", name, "!"]
        docs.append(tagged(words, ["O", kind, "O", "O", kind, "O"], [True, False, False] * 2))
    nlp = nlptk.blank("en")
    templates = ["word", "word[-1]", "kind", "col:elsewhere|kind"]
    config = {"model": "stacked", "folds": 4, "templates": templates, "threads": 1}
    component = nlp.add_pipe("tagger", config=config)
    assert isinstance(component, Tagger)
    component.fit(docs[:30])
    assert component.requires == ("doc.tokens",)

    def labels_by(tagger: Tagger) -> list[list[str]]:
        fresh = [Doc(doc.text, doc.starts, doc.ends, sent_starts=doc.sent_starts) for doc in docs[30:]]
        tagger.annotate(fresh)
        return [doc.column("pos") for doc in fresh]

    assert labels_by(component) == [doc.column("pos") for doc in docs[30:]]
    alone = Tagger(templates=templates[:3], threads=1).fit(docs[:30])
    assert labels_by(alone) != labels_by(component)
    nlp.to_disk(tmp_path / "model")
    assert labels_by(nlptk.load(tmp_path / "model").get_pipe("tagger")) == labels_by(component)


def test_columns_of_ones_own_reach_both_crfs():
    X = [["a", "b"], ["b", "a"], ["a", "a"], ["b", "b"]]
    tags = [["x", "y"], ["x", "x"], ["y", "x"], ["y", "y"]]
    tagger = StackedTagger(["col:tag", "col:first[-1]|col:tag"], folds=2, threads=1)
    assert tagger.columns == ("tag",)
    tagger.fit(X, tags, X, tags, columns={"tag": tags}, columns_dev={"tag": tags})
    assert tagger.columns == ("tag",)
    assert tagger.predict(X, columns={"tag": tags}) == tags
    with pytest.raises(ConfigError, match="column 'tag'"):
        tagger.predict(X)


def test_progress_says_which_training_it_is():
    seen = []
    StackedTagger(["word"], folds=2, max_iterations=2, threads=1).fit(NX, NY, progress=seen.append)
    assert [(info["training"], info["iteration"]) for info in seen] == [
        (training, iteration) for training in (1, 2, 3, 4) for iteration in (1, 2)
    ]
    assert {info["trainings"] for info in seen} == {4}


@pytest.mark.parametrize("folds", [1, 0, -3, 2.0, True, "5", None])
def test_folds_must_be_a_number_above_one(folds):
    with pytest.raises(ConfigError, match="folds must be an integer of at least 2"):
        StackedTagger(["word"], folds=folds).fit(NX, NY)


def test_bad_input_is_named():
    with pytest.raises(DataError, match="3 sentences, too few for 5 folds"):
        StackedTagger(["word"]).fit(NX, NY)
    with pytest.raises(ConfigError, match="at least one feature template"):
        StackedTagger(["col:first"], folds=2).fit(NX, NY)
    with pytest.raises(ConfigError, match="StackedTagger cannot learn from a stream"):
        StackedTagger(["word"]).fit_stream([(NX[0], NY[0])])
    with pytest.raises(ConfigError, match="not fitted"):
        StackedTagger(["word"]).predict(NX)
    with pytest.raises(ConfigError, match="not fitted"):
        StackedTagger(["word"]).to_state()
    with pytest.raises(ConfigError, match="does not take this setting"):
        Tagger(model="stacked", unheard=1)
    with pytest.raises(DataError, match="sentence 0 has"):
        StackedTagger(["word"]).fit(NX, [["O"], *NY[1:]])
