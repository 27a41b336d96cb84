"""Tag mapper: derives one tag set from another by rules on the tag, the tag before it and the word."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlptk.component import Component
from nlptk.doc import Doc
from nlptk.errors import ConfigError, DataError

Rules = Mapping[str, Mapping[str, str]]


class TagMapper(Component):
    """Fills the column `target` from the column `source`.

    Args:
        source, target: column names.
        tags: source tag to target tag; other tags are left unset.
        previous: source tag to {source tag of the token before, in the same sentence: target tag}.
        words: source tag to {word: target tag}. The word decides before the tag before, that before the tag.
    """

    name = "tag_mapper"

    def __init__(
        self,
        source: str = "tag",
        target: str = "pos",
        tags: Mapping[str, str] | None = None,
        previous: Rules | None = None,
        words: Rules | None = None,
    ) -> None:
        if source == target:
            raise ConfigError(f"a tag mapper needs two columns, not {source!r} twice")
        self.source, self.target = source, target
        self.tags = dict(tags or {})
        self.previous = {tag: dict(rules) for tag, rules in (previous or {}).items()}
        self.words = {tag: dict(rules) for tag, rules in (words or {}).items()}
        self.assigns = (f"doc.{target}",)
        self.requires = ("doc.tokens", f"doc.{source}")
        nested = (
            label for rules in (*self.previous.values(), *self.words.values()) for label in rules.values()
        )
        self._labels = tuple(sorted({*self.tags.values(), *nested}))
        self._codes = {label: number for number, label in enumerate(self._labels, 1)}
        self._table = ("", *self._labels)
        self._known: tuple[tuple[str, ...], NDArray[np.int32], list[int]] | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels it can give."""
        return self._labels

    def annotate(self, docs: Sequence[Doc]) -> None:
        """Fill the target column of each Doc."""
        for doc in docs:
            if not doc.has_column(self.source):
                raise ConfigError(
                    f"the tag mapper needs column {self.source!r}; add a tagger that fills it before"
                )
            source = doc.labels(self.source)
            codes = doc.codes(self.source)
            table, refined = self._compiled(source)
            mapped = table[codes]
            for number in refined:
                self._refine(doc, source[number], (codes == number).nonzero()[0].tolist(), source, mapped)
            doc.set_codes(self.target, mapped, self._table, validate=False)

    def _compiled(self, source: tuple[str, ...]) -> tuple[NDArray[np.int32], list[int]]:
        """Target codes by source code, and the source codes that have exceptions; kept for the next Doc."""
        known = self._known  # another thread may set it meanwhile
        if known is None or known[0] is not source:
            table = np.array([self._codes.get(self.tags.get(tag, ""), 0) for tag in source], np.int32)
            refined = [n for n, tag in enumerate(source) if tag in self.previous or tag in self.words]
            self._known = known = (source, table, refined)
        return known[1], known[2]

    def _refine(self, doc: Doc, tag: str, places: list[int], source: Sequence[str], mapped: Any) -> None:
        previous, words = self.previous.get(tag, {}), self.words.get(tag, {})
        codes, sentences = doc.codes(self.source), doc.sent_starts
        for i in places:
            inside = i > 0 and not (sentences is not None and sentences[i])
            label = words.get(doc.text[doc.starts[i] : doc.ends[i]])
            label = label or (previous.get(source[codes[i - 1]]) if inside else None)
            if label is not None:
                mapped[i] = self._codes[label]

    def fit(self, train: Sequence[Doc], dev: Sequence[Doc] | None = None, *, min_count: int = 2) -> TagMapper:
        """Learn the rules from Docs that have both columns; an exception needs `min_count` cases.

        Raises DataError where a Doc lacks a column.
        """
        tags: defaultdict[str, Counter[str]] = defaultdict(Counter)
        previous: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        words: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for number, doc in enumerate(train):
            if not (doc.has_column(self.source) and doc.has_column(self.target)):
                raise DataError(
                    f"training Doc {number} must have the columns {self.source!r} and {self.target!r}"
                )
            before = ""
            rows = zip(doc, doc.column(self.source), doc.column(self.target), strict=True)
            for token, tag, label in rows:
                before = "" if token.is_sent_start else before
                tags[tag][label] += 1
                previous[tag, before][label] += 1
                words[tag, token.text][label] += 1
                before = tag
        most = {tag: counts.most_common(1)[0][0] for tag, counts in tags.items()}
        self.__init__(  # type: ignore[misc]
            self.source,
            self.target,
            most,
            _exceptions(previous, most, min_count),
            _exceptions(words, most, min_count),
        )
        return self

    def to_state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The settings; there are no arrays."""
        names = ("source", "target", "tags", "previous", "words")
        return {name: getattr(self, name) for name in names}, {}


def _exceptions(
    cases: Mapping[tuple[str, str], Counter[str]], most: Mapping[str, str], min_count: int
) -> dict[str, dict[str, str]]:
    """Tag to {context: label} where the majority in that context is not the tag's own."""
    rules: dict[str, dict[str, str]] = {}
    for (tag, context), counts in sorted(cases.items()):
        label, count = counts.most_common(1)[0]
        if label != most[tag] and count >= min_count and context:
            rules.setdefault(tag, {})[context] = label
    return rules
