"""Documents as matrices: one row for each token (one-hot), or one vector made of those of its words.

Arora, Liang and Ma (2017), "A simple but tough-to-beat baseline for sentence embeddings", for "sif".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from nlptk import _core
from nlptk.component import Component
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.vectors.corpus import checked_sentences
from nlptk.vectors.counts import Tokenize, find_tokenizer
from nlptk.vectors.lookup import WordVectors
from nlptk.vectors.vocabulary import Offsets, Vocabulary, pack_terms, unpack_terms

if TYPE_CHECKING:
    from typing_extensions import Self

    from nlptk.store import State

Floats = npt.NDArray[np.float32]
Documents = Iterable[Any]  # of lists of tokens, or of texts where there is a tokenizer

WAYS = ("mean", "tfidf", "sif")


class _OfTokens(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """What takes lists of tokens, or texts and cuts them."""

    tokenizer: str | Component | Tokenize | None

    def _tokens(self, documents: Documents) -> list[list[str]]:
        cut = self.tokenizer
        if cut is None:
            return [list(document) for document in checked_sentences(documents)]
        if isinstance(documents, str):
            raise DataError("documents are a list of texts, not one string")
        tokenize = find_tokenizer(cut) if isinstance(cut, (str, Component)) else cut
        lists = []
        for number, text in enumerate(documents):
            if not isinstance(text, str):
                raise DataError(f"document {number} is {type(text).__name__}: it must be a string")
            lists.append(list(tokenize(text)))
        return lists

    def _tokenizer_name(self) -> str | None:
        if self.tokenizer is not None and not isinstance(self.tokenizer, str):
            raise ConfigError("tokenizer is code, which cannot be saved; give it by its name")
        return self.tokenizer

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags


class OneHot(NamedTuple):
    """Rows of tokens.

    Attributes:
        matrix: CSR float32 [tokens of all documents, vocabulary], a 1 in each row; none where the token is
            not in the vocabulary and that has none for unknown ones.
        offsets: int64 [documents + 1]: document d has the rows from offsets[d] to offsets[d + 1].
    """

    matrix: Any
    offsets: Offsets


class OneHotVectorizer(_OfTokens):
    """A row for each token of a sequence, with a 1 in the token's column.

    Args:
        tokenizer: cuts texts ("en", "jieba", a tokenizer or a function); None: documents are lists of tokens.
        vocabulary: a `Vocabulary` to take; None: `fit` builds one, with the settings that follow.
        min_count, max_size, unknown, special: see `Vocabulary.build`.

    Attributes:
        vocabulary_: the `Vocabulary`.
    """

    def __init__(
        self,
        *,
        tokenizer: str | Component | Tokenize | None = None,
        vocabulary: Vocabulary | None = None,
        min_count: int = 1,
        max_size: int | None = None,
        unknown: str | None = "<unk>",
        special: Sequence[str] = (),
    ) -> None:
        self.tokenizer = tokenizer
        self.vocabulary = vocabulary
        self.min_count = min_count
        self.max_size = max_size
        self.unknown = unknown
        self.special = special

    def fit(self, X: Documents, y: object = None) -> Self:
        """Build the vocabulary. Raises ConfigError for a setting, DataError for a document that is none."""
        self.vocabulary_ = self.vocabulary or Vocabulary.build(
            self._tokens(X),
            min_count=self.min_count,
            max_size=self.max_size,
            unknown=self.unknown,
            special=self.special,
        )
        return self

    def transform(self, X: Documents) -> OneHot:
        """The rows of all documents' tokens. Raises DataError for a document that is none."""
        check_is_fitted(self)
        ids, offsets = self.vocabulary_.find_batch(self._tokens(X))
        known = ids >= 0
        starts = np.concatenate([[0], np.cumsum(known)])
        matrix = sparse.csr_matrix(
            (np.ones(starts[-1], np.float32), ids[known], starts), shape=(len(ids), len(self.vocabulary_))
        )
        return OneHot(matrix, offsets)

    def get_feature_names_out(self, input_features: object = None) -> npt.NDArray[np.object_]:
        """The tokens, by column."""
        check_is_fitted(self)
        return np.array(self.vocabulary_.tokens, object)

    def to_state(self) -> State:
        """(JSON-able config, arrays). Raises ConfigError if the tokenizer is a function."""
        check_is_fitted(self)
        config, arrays = self.vocabulary_.to_state()
        return {"vocabulary": config, "tokenizer": self._tokenizer_name()}, arrays

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """What `to_state` gave; the vocabulary is a setting then. Raises ModelError if it was altered."""
        if not isinstance(config.get("vocabulary"), Mapping):
            raise ModelError("the OneHotVectorizer's settings are altered")
        made = cls(
            vocabulary=Vocabulary.from_state(config["vocabulary"], arrays), tokenizer=config.get("tokenizer")
        )
        return made.fit(())


class DocumentVectors(ClassNamePrefixFeaturesOutMixin, _OfTokens):  # type: ignore[misc]
    """A vector for each document: a mean of its words' vectors.

    Args:
        vectors: of words (`KeyedVectors`). Words that have none count nothing.
        how: "mean"; "tfidf": weighted by ln((1 + n) / (1 + documents with the word)) + 1, as scikit-learn has
            it; "sif": each word's vector times a / (a + p(word)), the mean of that, less its projection on
            the first singular vector of the documents fitted (Arora et al. 2017).
        a: of "sif"; the paper's is 0.001.
        tokenizer: cuts texts ("en", "jieba", a tokenizer or a function); None: documents are lists of tokens.

    Attributes:
        words_, weights_: the words fitted and the weight of each, float64 [words]; none of "mean".
        unseen_weight_: that of other words: as if in no document, with p(word) 0.
        component_: the singular vector of "sif", float32 [dim].
    """

    def __init__(
        self,
        vectors: WordVectors,
        how: str = "mean",
        *,
        a: float = 1e-3,
        tokenizer: str | Component | Tokenize | None = None,
    ) -> None:
        self.vectors = vectors
        self.how = how
        self.a = a
        self.tokenizer = tokenizer

    def fit(self, X: Documents, y: object = None) -> Self:
        """Learn the weights of words.

        Raises:
            ConfigError: a setting that is none.
            DataError: a document is none, or there is none.
        """
        self._fit(self._tokens(X))
        return self

    def fit_transform(self, X: Documents, y: object = None) -> Floats:
        """`fit` and `transform`, but documents are cut once."""
        documents = self._tokens(X)
        self._fit(documents)
        return self._transform(documents)

    def transform(self, X: Documents) -> Floats:
        """The documents' vectors, float32 [documents, dim]; zeros where no word has one.

        Raises:
            DataError: a document is none.
        """
        check_is_fitted(self)
        return self._transform(self._tokens(X))

    def _fit(self, documents: list[list[str]]) -> None:
        if self.how not in WAYS:
            raise ConfigError(f"how must be one of {', '.join(WAYS)}, not {self.how!r}")
        if not self.a > 0:
            raise ConfigError(f"a must be above 0, not {self.a!r}")
        if not isinstance(self.vectors, WordVectors):
            raise ConfigError("vectors must be word vectors: load them with KeyedVectors.load")
        if not documents:
            raise DataError("there is nothing to learn from: no documents")
        self.words_: list[str] = []
        self.weights_, self.unseen_weight_ = np.zeros(0), 1.0
        self.component_ = np.zeros(self.vectors.vector_size, np.float32)
        if self.how == "mean":
            return
        self.words_, bags = _bags(documents)
        if self.how == "tfidf":
            held = np.bincount(bags.indices, minlength=len(self.words_))
            self.weights_ = np.log((1 + len(documents)) / (1 + held)) + 1
            self.unseen_weight_ = float(np.log(1 + len(documents))) + 1
            return
        share = bags.sum(axis=0) / max(1.0, float(bags.sum()))
        self.weights_ = self.a / (self.a + share)
        means = self._means(documents).astype(np.float64)
        _, directions = np.linalg.eigh(means.T @ means)
        self.component_ = directions[:, -1].astype(np.float32)

    def _transform(self, documents: list[list[str]]) -> Floats:
        means = self._means(documents)
        if self.how == "sif":
            means -= np.outer(means @ self.component_, self.component_)
        return means

    def _means(self, documents: list[list[str]]) -> Floats:
        words, bags = _bags(documents)
        known = [number for number, word in enumerate(words) if word in self.vectors]
        weight_of = dict(zip(self.words_, self.weights_.tolist(), strict=True))
        weights = [weight_of.get(words[number], self.unseen_weight_) for number in known]
        bags = bags[:, known]
        weighted = bags @ sparse.diags_array(np.array(weights, np.float32), dtype=np.float32)
        total = np.asarray((bags if self.how == "sif" else weighted).sum(axis=1))
        sums: Floats = np.asarray(weighted @ self.vectors[[words[number] for number in known]], np.float32)
        np.divide(sums, np.where(total > 0, total, 1)[:, None], out=sums, casting="same_kind")
        return sums

    @property
    def _n_features_out(self) -> int:
        return self.vectors.vector_size

    # ---- saving ----

    def to_state(self) -> State:
        """(JSON-able config, arrays), without the word vectors. Raises ConfigError: the tokenizer is code."""
        check_is_fitted(self)
        config: dict[str, Any] = {"how": self.how, "a": self.a, "tokenizer": self._tokenizer_name()}
        arrays: dict[str, Any] = {
            "weights": self.weights_,
            "component": self.component_,
            **pack_terms(self.words_),
        }
        return {**config, "unseen_weight": self.unseen_weight_}, arrays

    @classmethod
    def from_state(
        cls, config: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]], vectors: WordVectors
    ) -> Self:
        """What `to_state` gave, over the word vectors that it had. Raises ModelError if it was altered."""
        words = unpack_terms(arrays, "the DocumentVectors")
        try:
            made = cls(vectors, config["how"], a=float(config["a"]), tokenizer=config["tokenizer"])
            made.unseen_weight_ = float(config["unseen_weight"])
            made.words_, made.weights_, made.component_ = words, arrays["weights"], arrays["component"]
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the DocumentVectors are altered: {error!r}") from error
        if made.how not in WAYS or made.weights_.shape != (len(words),):
            raise ModelError("the DocumentVectors are altered: they have not one weight for each word")
        if made.component_.shape != (vectors.vector_size,):
            raise ModelError(
                f"the DocumentVectors are of vectors with {made.component_.size} numbers, not "
                f"{vectors.vector_size}: give the word vectors that they were made with"
            )
        if not (np.isfinite(made.weights_).all() and np.isfinite(made.component_).all()):
            raise ModelError("the DocumentVectors are altered: a weight is not finite")
        return made


def _bags(documents: list[list[str]]) -> tuple[list[str], Any]:
    """The words of the documents, and how often each stands in each: CSR float32 [documents, words]."""
    numbers = {word: number for number, word in enumerate(dict.fromkeys(chain.from_iterable(documents)))}
    found = _core.word_ids(numbers, documents, -1)
    if found is None:
        raise DataError("documents must be lists of plain strings")
    ids, offsets = found
    bags = sparse.csr_array(
        (np.ones(len(ids), np.float32), ids, offsets), shape=(len(documents), len(numbers))
    )
    bags.sum_duplicates()
    return list(numbers), bags
