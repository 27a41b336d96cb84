"""The second-order decoder against a dense NumPy oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlptk import _core


def dense_oracle(transitions, contexts, candidates):
    """Viterbi over all pairs of states; the lowest state wins a tie, the last token's first."""
    n = len(contexts)
    rows = np.full((len(candidates) + 1, n), -np.inf, np.float32)
    for t, (states, scores) in enumerate(candidates):
        rows[t, states] = scores
    rows[-1, n - 1] = 0.0
    pair = np.full((n, n), -np.inf, np.float32)
    pair[n - 1, n - 1] = 0.0
    back = []
    for row in rows:
        through = pair[:, :, None] + transitions[contexts]
        back.append(through.argmax(axis=0))
        pair = through.max(axis=0) + row[None, :]
    here, one_back = n - 1, int(pair[:, n - 1].argmax())
    score, path = pair[one_back, n - 1], []
    for choice in reversed(back[1:]):
        path.append(one_back)
        here, one_back = one_back, int(choice[one_back, here])
    return path[::-1], score


@st.composite
def models(draw):
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    n = draw(st.integers(2, 7))
    contexts = random.integers(0, 3, n).astype(np.int32)
    # Small integers make many ties and exact sums.
    transitions = random.integers(-2, 3, (3, n, n)).astype(np.float32)
    sentences = []
    for _ in range(draw(st.integers(0, 4))):
        sentence = []
        for _ in range(draw(st.integers(0, 8))):
            states = np.sort(random.choice(n - 1, random.integers(1, n), replace=False))
            sentence.append((states, random.integers(-2, 3, len(states)).astype(np.float32)))
        sentences.append(sentence)
    return transitions, contexts, sentences


def packed(sentences):
    tokens = [token for sentence in sentences for token in sentence]
    candidate_offsets = np.cumsum([0, *(len(states) for states, _ in tokens)])
    offsets = np.cumsum([0, *map(len, sentences)])
    states = np.concatenate([np.zeros(0), *(states for states, _ in tokens)]).astype(np.int32)
    scores = np.concatenate([np.zeros(0), *(scores for _, scores in tokens)]).astype(np.float32)
    return candidate_offsets, states, scores, offsets


@settings(deadline=None)
@given(models(), st.sampled_from([1, 3]))
def test_best_paths_are_those_of_the_oracle(model, threads):
    transitions, contexts, sentences = model
    decoder = _core.TrigramModel(transitions, contexts)
    path, scores = decoder.viterbi(*packed(sentences), threads)
    bounds = np.cumsum([0, *map(len, sentences)])
    for number, sentence in enumerate(sentences):
        expected, score = dense_oracle(transitions, contexts, sentence)
        assert path[bounds[number] : bounds[number + 1]].tolist() == expected
        assert scores[number] == score


def test_a_forbidden_path_is_not_taken():
    transitions = np.zeros((1, 3, 3), np.float32)
    transitions[0, 0, 0] = -np.inf
    decoder = _core.TrigramModel(transitions, np.zeros(3, np.int32))
    both, high = np.array([0, 1, 0, 1], np.int32), np.array([5, 0, 5, 0], np.float32)
    path, scores = decoder.viterbi(np.array([0, 2, 4]), both, high, np.array([0, 2]))
    assert path.tolist() == [1, 0]
    assert scores.tolist() == [5.0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"candidate_offsets": np.array([0, 0, 2])}, "candidate_offsets"),
        ({"candidate_offsets": np.array([0, 1, 3])}, "candidate_offsets"),
        ({"offsets": np.array([0, 1])}, "offsets"),
        ({"offsets": np.array([0, 2, 1, 2])}, "offsets"),
        ({"candidate_states": np.array([0, 2], np.int32)}, "candidate 1 is not a state"),
        ({"candidate_states": np.array([-1, 0], np.int32)}, "candidate 0 is not a state"),
        ({"candidate_scores": np.array([0, np.nan], np.float32)}, "NaN"),
        ({"candidate_scores": np.array([0], np.float32)}, "one length"),
    ],
)
def test_wrong_candidates_are_refused(change, message):
    decoder = _core.TrigramModel(np.zeros((1, 3, 3), np.float32), np.zeros(3, np.int32))
    arguments = {
        "candidate_offsets": np.array([0, 1, 2]),
        "candidate_states": np.array([0, 1], np.int32),
        "candidate_scores": np.zeros(2, np.float32),
        "offsets": np.array([0, 2]),
    }
    decoder.viterbi(**arguments)
    with pytest.raises(ValueError, match=message):
        decoder.viterbi(**{**arguments, **change})


@pytest.mark.parametrize(
    ("transitions", "contexts"),
    [
        (np.zeros((1, 3, 2)), [0, 0, 0]),
        (np.zeros((1, 3, 3)), [0, 0]),
        (np.zeros((1, 3, 3)), [0, 1, 0]),
        (np.zeros((1, 3, 3)), [0, -1, 0]),
        (np.full((1, 3, 3), np.nan), [0, 0, 0]),
        (np.zeros((0, 0, 0)), []),
    ],
)
def test_wrong_models_are_refused(transitions, contexts):
    with pytest.raises(ValueError, match=r"transitions|contexts"):
        _core.TrigramModel(transitions.astype(np.float32), np.array(contexts, np.int32))
