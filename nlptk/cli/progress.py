"""How long work shows itself: a bar on a terminal, now and then a plain line elsewhere, or nothing."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any


class Progress:
    """Progress of one task on stderr, with rate and time left.

    On a terminal a bar; elsewhere a plain line at most every ``every`` seconds. ``total`` is None while it is
    unknown. ``unit`` names what is counted ("iterations"); empty for none where ``note`` tells the rate.
    """

    def __init__(
        self,
        title: str,
        *,
        total: float | None = None,
        unit: str = "",
        every: float = 5.0,
        quiet: bool = False,
    ) -> None:
        self.title, self.total, self.unit, self.every, self.quiet = title, total, unit, every, quiet
        self.started = time.monotonic()
        self._last_line = self.started
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Progress:
        if not self.quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
            from rich.progress import Progress as RichProgress

            self._bar = RichProgress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.percentage:>3.0f}%"),
                TextColumn("{task.fields[note]}", style="dim"),
                TimeElapsedColumn(),
                TextColumn("left", style="dim"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task(self.title, total=self.total, note="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def restart(self, title: str, *, unit: str) -> None:
        """Begin another task in the same place."""
        self.title, self.unit, self.total, self.started = title, unit, None, time.monotonic()
        if self._bar is not None:
            self._bar.reset(self._task, description=title)

    @property
    def elapsed(self) -> float:
        """Seconds since the task began."""
        return time.monotonic() - self.started

    def update(self, done: float, *, total: float | None = None, note: str = "") -> None:
        """Tell that ``done`` of ``total`` is done; ``note`` is shown beside it."""
        if self.quiet:
            return
        self.total = total if total is not None else self.total
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=self.total, note=self._note(done, note))
            return
        now = time.monotonic()
        if now - self._last_line >= self.every:
            self._last_line = now
            self.line(self._plain(done, note))

    def line(self, text: str) -> None:
        """A line of its own on stderr, above the bar where there is one."""
        if self.quiet:
            return
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            print(text, file=sys.stderr, flush=True)

    def _note(self, done: float, note: str) -> str:
        rate = done / max(self.elapsed, 1e-9)
        speed = f"{rate:.3g} {self.unit}/s" if rate >= 1 or not done else f"{1 / rate:.3g} s each"
        return ", ".join(filter(None, [speed if self.unit else "", note]))

    def _plain(self, done: float, note: str) -> str:
        parts = [self._note(done, note)]
        if self.total:
            parts.insert(0, f"{100 * done / self.total:.0f}%")
            if done:
                parts.append(f"{_clock(self.elapsed * (self.total - done) / done)} left")
        return f"{self.title}: {', '.join(filter(None, parts))}"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:d}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes:d}:{seconds:02d}"
