"""What `bench_bpe.py` found, as the tables and targets of its report."""

from __future__ import annotations

from typing import Any

from common import table, target

TRAINED = ("nlptk", "tokenizers")


def faster(result: dict[str, Any]) -> float:
    """How many times as fast as the peer nlptk trained."""
    return result["seconds"]["tokenizers"] / result["seconds"]["nlptk"]


def tables_of(samples: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The tables of the parts that ran."""
    tables = []
    if "train" in samples:
        rows = [
            [
                r["text"],
                *(f"{r['seconds'][who]:.2f}" for who in TRAINED),
                f"{faster(r):.1f} times",
                *(f"{r['MB'][who]:.0f}" for who in TRAINED),
                "identical" if r["identical"] else "different",
            ]
            for r in samples["train"]
        ]
        columns = ["text", "nlptk, s", "tokenizers, s", "faster", "nlptk, MB", "tokenizers, MB", "merges"]
        tables.append(table("Training, 32,000 tokens, 2 threads", columns, rows))
    if "encode" in samples:
        who = ["nlptk", "tiktoken", "tokenizers", "rs_bpe", "nlptk, batch", "tokenizers, batch"]
        rows = [
            [r["text"], *(f"{r['MB/s'][w]:.1f}" if w in r["MB/s"] else "" for w in who)]
            for r in samples["encode"]
        ]
        tables.append(table("Encoding, MB/s", ["text, vocabulary", *who], rows))
    if "runs" in samples:
        rows = [
            [
                r["text"],
                r["MB"],
                *(f"{r[which]:.3f}" for which in ("once", "twice")),
                f"{r['twice'] / r['once']:.2f}",
                *(f"{r[peer]:.2f}" for peer in ("tiktoken", "tokenizers")),
            ]
            for r in samples["runs"]
        ]
        columns = [
            "run of",
            "MB",
            "s",
            "twice the length, s",
            "times as long",
            "tiktoken, s",
            "tokenizers, s",
        ]
        tables.append(table("Long runs, cl100k", columns, rows))
    if "identity" in samples:
        columns = ["pattern", "text", "lines", "ids", "differ from tiktoken", "differ from tokenizers"]
        rows = [
            [r["pattern"], r["text"], f"{r['lines']:,}", f"{r['ids']:,}", r["tiktoken"], r["tokenizers"]]
            for r in samples["identity"]
        ]
        tables.append(table("Identity, one vocabulary of 32,000 tokens, lines", columns, rows))
    return tables


def targets_of(samples: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """What was to be reached in the parts that ran."""
    targets = []
    if "train" in samples:
        timed = [r for r in samples["train"] if not r["whole"]]
        worst = min(map(faster, timed))
        same = all(r["identical"] for r in samples["train"])
        less = all(r["MB"]["nlptk"] < r["MB"]["tokenizers"] for r in samples["train"])
        shown = ", ".join(f"{r['text'].split(',')[0]} {faster(r):.1f} times" for r in timed)
        shown += f"; {'identical' if same else 'not identical'}; memory {'below' if less else 'not below'}"
        reach = "identical merges and vocabulary, >= 3 times tokenizers, peak memory below it"
        met = worst >= 3 and same and less
        targets.append(target("BPE training, 32,000 tokens, 2 threads", reach, worst, met, shown))
    if "encode" in samples:
        own = [r for r in samples["encode"] if "trained" in r["text"]]
        least = min(r["MB/s"]["nlptk"] for r in own)
        shown = ", ".join(f"{r['text'].split(',')[0]} {r['MB/s']['nlptk']:.0f} MB/s" for r in own)
        what = "BPE encoding, one thread, one call a line"
        targets.append(target(what, ">= 30 MB/s", least, least >= 30, shown))
    if "identity" in samples:
        different = sum(r["tiktoken"] + r["tokenizers"] for r in samples["identity"])
        shown = f"{different} of {sum(r['lines'] for r in samples['identity']):,} lines differ"
        what = "BPE ids, every pattern, all wiki text and EWT"
        reach = "identical with tiktoken and tokenizers"
        targets.append(target(what, reach, different, different == 0, shown))
    if "runs" in samples:
        runs = samples["runs"]
        worst = max(r["twice"] / r["once"] for r in runs)
        shown = ", ".join(f"{r['text']} {r['once']:.2f} s, {r['twice'] / r['once']:.2f} times" for r in runs)
        what = f"{runs[0]['MB']:g} MB of one letter, of one emoji"
        targets.append(target(what, "twice the length, twice the time", worst, worst < 2.3, shown))
    return targets
