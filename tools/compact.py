"""Saves a pipeline in the small form of the embedded ones, which together must stay below 12 MB.

    python tools/compact.py folder output

The weights are the same; CRF models are up to a third smaller than as `Language.to_disk` writes them, and
are packed when they are loaded instead of used where they lie in the file.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import nlptk
from nlptk import language_io, store
from nlptk.crf_compact import compact
from nlptk.language import Language


def save_compact(nlp: Language, path: Path) -> None:
    """`nlp.to_disk(path)`, but small."""
    meta, components = language_io.describe(nlp)
    small = {name: (config, compact(arrays)) for name, (config, arrays) in components.items()}
    store.save_model(path, meta, small)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path)
    options = parser.parse_args()
    save_compact(nlptk.load(options.folder), options.output)
