"""The neural tagger's network on BERT: the state of each word's first piece (Devlin et al. 2019, 5.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nlptk.errors import ConfigError
from nlptk.neural.bert import Bert
from nlptk.neural.chain import CrfHead
from nlptk.neural.packing import Packed
from nlptk.neural.states import pack_tokenizer
from nlptk.neural.tagger_models import TaggerModel
from nlptk.neural.windows import windows
from nlptk.tokenize.wordpiece import WordPiece

_MOST_FORMS = 200_000  # whose pieces are remembered


class Pieces(NamedTuple):
    """A sentence: the ids of its words' pieces, where each word begins among them, its labels' numbers."""

    ids: list[int]
    firsts: NDArray[np.int64]
    gold: NDArray[np.int64] | None


class PiecesBatch(NamedTuple):
    """Sentences, or windows of them, with [CLS] and [SEP].

    Attributes:
        packed: all of them.
        firsts: int64 [words], the token that stands for each word.
        lengths: int64 [sentences], in words.
        gold: int64 [words], or None.
    """

    packed: Packed
    firsts: Tensor
    lengths: Tensor
    gold: Tensor | None


class SubwordTagger(TaggerModel):
    """Scores from BERT's states.

    A sentence longer than the model's positions goes through it in windows; each word's state is that of the
    window in which it is furthest from an edge.

    Args:
        bert: the encoder; its pooler is not used.
        tokenizer: of its vocabulary, with [CLS] and [SEP].
        stride: pieces from one window to the next; None: half a window.
    """

    def __init__(
        self,
        bert: Bert,
        tokenizer: WordPiece,
        labels: int,
        *,
        head: CrfHead | None,
        dropout: float,
        smoothing: float,
        stride: int | None = None,
    ) -> None:
        super().__init__(head, smoothing)
        bert.pooler = None
        self.bert, self.tokenizer = bert, tokenizer
        self.size = bert.config.max_position_embeddings - 2
        self.stride = self.size // 2 if stride is None else stride
        if not 1 <= self.stride <= self.size:
            raise ConfigError(
                f"stride must be from 1 to {self.size}, what the model takes, not {self.stride!r}"
            )
        around = [tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]", tokenizer.unk_token)]
        if None in around:
            raise ConfigError("the vocabulary of a BERT tagger needs [CLS] and [SEP]")
        self._first, self._last, self._unknown = (int(number or 0) for number in around)
        self.dropout = nn.Dropout(dropout)
        self.scores = nn.Linear(bert.config.hidden_size, labels)
        self._pieces: dict[str, list[int]] = {}

    def examples(
        self, X: Sequence[Sequence[str]], gold: Sequence[NDArray[np.int64]] | None = None
    ) -> list[Pieces]:
        """Sentences as pieces; a word that has none is an unknown one."""
        found = []
        for i, sentence in enumerate(X):
            ids: list[int] = []
            firsts = np.empty(len(sentence), np.int64)
            for place, word in enumerate(sentence):
                firsts[place] = len(ids)
                ids += self._pieces.get(word) or self._cut(word)
            found.append(Pieces(ids, firsts, None if gold is None else gold[i]))
        return found

    def _cut(self, word: str) -> list[int]:
        """The pieces of a word; of one with more than a window holds, so many, as the first alone counts."""
        if len(self._pieces) >= _MOST_FORMS:
            self._pieces.clear()
        ids = self.tokenizer.encode(word, add_special_tokens=False)[: self.size] or [self._unknown]
        self._pieces[word] = ids
        return ids

    def sizes(self, examples: Sequence[Pieces]) -> list[int]:
        """Pieces of each, with [CLS] and [SEP]."""
        return [len(example.ids) + 2 for example in examples]

    def collate(self, examples: Sequence[Pieces]) -> PiecesBatch:
        """Windows, and the word's token in the window that it is best seen in."""
        sequences: list[list[int]] = []
        firsts: list[NDArray[np.int64]] = []
        tokens = 0
        for example in examples:
            plan = windows(len(example.ids), self.size, self.stride)
            sizes = plan.ends - plan.starts + 2
            # Where a window's body would begin if it were the sentence's.
            bases = tokens + np.cumsum(sizes) - sizes + 1 - plan.starts
            firsts.append(example.firsts + bases[plan.owner[example.firsts]])
            tokens += int(sizes.sum())
            sequences += [
                [self._first, *example.ids[first:last], self._last]
                for first, last in zip(plan.starts.tolist(), plan.ends.tolist(), strict=True)
            ]
        gold = [example.gold for example in examples if example.gold is not None]
        return PiecesBatch(
            Packed.of(sequences),
            torch.from_numpy(np.concatenate(firsts)),
            torch.tensor([len(example.firsts) for example in examples]),
            torch.from_numpy(np.concatenate(gold)) if gold else None,
        )

    def vocabulary(self) -> dict[str, NDArray[Any]]:
        """The tokenizer, as a tokenizer.json."""
        return pack_tokenizer(self.tokenizer)

    def emissions(self, batch: PiecesBatch) -> Tensor:
        states = self.bert(batch.packed).states[batch.firsts]  # [words, dim]
        return self.scores(self.dropout(states))  # type: ignore[no-any-return]
