"""What a BPE model learns from: files larger than memory, read in blocks, or lines of any iterable."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from nlptk import _core
from nlptk.corpora.files import LineReader, error_at, open_text
from nlptk.errors import ConfigError, DataError
from nlptk.tokenize.bpe_formats import BYTE_CHARACTERS, Merge
from nlptk.tokenize.bpe_kernel import token_bytes, token_name, unit_bytes
from nlptk.tokenize.pretokenizers import Scanner, Splitter, resolve_pattern

#: A file, several files, or lines.
Corpus = str | os.PathLike[str] | Iterable[str] | Iterable[os.PathLike[str]]
#: Called with what is being done ("count" or "merge"), how much of it is done (bytes of text, tokens), and of
#: how much (None: unknown; an estimate for files that are compressed).
Progress = Callable[[str, int, int | None], None]

_LINES = 4096  # of an iterable, at a time
_LINE = re.compile(r"[^\n]*\n|[^\n]+")  # str.splitlines also cuts at U+2028, form feeds and the like: text


def count_pieces(
    corpus: Corpus, pattern: str, prefix_space: bool, threads: int, errors: str, progress: Progress | None
) -> _core.BpeCounter:
    """A counter that has seen the whole corpus.

    Raises:
        DataError: a file cannot be read or is not UTF-8 (names the line), unless errors="replace".
        ConfigError: `errors` is neither "strict" nor "replace", or `corpus` is no corpus.
    """
    if errors not in ("strict", "replace"):
        raise ConfigError(f'errors must be "strict" or "replace", not {errors!r}')
    how = resolve_pattern(pattern)
    counter = _core.BpeCounter(how.name if isinstance(how, Scanner) else "none", prefix_space, threads)
    files = corpus_files(corpus)
    if files is None:
        lines: Iterable[str] = corpus  # type: ignore[assignment]
        _count_lines(counter, lines, how, prefix_space)
    elif isinstance(how, Scanner):
        _count_files(counter, files, errors, progress)
    else:
        _count_lines(counter, _lines_of(files, errors, progress), how, prefix_space)
    return counter


def corpus_files(corpus: Corpus) -> list[Path] | None:
    """The files that a corpus names, or None if it is lines.

    A path is a file; so are the members of an iterable of paths, and of a list of str that all name files.
    """
    if isinstance(corpus, (str, os.PathLike)):
        return [Path(corpus)]
    if isinstance(corpus, bytes) or not isinstance(corpus, Iterable):
        raise ConfigError("a corpus is a file, a list of files, or an iterable of lines")
    if isinstance(corpus, (list, tuple)) and corpus:
        if all(isinstance(entry, os.PathLike) for entry in corpus):
            return [Path(entry) for entry in corpus]
        if all(isinstance(entry, str) and _is_file(entry) for entry in corpus):
            return [Path(entry) for entry in corpus]
    return None


def _is_file(name: str) -> bool:
    try:
        return "\n" not in name and Path(name).is_file()
    except (OSError, ValueError):  # too long for a name, or with a NUL
        return False


def _count_files(
    counter: _core.BpeCounter, files: list[Path], errors: str, progress: Progress | None
) -> None:
    meter = _Meter(files, progress)
    for path in files:
        with open_text(path) as reader:
            for block in reader.blocks():
                bad = counter.add_lines(block)
                if bad >= 0 and errors == "strict":
                    line = reader.line - block.count(b"\n", bad) + 1
                    message = (
                        f'byte 0x{block[bad]:02x} is not UTF-8; convert the file, or give errors="replace"'
                    )
                    raise error_at(reader.name, line, message)
                if bad >= 0:
                    counter.add_lines(block.decode("utf-8", "replace").encode())
                meter.tell(reader)
            meter.next(reader)


def _lines_of(files: list[Path], errors: str, progress: Progress | None) -> Iterator[str]:
    meter = _Meter(files, progress)
    for path in files:
        with open_text(path) as reader:
            for text in reader.texts(errors):
                yield from _LINE.findall(text)
                meter.tell(reader)
            meter.next(reader)


class _Meter:
    """Tells how many bytes of text are read, and of how many: as the share of the files' bytes on disk is."""

    def __init__(self, files: list[Path], progress: Progress | None) -> None:
        self._progress = progress
        self._size = sum(path.stat().st_size for path in files) if all(map(Path.is_file, files)) else 0
        self._text = self._disk = 0  # of the files before

    def tell(self, reader: LineReader) -> None:
        if self._progress is None:
            return
        text, disk = self._text + reader.text_bytes, self._disk + reader.disk_bytes
        self._progress("count", text, round(text * self._size / disk) if self._size and disk else None)

    def next(self, reader: LineReader) -> None:
        self._text += reader.text_bytes
        self._disk += reader.disk_bytes


def _count_lines(
    counter: _core.BpeCounter, lines: Iterable[str], how: Scanner | Splitter, prefix_space: bool
) -> None:
    stream = iter(lines)
    while batch := list(islice(stream, _LINES)):
        for line in batch:
            if not isinstance(line, str):
                raise DataError(f"a line of the training text must be str, not {type(line).__name__}")
        if isinstance(how, Scanner):
            counter.add_texts(batch)
            continue
        for line in batch:
            text = " " + line if prefix_space and not line.startswith(" ") else line
            counter.add_pieces([text[a:b] for a, b in how.spans(text)])


def learn_merges(
    counter: _core.BpeCounter,
    vocab_size: int,
    special: Sequence[str],
    alphabet: Iterable[str] | None,
    marks: Mapping[str, Any],
    options: Mapping[str, int],
    progress: Progress | None,
) -> tuple[dict[str, int], list[Merge]]:
    """Vocabulary and merges from counted pieces; for the arguments see :meth:`nlptk.BPE.train`.

    Raises:
        DataError: nothing was counted, or the text holds the marks of words' ends or insides.
        ConfigError: `vocab_size` is below the alphabet, or `alphabet` holds more than units.
    """
    byte_level = bool(marks["byte_level"])
    if alphabet is None:
        alphabet = BYTE_CHARACTERS if byte_level else ()
    settings = {
        **options,
        "byte_level": byte_level,
        "marks_start": marks["continuing_subword_prefix"] is not None,
        "marks_end": marks["end_of_word_suffix"] is not None,
        "special": [token_bytes(token, marks) for token in special],
        "alphabet": [unit_bytes(unit, byte_level) for unit in alphabet],
    }
    if counter.pieces == 0:
        raise DataError("bpe: there is nothing to learn from: the training text is empty")
    report = None if progress is None else lambda done: progress("merge", done, vocab_size)
    try:
        tokens, specials, merges = counter.train(vocab_size, settings, report)
    except ValueError as error:
        raise ConfigError(f"bpe: {error}") from None
    names = [*special, *(token_name(token, marks) for token in tokens[specials:])]
    for token, name in zip(tokens, names, strict=True):
        if token_bytes(name, marks) != token:
            raise DataError(
                f"bpe: the training text holds a mark of the model, so that the token {name!r} could be "
                "read in two ways; choose another end_of_word_suffix or continuing_subword_prefix"
            )
    vocab = {name: number for number, name in enumerate(names)}
    return vocab, [(names[a], names[b]) for a, b, _ in merges.tolist()]
