"""The linear classifier against scikit-learn's parts: SST-2, from raw texts, one thread, all in one process.

    python benchmarks/bench_linear.py [--quick] [--rounds 5]

`LinearClassifier` (TF-IDF of 1-2-grams of what stands between white space, sublinear, C 0.5) against
`TfidfVectorizer(token_pattern=r"\\S+", ngram_range=(1, 2), sublinear_tf=True)` and `LinearSVC(C=0.5)` of
scikit-learn, and against its `CalibratedClassifierCV` (3 folds, not an ensemble). Contestants take turns;
times are medians, by the clock and of CPU. "same" is the share of dev and test where the prediction is the
SVM's.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from common import environment, median, parse, parser, save, say, table, target
from sst2 import Split, read

REACH = 3.0


def contestants(train: Split, dev: Split) -> dict[str, Callable[[], Any]]:
    """What each trains."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    from nlptk import LinearClassifier

    def peer(svm: Any) -> Any:
        words = TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, 2), sublinear_tf=True)
        return make_pipeline(words, svm).fit(*train)

    def own(algorithm: str = "svm", **more: Any) -> Any:
        settings = {"tokenizer": "whitespace", "sublinear_tf": True, "C": 0.5} | more
        return LinearClassifier(algorithm, **settings)

    return {
        "scikit-learn": lambda: peer(LinearSVC(C=0.5)),
        "scikit-learn, calibrated": lambda: peer(
            CalibratedClassifierCV(LinearSVC(C=0.5), cv=3, ensemble=False)
        ),
        "svm": lambda: own(calibrate=False).fit(*train),
        "svm, calibrated": lambda: own().fit(*train),
        "svm, calibrated on dev": lambda: own().fit(*train, *dev),
        "logistic": lambda: own("logistic", C=1.0).fit(*train),
        "naive-bayes": lambda: own("naive-bayes").fit(*train),
    }


def scores(model: Any, split: Split, wanted: list[str]) -> dict[str, float]:
    """Of one split; `wanted`: what scikit-learn's SVM predicts."""
    from nlptk.scoring import category_scores

    texts, gold = split
    found = list(model.predict(texts))
    told = {"accuracy": float(np.mean([a == b for a, b in zip(found, gold, strict=True)]))}
    told["same"] = float(np.mean([a == b for a, b in zip(found, wanted, strict=True)]))
    if hasattr(model, "predict_proba"):
        sets = ([[label] for label in labels] for labels in (gold, found))
        counted = category_scores(*sets, model.predict_proba(texts), list(model.classes_))
        told |= {"log_loss": counted.log_loss, "calibration_error": counted.calibration_error}
    return told


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--rounds", type=int, default=5)
    given = parse(options)
    os.environ |= environment(1)
    most = 3000 if given.quick else None
    train, dev, test = (read(given.data, split, most) for split in ("train", "dev", "test"))
    makers = contestants(train, dev)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in makers}
    models: dict[str, Any] = {}
    for number in range(1 + (1 if given.quick else given.rounds)):  # the first one imports and warms up
        for name, make in makers.items():
            say("round", number, name)
            start, busy = time.perf_counter(), time.process_time()
            models[name] = make()
            if number:
                times[name].append((time.perf_counter() - start, time.process_time() - busy))
    results: dict[str, Any] = {}
    wanted = [list(models["scikit-learn"].predict(split[0])) for split in (dev, test)]
    for name, model in models.items():
        results[name] = {"s": median(s for s, _ in times[name]), "CPU": median(c for _, c in times[name])}
        results[name] |= {"dev": scores(model, dev, wanted[0]), "test": scores(model, test, wanted[1])}
    peer, own = results["scikit-learn"], results["svm"]
    measures = ("accuracy", "log_loss", "calibration_error", "same")
    rows = [
        [
            name,
            f"{told['s']:.2f}",
            f"{told['CPU']:.2f}",
            f"{peer['CPU'] / told['CPU']:.1f} times",
            *(f"{told[split].get(key, float('nan')):.4f}" for split in ("dev", "test") for key in measures),
        ]
        for name, told in results.items()
    ]
    ratio = peer["CPU"] / own["CPU"]
    gain = own["dev"]["accuracy"] - peer["dev"]["accuracy"]
    columns = [f"{split} {key.replace('_', ' ')}" for split in ("dev", "test") for key in measures]
    save(
        "linear",
        "A linear classifier of texts",
        tables=[table("SST-2, from raw texts, one thread", ["", "s", "CPU", "speed", *columns], rows)],
        targets=[
            target(
                "fit from raw texts, SVM on TF-IDF", "3 times", ratio, ratio >= REACH, f"{ratio:.1f} times"
            ),
            target("dev accuracy less scikit-learn's", "0", gain, gain >= 0, f"{gain:+.4f}"),
        ],
        packages=["scikit-learn"],
        quick=given.quick,
    )


if __name__ == "__main__":
    main()
