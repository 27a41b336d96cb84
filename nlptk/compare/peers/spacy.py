"""spaCy's CNN tagger and entity recognizer, by ``spacy init config`` and ``spacy train``.

The configuration is the quickstart's for efficiency: HashEmbedCNN of width 96 and 4 layers, Adam, batches
that grow from 100 to 1000 words, the best weights on dev, no more after 1,600 steps without better ones.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nlptk.compare.contestant import Contestant, Data, How, Part, Predict
from nlptk.corpora.labels import to_iob2


def _write(part: Part, path: Path, lang: str, entities: bool) -> None:
    import spacy
    from spacy.tokens import Doc, DocBin

    vocab = spacy.blank(lang).vocab
    docs = []
    for words, labels in zip(part.items, part.gold, strict=True):
        given: dict[str, Any] = {"ents": to_iob2(labels)} if entities else {"tags": labels}
        docs.append(Doc(vocab, words=words, **given))
    DocBin(docs=docs).to_disk(path)


def _train(data: Data, folder: Path, how: How) -> dict[str, Any]:
    from spacy.cli.init_config import init_config
    from spacy.cli.train import train

    entities = data.metric == "f1"
    config = init_config(
        lang=_lang(how), pipeline=["ner" if entities else "tagger"], optimize="efficiency", silent=True
    )
    made = folder / "made"
    made.mkdir(parents=True)
    config.to_disk(made / "config.cfg")
    files = {"train": made / "train.spacy", "dev": made / "dev.spacy"}
    for name, part in (("train", data.train), ("dev", data.dev)):
        _write(part, files[name], _lang(how), entities)
    overrides = {f"paths.{name}": str(path) for name, path in files.items()}
    train(made / "config.cfg", made, overrides=overrides | {"system.seed": how.seed})
    (made / "model-best").rename(folder / "model")
    for path in sorted(made.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    made.rmdir()
    return {}


def _lang(how: How) -> str:
    return "xx" if how.lang == "zh" else how.lang  # its own Chinese wants another segmenter installed


def _passes(tokens: int) -> int:
    """It ends 1,600 steps after the best ones: two million words, or 20 passes, by experience."""
    return max(20, 2_000_000 // max(tokens, 1))


def _load(folder: Path, how: How) -> Predict:
    import spacy
    from spacy.tokens import Doc

    nlp = spacy.load(folder / "model")
    entities = "ner" in nlp.pipe_names

    def predict(sentences: list[list[str]]) -> list[list[str]]:
        docs = nlp.pipe(Doc(nlp.vocab, words=words) for words in sentences)
        return [[_entity(token) if entities else token.tag_ for token in doc] for doc in docs]

    return predict


def _entity(token: Any) -> str:
    return f"{token.ent_iob_}-{token.ent_type_}" if token.ent_type_ else "O"


CONTESTANTS = (
    Contestant(
        "spacy",
        "peer",
        ("taggers",),
        "spaCy's CNN tagger or entity recognizer, the quickstart's configuration for efficiency, on the CPU",
        _train,
        _load,
        ("spacy",),
        ("spacy.cli.init_config", "spacy.cli.train", "spacy.lang.en", "spacy.lang.xx"),
        cost=0.075,
        epochs=_passes,
    ),
)
