"""The rule-based English tokenizer: its conventions by example, and its invariants for any text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nlptk
from nlptk import _core
from nlptk.corpora import read_docs
from nlptk.doc import Doc
from nlptk.errors import ConfigError
from nlptk.scoring import segmentation_scores
from nlptk.tokenize.rules import RuleTokenizer

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=200)
# What the rules look for, thrown together.
PIECES = st.lists(
    st.sampled_from(
        [
            *["a", "I", "U", ".", "..", "'", "’", "n't", "'s", "-", "--", "/", ":", "://", "http://", "www."],
            *["@", "x@y.com", "#", "$", "US$", "1", "12", "1,234", "1/2", "pm", "p.m.", "Mr.", "etc.", "No."],
            *[
                "(",
                ")",
                '"',
                "<",
                "<3",
                ":)",
                "^_^",
                "_",
                "*",
                "=",
                "&",
                "C++",
                "!",
                "…",
                " ",
                "\n\n",
                "\u3000",
            ],
            *["中", "の", "é", "\u0301", "\u200d", "👩", "🏽", "🇬", "non", "dont", ".doc", ".com", "comp."],
            *["'em", "\0", "\ud800", "\ue000"],
        ]
    ),
    max_size=30,
).map("".join)


@pytest.fixture(scope="module")
def tokenizer() -> RuleTokenizer:
    return RuleTokenizer()


@pytest.mark.parametrize(
    "tokens",
    [
        # clitics and contractions
        "I ca n't , wo n't and do n't",
        "it 's she 'll they 've we 're he 'd I 'm",
        "She is n’t , it ’s",
        "gon na wan na got ta can not",
        # what an apostrophe joins
        "O'Neill at five o'clock in the 1990's and '72 with 'em",
        # hyphens
        "a well - known e-mail of a non-profit co-founder from mid-May",
        "pages 10 - 12 of 2010 - 2012",
        # abbreviations and initials
        "Mr. Smith and Dr. J. R. Jones Jr. met in the U.S. , i.e. late , etc. , at 5 p.m. sharp",
        "No. 5 or no .",
        "Ph.D. students",
        # numbers, units, money, dates
        "$ 1,234.50 and 3.5 GHz or 5 pm , 20 % of US$ 7 at 10:30 am",
        "on 9/11/2001 and 9/11 , 1 / 2 cup",
        "call 555-1234 or 1-800-555-0199 or +44 20",
        "the 1st , 2nd and 21st of the 1980s",
        # addresses, handles, files
        "see https://example.com/a_(b)?q=1 .",
        "( www.example.org/x )",
        "mail bob.smith@mail.example.org ! or example.com",
        "@alice likes #python",
        "open my-file_v2.tar.gz and report.pdf",
        # rows of signs, emoticons, quotes
        "wow !!! really ?! yes ... no -- or — maybe …",
        'he said " why ? " ( and left ) [ sic ]',
        ":) :-( ;D <3 ^_^ -> => <-",
        "AT&T and R&D in C++ and C# w/o he / she",
        "---------- ******",
        # emoji stay whole
        "👨‍👩‍👧‍👦 🇬🇧 👍🏽 1️⃣ ❤️",
        # other scripts
        "我爱北京 ， ひらがな カタカナ ABC 中文 한국어 naïve Zürich",
    ],
)
def test_conventions(tokenizer: RuleTokenizer, tokens: str) -> None:
    """The text is the tokens without the spaces that the conventions put in."""
    expected = tokens.split(" ")
    assert tokenizer.tokenize(tokens) == expected


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("don't", ["do", "n't"]),
        ("Cannot", ["Can", "not"]),
        ("dont", ["do", "nt"]),
        ("the boys' dog", ["the", "boys", "'", "dog"]),
        ("y'all", ["y'", "all"]),
        ("well-known", ["well", "-", "known"]),
        ("(U.S.-led)", ["(", "U.S.", "-", "led", ")"]),
        ("the U.S. The", ["the", "U.S", ".", "The"]),
        ("cats, dogs, etc. They", ["cats", ",", "dogs", ",", "etc", ".", "They"]),
        ("5pm", ["5", "pm"]),
        ("2p.m.", ["2", "p.m", "."]),
        ("$5m", ["$", "5", "m"]),
        ("end.The", ["end", ".", "The"]),
        ("yes...no", ["yes", "...", "no"]),
        ("great:)", ["great", ":)"]),
        ("<a@b.org>", ["<", "a@b.org", ">"]),
        ("http://a.com.", ["http://a.com", "."]),
        ("one,two", ["one", ",", "two"]),
        ("AC/DC", ["AC", "/", "DC"]),
        ("ABC中文", ["ABC", "中文"]),
        ("漢字かなカナ", ["漢字", "かな", "カナ"]),
        ("👍👍🏽", ["👍", "👍🏽"]),
        ("🇬🇧🇫🇷", ["🇬🇧", "🇫🇷"]),
        ("★★★", ["★★★"]),
        ("  hi ", ["  ", "hi"]),
        (" \n", [" \n"]),
        ("", []),
        ("\0\ud800x", ["\0\ud800", "x"]),
    ],
)
def test_written_together(tokenizer: RuleTokenizer, text: str, tokens: list[str]) -> None:
    assert tokenizer.tokenize(text) == tokens


@pytest.mark.parametrize(
    "sentences",
    [
        ["Hello there.", "How are you?", "Fine!"],
        ['"Why?" she asked.', "I left (quickly!).", "He did not."],
        ['He said: "Go."', "She went."],
        ["Dr. Who met J. R. Smith at 5 p.m. in St. Louis.", "They talked."],
        ["We met at 5 p.m.", "He was late."],
        ["Wait... what?", "It trailed off...", "Then it stopped."],
        ["Great!! :)", "See you."],
        ["1. Wash the rice.", "2. Boil it."],
        ["no capitals here.", "none there either."],
        ["这是第一句。", "这是第二句。"],
    ],
)
def test_sentences(sentences: list[str]) -> None:
    assert RuleTokenizer().split_sentences(" ".join(sentences)) == sentences


def test_a_blank_line_ends_a_sentence_and_a_line_does_not() -> None:
    assert RuleTokenizer().split_sentences("A title\n\nits first\nline") == ["A title", "its first\nline"]
    assert RuleTokenizer().split_sentences("A title\r\n\r\nText") == ["A title", "Text"]


def test_no_sentence_without_text() -> None:
    assert RuleTokenizer().split_sentences("") == []


@given(st.one_of(ANY_TEXT, PIECES))
def test_invariants(text: str) -> None:
    """Tokens and the whitespace between them spell the text; nothing but whitespace is left out."""
    doc = Doc(text)
    RuleTokenizer(sentences=True)(doc)
    checked = Doc(text)
    checked.set_tokens(doc.starts, doc.ends, doc.sent_starts)  # raises if one of Doc's rules is broken
    assert "".join(token.text_with_ws for token in doc) == text
    assert len(doc) == 0 or doc.sent_starts[0] == 1
    assert not any(part.isspace() for token in list(doc)[1:] for part in token.text)


@given(PIECES)
def test_tokenize_spans_and_annotate_agree(text: str) -> None:
    tokenizer = RuleTokenizer()
    doc = tokenizer(Doc(text))
    assert tokenizer.tokenize(text) == [text[a:b] for a, b in tokenizer.spans(text)] == [t.text for t in doc]


@given(st.lists(PIECES, max_size=20), st.integers(1, 3))
def test_a_batch_gives_what_each_text_gives(texts: list[str], threads: int) -> None:
    docs = [Doc(text) for text in texts]
    RuleTokenizer(sentences=True, threads=threads).annotate(docs)
    alone = RuleTokenizer(sentences=True)
    for doc, text in zip(docs, texts, strict=True):
        other = alone(Doc(text))
        assert doc.starts.tolist() == other.starts.tolist()
        assert doc.sent_starts.tolist() == other.sent_starts.tolist()


@given(st.text("abc .'’-:/@é中\U0001f600", max_size=40))
def test_the_width_of_the_text_in_memory_does_not_matter(text: str) -> None:
    """A far-off character makes Python keep the whole text in two or four bytes for each."""
    text = "x" + text
    tokens = RuleTokenizer().spans(text)
    assert RuleTokenizer().spans(text + "\n\n\U00010000")[: len(tokens)] == tokens


@pytest.mark.parametrize("char", ["a", ".", "'", "@", "中", "\0", "\ud800", "😀"])
def test_a_million_characters_without_a_space(char: str) -> None:
    text = char * 1_000_000
    assert "".join(RuleTokenizer().tokenize(text)) == text


def test_sentences_are_set_only_if_asked_for() -> None:
    assert RuleTokenizer()(Doc("One. Two.")).sent_starts is None
    component = RuleTokenizer(sentences=True)
    assert component.assigns == ("doc.tokens", "doc.sents")
    assert [s.text for s in component(Doc("One. Two.")).sents] == ["One.", "Two."]


def test_in_a_pipeline_and_back_from_its_state() -> None:
    nlp = nlptk.blank("en")
    assert nlp.pipe_names == ["tokenizer"]
    assert [token.text for token in nlp("It isn't.")] == ["It", "is", "n't", "."]
    config, arrays = RuleTokenizer(sentences=True, threads=2).to_state()
    made = RuleTokenizer.from_state(config, arrays)
    assert (made.sentences, made.threads) == (True, 2)


def test_not_a_text() -> None:
    for call in (RuleTokenizer().tokenize, RuleTokenizer().spans, RuleTokenizer().split_sentences):
        with pytest.raises(TypeError, match="a text must be str, not bytes"):
            call(b"no")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not one str"):
        _core.rule_tokenize("one text")


@pytest.mark.parametrize("threads", [-1, 1.5, "2", True])
def test_wrong_threads(threads: object) -> None:
    with pytest.raises(ConfigError, match="threads must be 0 or a positive whole number"):
        RuleTokenizer(threads=threads)  # type: ignore[arg-type]


def test_on_the_treebank_it_follows(data_dir: Path) -> None:
    """CoNLL-2018 F1 on EWT's development set, from raw text; docs/tokenizers.md has the numbers."""
    gold = list(read_docs(data_dir / "ud-english-ewt/en_ewt-ud-dev.conllu.gz", unit="document"))
    pred = [Doc(doc.text) for doc in gold]
    RuleTokenizer(sentences=True).annotate(pred)
    score = segmentation_scores(gold, pred)
    assert score.words.f1 > 0.99
    assert score.sentences.f1 > 0.84
