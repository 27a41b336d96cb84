"""Texts with labels: TSV, CSV and fastText's format."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from nlptk.corpora.labelled import LabelledTexts, read_labelled
from nlptk.errors import ConfigError, DataError


def read(tmp_path: Path, name: str, content: str | bytes, /, **options: str) -> LabelledTexts:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return read_labelled(path, **options)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.tsv", 'label\tsentence\n1\ta "fine" film\n0\tdull\n'),
        ("a.tsv", '1\ta "fine" film\n0\tdull'),
        ("a.txt", '1\ta "fine" film\r\n\r\n0\tdull\r\n'),
        ("a.csv", 'label,review\n1,"a ""fine"" film"\n0,dull\n'),
        ("a.csv", 'Review,Stars,Label\n"a ""fine"" film",3,1\ndull,1,0\n'),
        ("a.csv", 'id,label\n"a ""fine"" film",1\ndull,0\n'),
        ("a.txt", '__label__1 a "fine" film\n__label__0 dull\n'),
        ("a.txt", 'a "fine" film __label__1\ndull __label__0'),
    ],
)
def test_the_same_texts_in_every_format(tmp_path: Path, name: str, text: str) -> None:
    if "film __label__" in text:
        found = read(tmp_path, name, text, format="fasttext")
    else:
        found = read(tmp_path, name, text)
    assert found.texts == ['a "fine" film', "dull"]
    assert found.labels == [["1"], ["0"]]
    assert found.single("a") == ["1", "0"]


def test_gzip_and_lines_within_quotes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress('label,text\n好,"一行\n两行"\n'.encode()))
    assert read_labelled(path) == LabelledTexts(["一行\n两行"], [["好"]])


def test_named_columns_and_several_labels(tmp_path: Path) -> None:
    text = "genre\tplot\tyear\ncrime|drama\tA heist.\t1999\ncomedy\tA wedding.\t2001\n"
    found = read(tmp_path, "a.tsv", text, label="Genre", text="plot", separator="|")
    assert found == LabelledTexts(["A heist.", "A wedding."], [["crime", "drama"], ["comedy"]])
    with pytest.raises(DataError, match="text 1 has 2 labels, and one is wanted"):
        found.single("a.tsv")
    found = read(tmp_path, "a.txt", "__label__a __label__b x y\n")
    assert found == LabelledTexts(["x y"], [["a", "b"]])


@pytest.mark.parametrize("text", ["", "label\ttext\n"])
def test_a_file_without_texts(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, "a.tsv", text) == LabelledTexts([], [])


@pytest.mark.parametrize(
    ("name", "text", "options", "message"),
    [
        ("a.tsv", "1\ta\nonly\n", {}, r"a\.tsv.*2.*column 2 is missing: the line has 1"),
        ("a.tsv", "label\ttext\n1\ta\n\tb\n", {}, r"a\.tsv.*3.*no label, or an empty one"),
        ("a.tsv", "label\ttext\n1\ta\n", {"label": "stars"}, "no column 'stars' for the labels; it has"),
        ("a.csv", "id,label,year\n1,2,3\n", {}, "which column the texts are"),
        ("a.csv", 'label,text\n1,"open\n', {}, "this is no CSV"),
        ("a.txt", "__label__1 a\nb\n", {}, r"a\.txt.*2.*begins with __label__"),
        ("a.txt", "__label__ a\n", {}, "an empty one"),
        ("a.tsv", b"1\tfine\n0\t\xff\n", {}, r"a\.tsv.*2.*0xff at column 3 is not UTF-8"),
    ],
)  # fmt: skip
def test_faults_are_named_with_their_line(
    tmp_path: Path, name: str, text: str | bytes, options: dict[str, str], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, name, text, **options)


def test_unknown_formats_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no format 'json' of labelled texts; choose tsv, csv, fasttext"):
        read(tmp_path, "a.json", "{}", format="json")
