"""The real corpora: read whole, byte for byte, and counted. Skipped where they are not at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlptk.corpora import conllu, doc_to_conllu, open_text, read_docs, sentences_to_doc

EWT = "ud-english-ewt/en_ewt-ud-{}.conllu.gz"
TREEBANKS = [
    *(EWT.format(part) for part in ("train", "dev", "test")),
    *(f"ud-chinese-gsdsimp/zh_gsdsimp-v13pos-{part}.conllu.gz" for part in ("train", "dev", "test")),
    *(f"ud-chinese-gsdsimp/zh_gsdsimp-ud-{part}.conllu.gz" for part in ("dev", "test")),
]


@pytest.mark.parametrize("name", TREEBANKS)
def test_treebanks_round_trip(data_dir: Path, name: str) -> None:
    with open_text(data_dir / name) as reader:
        text = reader.read()
    assert conllu.dumps(conllu.read(data_dir / name)) == text


@pytest.mark.parametrize("name", [EWT.format("dev"), *TREEBANKS[4:]])
def test_treebank_docs_hold_text_words_and_sentences(data_dir: Path, name: str) -> None:
    sentences = list(conllu.read(data_dir / name))
    docs = list(read_docs(data_dir / name, strict=True))
    assert [doc.text for doc in docs] == [sentence.text for sentence in sentences]
    assert [doc.words for doc in docs] == [[word.form for word in sentence.words] for sentence in sentences]
    assert [doc.column("tag") for doc in docs] == [[word.xpos for word in s.words] for s in sentences]
    for doc in read_docs(data_dir / name, unit="document"):
        back = sentences_to_doc(doc_to_conllu(doc), strict=True)
        assert (back.text, back.starts.tolist(), back.ends.tolist()) == (
            doc.text,
            doc.starts.tolist(),
            doc.ends.tolist(),
        )
        assert [sent.start for sent in back.sents] == [sent.start for sent in doc.sents]
        assert back.user_data.get("multiword") == doc.user_data.get("multiword")


@pytest.mark.parametrize(
    ("name", "format", "column", "docs", "tokens", "entities"),
    [
        ("uner-english-ewt/en_ewt-ud-dev.iob2.gz", None, "ner", 2001, 25149, 966),
        ("uner-english-ewt/en_ewt-ud-test.iob2.gz", None, "ner", 2077, 25097, 1088),
        ("ud-chinese-gsdsimp/zh_gsdsimp-ud-dev.iob2.gz", None, "ner", 500, 12663, 753),
        ("wnut17/wnut17train.conll.gz", None, "ner", 3394, 62730, 1975),
        ("wnut17/emerging.test.annotated.gz", None, "ner", 1287, 23394, 1079),
        ("conll2000/test.txt.gz", None, "2", 2012, 47377, 0),
        ("msra-ner/msra.test.bio.gz", None, "ner", 4365, 172601, 6181),
        ("people-daily-199801/pd199801-test.txt.gz", None, "xpos", 1944, 103417, 0),
    ],
)
def test_corpora_are_counted(
    data_dir: Path, name: str, format: str | None, column: str, docs: int, tokens: int, entities: int
) -> None:
    strict = name.endswith(".iob2.gz")
    read = list(read_docs(data_dir / name, format, column, strict=strict))
    assert (len(read), sum(map(len, read)), sum(len(doc.ents) for doc in read)) == (docs, tokens, entities)
