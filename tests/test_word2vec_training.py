"""Word2vec's training: against plain NumPy, the same again with one thread, and that it learns."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import word2vec_oracle
from cli_process import environment
from word2vec_oracle import CASES, Case


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_training_is_that_of_plain_numpy(case: Case, tmp_path: Path) -> None:
    word2vec_oracle.check(case, tmp_path)


@pytest.mark.parametrize("isa", ["baseline", "avx2"])
def test_training_is_the_same_for_other_instruction_sets(isa: str) -> None:
    done = subprocess.run(
        [sys.executable, word2vec_oracle.__file__],
        env={**environment(), "NLPTK_ISA": isa},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() in (isa, "baseline")
