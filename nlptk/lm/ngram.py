"""N-gram language models: interpolated modified Kneser-Ney and Laplace, counted and asked in C++.

Sources: Chen and Goodman 1998, "An Empirical Study of Smoothing Techniques for Language Modeling"; Heafield
et al. 2013, "Scalable Modified Kneser-Ney Language Model Estimation", whose lmplz and Python module (KenLM)
this follows in every definition and name. docs/language_models.md has the formulas.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nlptk import _core
from nlptk.corpora.files import PathLike, open_text, source_name
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.estimator import Estimator
from nlptk.lm.arpa import read_arpa, write_arpa
from nlptk.lm.next_words import NextWords, Sentence
from nlptk.lm.state import from_arrays, to_arrays
from nlptk.lm.training import SMOOTHINGS, add_block, empty_corpus, passing
from nlptk.perplexity import NgramPerplexity
from nlptk.store import load_model, save_model

if TYPE_CHECKING:
    from typing_extensions import Self

#: Called with the bytes of text read, and those there are (None: unknown).
Progress = Callable[[int, int | None], None]

UNKNOWN = "<unk>"
_BATCH = 4096  # sentences
_FORMAT = 1
_COMPONENT = "lm"
_FACTORY = "ngram_lm"


class NgramLM(NextWords, Estimator):
    """A language model of word n-grams.

    Args:
        order: words of the longest n-grams, 1 to 6.
        smoothing: "kneser-ney", interpolated and modified as KenLM's lmplz has it, or "laplace", with `alpha`
            added to each count and no shorter context asked.
        min_freq: rarer words of the training text are read as ``<unk>``.
        vocabulary: the words there are, however rare; all others are read as ``<unk>``. None: those of the
            text.
        alpha: of "laplace".
        prune: n-grams that occur so often or less get no entry: a number for each order, the last one for all
            longer ones too. They do not fall and begin with 0, as lmplz has it. With "kneser-ney" only.
        discount_fallback: discounts of counts 1, 2 and 3 or more, for orders where the text is too small or
            odd to estimate them; (0.5, 1, 1.5) are lmplz's. None: such a text is an error.
        tokenizer: cuts sentences that are strings; None: at ASCII white space and NUL, as KenLM does.
        threads: 0 for all cores. No result depends on it.

    Attributes:
        words: all words, ``<unk>``, ``<s>`` and ``</s>`` first, the others by falling frequency; their places
            are the tokens of `step`.
        counts: n-grams of each order, from 1.
        discounts_: of each order, for adjusted counts of 1, 2 and 3 or more; "kneser-ney" after `fit` only.
        sentences_, tokens_: of the training text, each with its ``</s>``; after `fit` only.
    """

    discounts_: list[tuple[float, float, float]]
    sentences_: int
    tokens_: int
    _model: _core.NgramModel
    _words: list[str] | None

    def __init__(
        self,
        order: int = 5,
        smoothing: str = "kneser-ney",
        min_freq: int = 1,
        vocabulary: Iterable[str] | None = None,
        alpha: float = 1.0,
        prune: Sequence[int] = (0,),
        discount_fallback: Sequence[float] | None = None,
        tokenizer: Callable[[str], Sequence[str]] | None = None,
        threads: int = 0,
    ) -> None:
        self.order = order
        self.smoothing = smoothing
        self.min_freq = min_freq
        self.vocabulary = vocabulary
        self.alpha = alpha
        self.prune = prune
        self.discount_fallback = discount_fallback
        self.tokenizer = tokenizer
        self.threads = threads

    # ---- learning ----

    def fit(self, X: Iterable[Sentence], y: object = None) -> Self:
        """Learn from sentences; one without words counts, as a sentence that ends at once.

        Raises:
            ConfigError: a setting is out of range.
            DataError: there is no sentence; one is neither a string nor a list of strings, or holds ``<s>``
                or ``</s>``; discounts cannot be estimated and there is no `discount_fallback`.
        """
        corpus = empty_corpus(self)
        for batch in self._batches(X):
            passing(corpus.add_sentences, batch)
        return self._estimate(corpus)

    def fit_files(
        self, paths: Sequence[PathLike], *, errors: str = "strict", progress: Progress | None = None
    ) -> Self:
        """Learn from text files, gzip or not, a sentence a line; "-" is standard input.

        Without a tokenizer lines do not pass through Python. Raises as `fit`, and DataError for a file that
        cannot be read or is not UTF-8 (names the line), unless errors="replace".
        """
        if errors not in ("strict", "replace"):
            raise ConfigError(f"errors must be 'strict' or 'replace', not {errors!r}")
        corpus = empty_corpus(self)
        done = 0
        for path in paths:
            with open_text(path) as reader:
                for block in reader.blocks():
                    add_block(self, corpus, reader, block, errors)
                    if progress is not None:
                        whole = reader.disk_size if len(paths) == 1 else None
                        scale = reader.text_bytes / reader.disk_bytes if reader.disk_bytes else 1.0
                        progress(done + reader.text_bytes, None if whole is None else round(whole * scale))
                done += reader.text_bytes
        return self._estimate(corpus)

    def _estimate(self, corpus: _core.NgramCorpus) -> Self:
        if not corpus.sentences:
            raise DataError("there is no sentence to learn from; give at least one")
        sentences, tokens = corpus.sentences, corpus.tokens - corpus.sentences
        model = passing(
            corpus.estimate,
            self.min_freq,
            {
                "order": self.order,
                "laplace": self.smoothing == "laplace",
                "alpha": float(self.alpha),
                "prune": list(self.prune),
                "discount_fallback": self.discount_fallback and tuple(map(float, self.discount_fallback)),
            },
        )
        self._set(model)
        self.discounts_ = [(one, two, more) for _, _, (one, two, more) in model.statistics]
        self.sentences_, self.tokens_ = sentences, tokens
        return self

    def _set(self, model: _core.NgramModel) -> None:
        for name in ("discounts_", "sentences_", "tokens_"):
            vars(self).pop(name, None)
        self._model, self._words = model, None

    # ---- what is known ----

    @property
    def words(self) -> list[str]:
        model = self._fitted()
        if self._words is None:
            self._words = model.words()
        return self._words

    @property
    def counts(self) -> list[int]:
        model = self._fitted()
        return [model.size(n) for n in range(1, model.order + 1)]

    def __contains__(self, word: str) -> bool:
        return word == UNKNOWN or bool(self._fitted().numbers([word])[0])

    # ---- asking ----

    def score(self, words: Sentence, bos: bool = True, eos: bool = True) -> float:
        """log10 of the probability of a sentence.

        Args:
            bos: the sentence begins here; else its first word has no context.
            eos: it ends with its last word, so that the probability of ``</s>`` counts too.

        Raises:
            ConfigError: there is no model yet.
            DataError: the sentence is neither a string nor a list of strings.
        """
        model = self._fitted()
        return float(passing(model.score, self._cut(words), bos, eos))

    def full_scores(
        self, words: Sentence, bos: bool = True, eos: bool = True
    ) -> list[tuple[float, int, bool]]:
        """Of each word: log10 of its probability, words of the n-gram that gave it, whether it is unknown."""
        found = passing(self._fitted().full_scores, self._cut(words), bos, eos)
        log_probs, matched, numbers = found
        return list(zip(log_probs.tolist(), matched.tolist(), (numbers == 0).tolist(), strict=True))

    def score_batch(
        self, sentences: Iterable[Sentence], bos: bool = True, eos: bool = True
    ) -> NDArray[np.float64]:
        """`score` of many sentences, float64 [sentences], on several threads. Raises as `score`."""
        model = self._fitted()
        sums = [np.zeros(0)]
        for batch in self._batches(sentences):
            sums.append(passing(model.score_batch, batch, bos, eos, self.threads)[0][:, 0])
        return np.concatenate(sums)

    def perplexity(
        self, sentences: Iterable[Sentence], bos: bool = True, eos: bool = True
    ) -> NgramPerplexity:
        """How well the model tells sentences, with unknown words and without.

        Raises:
            DataError: there is no token; otherwise as `score`.
        """
        model = self._fitted()
        sums, counts = np.zeros(2), np.zeros(2, np.int64)
        for batch in self._batches(sentences):
            of_sums, of_counts = passing(model.score_batch, batch, bos, eos, self.threads)
            sums += of_sums.sum(0)
            counts += of_counts.sum(0)
        if not counts[0]:
            raise DataError("there is no token to measure perplexity on; give at least one sentence")
        return NgramPerplexity(float(sums[0]), float(sums[1]), int(counts[0]), int(counts[1]))

    # ---- files ----

    def save_arpa(self, path: PathLike) -> None:
        """Write the model as an ARPA file, gzip if the name ends in ``.gz``.

        Raises:
            ConfigError: a Laplace model of order 2 or above, whose probabilities back off to no shorter ones.
            DataError: a word is empty or has white space, NUL or a lone surrogate in it; the file cannot be
                written.
        """
        model = self._fitted()
        if model.laplace and model.order > 1:
            raise ConfigError(
                "an ARPA file holds back-off models, which Laplace of order 2 or above is not; use save"
            )
        write_arpa(model, path)

    @classmethod
    def load_arpa(
        cls, path: PathLike, tokenizer: Callable[[str], Sequence[str]] | None = None, threads: int = 0
    ) -> Self:
        """The model in an ARPA file of any program, gzip or not.

        A file without ``<unk>`` gets one of probability 1e-100, as KenLM has it.

        Raises:
            DataError: the file cannot be read or is malformed (names the line).
        """
        model = read_arpa(path)
        made = cls(order=model.order, tokenizer=tokenizer, threads=threads)
        made._set(model)
        return made

    def save(self, path: PathLike) -> None:
        """Write the model as a folder of ``meta.json`` and one safetensors file, at once or not at all.

        Raises:
            ConfigError: there is no model yet, or a file is in the way.
            OSError: the folder cannot be written.
        """
        entry = {"name": _COMPONENT, "factory": _FACTORY}
        save_model(path, {"pipeline": [entry]}, {_COMPONENT: self.to_state()})

    @classmethod
    def load(
        cls, path: PathLike, tokenizer: Callable[[str], Sequence[str]] | None = None, threads: int = 0
    ) -> Self:
        """What `save` wrote; a model with a tokenizer needs it given again.

        Raises:
            ModelError: the folder is missing, truncated, altered or holds something else.
        """
        meta, components = load_model(path)
        if [entry["factory"] for entry in meta["pipeline"]] != [_FACTORY] or _COMPONENT not in components:
            raise ModelError(f"{source_name(path)} holds no n-gram language model")
        made = cls.from_state(*components[_COMPONENT])
        made.tokenizer, made.threads = tokenizer, threads
        return made

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Settings, and arrays of words and of the n-grams of each order.

        Of order n: ``n.words`` uint32, the last word of each n-gram, ``n.log_probs`` float32, log10; and of
        all but the highest ``n.backoffs`` float32, log10, and ``n.begins`` uint32 [n-grams + 1], where those
        begin that continue it. Raises ConfigError if not fitted.
        """
        model = self._fitted()
        config = {
            "format": _FORMAT,
            "order": model.order,
            "smoothing": SMOOTHINGS[model.laplace],
            "alpha": self.alpha,
        }
        return config, to_arrays(model)

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The model that `to_state` gave. Raises ModelError for anything that is not its state."""
        if config.get("format") != _FORMAT:
            raise ModelError(
                f"n-gram model of format {config.get('format')!r}, but this nlptk reads {_FORMAT}; "
                "use a matching version"
            )
        try:
            made = cls(**{name: config[name] for name in ("order", "smoothing", "alpha")})
            empty_corpus(made)  # checks them
            made._set(from_arrays(made.order, made.smoothing == "laplace", arrays))
        except (KeyError, ValueError, TypeError) as error:
            raise ModelError(f"the n-gram model is altered ({error}); fetch it again") from error
        return made

    def __getstate__(self) -> dict[str, Any]:
        state = {name: value for name, value in vars(self).items() if name not in ("_model", "_words")}
        return state | {"_state": self.to_state()} if hasattr(self, "_model") else state

    def __setstate__(self, state: dict[str, Any]) -> None:
        saved = state.pop("_state", None)
        vars(self).update(state)
        if saved is not None:
            self._model, self._words = self.from_state(*saved)._model, None

    # ---- steps ----

    def _fitted(self) -> _core.NgramModel:
        model: _core.NgramModel | None = getattr(self, "_model", None)
        if model is None:
            raise ConfigError("there is no model yet: call fit, load or load_arpa first")
        return model

    def _cut(self, sentence: Sentence) -> Sentence:
        if self.tokenizer is not None and isinstance(sentence, str):
            return self.tokenizer(sentence)
        return sentence

    def _batches(self, sentences: Iterable[Sentence]) -> Iterator[list[Sentence]]:
        if isinstance(sentences, (str, bytes)) or not isinstance(sentences, Iterable):
            raise DataError("sentences are a list of strings or of lists of words, not one string")
        stream = iter(sentences)
        while batch := [self._cut(sentence) for sentence in islice(stream, _BATCH)]:
            yield batch
