"""One trainer for every neural model: a loop over batches that can be stopped anywhere and goes on exactly.

A model's forward takes a collated batch and gives the sum of its losses and their number; the trainer divides
the gradient by the number over all processes, so that neither padding nor the split over processes changes
what is learnt. At each step the generator of random numbers (dropout) is seeded by seed, step and process: no
state of it needs to be kept.
"""

from __future__ import annotations

import contextlib
import math
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from nlptk.corpora.files import PathLike
from nlptk.crf import Progress
from nlptk.errors import ConfigError, DataError
from nlptk.neural.devices import Processes, find_device, is_out_of_memory, processes
from nlptk.neural.optimizers import Schedule, make_optimizer
from nlptk.neural.train_settings import TrainSettings as TrainSettings
from nlptk.neural.training_state import Checkpoint, Position, Weights

E = TypeVar("E")
Example = TypeVar("Example", covariant=True)
Loss: TypeAlias = tuple[torch.Tensor, torch.Tensor | int]

_CHECK = 20  # updates after which the loss is looked at, which makes a GPU wait
_SECONDS = 1.0  # between reports


class Source(Protocol[Example]):
    """Batches, epoch by epoch: the same whenever the same epoch is asked for."""

    def __len__(self) -> int:
        """Batches of an epoch, about."""

    def epoch(self, number: int) -> Iterator[Sequence[Example]]:
        """The batches of an epoch, counted from 0, each a sequence of examples."""


@dataclass
class TrainingLog:
    """What happened: a dict of each evaluation; the best dev score and the update that reached it."""

    entries: list[dict[str, Any]]
    best: float | None = None
    best_step: int = 0
    steps: int = 0
    interrupted: bool = False


def train(
    model: nn.Module,
    source: Source[E],
    collate: Callable[[Sequence[E]], Any],
    settings: TrainSettings,
    *,
    evaluate: Callable[[nn.Module], float] | None = None,
    checkpoint: PathLike | None = None,
    checkpoint_every: int = 500,
    resume: bool = False,
    on_interrupt: Literal["raise", "best"] = "raise",
    progress: Progress | None = None,
) -> TrainingLog:
    """Train `model`, which is left on the settings' device with the best, or last, weights.

    Args:
        model: ``model(batch)`` gives the sum of losses, a tensor of one number, and the number of terms.
        source: batches of examples; of several processes (``torchrun``) each takes its share of each batch.
        collate: examples to what the model takes, made of tensors that are moved to the device.
        evaluate: the dev score, higher is better; the weights of the best are kept.
        checkpoint: a folder for the state, written every `checkpoint_every` updates.
        resume: go on from the state there, if there is one; without it the folder must have none.
        on_interrupt: "best" to end with the best weights so far on Ctrl-C, "raise" to raise.
        progress: called about once a second and after each evaluation with ``iteration`` (updates made),
            ``of``, ``epoch``, ``loss`` (mean so far in the epoch), and ``dev_score`` where it is new.

    Raises:
        ConfigError: a setting is out of range, the device is not there, or the checkpoint is of another
            training.
        DataError: there are no batches, the loss is not finite, the checkpoint cannot be written, or memory
            runs out (the message says the size of the batch).
        KeyboardInterrupt: on Ctrl-C, unless `on_interrupt` is "best"; the last checkpoint stays.
    """
    device = find_device(settings.device)
    with processes(device) as crew:
        trainer = _Trainer(model, source, collate, settings, evaluate, progress, device, crew)
        if checkpoint is not None:
            trainer.keep(Checkpoint(checkpoint, _identity(settings)), checkpoint_every, resume)
        interrupted = False
        try:
            trainer.run()
        except KeyboardInterrupt:
            if on_interrupt != "best":
                raise
            interrupted = True
        return trainer.finish(interrupted)


def _identity(settings: TrainSettings) -> dict[str, Any]:
    """The settings that two halves of a training must share."""
    shared = {**asdict(settings), "scales": dict(settings.scales)}
    return {name: value for name, value in shared.items() if name not in ("device", "compile", "patience")}


class _Trainer:
    def __init__(
        self,
        model: nn.Module,
        source: Source[Any],
        collate: Callable[[Sequence[Any]], Any],
        settings: TrainSettings,
        evaluate: Callable[[nn.Module], float] | None,
        progress: Progress | None,
        device: torch.device,
        crew: Processes,
    ) -> None:
        self.model = model.to(device)
        self.source, self.collate, self.settings = source, collate, settings
        self.evaluate, self.progress, self.device, self.crew = evaluate, progress, device, crew
        batches = len(source)
        if not batches:
            raise DataError("there is nothing to train on: the source has no batches")
        self.total = settings.epochs * -(-batches // settings.accumulate)
        self.total = min(self.total, settings.max_steps or self.total)
        warmup = settings.warmup * self.total if settings.warmup < 1 else settings.warmup
        self.schedule = Schedule(settings.schedule, round(warmup), self.total)
        self.optimizer = make_optimizer(
            settings.optimizer,
            model,
            settings.learning_rate,
            settings.weight_decay,
            settings.scales,
            settings.beta2,
        )
        self.parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        if settings.compile:
            model.compile()
        self.parallel: DistributedDataParallel | None = None
        if crew.world > 1:
            ids = [device.index] if device.type == "cuda" else None
            self.parallel = DistributedDataParallel(model, device_ids=ids)
        self.position = Position()
        self.log: list[dict[str, Any]] = []
        self.best: Weights | None = None
        self.checkpoint: Checkpoint | None = None
        self.every = 0
        self.shown = time.monotonic()
        self.pending: list[tuple[torch.Tensor, float]] = []

    def keep(self, checkpoint: Checkpoint, every: int, resume: bool) -> None:
        """Write states to a checkpoint, and go on from the one that is there."""
        checkpoint.prepare()
        self.checkpoint, self.every = checkpoint, max(every, 1)
        if not resume:
            if checkpoint.path.exists():
                raise ConfigError(
                    f"{str(checkpoint.path)!r} holds the state of a training; resume it, or name a new folder"
                )
            return
        state = checkpoint.read(self.model, self.optimizer)
        if state is not None:
            self.position, self.log, self.best = state

    def run(self) -> None:
        """All epochs from the position on."""
        at, settings = self.position, self.settings
        while not self._at_end() and not self._enough():
            for examples in self._updates():
                self._update(examples)
                if settings.evaluate_every and at.step % settings.evaluate_every == 0:
                    self._evaluate()
                    if self._enough():
                        return
                self._report()
                if self.checkpoint is not None and at.step % self.every == 0:
                    self._write()
                if at.step >= self.total:
                    break
            self._flush()
            at.epoch, at.batch = at.epoch + 1, 0
            if not settings.evaluate_every or self._at_end():
                self._evaluate()
            at.loss = at.terms = 0.0
            if settings.average and at.epoch > settings.epochs - settings.average:
                self._average()
            if self.checkpoint is not None:
                self._write()

    def finish(self, interrupted: bool) -> TrainingLog:
        """Give the model its best weights."""
        if self.best is not None:
            self.model.load_state_dict(self.best)
        self.model.eval()
        at = self.position
        return TrainingLog(self.log, at.best, at.best_step, at.step, interrupted)

    def _at_end(self) -> bool:
        return self.position.epoch >= self.settings.epochs or self.position.step >= self.total

    def _enough(self) -> bool:
        patience = self.settings.patience
        return patience is not None and self.position.waited >= patience

    def _updates(self) -> Iterator[list[Sequence[Any]]]:
        """What is left of the epoch: the batches of each update."""
        held: list[Sequence[Any]] = []
        first = self.position.batch
        for number, examples in enumerate(self.source.epoch(self.position.epoch)):
            if number < first:
                continue
            held.append(examples)
            if len(held) == self.settings.accumulate:
                self.position.batch = number + 1
                yield held
                held = []
        if held:
            self.position.batch += len(held)
            yield held

    def _update(self, batches: list[Sequence[Any]]) -> None:
        """One step of the optimizer."""
        at, settings = self.position, self.settings
        torch.manual_seed((settings.seed * 1_000_003 + at.step) * self.crew.world + self.crew.rank)
        self.model.train()
        loss, terms = self._gradient_in_memory(batches)
        # Processes' gradients are a mean; what is wanted is their sum over the number of all terms.
        scale: Any = self.crew.world / max(self.crew.sum(terms, self.device), 1.0)
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        if settings.max_grad_norm:
            norm = nn.utils.get_total_norm(gradients) * scale
            scale = scale * torch.clamp(settings.max_grad_norm / (norm + 1e-6), max=1.0)
        torch._foreach_mul_(gradients, scale)
        factor = self.schedule(at.step)
        for group in self.optimizer.param_groups:
            group["lr"] = settings.learning_rate * group["scale"] * factor
        self.optimizer.step()
        self.optimizer.zero_grad()
        at.step += 1
        self.pending.append((loss, terms))
        if at.step % _CHECK == 0:
            self._flush()

    def _gradient_in_memory(self, batches: list[Sequence[Any]]) -> tuple[torch.Tensor, float]:
        """As `_gradient`, with halves of the batches where there is no memory for the whole."""
        while True:
            try:
                return self._gradient(batches)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                self._halve(error, batches)

    def _gradient(self, batches: list[Sequence[Any]]) -> tuple[torch.Tensor, float]:
        """Add the gradient of the sum of losses; this process's sum and its number of terms."""
        parts = [part for examples in batches for part in self._parts(examples)]
        sums, terms = torch.zeros((), device=self.device), 0.0
        forward: Callable[[Any], Loss] = self.model if self.parallel is None else self.parallel
        for number, (examples, weight) in enumerate(parts):
            with self._synchronized(number == len(parts) - 1), self._autocast():
                loss, count = forward(moved(self.collate(examples), self.device))
                loss = loss * weight
            torch.autograd.backward(loss)
            sums += loss.detach()
            terms += float(count) * weight
        return sums, terms

    def _parts(self, examples: Sequence[Any]) -> list[tuple[Sequence[Any], int]]:
        """This process's share of a batch, in halves where memory is short; an empty one counts nothing."""
        crew = self.crew
        if crew.world > 1:
            share = examples[crew.rank :: crew.world]
            return [(share, 1)] if len(share) else [(examples[:1], 0)]
        if self.position.halved and len(examples) > 1:
            middle = len(examples) // 2
            return [(examples[:middle], 1), (examples[middle:], 1)]
        return [(examples, 1)]

    def _synchronized(self, last: bool) -> contextlib.AbstractContextManager[Any]:
        return contextlib.nullcontext() if last or self.parallel is None else self.parallel.no_sync()

    def _autocast(self) -> contextlib.AbstractContextManager[Any]:
        if self.settings.precision == "float32":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)

    def _halve(self, error: Exception, batches: list[Sequence[Any]]) -> None:
        """Go on with halves of batches. Raises DataError where that was not asked for or was done already."""
        self.optimizer.zero_grad()
        size = max(map(len, batches))
        able = self.settings.halve_on_oom and not self.position.halved and self.crew.world == 1 and size > 1
        if not able:
            raise DataError(
                f"{self.device} has no memory left for a batch of {size} examples: use smaller batches"
                + ("" if self.position.halved else ", or halve_on_oom")
            ) from error
        self.position.halved = True
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        warnings.warn(
            f"no memory for a batch of {size} examples: batches are halved from here on", stacklevel=2
        )

    def _flush(self) -> None:
        """Look at the losses since the last look. Raises DataError if one is not finite."""
        at = self.position
        for loss, terms in self.pending:
            at.loss += float(loss)
            at.terms += terms
        self.pending.clear()
        if not math.isfinite(at.loss):
            raise DataError(
                f"the loss is {at.loss} after {at.step} updates: use a smaller learning_rate or max_grad_norm"
            )

    def _evaluate(self) -> None:
        """Note the loss, score the dev set and keep the weights if they are the best."""
        at = self.position
        if self.log and self.log[-1]["step"] == at.step:
            return
        self._flush()
        entry: dict[str, Any] = {
            "step": at.step,
            "epoch": at.epoch + (at.batch > 0),
            "loss": at.loss / max(at.terms, 1.0),
        }
        if self.evaluate is not None:
            self.model.eval()
            score = math.nan
            if self.crew.first:
                with torch.no_grad():
                    score = float(self.evaluate(self.model))
            score = self.crew.broadcast(score, self.device)
            entry["dev_score"] = score
            if at.best is None or score > at.best:
                at.best, at.best_step, at.waited = score, at.step, 0
                if not self.settings.average:
                    self.best = self._weights()
            else:
                at.waited += 1
        self.log.append(entry)
        self._report(entry)

    def _weights(self) -> Weights:
        return {name: value.detach().cpu().clone() for name, value in self.model.state_dict().items()}

    def _average(self) -> None:
        """Let the weights to end with be the mean of those that this is called with."""
        now = self._weights()
        count = self.position.epoch - (self.settings.epochs - self.settings.average)
        if self.best is not None:
            for name, mean in self.best.items():
                if mean.is_floating_point():
                    now[name] = mean + (now[name] - mean) / count
        self.best = now

    def _report(self, entry: dict[str, Any] | None = None) -> None:
        """Tell the caller, who is told once a second at most of what is not new."""
        now = time.monotonic()
        if self.progress is None or not self.crew.first or (entry is None and now - self.shown < _SECONDS):
            return
        self.shown = now
        self._flush()
        at = self.position
        info = {"epoch": at.epoch + (at.batch > 0), "loss": at.loss / max(at.terms, 1.0), **(entry or {})}
        info.pop("step", None)
        self.progress({"iteration": at.step, "of": self.total, **info})

    def _write(self) -> None:
        self._flush()
        if self.crew.first and self.checkpoint is not None:
            self.checkpoint.write(self.position, self.log, self.model, self.optimizer, self.best)
        self.crew.wait()


def moved(batch: Any, device: torch.device) -> Any:
    """A batch with its tensors on the device: a tensor, or tuples, lists and dicts of them."""
    if hasattr(batch, "to"):
        return batch.to(device)
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(moved(value, device) for value in batch))
    if isinstance(batch, (tuple, list)):
        return type(batch)(moved(value, device) for value in batch)
    if isinstance(batch, dict):
        return {name: moved(value, device) for name, value in batch.items()}
    return batch
