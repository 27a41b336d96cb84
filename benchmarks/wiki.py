"""The wiki text that several benchmarks read, as one plain file: lower-cased, letters only, digits spelled
out, as Mahoney's text8 has it; 21.9 million words of English.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

FOLDERS = ("en-enwiki2014-text", "en-simplewiki-text")
_DIGITS = {
    ord(str(digit)): f" {name} "
    for digit, name in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    )
}


def raw_lines(data: Path, *folders: str) -> Iterator[str]:
    """The paragraphs of these corpora as they stand."""
    for folder in folders:
        for path in sorted((data / folder).glob("*.gz")):
            with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
                yield from lines


def english_lines(data: Path) -> Iterator[str]:
    """The paragraphs of both English corpora; those without a letter are left out."""
    for line in raw_lines(data, *FOLDERS):
        words = re.findall("[a-z]+", line.lower().translate(_DIGITS))
        if words:
            yield " ".join(words) + "\n"
