"""The command line: what it prints, how it fails, and what it leaves behind."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cli_process import check_interrupted, check_refusal, command, environment

import nlptk
from nlptk.corpora import read_docs

COMMANDS = ["annotate", "train", "train tagger", "train segmenter", "evaluate", "info", "demo"]

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A pipeline without anything learned: characters and runs, sentences by their full stops."""
    nlp = nlptk.blank("xx")
    nlp.add_pipe("sentencizer")
    folder = tmp_path_factory.mktemp("models") / "xx"
    nlp.to_disk(folder)
    return str(folder)


# ---- help and wrong use ----


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_an_example(run: Run, name: str) -> None:
    status, out, err = run(*name.split(), "--help")
    assert (status, err) == (0, "")
    assert "Example: " in out


def test_without_arguments_it_says_what_it_can(run: Run) -> None:
    status, out, _ = run()
    assert status == 0
    assert all(name in out for name in ("annotate", "train", "evaluate", "info", "demo"))


def test_version(run: Run) -> None:
    assert run("--version") == (0, f"nlptk {nlptk.__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["anotate"], "annotate"),
        (["annotate", "--frmat", "html"], "--format"),
        (["annotate", "--format", "xml"], "xml"),
        (["annotate", "no-such-file.txt"], "no-such-file.txt"),
        (["annotate", "--batch-size", "0"], "--batch-size"),
        (["annotate", "."], "folder"),
        (["train"], "train --help"),
        (["train", "tagger"], "--train"),
        (["evaluate", "en"], "FILE"),
        (["demo", "--model", "fr"], "fr"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(run: Run, arguments: list[str], named: str) -> None:
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith("nlptk: error: ")
    assert err.count("\n") == 1
    assert named in err


def test_failed_work_is_one_line_and_status_1(run: Run, tmp_path: Path) -> None:
    status, out, err = run("annotate", "--model", tmp_path / "nothing", stdin=b"a")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "nothing" in err
    assert "Traceback" not in err


def test_debug_shows_the_traceback_wherever_it_stands(run: Run, tmp_path: Path) -> None:
    for arguments in (["--debug", "annotate", "-m", tmp_path], ["annotate", "-m", tmp_path, "--debug"]):
        status, _, err = run(*arguments, stdin=b"a")
        assert status == 1
        assert "Traceback" in err
        assert err.splitlines()[-1].startswith("nlptk: error: ")


def test_hostile_names_cannot_steer_the_terminal(run: Run) -> None:
    status, _, err = run("annotate", "a\x1b[2J\nb")
    assert status == 2
    assert "\x1b" not in err
    assert err.count("\n") == 1


# ---- annotate ----

TEXT = "Rain fell. Nobody minded!\n\n小猫睡觉。\r\n   \nlast line, no newline"


def test_annotate_jsonl_answers_line_by_line(run: Run, model: str) -> None:
    status, out, err = run("annotate", "-m", model, "-f", "jsonl", stdin=TEXT.encode())
    assert (status, err) == (0, "")
    texts = [json.loads(line)["text"] for line in out.splitlines()]
    assert texts == ["Rain fell. Nobody minded!", "", "小猫睡觉。", "   ", "last line, no newline"]


def test_annotate_conllu_reads_back(run: Run, model: str, tmp_path: Path) -> None:
    file = tmp_path / "out.conllu"
    status, out, _ = run("annotate", "-m", model, "-o", file, stdin=TEXT.encode())
    assert (status, out) == (0, "")
    docs = list(read_docs(file, unit="document"))
    assert [doc.text for doc in docs] == ["Rain fell. Nobody minded!", "小猫睡觉。", "last line, no newline"]
    newdocs = [line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("# newdoc")]
    assert newdocs == [f"# newdoc id = {number}" for number in (1, 3, 5)]  # the lines that they stood on
    assert len(list(docs[0].sents)) == 2


def test_annotate_is_the_same_with_and_without_processes(run: Run, model: str) -> None:
    alone = run("annotate", "-m", model, "-f", "conllu", stdin=TEXT.encode())
    together = run(
        "annotate", "-m", model, "-f", "conllu", "--n-process", 2, "--batch-size", 1, stdin=TEXT.encode()
    )
    assert alone == together


@pytest.mark.parametrize(
    ("name", "start"),
    [("a.html", "<!doctype html>"), ("a.jsonl", "{"), ("a.txt", "  #"), ("a.xyz", "# newdoc")],
)
def test_output_ending_decides_the_format(
    run: Run, model: str, tmp_path: Path, name: str, start: str
) -> None:
    assert run("annotate", "-m", model, "-o", tmp_path / name, stdin=b"Fog rolled in.")[0] == 0
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(start)


def test_annotate_reads_files_gzip_and_byte_order_mark(run: Run, model: str, tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.txt", tmp_path / "b.gz"
    plain.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    packed.write_bytes(gzip.compress(TEXT.encode()))
    _, from_plain, _ = run("annotate", "-m", model, "-f", "jsonl", plain)
    _, from_packed, _ = run("annotate", "-m", model, "-f", "jsonl", packed)
    _, from_dash, _ = run("annotate", "-m", model, "-f", "jsonl", "-", stdin=TEXT.encode())
    assert from_plain == from_packed == from_dash
    assert "\ufeff" not in from_plain


@pytest.mark.parametrize("bad", [b"\xff", b"\xed\xa0\x80", b"\xc3"])
def test_bytes_that_are_no_utf8_are_named_by_file_and_line(
    run: Run, model: str, tmp_path: Path, bad: bytes
) -> None:
    file = tmp_path / "bad.txt"
    file.write_bytes(b"good\nalso good\nb" + bad + b"\nnever reached\n")
    status, out, err = run("annotate", "-m", model, "-f", "jsonl", file)
    assert status == 1
    assert [json.loads(line)["text"] for line in out.splitlines()] == ["good", "also good"]
    assert f"{file}, line 3" in err


def test_a_file_that_failed_half_way_is_not_left_behind(run: Run, model: str, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    output.write_text("precious")
    assert run("annotate", "-m", model, "-o", output, stdin=b"fine\n\xff\n")[0] == 1
    assert output.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [output]


def test_nul_and_a_million_characters_without_space(run: Run, model: str) -> None:
    stdin = b"a\x00b\n" + b"x" * 1_000_000 + "好".encode() * 1000
    status, out, _ = run("annotate", "-m", model, "-f", "jsonl", stdin=stdin)
    assert status == 0
    assert [len(json.loads(line)["text"]) for line in out.splitlines()] == [3, 1_001_000]


def test_no_input_gives_no_output(run: Run, model: str) -> None:
    for name in ("conllu", "jsonl", "table"):
        assert run("annotate", "-m", model, "-f", name) == (0, "", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("to_stdout", [True, False])
def test_a_full_disk_is_one_sentence(model: str, to_stdout: bool) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command("annotate", "-m", model, "-f", "jsonl", *([] if to_stdout else ["-o", "/dev/full"])),
            input=b"a lot of text\n" * 10_000,
            stdout=full if to_stdout else subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
        )
    assert done.returncode == 1
    assert done.stderr.decode().startswith("nlptk: error: No space left on device")
    assert done.stderr.count(b"\n") == 1


def test_a_closed_pipe_is_silent(model: str, tmp_path: Path) -> None:
    file = tmp_path / "long.txt"
    file.write_text("The same words again and again.\n" * 20_000)
    process = subprocess.Popen(
        command("annotate", "-m", model, "-f", "jsonl", file),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert json.loads(process.stdout.readline())["text"] == "The same words again and again."
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 0


@pytest.mark.parametrize(
    ("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_an_interrupted_command_leaves_no_file(
    model: str, tmp_path: Path, sent: signal.Signals, status: int
) -> None:
    arguments = command("annotate", "-m", model, "-o", tmp_path / "out.jsonl", "--batch-size", 1)
    check_interrupted(arguments, tmp_path, sent, status)


def test_lines_are_answered_while_input_is_open(model: str) -> None:
    process = subprocess.Popen(
        command("annotate", "-m", model, "-f", "jsonl", "--batch-size", 1),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    for text in ("first", "second"):
        process.stdin.write(text.encode() + b"\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["text"] == text
    process.stdin.close()
    process.stdout.close()
    assert process.wait() == 0


# ---- info ----


def test_info_of_the_installation(run: Run) -> None:
    answer = json.loads(run("info", "--json")[1])
    assert answer["nlptk"] == nlptk.__version__
    assert answer["instruction_set"] in ("baseline", "avx2", "avx512", "neon")
    assert "numpy" in answer["packages"]
    assert answer["instruction_set"] in run("info")[1]


def test_info_of_a_model(run: Run, model: str) -> None:
    answer = json.loads(run("info", model, "--json")[1])
    assert answer["lang"] == "xx"
    assert [component["name"] for component in answer["pipeline"]] == ["tokenizer", "sentencizer"]
    assert "sentencizer" in run("info", model)[1]


def test_info_of_a_model_that_is_no_pipeline(run: Run, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("a b\nb a c\n" * 9)
    assert run("lm", "train", text, "--order", 2, "--model", "laplace", "-o", tmp_path / "lm", "-q")[0] == 0
    answer = json.loads(run("info", tmp_path / "lm", "--json")[1])
    assert answer["pipeline"][0]["factory"] == "ngram_lm"
    assert answer["lm"]["order"] == 2
    assert "laplace" in run("info", tmp_path / "lm")[1]


def test_info_of_a_file_of_arrays(run: Run, tmp_path: Path) -> None:
    vectors = nlptk.KeyedVectors(["a", "b"], np.ones((2, 3), np.float32))
    vectors.save(tmp_path / "v.safetensors")
    answer = json.loads(run("info", tmp_path / "v.safetensors", "--json")[1])
    assert "float32 [2, 3]" in answer["arrays"].values()
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "v.safetensors").read_bytes()[:-5])
    check_refusal(run("info", tmp_path / "cut.safetensors"), 1, "is cut short")
    (tmp_path / "words.txt").write_text("no arrays")
    check_refusal(run("info", tmp_path / "words.txt"), 1, "is no safetensors file")
