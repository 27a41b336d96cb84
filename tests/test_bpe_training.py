"""Learning BPE: the merges of tokenizers' trainer, from files and lines, and what is refused."""

from __future__ import annotations

import gzip
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bpe_oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlptk.errors import ConfigError, DataError
from nlptk.tokenize.bpe import BPE
from nlptk.tokenize.bpe_formats import show_bytes

LINES = [
    "low lower lowest newer newest wider widest low low low",
    "the lowlands are lower than the highlands and wider",
    "低い 高い 较低 较高 最低 最高 高低 低高",
    "aaaa aaaaaaa aaaaaaaaaaa ababababa abcabcabcabc",
]


def draw_lines(seed: int, count: int = 200) -> list[str]:
    """Words of few letters, so that pairs tie and overlap all the time."""
    draw = random.Random(seed)
    words = ["".join(draw.choice("aabcé学") for _ in range(draw.randrange(1, 9))) for _ in range(60)]
    return [" ".join(draw.choice(words) for _ in range(draw.randrange(12))) for _ in range(count)]


def peer(
    lines: Sequence[str] | None, files: list[str] | None = None, *, byte_level: bool = True, **options: Any
) -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE(unk_token=options.pop("unk_token", None)))
    if byte_level:
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        options.setdefault("initial_alphabet", pre_tokenizers.ByteLevel.alphabet())
    else:
        made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(show_progress=False, **options)
    if files is None:
        made.train_from_iterator(lines, trainer)
    else:
        made.train(files, trainer)
    return made


def same(ours: BPE, theirs: Any) -> None:
    import json

    model = json.loads(theirs.to_str())["model"]
    assert ours.merges == [tuple(merge) for merge in model["merges"]]
    assert ours.vocab == theirs.get_vocab()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("vocab_size", [256, 300, 1000])
def test_merges_and_ids_are_those_of_tokenizers(seed: int, vocab_size: int) -> None:
    lines = [*LINES, *draw_lines(seed)]
    same(BPE.train(lines, vocab_size), peer(lines, vocab_size=vocab_size))


@pytest.mark.parametrize(
    "options",
    [
        {"min_frequency": 3},
        {"special_tokens": ["<s>", "</s>", "a"]},
        {"max_token_length": 4},
        {"initial_alphabet": ["a", "Ġ"]},
    ],
)
def test_options_mean_what_they_mean_there(options: dict[str, Any]) -> None:
    lines = [*LINES, *draw_lines(9)]
    same(BPE.train(lines, 500, **options), peer(lines, vocab_size=500, **options))


@pytest.mark.parametrize("byte_level", [True, False])
def test_an_alphabet_is_limited_to_its_most_frequent_units(byte_level: bool) -> None:
    """No two are equally frequent: among equals the peer's choice is random."""
    lines = ["".join(chr(97 + i) * (i + 3) for i in range(12)) * 2]
    options: dict[str, Any] = {"limit_alphabet": 5, "initial_alphabet": [], "special_tokens": ["[MASK]"]}
    ours = BPE.train(lines, 40, byte_level=byte_level, **options)
    same(ours, peer(lines, byte_level=byte_level, vocab_size=40, **options))
    assert "a" not in ours.vocab


@pytest.mark.parametrize("options", [{}, {"min_frequency": 2, "unk_token": "<unk>"}, {"max_token_length": 3}])
def test_character_level(options: dict[str, Any]) -> None:
    lines = [*LINES, *draw_lines(3)]
    ours = BPE.train(lines, 400, byte_level=False, **options)
    special = ["<unk>"] if "unk_token" in options else []
    same(ours, peer(lines, byte_level=False, vocab_size=400, special_tokens=special, **options))


@given(st.lists(st.text(alphabet="ab é", max_size=12), min_size=1, max_size=8), st.integers(256, 280))
def test_any_little_text(lines: list[str], vocab_size: int) -> None:
    if not any(lines):
        with pytest.raises(DataError, match="empty"):
            BPE.train(lines, vocab_size)
        return
    ours = BPE.train(lines, vocab_size)
    same(ours, peer(lines, vocab_size=vocab_size))
    pieces = [piece.encode() for line in lines for piece in ours.pre_tokenize(line)]
    expected = bpe_oracle.train(pieces, vocab_size - 256)
    assert ours.merges == [(show_bytes(a), show_bytes(b)) for a, b in expected]


def test_files_are_read_line_by_line_with_their_line_ends(tmp_path: Path) -> None:
    lines = [*LINES, "", "  indented\u2028 not a line end\x0c", "windows\r", *draw_lines(4)]
    plain, zipped = tmp_path / "a.txt", tmp_path / "b.txt.gz"
    plain.write_bytes("\n".join(lines).encode())
    zipped.write_bytes(gzip.compress("\n".join(draw_lines(5)).encode()))
    unzipped = tmp_path / "b.txt"
    unzipped.write_bytes(gzip.decompress(zipped.read_bytes()))
    theirs = peer(None, [str(plain), str(unzipped)], vocab_size=420)
    same(BPE.train([plain, zipped], 420), theirs)
    same(BPE.train([str(plain), str(unzipped)], 420, threads=1), theirs)
    assert (
        BPE.train(plain, 300).merges
        == BPE.train(plain.read_text("utf-8").splitlines(keepends=True), 300).merges
    )


def test_blocks_and_threads_change_nothing(tmp_path: Path) -> None:
    """More text than a block, so that lines of any length are cut and shared out."""
    draw = random.Random(0)
    lines = [" ".join(draw.choice(LINES) for _ in range(draw.choice([0, 1, 40, 3000]))) for _ in range(110)]
    path = tmp_path / "large.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    assert path.stat().st_size > 1 << 22
    found = [BPE.train(path, 400, threads=threads) for threads in (1, 2, 3)]
    assert found[0].merges == found[1].merges == found[2].merges
    ended = [line + "\n" for line in lines[:-1]] + lines[-1:]
    assert BPE.train(iter(ended), 400).merges == found[0].merges


def test_patterns_that_are_no_scanner_count_the_same_way(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("\n".join(LINES), encoding="utf-8")
    spelled = r"(?:'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"
    slow, fast = BPE.train(path, 320, pattern=spelled), BPE.train(path, 320)
    assert slow.merges == fast.merges
    assert slow.pattern == spelled


def test_progress_tells_bytes_and_then_tokens(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("\n".join(LINES), encoding="utf-8")
    seen: list[tuple[str, int, int | None]] = []
    BPE.train(path, 300, progress=lambda stage, done, total: seen.append((stage, done, total)))
    size = path.stat().st_size
    assert seen[0] == ("count", size, size)
    packed = tmp_path / "text.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    for pattern in ("gpt2", r"\S+"):
        seen.clear()
        BPE.train([path, packed], 300, pattern=pattern, progress=lambda *told: seen.append(told))
        counted = [told for told in seen if told[0] == "count"]
        assert [done for _, done, _ in counted] == [size, 2 * size]
        assert counted[-1][2] == 2 * size


def test_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "bad.txt"
    path.write_bytes(b"one\ntwo\nth\xffree\nfour\n")
    with pytest.raises(DataError, match=r"bad\.txt, line 3: byte 0xff is not UTF-8"):
        BPE.train(path, 300)
    replaced = BPE.train(path, 300, errors="replace")
    assert replaced.merges == BPE.train(["one\n", "two\n", "th\ufffdree\n", "four\n"], 300).merges
    path.write_bytes(b"one\ntw\xe5\xad")
    with pytest.raises(DataError, match="line 2: byte 0xe5"):
        BPE.train(path, 300)
    with pytest.raises(ConfigError, match="errors must be"):
        BPE.train(path, 300, errors="ignore")


def test_what_cannot_be_learnt(tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.touch()
    for corpus in (empty, [], [""], iter([])):
        with pytest.raises(DataError, match="nothing to learn from"):
            BPE.train(corpus, 300)
    with pytest.raises(ConfigError, match=r"vocab_size is 100.*256 already"):
        BPE.train(LINES, 100)
    with pytest.raises(DataError, match="cannot read"):
        BPE.train(tmp_path / "missing.txt", 300)
    with pytest.raises(DataError, match="must be str, not int"):
        BPE.train([1, 2], 300)  # type: ignore[list-item]
    with pytest.raises(ConfigError, match="a corpus is"):
        BPE.train(5, 300)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="not one byte"):
        BPE.train(LINES, 300, initial_alphabet=["ab"])
    with pytest.raises(ConfigError, match="byte_level=False"):
        BPE.train(LINES, 300, end_of_word_suffix="</w>")


def test_surrogates_and_nul_are_learnt_as_text() -> None:
    ours = BPE.train(["a\ud800b\x00" * 20], 270)
    assert ours.decode(ours.encode("a\ud800b\x00")) == "a\ufffdb\x00"


def test_a_vocabulary_larger_than_the_text_can_fill() -> None:
    ours = BPE.train(["abab"], 5000)
    assert ours.vocab_size == 256 + 2
    same(ours, peer(["abab"], vocab_size=5000))
