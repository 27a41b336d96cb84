"""Sentences with labels, written `word/label`, for tests of the CRF tagger, and a tagger trained on some."""

from __future__ import annotations

import json

import numpy as np

from nlptk import _core
from nlptk.lexicons import Gazetteer, WordClasses
from nlptk.tag.crf import CRFTagger

NAMED = """
Anna/B-PER Berg/I-PER lives/O in/O New/B-LOC Haven/I-LOC ./O
Yesterday/O Carl/B-PER met/O Anna/B-PER Dahl/I-PER ./O
Haven/B-LOC is/O far/O from/O Berg/B-LOC ./O
"""


def read(text: str) -> tuple[list[list[str]], list[list[str]]]:
    pairs = [[item.rsplit("/", 1) for item in line.split()] for line in text.strip().splitlines()]
    return [[word for word, _ in line] for line in pairs], [[tag for _, tag in line] for line in pairs]


NX, NY = read(NAMED)


def classes_of(words: list[str]) -> WordClasses:
    keys = sorted({_core.lexicon_key(word): number for number, word in enumerate(words)}.items())
    return WordClasses(
        ("c",), np.array([k for k, _ in keys], np.uint32), np.array([[n] for _, n in keys], np.uint16)
    )


def train_namer() -> CRFTagger:
    """A tagger that uses word classes and a gazetteer as well."""
    classes = classes_of(["anna", "carl", "berg", "dahl"])
    places = Gazetteer.of("places", [("New Haven", "town"), ("Bergen", "town"), ("Haven", "")])
    templates = ["word", "kind", "lower[-1]", "cluster:c", "gazetteer:places"]
    return CRFTagger(templates, clusters=classes, gazetteers={"places": places}, threads=1).fit(NX, NY)


def through_json(model: CRFTagger) -> tuple[dict, dict[str, np.ndarray]]:
    config, arrays = model.to_state()
    return json.loads(json.dumps(config)), arrays
