"""Word vectors by several processes: they learn together, and end together."""

from __future__ import annotations

import gzip
import importlib
import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_process import environment
from two_topics import COMMON, RIVER, STARS, text

from nlptk import KeyedVectors, Word2Vec
from nlptk.errors import ConfigError, DataError
from nlptk.vectors.word2vec import Progress

dist = pytest.importorskip("torch.distributed", reason="training in several processes needs torch")
fit: Any = importlib.import_module("nlptk.vectors.distributed").fit


def torchrun(*arguments: Any, processes: int = 2) -> subprocess.CompletedProcess[str]:
    """What two processes say; they have two minutes before they count as hung."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", processes]
    return subprocess.run(
        list(map(str, [*launcher, *arguments])),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


TRAIN = ("-m", "nlptk.vectors.distributed", "train")
SMALL = ("--dim", 20, "--epochs", 5, "--threads", 1, "--sample", 0, "--sync-words", 1000)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.txt"
    path.write_text(text(3000))
    return path


def test_processes_learn_together(corpus: Path, tmp_path: Path) -> None:
    saved = []
    for number in range(2):
        output = tmp_path / f"{number}.txt"
        done = torchrun(*TRAIN, corpus, "-o", output, *SMALL, "--json", "--quiet")
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        assert (answer["words"], answer["processes"], answer["output"]) == (25, 2, str(output))
        saved.append(output.read_bytes())
    assert saved[0] == saved[1]  # of two numbers the sum is the same in any order
    wv = KeyedVectors.load(output)
    for topic in (RIVER, STARS):
        for word in topic:
            nearest = [near for near, _ in wv.most_similar(word, topn=20) if near not in COMMON][:9]
            assert set(nearest) <= set(topic), (word, nearest)


PROGRAM = """
import os, sys
import torch.distributed as dist
from nlptk import Word2Vec
from nlptk.errors import DataError
from nlptk.vectors.distributed import PeerError, fit

dist.init_process_group("gloo")
rank = dist.get_rank()

def before(words):
    if rank == 1:
        {fault}

try:
    fit(Word2Vec(10, threads=1), [sys.argv[1]], before_training=before)
except PeerError as error:
    say = f"peer: {{error}}"
except DataError as error:
    say = f"mine: {{error}}"
os.write(1, say.encode() + b"\\n")  # at once: two processes write to one pipe
"""


def lines_of_failure(fault: str, corpus: Path, tmp_path: Path) -> list[str]:
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(PROGRAM).format(fault=fault))
    return sorted(torchrun(program, corpus).stdout.splitlines())


def test_what_fails_in_one_process_ends_all(corpus: Path, tmp_path: Path) -> None:
    fault = "raise DataError('the second process has had enough')"
    assert lines_of_failure(fault, corpus, tmp_path) == [
        "mine: the second process has had enough",
        "peer: process 1 failed",
    ]


def test_a_process_that_is_gone_ends_all(corpus: Path, tmp_path: Path) -> None:
    (line,) = lines_of_failure("os._exit(0)", corpus, tmp_path) or [""]
    assert line.startswith("peer: another process is gone, so this one ends too (")


def test_bad_input_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "corpus.txt"
    path.write_bytes(b"one two\nthree \xff four\n")
    done = torchrun(*TRAIN, path, "-o", tmp_path / "v.txt", *SMALL)
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if line.startswith("nlptk: error: ")]
    assert len(said) == 1
    assert "corpus.txt, line 2: byte 0xff is not UTF-8" in said[0]
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.txt"]


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[None]:
    """A group of one process."""
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/group", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


@pytest.mark.usefixtures("alone")
def test_a_group_of_one(corpus: Path, tmp_path: Path) -> None:
    told: list[Progress] = []
    packed = tmp_path / "corpus.gz"
    packed.write_bytes(gzip.compress(corpus.read_bytes()))
    learner = Word2Vec(10, epochs=2, threads=1, max_n=4, bucket=100)
    wv = fit(learner, [packed], sync_words=5000, progress=told.append)
    assert sorted(wv.index_to_key) == sorted(COMMON + RIVER + STARS)
    steps = [at for at in told if at.stage == "train"]
    assert steps[-1].done == steps[-1].total == 2 * 3000 * 8
    assert steps[-1].alpha == pytest.approx(1e-4)
    assert len(steps) >= 8
    assert np.isfinite(wv["riverling"]).all()


@pytest.mark.usefixtures("alone")
def test_what_cannot_be_is_refused(corpus: Path) -> None:
    learner = Word2Vec(10, threads=1)
    for files, options, message in [
        ([corpus], {"sync_words": 0}, "sync_words must be 1 or more"),
        (["-"], {}, "cannot share standard input"),
        ([corpus], {"errors": "none"}, "errors must be one of"),
    ]:
        with pytest.raises(ConfigError, match=message):
            fit(learner, files, **options)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"cannot read 'no-such\.txt'"):
        fit(learner, ["no-such.txt"])
    with pytest.raises(ConfigError, match="window must be"):
        fit(Word2Vec(10, window=0), [corpus])
    with pytest.raises(DataError, match=r"the vector of the word '\w+' is not finite"):
        fit(Word2Vec(10, alpha=10.0, min_alpha=10.0, epochs=20, sample=0, threads=1), [corpus])


def test_a_group_is_needed(corpus: Path) -> None:
    with pytest.raises(ConfigError, match="there is no process group: start with torchrun"):
        fit(Word2Vec(10), [corpus])


def test_it_must_be_started_by_torchrun(corpus: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, *TRAIN, str(corpus), "-o", str(tmp_path / "v.txt")],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("nlptk: error: start this with torchrun")
