"""What a language model reads: lines as numbers of characters, words or pieces of a BPE, and back."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nlptk.corpora.files import PathLike
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.state import check_integer, pack_strings, take_array, unpack_strings
from nlptk.tokenize.bpe import BPE

Ids: TypeAlias = NDArray[np.int32]
Unit: TypeAlias = "str | PathLike | BPE"

#: The number of the end of a line, which stands between lines and before the first; and of what is not known.
END, UNKNOWN = 0, 1
_FIRST = 2
_UNKNOWN_CHARACTER, _UNKNOWN_WORD = "\ufffd", "<unk>"


class Text(NamedTuple):
    """Lines as numbers.

    Attributes:
        ids: int32 [tokens + 1]: END, then the tokens of each line and END.
        words: between white space, and one for each end of a line.
        characters: and one for each end of a line.
        unknown: tokens that are UNKNOWN.
    """

    ids: Ids
    words: int
    characters: int
    unknown: int


class Units:
    """Characters, words between white space, or pieces of a BPE, by number.

    Args:
        kind: "characters", "words" or "bpe".
        tokens: those of characters or words.
        bpe: of "bpe".
    """

    def __init__(self, kind: str, tokens: Sequence[str] = (), bpe: BPE | None = None) -> None:
        self.kind, self.tokens, self.bpe = kind, list(tokens), bpe
        self._numbers = {token: number for number, token in enumerate(self.tokens, _FIRST)}

    @classmethod
    def of(cls, unit: Unit, lines: Sequence[str], min_count: int) -> Units:
        """The units of a setting, learnt from lines: tokens seen fewer times are unknown.

        Raises:
            ConfigError: min_count is below 1, or there is no such unit.
            ModelError: the file is no BPE.
        """
        check_integer("min_count", min_count, 1)
        if isinstance(unit, BPE):
            return cls("bpe", bpe=unit)
        if unit not in ("characters", "words"):
            if not os.path.exists(unit):
                raise ConfigError(f"unit must be 'characters', 'words' or the file of a BPE, not {unit!r}")
            return cls("bpe", bpe=BPE.load(unit))
        counts: Counter[str] = Counter()
        for line in lines:
            counts.update(line if unit == "characters" else line.split())
        ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        return cls(str(unit), [token for token, count in ordered if count >= min_count])

    def __len__(self) -> int:
        """Numbers there are, END and UNKNOWN among them."""
        return _FIRST + (len(self.tokens) if self.bpe is None else max(self.bpe.vocab.values()) + 1)

    def encode(self, line: str) -> list[int]:
        """The numbers of one line, without its end."""
        if self.bpe is not None:
            return [number + _FIRST for number in self.bpe.encode(line, add_special_tokens=False)]
        return [self._numbers.get(token, UNKNOWN) for token in self._cut(line)]

    def encode_lines(self, lines: Sequence[str]) -> Text:
        """All lines in a row."""
        ids = [END]
        for line in lines:
            ids += self.encode(line)
            ids.append(END)
        array = np.array(ids, np.int32)
        words = sum(len(line.split()) + 1 for line in lines)
        return Text(array, words, sum(len(line) + 1 for line in lines), int((array == UNKNOWN).sum()))

    def decode(self, ids: Iterable[int]) -> str:
        """The text of numbers; the end of a line is a line break.

        UNKNOWN is U+FFFD among characters and pieces, and <unk> among words.
        """
        lines: list[list[int]] = [[]]
        for number in ids:
            if number == END:
                lines.append([])
            else:
                lines[-1].append(int(number))
        return "\n".join(map(self._line, lines))

    def unknown(self, line: str) -> list[str]:
        """The tokens of a line that are not known, each once."""
        return [] if self.bpe else [one for one in dict.fromkeys(self._cut(line)) if one not in self._numbers]

    def _cut(self, line: str) -> Sequence[str]:
        return line if self.kind == "characters" else line.split()

    def _line(self, ids: list[int]) -> str:
        if self.bpe is not None:
            return self.bpe.decode([number - _FIRST for number in ids if number != UNKNOWN])
        characters = self.kind == "characters"
        unknown = _UNKNOWN_CHARACTER if characters else _UNKNOWN_WORD
        found = [unknown if number == UNKNOWN else self.tokens[number - _FIRST] for number in ids]
        return ("" if characters else " ").join(found)

    # ---- files --------------------------------------------------------------------------------------------

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays for the store."""
        if self.bpe is None:
            return pack_strings("tokens", self.tokens)
        return {"bpe_json": np.frombuffer(json.dumps(self.bpe.to_json()).encode(), np.uint8)}

    @classmethod
    def from_arrays(cls, kind: str, arrays: Mapping[str, NDArray[Any]]) -> Units:
        """The units that `to_arrays` gave. Raises ModelError for arrays that are none."""
        if kind not in ("characters", "words", "bpe"):
            raise ModelError(f"there are no units {kind!r}; the model is altered, fetch it again")
        if kind != "bpe":
            return cls(kind, unpack_strings("tokens", arrays))
        data = take_array("bpe_json", arrays, np.uint8, 1).tobytes()
        try:
            return cls(kind, bpe=BPE.from_json(json.loads(data), "the language model's BPE"))
        except ValueError as error:
            raise ModelError(f"the language model's BPE is damaged: {error}") from error


def checked_lines(lines: Iterable[str], what: str) -> list[str]:
    """Lines without their breaks, cut where there is one inside; empty ones are left out.

    Raises DataError where one is no string, or none is left.
    """
    if isinstance(lines, str):
        raise DataError(f"{what} must be lines, not one string: use text.splitlines()")
    found = []
    for number, line in enumerate(lines):
        if not isinstance(line, str):
            raise DataError(f"line {number} of {what} is {type(line).__name__}, not a string")
        found += [part for part in line.replace("\r\n", "\n").split("\n") if part.strip()]
    if not found:
        raise DataError(f"{what} holds no text: all its lines are empty")
    return found
