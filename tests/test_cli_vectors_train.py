"""``nlptk vectors train``: what is written, what is said, what is refused, and Ctrl-C."""

from __future__ import annotations

import gzip
import json
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from cli_process import check_interrupted, check_refusal, command, environment, wait_for
from two_topics import RIVER, sentences, text

import nlptk
from nlptk import KeyedVectors, Word2Vec
from nlptk.tokenize.bpe import BPE

Run = Callable[..., tuple[int, str, str]]
SMALL = ("--dim", 10, "--epochs", 2, "--threads", 1)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.txt"
    path.write_text(text(300))
    return path


def test_help_shows_an_example(run: Run) -> None:
    status, out, err = run("vectors", "train", "--help")
    assert (status, err) == (0, "")
    assert "Example: " in out


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ([], {}),
        (["--model", "cbow"], {"model": "cbow"}),
        (["--window", 2], {"window": 2}),
        (["--negative", 3], {"negative": 3}),
        (["--hs"], {"hs": True}),
        (["--hs", "--negative", 0], {"hs": True, "negative": 0}),
        (["--sample", 0.01], {"sample": 0.01}),
        (["--min-count", 60], {"min_count": 60}),
        (["--max-vocab", 7], {"max_final_vocab": 7}),
        (["--alpha", 0.1], {"alpha": 0.1}),
        (["--min-alpha", 0.01], {"min_alpha": 0.01}),
        (["--seed", 5], {"seed": 5}),
        (["--subwords", "--bucket", 100], {"min_n": 3, "max_n": 6, "bucket": 100}),
        (["--subwords", "--min-n", 2, "--max-n", 3, "--bucket", 90], {"min_n": 2, "max_n": 3, "bucket": 90}),
    ],
)
def test_vectors_are_those_of_the_library(
    run: Run, corpus: Path, tmp_path: Path, options: list[Any], settings: dict[str, Any]
) -> None:
    output = tmp_path / "v.safetensors"
    status, out, err = run("vectors", "train", corpus, "-o", output, *SMALL, *options, "--quiet")
    assert (status, out, err) == (0, "", "")
    expected = Word2Vec(10, epochs=2, threads=1, **settings).fit(corpus).wv
    wv = KeyedVectors.load(output)
    assert wv.index_to_key == expected.index_to_key
    assert np.array_equal(wv.vectors, expected.vectors)
    assert np.array_equal(wv["riverling"], expected["riverling"]) if "--subwords" in options else True


class Layout(NamedTuple):
    name: str
    options: list[Any]


@pytest.mark.parametrize(
    "layout",
    [
        Layout("v.txt", []),
        Layout("v.vec", []),
        Layout("v.bin", []),
        Layout("v.glove", []),
        Layout("v.txt.gz", []),
        Layout("v.bin", ["--subwords", "--bucket", 50]),
        Layout("v.vec", ["--subwords", "--bucket", 50]),
    ],
)
def test_the_ending_chooses_the_format(run: Run, corpus: Path, tmp_path: Path, layout: Layout) -> None:
    output = tmp_path / layout.name
    for _ in range(2):  # the second time it is replaced
        status, _, err = run("vectors", "train", corpus, "-o", output, *SMALL, *layout.options, "--quiet")
        assert (status, err) == (0, "")
    settings = {"max_n": 6, "bucket": 50} if layout.options else {}
    expected = Word2Vec(10, epochs=2, threads=1, **settings).fit(corpus).wv
    wv = KeyedVectors.load(output)
    assert wv.index_to_key == expected.index_to_key
    np.testing.assert_allclose(wv.vectors, expected.vectors, rtol=1e-5, atol=1e-6)
    assert (wv.subwords is not None) == (layout.options != [] and layout.name == "v.bin")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["corpus.txt", layout.name])


def test_several_files_gzip_and_standard_input_are_read_alike(run: Run, corpus: Path, tmp_path: Path) -> None:
    packed = tmp_path / "corpus.gz"
    packed.write_bytes(gzip.compress(corpus.read_bytes()))
    written = []
    for number, sources in enumerate([[corpus, corpus], [packed, corpus], ["-", packed]]):
        output = tmp_path / f"{number}.txt"
        status, _, err = run(
            "vectors", "train", *sources, "-o", output, *SMALL, "-q", stdin=corpus.read_bytes()
        )
        assert (status, err) == (0, "")
        written.append(output.read_bytes())
    assert written[0] == written[1] == written[2]


def test_what_was_done_is_told(run: Run, corpus: Path, tmp_path: Path) -> None:
    output = tmp_path / "v.txt"
    status, out, err = run("vectors", "train", corpus, "-o", output, *SMALL)
    assert (status, out) == (0, "")
    assert "25 vectors from 2,400 words in " in err
    assert f"wrote {output}" in err
    status, out, err = run("vectors", "train", corpus, "-o", output, *SMALL, "--json", "-q")
    assert (status, err) == (0, "")
    answer = json.loads(out)
    assert (answer["words"], answer["corpus_words"], answer["output"]) == (25, 2400, str(output))
    assert answer["seconds"] > 0
    assert 0 < answer["loss"] < 20


def test_progress_tells_words_loss_and_rate(capsys: pytest.CaptureFixture[str]) -> None:
    from nlptk.cli.progress import Progress
    from nlptk.cli.vectors.train import _meter
    from nlptk.vectors import word2vec

    with Progress("train", unit="words", every=0.0) as bar:
        tell = _meter(bar)
        tell(word2vec.Progress("count", 3_000_000, 6_000_000))
        tell(word2vec.Progress("train", 400, 1000, 2, 3.25, 0.0123))
    count, train = capsys.readouterr().err.splitlines()
    assert count.startswith("count: 50%, ")
    assert train.startswith("train: 40%, ")
    assert "words/s" in train
    assert "epoch 2, loss 3.250, alpha 0.0123" in train


# ---- raw text ----


def trained_words(run: Run, source: str, tmp_path: Path, *options: Any) -> list[str]:
    output = tmp_path / "words.txt"
    arguments = ["-o", output, "--dim", 4, "--epochs", 1, "--min-count", 1, *options, "-q"]
    status, _, err = run("vectors", "train", "-", *arguments, stdin=source.encode())
    assert (status, err) == (0, "")
    return sorted(KeyedVectors.load(output).index_to_key)


def test_tokenizers_cut_raw_text(run: Run, tmp_path: Path) -> None:
    english = "The otters don't sink.\n"
    assert trained_words(run, english, tmp_path) == ["The", "don't", "otters", "sink."]
    words = ["--tokenizer", "en"]
    assert trained_words(run, english, tmp_path, *words) == sorted(
        ["The", "otters", "do", "n't", "sink", "."]
    )
    assert "the" in trained_words(run, english, tmp_path, *words, "--lower")
    chinese = "\u6211\u4eec\u5728\u5317\u4eac\u5b66\u4e60\n"
    words = ["--tokenizer", "jieba"]
    assert trained_words(run, chinese, tmp_path, *words) == sorted(
        ["\u6211\u4eec", "\u5728", "\u5317\u4eac", "\u5b66\u4e60"]
    )


def test_a_tokenizer_can_be_a_file_or_a_pipeline(run: Run, tmp_path: Path) -> None:
    bpe = BPE.train(["the otters swim, the otters sleep\n"] * 5, 280)
    bpe.save(tmp_path / "tokenizer.json")
    found = trained_words(run, "the otters\n", tmp_path, "--tokenizer", tmp_path / "tokenizer.json")
    assert found == sorted(set(bpe.tokenize("the otters")))
    nlptk.blank("en").to_disk(tmp_path / "pipeline")
    assert trained_words(run, "it's\n", tmp_path, "--tokenizer", tmp_path / "pipeline") == ["'s", "it"]


def test_bytes_that_are_not_utf8(run: Run, tmp_path: Path) -> None:
    data = b"one tw\xff\n" * 10
    for options in ([], ["--tokenizer", "en"]):
        status, _, err = run(
            "vectors", "train", "-", "-o", tmp_path / "v.txt", *SMALL, *options, "-q", stdin=data
        )
        assert status == 1
        assert "<stdin>, line 1: byte 0xff" in err
        for errors, word in (("replace", "tw\ufffd"), ("ignore", "tw")):
            choice = ["--errors", errors]
            status, _, _ = run(
                "vectors", "train", "-", "-o", tmp_path / "v.bin", *SMALL, *options, *choice, stdin=data
            )
            assert status == 0
            if not options:  # a tokenizer may cut the replacement off
                assert word in KeyedVectors.load(tmp_path / "v.bin").index_to_key


# ---- what cannot be ----


@pytest.mark.parametrize(
    ("arguments", "stdin", "status", "named"),
    [
        (["-"], b"text\n", 2, "--output"),
        (["-o", "v.txt"], b"", 2, "FILES"),
        (["no-such.txt", "-o", "v.txt"], b"", 2, "no-such.txt"),
        ([".", "-o", "v.txt"], b"", 2, "folder"),
        (["-", "-o", "v.docx"], b"text\n", 2, "v.docx"),
        (["-", "-o", "-"], b"text\n", 2, "--output -"),
        (["-", "-o", "missing/v.txt"], b"text\n", 2, "no folder missing"),
        (["-", "-o", "here.txt"], b"text\n", 2, "here.txt"),
        (["-", "-o", "v.txt", "--model", "glove"], b"text\n", 2, "--model"),
        (["-", "-o", "v.txt", "--dim", "0"], b"text\n", 2, "--dim"),
        (["-", "-o", "v.txt", "--dim", "70000"], b"a b\n" * 9, 2, "dimension must be 1 to 65536"),
        (["-", "-o", "v.txt", "--window", "0"], b"text\n", 2, "--window"),
        (["-", "-o", "v.txt", "--negative", "0"], b"a b\n" * 9, 2, "negative is 0 and hs is off"),
        (["-", "-o", "v.txt", "--alpha", "0"], b"a b\n" * 9, 2, "alpha must be above 0"),
        (["-", "-o", "v.txt", "--alpha", "nan"], b"a b\n" * 9, 2, "alpha must be above 0"),
        (["-", "-o", "v.txt", "--subwords", "--min-n", "7"], b"a b\n" * 9, 2, "min_n <= max_n"),
        (["-", "-o", "v.txt", "--resume"], b"text\n", 2, "--checkpoint"),
        (["-", "-o", "v.txt", "--lower"], b"text\n", 2, "--tokenizer"),
        (["-", "-o", "v.txt", "--tokenizer", "nowhere"], b"text\n", 2, "--tokenizer nowhere"),
        (["-", "-o", "v.txt", "--tokenizer", "file"], b"text\n", 1, "file"),
        (["-", "-o", "v.txt", "--checkpoint", "file"], b"a b\n" * 9, 2, "file"),
        (["-", "-o", "v.txt", "--checkpoint", "file/state"], b"a b\n" * 9, 1, "Not a directory"),
        (["-", "-o", "v.txt"], b"", 1, "the corpus has no words"),
        (["-", "-o", "v.txt"], b"a b c d\n", 1, "0 of the 4 different words"),
        (["-", "-o", "v.txt"], b"one\ntw\xff\n", 1, "<stdin>, line 2"),
        (["-", "-o", "v.txt", "--alpha", "10", "--epochs", "1000"], b"a b\n" * 99, 1, "not finite"),
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
    Path("here.txt").mkdir()
    Path("file").write_text("kept")
    check_refusal(run("vectors", "train", *arguments, "--quiet", stdin=stdin), status, named)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "here.txt"]
    assert Path("file").read_text() == "kept"


def test_a_disk_that_is_too_small_is_refused_before_the_training(
    run: Run, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=100)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    for options in ([], ["--subwords"]):
        status, _, err = run("vectors", "train", corpus, "-o", tmp_path / "v.bin", *SMALL, *options, "-q")
        assert status == 2
        assert "the vectors need about" in err
        assert "MB free" in err
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.txt"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_fills_up_is_named(run: Run, corpus: Path, tmp_path: Path) -> None:
    full = tmp_path / "full.txt"
    full.symlink_to("/dev/full")
    status, _, err = run("vectors", "train", corpus, "-o", full, *SMALL, "-q")
    assert status == 1
    assert "No space left on device" in err
    assert "full.txt" in err


# ---- Ctrl-C and going on ----


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_while_reading_leaves_nothing(
    sent: signal.Signals, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    check_interrupted(command("vectors", "train", "-", "-o", tmp_path / "v.txt", "-q"), scratch, sent, status)
    assert [path.name for path in tmp_path.iterdir()] == ["scratch"]


def test_an_interrupted_training_goes_on_to_the_same_bytes(run: Run, tmp_path: Path) -> None:
    corpus, output, state = tmp_path / "corpus.txt", tmp_path / "v.txt", tmp_path / "state"
    corpus.write_text(text(60_000))
    arguments = [
        "vectors",
        "train",
        corpus,
        "--dim",
        10,
        "--epochs",
        15,
        "--threads",
        1,
        "--checkpoint",
        state,
    ]
    arguments += ["--checkpoint-minutes", 0, "-q"]
    process = subprocess.Popen(
        command(*arguments, "-o", output), stderr=subprocess.PIPE, env=environment(), text=True
    )
    wait_for(lambda: (state / "training.safetensors").exists())
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert (process.returncode, err) == (130, "")
    assert not output.exists()
    assert [path.name for path in state.iterdir()] == ["training.safetensors"]

    status, _, err = run(*arguments, "-o", output, "--resume")
    assert (status, err) == (0, "")
    whole = tmp_path / "whole.txt"
    shutil.rmtree(state)
    assert run(*arguments, "-o", whole)[0] == 0
    assert output.read_bytes() == whole.read_bytes()
    assert sorted(KeyedVectors.load(output).index_to_key) == sorted({w for s in sentences(500) for w in s})


def test_a_checkpoint_of_another_training_is_refused(run: Run, corpus: Path, tmp_path: Path) -> None:
    options = ["-o", tmp_path / "v.txt", *SMALL, "--checkpoint", tmp_path / "state", "-q"]
    assert run("vectors", "train", corpus, *options)[0] == 0
    assert run("vectors", "train", corpus, *options, "--resume")[0] == 0
    status, _, err = run("vectors", "train", corpus, *options, "--resume", "--window", 3)
    assert status == 2
    assert "is of another training (window 5 there, 3 here)" in err
    (tmp_path / "state" / "training.safetensors").write_bytes(b"junk")
    status, _, err = run("vectors", "train", corpus, *options, "--resume")
    assert status == 1
    assert "is damaged" in err
    assert RIVER[0] in KeyedVectors.load(tmp_path / "v.txt")
