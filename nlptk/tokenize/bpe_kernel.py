"""A BPE model as its kernel takes it: tokens as bytes, merges as places, special tokens as rows.

In the kernel an end-of-word suffix is the byte 0xFF at the end of a token, and with a continuing prefix a
token that lacks it begins with 0xFE; no UTF-8 text holds either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from nlptk import _core
from nlptk.errors import ConfigError, ModelError
from nlptk.tokenize.bpe_formats import BPEParts, hide_bytes, show_bytes
from nlptk.tokenize.hf_json import AddedToken
from nlptk.tokenize.pretokenizers import Scanner, resolve_pattern

_WORD_START, _WORD_END = b"\xfe", b"\xff"


def make_kernel(parts: BPEParts) -> _core.BpeEncoder:
    """The encoder of a model. ModelError where vocabulary and merges do not fit together."""
    settings = parts.settings
    tokens = sorted(parts.vocab, key=parts.vocab.__getitem__)
    place = {token: i for i, token in enumerate(tokens)}
    prefix = settings.get("continuing_subword_prefix") or ""
    rows = np.zeros((len(parts.merges), 3), np.uint32)
    try:
        rows[:] = [(place[a], place[b], place[a + b.removeprefix(prefix)]) for a, b in parts.merges] or rows
    except KeyError as error:
        raise ModelError(f"a merge needs the token {error.args[0]!r}, which the vocabulary lacks") from None
    options = {
        name: settings.get(name, False)
        for name in ("byte_level", "prefix_space", "fuse_unk", "ignore_merges")
    }
    options["marks_start"] = bool(prefix)
    options["marks_end"] = bool(settings.get("end_of_word_suffix"))
    if settings.get("unk_token") is not None:
        options["unk_id"] = parts.vocab[settings["unk_token"]]
    if settings.get("byte_fallback"):
        none = 0xFFFFFFFF
        options["fallback"] = [parts.vocab.get(f"<0x{byte:02X}>", none) for byte in range(256)]
    how = resolve_pattern(settings["pattern"])
    try:
        return _core.BpeEncoder(
            _unlike([token_bytes(token, settings) for token in tokens], tokens, parts.special_tokens),
            [parts.vocab[token] for token in tokens],
            rows,
            how.name if isinstance(how, Scanner) else "none",
            [_row(token) for token in parts.special_tokens],
            options,
        )
    except ValueError as error:
        raise ModelError(f"bpe: {error}") from None


def _row(token: AddedToken) -> tuple[bytes, int, bool, bool, bool, bool]:
    content = token.content.encode("utf-8", "replace")
    return content, token.id, token.special, token.single_word, token.lstrip, token.rstrip


def _unlike(data: list[bytes], tokens: Sequence[str], special: Iterable[AddedToken]) -> list[bytes]:
    """The bytes of tokens, empty for special ones that happen to be another's: those are found by name
    alone.
    """
    names = {token.content for token in special}
    taken = {bytes_ for token, bytes_ in zip(tokens, data, strict=True) if token not in names}
    return [
        b"" if token in names and bytes_ in taken else bytes_
        for token, bytes_ in zip(tokens, data, strict=True)
    ]


def token_bytes(token: str, settings: Mapping[str, Any]) -> bytes:
    """A token of the vocabulary as the kernel has it."""
    if settings.get("byte_level", True):
        data = hide_bytes(token)
        return token.encode("utf-8", "surrogatepass") if data is None else data
    prefix, suffix = settings.get("continuing_subword_prefix"), settings.get("end_of_word_suffix")
    data = b""
    if prefix:
        data = b"" if token.startswith(prefix) else _WORD_START
        token = token.removeprefix(prefix)
    if suffix and token.endswith(suffix):
        return data + token.removesuffix(suffix).encode("utf-8", "surrogatepass") + _WORD_END
    return data + token.encode("utf-8", "surrogatepass")


def token_name(data: bytes, settings: Mapping[str, Any]) -> str:
    """What the vocabulary writes for a token of the kernel."""
    if settings.get("byte_level", True):
        return show_bytes(data)
    prefix, suffix = settings.get("continuing_subword_prefix"), settings.get("end_of_word_suffix")
    before = "" if not prefix or data.startswith(_WORD_START) else prefix
    after = suffix if suffix and data.endswith(_WORD_END) else ""
    return before + data.strip(_WORD_START + _WORD_END).decode() + after


def unit_bytes(unit: str, byte_level: bool) -> bytes:
    """A unit of the alphabet as the trainer takes it. ConfigError for more than one byte or character."""
    data = hide_bytes(unit) if byte_level else unit.encode("utf-8", "replace")
    if data is None or len(data if byte_level else unit) != 1:
        raise ConfigError(
            f"bpe: {unit!r} in initial_alphabet is not one {'byte' if byte_level else 'character'}"
        )
    return data


def with_ids(tokens: Iterable[AddedToken | str], vocab: Mapping[str, int]) -> list[AddedToken]:
    """The special tokens; a str gets the id that the vocabulary has for it, else the next free one."""
    found: dict[str, AddedToken] = {}
    free = max(vocab.values(), default=-1) + 1
    for token in tokens:
        if isinstance(token, str):
            token = AddedToken(token, vocab.get(token, free), special=True)
        if not token.content:
            raise ConfigError("bpe: a special token must not be empty")
        if token.content in found:
            continue
        found[token.content] = token
        free = max(free, token.id + 1)
    return list(found.values())
