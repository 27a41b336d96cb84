"""What the tests of jieba share: our tokenizer, the library itself, and a small dictionary of both."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from nlptk.tokenize.jieba import JiebaTokenizer

jieba = pytest.importorskip("jieba")
jieba.setLogLevel(logging.WARNING)


@pytest.fixture(scope="module")
def tokenizer() -> JiebaTokenizer:
    return JiebaTokenizer()


@pytest.fixture(scope="module")
def library() -> Any:
    return jieba.Tokenizer()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A main dictionary that both read in no time."""
    path = tmp_path_factory.mktemp("small") / "main.txt"
    words = [
        "我",
        "来到",
        "北京",
        "清华",
        "清华大学",
        "大学",
        "华大",
        "学",
        "的",
        "中国",
        "国人",
        "人民",
        "T恤",
        "B9",
    ]
    path.write_text("".join(f"{word} {7 * i % 50 + 1} n\n" for i, word in enumerate(words)), "utf-8")
    return path


def library_of(path: Path) -> Any:
    made = jieba.Tokenizer(str(path))
    made.tmp_dir = str(path.parent)
    made.initialize()
    return made


def check_same(tokenizer: JiebaTokenizer, library: Any, text: str) -> None:
    for hmm in (True, False):
        words = library.lcut(text, HMM=hmm)
        assert tokenizer.cut(text, hmm=hmm) == words
        assert tokenizer.tokenize(text, hmm=hmm) == list(library.tokenize(text, HMM=hmm))
        assert tokenizer.cut_for_search(text, hmm=hmm) == library.lcut_for_search(text, HMM=hmm)
        found = list(library.tokenize(text, mode="search", HMM=hmm))
        assert tokenizer.tokenize(text, mode="search", hmm=hmm) == found
    assert tokenizer.cut_all(text) == library.lcut(text, cut_all=True)
    assert len(tokenizer.spans(text, mode="full")) == len(tokenizer.cut_all(text))
