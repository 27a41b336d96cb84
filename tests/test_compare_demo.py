"""``nlptk compare demo``: the sentences that come with nlptk, compared from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_process import check_refusal

from nlptk.compare import sentences

Run = Callable[..., tuple[int, str, str]]


def test_the_demo_compares_three_taggers(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentences, "NAMES", {"en": "English"})
    status, out, _ = run("compare", "demo", "--out", tmp_path / "report", "-q")
    assert status == 0
    assert "Taggers of upos, en-test.conllu" in out
    results = json.loads((tmp_path / "report" / "en" / "results.json").read_text())
    scores = {model["name"]: model["best"]["score"] for model in results["models"]}
    assert set(scores) == {"hmm", "crf", "perceptron"}
    # Nouns are a fifth of the words: whoever learnt nothing is far below.
    assert min(scores.values()) > 0.8
    assert "compare demo" in results["command"]
    assert (tmp_path / "report" / "en" / "report.html").is_file()


@pytest.mark.parametrize("lang", sentences.NAMES)
def test_files_are_there_for_each_language(lang: str) -> None:
    found = sentences.files(lang)
    assert [found["train"].name, found["dev"].name, found["test"].name] == [
        f"{lang}-{role}.conllu" for role in ("train", "dev", "test")
    ]
    assert all(path.stat().st_size > 10_000 for path in (found["train"], found["dev"], found["test"]))


def test_a_column_that_the_sentences_have_not_is_refused(run: Run) -> None:
    check_refusal(run("compare", "demo", "--column", "xpos", "-q"), 1, "has no 'xpos' label")
