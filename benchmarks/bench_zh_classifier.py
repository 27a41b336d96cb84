"""Chinese hotel reviews (ChnSentiCorp): scikit-learn with jieba against nlptk, from raw text to the model.

    python benchmarks/bench_zh_classifier.py [--quick] [--rounds 3]

Of the 7,766 reviews every tenth is tested, the others are learnt from (settings were chosen on another tenth
of these). scikit-learn: `TfidfVectorizer(tokenizer=jieba.lcut, ngram_range=(1, 2))` and `LinearSVC()`; nlptk:
`LinearClassifier(tokenizer="jieba")`, the same features and model with our jieba, without calibration; beside
them two other models of nlptk's on our jieba's words.

The clock runs from the raw reviews to the fitted model; jieba's dictionary is loaded before it, on both
sides. Contestants take turns, each in a process of its own; medians. The CNN is trained once.
"""

from __future__ import annotations

import csv
import gzip
from pathlib import Path
from typing import Any

from accuracy_rows import ZH
from bench_accuracy import filled, make_files
from common import fresh, has_peer, median, parse, parser, save, say, table, target

FILE = "zh-sentiment/ChnSentiCorp_htl_all.csv.gz"
REACH = 10.0
EPOCHS = 8  # of the CNN

Reviews = tuple[list[str], list[str]]


def reviews(data: Path) -> tuple[Reviews, Reviews]:
    """Texts and labels to learn from, and of every tenth review."""
    with gzip.open(data / FILE, "rt", encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))[1:]
    test = rows[9::10]
    train = [row for number, row in enumerate(rows) if number % 10 != 9]
    return tuple(([text for _, text in part], [label for label, _ in part]) for part in (train, test))  # type: ignore[return-value]


_START = """
import json, os, sys, time
from pathlib import Path
sys.path.insert(0, {here!r})
os.environ["NLPTK_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = {threads!r}
from bench_zh_classifier import reviews
train, test = reviews(Path({data!r}))
train = tuple(part[::{step}] for part in train)
def right(found):
    return sum(a == b for a, b in zip(found, test[1], strict=True)) / len(test[1])
"""
_SKLEARN = """
import jieba
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
jieba.initialize()
start = time.perf_counter()
words = TfidfVectorizer(tokenizer=jieba.lcut, token_pattern=None, ngram_range=(1, 2))
model = make_pipeline(words, LinearSVC()).fit(*train)
"""
_LINEAR = """
from nlptk import LinearClassifier, linear_svm
from nlptk.vectors.counts import find_tokenizer
find_tokenizer("jieba")("")
start = time.perf_counter()
model = LinearClassifier(tokenizer="jieba", calibrate=False).fit(*train)
"""
_FASTTEXT = """
from nlptk import FastTextClassifier, JiebaTokenizer
jieba = JiebaTokenizer()
start = time.perf_counter()
model = FastTextClassifier(learning_rate=0.2, epochs=8, word_ngrams=3, tokenizer=jieba.cut).fit(*train)
"""
_CNN = """
from nlptk import JiebaTokenizer
from nlptk.neural.classifier import NeuralClassifier
jieba = JiebaTokenizer()
start = time.perf_counter()
settings = {{"widths": (1, 2, 3), "unknown": 0.1, "dropout": 0.3, "learning_rate": 3e-3}}
model = NeuralClassifier("cnn", vectors={vectors!r}, epochs={epochs}, **settings)
model.fit([jieba.cut(text) for text in train[0]], train[1])
end = time.perf_counter()
test = [jieba.cut(text) for text in test[0]], test[1]
"""
_END = """
end = locals().get("end", time.perf_counter())
print(json.dumps({{"s": end - start, "accuracy": right(model.predict(test[0]))}}))
"""
# name: what it does, and threads
CONTESTANTS = {
    "scikit-learn, jieba": (_SKLEARN, 1),
    "nlptk, linear, 1 thread": (_LINEAR, 1),
    "nlptk, linear, 2 threads": (_LINEAR, 2),
    "nlptk, fasttext": (_FASTTEXT, 2),
    "nlptk, CNN": (_CNN, 2),
}


def timed(name: str, data: Path, quick: bool) -> dict[str, Any]:
    """One run in a process of its own."""
    work, threads = CONTESTANTS[name]
    values = {"here": str(Path(__file__).parent), "data": str(data), "threads": str(threads)}
    more = {"step": 20 if quick else 1, "epochs": 1 if quick else EPOCHS, "vectors": filled(ZH, data)[0]}
    return fresh((_START + work + _END).format(**values, **more))


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--rounds", type=int, default=3)
    given = parse(options)
    if not (has_peer("jieba", "its words") and has_peer("torch", "the CNN")):
        return
    make_files([ZH], given.data)
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTESTANTS}
    for number in range(1 if given.quick else given.rounds):
        for name in CONTESTANTS:
            if number and "CNN" in name:
                continue
            say("round", number + 1, name)
            runs[name].append(timed(name, given.data, given.quick))
    seconds = {name: median(run["s"] for run in found) for name, found in runs.items()}
    scores = {name: median(run["accuracy"] for run in found) for name, found in runs.items()}
    peer, _, linear, *others = CONTESTANTS
    ratio = seconds[peer] / seconds[linear]
    save(
        "zh_classifier",
        "Chinese hotel reviews",
        tables=[
            table(
                "ChnSentiCorp, 6,990 reviews to learn from, 776 to tell",
                ["", "accuracy", "s from raw text to the model", "ratio"],
                [
                    [
                        name,
                        f"{scores[name]:.4f}",
                        f"{seconds[name]:.2f}",
                        f"{seconds[peer] / seconds[name]:.1f}",
                    ]
                    for name in CONTESTANTS
                ],
            )
        ],
        targets=[
            target(
                "ChnSentiCorp, the whole fit of a linear model, 2 threads, against scikit-learn with jieba",
                f">= {REACH:.0f} times, accuracy no lower",
                ratio,
                ratio >= REACH and scores[linear] >= scores[peer],
                f"{ratio:.1f} times; accuracy {scores[linear]:.4f} against {scores[peer]:.4f}",
            ),
            *(
                target(
                    f"ChnSentiCorp, {name.removeprefix('nlptk, ')}",
                    "accuracy no lower than scikit-learn's",
                    scores[name],
                    scores[name] >= scores[peer],
                    f"{scores[name]:.4f} against {scores[peer]:.4f}",
                )
                for name in others
            ),
        ],
        notes=[" ".join(part.split()) for part in (__doc__ or "").split("\n\n")[2:]],
        samples=runs,
        packages=["jieba", "scikit-learn", "torch"],
        quick=given.quick,
    )


if __name__ == "__main__":
    main()
