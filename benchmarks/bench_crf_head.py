"""The CRF head against pytorch-crf: loss with gradients, and decoding, of padded batches on a CPU.

    python benchmarks/bench_crf_head.py [--quick] [--rounds 30] [--threads 1 2]

A batch is 64 sequences of 50 positions and 17 labels, all of 50 ("full") or of 10 to 50 ("ragged"), and for
comparison one of 9 and one of 44 labels. Scores are random, of deviation 1. Contestants take turns on the
same tensors in one process; what is given is the median.

* Loss is the forward and the backward pass, from emissions that want gradients to those gradients and those
  of all scores, padded as pytorch-crf takes them. "torch" is nlptk's other way, which runs on other devices.
* Decoding is from the emissions to one path for each sequence.
* Difference: of the loss, relative; of gradients, the largest of any emission and score against pytorch-crf's
  in float64, for nlptk and for pytorch-crf in float32.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from common import has_peer, in_turn, median, save, say, table, target

BATCH, TIME = 64, 50
CASES = (("full", 17), ("ragged", 17), ("ragged", 9), ("ragged", 44))
REPEATS = 10  # of nlptk in each round: once is little more than waking its caches
LOSS_REACH, DECODE_REACH, SAME = 2.0, 20.0, 1e-5


@dataclass
class Task:
    """A batch, and both models with the same scores, in one precision."""

    emissions: Any
    gold: Any
    mask: Any
    ours: Any
    peer: Any

    def loss(self, model: Callable[[Any], Any]) -> list[Any]:
        """The loss and the gradients of emissions, transitions, start and end."""
        self.emissions.grad = None
        self.ours.zero_grad()
        self.peer.zero_grad()
        loss = model(self.emissions)
        loss.backward()
        trained = [self.ours.transitions, self.ours.start, self.ours.end]
        if trained[0].grad is None:
            trained = [self.peer.transitions, self.peer.start_transitions, self.peer.end_transitions]
        return [loss.detach(), self.emissions.grad, *(score.grad for score in trained)]

    def kernel_loss(self) -> list[Any]:
        return self.loss(lambda emissions: self.ours.loss(emissions, self.gold, self.mask))

    def torch_loss(self) -> list[Any]:
        return self.loss(lambda emissions: self.ours.loss(emissions, self.gold, self.mask, "none").sum())

    def peer_loss(self) -> list[Any]:
        return self.loss(lambda emissions: -self.peer(emissions, self.gold, mask=self.mask))

    def decode(self) -> list[Any]:
        found: list[Any] = self.ours.decode(self.emissions, self.mask)
        return found

    def peer_decode(self) -> list[list[int]]:
        found: list[list[int]] = self.peer.decode(self.emissions, self.mask)
        return found


def make_task(kind: str, labels: int, dtype: Any) -> Task:
    import torch
    from torchcrf import CRF

    from nlptk.neural.chain import CrfHead

    generator = torch.Generator().manual_seed(labels)

    def draw(*shape: int) -> Any:
        return torch.randn(shape, generator=generator).to(dtype)

    emissions = draw(BATCH, TIME, labels).requires_grad_()
    gold = torch.randint(labels, (BATCH, TIME), generator=generator)
    lengths = torch.randint(10, TIME + 1, (BATCH,), generator=generator)
    lengths = lengths.fill_(TIME) if kind == "full" else lengths
    scores = {"transitions": draw(labels, labels), "start": draw(labels), "end": draw(labels)}
    ours, peer = CrfHead(labels).to(dtype), CRF(labels, batch_first=True).to(dtype)
    ours.load_state_dict(scores)
    renamed = {name if name == "transitions" else f"{name}_transitions": s for name, s in scores.items()}
    peer.load_state_dict(renamed)
    return Task(emissions, gold, torch.arange(TIME) < lengths[:, None], ours, peer)


def difference(found: list[Any], exact: list[Any]) -> tuple[float, float]:
    """Of the loss, relative, and of the gradients, the largest."""
    loss = abs(float(found[0]) / float(exact[0]) - 1)
    return loss, max(float((a.double() - b).abs().max()) for a, b in zip(found[1:], exact[1:], strict=True))


def repeat(run: Callable[[], Any]) -> None:
    for _ in range(REPEATS):
        run()


def measure(kind: str, labels: int, threads: int, rounds: int) -> dict[str, Any]:
    import torch

    torch.set_num_threads(threads)
    task = make_task(kind, labels, torch.float32)
    exact = make_task(kind, labels, torch.float64).peer_loss()
    result: dict[str, Any] = {"batch": kind, "labels": labels, "threads": threads}
    for name, run in (("nlptk", task.kernel_loss), ("torch", task.torch_loss), ("peer", task.peer_loss)):
        result[f"{name} difference"] = difference(run(), exact)
    result["same paths"] = [path.tolist() for path in task.decode()] == task.peer_decode()
    seconds = in_turn(
        {
            "nlptk loss": lambda: repeat(task.kernel_loss),
            "torch loss": task.torch_loss,
            "peer loss": task.peer_loss,
            "nlptk decode": lambda: repeat(task.decode),
            "peer decode": task.peer_decode,
        },
        rounds,
    )
    for name, values in seconds.items():
        times = REPEATS if name.startswith("nlptk") else 1
        result[f"{name} ms"] = median(values) * 1e3 / times
        result[f"{name} best ms"] = min(values) * 1e3 / times
    result["loss times"] = result["peer loss ms"] / result["nlptk loss ms"]
    result["decode times"] = result["peer decode ms"] / result["nlptk decode ms"]
    say(f"{kind}, {labels} labels, {threads} threads: {result['loss times']:.1f} times")
    return result


def main() -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="few rounds: to see that it works")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    given = parser.parse_args()
    if not has_peer("torchcrf", "the CRF head, whose peer is pytorch-crf"):
        return
    rounds = 3 if given.quick else given.rounds
    results = [measure(*case, threads, rounds) for threads in given.threads for case in CASES]
    head = ["batch", "labels", "threads", "nlptk ms", "torch ms", "pytorch-crf ms", "times"]
    head += ["nlptk decodes ms", "pytorch-crf ms", "times", "same paths"]
    rows = [
        [r["batch"], r["labels"], r["threads"]]
        + [f"{r[f'{name} loss ms']:.2f}" for name in ("nlptk", "torch", "peer")]
        + [f"{r['loss times']:.1f}"]
        + [f"{r[f'{name} decode ms']:.2f}" for name in ("nlptk", "peer")]
        + [f"{r['decode times']:.0f}", "yes" if r["same paths"] else "no"]
        for r in results
    ]
    differences = [
        [r["batch"], r["labels"]]
        + [f"{value:.1e}" for name in ("nlptk", "torch", "peer") for value in r[f"{name} difference"]]
        for r in results
        if r["threads"] == given.threads[0]
    ]
    columns = ["batch", "labels"]
    columns += [f"{who} {what}" for who in ("nlptk", "torch", "pytorch-crf") for what in ("loss", "gradient")]
    named = [r for r in results if r["labels"] == 17]
    loss, decode = (min(r[f"{what} times"] for r in named) for what in ("loss", "decode"))
    apart = max(value for r in named for value in r["nlptk difference"][:1])
    peer_apart, own_apart = (max(r[f"{who} difference"][1] for r in named) for who in ("peer", "nlptk"))
    save(
        "crf_head",
        "CRF head",
        tables=[
            table(f"{BATCH} sequences of up to {TIME}, median milliseconds", head, rows),
            table("Difference from pytorch-crf in float64", columns, differences),
        ],
        targets=[
            target(
                "CRF head: loss and gradients, times pytorch-crf",
                f"{LOSS_REACH:g}",
                loss,
                loss >= LOSS_REACH,
                f"{loss:.1f}",
            ),
            target(
                "CRF head: decoding, times pytorch-crf",
                f"{DECODE_REACH:g}",
                decode,
                decode >= DECODE_REACH,
                f"{decode:.0f}",
            ),
            target(
                "CRF head: the loss of pytorch-crf, and its paths",
                f"{SAME:g}, relative",
                apart,
                apart <= SAME and all(r["same paths"] for r in results),
                f"{apart:.0e}; gradients {own_apart:.0e}, pytorch-crf's own {peer_apart:.0e}",
            ),
        ],
        notes=[line.strip() for line in (__doc__ or "").split("\n\n", 2)[-1].split("\n* ")],
        samples=results,
        packages=["torch", "pytorch-crf"],
        quick=given.quick,
    )


if __name__ == "__main__":
    main()
