"""Phrases: words that stand together more often than chance has it, joined to one, as "new_york".

A pair of words is a phrase if its score is above a threshold. The score "default" is
``(count(a b) - min_count) / (count(a) * count(b)) * types`` (Mikolov et al. 2013, "Distributed
Representations of Words and Phrases"; word2phrase.c has the number of words in place of that of types);
"npmi" is normalised pointwise mutual information (Bouma 2009), from -1 to 1. What is joined, and every score,
are those of gensim's ``Phrases``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from nlptk import _core
from nlptk.corpora.files import (
    LineReader,
    PathLike,
    atomic_writer,
    error_at,
    named_files,
    open_text,
    source_name,
)
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.estimator import Estimator
from nlptk.vectors.corpus import Corpus, checked_sentences

if TYPE_CHECKING:
    from typing_extensions import Self

#: English words that may stand within a phrase ("bank_of_america"), not at its ends.
ENGLISH_CONNECTOR_WORDS = frozenset(
    "a an and at by for from in of on or the to with without".split()  # noqa: SIM905 (reads better)
)

#: Called with the pass, from 1, the bytes of text read and the bytes there are (None: unknown).
Progress = Callable[[int, int, int | None], None]

_FORMAT = "nlptk-phrases"
_BATCH = 1024  # sentences


class Phrases(Estimator):
    """Finds phrases in a corpus and joins them.

    Args:
        min_count: counts below it are no phrase; what the default score takes off each.
        threshold: a phrase's score is above it; or one for each pass (word2phrase is often run with less and
            less).
        scoring: "default" or "npmi".
        delimiter: what words are joined by.
        connector_words: may stand within a phrase, any number of them, but not at its ends.
        passes: times that the corpus is read; each joins what the one before it made, so that two passes find
            phrases of up to four words.
        max_vocab_size: words and pairs kept while counting (about 80 bytes each); when there are more, the
            rarest are forgotten.
        threads: 0 for all cores. The result does not depend on it.
    """

    def __init__(
        self,
        min_count: float = 5,
        threshold: float | Sequence[float] = 10.0,
        scoring: str = "default",
        delimiter: str = "_",
        connector_words: Iterable[str] = (),
        passes: int = 1,
        max_vocab_size: int = 40_000_000,
        threads: int = 0,
    ) -> None:
        self.min_count = min_count
        self.threshold = threshold
        self.scoring = scoring
        self.delimiter = delimiter
        self.connector_words = connector_words
        self.passes = passes
        self.max_vocab_size = max_vocab_size
        self.threads = threads

    # ---- learning ----

    def fit(
        self, corpus: Corpus, y: object = None, *, errors: str = "strict", progress: Progress | None = None
    ) -> Self:
        """Find the phrases of a corpus: text files, gzip or not, a sentence a line; or lists of words.

        Lines of more than 10,000 words are read as several sentences (gensim's ``LineSentence`` does so).

        Raises:
            ConfigError: a setting that is none, or several passes over what can be read only once.
            DataError: a file cannot be read or is not UTF-8 (names the line), unless errors="replace"; a
                sentence is no list of words; the corpus has no word.
        """
        rules = self._rules()
        files, sentences = _corpus(corpus, self.passes)
        tables: list[_core.PhraseTable] = []
        for number, rule in enumerate(rules, 1):
            counter = _core.PhraseCounter(rule, tables, self.max_vocab_size, self.threads)
            if files is not None:
                _count_files(counter, files, errors, number, progress)
            else:
                _count_sentences(counter, sentences)
            if not counter.words:
                raise DataError("there is nothing to find phrases in: the corpus has no words")
            tables.append(counter.take())
        self.tables_ = tables
        return self

    def _rules(self) -> list[_core.PhraseRules]:
        """The settings of each pass. Raises ConfigError for what is none."""
        if self.scoring not in ("default", "npmi"):
            raise ConfigError(f"scoring must be 'default' or 'npmi', not {self.scoring!r}")
        if not isinstance(self.delimiter, str) or not self.delimiter:
            raise ConfigError(f"the delimiter must be a string that is not empty, not {self.delimiter!r}")
        if not self.min_count > 0:
            raise ConfigError(f"min_count must be above 0, not {self.min_count!r}")
        if self.passes < 1 or self.max_vocab_size < 1:
            raise ConfigError("passes and max_vocab_size must be at least 1")
        words = [self.connector_words] if isinstance(self.connector_words, str) else self.connector_words
        connectors = sorted(set(words))
        if not all(isinstance(word, str) and word for word in connectors):
            raise ConfigError("a connector word must be a string that is not empty")
        thresholds = (
            [self.threshold] * self.passes if isinstance(self.threshold, (int, float)) else self.threshold
        )
        if len(thresholds) != self.passes:
            raise ConfigError(f"there are {len(thresholds)} thresholds for {self.passes} passes")
        npmi = self.scoring == "npmi"
        for threshold in thresholds:
            if npmi and not -1 <= threshold <= 1:
                raise ConfigError(f"the threshold of npmi must be from -1 to 1, not {threshold!r}")
            if not npmi and not threshold > 0:
                raise ConfigError(f"the threshold must be above 0, not {threshold!r}")
        return [
            _core.PhraseRules(self.delimiter, connectors, npmi, threshold, self.min_count)
            for threshold in thresholds
        ]

    # ---- joining ----

    def transform(self, sentences: Iterable[Sequence[str]]) -> list[list[str]]:
        """Lists of words with their phrases joined.

        Raises:
            DataError: a sentence is no list of words.
            ConfigError: nothing was learned yet.
        """
        return [self[sentence] for sentence in checked_sentences(sentences)]

    def __getitem__(self, sentence: Sequence[str]) -> list[str]:
        """One sentence, a list of words, with its phrases joined."""
        return self._join(sentence, {})

    def find_phrases(self, sentences: Iterable[Sequence[str]]) -> dict[str, float]:
        """The phrases that the sentences hold, and their scores, in order of appearance."""
        found: dict[str, float] = {}
        for sentence in checked_sentences(sentences):
            self._join(sentence, found)
        return found

    def join_lines(self, reader: LineReader, errors: str = "strict") -> Iterator[str]:
        """The lines of a text file, many at a time, with one space between words and phrases joined.

        Raises:
            DataError: the file is not UTF-8 (names the line), unless errors="replace".
        """
        tables = self._tables()
        for block in reader.blocks():
            joined = _core.join_phrases(tables, block, self.threads)
            if isinstance(joined, int):
                joined = _core.join_phrases(tables, _replaced(reader, block, joined, errors), self.threads)
            assert isinstance(joined, bytes)
            yield joined.decode()

    @property
    def phrases(self) -> dict[str, float]:
        """All phrases and their scores, pass by pass; the higher score if one is made of several pairs."""
        scores: dict[str, float] = {}
        for table in self._tables():
            for phrase, _, _, score in table.phrases:
                text = _text(phrase)
                scores[text] = max(score, scores.get(text, score))
        return scores

    def _join(self, sentence: Sequence[str], found: dict[str, float]) -> list[str]:
        words = list(sentence)
        for table in self._tables():
            for begin, end, score in reversed(table.find(words)):
                words[begin:end] = [self.delimiter.join(words[begin:end])]
                found[words[begin]] = score
        return words

    def _tables(self) -> list[_core.PhraseTable]:
        tables: list[_core.PhraseTable] | None = getattr(self, "tables_", None)
        if tables is None:
            raise ConfigError("no phrases were learned yet: call fit, or Phrases.load")
        return tables

    # ---- saving ----

    def save(self, path: PathLike) -> None:
        """Write settings and phrases as JSON, gzip if the name ends in ".gz".

        Raises:
            DataError: the file cannot be written.
        """
        settings = {**self.get_params(), "connector_words": sorted(self.connector_words)}
        with atomic_writer(path) as file:
            file.write(
                f'{{"format": "{_FORMAT}", "version": 1, "settings": {json.dumps(settings)}, "passes": ['
            )
            for number, table in enumerate(self._tables()):
                rows = []
                for phrase, first, last, score in table.phrases:
                    sizes = [len(_text(phrase[:first])), len(_text(phrase[len(phrase) - last :]))]
                    rows.append(json.dumps([_text(phrase), *sizes, score]))
                file.write(("," if number else "") + "[\n" + ",\n".join(rows) + "]")
            file.write("]}\n")

    @classmethod
    def load(cls, path: PathLike) -> Self:
        """What `save` wrote.

        Raises:
            ModelError: the file is missing, damaged, or holds something else.
        """
        name = source_name(path)
        try:
            with open_text(path) as reader:
                data = json.loads(reader.read())
            if not isinstance(data, dict) or data.get("format") != _FORMAT:
                raise ModelError(f"{name} does not hold phrases: save them with Phrases.save")
            if data["version"] != 1:
                raise ModelError(f"{name} has format version {data['version']}; this nlptk knows version 1")
            model = cls(**data["settings"])
            model.tables_ = [
                _core.PhraseTable(rules, [_row(*row) for row in rows])
                for rules, rows in zip(model._rules(), data["passes"], strict=True)
            ]
        except (DataError, ConfigError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{name} is damaged or no file of phrases: {error}") from error
        return model


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def _row(phrase: str, first: int, last: int, score: float) -> tuple[bytes, int, int, float]:
    data = [
        part.encode("utf-8", "surrogatepass")
        for part in (phrase, phrase[:first], phrase[len(phrase) - last :])
    ]
    return data[0], len(data[1]), len(data[2]), float(score)


# ---- corpora ----


def _corpus(corpus: Corpus, passes: int) -> tuple[list[Path] | None, Iterable[Sequence[str]]]:
    """The files that a corpus names, or None and its sentences."""
    files = named_files(corpus)
    if files is not None:
        return [Path(file) for file in files], ()
    if isinstance(corpus, Iterator) and passes > 1:
        raise ConfigError(
            f"{passes} passes read the corpus so often, but a generator can be read once: give a list"
        )
    return None, corpus  # type: ignore[return-value]


def _count_files(
    counter: _core.PhraseCounter, files: list[Path], errors: str, number: int, progress: Progress | None
) -> None:
    size = sum(path.stat().st_size for path in files) if all(map(Path.is_file, files)) else 0
    text = disk = 0  # of the files before
    for path in files:
        with open_text(path) as reader:
            for block in reader.blocks():
                bad = counter.add_lines(block)
                if bad >= 0:
                    counter.add_lines(_replaced(reader, block, bad, errors))
                if progress is not None:
                    done, read = text + reader.text_bytes, disk + reader.disk_bytes
                    progress(number, done, round(done * size / read) if size and read else None)
            text, disk = text + reader.text_bytes, disk + reader.disk_bytes


def _replaced(reader: LineReader, block: bytes, bad: int, errors: str) -> bytes:
    """The block with U+FFFD for bytes that are not UTF-8; DataError unless that is wanted."""
    if errors == "replace":
        return block.decode("utf-8", "replace").encode()
    line = reader.line - block.count(b"\n", bad) + 1
    message = f'byte 0x{block[bad]:02x} is not UTF-8; convert the file, or give errors="replace"'
    raise error_at(reader.name, line, message)


def _count_sentences(counter: _core.PhraseCounter, sentences: Iterable[Sequence[str]]) -> None:
    stream = checked_sentences(sentences)
    while batch := list(islice(stream, _BATCH)):
        counter.add_sentences(batch)
