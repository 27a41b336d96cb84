"""The CRF tagger from text to tags: tokens a second, the time to load a model, and CRFsuite beside it.

    python benchmarks/bench_crf_tagging.py [--quick] [--rounds 9]

EWT test, UPOS. nlptk's model has the ready set "pos" (36 templates) and learned EWT train by SGD; CRFsuite's,
through python-crfsuite, learned it for 30 iterations of L-BFGS from the features that `word_features` of
peers.py makes in Python, which are part of the time, as they are for its users. Both are trained once and
kept. What is timed:

* "a batch": `predict_batch` of a batch whose tokens are known by their offsets: features, scores and Viterbi.
* "lists": `predict` of lists of words, which gives lists of labels; CRFsuite's `tag` of each sentence.
* "slow path": feature keys of every token, a look-up of each, Viterbi, one after the other. The tags must be
  the same, or the script stops.
* loading: the file, its SHA-256 and everything up to a tagger that can tag, in a warm process.

Contestants take turns; medians. The tagger remembers words from one call to the next, so rounds after the
first are quicker than the first; "first call" is that of a tagger just loaded. "Processor" is the same by the
processor time of the process: what one thread reaches on a core that nothing else wants. Verdicts are by the
clock, so they are of this machine and its load.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from common import CACHE, has_peer, in_turn, median, parse, parser, save, say, table, target
from peers import Sentence, sentences, word_features

from nlptk.store import embedded_pipelines, load_model, save_model
from nlptk.tag.component import Tagger
from nlptk.tag.features import TokenBatch

EWT = "ud-english-ewt/en_ewt-ud-{}.conllu.gz"


def read(data: Path, split: str, quick: bool) -> list[Sentence]:
    found = list(sentences(str(data / EWT.format(split)), "pos"))
    return found[:300] if quick else found


def trained_nlptk(data: Path, quick: bool) -> Path:
    """The folder of a model with one tagger, trained if it is not there."""
    folder = CACHE / ("crf-tagger-quick" if quick else "crf-tagger")
    if not (folder / "meta.json").is_file():
        train = read(data, "train", quick)
        say("nlptk: training")
        tagger = Tagger("pos", templates="pos", max_iterations=2 if quick else 10, threads=1)
        tagger.tagger.fit([words for words, _, _ in train], [gold for _, _, gold in train])
        save_model(
            folder,
            {"lang": "en", "pipeline": [{"name": "upos", "factory": "tagger"}]},
            {"upos": tagger.to_state()},
        )
    return folder


def trained_crfsuite(data: Path, quick: bool) -> Path:
    """CRFsuite's model file, trained if it is not there."""
    import pycrfsuite

    path = CACHE / ("crfsuite-tagging-quick.model" if quick else "crfsuite-tagging.model")
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        trainer = pycrfsuite.Trainer(algorithm="lbfgs", verbose=False)
        trainer.set_params({"c1": 0.0, "c2": 0.1, "max_iterations": 3 if quick else 30})
        for words, tags, gold in read(data, "train", quick):
            trainer.append(word_features(words, tags), gold)
        say("CRFsuite: training")
        trainer.train(str(path))
    return path


def load(folder: Path, name: str) -> Tagger:
    """One tagger of a model folder."""
    others = {path.name.rpartition("-")[0] for path in folder.glob("*.safetensors")} - {name}
    config, arrays = load_model(folder, exclude=others)[1][name]
    return Tagger.from_state(config, arrays)


def both_times(
    contestants: dict[str, Callable[[], Any]], rounds: int
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Seconds of each call by the clock and of the processor, the contestants taking turns."""
    processor: dict[str, list[float]] = {name: [] for name in contestants}

    def run(name: str) -> None:
        begin = time.process_time()
        contestants[name]()
        processor[name].append(time.process_time() - begin)

    timed = in_turn({name: partial(run, name) for name in contestants}, rounds)
    return timed, {name: seconds[-rounds:] for name, seconds in processor.items()}


def main() -> None:
    """Measure and write results/crf_tagging.json."""
    options = parser(__doc__ or "")
    options.add_argument("--rounds", type=int, default=9)
    given = parse(options)
    test = read(given.data, "test", given.quick)
    words, gold = [row for row, _, _ in test], [row for _, _, row in test]
    tokens = sum(map(len, words))
    folder = trained_nlptk(given.data, given.quick)

    fresh = load(folder, "upos").tagger
    batch = TokenBatch.from_words(words)
    fresh.threads = 1
    begin = time.perf_counter()
    tags = fresh.predict_batch(batch)
    first_call = time.perf_counter() - begin

    model = fresh.weights_.compile()

    def slow() -> Any:
        return model.predict(fresh._features.keys(batch, 1), batch.sequences, 1)

    if not np.array_equal(slow(), tags):
        raise SystemExit("the tags of one pass are not those of the slow path")

    def with_threads(threads: int, use: Callable[[], Any]) -> None:
        fresh.threads = threads
        use()

    contestants: dict[str, Callable[[], Any]] = {"slow path, 1 thread": slow}
    for threads in (1, 2):
        count = f"{threads} thread{'s' if threads > 1 else ''}"
        contestants[f"a batch, {count}"] = partial(with_threads, threads, partial(fresh.predict_batch, batch))
        contestants[f"lists, {count}"] = partial(with_threads, threads, partial(fresh.predict, words))
    accuracies = {"nlptk": fresh.score(words, gold)}
    if has_peer("pycrfsuite", "CRFsuite"):
        import pycrfsuite

        peer = pycrfsuite.Tagger()
        peer.open(str(trained_crfsuite(given.data, given.quick)))

        def crfsuite() -> list[list[str]]:
            return [peer.tag(word_features(row, [])) for row in words]

        contestants["CRFsuite, 1 thread"] = crfsuite
        hits = [a == b for p, g in zip(crfsuite(), gold, strict=True) for a, b in zip(p, g, strict=True)]
        accuracies["CRFsuite"] = sum(hits) / len(hits)

    say(f"{given.rounds} rounds of {', '.join(contestants)}")
    timed, processor = both_times(contestants, given.rounds)
    rates = {name: tokens / median(values) for name, values in timed.items()}
    loads = {"EWT": partial(load, folder, "upos")}
    if "en" in embedded_pipelines():
        loads["en (embedded), upos"] = partial(load, embedded_pipelines()["en"], "upos")
    clock, busy = both_times(loads, 15)
    loading = {name: median(values) * 1e3 for name, values in clock.items()}

    one = rates["a batch, 1 thread"]
    slowest = max(loading.values())
    ratio = rates["lists, 1 thread"] / rates.get("CRFsuite, 1 thread", float("nan"))
    save(
        "crf_tagging",
        "CRF tagging",
        tables=[
            table(
                f"{tokens:,} tokens of EWT test from text to UPOS, medians of {given.rounds} rounds",
                ["", "tokens a second", "best round", "processor", "processor, best"],
                [
                    [
                        name,
                        f"{rate:,.0f}",
                        f"{tokens / min(timed[name]):,.0f}",
                        f"{tokens / median(processor[name]):,.0f}",
                        f"{tokens / min(processor[name]):,.0f}",
                    ]
                    for name, rate in rates.items()
                ]
                + [["first call, 1 thread", f"{tokens / first_call:,.0f}", "", "", ""]],
            ),
            table(
                "Loading a tagger, warm process, medians of 15",
                ["model", "ms", "processor, ms"],
                [[name, f"{ms:.1f}", f"{median(busy[name]) * 1e3:.1f}"] for name, ms in loading.items()],
            ),
            table("Accuracy", ["", "UPOS"], [[name, f"{value:.4f}"] for name, value in accuracies.items()]),
        ],
        targets=[
            target(
                "tokens a second from text to tags, one core", "1,000,000", one, one >= 1e6, f"{one:,.0f}"
            ),
            target(
                "times CRFsuite, lists of words to lists of tags", "over 1", ratio, ratio > 1, f"{ratio:.1f}"
            ),
            target("loading a tagger", "under 20 ms", slowest, slowest < 20, f"{slowest:.1f} ms"),
        ],
        notes=[line.strip() for line in (__doc__ or "").split("\n\n", 1)[-1].split("\n* ")],
        samples={
            "seconds": timed,
            "tokens": tokens,
            "first call": first_call,
            "processor": processor,
            "loading": clock,
        },
        packages=["python-crfsuite"],
        quick=given.quick,
    )


if __name__ == "__main__":
    main()
