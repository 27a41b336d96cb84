"""read_docs and write_docs over all formats; word/tag text, plain text, splits."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlptk.corpora import (
    FORMATS,
    detect_format,
    guess_format,
    read_docs,
    read_texts,
    train_dev_test_split,
    write_docs,
)
from nlptk.corpora.pieces import join_words
from nlptk.doc import Doc
from nlptk.errors import ConfigError, DataError

CONLLU = """\
# newdoc id = d1
# newpar
# sent_id = 1
# text = Hello there.
1	Hello	hello	INTJ	UH	_	0	root	_	_
2	there	there	ADV	RB	_	1	advmod	_	SpaceAfter=No
3	.	.	PUNCT	.	_	1	punct	_	_

# sent_id = 2
# text = Bye!
1	Bye	bye	INTJ	UH	_	0	root	_	SpaceAfter=No
2	!	!	PUNCT	.	_	1	punct	_	_

# newpar
# sent_id = 3
1	Again	again	ADV	_	_	0	root	_	_

# newdoc id = d2
# sent_id = 4
1	End	end	NOUN	NN	_	0	root	_	_

"""


def write(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    data = text.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


@pytest.mark.parametrize("name", ["c.conllu", "c.conllu.gz"])
@pytest.mark.parametrize(
    ("unit", "texts", "ids"),
    [
        ("sentence", ["Hello there.", "Bye!", "Again", "End"], ["1", "2", "3", "4"]),
        ("paragraph", ["Hello there. Bye!", "Again", "End"], ["1", "3", "4"]),
        ("document", ["Hello there. Bye!\n\nAgain", "End"], ["d1", "d2"]),
    ],
)
def test_units_of_a_treebank(tmp_path: Path, name: str, unit: Any, texts: list[str], ids: list[str]) -> None:
    docs = list(read_docs(write(tmp_path, name, CONLLU), unit=unit, strict=True))
    tags = ["INTJ", "ADV", "PUNCT", "INTJ", "PUNCT", "ADV", "NOUN"]
    assert [doc.text for doc in docs] == texts
    assert [doc.user_data["id"] for doc in docs] == ids
    assert [sent.text for doc in docs for sent in doc.sents] == ["Hello there.", "Bye!", "Again", "End"]
    assert [tag for doc in docs for tag in doc.column("pos")] == tags


def test_a_wanted_column_is_in_every_doc_and_in_some_sentence(tmp_path: Path) -> None:
    path = write(tmp_path, "c.conllu", CONLLU)
    assert not list(read_docs(path))[2].has_column("tag")
    assert [doc.column("tag")[0] for doc in read_docs(path, column="xpos")] == ["UH", "UH", "", "NN"]
    with pytest.raises(DataError, match=r"c\.conllu has no column 'ent' \(it has: lemma, pos, tag\)"):
        list(read_docs(path, column="ner"))
    with pytest.raises(ConfigError, match=r"read as plain text, which has no column 'upos'; give its format"):
        read_docs(write(tmp_path, "c.txt", ""), column="upos")


def test_formats_are_told_from_names() -> None:
    names = {"a.conllu.gz": "conllu", "B.IOB2": "iob2", "x.bio": "iob2", "t.txt.gz": "text", "-": "text"}
    assert {name: guess_format(name) for name in names} == names
    assert {guess_format(f"x{ext}") for entry in FORMATS.values() for ext in entry.extensions} == set(FORMATS)
    with pytest.raises(ConfigError, match=r"cannot tell the format of 'a\.xyz\.gz'"):
        guess_format("a.xyz.gz")
    with pytest.raises(ConfigError, match="unknown corpus format 'tsv'"):
        read_docs("a.conllu", format="tsv")


@pytest.mark.parametrize(
    ("text", "column", "format"),
    [
        ("好/a 。/w\n任意 text\n", None, "wordtag"),
        ("\n\nThe DT B-NP\ncat NN I-NP\n\nx\n", None, "conll"),
        ("The DT\ncat NN\n", None, "text"),
        ("The DT\ncat NN\n", "1", "conll"),
        ("and/or is plain text\n", "xpos", "text"),
        ("one\ntwo\n", "1", "text"),
        ("The O\n", None, "text"),
        ("", "ner", "text"),
    ],
)
def test_text_files_are_looked_into(tmp_path: Path, text: str, column: str | None, format: str) -> None:
    assert detect_format(write(tmp_path, "a.txt.gz", text), column) == format


def test_unknown_unit_is_refused(tmp_path: Path) -> None:
    for name in ("c.conllu", "c.txt"):
        with pytest.raises(ConfigError, match="unknown unit 'page'"):
            list(read_docs(write(tmp_path, name, CONLLU), unit="page"))  # type: ignore[arg-type]


def test_word_tag_text(tmp_path: Path) -> None:
    path = write(
        tmp_path, "p.wordtag", "我们/r 用/v GNU/nx Linux/nx １／２/m 1/2/m 。/w\r\n\n\u3000 好/a  ！/w \n"
    )
    first, second = read_docs(path, column="xpos")
    assert first.text == "我们用GNU Linux１／２1/2。"
    assert first.column("tag") == ["r", "v", "nx", "nx", "m", "m", "w"]
    assert second.text == "好！"
    assert next(read_docs(path, spaces=True)).text == "我们 用 GNU Linux １／２ 1/2 。"
    (whole,) = read_docs(path, unit="document")
    assert whole.text == first.text + second.text
    write_docs([whole], tmp_path / "q.pos")
    assert (tmp_path / "q.pos").read_text() == "我们/r 用/v GNU/nx Linux/nx １／２/m 1/2/m 。/w\n好/a ！/w\n"


@pytest.mark.parametrize("item", ["word", "/w", "word/"])
def test_a_word_without_tag_is_named(tmp_path: Path, item: str) -> None:
    path = write(tmp_path, "p.pos", f"a/x\n好/a {item} 。/w\n")
    with pytest.raises(DataError, match=rf"p\.pos, line 2: '{item}' is not a word, a slash and a tag"):
        list(read_docs(path))


def test_segmented_text(tmp_path: Path) -> None:
    path = write(tmp_path, "s.seg", "今天 天气 很 好 。\nrock 'n' roll\n")
    docs = list(read_docs(path))
    assert [doc.text for doc in docs] == ["今天天气很好。", "rock 'n' roll"]
    write_docs(docs, tmp_path / "t.seg")
    assert (tmp_path / "t.seg").read_bytes() == path.read_bytes()


def test_joining_words() -> None:
    assert join_words(["中文", "and", "more"]) == ("中文and more", [0, 2, 6], [2, 5, 10])
    assert join_words(["a", ",", "b", "3"], lang="zh")[0] == "a,b 3"
    assert join_words(["a", ",", "b"], spaces=False)[0] == "a,b"
    assert join_words(["한국어", "문장"])[0] == "한국어 문장"


def test_plain_text_units(tmp_path: Path) -> None:
    text = "one\r\n\r\n two \nthree\n \t\nfour"
    path = write(tmp_path, "t.txt", text)
    assert list(read_texts(path)) == ["one", " two ", "three", "four"]
    assert list(read_texts(path, "paragraph")) == ["one", " two \nthree", "four"]
    assert list(read_texts(path, "document")) == [text]
    docs = list(read_docs(path))
    assert [doc.is_tokenized for doc in docs] == [False] * 4
    write_docs(docs, tmp_path / "u.txt")
    assert (tmp_path / "u.txt").read_text() == "one\n two \nthree\nfour\n"


def test_conllu_of_several_docs_comes_back(tmp_path: Path) -> None:
    docs = [
        Doc("Hi\tyou\n", [0, 3], [2, 6]),
        Doc(" a", [0, 1], [1, 2]),
        Doc("好 的", [0, 2], [1, 3], sent_starts=[1, 1]),
    ]
    assert write_docs(docs, tmp_path / "d.conllu.gz") == 3
    back = list(read_docs(tmp_path / "d.conllu.gz", unit="document", strict=True))
    assert [(d.text, d.words) for d in back] == [(d.text, d.words) for d in docs]
    assert [d.user_data["id"] for d in back] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("doc", "name", "message"),
    [
        (Doc("not tokenized"), "o.conllu", "document 1 has no tokens; run a tokenizer before writing conllu"),
        (Doc("a\nb"), "o.txt", "document 1 holds a line end"),
        (Doc("a b", [0], [3]), "o.seg", "document 1: word/tag text cannot hold token 0, 'a b'"),
        (Doc("a", [0], [1]), "o.pos", "document 1 has no column 'tag'"),
        (Doc("a\ud800", [0], [2]), "o.conllu", "line 3: U+D800 is a lone surrogate"),
    ],
)
def test_what_a_format_cannot_hold_is_named(tmp_path: Path, doc: Doc, name: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        write_docs([doc], tmp_path / name)
    assert message in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@given(
    st.lists(st.integers(), max_size=60), st.floats(0, 0.2), st.floats(0, 0.2), st.integers(), st.booleans()
)
def test_split_parts_the_items(items: list[int], dev: float, test: float, seed: int, grouped: bool) -> None:
    numbered = list(enumerate(items))
    groups = [item % 3 for item in items] if grouped else None
    parts = train_dev_test_split(numbered, dev, test, seed=seed, groups=groups)
    assert parts == train_dev_test_split(numbered, dev, test, seed=seed, groups=groups)
    assert sorted([item for part in parts for item in part]) == numbered
    assert all(part == sorted(part) for part in parts)
    if grouped:
        kinds = [{item % 3 for _, item in part} for part in parts]
        assert sum(map(len, kinds)) == len(set().union(*kinds))
    else:
        assert [len(part) for part in parts[1:]] == [round(dev * len(items)), round(test * len(items))]


def test_split_is_the_same_everywhere() -> None:
    train, dev, test = train_dev_test_split("abcdefghij", 2, 0.1, seed=7)
    assert ("".join(train), "".join(dev), "".join(test)) == ("abcefhj", "dg", "i")


@pytest.mark.parametrize(("dev", "test"), [(0.5, 0.5), (-1, 0), (1.0, 0), (float("nan"), 0.1), (3, 1)])
def test_split_sizes_must_leave_training_items(dev: float, test: float) -> None:
    with pytest.raises(ConfigError):
        train_dev_test_split([1, 2, 3, 4], dev, test)
    with pytest.raises(ConfigError, match="2 groups for 4 items"):
        train_dev_test_split([1, 2, 3, 4], groups=[1, 2])
