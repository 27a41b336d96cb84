"""Baum-Welch and Viterbi of a categorical HMM against hmmlearn: the same likelihoods, how much faster.

    python benchmarks/bench_hmm.py [--quick] [--rounds 3] [--states 10 50 200]

Text is drawn from an HMM of 20 states over 2,000 words of Zipf's frequencies, as sentences (mean 25 words)
and as one sequence of 100,000. Both start from the same random parameters and do the same rounds of it.
hmmlearn is given word numbers and its faster implementation ("scaling" or "log", tried on a part); nlptk is
given lists of words, and looking them up is in its time. Viterbi, with the start's parameters: `predict_ids`
(lists of words in, numbers out; a word is one string object wherever it occurs or, "new strings", another
each time) and `predict` (names out) against hmmlearn's `predict` (numbers in and out).
One thread, two where that is said. Medians; Viterbi with few states is measured up to 20 times.
"""

from __future__ import annotations

import logging
from itertools import pairwise
from typing import Any

import numpy as np
from common import has_peer, in_turn, median, parse, parser, save, say, table, target

from nlptk.tag.baum_welch import CategoricalHMM

REACH = 10.0
VOCABULARY = 2_000
VITERBI = ("predict_ids", "predict_ids, new strings", "predict", "hmmlearn")
# Words of sentences, words of one long sequence, rounds: for each number of states.
SIZES = {10: (200_000, 100_000, 5), 50: (100_000, 100_000, 2), 200: (25_000, 100_000, 1)}


def draw(tokens: int, lengths: Any) -> Any:
    """Word numbers, each from 0 to the highest at least once as hmmlearn wants them."""
    rng = np.random.default_rng(0)
    zipf = 1 / np.arange(1, VOCABULARY + 1)
    steps = rng.dirichlet(np.full(20, 0.2), 20).cumsum(axis=1)
    words = rng.dirichlet(zipf / zipf.sum() * 200, 20).cumsum(axis=1)
    ids, state = np.zeros(tokens, np.int64), 0
    for t, (a, b) in enumerate(rng.random((tokens, 2))):
        state = min(int(np.searchsorted(steps[state], a)), 19)
        ids[t] = np.searchsorted(words[state], b)
    assert lengths.sum() == tokens
    return np.unique(ids, return_inverse=True)[1]


def sentence_lengths(tokens: int) -> Any:
    rng = np.random.default_rng(1)
    lengths = np.clip(rng.gamma(2.0, 12.0, tokens // 20).astype(int) + 1, 1, 120)
    kept = lengths[: int(np.searchsorted(lengths.cumsum(), tokens))]
    return np.append(kept, tokens - kept.sum()).astype(int)


class Task:
    """The same text and the same start for both."""

    def __init__(self, states: int, tokens: int, lengths: Any, rounds: int) -> None:
        self.states, self.lengths, self.rounds = states, lengths, rounds
        self.ids = draw(tokens, lengths)
        words = [f"w{number:05d}" for number in range(int(self.ids.max()) + 1)]
        ends = [0, *np.cumsum(lengths).tolist()]
        self.X = [[words[i] for i in self.ids[a:b].tolist()] for a, b in pairwise(ends)]
        rng = np.random.default_rng(2)
        self.start = [
            rng.uniform(0.5, 1.5, shape) for shape in (states, (states, states), (states, len(words)))
        ]
        self.start = [part / part.sum(axis=-1, keepdims=True) for part in self.start]
        self.words = words
        self.history: dict[str, list[float]] = {}

    def nlptk(self, threads: int) -> CategoricalHMM:
        model = CategoricalHMM(self.states, self.rounds, tol=0.0, threads=threads)
        model._set([str(s) for s in range(self.states)], self.words, *(part.copy() for part in self.start))
        return model

    def fit(self, threads: int) -> None:
        model = self.nlptk(threads).fit_more(self.X)
        self.history["nlptk"] = model.monitor_.history

    def hmmlearn(self, implementation: str) -> Any:
        from hmmlearn.hmm import CategoricalHMM as Peer

        peer = Peer(
            self.states, n_iter=self.rounds, tol=-np.inf, init_params="", implementation=implementation
        )
        peer.startprob_, peer.transmat_, peer.emissionprob_ = (part.copy() for part in self.start)
        peer.n_features = len(self.words)
        return peer

    def fit_peer(self, implementation: str, tokens: int | None = None) -> None:
        """All of the text, or its first words as one sequence to see how fast that is."""
        peer = self.hmmlearn(implementation)
        if tokens is None:
            peer.fit(self.ids[:, None], self.lengths)
            self.history["hmmlearn"] = list(peer.monitor_.history)
        else:
            peer.fit(self.ids[:tokens, None])

    def faster(self) -> str:
        runs = {name: lambda name=name: self.fit_peer(name, 5_000) for name in ("scaling", "log")}
        seconds = {name: min(values) for name, values in in_turn(runs, 3).items()}
        return min(seconds, key=lambda name: seconds[name])


def measure(
    kind: str, states: int, tokens: int, lengths: Any, iterations: int, rounds: int
) -> dict[str, Any]:
    task = Task(states, tokens, lengths, iterations)
    implementation = task.faster()
    timed = in_turn(
        {
            "nlptk": lambda: task.fit(1),
            "nlptk, 2 threads": lambda: task.fit(2),
            "hmmlearn": lambda: task.fit_peer(implementation),
        },
        rounds,
        warmup=0,
    )
    pairs = zip(task.history["nlptk"], task.history["hmmlearn"], strict=True)
    seconds = {name: median(values) for name, values in timed.items()}
    result: dict[str, Any] = {
        "text": kind,
        "states": states,
        "tokens": tokens,
        "iterations": iterations,
        "words": len(task.words),
        "implementation": implementation,
        "seconds": timed,
        "ns": {name: value / tokens / iterations * 1e9 for name, value in seconds.items()},
        "times": seconds["hmmlearn"] / seconds["nlptk"],
        "times, 2 threads": seconds["hmmlearn"] / seconds["nlptk, 2 threads"],
        "likelihood difference": max(abs(a / b - 1) for a, b in pairs),
    }
    model, peer = task.nlptk(1), task.hmmlearn(implementation)
    fresh = [" ".join(sentence).split() for sentence in task.X]
    paths: dict[str, Any] = {}
    timed = in_turn(
        {
            "predict_ids": lambda: paths.update(nlptk=model.predict_ids(task.X)[0]),
            "predict_ids, new strings": lambda: model.predict_ids(fresh),
            "predict": lambda: model.predict(task.X),
            "hmmlearn": lambda: paths.update(hmmlearn=peer.predict(task.ids[:, None], task.lengths)),
        },
        max(rounds, 20_000_000 // (tokens * states)) if rounds > 1 else 1,  # calls of 2 ms more often
        warmup=0,
    )
    decode = {name: median(values) for name, values in timed.items()}
    result["Viterbi ns"] = {name: value / tokens * 1e9 for name, value in decode.items()}
    result["Viterbi times"] = decode["hmmlearn"] / decode["predict_ids"]
    result["Viterbi times, new strings"] = decode["hmmlearn"] / decode["predict_ids, new strings"]
    result["Viterbi times, names"] = decode["hmmlearn"] / decode["predict"]
    result["same states"] = float(np.mean(paths["nlptk"] == paths["hmmlearn"]))
    say(kind, states, f"{result['times']:.1f}x", f"Viterbi {result['Viterbi times']:.1f}x")
    return result


def main() -> None:
    made = parser(__doc__ or "")
    made.add_argument("--rounds", type=int, default=3)
    made.add_argument("--states", type=int, nargs="+", default=list(SIZES), choices=list(SIZES))
    given = parse(made)
    if not has_peer("hmmlearn", "hidden Markov models"):
        return
    logging.getLogger("hmmlearn").setLevel(logging.ERROR)
    results = []
    for states in given.states:
        tokens, long, iterations = SIZES[states]
        if given.quick:
            tokens, long, iterations = tokens // 20, long // 20, 1
        for kind, size, lengths in (
            ("sentences", tokens, sentence_lengths(tokens)),
            ("one sequence", long, np.array([long])),
        ):
            results.append(
                measure(kind, states, size, lengths, iterations, 1 if given.quick else given.rounds)
            )
    rows = [
        [
            entry["states"],
            entry["text"],
            *(f"{entry['ns'][name]:,.0f}" for name in ("nlptk", "nlptk, 2 threads", "hmmlearn")),
            f"{entry['times']:.1f}x",
            f"{entry['times, 2 threads']:.1f}x",
            f"{entry['likelihood difference']:.0e}",
        ]
        for entry in results
    ]
    decoded = [
        [
            entry["states"],
            entry["text"],
            *(f"{entry['Viterbi ns'][name]:,.0f}" for name in VITERBI),
            f"{entry['Viterbi times']:.1f}x",
            f"{entry['Viterbi times, new strings']:.1f}x",
            f"{entry['Viterbi times, names']:.1f}x",
            f"{entry['same states']:.3%}",
        ]
        for entry in results
    ]
    slowest = min(entry["times"] for entry in results)
    viterbi = min(entry["Viterbi times"] for entry in results)
    fresh = min(entry["Viterbi times, new strings"] for entry in results)
    worst = max(entry["likelihood difference"] for entry in results)
    save(
        "hmm",
        "Hidden Markov models",
        tables=[
            table(
                "Baum-Welch, ns a word and round",
                [
                    "states",
                    "text",
                    "nlptk",
                    "2 threads",
                    "hmmlearn",
                    "ratio",
                    "2 threads",
                    "likelihoods differ by",
                ],
                rows,
            ),
            table(
                "Viterbi, ns a word, one thread",
                [
                    "states",
                    "text",
                    *VITERBI,
                    "ratio",
                    "new strings",
                    "with names",
                    "same states",
                ],
                decoded,
            ),
        ],
        targets=[
            target(
                "Baum-Welch against hmmlearn, one thread each",
                f"at least {REACH:.0f} times as fast, likelihoods equal to 1e-6",
                slowest,
                slowest >= REACH and worst <= 1e-6,
                f"{slowest:.1f} times at least, likelihoods differ by {worst:.0e} at most",
            ),
            target(
                "Viterbi against hmmlearn, one thread each",
                f"at least {REACH:.0f} times as fast",
                viterbi,
                viterbi >= REACH,
                f"{viterbi:.1f} times at least",
            ),
            target(
                "the same where each word of the text is a string object of its own",
                f"at least {REACH:.0f} times as fast",
                fresh,
                fresh >= REACH,
                f"{fresh:.1f} times at least",
            ),
        ],
        notes=[line.strip() for line in (__doc__ or "").split("\n\n", 1)[-1].split("\n\n")],
        samples=results,
        packages=["hmmlearn"],
        quick=given.quick,
    )


if __name__ == "__main__":
    main()
