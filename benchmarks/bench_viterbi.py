"""Viterbi: share of one core's max-add peak, and times pytorch-crf and CRFsuite, for 17, 44 and 128 labels.

    python benchmarks/bench_viterbi.py [--rounds 15] [--sequences 500]

One thread everywhere. Sequence lengths are drawn like sentences (mean 25); scores are random, so a decoder
has nothing to skip. The peak is the rate of one addition and one maximum on registers alone
(`_core.max_add_peak`), timed in turn with the rest. Shares and ratios are of medians; "best" is of the
fastest round of each, which a busy machine disturbs less. Peers that are not installed are left out with a
line that says so.

* pytorch-crf decodes padded batches of 64 sequences sorted by length, its best case.
* CRFsuite cannot be given scores: it decodes a model that it trained for a moment, one binary feature for
  each position, and nlptk decodes the scores of that model. `set` (which looks features up) is not timed,
  only `tag` (Viterbi in double precision and making the list of label strings).
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from common import in_turn, median, save, table, target

from nlptk import _core, chain

REPEATS = 20  # of nlptk in each round: once takes under a millisecond, little more than waking its caches


@dataclass
class Task:
    """A batch and its scores, float32."""

    emissions: Any
    offsets: Any
    transitions: Any
    start: Any
    end: Any

    @property
    def lengths(self) -> Any:
        return np.diff(self.offsets)

    def decode(self) -> Any:
        return chain.viterbi(
            self.emissions, self.transitions, offsets=self.offsets, start=self.start, end=self.end, threads=1
        )[0]


def random_task(labels: int, sequences: int) -> Task:
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.gamma(2.0, 12.0, sequences).astype(int) + 1, 1, 120)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)

    def draw(*shape: int) -> Any:
        return rng.normal(size=shape).astype(np.float32)

    return Task(draw(int(offsets[-1]), labels), offsets, draw(labels, labels), draw(labels), draw(labels))


def repeat(decode: Callable[[], Any]) -> None:
    for _ in range(REPEATS):
        decode()


def missing(module: str, package: str) -> bool:
    if importlib.util.find_spec(module) is not None:
        return False
    print(f"{package} is not installed: left out (pip install {package})")
    return True


def pytorch_crf(task: Task) -> Callable[[], Any]:
    """A function that decodes the task and returns all paths, concatenated."""
    import torch
    from torchcrf import CRF

    torch.set_num_threads(1)
    labels = task.emissions.shape[1]
    model = CRF(labels, batch_first=True)
    with torch.no_grad():
        model.transitions.copy_(torch.from_numpy(task.transitions))
        model.start_transitions.copy_(torch.from_numpy(task.start))
        model.end_transitions.copy_(torch.from_numpy(task.end))
    order = np.argsort(-task.lengths, kind="stable")
    batches = []
    for first in range(0, len(order), 64):
        chosen = order[first : first + 64]
        padded = np.zeros((len(chosen), int(task.lengths[chosen[0]]), labels), np.float32)
        mask = np.zeros(padded.shape[:2], bool)
        for row, s in enumerate(chosen):
            padded[row, : task.lengths[s]] = task.emissions[task.offsets[s] : task.offsets[s + 1]]
            mask[row, : task.lengths[s]] = True
        batches.append((chosen, torch.from_numpy(padded), torch.from_numpy(mask)))

    def decode() -> Any:
        paths: list[Any] = [None] * len(order)
        with torch.no_grad():
            for chosen, padded, mask in batches:
                for s, path in zip(chosen, model.decode(padded, mask), strict=True):
                    paths[s] = path
        return paths

    return decode


class Crfsuite:
    """A CRFsuite model of so many labels, and the same scores as a task for nlptk."""

    def __init__(self, labels: int, sequences: int) -> None:
        import pycrfsuite

        rng = np.random.default_rng(1)
        lengths = random_task(1, sequences).lengths
        attributes = 3 * labels
        words = [rng.integers(0, attributes, n) for n in lengths]
        trainer = pycrfsuite.Trainer(verbose=False)
        trainer.set_params({"max_iterations": 3, "feature.possible_transitions": 1})
        for word in [np.arange(attributes), *words[:200]]:
            noisy = np.where(rng.random(len(word)) < 0.3, rng.integers(0, labels, len(word)), word % labels)
            trainer.append([[f"w{w}"] for w in word], [str(y) for y in noisy])
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "model")
            trainer.train(path)
            self.tagger = pycrfsuite.Tagger()
            self.tagger.open(path)
            info = self.tagger.info()
        self.items = [pycrfsuite.ItemSequence([[f"w{w}"] for w in word]) for word in words]
        self.labels = self.tagger.labels()
        number = {label: k for k, label in enumerate(self.labels)}
        emission = np.zeros((attributes, labels), np.float32)
        for (attribute, label), weight in info.state_features.items():
            emission[int(attribute[1:]), number[label]] = weight
        transitions = np.zeros((labels, labels), np.float32)
        for (left, right), weight in info.transitions.items():
            transitions[number[left], number[right]] = weight
        zeros = np.zeros(labels, np.float32)
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        self.task = Task(emission[np.concatenate(words)], offsets, transitions, zeros, zeros)

    def decode(self) -> tuple[float, list[list[str]]]:
        """Seconds in `tag` alone, and the paths."""
        seconds, paths = 0.0, []
        for item in self.items:
            self.tagger.set(item)
            begin = time.perf_counter()
            path = self.tagger.tag()
            seconds += time.perf_counter() - begin
            paths.append(path)
        return seconds, paths


def agreement(task: Task, paths: list[Any]) -> float:
    """Share of positions where nlptk and the peer chose the same label."""
    return float(np.mean(task.decode() == np.concatenate([np.asarray(path, np.int32) for path in paths])))


def measure(labels: int, sequences: int, rounds: int, peers: set[str]) -> dict[str, Any]:
    task = random_task(labels, sequences)
    positions = len(task.emissions)
    peaks: list[float] = []
    contenders = {
        "nlptk": lambda: repeat(task.decode),
        "peak": lambda: peaks.append(_core.max_add_peak(0.02)),
    }
    result: dict[str, Any] = {"labels": labels, "positions": positions}
    if "pytorch-crf" in peers:
        contenders["pytorch-crf"] = pytorch_crf(task)
        result["pytorch-crf agreement"] = agreement(task, contenders["pytorch-crf"]())
    timed = in_turn(contenders, rounds)
    seconds = {name: median(values) for name, values in timed.items()}
    seconds["nlptk"] /= REPEATS
    best = min(timed["nlptk"]) / REPEATS
    peak = float(np.median(peaks[1:]))
    pairs = labels**2 * positions
    result["nlptk ns"] = seconds["nlptk"] / positions * 1e9
    result["nlptk best ns"] = best / positions * 1e9
    result["peak max-adds per s"] = peak
    result["share of peak"] = pairs / seconds["nlptk"] / peak
    result["best share of peak"] = pairs / best / max(peaks)
    if "pytorch-crf" in peers:
        result["pytorch-crf ns"] = seconds["pytorch-crf"] / positions * 1e9
        result["times pytorch-crf"] = seconds["pytorch-crf"] / seconds["nlptk"]
    if "python-crfsuite" in peers:
        peer = Crfsuite(labels, sequences)
        _, paths = peer.decode()
        numbers = {label: k for k, label in enumerate(peer.labels)}
        result["CRFsuite agreement"] = agreement(peer.task, [[numbers[y] for y in path] for path in paths])
        tag_seconds: list[float] = []
        timed = in_turn(
            {"nlptk": lambda: repeat(peer.task.decode), "peer": lambda: tag_seconds.append(peer.decode()[0])},
            rounds,
        )
        tag = float(np.median(tag_seconds[1:]))
        result["CRFsuite ns"] = tag / positions * 1e9
        result["times CRFsuite"] = tag / (median(timed["nlptk"]) / REPEATS)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--sequences", type=int, default=500)
    parser.add_argument("--labels", type=int, nargs="+", default=[17, 44, 128])
    options = parser.parse_args()
    modules = {"pytorch-crf": "torchcrf", "python-crfsuite": "pycrfsuite"}
    peers = {package for package, module in modules.items() if not missing(module, package)}

    results = [measure(labels, options.sequences, options.rounds, peers) for labels in options.labels]
    print(f"instruction set {_core.isa()}; ns a position, medians of {options.rounds} rounds, one thread")
    head = ["labels", "nlptk", "share of peak", "best", "best share"]
    if "pytorch-crf" in peers:
        head += ["pytorch-crf", "ratio", "same labels"]
    if "python-crfsuite" in peers:
        head += ["CRFsuite", "ratio", "same labels"]
    rows = [head]
    for result in results:
        row = [str(result["labels"]), f"{result['nlptk ns']:.1f}", f"{result['share of peak']:.0%}"]
        row += [f"{result['nlptk best ns']:.1f}", f"{result['best share of peak']:.0%}"]
        for peer in [name for name in ("pytorch-crf", "CRFsuite") if f"{name} ns" in result]:
            row += [
                f"{result[f'{peer} ns']:.0f}",
                f"{result[f'times {peer}']:.0f}x",
                f"{result[f'{peer} agreement']:.2%}",
            ]
        rows.append(row)
    ratios = [result[key] for result in results for key in result if key.startswith("times ")]
    slowest = min(ratios, default=float("nan"))  # no peer installed: the target counts as missed
    save(
        "viterbi",
        "Viterbi",
        tables=[table("ns a position, medians, one thread", rows[0], rows[1:])],
        targets=[
            target(
                "Viterbi kernel at 17, 44 and 128 labels",
                "share of the measured max-add peak stated, faster than both peers",
                slowest,
                slowest > 1,
                ", ".join(f"{result['labels']}: {result['share of peak']:.0%}" for result in results)
                + f"; at least {slowest:.1f} times either peer",
            )
        ],
        notes=[line.strip() for line in (__doc__ or "").split("\n\n", 1)[-1].split("\n* ")],
        samples=results,
        packages=["torch", *modules],
    )


if __name__ == "__main__":
    main()
