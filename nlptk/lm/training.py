"""From settings and text to what the kernel estimates n-gram models from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from nlptk import _core
from nlptk.corpora.files import LineReader, error_at
from nlptk.errors import ConfigError, DataError
from nlptk.state import check_integer

if TYPE_CHECKING:
    from nlptk.lm.ngram import NgramLM

SMOOTHINGS = ("kneser-ney", "laplace")
_ORDERS = 6


def empty_corpus(of: NgramLM) -> _core.NgramCorpus:
    """A corpus for a model of these settings. Raises ConfigError for a setting that cannot be."""
    check_integer("order", of.order, 1)
    check_integer("min_freq", of.min_freq, 1)
    check_integer("threads", of.threads, 0)
    if of.order > _ORDERS:
        raise ConfigError(f"order must be from 1 to {_ORDERS}, not {of.order}")
    if of.smoothing not in SMOOTHINGS:
        raise ConfigError(f"smoothing must be one of {', '.join(SMOOTHINGS)}, not {of.smoothing!r}")
    if not is_number(of.alpha) or not 0 < of.alpha < float("inf"):
        raise ConfigError(f"alpha must be a number above 0, not {of.alpha!r}")
    prune = list(of.prune)
    for least in prune:
        check_integer("prune", least, 0)
    if not prune or prune[0] != 0 or prune != sorted(prune) or len(prune) > of.order:
        raise ConfigError(
            f"prune must be at most {of.order} numbers that begin with 0 and do not fall, not {prune}"
        )
    if prune[-1] and of.smoothing == "laplace":
        raise ConfigError("prune goes with smoothing='kneser-ney'; Laplace keeps all n-grams")
    fallback = of.discount_fallback
    if fallback is not None and (
        len(fallback) != 3 or not all(is_number(d) and 0 <= d <= n for n, d in enumerate(fallback, 1))
    ):
        raise ConfigError(
            "discount_fallback must be three numbers, from 0 to 1, 2 and 3, such as (0.5, 1, 1.5), "
            f"not {fallback!r}"
        )
    if of.vocabulary is None:
        return _core.NgramCorpus()
    words = [of.vocabulary] if isinstance(of.vocabulary, str) else list(of.vocabulary)
    if not all(isinstance(word, str) for word in words):
        raise ConfigError("vocabulary must hold strings only")
    return _core.NgramCorpus(words)


def add_block(of: NgramLM, corpus: _core.NgramCorpus, reader: LineReader, block: bytes, errors: str) -> None:
    if of.tokenizer is not None or errors == "replace":
        try:
            text = block.decode("utf-8", errors)
        except UnicodeDecodeError as error:
            raise _not_utf8(reader, block, error.start) from error
        if of.tokenizer is not None:
            lines = text.removesuffix("\n").split("\n")
            passing(corpus.add_sentences, [of._cut(line.removesuffix("\r")) for line in lines])
            return
        block = text.encode()
    bad = passing(corpus.add_lines, block)
    if bad >= 0:
        raise _not_utf8(reader, block, bad)


def is_number(value: object) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def passing(call: Callable[..., Any], *arguments: Any) -> Any:
    """What the kernel gives; what it refuses is a DataError."""
    try:
        return call(*arguments)
    except (ValueError, TypeError) as error:
        raise DataError(str(error)) from None


def _not_utf8(reader: LineReader, block: bytes, place: int) -> DataError:
    line = reader.line - block.count(b"\n", place) + 1
    message = f'byte 0x{block[place]:02x} is not UTF-8; convert the file, or give errors="replace"'
    return error_at(reader.name, line, message)
