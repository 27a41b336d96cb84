"""What a report shows of the results: texts that are safe to show, sentences packed by their errors."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from nlptk.errors import DataError
from nlptk.render import visible

SCHEMA = 1


def checked(results: dict[str, Any]) -> dict[str, Any]:
    """`results` as any page or file can show them: control characters and lone surrogates as visible marks,
    numbers that are none (NaN, infinities) as None.

    Raises:
        DataError: they are of another schema, or lack what every comparison has.
    """
    if not isinstance(results, dict) or results.get("schema") != SCHEMA:
        found = results.get("schema") if isinstance(results, dict) else None
        raise DataError(
            f"results of schema {found!r} cannot be shown: this version reads schema {SCHEMA}; "
            "make them again with nlptk compare"
        )
    lacking = [name for name in ("task", "metric", "models", "sizes", "seeds") if name not in results]
    if lacking:
        raise DataError(
            f"the results lack {', '.join(map(repr, lacking))}: make them again with nlptk compare"
        )
    clean: dict[str, Any] = _clean(results)
    return clean


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {_clean(name): _clean(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [*map(_clean, value)]
    return value


def finished(results: dict[str, Any]) -> list[dict[str, Any]]:
    """The models that have a score, best first; ties as they stand."""
    done = [model for model in results["models"] if model.get("best")]
    return sorted(done, key=lambda model: -float(model["best"]["score"]))


def significant(results: dict[str, Any], level: float = 0.05) -> list[bool]:
    """Whether each difference is significant: its interval is on one side of 0, and p is small enough with
    Holm's correction for all of them (Holm 1979): the k-th smallest of n values of p, from 0, is held against
    level / (n - k), up to the first that fails. (p is of the models as trained; the interval knows of seeds.)
    """
    differences = results.get("differences") or ()
    tested = [(pair["p"], i) for i, pair in enumerate(differences) if pair["p"] is not None]
    found = [False] * len(differences)
    for k, (p, i) in enumerate(sorted(tested)):
        if p > level / (len(tested) - k):
            break
        low, high = differences[i]["interval"]
        found[i] = low > 0 or high < 0
    return found


def packed_sentences(results: dict[str, Any]) -> dict[str, Any] | None:
    """The sentences with errors, as the page's browser reads them; None where the texts were left out.

    A unit is a word with its label, a text with its label, or, of segmenters, a word of the gold standard.

    Returns:
        "answers": the labels (or, of segmenters, words over a gold word) that the numbers below stand for;
        "types": what each belongs to: entity types without B- and I-, labels themselves;
        "models": numbers of the models that answered;
        "rows": for each sentence [words, gold, errors]: gold is a list of numbers (empty of segmenters),
        errors are [unit, [[answer, [models]], ...]] for each unit that a model has wrong.

    Raises:
        DataError: a model has more or fewer answers than there are words.
    """
    sentences = results.get("sentences")
    if sentences is None:
        return None
    names = [model["name"] for model in results["models"]]
    codes: dict[str, int] = {}

    def code(answer: str) -> int:
        return codes.setdefault(answer, len(codes))

    segmented = results["task"] == "segmenters"
    rows, answered = [], set()
    for number, sentence in enumerate(sentences, 1):
        gold = sentence["gold"]
        wrong: dict[int, dict[str, list[int]]] = {}
        for name, tags in sentence["tags"].items():
            if name not in names:
                raise DataError(f"sentence {number} has answers of {name!r}, which is none of the models")
            model = names.index(name)
            answered.add(model)
            if segmented:
                errors: Iterator[tuple[int, str]] = _missed(gold, tags)
            elif len(tags) != len(gold):
                raise DataError(f"sentence {number}: {name!r} has {len(tags)} labels for {len(gold)} words")
            else:
                errors = ((i, tag) for i, tag in enumerate(tags) if tag != gold[i])
            for i, answer in errors:
                wrong.setdefault(i, {}).setdefault(answer, []).append(model)
        packed = [[i, [[code(a), who] for a, who in found.items()]] for i, found in sorted(wrong.items())]
        words = gold if segmented else sentence["words"]
        rows.append([words, [] if segmented else [*map(code, gold)], packed])
    entities = results["metric"] == "f1" and not segmented
    type_of: Callable[[str], str] = _entity_type if entities else str
    return {
        "answers": [*codes],
        "types": [*map(type_of, codes)],
        "models": sorted(answered),
        "rows": rows,
    }


def _entity_type(tag: str) -> str:
    return tag[2:] if tag[1:2] == "-" and len(tag) > 2 else tag


def _missed(gold: Sequence[str], words: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Gold words that are not among the words, by their places in the text: index, and the words over it."""
    ends = [*itertools.accumulate(map(len, words))]
    spans = [*zip([0, *ends], ends, words, strict=False)]
    found = {(start, end) for start, end, _ in spans}
    place = first = 0
    for i, word in enumerate(gold):
        start, end = place, place + len(word)
        place = end
        while first < len(spans) and spans[first][1] <= start:
            first += 1
        if (start, end) not in found:
            over = itertools.takewhile(lambda span, end=end: span[0] < end, spans[first:])  # type: ignore[misc]
            yield i, " ".join(text for _, _, text in over)
