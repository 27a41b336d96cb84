"""What an n-gram model says of the next word: its distribution, sentences drawn, steps for decoding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nlptk import _core
from nlptk.errors import ConfigError
from nlptk.lm.training import is_number, passing
from nlptk.state import check_integer

#: A list of words, or a string, which the tokenizer cuts, or white space.
Sentence = str | Sequence[str]
#: int64 [rows, order]: words of the context, then the numbers of their n-grams (-1: none).
States = NDArray[np.int64]

_END = 2  # number of </s>


class NextWords:
    """The part of :class:`nlptk.NgramLM` that goes from word to word."""

    threads: int

    @property
    def words(self) -> list[str]:
        raise NotImplementedError

    def _fitted(self) -> _core.NgramModel:
        raise NotImplementedError

    def _cut(self, sentence: Sentence) -> Sentence:
        raise NotImplementedError

    def predict(self, context: Sentence = (), bos: bool = True) -> NDArray[np.float32]:
        """Probabilities of all `words` after these, float32 [words]; that of ``<s>`` is 0.

        Raises as `score`.
        """
        states = self._context(context, bos)
        probabilities: NDArray[np.float32] = np.exp(self._fitted().distributions(states, 1)[0])
        return probabilities

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
        if not is_number(temperature) or not 0 < temperature < float("inf"):
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
        after = passing(model.advance, state, tokens)
        return model.distributions(after, self.threads), after

    def reorder(self, state: States, rows: NDArray[np.int64]) -> States:
        """The states whose row i is what row rows[i] was."""
        return state[rows]

    def _context(self, words: Sentence, bos: bool) -> States:
        model = self._fitted()
        states = model.start(1, bos)
        for number in passing(model.numbers, self._cut(words)).tolist():
            states = model.advance(states, np.array([number]))
        return states
