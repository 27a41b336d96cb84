"""Phrases against gensim's: the same phrases and joined text, how fast, and in how much memory.

    python benchmarks/bench_phrases.py [--quick] [--rounds 3] [--lines N]

The corpus is both English wiki folders, lower-cased, letters only with digits
spelled out, a paragraph a line, as one plain file.
Each contestant is a process of its own, in turn: it finds the phrases of the file (default score, min_count
5, threshold 10), and writes the file with phrases joined. Seconds are of the work, without Python's start and
imports; memory is the peak of the process. Identity: the joined files are compared byte by byte.
"""

from __future__ import annotations

import tempfile
from itertools import islice
from pathlib import Path
from typing import Any

from common import fresh, has_peer, median, parse, parser, save, say, table, target
from wiki import english_lines

REACH = 8.0

_TIMED = """
import json, resource, time
{setup}
start, busy = time.perf_counter(), time.process_time()
{learn}
learned, busy = time.perf_counter(), time.process_time() - busy
{join}
joined = time.perf_counter()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({{"learn": learned - start, "CPU": busy, "join": joined - learned, "MiB": peak}}))
"""
_NLPTK = {
    "setup": """
from nlptk.vectors.phrases import Phrases
from nlptk.corpora.files import open_text""",
    "learn": "model = Phrases(threads={threads}).fit({corpus!r})",
    "join": """
with open_text({corpus!r}) as reader, open({out!r}, "w", encoding="utf-8") as file:
    file.writelines(model.join_lines(reader))
""",
}
_GENSIM = {
    "setup": """
from gensim.models.phrases import Phrases
from gensim.models.word2vec import LineSentence""",
    "learn": "model = Phrases(LineSentence({corpus!r}))",
    "join": """
with open({out!r}, "w", encoding="utf-8") as file:
    for sentence in LineSentence({corpus!r}):
        file.write(" ".join(model[sentence]) + "\\n")""",
}


def timed(parts: dict[str, str], **values: Any) -> dict[str, Any]:
    """One run in a process of its own."""
    return fresh(_TIMED.format(**{name: code.format(**values) for name, code in parts.items()}))


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--lines", type=int, default=None, help="of the corpus; else all")
    given = parse(options)
    if not has_peer("gensim", "its phrases"):
        return
    lines = 3000 if given.quick else given.lines
    rounds = 1 if given.quick else given.rounds
    runs: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "wiki.txt"
        with corpus.open("w", encoding="utf-8") as file:
            file.writelines(islice(english_lines(given.data), lines))
        words = sum(len(line.split()) for line in corpus.open(encoding="utf-8"))
        outs = {name: Path(folder) / f"{name}.txt" for name in ("nlptk-1", "nlptk-2", "gensim")}
        for number in range(rounds):
            for name, out in outs.items():
                say("round", number + 1, name)
                parts = _GENSIM if name == "gensim" else _NLPTK
                found = timed(parts, corpus=str(corpus), out=str(out), threads=name[-1])
                runs.setdefault(name, []).append(found)
        same = len({out.read_bytes() for out in outs.values()}) == 1
    middle = {
        name: {key: median(run[key] for run in found) for key in ("learn", "CPU", "join", "MiB")}
        for name, found in runs.items()
    }
    names = {"nlptk-1": "nlptk, 1 thread", "nlptk-2": "nlptk, 2 threads", "gensim": "gensim"}
    rows = [
        [
            title,
            f"{middle[name]['learn']:.2f}",
            f"{middle[name]['CPU']:.2f}",
            f"{words / middle[name]['learn'] / 1e6:.2f}",
            f"{middle[name]['join']:.2f}",
            f"{middle['gensim']['learn'] / middle[name]['learn']:.1f} times",
            f"{middle[name]['MiB']:,.0f}",
        ]
        for name, title in names.items()
    ]
    ratio = middle["gensim"]["learn"] / middle["nlptk-2"]["learn"]
    columns = ["", "finding, s", "of CPU", "million words/s", "joining, s", "finding, ratio", "peak, MiB"]
    save(
        "phrases",
        "Phrases",
        tables=[table(f"{words / 1e6:.1f} million words, medians of {rounds}", columns, rows)],
        targets=[
            target(
                "finding phrases, 2 threads, against gensim",
                f">= {REACH:.0f} times, the same joined text",
                ratio,
                ratio >= REACH and same,
                f"{ratio:.1f} times; the joined text is {'the same' if same else 'NOT the same'}",
            )
        ],
        notes=[" ".join(part.split()) for part in (__doc__ or "").split("\n\n")[2:]],
        samples=runs,
        packages=["gensim"],
        quick=given.quick,
    )


if __name__ == "__main__":
    main()
