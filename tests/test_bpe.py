"""BPE encoding against tokenizers, tiktoken and the definition of byte-pair encoding."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Any

import bpe_oracle
import numpy as np
import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

import nlptk
from nlptk.errors import ConfigError
from nlptk.tokenize.bpe import BPE
from nlptk.tokenize.bpe_formats import hide_bytes
from nlptk.tokenize.pretokenizers import PATTERNS

LINES = [
    "The quick brown fox jumps over the lazy dog, again and again and again.",
    "She sells sea shells; the shells she sells are sea-shells, I'm sure.",
    "Don't they're we've I'll he'd: can't won't it's 1234567 3.14159 2026",
    "分词是自然语言处理的第一步,分词的好坏影响后面的每一步。",
    "我们在北京大学学习自然语言处理,北京的大学很多。",
    "naïve café résumé coöperate  two  spaces\tand\ttabs\n\nnew lines\r\n",
    "😀😃😄 emoji 👩‍👩‍👧 and 漢字かな交じり文 mixed ελληνικά текст",
]
TEXTS = st.one_of(
    st.text(),
    st.text(st.characters(codec="utf-8")),
    st.text(alphabet="ab th\n 'ns1230é,.分词北京的大学\u3000😀"),
    st.lists(st.sampled_from([*LINES, "aaaa", "the", " the", "学" * 7, "\ud800", "\x00"]), max_size=4).map(
        "".join
    ),
)


@cache
def model(pattern: str = "gpt2") -> BPE:
    return BPE.train(LINES * 3, 700, pattern=pattern, special_tokens=["<|endoftext|>", "<|end|>"])


@cache
def tiktoken_peer(pattern: str) -> Any:
    import tiktoken

    ours = model(pattern)
    ranks = {hide_bytes(token): number for token, number in ours.vocab.items() if not token.startswith("<|")}
    special = {token.content: token.id for token in ours.special_tokens}
    return tiktoken.Encoding("peer", pat_str=PATTERNS[pattern], mergeable_ranks=ranks, special_tokens=special)  # type: ignore[arg-type]


@cache
def tokenizers_peer(pattern: str) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_str(_json(model(pattern)))


def _json(tokenizer: BPE) -> str:
    import json

    return json.dumps(tokenizer.to_json())


def joined(text: str) -> str:
    """What a peer is given: tiktoken's way with surrogates, which tokenizers refuses."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@pytest.mark.parametrize("pattern", ["gpt2", "cl100k", "o200k", "llama3", "qwen2"])
def test_ids_are_those_of_tiktoken_and_tokenizers(pattern: str) -> None:
    @given(TEXTS)
    def check(text: str) -> None:
        ids = model(pattern).encode(text)
        assert ids == tiktoken_peer(pattern).encode(text, allowed_special="all")
        assert ids == tokenizers_peer(pattern).encode(joined(text)).ids
        assert model(pattern).decode(ids, skip_special_tokens=False) == joined(text)

    check()


@given(st.lists(st.binary(min_size=1, max_size=4), min_size=1, max_size=12), st.data())
def test_the_kernel_does_what_the_definition_says(tokens: list[bytes], data: st.DataObject) -> None:
    """Any merges over few letters, in an order that training gives or not, and any text of these letters."""
    letters = [b"a", b"b", b"c"]
    merges: list[tuple[bytes, bytes]] = []
    known = list(letters)
    for _ in range(data.draw(st.integers(0, 14))):
        pair = data.draw(st.sampled_from(known)), data.draw(st.sampled_from(known))
        if pair not in merges and len(pair[0] + pair[1]) < 12:
            merges.append(pair)
            known += [pair[0] + pair[1]] if pair[0] + pair[1] not in known else []
    if data.draw(st.booleans()):
        merges = data.draw(st.permutations(merges))
    vocab = {token.decode(): place for place, token in enumerate(known)}
    tokenizer = BPE(vocab, [(a.decode(), b.decode()) for a, b in merges], byte_level=False, pattern="none")
    text = data.draw(st.text(alphabet="abc", max_size=60))
    expected = bpe_oracle.encode([char.encode() for char in text], merges)
    assert tokenizer.tokenize(text) == [token.decode() for token in expected]


def test_orders_that_no_training_gives_take_the_slow_way() -> None:
    merges = [("ab", "c"), ("a", "b"), ("b", "c")]
    vocab = {token: place for place, token in enumerate(["a", "b", "c", "ab", "abc", "bc"])}
    tokenizer = BPE(vocab, merges, byte_level=False, pattern="none")
    assert not tokenizer._kernel.linear
    assert tokenizer.tokenize("abcbcabab") == ["abc", "bc", "ab", "ab"]
    assert BPE(vocab, [merges[1], merges[0], merges[2]], byte_level=False, pattern="none")._kernel.linear


def test_a_long_run_of_one_letter() -> None:
    for unit, most in (("a", 1_000_000), ("😀", 200_000), ("学", 200_000)):
        text = unit * most
        tokenizer = BPE.train([unit * 64] * 2, 300)
        ids = tokenizer.encode(text)
        assert tokenizer.decode(ids) == text
        assert len(ids) <= len(text.encode()) // 32


@given(st.lists(TEXTS, max_size=6))
def test_batches_are_texts_one_by_one(texts: list[str]) -> None:
    tokenizer = model()
    assert tokenizer.encode_batch(texts) == [tokenizer.encode(text) for text in texts]
    ids, starts, ends, bounds = tokenizer.encode_arrays(texts)
    for place, text in enumerate(texts):
        part = slice(bounds[place], bounds[place + 1])
        assert ids[part].tolist() == tokenizer.encode(text)
        assert list(zip(starts[part], ends[part], strict=True)) == tokenizer.encode_with_offsets(text)[1]


@given(TEXTS)
def test_offsets_are_those_of_tokenizers(text: str) -> None:
    """Into the text as given: where surrogates are joined for the peer, its places differ."""
    _, offsets = model().encode_with_offsets(text)
    covered = 0
    for start, end in offsets:
        assert 0 <= start < end <= len(text)
        assert start <= covered
        covered = max(covered, end)
    assert covered == len(text)
    if joined(text) == text:
        peer = tokenizers_peer("gpt2").encode(text)
        # The peer trims white space from the offsets; its tokens say where it was.
        trimmed = [_trimmed(text, offset) for offset in offsets]
        theirs = [_trimmed(text, offset) for offset in peer.offsets]
        assert trimmed == theirs


def _trimmed(text: str, offset: tuple[int, int]) -> str:
    return text[slice(*offset)].strip()


def test_special_tokens_in_the_text() -> None:
    tokenizer = model()
    end = tokenizer.token_to_id("<|end|>")
    ids = tokenizer.encode("a<|end|><|endoftext|> b<|en")
    assert ids.count(end) == 1
    assert tokenizer.decode(ids) == "a b<|en"
    assert tokenizer.decode(ids, skip_special_tokens=False) == "a<|end|><|endoftext|> b<|en"


@pytest.mark.parametrize("flags", [{"lstrip": True}, {"rstrip": True}, {"single_word": True}, {}])
def test_special_tokens_take_what_their_flags_say(flags: dict[str, bool]) -> None:
    from tokenizers import AddedToken as PeerToken
    from tokenizers import Tokenizer

    from nlptk.tokenize.hf_json import AddedToken

    plain = BPE.train(LINES, 400)
    number = plain.vocab_size
    ours = BPE(plain.vocab, plain.merges, special_tokens=[AddedToken("<m>", number, special=True, **flags)])
    peer = Tokenizer.from_str(_json(plain))
    peer.add_special_tokens([PeerToken("<m>", special=True, normalized=False, **flags)])
    for text in ("a <m> b", "a<m>b", "<m>", "  <m>  <m>\u3000x", "x_<m> é<m>", "<m><m>a", "\n<m>\n\n<m>"):
        assert ours.encode(text) == peer.encode(text).ids, text
        assert ours.decode(ours.encode(text)) == peer.decode(peer.encode(text).ids)


def test_dropout() -> None:
    text = LINES[0]
    plain = model()
    varied = BPE(plain.vocab, plain.merges, dropout=0.3)
    seen = {tuple(varied.encode(text, seed=seed)) for seed in range(20)}
    assert len(seen) > 10
    assert all(varied.decode(ids) == text for ids in seen)
    assert varied.encode(text, seed=3) == varied.encode(text, seed=3)
    assert varied.encode_batch([text] * 3, seed=5)[2] == varied.encode(text, seed=7)
    assert BPE(plain.vocab, plain.merges, dropout=0.0).encode(text) == plain.encode(text)
    none = BPE(plain.vocab, plain.merges, dropout=1.0)
    assert [len(hide_bytes(token) or b"") for token in none.tokenize(text)] == [1] * len(text)


def test_any_pattern_through_regex() -> None:
    from tokenizers import Regex, Tokenizer, pre_tokenizers

    pattern = r"\p{L}{1,3}|[^\p{L}]"
    ours = BPE.train(LINES, 500, pattern=pattern, special_tokens=["<s>"])
    assert ours.pre_tokenize("abcdef <s>") == ["abc", "def", " ", "<", "s", ">"]
    peer = Tokenizer.from_str(_json(ours))
    assert isinstance(peer.pre_tokenizer, pre_tokenizers.PreTokenizer)
    assert Regex(pattern)
    for text in [*LINES, "a<s>b", "", "<s>", "x <s> 学习"]:
        assert ours.encode(text) == peer.encode(text).ids
        assert ours.decode(ours.encode(text), False) == text
    assert regex.findall(pattern, "abcd") == ours.pre_tokenize("abcd")


def test_words_with_marks_as_subword_nmt_has_them() -> None:
    from tokenizers import Tokenizer

    ours = BPE.train(LINES, 300, byte_level=False, end_of_word_suffix="</w>", unk_token="<unk>")
    peer = Tokenizer.from_str(_json(ours))
    for text in [*LINES, "thelazy fox ☃ fo☃x", "", " ", "☃☃"]:
        ids = ours.encode(text)
        assert ids == peer.encode(text).ids
        assert ours.tokenize(text) == peer.encode(text).tokens
    assert ours.decode(ours.encode("the lazy  fox")) == "the lazy fox"
    assert ours.tokenize("the")[-1].endswith("</w>")


@pytest.mark.parametrize("fuse_unk", [False, True])
@pytest.mark.parametrize("prefix", [None, "##"])
@pytest.mark.parametrize("suffix", [None, "</w>"])
def test_character_level_is_that_of_tokenizers(
    fuse_unk: bool, prefix: str | None, suffix: str | None
) -> None:
    from tokenizers import Tokenizer

    made = BPE.train(
        LINES,
        260,
        byte_level=False,
        limit_alphabet=60,
        continuing_subword_prefix=prefix,
        end_of_word_suffix=suffix,
        unk_token="<unk>",
    )
    ours = BPE(
        made.vocab,
        made.merges,
        byte_level=False,
        fuse_unk=fuse_unk,
        continuing_subword_prefix=prefix,
        end_of_word_suffix=suffix,
        unk_token="<unk>",
    )
    peer = Tokenizer.from_str(_json(ours))
    draw = random.Random(1)
    for _ in range(200):
        text = "".join(draw.choice("thequickbrown 学☃☃é分") for _ in range(draw.randrange(25)))
        assert ours.encode(text) == peer.encode(text).ids, text
        assert ours.encode_with_offsets(text)[1] == peer.encode(text).offsets, text


def test_byte_fallback() -> None:
    from tokenizers import Tokenizer

    vocab = {
        token: place
        for place, token in enumerate(["<unk>", "a", "b", "ab", *(f"<0x{b:02X}>" for b in range(256))])
    }
    ours = BPE(vocab, [("a", "b")], byte_level=False, pattern="none", unk_token="<unk>", byte_fallback=True)
    peer = Tokenizer.from_str(_json(ours))
    for text in ("ab学ab", "é", "abab", "😀a"):
        assert ours.encode(text) == peer.encode(text).ids


def test_normal_forms() -> None:
    from tokenizers import Tokenizer

    ours = BPE(model().vocab, model().merges, normalization="NFC")
    peer = Tokenizer.from_str(_json(ours))
    text = "cafe\u0301 re\u0301sume\u0301 \u1100\u1161 plain"
    ids, offsets = ours.encode_with_offsets(text)
    assert ids == peer.encode(text).ids == ours.encode(text)
    assert "".join(text[a:b] for a, b in dict.fromkeys(offsets)) == text


def test_a_text_that_begins_with_no_space() -> None:
    from tokenizers import Tokenizer

    ours = BPE(model().vocab, model().merges, special_tokens=["<|end|>"], prefix_space=True)
    peer = Tokenizer.from_str(_json(ours))
    for text in ("the fox", " the fox", "<|end|>the", "\nthe", ""):
        assert ours.encode(text) == peer.encode(text).ids, text
    assert ours.encode_with_offsets("the")[1] == [(0, 3)]


def test_a_frame_of_special_tokens() -> None:
    ours = BPE(model().vocab, model().merges, begin_ids=[0], end_ids=[1])
    body = model().encode("the dog")
    assert ours.encode("the dog") == [0, *body, 1]
    assert ours.encode("the dog", add_special_tokens=False) == body
    assert ours.encode_batch(["the dog", ""]) == [[0, *body, 1], [0, 1]]


@given(TEXTS)
def test_the_component_keeps_the_contract_of_a_doc(text: str) -> None:
    doc = _pipeline()(text)
    assert "".join(token.text_with_ws for token in doc) == doc.text == text
    assert not any(char.isspace() for token in list(doc)[1:] for char in token.text)
    assert doc.user_data["bpe"]["ids"] == model().encode(text)


@cache
def _pipeline() -> nlptk.Language:
    import tempfile

    nlp = nlptk.blank("en")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tokenizer.json"
        model().save(path)
        names = nlp.pipe_names
        nlp.add_pipe("bpe", first=True, config={"path": str(path)})
        for name in names:
            nlp.remove_pipe(name)
    return nlp


def test_the_component_is_saved_with_its_model(tmp_path: Path) -> None:
    _pipeline().to_disk(tmp_path / "model")
    loaded = nlptk.load(tmp_path / "model")
    assert [token.text for token in loaded(LINES[0])] == [token.text for token in _pipeline()(LINES[0])]
    with pytest.raises(ConfigError, match="give the model"):
        nlptk.blank("en").add_pipe("bpe")


def test_all_of_the_corpora_agree(data_dir: Path) -> None:
    """A sample of each wiki text; benchmarks/bench_bpe.py compares all of it."""
    from nlptk.corpora import read_lines

    for folder in ("en-simplewiki-text", "zh-zhwiki-text"):
        file = sorted((data_dir / folder).glob("*.gz"))[0]
        lines = [line for line, _ in zip(read_lines(file), range(400), strict=False)]
        for pattern in ("gpt2", "o200k"):
            assert model(pattern).encode_batch(lines) == [
                tiktoken_peer(pattern).encode(line, allowed_special="all") for line in lines
            ]
            assert model(pattern).encode_batch(lines) == [
                encoding.ids for encoding in tokenizers_peer(pattern).encode_batch(lines)
            ]


def test_decode_takes_arrays_and_lists() -> None:
    ids = model().encode(LINES[3])
    assert model().decode(np.array(ids)) == model().decode(tuple(ids)) == LINES[3]
