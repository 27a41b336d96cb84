"""Pipelines on disk and in bytes: round trips, wrong content, atomic saves, models of old schema versions."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nlptk
from nlptk import Doc, Language, registry, store
from nlptk.component import Component
from nlptk.errors import ConfigError, ModelError

FIXTURES = Path(__file__).parent / "fixtures"


class Counter(Component):
    """A component with arrays: column "n" is the word's weight. The fixtures of old schemas hold one."""

    assigns = ("doc.n",)
    requires = ("doc.tokens",)

    def __init__(self, unit: str = "") -> None:
        self.unit = unit
        self.words: list[str] = []
        self.weights = np.zeros(0, np.float32)

    def annotate(self, docs: Sequence[Doc]) -> None:
        table = dict(zip(self.words, self.weights.tolist(), strict=True))
        for doc in docs:
            doc.set_column("n", [f"{table.get(word, 0):g}{self.unit}" for word in doc.words])

    def to_state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return {"unit": self.unit, "words": self.words}, {"weights": self.weights}

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: dict[str, Any]) -> Counter:
        new = cls(config["unit"])
        new.words, new.weights = config["words"], arrays["weights"]
        if len(new.words) != len(new.weights):
            raise ConfigError("words and weights differ in number")
        return new


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    before = dict(registry._registered)
    nlptk.component("store_counter")(Counter)
    nlptk.component("store_function")(lambda doc: doc)

    @nlptk.factory("store_factory", default_config={"unit": "f"})
    def make(nlp: Language, name: str, unit: str) -> Counter:
        return Counter(unit)

    yield
    registry._registered.clear()
    registry._registered.update(before)


@pytest.fixture
def nlp() -> Language:
    nlp = nlptk.blank("xx")
    counter = nlp.add_pipe("store_counter", name="counter", config={"unit": "!"})
    counter.words, counter.weights = ["a", "b"], np.array([1.5, 2.0], np.float32)
    return nlp


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


# ---- round trips -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["disk", "bytes"])
def test_pipeline_round_trip(how: str, nlp: Language, tmp_path: Path) -> None:
    made = nlp.add_pipe("store_factory", name="factory", config={"unit": "?"})
    made.words, made.weights = ["a"], np.array([3], np.float32)
    nlp.add_pipe("store_function", name="function")
    nlp.add_pipe("sentencizer", config={"overwrite": True})
    nlp.disable_pipe("function")
    nlp.meta["scores"] = {"acc": 0.5}
    nlp.meta["schema_version"] = (
        "mine"  # not for the caller to say: it is written and read by the store alone
    )

    def again(**options: Any) -> Language:
        if how == "bytes":
            return Language.from_bytes(nlp.to_bytes(), **options)
        nlp.to_disk(tmp_path / "m")
        return nlptk.load(tmp_path / "m", **options)

    new = again()
    del nlp.meta["schema_version"]
    assert new.component_names == ["tokenizer", "counter", "factory", "function", "sentencizer"]
    assert new.disabled == ["function"]
    assert new.pipe_factories == nlp.pipe_factories
    assert new.meta == nlp.meta
    assert new.get_pipe("sentencizer").overwrite is True
    assert new.get_pipe("counter").name == "counter"
    assert new.get_pipe("factory").unit == "?"
    assert new("a b").column("n") == ["3?", "0?"]
    assert again(disable=["factory"])("a b").column("n") == ["1.5!", "2!"]
    assert again(disable="factory").disabled == ["factory", "function"]
    assert "factory" not in again(exclude=["factory"]).component_names
    assert again(exclude="factory").component_names == ["tokenizer", "counter", "function", "sentencizer"]
    with pytest.raises(ConfigError, match="no component 'nothing'"):
        again(exclude=["nothing"])
    new.enable_pipe("function")
    assert new.to_bytes() != nlp.to_bytes()


def test_excluded_components_need_not_be_readable(nlp: Language, tmp_path: Path) -> None:
    nlp.to_disk(tmp_path / "m")
    [file] = (tmp_path / "m").glob("*.safetensors")
    file.write_bytes(b"broken")
    assert nlptk.load(tmp_path / "m", exclude=["counter"]).pipe_names == ["tokenizer"]


def test_labels_are_in_meta(nlp: Language, tmp_path: Path) -> None:
    nlp.get_pipe("counter").labels = ("", "N")
    nlp.to_disk(tmp_path / "m")
    assert json.loads((tmp_path / "m/meta.json").read_text())["labels"] == {"counter": ["", "N"]}


def test_the_same_model_gives_the_same_bytes(nlp: Language, tmp_path: Path) -> None:
    for name in ("one", "two", "two"):
        nlp.to_disk(tmp_path / name)
    assert snapshot(tmp_path / "one") == snapshot(tmp_path / "two")
    assert nlp.to_bytes() == nlp.to_bytes()
    again = nlptk.load(tmp_path / "one")
    again.to_disk(tmp_path / "three")
    assert snapshot(tmp_path / "three") == snapshot(tmp_path / "one")


@pytest.mark.parametrize("version", range(1, store.SCHEMA_VERSION + 1))
def test_models_of_every_schema_version_load(version: int) -> None:
    """Each fixture was written when its schema was current, and never again (see fixtures/README.md)."""
    nlp = nlptk.load(FIXTURES / f"model-schema-{version}")
    assert nlp.meta["name"] == "fixture"
    assert nlp.pipe_names == ["tokenizer", "counter"]
    assert nlp("one two three").column("n") == ["1.5pt", "-2pt", "0pt"]


# ---- damage ----------------------------------------------------------------------------------------------


def test_every_truncation_of_a_pipelines_bytes_is_seen(nlp: Language) -> None:
    good = nlp.to_bytes()
    for size in range(0, len(good), 7):
        with pytest.raises(ModelError):
            Language.from_bytes(good[:size])
    for place in range(0, len(good), 7):
        with pytest.raises(ModelError):
            Language.from_bytes(good[:place] + bytes([good[place] ^ 0x10]) + good[place + 1 :])
    for wrong in (b"", b"x", None, "text"):
        with pytest.raises(ModelError):
            Language.from_bytes(wrong)  # type: ignore[arg-type]


def edit_meta(path: Path, edit: Callable[[dict[str, Any]], Any]) -> None:
    """Change meta.json and seal it again, as if an nlptk had written it so."""
    file = path / "meta.json"
    meta = json.loads(file.read_text("utf-8"))
    edit(meta)
    meta["sha256"] = "0" * 64
    file.write_bytes(store.seal(json.dumps(meta).encode()))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda m: m.update(schema_version=99), "schema version 99, and this nlptk reads 1: install a newer"),
        (lambda m: m.pop("schema_version"), "schema version None"),
        (lambda m: m.pop("pipeline"), "no list 'pipeline'"),
        (lambda m: m["pipeline"].append(3), "lacks name, factory or config"),
        (lambda m: m["pipeline"][0].pop("config"), "lacks name, factory or config"),
        (lambda m: m["pipeline"][1].update(file="../../etc/passwd"), "not a plain name"),
        (lambda m: m["pipeline"][1].update(file=3), "not a plain name"),
        (lambda m: m["pipeline"][1].update(file="gone.safetensors"), "gone.safetensors: cannot be read"),
        (lambda m: m["pipeline"][1].update(factory="os.system"), "needs the factory 'os.system'"),
        (
            lambda m: m["pipeline"][1]["config"].pop("words"),
            "'counter' cannot be restored: KeyError",
        ),
        (lambda m: m["pipeline"][1]["config"]["words"].pop(), "words and weights differ"),
        (lambda m: m["pipeline"][0]["config"].update(x=1), "component 'tokenizer' cannot be restored"),
        (lambda m: m.pop("lang"), "names no lang"),
    ],
)
def test_wrong_content_is_named(
    edit: Callable[[dict[str, Any]], Any], message: str, nlp: Language, tmp_path: Path
) -> None:
    nlp.to_disk(tmp_path / "m")
    edit_meta(tmp_path / "m", edit)
    with pytest.raises(ModelError, match=message):
        nlptk.load(tmp_path / "m")


def test_missing_models_and_files(nlp: Language, tmp_path: Path) -> None:
    for wrong in (tmp_path / "nothing", "no-such-model"):
        with pytest.raises(ModelError, match="there is no model at"):
            nlptk.load(wrong)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"meta\.json: cannot be read: No such file"):
        nlptk.load(tmp_path / "empty")
    with pytest.raises(ModelError, match="there is no model at"):
        store.load_model(tmp_path / "nothing")
    nlp.to_disk(tmp_path / "m")
    [file] = (tmp_path / "m").glob("*.safetensors")
    file.unlink()
    with pytest.raises(ModelError, match=f"{file.name}: cannot be read"):
        nlptk.load(tmp_path / "m")


# ---- saves are atomic ------------------------------------------------------------------------------------


def changed(nlp: Language) -> Language:
    nlp.get_pipe("counter").weights = np.array([7.0, 8.0], np.float32)
    return nlp


def test_a_save_replaces_the_model_and_keeps_other_files(nlp: Language, tmp_path: Path) -> None:
    path = tmp_path / "m"
    nlp.to_disk(path)
    (path / "README.md").write_text("a model card")
    [old] = path.glob("*.safetensors")
    changed(nlp).to_disk(path)
    assert nlptk.load(path)("a b").column("n") == ["7!", "8!"]
    assert (path / "README.md").read_text() == "a model card"
    assert not old.exists()
    assert sorted(p.suffix for p in path.iterdir()) == [".json", ".md", ".safetensors"]


def test_a_save_repairs_a_damaged_file(nlp: Language, tmp_path: Path) -> None:
    nlp.to_disk(tmp_path / "m")
    [file] = (tmp_path / "m").glob("*.safetensors")
    file.write_bytes(b"broken")
    nlp.to_disk(tmp_path / "m")
    assert nlptk.load(tmp_path / "m")("a").column("n") == ["1.5!"]


DISK_FULL = OSError(errno.ENOSPC, "No space left on device")


class Failing:
    """`os.fsync` (or another function) that fails at the k-th call; counts the calls."""

    def __init__(self, real: Callable[..., Any], k: int, error: BaseException) -> None:
        self.real, self.left, self.error = real, k, error

    def __call__(self, *args: Any) -> Any:
        self.left -= 1
        if self.left == 0:
            raise self.error
        return self.real(*args)


@pytest.mark.parametrize(
    ("function", "error"),
    [
        ("fsync", DISK_FULL),
        ("replace", DISK_FULL),
        ("fsync", KeyboardInterrupt()),
        ("replace", KeyboardInterrupt()),
        ("open", KeyboardInterrupt()),
    ],
)
@pytest.mark.parametrize("exists", [True, False])
def test_a_save_that_fails_anywhere_leaves_a_whole_model(
    error: BaseException,
    function: str,
    exists: bool,
    nlp: Language,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "m"
    if exists:
        nlp.to_disk(path)
    old = snapshot(tmp_path)
    changed(nlp)
    failures = 0
    for k in range(1, 20):
        with monkeypatch.context() as patch:
            failing = Failing(getattr(os, function), k, error)
            patch.setattr(os, function, failing)
            try:
                nlp.to_disk(path)
            except type(error):
                failures += 1
            done = failing.left > 0
        now = snapshot(tmp_path)
        if done:
            break
        if now != old:  # meta.json was replaced before the failure: then the new model is there, whole
            assert nlptk.load(path)("a b").column("n") == ["7!", "8!"]
            shutil.rmtree(path)
            if exists:
                for name, data in old.items():
                    (tmp_path / name).parent.mkdir(exist_ok=True)
                    (tmp_path / name).write_bytes(data)
        else:
            assert path.exists() == exists  # a folder that the save made is gone again
    assert failures
    assert nlptk.load(path)("a b").column("n") == ["7!", "8!"]
    assert len(list(path.iterdir())) == 2


def test_a_full_disk_while_writing(nlp: Language, tmp_path: Path) -> None:
    """/dev/full gives ENOSPC from write itself: what a file object raises then goes the same way."""
    if not os.path.exists("/dev/full"):
        pytest.skip("needs /dev/full")
    nlp.to_disk(tmp_path / "m")
    old = snapshot(tmp_path)
    beside = tmp_path / "m" / f".meta.json.{os.getpid()}.tmp"
    os.symlink("/dev/full", beside)
    with pytest.raises(OSError, match="No space left"):
        changed(nlp).to_disk(tmp_path / "m")
    assert not beside.is_symlink()
    assert snapshot(tmp_path) == old


def test_a_file_in_the_way(nlp: Language, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ConfigError, match="a file of that name is in the way"):
        nlp.to_disk(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"
