"""Training from a stream: as good as from memory, in memory that the corpus's length does not change."""

from __future__ import annotations

import gzip
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from interrupts import ctrl_c_after

import nlptk
from nlptk import _core
from nlptk.corpora import read_docs
from nlptk.errors import ConfigError, DataError
from nlptk.tag.component import Tagger
from nlptk.tag.crf import CRFTagger
from nlptk.tag.crf_stream import Spool
from nlptk.tag.features import TokenBatch

INSTALLED = Path(nlptk.__file__).parents[1]
TEMPLATES = ("bias", "word", "suffix:2", "word[-1]", "word[1]", "lower[-1]|lower")
LABELS = ("NOUN", "VERB", "ADJ", "DET")

Pair = tuple[list[str], list[str]]


def generated(seed: int, count: int, words: int = 300) -> list[Pair]:
    """Sentences whose words are told by their endings in 85 of 100, the rest by the word before."""
    rng = random.Random(seed)
    made = []
    for _ in range(count):
        labels = [rng.choice(LABELS) for _ in range(rng.randint(0, 9))]
        tokens = []
        for before, label in pairwise(["", *labels]):
            ending = label if rng.random() < 0.85 else before or label
            tokens.append(f"w{rng.randrange(words)}{ending.lower()[:2]}")
        made.append((tokens, labels))
    return made


def write_conllu(path: Path, pairs: list[Pair]) -> Path:
    lines = []
    for words, labels in pairs:
        rows = enumerate(zip(words, labels, strict=True), 1)
        lines += [f"{i}\t{word}\t_\t{label}\t_\t_\t_\t_\t_\t_" for i, (word, label) in rows]
        lines += [""] if words else []
    text = "\n".join(lines) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


TRAIN, HELD_OUT = generated(1, 3000), generated(2, 500)


def score(tagger: CRFTagger) -> float:
    return tagger.score([words for words, _ in HELD_OUT], [labels for _, labels in HELD_OUT])


def stream(corpus, **options) -> CRFTagger:
    options = {"hash_bits": 14, "chunk": 500, **options}
    return CRFTagger(TEMPLATES, seed=options.pop("seed", 1)).fit_stream(corpus, **options)


def weights(tagger: CRFTagger) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in tagger.weights_.to_arrays().items()}


def test_it_is_as_good_as_training_in_memory():
    in_memory = CRFTagger(TEMPLATES).fit([words for words, _ in TRAIN], [labels for _, labels in TRAIN])
    best = score(in_memory)
    assert best > 0.85
    assert score(stream(TRAIN)) == pytest.approx(best, abs=0.01)
    assert score(stream(iter(TRAIN), passes=1)) == pytest.approx(best, abs=0.03)
    assert score(stream(TRAIN, hash_bits=10)) > best - 0.05  # 1,024 rows for some 20,000 features


def test_files_docs_and_pairs_are_the_same(tmp_path):
    there = [pair for pair in TRAIN[:900] if pair[0]]
    path = write_conllu(tmp_path / "a.conllu", there)
    zipped = [write_conllu(tmp_path / f"{i}.conllu.gz", there[450 * i : 450 * i + 450]) for i in range(2)]
    expected = weights(stream(there))
    assert weights(stream(str(path))) == expected
    assert weights(stream(path, column="upos", format="conllu")) == expected
    assert weights(stream(zipped)) == expected
    assert weights(stream(list(read_docs(path, None, "upos")))) == expected
    assert weights(stream(path, passes=1)) == weights(stream(there, passes=1)) != expected
    assert weights(stream(there, seed=2)) != expected
    assert weights(stream(there, chunk=100)) != expected


def test_the_model_is_like_any_other(tmp_path):
    nlp = nlptk.blank("en")
    tagger = nlp.add_pipe("tagger", config={"column": "pos", "templates": list(TEMPLATES)})
    assert isinstance(tagger, Tagger)
    tagger.fit_stream(write_conllu(tmp_path / "a.conllu", TRAIN[:500]), hash_bits=14)
    nlp.to_disk(tmp_path / "model")
    again = nlptk.load(tmp_path / "model")
    text = " ".join(word for words, _ in HELD_OUT[:20] for word in words)
    assert [token.pos_ for token in again(text)] == [token.pos_ for token in nlp(text)]
    assert set(tagger.labels) == set(LABELS)
    with pytest.raises(ConfigError, match="only model 'crf'"):
        Tagger(model="hmm").fit_stream(TRAIN)


def test_other_columns_and_iob_labels(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text("Ada NNP B-PER\nByron NNP I-PER\nsleeps VBZ O\n\nIt VBZ O\n\n" * 60, encoding="utf-8")
    tagger = CRFTagger(["word", "col:1"]).fit_stream(path, column="2", format="conll", hash_bits=10)
    assert tagger.classes_ == ["B-PER", "I-PER", "O"]
    found = tagger.predict([["Eve", "Fay", "Ada"]], {"1": [["NNP", "NNP", "VBZ"]]})
    assert found == [["B-PER", "I-PER", "O"]]
    assert np.isneginf(tagger.weights_.transitions).any()  # from O to I-PER
    with pytest.raises(ConfigError, match="need column '1'"):
        CRFTagger(["word", "col:1"]).fit_stream(TRAIN)


def test_labels_that_come_late_are_learned():
    late = [(["a", "b"], ["A", "B"])] * 40 + [(["c"], [f"C{i}"]) for i in range(12)] * 40
    late += [([f"d{i}", "c"], [f"D{i}", f"C{i}"]) for i in range(12)] * 40
    tagger = CRFTagger(["word", "word[-1]"]).fit_stream(late, hash_bits=10, chunk=10)
    assert len(tagger.classes_) == 26
    assert tagger.predict([["a", "b"], ["d7", "c"]]) == [["A", "B"], ["D7", "C7"]]


def test_progress_is_told_after_each_chunk():
    seen: list[dict] = []
    CRFTagger(TEMPLATES).fit_stream(TRAIN[:1000], chunk=400, passes=2, hash_bits=14, progress=seen.append)
    assert [(info["iteration"], info["of"], info["sentences"]) for info in seen] == [
        (number, 2, done) for number in (1, 2) for done in (400, 800, 1000)
    ]
    assert seen[2]["tokens"] == sum(len(words) for words, _ in TRAIN[:1000])
    assert seen[5]["objective"] < seen[2]["objective"]


def test_the_kernels_first_step_is_plain_numpys():
    """One sequence of two units, from zero: every p is uniform."""
    keys = np.array([[3, 5], [3, 0]], np.uint32)
    gold = np.array([1, 0], np.int32)
    table = _core.CrfStream(10, c2=0.0, rate=0.5, dense_freq=1)
    table.grow(3)
    assert table.learn(keys, np.array([0, 2]), gold) == pytest.approx(2 * np.log(3))
    found, starts, labels, parameters = table.model()
    hot = np.eye(3)[gold] - 1 / 3
    rows = {3: 0.5 * hot.sum(axis=0), 5: 0.5 * hot[0]}
    assert found.tolist() == [3, 5]
    for row, key in enumerate(found.tolist()):
        dense = np.zeros(3)
        dense[labels[starts[row] : starts[row + 1]]] = parameters[starts[row] : starts[row + 1]]
        np.testing.assert_allclose(dense, rows[key], atol=1e-6)
    transitions = -np.full((3, 3), 1 / 9)
    transitions[1, 0] += 1
    expected = np.concatenate([0.5 * transitions.ravel(), 0.5 * hot[0], 0.5 * hot[1]])
    np.testing.assert_allclose(parameters[len(labels) :], expected, atol=1e-6)


# ---- what is refused ---------------------------------------------------------------------------------------


def test_what_can_be_read_only_once_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"generator, which can be read only once, and there are 5 passes"):
        CRFTagger().fit_stream(iter(TRAIN))
    with pytest.raises(ConfigError, match=r"<stdin> can be read only once, and there are 2 passes"):
        CRFTagger().fit_stream("-", passes=2)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match=r"pipe can be read only once"):
        CRFTagger().fit_stream(tmp_path / "pipe")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"passes": 0}, "passes must be an integer of at least 1"),
        ({"passes": 1.5}, "passes must be an integer"),
        ({"hash_bits": 9}, "hash_bits must be an integer of at least 10"),
        ({"hash_bits": 29}, "hash_bits must be at most 28"),
        ({"chunk": 0}, "chunk must be an integer of at least 1"),
        ({"rate": 0}, "rate must be a number above 0"),
        ({"rate": float("nan")}, "rate must be a number above 0"),
    ],
)
def test_settings_out_of_range_are_named(options, message):
    with pytest.raises(ConfigError, match=message):
        CRFTagger().fit_stream(TRAIN, **options)


def test_other_algorithms_are_refused():
    with pytest.raises(ConfigError, match="trains with algorithm='sgd', not 'lbfgs'"):
        CRFTagger(algorithm="lbfgs").fit_stream(TRAIN)


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        (7, "a corpus is a file, a list of files, or sentences"),
        ([(["a"], ["A"]), (["a", "b"], ["A"])], "sentence 2 of the corpus has 2 words but 1 labels"),
        ([(["a"], ["A"]), ("a", ["A"])], "sentence 2 of the corpus holds str; give lists of words"),
        ([(["a"], ["A"]), (["a"], [None])], "sentence 2 of the corpus holds None, which is not a string"),
        ([(["a"], ["A"]), 3], "sentence 2 of the corpus is int; give a Doc, or a pair"),
        ([], "the corpus has no tokens"),
        ([([], [])], "the corpus has no tokens"),
    ],
)
def test_what_is_no_corpus_is_said(corpus, message):
    with pytest.raises((DataError, ConfigError), match=message):
        CRFTagger(TEMPLATES).fit_stream(corpus, hash_bits=10)


def test_bad_files_are_named_with_the_line(tmp_path):
    good = "1\ta\t_\tX\t_\t_\t_\t_\t_\t_\n\n"
    path = tmp_path / "bad.conllu"
    path.write_text(good * 3 + "1\tb\tX\n\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"bad\.conllu, line 7: expected 10 tab-separated columns"):
        stream([write_conllu(tmp_path / "fine.conllu", TRAIN[:9]), path])
    path.write_bytes(good.encode() + b"1\t\xff\t_\tX\t_\t_\t_\t_\t_\t_\n\n")
    with pytest.raises(DataError, match=r"bad\.conllu, line 3: byte 0xff"):
        stream(path)
    path.write_text(good * 2 + "# sent_id = here\n1\tb\t_\t_\t_\t_\t_\t_\t_\t_\n\n", encoding="utf-8")
    with pytest.raises(
        DataError, match=r"bad\.conllu, sentence 3 \(here\): the token 'b' has no 'pos' label"
    ):
        stream(path)
    with pytest.raises(DataError, match=r"cannot read .*nowhere\.conllu"):
        stream(tmp_path / "nowhere.conllu")
    whole = write_conllu(tmp_path / "cut.conllu.gz", TRAIN).read_bytes()
    (tmp_path / "cut.conllu.gz").write_bytes(whole[:-1000])
    with pytest.raises(DataError, match=r"cut\.conllu\.gz, line [0-9]+: the gzip stream is damaged"):
        stream(tmp_path / "cut.conllu.gz")


class Changing:
    """A corpus that has one more label each time."""

    def __init__(self) -> None:
        self.times = 0

    def __iter__(self) -> Iterator[Pair]:
        self.times += 1
        yield ["a"], [f"L{self.times}"]


def test_a_corpus_that_changes_between_passes_is_refused():
    with pytest.raises(DataError, match="has changed between passes: the label 'L2' is new"):
        CRFTagger().fit_stream(Changing(), hash_bits=10)


def test_labels_beyond_4096_are_refused():
    many = [([f"w{i}"], [f"L{i}"]) for i in range(4097)]
    with pytest.raises(DataError, match="training failed: a CRF can have 4096 labels at most"):
        CRFTagger(["word"]).fit_stream(many, hash_bits=10, chunk=5000)


def test_what_the_spool_keeps_comes_back():
    batch = TokenBatch.from_words([["a\ud800", "词"], [], ["𝄞"]], {"c": [["x", "y"], [], ["z"]]})
    spool = Spool()
    for _ in range(2):
        spool.append(batch, np.array([0, 1, 0], np.int32))
    found = list(spool)
    spool.close()
    assert len(found) == 2
    for again, gold in found:
        assert again.texts == batch.texts
        assert gold.tolist() == [0, 1, 0]
        for name in ("starts", "ends", "documents", "sequences"):
            assert getattr(again, name).tolist() == getattr(batch, name).tolist()
            assert getattr(again, name).dtype == getattr(batch, name).dtype
        assert again.columns["c"].tolist() == batch.columns["c"].tolist()


def test_ctrl_c_leaves_the_tagger_as_it_was():
    tagger = stream(TRAIN[:100])
    before = weights(tagger)
    with pytest.raises(KeyboardInterrupt), ctrl_c_after(0.5):
        tagger.fit_stream(TRAIN, passes=10**6, hash_bits=14)
    assert weights(tagger) == before


# ---- memory ------------------------------------------------------------------------------------------------

MEASURE = """
import resource, sys
from nlptk.tag.crf import CRFTagger
CRFTagger(["word", "word[-1]|word", "suffix:3"]).fit_stream(sys.argv[1], hash_bits=14, chunk=1000, passes=2)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak(path: Path) -> float:
    """MiB of a process that trains on the file."""
    environment = {**os.environ, "PYTHONPATH": str(INSTALLED)}
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    return int(done.stdout) / (1024 if sys.platform == "linux" else 1 << 20)


def test_memory_does_not_grow_with_the_corpus(tmp_path):
    pairs = [pair for pair in generated(3, 6000, words=10**6) if pair[0]]  # nearly all words are new
    once, often = (tmp_path / f"{times}.conllu" for times in (1, 6))
    write_conllu(once, pairs)
    write_conllu(often, pairs + [pair for pair in generated(4, 30000, words=10**6) if pair[0]])
    assert often.stat().st_size > 5 * once.stat().st_size
    small, large = peak(once), peak(often)
    assert large < small + 8  # in memory the features alone would be 30 MiB more
