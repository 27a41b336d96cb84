"""Comparisons: what is run, kept, gone on with, and told."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from compare_toys import adding, always, in_process, script, tagged, toy, write_columns  # noqa: F401
from interrupts import ctrl_c_after

import nlptk
from nlptk.compare import cell, registry, running
from nlptk.compare.comparison import Comparison
from nlptk.compare.contestant import Contestant, How
from nlptk.errors import ConfigError, DataError

Events = list[dict[str, object]]
TASKS: dict[str, list[str]] = {
    "taggers": ["hmm", "crf", "perceptron"],
    "classifiers": ["linear", "fasttext"],
    "segmenters": ["jieba", "hmm", "crf"],
}


def compare(task: str = "taggers", **changes: object) -> Comparison:
    return nlptk.compare(task, **{**toy(task), "models": TASKS[task][:2], **changes})


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("task", TASKS)
def test_all_tasks_give_all_that_a_report_needs(task: str, tmp_path: Path) -> None:
    found = compare(
        task, models=TASKS[task], sizes=[10, "all"], seeds=2, out=tmp_path / "out", also=[toy(task)["test"]]
    )
    results = found.results
    assert json.loads(found.to_json()) == results
    assert results == json.loads((tmp_path / "out" / "results.json").read_text("utf-8"))
    assert results["sizes"] == [10, 30]
    assert results["seeds"] == [1, 2]
    assert [one["role"] for one in results["data"]] == ["train", "dev", "test", "also"]
    assert found.models == TASKS[task]
    assert found.best in found.models
    for model in results["models"]:
        assert [(one["size"], one["seed"], one["status"]) for one in model["cells"]] == [
            (10, 1, "done"), (10, 2, "done"), (30, 1, "done"), (30, 2, "done"),
        ]  # fmt: skip
        assert [one["size"] for one in model["curve"]] == [10, 30]
        best = model["best"]
        assert best["size"] == 30
        assert best["interval"][0] <= best["score"] <= best["interval"][1]
        assert best["score"] == pytest.approx(sum(best["seeds"]["scores"]) / 2)
        assert min(best["tokens_per_second"], best["load_seconds"], best["disk_bytes"]) > 0
        assert (best["train_seconds"] is None) == (model["name"] == "jieba")
        assert 0 < best["latency_ms"]["p50"] <= best["latency_ms"]["p95"]
        assert sum(one["sentences"] for one in best["by_length"]) == 12
        assert (best["known"] is None) == (task == "classifiers")
        assert "also: also" in model["robustness"]
        assert model["robustness"]["also: also"]["score"] == pytest.approx(best["score"])
    assert len(results["differences"]) == len(TASKS[task]) * (len(TASKS[task]) - 1) / 2
    assert all(0 < one["p"] <= 1 for one in results["differences"])


@pytest.mark.usefixtures("in_process")
def test_numbers_are_those_of_the_answers(add: Callable[[Contestant], None]) -> None:
    add(always("nouns", "NOUN"))
    add(always("verbs", "VERB"))
    found = compare(models=["nouns", "verbs"])
    words, tags = toy("taggers")["test"]
    nouns, _ = (one["best"] for one in found.results["models"])
    total = sum(map(len, words))
    share = {tag: sum(row.count(tag) for row in tags) / total for tag in ("NOUN", "VERB")}
    assert nouns["score"] == share["NOUN"]
    assert nouns["per_label"]["NOUN"]["recall"] == 1
    assert nouns["per_label"]["NOUN"]["precision"] == pytest.approx(share["NOUN"])
    (difference,) = found.results["differences"]
    assert difference["difference"] == pytest.approx(share["NOUN"] - share["VERB"])
    assert difference["interval"][0] > 0
    assert {(one["right"], one["units"]) for one in found.results["disagreements"]} == {
        ("nouns", round(share["NOUN"] * total)), ("verbs", round(share["VERB"] * total)),
    }  # fmt: skip
    first = found.results["sentences"][0]
    assert first["words"] == words[0]
    assert first["gold"] == tags[0]
    assert first["tags"] == {"nouns": ["NOUN"] * len(words[0]), "verbs": ["VERB"] * len(words[0])}
    assert found.best == "nouns"


@pytest.mark.usefixtures("in_process")
def test_two_runs_give_the_same_scores() -> None:
    def scores(found: Comparison) -> list[object]:
        return [
            (model["name"], cell["size"], cell["seed"], cell["score"], cell["interval"], cell["dev_score"])
            for model in found.results["models"]
            for cell in model["cells"]
        ] + [found.results["differences"], [one["robustness"] for one in found.results["models"]]]

    first, second = (compare(models=TASKS["taggers"], sizes=[7, 20], seeds=[3, 5]) for _ in range(2))
    assert scores(first) == scores(second)


@pytest.mark.usefixtures("in_process")
def test_the_language_is_the_tasks_and_an_english_bert_stays_out_of_chinese() -> None:
    given = {name: value for name, value in toy("segmenters").items() if name != "lang"}
    assert nlptk.compare("segmenters", **given, models=["hmm"]).results["lang"] == "zh"
    found = compare(models=["bert", "hmm"], lang="zh")
    assert any(one.startswith("bert skipped: ") for one in found.problems())
    assert found.results["checkpoints"] == []


@pytest.mark.usefixtures("in_process")
def test_a_model_that_fails_says_why_and_the_others_go_on(
    add: Callable[[Contestant], None], tmp_path: Path
) -> None:
    def fail(data: object, folder: Path, how: object) -> dict[str, object]:
        raise DataError("the weights are not finite")

    add(always("bad", "X", train=fail))
    add(always("short", "X", load=lambda folder, how: lambda items: [["X"] for _ in items]))
    found = compare(models=["bad", "short", "hmm"], out=tmp_path / "out")
    bad, short, hmm = (one["cells"][0] for one in found.results["models"])
    assert (bad["status"], bad["why"]) == ("failed", "the weights are not finite")
    assert short["status"] == "failed"
    assert "labels to the" in short["why"]
    assert (
        json.loads((tmp_path / "out" / "cells" / "short-30-1.json").read_text("utf-8"))["status"] == "failed"
    )
    assert hmm["status"] == "done"
    assert found.results["models"][0]["best"] is None
    assert "bad failed at 30: the weights are not finite" in found.problems()
    assert (tmp_path / "out" / "cells" / "bad-30-1.log").exists()
    add(always("bad", "NOUN"))  # mended, it is tried again
    again = compare(models=["bad"], out=tmp_path / "out")
    assert again.results["models"][0]["cells"][0]["status"] == "done"
    assert not (tmp_path / "out" / "cells" / "bad-30-1.log").exists()


@pytest.mark.usefixtures("in_process")
def test_what_is_not_installed_is_skipped_with_a_line(add: Callable[[Contestant], None]) -> None:
    add(always("far", "X", needs=("no_such_module:no-such-package",)))
    add(always("given", "X", option="hanlp"))
    found = compare(models=["far", "given", "hmm"])
    assert "far skipped: not installed: pip install no-such-package" in found.problems()
    assert any(one.startswith("given skipped: needs --hanlp FOLDER") for one in found.problems())
    assert found.best == "hmm"
    assert "| hmm |" in found.to_markdown()


# ---- processes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("kill -9 $$", r"killed by signal 9 \(out of memory\?\)"),
        ("echo no room; exit 3", "ended with status 3: no room"),
        ("exit 0", "ended with status 0"),
    ],
)
def test_a_process_that_dies_is_that_cells_alone(
    text: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", script(tmp_path, text))
    found = compare(models=["hmm", "crf"])
    cells = [one["cells"][0] for one in found.results["models"]]
    assert [one["status"] for one in cells] == ["failed", "failed"]
    for one in cells:
        assert re.search(why, one["why"])


def test_ctrl_c_ends_the_process_and_keeps_what_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, pid = tmp_path / "out", tmp_path / "pid"
    with monkeypatch.context() as patch:
        patch.setattr(running._Workplace, "_process", lambda self, spec, log, left: cell.main([str(spec)]))
        compare(models=["hmm"], out=out)
    monkeypatch.setattr(sys, "executable", script(tmp_path, f"echo $$ > {pid}; exec sleep 60"))
    with pytest.raises(KeyboardInterrupt), ctrl_c_after(1.5):
        compare(models=["hmm", "crf"], out=out)
    assert pid.is_file()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text("utf-8")), 0)
    assert [path.name for path in (out / "cells").iterdir()] == ["hmm-30-1.json"]


def test_a_cell_ends_when_the_comparison_is_killed(tmp_path: Path) -> None:
    """Killed, it can end nothing itself. The cell reads a file that never comes to an end."""
    pipe, spec = tmp_path / "pipe", tmp_path / "spec.json"
    os.mkfifo(pipe)
    cell.Spec(
        "train", "taggers", "hmm", "upos", "accuracy", 1, asdict(How()), str(pipe), str(tmp_path / "model"),
        str(tmp_path / "answer.json"),
    ).write(spec)  # fmt: skip
    command = [sys.executable, "-m", "nlptk.compare.cell", str(spec), cell.WATCH]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdin is not None
        with pipe.open("wb"):  # now it is up, and waits
            process.stdin.close()
            assert process.wait(30) in (1, -9)


def test_the_command_compares_in_processes_of_their_own(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    files = [write_columns(tmp_path / f"{name}.conll", 12, i) for i, name in enumerate(["train", "test"])]
    arguments = ["compare", "taggers", "--train", files[0], "--test", files[1], "--column", "1",
                 "--models", "hmm", "--threads", "1", "--out", tmp_path / "out"]  # fmt: skip
    status, out, err = run(*arguments)
    assert status == 0, err
    assert "hmm" in out
    assert "every tenth training sentence" in out
    assert "1 of 1: hmm, 11 to learn from, seed 1: " in err
    found = Comparison.load(tmp_path / "out")
    assert found.results["command"] == " ".join(map(str, ["nlptk", *arguments]))
    best = found.results["models"][0]["best"]
    assert best["memory_bytes"] > 0
    assert best["disk_bytes"] > 0
    assert run(*arguments, "--quiet", "--json")[0] == 0  # nothing to do but tell


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--models", "bilstmcrf"], "did you mean 'bilstm-crf'?"),
        (["--column", "verbs"], "--column 'verbs' is unknown"),
        (["--sizes", "many"], "size 'many'"),
        (["--sizes", "0"], "size '0'"),
        (["--budget", "soon"], "no duration"),
        (["--lang", "tlh"], "no language 'tlh'"),
    ],
)
def test_wrong_use_is_one_line(
    arguments: list[str], message: str, run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    file = write_columns(tmp_path / "a.conll", 4, 1)
    given = ["--train", file, "--test", file, "--column", "1", "--out", tmp_path / "out", *arguments]
    status, _, err = run("compare", "taggers", *given)
    assert status == 2
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


# ---- what there is --------------------------------------------------------------------------------------


def test_the_package_is_the_function_and_imports_little() -> None:
    code = (
        "import sys, nlptk; nlptk.compare; import nlptk.compare.registry\n"
        "print(sorted({'torch', 'sklearn', 'spacy', 'transformers', 'nltk', 'hanlp'} & set(sys.modules)))\n"
        "print(callable(nlptk.compare), nlptk.compare.statistics.score.__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", "import nlptk.compare.statistics\n" + code], capture_output=True, text=True,
        check=True, cwd=Path(nlptk.__file__).parents[1],
    )  # fmt: skip
    assert done.stdout.splitlines() == ["[]", "True score"]


def test_groups_of_models() -> None:
    names = {one.name for one in registry.find("taggers", ["classical"])}
    assert names == {"hmm", "crf", "perceptron"}
    everyone = registry.find("taggers", ["all"])
    assert {"spacy", "crfsuite", "nltk-perceptron", "hmmlearn", "transformers"} <= {
        one.name for one in everyone
    }
    assert [one.name for one in registry.find("segmenters", None, hanlp=True)] == [
        "jieba",
        "hmm",
        "crf",
        "hanlp",
    ]
    with pytest.raises(ConfigError, match="did you mean 'crf'"):
        registry.find("taggers", ["crff"])
    with pytest.raises(ConfigError, match="no model is named"):
        registry.find("taggers", [])
