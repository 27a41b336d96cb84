"""Models on disk: a folder of ``meta.json`` and one safetensors file per component. No pickle, no code names.

Component files carry part of their own hash in their names, so a save writes new files beside the old ones
and then replaces ``meta.json`` in one rename: until that moment the old model is whole, after it the new one
is. Every byte is covered by SHA-256: component files by ``meta.json``, and ``meta.json`` by a seal of its
own.

A component's arrays stay where they lie in its file, which is mapped into memory: processes that load the
same model share them. Saves never write into a file that is there, so they leave loaded models alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import mmap
import os
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors import numpy as safetensors_numpy

from nlptk.errors import ConfigError, ModelError

SCHEMA_VERSION = 1
META = "meta.json"

Arrays = dict[str, npt.NDArray[Any]]
Bytes = bytes | bytearray | memoryview | mmap.mmap
Places = dict[str, tuple[np.dtype[Any], tuple[int, ...], int]]
State = tuple[dict[str, Any], Arrays]

# Of safetensors, the types that NumPy has.
_NUMBERS = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8")
_DTYPES = {f"{name[0].upper()}{8 * int(name[1])}": np.dtype(f"<{name}") for name in _NUMBERS}
_DTYPES["BOOL"] = np.dtype(np.bool_)
_BLANK = b"0" * 64
_SEAL = re.compile(rb'"sha256": ?"([0-9a-f]{64})"')


# ---- models --------------------------------------------------------------------------------------


def embedded_pipelines() -> dict[str, Path]:
    """Name -> folder of the pipelines shipped inside the package."""
    root = Path(__file__).parent / "pipelines"
    if not root.is_dir():
        return {}
    return {folder.name: folder for folder in sorted(root.iterdir()) if (folder / META).is_file()}


def save_model(
    path: str | os.PathLike[str], meta: Mapping[str, Any], components: Mapping[str, State]
) -> None:
    """Save a model folder, at once or not at all; a model that is there already is replaced.

    `meta`: lang, name, version, "pipeline": [{"name", "factory"}, ...] and any JSON-able "labels", "data",
    "license", "scores"; `components`: name -> (JSON-able config, arrays). Other files in the folder are kept.

    Raises ConfigError if a config or array cannot be stored, and OSError (disk full, no permission) with the
    old model untouched.
    """
    files = model_files(meta, components)
    folder = Path(path)
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"cannot save a model to {str(folder)!r}: a file of that name is in the way")
    old = _referenced(folder)
    created = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    try:
        for name, data in files.items():
            target = folder / name
            if name != META and not (name in old and target.is_file() and target.read_bytes() == data):
                written.append(target)
                write_atomic(target, data)
        write_atomic(folder / META, files[META])
    except BaseException:
        in_use = _referenced(
            folder
        )  # the old model's files, or the new one's if its meta.json is there already
        for target in written:
            if target.name not in in_use:
                target.unlink(missing_ok=True)
        if created:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise
    for name in old - files.keys():
        with contextlib.suppress(PermissionError):  # Windows keeps a file while a model has it mapped
            (folder / name).unlink(missing_ok=True)


def load_model(
    path: str | os.PathLike[str], exclude: Collection[str] = ()
) -> tuple[dict[str, Any], dict[str, State]]:
    """(meta, name -> (config, arrays)) of a model folder, without the components named in `exclude`.

    The arrays are mapped from the files: a change to one stays in memory, and goes to no file.

    Raises ModelError naming file and cause if a file is missing, truncated, altered or of an unknown version.
    """
    return parse_model(_reader(path), str(Path(path)), exclude)


def read_meta(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The meta.json of a model folder, none of its components' arrays read. Raises as `load_model` does."""
    return _parse_meta(_reader(path), str(Path(path)))


def _reader(path: str | os.PathLike[str]) -> Callable[[str], Bytes]:
    """Reads a file of a model folder by its name."""
    folder = Path(path)
    if not folder.is_dir():
        raise ModelError(f"there is no model at {str(folder)!r}: give a folder that to_disk wrote")

    def read(name: str) -> Bytes:
        try:
            with open(folder / name, "rb") as file:
                if name == META or not os.fstat(file.fileno()).st_size:
                    return file.read()
                return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        except OSError as error:
            raise ModelError(f"{folder / name}: cannot be read: {error.strerror}") from error

    return read


def model_files(meta: Mapping[str, Any], components: Mapping[str, State]) -> dict[str, bytes]:
    """The files of a model: name -> bytes, ``meta.json`` last. See `save_model`."""
    files: dict[str, bytes] = {}
    pipeline = []
    for entry in meta.get("pipeline", ()):
        name = entry["name"]
        config, arrays = components[name]
        stored: dict[str, Any] = {**entry, "config": config}
        if arrays:
            data = pack(arrays, name)
            digest = hashlib.sha256(data).hexdigest()
            file = f"{re.sub(r'[^A-Za-z0-9_-]', '_', name)}-{digest[:12]}.safetensors"
            files[file] = data
            stored |= {"file": file, "sha256": digest}
        pipeline.append(stored)
    own = {"sha256": _BLANK.decode(), "schema_version": SCHEMA_VERSION}
    content = own | {key: value for key, value in meta.items() if key not in own} | {"pipeline": pipeline}
    files[META] = seal(dump_json(content, "the model's meta.json", indent=1))
    return files


def parse_model(
    read: Callable[[str], Bytes], where: str, exclude: Collection[str] = ()
) -> tuple[dict[str, Any], dict[str, State]]:
    """What `model_files` made, back from `read(file name)`; `where` names the model in errors."""
    meta = _parse_meta(read, where)
    components: dict[str, State] = {}
    for entry in meta["pipeline"]:
        name, file, digest = entry["name"], entry.pop("file", None), entry.pop("sha256", None)
        config = entry.pop("config")
        if name in exclude:
            continue
        arrays: Arrays = {}
        if file is not None:
            if not isinstance(file, str) or file != os.path.basename(file) or file in ("", ".", ".."):
                raise ModelError(
                    f"{where}/{META}: component {name!r} names the file {file!r}, which is not a plain name"
                )
            data = read(file)
            if hashlib.sha256(data).hexdigest() != digest:
                raise ModelError(
                    f"{where}/{file}: is truncated or altered: its SHA-256 is not the one in {META}"
                )
            arrays = unpack(data, f"{where}/{file}")
        components[name] = (config, arrays)
    return meta, components


def _parse_meta(read: Callable[[str], Bytes], where: str) -> dict[str, Any]:
    """The content of ``meta.json``, whose entries in "pipeline" have a name, a factory and a config."""
    where_meta = f"{where}/{META}"
    raw = bytes(read(META))
    meta = load_json(raw, where_meta)
    if not isinstance(meta, dict):
        raise ModelError(f"{where_meta}: is not a JSON object, so it is not a model")
    version = meta.pop("schema_version", None)
    if version != SCHEMA_VERSION:
        raise ModelError(
            f"{where_meta}: has schema version {version!r}, and this nlptk reads {SCHEMA_VERSION}: "
            "install a newer nlptk"
        )
    check_seal(raw, where_meta)
    meta.pop("sha256", None)
    if not isinstance(meta.get("pipeline"), list):
        raise ModelError(f"{where_meta}: has no list 'pipeline'")
    for entry in meta["pipeline"]:
        fields = entry if isinstance(entry, dict) else {}
        named = isinstance(fields.get("name"), str) and isinstance(fields.get("factory"), str)
        if not (named and isinstance(fields.get("config"), dict)):
            raise ModelError(f"{where_meta}: a pipeline entry lacks name, factory or config")
    return meta


def _referenced(folder: Path) -> set[str]:
    """The component files of the model in `folder` (none if there is no readable model)."""
    try:
        meta = json.loads((folder / META).read_bytes())
        names = {entry["file"] for entry in meta["pipeline"] if "file" in entry}
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    return {name for name in names if isinstance(name, str) and name == os.path.basename(name) and name}


# ---- single files --------------------------------------------------------------------------------


def write_atomic(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file at once or not at all: beside its place, fsync, rename."""
    target = Path(path)
    beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with open(beside, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    # Makes the rename itself durable; not every file system lets a folder be opened or synced.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def pack(arrays: Mapping[str, Any], what: str, metadata: dict[str, str] | None = None) -> bytes:
    """Arrays as one safetensors file. Raises ConfigError for a dtype that safetensors has not."""
    ready: Arrays = {}
    for name, value in arrays.items():
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise ConfigError(f"{what}: array {name!r} has dtype {array.dtype}, which cannot be stored")
        ready[name] = np.require(array, array.dtype.newbyteorder("<"), "C")
    try:
        return bytes(safetensors_numpy.save(ready, metadata))
    except (SafetensorError, KeyError, UnicodeEncodeError) as error:
        raise ConfigError(f"{what}: its arrays cannot be stored: {error}") from error


def unpack(data: Bytes, where: str) -> Arrays:
    """The arrays of one safetensors file, as they lie in `data`. Raises ModelError naming `where`."""
    _, places = unpack_header(data, where)
    try:
        return {
            name: np.require(np.ndarray(shape, dtype, data, at), requirements="A")
            for name, (dtype, shape, at) in places.items()
        }
    except (ValueError, OverflowError) as error:  # empty, but of more or longer dimensions than NumPy has
        raise ModelError(f"{where}: has a damaged header ({error})") from error


def unpack_header(data: Bytes, where: str) -> tuple[dict[str, str], Places]:
    """Metadata of a safetensors file; dtype, shape and place of each array.

    Raises ModelError naming `where`.
    """
    begin = 8 + int.from_bytes(data[:8], "little")
    if len(data) < begin:
        raise ModelError(f"{where}: is no safetensors file, or is cut short in its header")
    try:
        content = json.loads(bytes(data[8:begin]))
        metadata = content.pop("__metadata__", {})
        places: Places = {}
        for name, entry in content.items():
            dtype, shape = _DTYPES[entry["dtype"]], tuple(map(int, entry["shape"]))
            at, end = map(int, entry["data_offsets"])
            if min(shape, default=0) < 0 or at < 0 or end - at != math.prod(shape) * dtype.itemsize:
                raise ValueError(f"{name} is not where it should be")
            if begin + end > len(data):
                raise ModelError(f"{where}: is cut short: {name} ends beyond it")
            places[name] = (dtype, shape, begin + at)
        return dict(metadata), places
    except (ValueError, OverflowError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"{where}: has a damaged header ({error})") from error


def pack_sealed(arrays: Mapping[str, Any], what: str) -> bytes:
    """As `pack`, with a seal in the header so that `unpack_sealed` sees every altered byte."""
    return seal(pack(arrays, what, {"sha256": _BLANK.decode()}))


def unpack_sealed(data: bytes, where: str) -> Arrays:
    """The arrays that `pack_sealed` stored. Raises ModelError if the data is truncated or altered."""
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise ModelError(f"{where}: bytes are needed, not {type(data).__name__}")
    own = bytearray(data)  # the arrays lie in it, and can be changed
    check_seal(own, where)
    return unpack(own, where)


def seal(data: bytes) -> bytes:
    """Replace the first blank ``"sha256": "000..."`` by the SHA-256 of the data with the blank in place."""
    found = _SEAL.search(data)
    if found is None or found[1] != _BLANK:
        raise ConfigError("there is no blank seal to fill in")
    return data[: found.start(1)] + hashlib.sha256(data).hexdigest().encode() + data[found.end(1) :]


def check_seal(data: bytes | bytearray, where: str) -> None:
    """Raise ModelError unless the data is, byte for byte, what `seal` returned."""
    found = _SEAL.search(data)
    if found is None:
        raise ModelError(f"{where}: is truncated or altered, or not an nlptk file: it has no SHA-256 seal")
    if (
        hashlib.sha256(data[: found.start(1)] + _BLANK + data[found.end(1) :]).hexdigest().encode()
        != found[1]
    ):
        raise ModelError(f"{where}: is truncated or altered: its SHA-256 does not match its content")


# ---- JSON ----------------------------------------------------------------------------------------


def dump_json(value: Any, what: str, indent: int | None = None) -> bytes:
    """JSON as UTF-8; lone surrogates pass as they are. Raises ConfigError naming `what` if it is not
    JSON-able.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent, default=_plain_number)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(f"{what} cannot be written as JSON: {error}") from error
    # Escapes would join two lone surrogates into one character on the way back; raw ones stay apart.
    return text.encode("utf-8", "surrogatepass")


def _plain_number(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not a JSON type")


def load_json(data: bytes, where: str) -> Any:
    """What `dump_json` wrote. Raises ModelError naming `where`."""
    try:
        return json.loads(data.decode("utf-8", "surrogatepass"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{where}: is truncated or not JSON: {error}") from error


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")
