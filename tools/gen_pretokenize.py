"""Write csrc/core/bpe/pretokenize_tables.inc: what tiktoken's regular expressions think of each code point.

    python tools/gen_pretokenize.py      # needs tiktoken; the output is committed

tiktoken and tokenizers agree on these classes for every code point (tests/test_pretokenize.py compares
them), and their Unicode is not that of Python or of the `regex` package, so the table is read from tiktoken.
"""

from __future__ import annotations

import sys
from pathlib import Path

import tiktoken
from gen_unicode import number_lines

BLOCK = 64  # what the last byte of a UTF-8 sequence tells apart
LIMIT = 0x110000
OUTPUT = Path(__file__).resolve().parent.parent / "csrc" / "core" / "bpe" / "pretokenize_tables.inc"

# The bits are those of `enum CharClass` in csrc/core/bpe/pretokenize.hpp.
BITS = {
    r"[\p{Lu}\p{Lt}]": 1,
    r"\p{Ll}": 2,
    r"[\p{Lm}\p{Lo}]": 4,
    r"\p{M}": 8,
    r"\p{N}": 16,
    r"\s": 32,
    r"[\r\n]": 64,
    r"\w": 128,
}


def members(pattern: str) -> str:
    """The characters that a one-character pattern matches."""
    every = "".join(chr(code) for code in range(LIMIT) if not 0xD800 <= code < 0xE000)
    ranks = {bytes([byte]): byte for byte in range(256)}
    encoding = tiktoken.Encoding("bytes", pat_str=pattern + "+", mergeable_ranks=ranks, special_tokens={})
    return bytes(encoding.encode_ordinary(every)).decode("utf-8")


def main() -> None:
    classes = bytearray(LIMIT)
    for pattern, bit in BITS.items():
        for char in members(pattern):
            classes[ord(char)] |= bit
    blocks: dict[bytes, int] = {}
    rows = [
        blocks.setdefault(bytes(classes[start : start + BLOCK]), len(blocks))
        for start in range(0, LIMIT, BLOCK)
    ]
    cells = [value for block in blocks for value in block]
    OUTPUT.write_text(
        f"// From tiktoken {tiktoken.__version__}; written by tools/gen_pretokenize.py, do not edit.\n"
        "// clang-format off\n"
        f"const std::uint16_t kClassRow[{len(rows)}] = {{\n{number_lines(rows)}\n}};\n"
        f"const std::uint8_t kClassCell[{len(cells)}] = {{\n{number_lines(cells)}\n}};\n",
        encoding="ascii",
    )
    print(f"{OUTPUT}: {len(blocks)} blocks, {2 * len(rows) + len(cells)} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
