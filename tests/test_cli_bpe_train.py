"""``nlptk bpe train``: models from files and streams, and what is refused."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from bpe_corpus import CORPUS, train_in
from cli_process import check_refusal

from nlptk.tokenize.bpe import BPE

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_in(tmp_path_factory.mktemp("bpe"))


@pytest.fixture(scope="module")
def model(folder: Path) -> Path:
    return folder / "tokenizer.json"


@pytest.mark.parametrize("name", ["bpe", "bpe train", "bpe encode", "bpe decode"])
def test_help_shows_an_example(run: Run, name: str) -> None:
    status, out, err = run(*name.split(), "--help")
    assert (status, err) == (0, "")
    assert "Example: " in out


def test_train_makes_what_the_library_makes(model: Path) -> None:
    ours = BPE.load(model)
    lines = [line + "\n" for line in CORPUS]
    theirs = BPE.train(lines, 320, special_tokens=["<|end|>"])
    assert (ours.merges, ours.vocab) == (theirs.merges, theirs.vocab)
    assert ours.token_to_id("<|end|>") == 0


def test_train_reads_several_files_gzip_and_standard_input(run: Run, folder: Path, tmp_path: Path) -> None:
    corpus = folder / "corpus.txt"
    packed = tmp_path / "corpus.gz"
    packed.write_bytes(gzip.compress(corpus.read_bytes()))
    saved = []
    for number, sources in enumerate([[corpus, corpus], [packed, corpus], ["-", packed]]):
        output = tmp_path / f"{number}.json"
        status, out, err = run(
            "bpe", "train", *sources, "--vocab-size", 330, "-o", output, stdin=corpus.read_bytes()
        )
        assert (status, err) == (0, "")
        assert out.startswith(f"saved {output}: 330 tokens, 74 merges; ")
        saved.append(output.read_text())
    assert saved[0] == saved[1] == saved[2]


def test_train_answers_in_json(run: Run, folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "t.json"
    _, out, _ = run("bpe", "train", folder / "corpus.txt", "--vocab-size", 300, "-o", output, "--json")
    answer = json.loads(out)
    assert (answer["output"], answer["tokens"], answer["merges"]) == (str(output), 300, 44)
    assert answer["bytes"] == (folder / "corpus.txt").stat().st_size
    assert answer["seconds"] > 0


def test_train_says_when_the_text_has_no_more_pairs(run: Run, tmp_path: Path) -> None:
    status, out, _ = run("bpe", "train", "-", "-o", tmp_path / "t.json", stdin=b"abab\nabab\n")
    assert status == 0
    assert "258 tokens of 32,000 (the text has no more pairs), 2 merges" in out


def test_train_on_characters(run: Run, folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "t.json"
    options = ["--characters", "--end-of-word", "</w>", "--unk-token", "<unk>", "--limit-alphabet", 24]
    status, _, _ = run("bpe", "train", folder / "corpus.txt", "--vocab-size", 80, *options, "-o", output)
    assert status == 0
    status, out, _ = run("bpe", "encode", "-m", output, "--tokens", stdin="the otters 水獭\n".encode())
    assert (status, out) == (0, "the</w> otters</w> <unk> <unk>\n")


@pytest.mark.parametrize("name", ["t.json", "t.tiktoken", "t"])
def test_train_writes_every_layout_and_replaces_what_is_there(
    run: Run, folder: Path, tmp_path: Path, name: str
) -> None:
    output = tmp_path / name
    for _ in range(2):
        assert run("bpe", "train", folder / "corpus.txt", "--vocab-size", 310, "-o", output)[0] == 0
    ids = run("bpe", "encode", "-m", output, "--pattern", "gpt2", stdin=b"the otters\n")[1]
    assert (
        ids
        == " ".join(map(str, BPE.train([line + "\n" for line in CORPUS], 310).encode("the otters"))) + "\n"
    )
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_regular_expression_is_a_pattern(run: Run, folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "t.json"
    status, _, err = run(
        "bpe", "train", folder / "corpus.txt", "--vocab-size", 300, "--pattern", r"\S+|\s+", "-o", output
    )
    assert (status, err) == (0, "")
    assert BPE.load(output).pattern == r"\S+|\s+"


@pytest.mark.parametrize(
    ("arguments", "stdin", "status", "named"),
    [
        (["-"], b"text\n", 2, "--output"),
        (["-o", "t.json"], b"", 2, "FILES"),
        (["no-such.txt", "-o", "t.json"], b"", 2, "no-such.txt"),
        ([".", "-o", "t.json"], b"", 2, "folder"),
        (["-", "-o", "t.json", "--vocab-size", "0"], b"text\n", 2, "--vocab-size"),
        (["-", "-o", "t.json", "--vocab-size", "255"], b"text\n", 2, "256 already"),
        (["-", "-o", "t.json", "--characters", "--vocab-size", "3"], b"text texts\n", 2, "4 already"),
        (["-", "-o", "t.json", "--pattern", "("], b"text\n", 2, "does not compile"),
        (["-", "-o", "t.json", "--unk-token", "<unk>"], b"text\n", 2, "--characters"),
        (["-", "-o", "t.tiktoken", "--characters"], b"text\n", 2, "t.tiktoken"),
        (["-", "-o", "t.txt"], b"text\n", 2, "t.txt"),
        (["-", "-o", "-"], b"text\n", 2, "--output -"),
        (["-", "-o", "missing/t.json"], b"text\n", 2, "no folder missing"),
        (["-", "-o", "here.json"], b"text\n", 2, "here.json is a folder"),
        (["-", "-o", "file"], b"text\n", 2, "file is a file"),
        (["-", "-o", "file/t"], b"text\n", 2, "file/t cannot be written"),
        (["-", "-o", "t.json"], b"", 1, "empty"),
        (["-", "-o", "t.json"], b"one\ntw\xff\n", 1, "<stdin>, line 2"),
        (["-", "-o", "t.json", "--pattern", r"\S+"], b"one\ntw\xff\n", 1, "<stdin>, line 2"),
    ],
)
def test_training_that_cannot_be_is_one_line(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    stdin: bytes,
    status: int,
    named: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("here.json").mkdir()
    Path("file").write_text("kept")
    check_refusal(run("bpe", "train", *arguments, stdin=stdin), status, named)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "here.json"]
    assert Path("file").read_text() == "kept"


def test_bad_bytes_can_be_replaced_in_training(run: Run, tmp_path: Path) -> None:
    output = tmp_path / "t.json"
    options = ["-o", output, "--errors", "replace", "--vocab-size", 258]
    assert run("bpe", "train", "-", *options, stdin=b"\xff\xff\n\xff\xff\n")[0] == 0
    assert "ï¿½" in BPE.load(output).vocab  # U+FFFD as byte-level vocabularies write it


def test_progress_of_training_counts_and_then_merges(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from nlptk.cli import bpe as commands
    from nlptk.cli.progress import Progress

    monkeypatch.setattr(commands, "Progress", lambda *a, **k: Progress(*a, every=0.0, **k))
    with commands._Stages(quiet=False) as stages:
        stages("count", 3_000_000, 6_000_000)
        stages("merge", 400, 1000)
    count, merge = capsys.readouterr().err.splitlines()
    assert count.startswith("count: 50%, ")
    assert "MB/s" in count
    assert merge.startswith("merge: 40%, ")
    assert "tokens/s" in merge
    assert stages.text_bytes == 3_000_000
