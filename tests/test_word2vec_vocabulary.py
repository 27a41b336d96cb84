"""The words that vectors are learned for: their order, what is left out, and counting in little memory."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nlptk import _core

Counted = Callable[..., _core.WordVocabulary]
WORDS = ["the", "otter", "swims", "\u6c34\u736d", "\u00e9t\u00e9", "a", "Zebra", "\U0001f9a6", "nul\0"]


@pytest.fixture
def counted(tmp_path: Path) -> Counted:
    """The vocabulary of a corpus of these words, ten to a line."""

    def count(words: list[str], chunk_bytes: int = 50, **options: Any) -> _core.WordVocabulary:
        lines = [" ".join(words[at : at + 10]) for at in range(0, len(words), 10)]
        path = tmp_path / "t.txt"
        path.write_text("\n".join(lines), "utf-8")
        corpus = _core.TokenCorpus([str(path)], ["t"], chunk_bytes=chunk_bytes)
        return _core.WordVocabulary.count(corpus, **{"min_count": 1, **options})

    return count


def sample(size: int, seed: int = 0) -> list[str]:
    chance = random.Random(seed)
    words = WORDS + [f"w{i}" for i in range(300)]
    return chance.choices(words, [1 / (i + 1) for i in range(len(words))], k=size)


def expected(words: list[str], min_count: int = 1, most: int | None = None) -> list[tuple[str, int]]:
    kept = [(word, count) for word, count in Counter(words).items() if count >= min_count]
    return sorted(kept, key=lambda item: (-item[1], item[0].encode()))[:most]


def pairs(vocabulary: _core.WordVocabulary) -> list[tuple[str, int]]:
    return list(zip(vocabulary.words(), vocabulary.counts().tolist(), strict=True))


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_words_fall_in_count_then_rise_in_their_bytes(counted: Counted, threads: int) -> None:
    words = sample(3000)
    vocabulary = counted(words, threads=threads)
    assert pairs(vocabulary) == expected(words)
    assert len(vocabulary) == vocabulary.raw_words == len(set(words))
    assert vocabulary.tokens == vocabulary.raw_tokens == 3000
    assert vocabulary.pruned_below == 1


@pytest.mark.parametrize(("min_count", "most"), [(2, 0), (10, 0), (1, 5), (3, 20), (10_000, 0)])
def test_rare_words_are_left_out(counted: Counted, min_count: int, most: int) -> None:
    words = sample(3000, seed=1)
    vocabulary = counted(words, min_count=min_count, max_size=most)
    kept = expected(words, min_count, most or None)
    assert pairs(vocabulary) == kept
    assert vocabulary.tokens == sum(count for _, count in kept)
    assert (vocabulary.raw_tokens, vocabulary.raw_words) == (3000, len(set(words)))


@pytest.mark.parametrize("chunk_bytes", [100, 1 << 20])
def test_counting_forgets_the_rarest_where_there_are_too_many(counted: Counted, chunk_bytes: int) -> None:
    # As many different words as words, beside some that come again and again.
    words = [word for i in range(20_000) for word in ("often", f"once{i}")] + ["often"] * 50
    vocabulary = counted(words, chunk_bytes, prune_at=1000, threads=1)
    assert vocabulary.raw_words < 1000 + 4096
    assert vocabulary.pruned_below > 1
    assert vocabulary.raw_tokens == len(words)
    assert pairs(vocabulary)[0] == ("often", 20_050)


def test_words_can_be_given() -> None:
    vocabulary = _core.WordVocabulary(["b", "a", "\u6c34"], [3, 3, 1])
    assert pairs(vocabulary) == [("b", 3), ("a", 3), ("\u6c34", 1)]
    assert (vocabulary.tokens, vocabulary.raw_tokens) == (7, 7)
    assert _core.WordVocabulary(["a", "b"], [2, 1], 10).raw_tokens == 10
    for words, counts, message in [
        (["a", "a"], [2, 1], "the word 'a' is given twice"),
        (["a", "b"], [1, 2], "by falling count"),
        (["a"], [1, 1], "each word needs a count"),
    ]:
        with pytest.raises(ValueError, match=message):
            _core.WordVocabulary(words, counts)


def test_counting_tells_how_far_it_is(counted: Counted) -> None:
    told: list[int] = []
    counted(sample(1000), 500, threads=1, report=told.append)
    assert told == list(range(1, len(told) + 1))
    assert len(told) > 5

    def fail(chunks: int) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        counted(sample(1000), 500, threads=1, report=fail)
