"""The fastText classifier against fastText: training time and accuracy on SST-2.

    python benchmarks/bench_fasttext.py [--quick] [--rounds 7] [--threads 1 2]

Both learn from the same file of lines `__label__1 some text`, with the same settings: fastText's defaults but
phrases of two words (wordNgrams 2), so 100 dimensions, 5 epochs, rate 0.1, 2,000,000 buckets; with "hs" and
"ova" too; and with pieces of words (minn 3, maxn 6). fastText reads the file from first to last line, and so
does nlptk here, which by default takes the texts in another order each epoch ("shuffled"). Contestants take
turns in one process, a seed a round.

* Training is from the file to the model: reading the file, counting, numbering and learning.
* Accuracy is the mean over the rounds.
* Prediction is of all training texts, for the most probable label of each.
"""

from __future__ import annotations

import argparse
import gzip
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import has_peer, in_turn, median, parse, parser, save, say, table, target

CASES: dict[str, dict[str, Any]] = {
    "softmax": {},
    "softmax, shuffled": {"shuffle": True},
    "hs": {"loss": "hs"},
    "ova": {"loss": "ova"},
    "pieces of words": {"min_n": 3, "max_n": 6},
}
REACH = 2.0

Rows = list[tuple[str, str]]


def read(folder: Path, split: str, most: int | None) -> Rows:
    """(label, text) of a split of SST-2."""
    with gzip.open(folder / "sst2" / f"{split}.tsv.gz", "rt", encoding="utf-8") as file:
        next(file)
        rows = [line.rstrip("\n").split("\t") for line in file]
    return [(label, text) for label, text in rows][:most]


def accuracy(found: list[str], rows: Rows) -> float:
    return sum(a == b for a, (b, _) in zip(found, rows, strict=True)) / len(rows)


class Ours:
    """nlptk, from lines of a file in fastText's format."""

    def __init__(self, path: Path, threads: int, settings: dict[str, Any]) -> None:
        self.path, self.settings = path, {"word_ngrams": 2, "threads": threads, "shuffle": False, **settings}

    def train(self, seed: int) -> None:
        from nlptk import FastTextClassifier

        X, y = [], []
        with self.path.open(encoding="utf-8") as file:
            for line in file:
                label, _, text = line.partition(" ")
                X.append(text)
                y.append(label.removeprefix("__label__"))
        self.model = FastTextClassifier(seed=seed, **self.settings).fit(X, y)

    def predict(self, texts: list[str]) -> list[str]:
        return self.model.predict(texts)


class Peer:
    """fastText's Python package."""

    def __init__(self, path: Path, threads: int, settings: dict[str, Any]) -> None:
        self.path = path
        renamed = {name.replace("_n", "n"): value for name, value in settings.items() if name != "shuffle"}
        self.settings = {"wordNgrams": 2, "thread": threads, "verbose": 0, **renamed}

    def train(self, seed: int) -> None:
        import fasttext

        self.model = fasttext.train_supervised(str(self.path), seed=seed, **self.settings)

    def predict(self, texts: list[str]) -> list[str]:
        return [labels[0].removeprefix("__label__") for labels in self.model.predict(texts)[0]]


def measure(case: str, threads: int, rounds: int, path: Path, splits: dict[str, Rows]) -> dict[str, Any]:
    contestants = {"nlptk": Ours(path, threads, CASES[case]), "fastText": Peer(path, threads, CASES[case])}
    scores: dict[str, dict[str, list[float]]] = {name: {"dev": [], "test": []} for name in contestants}
    seeds = dict.fromkeys(contestants, 0)

    def trained(name: str) -> Callable[[], None]:
        def run() -> None:
            seeds[name] += 1
            contestants[name].train(seeds[name])

        return run

    def scored(name: str) -> None:
        for split, values in scores[name].items():
            rows = splits[split]
            values.append(accuracy(contestants[name].predict([text for _, text in rows]), rows))

    result: dict[str, Any] = {"case": case, "threads": threads}
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, values in in_turn({name: trained(name) for name in contestants}, 1, warmup=0).items():
            seconds[name] += values
            scored(name)
    texts = [text for _, text in splits["train"]]
    answers = in_turn(
        {name: lambda one=one: one.predict(texts) for name, one in contestants.items()}, max(rounds // 2, 1)
    )
    for name in contestants:
        result[f"{name} seconds"] = median(seconds[name])
        result[f"{name} best"] = min(seconds[name])
        result[f"{name} predict"] = median(answers[name])
        for split, values in scores[name].items():
            result[f"{name} {split}"] = sum(values) / len(values)
    # Of runs that follow one another, so that a busy moment of the machine hits both.
    for what, values in (("times", seconds), ("predict times", answers)):
        result[what] = median(b / a for a, b in zip(values["nlptk"], values["fastText"], strict=True))
    say(f"{case}, {threads} threads: {result['times']:.1f} times")
    return result


def report(results: list[dict[str, Any]], texts: int, given: argparse.Namespace) -> None:
    title = f"SST-2: {texts:,} texts, mean of {given.rounds} seeds; seconds are medians"
    rows, targets = [], []
    for r in results:
        for name in ("nlptk", "fastText"):
            row = [r["case"], r["threads"], name]
            row += [f"{r[f'{name} {what}']:.3f}" for what in ("seconds", "best")]
            row += [f"{r[f'{name} {what}']:.4f}" for what in ("dev", "test")]
            row += [f"{r[f'{name} predict']:.3f}"]
            row += [f"{r[what]:.1f}" if name == "nlptk" else "" for what in ("times", "predict times")]
            rows.append(row)
        if r["case"] == "softmax" and r["threads"] == 2:
            times = r["times"]
            what, reach = "SST-2, training, 2 threads", f">= {REACH:.0f} times"
            targets.append(target(what, reach, times, times >= REACH, f"{times:.1f} times"))
            for split in ("dev", "test"):
                ours, theirs = r[f"nlptk {split}"], r[f"fastText {split}"]
                what = f"SST-2, {split} accuracy, mean of {given.rounds} seeds"
                targets.append(target(what, f">= {theirs:.4f}", ours, ours >= theirs, f"{ours:.4f}"))
    columns = ["case", "threads", "", "training s", "best s", "dev", "test", "predicting s"]
    columns += ["times", "predicting times"]
    save(
        "fasttext",
        "fastText classifier",
        tables=[table(title, columns, rows)],
        targets=targets,
        notes=[" ".join(part.split()) for part in (__doc__ or "").split("\n\n")[2:]],
        samples=results,
        packages=["fasttext-wheel"],
        quick=given.quick,
    )


def main() -> None:
    """Measure, and write the result."""
    options = parser(__doc__ or "")
    options.formatter_class = argparse.RawDescriptionHelpFormatter
    options.add_argument("--rounds", type=int, default=7, help="trainings of each contestant")
    options.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    options.add_argument("--cases", nargs="+", default=list(CASES), choices=list(CASES))
    given = parse(options)
    if not has_peer("fasttext", "all of it"):
        return
    if given.quick:
        given.rounds, given.threads = 1, [2]
    most = 2000 if given.quick else None
    splits = {name: read(given.data, name, most) for name in ("train", "dev", "test")}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.txt"
        path.write_text("".join(f"__label__{label} {text}\n" for label, text in splits["train"]), "utf-8")
        runs = [measure(c, t, given.rounds, path, splits) for c in given.cases for t in given.threads]
        report(runs, len(splits["train"]), given)


if __name__ == "__main__":
    main()
