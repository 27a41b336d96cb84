"""What BERT is pre-trained on: masking's shares, pairs, documents, seeds, and that the loss can be learnt."""

from __future__ import annotations

import gzip
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="neural models need torch")

import torch
from bert_models import LETTERS, SMALL, tokenizer

from nlptk import KeyedVectors
from nlptk.errors import ConfigError, DataError
from nlptk.neural.bert_training import pretrain, score_pretraining
from nlptk.neural.heads import BertForPreTraining
from nlptk.neural.pretraining import Example, Masking, PretrainingText, collate
from nlptk.neural.train import TrainSettings

MASK, CLS, SEP, STOP = 4, 2, 3, 5


def within(count: int, of: int, share: float) -> bool:
    """Whether a count of so many draws is within five deviations of its expectation."""
    return abs(count - of * share) < 5 * math.sqrt(of * share * (1 - share))


def document(number: int, sentences: int, rng: np.random.Generator) -> str:
    """Sentences of one letter alone, which tells the document: "aaa aa aaaa. aa a." """
    letter = LETTERS[number % 26]
    words = [
        [letter * int(rng.integers(1, 3)) for _ in range(int(rng.integers(2, 7)))] for _ in range(sentences)
    ]
    return " ".join(" ".join(one) + "." for one in words)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    lines = [document(i, int(rng.integers(3, 12)), rng) for i in range(260)]
    (tmp_path / "text.txt").write_text("\n".join(lines) + "\n")
    return tmp_path / "text.txt"


def source(path: Path, **settings: object) -> PretrainingText:
    return PretrainingText(
        [path], tokenizer(), **{"documents": "line", "max_length": 32, "batch_tokens": 256, **settings}
    )  # type: ignore[arg-type]


def examples(made: PretrainingText, epoch: int = 0) -> list[Example]:
    return [one for batch in made.epoch(epoch) for one in batch]


def whole(one: Example) -> list[int]:
    """The ids before they were masked."""
    return np.where(one.target >= 0, one.target, one.ids).tolist()


# ---- masking ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whole_word", [False, True])
def test_shares_of_masking(whole_word: bool) -> None:
    n = 200_000
    words = np.arange(7, 59)
    continues = np.arange(60) >= 33
    ids = np.random.default_rng(1).integers(7, 59, n)
    masked, target = Masking(MASK, words, continues if whole_word else None)(ids, np.random.default_rng(2))
    chosen = target >= 0
    np.testing.assert_array_equal(target[chosen], ids[chosen])
    np.testing.assert_array_equal(masked[~chosen], ids[~chosen])
    if whole_word:
        word = np.cumsum(~continues[ids])
        assert within(len(np.unique(word[chosen])), int(word[-1]), 0.15)
        sizes = np.bincount(word)
        assert (
            np.bincount(word, chosen)[[0, *np.unique(word[chosen])]][1:] == sizes[np.unique(word[chosen])]
        ).all()
    else:
        assert within(int(chosen.sum()), n, 0.15)
    count = int(chosen.sum())
    is_mask, same = masked[chosen] == MASK, masked[chosen] == ids[chosen]
    assert within(int(is_mask.sum()), count, 0.8)
    assert within(int(same.sum()), count, 0.1 + 0.1 / 52)  # a random word may be the same
    random_words = masked[chosen & (masked != MASK) & (masked != ids)]
    assert set(random_words.tolist()) == set(words.tolist())


def test_special_tokens_are_never_chosen_nor_drawn(text: Path) -> None:
    for one in examples(source(text)):
        special = np.isin(whole(one), (CLS, SEP))
        assert (one.target[special] == -1).all()
        drawn = one.ids[(one.target >= 0) & (one.ids != MASK)]
        assert (drawn > MASK).all()


# ---- pairs ------------------------------------------------------------------------------------------------


def test_pairs_follow_or_come_from_another_document(text: Path) -> None:
    lines = text.read_text().splitlines()
    encoded = [tokenizer().encode(line, add_special_tokens=False) for line in lines]
    spelled = ["," + ",".join(map(str, ids)) + "," for ids in encoded]
    made = examples(source(text, short=0.0))
    for one in made:
        ids = whole(one)
        assert len(ids) <= 32
        first, second = [i for i, number in enumerate(ids) if number == SEP]
        assert ids[0] == CLS
        assert second == len(ids) - 1
        np.testing.assert_array_equal(one.type_ids, [0] * (first + 1) + [1] * (second - first))
        a, b = ids[1:first], ids[first + 1 : second]
        letters = [{(number - 7) % 26 for number in part if number > 6} for part in (a, b)]
        assert [len(found) for found in letters] == [1, 1]
        together = "," + ",".join(map(str, [*a, *b])) + ","
        follows = any(together in line for line in spelled)
        assert follows or one.random_next == 1
        assert a[-1] == STOP  # ends with a sentence
    random_next = Counter(one.random_next for one in made)
    assert within(random_next[1], len(made), 0.5)
    assert len(made) > 300


def test_every_sentence_of_a_document_is_used_in_an_epoch(text: Path) -> None:
    """But those that stand alone at its end, and what is too long for a sequence."""
    made = examples(source(text, next_sentence=False, short=0.0))
    assert {one.random_next for one in made} == {None}
    total = sum(
        len(tokenizer().encode(line, add_special_tokens=False)) for line in text.read_text().splitlines()
    )
    used = sum(len(one) - 2 for one in made)
    assert 0.8 * total < used <= total


def test_some_are_short(text: Path) -> None:
    few, many = (np.mean([len(one) for one in examples(source(text, short=s))]) for s in (0.0, 1.0))
    assert many < 0.8 * few


# ---- epochs and files -------------------------------------------------------------------------------------


def flat(made: PretrainingText, epoch: int) -> list[list[int]]:
    return [[*one.ids.tolist(), one.random_next] for one in examples(made, epoch)]


def test_an_epoch_depends_on_seed_and_number_alone(text: Path) -> None:
    made = source(text)
    told = flat(made, 3)
    assert flat(made, 3) == flat(source(text), 3) == told
    assert flat(made, 4) != told
    assert flat(source(text, seed=2), 3) != told
    assert len(made) == len(list(made.epoch(0)))


def test_batches_are_of_tokens(text: Path) -> None:
    made = source(text)
    sizes = [sum(len(one) for one in batch) for batch in made.epoch(0)]
    assert max(sizes) <= 256
    assert np.mean(sizes) > 200


def test_small_buffers_hold_two_documents_each(text: Path) -> None:
    assert len(examples(source(text, buffer=2))) == pytest.approx(len(examples(source(text))), rel=0.2)
    assert [len(part) for part in source(text, buffer=200)._buffers()] == [200, 60]
    assert [len(part) for part in source(text, buffer=259)._buffers()] == [260]
    assert [len(part) for part in source(text, buffer=129)._buffers()] == [129, 129, 2]


def test_blank_lines_and_files_part_documents(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a a. aa.\na.\n\n \nb b.\n")
    with gzip.open(tmp_path / "b.gz", "wt") as file:
        file.write("c c.\r\nc?\r\n")
    made = PretrainingText([tmp_path / "a.txt", tmp_path / "b.gz"], tokenizer())
    found = [[unit.tolist() for unit in units] for units in made._documents()]
    assert found == [[[7, 7, 5], [7, 33, 5], [7, 5]], [[8, 8, 5]], [[9, 9, 5], [9, 6]]]
    lines = PretrainingText([tmp_path / "a.txt"], tokenizer(), documents="line")
    assert [len(units) for units in lines._documents()] == [2, 1, 1]


def test_long_sentences_are_cut_in_pieces(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a " * 100 + "\nb " * 2)
    made = PretrainingText([tmp_path / "a.txt"], tokenizer(), max_length=23)
    assert [len(unit) for unit in next(made._documents())] == [10] * 10 + [1, 1]


# ---- the model --------------------------------------------------------------------------------------------


def test_the_loss_is_of_the_masked_places_and_the_pairs(text: Path) -> None:
    torch.manual_seed(0)
    model = BertForPreTraining(SMALL).eval()
    batch = collate(next(source(text).epoch(0)))
    words, pairs = model.losses(batch)
    assert words.item() == pytest.approx(math.log(60), abs=0.1)  # knows nothing yet
    assert pairs is not None
    assert pairs.item() == pytest.approx(math.log(2), abs=0.1)
    loss, number = model(batch)
    assert number == len(batch.targets) == len(batch.places)
    assert loss.item() == pytest.approx(number * (words.item() + pairs.item()), rel=1e-5)
    scores, _ = model.scores(batch)
    states = model.bert(batch.packed).states
    every = model.words(states, model.bert.embeddings.words.weight)
    torch.testing.assert_close(scores, every[batch.places], atol=1e-5, rtol=1e-4)


def test_no_masked_place_and_no_pairs() -> None:
    one = Example(np.array([2, 9, 3]), np.zeros(3, np.int64), np.full(3, -1), None)
    batch = collate([one])
    assert batch.random_next is None
    loss, number = BertForPreTraining(SMALL)(batch)
    assert (loss.item(), number) == (0.0, 1)
    assert batch.to("cpu").packed.ids.tolist() == [2, 9, 3]


def test_it_learns(text: Path) -> None:
    """A document has one letter: masked words and pairs can both be told from the context."""
    torch.manual_seed(0)
    model, made = BertForPreTraining(SMALL).train(), source(text, batch_tokens=512)
    optimizer = torch.optim.AdamW(model.parameters(), 5e-3)
    curve = []
    for epoch in range(4):
        for batch in made.epoch(epoch):
            loss, number = model(collate(batch))
            optimizer.zero_grad()
            (loss / number).backward()
            optimizer.step()
            curve.append(loss.item() / number)
    assert np.mean(curve[-5:]) < 0.8 * np.mean(curve[:5])


def test_a_new_model_begins_with_the_frequencies_of_words(text: Path, tmp_path: Path) -> None:
    made = source(text)
    lines = tokenizer().encode_batch(text.read_text().splitlines(), add_special_tokens=False)
    counts = Counter(number for ids in lines for number in ids)
    assert made.counts().tolist() == [counts[number] for number in range(len(tokenizer().get_vocab()))]
    still = TrainSettings(epochs=1, max_steps=1, learning_rate=1e-12, optimizer="sgd", device="cpu")
    model, _ = pretrain(made, SMALL, still)
    shares = model.words.bias.exp()
    assert shares.sum().item() == pytest.approx(1, abs=1e-4)
    assert (shares[MASK] / shares[STOP]).item() == pytest.approx(1 / (counts[STOP] + 1), rel=1e-3)
    score = score_pretraining(model, made)
    assert score.loss == pytest.approx(score.unigram_loss, abs=0.1)
    with torch.no_grad():
        model.words.bias.zero_()
    model.save_pretrained(tmp_path / "model")
    again, _ = pretrain(made, SMALL, still, init=tmp_path / "model")
    assert again.words.bias.abs().max() < 1e-3  # one that goes on keeps its own


def test_a_new_model_begins_with_vectors_of_pieces(text: Path, tmp_path: Path) -> None:
    made = source(text)
    vocabulary = tokenizer().get_vocab()
    pieces = [piece for piece, number in vocabulary.items() if number > STOP]
    given = np.random.default_rng(1).normal(3, 2, (len(pieces), SMALL.hidden_size)).astype(np.float32)
    still = TrainSettings(epochs=1, max_steps=1, learning_rate=1e-12, optimizer="sgd", device="cpu")
    vectors = KeyedVectors(pieces, given)
    model, _ = pretrain(made, SMALL, still, vectors=vectors)
    table = model.bert.embeddings.words.weight.detach().numpy()
    found = table[[vocabulary[piece] for piece in pieces]]
    assert found.std() == pytest.approx(0.05, rel=1e-3)
    np.testing.assert_allclose(
        found / 0.05, (given - given.mean(0)) / (given - given.mean(0)).std(), atol=1e-4
    )
    assert table[MASK].std() < 0.035  # has none: as random as it was
    for wrong, message in (
        (KeyedVectors(["ab"], np.ones((1, 3), np.float32)), "3 dimensions and the model"),
        (KeyedVectors(["Ω"], np.ones((1, SMALL.hidden_size), np.float32)), "none of the tokenizer's pieces"),
    ):
        with pytest.raises(ConfigError, match=message):
            pretrain(made, SMALL, still, vectors=wrong)
    model.save_pretrained(tmp_path / "model")
    with pytest.raises(ConfigError, match="goes on from init"):
        pretrain(made, SMALL, still, init=tmp_path / "model", vectors=vectors)


# ---- bad input --------------------------------------------------------------------------------------------


def test_bad_input(text: Path, tmp_path: Path) -> None:
    from nlptk import WordPiece

    with pytest.raises(ConfigError, match=r"vocabulary has no \[MASK\], which pre-training needs"):
        PretrainingText([text], WordPiece(["[UNK]", "[CLS]", "[SEP]", "a"]))
    for settings, message in (
        ({"documents": "page"}, "documents must be 'blank' or 'line', not 'page'"),
        ({"max_length": 7}, "max_length must be at least 8"),
        ({"batch_tokens": 31}, "batch_tokens at least max_length"),
        ({"buffer": 1}, "buffer at least 2"),
        ({"short": 1.5}, "short must be a share from 0 to 1, not 1.5"),
    ):
        with pytest.raises(ConfigError, match=message):
            source(text, **settings)
    with pytest.raises(DataError, match=r"there is one document in .*text\.txt, and pairs need two"):
        examples(source(text, documents="blank"))
    assert examples(source(text, documents="blank", next_sentence=False))
    (tmp_path / "empty").write_text("\n\n")
    assert examples(source(tmp_path / "empty")) == []
    with pytest.raises(DataError, match="nowhere"):
        examples(source(tmp_path / "nowhere"))
