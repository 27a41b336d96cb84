"""The examples of docs/corpora.md and docs/evaluation.md give the output that they show."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"


@pytest.mark.parametrize("name", ["corpora.md", "evaluation.md"])
def test_examples(name: str) -> None:
    # The tabs of CoNLL-U in the expected output must not be expanded.
    text = (DOCS / name).read_text(encoding="utf-8")
    test = doctest.DocTestParser().get_doctest(text.replace("\t", "<TAB>"), {}, name, name, 0)
    for example in test.examples:
        example.want = example.want.replace("<TAB>", "\t")
    runner = doctest.DocTestRunner()
    output: list[str] = []
    results = runner.run(test, out=output.append)
    assert results.attempted > 5
    assert results.failed == 0, "".join(output)
