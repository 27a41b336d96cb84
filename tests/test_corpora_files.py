"""Text files: gzip, UTF-8, line ends, and writes that are whole or not at all."""

from __future__ import annotations

import gzip
import io
import os
import sys
from pathlib import Path

import pytest

from nlptk.corpora import atomic_writer, open_text, read_lines
from nlptk.errors import DataError

TEXT = "first line\nzweite Zeile: äöü\n第三行\n"


@pytest.mark.parametrize("name", ["plain.txt", "named.gz"])
@pytest.mark.parametrize("compress", [False, True])
def test_gzip_is_told_by_its_bytes_not_its_name(tmp_path: Path, name: str, compress: bool) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(TEXT.encode()) if compress else TEXT.encode())
    assert list(open_text(path)) == TEXT.splitlines(keepends=True)


def test_only_line_feeds_end_lines(tmp_path: Path) -> None:
    path = tmp_path / "odd.txt"
    path.write_bytes("a\u2028b\x85c\x0cd\re\r\nlast".encode())
    assert list(open_text(path)) == ["a\u2028b\x85c\x0cd\re\r\n", "last"]
    assert list(read_lines(path)) == ["a\u2028b\x85c\x0cd\re", "last"]


def test_byte_order_mark_is_dropped_at_the_start_only(tmp_path: Path) -> None:
    path = tmp_path / "bom.txt"
    path.write_bytes(b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n")
    assert open_text(path).read() == "a\n\ufeffb\n"
    path.write_bytes(b"\xef\xbb\xbf")
    assert open_text(path).read() == ""


@pytest.mark.parametrize("compress", [False, True])
def test_bytes_that_are_not_utf8_name_file_and_line(tmp_path: Path, compress: bool) -> None:
    path = tmp_path / "latin.txt"
    data = b"fine\nfine\ncaf\xe9\n"
    path.write_bytes(gzip.compress(data) if compress else data)
    with pytest.raises(DataError, match=r"latin\.txt, line 3: byte 0xe9 at column 4 is not UTF-8"):
        open_text(path).read()


def test_encoded_surrogates_and_utf16_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.txt"
    path.write_bytes("x\n\ud800".encode("utf-8", "surrogatepass"))
    with pytest.raises(DataError, match="line 2: byte 0xed"):
        open_text(path).read()
    path.write_bytes("hello".encode("utf-16"))
    with pytest.raises(DataError, match="line 1: the file is UTF-16"):
        open_text(path).read()


def test_every_truncation_of_a_gzip_file_is_a_data_error(tmp_path: Path) -> None:
    data = gzip.compress(TEXT.encode())
    path = tmp_path / "cut.gz"
    for size in range(2, len(data)):
        path.write_bytes(data[:size])
        with pytest.raises(DataError, match=r"cut\.gz, line \d+: the gzip stream is damaged or cut short"):
            open_text(path).read()


def test_altered_gzip_is_a_data_error(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(TEXT.encode() * 50))
    data[20] ^= 0xFF
    path = tmp_path / "bad.gz"
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"bad\.gz"):
        open_text(path).read()


def test_missing_files_and_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read '.*nowhere\.txt': No such file"):
        open_text(tmp_path / "nowhere.txt")
    with pytest.raises(DataError, match="cannot read"):
        open_text(tmp_path)


def test_standard_input_and_output(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(TEXT.encode()))))
    with open_text("-") as reader:
        assert reader.read() == TEXT
    assert not sys.stdin.buffer.closed
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"ok\n\xff\n")))
    with pytest.raises(DataError, match="<stdin>, line 2"):
        open_text("-").read()
    with atomic_writer("-") as file:
        file.write("到 stdout\n")
    assert capsysbinary.readouterr().out == "到 stdout\n".encode()


@pytest.mark.parametrize("name", ["out.txt", "out.txt.gz"])
def test_written_text_comes_back(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    for _ in range(2):
        with atomic_writer(path) as file:
            file.write(TEXT + "kept as it is\r\n")
    raw = path.read_bytes()
    assert (gzip.decompress(raw) if name.endswith(".gz") else raw).decode() == TEXT + "kept as it is\r\n"
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("name", ["out.txt", "out.txt.gz"])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, name: str, error: type[BaseException]
) -> None:
    path = tmp_path / name
    path.write_bytes(b"old")

    def write_half() -> None:
        with atomic_writer(path) as file:
            file.write("new")
            raise error

    with pytest.raises(error):
        write_half()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == [name]


def test_a_lone_surrogate_is_named_with_its_line(tmp_path: Path) -> None:
    def write() -> None:
        with atomic_writer(tmp_path / "s.txt") as file:
            file.write("one\n")
            file.write("two\nthree \udc9f\n")

    with pytest.raises(DataError, match=r"s\.txt, line 3: U\+DC9F is a lone surrogate"):
        write()
    assert os.listdir(tmp_path) == []


def test_links_are_followed_and_devices_written(tmp_path: Path) -> None:
    target = tmp_path / "target.txt"
    target.write_text("old")
    link = tmp_path / "link.txt"
    link.symlink_to(target)
    with atomic_writer(link) as file:
        file.write("new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    with atomic_writer(os.devnull) as file:
        file.write("gone")
    with pytest.raises(DataError, match="cannot write"), atomic_writer(tmp_path / "no" / "folder.txt"):
        pass
