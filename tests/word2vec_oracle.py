"""Word2vec's training in plain NumPy, in float64, by blocks of inputs that share noise words.

Where the kernels draw from chance, the cases here leave nothing to it: windows are whole, no word is skipped,
and one word is so frequent that all noise is that word.
"""

from __future__ import annotations

import heapq
import os
import random
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nlptk import _core

Floats = npt.NDArray[np.float64]
PAIRS = 16  # of an input and a target, which are scored before any row changes


@dataclass(frozen=True)
class Case:
    """What is trained; `alpha` does not fall."""

    cbow: bool = False
    negative: int = 0
    hs: bool = False
    window: int = 2
    block: int = 1
    pool: int = 16
    dim: int = 10
    max_n: int = 0
    alpha: float = 0.05
    words: int = 30
    line: int = 12


CASES = [
    Case(negative=5),
    Case(negative=5, block=7),
    Case(negative=5, block=32, pool=48, dim=100, window=5),
    Case(negative=3, block=4, pool=128, dim=16),
    Case(negative=5, cbow=True, block=5),
    Case(negative=5, cbow=True, block=32, window=6, dim=33),
    Case(hs=True),
    Case(hs=True, block=6, dim=64),
    Case(hs=True, cbow=True, block=3, dim=17),
    Case(hs=True, negative=2, block=8, dim=300),
    Case(hs=True, window=40, block=3, line=120),  # more targets than are scored at a time
    Case(negative=4, max_n=4, block=5, dim=20),
    Case(hs=True, max_n=3, cbow=True, block=4),
    Case(negative=5, block=2, words=2, dim=1),
]


def huffman(counts: list[int]) -> list[list[tuple[int, int]]]:
    """The inner nodes on the way from the root to each word, and their labels."""
    words = len(counts)
    # Of equal counts inner nodes come first, in the order in which they are made; then the rarest words.
    heap = [(count, 1, -word, word) for word, count in enumerate(counts)]
    heapq.heapify(heap)
    parent: dict[int, tuple[int, int]] = {}
    for made in range(words, 2 * words - 1):
        total = 0
        for label in (1, 0):
            count, _, _, node = heapq.heappop(heap)
            parent[node] = (made, label)
            total += count
        heapq.heappush(heap, (total, 0, made, made))
    paths = []
    for word in range(words):
        path, node = [], word
        while node != 2 * words - 2:
            node, label = parent[node]
            path.append((node - words, label))
        paths.append(path[::-1])
    return paths


def sigmoid(x: Floats) -> Floats:
    return np.exp(-np.logaddexp(0, -x))


def learn(
    block: list[tuple[list[int], list[tuple[int, int]], int, int]], into: Floats, out: Floats, case: Case
) -> None:
    """One block of (rows of the input, targets with labels, words predicted, words of the input)."""
    x = np.array([into[rows].mean(axis=0) for rows, *_ in block])
    dx = np.zeros_like(x)
    pairs = [(i, row, label) for i, (_, targets, *_) in enumerate(block) for row, label in targets]
    for at in range(0, len(pairs), PAIRS):
        inputs, rows, labels = map(list, zip(*pairs[at : at + PAIRS], strict=True))
        g = case.alpha * (np.array(labels) - sigmoid((out[rows] * x[inputs]).sum(axis=1)))
        np.add.at(dx, inputs, g[:, None] * out[rows])
        np.add.at(out, rows, g[:, None] * x[inputs])
    if case.negative:
        noise = np.zeros(case.pool, int)
        weights = np.array([predicted * case.negative / case.pool for _, _, predicted, _ in block])
        g = -case.alpha * weights[:, None] * sigmoid(x @ out[noise].T)
        dx += g @ out[noise]
        np.add.at(out, noise, g.T @ x)
    for i, (rows, _, _, words) in enumerate(block):
        step = dx[i] / words**0.25
        np.add.at(into, rows, np.broadcast_to(step, (len(rows), case.dim)))


def train(
    lines: list[list[int]], rows_of: list[list[int]], counts: list[int], into: Floats, out: Floats, case: Case
) -> None:
    """All lines once; `into` and `out` are changed."""
    paths = huffman(counts)
    first_node = len(counts) if case.negative else 0
    block = []
    for line in lines:
        for at, word in enumerate(line):
            window = [w for i, w in enumerate(line) if i != at and abs(i - at) <= case.window]
            if not window:
                continue
            inputs, predicted = (window, [word]) if case.cbow else ([word], window)
            targets = []
            for target in predicted:
                targets += [(target, 1)] if case.negative else []
                targets += [(first_node + n, label) for n, label in paths[target]] if case.hs else []
            rows = [row for word in inputs for row in rows_of[word]]
            block.append((rows, targets, len(predicted), len(inputs)))
            if len(block) == case.block:
                learn(block, into, out, case)
                block = []
    if block:
        learn(block, into, out, case)


def check(case: Case, folder: Path) -> None:
    """The kernels' matrices after one epoch are those of `train`."""
    chance = random.Random(str(case))
    words = [f"w{i}" for i in range(case.words)]
    counts = [10**12] + [2 + (case.words - i) // 2 for i in range(1, case.words)]
    lines = [chance.choices(range(case.words), k=chance.randrange(case.line)) for _ in range(25)]
    path = folder / "t.txt"
    path.write_text("".join(" ".join(words[w] for w in line) + "\n" for line in lines))
    buckets = 50 if case.max_n else 0
    trainer = _core.SgnsTrainer(
        _core.TokenCorpus([str(path)], ["t"]),
        _core.WordVocabulary(words, counts),
        {
            "dim": case.dim,
            "window": case.window,
            "shrink_windows": False,
            "cbow": case.cbow,
            "negative": case.negative,
            "hs": case.hs,
            "ns_exponent": 2.0,  # of noise other than word 0 one in 10^20
            "sample": 0.0,
            "alpha": case.alpha,
            "min_alpha": case.alpha,
            "min_n": 2,
            "max_n": case.max_n,
            "buckets": buckets,
            "threads": 1,
            "schedule": 1,
            "block": case.block,
            "pool": case.pool,
        },
    )
    rows_of = [[word] for word in range(case.words)]
    if case.max_n:
        data = "".join(words).encode()
        offsets = np.cumsum([0] + [len(word) for word in words])
        ids, begins = _core.subword_ids(data, offsets, 2, case.max_n, buckets)
        for word in range(case.words):
            rows_of[word] += (case.words + ids[begins[word] : begins[word + 1]]).tolist()
    rng = np.random.default_rng(7)
    trainer.inputs[:] = rng.normal(size=trainer.inputs.shape) / np.sqrt(case.dim)
    trainer.outputs[:] = rng.normal(size=trainer.outputs.shape) / np.sqrt(case.dim)
    assert trainer.outputs.shape[0] == case.words * bool(case.negative) + (case.words - 1) * case.hs
    into, out = trainer.inputs.astype(np.float64), trainer.outputs.astype(np.float64)
    before = into.copy()
    train(lines, rows_of, counts, into, out, case)
    trainer.run(0, [0])
    assert np.abs(into - before).max() > 0.05
    scale = max(np.abs(into).max(), np.abs(out).max())
    np.testing.assert_allclose(trainer.inputs, into, rtol=1e-4, atol=1e-5 * scale)
    np.testing.assert_allclose(trainer.outputs, out, rtol=1e-4, atol=1e-5 * scale)
    means = [into[rows].mean(axis=0) for rows in rows_of]
    np.testing.assert_allclose(trainer.word_vectors(), means, rtol=1e-4, atol=1e-5 * scale)
    assert trainer.status[0] == sum(map(len, lines))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        for each in CASES:
            check(each, Path(scratch))
    print(_core.isa())
    sys.exit(0 if os.environ.get("NLPTK_ISA") else 1)
