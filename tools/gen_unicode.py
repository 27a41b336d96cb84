"""Write csrc/core/unicode_tables.inc from this Python's own Unicode data.

    python tools/gen_unicode.py          # run it with the newest Python there is; the output is committed

Every code point from 0 to 0x10FFFF, surrogates too, gets a record (class, flags, distance to its lower
case). Few records are distinct (about 110), so a code point is a byte, and equal blocks are stored once.
"""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

BLOCK = 128
OUTPUT = Path(__file__).resolve().parent.parent / "csrc" / "core" / "unicode_tables.inc"

# The order is that of `enum class Class` in csrc/core/unicode.hpp.
CLASSES = (
    *("space", "lower", "upper", "title", "letter", "han", "hiragana", "katakana", "hangul", "digit"),
    *("number", "punctuation", "symbol", "mark", "control", "format"),
    *("surrogate", "private_use", "unassigned"),
)
BY_CATEGORY = {
    **{"Ll": "lower", "Lu": "upper", "Lt": "title", "Lm": "letter", "Lo": "letter", "Nd": "digit"},
    **{"Nl": "number", "No": "number", "Cc": "control", "Cf": "format", "Cs": "surrogate"},
    **{"Co": "private_use", "Cn": "unassigned"},
}
BY_MAJOR = {"P": "punctuation", "S": "symbol", "M": "mark", "Z": "space"}
HAN_NAMES = ("CJK UNIFIED IDEOGRAPH-", "CJK COMPATIBILITY IDEOGRAPH-")
SCRIPT_NAMES = {
    "hiragana": ("HIRAGANA LETTER", "HIRAGANA ITERATION", "HIRAGANA VOICED ITERATION", "HIRAGANA DIGRAPH"),
    "katakana": ("KATAKANA", "HALFWIDTH KATAKANA"),
    "hangul": ("HANGUL", "HALFWIDTH HANGUL"),
}


def class_of(char: str) -> str:
    """Name of the class of one character; see unicode.hpp."""
    if char.isspace():
        return "space"
    name = unicodedata.name(char, "")
    if name.startswith(HAN_NAMES) or char in "々〇":
        return "han"
    category = unicodedata.category(char)
    if category in ("Lo", "Lm"):
        for script, prefixes in SCRIPT_NAMES.items():
            if name.startswith(prefixes):
                return script
    return BY_CATEGORY.get(category) or BY_MAJOR[category[0]]


def record_of(code: int) -> tuple[int, int, int]:
    """(class, flags, distance to the lower-case character or 0 where that is not one character)."""
    char = chr(code)
    tests = (
        *(char.isspace(), char.isalpha(), char.isdecimal(), char.isdigit(), char.isnumeric()),
        *(char.isupper(), char.islower()),
    )
    flags = sum(1 << bit for bit, true in enumerate(tests) if true)
    lower = char.lower()
    return CLASSES.index(class_of(char)), flags, ord(lower) - code if len(lower) == 1 else 0


def number_lines(values: list[int], width: int = 118) -> str:
    """Comma-separated numbers, wrapped."""
    lines, line = [], ""
    for value in values:
        item = f"{value},"
        if len(line) + len(item) > width:
            lines.append(line)
            line = ""
        line += item
    return "\n".join([*lines, line])


def main() -> None:
    records: dict[tuple[int, int, int], int] = {}
    indices = [records.setdefault(record_of(code), len(records)) for code in range(0x110000)]
    blocks: dict[tuple[int, ...], int] = {}
    stage1 = [
        blocks.setdefault(tuple(indices[start : start + BLOCK]), len(blocks))
        for start in range(0, 0x110000, BLOCK)
    ]
    if len(records) > 256:
        raise SystemExit("more than 256 distinct records: make stage2 uint16_t")
    stage2 = [value for block in blocks for value in block]
    rows = "\n".join(f"{{{delta}, Class{{{cls}}}, {flags}}}," for cls, flags, delta in records)
    OUTPUT.write_text(
        f"// Unicode {unicodedata.unidata_version}; written by tools/gen_unicode.py, do not edit.\n"
        "// clang-format off\n"
        f'const char kUnicodeVersion[] = "{unicodedata.unidata_version}";\n'
        f"const Record records[{len(records)}] = {{\n{rows}\n}};\n"
        f"const std::uint16_t stage1[{len(stage1)}] = {{\n{number_lines(stage1)}\n}};\n"
        f"const std::uint8_t stage2[{len(stage2)}] = {{\n{number_lines(stage2)}\n}};\n",
        encoding="ascii",
    )
    size = len(records) * 8 + len(stage1) * 2 + len(stage2)
    print(f"{OUTPUT}: {len(records)} records, {len(blocks)} blocks, {size} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
