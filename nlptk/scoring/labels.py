"""Accuracy and entity scores of label sequences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nlptk.align import iob_to_spans
from nlptk.errors import ConfigError, DataError
from nlptk.scoring.prf import PRF, share

Labels = Sequence[str]


@dataclass(frozen=True)
class AccuracyScore:
    """Share of tokens with the right label.

    Attributes:
        correct, total: counts of tokens.
        known, unknown: (correct, total) of words in and out of the known words; None if these were not given.
        per_label: one `PRF` a label, sorted by label.
    """

    correct: int
    total: int
    known: tuple[int, int] | None = None
    unknown: tuple[int, int] | None = None
    per_label: Mapping[str, PRF] = field(default_factory=dict)

    @property
    def accuracy(self) -> float:
        return share(self.correct, self.total)

    @property
    def known_accuracy(self) -> float | None:
        return None if self.known is None else share(*self.known)

    @property
    def unknown_accuracy(self) -> float | None:
        return None if self.unknown is None else share(*self.unknown)

    def to_dict(self) -> dict[str, Any]:
        """Names to plain numbers, for JSON; the known and unknown words only if they were told apart."""
        result: dict[str, Any] = {"accuracy": self.accuracy, "correct": self.correct, "total": self.total}
        for name, counts in (("known", self.known), ("unknown", self.unknown)):
            if counts is not None:
                result[f"{name}_accuracy"] = share(*counts)
                result[f"{name}_total"] = counts[1]
        result["per_label"] = {label: score.to_dict() for label, score in self.per_label.items()}
        return result


@dataclass(frozen=True)
class EntityScore:
    """Entities by exact span and type: `overall` (micro), one `PRF` a type, and the share of right labels."""

    overall: PRF
    per_label: Mapping[str, PRF]
    accuracy: float
    tokens: int

    @property
    def precision(self) -> float:
        return self.overall.precision

    @property
    def recall(self) -> float:
        return self.overall.recall

    @property
    def f1(self) -> float:
        return self.overall.f1

    def to_dict(self) -> dict[str, Any]:
        """Names to plain numbers, for JSON."""
        return {
            **self.overall.to_dict(),
            "accuracy": self.accuracy,
            "tokens": self.tokens,
            "per_label": {label: score.to_dict() for label, score in self.per_label.items()},
        }


def _sequences(labels: Iterable[Labels] | Labels) -> list[Labels]:
    """A list of sequences, whether one sequence of labels or several were given."""
    items = list(labels)
    one = [item for item in items if isinstance(item, str)]
    several = [item for item in items if not isinstance(item, str)]
    if one and several:
        raise ConfigError("labels and sequences of labels are mixed; give one or the other")
    return [one] if one else several


def _paired(
    gold: Iterable[Labels] | Labels, pred: Iterable[Labels] | Labels, what: str = "labels"
) -> Iterator[tuple[Labels, Labels]]:
    golds, preds = _sequences(gold), _sequences(pred)
    if len(golds) != len(preds):
        raise DataError(f"{len(golds)} gold sequences but {len(preds)} sequences of {what}")
    for i, (left, right) in enumerate(zip(golds, preds, strict=True)):
        if len(left) != len(right):
            raise DataError(f"sequence {i} has {len(left)} gold labels but {len(right)} {what}")
        yield left, right


def label_scores(pairs: Mapping[tuple[str, str], int]) -> dict[str, PRF]:
    """One `PRF` a label from counts of (gold, predicted) pairs, sorted by label."""
    correct: Counter[str] = Counter()
    golds: Counter[str] = Counter()
    preds: Counter[str] = Counter()
    for (gold, pred), count in pairs.items():
        golds[gold] += count
        preds[pred] += count
        if gold == pred:
            correct[gold] += count
    return {label: PRF(correct[label], preds[label], golds[label]) for label in sorted(golds | preds)}


def accuracy(
    gold: Iterable[Labels] | Labels,
    pred: Iterable[Labels] | Labels,
    *,
    words: Iterable[Labels] | Labels | None = None,
    known: Collection[str] | None = None,
) -> AccuracyScore:
    """Share of labels that agree, over one sequence or a list of them.

    Args:
        words: the tokens, as `gold` is laid out; with `known`, words in and out of it are also scored apart.
        known: the words seen in training, exactly as they are written.

    Raises:
        DataError: the sequences differ in number or length.
        ConfigError: only one of `words` and `known` is given.
    """
    if (words is None) != (known is None):
        raise ConfigError("accuracy over known words needs both words= and known=")
    golds, preds = _sequences(gold), _sequences(pred)
    pairs: Counter[tuple[str, str]] = Counter()
    for left, right in _paired(golds, preds):
        pairs.update(zip(left, right, strict=True))
    total = sum(pairs.values())
    correct = sum(count for (left, right), count in pairs.items() if left == right)
    table = label_scores(pairs)
    if words is None or known is None:
        return AccuracyScore(correct, total, per_label=table)
    vocabulary = frozenset(known)
    unknown = unknown_correct = 0
    for (wanted, forms), found in zip(_paired(golds, words, "words"), preds, strict=True):
        for label, form, guess in zip(wanted, forms, found, strict=True):
            if form not in vocabulary:
                unknown += 1
                unknown_correct += label == guess
    known_counts = (correct - unknown_correct, total - unknown)
    return AccuracyScore(correct, total, known_counts, (unknown_correct, unknown), table)


def entity_scores(gold: Iterable[Labels] | Labels, pred: Iterable[Labels] | Labels) -> EntityScore:
    """Entity precision, recall and F1 as conlleval counts, for IOB1, IOB2 or BIOES labels (the two may
    differ).

    An entity is right if its first token, last token and type are. Ill-formed runs count as conlleval counts
    them: an ``I-`` after ``O`` or after another type starts an entity.

    Raises:
        DataError: the sequences differ in number or length.
    """
    correct: Counter[str] = Counter()
    golds: Counter[str] = Counter()
    preds: Counter[str] = Counter()
    tokens = right_labels = 0
    for left, right in _paired(gold, pred):
        tokens += len(left)
        right_labels += sum(map(str.__eq__, left, right))
        found, wanted = iob_to_spans(right), iob_to_spans(left)
        golds.update(span[0] for span in wanted)
        preds.update(span[0] for span in found)
        correct.update(span[0] for span in set(found) & set(wanted))
    table = {label: PRF(correct[label], preds[label], golds[label]) for label in sorted(golds | preds)}
    overall = PRF(correct.total(), preds.total(), golds.total())
    return EntityScore(overall, table, share(right_labels, tokens), tokens)


def label_table(scores: Mapping[str, PRF]) -> str:
    """The per-label scores as aligned plain text, one label a line."""
    width = max([len("label"), *map(len, scores)])
    lines = [f"{'label':<{width}}  precision  recall      f1    gold"]
    for label, score in scores.items():
        lines.append(
            f"{label:<{width}}  {score.precision:9.4f}  {score.recall:6.4f}  {score.f1:6.4f}  {score.gold:6d}"
        )
    return "\n".join(lines)
