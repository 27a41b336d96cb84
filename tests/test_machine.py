"""What numbers depend on: packages, the commit of a checkout, the machine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np

from nlptk import machine


def git(folder: Path, *arguments: str) -> str:
    own = ["-c", "user.name=a", "-c", "user.email=a@b"]
    done = subprocess.run(["git", *own, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_commit_and_whether_files_differ(tmp_path: Path) -> None:
    assert machine.commit(tmp_path, ".") is None
    git(tmp_path, "init", "-q")
    for name in ("code.py", "notes.md"):
        (tmp_path / name).write_text("1", "utf-8")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    head = git(tmp_path, "rev-parse", "--short=12", "HEAD")
    assert machine.commit(tmp_path, ".") == head
    (tmp_path / "notes.md").write_text("2", "utf-8")
    assert machine.commit(tmp_path, ".", ":!notes.md") == machine.commit(tmp_path, "code.py") == head
    assert machine.commit(tmp_path, ".") == f"{head}+changes"


def test_versions_are_of_what_is_installed() -> None:
    assert machine.installed(["numpy", "no-such-package"]) == {"numpy": np.__version__}


def test_the_machine_is_told() -> None:
    assert machine.cores() >= 1
    assert machine.cpu_name()
    assert (machine.memory_bytes() or 1 << 30) >= 1 << 27
