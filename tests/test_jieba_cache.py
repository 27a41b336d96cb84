"""Compiled tables: kept in the user's cache folder, never trusted, never needed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nlptk.errors import MissingDependencyError
from nlptk.tokenize import jieba_cache, jieba_data, jieba_models
from nlptk.tokenize.jieba import JiebaTokenizer
from nlptk.tokenize.jieba_cache import cache_folder, cached


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NLPTK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class Maker:
    """Tables, and how often they were made."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> bytes:
        self.calls += 1
        return b"tables" * 100


def test_made_once(folder: Path) -> None:
    make = Maker()
    assert [bytes(cached("x", [b"source"], make)) for _ in range(3)] == [b"tables" * 100] * 3
    assert make.calls == 1
    (file,) = folder.iterdir()
    assert file.name.startswith("x-")
    cached("x", [b"another"], make)
    cached("x", [b"sour", b"ce"], make)
    assert make.calls == 3
    assert len(list(folder.iterdir())) == 3


@pytest.mark.parametrize("damage", ["cut", "empty", "flip", "head", "longer", "folder"])
def test_a_damaged_file_is_made_again(folder: Path, damage: str) -> None:
    make = Maker()
    cached("x", [b"source"], make)
    (file,) = folder.iterdir()
    data = bytearray(file.read_bytes())
    if damage == "flip":
        data[-3] ^= 1
    elif damage == "head":
        data[9] ^= 1
    if damage == "folder":
        file.unlink()
        file.mkdir()
    else:
        file.write_bytes({"cut": data[:-9], "empty": b"", "longer": data + b"x"}.get(damage, data))
    assert bytes(cached("x", [b"source"], make)) == b"tables" * 100
    assert make.calls == 2
    if damage != "folder":
        assert bytes(cached("x", [b"source"], make)) == b"tables" * 100
        assert make.calls == 2
    assert not list(folder.glob("*.tmp"))


def test_another_format_is_made_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make = Maker()
    cached("x", [b"source"], make)
    monkeypatch.setattr(jieba_cache, "FORMAT", jieba_cache.FORMAT + 1)
    cached("x", [b"source"], make)
    assert make.calls == 2


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")  # nobody, root included, writes into a file
    monkeypatch.setenv("NLPTK_CACHE", str(tmp_path / "file" / "cache"))
    make = Maker()
    assert bytes(cached("x", [b"source"], make)) == b"tables" * 100
    assert JiebaTokenizer().cut("来到北京") == ["来到", "北京"]
    monkeypatch.delenv("NLPTK_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", classmethod(_no_home))
    monkeypatch.setattr(sys, "platform", "linux")
    assert bytes(cached("x", [b"source"], make)) == b"tables" * 100


def _no_home(cls: type[Path]) -> Path:
    raise RuntimeError("Could not determine home directory.")


@pytest.mark.parametrize(
    ("platform", "variable", "expected"),
    [
        ("linux", "XDG_CACHE_HOME", "{base}/nlptk"),
        ("linux", "", "{home}/.cache/nlptk"),
        ("darwin", "", "{home}/Library/Caches/nlptk"),
        ("win32", "LOCALAPPDATA", "{base}/nlptk"),
        ("linux", "NLPTK_CACHE", "{base}"),
    ],
)
def test_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, variable: str, expected: str
) -> None:
    for name in ("NLPTK_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / "base"))
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "home", classmethod(lambda cls: tmp_path / "home"))
    assert cache_folder() == Path(expected.format(base=tmp_path / "base", home=tmp_path / "home"))


def test_a_damaged_dictionary_is_compiled_again(folder: Path) -> None:
    JiebaTokenizer()
    names = sorted(path.name.rpartition("-")[0] for path in folder.iterdir())
    assert names == ["jieba-dict", "jieba-hmm"]
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes()[:-1000])
    assert JiebaTokenizer().cut("我来到北京") == ["我", "来到", "北京"]


def test_jieba_is_not_imported(cache_folder: Path) -> None:
    code = (
        "import sys; from nlptk import JiebaTokenizer as J; t = J(); t.posseg('北京'); t.textrank('北京');"
        "t.extract_tags('北京'); sys.exit('jieba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_jieba(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jieba_data.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        MissingDependencyError, match="needs the tables of the package jieba: pip install jieba"
    ):
        JiebaTokenizer()
    with pytest.raises(MissingDependencyError, match="pip install jieba"):
        jieba_models.tagger()
    monkeypatch.setitem(sys.modules, "jieba", None)
    with pytest.raises(MissingDependencyError, match="engine 'jieba' needs the package"):
        JiebaTokenizer(engine="jieba")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a file away")
def test_another_users_file_is_not_read(folder: Path) -> None:
    make = Maker()
    cached("x", [b"source"], make)
    (file,) = folder.iterdir()
    os.chown(file, 12345, 12345)
    cached("x", [b"source"], make)
    assert make.calls == 2
    assert file.stat().st_uid == 0
    cached("x", [b"source"], make)
    assert make.calls == 2


def test_an_interrupted_write_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*paths: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(jieba_cache.os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        cached("x", [b"source"], Maker())
    assert not list(folder.iterdir())


def test_cutting_needs_no_numpy() -> None:
    code = "import sys, nlptk; t = nlptk.JiebaTokenizer(); t.add_word('云计算'); t.extract_tags('云计算'); "
    code += "t.posseg('我们'); assert t.cut('云计算') == ['云计算']; sys.exit('numpy' in sys.modules)"
    JiebaTokenizer().posseg("我们")  # makes the tables
    JiebaTokenizer().extract_tags("我们")
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
