"""The CRF tagger: scikit-learn's manner, bad input, valid label sequences."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from tagged_sentences import NX, NY, read, through_json, train_namer

from nlptk import chain
from nlptk.crf import CrfWeights
from nlptk.errors import ConfigError, DataError
from nlptk.lexicons import Gazetteer
from nlptk.tag.crf import CRFTagger

TAGGED = """
The/DET old/ADJ miller/NOUN grinds/VERB the/DET wheat/NOUN ./PUNCT
A/DET young/ADJ baker/NOUN buys/VERB fresh/ADJ flour/NOUN ./PUNCT
She/PRON bakes/VERB bread/NOUN in/ADP the/DET morning/NOUN ./PUNCT
In/ADP the/DET evening/NOUN she/PRON walks/VERB home/ADV ./PUNCT
The/DET run/NOUN was/AUX long/ADJ ./PUNCT
They/PRON run/VERB slowly/ADV to/ADP the/DET river/NOUN ./PUNCT
"""
X, Y = read(TAGGED)
TOKENS = st.text(st.characters(codec=None), max_size=6)
SENTENCES = st.lists(st.lists(TOKENS, max_size=5), max_size=4)


@pytest.fixture(scope="module")
def tagger() -> CRFTagger:
    return CRFTagger(threads=1).fit(X, Y)


@pytest.fixture(scope="module")
def namer() -> CRFTagger:
    return train_namer()


@pytest.mark.parametrize("algorithm", ["sgd", "lbfgs", "ap"])
@pytest.mark.parametrize("templates", ["pos", "ner", ["word", "lower[-1]", "lower[1]", "suffix:2"]])
def test_training_sentences_are_tagged_right(algorithm, templates):
    model = CRFTagger(templates, algorithm, c2=0.01).fit(X, Y)
    assert model.score(X, Y) == 1.0
    assert model.predict(X) == Y
    assert model.classes_ == sorted({tag for tags in Y for tag in tags})


def test_unknown_words_are_tagged_by_affix_and_context(tagger):
    assert tagger.predict([["The", "young", "weaver", "walks", "quietly", "."]])[0][:4] == [
        "DET",
        "ADJ",
        "NOUN",
        "VERB",
    ]


def test_empty_sentences_and_empty_sets(tagger):
    assert tagger.predict([]) == []
    assert tagger.predict([[], X[0], []]) == [[], Y[0], []]
    assert CRFTagger().fit([[], *X], [[], *Y]).predict([[], X[1]]) == [[], Y[1]]


def test_one_label_only():
    model = CRFTagger(["word"]).fit([["a", "b"], ["c"]], [["X", "X"], ["X"]])
    assert model.classes_ == ["X"]
    assert model.predict([["z", "a"], []]) == [["X", "X"], []]


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([["a"], ["b", "c"]], [["X"], ["X"]], "sentence 1 has 2 tokens but 1 tags"),
        ([["a"]], [["X"], ["X"]], "X has 1 sentences but y has 2"),
        ([], [], "no tokens"),
        ([[], []], [[], []], "no tokens"),
        ("ab", [["X"]], "one string"),
        (["ab"], [["X", "X"]], "sentence 0 of X is one string"),
        ([["a", 1]], [["X", "X"]], "holds 1"),
        ([["a", "b"]], [["X", None]], "sentence 0 of y holds None"),
    ],
)
def test_training_data_that_does_not_match_is_named(x, y, message):
    with pytest.raises(DataError, match=message):
        CRFTagger(["word"]).fit(x, y)


def test_predict_and_score_check_their_input(tagger):
    with pytest.raises(DataError, match="sentence 1 of X is one string"):
        tagger.predict([["a"], "bc"])
    with pytest.raises(DataError, match="sentence 0 has 1 tokens but 2 tags"):
        tagger.score([["a"]], [["X", "Y"]])
    with pytest.raises(DataError, match="no tokens to score"):
        tagger.score([[]], [[]])
    for use in (lambda: CRFTagger().predict([["a"]]), lambda: CRFTagger().to_state()):
        with pytest.raises(ConfigError, match="not fitted"):
            use()


def test_a_failed_fit_leaves_the_tagger_as_it_was():
    model = CRFTagger(threads=1).fit(X, Y)
    with pytest.raises(DataError):
        model.fit([["a"]], [[]])
    assert model.predict(X) == Y


# ---- dev sets ----------------------------------------------------------------------------------------------


def test_labels_that_only_dev_has_count_as_misses():
    seen: list[dict] = []
    dev_x, dev_y = [["The", "miller"], ["Oh"]], [["DET", "NOUN"], ["INTJ"]]
    model = CRFTagger(max_iterations=3, threads=1).fit(X, Y, dev_x, dev_y, progress=seen.append)
    assert "INTJ" not in model.classes_
    assert [round(info["dev_score"], 3) for info in seen][-1] == 0.667


def test_entity_dev_score_passes_over_what_is_outside_on_both_sides():
    seen: list[dict] = []
    CRFTagger(["word"], max_iterations=2).fit(NX, NY, [["far", "far"]], [["O", "O"]], progress=seen.append)
    assert seen[-1]["dev_score"] == 1.0


def test_half_a_dev_set_is_refused():
    with pytest.raises(ConfigError, match="X_dev and y_dev belong together"):
        CRFTagger().fit(X, Y, X)
    with pytest.raises(DataError, match="y_dev"):
        CRFTagger().fit(X, Y, [["a"]], [[3]])


# ---- settings ----------------------------------------------------------------------------------------------


def test_params_are_sklearns():
    model = CRFTagger(["word"], c2=0.5, scheme=None)
    params = model.get_params()
    assert params["c2"] == 0.5
    assert CRFTagger(**params).get_params() == params
    assert model.set_params(c2=0.25) is model
    assert model.c2 == 0.25
    with pytest.raises(ConfigError, match="no setting 'c3'"):
        model.set_params(c3=1)


def test_clone_gives_an_unfitted_twin(namer):
    twin = clone(namer)
    assert not hasattr(twin, "classes_")
    assert twin.fit(NX, NY).predict(NX) == namer.predict(NX)


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"templates": "best"}, "unknown template set 'best'"),
        ({"templates": []}, "at least one"),
        ({"templates": ["wrod"]}, "unknown feature 'wrod'"),
        ({"templates": ["cluster:c"]}, "no word list or word classes"),
        ({"templates": [3]}, "must be a string"),
        ({"algorithm": "adam"}, "unknown algorithm"),
        ({"c2": -1}, "c2"),
        ({"seed": -1}, "seed"),
        ({"period": 0}, "period"),
        ({"min_freq": 1.5}, "min_freq"),
        ({"threads": -2}, "threads"),
        ({"scheme": "iob"}, "scheme"),
        ({"algorithm": "ap", "c1": 1.0}, "c1"),
        ({"clusters": "no-such-pipeline"}, "no-such-pipeline"),
        ({"templates": ["gazetteer:towns"]}, "names 'towns', but the model has no gazetteer"),
    ],
)
def test_bad_settings_are_named_by_fit(settings_, message):
    with pytest.raises(ConfigError, match=message):
        CRFTagger(**settings_).fit(X, Y)


def test_the_same_seed_gives_the_same_bytes():
    states = [CRFTagger(seed=seed, threads=1).fit(X, Y).to_state()[1] for seed in (3, 3, 4)]
    first, again, other = [{name: a.tobytes() for name, a in arrays.items()} for arrays in states]
    assert first == again != other


# ---- columns -----------------------------------------------------------------------------------------------

COLUMN_TEMPLATES = ["bias", "col:hint", "col:hint[-1]|col:other"]
HINTS = {"hint": [["l", "r"], ["r"]], "other": [["", "\ud800"], [""]]}


def test_other_columns_are_features():
    hints = [["l", "l"], ["l", "r"], ["r", "l"], ["r", "r"]]
    labels = [[hint.upper() for hint in row] for row in hints]
    sentences, columns = [["a", "a"]] * 4, {"hint": hints, "other": [["", "\ud800"]] * 4}
    model = CRFTagger(COLUMN_TEMPLATES, c2=0.01).fit(sentences, labels, columns=columns)
    assert model.columns == CRFTagger(COLUMN_TEMPLATES).columns == ("hint", "other")
    assert model.predict(sentences, columns) == labels
    assert model.score(sentences, labels, columns) == 1.0
    assert model.predict(sentences[:1], {"hint": [["r", "l"]], "other": [["x", "y"]]}) == [["R", "L"]]


@pytest.mark.parametrize(
    ("columns", "error", "message"),
    [
        (None, ConfigError, "'hint'"),
        ({"hint": [["l", "r"], ["r"]]}, ConfigError, "'other'"),
        ({**HINTS, "hint": [["l"], ["r"]]}, ConfigError, "'hint' must have one value for each word"),
        ({**HINTS, "hint": [["l", 2], ["r"]]}, DataError, "'hint' holds 2"),
        ({**HINTS, "hint": [["l", ["r"]], ["r"]]}, DataError, "'hint' holds"),
    ],
)
def test_columns_that_do_not_fit_are_named(columns, error, message):
    with pytest.raises(error, match=message):
        CRFTagger(COLUMN_TEMPLATES).fit([["a", "a"], ["a"]], [["L", "R"], ["R"]], columns=columns)


# ---- gazetteers --------------------------------------------------------------------------------------------


def test_names_of_a_gazetteer_are_known_though_training_never_had_them(tmp_path):
    path = tmp_path / "towns.tsv"
    path.write_text("Oslo\tLOC\nBergen\tLOC\nLa Paz\tLOC\nLa Plata\tLOC\nAnna\tPER\n", encoding="utf-8")
    sentences = [[town, "is", "far"] for town in ("Oslo", "Lima", "Anna", "Paper")]
    sentences.append(["from", "La", "Paz"])
    labels = [[first, "O", "O"] for first in ("B-LOC", "O", "B-PER", "O")] + [["O", "B-LOC", "I-LOC"]]
    model = CRFTagger(["bias", "gazetteer:towns"], gazetteers={"towns": str(path)}, c2=0.01)
    model.fit(sentences * 3, labels * 3)
    found = model.predict([["to", "La", "Plata", "or", "bergen"], ["La", "Mancha"]])
    assert found == [["O", "B-LOC", "I-LOC", "O", "B-LOC"], ["O", "O"]]
    assert CRFTagger.from_state(*through_json(model)).predict([["La", "Plata"]]) == [["B-LOC", "I-LOC"]]


def test_ready_sets_look_at_all_gazetteers():
    lists = {name: Gazetteer.of(name, [("x", "")]) for name in ("towns", "rivers")}
    model = CRFTagger("ner", gazetteers=lists).fit(NX, NY)
    templates = model.to_state()[0]["templates"]
    assert {"gazetteer:towns", "gazetteer:rivers[-1]|gazetteer:rivers"} <= set(templates)
    assert (
        "gazetteer:towns" not in CRFTagger(["word"], gazetteers=lists).fit(NX, NY).to_state()[0]["templates"]
    )


# ---- label schemes -----------------------------------------------------------------------------------------


def is_valid_bio(labels: list[str]) -> bool:
    return all(
        not label.startswith("I-") or (t > 0 and labels[t - 1] in (f"B-{label[2:]}", label))
        for t, label in enumerate(labels)
    )


@given(SENTENCES)
def test_entity_labels_are_valid_for_any_text(namer, sentences):
    found = namer.predict(sentences)
    assert [len(labels) for labels in found] == [len(words) for words in sentences]
    assert all(is_valid_bio(labels) for labels in found)


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 20), min_size=1, max_size=4))
def test_masked_random_weights_give_valid_labels(seed, lengths):
    rng = np.random.default_rng(seed)
    labels = ["B-LOC", "B-PER", "I-LOC", "I-PER", "O"]
    rows = 20
    weights = CrfWeights.from_pairs(
        np.arange(1, rows + 1, dtype=np.uint32),
        np.full(rows, 5, np.uint16),
        np.tile(np.arange(5, dtype=np.uint16), rows),
        rng.integers(-32768, 32768, rows * 5).astype(np.int16),
        float(rng.choice([1e-4, 1.0, 1e10])),
        *(rng.normal(0, 100, shape).astype(np.float32) for shape in ((5, 5), 5, 5)),
    )
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    keys = rng.integers(0, rows + 2, (int(offsets[-1]), 3)).astype(np.uint32)
    found = weights.masked(*chain.transition_mask(labels, "bio")).compile().predict(keys, offsets)
    for first, last in pairwise(offsets.tolist()):
        assert is_valid_bio([labels[label] for label in found[first:last]])


def test_without_a_scheme_anything_may_follow():
    x, y = [["a", "b"]] * 3, [["O", "I-X"]] * 2 + [["B-X", "O"]]
    assert CRFTagger(["word", "lower[-1]"], scheme=None, c2=0.01).fit(x, y).predict(x[:1]) == [["O", "I-X"]]
    assert all(is_valid_bio(tags) for tags in CRFTagger(["word"], scheme="bio").fit(x, y).predict(x))


# ---- batches -----------------------------------------------------------------------------------------------


@given(SENTENCES)
def test_a_batch_is_tagged_as_its_sentences_are(tagger, sentences):
    assert tagger.predict(sentences) == [tagger.predict([words])[0] for words in sentences]


def test_threads_change_nothing(tagger):
    sentences = [[word * (1 + i % 3) for word in X[i % len(X)]][: i % 8] for i in range(300)]
    expected = tagger.predict(sentences)
    for threads in (2, 5, 0, 10**6):
        tagger.threads = threads
        assert tagger.predict(sentences) == expected
    tagger.threads = 1


def test_one_sentence_of_100000_words(tagger):
    words = X[0] * 15_000
    assert len(tagger.predict([words])[0]) == len(words)
