"""BPE: training against tokenizers; encoding against tokenizers, tiktoken and rs_bpe; long runs; identity.

    python benchmarks/bench_bpe.py [--quick] [--rounds 5] [--megabytes 12] [--part train|encode|runs|identity]

* Training: byte level, GPT-2's pattern, 32,000 tokens, from a file, each run in a process of its own with two
  threads. Seconds are of training alone; memory is the peak of the process above what it held before. Medians
  of three; the whole wiki text is learnt once. Merges and vocabulary are compared.
* Encoding: one line a call to a list of ids, in one thread; and all lines in one call with two threads. The
  contestants take turns. The 32,000 tokens were trained on the same language; cl100k and o200k are the
  published vocabularies, which rs_bpe carries. MB/s are of UTF-8.
* Long runs: one text of one letter, and of one emoji, and one of twice the length; the peers once.
* Identity: ids of every line of the wiki text in both languages and of EWT, for every pattern.
"""

from __future__ import annotations

import gzip
import itertools
import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bpe_report import tables_of, targets_of
from common import CACHE, environment, has_peer, in_turn, median, parse, parser, save, say

os.environ["TOKENIZERS_PARALLELISM"] = "true"  # of batches; encode() of one text uses one thread

LANGUAGES = {"English": ("en-simplewiki-text", "en-enwiki2014-text"), "Chinese": ("zh-zhwiki-text",)}
VOCABULARY = 32_000
BATCH = 4096


# ---- texts -------------------------------------------------------------------------------------------------


def lines_of(data: Path, folder: str) -> Iterator[str]:
    """The lines of all files of a corpus, each file in its order."""
    for path in sorted((data / folder).glob("*.gz")):
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
            if "conllu" in path.name:
                yield from (line[9:].rstrip("\n") for line in lines if line.startswith("# text = "))
            else:
                yield from (line.rstrip("\n") for line in lines)


def text_file(data: Path, language: str, megabytes: float | None) -> Path:
    """A plain file of the wiki text: the last corpus of the language, so many megabytes of it, or all."""
    name = f"wiki-{language.lower()}-{megabytes or 'all'}.txt"
    path = CACHE / name
    if not path.is_file():
        CACHE.mkdir(parents=True, exist_ok=True)
        folders = LANGUAGES[language] if megabytes is None else LANGUAGES[language][-1:]
        left = float("inf") if megabytes is None else megabytes * 1e6
        scratch = path.with_suffix(".tmp")
        with scratch.open("wb") as out:
            for line in itertools.chain.from_iterable(lines_of(data, folder) for folder in folders):
                left -= out.write(line.encode() + b"\n")
                if left <= 0:
                    break
        scratch.replace(path)
    return path


# ---- training ----------------------------------------------------------------------------------------------

TRAIN = {
    "nlptk": """
from nlptk import BPE
def train(path, size):
    return BPE.train(path, size, special_tokens=["<|endoftext|>"], threads=2)
def outcome(model):
    return model.vocab, [list(merge) for merge in model.merges]
""",
    "tokenizers": """
import json
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
def train(path, size):
    model = Tokenizer(models.BPE())
    model.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=size, show_progress=False, special_tokens=["<|endoftext|>"],
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    model.train([path], trainer)
    return model
def outcome(model):
    return model.get_vocab(), [list(merge) for merge in json.loads(model.to_str())["model"]["merges"]]
""",
}
MEASURE = """
import hashlib, json, resource, sys, time
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter()
model = train(sys.argv[1], int(sys.argv[2]))
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
vocab, merges = outcome(model)
digest = hashlib.sha256(json.dumps([sorted(vocab.items()), merges]).encode()).hexdigest()
print(json.dumps({"seconds": seconds, "MB": peak / 1024, "merges": len(merges), "sha256": digest}))
"""


def train_once(who: str, path: Path) -> dict[str, Any]:
    """Train in a fresh process."""
    code = "import sys; sys.path[:] = filter(None, sys.path)\n" + TRAIN[who] + MEASURE
    variables = {**environment(2), "RAYON_NUM_THREADS": "2"}
    command = [sys.executable, "-c", code, str(path), str(VOCABULARY)]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def training(data: Path, megabytes: float, whole: bool, rounds: int) -> list[dict[str, Any]]:
    """What each contestant needed for each text."""
    cases = [(language, megabytes) for language in LANGUAGES]
    cases += [(language, None) for language in LANGUAGES if whole]
    found = []
    for language, size in cases:
        path = text_file(data, language, size)
        runs: dict[str, list[dict[str, Any]]] = {who: [] for who in TRAIN}
        for _ in range(rounds if size else 1):
            for who in TRAIN:
                say("train", language, size or "all", who)
                runs[who].append(train_once(who, path))
        result: dict[str, Any] = {"text": f"{language}, {path.stat().st_size / 1e6:.0f} MB", "runs": runs}
        for what in ("seconds", "MB"):
            result[what] = {who: median(run[what] for run in runs[who]) for who in TRAIN}
        result["identical"] = len({run["sha256"] for who in TRAIN for run in runs[who]}) == 1
        result["whole"] = size is None
        found.append(result)
    return found


# ---- encoding ----------------------------------------------------------------------------------------------


def trained(data: Path, language: str, megabytes: float) -> Path:
    """A model of 32,000 tokens for the language, trained once."""
    from nlptk import BPE

    path = CACHE / f"bpe-{language.lower()}-{megabytes}.json"
    if not path.is_file():
        corpus = text_file(data, language, megabytes)
        BPE.train(corpus, VOCABULARY, special_tokens=["<|endoftext|>"]).save(path)
    return path


def published() -> dict[str, dict[bytes, int]]:
    """The vocabularies of cl100k and o200k out of rs_bpe: token -> rank."""
    from rs_bpe import openai

    sizes = {"cl100k": 100_256, "o200k": 199_998}
    return {
        name: {bytes(getattr(openai, f"{name}_base")().bpe().decode_tokens([i])): i for i in range(size)}
        for name, size in sizes.items()
    }


def peer_of_ranks(ranks: dict[bytes, int], pattern: str) -> Any:
    """tiktoken with these ranks, and the pattern in its own spelling."""
    import tiktoken

    from nlptk.tokenize.pretokenizers import PATTERNS

    return tiktoken.Encoding("peer", pat_str=PATTERNS[pattern], mergeable_ranks=ranks, special_tokens={})


def ranks_of(model: Any) -> dict[bytes, int]:
    """The ids of a trained model as ranks, its special token left out."""
    from nlptk.tokenize.bpe_formats import hide_bytes

    special = {token.content for token in model.special_tokens}
    return {hide_bytes(t) or b"": n for t, n in model.vocab.items() if t not in special}


def each(encode: Callable[[str], Any], lines: list[str]) -> None:
    """Encode line after line; results are dropped at once, as in a stream."""
    deque(map(encode, lines), maxlen=0)


def encoding(data: Path, megabytes: float, rounds: int) -> list[dict[str, Any]]:
    """MB/s of each contestant for each vocabulary and language."""
    import rs_bpe
    import tokenizers

    from nlptk import BPE

    os.environ["RAYON_NUM_THREADS"] = "2"
    found = []
    for language in LANGUAGES:
        lines = text_file(data, language, megabytes).read_text("utf-8").split("\n")
        size = sum(len(line.encode()) for line in lines)
        path = trained(data, language, megabytes)
        ours, theirs = BPE.load(path, threads=2), tokenizers.Tokenizer.from_file(str(path))
        tiktoken = peer_of_ranks(ranks_of(ours), "gpt2")
        contestants: dict[str, Callable[[], Any]] = {
            "nlptk": lambda ours=ours, lines=lines: each(ours.encode, lines),
            "tiktoken": lambda peer=tiktoken, lines=lines: each(peer.encode_ordinary, lines),
            "tokenizers": lambda peer=theirs, lines=lines: each(peer.encode, lines),
            "nlptk, batch": lambda ours=ours, lines=lines: ours.encode_batch(lines),
            "tokenizers, batch": lambda peer=theirs, lines=lines: peer.encode_batch_fast(lines),
        }
        say("encode", language, "32,000 tokens")
        found.append(rates(f"{language}, trained, 32,000 tokens", contestants, size, rounds))
        for name, ranks in published().items():
            model, peer = BPE.from_ranks(ranks, pattern=name, threads=2), peer_of_ranks(ranks, name)
            crate = getattr(rs_bpe.openai, f"{name}_base")()
            contestants = {
                "nlptk": lambda ours=model, lines=lines: each(ours.encode, lines),
                "tiktoken": lambda peer=peer, lines=lines: each(peer.encode_ordinary, lines),
                "rs_bpe": lambda peer=crate, lines=lines: each(peer.encode, lines),
                "nlptk, batch": lambda ours=model, lines=lines: ours.encode_batch(lines),
            }
            say("encode", language, name)
            found.append(rates(f"{language}, {name}, {len(ranks):,} tokens", contestants, size, rounds))
    return found


def rates(name: str, contestants: dict[str, Callable[[], Any]], size: int, rounds: int) -> dict[str, Any]:
    """MB/s from medians."""
    seconds = in_turn(contestants, rounds)
    return {"text": name, "MB/s": {who: size / 1e6 / median(times) for who, times in seconds.items()}}


# ---- long runs ---------------------------------------------------------------------------------------------


def long_runs(megabytes: float) -> list[dict[str, Any]]:
    """Seconds for a run and for one of twice the length, cl100k's vocabulary; the peers' for the first."""
    import tokenizers

    from nlptk import BPE

    ranks = published()["cl100k"]
    model, tiktoken = BPE.from_ranks(ranks, pattern="cl100k"), peer_of_ranks(ranks, "cl100k")
    theirs = tokenizers.Tokenizer.from_str(json.dumps(model.to_json()))
    found = []
    for name, unit in (("the letter a", "a"), ("the emoji 😀", "😀")):
        say("run of", name)
        run = unit * int(megabytes * 1e6 / len(unit.encode()))
        assert model.encode(run) == tiktoken.encode_ordinary(run)
        seconds = in_turn(
            {"once": lambda t=run: model.encode(t), "twice": lambda t=run * 2: model.encode(t)}, 5
        )
        peers: dict[str, Callable[[], Any]] = {
            "tiktoken": lambda t=run: tiktoken.encode_ordinary(t),
            "tokenizers": lambda t=run: theirs.encode(t),
        }
        seconds.update(in_turn(peers, 1, warmup=0))
        found.append(
            {"text": name, "MB": megabytes, **{who: median(times) for who, times in seconds.items()}}
        )
    return found


# ---- identity ----------------------------------------------------------------------------------------------


def identity(data: Path, most: int | None) -> list[dict[str, Any]]:
    """Lines whose ids differ, for each pattern and corpus; the vocabulary is trained on both languages."""
    import tokenizers

    from nlptk import BPE

    lines = itertools.chain.from_iterable(
        text_file(data, language, 4.0).read_text("utf-8").splitlines(keepends=True) for language in LANGUAGES
    )
    base = BPE.train(lines, VOCABULARY)
    found = []
    corpora = {**LANGUAGES, "EWT": ("ud-english-ewt",)}
    for pattern in ("gpt2", "cl100k", "o200k", "llama3", "qwen2"):
        ours = BPE(base.vocab, base.merges, pattern=pattern)
        peer = peer_of_ranks(ranks_of(ours), pattern)
        other = tokenizers.Tokenizer.from_str(json.dumps(ours.to_json()))
        for name, folders in corpora.items():
            say("identity", pattern, name)
            stream = itertools.chain.from_iterable(lines_of(data, folder) for folder in folders)
            stream = itertools.islice(stream, most)
            seen = {"pattern": pattern, "text": name, "lines": 0, "ids": 0, "tiktoken": 0, "tokenizers": 0}
            while batch := list(itertools.islice(stream, BATCH)):
                mine = ours.encode_batch(batch)
                theirs = peer.encode_ordinary_batch(batch, num_threads=2)
                third = other.encode_batch_fast(batch, add_special_tokens=False)
                seen["lines"] += len(batch)
                seen["ids"] += sum(map(len, mine))
                seen["tiktoken"] += sum(a != b for a, b in zip(mine, theirs, strict=True))
                seen["tokenizers"] += sum(a != b.ids for a, b in zip(mine, third, strict=True))
            found.append(seen)
    return found


def main() -> None:
    """Run the parts that were asked for and save what they found."""
    options = parser(__doc__ or "")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--megabytes", type=float, default=12.0, help="of each language, for what is timed")
    options.add_argument("--part", choices=("train", "encode", "runs", "identity"), help="only this part")
    given = parse(options)
    if not all(has_peer(peer, "BPE") for peer in ("tokenizers", "tiktoken", "rs_bpe")):
        return
    size = 2.0 if given.quick else given.megabytes
    parts: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "train": lambda: training(given.data, size, not given.quick, 1 if given.quick else 3),
        "encode": lambda: encoding(given.data, size, 2 if given.quick else given.rounds),
        "runs": lambda: long_runs(1.0 if given.quick else 10.0),
        "identity": lambda: identity(given.data, 3000 if given.quick else None),
    }
    samples = {name: run() for name, run in parts.items() if given.part in (None, name)}
    save(
        "bpe" if given.part is None else f"bpe_{given.part}",
        "Byte-pair encoding" if given.part is None else f"Byte-pair encoding: {given.part}",
        tables=tables_of(samples),
        targets=targets_of(samples),
        notes=[" ".join(part.split()) for part in (__doc__ or "").split("* ")[1:]],
        samples=samples,
        packages=["tokenizers", "tiktoken", "rs_bpe"],
        quick=given.quick,
    )


if __name__ == "__main__":
    main()
