"""Reading Hugging Face's ``tokenizer.json`` and the vocabulary files beside it; errors name the place.

The layout is that of the `tokenizers` library: ``model`` (vocabulary and algorithm), ``normalizer``,
``pre_tokenizer``, ``post_processor``, ``decoder`` and ``added_tokens``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nlptk.errors import ModelError

PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class AddedToken:
    """A token that is looked for in the text itself, beside what the model makes of it.

    `special`: left out by `decode`; `single_word`: only where no word character touches it; `lstrip`,
    `rstrip`: takes the whitespace on that side too; `normalized`: looked for in the normalized text, not in
    the text given.
    """

    content: str
    id: int
    special: bool = False
    single_word: bool = False
    lstrip: bool = False
    rstrip: bool = False
    normalized: bool = False

    def to_json(self) -> dict[str, Any]:
        """The entry of ``added_tokens``."""
        return asdict(self)


def find_file(path: PathLike, names: Sequence[str]) -> Path:
    """`path` itself if it is a file, else the first of `names` in that folder; else a ModelError."""
    place = Path(path)
    if place.is_file():
        return place
    if not place.is_dir():
        raise ModelError(f"there is no file or folder {os.fspath(path)!r}")
    for name in names:
        if (place / name).is_file():
            return place / name
    raise ModelError(f"the folder {os.fspath(path)!r} holds none of {', '.join(names)}")


def read_utf8(path: PathLike) -> str:
    """The text of a UTF-8 file, without a byte-order mark. ModelError naming the line of a bad byte."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read {os.fspath(path)!r}: {error.strerror or error}") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # After a byte-order mark the position counts from behind it.
        line = error.object.count(b"\n", 0, error.start) + 1
        byte = error.object[error.start]
        raise ModelError(f"{os.fspath(path)}, line {line}: byte 0x{byte:02x} is not UTF-8") from error


def read_json(path: PathLike) -> dict[str, Any]:
    """The object of a JSON file. ModelError naming line and column where it is malformed or cut short."""
    text = read_utf8(path)
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"{os.fspath(path)}, line {error.lineno}, column {error.colno}"
        raise ModelError(
            f"{where}: not valid JSON ({error.msg}); the file is damaged or cut short"
        ) from error
    except RecursionError as error:
        raise ModelError(f"{os.fspath(path)}: the JSON is nested too deeply to be a tokenizer") from error
    if not isinstance(data, dict):
        raise ModelError(f"{os.fspath(path)}: expected a JSON object, not {type(data).__name__}")
    return data


def read_tokenizer_json(path: PathLike) -> dict[str, Any]:
    """The object of a ``tokenizer.json``, with an object under "model".

    Raises:
        ModelError: the file cannot be read, is no JSON (line and column are named) or no tokenizer.
    """
    data = read_json(path)
    if not isinstance(data.get("model"), dict):
        raise ModelError(f'{os.fspath(path)}: there is no "model" in it, so it is no tokenizer.json')
    return data


def model_type(data: Mapping[str, Any]) -> str:
    """``model.type``; files of before 2020 leave it out, and what the model holds tells it then."""
    model = data["model"]
    if "type" in model:
        return str(model["type"])
    if "merges" in model:
        return "BPE"
    return "WordPiece" if "max_input_chars_per_word" in model else "unknown"


def read_added_tokens(data: Mapping[str, Any], source: PathLike) -> list[AddedToken]:
    """The ``added_tokens`` of a tokenizer.json in their order. ModelError for an entry that is none."""
    entries = data.get("added_tokens")
    if entries is None:
        return []
    if not isinstance(entries, list):
        raise ModelError(f'{os.fspath(source)}: "added_tokens" must be a list')
    tokens = []
    for place, entry in enumerate(entries):
        where = f"{os.fspath(source)}: added_tokens[{place}]"
        if not isinstance(entry, dict) or not isinstance(entry.get("content"), str):
            raise ModelError(f'{where} must be an object with "content" and "id"')
        flags = {
            name: entry.get(name, False)
            for name in AddedToken.__annotations__
            if name not in ("content", "id")
        }
        for name, flag in flags.items():
            if not isinstance(flag, bool):
                raise ModelError(f"{where}: {name!r} must be true or false, not {flag!r}")
        tokens.append(AddedToken(entry["content"], check_id(entry.get("id"), where), **flags))
    return tokens


def read_vocab(vocab: Any, source: PathLike) -> dict[str, int]:
    """A vocabulary object (token -> id). ModelError for an id that is no whole number or stands twice."""
    if not isinstance(vocab, dict):
        raise ModelError(f"{os.fspath(source)}: the vocabulary must be an object of token and id")
    seen: dict[int, str] = {}
    for token, number in vocab.items():
        number = check_id(number, f"{os.fspath(source)}: the token {token!r}")
        if number in seen:
            raise ModelError(f"{os.fspath(source)}: {seen[number]!r} and {token!r} both have the id {number}")
        seen[number] = token
    return vocab


def check_id(value: Any, where: str) -> int:
    """`value` if it is an id, in [0, 2^31). ModelError otherwise, which begins with `where`."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise ModelError(f"{where} must have an id, a whole number from 0 to 2147483647, not {value!r}")
    return value


def require(part: Mapping[str, Any] | None, allowed: Mapping[str, Any], where: str) -> None:
    """Check that the settings of a part of a tokenizer.json named in `allowed` have the value there (or are
    absent).

    Raises:
        ModelError: one does not; the message, which begins with `where`, names it.
    """
    for name, value in allowed.items():
        found = (part or {}).get(name, value)
        if found != value:
            raise ModelError(f"{where}: {name} = {found!r} is not supported (only {value!r} is)")
