"""TF-IDF against scikit-learn's: the same matrix, how fast, and in how much memory; and a linear SVM on it.

    python benchmarks/bench_tfidf.py [--quick] [--rounds 3] [--lines N]

Wiki: the paragraphs of both English wiki folders, a document each, in memory before the clock starts;
`TfidfVectorizer()` from texts to matrix. SST-2: `TfidfVectorizer(ngram_range=(1, 2))` and `LinearSVC()` of
nlptk and of scikit-learn, all with their defaults, trained on train; dev and test are transformed and told.

Each contestant is a process of its own, in turn. Seconds are of the work, without Python's start, imports and
reading of files; CPU is of all threads. Memory is the peak of the process less what it was before the work.

Identity: the same terms and the same places that are not zero; values differ, relatively, by what is given.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from common import fresh, median, parse, parser, save, say, table, target

REACH_WIKI, REACH_SST, SAME = 4.0, 3.0, 1e-12

_CLOCK = """
import json, os, resource, sys, time
from pathlib import Path
sys.path.insert(0, {here!r})
os.environ["NLPTK_NUM_THREADS"] = {threads!r}
from {module} import TfidfVectorizer
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
def now():
    return time.perf_counter(), time.process_time()
"""
_WIKI = """
from itertools import islice
from wiki import FOLDERS, raw_lines
texts = [line.rstrip("\\n") for line in islice(raw_lines(Path({data!r}), *FOLDERS), {lines})]
before, (start, busy) = peak(), now()
vectorizer = TfidfVectorizer()
matrix = vectorizer.fit_transform(texts)
end, done = now()
most = peak()
if {out!r}:
    import numpy as np
    matrix.sort_indices()
    np.savez({out!r}, data=matrix.data, indices=matrix.indices, indptr=matrix.indptr)
    Path({out!r} + ".txt").write_text("\\n".join(vectorizer.get_feature_names_out()), "utf-8")
print(json.dumps({{"s": end - start, "CPU": done - busy, "MiB": most - before, "documents": len(texts),
    "characters": sum(map(len, texts)), "terms": matrix.shape[1], "entries": int(matrix.nnz)}}))
"""
_SST = """
from sst2 import read
from {svm} import LinearSVC
splits = (read(Path({data!r}), split, {lines}) for split in ("train", "dev", "test"))
train, dev, test = ((texts, [*map(int, labels)]) for texts, labels in splits)
start, busy = now()
vectorizer = TfidfVectorizer(ngram_range=(1, 2))
matrix = vectorizer.fit_transform(train[0])
counted, _ = now()
model = LinearSVC().fit(matrix, train[1])
fitted, _ = now()
scores = [model.score(vectorizer.transform(texts), labels) for texts, labels in (dev, test)]
end, done = now()
print(json.dumps({{"count": counted - start, "SVM": fitted - counted, "told": end - fitted, "s": end - start,
    "CPU": done - busy, "dev": scores[0], "test": scores[1]}}))
"""
_MODULES = {"nlptk": "nlptk.vectors.counts", "sklearn": "sklearn.feature_extraction.text"}
_SVMS = {"nlptk": "nlptk.linear_svm", "sklearn": "sklearn.svm"}
_TITLES = {"nlptk-1": "nlptk, 1 thread", "nlptk-2": "nlptk, 2 threads", "sklearn-1": "scikit-learn"}


def timed(work: str, name: str, data: Path, lines: int | None, out: str = "") -> dict[str, Any]:
    """One run in a process of its own."""
    module, _, threads = name.partition("-")
    values = {
        "module": _MODULES[module],
        "svm": _SVMS[module],
        "threads": threads,
        "here": str(Path(__file__).parent),
    }
    return fresh((_CLOCK + work).format(**values, data=str(data), lines=lines, out=out))


def difference(folder: Path) -> float:
    """The largest relative difference of the matrices in the folder; infinite if terms or places differ."""
    if len({path.read_bytes() for path in folder.glob("*.txt")}) != 1:
        return float("inf")
    first, *others = (np.load(path) for path in sorted(folder.glob("*.npz")))
    worst = 0.0
    for other in others:
        if not all(np.array_equal(first[part], other[part]) for part in ("indptr", "indices")):
            return float("inf")
        worst = max(worst, float(np.abs(first["data"] / other["data"] - 1).max()))
    return worst


def medians(runs: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, float]]:
    return {
        name: {key: median(run[key] for run in found) for key in found[0]} for name, found in runs.items()
    }


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--lines", type=int, default=None, help="of the wiki; else all")
    given = parse(options)
    lines = 3000 if given.quick else given.lines
    rounds = 1 if given.quick else given.rounds
    runs: dict[str, dict[str, list[dict[str, Any]]]] = {"wiki": {}, "sst2": {}}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            for name in _TITLES:
                say("round", number + 1, name)
                out = "" if number else str(Path(folder) / f"{name}.npz")
                runs["wiki"].setdefault(name, []).append(timed(_WIKI, name, given.data, lines, out))
                runs["sst2"].setdefault(name, []).append(
                    timed(_SST, name, given.data, 3000 if given.quick else None)
                )
        worst = difference(Path(folder))
    wiki, sst = medians(runs["wiki"]), medians(runs["sst2"])
    peer = wiki["sklearn-1"]
    size = (
        f"{peer['documents']:,.0f} paragraphs, {peer['characters'] / 1e6:.0f} million characters, "
        f"{peer['terms']:,.0f} terms, {peer['entries'] / 1e6:.1f} million entries; medians of {rounds}"
    )
    wiki_rows = [
        [
            title,
            f"{wiki[name]['s']:.2f}",
            f"{wiki[name]['CPU']:.2f}",
            f"{peer['s'] / wiki[name]['s']:.1f} times",
            f"{wiki[name]['MiB']:,.0f}",
        ]
        for name, title in _TITLES.items()
    ]
    sst_rows = [
        [
            title,
            *(f"{sst[name][part]:.2f}" for part in ("count", "SVM", "told", "s", "CPU")),
            f"{sst['sklearn-1']['s'] / sst[name]['s']:.1f} times",
            f"{sst[name]['dev']:.4f}",
            f"{sst[name]['test']:.4f}",
        ]
        for name, title in _TITLES.items()
    ]
    ratio = peer["s"] / wiki["nlptk-2"]["s"]
    memory = wiki["nlptk-2"]["MiB"] / peer["MiB"]
    counting = sst["sklearn-1"]["count"] / sst["nlptk-2"]["count"]
    training = sst["sklearn-1"]["SVM"] / sst["nlptk-2"]["SVM"]
    in_all = sst["sklearn-1"]["s"] / sst["nlptk-2"]["s"]
    as_good = all(sst["nlptk-2"][part] >= sst["sklearn-1"][part] for part in ("dev", "test"))
    save(
        "tfidf",
        "TF-IDF",
        tables=[
            table(f"wiki: {size}", ["", "s", "CPU, s", "ratio", "peak, MiB more"], wiki_rows),
            table(
                f"SST-2, 1-2-grams and LinearSVC; medians of {rounds}",
                ["", "fit of TF-IDF, s", "of the SVM", "dev and test", "all", "CPU", "ratio", "dev", "test"],
                sst_rows,
            ),
        ],
        targets=[
            target(
                "TF-IDF of the wiki, 2 threads, against scikit-learn",
                f">= {REACH_WIKI:.0f} times, values to {SAME:.0e}",
                ratio,
                ratio >= REACH_WIKI and worst <= SAME,
                f"{ratio:.1f} times; values differ by {worst:.1e} at most",
            ),
            target(
                "peak memory of that",
                "no higher",
                memory,
                memory <= 1,
                f"{memory:.2f} of scikit-learn's, 2 threads",
            ),
            target(
                "SST-2, TF-IDF and LinearSVC in all, 2 threads",
                f">= {REACH_SST:.0f} times, accuracy no lower",
                in_all,
                in_all >= REACH_SST and as_good,
                f"{in_all:.1f} times in all; TF-IDF {counting:.1f} times as fast, the SVM {training:.1f}",
            ),
        ],
        notes=[" ".join(part.split()) for part in (__doc__ or "").split("\n\n")[2:]],
        samples=runs,
        packages=["scikit-learn", "scipy", "numpy"],
        quick=given.quick,
    )


if __name__ == "__main__":
    main()
