"""Models on disk: round trip, damage, atomic saves, old versions."""

from __future__ import annotations

import errno
import json
import mmap
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
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


# ---- mapped files -----------------------------------------------------------------------------------------


def owner(array: np.ndarray) -> object:
    """What holds the memory of an array."""
    base: object = array
    while isinstance(base, np.ndarray):
        base = base.base
    return base


@pytest.mark.skipif(os.name == "nt", reason="there a mapped file cannot be replaced, so files are read")
def test_loaded_arrays_lie_in_the_file_and_cannot_be_written_to(tmp_path: Path) -> None:
    store.save_model(tmp_path / "m", META, COMPONENTS)
    array = store.load_model(tmp_path / "m")[1]["a"][1]["w"]
    assert isinstance(owner(array), mmap.mmap)
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1


def test_a_model_that_is_replaced_on_disk_stays_as_it_was_loaded(tmp_path: Path) -> None:
    store.save_model(tmp_path / "m", META, COMPONENTS)
    loaded = store.load_model(tmp_path / "m")[1]["a"][1]["w"]
    other = {**COMPONENTS, "a": ({}, {"w": np.full((2, 3), 9, np.float32)})}
    store.save_model(tmp_path / "m", META, other)  # another file, and the old one is gone
    [file] = (tmp_path / "m").glob("*.safetensors")
    store.write_atomic(file, b"rubbish")  # the same name
    assert loaded.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_what_was_sealed_comes_back_as_arrays_of_its_own() -> None:
    data = store.pack_sealed({"w": np.arange(3)}, "numbers")
    array = store.unpack_sealed(data, "numbers")["w"]
    array[0] = 7
    assert store.unpack_sealed(data, "numbers")["w"].tolist() == [0, 1, 2]


ARRAYS = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8).filter(lambda name: name != "__metadata__"),
    st.sampled_from(["?", "i1", "u2", "<f2", "<i4", "<u4", "<f4", "<i8", "<u8", "<f8"]).flatmap(
        lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0, max_side=3))
    ),
    max_size=4,
)


@given(ARRAYS)
def test_files_are_read_as_safetensors_reads_them(arrays: store.Arrays) -> None:
    data = store.pack(arrays, "arrays", {"some": "metadata"})
    found, expected = store.unpack(data, "arrays"), safetensors_numpy.load(data)
    assert found.keys() == expected.keys() == arrays.keys()
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert found[name].tobytes() == array.tobytes() == np.asarray(arrays[name]).tobytes()


@given(ARRAYS, st.data())
def test_a_file_cut_short_is_no_file(arrays: store.Arrays, data: st.DataObject) -> None:
    whole = store.pack(arrays, "arrays")
    size = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(ModelError, match=r"^arrays: is not a whole safetensors file"):
        store.unpack(whole[:size], "arrays")
    with pytest.raises(ModelError, match=r"^arrays: is not a whole safetensors file"):
        store.unpack(whole + b" ", "arrays")


@given(st.data())
def test_an_altered_header_gives_arrays_inside_the_file_or_a_model_error(data: st.DataObject) -> None:
    raw = bytearray(
        store.pack({"w": np.arange(6, dtype=np.float32), "v": np.ones((2, 2), np.uint16)}, "arrays")
    )
    header = 8 + int.from_bytes(raw[:8], "little")
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, header - 1))] = data.draw(
            st.integers(0, 255) | st.sampled_from(list(b'0123456789-[]{}",:.eE'))
        )
    try:
        found = store.unpack(bytes(raw), "arrays")
    except ModelError:
        return
    assert sum(array.nbytes for array in found.values()) == 32


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [-1], "data_offsets": [0, -4]},
        {"dtype": "F32", "shape": [1.0], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]},
        {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [0, 2**70], "data_offsets": [0, 0]},
        {"dtype": "F32", "shape": [1] * 100, "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": None, "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1], "data_offsets": [0]},
        {"dtype": "F32", "shape": [1]},
        {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]},
        {"dtype": [], "shape": [1], "data_offsets": [0, 4]},
        "F32",
        None,
    ],
)
def test_a_header_that_does_not_fit_is_refused(entry: object) -> None:
    header = json.dumps({"w": entry}).encode()
    with pytest.raises(ModelError, match="is not a whole safetensors file"):
        store.unpack(len(header).to_bytes(8, "little") + header + bytes(4), "arrays")


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
