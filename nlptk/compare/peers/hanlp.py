"""HanLP's models from a folder: a tokenizer, a tagger or an entity recognizer, none trained here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nlptk.compare.contestant import Contestant, Data, How, Predict, Task

_KIND = "kind.txt"


def _train(data: Data, folder: Path, how: How) -> dict[str, Any]:
    (folder / _KIND).write_text(data.metric, encoding="utf-8")
    return {"note": "it was trained elsewhere and learns nothing here"}


def _load_tokenizer(folder: Path, how: How) -> Predict:
    from nlptk.doc import Doc
    from nlptk.hanlp import HanlpTokenizer

    component = HanlpTokenizer(how.options["hanlp"], _device(how))
    _ = component.model  # read now, as loading is timed

    def predict(texts: list[str]) -> list[list[str]]:
        docs = [Doc(text) for text in texts]
        component.annotate(docs)
        return [[word for word in doc.words if not word.isspace()] for doc in docs]

    return predict


def _load_tagger(folder: Path, how: How) -> Predict:
    from nlptk.doc import Doc
    from nlptk.hanlp import HanlpNer, HanlpTagger

    entities = (folder / _KIND).read_text(encoding="utf-8") == "f1"
    component = (HanlpNer if entities else HanlpTagger)(how.options["hanlp"], _device(how))
    _ = component.model

    def predict(sentences: list[list[str]]) -> list[list[str]]:
        docs = [Doc.from_words(words) for words in sentences]
        component.annotate(docs)
        return [doc.column("ent" if entities else "tag") for doc in docs]

    return predict


def _device(how: How) -> int:
    """The number of a GPU as HanLP takes it; -1: none."""
    from nlptk.neural.devices import find_device

    device = find_device(how.device)
    return device.index or 0 if device.type == "cuda" else -1


def _contestant(task: Task, what: str, load: Any) -> Contestant:
    about = f"a HanLP {what} from a folder, not trained on the data"
    return Contestant(
        "hanlp",
        "peer",
        (task,),
        about,
        _train,
        load,
        ("hanlp", "torch"),
        ("nlptk.hanlp",),
        "hanlp",
        0.001,
        trained=False,
        elsewhere=lambda how: [Path(how.options["hanlp"])],
    )


CONTESTANTS = (
    _contestant("segmenters", "tokenizer", _load_tokenizer),
    _contestant("taggers", "tagger or entity recognizer", _load_tagger),
)
