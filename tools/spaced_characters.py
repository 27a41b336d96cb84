"""Text with a space after each character, so that characters are words to who splits at spaces.

python tools/spaced_characters.py zhwiki-00.txt.gz zhwiki-01.txt.gz --output characters.txt
python tools/spaced_characters.py --pairs zhwiki-00.txt.gz zhwiki-01.txt.gz --output pairs.txt

With --pairs each word is a character and the next one.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

from nlptk.corpora.files import atomic_writer, open_text


def main() -> None:
    """Write the files, one after the other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path, help="UTF-8 text, gzip or not")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--pairs", action="store_true", help="pairs of neighbouring characters")
    options = parser.parse_args()
    with atomic_writer(options.output) as out:
        for file in options.files:
            with open_text(file) as lines:
                for line in lines:
                    text = "".join(line.split())
                    words = map("".join, pairwise(text)) if options.pairs else text
                    out.write(" ".join(words) + "\n")


if __name__ == "__main__":
    main()
