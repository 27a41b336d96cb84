"""``nlptk train``: a tagger or a segmenter from an annotated corpus, saved as a pipeline."""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from nlptk.cli.columns import HELP as COLUMN_HELP
from nlptk.cli.columns import column_of, name_of
from nlptk.cli.files import check_model_folder
from nlptk.cli.progress import Progress
from nlptk.errors import ConfigError, DataError

if TYPE_CHECKING:
    from nlptk.doc import Doc
    from nlptk.language import Language

app = typer.Typer(
    help="Train a tagger or a segmenter on an annotated corpus.",
    epilog="Example: nlptk train tagger --train train.conllu --dev dev.conllu --column upos -o my-tagger",
)


Unit = Literal["sentence", "paragraph", "document"]


class TaggerModel(str, enum.Enum):
    """What learns."""

    hmm = "hmm"
    crf = "crf"
    stacked = "stacked"


class Algorithm(str, enum.Enum):
    """How a CRF is trained."""

    lbfgs = "lbfgs"
    ap = "ap"
    pa = "pa"
    arow = "arow"
    sgd = "sgd"


Train = Annotated[
    Path, typer.Option("--train", exists=True, dir_okay=False, help="Corpus to learn from; gzip or not.")
]
Dev = Annotated[
    Path | None,
    typer.Option(
        "--dev", exists=True, dir_okay=False, help="Held-out corpus: picks the best iteration, is scored."
    ),
]
Output = Annotated[
    Path, typer.Option("--output", "-o", help="Folder for the model; a model that is there is replaced.")
]
CorpusFormat = Annotated[
    str | None,
    typer.Option(
        help="conllu, iob2, conll, wordtag or segmented; without it the files' names tell.",
        show_default=False,
    ),
]
Documents = Annotated[
    bool,
    typer.Option("--documents", help="Take documents whole, not sentence by sentence: for col:elsewhere."),
]
Lang = Annotated[str, typer.Option("--lang", help="Language of the pipeline: en or zh.")]
Algo = Annotated[
    Algorithm | None, typer.Option(help="L-BFGS, SGD, or what learns from mistakes.", show_default=False)
]
C1 = Annotated[float | None, typer.Option(min=0, help="Weight of the L1 term (lbfgs).", show_default=False)]
C2 = Annotated[float | None, typer.Option(min=0, help="Weight of the L2 term.", show_default=False)]
Iterations = Annotated[
    int | None, typer.Option("--max-iterations", min=1, help="Passes at most.", show_default=False)
]
MinFreq = Annotated[int | None, typer.Option(min=1, help="Drop rarer features.", show_default=False)]
Template = Annotated[
    str | None,
    typer.Option(help="Name of a built-in feature template, or a file of one.", show_default=False),
]
Seed = Annotated[int | None, typer.Option(help="Of whatever is random.", show_default=False)]
Threads = Annotated[int | None, typer.Option(min=0, help="0: all cores.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]


@app.command("tagger")
def tagger(
    train: Train,
    output: Output,
    column: Annotated[str, typer.Option(help=f"What to learn: {COLUMN_HELP}")] = "upos",
    model: Annotated[TaggerModel, typer.Option(help="What learns.")] = TaggerModel.crf,
    dev: Dev = None,
    lang: Lang = "en",
    corpus_format: CorpusFormat = None,
    template: Template = None,
    algorithm: Algo = None,
    c1: C1 = None,
    c2: C2 = None,
    max_iterations: Iterations = None,
    min_freq: MinFreq = None,
    clusters: Annotated[
        str | None,
        typer.Option(help="Word classes: a file, or a pipeline that has some.", show_default=False),
    ] = None,
    gazetteer: Annotated[
        list[str] | None,
        typer.Option(
            help="Names, as NAME=FILE: a name a line, or name, tab, class; FILE may be jieba.",
            show_default=False,
        ),
    ] = None,
    order: Annotated[
        int | None, typer.Option(min=2, max=3, help="Bigram or trigram HMM: 2 or 3.", show_default=False)
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            min=2, help="Of a stacked CRF: how many CRFs give the labels it learns from.", show_default=False
        ),
    ] = None,
    documents: Documents = False,
    stream: Annotated[
        bool, typer.Option("--stream", help="For a corpus that does not fit memory (crf).")
    ] = False,
    hash_bits: Annotated[
        int | None,
        typer.Option(
            min=10, max=28, help="With --stream: 2 to this power are the features kept.", show_default=False
        ),
    ] = None,
    seed: Seed = None,
    threads: Threads = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a tagger on a column of an annotated corpus: tags, or entities in IOB.

    Example: nlptk train tagger --model crf --train train.conllu --dev dev.conllu --column upos -o my-tagger
    """
    import nlptk

    check_model_folder(output)
    target = column_of(column)
    if stream and model is not TaggerModel.crf:
        raise ConfigError("--stream is for --model crf.")
    if stream and documents:
        raise ConfigError("--stream reads sentences, not --documents.")
    if hash_bits is not None and not stream:
        raise ConfigError("--hash-bits is for --stream.")
    streamed = _given(passes=max_iterations, hash_bits=hash_bits) if stream else None
    options = _given(
        templates=_template(template), algorithm=algorithm and algorithm.value, c1=c1, c2=c2,
        max_iterations=max_iterations, min_freq=min_freq, order=order, seed=seed, threads=threads,
        clusters=clusters, gazetteers=_gazetteers(gazetteer), folds=folds,
    )  # fmt: skip
    options = _defaults(model, target, lang, clusters is not None) | options
    nlp = nlptk.blank(lang)  # for raw text; training itself is on the corpus's tokens
    if nlp.pipe_factories["tokenizer"] == "tokenizer_en":
        nlp.replace_pipe("tokenizer", "tokenizer_en", config={"sentences": True})
    else:
        nlp.add_pipe("sentencizer")
    config = {"column": target, "model": model.value, **options}
    component = nlp.add_pipe("tagger", name=f"{name_of(target)}_tagger", config=config)
    corpus = _Corpus(corpus_format, target, "document" if documents else "sentence", lang)
    _train(nlp, component, corpus, train, dev, output, streamed, as_json=as_json, quiet=quiet)


def _defaults(model: TaggerModel, column: str, lang: str, clusters: bool) -> dict[str, Any]:
    """What suits column and language, where the user does not say it."""
    if model is TaggerModel.hmm:
        return {"scheme": "bio"} if column == "ent" else {}
    ready = "zh" if lang == "zh" else "ner" if column == "ent" else "pos"
    return {"templates": ready + ("-clusters" if clusters else "")}


@app.command("segmenter")
def segmenter(
    train: Train,
    output: Output,
    dev: Dev = None,
    lang: Lang = "en",
    corpus_format: CorpusFormat = None,
    template: Template = None,
    algorithm: Algo = None,
    c1: C1 = None,
    c2: C2 = None,
    max_iterations: Iterations = None,
    min_freq: MinFreq = None,
    lexicon: Annotated[
        str | None, typer.Option(help="jieba, or a file of one word a line.", show_default=False)
    ] = None,
    seed: Seed = None,
    threads: Threads = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a segmenter, which marks tokens and sentences in raw text, on a corpus that has both.

    Example: nlptk train segmenter --train train.conllu --dev dev.conllu --lang en --output my-segmenter
    """
    import nlptk

    check_model_folder(output)
    ready = "zh-lexicon" if lang == "zh" and lexicon else lang
    options = _given(
        templates=_template(template) or ready, lexicon=lexicon, algorithm=algorithm and algorithm.value,
        c1=c1, c2=c2, max_iterations=max_iterations, min_freq=min_freq, seed=seed, threads=threads,
    )  # fmt: skip
    nlp = nlptk.Language(lang)
    component = nlp.add_pipe("segmenter", config=options)
    corpus = _Corpus(corpus_format, None, "paragraph", lang)
    _train(nlp, component, corpus, train, dev, output, as_json=as_json, quiet=quiet)


def _given(**options: Any) -> dict[str, Any]:
    """Only what the user asked for: the components know their own defaults."""
    return {name: value for name, value in options.items() if value is not None}


def _gazetteers(given: list[str] | None) -> dict[str, str] | None:
    """NAME=FILE options as names and files."""
    if not given:
        return None
    found: dict[str, str] = {}
    for one in given:
        name, equals, file = one.partition("=")
        if not (name and equals and file) or name in found:
            raise ConfigError(f"--gazetteer takes NAME=FILE, each name once, not {one!r}")
        found[name] = file
    return found


def _template(name: str | None) -> str | list[str] | None:
    """A template's name as it is; a file as its lines without comments."""
    if name is None or not Path(name).is_file():
        return name
    from nlptk.corpora.files import read_lines

    lines = (line.partition("#")[0].strip() for line in read_lines(name))
    return [line for line in lines if line]


@dataclass(frozen=True)
class _Corpus:
    """How the corpora of one training are read."""

    format: str | None
    column: str | None
    unit: Unit
    lang: str

    def read(self, path: Path, progress: Progress) -> list[Doc]:
        from nlptk.corpora import read_docs

        docs = list(read_docs(path, self.format, self.column, self.unit, lang=self.lang))
        if not docs:
            raise DataError(f"{path} holds no sentence; give an annotated corpus.")
        progress.line(f"{path}: {sum(map(len, docs)):,} tokens")
        return docs


def _train(
    nlp: Language,
    component: Any,
    corpus: _Corpus,
    train: Path,
    dev: Path | None,
    output: Path,
    streamed: dict[str, Any] | None = None,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    """Train, score and save; with `streamed`, options of ``fit_stream``, without the corpus in memory."""
    with Progress("train", unit="iterations", every=2.0, quiet=quiet) as progress:
        train_docs = corpus.read(train, progress) if streamed is None else None
        dev_docs = corpus.read(dev, progress) if dev else None
        if train_docs is None:
            tokens = _fit_stream(component, corpus, train, streamed or {}, progress)
        else:
            component.fit(train_docs, dev_docs, progress=_shown(progress))
            tokens = sum(map(len, train_docs))
        result: dict[str, Any] = {"output": str(output), "seconds": round(progress.elapsed, 2)}
        nlp.meta["name"] = output.resolve().name
        nlp.meta["data"] = {"train": _source(train, tokens)}
        if dev and dev_docs:
            from nlptk.evaluation import evaluate

            result["dev"] = evaluate(nlp, dev_docs, raw=corpus.column is None)
            nlp.meta["scores"] = {"dev": _headlines(result["dev"])}
            nlp.meta["data"]["dev"] = _source(dev, sum(map(len, dev_docs)))
        nlp.to_disk(output)
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
        return
    scores = [f"dev {name} {value:.4f}" for name, value in _headlines(result.get("dev", {})).items()]
    typer.echo(", ".join([f"saved {output} after {result['seconds']} s", *scores]))


def _fit_stream(
    component: Any, corpus: _Corpus, train: Path, options: dict[str, Any], progress: Progress
) -> int:
    """Train without the corpus in memory; returns its tokens."""
    from nlptk.tag.crf_stream import CorpusFiles

    show, tokens = _shown(progress), 0

    def report(info: dict[str, Any]) -> None:
        nonlocal tokens
        tokens = info["tokens"]
        show(info)

    files = CorpusFiles([train], corpus.column or "pos", corpus.format, corpus.lang)
    component.fit_stream(files, progress=report, **options)
    return tokens


def _headlines(scores: dict[str, Any]) -> dict[str, float]:
    """The scores that one compares models by."""
    return {
        name: value for name, value in scores.items() if name == "accuracy" or name.endswith(("_acc", "_f1"))
    }


def _shown(progress: Progress) -> Callable[[dict[str, Any]], None]:
    """A callback for ``fit`` that shows each iteration."""

    def show(info: dict[str, Any]) -> None:
        notes = [
            f"{name.replace('_', ' ')} {value:.5g}"
            for name, value in info.items()
            if name not in ("iteration", "of") and isinstance(value, (int, float))
        ]
        done, total = info["iteration"], info.get("of")
        if total and "training" in info:  # one of several, of `total` iterations each
            done, total = done + (info["training"] - 1) * total, info["trainings"] * total
        progress.update(
            done,
            total=total,
            note=", ".join([f"iteration {info['iteration']}", *notes]),
        )

    return show


def _source(path: Path, tokens: int) -> dict[str, Any]:
    """What a model's meta says of a corpus: enough to find out whether another file is the same."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return {"file": path.name, "sha256": digest.hexdigest(), "tokens": tokens}
