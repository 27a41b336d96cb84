"""The contestants of bench_crf.py, each run in a process of its own.

    python benchmarks/crf_contestants.py CONTESTANT TASK [--stream] [--settings '{"max_iterations": 5}']

CONTESTANT is crfsuite or nlptk. TASK is chunk (CoNLL-2000 with the template of CRFsuite's example
chunking.py) or ewt (UPOS of EWT with the rich word template of peers.py). Prints one JSON object: seconds,
objective after each iteration and how long each took, the score on test, peak memory. With `--stream`
features are made sentence by sentence as the trainer takes them, so that memory is the trainer's and not
that of Python's lists.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from common import data_dir
from peers import Sentence, sentences, word_features

Items = list[list[str]]

# Name and offset of each part of a feature, as in CRFsuite's chunking.py.
_WINDOW = range(-2, 3)
TEMPLATE = (
    *([("w", k)] for k in _WINDOW),
    *([("w", k), ("w", k + 1)] for k in (-1, 0)),
    *([("pos", k)] for k in _WINDOW),
    *([("pos", k), ("pos", k + 1)] for k in range(-2, 2)),
    *([("pos", k), ("pos", k + 1), ("pos", k + 2)] for k in range(-2, 1)),
)
_FILES = {
    "chunk": ("conll2000/{}.txt.gz", "2"),
    "ewt": ("ud-english-ewt/en_ewt-ud-{}.conllu.gz", "pos"),
}


def chunking_features(words: Sequence[str], tags: Sequence[str]) -> Items:
    """Those of CRFsuite's example."""
    values = {"w": words, "pos": tags}
    rows = []
    for i in range(len(words)):
        row = []
        for parts in TEMPLATE:
            if all(0 <= i + k < len(words) for _, k in parts):
                name = "|".join(f"{field}[{k}]" for field, k in parts)
                row.append(f"{name}={'|'.join(values[field][i + k] for field, k in parts)}")
        rows.append(row)
    rows[0].append("__BOS__")
    rows[-1].append("__EOS__")
    return rows


def read(task: str, split: str, data: Path) -> list[Sentence]:
    """The sentences of a split; empty ones are left out."""
    file, column = _FILES[task]
    return [sentence for sentence in sentences(str(data / file.format(split)), column) if sentence[0]]


def features(task: str, corpus: Sequence[Sentence]) -> Iterator[Items]:
    """The features of each sentence, made when they are asked for."""
    make = chunking_features if task == "chunk" else word_features
    return (make(words, tags) for words, tags, _ in corpus)


def score(task: str, gold: list[list[str]], found: list[list[str]]) -> float:
    """F1 of chunks, or accuracy of tags."""
    from nlptk.scoring import accuracy, entity_scores

    if task == "chunk":
        return float(entity_scores(gold, found).overall.f1)
    return float(accuracy(gold, found).accuracy)


def crfsuite(
    task: str, train: Any, gold: list[list[str]], test: Any, settings: dict[str, Any]
) -> dict[str, Any]:
    """python-crfsuite: L-BFGS with its defaults but for the settings."""
    import pycrfsuite

    start = time.perf_counter()
    trainer = pycrfsuite.Trainer(algorithm=settings.pop("algorithm", "lbfgs"), verbose=False)
    trainer.set_params(settings)
    for items, labels in zip(train, gold, strict=True):
        trainer.append(items, labels)
    read = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "model")
        start = time.perf_counter()
        trainer.train(path)
        seconds = time.perf_counter() - start
        tagger = pycrfsuite.Tagger()
        tagger.open(path)
        peak = peak_megabytes()
        found = [tagger.tag(items) for items in test]
    return {
        "read": read,
        "seconds": seconds,
        "found": found,
        "peak": peak,
        "log": trainer.logparser.iterations,
    }


def nlptk(
    task: str, train: Any, gold: list[list[str]], test: Any, settings: dict[str, Any]
) -> dict[str, Any]:
    """`nlptk.CRF`; `seconds` include reading the features from Python's lists."""
    from nlptk import CRF

    crf = CRF(**settings)
    start = time.perf_counter()
    crf.fit(train, gold)
    seconds = time.perf_counter() - start
    peak = peak_megabytes()
    log = crf.training_log_.iterations if crf.training_log_ is not None else []
    return {"seconds": seconds, "found": list(crf.predict(test)), "peak": peak, "log": log}


def peak_megabytes() -> float:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Run one contestant once."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("contestant", choices=["crfsuite", "nlptk"])
    options.add_argument("task", choices=sorted(_FILES))
    options.add_argument("--data", type=Path, default=data_dir())
    options.add_argument("--sentences", type=int, default=None, help="of the training set, the first so many")
    options.add_argument("--stream", action="store_true")
    options.add_argument("--settings", type=json.loads, default={})
    given = options.parse_args()
    train = read(given.task, "train", given.data)[: given.sentences]
    test = read(given.task, "test", given.data)
    made = features(given.task, train)
    run = crfsuite if given.contestant == "crfsuite" else nlptk
    gold = [labels for _, _, labels in train]
    done = run(
        given.task, made if given.stream else list(made), gold, features(given.task, test), given.settings
    )
    found = done.pop("found")
    log = done.pop("log")
    print(
        json.dumps(
            {
                **done,
                "score": score(given.task, [labels for _, _, labels in test], found),
                "tokens": sum(len(words) for words, _, _ in train),
                "objective": [entry["loss"] for entry in log],
                "times": [entry["time"] for entry in log],
            }
        )
    )


if __name__ == "__main__":
    main()
