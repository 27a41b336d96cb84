"""The probability tables of the installed package jieba (MIT licence), compiled once: HMM, tagger, idf.

jieba is not imported: its Python tables are parsed as literals, and its pickles are not touched.
"""

from __future__ import annotations

import ast
import struct
from pathlib import Path
from statistics import median_high
from typing import Any

from nlptk import _core
from nlptk.errors import DataError
from nlptk.tokenize.jieba_cache import cached
from nlptk.tokenize.jieba_data import PathLike, package_file, read_file

MIN_FLOAT = -3.14e100
HMM_STATES = "BEMS"  # sorted, as ties want it


def read_table(data: bytes, path: Path) -> Any:
    """The literal that one of jieba's Python tables assigns to ``P``. Raises DataError if there is none."""
    try:
        return ast.literal_eval(data.decode("utf-8").partition("P=")[2].strip())
    except (ValueError, SyntaxError) as error:
        raise DataError(f"{path}: is not a table as jieba has them; reinstall jieba") from error


def read_text(data: bytes, path: PathLike) -> str:
    """UTF-8 bytes as text. Raises DataError that names file and line."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise DataError(f"{path}, line {number}: is not UTF-8; convert the file to UTF-8") from None


def hmm() -> memoryview:
    """The compiled tables of jieba.finalseg: start [4], transitions [4, 4], characters, emissions [n, 4]."""
    paths = [package_file("finalseg", f"prob_{name}.py") for name in ("start", "trans", "emit")]
    contents = [read_file(path) for path in paths]

    def make() -> bytes:
        import numpy as np  # not needed where the tables are in the cache

        start, trans, emit = map(read_table, contents, paths)
        characters = sorted(set().union(*emit.values()))
        rows = [[emit[s].get(c, MIN_FLOAT) for s in HMM_STATES] for c in characters]
        return b"".join(
            [
                np.array([start[s] for s in HMM_STATES], np.float64).tobytes(),
                np.array([[trans[a].get(b, MIN_FLOAT) for b in HMM_STATES] for a in HMM_STATES]).tobytes(),
                blob_array(np.array(list(map(ord, characters)), np.uint32)),
                blob_array(np.array(rows, np.float64)),
            ]
        )

    return cached("jieba-hmm", contents, make)


def blob_array(values: Any) -> bytes:
    """An array as csrc/core/segment/blob.hpp reads it: length, items, zeros up to a multiple of eight."""
    data: bytes = values.tobytes()
    return struct.pack("=Q", values.size) + data + bytes(-len(data) % 8)


def tagger() -> memoryview:
    """The compiled tables of jieba.posseg, for `_core.Jieba.set_tagger` (csrc/core/segment/jieba_tagger.cpp).

    States are (place in the word, tag), sorted: their places, tag names, start scores; transitions as from,
    to, score; characters, whether char_state_tab has them, the end of each one's entries; entries as state,
    whether char_state_tab allows it, emission.
    """
    names = ("prob_start", "prob_trans", "prob_emit", "char_state_tab")
    paths = [package_file("posseg", f"{name}.py") for name in names]
    contents = [read_file(path) for path in paths]

    def make() -> bytes:
        import numpy as np

        start, trans, emit, allowed = map(read_table, contents, paths)
        states = sorted(start)
        number = {state: i for i, state in enumerate(states)}
        steps = [(number[a], number[b], score) for a in states for b, score in trans[a].items()]
        emissions: dict[str, dict[int, float]] = {character: {} for character in allowed}
        for state, scores in emit.items():
            for character, score in scores.items():
                emissions.setdefault(character, {})[number[state]] = score
        ends: list[int] = []
        entries: list[tuple[int, bool, float]] = []
        for character, scores in emissions.items():
            open_states = {number[state] for state in allowed.get(character, ())}
            for state in sorted(open_states | scores.keys()):
                entries.append((state, state in open_states, scores.get(state, MIN_FLOAT)))
            ends.append(len(entries))
        return b"".join(
            blob_array(np.array(column, kind))
            for column, kind in (
                (list("".join(place for place, _ in states).encode()), np.uint8),
                (list("".join(f"{tag}\n" for _, tag in states).encode()), np.uint8),
                ([start[state] for state in states], np.float64),
                *zip(zip(*steps, strict=True), (np.uint8, np.uint8, np.float64), strict=True),
                (list(map(ord, emissions)), np.uint32),
                ([character in allowed for character in emissions], np.uint8),
                (ends, np.uint32),
                *zip(zip(*entries, strict=True), (np.uint8, np.uint8, np.float64), strict=True),
            )
        )

    return cached("jieba-posseg", contents, make)


def idf() -> memoryview:
    """The compiled inverse document frequencies of jieba."""
    source = package_file("analyse", "idf.txt")
    return compiled_idf(read_file(source), source)


def compiled_idf(data: bytes, source: PathLike) -> memoryview:
    """The compiled form of an idf file: lines "word value".

    Raises DataError for a malformed line; names file (`source`) and line.
    """

    def make() -> bytes:
        values: dict[str, float] = {}
        for number, line in enumerate(read_text(data, source).splitlines(), 1):
            word, _, value = line.strip().partition(" ")
            try:
                values[word] = float(value)
            except ValueError:
                raise DataError(
                    f"{source}, line {number}: an idf line is a word and its value, parted by one blank"
                ) from None
        if not values:
            raise DataError(f"{source}: has no words")
        try:
            return _core.jieba_compile_idf(list(values), list(values.values()), median_high(values.values()))
        except ValueError as error:
            raise DataError(f"{source}: {error}") from None

    return cached("jieba-idf", [data], make)
