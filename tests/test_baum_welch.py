"""Baum-Welch against forward-backward in double precision."""

from __future__ import annotations

import itertools

import chain_oracle
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import numpy as safetensors_numpy

from nlptk import _core
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.tag.baum_welch import CategoricalHMM

X = [
    ["the", "cat", "sees", "the", "dog"],
    ["a", "dog", "sees", "a", "bird"],
    ["the", "bird", "flies"],
    ["dogs", "bark"],
    [],
    ["a", "cat", "sleeps", "and", "the", "dog", "barks"],
]


def oracle_round(model, X):
    """One round of EM by summing over every path there is."""
    states = range(len(model.classes_))
    words = {word: column for column, word in enumerate(model.vocabulary_)}
    start = np.zeros_like(model.startprob_)
    steps = np.zeros_like(model.transmat_)
    emission = np.zeros_like(model.emissionprob_)
    log_likelihood = 0.0
    for sentence in filter(None, X):
        columns = [words[word] for word in sentence]
        paths = list(itertools.product(states, repeat=len(columns)))
        chances = []
        for path in paths:
            chance = model.startprob_[path[0]]
            for a, b in itertools.pairwise(path):
                chance *= model.transmat_[a, b]
            chances.append(
                chance * np.prod([model.emissionprob_[s, c] for s, c in zip(path, columns, strict=True)])
            )
        total = sum(chances)
        log_likelihood += np.log(total)
        for path, chance in zip(paths, chances, strict=True):
            start[path[0]] += chance / total
            for a, b in itertools.pairwise(path):
                steps[a, b] += chance / total
            for state, column in zip(path, columns, strict=True):
                emission[state, column] += chance / total
    normalised = [table / table.sum(axis=-1, keepdims=True) for table in (start, steps, emission)]
    return log_likelihood, normalised


def test_each_round_is_the_oracles():
    model = CategoricalHMM(n_components=3, n_iter=1, random_state=4, threads=1).fit(X)
    for _ in range(3):
        expected, (start, steps, emission) = oracle_round(model, X)
        assert model.score(X) == pytest.approx(expected, abs=1e-4)
        model.fit_more(X)
        assert model.monitor_.history == [pytest.approx(expected, abs=1e-4)]
        assert np.allclose(model.startprob_, start, atol=1e-5)
        assert np.allclose(model.transmat_, steps, atol=1e-5)
        assert np.allclose(model.emissionprob_, emission, atol=1e-5)


def oracle_counts(model, ids, offsets):
    """Forward-backward in double precision: log-likelihoods, starts, steps and words [words, states]."""
    emission = np.vstack([model.emissionprob_.T, np.ones(len(model.classes_))])
    start, steps, words = (
        np.zeros_like(model.startprob_),
        np.zeros_like(model.transmat_),
        np.zeros_like(emission),
    )
    totals = []
    for first, last in itertools.pairwise(offsets.tolist()):
        seen = emission[ids[first:last]]
        alpha, beta, scale = np.zeros_like(seen), np.ones_like(seen), np.zeros(len(seen))
        for t in range(len(seen)):
            alpha[t] = (model.startprob_ if t == 0 else alpha[t - 1] @ model.transmat_) * seen[t]
            scale[t] = alpha[t].sum()
            alpha[t] /= scale[t]
        for t in range(len(seen) - 2, -1, -1):
            beta[t] = model.transmat_ @ (seen[t + 1] * beta[t + 1]) / scale[t + 1]
        right = seen[1:] * beta[1:] / scale[1:, None]
        steps += model.transmat_ * (alpha[:-1].T @ right)
        start += (alpha * beta)[:1].sum(axis=0)
        np.add.at(words, ids[first:last], alpha * beta)
        totals.append(np.log(scale).sum())
    return np.array(totals), start, steps, words[:-1]


@pytest.mark.parametrize("states", [1, 7, 10, 16, 33, 50, 130])
def test_counts_are_the_oracles(states):
    rng = np.random.default_rng(states)
    text = [
        [f"w{word}" for word in rng.zipf(1.5, size).clip(max=60)] for size in [*rng.integers(0, 60, 40), 600]
    ]
    model = CategoricalHMM(states, n_iter=1, random_state=3, threads=2).fit(text)
    ids, offsets = model._encode([*text, ["never-seen", "w1", "never-seen"]])
    found = _core.hmm_expected_counts(
        model.startprob_, model.transmat_, model.emissionprob_, ids, offsets, threads=2
    )
    for got, wanted in zip(found, oracle_counts(model, ids, offsets), strict=True):
        assert np.allclose(got, wanted, rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("stay", [0.3, 0.9999])  # the second does not forget in time: its pieces do not agree
def test_a_long_sequence_has_the_oracles_counts(stay):
    rng = np.random.default_rng(0)
    model = CategoricalHMM(2)
    model._set(
        ["0", "1"],
        ["a", "b", "c"],
        np.array([0.9, 0.1]),
        np.array([[stay, 1 - stay], [1 - stay, stay]]),
        np.array([[0.5, 0.3, 0.2], [0.2, 0.3, 0.5]]),
    )
    ids, offsets = rng.integers(0, 4, 20_000).astype(np.int32), np.array([0, 20_000])
    found = _core.hmm_expected_counts(model.startprob_, model.transmat_, model.emissionprob_, ids, offsets)
    totals, start, steps, words = oracle_counts(model, ids, offsets)
    assert found[0] == pytest.approx(totals, rel=1e-7)
    assert np.allclose(found[1], start, atol=2e-3)
    assert np.allclose(found[2], steps, rtol=1e-3)
    assert np.allclose(found[3], words, rtol=1e-3)


def test_the_kernel_refuses_what_does_not_fit():
    start, steps, emission = np.full(2, 0.5), np.full((2, 2), 0.5), np.full((2, 3), 1 / 3)
    ids, offsets = np.array([0, 3], np.int32), np.array([0, 2])
    assert len(_core.hmm_expected_counts(start, steps, emission, ids, offsets)) == 4
    with pytest.raises(ValueError, match="word 1 is not between 0 and 3"):
        _core.hmm_expected_counts(start, steps, emission, np.array([0, 4], np.int32), offsets)
    with pytest.raises(ValueError, match="offsets must rise"):
        _core.hmm_expected_counts(start, steps, emission, ids, np.array([0, 3]))
    with pytest.raises(ValueError, match="transitions must hold probabilities"):
        _core.hmm_expected_counts(start, steps * np.nan, emission, ids, offsets)
    with pytest.raises(ValueError, match="must be"):
        _core.hmm_expected_counts(start, steps, emission[:1], ids, offsets)


def test_other_sequences_and_classes_of_strings_are_read_too():
    class Word(str):
        pass

    model = CategoricalHMM(n_components=2, n_iter=5).fit(X)
    states, offsets = model.predict_ids(X)
    assert [model.classes_[state] for state in states] == [name for path in model.predict(X) for name in path]
    assert offsets.tolist() == np.cumsum([0, *map(len, X)]).tolist()
    others = [np.array(X[0]), [Word(word) for word in X[1]], tuple(X[2]), *X[3:]]
    assert np.array_equal(model.predict_ids(others)[0], states)
    assert model.predict([]) == []


@pytest.mark.parametrize("states", [1, 2, 10, 16, 17, 33, 50, 64, 70])
@pytest.mark.parametrize("kind", ["random", "ties", "forbidding", "sticky"])
def test_viterbi_is_the_oracles_bit_for_bit(states, kind):
    rng = np.random.default_rng(states)

    def draw(*shape):
        values = rng.integers(-3, 1, shape) if kind == "ties" else -3 * rng.random(shape)
        return np.where(rng.random(shape) < 0.2 * (kind == "forbidding"), -np.inf, values).astype(np.float32)

    start, steps, emission = draw(states), draw(states, states), draw(31, states)
    if kind == "sticky":  # its pieces do not meet: the first state is remembered to the end
        steps = np.where(np.eye(states), -1e-4, -40_000).astype(np.float32)
    lengths = [*rng.integers(0, 40, 40), 5_000, 1]  # one is long enough to be cut to pieces
    offsets = np.cumsum([0, *lengths])
    words = rng.integers(0, 31, offsets[-1]).astype(np.int32)
    expected: list[int] = []
    for first, last in itertools.pairwise(offsets.tolist()):
        if last > first:
            expected += chain_oracle.viterbi_words(emission, steps, start, words[first:last])
    for threads in (1, 2):
        assert _core.hmm_viterbi(start, steps, emission, words, offsets, threads).tolist() == expected


def test_a_long_path_is_as_good_as_that_of_double_precision():
    """Scores reach -80,000, where float32 has steps of 1/128: not moved, they give a path 0.15 worse."""
    rng = np.random.default_rng(0)
    text = [[f"w{word}" for word in rng.zipf(1.5, 20_000).clip(max=500)]]
    model = CategoricalHMM(5, n_iter=1, random_state=3).fit(text)
    ids, _ = model._encode(text)
    start, steps, emission = (np.log(p) for p in (model.startprob_, model.transmat_, model.emissionprob_))
    _, best = chain_oracle.viterbi(emission.T[ids], steps, start, np.zeros(5))
    path = model.predict_ids(text)[0]
    score = start[path[0]] + emission[path, ids].sum() + steps[path[:-1], path[1:]].sum()
    assert best < -50_000
    assert score == pytest.approx(best, abs=1e-3)


def test_viterbi_refuses_what_does_not_fit():
    start, steps, emission = (
        np.zeros(2, np.float32),
        np.zeros((2, 2), np.float32),
        np.zeros((4, 2), np.float32),
    )
    ids, offsets = np.array([0, 3], np.int32), np.array([0, 2])
    with pytest.raises(ValueError, match="word 1 is not between 0 and 3"):
        _core.hmm_viterbi(start, steps, emission, ids + np.int32([0, 1]), offsets)
    with pytest.raises(ValueError, match="offsets must rise"):
        _core.hmm_viterbi(start, steps, emission, ids, offsets + 1)
    with pytest.raises(ValueError, match="must be"):
        _core.hmm_viterbi(start, steps, emission[:, :1], ids, offsets)
    with pytest.raises(ValueError, match="transitions must hold finite"):
        _core.hmm_viterbi(start, steps * np.float32(np.nan), emission, ids, offsets)


def test_the_same_string_object_and_an_equal_one_have_one_number():
    model = CategoricalHMM(n_components=2, n_iter=2).fit(X)
    words = [f"u{number}" for number in range(20_000)]  # more than are remembered at once
    text = [["the", "cat", *words, "".join(("c", "at")), "the"], [*words, "dog"]]
    ids, _ = model._encode(text)
    number = {word: column for column, word in enumerate(model.vocabulary_)}
    assert ids.tolist() == [number.get(word, len(number)) for sentence in text for word in sentence]


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.lists(st.text(st.characters(codec=None), max_size=2), max_size=6), min_size=1, max_size=5),
    st.integers(1, 5),
    st.integers(0, 100),
)
def test_the_likelihood_never_falls(sentences, n, seed):
    if not any(sentences):
        sentences = [["\ud800", "\x00"]]
    model = CategoricalHMM(n_components=n, n_iter=8, tol=0.0, random_state=seed, threads=1).fit(sentences)
    assert np.diff(model.monitor_.history).min(initial=0.0) >= -1e-4
    assert model.score(sentences) >= model.monitor_.history[-1] - 1e-4
    for table in (model.startprob_, model.transmat_, model.emissionprob_):
        assert np.allclose(table.sum(axis=-1), 1.0)


def test_training_stops_when_it_gains_little():
    model = CategoricalHMM(n_components=2, n_iter=500, tol=1e-3).fit(X)
    gains = np.diff(model.monitor_.history)
    assert model.monitor_.converged
    assert model.monitor_.iter < 500
    assert gains[-1] < 1e-3 <= gains[:-1].min()


def test_one_seed_gives_one_model_from_any_number_of_threads():
    models = [CategoricalHMM(3, 5, random_state=7, threads=threads).fit(X) for threads in (1, 1, 4)]
    for model in models[1:]:
        assert np.array_equal(model.emissionprob_, models[0].emissionprob_)
    assert not np.array_equal(
        CategoricalHMM(3, 5, random_state=8).fit(X).emissionprob_, models[0].emissionprob_
    )


def test_a_tag_dictionary_limits_states_and_names_them():
    dictionary = {
        "the": ["DET"],
        "a": ["DET"],
        "cat": ["NOUN"],
        "dog": ["NOUN"],
        "bird": ["NOUN"],
        "dogs": ["NOUN"],
        "sees": ["VERB"],
        "bark": ["VERB", "NOUN"],
        "and": ["CCONJ"],
        "absent": ["INTJ"],
    }
    model = CategoricalHMM(n_iter=30).fit(X, dictionary)
    # Words that the dictionary does not list may have every tag, and so INTJ has words too.
    assert model.classes_ == ["CCONJ", "DET", "INTJ", "NOUN", "VERB"]
    for sentence, tags in zip(X, model.predict(X), strict=True):
        for word, tag in zip(sentence, tags, strict=True):
            assert tag in dictionary.get(word, model.classes_)
    assert model.predict([["the", "unheard", "sees", "a", "bird"]])[0][1] == "NOUN"


def test_a_tag_that_no_word_can_have_is_left_out():
    model = CategoricalHMM().fit([["a", "b"]], {"a": ["A"], "b": ["B"], "c": ["C"]})
    assert model.classes_ == ["A", "B"]
    assert model.predict([["a", "b", "c"]])[0][:2] == ["A", "B"]


def test_a_supervised_start_is_relative_frequency():
    model = CategoricalHMM().fit_supervised([["a", "b"], ["a"]], [["X", "Y"], ["X"]], smoothing=0.0)
    assert model.startprob_.tolist() == [1.0, 0.0]
    assert model.transmat_.tolist() == [[0.0, 1.0], [0.5, 0.5]]
    assert model.emissionprob_.tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert model.predict([["a", "b"]]) == [["X", "Y"]]
    assert model.score([["a"]]) == 0.0
    assert model.score([["b"]]) == -np.inf
    with pytest.raises(DataError, match="sentence 1 has probability 0"):
        model.fit_more([["a"], ["b"]])


def test_posteriors_and_chunks(monkeypatch):
    model = CategoricalHMM(n_components=3, n_iter=5, threads=1).fit(X)
    whole, paths, score = model.predict_proba(X), model.predict(X), model.score(X)
    assert [rows.shape for rows in whole] == [(len(sentence), 3) for sentence in X]
    assert all(np.allclose(rows.sum(axis=1), 1.0, atol=1e-5) for rows in whole)
    monkeypatch.setattr("nlptk.tag.baum_welch._CHUNK", 6)
    assert all(np.array_equal(a, b) for a, b in zip(whole, model.predict_proba(X), strict=True))
    assert model.predict(X) == paths
    assert model.score(X) == pytest.approx(score)


def test_unknown_words_count_as_missing():
    model = CategoricalHMM(n_components=2, n_iter=5).fit(X)
    assert model.score([["never-seen"]]) == pytest.approx(0.0, abs=1e-6)
    assert np.allclose(model.predict_proba([["never-seen"]])[0], model.startprob_, atol=1e-6)


def test_state_round_trip():
    model = CategoricalHMM(n_components=3, n_iter=5).fit([*X, ["\ud800", "\x00", ""]])
    config, arrays = model.to_state()
    again = CategoricalHMM.from_state(config, safetensors_numpy.load(safetensors_numpy.save(arrays)))
    assert again.predict(X) == model.predict(X)
    assert again.score(X) == model.score(X)
    assert again.get_params() == {**model.get_params(), "threads": 0}


@pytest.mark.parametrize("name", ["startprob_", "transmat_", "emissionprob_"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -0.5, 3.0])
def test_altered_probabilities_are_refused(name, value):
    config, arrays = CategoricalHMM(n_components=3, n_iter=2).fit(X).to_state()
    arrays[name] = arrays[name].copy()
    arrays[name].flat[0] = value
    with pytest.raises(ModelError, match=name):
        CategoricalHMM.from_state(config, arrays)


def test_states_that_do_not_fit_are_refused():
    config, arrays = CategoricalHMM(n_components=3, n_iter=2).fit(X).to_state()
    with pytest.raises(ModelError, match="do not fit"):
        CategoricalHMM.from_state(config, {**arrays, "transmat_": arrays["transmat_"][:2]})
    with pytest.raises(ModelError, match="vocabulary_bytes"):
        CategoricalHMM.from_state(config, {k: v for k, v in arrays.items() if k != "vocabulary_bytes"})
    with pytest.raises(ModelError, match="format"):
        CategoricalHMM.from_state({**config, "format": 2}, arrays)
    with pytest.raises(ModelError, match="n_iter"):
        CategoricalHMM.from_state({**config, "n_iter": 0}, arrays)


@pytest.mark.parametrize(
    "setting",
    [{"n_components": 0}, {"n_iter": 0}, {"tol": float("nan")}, {"random_state": -1}, {"threads": -1}],
)
def test_settings_out_of_range_are_refused(setting):
    with pytest.raises(ConfigError, match=next(iter(setting))):
        CategoricalHMM(**setting).fit(X)


def test_bad_data_is_named():
    with pytest.raises(DataError, match="no words"):
        CategoricalHMM().fit([[]])
    with pytest.raises(DataError, match="sentence 0 of X is one string"):
        CategoricalHMM().fit(["a b"])
    with pytest.raises(ConfigError, match="at least one tag"):
        CategoricalHMM().fit([["a"]], {"a": []})
    with pytest.raises(ConfigError, match="empty"):
        CategoricalHMM().fit([["a"]], {})
    with pytest.raises(ConfigError, match="smoothing"):
        CategoricalHMM().fit_supervised([["a"]], [["X"]], smoothing=-1.0)
    with pytest.raises(DataError, match="sentence 0 has 1 tokens but 2 tags"):
        CategoricalHMM().fit_supervised([["a"]], [["X", "Y"]])
    for method in ("predict", "score", "fit_more"):
        with pytest.raises(ConfigError, match="not fitted"):
            getattr(CategoricalHMM(), method)([["a"]])
