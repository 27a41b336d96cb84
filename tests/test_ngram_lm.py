"""N-gram models: the definitions, what they say of words and sentences, drawing, steps, saving, bad input."""

from __future__ import annotations

import copy
import math
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interrupts import ctrl_c_after
from ngram_oracle import KneserNey, laplace

import nlptk
from nlptk import NgramLM
from nlptk.errors import ConfigError, DataError, ModelError

FALLBACK = (0.5, 1, 1.5)
# With words that white space, NUL or half a character are in, and one of no characters at all.
WORDS = ["a", "b", "c", "d", "é", "年 月", "\ud800", "\0", "", "e\tf"]
_SENTENCES = st.lists(st.lists(st.sampled_from(WORDS), max_size=9), min_size=1, max_size=25)
_ORDERS = st.integers(1, 6)


def sentences_of(seed: int, n: int = 400) -> list[list[str]]:
    """Few words are frequent, many rare, and some sentences stand there up to four times."""
    random = np.random.default_rng(seed)
    drawn = [[f"w{int(3 * random.pareto(1.2))}" for _ in range(random.integers(0, 12))] for _ in range(n)]
    return [sentence for sentence in drawn for _ in range(random.choice([1, 1, 1, 1, 2, 2, 3, 4]))]


# ---- definitions ----


@given(
    train=_SENTENCES,
    test=_SENTENCES,
    order=_ORDERS,
    prune=st.sampled_from([(0,), (0, 1), (0, 0, 1), (0, 1, 2)]),
)
@settings(max_examples=150)
def test_kneser_ney_is_that_of_its_definition(
    train: list[list[str]], test: list[list[str]], order: int, prune: tuple[int, ...]
) -> None:
    prune = prune[:order]
    model = NgramLM(order, prune=prune, discount_fallback=FALLBACK).fit(train)
    oracle = KneserNey(train, order, prune)
    assert model.discounts_ == [pytest.approx(oracle.discounts[n][1:]) for n in range(1, order + 1)]
    kept = [sum(len(gram) == n for gram in oracle.kept) for n in range(1, order + 1)]
    assert model.counts == [len(oracle.words) + 1, *kept[1:]]
    for sentence in [*train[:5], *test]:
        assert model.score(sentence) == pytest.approx(oracle.score(sentence), abs=1e-4)


def test_discounts_of_a_larger_text_are_estimated() -> None:
    train = sentences_of(1)
    model = NgramLM(3).fit(train)
    oracle = KneserNey(train, 3)
    assert model.discounts_ == [pytest.approx(oracle.discounts[n][1:]) for n in (1, 2, 3)]
    assert (*FALLBACK,) not in model.discounts_
    for sentence in sentences_of(2, 20):
        assert model.score(sentence) == pytest.approx(oracle.score(sentence), abs=1e-4)


@given(
    train=_SENTENCES,
    order=_ORDERS,
    alpha=st.sampled_from([1, 0.25]),
    context=st.lists(st.sampled_from(WORDS)),
)
def test_laplace_is_that_of_its_definition(
    train: list[list[str]], order: int, alpha: float, context: list[str]
) -> None:
    model = NgramLM(order, smoothing="laplace", alpha=alpha).fit(train)
    of = model.predict(context)
    known = [word if word in model else "<unk>" for word in context]
    for word, probability in zip(model.words, of, strict=True):
        if word != "<s>":
            expected = laplace(train, order, alpha, word, ("<s>", *known))
            assert probability == pytest.approx(expected, rel=1e-4)


@given(
    train=_SENTENCES,
    order=_ORDERS,
    smoothing=st.sampled_from(["kneser-ney", "laplace"]),
    context=st.lists(st.sampled_from([*WORDS, "new"]), max_size=8),
    bos=st.booleans(),
    min_freq=st.sampled_from([1, 2]),
)
def test_probabilities_sum_to_1_and_are_those_of_scores(
    train: list[list[str]], order: int, smoothing: str, context: list[str], bos: bool, min_freq: int
) -> None:
    model = NgramLM(order, smoothing, min_freq, discount_fallback=FALLBACK).fit(train)
    probabilities = model.predict(context, bos)
    assert probabilities.sum(dtype=np.float64) == pytest.approx(1, abs=1e-5)
    assert probabilities[1] == 0
    before = model.score(context, bos, eos=False)
    for number in range(2, len(model.words)):
        word = model.words[number]
        after = model.score([*context, word], bos, eos=False)
        assert after - before == pytest.approx(math.log10(probabilities[number]), abs=1e-4)


def test_back_off_is_consistent() -> None:
    """An n-gram that was not seen has its shorter one's probability times the context's weight."""
    train = sentences_of(3)
    model = NgramLM(4).fit(train)
    oracle = KneserNey(train, 4)
    for sentence in sentences_of(4, 20):
        words = ["<s>", *sentence, "</s>"]
        for i, (log_prob, matched, unknown) in enumerate(model.full_scores(sentence), 1):
            context = tuple(words[max(0, i - 3) : i])
            weights = [oracle.backoff(context[k:]) for k in range(len(context) + 1 - matched)]
            shorter = oracle.probability(words[i], context[len(context) + 1 - matched :])
            assert 10**log_prob == pytest.approx(math.prod(weights) * shorter, rel=1e-4)
            assert unknown == (words[i] not in model)


# ---- what is asked ----


def test_words_of_strings_are_cut_at_ascii_white_space() -> None:
    model = NgramLM(2, discount_fallback=FALLBACK).fit(["a b\tc\0d\u00a0e", "", "a  b "])
    assert model.words[:3] == ["<unk>", "<s>", "</s>"]
    assert set(model.words[3:]) == {"a", "b", "c", "d\u00a0e"}
    assert model.words[3:5] == ["a", "b"]  # by falling frequency, then by bytes
    assert model.score(" a b") == model.score(["a", "b"])
    assert (model.sentences_, model.tokens_) == (3, 6 + 3)
    assert "a" in model
    assert "x" not in model
    by_characters = NgramLM(2, tokenizer=list, discount_fallback=FALLBACK).fit(["ab", "a b"])
    assert " " in by_characters
    assert by_characters.score("a b") == by_characters.score(["a", " ", "b"])


def test_rare_words_and_a_given_vocabulary_are_read_as_unknown() -> None:
    train = [["a", "b", "a"], ["a", "c"], ["b", "a", "d"]]
    expected = NgramLM(2, discount_fallback=FALLBACK).fit(
        [["a", "b", "a"], ["a", "<unk>"], ["b", "a", "<unk>"]]
    )
    for model in (
        NgramLM(2, min_freq=2, discount_fallback=FALLBACK),
        NgramLM(2, vocabulary=["b", "a", "a"], discount_fallback=FALLBACK),
    ):
        model.fit(train)
        assert model.words == expected.words == ["<unk>", "<s>", "</s>", "a", "b"]
        assert model.score(["a", "c"]) == expected.score(["a", "zz"])
    with_more = NgramLM(1, vocabulary=["x", "a"], smoothing="laplace").fit(train)
    assert with_more.words[3:] == ["a", "x"]
    assert with_more.predict()[4] > 0


def test_perplexity_with_and_without_unknown_words() -> None:
    model = NgramLM(3).fit(sentences_of(1))
    sentences = [["w1", "new", "w2"], [], ["other", "w3"]]
    found = model.perplexity(sentences)
    scores = [entry for sentence in sentences for entry in model.full_scores(sentence)]
    known = [log_prob for log_prob, _, unknown in scores if not unknown]
    assert (found.tokens, found.unknown) == (8, 2)
    assert found.log10 == pytest.approx(model.score_batch(sentences).sum())
    assert found.including == pytest.approx(10 ** (-sum(entry[0] for entry in scores) / 8))
    assert found.excluding == pytest.approx(10 ** (-sum(known) / 6))
    assert found.bits_per_token == pytest.approx(math.log2(found.including))
    assert math.isnan(model.perplexity([["new"]], eos=False).excluding)


def test_batches_are_single_scores_and_long_sentences_are_no_different() -> None:
    model = NgramLM(5, threads=2).fit(sentences_of(1))
    sentences = [*sentences_of(5), ["w1", "w2", "w3"] * 100]
    for bos in (True, False):
        for eos in (True, False):
            scores = model.score_batch(iter(sentences), bos, eos)
            assert scores.tolist() == [model.score(sentence, bos, eos) for sentence in sentences]
            assert scores[-1] == pytest.approx(sum(e[0] for e in model.full_scores(sentences[-1], bos, eos)))
    assert model.score_batch([]).shape == (0,)


def test_threads_may_ask_at_once() -> None:
    model = NgramLM(5).fit(sentences_of(1))
    sentences = sentences_of(5)
    expected = copy.deepcopy(model).score_batch(sentences).tolist()
    with ThreadPoolExecutor(4) as pool:
        single = pool.map(model.score, sentences)
        batch = pool.submit(model.score_batch, sentences)
        assert list(single) == batch.result().tolist() == expected


def test_samples_follow_the_model() -> None:
    model = NgramLM(2).fit(sentences_of(1))
    drawn = model.sample(2000, seed=1)
    assert drawn == model.sample(2000, seed=1) != model.sample(2000, seed=2)
    first = [sentence[0] if sentence else "</s>" for sentence in drawn]
    for word, probability in model.predict_top(n=5):
        assert first.count(word) / 2000 == pytest.approx(probability, abs=0.04)
    assert all("<unk>" not in sentence for sentence in drawn)
    lengths = [len(sentence) for sentence in model.sample(20, ["w1", "w2"], max_length=3, seed=3)]
    assert set(lengths) <= {2, 3}
    likely = model.sample(5, temperature=1e-6, max_length=4, seed=1)
    assert likely[0][:1] == [word for word, _ in model.predict_top(n=1) if word != "</s>"]
    assert likely == [likely[0]] * 5


def test_unknown_words_are_drawn_if_asked_for() -> None:
    model = NgramLM(1, smoothing="laplace").fit([["x"]])
    assert any("<unk>" in sentence for sentence in model.sample(50, unknown=True, seed=1))


def test_steps_go_on_from_states() -> None:
    model = NgramLM(4).fit(sentences_of(1))
    place = {word: number for number, word in enumerate(model.words)}
    sentences = [["w1", "w2", "w0", "w4"], ["w5", "w0", "w3", "w7"]]
    state = model.start(2)
    log_probs, state = model.step(np.array([1, 1]), state)
    assert log_probs.dtype == np.float32
    for t in range(4):
        for row, sentence in enumerate(sentences):
            np.testing.assert_array_equal(np.exp(log_probs[row]), model.predict(sentence[:t]))
        log_probs, state = model.step(np.array([place[sentence[t]] for sentence in sentences]), state)
    swapped = model.reorder(state, np.array([1, 1, 0]))
    np.testing.assert_array_equal(swapped, state[[1, 1, 0]])
    np.testing.assert_array_equal(model.start(1, bos=True), model.step(np.array([1]), model.start(1))[1])


# ---- keeping ----


@pytest.mark.parametrize("smoothing", ["kneser-ney", "laplace"])
@pytest.mark.parametrize("order", [1, 4])
def test_saved_and_pickled_models_are_the_same(tmp_path: Path, smoothing: str, order: int) -> None:
    model = NgramLM(order, smoothing, discount_fallback=FALLBACK).fit([*sentences_of(1), WORDS, ["<unk>"]])
    model.save(tmp_path / "lm")
    sentences = [*sentences_of(2, 30), WORDS]
    expected = model.score_batch(sentences).tolist()
    for again in (NgramLM.load(tmp_path / "lm"), pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert again.words == model.words
        assert again.smoothing == smoothing
        assert again.score_batch(sentences).tolist() == expected
    assert NgramLM(7).get_params() == copy.copy(NgramLM(7)).get_params()


def test_altered_states_are_refused(tmp_path: Path) -> None:
    model = NgramLM(3).fit(sentences_of(1))
    config, arrays = model.to_state()

    def refused(match: str, config: dict[str, Any] = config, **changed: Any) -> None:
        with pytest.raises(ModelError, match=match):
            NgramLM.from_state(config, {**arrays, **changed})

    refused("format 9", {**config, "format": 9})
    refused("altered", {"format": 1})
    refused("altered", {**config, "order": 9})
    refused("no array", {**config, "order": 4})
    refused("not numbered", **{"1.words": arrays["1.words"][::-1]})
    refused("do not divide", **{"1.begins": arrays["1.begins"] + 1})
    refused("do not divide", **{"2.begins": arrays["2.begins"][::-1]})
    refused("out of range", **{"3.words": arrays["3.words"] + 1000})
    refused("one length", **{"2.backoffs": arrays["2.backoffs"][1:]})
    refused("NaN", **{"3.log_probs": arrays["3.log_probs"] * np.nan})
    with pytest.raises(ModelError, match="no model at"):
        NgramLM.load(tmp_path / "none")
    nlptk.blank("en").to_disk(tmp_path / "other")
    with pytest.raises(ModelError, match="no n-gram language model"):
        NgramLM.load(tmp_path / "other")


# ---- bad input ----


@pytest.mark.parametrize(
    ("setting", "match"),
    [
        ({"order": 0}, "order must be"),
        ({"order": 7}, "from 1 to 6"),
        ({"smoothing": "good-turing"}, "one of kneser-ney, laplace"),
        ({"min_freq": 0}, "min_freq"),
        ({"alpha": 0}, "alpha must be a number above 0"),
        ({"alpha": "1"}, "alpha must be a number above 0"),
        ({"prune": (1,)}, "begin with 0"),
        ({"prune": (0, 2, 1)}, "do not fall"),
        ({"prune": ()}, "begin with 0"),
        ({"prune": (0, 1), "smoothing": "laplace"}, "prune goes with"),
        ({"discount_fallback": (0.5, 1)}, "three numbers"),
        ({"discount_fallback": (2, 1, 1)}, "three numbers"),
        ({"vocabulary": ["a", 1]}, "strings only"),
    ],
)
def test_settings_that_cannot_be(setting: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        NgramLM(**setting).fit([["a"]])


def test_text_that_cannot_be_learned_from() -> None:
    for sentences, match in [
        ([], "no sentence"),
        ([["a"]], "too small or odd to estimate Kneser-Ney discounts of 1-grams"),
        ("a b", "not one string"),
        (7, "not one string"),
        ([["a"], 7], "a sentence must be"),
        ([["a", None]], "a word must be str, not NoneType"),
        ([["a"], ["<s>", "b"]], "sentence 2 holds the word '<s>'"),
    ]:
        with pytest.raises(DataError, match=match):
            NgramLM().fit(sentences)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="no token"):
        NgramLM(1, "laplace").fit([["a"]]).perplexity([])


def test_questions_that_cannot_be_answered() -> None:
    for ask in (NgramLM().sample, NgramLM().to_state, NgramLM().predict, lambda: NgramLM().score("a")):
        with pytest.raises(ConfigError, match="no model yet"):
            ask()
    model = NgramLM(2).fit(sentences_of(1))
    for sentence in (7, [7], ["a", None]):
        with pytest.raises(DataError, match="must be"):
            model.score(sentence)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="temperature"):
        model.sample(temperature=0)
    with pytest.raises(DataError, match="token 999 is not"):
        model.step(np.array([999]), model.start(1))
    with pytest.raises(DataError, match="one token for each"):
        model.step(np.array([1, 1]), model.start(1))
    with pytest.raises(DataError, match="not one that the model gave"):
        model.step(np.array([1]), np.array([[1, 10**6]]))
    with pytest.raises(DataError, match=r"\[rows, 2\]"):
        model.step(np.array([1]), np.zeros((1, 3), np.int64))


def test_ctrl_c_stops_training(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    random = np.random.default_rng(1)
    text.write_text("\n".join(" ".join(map(str, row)) for row in random.integers(0, 5000, (100_000, 20))))
    model = NgramLM(6, discount_fallback=FALLBACK)

    def train_for_ever() -> None:
        while True:
            model.fit_files([text])

    with ctrl_c_after(0.3), pytest.raises(KeyboardInterrupt):
        train_for_ever()
