"""Entity labels as corpora write them (IOB1, IOB2, BIOES, BILOU, BMES), brought to IOB2."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nlptk.align import iob_to_spans, spans_to_iob

_LABEL = re.compile(r"[BIESLUM]-.+", re.DOTALL)


def is_iob_label(label: str) -> bool:
    """Whether `label` is ``O`` or a prefix of IOB, BIOES, BILOU or BMES, a hyphen and a type."""
    return label == "O" or _LABEL.fullmatch(label) is not None


def to_iob2(labels: Sequence[str]) -> list[str]:
    """Well-formed IOB2 with the entities that conlleval sees in `labels`, whatever their scheme."""
    return spans_to_iob(iob_to_spans(labels), len(labels))
