"""Word classes from raw text: Brown clusters, k-means of word vectors, and their coordinates in bins.

Brown et al. (1992), "Class-based n-gram models of natural language"; Liang (2005), "Semi-supervised learning
for natural language"; Turian et al. (2010), "Word representations", for both kinds as features of a CRF. What
`write_classes` writes is what `nlptk.lexicons.WordClasses.read` and the templates ``cluster:name`` take.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlptk import _core
from nlptk.corpora.files import PathLike, atomic_writer, error_at, read_lines
from nlptk.errors import ConfigError, DataError
from nlptk.vectors.corpus import Corpus, Tokenizer, open_corpus
from nlptk.vectors.keyed_vectors import KeyedVectors

Classes = NDArray[np.uint16]
#: Called with the stage ("copy", "read" or "cluster"), what is done and what there is to do (bytes or words).
Progress = Callable[[str, int, int | None], None]

#: Bits of the prefixes that are classes; Koo et al. (2008) and Turian et al. (2010) use these.
PREFIXES = (4, 6, 10, 20)
#: Classes of each k-means.
SIZES = (64, 256, 1000)
_MOST = 10_000
_MOST_IN_COLUMN = 1 << 16  # of uint16
_MOST_DIGITS = 18  # of a count, so that int64 holds it
_BATCH = 4096


@dataclass(frozen=True)
class BrownClusters:
    """Words at the leaves of a binary tree.

    Attributes:
        words: by falling count.
        counts: int64 [words].
        paths: the way from the root to each word's cluster, as "0" and "1"; words of one cluster share it.
    """

    words: list[str]
    counts: NDArray[np.int64]
    paths: list[str]

    def classes(self, prefixes: Sequence[int] = PREFIXES) -> dict[str, Classes]:
        """A class for each word at each grain, uint16 [words]: "b4" numbers the paths' first 4 bits.

        Raises:
            ConfigError: a prefix is no whole number above 0, or makes more than 65,536 classes.
        """
        result: dict[str, Classes] = {}
        for bits in _check_grains("prefixes", prefixes, most=None):
            begins = [path[:bits] for path in self.paths]
            numbers = {begin: number for number, begin in enumerate(sorted(set(begins)))}
            if len(numbers) > _MOST_IN_COLUMN:
                raise ConfigError(
                    f"prefixes of {bits} bits make {len(numbers)} classes, and a column holds "
                    f"{_MOST_IN_COLUMN}; take fewer bits"
                )
            result[f"b{bits}"] = np.array([numbers[begin] for begin in begins], np.uint16)
        return result

    def save(self, path: PathLike) -> None:
        """Write the `paths` file of Liang's brown-cluster: path, word, count, parted by tabs; .gz compresses.

        Raises:
            DataError: the file cannot be written.
        """
        rows = sorted(
            zip(self.paths, self.words, self.counts.tolist(), strict=True), key=lambda row: (row[0], -row[2])
        )
        with atomic_writer(path) as file:
            for bits, word, count in rows:
                if _is_plain(word):
                    file.write(f"{bits}\t{word}\t{count}\n")

    @classmethod
    def load(cls, path: PathLike) -> BrownClusters:
        """What `save` or brown-cluster wrote.

        Raises:
            DataError: the file is malformed; names file and line.
        """
        rows: list[tuple[int, str, str]] = []
        for number, line in enumerate(read_lines(path), 1):
            bits, *rest = line.split("\t")
            if (
                len(rest) != 2
                or not {*bits} <= {"0", "1"}
                or not rest[1].isdecimal()
                or len(rest[1]) > _MOST_DIGITS
            ):
                raise error_at(str(path), number, "expected bits, a word and its count, parted by tabs")
            rows.append((int(rest[1]), rest[0], bits))
        rows.sort(key=lambda row: -row[0])
        counts = np.array([count for count, _, _ in rows], np.int64)
        return cls([word for _, word, _ in rows], counts, [bits for _, _, bits in rows])


def brown_clusters(
    corpus: Corpus,
    clusters: int = 1000,
    *,
    min_count: int = 10,
    max_final_vocab: int | None = None,
    tokenizer: Tokenizer | None = None,
    errors: str = "strict",
    threads: int = 0,
    progress: Progress | None = None,
) -> BrownClusters:
    """Brown clusters of a corpus's words, by Liang's algorithm with a window of `clusters`.

    Only counting words uses `threads`; the result is the same for any number of them.

    Args:
        corpus: as `nlptk.Word2Vec.fit` takes it, and so `tokenizer` and `errors`.
        clusters: up to 10,000; time grows with its square, and memory by 20 bytes times its square.
        min_count: words that are rarer are left out, and part their neighbours.
        max_final_vocab: at most so many words, the most frequent.
        progress: called now and then.

    Raises:
        ConfigError: a setting is out of range; the corpus can be read only once.
        DataError: the corpus cannot be read or has no word that is frequent enough.
    """
    _check_grains("clusters", [clusters], most=_MOST)
    _check_grains("min_count", [min_count], most=None)
    if max_final_vocab is not None:
        _check_grains("max_final_vocab", [max_final_vocab], most=None)
    tell = progress or (lambda *_: None)
    with open_corpus(
        corpus, tokenizer=tokenizer, errors=errors, progress=lambda done, total: tell("copy", done, total)
    ) as text:
        per_chunk = text.bytes // max(text.chunks, 1)
        try:
            vocabulary = _core.WordVocabulary.count(text, min_count, max_final_vocab or 0, threads=threads)
            if not len(vocabulary):
                raise DataError(
                    f"none of the {vocabulary.raw_words} different words of the corpus occurs {min_count} "
                    "times or more: give more text or a lower min_count"
                )
            of_words, merges = _core.brown_clusters(
                text,
                vocabulary,
                clusters,
                read=lambda chunks: tell("read", chunks * per_chunk, text.bytes),
                clustered=lambda words: tell("cluster", words, len(vocabulary)),
            )
        except ValueError as error:
            raise error if isinstance(error, DataError) else DataError(str(error)) from None
    paths = _paths(merges.tolist())
    return BrownClusters(
        vocabulary.words(), vocabulary.counts().astype(np.int64), [paths[c] for c in of_words.tolist()]
    )


def _paths(merges: list[list[int]]) -> dict[int, str]:
    """The path of each cluster, the last merge at the root."""
    paths = {merges[-1][0] if merges else 0: ""}
    for first, second in reversed(merges):
        paths[second] = paths[first] + "1"
        paths[first] += "0"
    return paths


def kmeans_classes(
    vectors: KeyedVectors, sizes: Sequence[int] = SIZES, *, max_words: int | None = None, seed: int = 1
) -> tuple[list[str], dict[str, Classes]]:
    """K-means classes of word vectors at several grains, by cosine: vectors are brought to length 1 first.

    Args:
        sizes: how many classes: 64 gives the column "k64", and so on.
        max_words: only the first so many words, which are the most frequent where training wrote the file.
        seed: of scikit-learn's MiniBatchKMeans (Sculley 2010).

    Returns:
        the words, and a class for each at each grain, uint16 [words].

    Raises:
        ConfigError: a setting is out of range, or there are fewer words than classes.
    """
    from sklearn.cluster import MiniBatchKMeans

    if max_words is not None:
        _check_grains("max_words", [max_words], most=None)
    words = vectors.index_to_key[:max_words]
    for size in _check_grains("sizes", sizes, most=_MOST):
        if size > len(words):
            raise ConfigError(f"there are {len(words)} words, which are too few for {size} classes")
    points = _unit_vectors(vectors, words)
    columns: dict[str, Classes] = {}
    for size in sizes:
        means = MiniBatchKMeans(size, random_state=seed, n_init=3, batch_size=_BATCH)
        columns[f"k{size}"] = means.fit(points).labels_.astype(np.uint16)
    return words, columns


def quantized_classes(
    vectors: KeyedVectors, axes: int = 50, bins: int = 3, *, max_words: int | None = None
) -> tuple[list[str], dict[str, Classes]]:
    """Classes of word vectors by their coordinates: "q1" says in which bin a word is on the first axis.

    Vectors are brought to length 1 and turned to their principal axes, the first of which tell most. Bins
    hold equally many words; three are the binarized embeddings of Guo et al. (2014), "Revisiting embedding
    features for simple semi-supervised learning": clearly low, in between, clearly high.

    Args:
        axes: how many.
        bins: of each axis.
        max_words: as for `kmeans_classes`.

    Returns:
        the words, and a class for each on each axis, uint16 [words].

    Raises:
        ConfigError: a setting is out of range, or the vectors have fewer dimensions than axes.
    """
    if max_words is not None:
        _check_grains("max_words", [max_words], most=None)
    _check_grains("axes", [axes], most=vectors.vector_size)
    _check_grains("bins", [bins], most=_MOST)
    words = vectors.index_to_key[:max_words]
    points = _unit_vectors(vectors, words)
    points -= points.mean(axis=0)
    directions = np.linalg.eigh(points.T @ points)[1][:, ::-1][:, :axes]
    columns: dict[str, Classes] = {}
    for number, column in enumerate((points @ directions).T, 1):
        edges = np.quantile(column, np.arange(1, bins) / bins)
        columns[f"q{number}"] = np.searchsorted(edges, column, side="right").astype(np.uint16)
    return words, columns


def _unit_vectors(vectors: KeyedVectors, words: Sequence[str]) -> NDArray[np.float32]:
    points = np.asarray(vectors[words], np.float32)
    return np.asarray(points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-9))


def write_classes(path: PathLike, words: Sequence[str], columns: Mapping[str, NDArray[Any]]) -> int:
    """Write the file that `nlptk.lexicons.WordClasses.read` takes; .gz compresses. Returns the words written.

    Words with a tab or line end in them are left out.

    Raises:
        DataError: the file cannot be written.
    """
    written = 0
    with atomic_writer(path) as file:
        file.write("\t".join(["word", *columns]) + "\n")
        for word, *classes in zip(words, *(column.tolist() for column in columns.values()), strict=True):
            if _is_plain(word):
                file.write("\t".join([word, *map(str, classes)]) + "\n")
                written += 1
    return written


def _is_plain(word: str) -> bool:
    return "\t" not in word and len(word.splitlines()) == 1


def _check_grains(name: str, values: Sequence[int], most: int | None) -> Sequence[int]:
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int) or value < 1 or (most and value > most):
            wanted = f"from 1 to {most}" if most else "above 0"
            raise ConfigError(f"{name} must be whole numbers {wanted}, not {value!r}")
    if not values or len(set(values)) < len(values):
        raise ConfigError(f"{name} must be at least one number, each of them once, not {list(values)}")
    return values
