"""Compiled tables in the user's cache folder: flat bytes under a header that says what they were made from.

The folder is ``$NLPTK_CACHE``, else the platform's cache folder for "nlptk" (``$XDG_CACHE_HOME`` or
``~/.cache`` on Linux). A file is used only if format, sources and checksum fit; otherwise, and where the
folder cannot be written, the tables are made again; so they are where the file is another user's (but
root's). No file is ever executed or unpickled.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import struct
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from nlptk import _core

FORMAT = 1

# Mark (also of the byte order), format, hash of the sources, length and hash of the payload.
_HEADER = struct.Struct("=8sQQQQ")
_MARK = b"NLPTKTAB"


def cache_folder() -> Path:
    """Where caches go; the folder need not exist."""
    named = os.environ.get("NLPTK_CACHE")
    if named:
        return Path(named)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "nlptk"


def cached(name: str, sources: Sequence[bytes], make: Callable[[], bytes]) -> memoryview:
    """The tables `name` made from `sources` (file contents): from the cache, or made and put there."""
    key = 0
    for source in sources:
        key = _core.hash_bytes(struct.pack("=QQ", key, _core.hash_bytes(source)))
    try:
        path = cache_folder() / f"{name}-{key:016x}.bin"
    except RuntimeError:  # no home folder
        return memoryview(make())
    payload = _read(path, key)
    if payload is None:
        data = make()
        _write(path, _HEADER.pack(_MARK, FORMAT, key, len(data), _core.hash_bytes(data)), data)
        payload = memoryview(data)
    return payload


def _read(path: Path, key: int) -> memoryview | None:
    try:
        with open(path, "rb") as file:
            if hasattr(os, "geteuid") and os.fstat(file.fileno()).st_uid not in (os.geteuid(), 0):
                return None
            data = memoryview(file.read())
    except OSError:
        return None
    if len(data) < _HEADER.size:
        return None
    mark, version, made_from, length, digest = _HEADER.unpack_from(data)
    payload = data[_HEADER.size :]
    fits = (mark, version, made_from, length) == (_MARK, FORMAT, key, len(payload))
    return payload if fits and _core.hash_bytes(payload) == digest else None


def _write(path: Path, *parts: bytes) -> None:
    """Write beside and rename; a cache that cannot be written is no error."""
    scratch = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(scratch, "xb") as file:
            file.writelines(parts)
        os.replace(scratch, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            scratch.unlink()
        if not isinstance(error, OSError):
            raise
