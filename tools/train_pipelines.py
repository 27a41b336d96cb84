"""Train the embedded pipelines from the corpora and write them into the package.

    python tools/train_pipelines.py --clusters build/clusters-en.tsv.gz [en] [zh]
    python tools/train_pipelines.py --only-ner zh

`--only-ner` trains the tagger of entities alone and leaves the rest of the pipeline as it is. The Chinese one
has word classes of tools/word_clusters.py and names of tools/name_gazetteer.py: those that row "gsd-ner" of
benchmarks/bench_accuracy.py leaves in build/bench.

`en`: segmenter, UPOS, XPOS and entities from UD English EWT and Universal NER. `zh`: segmenter and XPOS from
UD Chinese GSDSimp, UPOS (v2) derived from XPOS, and entities from Universal NER. Weights are chosen on dev;
test is scored once, for the model card.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

from compact import save_compact

import nlptk
from nlptk.corpora import read_docs
from nlptk.doc import Doc
from nlptk.evaluation import evaluate
from nlptk.language import Language
from nlptk.tag.component import Tagger
from nlptk.tag.mapper import TagMapper
from nlptk.tokenize.segmenter import Segmenter

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("NLPTK_DATA", ROOT.parent / "shared" / "data"))
EWT = "ud-english-ewt/en_ewt-ud-{}.conllu.gz"
UNER = "uner-english-ewt/en_ewt-ud-{}.iob2.gz"
GSD = "ud-chinese-gsdsimp/zh_gsdsimp-v13pos-{}.conllu.gz"
GSD2 = "ud-chinese-gsdsimp/zh_gsdsimp-ud-{}.conllu.gz"
UNER_GSD = "ud-chinese-gsdsimp/zh_gsdsimp-ud-{}.iob2.gz"
LICENSE = "CC BY-SA 4.0"
ZH_CLASSES = 20_000  # words

CARDS: dict[str, dict[str, Any]] = {
    "en": {
        "description": "English: tokens, sentences, UPOS and XPOS tags, entities (PER, LOC, ORG)",
        "files": [pattern.format(split) for pattern in (EWT, UNER) for split in ("train", "dev")],
        "sources": [
            "UD English EWT 2.15 (Silveira et al. 2014, the LDC and contributors), CC BY-SA 4.0",
            "Universal NER on EWT (Mayhew et al. 2024), CC BY-SA 4.0",
            "Word clusters: Simple English Wikipedia 2018 and English Wikipedia 2014, CC BY-SA 3.0",
        ],
    },
    "zh": {
        "description": "Chinese (simplified): words, sentences, UPOS and XPOS tags, entities (PER, LOC, ORG)",
        "files": [GSD.format("train"), GSD.format("dev"), GSD2.format("dev")]
        + [UNER_GSD.format(split) for split in ("train", "dev")],
        "sources": [
            "UD Chinese GSDSimp (Qi and Yasuoka; Google and contributors), CC BY-SA 4.0",
            "Universal NER on GSDSimp (Mayhew et al. 2024), CC BY-SA 4.0",
            "Word list: the dictionary of jieba 0.42.1 (Sun Junyi), MIT licence, as hashes",
            "Word clusters and names: Chinese Wikipedia, CC BY-SA 3.0",
        ],
    },
}


def docs(pattern: str, split: str, **options: Any) -> list[Doc]:
    """The Docs of one file of a corpus."""
    return list(read_docs(DATA / pattern.format(split), **options))


def report(what: str, started: float) -> Any:
    """A progress callback that prints the passes that were scored on dev."""

    def progress(info: dict[str, Any]) -> None:
        if "dev_score" in info:
            print(
                f"{what}: pass {info['iteration']} of {info['of']}, dev {info['dev_score']:.4f}, "
                f"{time.monotonic() - started:.0f} s",
                flush=True,
            )

    return progress


def fitted(component: Any, name: str, train: list[Doc], dev: list[Doc]) -> Any:
    """The component after training; `name` only labels the printed progress."""
    return component.fit(train, dev, progress=report(name, time.monotonic()))


def train_en(clusters: Path) -> Language:
    """The English pipeline."""
    nlp = Language("en")
    segmenter = Segmenter("en", c2=0.05, min_freq=2, prune=0.02, max_iterations=14)
    whole = {"unit": "document"}
    nlp.add_pipe(
        fitted(segmenter, "en segmenter", docs(EWT, "train", **whole), docs(EWT, "dev", **whole)), "segmenter"
    )
    train, dev = docs(EWT, "train"), docs(EWT, "dev")
    size = {"min_freq": 2, "prune": 0.05, "max_iterations": 14, "clusters": str(clusters)}
    for name, column in (("upos", "pos"), ("xpos", "tag")):
        tagger = Tagger(column, templates="pos-clusters", c2=0.05, **size)
        nlp.add_pipe(fitted(tagger, f"en {name}", train, dev), name)
    nlp.add_pipe(ner_en(clusters), "ner")
    return nlp


def ner_en(clusters: Path) -> Tagger:
    """The English tagger of entities."""
    tagger = Tagger(
        "ent",
        templates="ner-clusters",
        c2=0.1,
        min_freq=2,
        prune=0.05,
        max_iterations=14,
        clusters=str(clusters),
    )
    made: Tagger = fitted(tagger, "en ner", docs(UNER, "train"), docs(UNER, "dev"))
    return made


def ner_zh(clusters: Path, names: Path) -> Tagger:
    """The Chinese tagger of entities."""
    with tempfile.TemporaryDirectory() as folder:
        frequent = Path(folder) / "clusters.tsv"  # those of rare words take more room than they give
        with gzip.open(clusters, "rt", encoding="utf-8") as lines:
            frequent.write_text("".join(islice(lines, 1 + ZH_CLASSES)), encoding="utf-8")
        tagger = Tagger(
            "ent",
            templates="zh-clusters",
            clusters=str(frequent),
            gazetteers={"names": str(names)},
            c2=0.1,
            prune=0.07,
            max_iterations=20,
        )
        train, dev = docs(UNER_GSD, "train", lang="zh"), docs(UNER_GSD, "dev", lang="zh")
        made: Tagger = fitted(tagger, "zh ner", train, dev)
    return made


def train_zh(clusters: Path, names: Path) -> Language:
    """The Chinese pipeline."""
    nlp = Language("zh")
    segmenter = Segmenter("zh-lexicon", lexicon="jieba", c2=0.03, min_freq=2, prune=0.02, max_iterations=16)
    whole = {"unit": "document", "lang": "zh"}
    nlp.add_pipe(
        fitted(segmenter, "zh segmenter", docs(GSD, "train", **whole), docs(GSD, "dev", **whole)), "segmenter"
    )
    size = {"min_freq": 2, "prune": 0.05, "max_iterations": 14}
    train, dev = docs(GSD, "train", lang="zh"), docs(GSD, "dev", lang="zh")
    nlp.add_pipe(
        fitted(Tagger("tag", templates="zh", c2=0.05, **{**size, "min_freq": 1}), "zh xpos", train, dev),
        "xpos",
    )
    nlp.add_pipe(TagMapper("tag", "pos").fit(docs(GSD2, "dev", lang="zh")), "upos")
    nlp.add_pipe(ner_zh(clusters, names), "ner")
    return nlp


def scores(lang: str, nlp: Language, split: str) -> dict[str, float]:
    """The numbers of the model card."""
    treebank, entities = (EWT, UNER) if lang == "en" else (GSD2, UNER_GSD)
    raw = evaluate(nlp, docs(treebank, split, unit="document", lang=lang), raw=True)
    gold = evaluate(nlp, docs(treebank, split, lang=lang), columns=["pos", "tag"])
    named = evaluate(nlp, docs(entities, split, lang=lang), columns=["ent"])
    found = {**raw, **gold, **named}
    return {
        name: round(value, 4)
        for name, value in found.items()
        if name in ("words_f1", "sentences_f1", "upos_acc", "xpos_acc", "entity_f1")
        and isinstance(value, float)
    }


def data_hash(files: list[str]) -> str:
    """SHA-256 over the corpus files as they stand."""
    digest = hashlib.sha256()
    for name in files:
        digest.update((DATA / name).read_bytes())
    return digest.hexdigest()


CARD = """# nlptk embedded pipeline `{lang}`

{description}. Version {version}, trained by `tools/train_pipelines.py`.

| score | dev | test |
| --- | --- | --- |
{table}

`words_f1` and `sentences_f1` are CoNLL-2018 scores from the raw text; the others are on gold tokens.

Training files, SHA-256 `{sha256}`:
{files}

## Sources and licence

{sources}

The weights are derived from these corpora and are shared under {license} (https://creativecommons.org/licenses/by-sa/4.0/):
give credit to the sources above, and share what you derive from the weights under the same licence.
The code of nlptk is under Apache-2.0.
"""


NOTICE = """\
The model files in this folder (embedded pipeline "{lang}" of nlptk) are licensed under the Creative Commons
Attribution-ShareAlike 4.0 International License (CC BY-SA 4.0):
https://creativecommons.org/licenses/by-sa/4.0/legalcode

They are adapted from these works, whose authors do not endorse them:

{sources}
"""


def write(lang: str, nlp: Language, output: Path) -> None:
    """Score, describe and save a pipeline."""
    card = CARDS[lang]
    both = {split: scores(lang, nlp, split) for split in ("dev", "test")}
    sha256 = data_hash(card["files"])
    before = nlp.meta.get("data", {}).get("sources", [])
    sources = [*card["sources"], *(line for line in before if line.startswith("Word vectors: "))]
    nlp.meta |= {
        "name": lang,
        "version": nlptk.__version__,
        "description": card["description"],
        "data": {"files": card["files"], "sha256": sha256, "sources": sources},
        "scores": both,
        "license": LICENSE,
    }
    save_compact(nlp, output / lang)
    text = CARD.format(
        lang=lang,
        version=nlptk.__version__,
        description=card["description"],
        table="\n".join(f"| {name} | {both['dev'][name]} | {both['test'][name]} |" for name in both["test"]),
        sha256=sha256,
        files="\n".join(f"- `{name}`" for name in card["files"]),
        sources="\n".join(f"- {source}" for source in sources),
        license=LICENSE,
    )
    (output / lang / "README.md").write_text(text, encoding="utf-8")
    notice = NOTICE.format(lang=lang, sources="\n".join(sources))
    (output / lang / "LICENSE").write_text(notice, encoding="utf-8")
    size = sum(path.stat().st_size for path in (output / lang).iterdir())
    print(f"{output / lang}: {size / 1e6:.2f} MB, {both}")


def main() -> None:
    """Train what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("langs", nargs="*", default=["en", "zh"], help="en, zh; nothing: both")
    parser.add_argument("--clusters", type=Path, help="what tools/word_clusters.py wrote for English")
    parser.add_argument("--zh-clusters", type=Path, default=ROOT / "build" / "bench" / "clusters-zh.tsv.gz")
    parser.add_argument("--zh-names", type=Path, default=ROOT / "build" / "bench" / "names-zh.tsv.gz")
    parser.add_argument("--only-ner", action="store_true", help="the tagger of entities alone")
    parser.add_argument("--output", type=Path, default=ROOT / "nlptk" / "pipelines")
    options = parser.parse_args()
    if "en" in options.langs and options.clusters is None:
        parser.error("en needs --clusters")
    for lang in options.langs:
        files = (options.clusters,) if lang == "en" else (options.zh_clusters, options.zh_names)
        if options.only_ner:
            nlp = nlptk.load(lang)
            nlp.remove_pipe("ner")
            nlp.add_pipe((ner_en if lang == "en" else ner_zh)(*files), "ner", before="word_vectors")
        else:
            nlp = (train_en if lang == "en" else train_zh)(*files)
        write(lang, nlp, options.output)


if __name__ == "__main__":
    main()
