"""Tagging schemes: the masks allow exactly the valid sequences, and decoding under them is always valid."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlptk import chain

LABELS = {
    "bio": ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"],
    "bioes": ["I-A", "E-A", "O", "B-A", "S-A", "B-B", "S-B", "E-B"],
}


def reads_as_entities(tags: tuple[str, ...], scheme: str) -> bool:
    """Parse the tags by the scheme's grammar: the oracle, independent of rules about pairs."""
    i = 0
    while i < len(tags):
        prefix, _, kind = tags[i].partition("-")
        if prefix in ("O", "S"):
            i += 1
        elif prefix == "B":
            i += 1
            while i < len(tags) and tags[i] == f"I-{kind}":
                i += 1
            if scheme == "bioes":
                if i == len(tags) or tags[i] != f"E-{kind}":
                    return False
                i += 1
        else:
            return False
    return True


@pytest.mark.parametrize("scheme", ["bio", "bioes"])
def test_mask_and_is_valid_agree_with_the_grammar(scheme: chain.Scheme) -> None:
    labels = LABELS[scheme]
    mask = chain.transition_mask(labels, scheme)
    for length in (1, 2, 3, 4):
        for path in itertools.product(range(len(labels)), repeat=length):
            tags = tuple(labels[k] for k in path)
            score = mask.start[path[0]] + mask.end[path[-1]]
            score += sum(mask.transitions[a, b] for a, b in itertools.pairwise(path))
            assert (score == 0) == reads_as_entities(tags, scheme) == chain.is_valid(tags, scheme)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), length=st.integers(1, 30), scheme=st.sampled_from(["bio", "bioes"]))
def test_decoded_tags_are_valid(seed: int, length: int, scheme: chain.Scheme) -> None:
    rng = np.random.default_rng(seed)
    labels = LABELS[scheme]
    mask = chain.transition_mask(labels, scheme)
    emissions = rng.normal(0, 20, (length, len(labels)))
    transitions = rng.normal(0, 20, (len(labels), len(labels))) + mask.transitions
    [(paths, _)] = chain.viterbi_nbest(emissions, transitions, 4, start=mask.start, end=mask.end)
    assert len(paths) > 0
    for path in paths:
        assert chain.is_valid([labels[k] for k in path], scheme)


def test_first_invalid() -> None:
    assert chain.first_invalid([], "bio") is None
    assert chain.first_invalid(["O", "I-X"], "bio") == 1
    assert chain.first_invalid(["B-X", "I-X", "I-Y"], "bio") == 2
    assert chain.first_invalid(["B-X", "I-X"], "bio") is None
    assert chain.first_invalid(["B-X", "I-X"], "bioes") == 2
    assert chain.first_invalid(["B-X", "O"], "bioes") == 1
    assert chain.is_valid(["B-X", "E-X", "S-Y"], "bioes")


def test_no_scheme_allows_everything() -> None:
    mask = chain.transition_mask(["a", "b"], None)
    assert not mask.transitions.any()
    assert not mask.start.any()
    assert not mask.end.any()
    assert mask.transitions.shape == (2, 2)
    assert chain.transition_mask([], "bio").transitions.shape == (0, 0)


@pytest.mark.parametrize("label", ["", "B", "B-", "-X", "E-X", "NN", "b-X", "BI-X", "\ud800", "O-X", "\0"])
def test_labels_outside_the_scheme_are_named(label: str) -> None:
    with pytest.raises(ValueError, match="is not of the scheme 'bio'"):
        chain.transition_mask(["O", label], "bio")
    with pytest.raises(ValueError, match="is not of the scheme 'bio'"):
        chain.is_valid(["O", label], "bio")


def test_unknown_scheme_is_named() -> None:
    with pytest.raises(ValueError, match="unknown tagging scheme 'iob'"):
        chain.transition_mask(["O"], "iob")  # type: ignore[arg-type]


def test_entity_types_may_hold_dashes() -> None:
    assert chain.is_valid(["B-work-of-art", "I-work-of-art"], "bio")
    assert not chain.is_valid(["B-work-of", "I-work-of-art"], "bio")
