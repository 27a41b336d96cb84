"""Write csrc/core/wordpiece/bert_tables.inc: what tokenizers' BERT normalizer knows of each character.

    pip install tokenizers==0.23.3 && python tools/gen_bert_chars.py      # the output is committed

tokenizers takes its Unicode data from three sources of different age: categories (control, punctuation,
nonspacing mark) from Unicode 8, canonical decomposition from Unicode 9, lower case and white space from its
compiler, Unicode 17. No Python package carries that mix, so the library itself is asked, code point by code
point; tests/test_wordpiece_unicode.py asks it again. Surrogates, which it cannot take, stand as U+FFFD.
"""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

import tokenizers
from gen_unicode import BLOCK, number_lines
from tokenizers import AddedToken, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import NFD, BertNormalizer, Lowercase
from tokenizers.pre_tokenizers import BertPreTokenizer

OUTPUT = Path(__file__).resolve().parent.parent / "csrc" / "core" / "wordpiece" / "bert_tables.inc"

# The bits of csrc/core/wordpiece/bert_chars.hpp.
CONTROL, SPACE, PUNCTUATION, CHINESE, MARK, CHANGES, NON_STARTER, WORD = (1 << bit for bit in range(8))


def bert(**steps: bool) -> BertNormalizer:
    """The normalizer with only these steps."""
    off = {"clean_text": False, "handle_chinese_chars": False, "strip_accents": False, "lowercase": False}
    return BertNormalizer(**{**off, **steps})


class Peer:
    """tokenizers, asked about one character at a time."""

    def __init__(self) -> None:
        self.clean, self.chinese = bert(clean_text=True), bert(handle_chinese_chars=True)
        self.strip, self.nfd, self.lower = bert(strip_accents=True), NFD(), Lowercase()
        self.split = BertPreTokenizer()
        self.single_word = Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
        self.single_word.add_tokens([AddedToken("X", single_word=True, normalized=False)])

    def non_starter(self, char: str) -> bool:
        """Whether the canonical ordering moves it: classes 1 and 240 stand at the ends of the order."""
        if self.nfd.normalize_str(char) != char:
            return False
        high, low = "\u0345", "\u0334"
        return self.nfd.normalize_str(high + char) == char + high or (
            self.nfd.normalize_str(char + low) == low + char
        )

    def decomposition(self, char: str) -> str:
        """Canonical, full."""
        return str(self.nfd.normalize_str(char))

    def flags(self, char: str) -> int:
        """The bits of one character."""
        framed = f"a{char}a"
        cleaned = self.clean.normalize_str(framed)
        pieces = [piece for piece, _ in self.split.pre_tokenize_str(framed)]
        facts = {
            CONTROL: cleaned == "aa",
            SPACE: pieces == ["a", "a"],
            PUNCTUATION: pieces == ["a", char, "a"],
            CHINESE: self.chinese.normalize_str(char) == f" {char} ",
            MARK: self.decomposition(char) == char and self.strip.normalize_str(framed) == "aa",
            CHANGES: self.decomposition(char) != char or self.lower.normalize_str(char) != char,
            NON_STARTER: self.non_starter(char),
            WORD: len(self.single_word.encode("X" + char).tokens) == 1,
        }
        assert cleaned == ("aa" if facts[CONTROL] else "a a" if facts[SPACE] else framed), hex(ord(char))
        return sum(bit for bit, true in facts.items() if true)


def padded(char: str, text: str, width: int) -> str:
    codes = [ord(char), *map(ord, text), *[0] * (width - len(text))]
    return "{" + ",".join(map(str, codes)) + "},"


def main() -> None:
    peer = Peer()
    surrogate = peer.flags("\ufffd")
    flags = [surrogate if 0xD800 <= code < 0xE000 else peer.flags(chr(code)) for code in range(0x110000)]
    changing = [chr(code) for code, bits in enumerate(flags) if bits & CHANGES]
    decomposed = [
        (char, peer.decomposition(char))
        for char in changing
        if not "\uac00" <= char <= "\ud7a3" and peer.decomposition(char) != char  # Hangul is arithmetic
    ]
    lowered = [(char, peer.lower.normalize_str(char)) for char in changing]
    lowered = [(char, lower) for char, lower in lowered if lower != char]
    non_starters = [chr(code) for code, bits in enumerate(flags) if bits & NON_STARTER]

    blocks: dict[tuple[int, ...], int] = {}
    stage1 = [
        blocks.setdefault(tuple(flags[start : start + BLOCK]), len(blocks))
        for start in range(0, 0x110000, BLOCK)
    ]
    stage2 = [value for block in blocks for value in block]
    rows = {
        "Decomposition decompositions": [padded(char, to, 4) for char, to in decomposed],
        "Lowering lowerings": [padded(char, to, 2) for char, to in lowered],
        "Combining combinings": [f"{{{ord(char)},{unicodedata.combining(char)}}}," for char in non_starters],
    }
    lines = [
        f"// tokenizers {tokenizers.__version__}; written by tools/gen_bert_chars.py, do not edit.",
        "// clang-format off",
        f"constexpr std::uint16_t kStage1[{len(stage1)}] = {{\n{number_lines(stage1)}\n}};",
        f"constexpr std::uint8_t kStage2[{len(stage2)}] = {{\n{number_lines(stage2)}\n}};",
    ]
    for name, items in rows.items():
        kind, variable = name.split()
        body = "\n".join("".join(items[i : i + 4]) for i in range(0, len(items), 4))
        lines.append(f"constexpr {kind} k{variable.capitalize()}[{len(items)}] = {{\n{body}\n}};")
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text("\n".join(lines) + "\n", encoding="ascii")
    print(f"{OUTPUT}: {len(blocks)} blocks, {[len(items) for items in rows.values()]}", file=sys.stderr)


if __name__ == "__main__":
    main()
