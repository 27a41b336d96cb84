"""The scanners against the regular expressions that they stand for, in all three engines that use them."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable
from itertools import pairwise

import pytest
import regex
import tiktoken
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Regex, pre_tokenizers

from nlptk import _core
from nlptk.errors import ConfigError, MissingDependencyError
from nlptk.tokenize import pretokenizers
from nlptk.tokenize.pretokenizers import PATTERNS, Scanner, Splitter, from_oniguruma, resolve_pattern

# Every spelling of a pattern that is known, with the name of its scanner.
SPELLINGS = [(name, spelling) for spelling, name in pretokenizers._NAMES.items() if "\\w" not in spelling]
SPELLINGS = [pair for pair in SPELLINGS if pair[0] not in ("whitespace", "whitespace_split")]
IDS = [f"{name}-{i}" for i, (name, _) in enumerate(SPELLINGS)]
TOKENIZERS = [pair for pair in SPELLINGS if "3}+" not in pair[1]]  # where Oniguruma reads it as the others do

# Kelvin and long s fold to ASCII letters; the line of numbers is where ranges begin and end.
ODD = (
    "''''sSdDmMtTlLvVrReEfFkKaZ59_\u017f\u212a\u0130\u0131ßﬅ"
    " \t\n\r\x0b\x0c\x1c\x1f\x85\xa0\u1680\u180e\u2003\u200b\u2028\u2029\u202f\u3000\ufeff"
    "²½٣४ⅧⅫ〇๒𝟘①"
    "éÉǅʰªнДאبक中丁龥アが한"
    "\u093f\u0301\u0300\u20e3\ufe0f\U000e0100\u0903"
    "😀👨🏽🇬.,!?/\\-—“”·،。，\x00"
    "\u4dbf\u4dc0\u4dff\u4e00\u9fff\ua000\ue000\ufffd\U00020000\U000323af\U0010ffff"
    "𐐀𐐨𝐀𝐚"
)
TEXTS = st.text(st.one_of(st.sampled_from(ODD), st.sampled_from("ab '\n"), st.characters()), max_size=40)
SCALARS = st.text(
    st.one_of(st.sampled_from(ODD), st.sampled_from("aA '\n中1"), st.characters(codec="utf-8")), max_size=40
)


def settled(char: str) -> bool:
    """Whether the `regex` package, whose Unicode is newer than tiktoken's, has not moved the character."""
    return unicodedata.category(char) not in ("Cn", "Cs") and char != "\u0295"


def words(text: str, name: str) -> list[str]:
    """The pieces by the scanner; they must stand in order."""
    spans = _core.pretokenize(text, name)
    assert all(0 <= a < b <= len(text) for a, b in spans)
    assert all(b <= a for (_, b), (a, _) in pairwise(spans))
    return [text[a:b] for a, b in spans]


def joined(text: str) -> str:
    """What tiktoken makes of surrogates."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def check_tiktoken(spelling: str, texts: Iterable[str], name: str) -> None:
    """tiktoken must cut each text as the scanner does.

    Its vocabulary is our pieces and what two neighbours make together. A piece of tiktoken's that is in it
    comes out whole; any other is merged, and never into two of our pieces side by side.
    """
    texts = list(texts)
    ours = [[joined(piece).encode() for piece in words(text, name)] for text in texts]
    tokens = {bytes([byte]): None for byte in range(256)}
    for pieces in ours:
        tokens.update(dict.fromkeys(pieces))
        tokens.update((a + b, None) for a, b in pairwise(pieces))
    ranks = {token: rank for rank, token in enumerate(tokens)}
    encoding = tiktoken.Encoding("test", pat_str=spelling, mergeable_ranks=ranks, special_tokens={})
    for text, pieces in zip(texts, ours, strict=True):
        assert encoding.decode_tokens_bytes(encoding.encode_ordinary(text)) == pieces


@pytest.mark.parametrize(("name", "spelling"), SPELLINGS, ids=IDS)
@given(texts=st.lists(TEXTS, max_size=10))
def test_tiktoken(name: str, spelling: str, texts: list[str]) -> None:
    check_tiktoken(spelling, texts, name)


@pytest.mark.parametrize(("name", "spelling"), TOKENIZERS)
@given(text=SCALARS)
def test_tokenizers(name: str, spelling: str, text: str) -> None:
    peer = pre_tokenizers.Split(Regex(spelling), "isolated")
    assert _core.pretokenize(text, name) == [span for _, span in peer.pre_tokenize_str(text)]


NAMED = {
    "gpt2": pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
    "whitespace": pre_tokenizers.Whitespace(),
    "whitespace_split": pre_tokenizers.WhitespaceSplit(),
}


@pytest.mark.parametrize("name", NAMED)
@given(text=SCALARS)
def test_named_pre_tokenizers(name: str, text: str) -> None:
    assert _core.pretokenize(text, name) == [span for _, span in NAMED[name].pre_tokenize_str(text)]


@pytest.mark.parametrize(("name", "spelling"), SPELLINGS, ids=IDS)
@given(text=SCALARS.map(lambda text: "".join(filter(settled, text))))
def test_regex(name: str, spelling: str, text: str) -> None:
    assert _core.pretokenize(text, name) == [match.span() for match in regex.finditer(spelling, text)]


CODES = [code for code in range(0x33500) if not 0xD800 <= code < 0xE000]
CODES += [*range(0xE0000, 0xE0200), *range(0x33500, 0x110000, 997)]
# Every character that is odd, and the first and some others of each category.
BY_CATEGORY: dict[str, list[str]] = {}
for _code in CODES:
    BY_CATEGORY.setdefault(unicodedata.category(chr(_code)), []).append(chr(_code))
SAMPLE = [*ODD, *(char for chars in BY_CATEGORY.values() for char in chars[:: len(chars) // 60 + 1])]
CONTEXTS = [
    *(
        " {}",
        "{}1",
        "{}\n",
        "\n{}",
        "A{}b",
        "\u0301{}B",
        "{}\u0301",
        "'{}'s",
        "x'{}",
        "{}'S",
        "'l{}",
        "'{}e",
        "!{}/",
    ),
    *(
        " {}{}",
        "{}{}{}{}",
        "{} {}",
        " \n{}",
        "{}\n{}",
        "1{}1",
        "12{}",
        "é{}",
        "中{}",
        "{}中",
        "ABC{}DE",
        "a{}A",
    ),
]
DROPPING = {"whitespace": NAMED["whitespace"], "whitespace_split": NAMED["whitespace_split"]}


@pytest.mark.parametrize("name", ["gpt2", "cl100k", "o200k", "whitespace", "whitespace_split"])
def test_every_code_point(name: str) -> None:
    """First in a piece, before a letter, after an apostrophe; of what is unassigned or private, a few."""
    peer = DROPPING.get(name) or pre_tokenizers.Split(Regex(PATTERNS[name]), "isolated")
    text = "1\n".join(f"{chr(code)}a'{chr(code)}" for code in CODES)
    assert _core.pretokenize(text, name) == [span for _, span in peer.pre_tokenize_str(text)]


@pytest.mark.parametrize("name", PATTERNS)
def test_contexts(name: str) -> None:
    """Characters of every category where each branch of the patterns begins and ends."""
    peer = DROPPING.get(name) or pre_tokenizers.Split(Regex(PATTERNS[name]), "isolated")
    texts = ["1\n".join(context.replace("{}", char) for char in SAMPLE) for context in CONTEXTS]
    for text in texts:
        assert _core.pretokenize(text, name) == [span for _, span in peer.pre_tokenize_str(text)], text[:20]
    if name not in DROPPING:
        check_tiktoken(PATTERNS[name], texts, name)


@pytest.mark.parametrize("name", ["gpt2", "o200k"])
def test_tiktoken_knows_the_same_characters(name: str) -> None:
    check_tiktoken(PATTERNS[name], ["1\n".join(map(chr, CODES))], name)


@pytest.mark.parametrize("name", [*PATTERNS, "none"])
def test_nothing_is_lost(name: str) -> None:
    """Also of lone surrogates, NUL, and texts whose runs are longer than any block that a scanner reads."""
    for unit in (
        "a",
        "Z",
        "1",
        " ",
        "\n",
        "'",
        "中",
        "é",
        "\u0301",
        "😀",
        "\ud83d",
        "\0",
        "aB",
        "中a",
        "中\u3400",
    ):
        for length in (1, 2, 5, 15, 16, 17, 31, 32, 33, 100):
            text = unit * length
            pieces = words(text, name)
            assert "".join(pieces) == ("".join(text.split()) if name in DROPPING else text)
    assert _core.pretokenize("", name) == []


@given(text=TEXTS)
def test_none_and_surrogates(text: str) -> None:
    assert _core.pretokenize(text, "none") == ([(0, len(text))] if text else [])
    # A pair of surrogates is one character, which no piece begins or ends in; the rest are U+FFFD.
    for name in PATTERNS:
        pieces = [joined(piece) for piece in words(text, name)]
        assert pieces == words(joined(text), name)


def test_bad_arguments() -> None:
    with pytest.raises(TypeError, match="must be str"):
        _core.pretokenize(b"a", "gpt2")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match='no pre-tokenization is named "gpt3"; there are gpt2, '):
        _core.pretokenize("a", "gpt3")


# ---- resolve_pattern


@pytest.mark.parametrize(("name", "spelling"), SPELLINGS, ids=IDS)
def test_known_patterns_have_scanners(name: str, spelling: str) -> None:
    assert resolve_pattern(spelling) == Scanner(name)
    assert resolve_pattern(name) == Scanner(name)
    assert name in _core.PRETOKENIZE_PATTERNS


def test_tiktoken_of_today_is_known() -> None:
    """Of its patterns, the one that can be read without a download."""
    from tiktoken_ext import openai_public

    assert resolve_pattern(openai_public.r50k_pat_str) == Scanner("gpt2")


@pytest.mark.parametrize("pattern", [r"[^\W\d_]+|\d", r"\p{L}+", r"x*", r"(?=b)", r"\S+", "\ud83d\ude00|😀b"])
@given(text=SCALARS.map(lambda text: "".join(filter(settled, text))))
def test_other_patterns(pattern: str, text: str) -> None:
    """The package regex gives the pieces that tokenizers gives, what stands between matches too."""
    how = resolve_pattern(pattern)
    assert isinstance(how, Splitter)
    if "\ud83d" not in pattern:
        peer = pre_tokenizers.Split(Regex(pattern), "isolated")
        assert how.spans(text) == [span for _, span in peer.pre_tokenize_str(text)]
    pairs = text.encode("utf-16-le").decode("utf-16-le", "surrogatepass")
    assert how.spans(pairs) == how.spans(text)


def test_other_patterns_join_surrogates() -> None:
    how = resolve_pattern("😀|b")
    assert how.spans("a\ud83d\ude00b\ud83dx") == [(0, 1), (1, 3), (3, 4), (4, 6)]


@pytest.mark.parametrize(
    ("pattern", "rewritten"),
    [
        (r"\p{N}{1,3}+|$", r"\p{N}+|(?![^\n])"),
        (r"^a{,2}+\$", r"(?<![^\n])a*\$"),
        (r"[$^{1,3}+]x{0,}+", r"[$^{1,3}+]x*"),
        (r"[[:alpha:]$][]$]\n{2}", r"[[:alpha:]$][]$]\n{2}"),
        (PATTERNS["cl100k"], PATTERNS["cl100k"]),
    ],
)
@given(text=st.text("a1$^\n {x+,2", max_size=12))
def test_from_oniguruma(pattern: str, rewritten: str, text: str) -> None:
    """The rewritten pattern does in regex what the original does in Oniguruma."""
    assert from_oniguruma(pattern) == rewritten
    if "[]" in pattern:  # means different things; only left alone here
        return
    peer = pre_tokenizers.Split(Regex(pattern), "isolated")
    how = resolve_pattern(rewritten)
    assert how.spans(text) == [span for _, span in peer.pre_tokenize_str(text)]


def test_patterns_that_cannot_be() -> None:
    for pattern, message in [("(", "does not compile"), (r"\p{Foo}", "does not compile"), ("", "not ''")]:
        with pytest.raises(ConfigError, match=message):
            resolve_pattern(pattern)
    with pytest.raises(ConfigError, match="not 7"):
        resolve_pattern(7)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"\{2,3\}\+ in the pattern .* is not supported"):
        from_oniguruma("a{2,3}+")


def test_regex_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "regex", None)
    with pytest.raises(MissingDependencyError, match=r"pip install regex.*gpt2"):
        resolve_pattern("a pattern of its own")
    assert resolve_pattern(PATTERNS["o200k"]) == Scanner("o200k")
