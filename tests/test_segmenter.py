"""The segmenter: what it learns, and that the text comes through whole whatever it is."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import nlptk
from nlptk import Language, _core
from nlptk.doc import Doc
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.tokenize import segmenter as module
from nlptk.tokenize.segmenter import Segmenter

#: Paragraphs of sentences of tokens; "_" marks a token that follows without a space.
ENGLISH_SENTENCES = [
    ["I do _n't know the miller _.", "The old mill is n't here _."],
    ["We ca _n't see it _!", "Do you see it _?", "I wo _n't _.", "They have _n't seen it _."],
    ['" _No _, _" she said _.', "It _'s Anna _'s bread _.", "You are _n't late _, are you _?"],
    ["Mr. Berg walks home _.", "He does _n't run _.", "Does Mr. Berg run _?", "I can _not wait _."],
]
CHINESE = [
    "我 喜欢 面包 。",
    "老 磨坊 在 河边 。",
    "我 在 河边 喜欢 面包 。",
    "老 面包 在 磨坊 。",
    "我们 喜欢 磨坊 。",
]

ANY_TEXT = st.text(st.characters(codec=None), max_size=60)
#: Texts of the characters that the rules turn on.
LIKELY_TEXT = st.text(
    st.sampled_from("abN'’t.!?\"()-,  \n\n\r\t\u2028\u2029\x0c7中文\u0301\u200d\U0001f600\ud800\0"),
    max_size=40,
)


def paragraph(sentences: list[str]) -> Doc:
    """A Doc of one paragraph."""
    words: list[str] = []
    spaces: list[bool] = []
    starts: list[int] = []
    for sentence in sentences:
        for number, token in enumerate(sentence.split()):
            if token.startswith("_"):
                spaces[-1] = False
            words.append(token.lstrip("_"))
            spaces.append(True)
            starts.append(number == 0)
    spaces[-1:] = [False]
    return Doc.from_words(words, spaces, sent_starts=starts)


def chinese() -> list[Doc]:
    return [
        Doc.from_words(s.split(), [False] * len(s.split()), sent_starts=[1] + [0] * s.count(" "))
        for s in CHINESE
    ]


@pytest.fixture(scope="module")
def english() -> Segmenter:
    docs = [paragraph(sentences) for sentences in ENGLISH_SENTENCES] * 3
    return Segmenter(threads=1).fit(docs)


@pytest.fixture(scope="module")
def hanzi() -> Segmenter:
    return Segmenter("zh", threads=1).fit(chinese() * 5)


@pytest.fixture(scope="module")
def rough() -> Segmenter:
    """A segmenter of random labels: it cuts wherever it may, so that all rules are put to the test."""
    config, arrays = Segmenter(threads=1).fit(chinese()).to_state()
    rng = np.random.default_rng(0)
    arrays["blocks"] = rng.integers(-32768, 32768, arrays["blocks"].shape).astype(np.int16)
    arrays["scale"] = np.array([1e-3], np.float32)
    for name in ("transitions", "start", "end"):
        arrays[name] = rng.normal(0, 3, arrays[name].shape).astype(np.float32)
    return Segmenter.from_state(config, arrays)


def annotated(segmenter: Segmenter, text: str) -> Doc:
    return segmenter(Doc(text))


def check(segmenter: Segmenter, text: str) -> Doc:
    """A Doc made with all checks; its tokens spell the text."""
    starts, ends, sentences = segmenter.segment([text])[0]
    doc = Doc(text, starts, ends, sent_starts=sentences)
    assert "".join(token.text_with_ws for token in doc) == text
    assert not any(c.isspace() for token in doc if not token.is_space for c in token.text)
    assert sentences.tolist()[:1] == [1] * (len(doc) > 0)
    return doc


@settings(max_examples=150)
@given(ANY_TEXT | LIKELY_TEXT)
@example("")
@example("\0")
@example(" \n\t\u3000")
@example("\ud800\udfff \U0001f468\u200d\U0001f469\u200d\U0001f467 e\u0301\u0301")
@example("\u0301\u200d starts with marks")
@example(" leads\n\nand ends\n\n")
def test_the_text_comes_through_whole(english, hanzi, rough, text):
    for segmenter in (english, hanzi, rough):
        check(segmenter, text)


@settings(max_examples=60)
@given(st.lists(ANY_TEXT | LIKELY_TEXT, max_size=6))
def test_a_batch_is_segmented_as_its_texts_are(english, rough, texts):
    for segmenter in (english, rough):
        together = segmenter.segment(texts)
        alone = [segmenter.segment([text])[0] for text in texts]
        assert [[a.tolist() for a in one] for one in together] == [[a.tolist() for a in one] for one in alone]


def test_threads_change_nothing(english):
    texts = [" ".join(["I don't see it!", "Mr. Berg runs.\n\n"] * (i % 7)) for i in range(200)]
    expected = [[a.tolist() for a in one] for one in english.segment(texts)]
    for threads in (2, 5, 0):
        english.threads = threads
        assert [[a.tolist() for a in one] for one in english.segment(texts)] == expected
    english.threads = 1


@pytest.mark.parametrize("unit", ["x", "中", "!", "\u0301", "\ud800", "'", "1", "Aa", "a."])
def test_a_million_characters_without_a_space(english, unit):
    size = 1_000_000 if unit == "x" else 100_000
    check(english, unit * (size // len(unit)))


def test_a_million_characters_of_white_space(english):
    starts, ends, sentences = english.segment([" \n" * 500_000])[0]
    assert (starts.tolist(), ends.tolist(), sentences.tolist()) == ([0], [1_000_000], [1])


# ---- what it learns ----------------------------------------------------------------------------------------


def test_english_clitics_and_signs(english):
    text = "You don't see the miller, do you? She isn't Anna."
    assert " ".join(english.tokenize(text)) == "You do n't see the miller , do you ? She is n't Anna ."
    assert [s.text for s in annotated(english, text).sents] == [
        "You don't see the miller, do you?",
        "She isn't Anna.",
    ]


def test_training_text_is_segmented_right(english, hanzi):
    for segmenter, docs in ((english, [paragraph(s) for s in ENGLISH_SENTENCES]), (hanzi, chinese())):
        for gold in docs:
            found = annotated(segmenter, gold.text)
            assert found.words == gold.words
            assert found.sent_starts.tolist() == gold.sent_starts.tolist()


def test_chinese_words(hanzi):
    assert hanzi.tokenize("我们喜欢河边。") == ["我们", "喜欢", "河边", "。"]


def test_a_lexicon_helps_with_words_never_seen(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("喜欢\n面包\n磨坊\n河边\n我们\n车站\n火车\n", encoding="utf-8")
    segmenter = Segmenter("zh-lexicon", lexicon=str(path), threads=1).fit(chinese() * 5)
    path.unlink()  # its words are in the model
    config, arrays = segmenter.to_state()
    for one in (segmenter, Segmenter.from_state(config, arrays)):
        assert one.tokenize("我在火车车站。") == ["我", "在", "火车", "车站", "。"]
    assert len(arrays["words"]) == 7


def test_leading_white_space_is_a_token_of_the_first_sentence(english):
    doc = annotated(english, " \n I do.\n\nI see.")
    assert doc.words[:3] == [" \n ", "I", "do"]
    assert doc[0].is_space
    assert [s.text for s in doc.sents] == [" \n I do.", "I see."]


def test_blank_lines_end_sentences(english):
    for gap in ("\n\n", "\n \n", "\r\n\r\n", "\u2029", " \n\t\n\n", "\x0c\x0c"):
        doc = annotated(english, f"the old mill{gap}the old mill")
        assert [s.text for s in doc.sents] == ["the old mill", "the old mill"], repr(gap)
    assert len(list(annotated(english, "the old mill\nthe old mill").sents)) == 1


def test_dev_scores_choose_the_weights():
    seen: list[dict] = []
    docs = [paragraph(s) for s in ENGLISH_SENTENCES]
    Segmenter(threads=1, max_iterations=4).fit(docs, docs, progress=seen.append)
    assert [info["iteration"] for info in seen] == [1, 2, 3, 4]
    assert all(0 <= info["dev_score"] <= 2 for info in seen)  # words and sentences
    assert seen[-1]["dev_score"] > 1


def test_other_algorithms_and_templates():
    docs = [paragraph(s) for s in ENGLISH_SENTENCES] * 3
    for settings_ in ({"algorithm": "lbfgs", "max_iterations": 30}, {"algorithm": "ap"}):
        segmenter = Segmenter(["fold", "class[-1]|class|class[1]", "rest", "place"], threads=1, **settings_)
        assert segmenter.fit(docs).tokenize("They don't.") == ["They", "do", "n't", "."]


def test_the_same_seed_gives_the_same_bytes():
    docs = [paragraph(s) for s in ENGLISH_SENTENCES]
    states = [Segmenter(threads=1, max_iterations=3).fit(docs).to_state()[1] for _ in range(2)]
    assert all(states[0][name].tobytes() == states[1][name].tobytes() for name in states[0])


def test_long_paragraphs_are_learned_whole():
    one = paragraph([s for sentences in ENGLISH_SENTENCES for s in sentences] * 20)
    segmenter = Segmenter(threads=1, max_iterations=5).fit([one])
    assert annotated(segmenter, one.text).words == one.words


def test_cut_keeps_every_unit_and_cuts_at_sentences():
    marked = np.zeros(1000, np.int32)
    marked[::7] = module._SENTENCE
    marked[700] = module._SENTENCE
    cut = module._cut(np.array([0, 700, 700, 1000]), marked)
    assert cut[0] == 0
    assert cut[-1] == 1000
    assert 700 in cut
    assert np.all(np.diff(cut) > 0)
    assert np.all(marked[cut[:-1]] == module._SENTENCE)
    assert np.diff(cut).max() < 2 * module._SEQUENCE


def test_labels_are_places_in_tokens():
    marked = np.array([2, 0, 0, 0, 0, 1, 0, 2, 1, 0, 0])
    places = module._places(marked.astype(np.int32))
    assert places.tolist() == [
        *(module._SENTENCE_FIRST, module._SECOND, module._THIRD, module._LATER, module._LAST),
        *(module._FIRST, module._LAST),
        module._SENTENCE_ONLY,
        *(module._FIRST, module._SECOND, module._LAST),
    ]
    transitions, start, end = module._MASK
    assert start[places[0]] == end[places[-1]] == 0
    assert not np.any(transitions[places[:-1], places[1:]])
    assert len(module._places(np.zeros(0, np.int32))) == 0


# ---- bad input ---------------------------------------------------------------------------------------------


def test_an_untrained_segmenter_says_so():
    with pytest.raises(ConfigError, match="not trained"):
        Segmenter()(Doc("a"))


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"templates": "fr"}, "unknown template set 'fr'"),
        ({"templates": []}, "at least one"),
        ({"templates": ["chars"]}, "unknown feature 'chars'"),
        ({"templates": ["begin:nouns"]}, "'nouns'"),
        ({"templates": [4]}, "must be a string"),
        ({"c2": -1}, "c2"),
        ({"threads": 1.5}, "threads"),
        ({"algorithm": "adam"}, "adam"),
        ({"unheard": 1}, "unheard"),
    ],
)
def test_bad_settings_are_named(settings_, message):
    with pytest.raises(ConfigError, match=message):
        Segmenter(**settings_)


def test_training_docs_must_have_tokens():
    good = paragraph(ENGLISH_SENTENCES[0])
    with pytest.raises(DataError, match="training Doc 1 has no tokens"):
        Segmenter().fit([good, Doc("raw")])
    with pytest.raises(DataError, match="dev Doc 0 has no tokens"):
        Segmenter().fit([good], [Doc("raw")])
    for empty in ([], [Doc("", [], [])]):
        with pytest.raises(DataError, match="no tokens"):
            Segmenter().fit(empty)
    with pytest.raises(DataError, match="nowhere"):
        Segmenter("zh-lexicon", lexicon="nowhere.txt").fit([good])


def test_a_failed_fit_leaves_the_segmenter_as_it_was(english):
    before = english.tokenize("They don't see it.")

    def fail(info):
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        english.fit(chinese(), progress=fail)
    assert english.tokenize("They don't see it.") == before


def test_texts_must_be_str(english):
    for texts in ("one str", [b"bytes"], [None], ["a", 3]):
        with pytest.raises(TypeError, match="str"):
            english.segment(texts)


# ---- state -------------------------------------------------------------------------------------------------


def through_json(segmenter: Segmenter) -> tuple[dict, dict[str, np.ndarray]]:
    config, arrays = segmenter.to_state()
    return json.loads(json.dumps(config)), arrays


def test_state_gives_the_same_segmenter(english, hanzi):
    for segmenter in (english, hanzi):
        back = Segmenter.from_state(*through_json(segmenter))
        for text in ("You don't, Mr. Berg! 我们喜欢", " x"):
            assert back.tokenize(text) == segmenter.tokenize(text)
        assert json.dumps(through_json(back)[0]) == json.dumps(through_json(segmenter)[0])
    blank = Segmenter.from_state(*through_json(Segmenter("zh")))
    assert blank.templates == module.TEMPLATES["zh"]


def test_a_state_that_is_not_usable_gives_model_error(english):
    config, arrays = through_json(english)
    for change in (
        {"templates": 3},
        {"templates": [3]},
        {"settings": 5},
        {"settings": {"x": 1}},
        {"threads": "2"},
    ):
        with pytest.raises(ModelError, match="config is not usable"):
            Segmenter.from_state({**config, **change}, arrays)
    for name in config:
        with pytest.raises(ModelError, match=name):
            Segmenter.from_state({k: v for k, v in config.items() if k != name}, arrays)
    for name, array in arrays.items():
        with pytest.raises(ModelError, match=name):
            Segmenter.from_state(config, {k: v for k, v in arrays.items() if k != name})
        for other in (array.astype(np.complex64), array[None]):
            with pytest.raises(ModelError):
                Segmenter.from_state(config, {**arrays, name: other})
    three = {**arrays, **{name: arrays[name][:3] for name in ("start", "end")}}
    with pytest.raises(ModelError, match="labels"):
        Segmenter.from_state(config, three)


@settings(max_examples=150)
@given(st.data())
def test_altered_arrays_keep_the_rules_or_give_model_error(english, data):
    config, arrays = through_json(english)
    arrays = {name: array.copy() for name, array in arrays.items()}
    for _ in range(data.draw(st.integers(1, 3))):
        name = data.draw(st.sampled_from(sorted(name for name in arrays if arrays[name].size)))
        raw = arrays[name].view(np.uint8).reshape(-1)
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        altered = Segmenter.from_state(config, arrays)
    except ModelError:
        return
    check(altered, "You don't, Mr. Berg!\n\n我们 喜欢 e\u0301")


@pytest.mark.parametrize("name", ["start", "end", "transitions"])
def test_a_model_that_forbids_every_label_keeps_the_rules(english, name):
    config, arrays = through_json(english)
    arrays = {**arrays, name: np.full_like(arrays[name], -np.inf)}
    check(Segmenter.from_state(config, arrays), " You don't.\n\nI do!")


def test_in_a_pipeline_to_disk_and_back(english, tmp_path):
    nlp = Language("en")
    nlp.add_pipe(english)
    text = "You don't, Mr. Berg!\n\nI see."
    expected = nlp(text)
    assert len(list(expected.sents)) == 2
    nlp.to_disk(tmp_path / "model")
    for loaded in (nlptk.load(tmp_path / "model"), Language.from_bytes(nlp.to_bytes())):
        found = loaded(text)
        assert found.words == expected.words
        assert found.sent_starts.tolist() == expected.sent_starts.tolist()
        assert [doc.words for doc in loaded.pipe([text, "", " "])] == [expected.words, [], [" "]]


def test_inner_splits_are_word_ends():
    text = "can't cannot x1y2 -a"
    starts = np.array([0, 2, 6, 9, 13, 15, 18, 19], np.int32)  # ca n't can not x1 y2 - a
    found = _core.inner_splits(text, starts).tolist()
    assert found == [_core.lexicon_key(rest[::-1]) for rest in ("n't", "not")]  # elsewhere any model may cut
    assert _core.inner_splits("", np.zeros(0, np.int32)).tolist() == []
