"""CRF tagger: hashed features by declarative templates, read in C++ straight from the text.

Source: Lafferty, McCallum and Pereira 2001. Settings carry CRFsuite's names (Okazaki 2007).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlptk import _core, chain
from nlptk.crf import CrfSettings, CrfWeights, Progress, train_crf
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.lexicons import Gazetteer, WordClasses, pack_gazetteers, read_gazetteers, unpack_gazetteers
from nlptk.pickling import RemakesKernels
from nlptk.tag.base import (
    LabelLists,
    Sentences,
    SequenceLabeller,
    check_dev,
    check_integer,
    check_lengths,
    check_sentences,
    check_training,
    dev_score,
    resolve_scheme,
)
from nlptk.tag.crf_probabilities import best_paths, label_marginals, sentence_runs
from nlptk.tag.crf_stream import Corpus, StreamSettings, open_corpus, train_stream
from nlptk.tag.features import KernelBatch, TokenBatch, TokenFeatures

Columns = Mapping[str, Sentences]
_MOST_TOKENS = 1 << 15  # whose marginals or best sequences are in memory at a time


class CRFTagger(SequenceLabeller, RemakesKernels):
    """A first-order CRF over sentences.

    Args:
        templates: feature templates (:mod:`nlptk.templates`), or the name of a ready set: "pos", "ner",
            "chunk", "zh", "characters" (each token is a character) and the same with "-clusters".
        algorithm: "sgd", "lbfgs" (with ``c1`` > 0 OWL-QN), "ap" (averaged perceptron), "pa"
            (passive-aggressive) or "arow".
        c1, c2: weights of sum |w| and sum w^2.
        max_iterations: of L-BFGS, or passes over the data; None for the algorithm's default.
        min_freq: features of fewer occurrences are dropped.
        all_possible_states: a weight for every label with every feature, not only those seen together.
        dense_freq: the same only for features of at least this many occurrences; 0 for none.
        epsilon, period, delta: when L-BFGS stops, as in CRFsuite.
        warm_passes: of SGD, before the first iteration of L-BFGS; 0 to begin at zero.
        prune: weights below this size are dropped after training.
        scheme: "bio" or "bioes" to let only valid label sequences out, "auto" to see whether the training
            labels are of the first kind, None for no constraint.
        seed: order of the sentences in passes over them.
        threads: 0 for one for each core.
        clusters: word classes for ``cluster:name`` atoms: a file that :meth:`nlptk.lexicons.WordClasses.read`
            reads, or the name or folder of a pipeline whose tagger has some ("en"). Kept in the model.
        gazetteers: names for ``gazetteer:name`` atoms, by that name: files that
            :meth:`nlptk.lexicons.Gazetteer.read` reads, "jieba" for jieba's dictionary, or gazetteers. Kept
            in the model. A ready set of templates looks at all of them.

    Attributes:
        classes_: the labels, sorted by ``fit``, as they came by ``fit_stream``.
        weights_: the trained weights, :class:`nlptk.crf.CrfWeights`.
    """

    classes_: list[str]
    weights_: CrfWeights

    def __init__(
        self,
        templates: Sequence[str] | str = "pos",
        algorithm: str = "sgd",
        c1: float = 0.0,
        c2: float = 0.1,
        max_iterations: int | None = None,
        min_freq: int = 1,
        all_possible_states: bool = False,
        dense_freq: int = 20,
        epsilon: float = 1e-5,
        period: int = 10,
        delta: float = 1e-5,
        warm_passes: int = 4,
        prune: float = 1e-4,
        scheme: str | None = "auto",
        seed: int = 1,
        threads: int = 0,
        clusters: str | WordClasses | None = None,
        gazetteers: Mapping[str, str | Gazetteer] | None = None,
    ) -> None:
        self.templates = templates
        self.algorithm = algorithm
        self.c1 = c1
        self.c2 = c2
        self.max_iterations = max_iterations
        self.min_freq = min_freq
        self.all_possible_states = all_possible_states
        self.dense_freq = dense_freq
        self.epsilon = epsilon
        self.period = period
        self.delta = delta
        self.warm_passes = warm_passes
        self.prune = prune
        self.scheme = scheme
        self.seed = seed
        self.threads = threads
        self.clusters = clusters
        self.gazetteers = gazetteers

    def fit(
        self,
        X: Sentences,
        y: Sentences,
        X_dev: Sentences | None = None,
        y_dev: Sentences | None = None,
        *,
        columns: Columns | None = None,
        columns_dev: Columns | None = None,
        progress: Progress | None = None,
    ) -> CRFTagger:
        """Learn from tokens X and their labels y, both lists of lists of strings.

        With a dev set the weights of the pass that labels it best are kept. `columns` gives, by name, further
        values parallel to X for the templates' ``col:name`` atoms.

        Raises:
            ConfigError: a setting is out of range, a template cannot be read, or a column is missing.
            DataError: X and y do not match (the message names the sentence), or there are no tokens.
        """
        check_training(X, y)
        dev = None
        if check_dev(X_dev, y_dev) and X_dev is not None and y_dev is not None:
            dev = (TokenBatch.from_words(X_dev, columns_dev), [label for tags in y_dev for label in tags])
        batch = TokenBatch.from_words(X, columns)
        return self.fit_batch(batch, [label for tags in y for label in tags], dev, progress=progress)

    def fit_batch(
        self,
        batch: TokenBatch,
        labels: Sequence[str],
        dev: tuple[TokenBatch, Sequence[str]] | None = None,
        *,
        progress: Progress | None = None,
    ) -> CRFTagger:
        """As ``fit``, from tokens in the kernels' form, which knows the text's spacing, and their labels."""
        settings = self._settings()
        features = self._make_features()
        classes = sorted(set(labels))
        ids = {label: number for number, label in enumerate(classes)}
        mask = chain.transition_mask(classes, resolve_scheme(self.scheme, classes))
        gold = np.array([ids[label] for label in labels], np.int32)
        evaluate = None
        if dev is not None and len(dev[0].starts):
            dev_keys = features.keys(dev[0], self.threads)
            dev_gold = np.array(
                [ids.get(label, -1) for label in dev[1]], np.int32
            )  # unseen labels count as misses
            sequences = dev[0].sequences

            def evaluate(weights: CrfWeights) -> float:
                found = weights.masked(*mask).compile().predict(dev_keys, sequences, self.threads)
                return dev_score(classes, dev_gold, found)

        weights = train_crf(
            features.keys(batch, self.threads),
            batch.sequences,
            gold,
            len(classes),
            settings,
            progress=progress,
            evaluate=evaluate,
        )
        self._install(classes, weights.masked(*mask), features)
        return self

    def fit_stream(
        self,
        corpus: Corpus,
        *,
        column: str = "pos",
        passes: int = 5,
        hash_bits: int = 22,
        chunk: int = 4096,
        rate: float = 0.1,
        format: str | None = None,
        progress: Progress | None = None,
    ) -> CRFTagger:
        """Learn by SGD from a corpus that does not fit memory, `chunk` sentences at a time.

        Memory is that of a table of ``2**hash_bits`` features and of one chunk, whatever the length of the
        corpus: a row of the table has 4 bytes for each label (their number rounded up to eight), and where
        the table is full rare features give way. ``c2``, ``min_freq``, ``dense_freq``, ``prune``, ``scheme``,
        ``seed`` and ``threads`` mean what they mean to ``fit``.

        Args:
            corpus: a file, a list of files, or sentences that can be read again: Docs, or pairs of words and
                labels.
            column: the column of the labels, of files and Docs.
            passes: over the corpus. A generator can be read in one.
            rate: the first steps' length.
            format: of the files (:func:`nlptk.corpora.read_docs`).
            progress: called after each chunk with ``iteration`` (the pass), ``of``, and of this pass
                ``sentences``, ``tokens`` and ``objective``, the sum of -log p.

        Raises:
            ConfigError: a setting is out of range, or the corpus can be read only once and there are more
                passes.
            DataError: a file cannot be read (names file and line), a token has no label, there are no tokens.
            KeyboardInterrupt: Ctrl-C; the tagger is as it was before.
        """
        settings, stream = self._settings(), StreamSettings(passes, hash_bits, chunk, rate)
        if settings.algorithm != "sgd":
            raise ConfigError(f"fit_stream trains with algorithm='sgd', not {settings.algorithm!r}")
        features = self._make_features()
        sentences = open_corpus(corpus, column, format, passes)
        classes, weights = train_stream(sentences, column, features, settings, stream, progress)
        mask = chain.transition_mask(classes, resolve_scheme(self.scheme, classes))
        self._install(classes, weights.masked(*mask), features)
        return self

    def _make_features(self) -> TokenFeatures:
        clusters = self.clusters
        return TokenFeatures(
            self.templates,
            WordClasses.named(clusters) if isinstance(clusters, str) else clusters,
            read_gazetteers(self.gazetteers),
        )

    def _settings(self) -> CrfSettings:
        names = CrfSettings.__dataclass_fields__
        return CrfSettings(**{name: value for name, value in self.get_params().items() if name in names})

    def _install(self, classes: list[str], weights: CrfWeights, features: TokenFeatures) -> None:
        self._kernel = _core.TokenTagger(features.kernel, weights.compile())
        self.classes_ = classes
        self.weights_ = weights
        self._features = features

    def _make_kernels(self) -> None:
        if hasattr(self, "weights_"):
            self._kernel = _core.TokenTagger(self._features.kernel, self.weights_.compile())

    @property
    def columns(self) -> tuple[str, ...]:
        """The other columns that the templates look at."""
        if hasattr(self, "_features"):
            return self._features.columns
        return self._make_features().columns

    def predict(self, X: Sentences, columns: Columns | None = None) -> list[list[str]]:
        """The best labels of each sentence, as lists parallel to X.

        Raises:
            ConfigError: the tagger is not fitted, or a column that the templates need is not given.
            DataError: X is not a list of lists of strings.
        """
        check_sentences(X)
        batch = TokenBatch.from_words(X, columns)
        found = self.predict_batch(batch)
        labels: list[str] = np.array(self.classes_, object)[found].tolist()
        return LabelLists(labels[first:last] for first, last in pairwise(batch.sequences.tolist()))

    def predict_marginals(self, X: Sentences, columns: Columns | None = None) -> list[list[dict[str, float]]]:
        """For each sentence a list with, for each token, a dict: label to its probability there.

        The probability of a label at a token is the sum over all label sequences that have it there, by
        forward-backward in float32 (:func:`nlptk.chain.forward_backward`). Raises as `predict` does.
        """
        found: list[list[dict[str, float]]] = []
        for batch, scores in self._scored(X, columns):
            found += label_marginals(
                scores, batch.sequences, self.weights_, self.classes_, threads=self.threads
            )
        return found

    def predict_marginals_single(
        self, xseq: Sequence[str], columns: Mapping[str, Sequence[str]] | None = None
    ) -> list[dict[str, float]]:
        """The marginals of one sentence; `columns` holds one list for each name. Raises as `predict` does."""
        return self.predict_marginals([xseq], {name: [row] for name, row in (columns or {}).items()})[0]

    def predict_nbest(
        self, X: Sentences, n: int, columns: Columns | None = None
    ) -> list[list[tuple[list[str], float]]]:
        """For each sentence its `n` most probable label sequences, best first, with their probabilities.

        Fewer than `n` where there are no more; the first is what `predict` gives. Probabilities are of all
        label sequences, so they add up to 1 only when all are asked for. An empty sentence has one, the empty
        one. Raises as `predict` does, and ConfigError for `n` less than 1.
        """
        check_integer("n", n, 1)
        self._fitted()
        found: list[list[tuple[list[str], float]]] = []
        for batch, scores in self._scored(X, columns, n):
            found += best_paths(
                scores, batch.sequences, self.weights_, self.classes_, n, threads=self.threads
            )
        return found

    def _scored(
        self, X: Sentences, columns: Columns | None, answers: int = 1
    ) -> Iterator[tuple[TokenBatch, NDArray[np.float32]]]:
        """The sentences of X, some thousands of tokens at a time, and scores [tokens, labels] of theirs."""
        kernel = self._fitted()
        check_sentences(X)
        for name, values in (columns or {}).items():
            if len(values) != len(X):
                raise ConfigError(f"column {name!r} must have one value for each word")
        for first, last in sentence_runs([len(sentence) for sentence in X], max(_MOST_TOKENS // answers, 1)):
            part = {name: values[first:last] for name, values in (columns or {}).items()}
            batch = TokenBatch.from_words(X[first:last], part)
            yield batch, kernel.emissions(*self._arguments(batch), self.threads)

    def predict_batch(self, batch: TokenBatch) -> NDArray[np.int32]:
        """Indices into ``classes_`` of the best labels, int32 [tokens]."""
        return self._fitted().tag(*self._arguments(batch), self.threads)

    def _arguments(self, batch: TokenBatch) -> KernelBatch:
        return self._features.arguments(batch)

    def _fitted(self) -> _core.TokenTagger:
        if not hasattr(self, "_kernel"):
            raise ConfigError("this CRFTagger is not fitted; call fit or from_state first")
        return self._kernel

    def score(self, X: Sentences, y: Sentences, columns: Columns | None = None) -> float:
        """The share of tokens whose predicted label is the one in y.

        Raises DataError where X and y do not match, or there are no tokens.
        """
        check_lengths(X, y)
        pairs = [
            (a, b)
            for p, g in zip(self.predict(X, columns), y, strict=True)
            for a, b in zip(p, g, strict=True)
        ]
        if not pairs:
            raise DataError("there are no tokens to score")
        return sum(a == b for a, b in pairs) / len(pairs)

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Settings and labels that JSON can hold, and arrays: weights and lexicons."""
        if not hasattr(self, "_kernel"):
            raise ConfigError("this CRFTagger is not fitted, so there is nothing to save; call fit first")
        config = {**self.get_params(), "templates": list(self._features.templates), "classes": self.classes_}
        clusters = self._features.classes
        config["clusters"] = list(clusters.names)
        config["gazetteers"], names = pack_gazetteers(self._features.gazetteers)
        arrays = {
            **self.weights_.to_arrays(),
            **names,
            "cluster_keys": clusters.keys,
            "cluster_values": clusters.values,
        }
        return config, arrays

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> CRFTagger:
        """The tagger that ``to_state`` gave. Raises ModelError for anything that is not its state."""
        try:
            settings = dict(config)
            classes = [str(label) for label in settings.pop("classes")]
            clusters = WordClasses(
                tuple(settings.pop("clusters")), arrays["cluster_keys"], arrays["cluster_values"]
            )
            gazetteers = unpack_gazetteers(settings.pop("gazetteers", None), arrays)
            made = cls(**settings, clusters=clusters, gazetteers=gazetteers)
            made._settings()
            features = made._make_features()
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the CRF tagger's state is not usable: {error}") from error
        weights = CrfWeights.from_arrays(arrays)
        if weights.labels != len(classes):
            raise ModelError(f"the model has {len(classes)} labels but weights for {weights.labels}")
        made._install(classes, weights, features)
        return made
