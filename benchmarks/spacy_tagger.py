"""The peer of the pipeline benchmarks: spaCy's default CNN tagger, trained on EWT's UPOS.

    python benchmarks/spacy_tagger.py            # trains it if it is not there, and prints its accuracy

`spacy.blank("en")` and `add_pipe("tagger")`: tok2vec is spaCy's HashEmbedCNN with its default settings
(width 96, 4 layers). Adam, dropout and batch sizes are those of spaCy's quickstart training configuration. It
is kept under build/.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from common import CACHE, parse, parser, say

EPOCHS = 10
DROPOUT = 0.1


def trained_tagger(data: Path, *, quick: bool = False) -> Path:
    """The folder of the trained spaCy pipeline; trains it on one core (some minutes) if it is not there.

    `quick`: one pass over a tenth of the sentences, kept elsewhere.
    """
    folder = CACHE / ("spacy-ewt-quick" if quick else "spacy-ewt")
    full = CACHE / "spacy-ewt"
    if (full / "meta.json").is_file():
        return full
    if not (folder / "meta.json").is_file():
        train(data, folder, epochs=1 if quick else EPOCHS, share=10 if quick else 1)
    return folder


def train(data: Path, folder: Path, epochs: int, share: int = 1) -> None:
    """Train on every `share`-th sentence and save the weights of the epoch that labels EWT dev best."""
    import spacy
    from spacy.training import Example

    spacy.util.fix_random_seed(1)
    nlp = spacy.blank("en")
    nlp.add_pipe("tagger")
    ewt = data / "ud-english-ewt"
    sentences = itertools.islice(gold_docs(ewt / "en_ewt-ud-train.conllu.gz", nlp.vocab), 0, None, share)
    gold = [Example(bare(doc), doc) for doc in sentences]
    dev = list(gold_docs(ewt / "en_ewt-ud-dev.conllu.gz", nlp.vocab))
    optimizer = nlp.initialize(lambda: gold)
    best, weights = -1.0, b""
    shuffled = random.Random(1)
    sizes = _batch_sizes()
    for epoch in range(1, epochs + 1):
        shuffled.shuffle(gold)
        losses: dict[str, float] = {}
        for batch in _batches(gold, sizes):
            nlp.update(batch, drop=DROPOUT, sgd=optimizer, losses=losses)
        score = accuracy(nlp, dev)
        say(f"spaCy tagger: epoch {epoch} of {epochs}, loss {losses['tagger']:.0f}, EWT dev {score:.4f}")
        if score > best:
            best, weights = score, nlp.to_bytes()
    folder.parent.mkdir(parents=True, exist_ok=True)
    nlp.from_bytes(weights).to_disk(folder)  # only here: a folder that is there is a finished one


def gold_docs(path: Path, vocab: Any) -> Iterator[Any]:
    """spaCy Docs of a CoNLL-U file, a sentence each, with UPOS as tag."""
    from spacy.tokens import Doc

    from nlptk.corpora import read_docs

    for doc in read_docs(path):
        words = doc.words
        spaces = [bool(token.whitespace_) for token in doc]
        yield Doc(vocab, words=words, spaces=spaces, tags=doc.column("pos"))


def accuracy(nlp: Any, gold: list[Any]) -> float:
    """Share of tokens that the pipeline tags as the gold Docs do, on gold tokens."""
    right = total = 0
    for reference, found in zip(gold, nlp.pipe(map(bare, gold)), strict=True):
        right += sum(a.tag == b.tag for a, b in zip(reference, found, strict=True))
        total += len(reference)
    return right / total


def bare(doc: Any) -> Any:
    """The words alone, for the tagger to fill."""
    from spacy.tokens import Doc

    return Doc(doc.vocab, words=[t.text for t in doc], spaces=[bool(t.whitespace_) for t in doc])


def _batch_sizes() -> Iterator[float]:
    """Words a batch: from 100 to 1000, as spaCy's quickstart has it."""
    sizes = itertools.accumulate(
        itertools.repeat(1.001), lambda size, by: min(1000.0, size * by), initial=100.0
    )
    return iter(sizes)


def _batches(examples: list[Any], sizes: Iterator[float]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    words = 0
    limit = next(sizes)
    for example in examples:
        batch.append(example)
        words += len(example.reference)
        if words >= limit:
            yield batch
            batch, words, limit = [], 0, next(sizes)
    if batch:
        yield batch


def main() -> None:
    """Train if need be, and print the accuracy on EWT test."""
    import spacy

    options = parse(parser(__doc__ or ""))
    folder = trained_tagger(options.data, quick=options.quick)
    nlp = spacy.load(folder)
    test = list(gold_docs(options.data / "ud-english-ewt" / "en_ewt-ud-test.conllu.gz", nlp.vocab))
    print(f"{folder}: EWT test UPOS {accuracy(nlp, test):.4f} on gold tokens")


if __name__ == "__main__":
    main()
