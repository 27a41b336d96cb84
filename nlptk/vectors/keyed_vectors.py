"""Words and their vectors: look-up, similarity, analogies, files; gensim's names and answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nlptk import _core
from nlptk.corpora.files import PathLike
from nlptk.errors import ConfigError
from nlptk.vectors import evaluation, formats
from nlptk.vectors.formats.text import ROWS
from nlptk.vectors.lookup import Floats, Key, WordVectors, unit
from nlptk.vectors.nearest import NearestIndex, named

Weighted = Key | tuple[Key, float]
Keys = Weighted | Sequence[Weighted]
Similar = list[tuple[str, float]]


class KeyedVectors(WordVectors):
    """Vectors of words, which do not change.

    Args:
        index_to_key: the words, none of them twice.
        vectors: [words, dim] float32 (others are converted); or int8, with `scales`.
        counts: [words], how often each stood in the corpus.
        subwords: what unseen words get their vectors from.
        scales: [words] of int8 vectors: value = code * scale; see `quantize`.

    Attributes:
        index_to_key: the words by number, the most frequent first if training or the file had it so.
        key_to_index: the number of each word.
        vector_size: dimensions.
        counts, subwords: as given.

    Raises ConfigError if these do not fit each other or a word stands there twice.
    """

    _index: NearestIndex | None = None  # made by the first search

    # ---- the nearest words ----

    def most_similar(
        self,
        positive: Keys | None = None,
        negative: Keys | None = None,
        topn: int | None = 10,
        clip_start: int = 0,
        clip_end: int | None = None,
        restrict_vocab: int | None = None,
    ) -> Any:
        """The words whose vectors have the largest cosine with the mean of those given: 3CosAdd.

        Args:
            positive, negative: words, numbers of words or vectors, or lists of them; each may be a pair with
                a weight (1.0, or -1.0 of the negative). Vectors of words count with length 1. Words given are
                not answers.
            topn: so many answers; None: the cosines of all words.
            clip_start, clip_end: only words of this range.
            restrict_vocab: only so many of the first words.

        Returns pairs of word and cosine, best first, equal ones by their words' numbers; or [words] cosines.

        Raises KeyError for a word without a vector, ConfigError for no key and for a vector of another size.
        """
        if topn is not None and topn < 1:
            return []
        begin, end = self._range(clip_start, clip_end, restrict_vocab)
        mean, given = self._query(positive, negative)
        if topn is None:
            return self._cosines(mean, begin, end)
        return self._answers([mean[None]], [given], topn, begin, end)[0]

    def most_similar_batch(
        self,
        queries: Sequence[Keys | Mapping[str, Keys]],
        topn: int = 10,
        restrict_vocab: int | None = None,
        multiply: bool = False,
    ) -> list[Similar]:
        """`most_similar` of many queries, which share each reading of the vectors: twice as fast and more.

        A query is what `positive` takes, or a mapping with "positive" and "negative". With `multiply`,
        3CosMul: see `most_similar_cosmul`.
        """
        pairs = [
            (q.get("positive"), q.get("negative")) if isinstance(q, Mapping) else (q, None) for q in queries
        ]
        begin, end = self._range(0, None, restrict_vocab)
        if topn < 1 or not pairs:
            return [[] for _ in pairs]
        if not multiply:
            made = [self._query(*pair) for pair in pairs]
            return self._answers(
                [mean[None] for mean, _ in made], [given for _, given in made], topn, begin, end
            )
        answers: list[Similar] = [[] for _ in pairs]
        shapes: dict[tuple[int, int], list[int]] = {}
        terms = [self._terms(*pair) for pair in pairs]
        for number, (vectors, positives, _) in enumerate(terms):
            shapes.setdefault((len(vectors), positives), []).append(number)
        for (_, positives), numbers in shapes.items():  # queries of one pass have one shape
            some = [terms[number][0] for number in numbers]
            given = [terms[number][2] for number in numbers]
            found = self._answers(some, given, topn, begin, end, positives, multiply=True)
            for number, answer in zip(numbers, found, strict=True):
                answers[number] = answer
        return answers

    def most_similar_cosmul(
        self,
        positive: Keys | None = None,
        negative: Keys | None = None,
        topn: int | None = 10,
        restrict_vocab: int | None = None,
    ) -> Any:
        """As `most_similar` by 3CosMul (Levy and Goldberg 2014, equation 4): cosines, moved to [0, 1], are
        multiplied over the positive words and divided by those of the negative ones plus 1e-6.

        There are no weights, and vectors given count with length 1 (gensim takes them as they are).

        Raises as `most_similar`, and ConfigError without a positive word.
        """
        if topn is not None and topn < 1:
            return []
        begin, end = self._range(0, None, restrict_vocab)
        vectors, positives, given = self._terms(positive, negative)
        if topn is None:
            cosines = [(1 + self._cosines(vector, begin, end)) / 2 for vector in vectors]
            above = np.prod(cosines[:positives], axis=0)
            return above / (np.prod(cosines[positives:], axis=0) + 1e-6)
        return self._answers([vectors], [given], topn, begin, end, positives, multiply=True)[0]

    def similar_by_word(self, word: str, topn: int | None = 10, restrict_vocab: int | None = None) -> Any:
        """`most_similar` of one word."""
        return self.most_similar([word], topn=topn, restrict_vocab=restrict_vocab)

    similar_by_key = similar_by_word

    def similar_by_vector(
        self, vector: npt.ArrayLike, topn: int | None = 10, restrict_vocab: int | None = None
    ) -> Any:
        """`most_similar` of one vector."""
        return self.most_similar([np.asarray(vector)], topn=topn, restrict_vocab=restrict_vocab)

    def _query(self, positive: Keys | None, negative: Keys | None) -> tuple[Floats, set[int]]:
        """The mean vector that is searched with, of length 1, and the numbers of the words given."""
        pairs = [_weighted(key, 1.0) for key in _listed(positive)]
        pairs += [_weighted(key, -1.0) for key in _listed(negative)]
        keys = [key for key, _ in pairs]
        weights = [weight for _, weight in pairs]
        mean = self.get_mean_vector(keys, weights, post_normalize=True, ignore_missing=False)
        return mean, self._numbers(keys)

    def _terms(self, positive: Keys | None, negative: Keys | None) -> tuple[Floats, int, set[int]]:
        """The vectors that are searched with [terms, dim], how many are positive, and the words' numbers."""
        keys = [*_listed(positive), *_listed(negative)]
        positives = len(_listed(positive))
        if not positives:
            raise ConfigError("there is nothing to be similar to; give a positive word or vector")
        if any(isinstance(key, tuple) for key in keys):
            raise ConfigError("3CosMul takes no weights; give words or vectors")
        vectors = [
            unit(self._checked(key)) if isinstance(key, np.ndarray) else self.get_vector(key, norm=True)
            for key in keys
        ]
        return np.stack(vectors).astype(np.float32), positives, self._numbers(keys)

    def _numbers(self, keys: Iterable[Any]) -> set[int]:
        words = (key for key in keys if not isinstance(key, np.ndarray))
        return {self.get_index(key) for key in words if not isinstance(key, str) or key in self.key_to_index}

    def _range(self, begin: int, end: int | None, restrict: int | None) -> tuple[int, int]:
        if restrict:
            begin, end = 0, restrict
        begin, end, _ = slice(begin, end or None).indices(len(self))
        return begin, max(begin, end)

    def _answers(
        self,
        terms: Sequence[Floats],
        given: Sequence[set[int]],
        topn: int,
        begin: int,
        end: int,
        positives: int = 1,
        multiply: bool = False,
    ) -> list[Similar]:
        if self._index is None:
            self._index = NearestIndex(self._table.matrix, self.index_to_key)
        most = topn + max(map(len, given))
        found, scores = self._index.nearest(
            np.stack(terms), most, positives=positives, multiply=multiply, begin=begin, end=end
        )
        words = self.index_to_key
        return [
            [(words[i], score) for i, score in zip(rows, values, strict=True) if i not in hidden][:topn]
            for rows, values, hidden in zip(found.tolist(), scores.tolist(), given, strict=True)
        ]

    def _cosines(self, vector: Floats, begin: int, end: int) -> Floats:
        """Of all words with a vector, [words]; NaN of words whose vectors are zeros, as gensim has it."""
        parts = [self._table.floats(at, min(at + ROWS, end)) @ vector for at in range(begin, end, ROWS)]
        with np.errstate(invalid="ignore", divide="ignore"):
            cosines = np.concatenate([np.zeros(0, np.float32), *parts]) / self.norms[begin:end]
        return cosines.astype(np.float32, copy=False)

    # ---- similarity ----

    def similarity(self, w1: str | int, w2: str | int) -> float:
        """The cosine of two words. KeyError for one without a vector."""
        return float(self.get_vector(w1, norm=True) @ self.get_vector(w2, norm=True))

    def distance(self, w1: str | int, w2: str | int) -> float:
        """1 minus the cosine of two words."""
        return 1 - self.similarity(w1, w2)

    def distances(self, word_or_vector: Key, other_words: Sequence[str | int] = ()) -> Floats:
        """1 minus the cosines of a word, or a vector, with other words, or with all: [words]."""
        vector = (
            unit(self._checked(word_or_vector))
            if isinstance(word_or_vector, np.ndarray)
            else self.get_vector(word_or_vector, norm=True)
        )
        if not other_words:
            return 1 - self._cosines(vector, 0, len(self))
        return 1 - np.stack([self.get_vector(word, norm=True) for word in other_words]) @ vector

    def n_similarity(self, ws1: Sequence[str], ws2: Sequence[str]) -> float:
        """The cosine of the means of two lists of words, which ConfigError refuses if empty."""
        means = [
            self.get_mean_vector(words, pre_normalize=False, post_normalize=True) for words in (ws1, ws2)
        ]
        return float(means[0] @ means[1])

    def rank_by_centrality(self, words: Sequence[str], use_norm: bool = True) -> list[tuple[float, str]]:
        """Words by their cosine with the mean of all of them, largest first; those without vectors left out.

        Raises ConfigError if none is left.
        """
        used = [word for word in words if word in self]
        if not used:
            raise ConfigError("none of these words has a vector")
        vectors = np.stack([self.get_vector(word, norm=use_norm) for word in used])
        mean = self.get_mean_vector(list(vectors), post_normalize=True)
        return sorted(zip((vectors @ mean).tolist(), used, strict=True), reverse=True)

    def doesnt_match(self, words: Sequence[str]) -> str:
        """The word that is farthest from the mean of all of them. ConfigError if none has a vector."""
        return self.rank_by_centrality(words)[-1][1]

    def evaluate_word_pairs(
        self,
        pairs: PathLike,
        delimiter: str | None = None,
        restrict_vocab: int = 300_000,
        case_insensitive: bool = True,
        dummy4unknown: bool = False,
    ) -> tuple[evaluation.Correlation, evaluation.Correlation, float]:
        """Correlation with human scores: see `nlptk.vectors.evaluation.evaluate_word_pairs`."""
        return evaluation.evaluate_word_pairs(
            self, pairs, delimiter, restrict_vocab, case_insensitive, dummy4unknown
        )

    def evaluate_word_analogies(
        self,
        analogies: PathLike,
        restrict_vocab: int = 30_000,
        case_insensitive: bool = True,
        dummy4unknown: bool = False,
    ) -> tuple[float, list[dict[str, Any]]]:
        """Accuracy on analogies: see `nlptk.vectors.evaluation.evaluate_word_analogies`."""
        return evaluation.evaluate_word_analogies(
            self, analogies, restrict_vocab, case_insensitive, dummy4unknown
        )

    # ---- files ----

    @classmethod
    def load(
        cls,
        path: PathLike,
        mmap: bool = True,
        errors: str = "strict",
        format: str | None = None,
        threads: int = 0,
    ) -> KeyedVectors:
        """Read a file of any format there is: see `nlptk.vectors.formats.load`."""
        table = formats.load(path, format=format, mmap=mmap, errors=errors, threads=threads)
        return cls(
            table.words, table.matrix, counts=table.counts, subwords=table.subwords, scales=table.scales
        )

    def save(self, path: PathLike, format: str | None = None, digits: int = 6, threads: int = 0) -> None:
        """Write a file; its ending, or `format`, chooses the kind: see `nlptk.vectors.formats.save`."""
        table = self._table
        formats.save(
            path,
            table.words,
            table.matrix,
            scales=table.scales,
            counts=table.counts,
            subwords=table.subwords,
            format=format,
            digits=digits,
            threads=threads,
        )

    @classmethod
    def load_word2vec_format(
        cls, fname: PathLike, binary: bool = False, unicode_errors: str = "strict", no_header: bool = False
    ) -> KeyedVectors:
        """Read word2vec's text or binary file, or GloVe's (`no_header`)."""
        if binary and no_header:
            raise ConfigError("binary files have a header; leave out no_header")
        kind = "word2vec-bin" if binary else "glove" if no_header else "word2vec"
        return cls.load(fname, errors=unicode_errors, format=kind)

    def save_word2vec_format(self, fname: PathLike, binary: bool = False, write_header: bool = True) -> None:
        """Write word2vec's text or binary file, or GloVe's (without header); numbers as they are."""
        if binary and not write_header:
            raise ConfigError("binary files need a header; leave out write_header")
        self.save(fname, "word2vec-bin" if binary else "word2vec" if write_header else "glove", digits=0)

    def quantize(self) -> KeyedVectors:
        """The same words with 8-bit vectors: a quarter of the memory, all methods alike.

        Each row is divided by its largest value / 127 and rounded, n-grams' rows too. What is lost of a row
        is about 0.7 % of its length at 300 dimensions: see `quantization_loss`. Itself if it is quantized.
        """
        if self.scales is not None:
            return self
        try:
            codes, scales, *_ = _core.quantize_rows(self._table.matrix)
        except ValueError as error:
            raise named(error, self.index_to_key) from error
        return KeyedVectors(
            self.index_to_key,
            codes,
            counts=self.counts,
            subwords=None if self.subwords is None else self.subwords.quantize(),
            scales=scales,
        )

    def quantization_loss(self) -> float:
        """What `quantize` loses: the mean, over words, of |x - x'| / |x| for a vector x and its 8-bit x'."""
        return 0.0 if self.scales is not None else float(_core.quantize_rows(self._table.matrix)[4])

    def __repr__(self) -> str:
        kind = ", 8 bits" if self.scales is not None else ""
        grams = "" if self.subwords is None else f", {len(self.subwords.vectors)} buckets of n-grams"
        return f"<KeyedVectors: {len(self)} words, {self.vector_size} dimensions{kind}{grams}>"


def _listed(keys: Keys | None) -> list[Any]:
    """A list of what is a list, or one thing (a vector is one)."""
    if keys is None:
        return []
    if isinstance(keys, (str, int, np.integer)) or (isinstance(keys, np.ndarray) and keys.ndim == 1):
        return [keys]
    if isinstance(keys, tuple) and len(keys) == 2 and isinstance(keys[1], float):
        return [keys]
    return list(keys)


def _weighted(key: Any, weight: float) -> tuple[Key, float]:
    return (key[0], float(key[1])) if isinstance(key, tuple) else (key, weight)
