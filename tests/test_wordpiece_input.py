"""WordPiece: bad input gives one clear sentence or a documented reading, and files come back as they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import nlptk
from nlptk import Doc, WordPiece
from nlptk.errors import ConfigError, ModelError
from nlptk.tokenize.hf_json import AddedToken

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello", "world", "##s", "a", "你", "!", "\ufffd"]


@pytest.fixture
def tokenizer() -> WordPiece:
    return WordPiece(WORDS)


def written(path: Path, data: Any) -> Path:
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return path


# ---- texts -----------------------------------------------------------------------------------------------


@given(st.text(st.characters(codec=None, exclude_categories=())))
@example("\ud800")
@example("a\udfff b")
def test_a_lone_surrogate_counts_as_the_replacement_character(text: str) -> None:
    whole = "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)
    for clean in (True, False):
        tokenizer = WordPiece(WORDS, clean_text=clean)
        assert tokenizer.encode_with_offsets(text) == tokenizer.encode_with_offsets(whole)
        assert tokenizer.encode(text) == tokenizer.encode(whole)
    assert WordPiece(WORDS, clean_text=False).tokenize("\ud800") == ["\ufffd"]
    assert WordPiece(WORDS).tokenize("\ud800") == []


@pytest.mark.parametrize("wrong", [b"hello", None, 7, ["hello"]])
def test_not_a_text(tokenizer: WordPiece, wrong: Any) -> None:
    with pytest.raises(TypeError, match="a text must be str, not "):
        tokenizer.encode(wrong)
    with pytest.raises(TypeError, match="a text must be str, not "):
        tokenizer.encode_with_offsets(wrong)
    with pytest.raises(TypeError, match=r"a text must be str|incompatible|a sequence of str"):
        tokenizer.encode_batch([wrong])


@pytest.mark.parametrize("wrong", [12, -1, 2**40, "hello", None])
def test_decode_an_unknown_id(tokenizer: WordPiece, wrong: Any) -> None:
    with pytest.raises(ConfigError, match=f"the vocabulary has no id {wrong!r}: it ends at 11"):
        tokenizer.decode([5, wrong])


# ---- settings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("arguments", "message"), [
    ({"vocab": ["a", "b"]}, r"the vocabulary has no unknown token '\[UNK\]'"),
    ({"vocab": []}, "no unknown token"),
    ({"vocab": "vocab.txt"}, r"WordPiece\.load reads one from a file"),
    ({"vocab": {"[UNK]": 0, "a": 0}}, "gives one id to two tokens"),
    ({"vocab": {"[UNK]": -1}}, "id -1 is not in 0 to 268435455"),
    ({"vocab": {"[UNK]": 2**28}}, "id 268435456 is not in 0 to"),
    ({"vocab": {"[UNK]": "0"}}, "must be of str and int"),
    ({"vocab": ["[UNK]", "\ud800"]}, "a token with a lone surrogate"),
    ({"vocab": ["[UNK]"], "max_input_chars_per_word": "9"}, "must be a whole number"),
    ({"vocab": ["[UNK]"], "added_tokens": [AddedToken("", 0)]}, "an added token is empty"),
])  # fmt: skip
def test_wrong_settings(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        WordPiece(**arguments)


def test_ids_may_have_gaps() -> None:
    tokenizer = WordPiece({"[UNK]": 7, "a": 2**28 - 1})
    assert tokenizer.encode("a b") == [2**28 - 1, 7]
    with pytest.raises(ConfigError, match="the ids have gaps"):
        tokenizer.save("vocab.txt")


# ---- files -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["folder", "file.json"])
def test_saved_and_loaded(tokenizer: WordPiece, tmp_path: Path, name: str) -> None:
    added = [*tokenizer.added_tokens, AddedToken("<new>", 12, lstrip=True, normalized=True)]
    before = WordPiece(WORDS, lowercase=False, clean_text=False, added_tokens=added, cleanup=False)
    before.save(tmp_path / name)
    after = WordPiece.load(tmp_path / name)
    assert after.to_json() == before.to_json()
    assert after.encode("hello <NEW> <new> World\0") == before.encode("hello <NEW> <new> World\0")


def test_vocab_txt(tokenizer: WordPiece, tmp_path: Path) -> None:
    tokenizer.save(tmp_path / "vocab.txt")
    assert (tmp_path / "vocab.txt").read_text("utf-8").split("\n") == [*WORDS, ""]
    assert WordPiece.load(tmp_path / "vocab.txt").encode("hello worlds!") == [2, 5, 6, 7, 10, 3]
    # A byte-order mark, CRLF, blanks at the end and a token given twice, as tokenizers reads them.
    (tmp_path / "vocab.txt").write_bytes(b"\xef\xbb\xbf[UNK]\r\nhello \r\na\nhello\n")
    assert WordPiece.load(tmp_path).get_vocab() == {"[UNK]": 0, "hello": 3, "a": 2}


def test_tokenizer_config_beside_a_vocab_txt(tmp_path: Path) -> None:
    written(tmp_path / "vocab.txt", "[UNK]\nHello\nhello\n")
    assert WordPiece.load(tmp_path).tokenize("Hello") == ["hello"]
    written(tmp_path / "tokenizer_config.json", {"do_lower_case": False, "strip_accents": None})
    assert WordPiece.load(tmp_path).tokenize("Hello") == ["Hello"]
    assert WordPiece.load(tmp_path, lowercase=True).tokenize("Hello") == ["hello"]
    written(tmp_path / "tokenizer_config.json", {"do_lower_case": "no"})
    with pytest.raises(
        ModelError, match=r"tokenizer_config\.json: lowercase must be true or false, not 'no'"
    ):
        WordPiece.load(tmp_path)


@pytest.mark.parametrize(("data", "message"), [
    (b"", "the vocabulary is empty"),
    (b"a\nb\n", r"the vocabulary has no unknown token '\[UNK\]'"),
    (b"[UNK]\na\n\xff\xfe\n", "line 3: byte 0xff is not UTF-8"),
])  # fmt: skip
def test_malformed_vocab_txt(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "vocab.txt").write_bytes(data)
    with pytest.raises(ModelError, match=f"vocab\\.txt.*{message}"):
        WordPiece.load(tmp_path / "vocab.txt")


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"there is no file or folder '.*nowhere'"):
        WordPiece.load(tmp_path / "nowhere")
    with pytest.raises(ModelError, match=r"holds none of tokenizer\.json, vocab\.txt"):
        WordPiece.load(tmp_path)


@pytest.mark.parametrize(("text", "message"), [
    ("", r"line 1, column 1: not valid JSON \(Expecting value\); the file is damaged or cut short"),
    ('{\n "model": {\n', "line 3, column 1: not valid JSON"),
    ("[" * 200_000, "the JSON is nested too deeply"),
    ("[1]", "expected a JSON object, not list"),
    ("{}", 'there is no "model" in it'),
    ('{"model": {"type": "BPE"}}', "the model is 'BPE', not 'WordPiece'"),
])  # fmt: skip
def test_malformed_tokenizer_json(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ModelError, match=rf"tokenizer\.json.*{message}"):
        WordPiece.load(written(tmp_path / "tokenizer.json", text))


@pytest.mark.parametrize(("part", "value", "message"), [
    ("normalizer", {"type": "Lowercase"}, "normalizer 'Lowercase' is not supported .*only BertNormalizer"),
    ("normalizer", {"type": "BertNormalizer", "lowercase": 1}, "normalizer: lowercase must be bool, not 1"),
    ("normalizer", "Lowercase", '"normalizer" must be an object with a "type"'),
    ("pre_tokenizer", {"type": "Whitespace"}, "the pre_tokenizer 'Whitespace' is not supported"),
    ("pre_tokenizer", None, "the pre_tokenizer None is not supported"),
    ("decoder", {"type": "ByteLevel"}, "the decoder 'ByteLevel' is not supported"),
    ("decoder", {"type": "WordPiece", "prefix": "@@"}, "decoder: prefix = '@@' is not supported"),
    ("post_processor", {"type": "RobertaProcessing"}, "post_processor 'RobertaProcessing' is not supported"),
    ("post_processor", {"type": "BertProcessing"}, "the post_processor is malformed"),
    ("post_processor", {"type": "TemplateProcessing", "single": [], "pair": []}, "the text once"),
    ("added_tokens", {}, '"added_tokens" must be a list'),
    ("added_tokens", [{"id": 3}], r"added_tokens\[0\] must be an object"),
    ("added_tokens", [{"content": "x", "id": None}], r"added_tokens\[0\] must have an id"),
    ("added_tokens", [{"content": "x", "id": 3, "lstrip": "no"}], "'lstrip' must be true or false"),
])  # fmt: skip
def test_unsupported_parts_are_named(
    tokenizer: WordPiece, tmp_path: Path, part: str, value: Any, message: str
) -> None:
    data = {**tokenizer.to_json(), part: value}
    with pytest.raises(ModelError, match=rf"tokenizer\.json.*{message}"):
        WordPiece.load(written(tmp_path / "tokenizer.json", data))


@pytest.mark.parametrize(("name", "value", "message"), [
    ("vocab", None, "the vocabulary must be an object"),
    ("vocab", {"[UNK]": 1.5}, r"the token '\[UNK\]' must have an id"),
    ("vocab", {"[UNK]": 1, "a": 1}, r"'\[UNK\]' and 'a' both have the id 1"),
    ("unk_token", "<unk>", "no unknown token '<unk>'"),
    ("max_input_chars_per_word", True, "max_input_chars_per_word must be int, not True"),
])  # fmt: skip
def test_malformed_model(tokenizer: WordPiece, tmp_path: Path, name: str, value: Any, message: str) -> None:
    data = tokenizer.to_json()
    data["model"][name] = value
    with pytest.raises(ModelError, match=rf"tokenizer\.json.*{message}"):
        WordPiece.load(written(tmp_path / "tokenizer.json", data))


def test_files_of_before_the_model_had_a_type(tokenizer: WordPiece, tmp_path: Path) -> None:
    data = tokenizer.to_json()
    del data["model"]["type"]
    data["post_processor"] = {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}
    loaded = WordPiece.load(written(tmp_path / "tokenizer.json", data))
    assert loaded.encode("hello", "a") == [2, 5, 3, 8, 3]
    data["post_processor"] = data["normalizer"] = None
    loaded = WordPiece.load(written(tmp_path / "tokenizer.json", data))
    assert loaded.encode("hello HELLO", "a") == [5, 1, 8]


# ---- the component ---------------------------------------------------------------------------------------


@given(st.text(st.characters(codec=None, exclude_categories=())))
@example(" \0 a\0\u0301 \u0301!\x1c\ud800 ")
@example("\0")
@example("\n")
@example("[MASK]hello worlds")
def test_words_cover_the_text(text: str) -> None:
    """The tokens keep the rules of a Doc, and their pieces are the text's."""
    tokenizer = WordPiece(WORDS)
    spans, pieces = tokenizer.words(text)
    doc = Doc(text, [start for start, _ in spans], [end for _, end in spans])
    assert "".join(token.text_with_ws for token in doc) == text
    assert [number for word in pieces for number in word] == tokenizer.encode(text, add_special_tokens=False)


def test_component(tokenizer: WordPiece, tmp_path: Path) -> None:
    tokenizer.save(tmp_path / "vocab.txt")
    nlp = nlptk.blank("xx")
    nlp.replace_pipe("tokenizer", "wordpiece", config={"path": str(tmp_path / "vocab.txt")})
    nlp.to_disk(tmp_path / "model")
    (tmp_path / "vocab.txt").unlink()
    for pipeline in (nlp, nlptk.load(tmp_path / "model")):
        doc = pipeline("  Hello wOrlds! [MASK] 你好")
        assert doc.words == ["  ", "Hello", "wOrlds", "!", "[MASK]", "你", "好"]
        assert doc.user_data["wordpiece"] == {
            "ids": [5, 6, 7, 10, 4, 9, 1],
            "offsets": [0, 0, 1, 3, 4, 5, 6, 7],
        }
        assert len(Doc("").from_bytes(doc.to_bytes())) == 7


def test_component_without_a_path() -> None:
    with pytest.raises(ConfigError, match="wordpiece: give the model"):
        nlptk.blank("xx").add_pipe("wordpiece")


def test_damaged_state() -> None:
    from nlptk.tokenize.wordpiece_component import WordPieceComponent

    with pytest.raises(ModelError, match="lacks its array"):
        WordPieceComponent.from_state({}, {})


def test_an_unknown_setting_of_the_component(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("[UNK]\na\n")
    nlp = nlptk.blank("en")
    with pytest.raises(ConfigError, match=r"no setting 'lower'; there are .*lowercase"):
        nlp.replace_pipe("tokenizer", "wordpiece", config={"path": str(tmp_path), "lower": True})
