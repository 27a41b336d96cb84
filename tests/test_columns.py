"""Column files: CoNLL-2000/2003, WNUT, MSRA and Universal NER layouts."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlptk.corpora import read_docs, write_docs
from nlptk.corpora.columns import parse, sentence_piece
from nlptk.doc import Doc
from nlptk.errors import ConfigError, DataError

CHUNKS = "The DT B-NP\ncat NN I-NP\nsleeps VBZ B-VP\n. . O\n\nIt PRP B-NP\npurrs VBZ B-VP\n\n"
UNER = """\
# newdoc id = a
# sent_id = a-1
# text = Mr. Lee isn't in Paris.
1	Mr.	O	-	-
2	Lee	B-PER	-	-
3	is	O	-	-
4	n't	O	-	-
5	in	O	-	-
6	Paris	B-LOC	-	-
7	.	O	-	-

# sent_id = a-2
# text = # 1	fan
1	#	O	-	-
2	1	O	-	-
3	fan	O	-	-
"""


def write(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


def test_conll_columns_are_numbered(tmp_path: Path) -> None:
    first, second = read_docs(write(tmp_path, "chunks.conll", CHUNKS), column="2")
    assert first.text == "The cat sleeps ."
    assert first.columns == ("1", "2")
    assert first.column("1") == ["DT", "NN", "VBZ", "."]
    assert second.column("2") == ["B-NP", "B-VP"]


def test_a_name_names_the_last_column(tmp_path: Path) -> None:
    path = write(tmp_path, "chunks.conll", CHUNKS)
    assert [doc.columns for doc in read_docs(path, column="chunk")] == [("1", "chunk")] * 2
    assert next(read_docs(path, column="ner")).ents[1].text == "sleeps"


def test_universal_ner_takes_its_text_and_drops_further_columns(tmp_path: Path) -> None:
    first, second = read_docs(write(tmp_path, "x.iob2", UNER), strict=True)
    assert first.text == "Mr. Lee isn't in Paris."
    assert first.columns == ("ent",)
    assert [(ent.text, ent.label_) for ent in first.ents] == [("Lee", "PER"), ("Paris", "LOC")]
    assert second.text == "# 1\tfan"
    assert first.user_data["id"] == "a-1"
    (whole,) = read_docs(tmp_path / "x.iob2", unit="document")
    assert whole.text == "Mr. Lee isn't in Paris. # 1\tfan"
    assert whole.user_data["id"] == "a"


def test_tab_separated_files_may_hold_hash_words_comments_and_tab_only_lines() -> None:
    text = "# id = 1\n#tag\tO\nnew york\tB-LOC\n\t\n# note\n#\tO\n\n\n\n"
    first, second = parse(text.splitlines(keepends=True))
    assert first.rows == [["#tag", "O"], ["new york", "B-LOC"]]
    assert first.comments == ["# id = 1"]
    assert (second.rows, second.comments, second.line) == ([["#", "O"]], ["# note"], 6)


def test_space_separated_hash_is_a_word_and_runs_of_blanks_one_separator() -> None:
    (sentence,) = parse(["# SYM O\r\n", "a   DT \tO  \r\n", "caf\xa0é NN O\r\n"])
    assert sentence.rows == [["#", "SYM", "O"], ["a", "DT", "O"], ["caf\xa0é", "NN", "O"]]


def test_docstart_opens_a_document(tmp_path: Path) -> None:
    text = "-DOCSTART- O\n\na I-X\n\nb O\n\n-DOCSTART- O\n\nc B-X\nc I-X\nc B-X\n"
    docs = list(read_docs(write(tmp_path, "d.iob", text), unit="document"))
    assert [doc.text for doc in docs] == ["a b", "c c c"]
    assert docs[0].column("ent") == ["B-X", "O"]
    assert docs[1].column("ent") == ["B-X", "I-X", "B-X"]


def test_files_of_characters_are_joined_without_spaces(tmp_path: Path) -> None:
    path = write(tmp_path, "c.bio", "我\tO\n在\tO\n北\tB-LOC\n京\tI-LOC\nI\tO\nB\tO\nM\tO\n")
    (doc,) = read_docs(path)
    assert doc.text == "我在北京IBM"
    assert doc.ents[0].text == "北京"
    assert next(read_docs(path, spaces=True)).text == "我 在 北 京 I B M"


@pytest.mark.parametrize(
    ("text", "number", "message"),
    [
        ("a\tO\nb O\n", 2, "expected 2 tab-separated columns as in line 1, found 1"),
        ("a DT O\n\nb DT\n", 3, "expected 3 space-separated columns as in line 1, found 2"),
        ("a\tO\n\tO\n", 2, "column 1 is empty"),
        ("a\tO\nb\t\n", 2, "column 2 is empty"),
        ("a\tO\nb\tPER\n", 2, "'PER' is not an entity label"),
        ("# c = 1\n1\ta\tO\n3\tb\tO\n", 3, "token number '3' is out of order, expected 2"),
        ("1\ta\tO\n# inside\n2\tb\tO\n", 2, "a comment inside a sentence"),
    ],
)
def test_malformed_lines_are_named(tmp_path: Path, text: str, number: int, message: str) -> None:
    path = write(tmp_path, "bad.iob2", text)
    with pytest.raises(DataError) as caught:
        list(read_docs(path))
    assert f"bad.iob2, line {number}: {message}" in str(caught.value)


def test_text_that_does_not_fit_is_named_or_not_used() -> None:
    (sentence,) = parse(["# text = a c\n", "1\ta\tO\n", "2\tb\tO\n"], "f", layout="index")
    assert sentence_piece(sentence).text == "a b"
    with pytest.raises(DataError, match="f, line 3: word 'b' does not fit"):
        sentence_piece(sentence, strict=True)


def test_layout_can_be_told() -> None:
    (sentence,) = parse(["1\tCD\tO\n", "2\tCD\tO\n"], layout="plain")
    assert sentence.words == ["1", "2"]
    with pytest.raises(ConfigError, match="unknown layout"):
        parse([], layout="tall")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="expected number, form and label, found 2 columns"):
        list(parse(["1\tO\n"], layout="index"))


def test_docs_are_written_in_both_layouts(tmp_path: Path) -> None:
    doc = Doc.from_words(["In", "New York", "!"], [True, False, False], sent_starts=[1, 0, 1])
    doc.set_column("tag", ["IN", "NNP", ""])
    doc.set_column("ent", ["O", "B-LOC", "O"])
    assert write_docs([doc], tmp_path / "o.iob2") == 1
    back = list(read_docs(tmp_path / "o.iob2", strict=True))
    assert [d.text for d in back] == ["In New York", "!"]
    assert back[0].ents[0].text == "New York"
    write_docs([doc], tmp_path / "o.conll")
    assert (tmp_path / "o.conll").read_text() == "In\tIN\tO\nNew York\tNNP\tB-LOC\n\n!\t_\tO\n\n"


def test_what_columns_cannot_hold_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"document 1: a column file cannot hold token 0, 'a\\tb'"):
        write_docs([Doc("a\tb", [0], [3])], tmp_path / "o.conll")
    with pytest.raises(DataError, match="document 1 has no column 'ent'"):
        write_docs([Doc("ab", [0], [2])], tmp_path / "o.iob2")
    assert list(tmp_path.iterdir()) == []
