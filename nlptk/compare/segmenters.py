"""The segmenters of a comparison: jieba, a character HMM and a CRF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nlptk.compare.contestant import Contestant, Data, How, Predict, Task
from nlptk.compare.ours import restore, save
from nlptk.errors import DataError

_TASKS: tuple[Task, ...] = ("segmenters",)


def places_of(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The visible characters of words, and the place of each in its word: B, M, E, or S (Xue 2003)."""
    characters: list[str] = []
    places: list[str] = []
    for word in ("".join(word.split()) for word in words):
        characters += word
        places += "S" if len(word) == 1 else ["B", *"M" * (len(word) - 2), "E"][: len(word)]
    return characters, places


def words_of(characters: Sequence[str], places: Sequence[str]) -> list[str]:
    """The words that places mean: one begins at B and S, after E and S, and at the start."""
    words: list[str] = []
    before = "E"
    for character, place in zip(characters, places, strict=True):
        if place in "BS" or before in "ES":
            words.append(character)
        else:
            words[-1] += character
        before = place
    return words


def _train_hmm(data: Data, folder: Path, how: How) -> dict[str, Any]:
    from nlptk.tag.hmm import HMMTagger

    pairs = [places_of(words) for words in data.train.gold]
    save(
        HMMTagger(scheme=None).fit([pair[0] for pair in pairs], [pair[1] for pair in pairs]), folder, how.lang
    )
    return {}


def _load_hmm(folder: Path, how: How) -> Predict:
    from nlptk.tag.hmm import HMMTagger

    tagger = restore(HMMTagger, folder)

    def predict(texts: list[str]) -> list[list[str]]:
        rows = [list("".join(text.split())) for text in texts]
        return [words_of(row, places) for row, places in zip(rows, tagger.predict(rows), strict=True)]

    return predict


def _docs(texts: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Any]:
    from nlptk.corpora.pieces import align_forms
    from nlptk.doc import Doc

    docs = []
    for text, words in zip(texts, rows, strict=True):
        found = align_forms(text, words)
        if isinstance(found, int):
            raise DataError(f"the words of {text!r:.60} do not spell it")
        whole, starts, ends = found
        docs.append(Doc(whole, starts, ends, sent_starts=[1] + [0] * (len(starts) - 1)))
    return docs


def _train_crf(data: Data, folder: Path, how: How) -> dict[str, Any]:
    from nlptk.tokenize.segmenter import Segmenter

    segmenter = Segmenter(templates=how.lang, seed=how.seed)
    segmenter.fit(_docs(data.train.items, data.train.gold), _docs(data.dev.items, data.dev.gold))
    save(segmenter, folder, how.lang)
    return {}


def _load_crf(folder: Path, how: How) -> Predict:
    from nlptk.tokenize.segmenter import Segmenter

    segmenter = restore(Segmenter, folder)

    def predict(texts: list[str]) -> list[list[str]]:
        return [
            [text[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
            for text, (starts, ends, _) in zip(texts, segmenter.segment(texts), strict=True)
        ]

    return predict


def _train_jieba(data: Data, folder: Path, how: How) -> dict[str, Any]:
    return {"note": "it has a dictionary of its own and learns nothing here"}


def _load_jieba(folder: Path, how: How) -> Predict:
    from nlptk.tokenize.jieba import JiebaTokenizer

    tokenizer = JiebaTokenizer()
    return lambda texts: [[word for word in tokenizer.cut(text) if word.strip()] for text in texts]


def _dictionary(how: How) -> Sequence[Path]:
    from nlptk.tokenize.jieba_data import package_file

    return [package_file("dict.txt")]


CONTESTANTS = (
    Contestant(
        "jieba", "classical", _TASKS, "jieba's dictionary and HMM, not trained on the data",
        _train_jieba, _load_jieba, imports=("nlptk.tokenize.jieba",), cost=0.001, trained=False,
        elsewhere=_dictionary,
    ),
    Contestant(
        "hmm", "classical", _TASKS, "trigram HMM over characters, places in words (B, M, E, S)",
        _train_hmm, _load_hmm, imports=("nlptk.tag.hmm",), cost=0.01,
    ),
    Contestant(
        "crf", "classical", _TASKS, "a CRF over characters, SGD, c2 = 0.1, best pass on dev",
        _train_crf, _load_crf, imports=("nlptk.tokenize.segmenter",), cost=0.15,
    ),
)  # fmt: skip
