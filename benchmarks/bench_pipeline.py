"""Words a second of `nlp.pipe` with the whole embedded `en` on Wikipedia text, against spaCy.

    python benchmarks/bench_pipeline.py [--quick] [--model en] [--words 120000] [--rounds 5]

The peer is spaCy's tokenizer and CNN tagger, trained on the same treebank (see spacy_tagger.py). Every
contestant has a process of its own, and they take turns. A word is what white space separates, the same
count for all. nlptk's second core is a second thread, spaCy's a second process (`n_process=2`), which is how
it uses one.
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

from common import Worker, has_peer, machine, median, parser, save, say, serve, table, target
from spacy_tagger import accuracy, gold_docs, trained_tagger

REACH = 10.0  # times spaCy's tagger, one core each


# ---- in the contestants' processes -------------------------------------------------------------------------


def paragraphs(data: Path, words: int) -> list[str]:
    """The first paragraphs of the English Wikipedia text that hold this many words."""
    texts: list[str] = []
    for path in sorted((data / "en-enwiki2014-text").glob("*.txt.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                if words <= 0:
                    return texts
                texts.append(line.rstrip("\n"))
                words -= len(line.split())
    return texts


def serve_nlptk(model: str, data: Path, words: int, part: str) -> None:
    """Answer with the seconds of a run, of each component in it, and the number of tokens.

    `part`: "all" of the pipeline, "pos" (what finds words and UPOS) or "rules" (the rule-based tokenizer).
    """
    import nlptk

    texts = paragraphs(data, words)
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
        return {**_run(nlp.pipe, texts), "shares": dict(shares)}

    serve(run)


def serve_spacy(folder: Path, data: Path, words: int, part: str, processes: int) -> None:
    """The same for spaCy. `part`: "all" or "tokenizer"."""
    import spacy

    texts = paragraphs(data, words)
    nlp = spacy.load(folder)

    def pipe(texts: list[str]) -> Iterator[Any]:
        return nlp.tokenizer.pipe(texts) if part == "tokenizer" else nlp.pipe(texts, n_process=processes)

    serve(lambda _: _run(pipe, texts))


def _run(pipe: Callable[[list[str]], Iterator[Any]], texts: list[str]) -> dict[str, Any]:
    start = time.perf_counter()
    tokens = sum(len(doc) for doc in pipe(texts))
    return {"seconds": time.perf_counter() - start, "tokens": tokens}


def _timed(annotate: Callable[[Any], None], name: str, shares: dict[str, float]) -> Callable[[Any], None]:
    def timed(docs: Any) -> None:
        start = time.perf_counter()
        annotate(docs)
        shares[name] += time.perf_counter() - start

    return timed


# ---- the parent --------------------------------------------------------------------------------------------


@dataclass
class Contestant:
    """One way of annotating the text, and what its runs gave."""

    what: str
    arguments: list[str]
    cores: int
    seconds: list[float] = field(default_factory=list)
    shares: list[dict[str, float]] = field(default_factory=list)
    tokens: int = 0

    def add(self, answer: dict[str, Any]) -> None:
        """Keep one run."""
        self.seconds.append(answer["seconds"])
        self.tokens = answer["tokens"]
        if "shares" in answer:
            self.shares.append(answer["shares"])


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
        found["nlptk 2"] = Contestant(f"nlptk `{model}`, whole pipeline", ["nlptk", model, "all", "2"], 2)
        if folder is not None:
            found["spacy 2"] = Contestant("spaCy, tokenizer and CNN tagger", [*spacy, "all", "2"], 2)
    return found


def measure(found: dict[str, Contestant], data: Path, words: int, rounds: int) -> None:
    """Start a process for each contestant and let them take turns; the first round only warms up."""
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
                    found[key].add(answer)
            say(f"round {number} of {rounds}: " + ("warmed up" if number == 0 else _last(found, words)))


def _last(found: dict[str, Contestant], words: int) -> str:
    return ", ".join(f"{key} {words / c.seconds[-1]:,.0f} words/s" for key, c in found.items())


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


def speed_rows(found: dict[str, Contestant], words: int) -> list[list[str]]:
    """One row a contestant: cores, words a second (median, worst, best), and times spaCy on as many cores."""
    rows = []
    for c in found.values():
        peer = found.get("spacy" if c.cores == 1 else "spacy 2")
        ratio = "" if peer is None else f"{median(peer.seconds) / median(c.seconds):.1f}"
        speed, worst, best = (words / f(c.seconds) for f in (median, max, min))
        rows.append(
            [c.what, str(c.cores), f"{speed:,.0f}", f"{worst:,.0f} to {best:,.0f}", f"{c.tokens:,}", ratio]
        )
    return rows


def share_rows(found: dict[str, Contestant]) -> list[list[str]]:
    """Each component's share of the time of the whole pipeline, on one core."""
    whole = found["nlptk"]
    total = median(whole.seconds)
    parts = {name: median([shares[name] for shares in whole.shares]) for name in whole.shares[0]}
    parts["Docs and batches"] = total - sum(parts.values())
    rows = [["nlptk", name, f"{part / total:.1%}", f"{part * 1e3:,.0f} ms"] for name, part in parts.items()]
    if "spacy" in found:
        all_of_it, first = (median(found[key].seconds) for key in ("spacy", "spacy tokenizer"))
        for name, part in {"tokenizer": first, "tagger and the rest": all_of_it - first}.items():
            rows.append(["spaCy", name, f"{part / all_of_it:.1%}", f"{part * 1e3:,.0f} ms"])
    return rows


def main() -> None:
    """Measure and write results/pipeline.json."""
    options = parser(__doc__ or "")
    options.add_argument("--model", default="en", help="nlptk pipeline: name or folder")
    options.add_argument("--words", type=int, default=None, help="how much text (120000)")
    options.add_argument("--rounds", type=int, default=None, help="how many turns each (5)")
    given = options.parse_args()
    words = given.words or (10_000 if given.quick else 120_000)
    rounds = given.rounds or (2 if given.quick else 5)
    installed = has_peer("spacy", "spaCy's tokenizer and tagger")
    folder = trained_tagger(given.data, quick=given.quick) if installed else None
    texts = paragraphs(given.data, words)
    words = sum(len(text.split()) for text in texts)
    say(f"{words:,} words in {len(texts):,} paragraphs")
    found = contestants(given.model, folder, machine()["cores"])
    measure(found, given.data, words, rounds)
    targets = []
    if folder is not None:
        ratio = median(found["spacy"].seconds) / median(found["nlptk"].seconds)
        speed = words / median(found["nlptk"].seconds)
        shown = f"{ratio:.1f} times ({speed:,.0f} words/s)"
        what = "`nlp.pipe`, whole embedded `en`, against spaCy's tokenizer and tagger, one core"
        targets.append(target(what, f">= {REACH:.0f} times", ratio, ratio >= REACH, shown))
    columns = ["what", "cores", "words/s", "worst to best round", "tokens found", "times spaCy"]
    save(
        "pipeline",
        "Speed of the whole pipeline",
        tables=[
            table(f"Words a second, {words:,} words of Wikipedia, {rounds} rounds", columns,
                  speed_rows(found, words)),
            table("Where the time goes, one core", ["", "component", "share", "time"], share_rows(found)),
            table("Quality of both, EWT test", ["", "UPOS, gold tokens", "words F1, raw text"],
                  quality(given.model, folder, given.data)),
        ],
        targets=targets,
        notes=[
            "A word is what white space separates; the same number of them for all.",
            "spaCy's tagger gives UPOS; nlptk's pipeline finds sentences, UPOS, XPOS and entities too.",
            "On two cores nlptk runs two threads, spaCy two processes (`n_process=2`, their start included).",
        ],
        samples={key: c.seconds for key, c in found.items()},
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
