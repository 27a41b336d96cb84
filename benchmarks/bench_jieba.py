"""jieba, rjieba and nlptk on all of the Chinese wiki text: the same words? how fast? start, tags, keywords.

    python benchmarks/bench_jieba.py [--quick] [--rounds 3] [--processes 9] [--every 40]

* One call a line, one thread, CPU seconds, every file of the corpus by all contestants in turn; jieba itself
  goes through it once for each mode, the others `--rounds` times (the median counts). MB are of UTF-8.
* "offsets" is what the pipeline uses (arrays of starts and ends), "lists" is `cut(line)`.
* Tags and keywords: every 40th line of the same text; "documents" are five such lines together.
* Ready: in fresh processes in turn, from the cache; the time from a finished import to the first cut (rjieba
  reads its dictionary when it is imported, so its import counts).
"""

from __future__ import annotations

import gc
import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from common import earlier, fresh, has_peer, median, parse, parser, save, say, table, target

from nlptk import JiebaTokenizer
from nlptk.corpora.files import read_lines

REACH_OFFSETS = 40.0
REACH_RJIEBA = 1.5
REACH_READY_MS = 60.0
REACH_ANALYSIS = 30.0

PARTS = ("ready", "analysis", "cutting")

_READY = {
    "nlptk": "from nlptk.tokenize.jieba import JiebaTokenizer as make\n{start}\nmake().cut('来到北京')",
    "jieba": "import jieba\njieba.setLogLevel(60)\n{start}\njieba.lcut('来到北京')",
    "rjieba": "{start}\nimport rjieba\nrjieba.cut('来到北京')",
}
_CLOCK = "import time, json; begin = time.perf_counter()"
_PRINT = "\nprint(json.dumps({'ms': (time.perf_counter() - begin) * 1e3}))"

Run = Callable[[str], Any]


def corpus(folder: Path, quick: bool) -> Iterator[tuple[str, list[str]]]:
    """Name and lines of each file of the wiki text."""
    for path in sorted((folder / "zh-zhwiki-text").glob("*.gz")):
        lines = list(read_lines(path))
        yield path.name, lines[:500] if quick else lines
        if quick:
            return


def ewt(folder: Path) -> list[str]:
    """The raw text of every sentence of UD English-EWT."""
    paths = sorted((folder / "ud-english-ewt").glob("*.conllu*"))
    mark = "# text = "
    return [line[len(mark) :] for path in paths for line in read_lines(path) if line.startswith(mark)]


def seconds(run: Run, lines: list[str]) -> float:
    """CPU seconds for one call a line; results are thrown away, as a user of each would."""
    gc.collect()
    begin = time.process_time()
    for line in lines:
        run(line)
    return time.process_time() - begin


class Rate:
    """Megabytes and seconds that add up over files."""

    def __init__(self) -> None:
        self.megabytes = self.seconds = 0.0

    def add(self, lines: list[str], took: float) -> None:
        self.megabytes += sum(len(line.encode("utf-8", "surrogatepass")) for line in lines) / 1e6
        self.seconds += took

    @property
    def mb_s(self) -> float:
        return self.megabytes / self.seconds


def cutting(given: Any, tokenizer: JiebaTokenizer, peers: set[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Speed and, for jieba, sameness: over all files, mode by mode."""
    import jieba

    modes: dict[str, tuple[Run, Run]] = {
        "accurate, HMM": (jieba.lcut, tokenizer.cut),
        "accurate": (lambda s: jieba.lcut(s, HMM=False), lambda s: tokenizer.cut(s, hmm=False)),
        "search": (jieba.lcut_for_search, tokenizer.cut_for_search),
        "full": (lambda s: jieba.lcut(s, cut_all=True), tokenizer.cut_all),
    }
    kernel = tokenizer._kernel
    fast: dict[str, Run] = {
        "nlptk offsets": lambda s: kernel.spans(s, 0, True),
        "nlptk lists": tokenizer.cut,
    }
    if "rjieba" in peers:
        import rjieba

        fast["rjieba lists"] = rjieba.cut
    rates = {name: Rate() for name in [*fast, "jieba lists"]}
    same = {mode: [0, 0] for mode in [*modes, "rjieba"]}  # equal lines, lines
    for name, lines in corpus(given.data, given.quick):
        say(f"{name}: {len(lines)} lines")
        taken: dict[str, list[float]] = {contestant: [] for contestant in fast}
        for _ in range(given.rounds):
            for contestant, run in fast.items():
                taken[contestant].append(seconds(run, lines))
        for contestant, times in taken.items():
            rates[contestant].add(lines, median(times))
        for mode, (theirs, ours) in modes.items():
            begin = time.process_time()
            expected = [theirs(line) for line in lines]
            if mode == "accurate, HMM":
                rates["jieba lists"].add(lines, time.process_time() - begin)
                if "rjieba" in peers:
                    equal = sum(
                        rjieba.cut(line) == words for line, words in zip(lines, expected, strict=True)
                    )
                    same["rjieba"] = [same["rjieba"][0] + equal, same["rjieba"][1] + len(lines)]
            equal = sum(ours(line) == words for line, words in zip(lines, expected, strict=True))
            same[mode] = [same[mode][0] + equal, same[mode][1] + len(lines)]
            del expected
    for mode, (theirs, ours) in modes.items():
        lines = ewt(given.data)[: 200 if given.quick else None]
        equal = sum(ours(line) == theirs(line) for line in lines)
        same[f"{mode}, EWT"] = [equal, len(lines)]
    return {name: rate.mb_s for name, rate in rates.items() if rate.megabytes}, same


def analysis(given: Any, tokenizer: JiebaTokenizer) -> list[dict[str, Any]]:
    """Tags and keywords: speed of both, and how many texts give the same."""
    import jieba.analyse
    import jieba.posseg

    lines = [line for _, lines in corpus(given.data, given.quick) for line in lines][:: given.every]
    documents = ["\n".join(lines[i : i + 5]) for i in range(0, len(lines), 5)]
    some = {"allowPOS": ("n", "ns", "vn", "v"), "withWeight": True}
    tasks: list[tuple[str, list[str], Run, Run]] = [
        ("posseg", lines, lambda s: [tuple(p) for p in jieba.posseg.cut(s)], tokenizer.posseg),
        ("TF-IDF, lines", lines, jieba.analyse.extract_tags, tokenizer.extract_tags),
        ("TF-IDF, documents", documents, jieba.analyse.extract_tags, tokenizer.extract_tags),
        (
            "TF-IDF by tag, documents",
            documents,
            lambda s: jieba.analyse.extract_tags(s, **some),
            lambda s: tokenizer.extract_tags(s, **some),
        ),
        (
            "TextRank, documents",
            documents,
            lambda s: jieba.analyse.textrank(s, None, True),
            lambda s: tokenizer.textrank(s, None, True),
        ),
    ]
    rows = []
    for name, texts, theirs, ours in tasks:
        say(f"{name}: {len(texts)} texts")
        theirs(texts[0]), ours(texts[0])  # both read their tables
        slow, quick = Rate(), Rate()
        slow.add(texts, seconds(theirs, texts))
        quick.add(texts, median([seconds(ours, texts) for _ in range(given.rounds)]))
        equal = sum(ours(text) == theirs(text) for text in texts)
        rows.append(
            {"what": name, "texts": len(texts), "same": equal, "jieba": slow.mb_s, "nlptk": quick.mb_s}
        )
    return rows


def ready(given: Any, peers: set[str]) -> dict[str, float]:
    """Median milliseconds from import to the first cut, fresh processes in turn."""
    codes = {name: code.format(start=_CLOCK) + _PRINT for name, code in _READY.items()}
    names = [name for name in codes if name == "nlptk" or name in peers]
    taken: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(given.processes + 1):
        for name in names:
            found = fresh(codes[name])["ms"]
            if turn > 0:  # the first writes the caches
                taken[name].append(found)
    return {name: median(times) for name, times in taken.items()}


def main() -> None:
    made = parser(__doc__ or "")
    made.add_argument("--rounds", type=int, default=3)
    made.add_argument("--processes", type=int, default=9)
    made.add_argument(
        "--every", type=int, default=40, help="take every so manieth line for tags and keywords"
    )
    made.add_argument(
        "--parts",
        nargs="+",
        choices=PARTS,
        default=PARTS,
        help="measure these; take the rest from the last results",
    )
    given = parse(made)
    peers = {name for name in ("jieba", "rjieba") if has_peer(name, f"comparison with {name}")}
    if "jieba" not in peers:
        made.error("jieba is not installed: there is nothing to compare with")
    import jieba

    jieba.setLogLevel(logging.WARNING)
    jieba.initialize()
    tokenizer = JiebaTokenizer()

    old = earlier("jieba")
    start = ready(given, peers) if "ready" in given.parts else old["ready"]
    rows = analysis(given, tokenizer) if "analysis" in given.parts else old["analysis"]
    if "cutting" in given.parts:
        speeds, same = cutting(given, tokenizer, peers)
    else:
        speeds, same = old["speeds"], old["same"]
    equal = all(a == b for name, (a, b) in same.items() if name != "rjieba")
    lists = speeds["nlptk lists"] / speeds["rjieba lists"] if "rjieba" in peers else float("nan")
    least = min(row["nlptk"] / row["jieba"] for row in rows)
    same_rows = all(row["same"] == row["texts"] for row in rows)
    save(
        "jieba",
        "jieba",
        tables=[
            table(
                "MB/s, one call a line, one thread, accurate mode with HMM",
                ["", "MB/s"],
                [[name, f"{value:.1f}"] for name, value in speeds.items()],
            ),
            table(
                "Lines with the same words as jieba 0.42.1",
                ["", "same", "lines", "share"],
                [[name, a, b, f"{a / b:.4%}"] for name, (a, b) in same.items() if b],
            ),
            table(
                "Tags and keywords, MB/s",
                ["", "texts", "same", "jieba", "nlptk", "times"],
                [
                    [
                        row["what"],
                        row["texts"],
                        row["same"],
                        f"{row['jieba']:.3f}",
                        f"{row['nlptk']:.2f}",
                        f"{row['nlptk'] / row['jieba']:.0f}",
                    ]
                    for row in rows
                ],
            ),
            table("Ready, ms", ["", "ms"], [[name, f"{value:.0f}"] for name, value in start.items()]),
        ],
        targets=[
            target(
                "jieba, all modes, zhwiki and EWT", "every line the same", float(equal), equal, "see table"
            ),
            target(
                "jieba, accurate + HMM, to offsets",
                f">= {REACH_OFFSETS:.0f} MB/s on one core",
                speeds["nlptk offsets"],
                speeds["nlptk offsets"] >= REACH_OFFSETS,
                f"{speeds['nlptk offsets']:.1f} MB/s",
            ),
            target(
                "jieba, to Python lists",
                f">= {REACH_RJIEBA} times rjieba",
                lists,
                lists >= REACH_RJIEBA,
                f"{lists:.1f} times",
            ),
            target(
                "jieba dictionary ready",
                f"< {REACH_READY_MS:.0f} ms",
                start["nlptk"],
                start["nlptk"] < REACH_READY_MS,
                f"{start['nlptk']:.0f} ms",
            ),
            target(
                "jieba tags and keywords",
                f"the same, >= {REACH_ANALYSIS:.0f} times jieba",
                least,
                same_rows and least >= REACH_ANALYSIS,
                f"{'the same' if same_rows else 'NOT the same'}, {least:.0f} to "
                f"{max(row['nlptk'] / row['jieba'] for row in rows):.0f} times",
            ),
        ],
        notes=[line.strip() for line in (__doc__ or "").split("\n\n", 2)[-1].split("\n* ")],
        samples=json.loads(json.dumps({"speeds": speeds, "same": same, "analysis": rows, "ready": start})),
        packages=["jieba", "rjieba"],
        quick=given.quick,
    )


if __name__ == "__main__":
    main()
