"""Words a second of `nlp.pipe` with the whole embedded `en` on Wikipedia text, against spaCy.

    python benchmarks/bench_pipeline.py [--quick] [--model en] [--words 120000] [--rounds 5]

The peer is spaCy's tokenizer and CNN tagger, trained on the same treebank (see spacy_tagger.py). Every
contestant has a process of its own, and they take turns; each round has text that none has seen, for spaCy's
tokenizer remembers words. A word is what white space separates, the same count for all. nlptk
takes a second core by threads, spaCy by processes (`n_process=2`).
"""

from __future__ import annotations

import contextlib
import gzip
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common import Worker, has_peer, machine, median, parse, parser, save, say, serve, table, target
from spacy_tagger import accuracy, gold_docs, trained_tagger

SPACY_TAGGER = ("spacy", "spacy 2", "spacy 2 processes")
REACH = 10.0  # times spaCy's tagger, one process each


# ---- in the contestants' processes -------------------------------------------------------------------------


def rounds_of_text(data: Path, words: int) -> Iterator[list[str]]:
    """Paragraphs of the English Wikipedia text, so many that they hold this many words; again and again."""
    texts: list[str] = []
    missing = words
    for path in sorted((data / "en-enwiki2014-text").glob("*.txt.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                texts.append(line.rstrip("\n"))
                missing -= len(line.split())
                if missing <= 0:
                    yield texts
                    texts, missing = [], words


def serve_nlptk(model: str, data: Path, words: int, part: str) -> None:
    """Answer with the seconds of a run and of each component in it, and the numbers of words and tokens.

    `part`: "all" of the pipeline, "pos" (what finds words and UPOS) or "rules" (the rule-based tokenizer).
    """
    import nlptk

    rounds = rounds_of_text(data, words)
    nlp = nlptk.blank("en") if part == "rules" else nlptk.load(model)
    if part == "pos":
        keep = {"doc.tokens", "doc.sents", "doc.pos"}
        assigns = {name: set(pipe["assigns"]) for name, pipe in nlp.analyze_pipes()["summary"].items()}
        nlp.select_pipes(enable=[name for name, columns in assigns.items() if columns & keep])
    shares: dict[str, float] = {}
    for name, component in nlp.pipeline:
        component.annotate = _timed(component.annotate, name, shares)

    def run(_: Any) -> dict[str, Any]:
        shares.update(dict.fromkeys(nlp.pipe_names, 0.0))
        return {**_run(nlp.pipe, next(rounds)), "shares": dict(shares)}

    serve(run)


def serve_spacy(folder: Path, data: Path, words: int, part: str, processes: int) -> None:
    """The same for spaCy. `part`: "all" or "tokenizer"."""
    import spacy

    rounds = rounds_of_text(data, words)
    nlp = spacy.load(folder)

    def pipe(texts: list[str]) -> Iterator[Any]:
        return nlp.tokenizer.pipe(texts) if part == "tokenizer" else nlp.pipe(texts, n_process=processes)

    serve(lambda _: _run(pipe, next(rounds)))


def _run(pipe: Callable[[list[str]], Iterator[Any]], texts: list[str]) -> dict[str, Any]:
    start, start_cpu = time.perf_counter(), time.process_time()
    tokens = sum(len(doc) for doc in pipe(texts))
    cpu = time.process_time() - start_cpu
    seconds = time.perf_counter() - start
    words = sum(len(text.split()) for text in texts)
    return {"seconds": seconds, "cpu": cpu, "tokens": tokens, "words": words}


def _timed(annotate: Callable[[Any], None], name: str, shares: dict[str, float]) -> Callable[[Any], None]:
    def timed(docs: Any) -> None:
        start = time.perf_counter()
        annotate(docs)
        shares[name] += time.perf_counter() - start

    return timed


# ---- the parent --------------------------------------------------------------------------------------------


@dataclass
class Contestant:
    """One way of annotating the text, and its runs: seconds, cpu, words, tokens, and nlptk's shares."""

    what: str
    arguments: list[str]
    cores: int
    runs: list[dict[str, Any]] = field(default_factory=list)

    def speeds(self, clock: str = "seconds") -> list[float]:
        """Words a second of each run; a second of the wall clock, or of "cpu"."""
        return [run["words"] / run[clock] for run in self.runs]

    def times(self, other: Contestant) -> float:
        """How many times faster than another, the median over the rounds."""
        return median(a / b for a, b in zip(self.speeds(), other.speeds(), strict=True))

    def total(self, clock: str = "seconds") -> float:
        """Seconds of all runs."""
        return float(sum(run[clock] for run in self.runs))


def contestants(model: str, folder: Path | None, cores: int) -> dict[str, Contestant]:
    """All who take part, by a short key; spaCy only where its tagger is there."""
    found = {
        "nlptk": Contestant(f"nlptk `{model}`, whole pipeline", ["nlptk", model, "all", "1"], 1),
        "nlptk pos": Contestant("nlptk, words and UPOS alone", ["nlptk", model, "pos", "1"], 1),
        "nlptk rules": Contestant("nlptk, rule-based tokenizer alone", ["nlptk", model, "rules", "1"], 1),
    }
    if folder is not None:
        spacy = ["spacy", str(folder)]
        found["spacy"] = Contestant("spaCy, tokenizer and CNN tagger", [*spacy, "all", "1"], 1)
        found["spacy tokenizer"] = Contestant("spaCy, tokenizer alone", [*spacy, "tokenizer", "1"], 1)
    if cores > 1:
        what = f"nlptk `{model}`, whole pipeline, one process"
        found["nlptk 2"] = Contestant(what, ["nlptk", model, "all", "1"], 2)
        if folder is not None:
            what = "spaCy, tokenizer and CNN tagger"
            found["spacy 2"] = Contestant(f"{what}, one process", [*spacy, "all", "1"], 2)
            found["spacy 2 processes"] = Contestant(f"{what}, `n_process=2`", [*spacy, "all", "2"], 2)
    return found


def peer_of(found: dict[str, Contestant], cores: int) -> Contestant | None:
    """spaCy on so many cores, in whichever way it is faster."""
    ways = [c for key, c in found.items() if key in SPACY_TAGGER and c.cores == cores]
    return max(ways, key=lambda c: median(c.speeds()), default=None)


def measure(found: dict[str, Contestant], data: Path, words: int, rounds: int) -> None:
    """Start a process for each contestant and let them take turns; the first round warms up."""
    with contextlib.ExitStack() as stack:
        workers = {
            key: stack.enter_context(
                Worker(__file__, ["--serve", str(data), str(words), *c.arguments], c.cores)
            )
            for key, c in found.items()
        }
        for number in range(rounds + 1):
            for key, worker in workers.items():
                answer = worker.ask("run")
                if number > 0:
                    found[key].runs.append(answer)
            say(f"round {number} of {rounds}: " + ("warmed up" if number == 0 else _last(found)))


def _last(found: dict[str, Contestant]) -> str:
    return ", ".join(f"{key} {c.speeds()[-1]:,.0f} words/s" for key, c in found.items())


def quality(model: str, folder: Path | None, data: Path) -> list[list[str]]:
    """UPOS accuracy on gold tokens and F1 of words from raw text, EWT test, of both."""
    import nlptk
    from nlptk.corpora import read_docs
    from nlptk.evaluation import evaluate
    from nlptk.scoring import segmentation_scores

    test = data / "ud-english-ewt" / "en_ewt-ud-test.conllu.gz"
    documents = list(read_docs(test, unit="document"))
    nlp = nlptk.load(model)
    tags = evaluate(nlp, read_docs(test), columns=["pos"])["upos_acc"]
    words = segmentation_scores(documents, list(nlp.pipe(doc.text for doc in documents))).words.f1
    rows = [[f"nlptk `{model}`", f"{tags:.4f}", f"{words:.4f}"]]
    if folder is not None:
        import spacy

        peer = spacy.load(folder)
        tags = accuracy(peer, list(gold_docs(test, peer.vocab)))
        docs = [nlptk.Doc.from_spacy(peer.tokenizer(doc.text)) for doc in documents]
        words = segmentation_scores(documents, docs).words.f1
        rows.append(["spaCy", f"{tags:.4f}", f"{words:.4f}"])
    return rows


def speed_rows(found: dict[str, Contestant]) -> list[list[str]]:
    """One row a contestant: cores, words a second (median, worst, best), the same of processor time where one
    process does it all, tokens a word, and times spaCy on as many cores.
    """
    rows = []
    for c in found.values():
        peer = peer_of(found, c.cores)
        speeds = c.speeds()
        span = f"{min(speeds):,.0f} to {max(speeds):,.0f}"
        busy = f"{median(c.speeds('cpu')):,.0f}" if c.cores == 1 else ""
        tokens = f"{c.total('tokens') / c.total('words'):.3f}"
        times = "" if peer is None else f"{c.times(peer):.1f}"
        rows.append([c.what, str(c.cores), f"{median(speeds):,.0f}", span, busy, tokens, times])
    return rows


def share_rows(found: dict[str, Contestant]) -> list[list[str]]:
    """Each component's share of the time of the whole pipeline, on one core, and microseconds a word."""
    whole = found["nlptk"]
    parts = {name: sum(run["shares"][name] for run in whole.runs) for name in whole.runs[0]["shares"]}
    parts["Docs and batches"] = whole.total() - sum(parts.values())
    rows = _shares("nlptk", parts, whole.total("words"))
    if "spacy" in found:
        tokenizer, everything = found["spacy tokenizer"].total(), found["spacy"].total()
        parts = {"tokenizer": tokenizer, "tagger and the rest": everything - tokenizer}
        rows += _shares("spaCy", parts, whole.total("words"))
    return rows


def _shares(who: str, parts: dict[str, float], words: float) -> list[list[str]]:
    total = sum(parts.values())
    return [
        [who, name, f"{part / total:.1%}", f"{part / words * 1e6:.2f} us"] for name, part in parts.items()
    ]


def main() -> None:
    """Measure and write results/pipeline.json."""
    options = parser(__doc__ or "")
    options.add_argument("--model", default="en", help="nlptk pipeline: name or folder")
    options.add_argument("--words", type=int, default=None, help="words of text a round (120000)")
    options.add_argument("--rounds", type=int, default=None, help="how many turns each (5)")
    given = parse(options)
    words = given.words or (10_000 if given.quick else 120_000)
    rounds = given.rounds or (2 if given.quick else 5)
    installed = has_peer("spacy", "spaCy's tokenizer and tagger")
    folder = trained_tagger(given.data, quick=given.quick) if installed else None
    found = contestants(given.model, folder, machine()["cores"])
    measure(found, given.data, words, rounds)
    targets = []
    if folder is not None:
        # The target is for one process: nlptk's uses every core; spaCy's has them too, but knows no threads.
        on_one = found["nlptk"].times(found["spacy"])
        ours, peer = (found.get(f"{who} 2", found[who]) for who in ("nlptk", "spacy"))
        ratio = ours.times(peer)
        shown = f"{ratio:.1f} times ({median(ours.speeds()):,.0f} words/s); on one core {on_one:.1f} times"
        what = f"`nlp.pipe`, whole embedded `en`, one process on {ours.cores} cores, against spaCy's tagger"
        targets.append(target(what, f">= {REACH:.0f} times", ratio, ratio >= REACH, shown))
    columns = [
        "what",
        "cores",
        "words/s",
        "worst to best round",
        "words per CPU second",
        "tokens a word",
        "times spaCy",
    ]
    save(
        "pipeline",
        "Speed of the whole pipeline",
        tables=[
            table(f"Words a second, {rounds} rounds of {words:,} words of Wikipedia", columns,
                  speed_rows(found)),
            table("Where the time goes, one core", ["", "component", "share", "time a word"],
                  share_rows(found)),
            table("Quality of both, EWT test", ["", "UPOS, gold tokens", "words F1, raw text"],
                  quality(given.model, folder, given.data)),
        ],
        targets=targets,
        notes=[
            "A word is what white space separates, the same count for all. Each round has text of its own.",
            "spaCy's tagger gives UPOS; nlptk's pipeline finds sentences, UPOS, XPOS and entities too.",
            "On two cores nlptk runs two threads; spaCy's tagger has none, and its `n_process=2` starts two "
            "processes each time, which is timed. Times spaCy: its faster way on as many cores.",
        ],
        samples={key: c.runs for key, c in found.items()},
        packages=["spacy", "thinc"],
        quick=given.quick,
    )  # fmt: skip


def run_worker(data: str, words: str, kind: str, model: str, part: str, cores: str) -> None:
    """A contestant's process."""
    if kind == "nlptk":
        serve_nlptk(model, Path(data), int(words), part)
    else:
        serve_spacy(Path(model), Path(data), int(words), part, int(cores))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        run_worker(*sys.argv[2:])
    else:
        main()
