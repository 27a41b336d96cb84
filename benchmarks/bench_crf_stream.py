"""Training of the CRF tagger from a file that need not fit memory: peak memory, speed, accuracy on EWT dev.

    python benchmarks/bench_crf_stream.py [--sentences 100000 300000 1000000] [--passes 2] [--hash-bits 22]

The file is EWT's training sentences over and over, each time shuffled with its own seed, written to a
temporary folder. Each length is trained on in a process of its own, whose peak resident memory is the
kernel's count (ru_maxrss). The first pass reads CoNLL-U, later ones a binary copy. Repeated sentences bring
no new features and no new knowledge: memory and speed are what the lengths compare. Speeds are by the clock
and by CPU seconds of all threads, which other work on the machine disturbs less. Accuracy is compared on the
training set as it is, with training in memory.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common import Worker, parse, parser, save, say, serve, table, target

TRAIN, DEV = "ud-english-ewt/en_ewt-ud-train.conllu.gz", "ud-english-ewt/en_ewt-ud-dev.conllu.gz"
SPEEDS = ("first pass, tokens/s", "of CPU", "later, tokens/s", "of CPU")


def write_corpus(sentences: list[str], count: int, path: Path) -> None:
    """`count` sentences of CoNLL-U, whole shuffles of the given ones and a part of the last."""
    with path.open("w", encoding="utf-8") as file:
        for times in range(-(-count // len(sentences))):
            left = count - times * len(sentences)
            shuffled = random.Random(times).sample(sentences, len(sentences))[:left]
            file.write("".join(shuffled))


def accuracy(tagger: Any, dev: Path) -> float:
    from nlptk.corpora import read_docs
    from nlptk.tag.features import TokenBatch

    docs = list(read_docs(dev, None, "pos"))
    gold = [label for doc in docs for label in doc.column("pos")]
    found = tagger.predict_batch(TokenBatch.from_docs(docs)).tolist()
    return sum(tagger.classes_[label] == tag for label, tag in zip(found, gold, strict=True)) / len(gold)


def train(task: dict[str, Any]) -> dict[str, Any]:
    """One training, in this process: seconds of the passes, tokens, peak memory in MiB, accuracy on dev."""
    from nlptk.corpora import read_docs
    from nlptk.tag.crf import CRFTagger
    from nlptk.tag.features import TokenBatch

    start, cpu_start = time.perf_counter(), time.process_time()
    if task["passes"] is None:
        docs = list(read_docs(task["train"], None, "pos"))
        labels = [label for doc in docs for label in doc.column("pos")]
        tagger = CRFTagger().fit_batch(TokenBatch.from_docs(docs), labels)
        ends, cpu_ends, tokens = [time.perf_counter()], [time.process_time()], len(labels)
    else:
        times: dict[int, tuple[float, float, int]] = {}  # of each pass: when it ended, and its tokens

        def note(info: dict[str, Any]) -> None:
            times[info["iteration"]] = (time.perf_counter(), time.process_time(), info["tokens"])

        options = {"passes": task["passes"], "hash_bits": task["hash_bits"]}
        tagger = CRFTagger().fit_stream(task["train"], **options, progress=note)
        ends, cpu_ends = ([entry[i] for entry in times.values()] for i in (0, 1))
        tokens = times[1][2]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1 << 20)
    return {
        "seconds": [end - begin for begin, end in zip([start, *ends], ends, strict=False)],
        "cpu_seconds": [end - begin for begin, end in zip([cpu_start, *cpu_ends], cpu_ends, strict=False)],
        "tokens": tokens,
        "peak_mib": peak,
        "features": len(tagger.weights_.keys),
        "accuracy": accuracy(tagger, Path(task["dev"])),
    }


def measure(train_path: Path, dev: Path, passes: int | None, hash_bits: int) -> dict[str, Any]:
    with Worker(__file__, ["--worker"], threads=2) as process:
        task = {"train": str(train_path), "dev": str(dev), "passes": passes, "hash_bits": hash_bits}
        found: dict[str, Any] = process.ask(task)
    say(json.dumps({"passes": passes, "hash_bits": hash_bits, **found}))
    return found


def main() -> None:
    made = parser(__doc__ or "")
    made.add_argument("--sentences", type=int, nargs="+", default=[100_000, 300_000, 1_000_000])
    made.add_argument("--passes", type=int, default=2)
    made.add_argument("--hash-bits", type=int, default=22)
    given = parse(made)
    lengths = [2_000, 6_000] if given.quick else given.sentences
    from nlptk.corpora import conllu

    train_path, dev = given.data / TRAIN, given.data / DEV
    memory = measure(train_path, dev, None, 0)
    once = {bits: measure(train_path, dev, 5, bits) for bits in ((22,) if given.quick else (18, 20, 22))}
    sentences = [str(sentence) for sentence in conllu.read(train_path)]
    rows: dict[int, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="nlptk-bench-") as folder:
        path = Path(folder) / "train.conllu"
        for count in lengths:
            write_corpus(sentences, count, path)
            size = path.stat().st_size / (1 << 20)
            rows[count] = {"file_mib": size, **measure(path, dev, given.passes, given.hash_bits)}
    first, last = rows[lengths[0]], rows[lengths[-1]]
    growth = last["peak_mib"] / first["peak_mib"]
    best = once[22]["accuracy"]
    save(
        "crf_stream",
        "Training of the CRF tagger from a stream",
        quick=given.quick,
        samples={
            "in_memory": memory,
            "ewt": {str(bits): found for bits, found in once.items()},
            "lengths": {str(count): found for count, found in rows.items()},
        },
        notes=[" ".join(part.split()) for part in (__doc__ or "").split("\n\n")[2:]],
        targets=[
            target(
                f"peak memory at {lengths[-1]:,} sentences over that at {lengths[0]:,}",
                "at most 1.1",
                growth,
                growth <= 1.1,
                f"{growth:.2f}",
            ),
            target(
                "UPOS accuracy on EWT dev, 5 passes from the file, less that in memory",
                "at least -0.002",
                best - memory["accuracy"],
                best - memory["accuracy"] >= -0.002,
                f"{best:.4f} against {memory['accuracy']:.4f}",
            ),
        ],
        tables=[
            table(
                f"By length of the file ({given.passes} passes, 2^{given.hash_bits} rows)",
                ("sentences", "file, MiB", "peak, MiB", *SPEEDS, "dev"),
                [
                    (
                        f"{count:,}",
                        f"{row['file_mib']:.0f}",
                        f"{row['peak_mib']:.0f}",
                        *(
                            f"{row['tokens'] / row[clock][number]:,.0f}"
                            for number in (0, -1)
                            for clock in ("seconds", "cpu_seconds")
                        ),
                        f"{row['accuracy']:.4f}",
                    )
                    for count, row in rows.items()
                ],
            ),
            table(
                "On EWT as it is",
                ("training", "features kept", "seconds", "peak, MiB", "dev"),
                [
                    (
                        name,
                        f"{row['features']:,}",
                        f"{sum(row['seconds']):.1f}",
                        f"{row['peak_mib']:.0f}",
                        f"{row['accuracy']:.4f}",
                    )
                    for name, row in [
                        ("in memory, 30 passes", memory),
                        *((f"stream, 5 passes, 2^{bits} rows", row) for bits, row in once.items()),
                    ]
                ],
            ),
        ],
    )


if __name__ == "__main__":
    if "--worker" in sys.argv:
        serve(train)
    else:
        main()
