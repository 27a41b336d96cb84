"""BPE models on disk: each layout, what others write, and files that are damaged."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from nlptk.errors import ConfigError, ModelError
from nlptk.tokenize.bpe import BPE
from nlptk.tokenize.bpe_formats import BYTE_CHARACTERS, hide_bytes, show_bytes

LINES = [
    "the cat sat on the mat, and the other cat sat on the other mat",
    "自然语言处理的语言是自然的语言",
    "numbers 123 and 456 and 123456",
]


@cache
def model() -> BPE:
    return BPE.train(LINES, 330, special_tokens=["<|endoftext|>"])


def test_bytes_as_characters() -> None:
    assert len(set(BYTE_CHARACTERS)) == 256
    assert show_bytes(b" the\n") == "ĠtheĊ"
    assert all(hide_bytes(show_bytes(bytes([byte]))) == bytes([byte]) for byte in range(256))
    assert hide_bytes("学") is None


@pytest.mark.parametrize("name", ["tokenizer.json", "folder", "ours.tiktoken"])
def test_saved_and_loaded(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    model().save(path)
    settings: dict[str, Any] = {}
    if name.endswith(".tiktoken"):
        settings = {"pattern": "gpt2", "special_tokens": {"<|endoftext|>": 0}}
    elif name == "folder":
        settings = {"special_tokens": ["<|endoftext|>"]}
    loaded = BPE.load(path, **settings)
    for text in (*LINES, "cat<|endoftext|>学", "", "é\n"):
        assert loaded.encode(text) == model().encode(text)
        assert loaded.decode(loaded.encode(text)) == model().decode(model().encode(text))
    assert loaded.vocab == model().vocab
    assert loaded.merges == model().merges


@pytest.mark.parametrize("pattern", ["gpt2", "cl100k", "o200k", "whitespace", "none", r"\d|\D+"])
def test_tokenizers_reads_what_is_written(tmp_path: Path, pattern: str) -> None:
    from tokenizers import Tokenizer

    ours = BPE.train(LINES, 300, pattern=pattern, special_tokens=["<s>"])
    ours.save(tmp_path / "tokenizer.json")
    theirs = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    again = BPE.load(tmp_path)
    for text in LINES:
        assert again.encode(text) == ours.encode(text) == theirs.encode(text).ids
        if pattern != "whitespace":
            assert theirs.decode(theirs.encode(text).ids) == ours.decode(ours.encode(text)) == text


def test_what_tokenizers_writes_is_read(tmp_path: Path) -> None:
    from tokenizers import ByteLevelBPETokenizer, Tokenizer, decoders, models, pre_tokenizers, processors

    theirs = ByteLevelBPETokenizer()
    theirs.train_from_iterator(LINES, vocab_size=320, special_tokens=["<s>", "</s>"], show_progress=False)
    theirs.save_model(str(tmp_path))
    assert BPE.load(tmp_path).encode(LINES[0]) == theirs.encode(LINES[0]).ids
    assert BPE.load(tmp_path / "vocab.json").merges == BPE.load(tmp_path).merges

    llama = Tokenizer(models.BPE(vocab=model().vocab, merges=model().merges, ignore_merges=True))
    llama.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(_regex(), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    llama.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", 0)]),
        ]
    )
    llama.decoder = decoders.ByteLevel()
    llama.add_special_tokens(["<|endoftext|>", "<|new|>"])
    llama.save(str(tmp_path / "llama.json"))
    ours = BPE.load(tmp_path / "llama.json")
    for text in (*LINES, "a<|new|>b"):
        assert ours.encode(text) == llama.encode(text).ids
        assert ours.encode(text, False) == llama.encode(text, add_special_tokens=False).ids
    ours.save(tmp_path / "again.json")
    assert (
        Tokenizer.from_file(str(tmp_path / "again.json")).encode(LINES[0]).ids == llama.encode(LINES[0]).ids
    )


def _regex() -> Any:
    from tokenizers import Regex

    from nlptk.tokenize.pretokenizers import PATTERNS

    return Regex(PATTERNS["llama3"])


def test_ranks_of_tiktoken() -> None:
    """A vocabulary whose merges must be found from ranks alone, with a token that merging never gives."""
    import tiktoken

    ranks = {bytes([byte]): byte for byte in range(256)}
    for token in (b"ab", b"bc", b"abc", b"cabc", b"xyz", b" a", b" abc"):
        ranks[token] = len(ranks)
    peer = tiktoken.Encoding("peer", pat_str=r"\w+|\W", mergeable_ranks=ranks, special_tokens={})
    ours = BPE.from_ranks(ranks, pattern=r"\w+|\W")
    for text in ("abcabc", "xyz", "xyza", "cabcab abc xyz", "aabbcc"):
        assert ours.encode(text) == peer.encode(text)


def test_codes_of_subword_nmt(tmp_path: Path) -> None:
    path = tmp_path / "codes.txt"
    path.write_text("#version: 0.2\nt h\nth e</w>\na t</w>\nc at</w>\n", encoding="utf-8")
    ours = BPE.load(path)
    assert ours.tokenize("the cat") == ["the</w>", "cat</w>"]
    assert ours.decode(ours.encode("the cat")) == "the cat"


def test_files_that_are_no_model(tmp_path: Path) -> None:
    good = model().to_json()

    def refused(content: Any, match: str, name: str = "tokenizer.json") -> None:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        with pytest.raises(ModelError, match=match):
            BPE.load(path)

    refused(json.dumps(good)[:-40], r"line 1, column \d+: not valid JSON.*damaged or cut short")
    refused({**good, "model": {**good["model"], "type": "Unigram"}}, "Unigram, not BPE")
    refused({**good, "normalizer": {"type": "Lowercase"}}, "Lowercase is not supported")
    refused({**good, "pre_tokenizer": {"type": "Metaspace"}}, "Metaspace is not supported")
    refused({**good, "post_processor": {"type": "Odd"}}, "Odd is not supported")
    refused(
        {**good, "model": {**good["model"], "merges": [["t", "h", "e"]]}}, r"merges\[0\] must be two tokens"
    )
    refused({**good, "model": {**good["model"], "merges": [["q", "Ġq"]]}}, "'Ġq', which the vocabulary")
    refused({**good, "model": {**good["model"], "vocab": {"a": 1, "b": 1}}}, "both have the id 1")
    refused("a b\nc\n", "line 2: a merge must be two tokens", "merges.txt")
    refused("YQ== 0\n!!! 1\n", "line 2: expected a token in base64", "x.tiktoken")
    refused("YQ== 0\n", "not every one of the 256 bytes", "x.tiktoken")
    (tmp_path / "bad.json").write_bytes(b'{\n"model": "\xff"}')
    with pytest.raises(ModelError, match=r"bad\.json, line 2: byte 0xff is not UTF-8"):
        BPE.load(tmp_path / "bad.json")
    with pytest.raises(ModelError, match="there is no file or folder"):
        BPE.load(tmp_path / "nowhere")
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "vocab.json").write_text('{"a": 0}')
    with pytest.raises(ModelError, match="needs its merges"):
        BPE.load(alone / "vocab.json")


def test_tiktoken_holds_ranks_only(tmp_path: Path) -> None:
    made = BPE.train(LINES, 60, byte_level=False)
    with pytest.raises(ModelError, match="byte-level models"):
        made.save(tmp_path / "x.tiktoken")
    lines = [f"{base64.b64encode(bytes([b])).decode()} {b}" for b in range(256)]
    (tmp_path / "y.tiktoken").write_text("\n".join([*lines, "YWI= 300"]), encoding="utf-8")
    gaps = BPE.load(tmp_path / "y.tiktoken")
    assert gaps.encode("ab") == [300]
    assert gaps.token_to_id("ab") == 300


@pytest.mark.parametrize("number", [-1, 330, 2**31, 2**40])
def test_ids_that_are_no_tokens(number: int) -> None:
    with pytest.raises(ConfigError, match=str(number)):
        model().decode([0, number])


def test_settings_that_are_not_usable() -> None:
    with pytest.raises(ConfigError, match="dropout"):
        BPE(dropout=1.5)
    with pytest.raises(ConfigError, match="normalization"):
        BPE(normalization="NFX")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="threads"):
        BPE(threads=-1)
    with pytest.raises(ConfigError, match="does not compile"):
        BPE(pattern="(")
    with pytest.raises(ModelError, match="unk_token"):
        BPE(unk_token="<unk>")
    with pytest.raises(ConfigError, match="empty"):
        BPE(special_tokens=[""])
    with pytest.raises(TypeError, match="str"):
        model().encode(b"bytes")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="sequence of str"):
        model().encode_batch("one text")


def test_the_plainest_model_is_bytes() -> None:
    assert BPE().encode("é") == [0xC3, 0xA9]
    assert BPE().vocab_size == 256
    assert BPE().id_to_token(32) == "Ġ"
