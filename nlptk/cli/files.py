"""Where commands write: standard output or a file that appears whole, and the checks of a model's folder."""

from __future__ import annotations

import contextlib
import enum
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Protocol

import typer

from nlptk.errors import ConfigError

STDIN = Path("-")


def existing_file(path: Path | None) -> Path | None:
    """An argument's callback: a file that is there, standard input ("-"), or nothing."""
    # typer's own allow_dash compares a Path with a str, so it refuses "-".
    if path is not None and path != STDIN and not path.exists():
        raise typer.BadParameter(f"file {str(path)!r} does not exist.")
    if path is not None and path.is_dir():
        raise typer.BadParameter(f"{str(path)!r} is a folder.")
    return path


def existing_files(paths: list[Path]) -> list[Path]:
    """The same of several."""
    for path in paths:
        existing_file(path)
    return paths


TextFiles = Annotated[
    list[Path],
    typer.Argument(
        callback=existing_files,
        metavar="FILES",
        help="Text, a sentence a line, gzip or not; - is standard input.",
        show_default=False,
    ),
]


class OnError(enum.Enum):
    """What to do with bytes that are not UTF-8."""

    strict = "strict"
    replace = "replace"


class OnErrorOrIgnore(enum.Enum):
    """The same where they can be dropped, too."""

    strict = "strict"
    replace = "replace"
    ignore = "ignore"


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

    with naming(path), atomic_writer(path) as file:
        yield file


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an error of writing say which file the disk is full for."""
    try:
        yield
    except OSError as error:
        if error.filename is None and not isinstance(error, BrokenPipeError):
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
    check_parent(path)


def check_output(path: Path, is_folder: bool, option: str = "--output") -> None:
    """Refuse, before any work is done, a file, or a folder of files, that cannot be written."""
    if path == STDIN:
        raise ConfigError(f"{option} - is not possible here; give a file's name.")
    if path.exists() and path.is_dir() != is_folder:
        wanted, found = ("a folder", "a file") if is_folder else ("a file", "a folder")
        raise ConfigError(f"{option} {path} is {found}; give {wanted}.")
    if not is_folder and not path.resolve().parent.exists():
        raise ConfigError(f"{option} {path} cannot be written: there is no folder {path.parent}.")
    if path.exists() and not os.access(path, os.W_OK):
        raise ConfigError(f"{option} {path} is not writable.")
    check_parent(path, option)


def check_parent(path: Path, option: str = "--output") -> None:
    """Refuse a place beneath a folder that is not writable; folders that are missing can be made."""
    parent = path.resolve().parent
    while not parent.exists():
        parent = parent.parent
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise ConfigError(f"{option} {path} cannot be written: {parent} is not a writable folder.")
