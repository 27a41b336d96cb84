"""Peers of the accuracy rows on the same files: CRFsuite with a rich hand template, spaCy's tagger, jieba.

    python benchmarks/peers.py [--quick] [--only uner gsd]

What it wrote last is shown by bench_accuracy.py; all of it takes some ten minutes.

CRFsuite (through python-crfsuite) trains by L-BFGS with its own defaults but for c2, of 1.0 and 0.1 what dev
chose (for chunks every 10th training sentence). The templates are the usual ones: words and their neighbours,
word pairs, affixes, shapes; parts of speech in a window of five for chunks; for a character a line characters
and pairs of them in a window of five.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from common import CACHE, MSRA, WNUT, Files, earlier, has_peer, parse, parser, save, say, split_file, table
from spacy_tagger import accuracy, gold_docs, trained_tagger

Features = Callable[[Sequence[str], Sequence[str]], list[list[str]]]
Scores = dict[str, float]
Sentence = tuple[list[str], list[str], list[str]]  # words, column "1" (parts of speech) if any, gold labels


@dataclass(frozen=True)
class Task:
    """What CRFsuite learns for one row of bench_accuracy.py."""

    key: str
    files: Files
    column: str
    features: Features
    c2: float


def measure(data: Path, rows: Collection[str], *, quick: bool = False) -> dict[str, dict[str, Scores]]:
    """Scores by row of bench_accuracy.py and by peer; a line for a peer that is not installed."""
    found: dict[str, dict[str, Scores]] = {row: {} for row in rows}
    if has_peer("pycrfsuite", "CRFsuite"):
        for task in TASKS:
            if task.key in rows:
                files = (str(data / split_file(task.files, split)) for split in ("train", "test"))
                train, test = (list(sentences(file, task.column)) for file in files)
                found[task.key]["CRFsuite"] = crfsuite(task, train, test, 3 if quick else 200)
    if "ewt-crf" in rows and has_peer("spacy", "spaCy's tagger"):
        import spacy

        nlp = spacy.load(trained_tagger(data, quick=quick))
        golds = list(gold_docs(data / "ud-english-ewt" / "en_ewt-ud-test.conllu.gz", nlp.vocab))
        found["ewt-crf"]["spaCy"] = {"upos_acc": accuracy(nlp, golds)}
    if set(JIEBA) & set(rows) and has_peer("jieba", "jieba"):
        for row in set(JIEBA) & set(rows):
            found[row]["jieba"] = jieba_words(data / JIEBA[row])
    return found


# ---- CRFsuite ----------------------------------------------------------------------------------------------


def crfsuite(task: Task, train: list[Sentence], test: list[Sentence], iterations: int) -> Scores:
    """Train and score: accuracy of tags, or F1 of entities and chunks."""
    import pycrfsuite

    from nlptk.scoring import accuracy as label_accuracy
    from nlptk.scoring import entity_scores

    model = CACHE / f"crfsuite-{task.key}.model"
    model.parent.mkdir(parents=True, exist_ok=True)
    trainer = pycrfsuite.Trainer(algorithm="lbfgs", verbose=False)
    trainer.set_params({"c1": 0.0, "c2": task.c2, "max_iterations": iterations})
    for words, tags, gold in train:
        trainer.append(task.features(words, tags), gold)
    say(f"CRFsuite: training {task.key}")
    trainer.train(str(model))
    tagger = pycrfsuite.Tagger()
    tagger.open(str(model))
    found = [tagger.tag(task.features(words, tags)) for words, tags, _ in test]
    golds = [gold for _, _, gold in test]
    if task.column == "pos":
        scores = {"upos_acc": label_accuracy(golds, found).accuracy}
    else:
        scores = {"entity_f1": entity_scores(golds, found).overall.f1}
    say(f"CRFsuite: {task.key} {scores}")
    return scores


def sentences(path: str, column: str) -> Iterator[Sentence]:
    """The sentences of a corpus file."""
    from nlptk.corpora import read_docs

    for doc in read_docs(path, column=column):
        yield list(doc.words), doc.column("1") if doc.has_column("1") else [], doc.column(column)


def word_features(words: Sequence[str], _: Sequence[str]) -> list[list[str]]:
    """Words, pairs, affixes and shapes in a window of five."""
    lower = ["<s>", "<s>", *(word.lower() for word in words), "</s>", "</s>"]
    shapes = ["", *map(shape, words), ""]
    rows = []
    for i, word in enumerate(words):
        before, w, after = lower[i + 1], lower[i + 2], lower[i + 3]
        row = [
            "bias", f"w={word}", f"l={w}", f"l-1={before}", f"l+1={after}",
            f"l-2={lower[i]}", f"l+2={lower[i + 4]}", f"l-1l={before} {w}", f"ll+1={w} {after}",
            f"l-1l+1={before} {after}",
            f"s={shapes[i + 1]}", f"s-1={shapes[i]}", f"s+1={shapes[i + 2]}",
            f"s-1s={shapes[i]} {shapes[i + 1]}", f"ss+1={shapes[i + 1]} {shapes[i + 2]}",
            f"suf-1={before[-3:]}", f"suf+1={after[-3:]}", f"digit={any(map(str.isdigit, word))}",
            f"hyphen={'-' in word}",
        ]  # fmt: skip
        row += [f"p{n}={w[:n]}" for n in range(1, 5) if len(w) >= n]
        row += [f"x{n}={w[-n:]}" for n in range(1, 6) if len(w) >= n]
        rows.append(row)
    return rows


def chunk_features(words: Sequence[str], tags: Sequence[str]) -> list[list[str]]:
    """Those of CRFsuite's own chunking example (words and parts of speech in a window of five), and
    affixes."""
    w = ["<s>", "<s>", *(word.lower() for word in words), "</s>", "</s>"]
    t = ["<s>", "<s>", *tags, "</s>", "</s>"]
    rows = []
    for i in range(2, len(words) + 2):
        row = ["bias", f"x3={w[i][-3:]}", f"x2={w[i][-2:]}", f"s={shape(words[i - 2])}"]
        row += [f"w{k}={w[i + k]}" for k in range(-2, 3)]
        row += [f"w{k}w{k + 1}={w[i + k]} {w[i + k + 1]}" for k in (-1, 0)]
        row += [f"t{k}={t[i + k]}" for k in range(-2, 3)]
        row += [f"t{k}t{k + 1}={t[i + k]} {t[i + k + 1]}" for k in range(-2, 2)]
        row += [f"t{k}t{k + 1}t{k + 2}={' '.join(t[i + k : i + k + 3])}" for k in range(-2, 1)]
        row.append(f"wt={w[i]} {t[i]}")
        rows.append(row)
    return rows


def char_features(chars: Sequence[str], _: Sequence[str]) -> list[list[str]]:
    """Characters in a window of five, their pairs and threes; classes of those of ASCII."""
    c = ["<s>", "<s>", *chars, "</s>", "</s>"]
    rows = []
    for i in range(2, len(chars) + 2):
        row = ["bias", f"c-1c1={c[i - 1]} {c[i + 1]}"]
        row += [f"c{k}={c[i + k]}" for k in range(-2, 3)]
        row += [f"c{k}c{k + 1}={c[i + k]} {c[i + k + 1]}" for k in range(-2, 2)]
        row += [f"c{k}c{k + 1}c{k + 2}={' '.join(c[i + k : i + k + 3])}" for k in (-2, -1, 0)]
        row += [f"s{k}={shape(c[i + k])}" for k in range(-1, 2) if c[i + k].isascii()]
        rows.append(row)
    return rows


def shape(word: str) -> str:
    """Upper case as X, lower case as x, digits as 9, repeats once."""
    mapped = "".join("X" if c.isupper() else "x" if c.islower() else "9" if c.isdigit() else c for c in word)
    return re.sub(r"(.)\1+", r"\1", mapped)


# ---- jieba -------------------------------------------------------------------------------------------------


def jieba_words(path: Path) -> Scores:
    """F1 of jieba's words (default mode, with its HMM)."""
    import jieba

    from nlptk import Doc
    from nlptk.corpora import read_docs
    from nlptk.scoring import segmentation_scores

    jieba.setLogLevel("WARNING")
    golds = list(read_docs(path, lang="zh"))
    found = []
    for text in (doc.text for doc in golds):
        offsets = [(a, b) for word, a, b in jieba.tokenize(text) if not word.isspace()]
        found.append(Doc(text, *zip(*offsets, strict=True)))
    scores = {"words_f1": segmentation_scores(golds, found).words.f1}
    say(f"jieba: {path.name} {scores}")
    return scores


TASKS = (
    Task("ewt-crf", "ud-english-ewt/en_ewt-ud-{}.conllu.gz", "pos", word_features, 0.1),
    Task("uner", "uner-english-ewt/en_ewt-ud-{}.iob2.gz", "ent", word_features, 0.1),
    Task("conll2000", "conll2000/{}.txt.gz", "2", chunk_features, 0.1),
    Task("wnut", WNUT, "ent", word_features, 0.1),
    Task("gsd-ner", "ud-chinese-gsdsimp/zh_gsdsimp-ud-{}.iob2.gz", "ent", word_features, 0.1),
    Task("msra", MSRA, "ent", char_features, 1.0),
)
JIEBA = {
    "gsd": "ud-chinese-gsdsimp/zh_gsdsimp-v13pos-test.conllu.gz",
    "people": "people-daily-199801/pd199801-test.txt.gz",
}
ROWS = (*(task.key for task in TASKS), *JIEBA)


def run(data: Path, quick: bool, only: Collection[str] = ()) -> dict[str, dict[str, Scores]]:
    """Measure and write results/accuracy_peers.json; with `only` the other rows stay as they were."""
    found = {**(earlier("accuracy_peers") if only else {}), **measure(data, only or ROWS, quick=quick)}
    rows = [
        [key, peer, ", ".join(f"{name} {value:.4f}" for name, value in scores.items())]
        for key, by_peer in found.items()
        for peer, scores in by_peer.items()
    ]
    save(
        "accuracy_peers",
        "Quality of the peers on the same files",
        tables=[table("Scores on the test splits", ["row", "peer", "scores"], rows)],
        targets=[],
        samples=found,
        packages=["python-crfsuite", "spacy", "jieba"],
        quick=quick,
    )
    return found


if __name__ == "__main__":
    options = parser(__doc__ or "")
    options.add_argument("--only", nargs="+", choices=ROWS, default=(), help="measure these rows again")
    given = parse(options)
    run(given.data, given.quick, given.only)
