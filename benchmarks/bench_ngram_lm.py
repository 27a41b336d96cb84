"""N-gram models against KenLM: training against lmplz, perplexity and queries against its Python module.

    python benchmarks/bench_ngram_lm.py [--quick] [--rounds 5] [--order 5] [--lmplz FILE]

The corpus is both English wiki folders, lower-cased, letters only with digits spelled out, a paragraph a
line; every 20th paragraph is test.
Training is a process of its own, from the plain file to the fitted model and then to the ARPA file, memory
its peak; lmplz (if there is its binary, built from the sources that KenLM's package holds) trains on the same
file with a quarter of the machine's memory and writes an ARPA file, too.
KenLM's module reads our ARPA file (into its default, the probing hash table) and both score the test text;
queries are the sentences of the test text as strings, one `score` a sentence, contestants in turn in one
process, one thread but for `score_batch`. A sentence has its `</s>`.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

from common import fresh, has_peer, in_turn, median, parse, parser, save, say, table, target
from wiki import english_lines

_TRAIN = """
import json, resource, time
from nlptk import NgramLM
start = time.perf_counter()
model = NgramLM({order}, discount_fallback=(0.5, 1, 1.5), threads={threads}).fit_files([{corpus!r}])
fitted, busy = time.perf_counter(), time.process_time()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
model.save_arpa({arpa!r})
written = time.perf_counter()
model.save({folder!r})
saved = time.perf_counter()
print(json.dumps({{"train": fitted - start, "CPU": busy, "arpa": written - fitted, "save": saved - written,
                  "MiB": peak, "ngrams": model.counts}}))
"""


def split(data: Path, lines: int | None, folder: Path) -> tuple[Path, list[str]]:
    """The file to train on, and the sentences of the test text."""
    train, test = folder / "train.txt", []
    with train.open("w", encoding="utf-8") as file:
        for number, line in enumerate(islice(english_lines(data), lines)):
            if number % 20 == 19:
                test.append(line.strip())
            else:
                file.write(line)
    return train, test


def lmplz(binary: str, order: int, corpus: Path, arpa: Path) -> dict[str, float]:
    """Seconds and peak memory of lmplz."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    command = [binary, "-o", str(order), "-S", "25%", "-T", str(arpa.parent), "--discount_fallback"]
    with corpus.open("rb") as text, arpa.open("wb") as out:
        subprocess.run(command, stdin=text, stdout=out, stderr=subprocess.DEVNULL, check=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"train": wall, "CPU": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


def kenlm_perplexity(model: Any, sentences: list[str]) -> tuple[float, float]:
    """With unknown words and without, as KenLM's `query` has them."""
    scores = [entry for sentence in sentences for entry in model.full_scores(sentence)]
    known = [log_prob for log_prob, _, unknown in scores if not unknown]
    return 10 ** -(sum(entry[0] for entry in scores) / len(scores)), 10 ** -(sum(known) / len(known))


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--order", type=int, default=5)
    options.add_argument("--lmplz", default=shutil.which("lmplz"), help="KenLM's estimator")
    given = parse(options)
    if not has_peer("kenlm", "n-gram models"):
        return
    import kenlm

    from nlptk import NgramLM

    samples: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpus, test = split(given.data, 4000 if given.quick else None, folder)
        arpa, store = folder / "nlptk.arpa", folder / "nlptk"
        say("nlptk trains")
        paths = {"corpus": str(corpus), "arpa": str(arpa), "folder": str(store)}
        samples["nlptk"] = fresh(_TRAIN.format(order=given.order, threads=0, **paths))
        say("nlptk", json.dumps(samples["nlptk"]))
        if given.lmplz:
            samples["lmplz"] = lmplz(given.lmplz, given.order, corpus, folder / "lmplz.arpa")
            say("lmplz", json.dumps(samples["lmplz"]))
        say("KenLM reads")
        start = time.perf_counter()
        theirs = kenlm.Model(str(arpa))
        samples["KenLM reads, s"] = time.perf_counter() - start
        start = time.perf_counter()
        ours = NgramLM.load(store)
        ours._model.prepare()
        samples["nlptk loads, s"] = time.perf_counter() - start
        start = time.perf_counter()
        if not given.quick:
            arpa_model = NgramLM.load_arpa(arpa)
            samples["nlptk reads ARPA, s"] = time.perf_counter() - start
            assert arpa_model.counts == ours.counts
            del arpa_model
        found = ours.perplexity(test)
        perplexities = {
            "nlptk": (found.including, found.excluding),
            "KenLM, our ARPA": kenlm_perplexity(theirs, test),
        }
        if given.lmplz:
            original = kenlm.Model(str(folder / "lmplz.arpa"))
            perplexities["KenLM, lmplz's ARPA"] = kenlm_perplexity(original, test)
            samples["most between scores, log10"] = max(
                abs(original.score(sentence) - ours.score(sentence)) for sentence in test
            )
            del original
        samples["perplexities"] = perplexities
        words = sum(len(sentence.split()) + 1 for sentence in test)
        say("queries")
        seconds = in_turn(
            {
                "nlptk score": lambda: [ours.score(sentence) for sentence in test],
                "KenLM score": lambda: [theirs.score(sentence) for sentence in test],
                "nlptk score_batch, 1 thread": lambda: ours.set_params(threads=1).score_batch(test),
                "nlptk score_batch, 2 threads": lambda: ours.set_params(threads=2).score_batch(test),
            },
            rounds=2 if given.quick else given.rounds,
        )
        samples["seconds"] = seconds
    middle = {name: median(values) for name, values in seconds.items()}
    ratio = middle["KenLM score"] / middle["nlptk score"]
    shown = {name: tuple(f"{value:.3f}" for value in pair) for name, pair in perplexities.items()}
    same = len({tuple(f"{value:#.6g}" for value in pair) for pair in perplexities.values()}) == 1
    close = max(
        abs(value / perplexities["nlptk"][i] - 1)
        for pair in perplexities.values()
        for i, value in enumerate(pair)
    )
    trained = samples["nlptk"]
    training = [
        [
            "nlptk",
            f"{trained['train']:.1f}",
            f"{trained['CPU']:.1f}",
            f"{trained['arpa']:.1f}",
            f"{trained['MiB']:,.0f}",
        ]
    ]
    if given.lmplz:
        theirs_trained = samples["lmplz"]
        training.append(
            ["lmplz, -S 25%", f"{theirs_trained['train']:.1f}", f"{theirs_trained['CPU']:.1f}", "in it", ""]
        )
    save(
        "ngram_lm",
        "N-gram language models",
        tables=[
            table(
                f"order {given.order}, n-grams of each: {', '.join(f'{n:,}' for n in trained['ngrams'])}",
                ["", "training, s", "of CPU", "ARPA file, s", "peak, MiB"],
                training,
            ),
            table(
                f"perplexity of {words:,} tokens of test text",
                ["", "with unknown words", "without"],
                [[name, *pair] for name, pair in shown.items()],
            ),
            table(
                f"queries, medians of {given.rounds} rounds",
                ["", "million words/s", "ns a word"],
                [
                    [name, f"{words / value / 1e6:.2f}", f"{value / words * 1e9:.0f}"]
                    for name, value in middle.items()
                ],
            ),
        ],
        targets=[
            target(
                f"modified Kneser-Ney, order {given.order}, our ARPA read by KenLM",
                "same perplexity to 3 digits",
                close,
                close < 5e-4,
                f"{shown['nlptk'][0]} and {shown['KenLM, our ARPA'][0]}"
                + (", all six digits the same" if same else f", {close:.1g} apart at most"),
            ),
            target(
                "queries from Python against KenLM's",
                "no slower",
                ratio,
                ratio >= 1,
                f"{ratio:.2f} times as fast",
            ),
        ],
        notes=[" ".join(part.split()) for part in (__doc__ or "").split("\n\n")[2:]],
        samples=samples,
        packages=["kenlm"],
        quick=given.quick,
    )


if __name__ == "__main__":
    main()
