"""Where commands write: standard output or a file that appears whole, and the checks of a model's folder."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from nlptk.errors import ConfigError

STDIN = Path("-")


class Writer(Protocol):
    """What text is written to."""

    def write(self, text: str, /) -> int: ...


@contextlib.contextmanager
def open_output(path: Path | None) -> Iterator[Writer]:
    """Standard output for None; else a UTF-8 file that appears under its name only when it is whole."""
    if path is None or path == STDIN:
        yield sys.stdout
        sys.stdout.flush()
        return
    from nlptk.corpora.files import atomic_writer

    try:
        with atomic_writer(path) as file:
            yield file
    except OSError as error:
        if error.filename is None and not isinstance(
            error, BrokenPipeError
        ):  # say which file the disk is full for
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def check_model_folder(path: Path) -> None:
    """Refuse, before any work is done, a place that a trained model must not or cannot be written to.

    An older model may be replaced; a file or a folder with other things may not.
    """
    if path.exists() and not path.is_dir():
        raise ConfigError(f"--output {path} is a file; give a folder.")
    if path.is_dir() and any(path.iterdir()) and not (path / "meta.json").is_file():
        raise ConfigError(f"--output {path} is no model but holds files; give a new folder.")
    parent = path.resolve().parent
    while not parent.exists():
        parent = parent.parent
    if not os.access(parent, os.W_OK):
        raise ConfigError(f"--output {path} cannot be written: {parent} is not writable.")
