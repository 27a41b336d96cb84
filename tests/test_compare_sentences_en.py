"""The English sentences that ship for `nlptk compare`: counts, spacing, tags, entities, nothing twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import nlptk
from nlptk.corpora import conllu, read_docs

FOLDER = Path(nlptk.__file__).parent / "compare" / "sentences"
SIZES = {"train": 200, "dev": 40, "test": 60}
# Universal Dependencies v2 without X, which none of the words needs.
UPOS = {"ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN"}
UPOS |= {"NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB"}
TYPES = {"PER", "LOC", "ORG"}


def sentences(part: str) -> list[conllu.Sentence]:
    return list(conllu.read(FOLDER / f"en-{part}.conllu"))


def labels(sentence: conllu.Sentence) -> list[str]:
    return [word.misc_values().get("NER", "O") for word in sentence.words]


def everything() -> list[conllu.Sentence]:
    return [sentence for part in SIZES for sentence in sentences(part)]


@pytest.mark.parametrize("part", SIZES)
def test_files_are_read_strictly_with_tags_and_entities(part: str) -> None:
    docs = list(read_docs(FOLDER / f"en-{part}.conllu", strict=True))
    assert len(docs) == SIZES[part]
    assert [doc.text for doc in docs] == [sentence.text for sentence in sentences(part)]
    assert all(token.pos_ for doc in docs for token in doc)
    assert {span.label_ for doc in docs for span in doc.ents} == TYPES


@pytest.mark.parametrize("part", SIZES)
def test_text_is_the_forms_with_their_spacing(part: str) -> None:
    for number, sentence in enumerate(sentences(part), 1):
        assert sentence.sent_id == f"en-{part}-{number:03d}"
        gaps = ["" if "SpaceAfter" in word.misc_values() else " " for word in sentence.words]
        pieces = [word.form + gap for word, gap in zip(sentence.words, gaps, strict=True)]
        assert "".join(pieces) == f"{sentence.text} "


def test_only_form_tag_and_misc_are_filled() -> None:
    for sentence in everything():
        for word in sentence.rows:
            assert word.upos in UPOS
            assert (word.lemma, word.xpos, word.feats, word.head, word.deprel, word.deps) == ("_",) * 6
            assert word.misc_values().keys() <= {"NER", "SpaceAfter"}


def test_entities_are_valid_iob2() -> None:
    allowed = {"O"} | {f"{place}-{kind}" for place in "BI" for kind in TYPES}
    for sentence in everything():
        found = labels(sentence)
        assert set(found) <= allowed
        for before, label in zip(["O", *found], found, strict=False):
            assert not label.startswith("I-") or before[2:] == label[2:]


def test_sentences_are_of_the_size_and_variety_promised() -> None:
    lengths = [len(sentence.words) for sentence in everything()]
    assert sum(lengths) == 4222
    assert (min(lengths), max(lengths)) == (4, 35)
    starts = Counter(label for sentence in everything() for label in labels(sentence) if label[0] == "B")
    assert starts == {"B-LOC": 133, "B-PER": 114, "B-ORG": 65}


def test_training_knows_every_tag_of_dev_and_test() -> None:
    tags = {part: {word.upos for s in sentences(part) for word in s.words} for part in SIZES}
    assert tags["dev"] | tags["test"] <= tags["train"]
    assert tags["train"] == UPOS


def test_no_sentence_stands_twice() -> None:
    texts = Counter(
        "".join(word.form.casefold() for word in s.words if word.form.isalnum()) for s in everything()
    )
    assert [text for text, count in texts.items() if count > 1] == []
