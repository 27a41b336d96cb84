"""``nlptk bpe encode | decode``: lines to ids and back as streams."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from bpe_corpus import train_in
from cli_process import check_interrupted, command, environment
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nlptk.tokenize.bpe import BPE

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_in(tmp_path_factory.mktemp("bpe"))


@pytest.fixture(scope="module")
def model(folder: Path) -> Path:
    return folder / "tokenizer.json"


# ---- encode and decode ----

HARD = [
    b"",
    b"\n\n\n",
    b"one line",
    b"no line end\nat the end",
    b"windows\r\nlines\r\n",
    b"a lone \r carriage return\r\r\n\r",
    b"nul \x00 and \x00\x00\n\x00",
    b"  spaces  and\ttabs \n   \n\t\n",
    "水獭 🦦 é e\u0301 \u2028 \u0085 \x0c \x1c end\n".encode(),
    b"the <|end|> token, and <|end|><|end|>\n",
    "\ufefftwice\n\ufeff\n".encode()[3:],
]


def round_trip(run: Run, model: Path, data: bytes) -> None:
    status, ids, err = run("bpe", "encode", "-m", model, stdin=data)
    assert (status, err) == (0, "")
    assert ids.count("\n") == data.count(b"\n")
    status, text, err = run("bpe", "decode", "-m", model, stdin=ids.encode())
    assert (status, err) == (0, "")
    assert text.encode() == data


@pytest.mark.parametrize("data", HARD)
def test_decoding_gives_the_same_bytes(run: Run, model: Path, data: bytes) -> None:
    round_trip(run, model, data)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("\n\r\x00 e"))))
def test_decoding_gives_the_same_bytes_of_any_text(run: Run, model: Path, text: str) -> None:
    round_trip(run, model, text.removeprefix("\ufeff").encode())  # a byte-order mark at the start is dropped


def test_batches_do_not_show(run: Run, model: Path, tmp_path: Path) -> None:
    """Lines of many batches, of which one is longer than a batch, through files."""
    data = b"".join(b"otter %d of the river\n" % i for i in range(60_000)) + b"x" * 1_500_000 + b"\n"
    plain, packed, ids, back = (tmp_path / name for name in ("a.txt", "a.gz", "ids", "back"))
    plain.write_bytes(data)
    packed.write_bytes(gzip.compress(data, 1))
    assert run("bpe", "encode", "-m", model, packed, "-o", ids) == (0, "", "")
    assert run("bpe", "encode", "-m", model, plain)[1] == ids.read_text()
    assert run("bpe", "decode", "-m", model, ids, "-o", back) == (0, "", "")
    assert back.read_bytes() == data


def test_tokens_and_json(run: Run, model: Path) -> None:
    bpe = BPE.load(model)
    text = "the otters 水<|end|>"
    stdin = f"{text}\n\n{text}".encode()
    ids, offsets = bpe.encode_with_offsets(text)
    tokens = [bpe.id_to_token(number) for number in ids]
    assert (
        run("bpe", "encode", "-m", model, "--tokens", stdin=stdin)[1]
        == f"{' '.join(map(str, tokens))}\n\n{' '.join(map(str, tokens))}"
    )
    rows = [
        json.loads(line) for line in run("bpe", "encode", "-m", model, "--json", stdin=stdin)[1].splitlines()
    ]
    whole = {"ids": ids, "tokens": tokens, "offsets": [list(span) for span in offsets]}
    assert rows == [whole, {"ids": [], "tokens": [], "offsets": []}, whole]


def test_special_tokens_around_a_text_are_asked_for(run: Run, model: Path, tmp_path: Path) -> None:
    bpe = BPE.load(model)
    framed = BPE(bpe.vocab, bpe.merges, special_tokens=["<|end|>"], begin_ids=[0], end_ids=[0])
    framed.save(tmp_path / "framed.json")
    use = ["-m", tmp_path / "framed.json"]
    body = run("bpe", "encode", *use, stdin=b"otters")[1]
    ids = run("bpe", "encode", *use, "--add-special-tokens", stdin=b"otters")[1]
    assert ids == f"0 {body} 0"
    row = json.loads(run("bpe", "encode", *use, "--add-special-tokens", "--json", stdin=b"otters")[1])
    assert row["ids"] == list(map(int, ids.split()))
    assert (row["offsets"][0], row["offsets"][1][0], row["offsets"][-1]) == ([0, 0], 0, [0, 0])
    assert run("bpe", "decode", *use, stdin=ids.encode())[1] == "<|end|>otters<|end|>"
    assert run("bpe", "decode", *use, "--skip-special-tokens", stdin=ids.encode())[1] == "otters"


@pytest.mark.parametrize("pattern", ["gpt2", r"\S+|\s+"])
def test_dropout_is_the_same_for_a_seed_however_lines_arrive(run: Run, model: Path, pattern: str) -> None:
    lines = ["the otters on the river bank"] * 30
    options = ["-m", model, "--pattern", pattern, "--dropout", 0.5, "--seed", 7]
    first = run("bpe", "encode", *options, stdin="\n".join(lines).encode())[1].split("\n")
    assert run("bpe", "encode", *options, stdin="\n".join(lines[:9]).encode())[1].split("\n") == first[:9]
    assert len(set(first)) > 10
    bpe = BPE.load(model, pattern=pattern, dropout=0.5)
    assert [list(map(int, row.split())) for row in first] == [
        bpe.encode(line, seed=7 + i) for i, line in enumerate(lines)
    ]


def test_a_line_end_among_the_ids_is_kept_and_json_tells_it(run: Run, model: Path) -> None:
    ids = " ".join(map(str, BPE.load(model).encode("one\ntwo"))).encode()
    assert run("bpe", "decode", "-m", model, stdin=ids)[1] == "one\ntwo"
    assert run("bpe", "decode", "-m", model, "--json", stdin=ids)[1] == '{"text": "one\\ntwo"}\n'


def test_ids_of_half_a_character_become_a_replacement_character(run: Run, model: Path) -> None:
    number = BPE.load(model).token_to_id("æ")  # the byte 0xe6
    assert run("bpe", "decode", "-m", model, stdin=b"%d\n" % (number or 0))[1] == "\ufffd\n"


def test_white_space_between_ids_may_be_any(run: Run, model: Path) -> None:
    ids = BPE.load(model).encode("the otters")
    loose = "\t" + "  ".join(map(str, ids)) + " \r\n \r\n"
    assert run("bpe", "decode", "-m", model, stdin=loose.encode())[1] == "the otters\n\n"


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        (b"x1", "'x1' is no id"),
        (b"1,2", "'1,2' is no id"),
        (b"-1", "'-1' is no id"),
        (b"+1", "'+1' is no id"),
        (b"1_0", "'1_0' is no id"),
        (b"1.0", "'1.0' is no id"),
        ("１".encode(), "is no id"),
        (b"\xff", "is no id"),
        (b"1 \x00 2", "is no id"),
        (b"1 \xc2\xa0 2", "is no id"),
        (b"320", "320"),
        (b"4294967296", "out of range"),
        (b"9" * 5000, "out of range"),
    ],
)
def test_what_is_no_id_is_named_by_file_and_line(
    run: Run, model: Path, tmp_path: Path, bad: bytes, named: str
) -> None:
    file = tmp_path / "bad.ids"
    file.write_bytes(b"65 66\n\n1 " + bad + b" 2\n65\n")
    status, out, err = run("bpe", "decode", "-m", model, file)
    assert status == 1
    assert out == BPE.load(model).decode([65, 66]) + "\n\n"
    assert err.startswith(f"nlptk: error: {file}, line 3: ")
    assert err.count("\n") == 1
    assert named in err


@pytest.mark.parametrize("bad", [b"\xff", b"\xed\xa0\x80", b"\xc3"])
def test_bytes_that_are_no_utf8_are_named_by_file_and_line(
    run: Run, model: Path, tmp_path: Path, bad: bytes
) -> None:
    file = tmp_path / "bad.txt"
    file.write_bytes(b"good\nalso good\nb" + bad + b"\nnever reached\n")
    status, out, err = run("bpe", "encode", "-m", model, file)
    assert (status, out.count("\n")) == (1, 2)
    assert f"{file}, line 3: byte 0x{bad[0]:02x} at column 2" in err
    status, ids, err = run("bpe", "encode", "-m", model, file, "--errors", "replace")
    assert (status, err) == (0, "")
    assert (
        run("bpe", "decode", "-m", model, stdin=ids.encode())[1].encode()
        == file.read_bytes().decode("utf-8", "replace").encode()
    )


def test_utf16_is_told(run: Run, model: Path) -> None:
    status, out, err = run("bpe", "encode", "-m", model, stdin="otter\n".encode("utf-16"))
    assert (status, out) == (1, "")
    assert "line 1: the file is UTF-16" in err


@pytest.mark.parametrize(
    ("arguments", "status", "named"),
    [
        (["encode"], 2, "--model"),
        (["encode", "-m", "no-such.json"], 1, "no-such.json"),
        (["encode", "-m", "{model}", "no-such.txt"], 2, "no-such.txt"),
        (["encode", "-m", "{model}", "--tokens", "--json"], 2, "exclude each other"),
        (["encode", "-m", "{model}", "--dropout", "2"], 2, "--dropout"),
        (["encode", "-m", "{model}", "--pattern", "["], 2, "does not compile"),
        (["encode", "-m", "{model}", "-o", "missing/out"], 1, "missing/out"),
        (["encode", "-m", "{corpus}"], 1, "corpus.txt"),
        (["decode", "-m", "no-such.json"], 1, "no-such.json"),
        (["decode", "-m", "{model}", "-o", "."], 2, "directory"),
    ],
)
def test_wrong_use_is_one_line(
    run: Run,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    status: int,
    named: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    names = {"model": folder / "tokenizer.json", "corpus": folder / "corpus.txt"}
    got, out, err = run("bpe", *(argument.format(**names) for argument in arguments), stdin=b"1\n")
    assert (got, out) == (status, "")
    assert err.count("\n") == 1
    assert named in err


def test_a_file_that_failed_half_way_is_not_left_behind(run: Run, model: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    output.write_text("precious")
    assert run("bpe", "encode", "-m", model, "-o", output, stdin=b"fine\n\xff\n")[0] == 1
    assert run("bpe", "decode", "-m", model, "-o", output, stdin=b"65\nx\n")[0] == 1
    assert output.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [output]


# ---- processes ----


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("what", ["train", "encode", "decode"])
def test_a_full_disk_is_one_sentence(folder: Path, model: Path, tmp_path: Path, what: str) -> None:
    full = tmp_path / "full.json"
    full.symlink_to("/dev/full")
    arguments = [folder / "corpus.txt", "--vocab-size", 300] if what == "train" else ["-m", model]
    done = subprocess.run(
        command("bpe", what, *arguments, "--output", full),
        input=b"65\n" * 9,
        capture_output=True,
        env=environment(),
    )
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == f"nlptk: error: No space left on device: {full}\n"


def test_a_closed_pipe_is_silent(model: Path, tmp_path: Path) -> None:
    file = tmp_path / "long.txt"
    file.write_text("the otters on the river bank\n" * 200_000)
    for arguments in (["encode", "-m", model, file], ["encode", "--json", "-m", model, file]):
        process = subprocess.Popen(
            command("bpe", *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
        )
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().endswith(b"\n")
        process.stdout.close()
        assert process.stderr.read() == b""
        process.stderr.close()
        assert process.wait() == 0


@pytest.mark.parametrize(("what", "lines"), [("encode", [b"the", b"otters"]), ("decode", [b"70 71", b"72"])])
def test_lines_are_answered_while_input_is_open(model: Path, what: str, lines: list[bytes]) -> None:
    process = subprocess.Popen(
        command("bpe", what, "-m", model), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
    )
    assert process.stdin is not None
    assert process.stdout is not None
    for line in lines:
        process.stdin.write(line + b"\n")
        process.stdin.flush()
        assert len(process.stdout.readline()) > 1
    process.stdin.close()
    process.stdout.close()
    assert process.wait() == 0


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_command_leaves_no_file(
    model: Path, tmp_path: Path, sent: signal.Signals, status: int
) -> None:
    arguments = command("bpe", "encode", "-m", model, "-o", tmp_path / "out.ids")
    check_interrupted(arguments, tmp_path, sent, status)
