"""What BERT is pre-trained on, made of plain text: pairs of segments, with words masked.

Masked words (Devlin et al. 2019, 3.1, Task 1): each token is chosen with probability 0.15; of the chosen,
80 % become [MASK], 10 % a random word, 10 % stay. With whole words, all pieces of a word are chosen together,
and each then goes its own way. Next sentence (Task 2): A and B follow one another in a document, or, with
probability 0.5, B is from another document.

All is drawn from the seed, the epoch's number and the place in the text, and made anew in each epoch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nlptk.corpora.files import PathLike, open_text
from nlptk.errors import ConfigError, DataError
from nlptk.neural.batches import Batches
from nlptk.neural.packing import Packed
from nlptk.tokenize.wordpiece import WordPiece

Ids = NDArray[np.int64]
_ENDS = (".", "!", "?", "。", "！", "？", "…")  # after which a sentence ends
_UNCHOSEN = -1


class Example(NamedTuple):
    """One sequence: ids with words masked, type ids; target: the word of each chosen place, -1 elsewhere;
    random_next: 1 if B is from another document, 0 if it follows, None where there is no pair.
    """

    ids: Ids
    type_ids: Ids
    target: Ids
    random_next: int | None

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class PretrainingBatch:
    """packed: the sequences; places, targets: int64 [masked], where words are to be found, and which;
    random_next: int64 [sequences] or None.
    """

    packed: Packed
    places: Tensor
    targets: Tensor
    random_next: Tensor | None

    def to(self, device: torch.device | str) -> PretrainingBatch:
        """The same on a device."""
        following = None if self.random_next is None else self.random_next.to(device)
        return PretrainingBatch(
            self.packed.to(device), self.places.to(device), self.targets.to(device), following
        )


def collate(examples: Sequence[Example]) -> PretrainingBatch:
    """A batch of examples, all of which have a pair, or none."""
    ids, type_ids, target = (
        np.concatenate([getattr(one, name) for one in examples]) for name in ("ids", "type_ids", "target")
    )
    lengths = np.fromiter(map(len, examples), np.int64, len(examples))
    places = np.flatnonzero(target != _UNCHOSEN)
    pairs = [one.random_next for one in examples if one.random_next is not None]
    return PretrainingBatch(
        Packed(torch.from_numpy(ids), lengths, torch.from_numpy(type_ids)),
        torch.from_numpy(places),
        torch.from_numpy(target[places]),
        torch.tensor(pairs) if pairs else None,
    )


class Masking(NamedTuple):
    """mask: the id of [MASK]; words: the ids that a random word is drawn from; continues: bool [vocabulary],
    True for pieces that go on with a word; None to choose pieces, not words.
    """

    mask: int
    words: Ids
    continues: NDArray[np.bool_] | None = None

    def __call__(self, ids: Ids, random: np.random.Generator, share: float = 0.15) -> tuple[Ids, Ids]:
        """(ids with words masked, targets: the word of each chosen place, -1 elsewhere), both [tokens]."""
        if self.continues is None or not len(ids):
            chosen = random.random(len(ids)) < share
        else:
            word = np.cumsum(~self.continues[ids])  # a number for each word; a first piece may be a later one
            chosen = (random.random(int(word[-1]) + 1) < share)[word]
        how = random.random(len(ids))
        masked = np.where(how < 0.8, self.mask, random.choice(self.words, len(ids)))
        masked = np.where(chosen & (how < 0.9), masked, ids)
        return masked, np.where(chosen, ids, _UNCHOSEN)


class PretrainingText:
    """Batches of examples from files of plain text, epoch by epoch: what the trainer takes as its source.

    Args:
        files: UTF-8, plain or gzip, a paragraph a line.
        tokenizer: with [CLS], [SEP] and [MASK].
        documents: "blank" where blank lines part documents, "line" where each line is one.
        max_length: tokens of a sequence at most, special tokens counted.
        batch_tokens: tokens of a batch, about; padding there is none.
        next_sentence: make pairs; else a sequence is one segment.
        whole_word: choose words, not pieces.
        short: share of sequences that are of random length, so that short ones are known too.
        buffer: documents that are shuffled together, and from which random segments come.
        seed: of all that is drawn.

    Raises:
        ConfigError: a setting is out of range, the tokenizer lacks a special token.
    """

    def __init__(
        self,
        files: Sequence[PathLike],
        tokenizer: WordPiece,
        *,
        documents: Literal["blank", "line"] = "blank",
        max_length: int = 128,
        batch_tokens: int = 4096,
        next_sentence: bool = True,
        whole_word: bool = False,
        short: float = 0.1,
        buffer: int = 1024,
        seed: int = 1,
    ) -> None:
        if documents not in ("blank", "line"):
            raise ConfigError(f"documents must be 'blank' or 'line', not {documents!r}")
        if max_length < 8 or batch_tokens < max_length or buffer < 2:
            raise ConfigError(
                "max_length must be at least 8, batch_tokens at least max_length, and buffer at least 2, "
                f"not {max_length!r}, {batch_tokens!r} and {buffer!r}"
            )
        if not 0 <= short <= 1:
            raise ConfigError(f"short must be a share from 0 to 1, not {short!r}")
        self.files, self.tokenizer, self.documents = list(files), tokenizer, documents
        self.max_length, self.batch_tokens, self.next_sentence = max_length, batch_tokens, next_sentence
        self.short, self.buffer, self.seed = short, buffer, seed
        self.cls, self.sep, mask = (_special(tokenizer, name) for name in ("[CLS]", "[SEP]", "[MASK]"))
        vocabulary = tokenizer.get_vocab()
        size = max(vocabulary.values()) + 1
        later = np.zeros(size, bool)
        words = np.zeros(size, bool)
        for token, number in vocabulary.items():
            later[number] = token.startswith(tokenizer.wordpieces_prefix)
            words[number] = not (token.startswith("[") and token.endswith("]") and len(token) > 2)
        self.masking = Masking(mask, np.flatnonzero(words), later if whole_word else None)
        ends = [vocabulary[token] for token in _ENDS if token in vocabulary]
        self._ends = np.zeros(size, bool)
        self._ends[ends] = True
        self._count: int | None = None

    def __len__(self) -> int:
        """Batches of the first epoch, counted by going over the text once; later ones may differ by a few."""
        if self._count is None:
            self._count = sum(1 for _ in self.epoch(0))
        return self._count

    def counts(self) -> NDArray[np.int64]:
        """How often each token is in the text, int64 [vocabulary], special ones left out."""
        found = np.zeros(len(self._ends), np.int64)
        for units in self._documents():
            found += np.bincount(np.concatenate(units), minlength=len(found))
        return found

    def epoch(self, number: int) -> Iterator[list[Example]]:
        """The batches of an epoch, counted from 0: the same whenever the same epoch is asked for.

        Raises DataError where a file cannot be read, or has but one document while pairs are asked for.
        """
        for part, documents in enumerate(self._buffers()):
            random = np.random.default_rng([self.seed, number, part])
            examples = [self._example(*pair, random) for pair in self._pairs(documents, random)]
            batches = list(Batches([*map(len, examples)], self.batch_tokens, shuffle=False).epoch(0))
            for i in random.permutation(len(batches)).tolist():
                yield [examples[k] for k in batches[i]]

    # ---- documents ----------------------------------------------------------------------------------------

    def _buffers(self) -> Iterator[list[list[Ids]]]:
        """Some documents at a time, each a list of units of at most half a sequence.

        A last one alone joins those before it, so that each buffer has two.
        """
        held: list[list[Ids]] = []
        for document in self._documents():
            held.append(document)
            if len(held) > self.buffer + 1:
                yield held[: self.buffer]
                held = held[self.buffer :]
        if len(held) == 1 and self.next_sentence:
            raise DataError(
                f"there is one document in {', '.join(map(str, self.files))}, and pairs need two: "
                "part them by blank lines, or give documents='line'"
            )
        if held:
            yield held

    def _documents(self) -> Iterator[list[Ids]]:
        units: list[Ids] = []
        for line in self._lines():
            if line:
                units += self._units(line)
            if units and (not line or self.documents == "line"):
                yield units
                units = []
        if units:
            yield units

    def _lines(self) -> Iterator[str]:
        """All lines, and an empty one behind each file."""
        for file in self.files:
            with open_text(file) as lines:
                yield from (line.strip() for line in lines)
            yield ""

    def _units(self, line: str) -> list[Ids]:
        """The sentences of a line, as far as its marks tell, long ones in pieces."""
        ids = np.array(self.tokenizer.encode(line, add_special_tokens=False), np.int64)
        cuts = np.flatnonzero(self._ends[ids]) + 1
        most = (self.max_length - 3) // 2
        return [
            unit[a : a + most] for unit in np.split(ids, cuts) if len(unit) for a in range(0, len(unit), most)
        ]

    # ---- examples -----------------------------------------------------------------------------------------

    def _pairs(
        self, documents: list[list[Ids]], random: np.random.Generator
    ) -> Iterator[tuple[Ids, Ids | None, int | None]]:
        """(A, B, whether B is from another document) of documents in random order; one segment has no B."""
        for i in random.permutation(len(documents)).tolist():
            units, first = documents[i], 0
            while first < len(units):
                target = self._target(random)
                sizes = np.cumsum([len(unit) for unit in units[first : first + target]])
                # Units until the target is reached, the last of them with it; of a pair two at least.
                wanted = max(int(np.searchsorted(sizes, target)) + 1, 2 if self.next_sentence else 1)
                last = first + min(wanted, len(sizes))
                if not self.next_sentence:
                    yield np.concatenate(units[first:last])[:target], None, None
                    first = last
                elif last - first == 1:
                    break  # has no sentence to follow it; of these a B is drawn all the same
                else:
                    middle = int(random.integers(first + 1, last))
                    a = np.concatenate(units[first:middle])
                    strange = int(random.random() < 0.5)
                    if strange:
                        b = self._elsewhere(documents, i, target - len(a), random)
                        first = middle  # what would have followed is used next
                    else:
                        b = np.concatenate(units[middle:last])
                        first = last
                    yield *_fit(a, b, target), strange

    def _target(self, random: np.random.Generator) -> int:
        """Tokens of a sequence, without special ones."""
        room = self.max_length - (3 if self.next_sentence else 2)
        return int(random.integers(2, room + 1)) if random.random() < self.short else room

    def _elsewhere(
        self, documents: list[list[Ids]], here: int, target: int, random: np.random.Generator
    ) -> Ids:
        other = int(random.integers(len(documents) - 1))
        units = documents[other + (other >= here)]
        first = int(random.integers(len(units)))
        sizes = np.cumsum([len(unit) for unit in units[first:]])
        return np.concatenate(units[first : first + int(np.searchsorted(sizes, max(target, 1))) + 1])

    def _example(
        self, a: Ids, b: Ids | None, random_next: int | None, random: np.random.Generator
    ) -> Example:
        """[CLS] A [SEP], or [CLS] A [SEP] B [SEP], masked."""
        ids, targets = [np.array([self.cls])], [np.array([_UNCHOSEN])]
        for part in (a,) if b is None else (a, b):
            masked, target = self.masking(part, random)
            ids += [masked, np.array([self.sep])]
            targets += [target, np.array([_UNCHOSEN])]
        type_ids = np.zeros(sum(map(len, ids)), np.int64)
        type_ids[len(a) + 2 :] = 1
        return Example(np.concatenate(ids), type_ids, np.concatenate(targets), random_next)


def _fit(a: Ids, b: Ids, target: int) -> tuple[Ids, Ids]:
    """Both cut to `target` tokens together, the longer first: A at its front, B at its end."""
    room_a = max(target - len(b), -(-target // 2))
    room_b = max(target - min(len(a), room_a), 1)
    return a[-room_a:], b[:room_b]


def _special(tokenizer: WordPiece, name: str) -> int:
    number = tokenizer.token_to_id(name)
    if number is None:
        raise ConfigError(f"the tokenizer's vocabulary has no {name}, which pre-training needs")
    return number
