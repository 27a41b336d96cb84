"""WordPiece: BERT's tokenizer in C++, with the ids of Hugging Face's tokenizers for every text.

Sources: Devlin et al. 2019 (arXiv 1810.04805) and its tokenization.py for the basic tokenizer, Wu et al. 2016
(arXiv 1609.08144) for greedy longest match; the `tokenizers` library for the rest: added tokens, special
tokens round a text, offsets, decoding. Where the references differ, the `tokenizers` library is followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from nlptk import _core
from nlptk.errors import ConfigError
from nlptk.tokenize import wordpiece_json
from nlptk.tokenize.hf_json import AddedToken, PathLike
from nlptk.tokenize.wordpiece_json import Slot

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CLEANUP = (
    *((" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m")),
    *((" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re")),
)


@dataclass(frozen=True)
class Encoding:
    """What `encode_with_offsets` gives; one entry for each piece in every list.

    `ids`; `type_ids` (0 for the text, 1 for the pair); `tokens`; `offsets`: start and end in the text (or
    pair) that the piece comes from, in characters, (0, 0) for a special token that was put round it;
    `word_ids`: number of the word in its text, None for those; `special_tokens_mask`: 1 for those.
    """

    ids: list[int]
    type_ids: list[int]
    tokens: list[str]
    offsets: list[tuple[int, int]]
    word_ids: list[int | None]
    special_tokens_mask: list[int]

    def __len__(self) -> int:
        return len(self.ids)


class WordPiece:
    """Text to the ids of word pieces, and back.

    A lone surrogate, which tokenizers refuses, counts as U+FFFD: the clean-up takes it out, and it is a
    letter of its word where there is no clean-up.

    Args:
        vocab: token -> id, or the tokens in the order of their ids. Of equal tokens the last counts.
        lowercase: lower-case the text.
        strip_accents: take accents off (canonical decomposition without nonspacing marks); None: as
            `lowercase`.
        clean_text: take control characters and U+FFFD out.
        tokenize_chinese_chars: each CJK ideograph is a word.
        unk_token: stands for a word that no pieces spell, and for a long one.
        sep_token, cls_token, pad_token, mask_token: special tokens; those that `vocab` lacks are not used.
        wordpieces_prefix: begins a token that goes on with a word.
        max_input_chars_per_word: a longer word is unknown.
        added_tokens: looked for in the text before anything else; None: the special tokens.
        single, pair: what `encode` puts round one text and two (see `Slot`); None: [CLS] A [SEP] (B [SEP]),
            if the vocabulary has both.
        cleanup: `decode` takes away the spaces before punctuation and English clitics.

    Raises:
        ConfigError: a vocabulary without `unk_token`, an id below 0 or above 268435455 or given twice, a
            token that is no text, a wrong setting.
    """

    def __init__(
        self,
        vocab: Mapping[str, int] | Sequence[str],
        *,
        lowercase: bool = True,
        strip_accents: bool | None = None,
        clean_text: bool = True,
        tokenize_chinese_chars: bool = True,
        unk_token: str = "[UNK]",
        sep_token: str = "[SEP]",
        cls_token: str = "[CLS]",
        pad_token: str = "[PAD]",
        mask_token: str = "[MASK]",
        wordpieces_prefix: str = "##",
        max_input_chars_per_word: int = 100,
        added_tokens: Sequence[AddedToken] | None = None,
        single: Sequence[Slot] | None = None,
        pair: Sequence[Slot] | None = None,
        cleanup: bool = True,
    ) -> None:
        self._vocab = _checked_vocab(vocab)
        self.lowercase, self.clean_text = bool(lowercase), bool(clean_text)
        self.strip_accents = strip_accents
        self.tokenize_chinese_chars = bool(tokenize_chinese_chars)
        self.unk_token = unk_token
        self.wordpieces_prefix = wordpieces_prefix
        if isinstance(max_input_chars_per_word, bool) or not isinstance(max_input_chars_per_word, int):
            raise ConfigError("max_input_chars_per_word must be a whole number")
        self.max_input_chars_per_word = max(0, max_input_chars_per_word)
        self.cleanup = cleanup
        if added_tokens is None:
            special = dict.fromkeys((unk_token, sep_token, cls_token, pad_token, mask_token))
            added_tokens = [AddedToken(t, self._vocab[t], special=True) for t in special if t in self._vocab]
        self.added_tokens = tuple(added_tokens)
        bert = cls_token in self._vocab and sep_token in self._vocab
        cls_id, sep_id = self._vocab.get(cls_token, 0), self._vocab.get(sep_token, 0)
        if single is None:
            single = wordpiece_json.bert_template(cls_id, sep_id, pair=False) if bert else (Slot("A"),)
        if pair is None:
            pair = (
                wordpiece_json.bert_template(cls_id, sep_id, pair=True)
                if bert
                else (Slot("A"), Slot("B", type_id=1))
            )
        self._single, self._pair = tuple(single), tuple(pair)
        before, after = _round_one(self._single)
        try:
            self._kernel = _core.WordPieceTokenizer(
                list(self._vocab),
                list(self._vocab.values()),
                unk_token,
                wordpieces_prefix,
                self.max_input_chars_per_word,
                self.clean_text,
                self.tokenize_chinese_chars,
                self.lowercase if strip_accents is None else bool(strip_accents),
                self.lowercase,
                [
                    (t.content, t.id, t.single_word, t.lstrip, t.rstrip, t.normalized)
                    for t in self.added_tokens
                ],
                before,
                after,
            )
        except ValueError as error:
            raise ConfigError(f"WordPiece: {error}") from None
        self._ids = {**self._vocab, **{token.content: token.id for token in self.added_tokens}}
        self._tokens = {number: token for token, number in self._vocab.items()}
        self._tokens.update({token.id: token.content for token in self.added_tokens})
        self._special = {token.id for token in self.added_tokens if token.special}

    # ---- files --------------------------------------------------------------------------------------------

    @classmethod
    def load(cls, path: PathLike, **settings: Any) -> WordPiece:
        """A tokenizer from a ``tokenizer.json``, a ``vocab.txt`` (one token a line) or a folder with either.

        Beside a ``vocab.txt``, a ``tokenizer_config.json`` tells about lower case, accents and CJK
        characters; else the defaults hold, which are those of uncased models. `settings` of the constructor
        come first. Truncation and padding that a tokenizer.json asks for are not done: see `max_length` of
        `encode`.

        Raises:
            ModelError: there is no such file, it is malformed (file and line are named), or it asks for a
            part that
                is not supported (it is named).
        """
        return cls(**wordpiece_json.read(path, settings))

    @classmethod
    def from_json(cls, data: Mapping[str, Any], source: PathLike = "tokenizer.json") -> WordPiece:
        """A tokenizer from the object of a tokenizer.json. Raises ModelError, which names `source`."""
        return cls(**wordpiece_json.from_json(data, source))

    def to_json(self) -> dict[str, Any]:
        """The object of a tokenizer.json, which tokenizers reads."""
        return wordpiece_json.to_json(self, self._vocab, self._single, self._pair, self._tokens)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_json, (self.to_json(),)

    def save(self, path: PathLike) -> None:
        """Write a ``tokenizer.json``; into a folder (which is made), that and a ``vocab.txt``; to a name that
        ends in .txt, the vocabulary alone. Each file whole or not at all.

        Raises:
            DataError: a file cannot be written.
            ConfigError: the vocabulary does not fit a vocab.txt (ids with gaps, line ends in a token).
        """
        wordpiece_json.write(path, self.to_json())

    # ---- text to ids --------------------------------------------------------------------------------------

    def encode(
        self,
        text: str,
        pair: str | None = None,
        add_special_tokens: bool = True,
        max_length: int | None = None,
    ) -> list[int]:
        """The ids of a text, or of two, with the special tokens round them.

        `max_length`: at most so many ids, the special tokens counted; the ends of the texts are cut, of two
        the longer one first. Raises TypeError for what is no str, ConfigError where the special tokens alone
        are longer.
        """
        if pair is None and max_length is None:
            return self._kernel.encode(text, add_special_tokens)
        bodies = [self._kernel.encode(body, False) for body in ((text,) if pair is None else (text, pair))]
        slots = self._slots(pair is not None, add_special_tokens)
        kept = _keep([len(body) for body in bodies], _room(slots, max_length))
        ids: list[int] = []
        for slot in slots:
            ids += slot.ids if not slot.text else bodies[slot.text == "B"][: kept[slot.text == "B"]]
        return ids

    def encode_batch(
        self,
        texts: Sequence[str],
        add_special_tokens: bool = True,
        threads: int = 0,
        max_length: int | None = None,
    ) -> list[list[int]]:
        """`encode` for many texts, over threads (0: one for each core)."""
        if max_length is None:
            return self._kernel.encode_batch(texts, add_special_tokens, threads)
        slots = self._slots(False, add_special_tokens)
        room = _room(slots, max_length)
        before, after = _round_one(slots)
        bodies = self._kernel.encode_batch(texts, False, threads)
        return [[*before, *body[:room], *after] for body in bodies]

    def encode_with_offsets(
        self,
        text: str,
        pair: str | None = None,
        add_special_tokens: bool = True,
        max_length: int | None = None,
    ) -> Encoding:
        """`encode` with where each piece comes from: see `Encoding`."""
        bodies = [self._kernel.pieces(body) for body in ((text,) if pair is None else (text, pair))]
        slots = self._slots(pair is not None, add_special_tokens)
        kept = _keep([len(body[0]) for body in bodies], _room(slots, max_length))
        found = Encoding([], [], [], [], [], [])
        for slot in slots:
            if slot.text:
                number = slot.text == "B"
                ids, offsets, words = bodies[number]
                ids, offsets = ids[: kept[number]], offsets[: kept[number]]
                found.word_ids.extend(words[: kept[number]])
            else:
                ids, offsets = list(slot.ids), [(0, 0)] * len(slot.ids)
                found.word_ids.extend([None] * len(ids))
            found.ids.extend(ids)
            found.offsets.extend(offsets)
            found.type_ids.extend([slot.type_id] * len(ids))
            found.special_tokens_mask.extend([0 if slot.text else 1] * len(ids))
        found.tokens.extend(map(self._tokens.__getitem__, found.ids))
        return found

    def tokenize(self, text: str) -> list[str]:
        """The pieces of one text, without special tokens round it."""
        return list(map(self._tokens.__getitem__, self._kernel.encode(text, False)))

    def words(self, text: str) -> tuple[list[tuple[int, int]], list[list[int]]]:
        """Start and end of each word of BERT's basic tokenizer in the text, and the ids of its pieces.

        Every character that is not whitespace lies in a word: what the clean-up takes out belongs to the word
        before it, or is a word without pieces where whitespace (or the start of the text) stands before it.
        """
        starts, ends, first, ids = (column.tolist() for column in self.word_arrays(text))
        pieces = [ids[a:b] for a, b in pairwise(first)]
        return list(zip(starts, ends, strict=True)), pieces

    def word_arrays(self, text: str) -> tuple[NDArray[np.int32], ...]:
        """`words` as arrays: starts and ends [words], first piece of each [words + 1], ids [pieces]."""
        return self._kernel.words(text)

    def _slots(self, pair: bool, add_special_tokens: bool) -> tuple[Slot, ...]:
        slots = self._pair if pair else self._single
        if add_special_tokens:
            return slots
        return (Slot("A"), Slot("B", type_id=1)) if pair else (Slot("A"),)

    # ---- ids to text --------------------------------------------------------------------------------------

    def decode(self, ids: Iterable[int], skip_special_tokens: bool = True) -> str:
        """Text of these ids: pieces joined to words, spaces between. Raises ConfigError for an unknown id."""
        return "".join(self._decoded(ids, skip_special_tokens))

    def decode_batch(self, batch: Iterable[Iterable[int]], skip_special_tokens: bool = True) -> list[str]:
        """`decode` for many."""
        return [self.decode(ids, skip_special_tokens) for ids in batch]

    def _decoded(self, ids: Iterable[int], skip_special_tokens: bool) -> Iterator[str]:
        first = True
        for number in ids:
            token = self._tokens.get(number)
            if token is None:
                raise ConfigError(f"the vocabulary has no id {number!r}: it ends at {max(self._tokens)}")
            if skip_special_tokens and number in self._special:
                continue
            if not first:
                prefix = self.wordpieces_prefix
                token = token[len(prefix) :] if token.startswith(prefix) else " " + token
            first = False
            if self.cleanup:
                for dirty, clean in _CLEANUP:
                    token = token.replace(dirty, clean)
            yield token

    # ---- vocabulary ---------------------------------------------------------------------------------------

    @property
    def vocab_size(self) -> int:
        """How many tokens there are, added ones too."""
        return len(self._ids)

    def get_vocab(self) -> dict[str, int]:
        """Token -> id, added ones too."""
        return dict(self._ids)

    def token_to_id(self, token: str) -> int | None:
        """The id of a token, or None."""
        return self._ids.get(token)

    def id_to_token(self, number: int) -> str | None:
        """The token of an id, or None."""
        return self._tokens.get(number)


def _checked_vocab(vocab: Mapping[str, int] | Sequence[str]) -> dict[str, int]:
    if isinstance(vocab, str):
        raise ConfigError("WordPiece takes a vocabulary; WordPiece.load reads one from a file")
    found = dict(vocab) if isinstance(vocab, Mapping) else {token: i for i, token in enumerate(vocab)}
    for token, number in found.items():
        if not isinstance(token, str) or isinstance(number, bool) or not isinstance(number, int):
            raise ConfigError(f"the vocabulary must be of str and int, not {token!r} and {number!r}")
    if len(set(found.values())) < len(found):
        raise ConfigError("the vocabulary gives one id to two tokens")
    try:
        "".join(found).encode()
    except UnicodeEncodeError:
        raise ConfigError(
            "the vocabulary has a token with a lone surrogate, which no text can hold"
        ) from None
    return found


def _round_one(slots: Sequence[Slot]) -> tuple[list[int], list[int]]:
    """The special tokens before and behind the text."""
    place = [slot.text for slot in slots].index("A")
    before = [number for slot in slots[:place] for number in slot.ids]
    return before, [number for slot in slots[place + 1 :] for number in slot.ids]


def _room(slots: Sequence[Slot], max_length: int | None) -> int | None:
    """How many ids of the texts there is room for."""
    if max_length is None:
        return None
    special = sum(len(slot.ids) for slot in slots)
    if max_length < special:
        raise ConfigError(
            f"max_length must be at least {special}, the number of special tokens, not {max_length}"
        )
    return max_length - special


def _keep(lengths: Sequence[int], room: int | None) -> list[int]:
    """How much of each text is kept: the longer of two is cut first (tokenizers' LongestFirst)."""
    if room is None or sum(lengths) <= room:
        return list(lengths)
    if len(lengths) == 1:
        return [room]
    short = min(lengths)
    long = max(short, room - short)
    if short + long > room:
        short = room // 2
        long = room - short
    return [short, long] if lengths[0] <= lengths[1] else [long, short]
