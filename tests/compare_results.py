"""A comparison's results made up from a seed, as `nlptk.compare` writes them to results.json."""

from __future__ import annotations

from typing import Any

import numpy as np

from nlptk.render import UPOS

SEGMENTERS = "segmenters"
NAMES = (
    "hmm", "crf", "bilstm-crf", "bert", "spacy", "perceptron", "bilstm", "transformer", "nltk-hmm",
    "python-crfsuite", "hanlp", "transformers-token",
)  # fmt: skip
_NEURAL = {"bilstm-crf", "bert", "bilstm", "transformer"}
_PEERS = {"spacy", "nltk-hmm", "python-crfsuite", "hanlp", "transformers-token"}
_WORDS = [
    "the",
    "a",
    "small",
    "old",
    "dog",
    "cat",
    "house",
    "river",
    "runs",
    "sees",
    "over",
    "quickly",
    "7",
    ".",
]
_CHINESE = ["我", "喜欢", "北京", "大学", "的", "图书馆", "他们", "昨天", "在", "研究", "生命", "起源", "。"]


def results(
    task: str = "taggers",
    *,
    metric: str | None = None,
    models: int = 4,
    sizes: tuple[int, ...] = (100, 300, 1000, 3000, 12544),
    seeds: int = 1,
    labels: int = 17,
    sentences: int = 40,
    texts: bool = True,
    failed: tuple[str, ...] = (),
    seed: int = 1,
) -> dict[str, Any]:
    """Results of `task` ("taggers", "classifiers", "segmenters") that obey the schema.

    Args:
        metric: None for the usual one of the task; "f1" makes taggers find entities.
        failed: models that die at the greatest size; with one size they have no "best".
        texts: False as with --without-texts.
    """
    rng = np.random.default_rng(seed)
    metric = metric or ("f1" if task == SEGMENTERS else "accuracy")
    names = _labels(task, metric, labels)
    chosen = list(NAMES[:models])
    found = [_model(name, sizes, seeds, names, name in failed, rng, task) for name in chosen]
    done = [model["name"] for model in found if model["best"]]
    scores = {model["name"]: model["best"]["score"] for model in found if model["best"]}
    pairs = [(a, b) for i, a in enumerate(done) for b in done[i + 1 :]]
    unit = "texts" if task == "classifiers" else "sentences"
    made: dict[str, Any] = {
        "schema": 1,
        "task": task,
        "column": ("upos" if metric == "accuracy" else "ner") if task == "taggers" else None,
        "metric": metric,
        "title": f"{task.capitalize()} on sentences of no corpus",
        "command": f"nlptk compare {task} --train train.txt --test test.txt --models {','.join(chosen)}",
        "created": "2026-01-02T03:04:05+00:00",
        "commit": "0123456789abcdef0123456789abcdef01234567",
        "machine": {
            "cpu": "Imaginary 3000", "cores": 2, "memory_bytes": 8 * 2**30, "system": "Linux 6.1",
            "threads": None,
            "devices": {"networks": "cpu"},
        },
        "versions": {"python": "3.11.2", "nlptk": "0.1.0", "torch": "2.13.0"},
        "seeds": [*range(1, seeds + 1)],
        "sizes": [*sizes],
        "lang": "zh" if task == SEGMENTERS else "en",
        "data": [
            {"role": role, "name": f"{role}.txt", "sha256": f"{k}f" * 32, "sentences": 100 * (4 - k),
             "tokens": 1500 * (4 - k)}
            for k, role in enumerate(("train", "dev", "test", "also"))
        ],
        "labels": names,
        "warnings": [f"3 test {unit} stand in train too: scores are a little too good"],
        "models": found,
        "differences": [
            {"a": a, "b": b, "size": sizes[-1], "difference": scores[a] - scores[b],
             "interval": [scores[a] - scores[b] - 0.004, scores[a] - scores[b] + 0.004],
             "p": 1 / 10001 if abs(scores[a] - scores[b]) > 0.004 else float(rng.uniform(0.05, 1))}
            for a, b in pairs
        ],
        "disagreements": [
            {"right": a, "wrong": b, "units": int(rng.integers(5, 500))} for a in done for b in done if a != b
        ],
        "sentences": _sentences(task, metric, names, done, sentences, rng) if texts else None,
    }  # fmt: skip
    return made | {"erring_sentences": len(made["sentences"] or ())}


def _labels(task: str, metric: str, count: int) -> list[str]:
    if task == SEGMENTERS:
        return []
    if task == "classifiers":
        return ["positive", "negative", "neutral"][: max(2, min(count, 3))]
    if metric == "f1":
        return ["PER", "LOC", "ORG"]
    return [*UPOS, *(f"TAG{k}" for k in range(count))][:count]


def _interval(score: float, size: int = 12544) -> list[float]:
    half = 0.004 + 0.1 / size**0.5
    return [max(0.0, score - half), min(1.0, score + half)]


def _model(
    name: str, sizes: tuple[int, ...], seeds: int, labels: list[str], failed: bool,
    rng: np.random.Generator, task: str,
) -> dict[str, Any]:  # fmt: skip
    neural = name in _NEURAL
    most, need = (0.97, 40.0) if neural else (0.945, 8.0)
    most += float(rng.normal(0, 0.008))
    need *= float(rng.uniform(0.7, 1.4))
    cells: list[dict[str, Any]] = []
    curve = []
    for size in sizes:
        dies = failed and size == sizes[-1]
        scores = []
        for seed in range(1, seeds + 1):
            score = most - 0.9 * need**0.5 / (size + 4 * need) ** 0.6 + float(rng.normal(0, 0.001))
            seconds = (0.002 if not neural else 0.05) * size * float(rng.uniform(0.5, 2))
            cell: dict[str, Any] = {
                "size": size, "seed": seed, "status": "done", "why": None, "score": score,
                "interval": _interval(score, size), "train_seconds": seconds, "seconds": seconds + 3,
                "train_memory_bytes": int(2e8 * (4 if neural else 1)), "dev_score": score + 0.002,
            }  # fmt: skip
            if dies:
                cell.update(status="failed", why="killed by signal 9 (out of memory?)")
                cell.update(
                    dict.fromkeys(("score", "interval", "train_seconds", "train_memory_bytes", "dev_score"))
                )
            else:
                scores.append(score)
            cells.append(cell)
        if scores:
            mean = float(np.mean(scores))
            curve.append(
                {"size": size, "tokens": size * 16, "score": mean, "interval": _interval(mean, size)}
            )
    model: dict[str, Any] = {
        "name": name,
        "kind": "neural" if neural else "peer" if name in _PEERS else "classical",
        "about": f"{name} with its usual settings",
        "cells": cells, "curve": curve, "best": None, "robustness": {},
    }  # fmt: skip
    if not curve:
        return model
    last = curve[-1]
    score = last["score"]
    at = [cell["score"] for cell in cells if cell["size"] == last["size"]]
    gold = {label: int(4000 / (k + 1) ** 1.3) + 1 for k, label in enumerate(labels)}
    per_label = {
        label: {
            "precision": min(1.0, score + float(rng.normal(0, 0.03))),
            "recall": min(1.0, score + float(rng.normal(0, 0.03))),
            "f1": max(0.0, min(1.0, score - 0.02 * k / 5 + float(rng.normal(0, 0.03)))),
            "gold": gold[label],
        }
        for k, label in enumerate(labels)
    }
    speed = float((2e4 if neural else 4e5) * rng.uniform(0.3, 3))
    seen = task != "classifiers"
    model["best"] = {
        "size": last["size"], "score": score, "interval": last["interval"],
        "seeds": {"scores": at, "mean": float(np.mean(at)), "std": float(np.std(at)) if seeds > 1 else 0.0},
        "known": {"score": score + 0.01, "units": 20000} if seen else None,
        "unknown": {"score": score - (0.08 if neural else 0.16), "units": 1900} if seen else None,
        "per_label": per_label,
        "by_length": [
            {"from": low, "to": high, "sentences": 400 - 60 * k, "score": score - 0.01 * abs(k - 1)}
            for k, (low, high) in enumerate([(1, 5), (6, 10), (11, 20), (21, 40), (41, None)])
        ],
        "train_seconds": last["size"] * (0.05 if neural else 0.002),
        "train_memory_bytes": int(rng.uniform(1e8, 2e9)), "tokens_per_second": speed,
        "latency_ms": {"p50": 2e4 / speed, "p95": 4e4 / speed}, "load_seconds": float(rng.uniform(0.01, 2)),
        "memory_bytes": int(rng.uniform(2e7, 1e9)), "disk_bytes": int(rng.uniform(1e6, 4e8)),
        "energy_joules": None,
    }  # fmt: skip
    drops = {"typos": 0.06, "lower case": 0.02, "also: reviews.txt": 0.04}
    model["robustness"] = {
        what: {"score": score - drop * float(rng.uniform(0.5, 2)), "interval": _interval(score - drop)}
        for what, drop in drops.items()
    }
    return model


def _sentences(
    task: str, metric: str, labels: list[str], models: list[str], count: int, rng: np.random.Generator
) -> list[dict[str, Any]]:
    found = []
    for _ in range(count):
        if task == SEGMENTERS:
            gold = [str(word) for word in rng.choice(_CHINESE, rng.integers(4, 14))]
            words, tags = gold, {name: _segmented(gold, rng) for name in models}
        elif task == "classifiers":
            words = [" ".join(map(str, rng.choice(_WORDS, rng.integers(5, 40))))]
            gold = [str(rng.choice(labels))]
            tags = {name: _changed(gold, labels, 0.3, rng) for name in models}
        else:
            words = [str(word) for word in rng.choice(_WORDS, rng.integers(3, 25))]
            tagset = ["O", *(f"{b}-{label}" for label in labels for b in "BI")] if metric == "f1" else labels
            gold = [str(tag) for tag in rng.choice(tagset, len(words))]
            tags = {name: _changed(gold, tagset, 0.06, rng) for name in models}
        if any(answer != gold for answer in tags.values()):
            found.append({"words": words, "gold": gold, "tags": tags, "text": None})
    return found


def _changed(gold: list[str], labels: list[str], share: float, rng: np.random.Generator) -> list[str]:
    return [str(rng.choice(labels)) if rng.random() < share else tag for tag in gold]


def _segmented(gold: list[str], rng: np.random.Generator) -> list[str]:
    """The words with some of them joined to the next one, and some of more than one character cut in two."""
    out: list[str] = []
    for word in gold:
        if out and rng.random() < 0.08:
            out[-1] += word
        elif len(word) > 1 and rng.random() < 0.08:
            out += [word[:1], word[1:]]
        else:
            out.append(word)
    return out
