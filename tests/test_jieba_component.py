"""jieba in a pipeline, and what a saved or pickled tokenizer keeps."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import jieba_fixtures
import pytest
from hypothesis import given, settings
from jieba_texts import texts

import nlptk
from nlptk.errors import ConfigError
from nlptk.tokenize.jieba import JiebaTokenizer

library, tokenizer = jieba_fixtures.library, jieba_fixtures.tokenizer  # by these names pytest finds them


@settings(max_examples=200)
@given(texts)
def test_doc_spells_its_text(tokenizer: JiebaTokenizer, library: Any, text: str) -> None:
    doc = nlptk.Doc(text)
    tokenizer(doc)
    assert "".join(token.text_with_ws for token in doc) == text
    nlptk.Doc(text).set_tokens(doc.starts, doc.ends)  # checks the rules for tokens
    lead = text[: len(text) - len(text.lstrip())]
    expected = [lead] * bool(lead) + [word for word in library.lcut(text) if not word.isspace()]
    assert doc.words == expected


def test_blank_chinese_uses_it() -> None:
    nlp = nlptk.blank("zh")
    assert nlp("我来到北京清华大学。").words == ["我", "来到", "北京", "清华大学", "。"]
    nlp.get_pipe("tokenizer").add_word("来到北京")
    again = nlptk.Language.from_bytes(nlp.to_bytes())
    batch = ["我来到北京清华大学。", "", " 好\n"] * 100
    assert [doc.words for doc in again.pipe(batch)] == [doc.words for doc in nlp.pipe(batch)]
    assert again(batch[0]).words == ["我", "来到北京", "清华大学", "。"]


def test_pipelines_that_split_characters_still_load(tmp_path: Path) -> None:
    nlp = nlptk.Language("zh")
    nlp.add_pipe("char_tokenizer", name="tokenizer")
    nlp.to_disk(tmp_path / "old")
    assert nlptk.load(tmp_path / "old")("我来到").words == ["我", "来", "到"]


def test_tags_in_a_doc(tokenizer: JiebaTokenizer) -> None:
    nlp = nlptk.Language("zh")
    nlp.add_pipe("jieba", config={"pos": True})
    doc = nlp("  我爱 北京3.5%\n")
    assert [(token.text, token.tag_) for token in doc] == [
        ("  ", "x"), ("我", "r"), ("爱", "v"), ("北京", "ns"), ("3.5", "m"), ("%", "x"),
    ]  # fmt: skip
    assert nlp.analyze_pipes()["summary"]["jieba"]["assigns"] == ["doc.tokens", "doc.tag"]


@pytest.mark.parametrize("mode", ["full", "search"])
def test_overlapping_modes_are_no_tokens(mode: str) -> None:
    with pytest.raises(ConfigError, match=f"words of mode '{mode}' overlap"):
        JiebaTokenizer(mode)(nlptk.Doc("清华大学"))


def test_pickle() -> None:
    tokenizer = JiebaTokenizer(hmm=False)
    tokenizer.add_word("学研究", tag="nz")
    tokenizer.del_word("云南")
    again = pickle.loads(pickle.dumps(tokenizer))
    assert again.posseg("云南大学研究") == tokenizer.posseg("云南大学研究")
    assert again.suggest_freq("云计算") == tokenizer.suggest_freq("云计算")


def test_a_saved_dictionary_with_counts_up_to_the_highest(tmp_path: Path) -> None:
    path = tmp_path / "dictionary.txt"
    path.write_text("云 5\n", encoding="utf-8")
    tokenizer = JiebaTokenizer(dictionary=path)
    tokenizer.add_word("计算", 2**53 - 100)
    again = JiebaTokenizer.from_state(*tokenizer.to_state())
    assert again._kernel.total == tokenizer._kernel.total
    assert again.cut("云计算") == ["云", "计算"]
