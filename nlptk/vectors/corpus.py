"""What word vectors are trained on: files that threads read for themselves, or a copy of anything else.

A plain file is read where it is. What cannot be read by parts or twice (gzip, standard input), or has no file
(token lists, text that a tokenizer is to cut), is first copied to a temporary file, so that no epoch waits
for Python.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from nlptk import _core
from nlptk.corpora.files import LineReader, PathLike, named_files, open_text, source_name
from nlptk.errors import ConfigError, DataError

#: A file, several files (one sentence a line), or sentences that can be read again.
Corpus = PathLike | Sequence[PathLike] | Iterable[Sequence[str]]
#: Cuts a line of raw text into words.
Tokenizer = Callable[[str], Sequence[str]]
#: Called with the bytes read, and those there are (None: unknown).
Progress = Callable[[int, int | None], None]

ERRORS = ("strict", "replace", "ignore")
_TOKEN_END, _LINE_END = "\x1f", "\x1e"  # of a copy made of tokens


def checked_sentences(sentences: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    """The sentences, checked. Raises DataError for one that is no list of words."""
    if isinstance(sentences, str):
        raise DataError("sentences are lists of words, not one string")
    for number, sentence in enumerate(sentences):
        if isinstance(sentence, str) or not isinstance(sentence, Sequence):
            raise DataError(f"sentence {number} is {type(sentence).__name__}: it must be a list of words")
        if not {*map(type, sentence)} <= {str} and not all(isinstance(word, str) for word in sentence):
            raise DataError(f"sentence {number} holds a word that is no string")
        yield sentence


@contextlib.contextmanager
def open_corpus(
    corpus: Corpus,
    *,
    tokenizer: Tokenizer | None = None,
    errors: str = "strict",
    folder: PathLike | None = None,
    progress: Progress | None = None,
    chunk_bytes: int = 1 << 20,
) -> Iterator[_core.TokenCorpus]:
    """The corpus as the kernels read it; copies are removed at the end.

    Args:
        tokenizer: for raw text; without it words are what stands between white space (`str.split`).
        errors: of bytes that are not UTF-8: "strict", "replace" (U+FFFD) or "ignore" (dropped).
        folder: where copies go; by default the system's folder for temporary files.
        chunk_bytes: of the pieces that threads take.

    Raises:
        ConfigError: a corpus that is none, or can be read only once; `errors` is none that there is; a
            tokenizer for sentences.
        DataError: a file cannot be read; a sentence is no list of words; the disk is full.
    """
    if errors not in ERRORS:
        raise ConfigError(f"errors must be one of {', '.join(ERRORS)}, not {errors!r}")
    if isinstance(corpus, Iterator):
        raise ConfigError(
            "the corpus is a generator, which can be read only once: give a list, an object whose "
            "__iter__ begins anew, or the name of a file"
        )
    files = named_files(corpus)
    if files is None and tokenizer is not None:
        raise ConfigError("a tokenizer is for files of raw text; these sentences are lists of words already")
    with contextlib.ExitStack() as stack:
        copies = _Copies(stack, folder)
        if files is None:
            path = copies.new()
            with copies.writing(path) as out:
                _write_sentences(corpus, out)  # type: ignore[arg-type]
            yield _core.TokenCorpus([path], ["<sentences>"], spooled=True, chunk_bytes=chunk_bytes)
        elif tokenizer is not None:
            path = copies.new()
            with copies.writing(path) as out:
                for file in files:
                    _write_cut(file, tokenizer, errors, out, progress)
            yield _core.TokenCorpus([path], ["<tokens>"], spooled=True, chunk_bytes=chunk_bytes)
        else:
            paths = [file if _is_plain(file) else copies.of(file, progress) for file in files]
            try:
                names = [source_name(file) for file in files]
                text = _core.TokenCorpus(paths, names, errors=errors, chunk_bytes=chunk_bytes)
            except ValueError as error:
                raise DataError(str(error)) from None
            yield text


class _Copies:
    """Temporary files, made when the first is needed."""

    def __init__(self, stack: contextlib.ExitStack, parent: PathLike | None) -> None:
        self._stack, self._parent = stack, parent
        self._folder: str | None = None
        self._made = 0

    def new(self) -> str:
        if self._folder is None:
            folder = tempfile.TemporaryDirectory(prefix="nlptk-corpus-", dir=self._parent)
            self._folder = self._stack.enter_context(folder)
        self._made += 1
        return str(Path(self._folder) / f"{self._made}.txt")

    @contextlib.contextmanager
    def writing(self, path: str) -> Iterator[IO[bytes]]:
        try:
            with open(path, "wb") as out:
                yield out
        except OSError as error:
            message = f"cannot copy the corpus to {os.path.dirname(path)!r}: {error.strerror or error}"
            raise DataError(f"{message}; set TMPDIR to a folder with more space") from error

    def of(self, file: str, progress: Progress | None) -> str:
        """A plain copy of a gzip file or of standard input."""
        path = self.new()
        with open_text(file) as reader, self.writing(path) as out:
            for block in reader.blocks():
                out.write(block)
                _tell(reader, progress)
        return path


def _is_plain(file: str) -> bool:
    """Whether the file can be read by parts as it is."""
    if file == "-":
        return False
    try:
        if not stat.S_ISREG(os.stat(file).st_mode):
            return False
        with open(file, "rb") as stream:
            return stream.read(2) != b"\x1f\x8b"
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        hint = "; sentences are given as lists of words" if len(file.split()) > 1 else ""
        raise DataError(f"cannot read {shortened(file)}: {why}{hint}") from error


def shortened(text: str) -> str:
    """Its repr, with an end to it."""
    return repr(text) if len(text) <= 80 else repr(text[:80]) + "..."


def _tell(reader: LineReader, progress: Progress | None) -> None:
    if progress is not None:
        size = reader.disk_size
        progress(reader.disk_bytes if size else reader.text_bytes, size)


def _write_cut(
    file: str, tokenizer: Tokenizer, errors: str, out: IO[bytes], progress: Progress | None
) -> None:
    with open_text(file) as reader:
        for text in reader.texts(errors):
            lines = (_joined([w for w in tokenizer(line) if not w.isspace()]) for line in text.split("\n"))
            try:
                out.write("".join(lines).encode())
            except UnicodeEncodeError as error:
                bad = error.object[error.start]
                raise DataError(
                    f"the tokenizer gave {bad!r}, a lone surrogate, which UTF-8 cannot carry"
                ) from None
            _tell(reader, progress)


def _write_sentences(sentences: Iterable[Sequence[str]], out: IO[bytes]) -> None:
    for number, sentence in enumerate(checked_sentences(sentences)):
        try:
            line = _joined(sentence).encode()
        except UnicodeEncodeError as error:
            raise DataError(
                f"sentence {number} holds {error.object[error.start]!r}, a lone surrogate, which UTF-8 "
                "cannot carry; replace it"
            ) from None
        if line.count(b"\x1f") >= max(len(sentence), 1) or line.count(b"\x1e") > 1:
            raise DataError(f"sentence {number} holds a word with U+001E or U+001F in it; leave them out")
        out.write(line)


def _joined(words: Sequence[str]) -> str:
    return _TOKEN_END.join(words) + _LINE_END if words else ""
