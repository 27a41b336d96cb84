"""CoNLL-U sentences to Docs and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlptk.corpora import conllu, doc_to_conllu, sentences_to_doc
from nlptk.corpora.conllu_doc import escape, sentence_piece, unescape
from nlptk.corpora.pieces import build_doc
from nlptk.doc import Doc
from nlptk.errors import DataError

SPACES = " \t\n\r\x0b\x0c\x1c\x85\xa0\u2028\u3000"
CHARS = st.sampled_from(SPACES + "ab|\\_#=/中文，.s\x00\ud800\udfff") | st.characters(
    codec=None, exclude_categories=()
)
TOKENS = st.text(CHARS, min_size=1, max_size=6)
GAPS = st.sampled_from(["", "", " ", " ", "\n\n", " \n \n"]) | st.text(st.sampled_from(SPACES), max_size=3)


def row(*columns: str) -> str:
    return "\t".join([*columns, *["_"] * (10 - len(columns))])


def sentence(*rows: str, text: str | None = None) -> conllu.Sentence:
    head = "" if text is None else f"# text = {text}\n"
    (parsed,) = conllu.loads(head + "\n".join(rows) + "\n\n", "file")
    return parsed


@st.composite
def docs(draw: st.DrawFn) -> Doc:
    parts = draw(st.lists(st.tuples(TOKENS, GAPS, st.booleans()), max_size=8))
    starts, ends, text = [], [], ""
    for token, gap, _ in parts:
        starts.append(len(text))
        ends.append(len(text) + len(token))
        text += token + gap
    marks = [int(mark or not i) for i, (_, _, mark) in enumerate(parts)]
    return Doc(text, starts, ends, sent_starts=draw(st.sampled_from([marks, None])))


@given(docs())
def test_every_text_and_token_comes_back(doc: Doc) -> None:
    written = conllu.dumps(doc_to_conllu(doc))
    back = sentences_to_doc(conllu.loads(written), strict=True)
    assert back.text == doc.text
    assert back.starts.tolist() == doc.starts.tolist()
    assert back.ends.tolist() == doc.ends.tolist()
    if len(doc) and not doc.text[0].isspace():
        marks = [1] + [0] * (len(doc) - 1) if doc.sent_starts is None else doc.sent_starts.tolist()
        assert back.sent_starts is not None
        assert back.sent_starts.tolist() == marks
    # Programs that cut lines at more than LF must not be led astray.
    assert "\n".join(written.splitlines()) == written.rstrip("\n") + ("\n" if written else "")


@given(docs())
def test_text_comment_is_what_the_forms_spell(doc: Doc) -> None:
    for written in doc_to_conllu(doc):
        tokens = [r for r in written.rows]
        spelled = "".join(r.form + ("" if "SpaceAfter=No" in r.misc.split("|") else " ") for r in tokens)
        assert written.text == spelled.rstrip(" ")


@given(st.text(CHARS))
def test_escapes_are_undone(text: str) -> None:
    assert unescape(escape(text)) == text
    assert not set(escape(text)) & set(SPACES + "|")


def test_columns_go_both_ways() -> None:
    doc = Doc.from_words(
        ["Ada", "Lovelace", "wrote", "."], [True, True, False, False], sent_starts=[1, 0, 0, 0]
    )
    doc.set_column("pos", ["PROPN", "PROPN", "VERB", "PUNCT"])
    doc.set_column("tag", ["NNP", "NNP", "VBD", ""])
    doc.set_column("lemma", ["Ada", "Lovelace", "write", "a\tb"])
    doc.set_column("ent", ["B-PER", "I-PER", "O", "O"])
    (written,) = doc_to_conllu(doc, "story")
    assert str(written) == (
        "# newdoc id = story\n# sent_id = story-1\n# text = Ada Lovelace wrote.\n"
        "1\tAda\tAda\tPROPN\tNNP\t_\t_\t_\t_\tNER=B-PER\n"
        "2\tLovelace\tLovelace\tPROPN\tNNP\t_\t_\t_\t_\tNER=I-PER\n"
        "3\twrote\twrite\tVERB\tVBD\t_\t_\t_\t_\tNER=O|SpaceAfter=No\n"
        "4\t.\ta b\tPUNCT\t_\t_\t_\t_\t_\tNER=O|SpaceAfter=No\n\n"
    )
    back = sentences_to_doc([written])
    assert back.text == doc.text
    for column in ("pos", "tag", "ent"):
        assert back.column(column) == doc.column(column)


def test_whitespace_is_kept_in_misc() -> None:
    doc = Doc("\n Hi  you.\n\nBye\u3000now. ", [0, 2, 6, 9, 12, 16, 19], [2, 4, 9, 10, 15, 19, 20])
    doc.sent_starts = [1, 0, 0, 0, 1, 0, 0]
    first, second = doc_to_conllu(doc)
    assert [r.misc for r in first.rows] == [
        "SpacesBefore=\\n\\s|SpacesAfter=\\s\\s",
        "SpaceAfter=No",
        "SpacesAfter=\\n\\n",
    ]
    assert [r.misc for r in second.rows] == ["SpacesAfter=\\u3000", "SpaceAfter=No", "SpacesAfter=\\s"]
    assert first.text == "Hi you."
    assert second.comments[0] == "# newpar"


def test_multiword_tokens_become_parts_of_their_surface() -> None:
    rows = [
        row("1", "I"),
        row("2-3", "don't"),
        row("2", "do"),
        row("3", "n't"),
        row("3.1", "really"),
        row("4", "mind"),
    ]
    doc = build_doc([sentence_piece(sentence(*rows, text="I don't  mind"), strict=True)])
    assert doc.text == "I don't  mind"
    assert doc.words == ["I", "do", "n't", "mind"]
    assert doc.user_data["multiword"] == [[2, 7]]
    assert not doc.has_column("form")
    assert [r.id for r in doc_to_conllu(doc)[0].rows] == ["1", "2-3", "2", "3", "4"]


def test_words_that_do_not_spell_their_surface_share_it() -> None:
    doc = build_doc(
        [sentence_piece(sentence(row("1-2", "auch"), row("1", "à"), row("2", "le"), row("3", "x")))]
    )
    assert doc.words == ["au", "ch", "x"]
    assert doc.column("form") == ["à", "le", ""]
    written = doc_to_conllu(doc)[0]
    assert [(r.id, r.form) for r in written.rows] == [("1-2", "auch"), ("1", "à"), ("2", "le"), ("3", "x")]
    assert sentences_to_doc([written]).words == doc.words
    # A surface too short for its words is one token.
    short = sentence(row("1-2", "y"), row("1", "a", "_", "ADP"), row("2", "b", "_", "DET"))
    piece = sentence_piece(short)
    assert (piece.starts, piece.ends, piece.columns["pos"]) == ([0], [1], ["ADP"])


def test_a_stale_multiword_range_is_not_written() -> None:
    doc = Doc.from_words(["a", "bc", "d"], [False, True, False])
    doc.user_data["multiword"] = [[0, 2], [1, 5], [3, 3]]
    assert [r.id for r in doc_to_conllu(doc)[0].rows] == ["1", "2", "3"]


def test_text_comment_gives_the_spacing_where_space_after_is_not_marked() -> None:
    piece = sentence_piece(
        sentence(row("1", "北京"), row("2", "很"), row("3", "大"), text="北京 很大"), strict=True
    )
    assert (piece.text, piece.starts, piece.ends) == ("北京 很大", [0, 3, 4], [2, 4, 5])


def test_text_comment_that_does_not_fit_is_named_or_not_used() -> None:
    wrong = sentence(row("1", "ab"), row("2", "cd"), text="ab xx cd")
    assert sentence_piece(wrong).text == "ab cd"
    with pytest.raises(DataError, match=r"file, line 3: form 'cd' of word 2 is not found in its place"):
        sentence_piece(wrong, strict=True)
    with pytest.raises(DataError, match=r"file, line 3: '# text' goes on after the last word"):
        sentence_piece(sentence(row("1", "ab"), row("2", "cd"), text="ab cd e"), strict=True)
    marked = row("1", "ab")[:-1] + "SpaceAfter=No"
    with pytest.raises(DataError, match=r"file, line 2: SpaceAfter of word 1 \('ab'\) disagrees"):
        sentence_piece(sentence(marked, row("2", "cd"), text="ab cd"), strict=True)
    escaped = row("1", "ab")[:-1] + "SpacesAfter=\\t"
    assert sentence_piece(sentence(escaped, row("2", "cd"), text="ab cd"), strict=True).text == "ab\tcd"
    with pytest.raises(DataError, match="is not spelled by the words"):
        sentence_piece(sentence(escaped, row("2", "cd"), text="ab ce"), strict=True)


def test_without_text_and_marks_words_are_joined_by_script() -> None:
    chinese = sentence(row("1", "我们"), row("2", "用"), row("3", "NLP"), row("4", "tools"))
    assert sentence_piece(chinese).text == "我们用NLP tools"
    assert sentence_piece(chinese, spaces=True).text == "我们 用 NLP tools"
    assert sentence_piece(chinese, spaces=False).text == "我们用NLPtools"


def test_entity_labels_of_any_scheme_are_read_from_misc() -> None:
    rows = [row(str(i), "w")[:-1] + f"NER={label}" for i, label in enumerate(["S-LOC", "B-X", "E-X", "O"], 1)]
    assert sentence_piece(sentence(*rows)).columns["ent"] == ["B-LOC", "B-X", "I-X", "O"]
    assert "ent" not in sentence_piece(sentence(row("1", "w")[:-1] + "NER=person")).columns


def test_an_empty_doc_is_no_sentence() -> None:
    assert doc_to_conllu(Doc("")) == []
    assert doc_to_conllu(Doc("not tokenized")) == []
    assert sentences_to_doc([]).text == ""
