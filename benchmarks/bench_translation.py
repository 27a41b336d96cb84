"""Translation: Multi30k English to German, Tatoeba English to Chinese, and decoding with a cache.

    python benchmarks/bench_translation.py [--quick] [--threads 2] [--only transformer,gru,zh,cache] [--train]

A model that is not in build/bench yet is trained first; a training that was stopped goes on from its last
state. `--train` ends after training. Multi30k: 29,000 pairs, learnt in lower case; no other recipe was tried,
test_2016 is translated once, by beam search, and scored by ``sacrebleu -lc``. Seconds of training are of one
thread of a busy machine.

* Tatoeba: every 20th pair is test, every 20th from the 11th on dev. What is left is training, less the pairs
  whose English sentence is one of test or dev. The samples are of 20 sentences that were written for this
  page and are none of the corpus. Eight epochs are what time allowed; dev still rises.
* Cache: the first 256 test sentences, batches of 64, beam 5, with keys and values of earlier steps kept, and
  with all computed anew at each step; greedy without a cache beside them.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common import CACHE, environment, has_peer, in_turn, median, parse, parser, save, say, table, target

if TYPE_CHECKING:
    from nlptk.neural.seq2seq import Seq2Seq

Texts = list[str]
SHARED = {"precision": "bfloat16", "vocab_size": 6000, "lowercase": True, "average": 5}
RECIPES: dict[str, dict[str, Any]] = {
    "transformer": {**SHARED, "model": "transformer", "epochs": 20},
    "gru": {**SHARED, "model": "gru", "epochs": 15, "average": 3},
    "zh": {
        **SHARED, "model": "transformer", "epochs": 8, "average": 3, "vocab_size": 4000, "shared": False,
        "target_units": "char",
    },
}  # fmt: skip
QUICK = {"dim": 32, "hidden": 64, "layers": 1, "epochs": 1, "vocab_size": 600, "average": 0}
REACH = {"transformer": 36.0, "gru": 31.0}
FASTER = 3.0
NOTES = [
    " ".join(part.split())
    for part in (__doc__ or "").replace("\n* ", "\n\n").split("\n\n")[2:]
    if part.strip()
]
SENTENCES = 256
SAMPLES = (
    "The old bridge near our school was closed last winter.",
    "My sister wants to learn how to repair bicycles.",
    "Could you tell me where the nearest pharmacy is?",
    "I forgot my umbrella on the bus again.",
    "He has been living in this small town for eleven years.",
    "Nobody believed the boy when he said he had seen a wolf.",
    "If it snows tomorrow, we will stay at home and play cards.",
    "This soup needs a little more pepper.",
    "She speaks three languages but she cannot swim.",
    "Why did you throw away those old letters?",
    "The cat is sleeping under my father's chair.",
    "They are planning to open a bookstore by the sea.",
    "Please turn off the lights before you leave the office.",
    "I have never eaten anything as spicy as this.",
    "Our teacher asked us to write about our favorite animal.",
    "The train to Shanghai leaves in ten minutes.",
    "It took him two hours to find his glasses.",
    "You don't have to answer every question.",
    "The doctor told my grandmother to drink more water.",
    "What would you do if you found a wallet on the street?",
)


def multi30k(data: Path, split: str, quick: bool) -> tuple[Texts, Texts]:
    """English and German of a split."""
    source, german = (_lines(data / f"multi30k-en-de/{split}.{side}.gz", quick) for side in ("en", "de"))
    return source, german


def tatoeba(data: Path, quick: bool) -> dict[str, list[list[str]]]:
    """English, Chinese and attribution of each pair of train, dev and test."""
    rows = [line.split("\t") for line in _lines(data / "tatoeba-cmn-eng/cmn.txt.gz", False)]
    rows = rows[:: 20 if quick else 1]
    held_out = {"test": rows[::20], "dev": rows[10::20]}
    seen = {row[0] for part in held_out.values() for row in part}
    return {"train": [row for row in rows if row[0] not in seen], **held_out}


def _lines(path: Path, quick: bool) -> Texts:
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        lines = [line.rstrip("\r\n") for line in file]
    return lines[:200] if quick else lines


def splits(name: str, data: Path, quick: bool) -> dict[str, tuple[Texts, Texts]]:
    """Sources and targets of each split of a model's corpus."""
    if name == "zh":
        parts = tatoeba(data, quick)
        return {split: ([row[0] for row in rows], [row[1] for row in rows]) for split, rows in parts.items()}
    names = {"train": "train", "dev": "val", "test": "test_2016_flickr"}
    return {split: multi30k(data, file, quick) for split, file in names.items()}


def trained(name: str, given: argparse.Namespace) -> tuple[Seq2Seq, dict[str, Any]]:
    """The model, trained if it is not there yet, and what is known of its training."""
    from nlptk.neural.seq2seq import Seq2Seq

    folder, state = CACHE / f"translation-{name}", CACHE / f"translation-{name}-state"
    if not given.quick and (folder / "meta.json").is_file():
        return Seq2Seq.load(folder), json.loads((folder / "meta.json").read_text())["training"]
    parts = splits(name, given.data, given.quick)
    made = Seq2Seq(**{**RECIPES[name], **(QUICK if given.quick else {})})
    start = last = time.perf_counter()

    def shown(info: dict[str, Any]) -> None:
        nonlocal last
        now = time.perf_counter()
        if "dev_score" in info or now - last > 60:
            last = now
            say(name, {key: round(value, 4) for key, value in info.items()}, f"{now - start:.0f} s")

    made.fit(
        *parts["train"], *parts["dev"], progress=shown, resume=True,
        checkpoint=None if given.quick else state,
    )  # fmt: skip
    size = sum(weight.numel() for weight in made._fitted().parameters())
    known = {"seconds": round(time.perf_counter() - start), "parameters": size, "log": made.log_.entries}
    if not given.quick:
        made.save(folder, training=known)
        for file in state.iterdir():
            file.unlink()
    return made, known


def quality(name: str, found: Texts, gold: Texts) -> dict[str, float]:
    """sacrebleu's scores."""
    import sacrebleu

    if name != "zh":
        return {"BLEU": sacrebleu.corpus_bleu(found, [gold], lowercase=True).score}
    scores = {"BLEU zh": sacrebleu.corpus_bleu(found, [gold], tokenize="zh").score}
    return scores | {"chrF": sacrebleu.corpus_chrf(found, [gold]).score}


def translated(name: str, made: Seq2Seq, known: dict[str, Any], given: argparse.Namespace) -> dict[str, Any]:
    """Scores of dev and test, and how long test took."""
    parts = splits(name, given.data, given.quick)
    scores: dict[str, Any] = {"training": known}
    for split in ("dev", "test"):
        start = time.perf_counter()
        found = made.predict(parts[split][0])
        seconds = time.perf_counter() - start
        scores[split] = quality(name, found, parts[split][1]) | {"sentences/s": len(found) / seconds}
        say(name, split, scores[split])
    if name == "zh":
        known_ones = {text for part in parts.values() for text in part[0]}
        if taken := known_ones.intersection(SAMPLES):
            raise SystemExit(f"the corpus has a sentence of SAMPLES, which must not be shown: {min(taken)}")
        scores["samples"] = list(zip(SAMPLES, made.predict(SAMPLES), strict=True))
    return scores


def cache(made: Seq2Seq, given: argparse.Namespace) -> dict[str, Any]:
    """Seconds of three ways to translate, and whether the two beams give the same."""
    texts = multi30k(given.data, "test_2016_flickr", given.quick)[0][: 16 if given.quick else SENTENCES]
    ways = {
        "beam 5, cached": {"beam": 5},
        "beam 5, uncached": {"beam": 5, "cache": False},
        "greedy, uncached": {"beam": 1, "cache": False},
    }
    found = {name: made.translate(texts, **way) for name, way in ways.items()}
    same = sum(
        a[0].text == b[0].text
        for a, b in zip(found["beam 5, cached"], found["beam 5, uncached"], strict=True)
    )
    seconds = in_turn(
        {name: lambda way=way: made.translate(texts, **way) for name, way in ways.items()},
        1 if given.quick else 3,
        warmup=0,
        pause=0.2,
    )
    return {"sentences": len(texts), "same": same, "seconds": seconds}


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--only", default="transformer,gru,zh,cache", help="some of these")
    options.add_argument("--train", action="store_true", help="train what is not there, and end")
    given = parse(options)
    if not given.train and not has_peer("sacrebleu", "the scores of translations"):
        return
    os.environ.update(environment(given.threads))
    import torch

    torch.set_num_threads(given.threads)
    chosen = given.only.split(",")
    samples: dict[str, Any] = {}
    for name in [name for name in RECIPES if name in chosen or (name == "transformer" and "cache" in chosen)]:
        made, known = trained(name, given)
        if given.train:
            continue
        if name in chosen:
            samples[name] = translated(name, made, known, given)
        if name == "transformer" and "cache" in chosen:
            samples["cache"] = cache(made, given)
    if given.train:
        return
    rows = [
        [
            name, f"{one['training']['parameters'] / 1e6:.1f} M", one["training"]["seconds"],
            *(", ".join(f"{what} {value:.1f}" for what, value in one[of].items()) for of in ("dev", "test")),
        ]
        for name, one in samples.items() if name != "cache"
    ]  # fmt: skip
    targets = [
        target(
            f"Multi30k en-de, test_2016_flickr, {name}", f">= {REACH[name]:.0f} BLEU (sacrebleu -lc)",
            samples[name]["test"]["BLEU"], samples[name]["test"]["BLEU"] >= REACH[name],
            f"{samples[name]['test']['BLEU']:.2f} BLEU",
        )
        for name in REACH if name in samples
    ]  # fmt: skip
    tables = [
        table("Translation, beam 5", ["model", "parameters", "seconds of training", "dev", "test"], rows)
    ]
    if "zh" in samples:
        shown = [[english, chinese] for english, chinese in samples["zh"]["samples"]]
        tables.append(table("Sentences that are none of the corpus", ["English", "Chinese"], shown))
    if "cache" in samples:
        found = samples["cache"]
        speed = {way: found["sentences"] / median(times) for way, times in found["seconds"].items()}
        ratio = speed["beam 5, cached"] / speed["beam 5, uncached"]
        tables.append(
            table(
                f"Decoding, batches of 64, {given.threads} threads",
                ["", "sentences/s"],
                [[way, f"{rate:.1f}"] for way, rate in speed.items()],
            )
        )
        same = f"{found['same']} of {found['sentences']} translations are the same"
        targets.append(
            target(
                "Beam 5 with a cache against without, batch 64", f">= {FASTER} times, same output",
                ratio, ratio >= FASTER and found["same"] == found["sentences"], f"{ratio:.2f} times; {same}",
            )
        )  # fmt: skip
    save(
        "translation",
        "Sequence to sequence: Multi30k and Tatoeba",
        tables=tables,
        targets=targets,
        notes=NOTES,
        samples=samples,
        packages=["torch", "sacrebleu"],
        quick=given.quick,
    )


if __name__ == "__main__":
    main()
