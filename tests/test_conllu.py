"""CoNLL-U: nothing lost, every malformed line named."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlptk.corpora import conllu
from nlptk.errors import DataError

EXAMPLE = """\
# newdoc id = d1
# sent_id = d1-1
# text = I don't mind  it.
# odd=comment = with = signs
1	I	I	PRON	PRP	Case=Nom	4	nsubj	4:nsubj	_
2-3	don't	_	_	_	_	_	_	_	_
2	do	do	AUX	VBP	_	4	aux	4:aux	_
3	n't	not	PART	RB	_	4	advmod	4:advmod	_
4	mind	mind	VERB	VB	_	0	root	0:root	_
4.1	really	really	ADV	RB	_	_	_	4:advmod	_
5	it	it	PRON	PRP	_	4	obj	4:obj	SpaceAfter=No
6	.	.	PUNCT	.	_	4	punct	4:punct	_

# newpar
# text = One word
1	One word	one word	X	_	_	0	root	_	A=b|Flag|SpaceAfter=No

"""


def row(*columns: str) -> str:
    return "\t".join([*columns, *["_"] * (10 - len(columns))])


def test_example_is_read() -> None:
    first, second = conllu.loads(EXAMPLE)
    assert [word.form for word in first.words] == ["I", "do", "n't", "mind", "it", "."]
    assert [r.id for r in first.rows if r.is_multiword] == ["2-3"]
    assert [r.id for r in first.rows if r.is_empty] == ["4.1"]
    assert (first.sent_id, first.text) == ("d1-1", "I don't mind  it.")
    assert first.comment("newdoc") == "d1"
    assert first.comment("odd") == "comment = with = signs"
    assert first.comment("newpar") is None
    assert second.comment("newpar") == ""
    assert second.line == 14
    assert second.rows[0].misc_values() == {"A": "b", "Flag": "", "SpaceAfter": "No"}


@pytest.mark.parametrize(
    "text",
    [
        EXAMPLE,
        EXAMPLE.rstrip("\n"),
        EXAMPLE[:-1],
        EXAMPLE.replace("\n\n", "\n\n\n\n"),
        EXAMPLE.replace("\n", "\r\n"),
        row("1", "\x85\u2028\x0c\ufeff\x00") + "\n\n",
        row("1", "a", "\ud83d") + "\n\n",
        "",
    ],
)
def test_text_comes_out_as_it_went_in(text: str) -> None:
    assert conllu.dumps(conllu.loads(text)) == text


FIELD = st.text(st.characters(codec=None, exclude_characters="\t\n\r"), min_size=1, max_size=5)


@given(
    st.lists(st.lists(st.tuples(FIELD, FIELD, FIELD), min_size=1, max_size=4), max_size=3), st.lists(FIELD)
)
def test_any_fields_survive(sentences: list[list[tuple[str, str, str]]], comments: list[str]) -> None:
    head = "".join(f"#{comment}\n" for comment in comments)
    text = ""
    for rows in sentences:
        text += head
        for i, (form, tag, misc) in enumerate(rows, 1):
            text += "\t".join([str(i), form, "_", tag, "_", "_", "0", "_", "_", misc]) + "\n"
        text += "\n"
    parsed = conllu.loads(text)
    assert conllu.dumps(parsed) == text
    assert [[(w.form, w.upos, w.misc) for w in sentence.words] for sentence in parsed] == sentences


@pytest.mark.parametrize(
    ("lines", "number", "message"),
    [
        (["1 a _ _ _ _ _ _ _ _"], 1, "expected 10 tab-separated columns, found 1"),
        ([row("1", "a"), row("2", "b")[:-2]], 2, "expected 10 tab-separated columns, found 9"),
        ([row("1", "a", "", "X")], 1, "column LEMMA is empty"),
        ([row("1", "a"), row("3", "b")], 2, "ID '3' is out of order, expected 2"),
        ([row("1", "a"), row("x", "b")], 2, "ID 'x' is out of order"),
        ([row("²", "a")], 1, "out of order"),
        ([row("1", "a"), row("2-2", "bc"), row("2", "b")], 2, "multiword range 2-2 does not fit"),
        (
            [row("1-3", "ab"), row("1", "a"), row("2", "b")],
            1,
            "range 1-3 does not fit: the next word is 1 of 2",
        ),
        ([row("1-2", "ab"), row("1", "a"), row("2-3", "bc"), row("2", "b"), row("3", "c")], 3, "range 2-3"),
        ([row("1", "a"), row("1.2", "e")], 2, "empty node 1.2 is out of order, expected 1.1"),
        ([row("1", "a", "_", "_", "_", "_", "2")], 1, "HEAD '2' is neither '_' nor a number from 0 to 1"),
        ([row("1", "a", "_", "_", "_", "_", "9" * 5000)], 1, "HEAD"),
        ([row("1", "a"), "# late"], 2, "a comment after the first word"),
        ([row("1", "a"), "", "# only", "", row("1", "b")], 4, "comments without words"),
        ([row("1", "a"), "", "# only"], 3, "comments without words"),
        ([row("1", "a"), "  ", row("1", "b")], 2, "a line of only whitespace"),
        (["", row("1", "a")], 1, "a blank line before the first sentence"),
        ([row("0.1", "a")], 1, "a sentence without words"),
    ],
)
def test_malformed_lines_are_named(tmp_path: Path, lines: list[str], number: int, message: str) -> None:
    path = tmp_path / "bad.conllu"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        list(conllu.read(path))
    assert f"bad.conllu, line {number}: " in str(caught.value)
    assert message in str(caught.value)


def test_the_good_sentences_before_a_bad_line_are_read_first() -> None:
    sentences = conllu.parse(f"{row('1', 'a')}\n\nbad line\n".splitlines(keepends=True), "f")
    assert next(sentences).words[0].form == "a"
    with pytest.raises(DataError, match="f, line 3"):
        next(sentences)


def test_write_and_read_files(tmp_path: Path) -> None:
    path = tmp_path / "copy.conllu.gz"
    conllu.write(conllu.loads(EXAMPLE), path)
    assert conllu.dumps(conllu.read(path)) == EXAMPLE
    assert path.read_bytes()[:2] == b"\x1f\x8b"
