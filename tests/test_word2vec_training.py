"""Word2vec's training: against plain NumPy, the same again with one thread, and that it learns."""

from __future__ import annotations

import gzip
import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import word2vec_oracle
from cli_process import environment
from two_topics import COMMON, RIVER, STARS, sentences, text
from word2vec_oracle import CASES, Case

from nlptk import Word2Vec, _core
from nlptk.vectors.checkpoint import Checkpoint
from nlptk.vectors.word2vec import Progress


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_training_is_that_of_plain_numpy(case: Case, tmp_path: Path) -> None:
    word2vec_oracle.check(case, tmp_path)


@pytest.mark.parametrize("isa", ["baseline", "avx2"])
def test_training_is_the_same_for_other_instruction_sets(isa: str) -> None:
    done = subprocess.run(
        [sys.executable, word2vec_oracle.__file__],
        env={**environment(), "NLPTK_ISA": isa},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() in (isa, "baseline")


# ---- it learns ----

MODELS: list[dict[str, Any]] = [
    {"model": "skipgram"},
    {"model": "cbow"},
    {"model": "skipgram", "hs": True, "negative": 0},
    {"model": "cbow", "hs": True, "negative": 0},
    {"model": "skipgram", "hs": True},
    {"model": "skipgram", "max_n": 5, "bucket": 5000},
    {"model": "cbow", "max_n": 5, "bucket": 5000},
]
MODEL_IDS = ["-".join(f"{k}={v}" for k, v in model.items()) for model in MODELS]


@pytest.mark.parametrize("model", MODELS, ids=MODEL_IDS)
@pytest.mark.parametrize("threads", [1, 2])
def test_words_of_a_topic_become_neighbours(model: dict[str, Any], threads: int) -> None:
    learner = Word2Vec(24, epochs=5, threads=threads, sample=0, alpha=0.05, **model)
    wv = learner.fit(sentences(3000)).wv
    assert sorted(wv.index_to_key) == sorted(COMMON + RIVER + STARS)
    for topic in (RIVER, STARS):
        for word in topic:
            nearest = [near for near, _ in wv.most_similar(word, topn=20) if near not in COMMON][:9]
            assert set(nearest) <= set(topic), (word, nearest)
    assert learner.corpus_count_ == 3000 * 8
    assert 0 < learner.loss_ < 10


def test_unseen_words_get_vectors_by_their_subwords() -> None:
    wv = Word2Vec(24, epochs=5, threads=1, sample=0, min_n=3, max_n=5, bucket=5000).fit(sentences(3000)).wv
    assert "riverling" not in wv.key_to_index
    assert wv.similarity("riverling", "riverbank") > 0.5 + wv.similarity("riverling", "stellaris")
    assert wv.similarity("stellated", "stellaris") > 0.5 + wv.similarity("stellated", "riverbank")


# ---- the same again ----


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks so small that a small corpus has many."""
    whole = _core.TokenCorpus

    def small(*arguments: Any, **options: Any) -> _core.TokenCorpus:
        return whole(*arguments, **{**options, "chunk_bytes": 500})

    monkeypatch.setattr(_core, "TokenCorpus", small)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("model", MODELS, ids=MODEL_IDS)
def test_one_thread_and_a_seed_give_the_same_bytes(model: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text(text(500))

    def vectors(**options: Any) -> bytes:
        learner = Word2Vec(10, epochs=2, **{"threads": 1, **model, **options})
        return learner.fit(path).wv.vectors.tobytes()

    first = vectors()
    assert vectors() == first
    assert vectors(seed=2) != first


@pytest.mark.usefixtures("small_chunks")
def test_what_packs_a_corpus_does_not_show(tmp_path: Path) -> None:
    path, packed = tmp_path / "t.txt", tmp_path / "t.gz"
    path.write_text(text(500))
    packed.write_bytes(gzip.compress(path.read_bytes()))
    learner = Word2Vec(10, epochs=2, threads=1)
    first = learner.fit(path).wv
    for other in (packed, sentences(500)):
        wv = learner.fit(other).wv
        assert wv.index_to_key == first.index_to_key
        assert np.array_equal(wv.vectors, first.vectors)


@pytest.mark.usefixtures("small_chunks")
def test_parts_of_an_epoch_are_as_good_as_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text(text(500))
    corpus = _core.TokenCorpus([str(path)], ["t"])
    vocabulary = _core.WordVocabulary.count(corpus, 1)

    def trained(stops: list[int]) -> bytes:
        trainer = _core.SgnsTrainer(
            corpus, vocabulary, {"dim": 10, "threads": 1, "schedule": vocabulary.tokens}
        )
        for begin, end in itertools.pairwise([0, *stops, corpus.chunks]):
            trainer.run(0, range(begin, end))
        assert trainer.status[0] == vocabulary.tokens
        assert trainer.status[2] == pytest.approx(1e-4)
        return trainer.inputs.tobytes() + trainer.outputs.tobytes()

    whole = trained([])
    for stops in ([1], [corpus.chunks - 1], [3, 4, 9], list(range(1, corpus.chunks))):
        assert trained(stops) == whole


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("model", [MODELS[0], MODELS[4], MODELS[6]])
@pytest.mark.parametrize("stop", [1, 2, 3, 5])
def test_a_training_goes_on_where_it_stopped(
    model: dict[str, Any], stop: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, folder = tmp_path / "t.txt", tmp_path / "state"
    path.write_text(text(600))
    learner = Word2Vec(10, epochs=2, threads=1, min_count=3, **model)
    whole = learner.fit(path).wv
    with monkeypatch.context() as patch:
        stop_at_checkpoint(stop, patch)
        with pytest.raises(KeyboardInterrupt):
            learner.fit(path, checkpoint=folder, checkpoint_seconds=0)
    assert [file.name for file in folder.iterdir()] == ["training.safetensors"]
    resumed = learner.fit(path, checkpoint=folder, resume=True)
    assert resumed.wv.index_to_key == whole.index_to_key
    assert np.array_equal(resumed.wv.vectors, whole.vectors)
    assert resumed.corpus_count_ == 600 * 8


def stop_at_checkpoint(stop: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while the checkpoint after the next `stop` is written."""
    write, left = Checkpoint.write, iter(range(stop))

    def stopping(self: Checkpoint, *arguments: Any) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        write(self, *arguments)

    monkeypatch.setattr(Checkpoint, "write", stopping)


@pytest.mark.usefixtures("small_chunks")
def test_more_threads_go_on_with_the_same_words_and_schedule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, folder = tmp_path / "t.txt", tmp_path / "state"
    path.write_text(text(2000))
    with monkeypatch.context() as patch:
        stop_at_checkpoint(2, patch)
        with pytest.raises(KeyboardInterrupt):
            Word2Vec(10, epochs=2, threads=1).fit(path, checkpoint=folder, checkpoint_seconds=0)
    told: list[Progress] = []
    learner = Word2Vec(10, epochs=2, threads=2)
    learner.fit(path, checkpoint=folder, resume=True, progress=told.append)
    assert {at.stage for at in told} <= {"train"}  # the words are not counted again
    state = Checkpoint(folder, learner.get_params(), path.stat().st_size).read()
    assert state is not None
    assert state.tokens == 2 * 2000 * 8
    assert learner.wv.index_to_key == Word2Vec(10, epochs=1).fit(path).wv.index_to_key
    again = learner.fit(path, checkpoint=folder, resume=True)  # nothing is left to do
    assert again.wv.index_to_key == learner.wv.index_to_key


def test_progress_tells_the_stages(tmp_path: Path) -> None:
    told: list[Progress] = []
    path = tmp_path / "t.gz"
    path.write_bytes(gzip.compress(text(600).encode()))
    Word2Vec(10, epochs=3, threads=1).fit(path, progress=told.append)
    assert list(dict.fromkeys(at.stage for at in told)) == ["copy", "count", "train"]
    steps = [at for at in told if at.stage == "train"]
    assert [at.done for at in steps] == sorted(at.done for at in steps)
    assert [at.alpha for at in steps] == sorted((at.alpha for at in steps), reverse=True)
    assert all(at.total == 3 * 600 * 8 and 0 < at.loss < 20 for at in steps)
    assert sorted({at.epoch for at in steps}) == [1, 2, 3]
    assert steps[-1].done == steps[-1].total
