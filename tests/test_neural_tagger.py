"""The neural tagger: it learns what only words, characters or neighbours tell, and keeps what it learnt."""

from __future__ import annotations

import json
import random
from itertools import pairwise

import numpy as np
import pytest
import torch

import nlptk
from nlptk import KeyedVectors
from nlptk.doc import Doc
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.lexicons import Gazetteer
from nlptk.neural.bert import Bert
from nlptk.neural.bert_config import BertConfig
from nlptk.neural.names import NameInputs
from nlptk.neural.neighbours import PairInputs, SegmentInputs
from nlptk.neural.tagger import NeuralTagger
from nlptk.neural.words import ENDS, PADDING, UNKNOWN, Forms, Lexicon, at_places
from nlptk.store import pack_sealed, unpack_sealed
from nlptk.tokenize.wordpiece import WordPiece

SMALL = {"dim": 16, "character_dim": 12, "hidden": 24, "batch_tokens": 120, "device": "cpu"}
WORDS = ["ba", "de", "ki", "lo", "mu", "na", "po", "ri", "su", "ti"]


def sentences(count: int, seed: int = 1) -> tuple[list[list[str]], list[list[str]]]:
    """A word ends in its own class, but for "it", which is of the class of the word after next."""
    rng = random.Random(seed)
    X, y = [], []
    for _ in range(count):
        classes = [rng.choice("XYZ") for _ in range(rng.randint(1, 9))]
        words = [rng.choice(WORDS) + rng.choice(WORDS) + c.lower() for c in classes]
        for i in range(len(words) - 2):
            if rng.random() < 0.25:
                words[i], classes[i] = "it", classes[i + 2]
        X.append(words)
        y.append(classes)
    return X, y


TRAIN, DEV = sentences(400), sentences(80, 2)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A tiny BERT with a vocabulary of letters."""
    folder = tmp_path_factory.mktemp("bert")
    letters = "abcdefghijklmnopqrstuvwxyz"
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocab = [*special, *letters, *(f"##{c}" for c in letters), "it"]
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(vocab),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=40,
    )
    Bert(config).save_pretrained(folder)
    WordPiece(vocab).save(folder / "tokenizer.json")
    return folder


def fitted(encoder: str, checkpoint, **options) -> NeuralTagger:
    settings = {**SMALL, "epochs": 8, "dropout": 0.1, "learning_rate": 0.01, **options}
    if encoder.startswith("bert"):
        settings |= {"pretrained": checkpoint, "learning_rate": 3e-3, "epochs": 7}
    return NeuralTagger(encoder, **settings).fit(*TRAIN, *DEV)


ALL = ["bilstm", "bilstm-crf", "gru-crf", "transformer", "transformer-crf", "bert", "bert-crf"]


@pytest.fixture(scope="module", params=ALL)
def tagger(request, checkpoint):
    return fitted(request.param, checkpoint)


def test_it_learns_from_words_and_from_what_stands_further_on(tagger):
    assert tagger.score(*DEV) > 0.9  # 0.87 without neighbours
    assert tagger.log_.best == pytest.approx(tagger.score(*DEV))


def test_state_goes_out_and_in(tagger):
    config, arrays = tagger.to_state()
    config = json.loads(json.dumps(config))
    assert config["pretrained"] is None
    arrays = unpack_sealed(pack_sealed(arrays, "state"), "state")
    again = NeuralTagger.from_state(config, arrays)
    assert again.predict(DEV[0]) == tagger.predict(DEV[0])
    name = next(name for name in arrays if name.endswith("scores.weight"))
    broken = {**arrays, name: arrays[name] * np.nan}
    with pytest.raises(ModelError, match=r"'scores.weight' holds NaN or infinity"):
        NeuralTagger.from_state(config, broken)
    with pytest.raises(ModelError, match="do not fit its settings"):
        NeuralTagger.from_state(config, {**arrays, name: arrays[name][:, :-1]})
    with pytest.raises(ModelError, match="not usable"):
        NeuralTagger.from_state({**config, "model": None, "colour": 1}, arrays)


def test_answers_do_not_depend_on_the_batch(tagger):
    together = tagger.predict(DEV[0])
    assert [tagger.predict([sentence])[0] for sentence in DEV[0][:20]] == together[:20]


def test_odd_text(tagger):
    odd = [[], ["", " ", "\x00"], ["\ud800", "😀" * 50, "x" * 300], [], ["漢字", "ba", "it"]]
    found = tagger.predict(odd)
    assert [len(row) for row in found] == [len(sentence) for sentence in odd]
    assert tagger.predict([]) == []
    assert tagger.predict([[]]) == [[]]


def test_a_long_sentence(tagger):
    sentence = [word for words in DEV[0] for word in words]
    assert len(sentence) > 300
    found = tagger.predict([sentence])[0]
    gold = [label for labels in DEV[1] for label in labels]
    assert np.mean([a == b for a, b in zip(found, gold, strict=True)]) > 0.75


def test_vectors_are_kept_and_do_not_change(checkpoint):
    rng = np.random.default_rng(0)
    words = sorted({word for words in TRAIN[0] + DEV[0] for word in words} - {"it"})
    vectors = np.eye(3, dtype=np.float32)[["xyz".index(word[-1]) for word in words]]
    wv = KeyedVectors(words, vectors + rng.normal(0, 0.1, vectors.shape).astype(np.float32))
    found = fitted("bilstm", checkpoint, vectors=wv, characters=None, epochs=4)
    assert found.score(*DEV) > 0.9
    # A word that training has not seen has its vector; without one it is unknown.
    again = NeuralTagger.from_state(*found.to_state())
    assert again.predict(DEV[0]) == found.predict(DEV[0])
    assert fitted("bilstm", checkpoint, characters=None, epochs=4).score(*DEV) < 0.8


def test_only_valid_labels_come_out_of_a_chain():
    rng = random.Random(3)
    X = [[rng.choice(["a", "b"]) for _ in range(6)] for _ in range(60)]
    y = [[rng.choice(["O", "B-P", "O"]) for _ in range(6)] for _ in X]
    for row in y:
        for i in range(1, len(row)):
            if row[i - 1] != "O" and rng.random() < 0.5:
                row[i] = "I-P"
    found = NeuralTagger("bilstm-crf", epochs=2, **SMALL).fit(X, y)
    for row in found.predict(X):
        assert all(label != "I-P" or (i and row[i - 1] != "O") for i, label in enumerate(row))


def test_training_goes_on_where_it_stopped(tmp_path):
    class Stop(Exception):
        pass

    def stop(info):
        if "dev_score" in info and info["epoch"] == 2:
            raise Stop

    def made() -> NeuralTagger:
        return NeuralTagger("bilstm-crf", epochs=3, **SMALL)

    straight = made().fit(*TRAIN, *DEV)
    with pytest.raises(Stop):
        made().fit(*TRAIN, *DEV, checkpoint=tmp_path, progress=stop)
    again = made().fit(*TRAIN, *DEV, checkpoint=tmp_path, resume=True)
    assert again.log_ == straight.log_
    a, b = straight.to_state()[1], again.to_state()[1]
    assert all(np.array_equal(a[name], b[name]) for name in a)


# ---- component ---------------------------------------------------------------------------------------------


def docs(pairs, column: str = "pos") -> list[Doc]:
    made = []
    for words, labels in zip(*pairs, strict=True):
        doc = Doc.from_words(words)
        doc.set_column(column, labels)
        made.append(doc)
    return made


def test_in_a_pipeline(tmp_path):
    nlp = nlptk.blank("en")
    component = nlp.add_pipe("neural_tagger", config={"encoder": "bilstm-crf", "epochs": 8, **SMALL})
    assert component.labels == ()
    component.fit(docs(TRAIN), docs(DEV))
    assert component.labels == ("X", "Y", "Z")
    nlp.to_disk(tmp_path / "model")
    again = nlptk.load(tmp_path / "model")
    for text in ("bakix lomuy it", "", " \n", "sutiz"):
        found, same = nlp(text), again(text)
        assert [token.pos_ for token in found] == [token.pos_ for token in same]
    assert [token.pos_ for token in again("bakix lomuy naripoz")][:2] == ["X", "Y"]


# ---- words -------------------------------------------------------------------------------------------------


def test_words_are_known_as_written_in_lower_case_or_by_their_digits():
    wv = KeyedVectors(["Paris", "paris", "year", "in 0000"], np.eye(4, dtype=np.float32))
    lexicon = Lexicon.of([["Paris", "in", "1999", "in"], ["aa"]], wv)
    forms = Forms(lexicon)
    found = forms.tensors(forms.numbers(["Paris", "PARIS", "Year", "2007", "nowhere"]))
    assert found.vectors.tolist() == [2, 3, 4, UNKNOWN, UNKNOWN]
    assert found.words.tolist() == [lexicon.words["paris"]] * 2 + [UNKNOWN, lexicon.words["0000"], UNKNOWN]
    assert forms.numbers(["Paris", "new"]).tolist() == [0, 5]
    assert len(forms) == 6


def test_of_a_long_word_both_ends_are_read():
    lexicon = Lexicon.of([["aabbccdd" * 10]], None)
    forms = Forms(lexicon)
    found = forms.tensors(forms.numbers(["a" * ENDS + "b" * 50 + "c" * ENDS])).characters[0]
    assert found.tolist() == [lexicon.characters["a"]] * ENDS + [lexicon.characters["c"]] * ENDS


def test_words_of_few_occurrences_are_unknown():
    lexicon = Lexicon.of([["a", "b", "a"]], None, min_freq=2)
    assert set(lexicon.words) == {"a"}


def test_vectors_of_pairs_tell_what_words_do_not():
    """Labels hang on the word and the next one; all words are unknown, and only pairs have vectors."""
    rng = np.random.default_rng(1)
    letters = "abcdefghijklmnopqrst"
    pairs = [a + b for a in letters for b in letters]
    kinds = rng.integers(0, 2, len(pairs))
    noise = rng.normal(0, 0.1, (len(pairs), 3))
    table = KeyedVectors(pairs, (noise + kinds[:, None] * [1, -1, 0]).astype(np.float32))
    kind = dict(zip(pairs, kinds.tolist(), strict=True))

    def made(count: int) -> tuple[list[list[str]], list[list[str]]]:
        X = [list(map(str, rng.choice([*letters], 6))) for _ in range(count)]
        return X, [["NY"[kind[a + b]] for a, b in pairwise(words)] + ["Z"] for words in X]

    options = {**SMALL, "encoder": "gru", "characters": None, "min_freq": 10**6}
    options |= {"epochs": 15, "learning_rate": 0.02}
    tagger = NeuralTagger(pair_vectors=table, **options).fit(*made(150))
    X, y = made(50)
    assert tagger.score(X, y) > 0.95
    config, arrays = tagger.to_state()
    assert config["pair_vectors"] is None
    assert NeuralTagger.from_state(json.loads(json.dumps(config)), arrays).predict(X) == tagger.predict(X)


def test_gazetteers_tell_what_words_do_not():
    """Labels hang on whether neighbours spell a name; all words are unknown, and names are seldom seen."""
    rng = np.random.default_rng(1)
    letters = "abcdefghijklmnopqrst"
    names = {a + b: "XY"[int(rng.integers(2))] for a in letters for b in letters if rng.random() < 0.3}
    gazetteer = Gazetteer.of("names", names.items())

    def made(count: int) -> tuple[list[list[str]], list[list[str]]]:
        X, y = [], []
        for _ in range(count):
            words = list(map(str, rng.choice([*letters], 6)))
            labels, at = [], 0
            while at < 6:
                kind = names.get("".join(words[at : at + 2]), "O")
                labels += ["O"] if kind == "O" else ["B-" + kind, "I-" + kind]
                at += 1 + (kind != "O")
            X.append(words)
            y.append(labels)
        return X, y

    options = {**SMALL, "encoder": "gru", "characters": None, "min_freq": 10**6}
    options |= {"epochs": 15, "learning_rate": 0.02}
    X, y = made(50)
    train = made(150)
    blind = NeuralTagger(**options).fit(*train)
    tagger = NeuralTagger(gazetteers={"names": gazetteer}, **options).fit(*train)
    assert tagger.score(X, y) > 0.97 > blind.score(X, y)
    config, arrays = tagger.to_state()
    loaded = NeuralTagger.from_state(json.loads(json.dumps(config)), arrays)
    assert loaded.predict(X) == tagger.predict(X)
    with pytest.raises(ModelError, match="gazetteer_0_keys"):
        NeuralTagger.from_state(config, {k: v for k, v in arrays.items() if k != "gazetteer_0_keys"})


def test_places_in_names_that_training_has_not_are_zeros():
    found = NameInputs.of(Gazetteer.of("g", [("ab", "X"), ("cd", "Y")]), [["a", "b", "z"], ["c"]])
    first, last = found.numbers([["a", "b", "q"], ["c", "d"]])
    assert sorted(first.tolist()) == [2, 3, 4]  # first, last, none
    assert last.tolist() == [UNKNOWN, UNKNOWN]
    assert found(torch.from_numpy(last)).abs().max() == 0
    assert found.numbers([]) == []


def test_characters_have_the_vectors_of_jiebas_words():
    table = KeyedVectors(["北京", "大学", "北京大学"], np.eye(3, dtype=np.float32) + 1)
    found = SegmentInputs(table.index_to_key, table.vectors)
    first, words, _, bare = found.numbers([list("在北京"), ["北京", "大学", "a"], [], ["\ud800", "\0 ", ""]])
    assert bare.tolist() == [UNKNOWN] * 3
    assert first.tolist() == [UNKNOWN, 2, 2]
    assert words.tolist() == [4, 4, UNKNOWN]
    X, y = [list("他在北京"), list("她在上海")] * 20, [["O", "O", "B-L", "I-L"]] * 40
    tagger = NeuralTagger(segment_vectors=table, **{**SMALL, "epochs": 2}).fit(X, y)
    loaded = NeuralTagger.from_state(*tagger.to_state())
    assert loaded.predict(X) == tagger.predict(X)


def test_the_last_word_begins_no_pair():
    pairs = PairInputs(["ab", "ba"], np.ones((2, 4), np.float32))
    numbers = pairs.numbers([["a", "b", "a", "x"], ["a"]])
    assert [one.tolist() for one in numbers] == [[2, 3, UNKNOWN, PADDING], [PADDING]]
    first, last = pairs(torch.tensor([[2, PADDING]]))[0].tolist()
    assert min(first) > 0.9
    assert last == [0.0] * 4


def test_characters_begin_with_given_vectors():
    letters = KeyedVectors(["a", "é", "word"], np.array([[3, 0], [0, 3], [1, 1]], np.float32))
    tagger = NeuralTagger(
        **{**SMALL, "character_vectors": letters, "epochs": 1, "learning_rate": 1e-9}, characters="lstm"
    ).fit([["aa", "b"]], [["X", "Y"]])
    _, arrays = tagger.to_state()
    table = arrays["model.inputs.characters.table.weight"]
    assert table.shape == (2 + 2, 2)  # a, which occurs twice, and é; b occurs once
    a, accented = table[2:]
    assert a[0] > 1 > abs(a[1])
    assert accented[1] > 1 > abs(accented[0])
    assert NeuralTagger.from_state(*tagger.to_state()).predict([["aé"]]) == tagger.predict([["aé"]])


# ---- bad input ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"character_vectors": KeyedVectors(["a"], np.ones((1, 2), np.float32)), "characters": None},
            "character_vectors need characters='cnn' or 'lstm'",
        ),
        ({"encoder": "lstm"}, "there is no encoder 'lstm'; choose one of bilstm, bilstm-crf, gru"),
        ({"encoder": "bert"}, "encoder 'bert' needs pretrained="),
        ({"characters": "rnn"}, "characters must be 'cnn', 'lstm' or None, not 'rnn'"),
        ({"scheme": "iob1"}, "scheme must be 'bio', 'bioes', 'auto' or None"),
        ({"epochs": 0}, "epochs must be an integer of at least 1"),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1"),
        ({"batch_tokens": 0}, "at least one token"),
    ],
)
def test_wrong_settings_are_said(options, message):
    with pytest.raises(ConfigError, match=message):
        NeuralTagger(**{**SMALL, **options}).fit(*TRAIN)


def test_wrong_data_is_said(tmp_path):
    with pytest.raises(DataError, match="sentence 0 has 1 tokens but 2 tags"):
        NeuralTagger().fit([["a"]], [["X", "Y"]])
    with pytest.raises(DataError, match="no tokens"):
        NeuralTagger().fit([[]], [[]])
    with pytest.raises(ConfigError, match="give both or neither"):
        NeuralTagger().fit([["a"]], [["X"]], [["a"]])
    with pytest.raises(DataError, match="dev set has no tokens"):
        NeuralTagger(**SMALL).fit([["a"]], [["X"]], [], [])
    with pytest.raises(ConfigError, match="not fitted"):
        NeuralTagger().predict([["a"]])
    with pytest.raises(ConfigError, match="nothing to save"):
        NeuralTagger().to_state()
    with pytest.raises(DataError, match="no tokens to score"):
        NeuralTagger().score([[]], [[]])
    with pytest.raises(ConfigError, match="does not take this setting"):
        nlptk.blank("en").add_pipe("neural_tagger", config={"colour": "red"})


def test_labels_unseen_in_training_count_as_misses():
    X, y = [["ba", "de"]] * 20, [["X", "Y"]] * 20
    found = NeuralTagger(**SMALL, epochs=2).fit(X, y, [["ba", "de"]], [["X", "NEW"]])
    assert found.log_.best is not None
    assert found.log_.best <= 0.5


def test_the_gradient_of_words_at_places_is_the_same_each_time() -> None:
    """With ``vectors[places]`` threads add it up in the order in which they come."""
    threads = torch.get_num_threads()
    torch.set_num_threads(max(threads, 2))  # of one there would be nothing to see
    vectors, upstream = torch.randn(8, 200, requires_grad=True), torch.randn(50, 100, 200)
    places = torch.randint(0, 8, (50, 100))

    def gradient() -> torch.Tensor:
        (found,) = torch.autograd.grad(at_places(vectors, places), vectors, upstream)
        return found

    assert torch.equal(at_places(vectors, places), vectors[places])
    try:
        first = gradient()
        assert all(torch.equal(first, gradient()) for _ in range(100))
    finally:
        torch.set_num_threads(threads)
    torch.testing.assert_close(
        first, torch.autograd.grad(vectors[places], vectors, upstream)[0], rtol=1e-4, atol=1e-4
    )
