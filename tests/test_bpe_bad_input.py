"""BPE: bad arguments, copies, processes, threads, long texts and Ctrl-C."""

from __future__ import annotations

import copy
import pickle
import random
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import nlptk
from nlptk.errors import ConfigError, DataError, ModelError, NlptkError
from nlptk.tokenize.bpe import BPE

LINES = ["the cat sat on the mat, the other cat 学习 学习", "é is a letter, ≯ is none"] * 4


@cache
def model() -> BPE:
    return BPE.train(LINES, 320)


# ---- arguments -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"vocab_size": -1},
        {"vocab_size": 300.0},
        {"vocab_size": True},
        {"vocab_size": 2**70},
        {"min_frequency": -1},
        {"limit_alphabet": -1},
        {"max_token_length": -1},
        {"threads": -1},
        {"threads": "two"},
        {"initial_alphabet": ["\ud800"]},
        {"byte_level": False, "initial_alphabet": ["\ud800"]},
        {"byte_level": False, "unk_token": "\ud800"},
    ],
)
def test_training_with_settings_that_are_not_usable(options: dict[str, Any]) -> None:
    with pytest.raises(
        ConfigError, match=next(reversed(options)).replace("initial_alphabet", "alphabet|lone")
    ):
        BPE.train(LINES, **options)


def test_a_vocabulary_may_be_asked_for_that_no_memory_holds() -> None:
    assert BPE.train(["abab"], 2**31 - 1).vocab_size == 258


def test_marks_in_the_training_text() -> None:
    with pytest.raises(DataError, match="could be read in two ways"):
        BPE.train(["##ab ##a ba ab"] * 9, 300, byte_level=False, continuing_subword_prefix="##")


@pytest.mark.parametrize(
    "ids",
    [
        [1.5],
        [None],
        ["a"],
        [True],
        [[1, 2]],
        [[1], [1, 2]],
        None,
        5,
        "12",
        b"ab",
        {1, 2},
        [2**64],
        [-1, 2**63],
    ],
)
def test_ids_that_are_none(ids: Any) -> None:
    with pytest.raises(ConfigError, match=r"ids must be a flat sequence|out of range"):
        model().decode(ids)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (({"a": -1},), ModelError),
        (({"a": 1.5},), ModelError),
        (({1: 1},), ModelError),
        (({"\ud800": 1},), ModelError),
        ((["a"],), ModelError),
        (({"a": 0, "b": 1, "ab": 2}, ["ab"]), ModelError),
        (({"a": 0}, [("a", "a", "a")]), ModelError),
    ],
)
def test_vocabularies_and_merges_that_are_none(arguments: Any, error: type[NlptkError]) -> None:
    with pytest.raises(error):
        BPE(*arguments)


def test_texts_that_are_none() -> None:
    for tokenizer in (model(), BPE(normalization="NFC"), BPE(pattern=r"\w+")):
        for texts in ("ab", None, (text for text in ["a"]), b"ab", ["a", None], {"a": 1}):
            with pytest.raises(TypeError, match=r"must be a sequence of str|must be str"):
                tokenizer.encode_batch(texts)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="must be str"):
            tokenizer.encode(None)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="seed"):
        BPE(dropout=0.5).encode("a", seed=-1)


# ---- copies, processes, size -----------------------------------------------------------------------


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda bpe: pickle.loads(pickle.dumps(bpe))])
def test_copies(again: Callable[[BPE], BPE]) -> None:
    for tokenizer in (model(), BPE(pattern=r"\w+|\W", normalization="NFC", special_tokens=["<s>"])):
        made = again(tokenizer)
        assert made.encode("the cat<s>") == tokenizer.encode("the cat<s>")
        assert made.to_json() == tokenizer.to_json()


def test_a_pipeline_in_two_processes(tmp_path: Path) -> None:
    model().save(tmp_path / "tokenizer.json")
    nlp = nlptk.blank("en")
    nlp.replace_pipe("tokenizer", "bpe", config={"path": str(tmp_path / "tokenizer.json")})
    docs = list(nlp.pipe(LINES, n_process=2, batch_size=2))
    assert [doc.user_data["bpe"]["ids"] for doc in docs] == [model().encode(line) for line in LINES]


def test_a_long_run_of_accents_has_offsets() -> None:
    """Linear: looking at the whole run for each accent would take minutes."""
    text = "a" + "\u0301" * 50_000 + "b"
    ids, offsets = BPE(normalization="NFC").encode_with_offsets(text)
    assert offsets[-1] == (50_001, 50_002)
    assert len(ids) == len(offsets)


def test_lines_of_any_length_are_counted(tmp_path: Path) -> None:
    draw = random.Random(3)
    path = tmp_path / "text.txt"
    line = " ".join(draw.choice(LINES) for _ in range(20_000))
    path.write_text("\n".join(["x", line, "", "y", *LINES, line]), encoding="utf-8")
    ours = BPE.train(path, 300, threads=3)
    assert ours.merges == BPE.train(path.read_text("utf-8").splitlines(keepends=True), 300).merges


# The process interrupts itself: a slow parent could come too late for work of a few tenths of a second.
INTERRUPTED = """
import signal
from nlptk.tokenize.bpe import BPE
{setup}
signal.signal(signal.SIGALRM, signal.default_int_handler)
signal.setitimer(signal.ITIMER_REAL, 0.02)
try:
    {work}
    print("finished")
except KeyboardInterrupt:
    print("stopped")
"""


@pytest.mark.parametrize(
    ("setup", "work"),
    [
        ("bpe, text = BPE(), 'the cat ' * 10_000_000", "bpe.encode(text)"),
        ("bpe, text = BPE(), 'x' * 60_000_000", "bpe.encode_batch([text, text], seed=0)"),
        ("bpe, text = BPE(dropout=0.5), 'x' * 30_000_000", "bpe.encode(text)"),
        ("text = 'the cat ' * 10_000_000", "BPE.train([text], 300)"),
    ],
)
def test_ctrl_c_ends_the_work_on_one_long_text(setup: str, work: str) -> None:
    script = INTERRUPTED.format(setup=setup, work=work)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr) == ("stopped\n", "")


def test_threads_share_a_model() -> None:
    tokenizer = BPE(model().vocab, model().merges)
    expected = [tokenizer.encode(line) for line in LINES]
    failures: list[object] = []

    def work() -> None:
        for _ in range(200):
            found = [tokenizer.encode(line) for line in LINES]
            if found != expected or tokenizer.encode("x " * 5000) != tokenizer.encode("x " * 5000):
                failures.append(found)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
