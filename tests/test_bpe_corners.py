"""BPE in the corners: models as they are met in the wild, special tokens, files."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.tokenize.bpe import BPE
from nlptk.tokenize.hf_json import AddedToken

LINES = ["the cat sat on the mat, the other cat 学习 学习", "é is a letter, ≯ is none"] * 4
RANKS = {bytes([byte]): byte for byte in range(256)} | {b"ab": 256, b"abc": 257}


@cache
def model() -> BPE:
    return BPE.train(LINES, 320)


def peer_of(tokenizer: BPE, **changes: Any) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_str(json.dumps({**tokenizer.to_json(), **changes}))


# ---- special tokens --------------------------------------------------------------------------------


def added(content: str, number: int, *, normalized: bool = False) -> AddedToken:
    return AddedToken(content, number, special=not normalized, normalized=normalized)


@pytest.mark.parametrize("form", ["NFC", "NFKC", None])
@pytest.mark.parametrize("pattern", ["gpt2", r"\w+|\W"])
def test_special_tokens_and_normal_forms_in_the_order_of_tokenizers(form: Any, pattern: str) -> None:
    """Given ones before the normal form (so that none comes out of it), normalized ones after it."""
    size = model().vocab_size
    special = [
        added("<s>", size),
        added("ab<", size + 1, normalized=True),
        added("caf\u00e9", size + 2, normalized=True),
    ]
    ours = BPE(model().vocab, model().merges, special_tokens=special, normalization=form, pattern=pattern)
    peer = peer_of(ours)
    for text in (
        "<s>\u0338 x",
        "ab<s>",
        "ab<ab<s>ab<",
        "＜s＞ the",
        "a cafe\u0301 b",
        "caf\u00e9<s>cafe\u0301",
        "",
        "<s>",
        "é e\u0301<s>e\u0301",
    ):
        ids, offsets = ours.encode_with_offsets(text)
        assert ids == peer.encode(text).ids == ours.encode(text) == ours.encode_batch(["é", text])[1], text
        assert all(0 <= start <= end <= len(text) for start, end in offsets)


@pytest.mark.parametrize("token", ["学", "é", "Ġthe", "Ã©", "a", " ", "the cat"])
def test_a_special_token_may_be_written_as_another_token_is(token: str) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    ours = BPE.train(LINES, 300, special_tokens=[token])
    peer = Tokenizer(models.BPE())
    peer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    peer.train_from_iterator(
        LINES,
        trainers.BpeTrainer(
            vocab_size=300, special_tokens=[token], initial_alphabet=alphabet, show_progress=False
        ),
    )
    assert ours.vocab == peer.get_vocab()
    assert ours.merges == [tuple(merge) for merge in json.loads(peer.to_str())["model"]["merges"]]
    for text in LINES:
        assert ours.encode(text) == peer.encode(text).ids


def test_tokens_that_no_bytes_make_are_decoded_only() -> None:
    """As ignore_merges takes whole pieces: the token 学 of a byte-level vocabulary is not the bytes of 学."""
    plain = BPE()
    vocab = {**plain.vocab, "学": 256, "å": 257} if "å" not in plain.vocab else {**plain.vocab, "学": 256}
    ours = BPE(vocab, ignore_merges=True)
    peer = peer_of(ours)
    assert ours.encode("学a") == peer.encode("学a").ids == list("学a".encode())
    assert ours.decode([256, 97]) == peer.decode([256, 97]) == "学a"


def test_ids_of_special_tokens_from_a_mapping() -> None:
    assert BPE.from_ranks(RANKS, special_tokens={"<e>": 1000}).encode("a<e>") == [97, 1000]
    assert BPE(model().vocab, model().merges, special_tokens={"<e>": 1000}).encode("<e>") == [1000]


@pytest.mark.parametrize(
    ("tokens", "match"),
    [
        ([AddedToken("<x>", 5)], "has the id 5 of the token"),
        ([AddedToken("the", 5)], "but .* in the vocabulary"),
        ([AddedToken("<x>", 900), AddedToken("<y>", 900)], "of the token '<x>'"),
        ([AddedToken("<x>", -1)], "must have an id"),
    ],
)
def test_special_tokens_whose_ids_are_taken(tokens: list[AddedToken], match: str) -> None:
    with pytest.raises(ModelError, match=match):
        BPE(model().vocab, model().merges, special_tokens=tokens)


@pytest.mark.parametrize("tokens", ["<s>", [1], ["\ud800"], [""], 5])
def test_special_tokens_that_are_none(tokens: Any) -> None:
    for make in (lambda: BPE(special_tokens=tokens), lambda: BPE.train(LINES, 300, special_tokens=tokens)):
        with pytest.raises(ConfigError, match="special"):
            make()


# ---- models in the wild ----------------------------------------------------------------------------


def test_dropout_goes_before_ignore_merges() -> None:
    assert BPE.from_ranks(RANKS).encode("abc") == [257]
    assert BPE.from_ranks(RANKS, dropout=1.0).encode("abc") == [97, 98, 99]


def test_byte_tokens_are_decoded_to_bytes() -> None:
    vocab = {"<unk>": 0, "a": 1, **{f"<0x{byte:02X}>": byte + 2 for byte in range(256)}}
    ours = BPE(vocab, byte_level=False, pattern="none", byte_fallback=True, unk_token="<unk>")
    peer = peer_of(ours)
    assert ours.decode(ours.encode("a学😀")) == peer.decode(peer.encode("a学😀").ids) == "a学😀"


def test_a_prefix_space_before_a_regular_expression() -> None:
    """Before the text, as with a scanner, and not before each piece."""
    spelled, named = (
        BPE(model().vocab, model().merges, prefix_space=True, pattern=pattern, special_tokens=["<s>"])
        for pattern in (r"(?: ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", "gpt2")
    )
    for text in ("the,cat", " the", "<s>the<s>", "", "\nthe  cat"):
        assert spelled.encode_with_offsets(text) == named.encode_with_offsets(text), text
    with pytest.raises(ModelError, match="cannot hold prefix_space"):
        spelled.to_json()


def test_parts_that_would_mean_something_else_are_refused() -> None:
    good = model().to_json()
    split = {"type": "Split", "pattern": {"Regex": r"\d"}, "behavior": "Isolated", "invert": False}
    level = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": False}

    def refused(match: str, **changes: Any) -> None:
        with pytest.raises(ModelError, match=match):
            BPE.from_json({**good, **changes})

    refused("after a split", pre_tokenizer={"type": "Sequence", "pretokenizers": [split, level]})
    refused("Split after ByteLevel", pre_tokenizer={"type": "Sequence", "pretokenizers": [level, split]})
    refused("marks at words' ends", model={**good["model"], "end_of_word_suffix": "</w>"})
    kept = BPE.from_json({**good, "model": {**good["model"], "unk_token": "<unk>"}})  # met in the wild
    assert kept.encode("the") == model().encode("the")


def test_frames_one_within_another() -> None:
    good = BPE(model().vocab, model().merges, special_tokens=["<a>", "<b>", "<c>"])
    ids = {name: good.token_to_id(name) for name in ("<a>", "<b>", "<c>")}
    inner = {"type": "RobertaProcessing", "sep": ["<b>", ids["<b>"]], "cls": ["<a>", ids["<a>"]]}
    outer = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "<c>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [],
        "special_tokens": {"<c>": {"id": "<c>", "ids": [ids["<c>"]], "tokens": ["<c>"]}},
    }
    made = BPE.from_json(
        {**good.to_json(), "post_processor": {"type": "Sequence", "processors": [inner, outer]}}
    )
    assert made.begin_ids == [ids["<c>"], ids["<a>"]]
    assert made.end_ids == [ids["<b>"]]
    with pytest.raises(ConfigError, match="begin_ids names 9999"):
        BPE(begin_ids=[9999])


def _places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(place for key, value in list(inner)[:6] for place in _places(value, (*path, key)))]


@given(st.data())
def test_a_damaged_tokenizer_json_gives_one_clear_error(data: st.DataObject) -> None:
    size = model().vocab_size
    made = BPE(
        model().vocab,
        model().merges,
        special_tokens=["<s>"],
        begin_ids=[size],
        normalization="NFC",
        pattern="llama3",
    )
    good = json.loads(json.dumps(made.to_json()))
    place = data.draw(st.sampled_from(_places(good)[1:]))
    holder = good
    for key in place[:-1]:
        holder = holder[key]
    odd = [None, True, -1, 1.5, 2**40, "", "x", [], {}, [[]], {"type": "Sequence"}, ["x"], [None], {"id": 1}]
    holder[place[-1]] = data.draw(st.sampled_from(odd))
    message = "tokenizer.json"
    try:
        BPE.from_json(good).encode("the cat")
    except ModelError as error:
        message = str(error)
    assert message.startswith("tokenizer.json")
    assert "\n" not in message


def test_files_with_a_merges_txt_beside_a_tokenizer_json(tmp_path: Path) -> None:
    model().save(tmp_path)
    model().save(tmp_path / "tokenizer.json")
    (tmp_path / "merges.txt").rename(tmp_path / "other.txt")
    assert BPE.load(tmp_path, merges=tmp_path / "other.txt").merges == model().merges


def test_line_ends_and_merges_that_look_like_a_header(tmp_path: Path) -> None:
    path = tmp_path / "codes.txt"
    path.write_bytes(b"#version: 0.2\r\n# v\r\n#v ersion</w>\r\n#version 2</w>\r\n")
    assert BPE.load(path).merges == [("#", "v"), ("#v", "ersion</w>"), ("#version", "2</w>")]


def test_what_a_file_cannot_hold(tmp_path: Path) -> None:
    spaced = BPE({"a": 0, " ": 1, "a ": 2}, [("a", " ")], byte_level=False, pattern="none")
    for name in ("merges.txt", "folder"):
        with pytest.raises(ModelError, match=r"merges\.txt cannot hold"):
            spaced.save(tmp_path / name)
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot make the folder"):
        spaced.save(tmp_path / "file" / "model")
    for line, match in (("YQ== -1", "must have an id"), ("YQ== 97\nYQ== 98", "stands twice")):
        (tmp_path / "x.tiktoken").write_text(line)
        with pytest.raises(ModelError, match=match):
            BPE.load(tmp_path / "x.tiktoken")


def test_merges_that_ranks_cannot_say(tmp_path: Path) -> None:
    """tiktoken would make abc of a and bc, which this model does not."""
    vocab = {**BPE().vocab, "bc": 256, "ab": 257, "abc": 258}
    ours = BPE(vocab, [("b", "c"), ("a", "b"), ("ab", "c")])
    assert ours.tokenize("abc") == ["a", "bc"]
    with pytest.raises(ModelError, match="order of their merges"):
        ours.save(tmp_path / "x.tiktoken")
