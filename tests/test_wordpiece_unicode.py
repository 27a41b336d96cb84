"""WordPiece's character tables against tokenizers, for every code point there is."""

from __future__ import annotations

from typing import Any

import pytest

from nlptk import WordPiece

tokenizers = pytest.importorskip("tokenizers", reason="the peer is in the dev extra: pip install tokenizers")

BLOCK = 256
STEPS = ["clean_text", "handle_chinese_chars", "strip_accents", "lowercase"]
EVERY = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]


@pytest.fixture(scope="module")
def vocab() -> dict[str, int]:
    """Every character begins a token and continues one, so that ids tell how a text was normalized.

    For the planes without assigned characters, offsets alone tell how it was split.
    """
    known = [char for char in EVERY if char < "\U00030000" or "\U000e0000" <= char < "\U000e0200"]
    tokens = ["[UNK]", *known, *("##" + char for char in known)]
    return {token: i for i, token in enumerate(tokens)}


@pytest.mark.parametrize("steps", [*([step] for step in STEPS), STEPS], ids=" ".join)
def test_every_code_point(vocab: dict[str, int], steps: list[str]) -> None:
    """Between two letters, in blocks; a block that differs is named."""
    peer = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocab, unk_token="[UNK]"))
    chosen: dict[str, Any] = {step: step in steps for step in STEPS}
    peer.normalizer = tokenizers.normalizers.BertNormalizer(**chosen)
    peer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    chosen["tokenize_chinese_chars"] = chosen.pop("handle_chinese_chars")
    tokenizer = WordPiece(vocab, added_tokens=[], **chosen)
    texts = [
        " ".join(f"a{char}a" for char in EVERY[start : start + BLOCK])
        for start in range(0, len(EVERY), BLOCK)
    ]
    for text, theirs in zip(texts, peer.encode_batch(texts), strict=True):
        if (
            tokenizer.encode(text) != theirs.ids
            or tokenizer.encode_with_offsets(text).offsets != theirs.offsets
        ):
            wrong = [word for word in text.split(" ") if tokenizer.tokenize(word) != peer.encode(word).tokens]
            pytest.fail(f"{steps}: {[hex(ord(word[1])) for word in wrong if len(word) > 1]}")
