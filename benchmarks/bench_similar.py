"""The nearest words, and files of vectors, against gensim: the same answers, and how fast.

    python benchmarks/bench_similar.py [--quick] [--rounds 5] [--rows 400000] [--dim 300] [--threads 2]

* Vectors are made here (normal, with a falling spectrum as trained ones have, lengths from 0.5 to 2), so no
  corpus is needed. Queries are the top 10 of one word, and analogies of three; both libraries use the threads
  given, and what each makes before its first query (norms; norms, 8-bit and 4-bit copies) is timed apart.
* gensim answers one query a call. nlptk answers one a call (`most_similar`) and many (`most_similar_batch`).
* Identity: words and their order for every query that is timed and more; scores within 1e-5. Where gensim's
  own float32 scores of two words differ by less than 1e-6 their order may differ; such queries are counted.
* Files: 110,000 x 100 as text, written and read by each.
"""

from __future__ import annotations

import itertools
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from common import has_peer, in_turn, median, parser, save, say, table, target

REACH = 10.0
TOP = 10
BATCH = 256


def vectors(rows: int, dim: int) -> Any:
    """Rows with a falling spectrum and different lengths."""
    import numpy as np

    rng = np.random.default_rng(1)
    made = rng.standard_normal((rows, dim), np.float32)
    made *= (1 / np.sqrt(1 + np.arange(dim) / 20)).astype(np.float32)
    made *= (rng.uniform(0.5, 2, (rows, 1)) / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)
    return made


def differing(mine: list[Any], theirs: list[Any]) -> tuple[int, int]:
    """Queries whose words or order differ: where scores tell, and where gensim's are within 1e-6."""
    different = ties = 0
    for a, b in zip(mine, theirs, strict=True):
        assert all(abs(x - y) < 1e-5 for (_, x), (_, y) in zip(a, b, strict=True))
        if [word for word, _ in a] == [word for word, _ in b]:
            continue
        scores = [score for _, score in b]
        near = any(x - y < 1e-6 for x, y in itertools.pairwise(scores))
        ties += near
        different += not near
    return different, ties


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--rows", type=int, default=400_000)
    options.add_argument("--dim", type=int, default=300)
    options.add_argument("--threads", type=int, default=2)
    given = options.parse_args()
    if not has_peer("gensim", "word vectors"):
        return
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NLPTK_NUM_THREADS"):
        os.environ[name] = str(given.threads)
    if given.quick:
        given.rows, given.rounds = 20_000, 2
    import gensim
    import numpy as np

    from nlptk import KeyedVectors

    matrix = vectors(given.rows, given.dim)
    words = [f"w{i}" for i in range(given.rows)]
    rng = np.random.default_rng(2)
    singles = [words[i] for i in rng.integers(0, given.rows, BATCH)]
    triples = [[words[i] for i in rng.integers(0, given.rows, 3)] for _ in range(BATCH)]
    analogies = [{"positive": triple[:2], "negative": triple[2:]} for triple in triples]

    peer = gensim.models.KeyedVectors(given.dim)
    peer.add_vectors(words, matrix)
    ours = KeyedVectors(words, matrix)
    small = ours.quantize()
    first: dict[str, float] = {}
    for name, prepare in {
        "gensim": peer.fill_norms,
        "nlptk": lambda: ours.most_similar("w1"),
        "nlptk, 8 bits": lambda: small.most_similar("w1"),
    }.items():
        start = time.perf_counter()
        prepare()
        first[name] = time.perf_counter() - start

    some = 8 if given.quick else 20
    say("speed")
    contestants = {
        "gensim": lambda: [peer.most_similar(word, topn=TOP) for word in singles[:some]],
        "nlptk": lambda: [ours.most_similar(word, topn=TOP) for word in singles[: 5 * some]],
        "nlptk, 8 bits": lambda: [small.most_similar(word, topn=TOP) for word in singles[: 5 * some]],
        "nlptk, batch": lambda: ours.most_similar_batch(singles, TOP),
        "nlptk, 8 bits, batch": lambda: small.most_similar_batch(singles, TOP),
        "gensim, 3CosMul": lambda: [peer.most_similar_cosmul(**query) for query in analogies[:4]],
        "nlptk, 3CosMul": lambda: [ours.most_similar_cosmul(**query) for query in analogies[:4]],
        "nlptk, 3CosMul, batch": lambda: ours.most_similar_batch(analogies, TOP, multiply=True),
    }
    counts = {
        name: BATCH if "batch" in name else 4 if "3CosMul" in name else 5 * some if "nlptk" in name else some
        for name in contestants
    }
    seconds = in_turn(contestants, given.rounds, pause=0.03)
    rates = {name: counts[name] / median(times) for name, times in seconds.items()}

    say("identity")
    checked = BATCH // 4 if given.quick else BATCH
    theirs = [peer.most_similar(word, topn=TOP) for word in singles[:checked]]
    theirs += [peer.most_similar(**query, topn=TOP) for query in analogies[:checked]]
    mine = ours.most_similar_batch([*singles[:checked], *analogies[:checked]], TOP)
    one = [ours.most_similar(word, topn=TOP) for word in singles[:checked]]
    different, ties = differing(mine, theirs)
    different += sum(a != b for a, b in zip(one, mine[:checked], strict=True))
    few = analogies[: max(4, checked // 8)]
    theirs = [peer.most_similar_cosmul(**query, topn=TOP) for query in few]
    more, more_ties = differing(ours.most_similar_batch(few, TOP, multiply=True), theirs)
    different, ties = different + more, ties + more_ties

    say("files")
    size = 5_000 if given.quick else 110_000
    rows = np.ascontiguousarray(matrix[:size, :100])
    wv, mine_file = gensim.models.KeyedVectors(rows.shape[1]), KeyedVectors(words[: len(rows)], rows)
    wv.add_vectors(words[: len(rows)], rows)
    with tempfile.TemporaryDirectory() as folder:
        text, own = str(Path(folder) / "a.txt"), str(Path(folder) / "a.safetensors")
        mine_file.save(own)
        files = in_turn(
            {
                "write, gensim": lambda: wv.save_word2vec_format(text),
                "write, nlptk, all digits": lambda: mine_file.save(text, digits=0),
                "write, nlptk, 6 digits": lambda: mine_file.save(text),
                "read, gensim": lambda: gensim.models.KeyedVectors.load_word2vec_format(text),
                "read, nlptk": lambda: KeyedVectors.load(text),
                "read, nlptk, mapped": lambda: KeyedVectors.load(own),
            },
            1,
            warmup=0,
        )
    base = {name: rates["gensim, 3CosMul" if "3CosMul" in name else "gensim"] for name in rates}
    ratio = rates["nlptk"] / rates["gensim"]
    batch = rates["nlptk, batch"] / rates["gensim"]
    shape = f"{given.rows:,} x {given.dim}"
    save(
        "similar",
        "Nearest words",
        tables=[
            table(
                f"Queries a second, top {TOP} of {shape}, {given.threads} threads, medians",
                ["contestant", "queries/s", "ms a query", "times gensim"],
                [
                    [name, f"{rate:,.1f}", f"{1000 / rate:.2f}", f"{rate / base[name]:.1f}"]
                    for name, rate in rates.items()
                ],
            ),
            table(
                "Seconds before the first query",
                ["contestant", "seconds"],
                [[name, f"{value:.2f}"] for name, value in first.items()],
            ),
            table(
                f"Seconds for a text file of {len(rows):,} x {rows.shape[1]}",
                ["contestant", "seconds"],
                [[name, f"{median(times):.3f}"] for name, times in files.items()],
            ),
        ],
        targets=[
            target(
                f"most_similar, top {TOP} over {shape}, against gensim",
                f"identical answers, >= {REACH:.0f} times the queries a second",
                ratio,
                ratio >= REACH and different == 0,
                f"{ratio:.1f} times one at a time, {batch:.1f} times in batches of {BATCH}; "
                f"{different} answers differ ({ties} more only where scores are within 1e-6)",
            )
        ],
        notes=[" ".join(part.split()) for part in (__doc__ or "").split("\n* ")[1:]],
        samples={"rates": rates, "first": first, "files": files, "different": different, "ties": ties},
        packages=["gensim"],
        quick=given.quick,
    )


if __name__ == "__main__":
    main()
