"""Models on disk: round trip, damage, atomic saves, old versions."""

from __future__ import annotations

import contextlib
import errno
import json
import mmap
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import numpy as safetensors_numpy

from nlptk import store
from nlptk.errors import ConfigError, ModelError

FIXTURES = Path(__file__).parent / "fixtures"

META = {
    "lang": "xx",
    "name": "test",
    "version": "1.0",
    "license": "CC0",
    "data": {"train": "none"},
    "scores": {"acc": 0.5},
    "pipeline": [{"name": "a", "factory": "f"}, {"name": "b", "factory": "g"}],
}
COMPONENTS: dict[str, store.State] = {
    "a": (
        {"size": 3, "labels": ["", "X", "\ud83d", "汉"]},
        {"w": np.arange(6, dtype=np.float32).reshape(2, 3)},
    ),
    "b": ({}, {}),
}


# ---- round trips ------------------------------------------------------------------------------------------


def test_save_and_load(tmp_path: Path) -> None:
    store.save_model(tmp_path / "m", META, COMPONENTS)
    meta, components = store.load_model(tmp_path / "m")
    assert meta == META
    assert components["b"] == ({}, {})
    config, arrays = components["a"]
    assert config == COMPONENTS["a"][0]
    assert arrays["w"].dtype == np.float32
    assert arrays["w"].tolist() == [[0, 1, 2], [3, 4, 5]]
    _, fewer = store.load_model(tmp_path / "m", exclude=["a"])
    assert list(fewer) == ["b"]


def test_the_folder_holds_meta_and_one_file_for_each_component_with_arrays(tmp_path: Path) -> None:
    store.save_model(tmp_path / "m", META, COMPONENTS)
    meta = json.loads((tmp_path / "m/meta.json").read_bytes().decode("utf-8", "surrogatepass"))
    assert meta["schema_version"] == store.SCHEMA_VERSION
    first, second = meta["pipeline"]
    assert sorted(p.name for p in (tmp_path / "m").iterdir()) == sorted(["meta.json", first["file"]])
    assert first["file"].endswith(".safetensors")
    assert "file" not in second


@pytest.mark.parametrize(
    "dtype", ["bool", "int8", "uint8", "int16", "uint16", "int32", "int64", "float16", "float64"]
)
def test_dtypes(dtype: str, tmp_path: Path) -> None:
    array = np.array([[0, 1], [1, 0]], dtype)
    arrays = {
        "x": array,
        "empty": array[:0],
        "scalar": array[0, 0],
        "strided": array[:, 1],
        "big": array.astype(">i4"),
    }
    store.save_model(tmp_path / "m", META, {"a": ({}, arrays), "b": ({}, {})})
    again = store.load_model(tmp_path / "m")[1]["a"][1]
    for name, value in arrays.items():
        assert again[name].shape == value.shape
        assert again[name].tolist() == value.tolist()
    assert again["x"].dtype == array.dtype


@pytest.mark.parametrize(
    ("config", "arrays", "message"),
    [
        ({"f": object()}, {}, "meta.json cannot be written as JSON"),
        ({"f": float("nan")}, {}, "meta.json cannot be written as JSON"),
        ({}, {"s": np.array(["text"])}, "array 's' has dtype"),
        ({}, {"o": np.array([None])}, "array 'o' has dtype object"),
        ({}, {"\ud800": np.zeros(2)}, "cannot be stored"),
    ],
)
def test_what_cannot_be_stored_is_refused_before_anything_is_written(
    config: dict, arrays: dict, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        store.save_model(tmp_path / "m", META, {"a": (config, arrays), "b": ({}, {})})
    assert list(tmp_path.iterdir()) == []


def test_component_names_make_plain_file_names(tmp_path: Path) -> None:
    meta = {**META, "pipeline": [{"name": "../a b/汉\ud800", "factory": "f"}]}
    store.save_model(tmp_path / "m", meta, {"../a b/汉\ud800": ({}, {"x": np.ones(2)})})
    assert len(list((tmp_path / "m").iterdir())) == 2
    assert list(store.load_model(tmp_path / "m")[1]) == ["../a b/汉\ud800"]


def test_numpy_numbers_in_a_config(tmp_path: Path) -> None:
    config = {"rate": np.float32(0.5), "n": np.int64(3), "yes": np.True_}
    store.save_model(tmp_path / "m", META, {"a": (config, {}), "b": ({}, {})})
    assert store.load_model(tmp_path / "m")[1]["a"][0] == {"rate": 0.5, "n": 3, "yes": True}


# ---- mapped files -----------------------------------------------------------------------------------------


def buffer_of(array: Any) -> Any:
    """What an array's memory belongs to, at last."""
    while isinstance(array, (np.ndarray, memoryview)):
        array = array.base if isinstance(array, np.ndarray) else array.obj
    return array


def test_arrays_lie_in_the_file_and_a_change_stays_in_memory(tmp_path: Path) -> None:
    store.save_model(tmp_path / "m", META, COMPONENTS)
    array = store.load_model(tmp_path / "m")[1]["a"][1]["w"]
    assert isinstance(buffer_of(array), mmap.mmap)
    array[0, 0] = 7
    again = store.load_model(tmp_path / "m")[1]["a"][1]["w"]
    assert (array[0, 0], again[0, 0]) == (7, 0)


def test_arrays_outlive_a_new_model_in_the_place_of_theirs(tmp_path: Path) -> None:
    store.save_model(tmp_path / "m", META, COMPONENTS)
    old = store.load_model(tmp_path / "m")[1]["a"][1]["w"]
    store.save_model(tmp_path / "m", META, {**COMPONENTS, "a": ({}, {"w": np.ones((2, 3), np.float32)})})
    new = store.load_model(tmp_path / "m")[1]["a"][1]["w"]
    if os.name == "posix":  # elsewhere a file that is in use cannot be removed
        shutil.rmtree(tmp_path / "m")
    assert old.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert new.tolist() == [[1, 1, 1], [1, 1, 1]]


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    store.save_model(tmp_path / "m", META, COMPONENTS)
    [file] = (tmp_path / "m").glob("*.safetensors")
    file.write_bytes(b"")
    with pytest.raises(ModelError, match=f"{file}: is truncated"):
        store.load_model(tmp_path / "m")


@pytest.mark.parametrize("spaces", range(9))
def test_arrays_are_aligned_wherever_they_lie(spaces: int) -> None:
    head = json.dumps({"x": {"dtype": "F64", "shape": [2], "data_offsets": [0, 16]}}).encode() + b" " * spaces
    data = len(head).to_bytes(8, "little") + head + np.array([1.5, -2.0]).tobytes()
    array = store.unpack(data, "file")["x"]
    assert array.flags.aligned
    assert array.tolist() == safetensors_numpy.load(data)["x"].tolist() == [1.5, -2.0]


def test_what_safetensors_writes_is_read(tmp_path: Path) -> None:
    kinds = ["bool", "i1", "u1", "i2", "u2", "f2", "i4", "u4", "f4", "i8", "u8", "f8"]
    arrays = {kind: np.arange(3).astype(kind) for kind in kinds} | {"none": np.zeros((0, 3), np.float32)}
    found = store.unpack(safetensors_numpy.save(arrays, {"k": "v"}), "file")
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert (found[name].dtype, found[name].tolist()) == (array.dtype, array.tolist())


HEADER = {"dtype": "I16", "shape": [2, 1], "data_offsets": [0, 4]}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["I16", "U8", "BF16", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*HEADER, "x"]), inner),
    max_leaves=6,
)


@given(st.sampled_from([*HEADER]), JSON)
def test_a_header_gives_arrays_within_the_data_or_an_error(field: str, value: Any) -> None:
    for content in ({"x": {**HEADER, field: value}}, {"x": value}, value):
        head = json.dumps(content).encode()
        data = len(head).to_bytes(8, "little") + head + b"\1\2\3\4"
        with contextlib.suppress(ModelError):
            assert all(array.nbytes <= 4 for array in store.unpack(data, "file").values())


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"data_offsets": [2, 6]}, "cut short: x ends beyond it"),
        ({"data_offsets": [-4, 0]}, "x is not where it should be"),
        ({"data_offsets": [0, 3]}, "x is not where it should be"),
        ({"shape": [-2, -1]}, "x is not where it should be"),
        ({"shape": [0, 1 << 70], "data_offsets": [0, 0]}, "damaged header"),
        ({"shape": [float("inf"), 1]}, "damaged header"),
        ({"dtype": "BF16"}, "damaged header"),
    ],
)
def test_a_damaged_header_is_named(entry: dict[str, Any], message: str) -> None:
    head = json.dumps({"x": HEADER | entry}).encode()
    with pytest.raises(ModelError, match=f"^file: .*{message}"):
        store.unpack(len(head).to_bytes(8, "little") + head + bytes(4), "file")


# ---- damage -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first_letter", ["m", "a"])
def test_every_truncation_and_altered_byte_is_seen(first_letter: str) -> None:
    meta = {"lang": "xx", "pipeline": META["pipeline"]}
    files = store.model_files(meta, COMPONENTS)
    [name] = [name for name in files if name[0] == first_letter]
    good = files[name]

    def refused(data: bytes) -> None:
        with pytest.raises(ModelError, match=f"^folder/{name}: "):
            store.parse_model({**files, name: data}.__getitem__, "folder")

    for size in range(len(good)):
        refused(good[:size])
    refused(good + b" ")
    for place in range(len(good)):
        refused(good[:place] + bytes([good[place] ^ 0x01]) + good[place + 1 :])
    store.parse_model(files.__getitem__, "folder")


def test_a_truncated_file_on_disk_is_named(tmp_path: Path) -> None:
    store.save_model(tmp_path / "m", META, COMPONENTS)
    for file in (tmp_path / "m").iterdir():
        good = file.read_bytes()
        file.write_bytes(good[:-1])
        with pytest.raises(ModelError, match=f"{tmp_path}/m/{file.name}: is truncated"):
            store.load_model(tmp_path / "m")
        file.write_bytes(good)


@pytest.mark.parametrize("text", ["", "[]", "3", "{", '{"schema_version": 1}', '{"a": NaN}', "[" * 99999])
def test_a_meta_json_that_is_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "meta.json").write_text(text)
    with pytest.raises(ModelError, match=r"meta\.json"):
        store.load_model(tmp_path)


# ---- saves are atomic -------------------------------------------------------------------------------------


def test_write_atomic_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    target = tmp_path / "doc"
    store.write_atomic(target, b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        store.write_atomic(target, b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["doc"]
    assert target.read_bytes() == b"old"
