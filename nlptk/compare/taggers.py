"""The taggers of a comparison: HMM, CRF, perceptron and networks, as ``nlptk train tagger`` sets them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from nlptk.compare.contestant import Contestant, Data, How, Predict, Task
from nlptk.compare.ours import network_settings, restore, save, schedule
from nlptk.corpora.formats import COLUMN_NAMES

_TASKS: tuple[Task, ...] = ("taggers",)


def templates_of(data: Data, how: How) -> str:
    """The feature templates of ``nlptk train tagger`` for column and language."""
    if how.lang == "zh":
        return "zh"
    return "ner" if COLUMN_NAMES.get(data.column or "", data.column) == "ent" else "pos"


def _train_hmm(data: Data, folder: Path, how: How) -> dict[str, Any]:
    from nlptk.tag.hmm import HMMTagger

    save(HMMTagger().fit(data.train.items, data.train.gold), folder, how.lang)
    return {}


def _load_hmm(folder: Path, how: How) -> Predict:
    from nlptk.tag.hmm import HMMTagger

    return restore(HMMTagger, folder).predict


def _train_crf(data: Data, folder: Path, how: How, *, algorithm: str) -> dict[str, Any]:
    from nlptk.tag.crf import CRFTagger

    tagger = CRFTagger(templates_of(data, how), algorithm=algorithm, seed=how.seed)
    tagger.fit(data.train.items, data.train.gold, data.dev.items, data.dev.gold)
    save(tagger, folder, how.lang)
    return {"templates": tagger.templates}


def _load_crf(folder: Path, how: How) -> Predict:
    from nlptk.tag.crf import CRFTagger

    return restore(CRFTagger, folder).predict


def _settings(encoder: str) -> dict[str, Any]:
    from nlptk.neural.tagger_making import ENCODERS

    return ENCODERS[encoder.removesuffix("-crf")]


def _train_network(data: Data, folder: Path, how: How, *, encoder: str) -> dict[str, Any]:
    from nlptk.neural.tagger import NeuralTagger

    settings = network_settings(data, how, encoder, _settings(encoder))
    tagger = NeuralTagger(**settings)
    tagger.fit(data.train.items, data.train.gold, data.dev.items, data.dev.gold)
    save(tagger, folder, how.lang)
    return {name: settings[name] for name in ("epochs", "batch_tokens")}


def _load_network(folder: Path, how: How) -> Predict:
    from nlptk.neural.tagger import NeuralTagger

    tagger = restore(NeuralTagger, folder)
    tagger.set_params(device=how.device)
    return tagger.predict


def _network(encoder: str, about: str, cost: float) -> Contestant:
    crf = ", a chain over labels" if encoder.endswith("-crf") else ""
    return Contestant(
        encoder,
        "neural",
        _TASKS,
        about + crf,
        partial(_train_network, encoder=encoder),
        _load_network,
        ("torch",),
        ("nlptk.neural.tagger",),
        "bert" if encoder.startswith("bert") else None,
        cost,
        lambda tokens: schedule(_settings(encoder), encoder, tokens)["epochs"],
    )


_WORDS = "words (100, learnt or given) with a CNN over characters (50)"
_NETWORKS = {
    "bilstm": (f"BiLSTM of 200 a direction on {_WORDS}", 0.06),
    "gru": (f"GRU of 200 a direction on {_WORDS}", 0.06),
    "transformer": (f"Transformer of 200, 4 heads, on {_WORDS}", 0.08),
    "bert": ("BERT fine-tuned from a checkpoint, the first piece of a word labelled", 0.9),
}
CONTESTANTS = (
    Contestant(
        "hmm", "classical", _TASKS, "trigram HMM, suffixes and shapes for unknown words (TnT's way)",
        _train_hmm, _load_hmm, imports=("nlptk.tag.hmm",), cost=0.02,
    ),
    Contestant(
        "crf", "classical", _TASKS, "CRF, features by templates, SGD, c2 = 0.1, best pass on dev",
        partial(_train_crf, algorithm="sgd"), _load_crf, imports=("nlptk.tag.crf",), cost=0.06,
    ),
    Contestant(
        "perceptron", "classical", _TASKS, "averaged perceptron with the CRF's features, best pass on dev",
        partial(_train_crf, algorithm="ap"), _load_crf, imports=("nlptk.tag.crf",), cost=0.03,
    ),
    *(
        _network(encoder + crf, about, cost * (1.2 if crf else 1))
        for encoder, (about, cost) in _NETWORKS.items()
        for crf in ("", "-crf")
    ),
)  # fmt: skip
