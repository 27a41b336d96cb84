"""Files of word vectors that are cut, altered or nonsense: one sentence that says where, and no crash."""

from __future__ import annotations

import contextlib
import gzip
import os
import pickle
import resource
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cli_process import environment
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nlptk import KeyedVectors
from nlptk.errors import ConfigError, DataError, ModelError, NlptkError
from nlptk.vectors.subwords import Subwords

NAMES = [
    "a.txt",
    "a.glove",
    "a.bin",
    "fasttext.bin",
    "a.safetensors",
    "8bit.safetensors",
    "a.txt.gz",
    "a.bin.gz",
]


def example(path: Path) -> bytes:
    """A small file of the format that its name says; the bytes of it."""
    rng = np.random.default_rng(0)
    words = ["river", "水獭", "otter", "a.b"]
    rows = rng.standard_normal((4, 5)).astype(np.float32)
    subwords = Subwords(rng.standard_normal((6, 5)).astype(np.float32), 3, 4)
    made = KeyedVectors(
        words, rows, counts=[9, 8, 7, 6], subwords=subwords if path.name == "fasttext.bin" else None
    )
    (made.quantize() if path.name.startswith("8bit") else made).save(path)
    return path.read_bytes()


def load(path: Path, data: bytes, **options: str) -> KeyedVectors:
    path.write_bytes(data)
    return KeyedVectors.load(path, **options)  # type: ignore[arg-type]


# ---- cut and altered ----


@pytest.mark.parametrize("name", NAMES)
def test_cut_anywhere(tmp_path: Path, name: str) -> None:
    whole = example(tmp_path / name)
    # What cannot be seen: the loss of the last digits or line end; that lines are missing, where nothing
    # counts them; that a header which lost its line end is no word with a number.
    last = whole.rstrip().rfind(b" ") + 2
    unseen = {
        "a.txt": {3, *range(last, len(whole))},
        "a.glove": range(len(whole)),
        "a.bin": {3, len(whole) - 1},
    }
    for size in range(len(whole)):
        if size in unseen.get(name, ()):
            continue
        with pytest.raises(NlptkError) as caught:
            load(tmp_path / name, whole[:size])
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)
    assert len(load(tmp_path / name, whole)) == 4


@pytest.mark.parametrize("name", NAMES)
def test_more_than_there_should_be(tmp_path: Path, name: str) -> None:
    whole = example(tmp_path / name)
    if name not in ("a.safetensors", "8bit.safetensors"):  # arrays say where they end
        with pytest.raises(DataError):
            load(tmp_path / name, whole + b"more")


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_altered_bytes(tmp_path: Path, name: str, data: st.DataObject) -> None:
    """Whatever a byte becomes, there is an answer or an error of ours."""
    altered = bytearray(example(tmp_path / name))
    for _ in range(data.draw(st.integers(1, 3))):
        altered[data.draw(st.integers(0, len(altered) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(NlptkError):
        made = load(tmp_path / name, bytes(altered))
        made.most_similar(made.index_to_key[0])


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=80) | st.from_regex(rb"[0-9]{0,3} [0-9]{0,3}\n([ab.\n]{0,3} [-0-9.e]{0,4}){0,4}"))
def test_any_bytes(tmp_path: Path, data: bytes) -> None:
    for name in ("a.txt", "a.bin"):
        with contextlib.suppress(DataError):
            assert len(load(tmp_path / name, data)) > 0


# ---- text ----


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "line 1: there are no vectors"),
        (b"0 5\n", "line 1: the header counts 0 words of 5 dimensions: no vectors"),
        (b"5 0\na\n", "line 1: the header counts 5 words of 0 dimensions: no vectors"),
        (b"3 2\na 1 2\nb 3 4\n", "line 4: the header counts 3 words, but 2 lines follow"),
        (b"1 2\na 1 2\nb 3 4\n", "line 3: the header counts 1 words, but 2 lines follow"),
        (b"999999999999 300\na 1 2\n", "line 3: the header counts 999999999999 words, but 1 lines follow"),
        (b"1 999999999999\na 1 2\n", "line 2: lines are too short for 999999999999 numbers each"),
        (b"2 2\na 1 2\nb 3\n", "line 3: has 1 numbers after its word, but 2 are expected"),
        (b"2 2\na 1 2\nb 3 4 5\n", "line 3: has 3 numbers after its word, but 2 are expected"),
        (b"a 1 2\nb 3 4 5\n", "line 2: has 3 numbers after its word, but 2 are expected"),
        (b"2 2\na 1 2\n\n", "line 3: the header counts 2 words, but 1 lines follow"),
        (b"2 2\n\na 1 2\n", "line 2: is empty"),
        (b"2 2\na 1 2\n 3 4\n", "line 3: begins with a space"),
        (b"2 2\na 1 2\nb 3 four\n", "line 3: 'four' is no number"),
        (b"2 2\na 1 2\nb 3 4x\n", "line 3: '4x' is no number"),
        (b"2 2\na 1 2\nb 3 +-4\n", "line 3: '\\+-4' is no number"),
        (b"2 2\na 1 2\nb 3 nan\n", "line 3: the vector of 'b' holds nan"),
        (b"2 2\na 1 2\nb 3 -inf\n", "line 3: the vector of 'b' holds -inf"),
        (b"2 2\na 1 2\nb 3 1e39\n", "line 3: the vector of 'b' holds 1e39"),
        (b"2 2\na 1 2\n\xffb 3 4\n", r"line 3: the word b'\\xffb' is not UTF-8 \(byte 0xff\)"),
        (b"words without numbers\n", "line 1: there are no vectors"),
        (b"\x80\x04\x95" + pickle.dumps([1])[3:], "is a pickle, as gensim's save"),
    ],
)
def test_text(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(tmp_path / "a.txt", data)
    with pytest.raises(DataError):
        load(tmp_path / "a.txt.gz", gzip.compress(data))


def test_the_first_fault_is_told_whatever_the_threads(tmp_path: Path) -> None:
    lines = [b"w%d 1 2\n" % i for i in range(5000)]
    for bad in (4999, 3000, 700):
        lines[bad] = b"w 1\n"
    (tmp_path / "a.txt").write_bytes(b"".join(lines))
    for threads in (1, 2, 4):
        with pytest.raises(DataError, match="line 701: "):
            KeyedVectors.load(tmp_path / "a.txt", threads=threads)


def test_words_that_are_not_utf8(tmp_path: Path) -> None:
    rows = np.float32([1, 2]).tobytes()
    files = {"a.txt": b"2 2\nb\xffb 3 4\nc 1 2\n", "a.bin": b"2 2\nb\xffb " + rows + b"\nc " + rows + b"\n"}
    for name, data in files.items():
        with pytest.raises(DataError, match="not UTF-8"):
            load(tmp_path / name, data)
        assert load(tmp_path / name, data, errors="replace").index_to_key == ["b\ufffdb", "c"]
        assert load(tmp_path / name, data, errors="ignore").index_to_key == ["bb", "c"]
    with pytest.raises(ConfigError, match="errors must be one of"):
        load(tmp_path / "a.txt", b"a 1", errors="backslashreplace")


# ---- binary, fastText, safetensors ----


def test_binary(tmp_path: Path) -> None:
    row = np.float32([1, np.nan]).tobytes()
    for data, message in (
        (b"2 2\na " + row[:4] * 2 + b"\nb " + row, "row 2: the vector of 'b' holds NaN"),
        (b"999999999999 300\na " + row * 600, "row 1: the file is too short for the 999999999999 vectors"),
        (b"2 2\n " + row + b"\n\x00 " + row, "row 1: there is no word here"),
        (b"1 2\na " + row[:4] * 2 + b"\n\x01", "row 2: the file goes on after the rows"),
        (b"0 2\n\x00", "row 1: there are no vectors"),
    ):
        with pytest.raises(DataError, match=message):
            load(tmp_path / "a.bin", data)


def patched(whole: bytes, at: int, layout: str, value: float) -> bytes:
    size = struct.calcsize(layout)
    return whole[:at] + struct.pack(layout, value) + whole[at + size :]


def test_fasttext(tmp_path: Path) -> None:
    whole = example(tmp_path / "fasttext.bin")
    matrix = whole.index(struct.pack("<?2q", False, 10, 5))
    for at, layout, value, message in (
        (4, "<i", 99, "has version 99"),
        (8 + 7 * 4, "<i", 3, "is a supervised fastText model"),
        (8 + 8 * 4, "<i", 2**31 - 1, "do not fit 10 rows of 5"),
        (8, "<i", 6, "words and 6 buckets of 6 dimensions do not fit"),
        (64, "<i", 2**31 - 1, "labels or a pruned dictionary"),
        (72, "<i", 1, "labels or a pruned dictionary"),
        (84, "<q", 3, "labels or a pruned dictionary"),
        (matrix, "<?", True, "the input matrix is quantized"),
        (matrix + 1, "<q", 2**60, "the file is cut short"),
        (matrix + 1, "<q", -1, "cannot have -1 rows"),
        (matrix + 17, "<f", float("nan"), r"the vector of 'river' \(word 1\) holds NaN"),
    ):
        with pytest.raises(DataError, match=message):
            load(tmp_path / "a.bin", patched(whole, at, layout, value))
    huge = patched(patched(whole, 64, "<i", 2**31 - 1), 68, "<i", 2**31 - 1)
    with pytest.raises(DataError, match="cannot hold 2147483647 words"):
        load(tmp_path / "a.bin", huge)


def test_safetensors(tmp_path: Path) -> None:
    whole = example(tmp_path / "a.safetensors")
    for old, new, message in (
        (b'"schema_version":"1"', b'"schema_version":"7"', "schema version '7', and this nlptk reads 1"),
        (b"nlptk word vectors", b"something else ...", "but not of word vectors"),
        (b'"F32"', b'"F16"', "has a damaged header"),
        (b'"shape":[4,5]', b'"shape":[5,4]', "do not fit its 4 words"),
        (b'"shape":[4,5]', b'"shape":[4,9]', "vectors is not where it should be"),
        (b'"vectors"', b'"vektors"', "is damaged: 'vectors'"),
    ):
        assert old in whole
        with pytest.raises(ModelError, match=message):
            load(tmp_path / "a.safetensors", whole.replace(old, new, 1))


# ---- places ----


def test_places_that_cannot_be_read(tmp_path: Path) -> None:
    for path, message in ((tmp_path / "none.txt", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(DataError, match=message):
            KeyedVectors.load(path)


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    made = KeyedVectors([f"w{i}" for i in range(20_000)], np.ones((20_000, 20)))
    (tmp_path / "a.txt").write_text("old")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limit[1]))
    try:
        for name in ("a.txt", "b.bin", "c.safetensors", "d.glove"):
            with pytest.raises(DataError, match=f"cannot write .*{name}.*: File too large"):
                made.save(tmp_path / name)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"
    with pytest.raises(DataError, match="No space left on device"):
        made.save("/dev/full", format="word2vec")
    with pytest.raises(DataError, match="No such file or directory"):
        made.save(tmp_path / "none" / "a.txt")


INTERRUPTED = """
import sys, numpy as np, signal, threading, os
from nlptk import KeyedVectors
made = KeyedVectors([f"w{i}" for i in range(300_000)], np.full((300_000, 100), 0.123456789))
threading.Timer(0.15, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    made.save(sys.argv[1], digits=0)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz", "a.bin"])
def test_ctrl_c_leaves_no_half_file(tmp_path: Path, name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, tmp_path / name],
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    left = os.listdir(tmp_path)
    assert left == ([] if done.stdout else [name])
