"""BPE: byte-pair encoding, byte level or character level, trained and applied in C++.

Training counts the pieces of a text and then merges the most frequent pair again and again; encoding is
linear in the length of a piece. docs/bpe.md tells how, and what was measured.

Sources: Gage 1994; Sennrich, Haddow and Birch 2016 (BPE for words, subword-nmt); Radford et al. 2019 (byte
level, GPT-2); Provilkov, Emelianenko and Voita 2020 (dropout). The merges and ids are those of Hugging Face
tokenizers 0.23 and tiktoken 0.14.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlptk.errors import ConfigError, ModelError
from nlptk.pickling import RemakesKernels
from nlptk.tokenize import bpe_checks as checks
from nlptk.tokenize import bpe_formats as formats
from nlptk.tokenize.bpe_formats import BPEParts, Merge
from nlptk.tokenize.bpe_kernel import make_kernel
from nlptk.tokenize.bpe_offsets import Form
from nlptk.tokenize.bpe_text import TextEncoder
from nlptk.tokenize.bpe_training import Corpus, Progress, count_pieces, learn_merges
from nlptk.tokenize.bpe_writing import tokenizer_json, write_bpe
from nlptk.tokenize.hf_json import AddedToken
from nlptk.tokenize.pretokenizers import Scanner, resolve_pattern


def _default_pattern(byte_level: bool) -> str:
    return "gpt2" if byte_level else "whitespace_split"


class BPE(RemakesKernels):
    """Text to the ids of subwords, and back. In a pipeline: the component ``bpe``.

    Args:
        vocab: token -> id. Byte-level tokens are written as GPT-2 does ("Ġthe" is " the").
        merges: pairs of tokens, the first to be merged first.
        special_tokens: tokens that stand in a text as they are ("<|endoftext|>"); a str gets the next free
            id, a mapping gives ids.
        byte_level: units are bytes, so that nothing is unknown; else characters.
        pattern: how a text is cut into pieces, within which alone merges happen: "gpt2", "cl100k", "o200k",
            "llama3" and the other names of ``nlptk.tokenize.pretokenizers.PATTERNS``, or a regular
            expression.
        prefix_space: a text that does not begin with a space is encoded as if it did.
        end_of_word_suffix: what marks the last unit of a piece ("</w>" in subword-nmt); character level only.
        continuing_subword_prefix: what marks all units but the first ("##"); character level only.
        unk_token: stands for characters that are no token, which are left out without it.
        fuse_unk: one unknown token for a run of such characters.
        byte_fallback: unknown characters become tokens "<0xE4>" of their bytes, if there are such.
        ignore_merges: a piece that is a token stays whole even if the merges would not make it.
        normalization: "NFC", "NFD", "NFKC" or "NFKD" to bring texts into that form first.
        begin_ids, end_ids: what `add_special_tokens` puts before and after a text.
        dropout: probability of leaving out a merge, for training on varied segmentations.
        threads: over the texts of a batch; 0 for one for each core.

    Raises:
        ConfigError: a setting is not usable.
        ModelError: vocabulary and merges do not fit together.
    """

    _kernel_names = ("_kernel", "_texts")

    def __init__(
        self,
        vocab: Mapping[str, int] | None = None,
        merges: Iterable[Merge] = (),
        *,
        special_tokens: Iterable[AddedToken | str] | Mapping[str, int] = (),
        byte_level: bool = True,
        pattern: str | None = None,
        prefix_space: bool = False,
        end_of_word_suffix: str | None = None,
        continuing_subword_prefix: str | None = None,
        unk_token: str | None = None,
        fuse_unk: bool = False,
        byte_fallback: bool = False,
        ignore_merges: bool = False,
        normalization: Form | None = None,
        begin_ids: Sequence[int] = (),
        end_ids: Sequence[int] = (),
        dropout: float | None = None,
        threads: int = 0,
    ) -> None:
        if vocab is None:
            vocab = {char: byte for byte, char in enumerate(formats.BYTE_CHARACTERS)} if byte_level else {}
        checks.check_marks(byte_level, end_of_word_suffix, continuing_subword_prefix)
        if unk_token is not None and unk_token not in vocab:
            raise ModelError(f"bpe: the unk_token {unk_token!r} is not in the vocabulary")
        self.pattern = pattern or _default_pattern(byte_level)
        self.threads = checks.thread_count(threads)
        self.dropout = checks.probability(dropout)
        self.normalization: Form | None = checks.normal_form(normalization)
        self._vocab = checks.check_vocab(vocab)
        self._merges = checks.check_merges(merges)
        self._special = checks.with_ids(special_tokens, self._vocab)
        self._added = {token.content: token.id for token in self._special}
        self._tokens = {number: token for token, number in self._vocab.items()}
        self._tokens.update({token.id: token.content for token in self._special})
        self.begin_ids = checks.check_frame("begin_ids", begin_ids, self._tokens)
        self.end_ids = checks.check_frame("end_ids", end_ids, self._tokens)
        self._how = resolve_pattern(self.pattern)
        self._settings: dict[str, Any] = {
            "byte_level": byte_level,
            "pattern": self._how.name if isinstance(self._how, Scanner) else self.pattern,
            "prefix_space": prefix_space,
            "end_of_word_suffix": end_of_word_suffix,
            "continuing_subword_prefix": continuing_subword_prefix,
            "unk_token": unk_token,
            "fuse_unk": fuse_unk,
            "byte_fallback": byte_fallback,
            "ignore_merges": ignore_merges,
            "normalization": normalization,
            "begin_ids": self.begin_ids,
            "end_ids": self.end_ids,
            "dropout": dropout,
        }
        self._make_kernels()

    def _make_kernels(self) -> None:
        self._kernel = make_kernel(self._parts())
        self._texts = TextEncoder(
            self._kernel, self._how, self.normalization, self._settings["prefix_space"], self.threads
        )
        # A str, and nothing beside the kernel to be asked: the usual case of encode().
        self._plain = isinstance(self._how, Scanner) and not (
            self.normalization or self.dropout or self.begin_ids or self.end_ids
        )

    # ---- making ----------------------------------------------------------------------------------

    @classmethod
    def train(
        cls,
        files_or_lines: Corpus,
        vocab_size: int = 32_000,
        *,
        min_frequency: int = 0,
        special_tokens: Sequence[str] = (),
        byte_level: bool = True,
        pattern: str | None = None,
        prefix_space: bool = False,
        end_of_word_suffix: str | None = None,
        continuing_subword_prefix: str | None = None,
        unk_token: str | None = None,
        initial_alphabet: Iterable[str] | None = None,
        limit_alphabet: int | None = None,
        max_token_length: int | None = None,
        errors: str = "strict",
        threads: int = 0,
        progress: Progress | None = None,
    ) -> BPE:
        """Learn a model from files (gzip or not, larger than memory) or from an iterable of lines.

        A path, or a list of paths, is read line by line, each line with its line end; any other iterable
        gives lines. Merges, vocabulary and ids are those of the `BpeTrainer` of tokenizers, whichever way the
        words come.

        Args:
            vocab_size: tokens in all, special ones and units included; fewer if the text has no more pairs.
            min_frequency: pairs that occur less often are not merged.
            special_tokens: get the first ids.
            initial_alphabet: units that are tokens even if no text holds them; byte level: all bytes by
                default.
            limit_alphabet: only so many units, the most frequent ones (character level, with many
                characters).
            max_token_length: in units.
            errors: "strict", or "replace" to read bytes that are not UTF-8 as U+FFFD.
            threads: 0 for one for each core.

        Raises:
            DataError: nothing to learn from, or a file that is not UTF-8 (names the line).
            ConfigError: vocab_size is below the alphabet, or another setting is not usable.
        """
        pattern = pattern or _default_pattern(byte_level)
        vocab_size = checks.whole("vocab_size", vocab_size)
        options = {
            "min_frequency": checks.whole("min_frequency", min_frequency, most=2**63 - 1),
            "limit_alphabet": checks.whole("limit_alphabet", limit_alphabet or 0),
            "max_token_length": checks.whole("max_token_length", max_token_length or 0),
        }
        threads = checks.thread_count(threads)
        special = checks.special_names(special_tokens, unk_token)
        checks.check_marks(byte_level, end_of_word_suffix, continuing_subword_prefix)
        counter = count_pieces(files_or_lines, pattern, prefix_space, threads, errors, progress)
        marks = {
            "byte_level": byte_level,
            "end_of_word_suffix": end_of_word_suffix,
            "continuing_subword_prefix": continuing_subword_prefix,
        }
        vocab, merges = learn_merges(counter, vocab_size, special, initial_alphabet, marks, options, progress)
        return cls(
            vocab,
            merges,
            special_tokens=[AddedToken(token, vocab[token], special=True) for token in special],
            pattern=pattern,
            prefix_space=prefix_space,
            unk_token=unk_token,
            threads=threads,
            **marks,  # type: ignore[arg-type]
        )

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        merges: str | os.PathLike[str] | None = None,
        special_tokens: Iterable[AddedToken | str] | Mapping[str, int] = (),
        **settings: Any,
    ) -> BPE:
        """A model of Hugging Face (``tokenizer.json``; ``vocab.json`` and ``merges.txt``), tiktoken
        (``.tiktoken``) or subword-nmt (codes), told by its name and content; `path` may be the folder.

        `special_tokens` adds to those of the file (a mapping gives ids); `settings` are those of the
        constructor and go before the file's, such as ``pattern="o200k"`` for a ``.tiktoken`` file.

        Raises:
            ModelError: the file is missing or malformed, or needs what is not supported.
        """
        parts = formats.read_bpe(path, merges)
        known = {**parts.vocab, **{token.content: token.id for token in parts.special_tokens}}
        parts.special_tokens += checks.with_ids(special_tokens, known)
        return cls._of_parts(parts, os.fspath(path), settings)

    @classmethod
    def from_json(cls, data: Mapping[str, Any], source: str = "tokenizer.json") -> BPE:
        """A model from the object of a tokenizer.json. Raises ModelError, which names `source`."""
        return cls._of_parts(formats.read_tokenizer(data, source), source, {})

    @classmethod
    def _of_parts(cls, parts: BPEParts, source: str, settings: Mapping[str, Any]) -> BPE:
        """A model that was read from `source`, which errors name."""
        try:
            options = {**parts.settings, **settings}
            return cls(parts.vocab, parts.merges, special_tokens=parts.special_tokens, **options)
        except ModelError as error:
            raise ModelError(f"{source}: {error}") from None
        except ConfigError as error:
            if settings:
                raise
            raise ModelError(f"{source}: {error}") from None

    def to_json(self) -> dict[str, Any]:
        """The object of a tokenizer.json, which tokenizers reads."""
        return tokenizer_json(self._parts())

    @classmethod
    def from_ranks(cls, ranks: Mapping[bytes, int], **settings: Any) -> BPE:
        """A model from tiktoken's ``mergeable_ranks``. ModelError if a byte has no rank."""
        parts = formats.parts_of_ranks(ranks)
        return cls(parts.vocab, parts.merges, **{**parts.settings, **settings})

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write ``tokenizer.json``, a ``.tiktoken`` file, or (to a folder) ``vocab.json`` and ``merges.txt``.

        The name tells which: ``*.json``, ``*.tiktoken``, ``*.txt`` (merges alone) or anything else, a folder.

        Raises:
            ModelError: a ``.tiktoken`` file cannot hold this model.
            DataError: the file cannot be written.
        """
        write_bpe(path, self._parts())

    # ---- using -----------------------------------------------------------------------------------

    def encode(self, text: str, add_special_tokens: bool = True, *, seed: int = 0) -> list[int]:
        """The ids of a text. Special tokens in it are recognised; lone surrogates are encoded as U+FFFD.

        `add_special_tokens`: with `begin_ids` and `end_ids`. `seed` decides which merges `dropout` leaves
        out.

        Raises TypeError for anything but str.
        """
        if self._plain:
            return self._kernel.encode(text)
        ids = self._bodies([text], seed)[0]
        return [*self.begin_ids, *ids, *self.end_ids] if add_special_tokens else ids

    def encode_batch(
        self, texts: Sequence[str], add_special_tokens: bool = True, *, seed: int = 0
    ) -> list[list[int]]:
        """The ids of each text, in threads: text i as `encode` gives it with ``seed=seed + i``.

        Raises TypeError for anything but a sequence of str.
        """
        bodies = self._bodies(texts, seed)
        if not add_special_tokens or not (self.begin_ids or self.end_ids):
            return bodies
        return [[*self.begin_ids, *ids, *self.end_ids] for ids in bodies]

    def _bodies(self, texts: Sequence[str], seed: int) -> list[list[int]]:
        checks.check_texts(texts)
        seed, dropout = checks.seed(seed), self.dropout or 0.0
        if isinstance(self._how, Scanner) and (
            self.normalization is None or all(map(self._texts.direct, texts))
        ):
            return self._kernel.encode_batch(texts, 3, dropout, seed, self.threads)
        return [
            self._texts.columns(checks.check_text(text), dropout, seed + i, offsets=False)[0].tolist()
            for i, text in enumerate(texts)
        ]

    def encode_with_offsets(self, text: str, *, seed: int = 0) -> tuple[list[int], list[tuple[int, int]]]:
        """Ids, and where each token lies in the text, in characters (white space included).

        A token that is part of a character's bytes has that whole character.
        """
        ids, starts, ends, _ = self.encode_arrays([text], seed=seed)
        return ids.tolist(), list(zip(starts.tolist(), ends.tolist(), strict=True))

    def tokenize(self, text: str) -> list[str]:
        """The tokens of a text as the vocabulary writes them."""
        return [self._tokens[number] for number in self.encode(text, False)]

    def pre_tokenize(self, text: str) -> list[str]:
        """The pieces that a text is cut into before merges are applied."""
        return [text[a:b] for a, b in self._how.spans(text)]

    def decode(self, ids: Sequence[int] | NDArray[Any], skip_special_tokens: bool = True) -> str:
        """The text of these ids; bytes that are not UTF-8 become U+FFFD.

        Raises:
            ConfigError: an id is no token's, or `ids` is no flat sequence of whole numbers.
        """
        return self.decode_bytes(ids, skip_special_tokens).decode("utf-8", "replace")

    def decode_bytes(self, ids: Sequence[int] | NDArray[Any], skip_special_tokens: bool = True) -> bytes:
        """The bytes of these ids. Raises ConfigError for an id that is no token's."""
        array = checks.id_array(ids)
        try:
            return self._kernel.decode(array, skip_special_tokens)
        except ValueError as error:
            raise ConfigError(f"bpe: {error}; ids go from 0 to {max(self._tokens, default=-1)}") from None

    # ---- the vocabulary --------------------------------------------------------------------------

    @property
    def vocab_size(self) -> int:
        """Number of tokens, special ones included."""
        return len(self._tokens)

    @property
    def vocab(self) -> dict[str, int]:
        """Token -> id, special tokens included."""
        return {**self._vocab, **self._added}

    @property
    def merges(self) -> list[Merge]:
        """The merges, best first."""
        return list(self._merges)

    @property
    def special_tokens(self) -> list[AddedToken]:
        """The tokens that are looked for in the text itself."""
        return list(self._special)

    def token_to_id(self, token: str) -> int | None:
        """The id of a token, or None."""
        found = self._added.get(token)
        return self._vocab.get(token) if found is None else found

    def id_to_token(self, number: int) -> str | None:
        """The token of an id, or None."""
        return self._tokens.get(number)

    def encode_arrays(
        self, texts: Sequence[str], *, seed: int = 0
    ) -> tuple[NDArray[np.uint32], NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
        """Ids, starts and ends [tokens of all texts], and where each text's begin, [texts + 1]; no frame."""
        checks.check_texts(texts)
        seed, dropout = checks.seed(seed), self.dropout or 0.0
        if isinstance(self._how, Scanner) and self.normalization is None:
            return self._kernel.encode_offsets(texts, 3, dropout, seed, self.threads)
        parts = [
            self._texts.columns(checks.check_text(text), dropout, seed + i) for i, text in enumerate(texts)
        ]
        columns = [np.concatenate([part[i] for part in parts] or [np.zeros(0)]) for i in range(3)]
        bounds = np.cumsum([0, *(len(part[0]) for part in parts)])
        return (
            columns[0].astype(np.uint32),
            columns[1].astype(np.int32),
            columns[2].astype(np.int32),
            bounds.astype(np.int64),
        )

    def _parts(self) -> BPEParts:
        return BPEParts(self._vocab, self._merges, self._special, self._settings)
