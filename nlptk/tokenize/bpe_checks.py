"""What the arguments of BPE must be: one clear sentence for each that is not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlptk.errors import ConfigError, ModelError
from nlptk.tokenize.hf_json import AddedToken, check_id

_MOST_IDS = 2**31


def whole(name: str, value: Any, least: int = 0, most: int = _MOST_IDS - 1) -> int:
    """`value` if it is a whole number in [least, most]. ConfigError otherwise."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not least <= value <= most:
        raise ConfigError(f"bpe: {name} must be a whole number from {least} to {most}, not {value!r}")
    return int(value)


def seed(value: Any) -> int:
    """`value` if it is a seed to which the places of texts can be added. ConfigError otherwise."""
    return whole("seed", value, most=2**63 - 1)


def thread_count(value: Any) -> int:
    """`value` if it is a number of threads. ConfigError otherwise."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigError(f"bpe: threads must be 0 or a positive whole number, not {value!r}")
    return min(value, 1024)  # as parallel.hpp has it


def probability(value: Any) -> float | None:
    """`value` if it is None or in [0, 1]. ConfigError otherwise."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ConfigError(f"bpe: dropout must be from 0 to 1, not {value!r}")
    return value


def normal_form(value: Any) -> Any:
    """`value` if it is None or the name of a normal form. ConfigError otherwise."""
    if value not in (None, "NFC", "NFD", "NFKC", "NFKD"):
        raise ConfigError(f"bpe: normalization must be NFC, NFD, NFKC, NFKD or None, not {value!r}")
    return value


def check_marks(byte_level: bool, suffix: str | None, prefix: str | None) -> None:
    """ConfigError for a mark that byte level has no place for."""
    if byte_level and (suffix or prefix):
        raise ConfigError("bpe: marks at words' ends or inside them are for byte_level=False only")


def check_text(text: Any) -> str:
    """`text` if it is a str. TypeError otherwise."""
    if not isinstance(text, str):
        raise TypeError(f"a text must be str, not {type(text).__name__}")
    return text


def check_texts(texts: Any) -> None:
    """TypeError for what is no sequence (of str, which is seen later)."""
    if isinstance(texts, (str, bytes, Mapping)) or not hasattr(texts, "__getitem__"):
        raise TypeError(f"texts must be a sequence of str, not {type(texts).__name__}")


def token_text(token: Any, what: str) -> str:
    """`token` if it is a str that is not empty and has no lone surrogate. ConfigError otherwise."""
    if not isinstance(token, str):
        raise ConfigError(f"bpe: {what} must be str, not {type(token).__name__}")
    if not token:
        raise ConfigError(f"bpe: {what} must not be empty")
    if any("\ud800" <= char <= "\udfff" for char in token):
        raise ConfigError(f"bpe: {what} must not hold a lone surrogate, as {token!r} does")
    return token


def special_names(tokens: Any, unk_token: str | None) -> list[str]:
    """Special tokens to train with, each once, the unknown token last. ConfigError for what is none."""
    if isinstance(tokens, (str, bytes)) or not isinstance(tokens, Iterable):
        raise ConfigError(f"bpe: special_tokens must be a list of str, not {tokens!r}")
    names = [token_text(token, "a special token") for token in tokens]
    unknown = [] if unk_token is None else [token_text(unk_token, "unk_token")]
    return list(dict.fromkeys([*names, *unknown]))


def check_vocab(vocab: Any) -> dict[str, int]:
    """A copy of token -> id. ModelError for what is none."""
    if not isinstance(vocab, Mapping):
        raise ModelError(f"bpe: a vocabulary must be a mapping of token and id, not {type(vocab).__name__}")
    for token, number in vocab.items():
        if type(token) is not str or type(number) is not int or not 0 <= number < _MOST_IDS:
            if not isinstance(token, str):
                raise ModelError(f"bpe: a token must be str, not {token!r}")
            check_id(number, f"bpe: the token {token!r}")
    try:
        "".join(vocab).encode()
    except UnicodeEncodeError:
        bad = next(token for token in vocab if any("\ud800" <= char <= "\udfff" for char in token))
        raise ModelError(f"bpe: the token {bad!r} holds a lone surrogate") from None
    return dict(vocab)


def check_merges(merges: Iterable[Any]) -> list[tuple[str, str]]:
    """A copy of pairs of tokens. ModelError for an entry that is none."""
    found = []
    for place, merge in enumerate(merges):
        if (
            not isinstance(merge, (tuple, list))
            or len(merge) != 2
            or not (isinstance(merge[0], str) and isinstance(merge[1], str))
        ):
            raise ModelError(f"bpe: merges[{place}] must be two tokens, not {merge!r}")
        found.append((merge[0], merge[1]))
    return found


def with_ids(
    tokens: Iterable[AddedToken | str] | Mapping[str, int], vocab: Mapping[str, int]
) -> list[AddedToken]:
    """The special tokens; a str gets the id that the vocabulary has for it, else the next free one.

    Raises:
        ConfigError: an entry is no token.
        ModelError: an id is another token's.
    """
    if isinstance(tokens, (str, bytes)) or not isinstance(tokens, Iterable):
        raise ConfigError(f"bpe: special_tokens must be a list of tokens, not {tokens!r}")
    if isinstance(tokens, Mapping):
        tokens = [AddedToken(token, number, special=True) for token, number in tokens.items()]
    found: dict[str, AddedToken] = {}
    holders = {number: token for token, number in vocab.items()}
    free = max(holders, default=-1) + 1
    for token in tokens:
        if not isinstance(token, AddedToken):
            token = AddedToken(token, vocab.get(token, free), special=True)
        name = token_text(token.content, "a special token")
        if name in found:
            continue
        number = check_id(token.id, f"bpe: the special token {name!r}")
        if vocab.get(name, number) != number:
            raise ModelError(
                f"bpe: the special token {name!r} has the id {number}, but {vocab[name]} in the vocabulary"
            )
        if holders.setdefault(number, name) != name:
            raise ModelError(
                f"bpe: the special token {name!r} has the id {number} of the token {holders[number]!r}"
            )
        found[name] = token
        free = max(free, number + 1)
    return list(found.values())


def id_array(ids: Any) -> NDArray[np.uint32]:
    """Ids as the kernel takes them. ConfigError for what is no flat sequence of whole numbers in range."""
    try:
        array = np.asarray(ids)
    except (ValueError, OverflowError, TypeError):  # lists of unequal length
        array = np.asarray(None)
    if array.ndim == 1 and array.size == 0:
        return np.zeros(0, np.uint32)
    if array.ndim == 1 and array.dtype.kind not in "iu" and all(type(number) is int for number in ids):
        array = np.array(ids, object)  # numbers too large for NumPy
    elif array.ndim != 1 or array.dtype.kind not in "iu":
        raise ConfigError(f"bpe: ids must be a flat sequence of whole numbers, not {str(ids)[:60]}")
    bad = np.flatnonzero((array < 0) | (array >= _MOST_IDS))
    if bad.size:
        raise ConfigError(f"bpe: the id {array[bad[0]]} at place {bad[0]} is out of range")
    return array.astype(np.uint32)


def check_frame(name: str, ids: Sequence[int], tokens: Mapping[int, str]) -> list[int]:
    """Ids that stand before or after a text. ConfigError for one that is no token's."""
    for number in ids:
        if isinstance(number, bool) or not isinstance(number, int) or number not in tokens:
            raise ConfigError(f"bpe: {name} names {number!r}, which is no token's id")
    return list(ids)
