"""Worker processes: order, laziness, errors, closing, Ctrl-C. Few tests, since each starts processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import nlptk
from nlptk import Doc, registry
from nlptk.errors import NlptkError
from nlptk.parallel import WorkerTraceback, ordered_map, portable_error

MODULE = """
import os, time
import nlptk
from nlptk.component import Component
from nlptk.parallel import portable_error

@nlptk.component("par_check", assigns=["doc.pid"], requires=["doc.tokens"])
class Check(Component):
    def annotate(self, docs):
        for doc in docs:
            if "bad" in doc.text:
                raise ValueError("cannot check " + doc.text)
            if "odd" in doc.text:
                raise Odd(1, 2)
            if "die" in doc.text:
                os._exit(3)
            if "closed" in doc.text:
                doc.user_data["lambda"] = lambda: None
            doc.set_column("pid", [str(os.getpid())] * len(doc))

class Odd(Exception):
    def __init__(self, a, b):  # cannot be made again from its message: does not pickle
        super().__init__(f"odd {a} {b}")

def start(delay):
    def work(x):
        if x == "bad":
            raise ValueError("bad task")
        time.sleep(delay)
        return x, os.getpid()
    return work

def start_badly():
    raise ValueError("cannot start")
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A module that workers can import too."""
    (tmp_path / "par_module.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    before = dict(registry._registered)
    import par_module  # type: ignore[import-not-found]

    yield par_module
    del sys.modules["par_module"]
    registry._registered.clear()
    registry._registered.update(before)


def no_children() -> bool:
    return multiprocessing.active_children() == []


def test_n_process(module: Any) -> None:
    """One run for all: order, contexts, lone surrogates, Docs, errors to the handler here, disabled pipes."""
    nlp = nlptk.blank("xx")
    nlp.add_pipe("par_check")
    nlp.add_pipe("sentencizer")
    texts: list[Any] = [f"text {i} \ud83d\ude00\x00" for i in range(40)]
    texts[5], texts[6], texts[13], texts[21], texts[34] = "bad", "odd", None, Doc("doc"), "closed"
    texts[22] = Doc("unsendable")
    texts[22].user_data["f"] = lambda: None
    failed = []
    stream = nlp.pipe(
        ((text, i) for i, text in enumerate(texts)),
        as_tuples=True,
        batch_size=3,
        n_process=2,
        disable=["sentencizer"],
        error_handler=lambda *args: failed.append(args),
    )
    out = list(stream)
    assert [i for _, i in out] == [i for i in range(40) if i not in (5, 6, 13, 22, 34)]
    assert all(doc.text == (texts[i] if isinstance(texts[i], str) else "doc") for doc, i in out)
    assert all(doc.sent_starts is None for doc, _ in out)
    pids = {value for doc, _ in out for value in doc.column("pid")}
    assert len(pids) == 2
    assert str(os.getpid()) not in pids
    by_text = {
        str(getattr(docs[0], "text", docs[0])): (name, proc, error) for name, proc, docs, error in failed
    }
    assert set(by_text) == {"bad", "odd", "None", "unsendable", "closed"}
    name, proc, error = by_text["bad"]
    assert (name, proc) == ("par_check", nlp.get_pipe("par_check"))
    assert isinstance(error, ValueError)
    assert str(error) == "cannot check bad"
    assert isinstance(error.__cause__, WorkerTraceback)
    assert "par_module.py" in str(error.__cause__)
    assert str(by_text["odd"][2]) == "Odd: odd 1 2"
    assert "not NoneType" in str(by_text["None"][2])
    for text in ("unsendable", "closed"):
        assert "cannot be sent to or from a worker" in str(by_text[text][2])
    assert no_children()


def test_ordered_map_is_lazy_bounded_ordered_and_closable(module: Any) -> None:
    read = []

    def tasks() -> Iterator[int]:
        for i in range(10**9):
            read.append(i)
            yield i

    answers = ordered_map(module.start, (0.01,), tasks(), 2)
    assert read == []
    assert [next(answers)[0] for _ in range(10)] == list(range(10))
    assert len(read) <= 10 + 2 * 2 + 1
    answers.close()
    assert no_children()


def test_errors_and_deaths(module: Any) -> None:
    def failing() -> Iterator[str]:
        yield "a"
        yield "b"
        raise OSError("the source is gone")

    answers = ordered_map(module.start, (0,), failing(), 1)
    assert [next(answers)[0], next(answers)[0]] == ["a", "b"]  # what is owed comes first
    with pytest.raises(OSError, match="the source is gone"):
        next(answers)
    with pytest.raises(ValueError, match="bad task"):
        list(ordered_map(module.start, (0,), ["a", "bad"], 1))
    with pytest.raises(ValueError, match="cannot start"):
        list(ordered_map(module.start_badly, (), ["a"], 1))
    nlp = nlptk.blank("xx")
    nlp.add_pipe("par_check")
    with pytest.raises(NlptkError, match="ended with exit code 3"):
        list(nlp.pipe(["a", "die"], n_process=2, batch_size=1))
    assert no_children()


def test_no_tasks_start_no_process(module: Any) -> None:
    assert list(ordered_map(module.start, (0,), [], 4)) == []
    assert list(nlptk.blank("xx").pipe([], n_process=2)) == []


def test_errors_that_do_not_pickle_keep_their_words() -> None:
    class Local(Exception):
        pass

    error, text = portable_error(Local("here"))
    assert type(error) is NlptkError
    assert str(error) == "Local: here"
    assert "Local: here" in text
    same = ValueError("plain")
    assert portable_error(same)[0] is same


SCRIPT = """
import itertools, sys
import nlptk

@nlptk.component("in_main")
def in_main(doc):
    return doc

if __name__ == "__main__":
    nlp = nlptk.blank("xx")
    nlp.add_pipe("in_main")
    for i, doc in enumerate(nlp.pipe((f"text {k}" for k in itertools.count()), n_process=2, batch_size=4)):
        if i == 8:
            print("running", flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT to a process group")
def test_ctrl_c_ends_everything_with_one_traceback(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(textwrap.dedent(SCRIPT))
    root = str(Path(nlptk.__file__).parents[1])
    process = subprocess.Popen(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    os.killpg(process.pid, signal.SIGINT)  # what a terminal does: all processes of the group get it
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert stderr.count("Traceback") == 1
    assert stderr.rstrip().endswith("KeyboardInterrupt")
    for _ in range(50):
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            break
        time.sleep(0.1)
    else:
        pytest.fail("worker processes are left behind")
