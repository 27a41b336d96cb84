"""The Chinese sentences that ship with the project: counts, strict reading, tags, entities, none twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from nlptk.corpora import conllu, read_docs

FOLDER = Path(__file__).resolve().parents[1] / "nlptk" / "compare" / "sentences"
SIZES = {"train": 200, "dev": 40, "test": 60}
# UPOS of UD Chinese GSDSimp 2.13, and INTJ.
TAGS = {"ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN"}
TAGS |= {"PUNCT", "SCONJ", "SYM", "VERB", "X"}


def path(split: str) -> Path:
    return FOLDER / f"zh-{split}.conllu"


@pytest.mark.parametrize("split", SIZES)
def test_strict_reading(split: str) -> None:
    docs = list(read_docs(path(split), strict=True))
    assert len(docs) == SIZES[split]
    assert all(4 <= len(doc) <= 40 for doc in docs)
    assert {tag for doc in docs for tag in doc.column("pos")} <= TAGS


@pytest.mark.parametrize("split", SIZES)
def test_lines(split: str) -> None:
    text = path(split).read_text(encoding="utf-8")
    sentences = conllu.loads(text)
    assert conllu.dumps(sentences) == text
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    assert all(row[2] == row[4] == row[5] == row[6] == row[7] == row[8] == "_" for row in rows)
    misc = {entry.split("=")[0] for row in rows for entry in row[9].split("|")}
    assert misc <= {"_", "NER", "SpaceAfter"}
    ids = [line for line in text.splitlines() if line.startswith("# sent_id")]
    assert ids == [f"# sent_id = zh-{split}-{number:03d}" for number in range(1, SIZES[split] + 1)]


@pytest.mark.parametrize("split", SIZES)
def test_forms_and_spacing_spell_the_text(split: str) -> None:
    for block in path(split).read_text(encoding="utf-8").strip().split("\n\n"):
        lines = block.split("\n")
        rows = [line.split("\t") for line in lines if not line.startswith("#")]
        spelled = "".join(row[1] + ("" if "SpaceAfter=No" in row[9] else " ") for row in rows)
        assert f"# text = {spelled}" in lines


@pytest.mark.parametrize("split", SIZES)
def test_entity_labels_are_iob2(split: str) -> None:
    # As they stand in the file: the reader would mend an I- that follows no B-.
    before = "O"
    for line in path(split).read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            before = "O"
            continue
        label = next((e[4:] for e in line.split("\t")[9].split("|") if e.startswith("NER=")), "O")
        assert label == "O" or label[:2] in {"B-", "I-"}
        if label.startswith("I-"):
            assert before[2:] == label[2:]
        before = label


def test_words_and_entities() -> None:
    docs = [doc for split in SIZES for doc in read_docs(path(split))]
    assert sum(map(len, docs)) == 4387
    kinds = Counter(span.label_ for doc in docs for span in doc.ents)
    assert kinds == {"PER": 103, "LOC": 121, "ORG": 73}


@pytest.mark.parametrize("split", SIZES)
def test_each_part_has_each_type(split: str) -> None:
    kinds = Counter(span.label_ for doc in read_docs(path(split)) for span in doc.ents)
    assert set(kinds) == {"PER", "LOC", "ORG"}
    assert min(kinds.values()) >= 10


def test_no_sentence_twice() -> None:
    texts = ["".join(doc.words) for split in SIZES for doc in read_docs(path(split))]
    assert len(set(texts)) == len(texts) == 300
