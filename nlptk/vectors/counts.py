"""Bags of words and of n-grams, TF-IDF and hashing: scikit-learn's vectorizers, counting in C++.

The classes are scikit-learn's own, subclassed: settings, attributes, errors and results are theirs, so that
they stand in pipelines, searches and column transformers. What differs: `tokenizer` may be the name of a
tokenizer of nlptk, documents may be lists of words, matrices have their columns sorted in each row, and there
are `to_state` and `from_state`.
n-grams are made and counted in C++; reading of texts as well, unless a setting asks for Python (a
preprocessor, accents to strip, a pattern or tokenizer of one's own).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.feature_extraction import text as sklearn_text
from sklearn.preprocessing import normalize

from nlptk import _core, registry
from nlptk.component import Component
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.vectors.vocabulary import pack_terms, unpack_terms

if TYPE_CHECKING:
    from typing_extensions import Self

    from nlptk.store import State

try:
    from sklearn.utils._sparse import _align_api_if_sparse as _as_configured
except ImportError:  # before scikit-learn 1.9 it is a matrix always

    def _as_configured(matrix: Any) -> Any:
        return sparse.csr_matrix(matrix)


Tokenize = Callable[[str], Iterable[str]]

# Patterns that mean: as many characters that stand together as there are, \w ("word") or all but white space
# ("chunk"), and no fewer than this.
_NATIVE = {
    **dict.fromkeys((r"(?u)\b\w\w+\b", r"\b\w\w+\b", r"(?u)\w\w+", r"\w\w+"), ("word", 2)),
    **dict.fromkeys((r"(?u)\b\w+\b", r"\b\w+\b", r"(?u)\w+", r"\w+"), ("word", 1)),
    **dict.fromkeys((r"(?u)\S+", r"\S+"), ("chunk", 1)),
}
_WHITESPACE = "whitespace"  # a tokenizer's name
_SHORT_NAMES = {"en": "tokenizer_en"}
_BATCH = 1 << 14  # documents
_MOST_ENTRIES = np.iinfo(np.int32).max


def find_tokenizer(tokenizer: str | Component) -> Tokenize:
    """A function from a text to its words, of a tokenizer's name or of a tokenizer.

    Names are "whitespace", "en", "jieba" and those of tokenizers that are registered. Raises ConfigError if
    there is none of that name, or it does not cut texts into words.
    """
    if tokenizer == _WHITESPACE:
        return str.split
    made = _make_tokenizer(tokenizer) if isinstance(tokenizer, str) else tokenizer
    tokenize = getattr(made, "cut", None) or getattr(
        made, "tokenize", None
    )  # jieba's `tokenize` gives places
    if not callable(tokenize):
        raise ConfigError(
            f"{tokenizer!r} does not cut texts into words; take 'whitespace', 'en', 'jieba' or a function"
        )
    return tokenize  # type: ignore[no-any-return]


def _make_tokenizer(name: str) -> Any:
    name = _SHORT_NAMES.get(name, name)
    return _make_builtin(name) if name in registry.BUILTIN else registry.get(name).create(None, name, {})


@lru_cache(maxsize=8)
def _make_builtin(name: str) -> Any:
    return registry.get(name).create(None, name, {})  # once: jieba's dictionary takes a while to load


class _NgramCounting(sklearn_text._VectorizerMixin):  # type: ignore[misc]
    """What the vectorizers share. A subclass that overrides a step of analysis is left to scikit-learn."""

    def build_tokenizer(self) -> Tokenize:
        """The function that cuts a text into words."""
        if isinstance(self.tokenizer, (str, Component)):
            return find_tokenizer(self.tokenizer)
        return super().build_tokenizer()  # type: ignore[no-any-return]

    def _warn_for_unused_params(self) -> None:
        if not isinstance(self.tokenizer, (str, Component)):  # that it replaces token_pattern is no news then
            super()._warn_for_unused_params()

    def _counts_natively(self) -> bool:
        low, high = self.ngram_range
        steps = ("build_analyzer", "build_preprocessor", "_word_ngrams", "_char_ngrams", "_char_wb_ngrams")
        return (
            not callable(self.analyzer)
            and isinstance(low, int)
            and isinstance(high, int)
            and 1 <= low <= high
            and all(
                getattr(type(self), step) is getattr(sklearn_text._VectorizerMixin, step) for step in steps
            )
        )

    def _count(self, documents: Iterable[Any], **naming: Any) -> tuple[_core.NgramCounter, int]:
        """The finished counter and the number of documents; `naming`: a vocabulary, or buckets and signs."""
        of_words = self.analyzer == "word"
        preprocess, tokenize, stop_words = self.build_preprocessor(), None, None
        if of_words:
            tokenize, stop_words = self.build_tokenizer(), self.get_stop_words()
            self._check_stop_words_consistency(stop_words, preprocess, tokenize)
        unit, least = self.analyzer, 1
        if of_words and (self.tokenizer is None or self.tokenizer == _WHITESPACE):
            pattern = r"\S+" if self.tokenizer else self.token_pattern
            if pattern in _NATIVE:
                tokenize, (unit, least) = None, _NATIVE[pattern]
        if tokenize is None and self.preprocessor is None and not self.strip_accents:
            preprocess = None  # texts are read as they are
        low, high = self.ngram_range
        counter = _core.NgramCounter(
            unit,
            low,
            high,
            min_chars=least,
            lower=bool(self.lowercase) and preprocess is None,
            stop_words=_core.NgramTerms([word for word in stop_words or () if isinstance(word, str)]),
            **naming,
        )
        number = 0
        for batch in self._batches(documents):
            number += len(batch)
            if not isinstance(batch[0], str):
                counter.add_words([self._words(document) for document in batch])
                continue
            if preprocess is not None:
                batch = [preprocess(text) for text in batch]
            if tokenize is None:
                counter.add(batch)
            else:
                counter.add_words([tokenize(text) for text in batch])
        return counter, number

    def _batches(self, documents: Iterable[Any]) -> Iterator[list[Any]]:
        """Documents as they are counted: all strings, or for words all lists."""
        stream, done = iter(documents), 0
        wanted: type | tuple[type, ...] = str
        while batch := list(islice(stream, _BATCH)):
            types = set(map(type, batch))
            if self.input != "content" or types != {str}:
                batch = [self.decode(document) for document in batch]
                types = set(map(type, batch))
            if not done and self.analyzer == "word" and isinstance(batch[0], (list, tuple)):
                wanted = (list, tuple)
            if not all(issubclass(found, wanted) for found in types):
                place = next(i for i, document in enumerate(batch) if not isinstance(document, wanted))
                needed = "a string" if wanted is str else "a list of words, as the first"
                raise DataError(
                    f"document {done + place} is {type(batch[place]).__name__}: it must be {needed}"
                )
            done += len(batch)
            yield batch

    def _words(self, document: Sequence[str]) -> Sequence[str]:
        """The words of a document that is cut already."""
        return [word.lower() for word in document] if self.lowercase else document

    def _matrix(
        self, counter: _core.NgramCounter, width: int, columns: npt.NDArray[np.int32] | None = None
    ) -> Any:
        """Counts, [documents, width], in this vectorizer's type of numbers."""
        dtype = np.dtype(self.dtype)
        made_of: dict[str, Callable[[Any], Any]] = {
            "float64": counter.matrix_f8,
            "float32": counter.matrix_f4,
        }
        values, indices, offsets = made_of.get(dtype.name, counter.matrix_i8)(columns)
        if len(values) <= _MOST_ENTRIES:
            offsets = offsets.astype(np.int32)
        else:
            indices = indices.astype(np.int64)
        matrix = sparse.csr_array(
            (values.astype(dtype, copy=False), indices, offsets), shape=(len(offsets) - 1, width)
        )
        matrix.has_sorted_indices = matrix.has_canonical_format = True
        return _as_configured(matrix)

    # ---- saving ----

    def _config(self) -> dict[str, Any]:
        params = self.get_params()
        for name, value in params.items():
            if callable(value) and name != "dtype":
                raise ConfigError(f"{name} is code, which cannot be saved; give a tokenizer by its name")
        return {**params, "dtype": np.dtype(self.dtype).name, "ngram_range": list(self.ngram_range)}

    @classmethod
    def _from_config(cls, config: Mapping[str, Any]) -> Self:
        try:
            params = dict(config)
            params |= {"ngram_range": tuple(params["ngram_range"]), "dtype": np.dtype(params["dtype"]).type}
            made = cls(**params)
            made._validate_params()
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the {cls.__name__}'s settings are altered: {error}") from error
        return made


class CountVectorizer(_NgramCounting, sklearn_text.CountVectorizer):  # type: ignore[misc]
    """``sklearn.feature_extraction.text.CountVectorizer``: counts of n-grams, [documents, terms].

    Settings, attributes and errors are scikit-learn's. New: `tokenizer` may be a name ("en", "jieba") or a
    tokenizer of nlptk; with `analyzer` "word" all documents may be lists of words, which are not cut again.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **sklearn_text.CountVectorizer._parameter_constraints,
        "tokenizer": [callable, str, None],
    }

    def fit_transform(self, raw_documents: Iterable[Any], y: object = None) -> Any:
        """Learn the vocabulary and count: CSR [documents, terms].

        Raises:
            ValueError: a setting that is none, as scikit-learn has it.
            DataError: a document is no text, or no terms are left.
        """
        if self.vocabulary is not None or isinstance(raw_documents, str) or not self._counts_natively():
            return super().fit_transform(raw_documents)
        self._validate_params()
        self._warn_for_unused_params()
        self._validate_vocabulary()
        counter, documents = self._count(raw_documents)
        columns = self._columns(*counter.finish(), documents)
        self.vocabulary_ = counter.vocabulary(columns)
        matrix = self._matrix(counter, len(self.vocabulary_), columns)
        if self.binary:
            matrix.data.fill(1)
        return matrix

    def _columns(
        self, document_counts: npt.NDArray[np.int64], totals: npt.NDArray[np.int64], documents: int
    ) -> npt.NDArray[np.int32] | None:
        """The column of each term, -1 for what min_df, max_df or max_features leave out; None: all stay."""
        if not len(document_counts):
            raise DataError("empty vocabulary; perhaps the documents only contain stop words")
        low, high = (df if _is_whole(df) else df * documents for df in (self.min_df, self.max_df))
        if high < low:
            raise DataError("max_df corresponds to < documents than min_df")
        kept = (document_counts <= high) & (document_counts >= low)
        if self.max_features is not None and kept.sum() > self.max_features:
            # Of what scikit-learn sums, in its type: the order of equal ones depends on it.
            sums = (document_counts if self.binary else totals).astype(np.zeros(1, self.dtype).sum().dtype)
            best = (-sums[kept]).argsort()[: self.max_features]
            kept[np.setdiff1d(np.flatnonzero(kept), np.flatnonzero(kept)[best])] = False
        if kept.all():
            return None
        if not kept.any():
            raise DataError("After pruning, no terms remain. Try a lower min_df or a higher max_df.")
        return np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)

    def _count_vocab(self, raw_documents: Iterable[Any], fixed_vocab: bool) -> tuple[dict[str, int], Any]:
        # scikit-learn's `transform` comes here.
        table = self._term_table() if fixed_vocab and self._counts_natively() else None
        if table is None:
            return super()._count_vocab(raw_documents, fixed_vocab)  # type: ignore[no-any-return]
        counter, _ = self._count(raw_documents, vocabulary=table)
        counter.finish()
        return self.vocabulary_, self._matrix(counter, len(self.vocabulary_))

    def _term_table(self) -> _core.NgramTerms | None:
        """Of `vocabulary_`, kept as long as that is; None if not all of it is text."""
        made_of, size, table = getattr(self, "_table", (None, 0, None))
        if made_of is not self.vocabulary_ or size != len(self.vocabulary_):
            terms = sorted(self.vocabulary_, key=self.vocabulary_.__getitem__)
            table = _core.NgramTerms(terms) if all(map(_is_text, terms)) else None
            self._table = self.vocabulary_, len(terms), table
        return table

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        state.pop("_table", None)  # is made again
        return state

    # ---- saving ----

    def to_state(self) -> State:
        """(JSON-able config, arrays) of a fitted vectorizer.

        Raises:
            ConfigError: it has code among its settings (a function as tokenizer, say).
        """
        self._check_vocabulary()
        config = {**self._config(), "vocabulary": None}
        terms = self.get_feature_names_out().tolist()
        if not all(map(_is_text, terms)):
            raise ConfigError("the vocabulary holds terms that are no strings, which cannot be saved")
        return {"params": config, "fixed": self.fixed_vocabulary_}, pack_terms(terms)

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """What `to_state` gave. Raises ModelError if it was altered."""
        terms = unpack_terms(arrays, f"the {cls.__name__}")
        vocabulary = {term: number for number, term in enumerate(terms)}
        if not terms or len(vocabulary) != len(terms):
            raise ModelError(f"the {cls.__name__} is altered: a term stands there twice, or there is none")
        if not isinstance(config.get("params"), Mapping) or not isinstance(config.get("fixed"), bool):
            raise ModelError(f"the {cls.__name__}'s settings are altered")
        made = cls._from_config({**config["params"], "vocabulary": vocabulary if config["fixed"] else None})
        made.vocabulary_, made.fixed_vocabulary_ = vocabulary, config["fixed"]
        return made


class TfidfVectorizer(sklearn_text.TfidfVectorizer, CountVectorizer):  # type: ignore[misc]
    """``sklearn.feature_extraction.text.TfidfVectorizer``: weights of n-grams, [documents, terms].

    scikit-learn's, over `nlptk.CountVectorizer`, which see.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **sklearn_text.TfidfVectorizer._parameter_constraints,
        "tokenizer": [callable, str, None],
    }

    def to_state(self) -> State:
        """(JSON-able config, arrays) of a fitted vectorizer. Raises ConfigError: see `CountVectorizer`."""
        config, arrays = super().to_state()
        return config, {**arrays, "idf": self.idf_} if self.use_idf else arrays

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """What `to_state` gave. Raises ModelError if it was altered."""
        made = super().from_state(config, arrays)
        made._tfidf = sklearn_text.TfidfTransformer(
            norm=made.norm, use_idf=made.use_idf, smooth_idf=made.smooth_idf, sublinear_tf=made.sublinear_tf
        )
        made._tfidf.n_features_in_ = len(made.vocabulary_)
        if made.use_idf:
            idf = arrays.get("idf")
            if idf is None or idf.shape != (len(made.vocabulary_),) or idf.dtype.kind != "f":
                raise ModelError(f"the {cls.__name__} is altered: it has not one weight for each term")
            if not np.isfinite(idf).all():
                raise ModelError(f"the {cls.__name__} is altered: a weight is not finite")
            made._tfidf.idf_ = np.array(idf)
        return made


class HashingVectorizer(_NgramCounting, sklearn_text.HashingVectorizer):  # type: ignore[misc]
    """``sklearn.feature_extraction.text.HashingVectorizer``: n-grams hashed into columns, which needs no fit.

    Settings and errors are scikit-learn's. New: `tokenizer` may be a name ("en", "jieba") or a tokenizer of
    nlptk; a lone surrogate is hashed as its three bytes, not an error.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **sklearn_text.HashingVectorizer._parameter_constraints,
        "tokenizer": [callable, str, None],
    }

    def transform(self, X: Iterable[Any]) -> Any:
        """Hash: CSR [documents, n_features].

        Raises:
            ValueError: there is no document, or a setting is none.
            DataError: a document is no text.
        """
        if isinstance(X, str) or not self._counts_natively():
            return super().transform(X)
        counter, documents = self._count(X, buckets=self.n_features, signs=self.alternate_sign)
        if not documents:
            raise DataError("Cannot vectorize empty sequence.")
        counter.finish()
        matrix = self._matrix(counter, self.n_features)
        if self.binary:
            matrix.data.fill(1)
        return matrix if self.norm is None else normalize(matrix, norm=self.norm, copy=False)

    def to_state(self) -> State:
        """(JSON-able config, no arrays). Raises ConfigError: see `CountVectorizer`."""
        return {"params": self._config()}, {}

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """What `to_state` gave. Raises ModelError if it was altered."""
        return cls._from_config(config.get("params", {}))


def _is_whole(number: object) -> bool:
    return isinstance(number, Integral)


def _is_text(term: object) -> bool:
    return isinstance(term, str)
