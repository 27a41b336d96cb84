"""Score a whole pipeline against annotated Docs: on gold tokens, or from the raw text."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from nlptk import scoring
from nlptk.corpora.labels import is_iob_label
from nlptk.doc import Doc
from nlptk.errors import ConfigError, DataError

if TYPE_CHECKING:
    from nlptk.language import Language

# Standard columns by the names that their scores carry.
_PREFIX = {"pos": "upos", "tag": "xpos", "ent": "entity", "lemma": "lemma"}

Scores = dict[str, Any]


def evaluate(
    nlp: Language,
    docs: Iterable[Doc],
    *,
    raw: bool = False,
    columns: Collection[str] | None = None,
    known: Collection[str] | None = None,
) -> Scores:
    """Run ``nlp`` over the texts of gold Docs and score what it finds.

    Args:
        docs: Docs with gold tokens, sentences and columns.
        raw: from the raw text, not on the gold tokens and sentences.
        columns: the Doc columns to score; None for all that both sides have.
        known: the words of the training data; accuracy is then also given for known and unknown words apart.

    Returns:
        Plain numbers by name. Always ``sentences`` and ``tokens`` (of the gold). On gold tokens ``upos_acc``,
        ``xpos_acc``, ``lemma_acc``, and ``accuracy`` for a column with no name of its own, each with
        ``..._known``, ``..._unknown`` and ``..._per_label``; entities and chunks as conlleval counts them:
        ``entity_precision``, ``entity_recall``, ``entity_f1``, ``entity_per_label``. From raw text
        ``words_*`` and ``sentences_*`` as the CoNLL-2018 shared task counts them, and the F1 of label and
        span together for each column (``upos_f1``, ..., ``entity_f1``).

    Raises:
        DataError: there are no Docs.
        ConfigError: a column cannot be scored, or there is none that both sides have.
    """
    golds = list(docs)
    if not golds:
        raise DataError("there is nothing to score: the corpus holds no sentence.")
    given = _needed_columns(nlp)
    inputs = (doc.text if raw else _without_labels(doc, given) for doc in golds)
    predictions = list(nlp.pipe(inputs))
    shared = _shared_columns(golds, predictions, columns, given)
    scores: Scores = {"sentences": sum(map(_sentence_count, golds)), "tokens": sum(map(len, golds))}
    if raw:
        return scores | _raw_scores(golds, predictions, shared)
    if not shared:
        have = f"the pipeline sets {_listed(predictions)}, the corpus has {_listed(golds)}"
        raise ConfigError(f"there is nothing to score: {have}.")
    unnamed = [name for name in shared if name not in _PREFIX]
    for name in shared:
        prefix = _PREFIX.get(name, "" if len(unnamed) == 1 else f"column_{name}")
        scores |= _column_scores(golds, predictions, name, prefix, known)
    return scores


def assigned_columns(nlp: Language) -> set[str]:
    """The Doc columns that the components of a pipeline say they set."""
    names = {entry for pipe in nlp.analyze_pipes()["summary"].values() for entry in pipe["assigns"]}
    return {name.removeprefix("doc.") for name in names} - {"tokens", "sents"}


def _needed_columns(nlp: Language) -> set[str]:
    """Columns that components read and none of the pipeline sets: they must come with the corpus."""
    missing = {entry for entries in nlp.analyze_pipes()["problems"].values() for entry in entries}
    return {name.removeprefix("doc.") for name in missing} - {"tokens", "sents"}


def _without_labels(doc: Doc, given: Collection[str]) -> Doc:
    """The gold tokens and sentences with no column but those that are `given`."""
    bare = Doc(doc.text, doc.starts, doc.ends, sent_starts=doc.sent_starts)
    for name in given:
        if doc.has_column(name):
            bare.set_codes(name, doc.codes(name), doc.labels(name))
    return bare


def _shared_columns(
    golds: Sequence[Doc], predictions: Sequence[Doc], wanted: Collection[str] | None, given: Collection[str]
) -> list[str]:
    """The columns to score, the standard ones first."""
    have = (_columns(golds) & _columns(predictions)) - set(given)
    for name in wanted or ():
        if name not in have:
            found = f"the pipeline sets {_listed(predictions)}, the corpus has {_listed(golds)}"
            raise ConfigError(f"column {name!r} cannot be scored: {found}.")
    order = list(_PREFIX)
    chosen = have if wanted is None else set(wanted)
    return sorted(chosen, key=lambda name: (order.index(name) if name in order else len(order), name))


def _columns(docs: Sequence[Doc]) -> set[str]:
    return {name for doc in docs for name in doc.columns}


def _listed(docs: Sequence[Doc]) -> str:
    return ", ".join(sorted(_columns(docs))) or "no column"


def _sentence_count(doc: Doc) -> int:
    return int(len(doc) > 0) if doc.sent_starts is None else int(doc.sent_starts.sum())


def _column_scores(
    golds: Sequence[Doc], predictions: Sequence[Doc], column: str, prefix: str, known: Collection[str] | None
) -> Scores:
    gold: list[list[str]] = []
    found: list[list[str]] = []
    words: list[list[str]] = []
    for doc, prediction in zip(golds, predictions, strict=True):
        if not (doc.has_column(column) and prediction.has_column(column)):
            continue
        # A token that the corpus leaves without a label cannot be right or wrong.
        rows = [
            row
            for row in zip(doc.column(column), prediction.column(column), doc.words, strict=True)
            if row[0]
        ]
        gold.append([row[0] for row in rows])
        found.append([row[1] for row in rows])
        words.append([row[2] for row in rows])
    scores: Scores = {}
    are_entities = column == "ent" or _are_entities(gold)
    if column != "ent":
        score = scoring.accuracy(gold, found, words=words if known is not None else None, known=known)
        name = f"{prefix}_acc" if prefix else "accuracy"
        scores[name] = score.accuracy
        if score.known is not None and score.unknown is not None:
            scores[f"{name}_known"] = score.known_accuracy if score.known[1] else None
            scores[f"{name}_unknown"] = score.unknown_accuracy if score.unknown[1] else None
            scores["unknown_tokens"] = score.unknown[1]
        if not are_entities:  # B-X and I-X apart tell nothing that the table of entities does not
            scores[f"{name}_per_label"] = {label: prf.to_dict() for label, prf in score.per_label.items()}
    if are_entities:
        entities = scoring.entity_scores(gold, found)
        name = "entity" if column == "ent" or not prefix else f"{prefix}_entity"
        scores |= _prf(name, entities.overall)
        scores[f"{name}_per_label"] = {label: prf.to_dict() for label, prf in entities.per_label.items()}
    return scores


def categorizer(nlp: Language) -> Any | None:
    """The pipeline's last component that fills ``doc.cats``, if there is one."""
    found = [nlp.get_pipe(name) for name in nlp.pipe_names]
    return next((one for one in reversed(found) if "doc.cats" in getattr(one, "assigns", ())), None)


def evaluate_cats(nlp: Language, docs: Iterable[Doc]) -> Scores:
    """Run ``nlp`` over the texts of Docs whose ``cats`` are gold, and score the labels that it gives.

    Returns:
        Plain numbers and tables by name: those of :class:`nlptk.scoring.CategoryScores`, and ``empty``, the
        texts without words.

    Raises:
        DataError: there are no Docs.
        ConfigError: no component of the pipeline fills ``doc.cats``.
    """
    golds = list(docs)
    if not golds:
        raise DataError("there is nothing to score: the corpus holds no text.")
    component = categorizer(nlp)
    if component is None:
        raise ConfigError("no component of the pipeline labels texts; train one with nlptk train classifier")
    predictions = list(nlp.pipe(doc.text for doc in golds))
    shares = component.shares(predictions)
    wanted = [[label for label, share in doc.cats.items() if share > 0.5] for doc in golds]
    scores = scoring.category_scores(wanted, component.chosen(predictions), shares, component.labels)
    return {**scores.to_dict(), "empty": sum(map(component.is_empty, predictions))}


def _are_entities(sequences: Iterable[Sequence[str]]) -> bool:
    labels = {label for sequence in sequences for label in sequence}
    return labels > {"O"} and all(map(is_iob_label, labels))


def _raw_scores(golds: Sequence[Doc], predictions: Sequence[Doc], columns: Sequence[str]) -> Scores:
    segmentation = scoring.segmentation_scores(golds, predictions)
    scores = _prf("words", segmentation.words) | _prf("sentences", segmentation.sentences)
    for column in columns:
        total = scoring.PRF()
        for gold, prediction in zip(golds, predictions, strict=True):
            right, found = set(_labelled(gold, column)), set(_labelled(prediction, column))
            total += scoring.PRF(len(right & found), len(found), len(right))
        scores |= _prf(_PREFIX.get(column, f"column_{column}"), total)
    return scores


def _labelled(doc: Doc, column: str) -> Iterator[tuple[int, int, str]]:
    """Character spans with their labels: entities for column "ent", else the tokens that are not space."""
    if not doc.has_column(column):
        return
    if column == "ent":
        yield from ((entity.start_char, entity.end_char, entity.label_) for entity in doc.ents)
        return
    offsets = zip(doc.starts.tolist(), doc.ends.tolist(), doc.column(column), doc.words, strict=True)
    yield from ((start, end, label) for start, end, label, word in offsets if label and not word.isspace())


def _prf(name: str, score: scoring.PRF) -> Scores:
    return {f"{name}_precision": score.precision, f"{name}_recall": score.recall, f"{name}_f1": score.f1}
