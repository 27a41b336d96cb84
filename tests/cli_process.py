"""The command line as a process of its own, for the tests of streams, signals and exit statuses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import nlptk

INSTALLED = Path(nlptk.__file__).parents[1]  # where the package under test lies


def command(*arguments: object) -> list[str]:
    """The words of a command line."""
    return [sys.executable, "-m", "nlptk", *map(str, arguments)]


def environment() -> dict[str, str]:
    """The environment in which the package under test is found."""
    return {**os.environ, "PYTHONPATH": str(INSTALLED)}


def check_refusal(result: tuple[int, str, str], status: int, named: str) -> None:
    """A command ended with this status, nothing on stdout, and one line on stderr that holds `named`."""
    got, out, err = result
    assert (got, out) == (status, ""), err
    assert err.startswith("nlptk: error: ")
    assert err.count("\n") == 1
    assert named in err


def wait_for(condition: Callable[[], bool]) -> None:
    """Return once the condition holds; AssertionError after a minute."""
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("waited for a minute")


def check_interrupted(arguments: list[str], folder: Path, sent: signal.Signals, status: int) -> None:
    """A command that reads lines and writes into `folder`, which is empty, ends in order at a signal."""
    process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    assert process.stdin is not None
    assert process.stderr is not None
    process.stdin.write(b"never finished\n")
    process.stdin.flush()
    wait_for(lambda: any(folder.iterdir()))  # the work has begun, its file stands beside the target
    process.send_signal(sent)
    assert process.wait() == status
    assert b"Traceback" not in process.stderr.read()
    process.stdin.close()
    process.stderr.close()
    assert list(folder.iterdir()) == []
