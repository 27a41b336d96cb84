"""The template language: what it accepts, what it means, and how it says no."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlptk import _core
from nlptk.errors import ConfigError
from nlptk.tag.features import TEMPLATES as TAG_TEMPLATES
from nlptk.tag.features import TOKEN_ATOMS
from nlptk.templates import AtomKind, compile_templates
from nlptk.tokenize.segmenter import SEGMENT_ATOMS
from nlptk.tokenize.segmenter import TEMPLATES as SEGMENT_TEMPLATES

KINDS = {
    "word": AtomKind(3),
    "suffix": AtomKind(4, "number"),
    "col": AtomKind(5, "column"),
    "list": AtomKind(6, "lexicon"),
    "run": AtomKind(7, table=1),
}


def test_atoms_are_shared_and_offsets_kept():
    compiled = compile_templates(["word", "word[-1]|suffix:3[+2]", " suffix:3 | run[1] "], KINDS)
    assert compiled.atoms == (((3, 0), (4, 3)), ((7, 0),))
    assert compiled.elements == (((0, 0, 0),), ((0, 0, -1), (0, 1, 2)), ((0, 1, 0), (1, 0, 1)))
    assert compiled.columns == ()


def test_columns_and_lexicons_are_numbered():
    compiled = compile_templates(["col:tag", "col:1[-1]|col:tag", "list:b", "list:a"], KINDS, ("a", "b"))
    assert compiled.columns == ("tag", "1")
    assert compiled.atoms == (((5, 0), (5, 1), (6, 1), (6, 0)), ())


def test_seeds_are_the_templates_own_hashes():
    # Models hold keys made from them, so they are frozen.
    compiled = compile_templates(["word", "word[-1]"], KINDS)
    assert compiled.seeds == (_core.hash_string("word"), _core.hash_string("word[-1]"))
    assert compiled.seeds[0] == 0x8F6A0D62847C0334


@pytest.mark.parametrize(
    ("templates", "message"),
    [
        ([], "at least one"),
        (["word", "word"], "stands twice"),
        (["words"], "unknown feature 'words'"),
        (["Word"], "cannot read"),
        ([""], "cannot read ''"),
        (["word|"], "cannot read ''"),
        (["word[1"], "cannot read"),
        (["word[]"], "cannot read"),
        (["word[1.5]"], "cannot read"),
        (["word[17]"], "over 16"),
        (["word[-17]"], "over 16"),
        (["word[" + "9" * 5000 + "]"], "cannot read"),
        (["word:2"], "takes no parameter"),
        (["suffix"], "needs a parameter"),
        (["suffix:"], "cannot read"),
        (["suffix:x"], "from 1 to 16"),
        (["suffix:0"], "from 1 to 16"),
        (["suffix:17"], "from 1 to 16"),
        (["suffix:-1"], "from 1 to 16"),
        (["suffix:" + "9" * 5000], "from 1 to 16"),
        (["list:missing"], "names 'missing'"),
        ([3], "must be a string, not 3"),
        ([["word"]], "must be a string"),
        ([None], "must be a string"),
    ],
)
def test_bad_templates_name_the_problem(templates, message):
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        compile_templates(templates, KINDS)


@given(st.lists(st.text(st.characters(codec=None), max_size=12), max_size=4))
def test_any_text_compiles_or_raises_config_error(templates):
    try:
        compiled = compile_templates(templates, KINDS)
    except ConfigError:
        return
    assert len(compiled.elements) == len(compiled.seeds) == len(templates)


@pytest.mark.parametrize("name", sorted(TAG_TEMPLATES))
def test_ready_tagger_sets_compile(name):
    compiled = compile_templates(TAG_TEMPLATES[name], TOKEN_ATOMS, ("c64", "c256", "c1000"))
    assert len(set(compiled.elements)) == len(compiled.elements)  # no template twice under two spellings
    assert compiled.columns == (("1",) if name.startswith("chunk") else ())


@pytest.mark.parametrize("name", sorted(SEGMENT_TEMPLATES))
def test_ready_segmenter_sets_compile(name):
    compiled = compile_templates(SEGMENT_TEMPLATES[name], SEGMENT_ATOMS, ("words",))
    assert len(set(compiled.elements)) == len(compiled.elements)
    assert len(compiled.atoms) == 3
