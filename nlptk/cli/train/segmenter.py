"""``nlptk train segmenter``."""

from __future__ import annotations

from typing import Annotated

import typer

from nlptk.cli.files import check_model_folder
from nlptk.cli.train.options import (
    C1,
    C2,
    Algo,
    CorpusFormat,
    Dev,
    Iterations,
    Json,
    Lang,
    MinFreq,
    Output,
    Quiet,
    Seed,
    Template,
    Threads,
    Train,
    given,
    template_of,
)
from nlptk.cli.train.run import Corpus, train_pipeline


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
    options = given(
        templates=template_of(template) or ready, lexicon=lexicon, algorithm=algorithm and algorithm.value,
        c1=c1, c2=c2, max_iterations=max_iterations, min_freq=min_freq, seed=seed, threads=threads,
    )  # fmt: skip
    nlp = nlptk.Language(lang)
    component = nlp.add_pipe("segmenter", config=options)
    corpus = Corpus(corpus_format, None, "paragraph", lang)
    train_pipeline(nlp, component, corpus, train, dev, output, as_json=as_json, quiet=quiet)
