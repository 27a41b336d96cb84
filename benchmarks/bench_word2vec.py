"""Word vectors: time, memory and quality against gensim and fastText.

    python benchmarks/bench_word2vec.py [--quick] [--seeds 3] [--parts skipgram,cbow,...]

The corpus is both English wiki folders, lower-cased, letters only with digits spelled out; window 5, 5 noise
words, sample 1e-3, min-count 5, 1 epoch, 2 threads unless a part says otherwise. Each run is a process of its
own, contestants in turn, a seed a round: seconds and memory are those of the whole command, start, vocabulary
and saving as text included. Quality is the mean over the seeds: Spearman's rho on WordSim-353 and SimLex-999,
accuracy on Google's analogies within the 30,000 most frequent words; of Chinese on wordsim-240 and -297 and
CA8.

Learning rates are each program's default (gensim 0.025; nlptk 0.04, CBOW 0.12; fastText 0.05) but for rows
that name another, which have one seed. One epoch is short, and higher rates learn more in it: rows at equal
rates show what is due to that.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

from common import commit, earlier, fresh, has_peer, parse, parser, save, say, table, target
from wiki import english_lines, raw_lines

THREADS = 2
EN = {
    "WordSim": "en/wordsim353.tsv.gz",
    "SimLex": "en/simlex999.txt.gz",
    "analogies": "en/questions-words.txt.gz",
}
ZH = {
    "wordsim-240": "zh/cwe-240.txt.gz",
    "wordsim-297": "zh/cwe-297.txt.gz",
    "CA8 morph.": "zh/CA8-morphological.txt.gz",
    "CA8 sem.": "zh/CA8-semantic.txt.gz",
}

_GENSIM = """
from gensim.models import Word2Vec
model = Word2Vec(corpus_file={corpus!r}, vector_size={dim}, window=5, negative=5, sample=1e-3, min_count=5,
                 epochs=1, sg={sg}, alpha={alpha}, seed={seed}, workers={threads})
model.wv.save_word2vec_format({out!r})
"""
_FASTTEXT = """
import fasttext
model = fasttext.train_unsupervised({corpus!r}, model="skipgram", dim=100, ws=5, neg=5, t=1e-3, minCount=5,
                                    epoch=1, minn=3, maxn=6, lr=0.05, thread={threads}, verbose=0)
model.save_model({out!r})
"""


def gensim(sg: int, alpha: float = 0.025, dim: int = 100) -> Callable[..., list[str]]:
    """A contestant: the command of one run."""

    def command(**run: Any) -> list[str]:
        return [sys.executable, "-c", _GENSIM.format(sg=sg, alpha=alpha, dim=dim, **run)]

    return command


def fasttext(**run: Any) -> list[str]:
    """fastText's own program through its Python package; its seed cannot be chosen."""
    run["out"] = run["out"].replace(".txt", ".bin")
    return [sys.executable, "-c", _FASTTEXT.format(**run)]


def nlptk(*options: str, ending: str = ".txt") -> Callable[..., list[str]]:
    """The command line as a user types it."""

    def command(corpus: str, out: str, seed: int, threads: int) -> list[str]:
        out = out.replace(".txt", ending)
        line = f"-m nlptk vectors train {corpus} -o {out} -q --window 5 --negative 5 --sample 1e-3"
        line += f" --min-count 5 --epochs 1 --threads {threads} --seed {seed}"
        return [sys.executable, *line.split(), *options]

    return command


# Of each part: its contestants, the peer first, and the ratio that is aimed at.
PARTS: dict[str, dict[str, Any]] = {
    "skipgram": {
        "title": "Skip-gram, 100 dimensions",
        "reach": 5.0,
        "runs": {
            "gensim": gensim(1),
            "nlptk": nlptk(),
            "nlptk, rate 0.025": nlptk("--alpha", "0.025"),
            "gensim, rate 0.04": gensim(1, 0.04),
        },
    },
    "cbow": {
        "title": "CBOW, 100 dimensions",
        "reach": 4.0,
        "runs": {
            "gensim": gensim(0),
            "nlptk": nlptk("--model", "cbow"),
            "gensim, rate 0.12": gensim(0, 0.12),
        },
    },
    "subwords": {
        "title": "Skip-gram with subwords of 3 to 6 characters, 2 million buckets",
        "reach": 4.0,
        "peer": "fasttext",
        "rounds": 1,
        "runs": {"fasttext": fasttext, "nlptk": nlptk("--subwords", ending=".bin")},
    },
    "dim300": {
        "title": "Skip-gram, 300 dimensions",
        "reach": 5.0,
        "rounds": 1,
        "runs": {"gensim": gensim(1, dim=300), "nlptk": nlptk("--dim", "300")},
    },
    "chinese": {
        "title": "Chinese wiki cut by nlptk's jieba, skip-gram, 100 dimensions",
        "corpus": "zh",
        "tests": ZH,
        "rounds": 1,
        "runs": {"gensim": gensim(1), "nlptk": nlptk()},
    },
    "scaling": {
        "title": "Skip-gram, 1 and 2 threads",
        "runs": {"nlptk, 1 thread": nlptk(), "nlptk, 2 threads": nlptk()},
    },
}


def measured(command: list[str], threads: int) -> dict[str, float]:
    """Seconds and peak memory of a command. Ends with its own message if it fails."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONHASHSEED": "0"}
    started = time.perf_counter()
    # Elsewhere, so that `-m nlptk` is the one that is installed, not the sources here.
    process = subprocess.Popen(command, env=environment, cwd=tempfile.gettempdir())
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"failed: {' '.join(command)}")
    cpu = usage.ru_utime + usage.ru_stime
    return {"seconds": time.perf_counter() - started, "cpu": cpu, "MiB": usage.ru_maxrss / 1024}


_QUALITY = """
import json
from nlptk import KeyedVectors
from nlptk.vectors.evaluation import score_word_analogies, score_word_pairs

vectors, found = KeyedVectors.load({path!r}), {{}}
for name, file in {tests!r}.items():
    if name.startswith(("analog", "CA8")):
        found[name] = score_word_analogies(vectors, file).total.accuracy
    else:
        found[name] = score_word_pairs(vectors, file).spearman.statistic
if vectors.subwords is not None:  # as if only the 5,000 most frequent words had been seen
    few = KeyedVectors(vectors.index_to_key[:5000], vectors.vectors[:5000], subwords=vectors.subwords)
    scores = score_word_pairs(few, {tests!r}["SimLex"], subwords=True)
    found["SimLex, unseen words by subwords"] = scores.spearman.statistic
print(json.dumps(found))
"""


def quality(path: Path, tests: dict[str, str], data: Path) -> dict[str, float]:
    """Each test's score, by nlptk's evaluation for all contestants.

    In a process of its own: what a process has in memory counts towards the peak of those that it starts.
    """
    files = {name: str(data / "wordvec-eval" / file) for name, file in tests.items()}
    found = fresh(_QUALITY.format(path=str(path), tests=files))
    return {name: found[name] for name in found if name != "wall"}


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def run_part(name: str, corpora: dict[str, Path], given: Any) -> dict[str, list[dict[str, float]]]:
    """All runs of a part, contestants in turn."""
    part = PARTS[name]
    samples: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory(dir=corpora["en"].parent) as folder:
        for seed in range(1, (part.get("rounds") or given.seeds) + 1):
            for contestant, command in part["runs"].items():
                if seed > 1 and "rate" in contestant:
                    continue
                threads = 1 if contestant.endswith("1 thread") else THREADS
                corpus = corpora[part.get("corpus", "en")]
                line = command(corpus=str(corpus), out=f"{folder}/vectors.txt", seed=seed, threads=threads)
                run = measured(line, threads)
                (out,) = Path(folder).glob("vectors.*")
                run |= quality(out, part.get("tests", EN), given.data)
                out.unlink()
                samples.setdefault(contestant, []).append(run)
                say(name, contestant, "seed", seed, {key: round(value, 3) for key, value in run.items()})
    return samples


def report(
    name: str, samples: dict[str, list[dict[str, float]]]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The table of a part and what it was to reach."""
    part = PARTS[name]
    means = {who: {key: mean([run[key] for run in runs]) for key in runs[0]} for who, runs in samples.items()}
    peer = means[next(iter(means))]
    scores = [key for key in peer if key not in ("seconds", "cpu", "MiB")]
    rows = [
        [
            who,
            f"{found['seconds']:.1f}",
            f"{peer['seconds'] / found['seconds']:.1f} times",
            f"{found['cpu']:.1f}",
            f"{found['MiB']:,.0f}",
            *(f"{found[key]:.3f}" for key in scores),
        ]
        for who, found in means.items()
    ]
    seeds = len(next(iter(samples.values())))
    title = f"{part['title']}; {'one seed' if seeds == 1 else f'means of {seeds} seeds'}"
    made = table(title, ["", "seconds", "ratio", "of processors", "peak, MiB", *scores], rows)
    targets = []
    if name == "scaling":
        one, two = means["nlptk, 1 thread"]["seconds"], means["nlptk, 2 threads"]["seconds"]
        targets.append(
            target(
                "word vectors, 2 threads against 1",
                ">= 1.8 times",
                one / two,
                one / two >= 1.8,
                f"{one / two:.2f} times",
            )
        )
    elif "nlptk" in means and "reach" in part:
        ours = means["nlptk"]
        ratio = peer["seconds"] / ours["seconds"]
        who = part.get("peer", "gensim")
        better = all(ours[key] >= peer[key] for key in scores)
        shown = f"{ratio:.1f} times; " + ", ".join(
            f"{key} {ours[key]:.3f} ({peer[key]:.3f})" for key in scores
        )
        what = f"word vectors: {part['title']}, against {who}"
        reach = f">= {part['reach']:.0f} times faster, quality no lower"
        targets.append(target(what, reach, ratio, ratio >= part["reach"] and better, shown))
        memory = f"{ours['MiB']:,.0f} MiB ({who} {peer['MiB']:,.0f})"
        targets.append(
            target(
                "the same, peak memory", "at most the peer's", ours["MiB"], ours["MiB"] <= peer["MiB"], memory
            )
        )
    return made, targets


_CUT = """
from nlptk import JiebaTokenizer

cut = JiebaTokenizer().cut
with open({raw!r}, encoding="utf-8", newline="\\n") as lines, open({out!r}, "w", encoding="utf-8") as file:
    for line in lines:
        file.write(" ".join(word for word in cut(line) if not word.isspace()) + "\\n")
print("{{}}")
"""


def write_corpora(folder: Path, given: Any, chinese: bool) -> dict[str, Path]:
    """The plain files that all contestants read."""
    corpora = {"en": folder / "en.txt", "zh": folder / "zh.txt"}
    limit = 20_000 if given.quick else None
    with corpora["en"].open("w", encoding="utf-8") as file:
        file.writelines(islice(english_lines(given.data), limit))
    if chinese:
        lines = islice(raw_lines(given.data, "zh-zhwiki-text"), limit)
        with (folder / "raw.txt").open("w", encoding="utf-8") as file:
            file.writelines(lines)
        fresh(_CUT.format(raw=str(folder / "raw.txt"), out=str(corpora["zh"])))
    return corpora


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--parts", default=",".join(PARTS), help="the others keep their last results")
    given = parse(options)
    if given.quick:
        given.seeds = 1
    wanted = [name for name in given.parts.split(",") if has_peer(PARTS[name].get("peer", "gensim"), name)]
    samples: dict[str, Any] = {} if given.quick else dict(earlier("word2vec"))
    with tempfile.TemporaryDirectory() as folder:
        corpora = write_corpora(Path(folder), given, "chinese" in wanted)
        for name in wanted:
            samples[name] = run_part(name, corpora, given)
            samples.setdefault("commits", {})[name] = commit()
            save_all(samples, given.quick)  # a long run may be cut short


def save_all(samples: dict[str, Any], quick: bool) -> None:
    """Results of all parts that were ever run."""
    tables, targets = [], []
    for name in PARTS:
        if name in samples:
            made, reached = report(name, samples[name])
            made["title"] += f" (commit {samples['commits'][name]})"
            tables.append(made)
            targets += reached
    save(
        "word2vec",
        "Word vectors",
        tables=tables,
        targets=targets,
        notes=[" ".join(part.split()) for part in (__doc__ or "").split("\n\n")[2:]],
        samples=samples,
        packages=["gensim", "fasttext-wheel"],
        quick=quick,
    )


if __name__ == "__main__":
    main()
