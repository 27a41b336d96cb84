"""What cannot be learned from, or not be kept: one sentence says why, and nothing is lost."""

from __future__ import annotations

import contextlib
import random
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from two_topics import sentences, text

from nlptk import Word2Vec
from nlptk.errors import ConfigError, DataError, ModelError

PRESENT = sentences(50)


@pytest.mark.parametrize("content", ["", "\n\n\n", " \t\u3000\n", "\ufeff"])
def test_a_corpus_without_words(content: str, tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text(content, "utf-8")
    with pytest.raises(DataError, match="nothing to learn from: the corpus has no words"):
        Word2Vec(10).fit(path)


@pytest.mark.parametrize("corpus", [[], [[]], [[""]], [[], []]])
def test_sentences_without_words(corpus: list[list[str]]) -> None:
    with pytest.raises(DataError, match="nothing to learn from: the corpus has no words"):
        Word2Vec(10).fit(corpus)


def test_words_that_are_all_too_rare() -> None:
    with pytest.raises(DataError, match=r"^0 of the 4 different words .* 5 times or more.*lower min_count$"):
        Word2Vec(10).fit([["one", "two"], ["three", "four"]] * 4)
    with pytest.raises(DataError, match=r"^1 of the 2 different words .* vectors need two"):
        Word2Vec(10).fit([["one"] * 5 + ["two"] * 4])


def test_a_corpus_in_which_nothing_stands_beside_anything() -> None:
    words = [[word] for sentence in PRESENT for word in sentence]
    wv = Word2Vec(10, epochs=2, threads=1).fit(words).wv
    assert np.isfinite(wv.vectors).all()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"vector_size": 0}, "vector_size must be a whole number from 1"),
        ({"vector_size": 65537}, "dimension must be 1 to 65536"),
        ({"vector_size": 10.0}, "vector_size must be a whole number"),
        ({"vector_size": 10**30}, "vector_size must be a whole number"),
        ({"model": "glove"}, "model must be one of skipgram, cbow, not 'glove'"),
        ({"window": 0}, "window must be"),
        ({"window": 1001}, "window must be 1 to 1000"),
        ({"min_count": 0}, "min_count must be"),
        ({"min_count": True}, "min_count must be a whole number from 1 to 2147483647, not True"),
        ({"max_final_vocab": 1}, "max_final_vocab must be None or"),
        ({"max_vocab_size": "many"}, "max_vocab_size must be None or"),
        ({"negative": -1}, "negative must be"),
        ({"negative": 0}, "negative is 0 and hs is off"),
        ({"ns_exponent": float("nan")}, "ns_exponent must be"),
        ({"ns_exponent": 3}, "ns_exponent must be -2 to 2"),
        ({"sample": 1.5}, "sample must be 0 to 1"),
        ({"sample": None}, "sample must be a number"),
        ({"alpha": 0}, "alpha must be above 0"),
        ({"alpha": float("inf")}, "alpha must be above 0 and at most 10"),
        ({"alpha": "0.05"}, "alpha must be a number, not '0.05'"),
        ({"min_alpha": 0.1}, "min_alpha must be 0 to alpha"),
        ({"epochs": 0}, "epochs must be"),
        ({"max_n": 2}, "subwords need 1 <= min_n <= max_n"),
        ({"min_n": 0, "max_n": 2}, "subwords need 1 <= min_n <= max_n"),
        ({"max_n": 4, "bucket": 0}, "bucket must be"),
        ({"seed": -1}, "seed must be"),
        ({"threads": -1}, "threads must be"),
        ({"threads": 1.5}, "threads must be"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        Word2Vec(**{"vector_size": 10, **settings}).fit(PRESENT)


@pytest.mark.parametrize("model", [{"model": "skipgram"}, {"model": "cbow"}, {"max_n": 4, "bucket": 100}])
def test_numbers_that_grow_beyond_all_bounds_name_a_word(model: dict[str, Any]) -> None:
    learner = Word2Vec(10, alpha=10.0, min_alpha=10.0, sample=0, epochs=20, threads=1, **model)
    with pytest.raises(
        DataError, match=r"vector of the word '\w+' is not finite; use a smaller learning rate"
    ):
        learner.fit(sentences(2000))


# ---- files ----


def test_a_long_line_is_read_as_short_ones_are(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text(text(40_000).replace("\n", " "))
    learner = Word2Vec(10, epochs=1, threads=2)
    learner.fit(path)
    assert learner.corpus_count_ == 40_000 * 8


def test_binary_garbage(tmp_path: Path) -> None:
    path = tmp_path / "t.bin"
    path.write_bytes(random.Random(1).randbytes(300_000))
    with pytest.raises(
        DataError, match=r"t\.bin, line 1: byte 0x.. is not UTF-8.*--errors replace or ignore"
    ):
        Word2Vec(10).fit(path)
    for errors in ("replace", "ignore"):
        wv = Word2Vec(10, min_count=2, epochs=1).fit(path, errors=errors).wv
        assert np.isfinite(wv.vectors).all()
    path.write_bytes(b"\0" * 3_000_000)
    with pytest.raises(DataError, match=r"t\.bin, line 1: a word of more than 1 MiB"):
        Word2Vec(10).fit(path)


def test_one_bad_byte_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    lines = text(30_000).encode().split(b"\n")
    lines[21_234] += b" \xe9t\xe9"
    path.write_bytes(b"\n".join(lines))
    for threads in (1, 2):
        with pytest.raises(DataError, match=r"t\.txt, line 21235: byte 0xe9 is not UTF-8"):
            Word2Vec(10, threads=threads).fit(path)
    assert Word2Vec(10, epochs=1).fit(path, errors="ignore").corpus_count_ == 30_000 * 8 + 1


def test_words_that_a_text_file_cannot_hold(tmp_path: Path) -> None:
    wv = Word2Vec(10, epochs=1).fit([["New York", "is", "big\n"]] * 10).wv
    assert sorted(wv.index_to_key) == ["New York", "big\n", "is"]
    with pytest.raises(DataError, match=r"New York|big"):
        wv.save(tmp_path / "v.txt")
    assert list(tmp_path.iterdir()) == []
    wv.save(tmp_path / "v.safetensors")


def test_a_corpus_that_changes_under_the_training(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text(text(3000))

    def shrink(words: int) -> None:
        path.write_text("")

    wv = Word2Vec(10, epochs=1).fit(path, before_training=shrink).wv
    assert np.isfinite(wv.vectors).all()
    path.write_text(text(3000))
    with pytest.raises(DataError, match=r"cannot read '.*t\.txt': No such file"):
        Word2Vec(10, epochs=1).fit(path, before_training=lambda words: path.unlink())


# ---- checkpoints ----


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a corpus and the state of a training that is done."""
    folder = tmp_path_factory.mktemp("state")
    (folder / "t.txt").write_text(text(300))
    learner().fit(folder / "t.txt", checkpoint=folder)
    return folder


def learner(**settings: Any) -> Word2Vec:
    return Word2Vec(**{"vector_size": 10, "epochs": 2, "threads": 1, **settings})


def resume(data: bytes, trained: Path, tmp_path: Path, **settings: Any) -> Word2Vec:
    (tmp_path / "training.safetensors").write_bytes(data)
    return learner(**settings).fit(trained / "t.txt", checkpoint=tmp_path, resume=True)


def test_a_checkpoint_cut_anywhere_is_named(trained: Path, tmp_path: Path) -> None:
    data = (trained / "training.safetensors").read_bytes()
    cuts = [*range(20), *range(20, len(data), 97), len(data) - 1]
    for cut in cuts:
        with pytest.raises(ModelError, match=r"training\.safetensors' is damaged: .*; delete it"):
            resume(data[:cut], trained, tmp_path)
    resume(data, trained, tmp_path)


def test_a_checkpoint_altered_in_its_head_is_no_surprise(trained: Path, tmp_path: Path) -> None:
    data = (trained / "training.safetensors").read_bytes()
    head = 8 + int.from_bytes(data[:8], "little")
    chance = random.Random(3)
    for at in range(0, head, 5):
        altered = bytearray(data)
        altered[at] = chance.choice(b'0129x",:{}[]')
        with contextlib.suppress(ModelError, ConfigError):  # and no other
            resume(bytes(altered), trained, tmp_path)


@pytest.mark.parametrize(
    "settings",
    [{"vector_size": 11}, {"seed": 2}, {"epochs": 3}, {"model": "cbow"}, {"min_count": 1}, {"max_n": 4}],
)
def test_a_checkpoint_of_other_settings_is_refused(
    settings: dict[str, Any], trained: Path, tmp_path: Path
) -> None:
    data = (trained / "training.safetensors").read_bytes()
    (name,) = settings
    with pytest.raises(ConfigError, match=rf"is of another training \({name} .* there, .* here\)"):
        resume(data, trained, tmp_path, **settings)
    resume(data, trained, tmp_path, threads=2)


def test_a_checkpoint_of_another_corpus_is_refused(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text(text(301))
    with pytest.raises(ConfigError, match="corpus_bytes"):
        learner().fit(tmp_path / "t.txt", checkpoint=trained, resume=True)


def test_without_resume_a_checkpoint_is_begun_anew(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "training.safetensors").write_bytes(b"junk")
    learner().fit(trained / "t.txt", checkpoint=tmp_path)
    assert learner().fit(trained / "t.txt", checkpoint=tmp_path, resume=True).corpus_count_ == 300 * 8


def test_a_checkpoint_that_cannot_be_written_is_named_first(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    def never(words: int) -> None:
        raise AssertionError("it must not come to the training")

    for folder in (tmp_path / "file", tmp_path / "file" / "state"):
        with pytest.raises(DataError, match=r"cannot write the checkpoint '.*training\.safetensors': "):
            learner().fit(trained / "t.txt", checkpoint=folder, before_training=never)


@contextlib.contextmanager
def small_files(size: int) -> Iterator[None]:
    """No file may grow beyond a size, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))  # Python ignores SIGXFSZ
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_fills_up_leaves_the_last_checkpoint(trained: Path, tmp_path: Path) -> None:
    whole = (trained / "training.safetensors").read_bytes()
    (tmp_path / "training.safetensors").write_bytes(whole)
    with small_files(1000), pytest.raises(DataError, match=r"cannot write the checkpoint .*: File too large"):
        learner().fit(trained / "t.txt", checkpoint=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["training.safetensors"]
    assert (tmp_path / "training.safetensors").read_bytes() == whole


def test_a_copy_that_the_disk_cannot_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with (
        small_files(4000),
        pytest.raises(DataError, match=r"cannot copy the corpus to .*File too large; set TMPDIR"),
    ):
        learner().fit(sentences(3000))
    assert list(tmp_path.iterdir()) == []
