"""Scores of tokens, sentences, labels and entities, counted as the field's own scripts count them.

* `accuracy`: share of labels that agree, unknown words apart, and a table for each label.
* `entity_scores`: entities as conlleval counts them (Tjong Kim Sang and Buchholz, 2000).
* `segmentation_scores`: words and sentences as conll18_ud_eval counts them (Zeman et al., 2018).
* `word_scores`: words by character spans, as Chinese word segmentation is scored (SIGHAN bakeoffs).

Every function takes one sequence (or Doc) or a list of them, gold first.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from nlptk.align import iob_to_spans
from nlptk.doc import Doc
from nlptk.errors import ConfigError, DataError

Labels = Sequence[str]


@dataclass(frozen=True)
class PRF:
    """Precision, recall and F1 from counts: `correct` of `predicted` and of `gold`; 0 where undefined."""

    correct: int = 0
    predicted: int = 0
    gold: int = 0

    @property
    def precision(self) -> float:
        return self.correct / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        return self.correct / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        total = self.predicted + self.gold
        return 2 * self.correct / total if total else 0.0

    def __add__(self, other: PRF) -> PRF:
        return PRF(self.correct + other.correct, self.predicted + other.predicted, self.gold + other.gold)

    def to_dict(self) -> dict[str, float]:
        """Names to plain numbers, for JSON."""
        return {
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "correct": self.correct,
            "predicted": self.predicted,
            "gold": self.gold,
        }


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
        return _share(self.correct, self.total)

    @property
    def known_accuracy(self) -> float | None:
        return None if self.known is None else _share(*self.known)

    @property
    def unknown_accuracy(self) -> float | None:
        return None if self.unknown is None else _share(*self.unknown)

    def to_dict(self) -> dict[str, Any]:
        """Names to plain numbers, for JSON; the known and unknown words only if they were told apart."""
        result: dict[str, Any] = {"accuracy": self.accuracy, "correct": self.correct, "total": self.total}
        for name, counts in (("known", self.known), ("unknown", self.unknown)):
            if counts is not None:
                result[f"{name}_accuracy"] = _share(*counts)
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


@dataclass(frozen=True)
class SegmentationScore:
    """Words and sentences of a text, by characters."""

    words: PRF
    sentences: PRF

    def to_dict(self) -> dict[str, dict[str, float]]:
        """Names to plain numbers, for JSON."""
        return {"words": self.words.to_dict(), "sentences": self.sentences.to_dict()}


def _share(correct: int, total: int) -> float:
    return correct / total if total else 0.0


def _sequences(labels: Iterable[Labels] | Labels) -> list[Labels]:
    """A list of sequences, whether one sequence of labels or several were given."""
    items = list(labels)
    if all(isinstance(item, str) for item in items):
        return [items] if items else []  # type: ignore[list-item]
    if any(isinstance(item, str) for item in items):
        raise ConfigError("labels and sequences of labels are mixed; give one or the other")
    return items  # type: ignore[return-value]


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
    pairs: Counter[tuple[str, str]] = Counter()
    for left, right in _paired(gold, pred):
        pairs.update(zip(left, right, strict=True))
    total = sum(pairs.values())
    correct = sum(count for (left, right), count in pairs.items() if left == right)
    table = label_scores(pairs)
    if words is None or known is None:
        return AccuracyScore(correct, total, per_label=table)
    vocabulary = known if isinstance(known, (set, frozenset, dict)) else set(known)
    unknown_total = unknown_correct = 0
    for (left, right), (_, forms) in zip(_paired(gold, pred), _paired(gold, words, "words"), strict=True):
        for label, guess, form in zip(left, right, forms, strict=True):
            if form not in vocabulary:
                unknown_total += 1
                unknown_correct += label == guess
    return AccuracyScore(
        correct,
        total,
        (correct - unknown_correct, total - unknown_total),
        (unknown_correct, unknown_total),
        table,
    )


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
    return EntityScore(overall, table, _share(right_labels, tokens), tokens)


def label_table(scores: Mapping[str, PRF]) -> str:
    """The per-label scores as aligned plain text, one label a line."""
    width = max([len("label"), *map(len, scores)])
    lines = [f"{'label':<{width}}  precision  recall      f1    gold"]
    for label, score in scores.items():
        lines.append(
            f"{label:<{width}}  {score.precision:9.4f}  {score.recall:6.4f}  {score.f1:6.4f}  {score.gold:6d}"
        )
    return "\n".join(lines)


# ---- segmentation
# -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Word:
    """A word by its offsets among the visible characters; in a multiword token, the token's offsets."""

    start: int
    end: int
    form: str
    multiword: bool


def segmentation_scores(gold: Doc | Sequence[Doc], pred: Doc | Sequence[Doc]) -> SegmentationScore:
    """Words and sentences F1 exactly as conll18_ud_eval gives them (Zeman et al., 2018).

    Offsets count visible characters only, so whitespace does not matter. A word is right if its offsets are;
    within a multiword token (``doc.user_data["multiword"]``) of either side, words are matched by their forms
    (column "form", else the token; case ignored) along the longest common subsequence. A Doc without sentence
    starts is one sentence. Tokens of whitespace alone are not counted.

    Raises:
        DataError: the two sides have different numbers of Docs, or a pair spells different texts.
    """
    words, sentences = PRF(), PRF()
    for left, right in _doc_pairs(gold, pred):
        gold_words, gold_sentences = _doc_units(left)
        pred_words, pred_sentences = _doc_units(right)
        words += PRF(_count_aligned(gold_words, pred_words), len(pred_words), len(gold_words))
        shared = len(gold_sentences & pred_sentences)
        sentences += PRF(shared, len(pred_sentences), len(gold_sentences))
    return SegmentationScore(words, sentences)


def _doc_pairs(gold: Doc | Sequence[Doc], pred: Doc | Sequence[Doc]) -> Iterator[tuple[Doc, Doc]]:
    golds = [gold] if isinstance(gold, Doc) else list(gold)
    preds = [pred] if isinstance(pred, Doc) else list(pred)
    if len(golds) != len(preds):
        raise DataError(f"{len(golds)} gold Docs but {len(preds)} predicted")
    for i, (left, right) in enumerate(zip(golds, preds, strict=True)):
        if left.text != right.text:
            _check_same_text(left.text, right.text, i)
        yield left, right


def _check_same_text(gold: str, pred: str, number: int) -> None:
    left, right = "".join(gold.split()), "".join(pred.split())
    if left != right:
        same = (i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b)
        at = next(same, min(len(left), len(right)))
        raise DataError(
            f"Doc {number}: gold and predicted text differ at visible character {at}: "
            f"{left[at : at + 20]!r} and {right[at : at + 20]!r}"
        )


def _doc_units(doc: Doc) -> tuple[list[_Word], set[tuple[int, int]]]:
    """Words, and the sentences' offsets, over the visible characters."""
    visible = [0, *accumulate(not char.isspace() for char in doc.text)]
    forms = doc.column("form") if doc.has_column("form") else None
    inside: dict[int, tuple[int, int]] = {}
    starts, ends = doc.starts.tolist(), doc.ends.tolist()
    for start, end in doc.user_data.get("multiword") or ():
        span = (visible[start], visible[end])
        inside.update((i, span) for i in range(bisect_left(starts, start), bisect_right(ends, end)))
    words: list[_Word] = []
    for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
        first, last = inside.get(i) or (visible[start], visible[end])
        if first < last:
            form = (forms and forms[i]) or doc.text[start:end]
            words.append(_Word(first, last, "".join(form.split()).lower(), i in inside))
    heads = [0] if doc.sent_starts is None else doc.sent_starts.nonzero()[0].tolist()
    bounds = [visible[starts[head]] for head in heads if head < len(starts)] + [visible[-1]]
    return words, {(a, b) for a, b in zip(bounds, bounds[1:], strict=False) if a < b}


def _count_aligned(gold: Sequence[_Word], pred: Sequence[_Word]) -> int:
    """How many words align: by offsets, and by forms within the spans that multiword tokens of either side
    make."""
    g = p = correct = 0
    while g < len(gold) and p < len(pred):
        left, right = gold[g], pred[p]
        if left.multiword or right.multiword:
            first_g, first_p, g, p = _multiword_span(gold, pred, g, p)
            correct += _common_forms(gold[first_g:g], pred[first_p:p])
        elif (left.start, left.end) == (right.start, right.end):
            correct += 1
            g, p = g + 1, p + 1
        elif left.start <= right.start:
            g += 1
        else:
            p += 1
    return correct


def _multiword_span(
    gold: Sequence[_Word], pred: Sequence[_Word], g: int, p: int
) -> tuple[int, int, int, int]:
    """The smallest span round a multiword token that no multiword token sticks out of: word indices of both
    sides."""
    if gold[g].multiword:
        end = gold[g].end
        if not pred[p].multiword and pred[p].start < gold[g].start:
            p += 1
    else:
        end = pred[p].end
        if not gold[g].multiword and gold[g].start < pred[p].start:
            g += 1
    first_g, first_p = g, p
    while not (_beyond(gold, g, end) and _beyond(pred, p, end)):
        if g < len(gold) and (p >= len(pred) or gold[g].start <= pred[p].start):
            word = gold[g]
            g += 1
        else:
            word = pred[p]
            p += 1
        if word.multiword:
            end = max(end, word.end)
    return first_g, first_p, g, p


def _beyond(words: Sequence[_Word], i: int, end: int) -> bool:
    if i >= len(words):
        return True
    return words[i].start >= end if words[i].multiword else words[i].end > end


def _common_forms(gold: Sequence[_Word], pred: Sequence[_Word]) -> int:
    """Length of the longest common subsequence of the forms."""
    row = [0] * (len(pred) + 1)
    for left in gold:
        previous = row
        row = [0]
        for i, right in enumerate(pred):
            row.append(previous[i] + 1 if left.form == right.form else max(previous[i + 1], row[i]))
    return row[-1]


@dataclass(frozen=True)
class WordScore:
    """Words by exact span, and how many gold words in and out of the known words were found.

    Attributes:
        words: precision, recall and F1.
        known, unknown: (found, total) of gold words; None if the known words were not given.
    """

    words: PRF
    known: tuple[int, int] | None = None
    unknown: tuple[int, int] | None = None

    def to_dict(self) -> dict[str, float]:
        """Names to plain numbers, for JSON."""
        result = self.words.to_dict()
        for name, counts in (("known", self.known), ("unknown", self.unknown)):
            if counts is not None:
                result[f"{name}_recall"] = _share(*counts)
                result[f"{name}_total"] = counts[1]
        return result


def word_scores(
    gold: Doc | Sequence[Doc], pred: Doc | Sequence[Doc], *, known: Collection[str] | None = None
) -> WordScore:
    """Word segmentation F1 by character spans (SIGHAN); with `known`, recall of words in and out of it (R_iv,
    R_oov).

    Raises:
        DataError: the two sides have different numbers of Docs, or a pair spells different texts.
    """
    total = PRF()
    counts = {True: [0, 0], False: [0, 0]}
    vocabulary = None if known is None else frozenset(known)
    for left, right in _doc_pairs(gold, pred):
        golds, preds = _spans(left), _spans(right)
        total += PRF(len(golds.keys() & preds.keys()), len(preds), len(golds))
        if vocabulary is not None:
            for span, form in golds.items():
                cell = counts[form in vocabulary]
                cell[0] += span in preds
                cell[1] += 1
    if vocabulary is None:
        return WordScore(total)
    return WordScore(total, (counts[True][0], counts[True][1]), (counts[False][0], counts[False][1]))


def _spans(doc: Doc) -> dict[tuple[int, int], str]:
    visible = [0, *accumulate(not char.isspace() for char in doc.text)]
    offsets = zip(doc.starts.tolist(), doc.ends.tolist(), strict=True)
    return {(visible[s], visible[e]): doc.text[s:e] for s, e in offsets if visible[s] < visible[e]}
