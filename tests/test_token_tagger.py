"""Tagging in one pass against its parts: feature keys of every token, look-ups of each, Viterbi."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlptk.crf import CrfWeights
from nlptk.lexicons import Gazetteer
from nlptk.tag.crf import CRFTagger
from nlptk.tag.features import TEMPLATES, TokenBatch

WORDS = st.one_of(
    st.sampled_from(
        ["the", "The", "run", "runs", "1999", "well-known", "", "a" * 15, "a" * 16, "\U0001f600", "É"]
    ),
    st.text(st.characters(codec=None), max_size=18),
)
SENTENCES = st.lists(st.lists(WORDS, max_size=7), max_size=8)
SETS = [name for name in TEMPLATES if "clusters" not in name]


NAMES = Gazetteer.of(
    "names", [("the run", "a"), ("1999", "b"), ("run the The", "b"), ("É", "a"), ("a" * 16, "c")]
)


def tagger_of(templates: str | list[str], labels: int, **settings) -> CRFTagger:
    rng = np.random.default_rng(labels)
    words = [
        [str(word) for word in rng.choice(["the", "The", "run", "1999", "É", "a" * 16], 5)] for _ in range(30)
    ]
    tags = [[f"L{label}" for label in rng.integers(0, labels, 5)] for _ in words]
    columns = {"1": tags} if templates == "chunk" else None
    return CRFTagger(templates, "ap", max_iterations=2, dense_freq=9, threads=1, **settings).fit(
        words, tags, columns=columns
    )


TAGGERS = {name: tagger_of(name, 9 + number) for number, name in enumerate(SETS)}
TAGGERS["outside"] = tagger_of(["lower[-4]", "lower[4]", "spaced[1]", "lower[-3]|lower[3]", "word"], 3)
TAGGERS["names"] = tagger_of(
    ["word[1]", "gazetteer:names", "gazetteer:names[-1]|gazetteer:names", "gazetteer:names[1]|spaced"],
    9,
    gazetteers={"names": NAMES},
)


def parts(tagger: CRFTagger, batch: TokenBatch) -> tuple[np.ndarray, np.ndarray]:
    """Scores and labels, the long way."""
    weights: CrfWeights = tagger.weights_
    keys = tagger._features.keys(batch, 1)
    model = weights.compile()
    return model.emissions(keys), model.predict(keys, batch.sequences, 1)


@pytest.mark.parametrize("name", TAGGERS)
@settings(max_examples=30)
@given(sentences=SENTENCES, threads=st.sampled_from([1, 2]))
def test_scores_and_labels_are_those_of_the_long_way(name, sentences, threads):
    tagger = TAGGERS[name]
    tagger.threads = threads
    columns = {"1": [[word[:1] for word in words] for words in sentences]} if name == "chunk" else None
    batch = TokenBatch.from_words(sentences, columns)
    scores, labels = parts(tagger, batch)
    assert np.array_equal(tagger._kernel.emissions(*tagger._features.arguments(batch), threads), scores)
    assert np.array_equal(tagger.predict_batch(batch), labels)


def test_more_words_than_are_remembered():
    tagger = TAGGERS["pos"]
    sentences = [[f"w{(7 * i + k) % 20_011}" for k in range(10)] for i in range(3000)]
    batch = TokenBatch.from_words([*sentences, *sentences[::-1]])
    scores, labels = parts(tagger, batch)
    assert np.array_equal(tagger._kernel.emissions(*tagger._features.arguments(batch), 2), scores)
    assert np.array_equal(tagger.predict_batch(batch), labels)


def test_words_are_told_apart_by_their_characters():
    # The same words as parts of one text and apart, so that only what is in the word can be remembered of it.
    tagger = TAGGERS["ner"]
    apart = TokenBatch(["ab a b"], *(np.array(x, np.int32) for x in ([0, 3, 5], [2, 4, 6])), *_whole(3))
    joined = TokenBatch(["aba b"], *(np.array(x, np.int32) for x in ([0, 2, 4], [2, 3, 5])), *_whole(3))
    for batch in (apart, joined, apart):
        found = tagger._kernel.emissions(*tagger._features.arguments(batch), 1)
        assert np.array_equal(found, parts(tagger, batch)[0])


def _whole(tokens: int) -> tuple[np.ndarray, np.ndarray]:
    return np.array([0, tokens], np.int64), np.array([0, tokens], np.int64)
