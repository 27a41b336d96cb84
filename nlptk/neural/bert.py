"""BERT's encoder (Devlin et al. 2019, arXiv 1810.04805): embeddings, then layers of self-attention and MLP.

With x [tokens, dim] and LN a layer norm, each layer is (Vaswani et al. 2017, post-norm):

    a = x + Wo attention(Wq x, Wk x, Wv x) + bo        then  x = LN(a)
    m = x + W2 act(W1 x + b1) + b2                     then  x = LN(m)

    attention(q, k, v) = softmax(q k^T / sqrt(dim / heads)) v,   for each head and sentence

All tokens of a batch are rows of one matrix, without padding (`packing.py`); the three projections of the
attention are one product, [tokens, dim] x [dim, 3 dim].
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nlptk.draw import Attention
from nlptk.errors import DataError
from nlptk.neural.bert_config import BertConfig
from nlptk.neural.linear import Linear
from nlptk.neural.packing import Group, Layout, Packed, check_ids
from nlptk.neural.workers import infer_each, inference_batches
from nlptk.tokenize.wordpiece import WordPiece

T = TypeVar("T")
# On a CPU a call costs little and padding much: groups of equal length. Elsewhere the calls cost more.
_WASTE = {"cpu": 0.0}
_WASTE_ELSEWHERE = 0.25


@dataclass
class BertOutput:
    """What the encoder gives for a batch of sentences, all in the order they came in.

    Attributes:
        states: [tokens, dim], of the last layer.
        pooled: [sentences, dim], tanh(W h + b) of each first token; None for a model without pooler.
        hidden_states: if asked for, of the embeddings and each layer: layers + 1 of [tokens, dim].
        attentions: if asked for, of each layer and sentence [heads, length, length]; rows sum to 1.
    """

    states: Tensor
    pooled: Tensor | None
    hidden_states: list[Tensor] = field(default_factory=list)
    attentions: list[list[Tensor]] = field(default_factory=list)


class Embeddings(nn.Module):
    """x = LN(word[id] + position[place in the sentence] + type[0 or 1])."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        dim = config.hidden_size
        self.words = _table(config.vocab_size, dim)
        self.positions = _table(config.max_position_embeddings, dim)
        self.types = _table(config.type_vocab_size, dim)
        self.norm = nn.LayerNorm(dim, config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, ids: Tensor, positions: Tensor, type_ids: Tensor | None) -> Tensor:
        x: Tensor = self.words(ids)  # [tokens, dim]
        x = x + self.positions(positions)
        x = x + (self.types.weight[0] if type_ids is None else self.types(type_ids))
        return self.dropout(self.norm(x))  # type: ignore[no-any-return]


def _table(rows: int, dim: int) -> nn.Embedding:
    """A table whose numbers are still to come: from `initialize` or from a checkpoint."""
    made: nn.Embedding = nn.Embedding.from_pretrained(torch.empty(rows, dim), freeze=False)  # type: ignore[no-untyped-call]
    return made


class SelfAttention(nn.Module):
    """Multi-head attention of each sentence to itself: [tokens, dim] -> [tokens, dim]."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        dim = config.hidden_size
        self.heads, self.dropout = config.num_attention_heads, config.attention_probs_dropout_prob
        self.qkv = Linear(dim, 3 * dim)
        self.out = Linear(dim, dim)

    def forward(self, x: Tensor, groups: Sequence[Group], weights: list[Tensor] | None) -> Tensor:
        """`weights`: a list to which [heads, length, length] of each sentence is appended, or None."""
        qkv = self.qkv(x)  # [tokens, 3 dim]
        parts = [self._attend(qkv[group.tokens], group, weights) for group in groups]
        return self.out(parts[0] if len(parts) == 1 else torch.cat(parts))  # type: ignore[no-any-return]

    def _attend(self, qkv: Tensor, group: Group, weights: list[Tensor] | None) -> Tensor:
        """The heads' values of one group: [its tokens, 3 dim] -> [its tokens, dim]."""
        n, length = group.count, group.length
        padded = qkv if group.gather is None else qkv[group.gather]
        # [3, n, heads, length, dim / heads], a view
        q, k, v = padded.view(n, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        dropout = self.dropout if self.training else 0.0
        if weights is None:
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=group.mask, dropout_p=dropout)
        else:
            scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5  # [n, heads, length, length]
            if group.mask is not None:
                scores = scores.masked_fill(~group.mask, -torch.inf)
            shares = scores.softmax(-1)
            weights += [share[:, :m, :m] for share, m in zip(shares, group.lengths.tolist(), strict=True)]
            mixed = F.dropout(shares, dropout) @ v
        mixed = mixed.transpose(1, 2).reshape(n * length, -1)
        return mixed if group.scatter is None else mixed[group.scatter]


class Layer(nn.Module):
    """One layer: attention and MLP, each with a residual and a norm behind it."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        dim, inner, eps = config.hidden_size, config.intermediate_size, config.layer_norm_eps
        self.attention = SelfAttention(config)
        self.attention_norm = nn.LayerNorm(dim, eps)
        self.up = Linear(dim, inner, config.hidden_act)
        self.down = Linear(inner, dim)
        self.norm = nn.LayerNorm(dim, eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, x: Tensor, groups: Sequence[Group], weights: list[Tensor] | None) -> Tensor:
        x = self.attention_norm(_add(self.dropout(self.attention(x, groups, weights)), x))
        return self.norm(_add(self.dropout(self.down(self.up(x))), x))  # type: ignore[no-any-return]


def _add(new: Tensor, x: Tensor) -> Tensor:
    """Their sum, in the place of `new`, which no gradient needs; under autocast as precise as `x`."""
    return new.add_(x) if new.dtype is x.dtype else new + x


class Bert(nn.Module):
    """The encoder.

    Args:
        config: the sizes.
        pooler: whether it has the dense layer over the first token that next-sentence prediction trains.
    """

    def __init__(self, config: BertConfig, *, pooler: bool = True) -> None:
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))
        self.pooler = Linear(config.hidden_size, config.hidden_size) if pooler else None
        initialize(self, config.initializer_range)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.embeddings.words.weight.device

    def forward(self, batch: Packed, *, hidden_states: bool = False, attentions: bool = False) -> BertOutput:
        """Encode sentences, each with its special tokens.

        Raises:
            DataError: no sentences, one longer than the model's positions, an id outside the vocabulary.
        """
        if not len(batch):
            raise DataError("there are no sentences to encode")
        self._check_length(int(batch.lengths.max()))
        check_ids(batch.ids, self.config.vocab_size)
        device = self.device
        layout = Layout(batch.lengths, _WASTE.get(device.type, _WASTE_ELSEWHERE), device)
        ids, type_ids = batch.ids.to(device), batch.type_ids
        type_ids = None if type_ids is None else type_ids.to(device)
        if layout.order is not None:
            ids = ids[layout.order]
            type_ids = None if type_ids is None else type_ids[layout.order]

        x = self.embeddings(ids, layout.positions, type_ids)  # [tokens, dim]
        hidden, weights = [x], []
        for layer in self.layers:
            found: list[Tensor] | None = [] if attentions else None
            x = layer(x, layout.groups, found)
            if hidden_states:
                hidden.append(x)
            if found is not None:
                in_order = [found[i] for i in np.argsort(layout.sentences)]
                weights.append(in_order)

        def back(rows: Tensor) -> Tensor:
            return rows if layout.back is None else rows[layout.back]

        states = back(x)
        pooled = None if self.pooler is None else self.pooler(states[batch.firsts().to(device)]).tanh()
        return BertOutput(states, pooled, [*map(back, hidden)] if hidden_states else [], weights)

    def encode(
        self,
        sentences: Sequence[Sequence[int]],
        type_ids: Sequence[Sequence[int]] | None = None,
        *,
        stride: int | None = None,
        batch_tokens: int = 1024,
    ) -> list[Tensor]:
        """The last layer's states of each sentence, [its tokens, dim], for inference: no gradients.

        Args:
            sentences: ids, with the special tokens in them.
            stride: how far windows move over a sentence longer than the model (`windows.py`); None refuses.
            batch_tokens: of a batch; sentences of like length are worked on together.

        Raises:
            DataError: as `forward`; a sentence is longer than the model and there is no stride.
        """
        if stride is not None:
            from nlptk.neural.windows import encode_windows

            return encode_windows(self, sentences, type_ids, stride=stride, batch_tokens=batch_tokens)
        return self.apply_batches(
            lambda batch: batch.split(self(batch).states), sentences, type_ids, batch_tokens
        )

    def to_attention(self, tokenizer: WordPiece, text: str, pair: str | None = None) -> Attention:
        """How much each piece of a text, or of two, looks at each: [layers, heads, pieces, pieces].

        `nlptk.draw.attention` draws it; `forward` gives the weights of whole batches.

        Raises DataError where there are more pieces than the model has positions.
        """
        pieces = tokenizer.encode_with_offsets(text, pair)
        limit = self.config.max_position_embeddings
        if len(pieces) > limit:
            raise DataError(
                f"the text has {len(pieces)} pieces, and the model has positions for {limit}: "
                "draw a part of it"
            )
        (found,) = self.apply_batches(
            lambda batch: [torch.stack([layer[0] for layer in self(batch, attentions=True).attentions])],
            [pieces.ids],
            [pieces.type_ids],
        )
        return Attention(found.float().cpu().numpy(), pieces.tokens, pieces.tokens, text)

    def apply_batches(
        self,
        run: Callable[[Packed], Iterable[T]],
        sentences: Sequence[Sequence[int]],
        type_ids: Sequence[Sequence[int]] | None = None,
        batch_tokens: int = 1024,
    ) -> list[T]:
        """What `run(batch)` gives for each sentence, in order; in evaluation mode, without gradients."""
        batches = inference_batches([*map(len, sentences)], batch_tokens)

        def run_batch(numbers: list[int]) -> list[T]:
            types = None if type_ids is None else [type_ids[i] for i in numbers]
            return list(run(Packed.of([sentences[i] for i in numbers], types)))

        was_training = self.training
        if was_training:
            self.eval()
        results: dict[int, T] = {}
        try:
            for chosen, found in zip(batches, infer_each(run_batch, batches, self.device), strict=True):
                results.update(zip(chosen, found, strict=True))
        finally:
            if was_training:
                self.train()
        return [results[i] for i in range(len(sentences))]

    def _check_length(self, longest: int) -> None:
        limit = self.config.max_position_embeddings
        if longest > limit:
            raise DataError(
                f"a sentence has {longest} tokens, and the model has positions for {limit}: "
                "encode(..., stride=...) goes over it in windows, or split it"
            )

    # ---- files --------------------------------------------------------------------------------------------

    @classmethod
    def from_pretrained(cls, folder: str | os.PathLike[str]) -> Bert:
        """The encoder of a Hugging Face checkpoint: config.json and model.safetensors; see `checkpoint.py`.

        Weights of heads in the file are passed over; without a pooler there, the model has none.

        Raises:
            ModelError: a file is missing, truncated or of another family of models; weights are missing,
                unknown or of a wrong shape (they are named).
        """
        from nlptk.neural.checkpoint import read_bert

        return read_bert(folder)

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Write config.json and model.safetensors, which transformers' ``BertModel`` reads.

        The vocabulary is the tokenizer's to save. Raises DataError if the folder cannot be written.
        """
        from nlptk.neural.checkpoint import write

        write(self, folder, self.config, "BertModel")


def initialize(module: nn.Module, scale: float) -> None:
    """BERT's first weights: normal with that standard deviation, cut at two of them; biases 0, norms 1."""
    for part in module.modules():
        if isinstance(part, nn.Linear | nn.Embedding) and not part.weight.is_meta:
            nn.init.trunc_normal_(part.weight, std=scale, a=-2 * scale, b=2 * scale)
            if isinstance(part, nn.Linear):
                nn.init.zeros_(part.bias)
