"""The folder of a comparison: a run goes on in it, and another one is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from compare_toys import adding, always, in_process, tagged, toy, write_columns  # noqa: F401

import nlptk
from nlptk.compare import identity
from nlptk.compare.comparison import Comparison
from nlptk.compare.contestant import Contestant
from nlptk.compare.measure import versions
from nlptk.errors import ConfigError, DataError


def compare(**changes: object) -> Comparison:
    return nlptk.compare("taggers", **{**toy("taggers"), **changes})


@pytest.mark.usefixtures("in_process")
def test_a_run_goes_on_with_more_models_sizes_and_seeds(tmp_path: Path) -> None:
    out, events = tmp_path / "out", []
    compare(models=["hmm"], sizes=[10], out=out)
    kept = (out / "cells" / "hmm-10-1.json").read_bytes()
    found = compare(models=["crf"], sizes=[10, 20], seeds=2, out=out, progress=events.append)
    assert (out / "cells" / "hmm-10-1.json").read_bytes() == kept
    assert found.models == ["crf", "hmm"]
    assert [len(one["cells"]) for one in found.results["models"]] == [4, 1]
    done = [one["cell"] for one in events if one.get("status") == "done"]
    assert len(done) == 4
    events.clear()
    again = compare(models=["hmm", "crf"], sizes=[10], out=out, progress=events.append)
    assert events == []
    assert [len(one["cells"]) for one in again.results["models"]] == [1, 4]
    # The two are compared where both are.
    assert [one["size"] for one in again.results["differences"]] == [10]


@pytest.mark.usefixtures("in_process")
def test_the_folder_of_another_run_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    compare(models=["hmm"], out=out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with pytest.raises(ConfigError, match=r"another comparison, which differs in its test file \(test\);"):
        compare(models=["hmm"], out=out, test=tagged(5, 9))
    with pytest.raises(ConfigError, match="differs in its column;"):
        compare(models=["hmm"], out=out, column="xpos")
    with pytest.raises(ConfigError, match="its number of threads"):
        compare(models=["hmm"], out=out, threads=2)
    assert before == {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine", "utf-8")
    with pytest.raises(ConfigError, match="holds files but no comparison"):
        compare(models=["hmm"], out=tmp_path / "other")
    with pytest.raises(ConfigError, match="is a file"):
        compare(models=["hmm"], out=tmp_path / "other" / "thesis.txt")
    (out / "run.json").write_text("{", "utf-8")
    with pytest.raises(DataError, match="cannot be read"):
        compare(models=["hmm"], out=out)


@pytest.mark.usefixtures("in_process")
def test_a_held_out_dev_set_and_the_whole_file_are_not_mixed(tmp_path: Path) -> None:
    files = [write_columns(tmp_path / f"{name}.conll", 20, i) for i, name in enumerate(["train", "test"])]
    given = {"train": files[0], "dev": None, "test": files[1], "column": "1", "out": tmp_path / "out"}
    compare(models=["hmm"], **given)
    with pytest.raises(ConfigError, match=r"its dev file \(train.conll\) and train file"):
        compare(models=["hmm"], **{**given, "dev": files[0]})
    compare(models=["hmm"], **given)


@pytest.mark.usefixtures("in_process")
def test_cells_of_other_code_or_another_machine_are_not_mixed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare(models=["hmm"], out=tmp_path / "out")
    real = identity._hash
    with monkeypatch.context() as patch:
        patch.setattr(identity, "_hash", lambda path: "0" if path.name == "headlines.py" else real(path))
        compare(models=["hmm"], out=tmp_path / "out")  # what is drawn is no part of it
        patch.setattr(identity, "_hash", lambda path: "0" if path.name == "crf.py" else real(path))
        with pytest.raises(ConfigError, match="differs in its code of nlptk;"):
            compare(models=["hmm"], out=tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr(identity, "cores", lambda: 1000)
        with pytest.raises(ConfigError, match="differs in its machine;"):
            compare(models=["hmm"], out=tmp_path / "out")
    commit = Comparison.load(tmp_path / "out").results["commit"]
    with monkeypatch.context() as patch:
        patch.setattr(identity, "own_commit", lambda: "0123456789ab")  # of docs, say: the code is the same
        assert compare(models=["hmm"], out=tmp_path / "out").results["commit"] == commit
    found = versions()
    monkeypatch.setattr(identity, "versions", lambda: {**found, "new": "1"})
    compare(models=["hmm"], out=tmp_path / "out")  # a package may come, for models that need it
    monkeypatch.setattr(identity, "versions", lambda: found)
    assert compare(models=["hmm"], out=tmp_path / "out").results["versions"]["new"] == "1"
    monkeypatch.setattr(identity, "versions", lambda: {**found, "numpy": "0"})
    with pytest.raises(ConfigError, match="differs in its version of a package;"):
        compare(models=["hmm"], out=tmp_path / "out")


@pytest.mark.usefixtures("in_process")
def test_code_that_changes_in_the_middle_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not any("code of nlptk" in one for one in compare(models=["hmm"]).problems())
    monkeypatch.setattr("nlptk.compare.comparing.code", lambda: "another")
    assert any("code of nlptk changed" in one for one in compare(models=["hmm"]).problems())


@pytest.mark.usefixtures("in_process")
def test_what_no_model_takes_is_no_part_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason="networks need it")
    mine = tmp_path / "bert"
    mine.mkdir()
    (mine / "config.json").write_text("{}", "utf-8")
    given = {"bert": mine, "out": tmp_path / "out", "device": "cpu"}
    found = compare(models=["hmm"], **given)
    assert found.results["checkpoints"] == []
    assert found.results["machine"]["devices"] == {}
    found = compare(models=["bert"], **given)  # fails, as that is no checkpoint
    assert found.results["machine"]["devices"] == {"networks": "cpu"}
    found = compare(models=["hmm"], out=tmp_path / "out")
    assert [one["option"] for one in found.results["checkpoints"]] == ["bert"]
    assert found.results["machine"]["devices"] == {"networks": "cpu"}
    monkeypatch.setattr("nlptk.neural.devices.describe", lambda name: "cuda:0 (another)")
    with pytest.raises(ConfigError, match="differs in its device;"):
        compare(models=["bert"], **given)
    (mine / "config.json").write_text("{ }", "utf-8")
    with pytest.raises(ConfigError, match="differs in its --bert or --hanlp"):
        compare(models=["bert"], **given)


@pytest.mark.usefixtures("in_process")
def test_checkpoints_may_come_later_and_not_change(add: Callable[[Contestant], None], tmp_path: Path) -> None:
    out, folders = tmp_path / "out", [tmp_path / "one", tmp_path / "two"]
    for number, path in enumerate(folders):
        path.mkdir()
        (path / "config.json").write_text(f'{{"hidden_size": {number}}}', "utf-8")
    add(always("own", "NOUN", option="hanlp"))
    compare(models=["hmm"], out=out)
    compare(models=["own"], out=out, hanlp=folders[0])
    compare(models=["own"], out=out)  # as it was known before
    with pytest.raises(ConfigError, match="differs in its --bert or --hanlp"):
        compare(models=["own"], out=out, hanlp=folders[1])
    with pytest.raises(ConfigError, match="bert: there is no"):
        compare(models=["hmm"], bert=tmp_path / "three")
