"""CRFsuite through python-crfsuite, with features and settings of its CoNLL-2002 example.

The example's part-of-speech tags are left out, as no contestant here is given any.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nlptk.compare.contestant import Contestant, Data, How, Predict

_SETTINGS = {"c1": 1.0, "c2": 1e-3, "max_iterations": 50, "feature.possible_transitions": True}


def features(words: Sequence[str]) -> list[list[str]]:
    """Those of each word: itself, its neighbours and their shapes."""
    return [_of(words, i) for i in range(len(words))]


def _of(words: Sequence[str], i: int) -> list[str]:
    word = words[i]
    found = [
        "bias", f"word.lower={word.lower()}", f"word[-3:]={word[-3:]}", f"word[-2:]={word[-2:]}",
        f"word.isupper={word.isupper()}", f"word.istitle={word.istitle()}", f"word.isdigit={word.isdigit()}",
    ]  # fmt: skip
    for shift, edge in ((-1, "BOS"), (1, "EOS")):
        if not 0 <= i + shift < len(words):
            found.append(edge)
            continue
        near = words[i + shift]
        found += [
            f"{shift:+d}:word.lower={near.lower()}", f"{shift:+d}:word.istitle={near.istitle()}",
            f"{shift:+d}:word.isupper={near.isupper()}",
        ]  # fmt: skip
    return found


def _train(data: Data, folder: Path, how: How) -> dict[str, Any]:
    import pycrfsuite

    trainer = pycrfsuite.Trainer(verbose=False)
    for words, labels in zip(data.train.items, data.train.gold, strict=True):
        trainer.append(features(words), labels)
    trainer.set_params(_SETTINGS)
    trainer.train(str(folder / "model.crfsuite"))
    return {}


def _load(folder: Path, how: How) -> Predict:
    import pycrfsuite

    tagger = pycrfsuite.Tagger()
    tagger.open(str(folder / "model.crfsuite"))
    return lambda sentences: [tagger.tag(features(words)) for words in sentences]


CONTESTANTS = (
    Contestant(
        "crfsuite",
        "peer",
        ("taggers",),
        "CRFsuite by python-crfsuite: features and settings of its example, L-BFGS, c1 = 1, 50 iterations",
        _train,
        _load,
        ("pycrfsuite:python-crfsuite",),
        cost=0.07,
    ),
)
