"""Feature keys against a plain Python oracle: two are equal where template and values are, and only there."""

from __future__ import annotations

import numpy as np
import pytest
from feature_oracle import Paragraph, name_places, paragraphs, token_atom, values
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nlptk import _core
from nlptk.doc import Doc
from nlptk.lexicons import Gazetteer, WordClasses, lexicon_keys
from nlptk.tag.features import TEMPLATES as TAG_TEMPLATES
from nlptk.tag.features import TokenBatch, TokenFeatures
from nlptk.templates import compile_templates
from nlptk.tokenize.segmenter import SEGMENT_ATOMS
from nlptk.tokenize.segmenter import TEMPLATES as SEGMENT_TEMPLATES

CLASSES = {"stone": (1, 1), "river": (2, 1), "a": (1, 2), "éa": (3, 0)}
LEXICON = {"中文", "文字", "中文文字", "ab", "a b", "文字中文文字"}
SPLITS = {"n't", "a", "文"}

#: Characters of every class, drawn often enough to meet again.
CHARS = st.one_of(
    st.sampled_from(
        "aabBdXxHL07٣中文字あア가éÉǅß-'’\"“”「」()[]（）!!..,\u0301\u200d\n\n  \t\u2028\u2029\x0c"
    ),
    st.characters(codec=None),
)
# Examples are the same in every run: of 2^32 keys two may be equal by chance.
FIXED = settings(derandomize=True, max_examples=150)


class Classes:
    """Checks that keys and meanings pair off, over everything it is shown."""

    def __init__(self) -> None:
        self.meaning: dict[int, object] = {}
        self.key: dict[object, int] = {}

    def add(self, key: int, template: str, value: object) -> None:
        if value is None:
            assert key == 0, template
            return
        assert key != 0, (template, value)
        assert self.meaning.setdefault(key, (template, value)) == (template, value)
        assert self.key.setdefault((template, value), key) == key


def word_classes() -> WordClasses:
    rows = sorted((_core.lexicon_key(word), values) for word, values in CLASSES.items())
    return WordClasses(
        ("fine", "coarse"),
        np.array([key for key, _ in rows], np.uint32),
        np.array([row for _, row in rows], np.uint16),
    )


TOKEN_TEMPLATES = (
    "bias", "bias[-1]", "word", "lower", "norm", "prefix:1", "prefix:3", "suffix:1", "suffix:3",
    "shape", "pattern", "kind", "length", "spaced", "col:c", "cluster:fine", "cluster:coarse",
    "word[-2]", "lower[3]", "suffix:2[1]", "col:c[-1]|col:c", "lower[-1]|word", "word|lower[-1]",
    "kind[-1]|kind|kind[1]", "cluster:fine|shape[1]",
)  # fmt: skip
TOKEN_FEATURES = TokenFeatures(TOKEN_TEMPLATES, word_classes())


@FIXED
@given(st.lists(st.lists(st.text(CHARS, min_size=1, max_size=6), max_size=6), max_size=3))
@example([["a" * n for n in (3, 4, 5, 8, 9, 10, 11, 12)]])
@example([["Stone", "stone", "STONE", "a", "éA", "ÉA"], ["12-a", "34-b", "1234567", "aaaaa", "aaaaaa"]])
@example([["\0", "\0\0", "\ud800", "\udc00\ud800", "x" * 10, "x" * 11]])
def test_token_keys_agree_with_the_oracle(sentences):
    columns = [[f"c{len(word) % 3}" for word in sentence] for sentence in sentences]
    batch = TokenBatch.from_words(sentences, {"c": columns})
    keys = TOKEN_FEATURES.keys(batch, threads=1)
    assert keys.shape == (sum(map(len, sentences)), len(TOKEN_TEMPLATES))
    classes = Classes()
    row = 0
    for sentence, column in zip(sentences, columns, strict=True):
        text = " ".join(sentence)
        ends = np.cumsum([len(word) + 1 for word in sentence]) - 1
        starts = ends - [len(word) for word in sentence]

        def value(at, atom, text=text, starts=starts, ends=ends, column=column):
            return token_atom(atom, text, int(starts[at]), int(ends[at]), column[at], CLASSES)

        for t in range(len(sentence)):
            for k, template in enumerate(TOKEN_TEMPLATES):
                classes.add(int(keys[row, k]), template, values(template, t, len(sentence), value))
            row += 1


NAMES = {
    "a": 0, "ab": 1, "a b": 1, "a a b": 0, "a-b a": 2, "ab ab ab ab": 0, "中文": 1, "中文文字": 3, "文字": 0,
    "ÉA": 4, "b'": 2,
}  # fmt: skip
NAME_WORDS = st.one_of(
    st.sampled_from(["a", "b", "A", "aB", "-", "b'", "中", "文", "字", "中文", "éa", "b a"]),
    st.text(CHARS, max_size=3),
)


@pytest.mark.parametrize("ignore_case", [True, False])
@FIXED
@given(sentences=st.lists(st.lists(NAME_WORDS, max_size=12), max_size=3))
@example(sentences=[["a", "a", "b"], ["ab"] * 9, ["中", "文", "文", "字"], ["", "a", "", "b"], ["É", "a"]])
def test_places_in_names_agree_with_the_oracle(ignore_case, sentences):
    entries = [(name, str(number)) for name, number in NAMES.items()]
    gazetteer = Gazetteer.of("n", entries, ignore_case=ignore_case)
    names = {"".join(name.split()): number for name, number in NAMES.items()}
    if ignore_case:
        names = {_core.lower(name): number for name, number in names.items()}
    templates = ("gazetteer:n", "gazetteer:n[-1]|gazetteer:n", "gazetteer:n|lower[1]")
    keys = TokenFeatures(templates, None, [gazetteer]).keys(TokenBatch.from_words(sentences), threads=1)
    classes = Classes()
    rows = iter(keys.tolist())
    for words in sentences:
        places = name_places(words, names, ignore_case=ignore_case)

        def value(at, atom, words=words, places=places):
            return ("value", places[at] if atom.startswith("gazetteer") else _core.lower(words[at]))

        for t in range(len(words)):
            for key, template in zip(next(rows), templates, strict=True):
                classes.add(key, template, values(template, t, len(words), value))


def test_the_text_round_a_token_is_the_documents_own():
    doc = Doc("(ab) c", [0, 1, 3, 5], [1, 3, 4, 6], sent_starts=[1, 0, 0, 1])
    keys = TokenFeatures(["spaced", "lower[1]"]).keys(TokenBatch.from_docs([doc]))
    assert len(set(keys[:, 0].tolist())) == 4  # before, none, after, both
    ends = TokenFeatures(["lower[1]"]).keys(TokenBatch.from_words([["x", ")"], ["c"]]))
    assert keys[2, 1] == keys[3, 1] == ends[2, 0]  # a sentence sees nothing of the next


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_keys_do_not_depend_on_batch_or_threads(threads):
    sentences = [[f"w{i}", "of", f"B{i % 7}"][: 1 + i % 3] for i in range(200)]
    features = TokenFeatures(TAG_TEMPLATES["ner"])
    together = features.keys(TokenBatch.from_words(sentences), threads)
    alone = [features.keys(TokenBatch.from_words([sentence]), 1) for sentence in sentences]
    assert np.array_equal(together, np.concatenate(alone))


ATOMS_OF_SEGMENTER = [
    name + (":words" if kind.parameter else "") + place
    for name, kind in SEGMENT_ATOMS.items()
    for place in ("", "[-1]", "[2]")
]
SEGMENTER_TEMPLATES = (*ATOMS_OF_SEGMENTER, *(t for t in SEGMENT_TEMPLATES["en"] if "|" in t))


def segment_kernel() -> _core.SegmentFeatures:
    compiled = compile_templates(SEGMENTER_TEMPLATES, SEGMENT_ATOMS, ("words",))
    # A split is kept as its characters from the last to the first.
    splits = lexicon_keys(split[::-1] for split in SPLITS).tolist()
    lexicons = [lexicon_keys(LEXICON)]
    return _core.SegmentFeatures(compiled.atoms, compiled.elements, compiled.seeds, lexicons, splits)


SEGMENT_KERNEL = segment_kernel()


@settings(FIXED, max_examples=100)
@given(st.lists(st.text(CHARS, max_size=25), min_size=1, max_size=3))
@example(["It isn't 'so', (\"he\" said): banana!!", "  a b\n\nDON'T  \n ban\u0301ana ... "])
@example([" ".join(c * n for n in (3, 4, 5, 8, 9, 11, 12, 13, 14, 16, 17, 18)) for c in "a!1"])
@example([")) (a) b", "x) (a (b) c) d", "a\u200db, a!, (a. 'a' ab\u200d"])
@example(["文字中文文字，中文。「文字」", "a" * 20 + "n't x" + "\u0301" * 3])
def test_segmenter_keys_agree_with_the_oracle(texts):
    keys, positions, documents, sequences = SEGMENT_KERNEL.keys(texts, 1)
    classes = Classes()
    row, counts = 0, [0]
    for number, text in enumerate(texts):
        assert documents[number] == row
        for start, end in paragraphs(text):
            paragraph = Paragraph(text, start, end, LEXICON, SPLITS)
            for unit in paragraph.candidates:
                assert positions[row] == paragraph.positions[unit]
                for k, template in enumerate(SEGMENTER_TEMPLATES):
                    classes.add(int(keys[row, k]), template, paragraph.value(unit, template))
                row += 1
            counts.append(row)
    assert len(keys) == documents[-1] == row
    assert sequences.tolist() == counts
