"""N-gram language models: interpolated modified Kneser-Ney and Laplace, counted and asked in C++.

Sources: Chen and Goodman 1998, "An Empirical Study of Smoothing Techniques for Language Modeling"; Heafield et
al. 2013, "Scalable Modified Kneser-Ney Language Model Estimation", whose lmplz and Python module (KenLM) this
follows in every definition and name. docs/language_models.md has the formulas.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nlptk import _core
from nlptk.corpora.files import LineReader, PathLike, error_at, open_text, source_name
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.estimator import Estimator
from nlptk.lm.arpa import read_arpa, write_arpa
from nlptk.state import check_integer, pack_strings, take_array, unpack_strings
from nlptk.store import load_model, save_model

if TYPE_CHECKING:
    from typing_extensions import Self

#: A list of words, or a string, which the tokenizer cuts, or white space.
Sentence = str | Sequence[str]
#: Called with the bytes of text read, and those there are (None: unknown).
Progress = Callable[[int, int | None], None]
#: int64 [rows, order]: words of the context, then the numbers of their n-grams (-1: none).
States = NDArray[np.int64]

SMOOTHINGS = ("kneser-ney", "laplace")
UNKNOWN, BEGIN, END = "<unk>", "<s>", "</s>"
_BEGIN, _END = 1, 2  # numbers of words
_ORDERS = 6
_BATCH = 4096  # sentences
_FORMAT = 1
_COMPONENT = "lm"
_FACTORY = "ngram_lm"
_LEVEL = ((np.uint32, "words"), (np.float32, "log_probs"), (np.float32, "backoffs"), (np.uint32, "begins"))


@dataclass(frozen=True)
class NgramPerplexity:
    """What a model gave some sentences.

    Attributes:
        log10: of the probability of all tokens.
        log10_unknown: of the unknown words alone.
        tokens: words, and an end for each sentence.
        unknown: words that the model does not know.
    """

    log10: float
    log10_unknown: float
    tokens: int
    unknown: int

    @property
    def including(self) -> float:
        """Per token, of all tokens; unknown words count as the one word <unk>."""
        return _power(-self.log10 / self.tokens)

    @property
    def excluding(self) -> float:
        """Per token, of the known words and sentence ends alone; NaN where there are none."""
        known = self.tokens - self.unknown
        return _power(-(self.log10 - self.log10_unknown) / known) if known else float("nan")

    @property
    def bits_per_token(self) -> float:
        """-log2 of the probability, over tokens: bits per character if tokens are characters."""
        return float(-self.log10 / self.tokens / np.log10(2))


def _power(exponent: float) -> float:
    return 10.0**exponent if exponent < 308 else float("inf")


class NgramLM(Estimator):
    """A language model of word n-grams.

    Args:
        order: words of the longest n-grams, 1 to 6.
        smoothing: "kneser-ney", interpolated and modified as KenLM's lmplz has it, or "laplace", with `alpha`
            added to each count and no shorter context asked.
        min_freq: rarer words of the training text are read as ``<unk>``.
        vocabulary: the words there are; all others are read as ``<unk>``. None: those of the text.
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
            DataError: there is no sentence; one is neither a string nor a list of strings, or holds ``<s>`` or
                ``</s>``; discounts cannot be estimated and there is no `discount_fallback`.
        """
        corpus = self._corpus()
        for batch in self._batches(X):
            _passing(corpus.add_sentences, batch)
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
        corpus = self._corpus()
        done = 0
        for path in paths:
            with open_text(path) as reader:
                for block in reader.blocks():
                    self._add_block(corpus, reader, block, errors)
                    if progress is not None:
                        whole = reader.disk_size if len(paths) == 1 else None
                        scale = reader.text_bytes / reader.disk_bytes if reader.disk_bytes else 1.0
                        progress(done + reader.text_bytes, None if whole is None else round(whole * scale))
                done += reader.text_bytes
        return self._estimate(corpus)

    def _add_block(self, corpus: _core.NgramCorpus, reader: LineReader, block: bytes, errors: str) -> None:
        if self.tokenizer is not None or errors == "replace":
            try:
                text = block.decode("utf-8", errors)
            except UnicodeDecodeError as error:
                raise _not_utf8(reader, block, error.start) from error
            if self.tokenizer is not None:
                lines = text.removesuffix("\n").split("\n")
                _passing(corpus.add_sentences, [self._cut(line.removesuffix("\r")) for line in lines])
                return
            block = text.encode()
        bad = _passing(corpus.add_lines, block)
        if bad >= 0:
            raise _not_utf8(reader, block, bad)

    def _corpus(self) -> _core.NgramCorpus:
        """An empty corpus. Raises ConfigError for a setting that cannot be."""
        check_integer("order", self.order, 1)
        check_integer("min_freq", self.min_freq, 1)
        check_integer("threads", self.threads, 0)
        if self.order > _ORDERS:
            raise ConfigError(f"order must be from 1 to {_ORDERS}, not {self.order}")
        if self.smoothing not in SMOOTHINGS:
            raise ConfigError(f"smoothing must be one of {', '.join(SMOOTHINGS)}, not {self.smoothing!r}")
        if not _is_number(self.alpha) or not 0 < self.alpha < float("inf"):
            raise ConfigError(f"alpha must be a number above 0, not {self.alpha!r}")
        prune = list(self.prune)
        for least in prune:
            check_integer("prune", least, 0)
        if not prune or prune[0] != 0 or prune != sorted(prune) or len(prune) > self.order:
            raise ConfigError(
                f"prune must be at most {self.order} numbers that begin with 0 and do not fall, not {prune}"
            )
        if prune[-1] and self.smoothing == "laplace":
            raise ConfigError("prune goes with smoothing='kneser-ney'; Laplace keeps all n-grams")
        fallback = self.discount_fallback
        if fallback is not None and (
            len(fallback) != 3 or not all(_is_number(d) and 0 <= d <= n for n, d in enumerate(fallback, 1))
        ):
            raise ConfigError(
                "discount_fallback must be three numbers, from 0 to 1, 2 and 3, such as (0.5, 1, 1.5), "
                f"not {fallback!r}"
            )
        if self.vocabulary is None:
            return _core.NgramCorpus()
        words = [self.vocabulary] if isinstance(self.vocabulary, str) else list(self.vocabulary)
        if not all(isinstance(word, str) for word in words):
            raise ConfigError("vocabulary must hold strings only")
        return _core.NgramCorpus(words)

    def _estimate(self, corpus: _core.NgramCorpus) -> Self:
        if not corpus.sentences:
            raise DataError("there is no sentence to learn from; give at least one")
        sentences, tokens = corpus.sentences, corpus.tokens - corpus.sentences
        model = _passing(
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
        vars(self).pop("words", None)
        for name in ("discounts_", "sentences_", "tokens_"):
            vars(self).pop(name, None)
        self._model = model

    # ---- what is known ----

    @cached_property
    def words(self) -> list[str]:
        return self._fitted().words()

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
        return _passing(model.score, self._cut(words), bos, eos)

    def full_scores(
        self, words: Sentence, bos: bool = True, eos: bool = True
    ) -> list[tuple[float, int, bool]]:
        """Of each word: log10 of its probability, words of the n-gram that gave it, whether it is unknown."""
        found = _passing(self._fitted().full_scores, self._cut(words), bos, eos)
        log_probs, matched, numbers = found
        return list(zip(log_probs.tolist(), matched.tolist(), (numbers == 0).tolist(), strict=True))

    def score_batch(
        self, sentences: Iterable[Sentence], bos: bool = True, eos: bool = True
    ) -> NDArray[np.float64]:
        """`score` of many sentences, float64 [sentences], on several threads. Raises as `score`."""
        model = self._fitted()
        sums = [np.zeros(0)]
        for batch in self._batches(sentences):
            sums.append(_passing(model.score_batch, batch, bos, eos, self.threads)[0][:, 0])
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
            of_sums, of_counts = _passing(model.score_batch, batch, bos, eos, self.threads)
            sums += of_sums.sum(0)
            counts += of_counts.sum(0)
        if not counts[0]:
            raise DataError("there is no token to measure perplexity on; give at least one sentence")
        return NgramPerplexity(float(sums[0]), float(sums[1]), int(counts[0]), int(counts[1]))

    def predict(self, context: Sentence = (), bos: bool = True) -> NDArray[np.float32]:
        """Probabilities of all `words` after these, float32 [words]; that of ``<s>`` is 0. Raises as `score`."""
        model = self._fitted()
        states = self._context(context, bos)
        return np.exp(model.distributions(states, 1)[0])

    def predict_top(self, context: Sentence = (), n: int = 10, bos: bool = True) -> list[tuple[str, float]]:
        """The `n` most probable words after these and their probabilities. Raises as `score`."""
        check_integer("n", n, 1)
        found = self.predict(context, bos)
        best = np.argsort(-found, kind="stable")[:n]
        return [(self.words[word], float(found[word])) for word in best]

    def sample(
        self,
        n: int = 1,
        prefix: Sentence = (),
        *,
        max_length: int = 100,
        temperature: float = 1.0,
        unknown: bool = False,
        seed: int | None = None,
    ) -> list[list[str]]:
        """Draw sentences from the model, lists of words without ``<s>`` and ``</s>``.

        Args:
            prefix: what each begins with.
            max_length: words at most, with the prefix; a sentence that has not ended then is cut.
            temperature: below 1 likely words are drawn more often than they should be, above 1 less often.
            unknown: whether ``<unk>`` may be drawn.
            seed: the same gives the same sentences; None: new ones each time.

        Raises:
            ConfigError: a setting is out of range, or there is no model yet.
            DataError: the prefix is neither a string nor a list of strings.
        """
        check_integer("n", n, 0)
        check_integer("max_length", max_length, 0)
        if not _is_number(temperature) or not 0 < temperature < float("inf"):
            raise ConfigError(f"temperature must be a number above 0, not {temperature!r}")
        random = np.random.default_rng(seed)
        cut = self._cut(prefix)
        begin = cut.split() if isinstance(cut, str) else list(cut)
        start = self._context(begin, True)
        return [
            begin + self._draw(start, max_length - len(begin), temperature, unknown, random) for _ in range(n)
        ]

    def _draw(
        self, states: States, most: int, temperature: float, unknown: bool, random: np.random.Generator
    ) -> list[str]:
        model = self._fitted()
        drawn: list[str] = []
        while len(drawn) < most:
            log_probs = model.distributions(states, 1)[0].astype(np.float64)
            if not unknown:
                log_probs[0] = -np.inf
            shares = np.cumsum(np.exp((log_probs - log_probs.max()) / temperature))
            word = int(np.searchsorted(shares, random.random() * shares[-1], side="right"))
            if word == _END:
                break
            drawn.append(self.words[word])
            states = model.advance(states, np.array([word]))
        return drawn

    # ---- a step at a time, for decoding ----

    def start(self, rows: int, bos: bool = False) -> States:
        """States before anything, of a batch of rows; with `bos` after ``<s>``."""
        check_integer("rows", rows, 0)
        return self._fitted().start(rows, bos)

    def step(self, tokens: NDArray[np.int64], state: States) -> tuple[NDArray[np.float32], States]:
        """What follows after one more token of each row.

        Args:
            tokens: int64 [rows], places in `words`; the first may be 1, ``<s>``.

        Returns:
            Natural logarithms of the probabilities of all words, float32 [rows, words], -inf of ``<s>``; and
            the states after the tokens.

        Raises:
            DataError: tokens or states are not such.
        """
        model = self._fitted()
        after = _passing(model.advance, state, tokens)
        return model.distributions(after, self.threads), after

    def reorder(self, state: States, rows: NDArray[np.int64]) -> States:
        """The states whose row i is what row rows[i] was."""
        return state[rows]

    def _context(self, words: Sentence, bos: bool) -> States:
        model = self._fitted()
        states = model.start(1, bos)
        for number in _passing(model.numbers, self._cut(words)).tolist():
            states = model.advance(states, np.array([number]))
        return states

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
        arrays = pack_strings("words", self.words)
        for n in range(1, model.order + 1):
            for (_, name), array in zip(_LEVEL, model.level(n), strict=True):
                if array.size or name in ("words", "log_probs"):
                    arrays[f"{n}.{name}"] = array
        config = {
            "format": _FORMAT,
            "order": model.order,
            "smoothing": SMOOTHINGS[model.laplace],
            "alpha": self.alpha,
        }
        return config, arrays

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
            made._corpus()
            levels = [_level(n, made.order, arrays) for n in range(1, made.order + 1)]
            words = unpack_strings("words", arrays)
            made._set(_core.NgramModel(words, levels, made.smoothing == "laplace"))
        except (KeyError, ValueError, TypeError) as error:
            raise ModelError(f"the n-gram model is altered ({error}); fetch it again") from error
        return made

    def __getstate__(self) -> dict[str, Any]:
        state = {name: value for name, value in vars(self).items() if name not in ("_model", "words")}
        return state | {"_state": self.to_state()} if hasattr(self, "_model") else state

    def __setstate__(self, state: dict[str, Any]) -> None:
        saved = state.pop("_state", None)
        vars(self).update(state)
        if saved is not None:
            self._model = self.from_state(*saved)._model

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


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _level(n: int, order: int, arrays: Mapping[str, NDArray[Any]]) -> _core.NgramLevel:
    found = [
        np.zeros(0, dtype)
        if n == order and name in ("backoffs", "begins")
        else take_array(f"{n}.{name}", arrays, dtype, 1)
        for dtype, name in _LEVEL
    ]
    return found[0], found[1], found[2], found[3]


def _passing(call: Callable[..., Any], *arguments: Any) -> Any:
    """What the kernel gives; what it refuses is a DataError."""
    try:
        return call(*arguments)
    except (ValueError, TypeError) as error:
        raise DataError(str(error)) from None


def _not_utf8(reader: LineReader, block: bytes, place: int) -> DataError:
    line = reader.line - block.count(b"\n", place) + 1
    message = f'byte 0x{block[place]:02x} is not UTF-8; convert the file, or give errors="replace"'
    return error_at(reader.name, line, message)
