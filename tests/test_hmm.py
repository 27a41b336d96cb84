"""The HMM tagger on sentences written for this file."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import numpy as safetensors_numpy

from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.tag.hmm import HMMTagger
from nlptk.tag.hmm_lexicon import Lexicon, shape
from nlptk.tag.hmm_transitions import Counts, trigram_log_probabilities

TAGGED = """
The/DET old/ADJ miller/NOUN grinds/VERB the/DET wheat/NOUN ./PUNCT
A/DET young/ADJ baker/NOUN buys/VERB fresh/ADJ flour/NOUN ./PUNCT
She/PRON bakes/VERB bread/NOUN in/ADP the/DET morning/NOUN ./PUNCT
In/ADP the/DET evening/NOUN she/PRON walks/VERB home/ADV ./PUNCT
Anna/PROPN and/CCONJ Bertil/PROPN run/VERB quickly/ADV ./PUNCT
The/DET run/NOUN was/AUX long/ADJ ./PUNCT
They/PRON run/VERB slowly/ADV to/ADP the/DET river/NOUN ./PUNCT
He/PRON counted/VERB 12/NUM boats/NOUN and/CCONJ 7/NUM nets/NOUN ./PUNCT
"""
PAIRS = [[item.rsplit("/", 1) for item in line.split()] for line in TAGGED.strip().splitlines()]
X = [[word for word, _ in line] for line in PAIRS]
Y = [[tag for _, tag in line] for line in PAIRS]

# Any code point, lone surrogates and NUL with them.
TOKENS = st.text(st.characters(codec=None), max_size=6)


@pytest.fixture(scope="module")
def tagger():
    return HMMTagger(threads=1).fit(X, Y)


@pytest.mark.parametrize("order", [2, 3])
@pytest.mark.parametrize("n_word_states", [0, 3])
def test_training_sentences_are_tagged_right(order, n_word_states):
    model = HMMTagger(order=order, n_word_states=n_word_states).fit(X * 5, Y * 5)
    assert model.score(X, Y) == 1.0
    assert (len(model._states) > len(model.classes_)) == (n_word_states > 0)
    assert model.classes_ == sorted({tag for tags in Y for tag in tags})


@pytest.mark.parametrize(
    ("word", "at_start", "tag"),
    [
        ("walked", False, "VERB"),
        ("happily", False, "ADV"),
        ("Sundborn", False, "PROPN"),
        ("1897", False, "NUM"),
        ("!", False, "PUNCT"),
        ("Slowly", True, "ADV"),
        ("RIVER", False, "NOUN"),
    ],
)
def test_unknown_words_are_known_by_lower_case_suffix_and_shape(tagger, word, at_start, tag):
    chances = tagger._lexicon.distributions([(word, at_start)])[0]
    assert tagger.classes_[chances.argmax()] == tag
    assert chances.sum() == pytest.approx(1.0, abs=1e-5)


def test_predict_ids_and_empty_sentences(tagger):
    ids, offsets = tagger.predict_ids([[], X[0], []])
    assert ids.dtype == np.int32
    assert offsets.tolist() == [0, 0, len(X[0]), len(X[0])]
    assert [tagger.classes_[i] for i in ids] == Y[0]
    assert tagger.predict([[], X[0]]) == [[], Y[0]]
    assert tagger.predict([]) == []


def test_every_batch_gives_what_single_sentences_give(tagger):
    unseen = [["Unheard", "words"], ["of", "unheard", "Unheard", "kinds"], ["Unheard"]]
    together = tagger.predict(X + unseen)
    assert together == [tagger.predict([tokens])[0] for tokens in X + unseen]


@pytest.mark.parametrize("order", [2, 3])
def test_decoding_finds_the_best_of_all_paths(order):
    model = HMMTagger(order=order, n_word_states=4, threads=1).fit(X * 5, Y * 5)
    n = len(model._states)
    counts = Counts(model._trigrams, model._state_tags, len(model.classes_))
    table = trigram_log_probabilities(counts) if order == 3 else model._bigrams
    tokens = ["The", "run", "to", "Uppsala", "was"]
    candidates, _ = model._look_up([tokens])
    slots = [
        list(zip(candidates.states[a:b].tolist(), candidates.scores[a:b].tolist(), strict=True))
        for a, b in itertools.pairwise(candidates.offsets)
    ]
    tags = [*model._state_tags.tolist(), len(model.classes_)]
    best, best_score = None, -np.inf
    for path in itertools.product(*slots):
        states = [n, n, *(state for state, _ in path), n]
        steps = zip(states, states[1:], states[2:], strict=False)
        score = sum(table[tags[a], b, c] if order == 3 else table[b, c] for a, b, c in steps)
        score += sum(emission for _, emission in path)
        if score > best_score:
            best, best_score = [model.classes_[tags[state]] for state, _ in path], score
    assert model.predict([tokens]) == [best]


def test_transitions_without_word_states_are_those_of_tnt():
    """Brants (2000), section 2.2 and figure 1, in plain Python."""
    tag_ids = {tag: i for i, tag in enumerate(sorted({tag for tags in Y for tag in tags}))}
    end = len(tag_ids)
    events = Counter()
    for tags in Y:
        padded = [end, end, *(tag_ids[tag] for tag in tags), end]
        events.update(zip(padded, padded[1:], padded[2:], strict=False))
    pairs, before_pair, here, before = Counter(), Counter(), Counter(), Counter()
    for (a, b, c), count in events.items():
        before_pair[a, b] += count
        pairs[b, c] += count
        before[b] += count
        here[c] += count
    total = sum(events.values())
    weights = defaultdict(float)
    for (a, b, c), count in events.items():
        shares = {
            3: (count - 1) / max(before_pair[a, b] - 1, 1),
            2: (pairs[b, c] - 1) / max(before[b] - 1, 1),
            1: (here[c] - 1) / (total - 1),
        }
        weights[max(shares, key=lambda order: (shares[order], order))] += count / total

    model = HMMTagger(n_word_states=0).fit(X, Y)
    counts = Counts(model._trigrams, model._state_tags, end)
    table = np.exp(trigram_log_probabilities(counts))
    for a, b in before_pair:
        for c in range(end + 1):
            expected = (
                weights[3] * events[a, b, c] / before_pair[a, b]
                + weights[2] * pairs[b, c] / before[b]
                + weights[1] * here[c] / total
            )
            assert table[a, b, c] == pytest.approx(expected, rel=1e-4)
    assert np.allclose(table.sum(axis=2), 1.0, atol=1e-5)


def test_known_words_are_smoothed_from_shape_over_suffix_to_word():
    """One word of three tokens, two tags, worked out by hand."""
    entries = np.array([[0, 0, 0, 2], [0, 0, 1, 1]], np.int32)
    lexicon = Lexicon(["ab"], entries, 2, suffix_length=1, rare_threshold=5)

    def mix(p, weight):  # N = 3 tokens, T = 2 tags
        return (np.array([2, 1]) + weight * 2 * p) / (3 + weight * 2)

    root = np.array([2.5, 1.5]) / 4
    suffix = mix(mix(root, 2), 2)  # the shape, then "b"
    word = mix(mix(suffix, 1), 1)  # lower case, then the word
    found = lexicon.distributions([("ab", False), ("cb", False), ("Cx", False)])
    assert np.allclose(found, [word, suffix, root])


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("word", "lower"),
        ("Word", "title"),
        ("WORD", "upper"),
        ("I", "letter"),
        ("iPhone", "mixed"),
        ("词语", "caseless"),
        ("1,000", "num"),
        ("...", "punct"),
        ("", "punct"),
        ("½", "alnum"),
        ("3rd", "lower+digit"),
        ("well-known", "lower+hyphen"),
        ("B-52", "upper+digit+hyphen"),
    ],
)
def test_shapes(word, expected):
    assert shape(word) == expected


def test_one_tag_alone_is_learned():
    model = HMMTagger().fit([["a", "b"], ["c"]], [["X", "X"], ["X"]])
    assert model.predict([["a", "new", "word"]]) == [["X", "X", "X"]]


def test_more_tags_than_memory_holds_are_refused():
    words = [str(number) for number in range(700)]
    with pytest.raises(ConfigError, match="700 tags and order 3 need"):
        HMMTagger().fit([words], [words])
    assert HMMTagger(order=2).fit([words], [words]).predict([words[:3]]) == [words[:3]]


def test_bigrams_are_decoded_in_parts(monkeypatch):
    model = HMMTagger(order=2).fit(X, Y)
    whole = model.predict(X)
    monkeypatch.setattr("nlptk.tag.hmm._DENSE_SCORES", 8 * len(model._states))
    assert model.predict(X) == whole


def test_tags_that_only_the_test_data_have_count_as_wrong(tagger):
    assert tagger.score([["the", "river"]], [["DET", "NEVERSEEN"]]) == 0.5


@pytest.mark.parametrize("order", [2, 3])
@pytest.mark.parametrize("scheme", ["auto", "bio"])
def test_a_scheme_lets_only_valid_sequences_out(order, scheme):
    tokens = [["Anna", "Berg", "met", "Bo"], ["met", "Berg"], ["Lund", "is", "here"]]
    tags = [["B-PER", "I-PER", "O", "B-PER"], ["O", "B-PER"], ["B-LOC", "O", "O"]]
    model = HMMTagger(order=order, scheme=scheme).fit(tokens, tags)
    for sentence in itertools.product(["Anna", "Berg", "met", "Lund", "unseen"], repeat=3):
        before = "O"
        for tag in model.predict([list(sentence)])[0]:
            assert not tag.startswith("I-") or before[2:] == tag[2:]
            before = tag


def test_settings_are_scikit_learns():
    from sklearn.base import clone

    model = HMMTagger(order=2, suffix_length=3)
    assert clone(model).get_params() == model.get_params()
    assert model.set_params(order=3).order == 3
    assert repr(HMMTagger(order=2)).startswith("HMMTagger(order=2, suffix_length=10")
    with pytest.raises(ConfigError, match="no setting 'ordre'"):
        model.set_params(ordre=2)


@pytest.mark.parametrize(
    "setting",
    [
        {"order": 4},
        {"suffix_length": -1},
        {"rare_threshold": 0},
        {"n_word_states": 1.5},
        {"scheme": "iob"},
        {"threads": -1},
    ],
)
def test_settings_out_of_range_are_refused(setting):
    with pytest.raises(ConfigError, match=next(iter(setting))):
        HMMTagger(**setting).fit(X, Y)


@pytest.mark.parametrize(
    ("tokens", "tags", "message"),
    [
        ([["a"], ["b", "c"]], [["X"], ["X"]], "sentence 1 has 2 tokens but 1 tags"),
        ([["a"]], [["X"], ["X"]], "X has 1 sentences but y has 2"),
        ([], [], "no tokens"),
        ([[]], [[]], "no tokens"),
        (["a b"], [["X", "X", "X"]], "sentence 0 of X is one string"),
        ("a", "b", "X is one string"),
        ([["a", None]], [["X", "X"]], "sentence 0 of X holds None"),
        ([["a"]], [[3]], "sentence 0 of y holds 3"),
    ],
)
def test_bad_training_data_is_named(tokens, tags, message):
    with pytest.raises(DataError, match=message):
        HMMTagger().fit(tokens, tags)


@pytest.mark.parametrize("bad", [["a b"], [["a", None]], [[["a"]]], 3, [4]])
def test_bad_input_to_predict_is_named(tagger, bad):
    with pytest.raises(DataError, match="list of sentences"):
        tagger.predict(bad)


def test_an_unfitted_tagger_says_so():
    with pytest.raises(ConfigError, match="not fitted"):
        HMMTagger().predict([["a"]])
    with pytest.raises(ConfigError, match="not fitted"):
        HMMTagger().to_state()
    with pytest.raises(DataError, match="no tokens to score"):
        HMMTagger().fit(X, Y).score([], [])


def through_safetensors(arrays):
    return safetensors_numpy.load(safetensors_numpy.save(arrays))


@pytest.mark.parametrize("order", [2, 3])
def test_state_round_trip(order):
    model = HMMTagger(order=order, n_word_states=2).fit(X * 5, Y * 5)
    config, arrays = model.to_state()
    again = HMMTagger.from_state(config, through_safetensors(arrays))
    text = [*X, ["Zebras", "graze", "2", "\ud800", ""]]
    assert again.predict(text) == model.predict(text)
    assert again.get_params() == model.get_params()
    config_again, arrays_again = again.to_state()
    assert config_again == config
    assert all(np.array_equal(arrays[name], arrays_again[name]) for name in arrays)


@pytest.mark.parametrize(
    "name", ["words_bytes", "classes_offsets", "state_words_bytes", "state_tags", "trigrams"]
)
def test_a_state_without_an_array_is_refused(tagger, name):
    config, arrays = tagger.to_state()
    del arrays[name]
    with pytest.raises(ModelError, match=name):
        HMMTagger.from_state(config, arrays)


def altered(name, change):
    def alter(config, arrays):
        arrays[name] = change(arrays[name].copy())

    return alter


def put(index, value):
    def change(array):
        array[index] = value
        return array

    return change


@pytest.mark.parametrize(
    "alter",
    [
        altered("entries", put((0, 0), 10_000)),
        altered("entries", put((0, 1), 2)),
        altered("entries", put((0, 2), -1)),
        altered("entries", put((0, 3), 0)),
        altered("entries", lambda a: a[:0]),
        altered("entries", lambda a: a[:, :3]),
        altered("entries", lambda a: a.astype(np.float32)),
        altered("trigrams", put((0, 0), 99)),
        altered("trigrams", lambda a: a.reshape(-1)),
        altered("state_tags", put(0, 5)),
        altered("state_tags", lambda a: a[:-1]),
        altered("classes_offsets", put(1, 10_000)),
        altered("classes_offsets", put(0, 1)),
        altered("classes_bytes", put(0, 255)),
        altered("words_bytes", lambda a: a[:-1]),
        lambda config, arrays: config.update(order=7),
        lambda config, arrays: config.update(scheme="bio"),
        lambda config, arrays: config.update(suffix_length="ten"),
        lambda config, arrays: config.update(format=99),
        lambda config, arrays: config.pop("order"),
    ],
)
def test_an_altered_state_is_refused(tagger, alter):
    config, arrays = tagger.to_state()
    arrays = dict(arrays)
    alter(config, arrays)
    with pytest.raises(ModelError):
        HMMTagger.from_state(config, arrays)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(st.tuples(TOKENS, TOKENS), max_size=5), min_size=1, max_size=4), st.lists(TOKENS))
def test_any_unicode_is_learned_tagged_and_stored(sentences, unseen):
    tokens = [[word for word, _ in sentence] for sentence in sentences]
    tags = [[tag for _, tag in sentence] for sentence in sentences]
    if not any(tokens):
        tokens, tags = [*tokens, ["\x00"]], [*tags, ["\udfff"]]
    model = HMMTagger(n_word_states=2, threads=1).fit(tokens, tags)
    again = HMMTagger.from_state(*model.to_state())
    answer = again.predict([*tokens, unseen])
    assert answer == model.predict([*tokens, unseen])
    assert [len(sentence) for sentence in answer] == [len(sentence) for sentence in [*tokens, unseen]]
    assert {tag for sentence in answer for tag in sentence} <= {tag for sentence in tags for tag in sentence}


def test_universal_tags_of_ewt(data_dir):
    from nlptk.corpora import read_docs

    def split(name):
        docs = list(read_docs(data_dir / "ud-english-ewt" / f"en_ewt-ud-{name}.conllu.gz"))
        return [[doc.text[a:b] for a, b in zip(doc.starts, doc.ends, strict=True)] for doc in docs], [
            doc.column("pos") for doc in docs
        ]

    assert HMMTagger().fit(*split("train")).score(*split("dev")) >= 0.944
