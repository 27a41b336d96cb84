"""What each feature atom means, in plain Python: values that are equal where the kernels' must be equal."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from itertools import groupby

from nlptk import _core

# enum class Class of csrc/core/unicode.hpp
SPACE, LOWER, UPPER, TITLE, LETTER, HAN, HIRAGANA, KATAKANA, HANGUL, DIGIT = range(10)
PUNCTUATION, SYMBOL, MARK, FORMAT = 11, 12, 13, 15
LETTERS = {LOWER, UPPER, TITLE, LETTER, HIRAGANA, KATAKANA, HANGUL}

Row = Callable[[int, str], Hashable]


def cls(char: str) -> int:
    return int(_core.char_classes(char)[0])


def lower(text: str) -> str:
    return _core.lower(text)


def fold(text: str) -> str:
    return "".join("0" if cls(c) == DIGIT else lower(c) for c in text)


def values(template: str, row: int, rows: int, value: Row) -> tuple[Hashable, ...] | None:
    """The values of a template's atoms, one table: None if one is absent. `value(row, atom)` gives them."""
    found: list[Hashable] = []
    for part in template.split("|"):
        atom, offset = re.fullmatch(r"([^\[]+)(?:\[(-?\d+)\])?", part).groups()
        at = row + int(offset or 0)
        if at < 0:
            found.append(("before", -at))
        elif at >= rows:
            found.append(("after", at - rows + 1))
        else:
            found.append(value(at, atom))
            if found[-1] is None:
                return None
    return tuple(found)


# ---- tokens ------------------------------------------------------------------------------------------------


def shape_letter(char: str) -> str:
    kind = cls(char)
    if kind in (UPPER, TITLE):
        return "X"
    return {LOWER: "x", DIGIT: "d", HAN: "H"}.get(kind, "L" if kind in LETTERS else char)


def cut_runs(text: str, longest: int) -> str:
    return "".join("".join(run)[:longest] for _, run in groupby(text))


def kind_of(word: str) -> Hashable:
    shape = [shape_letter(c) for c in word]
    seen = frozenset(s if s in "XxdHL-" else "other" for s in shape)
    return seen, shape[:1] == ["X"], shape.count("X") > 1


def name_places(
    words: list[str], names: dict[str, int], *, ignore_case: bool
) -> list[tuple[str, int] | None]:
    """For each word its place in a name, and the name's class; names from the left, the longest first."""
    spelled = ["".join(c for c in word if cls(c) != SPACE) for word in words]
    found: list[tuple[str, int] | None] = [None] * len(words)
    first = 0
    while first < len(words):
        for end in range(len(words), first, -1):
            name = "".join(spelled[first:end])
            if name and (name := lower(name) if ignore_case else name) in names:
                for t in range(first, end):
                    place = "only" if end - first == 1 else {first: "first", end - 1: "last"}.get(t, "inside")
                    found[t] = (place, names[name])
                first = end
                break
        else:
            first += 1
    return found


def token_atom(
    atom: str, text: str, start: int, end: int, column: str, classes: dict[str, tuple[int, ...]]
) -> Hashable:
    word = text[start:end]
    shape = "".join(shape_letter(c) for c in word)
    name, _, parameter = atom.partition(":")
    if name in ("prefix", "suffix"):
        n = int(parameter)
        return None if n > len(word) else lower(word)[:n] if name == "prefix" else lower(word)[-n:]
    before, after = text[:start][-1:], text[end:][:1]
    simple: dict[str, Hashable] = {
        "bias": 0,
        "word": word,
        "lower": lower(word),
        "norm": fold(word),
        "shape": cut_runs(shape, 4),
        "pattern": cut_runs(shape, 1),
        "kind": kind_of(word),
        "length": min(len(word), 10),
        "spaced": (before == "" or before.isspace(), after == "" or after.isspace()),
        "col": column,
        "cluster": classes.get(lower(word), (None, None))[0 if parameter == "fine" else 1],
    }
    return ("value", simple[name])  # never None: only affixes may be absent


# ---- segmenter ---------------------------------------------------------------------------------------------


def class_code(char: str) -> Hashable:
    if char == " ":
        return "space"
    return char if cls(char) in (PUNCTUATION, SYMBOL) else cls(char)


def length_code(n: int) -> int:
    return n if n <= 4 else 5 if n <= 8 else 6 if n <= 16 else 7


def pattern(text: str) -> tuple[Hashable, ...]:
    return tuple(code for code, _ in groupby(map(class_code, text)))


def paragraphs(text: str) -> list[tuple[int, int]]:
    """Stretches parted by white space that holds two line ends or more."""
    found: list[list[int]] = []
    gap = ""
    for i, char in enumerate(text):
        if char.isspace():
            gap += char
            continue
        lines = sum({"\n": 1, "\x0c": 1, "\u2028": 1, "\u2029": 2}.get(c, 0) for c in gap)
        if not found or (gap and lines >= 2):
            found.append([i, i + 1])
        found[-1][1] = i + 1
        gap = ""
    return [(a, b) for a, b in found]


class Paragraph:
    """Units, runs, chunks and words of one paragraph; white space is one unit ' '."""

    def __init__(self, text: str, start: int, end: int, words: set[str], splits: set[str]) -> None:
        self.words = words
        self.units = ""
        self.positions: list[int] = []
        self.runs: list[int] = []
        self.chunks: list[int] = []
        for i in range(start, end):
            space = text[i].isspace()
            if space and self.units.endswith(" "):
                continue
            fresh = not self.units or self.units.endswith(" ")
            self.runs.append((self.runs or [-1])[-1] + (not space and not (self._same_run(text[i]))))
            self.chunks.append((self.chunks or [-1])[-1] + (not space and fresh))
            self.units += " " if space else text[i]
            self.positions.append(i)
        self.word_spans = [m.span() for m in re.finditer("w+", "".join(map(self._word_mark, self.units)))]
        self.candidates = [u for u in range(len(self.units)) if self._may_begin(u, splits)]

    @staticmethod
    def _word_mark(char: str) -> str:
        inside = cls(char) in LETTERS | {DIGIT, MARK, FORMAT} or char in "'\u2019"
        return "w" if inside else "-"

    def _same_run(self, char: str) -> bool:
        if not self.units or self.units[-1] == " ":
            return False
        kind = cls(char)
        if kind in (MARK, FORMAT):
            return True
        base = self.units.split(" ")[-1]
        while len(base) > 1 and cls(base[-1]) in (MARK, FORMAT):
            base = base[:-1]
        before = cls(base[-1])
        if kind in LETTERS or before in LETTERS:
            return kind in LETTERS and before in LETTERS
        if DIGIT in (kind, before):
            return kind == before
        return kind != HAN and char == self.units[-1]

    def _may_begin(self, u: int, splits: set[str]) -> bool:
        if self.units[u] == " ":
            return False
        if u == 0 or self.units[u - 1] == " ":
            return True
        kind = cls(self.units[u])
        if kind in (MARK, FORMAT):
            return False
        inside = self.runs[u] == self.runs[u - 1] and (kind in LETTERS or kind == DIGIT)
        return not inside or self.rest(u) in splits

    def word(self, u: int) -> tuple[int, int]:
        return next(((a, b) for a, b in self.word_spans if a <= u < b), (u, u))

    def rest(self, u: int) -> str | None:
        end = self.word(u)[1]
        return lower(self.units[u:end]) if 0 < end - u <= 12 else None

    def stretch(self, numbers: list[int], k: int) -> str:
        return "".join(c for c, n in zip(self.units, numbers, strict=True) if n == k).rstrip(" ")

    def nesting(self, u: int) -> Hashable:
        quoted, depth = False, 0
        for c in self.units[:u]:
            quoted = not quoted if c == '"' else True if c in "“「" else False if c in "”」" else quoted
            depth += c in "([（"
            depth -= c in ")]）" and depth > 0
        return quoted, depth > 0

    def longest(self, u: int, kind: str) -> int:
        best = 0
        for a in range(len(self.units)):
            for n in range(2, 7):
                there = {"begin": a == u, "end": a + n == u, "across": a < u < a + n}[kind]
                if there and a + n <= len(self.units) and self.units[a : a + n] in self.words:
                    best = max(best, n)
        return best

    def char_atom(self, u: int, atom: str) -> Hashable:
        char, start = self.units[u], self.word(u)[0]
        match atom:
            case "bias":
                return 0
            case "char":
                return char
            case "fold":
                return fold(char)
            case "class":
                return class_code(char)
            case "place":
                if u == 0 or self.units[u - 1] == " ":
                    return "start" if u == 0 else "space"
                return self.runs[u] != self.runs[u - 1]
            case "head":
                return None if u == start else lower(self.units[start:u])
            case "rest":
                return self.rest(u)
            case "nesting":
                return self.nesting(u)
            case "repeated":
                return u > 0 and self.units[u - 1] == char, u > 1 and self.units[u - 2] == char
            case _:
                return self.longest(u, atom.removesuffix(":words"))

    def run_atom(self, r: int, atom: str) -> Hashable:
        text = self.stretch(self.runs, r)
        return {"run": fold(text), "runpattern": pattern(text), "runlength": length_code(len(text))}[atom]

    def chunk_atom(self, k: int, atom: str) -> Hashable:
        text = self.stretch(self.chunks, k)
        alnum = [i for i, c in enumerate(text) if c.isalnum()]
        return {
            "chunk": fold(text),
            "chunkpattern": pattern(text),
            "chunkcore": fold(text[alnum[0] : alnum[-1] + 1] if alnum else ""),
            "chunkedges": (class_code(text[0]), class_code(text[-1]), length_code(len(text))),
        }[atom]

    def value(self, unit: int, template: str) -> tuple[Hashable, ...] | None:
        """The values of a template (of atoms of any tables) at a unit."""
        found: tuple[Hashable, ...] = ()
        for part in template.split("|"):
            if part.startswith("run"):
                one = values(part, self.runs[unit], self.runs[-1] + 1, self.run_atom)
            elif part.startswith("chunk"):
                one = values(part, self.chunks[unit], self.chunks[-1] + 1, self.chunk_atom)
            else:
                one = values(part, unit, len(self.units), self.char_atom)
            if one is None:
                return None
            found += one
        return found
