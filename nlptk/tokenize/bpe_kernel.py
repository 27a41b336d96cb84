"""A BPE model as its kernel takes it: tokens as bytes, merges as places, special tokens as rows.

In the kernel an end-of-word suffix is the byte 0xFF at the end of a token, and with a continuing prefix a
token that lacks it begins with 0xFE; no UTF-8 text holds either.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

import numpy as np

from nlptk import _core
from nlptk.errors import ConfigError, ModelError
from nlptk.tokenize.bpe_checks import token_text
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
    options = {name: settings.get(name, False) for name in ("byte_level", "fuse_unk", "ignore_merges")}
    options["marks_start"] = bool(prefix)
    options["marks_end"] = bool(settings.get("end_of_word_suffix"))
    if settings.get("unk_token") is not None:
        options["unk_id"] = parts.vocab[settings["unk_token"]]
    if settings.get("byte_fallback"):
        none = 0xFFFFFFFF
        options["fallback"] = [parts.vocab.get(f"<0x{byte:02X}>", none) for byte in range(256)]
    how = resolve_pattern(settings["pattern"])
    # Otherwise the kernel gets pieces, of which the first has its space already.
    options["prefix_space"] = isinstance(how, Scanner) and bool(settings.get("prefix_space"))
    try:
        return _core.BpeEncoder(
            [token_bytes(token, settings) for token in tokens],
            [parts.vocab[token] for token in tokens],
            rows,
            how.name if isinstance(how, Scanner) else "none",
            _rows(parts),
            options,
        )
    except ValueError as error:
        raise ModelError(f"bpe: {error}") from None


def _rows(parts: BPEParts) -> list[tuple[bytes, int, bool, bool, bool, bool, bool, bool]]:
    """Special tokens, and others that are only ever decoded, as the kernel takes them."""
    form = parts.settings.get("normalization")

    def content(token: AddedToken) -> str:
        return unicodedata.normalize(form, token.content) if form and token.normalized else token.content

    rows = [
        (
            content(token).encode(),
            token.id,
            token.special,
            token.single_word,
            token.lstrip,
            token.rstrip,
            token.normalized,
            True,
        )
        for token in parts.special_tokens
    ]
    others: dict[int, bytes] = {}
    if parts.settings.get("byte_level", True):
        others = {
            number: token.encode() for token, number in parts.vocab.items() if hide_bytes(token) is None
        }
    elif parts.settings.get("byte_fallback"):
        names = {f"<0x{byte:02X}>": bytes([byte]) for byte in range(256)}
        others = {parts.vocab[name]: data for name, data in names.items() if name in parts.vocab}
    known = {token.id for token in parts.special_tokens}
    rows += [
        (data, number, False, False, False, False, False, False)
        for number, data in others.items()
        if number not in known
    ]
    return rows


def token_bytes(token: str, settings: Mapping[str, Any]) -> bytes:
    """A token of the vocabulary as the kernel has it."""
    if settings.get("byte_level", True):
        data = hide_bytes(token)
        return b"".join(map(_character_bytes, token)) if data is None else data
    prefix, suffix = settings.get("continuing_subword_prefix"), settings.get("end_of_word_suffix")
    data = b""
    if prefix:
        data = b"" if token.startswith(prefix) else _WORD_START
        token = token.removeprefix(prefix)
    if suffix and token.endswith(suffix):
        return data + token.removesuffix(suffix).encode() + _WORD_END
    return data + token.encode()


def _character_bytes(char: str) -> bytes:
    """A character of a byte-level token; one that stands for no byte becomes bytes that no text holds."""
    data = hide_bytes(char)
    return b"\xff" + char.encode() if data is None else data


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
    data = hide_bytes(unit) if byte_level else token_text(unit, "a unit of initial_alphabet").encode()
    if data is None or len(data if byte_level else unit) != 1:
        raise ConfigError(
            f"bpe: {unit!r} in initial_alphabet is not one {'byte' if byte_level else 'character'}"
        )
    return data
