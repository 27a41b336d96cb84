"""Word classes from text: Brown clusters against a plain oracle, k-means, files."""

from __future__ import annotations

import gzip
import itertools
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cli_process import check_refusal
from hypothesis import given, settings
from hypothesis import strategies as st

from nlptk import KeyedVectors
from nlptk.errors import ConfigError, DataError
from nlptk.lexicons import WordClasses
from nlptk.vectors.clusters import (
    BrownClusters,
    brown_clusters,
    kmeans_classes,
    quantized_classes,
    write_classes,
)

Run = Callable[..., tuple[int, str, str]]

TEXT = [
    line.split()
    for line in [
        "the cat sees the dog",
        "a dog sees a bird",
        "the bird sees the cat",
        "a cat hears the dog",
        "the dog hears a bird",
        "a bird hears a cat",
        "the cat sees a bird",
        "a dog hears the cat",
    ]
]


def information(pairs: Counter, counts: Counter, slots: dict[str, int]) -> float:
    """Mutual information of neighbours, but for constants: the sum of n(s, t) log n(s, t) / (w(s) w(t)).

    Pairs with words that are still to come (in no slot) do not count.
    """
    size = max(slots.values()) + 1
    both, weight = np.zeros((size, size)), np.zeros(size)
    for word, slot in slots.items():
        weight[slot] += counts[word]
    for (first, second), count in pairs.items():
        if first in slots and second in slots:
            both[slots[first], slots[second]] += count
    s, t = np.nonzero(both)
    return float((both[s, t] * np.log(both[s, t] / (weight[s] * weight[t]))).sum())


def oracle(sentences: list[list[str]], clusters: int) -> dict[str, str]:
    """Paths of words, every merge chosen by computing all information anew."""
    counts = Counter(word for sentence in sentences for word in sentence)
    words = sorted(counts, key=lambda word: (-counts[word], word.encode()))
    pairs = Counter((a, b) for sentence in sentences for a, b in itertools.pairwise(sentence))
    n = max(sum(pairs.values()), 1)
    tolerance = 1e-10 * max(1.0, n * np.log(n))
    slots: dict[str, int] = {}

    def merge() -> tuple[int, int]:
        used = sorted(set(slots.values()))
        choices = [(s, t) for s in used for t in used if s < t]
        joined = [{word: s if slot == t else slot for word, slot in slots.items()} for s, t in choices]
        values = [information(pairs, counts, after) for after in joined]
        best = next(k for k, value in enumerate(values) if value >= max(values) - tolerance)
        slots.update(joined[best])
        return choices[best]

    first = min(len(words), clusters)
    free = first
    for number, word in enumerate(words):
        slots[word] = number if number < first else free
        if number >= first:
            free = merge()[1]
    leaves = dict(slots)
    merges = [merge() for _ in range(first - 1)]
    paths = {merges[-1][0] if merges else 0: ""}
    for s, t in reversed(merges):
        paths[t], paths[s] = paths[s] + "1", paths[s] + "0"
    return {word: paths[slot] for word, slot in leaves.items()}


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(st.sampled_from("abcdefghij"), max_size=9), min_size=1, max_size=12).filter(any),
    st.integers(1, 12),
)
def test_brown_merges_as_the_oracle_does(sentences, clusters):
    found = brown_clusters(sentences, clusters, min_count=1)
    assert dict(zip(found.words, found.paths, strict=True)) == oracle(sentences, clusters)


def test_words_of_one_kind_share_a_cluster():
    found = brown_clusters(TEXT, 3, min_count=1)
    classes = dict(zip(found.words, found.paths, strict=True))
    assert classes["cat"] == classes["dog"] == classes["bird"]
    assert classes["the"] == classes["a"]
    assert classes["sees"] == classes["hears"]
    assert len(set(found.paths)) == 3
    assert found.counts.tolist() == sorted(found.counts.tolist(), reverse=True)


def test_paths_are_a_prefix_code():
    rng = np.random.default_rng(0)
    text = [[f"w{i}" for i in np.minimum(rng.geometric(0.05, 20), 90)] for _ in range(300)]
    found = brown_clusters(text, 25, min_count=2)
    leaves = set(found.paths)
    assert len(leaves) == 25
    assert not any(a != b and b.startswith(a) for a in leaves for b in leaves)
    assert sum(0.5 ** len(path) for path in leaves) == 1.0  # every inner node has two children
    assert brown_clusters(text, 25, min_count=2, threads=3).paths == found.paths


def test_prefixes_become_classes():
    found = BrownClusters(["a", "b", "c"], np.array([3, 2, 1]), ["00", "011", "1"])
    classes = found.classes((1, 2, 9))
    assert {name: column.tolist() for name, column in classes.items()} == {
        "b1": [0, 0, 1],
        "b2": [0, 1, 2],
        "b9": [0, 1, 2],
    }
    for bad in ((), (0,), (4, 4), (1.5,)):
        with pytest.raises(ConfigError, match="prefixes"):
            found.classes(bad)


@pytest.mark.parametrize("name", ["classes.tsv", "classes.tsv.gz"])
def test_the_file_is_what_word_classes_read(tmp_path, name):
    columns = {"b4": np.array([3, 1, 2], np.uint16), "b6": np.array([9, 8, 7], np.uint16)}
    assert write_classes(tmp_path / name, ["cat", "tab\there", "sees"], columns) == 2
    classes = WordClasses.read(tmp_path / name)
    assert classes.names == ("b4", "b6")
    assert sorted(map(tuple, classes.values.tolist())) == [(2, 7), (3, 9)]
    if name.endswith(".gz"):
        assert gzip.decompress((tmp_path / name).read_bytes()).startswith(b"word\tb4\tb6\n")


def test_paths_round_trip(tmp_path):
    found = brown_clusters(TEXT, 4, min_count=1)
    found.save(tmp_path / "paths")
    again = BrownClusters.load(tmp_path / "paths")
    assert dict(zip(again.words, again.paths, strict=True)) == dict(
        zip(found.words, found.paths, strict=True)
    )
    assert sorted(again.counts.tolist()) == sorted(found.counts.tolist())
    for bad in ("012\tword\t3\n", "01\tword\n", "01\tword\tx\n", f"01\tword\t{10**20}\n"):
        (tmp_path / "bad").write_text("0\tfine\t1\n" + bad)
        with pytest.raises(DataError, match=r"bad.*2"):
            BrownClusters.load(tmp_path / "bad")


def test_more_classes_than_a_column_holds_are_refused():
    paths = [f"{number:017b}" for number in range(65_537)]
    found = BrownClusters([f"w{number}" for number in range(65_537)], np.ones(65_537, np.int64), paths)
    assert found.classes([16])["b16"].max() == 32_768
    with pytest.raises(ConfigError, match=r"17 bits.*65537 classes"):
        found.classes([17])


def test_bad_input_of_brown_is_named(tmp_path):
    with pytest.raises(ConfigError, match="clusters"):
        brown_clusters(TEXT, 0)
    with pytest.raises(ConfigError, match="clusters"):
        brown_clusters(TEXT, 10_001)
    with pytest.raises(ConfigError, match="min_count"):
        brown_clusters(TEXT, 2, min_count=0)
    with pytest.raises(DataError, match="lower min_count"):
        brown_clusters(TEXT, 2, min_count=1000)
    (tmp_path / "bad.txt").write_bytes(b"fine words\nbad \xff word\n")
    with pytest.raises(DataError, match="line 2"):
        brown_clusters(tmp_path / "bad.txt", 2, min_count=1)


def groups(n: int = 90) -> KeyedVectors:
    rng = np.random.default_rng(0)
    centres = np.eye(3, 8)[np.arange(n) % 3] * rng.uniform(
        0.5, 50, (n, 1)
    )  # lengths differ, directions do not
    return KeyedVectors(
        [f"w{k}" for k in range(n)], (centres * (1 + 0.01 * rng.normal(size=(n, 8)))).astype(np.float32)
    )


def test_kmeans_finds_directions():
    words, columns = kmeans_classes(groups(), (3,))
    assert list(columns) == ["k3"]
    assert columns["k3"].dtype == np.uint16
    by_group = [set(columns["k3"][k::3].tolist()) for k in range(3)]
    assert all(len(found) == 1 for found in by_group)
    assert len(set.union(*by_group)) == 3
    assert words == [f"w{k}" for k in range(90)]
    again = kmeans_classes(groups(), (3, 5), max_words=30)
    assert len(again[0]) == 30
    assert {name: len(column) for name, column in again[1].items()} == {"k3": 30, "k5": 30}


def test_bad_input_of_kmeans_is_named():
    with pytest.raises(ConfigError, match="too few for 91 classes"):
        kmeans_classes(groups(), (91,))
    with pytest.raises(ConfigError, match="sizes"):
        kmeans_classes(groups(), (0,))
    with pytest.raises(ConfigError, match="max_words"):
        kmeans_classes(groups(), (3,), max_words=0)


def test_quantized_axes_are_the_main_ones_in_even_bins():
    rng = np.random.default_rng(1)
    turn = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    plain = rng.normal(size=(300, 6)) * [0.1, 9, 0.1, 3, 0.1, 0.1]
    plain[:, 4] += 20  # all far from zero, so that lengths are much the same
    vectors = KeyedVectors([f"w{k}" for k in range(300)], (plain @ turn).astype(np.float32))
    words, columns = quantized_classes(vectors, 2, 3)
    assert list(columns) == ["q1", "q2"]
    assert words == vectors.index_to_key
    unit = plain / np.linalg.norm(plain, axis=1, keepdims=True)
    for found, wanted in zip(columns.values(), (unit[:, 1], unit[:, 3]), strict=True):
        assert found.dtype == np.uint16
        assert np.bincount(found).tolist() == [100, 100, 100]
        expected = np.searchsorted(np.quantile(wanted, [1 / 3, 2 / 3]), wanted)
        assert max(np.mean(found == expected), np.mean(found == 2 - expected)) > 0.95  # a sign is as good
    again, fewer = quantized_classes(vectors, 1, 2, max_words=30)
    assert again == words[:30]
    assert {name: len(column) for name, column in fewer.items()} == {"q1": 30}


@pytest.mark.parametrize(
    ("changed", "named"),
    [({"axes": 9}, "axes"), ({"axes": 0}, "axes"), ({"bins": 0}, "bins"), ({"max_words": 0}, "max_words")],
)
def test_bad_input_of_quantized_classes_is_named(changed, named):
    with pytest.raises(ConfigError, match=named):
        quantized_classes(groups(), **{"axes": 3, **changed})


# ---- nlptk vectors clusters ----


def test_command_on_text(run: Run, tmp_path: Path) -> None:
    text, out, paths = tmp_path / "a.txt", tmp_path / "a.tsv", tmp_path / "paths"
    text.write_text("\n".join(map(" ".join, TEXT)), encoding="utf-8")
    status, printed, err = run(
        "vectors",
        "clusters",
        text,
        "-o",
        out,
        "--paths",
        paths,
        "--clusters",
        3,
        "--min-count",
        1,
        "--prefixes",
        "1,2",
    )
    assert (status, printed) == (0, "")
    assert "7 words in classes (b1: 2, b2: 3)" in err
    assert WordClasses.read(out).names == ("b1", "b2")
    assert len(BrownClusters.load(paths).words) == 7


def test_command_on_vectors(run: Run, tmp_path: Path) -> None:
    groups().save(tmp_path / "v.txt")
    status, printed, _ = run(
        "vectors",
        "clusters",
        "--vectors",
        tmp_path / "v.txt",
        "-o",
        tmp_path / "a.tsv",
        "--sizes",
        "3,10",
        "--json",
    )
    assert status == 0
    assert '"k3": 3' in printed
    assert len(WordClasses.read(tmp_path / "a.tsv").keys) == 90


def test_command_on_vectors_in_bins(run: Run, tmp_path: Path) -> None:
    groups().save(tmp_path / "v.txt")
    out = tmp_path / "a.tsv"
    wanted = ("vectors", "clusters", "--vectors", tmp_path / "v.txt", "-o", out, "--bins", 4, "--axes", 2)
    status, _, err = run(*wanted)
    assert status == 0
    assert "90 words in classes (q1: 4, q2: 4)" in err
    assert WordClasses.read(out).names == ("q1", "q2")
    check_refusal(run("vectors", "clusters", tmp_path / "v.txt", "-o", out, "--bins", 4), 2, "--vectors")


def test_command_refuses(run: Run, tmp_path: Path) -> None:
    groups().save(tmp_path / "v.txt")
    out = tmp_path / "a.tsv"
    check_refusal(run("vectors", "clusters", "-o", out), 2, "--vectors")
    check_refusal(
        run("vectors", "clusters", tmp_path / "v.txt", "-o", out, "--prefixes", "4,x"), 2, "--prefixes"
    )
    check_refusal(
        run("vectors", "clusters", "--vectors", tmp_path / "v.txt", "-o", out, "--paths", out), 2, "--paths"
    )
    assert not out.exists()
