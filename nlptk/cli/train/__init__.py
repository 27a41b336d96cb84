"""``nlptk train``: models from corpora, saved as pipelines."""

from __future__ import annotations

import typer

from nlptk.cli.train.bert import bert
from nlptk.cli.train.classifier import classifier
from nlptk.cli.train.lm import lm
from nlptk.cli.train.segmenter import segmenter
from nlptk.cli.train.seq2seq import seq2seq
from nlptk.cli.train.tagger import tagger

app = typer.Typer(
    help="Train taggers, segmenters and classifiers on annotated texts, translators on pairs, language "
    "models and BERT on text.",
    epilog="Example: nlptk train tagger --train train.conllu --dev dev.conllu --column upos -o my-tagger",
)
app.command("tagger")(tagger)
app.command("segmenter")(segmenter)
app.command("classifier")(classifier)
app.command("bert")(bert)
app.command("lm")(lm)
app.command("seq2seq")(seq2seq)
