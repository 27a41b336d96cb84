r"""Pre-tokenization: which pieces of a text BPE encodes one by one.

The patterns of published vocabularies are hand-written scanners in C++ (csrc/core/bpe/pretokenize.hpp); any
other pattern is left to the `regex` package. docs/bpe.md says where the engines differ.

Sources: tiktoken's ``openai_public.py`` (gpt2, cl100k, o200k); the ``tokenizer.json`` of Llama 3 and of
Qwen2; tokenizers' pre-tokenizers Whitespace and WhitespaceSplit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from nlptk import _core
from nlptk.errors import ConfigError, MissingDependencyError

if TYPE_CHECKING:
    import regex

_CASED = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
_SMALL = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_SUFFIX = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_SPACES = r"\s*[\r\n]+|\s+(?!\S)|\s+"

#: Name -> regular expression, in a spelling that tiktoken, tokenizers and `regex` read alike.
PATTERNS: dict[str, str] = {
    "gpt2": r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "cl100k": (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
        r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
    ),
    "llama3": (
        rf"{_SUFFIX}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{_SPACES}"
    ),
    "qwen2": rf"{_SUFFIX}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{_SPACES}",
    "o200k": (
        rf"{_CASED}*{_SMALL}+{_SUFFIX}?|{_CASED}+{_SMALL}*{_SUFFIX}?|\p{{N}}{{1,3}}"
        rf"| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{_SPACES}"
    ),
    "whitespace": r"\w+|[^\w\s]+",
    "whitespace_split": r"\S+",
}

# Other spellings in published files.
_SPELLINGS: dict[str, str] = {
    # the original GPT-2, and tiktoken's of today
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+": "gpt2",
    r"'s|'t|'re|'ve|'m|'ll|'d| ?[\p{L}]+| ?[\p{N}]+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+": "gpt2",
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s": "gpt2",
    # tiktoken's cl100k of today, and of older versions
    (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
        r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
    ): "cl100k",
    (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*"
        r"|\s*[\r\n]|\s+(?!\S)|\s+"
    ): "llama3",
}
_NAMES = {**{regular: name for name, regular in PATTERNS.items()}, **_SPELLINGS}
_DROPPING = ("whitespace", "whitespace_split")  # as expressions these would keep what is between matches


@dataclass(frozen=True)
class Scanner:
    """A pre-tokenization in C++; `name` is one of ``_core.PRETOKENIZE_PATTERNS``."""

    name: str

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Start and end of each piece, in characters."""
        return _core.pretokenize(text, self.name)


@dataclass(frozen=True)
class Splitter:
    """A pre-tokenization by the `regex` package: its matches, and what stands between them."""

    regex: regex.Pattern[str]

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Start and end of each piece, in characters; the pieces tile the text.

        As with a scanner, a high surrogate and the low one after it are one character.
        """
        joined, starts = _join_surrogates(text)
        found: list[tuple[int, int]] = []
        end = 0
        for match in self.regex.finditer(joined):
            start, stop = match.span()
            found += [(a, b) for a, b in ((end, start), (start, stop)) if a < b]
            end = max(end, stop)
        if end < len(joined):
            found.append((end, len(joined)))
        return found if starts is None else [(starts[a], starts[b]) for a, b in found]


def _join_surrogates(text: str) -> tuple[str, list[int] | None]:
    """The text with pairs of surrogates joined, and where its characters start in `text` (None: no pairs)."""
    pairs = [match.start() for match in re.finditer("[\ud800-\udbff][\udc00-\udfff]", text)]
    if not pairs:
        return text, None
    starts = sorted(set(range(len(text) + 1)) - {pair + 1 for pair in pairs})
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return joined, starts


@lru_cache(maxsize=64)
def resolve_pattern(pattern: str) -> Scanner | Splitter:
    """What cuts texts by a pattern: a scanner for its name or a known spelling of it, else `regex`.

    Args:
        pattern: a name of ``_core.PRETOKENIZE_PATTERNS``, or a regular expression of the `regex` package.

    Raises:
        ConfigError: the pattern is no str, is empty, or does not compile.
        MissingDependencyError: the pattern needs `regex`, which is not installed.
    """
    if not isinstance(pattern, str) or not pattern:
        raise ConfigError(f"a pre-tokenization is a name or a regular expression, not {pattern!r}")
    if pattern in _core.PRETOKENIZE_PATTERNS:
        return Scanner(pattern)
    name = _NAMES.get(pattern)
    if name is not None and name not in _DROPPING:
        return Scanner(name)
    try:
        import regex
    except ImportError as error:
        known = ", ".join(_core.PRETOKENIZE_PATTERNS)
        raise MissingDependencyError(
            f"the pattern {pattern!r} needs the package regex (pip install regex); without, there are {known}"
        ) from error
    try:
        return Splitter(regex.compile(pattern))
    except (regex.error, ValueError) as error:
        raise ConfigError(f"the pre-tokenization pattern {pattern!r} does not compile: {error}") from None


# An escape, a class (with classes inside one deep), an anchor, or a bounded repetition with a plus.
_SYNTAX = re.compile(
    r"\\.|\[\^?\]?(?:\\.|\[(?:\\.|[^\]\\])*\]|[^\]\\])*\]"
    r"|(?P<anchor>[\^$])|\{(?=[\d,]*\d)(?P<least>\d*)(?:,\d*)?\}\+",
    re.DOTALL,
)


def from_oniguruma(pattern: str) -> str:
    """A regular expression of a ``tokenizer.json`` in a spelling that `regex` reads as tokenizers does.

    In Oniguruma, which tokenizers uses, ``^`` and ``$`` stand at each line and ``x{1,3}+`` is
    ``(?:x{1,3})+``, not possessive.

    Raises:
        ConfigError: a repetition such as ``{2,3}+``, which has no short equivalent.
    """
    if pattern in _NAMES and "3}+" not in pattern:
        return pattern  # a scanner's, and read alike

    def rewrite(match: re.Match[str]) -> str:
        if match["anchor"]:
            return r"(?<![^\n])" if match["anchor"] == "^" else r"(?![^\n])"
        if match["least"] is None:
            return match[0]
        if match["least"] not in ("", "0", "1"):
            message = f"{match[0]} in the pattern {pattern!r} is not supported"
            raise ConfigError(f"{message}: write (?:...{match[0][:-1]})+")
        return "+" if match["least"] == "1" else "*"

    return _SYNTAX.sub(rewrite, pattern)
