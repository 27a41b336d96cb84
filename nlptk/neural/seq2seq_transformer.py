"""The Transformer encoder-decoder (Vaswani et al. 2017)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nlptk.neural.initializers import initialize
from nlptk.neural.seq2seq_models import Memory, Seq2SeqModel, Source
from nlptk.neural.transformer import Decoder, Encoder, LayerCache, TransformerConfig


@dataclass
class TransformerState:
    """Between steps: keys and values so far, those of the memory, and which source each row is of."""

    cache: list[LayerCache]
    memory: Memory
    sources: Tensor


class TransformerSeq2Seq(Seq2SeqModel):
    """Tokens' vectors times sqrt(dim), with positions added; a stack that reads, and one that writes.

    Args:
        sizes, smoothing: see :class:`nlptk.neural.seq2seq_models.Seq2SeqModel`.
        config: of both stacks.
    """

    def __init__(self, sizes: Sequence[int], config: TransformerConfig, smoothing: float) -> None:
        super().__init__(sizes, config.dim, smoothing)
        self.encoder, self.decoder = Encoder(config), Decoder(config)
        self.scale = math.sqrt(config.dim)
        for stack in (self.encoder, self.decoder):
            initialize(stack, "xavier_uniform")

    def encode(self, source: Source) -> Memory:
        x = self.tables[0](source.ids) * self.scale  # [batch, keys, dim]
        return Memory(self.encoder(x, source.mask), source.mask)

    def decode(self, memory: Memory, inputs: Tensor, weights: list[Tensor] | None = None) -> Tensor:
        # Padding comes after all that counts, which the causal mask does not let look at it.
        x = self.tables[-1](inputs) * self.scale
        return self.decoder(x, memory.values, memory_mask=memory.mask, weights=weights)  # type: ignore[no-any-return]

    def begin(self, memory: Memory) -> TransformerState:
        rows = torch.arange(len(memory.values), device=memory.values.device)
        return TransformerState(self.decoder.cache(memory.values), memory, rows)

    def advance(
        self, tokens: Tensor, state: TransformerState, weights: list[Tensor] | None = None
    ) -> tuple[Tensor, TransformerState]:
        x = self.tables[-1](tokens[:, None]) * self.scale  # [rows, 1, dim]
        memory = state.memory
        y = self.decoder(x, memory.values, memory_mask=memory.mask, cache=state.cache, weights=weights)
        return y[:, 0], state

    def select(self, state: TransformerState, rows: Tensor) -> TransformerState:
        sources, memory = state.sources[rows], state.memory
        moved = not torch.equal(sources, state.sources)  # else the rows of each source changed places only
        for layer in state.cache:
            layer.own.reorder(rows)
            if moved:
                layer.cross.reorder(rows)
        if moved and memory.mask is not None:
            memory = memory._replace(mask=memory.mask[rows])
        return TransformerState(state.cache, memory, sources)
