"""Character language models on ten million characters of wiki text: LSTM, Transformer and a 5-gram.

    python benchmarks/bench_char_lm.py [--quick] [--minutes 30] [--threads 1] [--train lstm]

The text is the paragraphs of the English corpora as text8 has them: 26 letters, spaces, digits spelled out,
an end for each paragraph. Of each twenty paragraphs one is for the test and one for dev, until there are
400,000 and 50,000 characters; 10,000,000 are trained on. Each neural model has the given minutes of CPU
time, of all its threads together, in bfloat16: how many updates that are is measured before, so that its
learning rate falls to 0 (cosine) as time is up. The weights that tell dev best are tested, once.

The 5-gram has modified Kneser-Ney smoothing, and each paragraph stands alone; the LSTM carries its state from
paragraph to paragraph in training and test, the Transformer sees half a window at least. All count the end
of a paragraph as a character. A trained model is kept under build/bench, with what was measured, and used
again; --train trains one that is not there, and ends.

In half an hour the sizes chosen, an LSTM of 640 and a Transformer of 192, see the text once or twice.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import wiki
from common import CACHE, ROOT, environment, has_peer, parse, parser, save, say, table, target

CHARACTERS = {"train": 10_000_000, "dev": 50_000, "test": 400_000}
QUICK = {"train": 200_000, "dev": 2_000, "test": 5_000}
COMMON = {"unit": "characters", "precision": "bfloat16", "tie": False, "dropout": 0.0, "epochs": 1000}
MODELS: dict[str, dict[str, Any]] = {
    "lstm": {"dim": 64, "hidden": 640, "layers": 1, "batch_size": 32, "window": 128, "learning_rate": 2e-3},
    "transformer": {
        "dim": 192,
        "layers": 4,
        "heads": 4,
        "batch_size": 8,
        "window": 256,
        "learning_rate": 2e-3,
    },
}
LOOKS = 20  # at dev, in each training
PARTS = 32  # of a text, read side by side
PLOT = ROOT / "docs" / "char_lm.svg"


def texts(data: Path, sizes: dict[str, int]) -> dict[str, list[str]]:
    """Paragraphs of train, dev and test."""
    found: dict[str, list[str]] = {split: [] for split in sizes}
    missing = dict(sizes)
    for number, line in enumerate(wiki.english_lines(data)):
        split = {0: "test", 10: "dev"}.get(number % 20, "train")
        if missing[split] > 0:
            found[split].append(line.rstrip("\n"))
            missing[split] -= len(line)
        if max(missing.values()) <= 0:
            return found
    raise SystemExit(f"the English corpora in {data} are smaller than {sum(sizes.values()):,} characters")


def updates(settings: dict[str, Any], lines: list[str], seconds: float) -> int:
    """How many updates this machine makes in so many seconds of CPU time."""
    from nlptk import NeuralLM

    taken = []
    for steps in (5, 5, 35):
        begin = time.process_time()
        NeuralLM(**{**settings, "max_steps": steps}).fit(lines)
        taken.append(time.process_time() - begin)
    return max(int(seconds / ((taken[2] - taken[1]) / 30)), LOOKS)


def trained(name: str, text: dict[str, list[str]], minutes: float, *, quick: bool) -> dict[str, Any]:
    """Train a model, or take the one that is kept: what was measured, with the bits of the test text."""
    import torch

    from nlptk import NeuralLM

    path = CACHE / f"char-{name}{'-quick' if quick else ''}"
    told = path.with_suffix(".json")
    if told.is_file() and not quick:
        kept: dict[str, Any] = json.loads(told.read_text(encoding="utf-8"))
        return kept
    settings = {**COMMON, **MODELS[name], "model": name}
    # A sample, as numbering the whole text takes seconds; the looks at dev are of the time, too.
    steps = 6 if quick else updates(settings, text["train"][:2000], 0.95 * 60 * minutes)
    begin, curve = time.process_time(), []

    def note(info: dict[str, Any]) -> None:
        if "dev_score" in info:
            seconds = time.process_time() - begin
            curve.append({"step": info["iteration"], "seconds": seconds, "dev": -info["dev_score"]})
            at = f"{name}: update {info['iteration']:,} of {steps:,}, {seconds:.0f} s"
            say(f"{at}, dev {-info['dev_score']:.4f}")

    model = NeuralLM(**settings, max_steps=steps, evaluate_every=3 if quick else steps // LOOKS)
    model.fit(text["train"], text["dev"], progress=note)
    seconds = time.process_time() - begin
    CACHE.mkdir(parents=True, exist_ok=True)
    model.save(path.with_suffix(".safetensors"))
    answer = {
        "curve": curve,
        "seconds": seconds,
        "threads": torch.get_num_threads(),
        "updates": steps,
        "characters_read": steps * model.batch_size * model.window,
        "weights": sum(weight.numel() for weight in model.network.parameters()),
        "test": model.perplexity(text["test"], parts=PARTS).bits_per_character,
    }
    told.write_text(json.dumps(answer), encoding="utf-8")
    return answer


def of_ngrams(text: dict[str, list[str]]) -> dict[str, Any]:
    """The 5-gram's bits of the test text."""
    from nlptk import NgramLM

    train, test = ([list(line.replace(" ", "_")) for line in text[split]] for split in ("train", "test"))
    begin = time.process_time()
    # 30 characters are too few to estimate discounts of unigrams from; KenLM asks for a fallback likewise.
    model = NgramLM(order=5, discount_fallback=(0.5, 1, 1.5)).fit(train)
    seconds = time.process_time() - begin
    return {"seconds": seconds, "test": model.perplexity(test).bits_per_token}


def plot(curves: dict[str, list[dict[str, float]]], ngrams: float) -> None:
    """The curves, as SVG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.subplots()
    for name, points in curves.items():
        axes.plot([p["seconds"] / 60 for p in points], [p["dev"] for p in points], label=f"{name}, dev")
    axes.axhline(ngrams, color="gray", linestyle="--", label="5-gram, modified Kneser-Ney, test")
    axes.set(xlabel="minutes of CPU time", ylabel="bits per character")
    axes.legend()
    figure.savefig(PLOT, metadata={"Date": None})


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument(
        "--minutes", type=float, default=30.0, help="CPU time of each neural model's training"
    )
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--train", choices=list(MODELS), help="train this one, and end")
    given = parse(options)
    if not has_peer("torch", "neural models"):
        return
    os.environ.update(environment(given.threads))
    import torch

    torch.set_num_threads(given.threads)
    text = texts(given.data, QUICK if given.quick else CHARACTERS)
    if given.train:
        trained(given.train, text, given.minutes, quick=given.quick)
        return
    neural = {name: trained(name, text, given.minutes, quick=given.quick) for name in MODELS}
    ngrams = of_ngrams(text)
    rows = [
        [
            name,
            f"{found['weights'] / 1e6:.1f} M",
            f"{found['seconds'] / 60:.1f}",
            f"{found['characters_read'] / 1e6:.1f} M",
            f"{found['test']:.4f}",
        ]
        for name, found in neural.items()
    ]
    rows.append(
        ["5-gram, modified Kneser-Ney", "", f"{ngrams['seconds'] / 60:.1f}", "", f"{ngrams['test']:.4f}"]
    )
    notes = [" ".join(part.split()) for part in (__doc__ or "").split("\n\n")[2:]]
    if not given.quick and has_peer("matplotlib", "the plot"):
        plot({name: found["curve"] for name, found in neural.items()}, ngrams["test"])
        notes.insert(0, f"![Bits per character]({PLOT.name})")
    save(
        "char_lm",
        "Character language models",
        tables=[
            table(
                f"Bits per character of {sum(len(line) + 1 for line in text['test']):,} held-out characters",
                ["model", "weights", "minutes of CPU", "characters read", "bits per character"],
                rows,
            ),
            table(
                "Dev while they learn",
                ["model", "minutes", "bits per character"],
                [
                    [name, f"{point['seconds'] / 60:.1f}", f"{point['dev']:.4f}"]
                    for name, found in neural.items()
                    for point in found["curve"][:: max(len(found["curve"]) // 5, 1)]
                ],
            ),
        ],
        targets=[
            target(
                f"{name} on held-out characters, {found['seconds'] / 60:.1f} minutes of CPU time",
                "fewer bits than the 5-gram with Kneser-Ney",
                found["test"] / ngrams["test"],
                found["test"] < ngrams["test"],
                f"{found['test']:.3f}, 5-gram {ngrams['test']:.3f}",
            )
            for name, found in neural.items()
        ],
        notes=notes,
        samples={"neural": neural, "ngrams": ngrams, "settings": {**COMMON, **MODELS}},
        packages=["torch"],
        quick=given.quick,
    )


if __name__ == "__main__":
    main()
