"""Word lists, word classes and gazetteers as kernels hold them: hashes of 32 bits and no strings."""

from __future__ import annotations

import importlib.util
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nlptk import _core
from nlptk.errors import ConfigError, DataError
from nlptk.store import embedded_pipelines, load_model

_MOST_CLASSES = 65_534
_NO_CLASS = 65_535
_LONGEST_NAME = 1_000


@dataclass(frozen=True)
class WordClasses:
    """Several classes for each of a list of words, such as clusters at several grains.

    Attributes:
        names: of the classes; a feature template refers to one as ``cluster:name``.
        keys: uint32 [words], sorted word keys.
        values: uint16 [words, names], class numbers.

    Raises:
        ConfigError: the arrays are of another type or shape.
    """

    names: tuple[str, ...]
    keys: NDArray[np.uint32]
    values: NDArray[np.uint16]

    def __post_init__(self) -> None:
        fits = self.keys.ndim == 1 and self.values.shape == (len(self.keys), len(self.names))
        if not fits or self.keys.dtype != np.uint32 or self.values.dtype != np.uint16:
            raise ConfigError(
                f"word classes must be uint32 [words] and uint16 [words, {len(self.names)}], not "
                f"{self.keys.dtype} {list(self.keys.shape)} and {self.values.dtype} {list(self.values.shape)}"
            )

    @classmethod
    def named(cls, name: str) -> WordClasses:
        """Those in a file that `read` reads, or of the first tagger that has some of an embedded pipeline or
        one in a folder.

        Raises ConfigError where `name` is none of these, ModelError for a pipeline that cannot be read, and
        as `read`.
        """
        if Path(name).is_file():
            return cls.read(name)
        folder = embedded_pipelines().get(name, Path(name))
        for config, arrays in load_model(folder)[1].values() if folder.is_dir() else ():
            names = config.get("state", {}).get("clusters")
            if names and "cluster_keys" in arrays:
                return cls(tuple(names), arrays["cluster_keys"], arrays["cluster_values"])
        raise ConfigError(f"{name!r} is neither a file of word classes nor a pipeline that has some")

    @classmethod
    def empty(cls) -> WordClasses:
        """No words, no classes."""
        return cls((), np.zeros(0, np.uint32), np.zeros((0, 0), np.uint16))

    @classmethod
    def of_labels(
        cls,
        X: Sequence[Sequence[str]],
        y: Sequence[Sequence[str]],
        *,
        name: str = "tags",
        min_count: int = 5,
        min_share: float = 0.0,
    ) -> WordClasses:
        """A dictionary of possible tags: words of the same set of labels are of one class.

        Such ambiguity classes (Kupiec 1992) tell most of neighbours, as in ``cluster:tags[1]``. A word's own
        labels in training are known to the dictionary, those of a rare word in a text to come are not, hence
        `min_count`.

        Args:
            X, y: words and their labels, both lists of lists of strings.
            name: templates refer to the class as ``cluster:name``.
            min_count: rarer words are left out; case is ignored.
            min_share: labels of a smaller share of the word's places are left out.

        Raises:
            ConfigError: there are more than 65,534 sets.
            DataError: X and y are not parallel.
        """
        if [len(words) for words in X] != [len(labels) for labels in y]:
            raise DataError("X and y must have the same sentences: as many, and a label for each word")
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for words, labels in zip(X, y, strict=True):
            for word, label in zip(words, labels, strict=True):
                counts[_core.lower(word)][label] += 1
        sets: dict[int, tuple[str, ...]] = {}
        for word, found in counts.items():
            total = found.total()
            if total >= min_count:
                possible = sorted(label for label, n in found.items() if n >= min_share * total)
                sets[_core.lexicon_key(word)] = tuple(possible)
        numbers = {labels: number for number, labels in enumerate(sorted(set(sets.values())))}
        if len(numbers) > _MOST_CLASSES:
            raise ConfigError(
                f"the words have {len(numbers)} sets of labels, more than {_MOST_CLASSES}; set min_count or "
                "min_share higher"
            )
        keys = sorted(sets)
        values = np.array([numbers[sets[key]] for key in keys], np.uint16).reshape(-1, 1)
        return cls((name,), np.array(keys, np.uint32), values)

    def joined(self, other: WordClasses) -> WordClasses:
        """The classes of both; a word that only one of them has is of one more class of the other's.

        Raises:
            ConfigError: both have a class of the same name.
        """
        if twice := set(self.names) & set(other.names):
            raise ConfigError(f"both have classes named {min(twice)!r}; rename those of one")
        keys = np.union1d(self.keys, other.keys)
        width = len(self.names)
        values = np.full((len(keys), width + len(other.names)), _NO_CLASS, np.uint16)
        values[np.searchsorted(keys, self.keys), :width] = self.values
        values[np.searchsorted(keys, other.keys), width:] = other.values
        return WordClasses((*self.names, *other.names), keys, values)

    @classmethod
    def read(cls, path: str | Path) -> WordClasses:
        """A tab-separated file, gzip or not: a header of "word" and the names, then words and class numbers.

        Words are compared in lower case, character by character as the kernels do it.

        Raises:
            DataError: the file is malformed; names file and line.
        """
        lines = _lines(path)
        header = next(lines, "").split("\t")
        if len(header) < 2 or header[0] != "word":
            raise DataError(
                f"{path}:1: the header must be 'word' and the names of the classes, parted by tabs"
            )
        rows: dict[int, list[int]] = {}
        for number, line in enumerate(lines, 2):
            word, *classes = line.split("\t")
            if len(classes) != len(header) - 1 or not all(
                c.isdecimal() and int(c) <= _MOST_CLASSES for c in classes
            ):
                raise DataError(
                    f"{path}:{number}: expected a word and {len(header) - 1} class numbers "
                    f"up to {_MOST_CLASSES}"
                )
            rows.setdefault(_core.lexicon_key(_core.lower(word)), [int(c) for c in classes])
        keys = sorted(rows)
        values = np.array([rows[key] for key in keys], np.uint16).reshape(len(keys), len(header) - 1)
        return cls(tuple(header[1:]), np.array(keys, np.uint32), values)


@dataclass(frozen=True)
class Gazetteer:
    """Names of one or more words with a class each, such as the kind of name.

    White space counts for nothing, so "New York" is found in "New", "York" and Chinese names in any words or
    characters that spell them.

    Attributes:
        name: a feature template refers to it as ``gazetteer:name``.
        keys: uint32 [names], sorted keys of the names.
        classes: uint16 [names], class numbers.
        prefixes: uint8 [a power of two], a bit for the first two characters of each longer name.
        longest: characters of the longest name, white space not counted.
        ignore_case: whether "new york" is found as well.

    Raises:
        ConfigError: the arrays are of another type or shape, or `longest` is out of range.
    """

    name: str
    keys: NDArray[np.uint32]
    classes: NDArray[np.uint16]
    prefixes: NDArray[np.uint8]
    longest: int
    ignore_case: bool = True

    ARRAYS: ClassVar[tuple[str, ...]] = ("keys", "classes", "prefixes")

    def __post_init__(self) -> None:
        arrays = [getattr(self, name) for name in self.ARRAYS]
        size = self.prefixes.size
        fits = all(array.ndim == 1 for array in arrays) and self.classes.shape == self.keys.shape
        if not fits or [array.dtype for array in arrays] != [np.uint32, np.uint16, np.uint8]:
            found = ", ".join(f"{array.dtype} {list(array.shape)}" for array in arrays)
            raise ConfigError(
                f"a gazetteer must be uint32 [names], uint16 [names] and uint8 [bytes], not {found}"
            )
        if size == 0 or size & (size - 1):
            raise ConfigError(f"a gazetteer's prefixes must be a power of two of bytes, not {size}")
        if not isinstance(self.longest, int) or not 0 <= self.longest <= _LONGEST_NAME:
            raise ConfigError(
                f"the longest name of gazetteer {self.name!r} must have up to {_LONGEST_NAME} characters, "
                f"not {self.longest!r}"
            )

    @classmethod
    def of(cls, name: str, entries: Iterable[tuple[str, str]], *, ignore_case: bool = True) -> Gazetteer:
        """From (name, class) pairs; a name with several classes is of a class of its own, both together.

        Raises:
            DataError: a name has no characters or too many, or there are more than 65,534 classes.
        """
        found: dict[str, set[str]] = {}
        for entry, kind in entries:
            spelled = "".join(entry.split())
            if not 0 < len(spelled) <= _LONGEST_NAME:
                raise DataError(f"{entry!r} in gazetteer {name!r} must have 1 to {_LONGEST_NAME} characters")
            found.setdefault(_core.lower(spelled) if ignore_case else spelled, set()).add(kind)
        numbers: dict[tuple[str, ...], int] = {}
        for kinds in sorted({tuple(sorted(kinds)) for kinds in found.values()}):
            numbers[kinds] = len(numbers)
        if len(numbers) > _MOST_CLASSES:
            raise DataError(f"gazetteer {name!r} has {len(numbers)} classes, more than {_MOST_CLASSES}")
        rows = {_core.lexicon_key(entry): numbers[tuple(sorted(kinds))] for entry, kinds in found.items()}
        keys = np.array(sorted(rows), np.uint32)
        classes = np.array([rows[key] for key in keys.tolist()], np.uint16)
        longest = max(map(len, found), default=0)
        return cls(name, keys, classes, _prefix_bits(found), longest, ignore_case)

    @classmethod
    def read(cls, name: str, source: str | Path, *, ignore_case: bool = True) -> Gazetteer:
        """A file, gzip or not, of lines "name" or "name TAB class"; "jieba": its dictionary, tags as classes.

        Raises:
            DataError: the file is malformed; names file and line.
            ConfigError: jieba is not installed.
        """
        if source == "jieba":
            entries = [(word, tag) for word, _, tag in _jieba_entries()]
            return cls.of(name, entries, ignore_case=ignore_case)
        entries = []
        for number, line in enumerate(_lines(source), 1):
            entry, *rest = line.split("\t")
            if not line.strip():
                continue
            if not entry.strip() or len(rest) > 1 or len(entry) > _LONGEST_NAME:
                raise DataError(f"{source}:{number}: expected a name, or a name, a tab and a class")
            entries.append((entry, rest[0] if rest else ""))
        return cls.of(name, entries, ignore_case=ignore_case)


def read_gazetteers(given: Mapping[str, str | Gazetteer] | None) -> list[Gazetteer]:
    """Those of a setting: names to sources that `Gazetteer.read` reads, or to gazetteers. Raises as it."""
    lists = (given or {}).items()
    return [Gazetteer.read(name, one) if isinstance(one, str) else one for name, one in lists]


def pack_gazetteers(
    gazetteers: Sequence[Gazetteer],
) -> tuple[list[dict[str, Any]], dict[str, NDArray[Any]]]:
    """What JSON can hold of each, and arrays of all."""
    config = [
        {"name": one.name, "longest": one.longest, "ignore_case": one.ignore_case} for one in gazetteers
    ]
    arrays = {
        f"gazetteer_{number}_{part}": getattr(one, part)
        for number, one in enumerate(gazetteers)
        for part in Gazetteer.ARRAYS
    }
    return config, arrays


def unpack_gazetteers(
    config: Sequence[Mapping[str, Any]] | None, arrays: Mapping[str, NDArray[Any]]
) -> dict[str, Gazetteer]:
    """The gazetteers that `pack_gazetteers` packed, by name.

    Raises KeyError, TypeError or ConfigError for what is none.
    """
    found = {}
    for number, one in enumerate(config or ()):
        parts: dict[str, Any] = {part: arrays[f"gazetteer_{number}_{part}"] for part in Gazetteer.ARRAYS}
        found[one["name"]] = Gazetteer(**one, **parts)
    return found


def _prefix_bits(names: Iterable[str]) -> NDArray[np.uint8]:
    """For the first two characters of each longer name the bit of their key, of some eight times as many."""
    keys = lexicon_keys({name[:2] for name in names if len(name) > 2})
    bits = np.zeros(1 << max(3, int(8 * len(keys)).bit_length()), np.uint8)
    bits[keys & np.uint32(len(bits) - 1)] = 1
    return np.packbits(bits, bitorder="little")


def lexicon_keys(words: Iterable[str]) -> NDArray[np.uint32]:
    """Sorted keys (uint32) of the words; of two words in 2^32 that share a key one is enough."""
    return np.unique(np.fromiter((_core.lexicon_key(word) for word in words), np.uint32))


def jieba_words(longest: int = 6) -> list[str]:
    """The words of two to `longest` characters in the installed jieba's dictionary (MIT licence).

    jieba itself is not imported.

    Raises:
        ConfigError: jieba is not installed or has no dictionary.
    """
    return [word for word, *_ in _jieba_entries() if 2 <= len(word) <= longest]


def _jieba_entries() -> Iterator[list[str]]:
    """Word, count and tag of each line of jieba's dictionary."""
    spec = importlib.util.find_spec("jieba")
    path = Path(spec.origin).with_name("dict.txt") if spec is not None and spec.origin else None
    if path is None or not path.is_file():
        raise ConfigError("jieba's dictionary needs the package jieba; install it with: pip install jieba")
    return (line.split(" ") for line in _lines(path))


def read_lexicon(source: str) -> NDArray[np.uint32]:
    """Keys of a word list: "jieba" for jieba's dictionary, otherwise a UTF-8 file with one word a line.

    Raises:
        DataError: the file cannot be read.
        ConfigError: jieba is not installed.
    """
    if source == "jieba":
        return lexicon_keys(jieba_words())
    return lexicon_keys(word for line in _lines(source) if (word := line.strip()))


def _lines(path: str | Path) -> Iterator[str]:
    from nlptk.corpora.files import read_lines  # training alone reads files: loading a model must be quick

    return iter(read_lines(path))
