"""Words and sentences of a text, scored by characters."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from nlptk.doc import Doc
from nlptk.errors import DataError
from nlptk.scoring.prf import PRF, share


@dataclass(frozen=True)
class SegmentationScore:
    """Words and sentences of a text, by characters."""

    words: PRF
    sentences: PRF

    def to_dict(self) -> dict[str, dict[str, float]]:
        """Names to plain numbers, for JSON."""
        return {"words": self.words.to_dict(), "sentences": self.sentences.to_dict()}


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
    return words, {(a, b) for a, b in pairwise(bounds) if a < b}


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
                result[f"{name}_recall"] = share(*counts)
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
