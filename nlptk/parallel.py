"""An ordered map over worker processes: lazy, with a bounded number of tasks under way, and closable.

Workers are spawned, not forked, so threads and locks of this process cannot hang them. Each has one pipe and
takes every n-th task, so answers come back in order with no sorting.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import pickle
import queue
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import count
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from nlptk.errors import NlptkError

T = TypeVar("T")
R = TypeVar("R")

TASKS_AHEAD = 2  # for each worker: one in work, one waiting


class WorkerTraceback(Exception):
    """The traceback of an error in a worker, as text: the cause of the error that is raised here."""

    def __str__(self) -> str:
        return f"in a worker process\n\n{self.args[0]}"


def ordered_map(
    start: Callable[..., Callable[[T], R]], args: tuple[Any, ...], tasks: Iterable[T], n_process: int
) -> Generator[R, None, None]:
    """Yield ``work(task)`` for each task, in order, where each worker process made ``work = start(*args)``.

    `start` must be importable by name (spawn). At most ``2 * n_process`` tasks are under way. Closing the
    iterator, an error or Ctrl-C ends the workers at once. An error of a task is raised here with the worker's
    traceback as its cause; NlptkError if a worker process dies. If `tasks` itself raises, all answers owed
    come first.
    """
    workers: list[_Worker] = []
    owed: deque[_Worker] = deque()
    source = iter(tasks)
    source_error: Exception | None = None
    try:
        for k in count():
            while owed and (len(owed) >= n_process * TASKS_AHEAD or owed[0].ready()):
                yield owed.popleft().answer()
            try:
                task = next(source)
            except StopIteration:
                break
            except Exception as error:
                source_error = error
                break
            if len(workers) < n_process:
                workers.append(_Worker(start, args))
            worker = workers[k % n_process]
            worker.send(task)
            owed.append(worker)
        while owed:
            yield owed.popleft().answer()
        if source_error is not None:
            raise source_error
    finally:
        for worker in workers:
            worker.stop()


class _Worker:
    """This process's end of one worker."""

    def __init__(self, start: Callable[..., Any], args: tuple[Any, ...]) -> None:
        context = multiprocessing.get_context("spawn")
        self._conn, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, start, args), daemon=True)
        try:
            with _interrupts_ignored():  # inherited: Ctrl-C is for this process, which then ends the worker
                self._process.start()
        finally:
            theirs.close()

    def send(self, task: Any) -> None:
        try:
            self._conn.send(task)
        except OSError:
            raise self._died() from None

    def ready(self) -> bool:
        return self._conn.poll()

    def answer(self) -> Any:
        try:
            error, value = self._conn.recv()
        except (EOFError, OSError):
            raise self._died() from None
        if error is not None:
            raise with_traceback(*error)
        return value

    def _died(self) -> NlptkError:
        self._process.join(1)
        return NlptkError(
            f"a worker process ended with exit code {self._process.exitcode}: it ran out of memory, "
            'was killed, or the script starts workers outside `if __name__ == "__main__":`'
        )

    def stop(self) -> None:
        self._conn.close()
        self._process.terminate()
        self._process.join()


@contextlib.contextmanager
def _interrupts_ignored() -> Iterator[None]:
    old = signal.getsignal(signal.SIGINT)
    if old is None or threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, old)


def _serve(conn: Connection, start: Callable[..., Callable[[Any], Any]], args: tuple[Any, ...]) -> None:
    """The worker: answer each task that comes through `conn` until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
    closed = object()

    def receive() -> None:
        # A thread of its own keeps reading, so that neither end waits to write while the other writes too.
        with contextlib.suppress(EOFError, OSError):
            while True:
                tasks.put(conn.recv())
        tasks.put(closed)

    threading.Thread(target=receive, daemon=True).start()
    failed: tuple[Exception, str] | None = None
    work: Callable[[Any], Any] = _no_work
    try:
        work = start(*args)
    except Exception as error:
        failed = portable_error(error)
    with contextlib.suppress(OSError):
        while (task := tasks.get()) is not closed:
            conn.send(_answer(work, task) if failed is None else (failed, None))


def _no_work(task: Any) -> Any:
    raise NlptkError("this worker did not start")


def _answer(work: Callable[[Any], Any], task: Any) -> tuple[tuple[Exception, str] | None, Any]:
    try:
        return None, work(task)
    except Exception as error:
        return portable_error(error), None


def portable_error(error: Exception) -> tuple[Exception, str]:
    """(the error, or an NlptkError with its words if it does not pickle; its traceback as text)."""
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        error = NlptkError(f"{type(error).__name__}: {error}")
    return error, text


def with_traceback(error: Exception, text: str) -> Exception:
    """The error with the worker's traceback as its cause."""
    error.__cause__ = WorkerTraceback(text)
    return error
