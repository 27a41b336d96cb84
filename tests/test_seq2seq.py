"""The translator: it learns, its files, its decoding, and bad input."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="neural models need torch")

from nlptk.errors import ConfigError, DataError, ModelError  # noqa: E402
from nlptk.neural.batches import Batches  # noqa: E402
from nlptk.neural.seq2seq import Seq2Seq  # noqa: E402
from nlptk.neural.seq2seq_pieces import Pieces, train_tokenizer  # noqa: E402
from nlptk.tokenize.bpe import BPE  # noqa: E402

_random = random.Random(3)
SOURCES = ["".join(_random.choices("abcd", k=_random.randint(1, 4))) for _ in range(300)]
TARGETS = [text[::-1] for text in SOURCES]
TEST = ["abcd", "dcba", "aab", "c", "", "bdbdb", "ccc"]
TINY: dict[str, Any] = {
    "units": "char", "dim": 32, "hidden": 64, "layers": 1, "dropout": 0.0, "learning_rate": 0.01,
    "batch_tokens": 200,
}  # fmt: skip


@pytest.fixture(scope="module")
def reverser() -> Seq2Seq:
    """A GRU that turns texts round."""
    return Seq2Seq("gru", epochs=25, **TINY).fit(SOURCES, TARGETS)


def untrained(model: str = "transformer", **options: Any) -> Seq2Seq:
    """A translator with the weights that chance gave it, of a vocabulary of a few characters."""
    made = Seq2Seq(model, epochs=1, **{**TINY, **options, "learning_rate": 1e-9})
    return made.fit(SOURCES[:20], TARGETS[:20])


def weights(made: Seq2Seq) -> list[np.ndarray]:
    return [array for name, array in made.to_state()[1].items() if name.startswith("model.")]


# ---- learning ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("gru", {}),
        ("lstm", {"attention": "general", "scheduled_sampling": 0.1}),
        ("transformer", {"learning_rate": 0.005, "epochs": 30, "layers": 2}),
        ("transformer", {"learning_rate": 0.005, "epochs": 30, "pre_norm": False, "shared": False}),
    ],
)
def test_learns_to_reverse(model: str, options: dict[str, Any]) -> None:
    made = Seq2Seq(model, **{**TINY, "epochs": 20, **options})
    made.fit(SOURCES[:260], TARGETS[:260], SOURCES[260:], TARGETS[260:])
    found = made.predict(SOURCES[260:])
    right = sum(a == b for a, b in zip(found, TARGETS[260:], strict=True))
    assert right >= 32
    scores = [entry["dev_score"] for entry in made.log_.entries]
    assert made.score(SOURCES[260:], TARGETS[260:]) == pytest.approx(max(scores), abs=1e-4)


def test_average_is_the_mean_of_the_last_epochs_weights(tmp_path: Path) -> None:
    options = {**TINY, "epochs": 4, "schedule": "constant", "warmup": 0.0}
    made = Seq2Seq("gru", average=2, **options)
    made.fit(SOURCES, TARGETS, SOURCES[:9], TARGETS[:9])
    last = [weights(Seq2Seq("gru", **{**options, "epochs": n}).fit(SOURCES, TARGETS)) for n in (3, 4)]
    for found, a, b in zip(weights(made), *last, strict=True):
        np.testing.assert_allclose(found, (a + b) / 2, atol=1e-6)


@pytest.mark.parametrize("options", [{"scheduled_sampling": 0.3}, {"average": 2, "bpe_dropout": 0.2}])
def test_a_training_that_was_stopped_ends_with_the_same_weights(
    options: dict[str, Any], tmp_path: Path
) -> None:
    options = {**TINY, "dropout": 0.2, "epochs": 4, **options}

    def fit(**more: Any) -> Seq2Seq:
        return Seq2Seq("gru", **options).fit(SOURCES, TARGETS, SOURCES[:9], TARGETS[:9], **more)

    def stop(info: dict[str, Any]) -> None:
        if info["epoch"] == 3 and "dev_score" in info:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(checkpoint=tmp_path, progress=stop)
    resumed = fit(checkpoint=tmp_path, resume=True)
    for found, right in zip(weights(resumed), weights(fit()), strict=True):
        np.testing.assert_array_equal(found, right)


def test_bfloat16_learns(reverser: Seq2Seq) -> None:
    made = Seq2Seq("transformer", precision="bfloat16", epochs=2, **{**TINY, "learning_rate": 0.003})
    made.fit(SOURCES, TARGETS)
    losses = [entry["loss"] for entry in made.log_.entries]
    assert losses[1] < losses[0]


def test_empty_and_long_pairs_are_left_out_of_training() -> None:
    made = Seq2Seq("gru", max_length=5, epochs=1, **TINY)
    made.fit([*SOURCES, "", "ab", "abcdab"], [*TARGETS, "a", " ", "a"])
    assert made.left_out_ == 3


# ---- translating -------------------------------------------------------------------------------------------


def test_empty_lines_stay_where_they_are(reverser: Seq2Seq) -> None:
    assert reverser.predict(TEST) == [text[::-1] for text in TEST]
    assert reverser.predict(["", " ", "\t"]) == ["", "", ""]
    assert reverser.predict([]) == []


@pytest.mark.parametrize("model", ["transformer", "gru"])
@pytest.mark.parametrize("beam", [1, 3])
def test_a_batch_gives_what_each_text_gives_and_so_does_no_cache(model: str, beam: int) -> None:
    made = untrained(model)
    ways = [{}, {"batch_size": 1}, {"batch_size": 2}, {"cache": False}]
    found = [made.translate(TEST, beam=beam, n_best=beam, max_length=7, **way) for way in ways]
    for others in found[1:]:
        for mine, theirs in zip(found[0], others, strict=True):
            assert [one.text for one in mine] == [one.text for one in theirs]
            assert [one.score for one in mine] == pytest.approx([one.score for one in theirs], abs=1e-4)


def test_n_best_are_different_and_in_order(reverser: Seq2Seq) -> None:
    for choices in reverser.translate(["abcd", "aab"], beam=5, n_best=4):
        assert len({one.text for one in choices}) == 4
        scores = [one.score for one in choices]
        assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("model", ["transformer", "gru"])
@pytest.mark.parametrize("cache", [True, False])
def test_coverage_penalty_ranks_by_what_was_not_looked_at(model: str, cache: bool) -> None:
    made = untrained(model)
    plain = {
        one.text: one for one in made.translate(["abcd"], beam=5, n_best=5, max_length=4, attention=True)[0]
    }
    found = made.translate(["abcd"], beam=5, n_best=5, max_length=4, coverage_penalty=0.1, cache=cache)[0]
    both = [one for one in found if one.text in plain]
    assert len(both) >= 3
    for one in both:
        before = plain[one.text]
        assert before.attention is not None
        # An end is told even of what was cut at 5 tokens; what it looks at is not in the score.
        looked = before.attention[-1].mean(0)[: min(len(before.tokens), 5)].sum(0)
        expected = before.score + 0.1 * np.log(np.minimum(looked, 1)).sum()
        assert one.score == pytest.approx(expected, abs=1e-3)


def test_sampling_draws_the_same_whatever_the_batch(reverser: Seq2Seq) -> None:
    how: dict[str, Any] = {"sampling": {"temperature": 3.0}, "n_best": 4, "seed": 7, "max_length": 6}
    whole = reverser.translate(TEST, **how)
    assert [len(choices) for choices in whole] == [4, 4, 4, 4, 1, 4, 4]
    assert len({one.text for one in whole[0]}) > 1
    single = reverser.translate(TEST, batch_size=1, **how)
    assert [[one.text for one in choices] for choices in single] == [
        [one.text for one in choices] for choices in whole
    ]
    (alone,) = reverser.translate(TEST[2:3], numbered_from=2, **how)
    assert [one.text for one in alone] == [one.text for one in whole[2]]
    assert reverser.translate(TEST, **{**how, "seed": 8}) != whole
    greedy = reverser.translate(TEST, sampling={"top_k": 1})
    assert [choices[0].text for choices in greedy] == reverser.predict(TEST)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"sampling": {"heat": 2}}, "sampling has no setting 'heat'; it has temperature"),
        ({"sampling": {}, "coverage_penalty": 1.0}, "no meaning with sampling"),
        ({"sampling": {"temperature": 0}}, "temperature must be"),
        ({"coverage_penalty": -1.0}, "coverage_penalty must be a number of at least 0"),
    ],
)
def test_wrong_settings_of_decoding_are_named(reverser: Seq2Seq, options: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        reverser.translate(["ab"], **options)


def test_attention_of_a_translation_is_told_with_its_tokens(reverser: Seq2Seq) -> None:
    found = reverser.translate(["abcd", "", "dd"], attention=True)
    first = found[0][0]
    assert first.source_tokens == ["a", "b", "c", "d", ""]
    assert first.tokens == ["d", "c", "b", "a", ""]
    assert first.attention is not None
    assert first.attention.shape == (1, 1, 5, 5)  # layers, heads, target, source
    np.testing.assert_allclose(first.attention.sum(-1), 1, atol=1e-5)
    assert first.attention[0, 0, :4].argmax(-1).tolist() == [3, 2, 1, 0]
    assert reverser.translate(["abcd"])[0][0].attention is None
    deep = untrained("transformer", layers=2).translate(["abc"], attention=True)[0][0]
    assert deep.attention is not None
    assert deep.attention.shape[:2] == (2, 4)


def test_translations_begin_with_their_prefixes(reverser: Seq2Seq) -> None:
    found = reverser.translate(["abcd", "abcd", "aab"], prefixes=["", "dca", "b"])
    assert found[0][0].text == "dcba"
    assert found[1][0].text.startswith("dca")
    assert found[2][0].text == "baa"


def test_unknown_characters_are_read_but_never_written(reverser: Seq2Seq) -> None:
    found = reverser.translate(["aéb", "漢字"], beam=5, n_best=5)
    assert not any("<unk>" in one.text for choices in found for one in choices)


# ---- files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "options"), [("gru", {}), ("transformer", {"shared": False, "target_units": "char-bpe"})]
)
def test_saved_and_loaded_it_translates_as_before(
    model: str, options: dict[str, Any], tmp_path: Path
) -> None:
    made = untrained(model, **options)
    made.save(tmp_path / "model", name="reverser")
    again = Seq2Seq.load(tmp_path / "model")
    assert again.get_params() == made.get_params()
    for a, b in zip(made.translate(TEST), again.translate(TEST), strict=True):
        assert [(one.text, one.score) for one in a] == [(one.text, one.score) for one in b]


def test_a_folder_without_a_translator_is_refused(tmp_path: Path) -> None:
    import nlptk

    nlptk.blank("en").to_disk(tmp_path / "pipeline")
    with pytest.raises(ModelError, match="is no translator; nlptk train seq2seq makes one"):
        Seq2Seq.load(tmp_path / "pipeline")
    config, arrays = untrained().to_state()
    with pytest.raises(ModelError, match="has no array 'source_tokenizer_json'"):
        Seq2Seq.from_state(config, {k: v for k, v in arrays.items() if k.startswith("model.")})
    with pytest.raises(ModelError, match="the translator's weights do not fit its settings"):
        Seq2Seq.from_state({**config, "dim": 16}, arrays)
    with pytest.raises(ModelError, match="state is not usable: 'ratio'"):
        Seq2Seq.from_state({k: v for k, v in config.items() if k != "ratio"}, arrays)


# ---- subwords and batches ----------------------------------------------------------------------------------


@pytest.mark.parametrize("units", ["bpe", "char-bpe", "char"])
def test_subwords_give_the_text_back(units: str) -> None:
    texts = ["the cat sat, and sat", "那只猫坐着。", "a  b"]
    pieces = Pieces(train_tokenizer(texts, units, 300))
    rows = pieces.encode(texts)
    assert [pieces.decode(row) for row in rows] == texts
    assert min(min(row) for row in rows) >= 3
    assert max(max(row) for row in rows) < pieces.size
    assert (pieces.unknown is None) == (units == "bpe")
    assert "".join(pieces.tokens(rows[0])).strip() == texts[0]


def test_a_given_tokenizer_is_used_and_bpe_dropout_varies_it_in_training_only() -> None:
    tokenizer = BPE.train(["abab abab"] * 9, 262)
    pieces = Pieces(tokenizer, dropout=0.5)
    assert pieces.encode(["abab"]) == pieces.encode(["abab"])
    varied = [pieces.varied(["abab abab"], seed)[0] for seed in range(20)]
    assert len({tuple(row) for row in varied}) > 1
    assert {pieces.decode(row) for row in varied} == {"abab abab"}
    assert tokenizer.dropout is None
    made = untrained("gru", source_tokenizer=tokenizer, bpe_dropout=0.1, shared=False)
    assert made._pieces[0].tokenizer is tokenizer


def test_lowercase_is_of_both_sides() -> None:
    pieces = Pieces(train_tokenizer(["abc"], "char", 9), lowercase=True)
    assert pieces.encode(["CAB"]) == pieces.encode(["cab"])


def test_batches_of_two_lengths_have_little_padding() -> None:
    random = np.random.default_rng(1)
    targets = random.integers(4, 30, 4000)
    sources = np.maximum(targets + random.integers(-4, 5, 4000), 1)

    def padding(**options: Any) -> int:
        batches = map(np.array, Batches(targets, 800, **options).epoch(0))
        return sum(int((sources[rows].max() - sources[rows]).sum()) for rows in batches)

    assert padding(within=sources) < 0.5 * padding()


# ---- bad input ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"model": "mamba"}, "there is no model 'mamba'; choose one of transformer, gru, lstm"),
        ({"units": "words"}, "there are no units 'words'; choose one of bpe, char-bpe, char"),
        ({"target_units": "bpe"}, "a shared vocabulary has one tokenizer"),
        ({"label_smoothing": 1.0}, "label_smoothing must be at least 0 and below 1"),
        ({"heads": 5}, "heads must divide dim"),
        ({"dropout": 1.5}, "dropout must be at least 0 and below 1"),
        ({"layers": 1.5}, "layers must be an integer of at least 1"),
        ({"average": 3, "epochs": 2}, "average must be an integer from 0 to 2, the epochs, not 3"),
        ({"average": 1, "patience": 2}, "leave patience and max_steps out"),
        ({"beta2": 1.0}, "beta2 must be at least 0 and below 1"),
    ],
)
def test_wrong_settings_are_named(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Seq2Seq(**{**TINY, "epochs": 2, **options}).fit(SOURCES[:9], TARGETS[:9])


@pytest.mark.parametrize(
    ("sources", "targets", "said"),
    [
        (["a", "b"], ["c"], "there are 2 training sources and 1 targets: each source needs its target"),
        (["a", 3], ["c", "d"], "training sources: text 1 must be a string, not int"),
        (["a"], "c", "training targets must be a list of texts, not one text"),
        ([], [], "no training pair has a source and a target"),
        (["", "b"], ["a", ""], "no training pair has a source and a target"),
        (["abc"], ["abcdefgh"], "all training pairs have more than 5 tokens: raise max_length"),
    ],
)
def test_wrong_texts_are_named(sources: Any, targets: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        Seq2Seq("gru", max_length=5, **TINY).fit(sources, targets)


def test_dev_texts_are_checked_too() -> None:
    made = Seq2Seq("gru", **TINY)
    with pytest.raises(DataError, match="there are 2 dev sources and 0 targets"):
        made.fit(SOURCES, TARGETS, ["a", "b"])
    with pytest.raises(DataError, match="no dev pair has two texts"):
        made.fit(SOURCES, TARGETS, [""], ["b"])


def test_what_cannot_be_translated_is_named(reverser: Seq2Seq) -> None:
    with pytest.raises(ConfigError, match="this Seq2Seq is not fitted"):
        Seq2Seq().predict(["a"])
    with pytest.raises(DataError, match="text 1 has 257 tokens, and the model takes 256: split it"):
        reverser.translate(["a", "a" * 257])
    with pytest.raises(DataError, match="text 8 has 257 tokens"):
        reverser.translate(["a", "a" * 257], numbered_from=7)
    with pytest.raises(DataError, match="text 1 must be a string, not NoneType"):
        reverser.translate(["a", None])  # type: ignore[list-item]
    with pytest.raises(DataError, match="texts must be a list of texts, not one text"):
        reverser.translate("abc")
    with pytest.raises(ConfigError, match="beam of 99 is larger than the vocabulary"):
        reverser.translate(["a"], beam=99)
    with pytest.raises(ConfigError, match="beam"):
        reverser.translate(["a"], beam=0)
    with pytest.raises(ConfigError, match="n_best"):
        reverser.translate(["a"], beam=2, n_best=3)
    with pytest.raises(ConfigError, match="batch_size must be an integer of at least 1"):
        reverser.translate(["a"], batch_size=0)


def test_prefixes_that_cannot_be_met_are_named(reverser: Seq2Seq) -> None:
    with pytest.raises(
        DataError, match="the prefix of text 1, 'xé', has a character that the vocabulary lacks"
    ):
        reverser.translate(["a", "b"], prefixes=["", "xé"])
    with pytest.raises(DataError, match="the prefix of text 0 has 4 tokens, and a translation 3 at most"):
        reverser.translate(["a"], prefixes=["abcd"], max_length=3)
    with pytest.raises(DataError, match="there are 1 texts and 2 prefixes"):
        reverser.translate(["a"], prefixes=["a", "b"])
    with pytest.raises(DataError, match="text 0 is empty, so its translation has no prefix"):
        reverser.translate([""], prefixes=["a"])
