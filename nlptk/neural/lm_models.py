"""Networks that tell what follows: numbers of tokens in, a distribution over the next one out.

    network(ids, state)      [batch, time] -> logits [batch, time, vocabulary], state
    network.step(...)        what decoding asks for: nlptk.decoding.StepModel
    network.text_log_probs   a whole text, each token after what was before it

Recurrent ones carry a state of fixed size on without end; the Transformer looks back at the last `window`
tokens, whose keys and values are kept.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nlptk.neural.initializers import initialize
from nlptk.neural.lm_units import Ids
from nlptk.neural.recurrent import Recurrent, State
from nlptk.neural.transformer import Decoder, LayerCache, TransformerConfig
from nlptk.state import check_integer

if TYPE_CHECKING:
    from nlptk.neural.lm import NeuralLM
    from nlptk.neural.lm_data import WindowBatch

S = TypeVar("S")
RECURRENT = ("rnn", "lstm", "gru")


class LanguageNetwork(nn.Module, Generic[S]):
    """What all have in common: vectors of tokens at the input, the same or others at the output.

    Args:
        vocabulary: tokens.
        dim: of a token's vector.
        hidden: of what stands before the output; where it is not `dim`, tied vectors need a projection.
        tie: whether input and output have the same vectors (Press and Wolf 2017; Inan et al. 2017).
        dropout: of inputs and of what stands before the output.
    """

    def __init__(self, vocabulary: int, dim: int, hidden: int, tie: bool, dropout: float) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, dim)
        nn.init.normal_(self.embedding.weight, std=dim**-0.5)  # logits of tied vectors begin near 1
        self.scale = math.sqrt(dim)  # of inputs, which are then near 1 too (Vaswani et al. 2017, 3.4)
        self.projection = nn.Linear(hidden, dim) if tie and hidden != dim else nn.Identity()
        self.output = nn.Linear(dim if tie else hidden, vocabulary)
        nn.init.zeros_(self.output.bias)
        if tie:
            self.output.weight = self.embedding.weight
        self.dropout = nn.Dropout(dropout)

    @property
    def device(self) -> torch.device:
        """Where it is, and its tokens must be."""
        return self.embedding.weight.device

    def start(self, rows: int) -> S:
        """The state of so many rows before anything."""
        raise NotImplementedError

    def reorder(self, state: S, rows: Tensor) -> S:
        """See :class:`nlptk.decoding.StepModel`."""
        raise NotImplementedError

    def hidden(self, x: Tensor, state: S | None) -> tuple[Tensor, S | None]:
        """Vectors [batch, time, dim] -> what stands before the output, and the state if there was one."""
        raise NotImplementedError

    def forward(self, ids: Tensor, state: S | None = None) -> tuple[Tensor, S | None]:
        """int64 [batch, time], after what `state` has seen -> logits [batch, time, vocabulary], state."""
        x, state = self.hidden(self.dropout(self.embedding(ids) * self.scale), state)
        logits: Tensor = self.output(self.projection(self.dropout(x)))
        return logits, state

    def read(self, ids: Tensor, state: S) -> S:
        """The state after int64 [batch, time] more."""
        return self(ids, state)[1]  # type: ignore[no-any-return]

    def step(self, tokens: Tensor, state: S) -> tuple[Tensor, S]:
        """See :class:`nlptk.decoding.StepModel`."""
        logits, after = self(tokens[:, None], state)
        return logits[:, 0].float().log_softmax(-1), after

    def text_log_probs(self, ids: Ids, parts: int, window: int) -> NDArray[np.float32]:
        """Logarithms of the probabilities of ids[1:], [tokens], each after those before it."""
        raise NotImplementedError

    @torch.no_grad()
    def _picked(self, inputs: Ids, targets: Ids, state: S | None) -> tuple[Tensor, S | None]:
        """Logarithms of the probabilities of targets, both [batch, time]."""
        read, wanted = (torch.from_numpy(one.astype(np.int64)).to(self.device) for one in (inputs, targets))
        logits, state = self(read, state)
        found = logits.float().log_softmax(-1).gather(2, wanted[:, :, None])[:, :, 0]
        return found.cpu(), state


class RecurrentNetwork(LanguageNetwork[State]):
    """An RNN, LSTM or GRU (Mikolov et al. 2010; Sundermeyer et al. 2012).

    Args:
        kind: "rnn", "lstm" or "gru".
        hidden: of each layer.
    """

    def __init__(
        self, kind: str, vocabulary: int, dim: int, hidden: int, layers: int, tie: bool, dropout: float
    ) -> None:
        super().__init__(vocabulary, dim, hidden, tie, dropout)
        self.net = Recurrent(kind, dim, hidden, layers=layers, dropout=dropout)
        initialize(self.net, "orthogonal")

    def start(self, rows: int) -> State:
        zeros = torch.zeros(self.net.layers, rows, self.net.dim, device=self.device)
        return (zeros,) * self.net.parts

    def reorder(self, state: State, rows: Tensor) -> State:
        return tuple(part.index_select(1, rows) for part in state)

    def hidden(self, x: Tensor, state: State | None) -> tuple[Tensor, State | None]:
        return self.net(x, state=state)  # type: ignore[no-any-return]

    def text_log_probs(self, ids: Ids, parts: int, window: int) -> NDArray[np.float32]:
        """The text in so many parts side by side, each read from its begin to its end with the state carried.

        What `window` is changes nothing but the memory that is needed.
        """
        count = len(ids) - 1
        length = -(-count // parts)
        place = (
            np.arange(parts * length).reshape(parts, length).clip(max=count - 1)
        )  # the last part is padded
        inputs, targets = ids[place], ids[place + 1]
        state: State | None = self.start(parts)
        found = []
        for at in range(0, length, window):
            cut = slice(at, at + window)
            picked, state = self._picked(inputs[:, cut], targets[:, cut], state)
            found.append(picked)
        return torch.cat(found, 1).flatten()[:count].numpy()


class TransformerNetwork(LanguageNetwork[list[LayerCache]]):
    """A decoder-only Transformer with the norm first (Radford et al. 2019).

    Args:
        window: tokens that it was trained to look back at.
        config: of the stack.
    """

    def __init__(self, vocabulary: int, window: int, tie: bool, config: TransformerConfig) -> None:
        super().__init__(vocabulary, config.dim, config.dim, tie, config.dropout)
        self.window = window
        self.stack = Decoder(config, cross=False)

    def read(self, ids: Tensor, state: list[LayerCache]) -> list[LayerCache]:
        return super().read(ids[:, -self.window :], state)  # what is further back is not seen

    def start(self, rows: int) -> list[LayerCache]:
        return self.stack.cache()

    def reorder(self, state: list[LayerCache], rows: Tensor) -> list[LayerCache]:
        for layer in state:
            layer.own.reorder(rows)
        return state

    def hidden(self, x: Tensor, state: list[LayerCache] | None) -> tuple[Tensor, list[LayerCache] | None]:
        mask = None
        if state is not None and (length := state[0].own.length + 1) > self.window and x.shape[1] == 1:
            mask = torch.arange(length, device=x.device) >= length - self.window  # what is too far back
            mask = mask.expand(len(x), -1)
        return self.stack(x, key_mask=mask, cache=state), state

    @torch.no_grad()
    def looks(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """How much each of the ids looks at each up to itself, [layers, heads, ids, ids]."""
        weights: list[Tensor] = []
        vectors = self.embedding(torch.tensor([ids], device=self.device)) * self.scale
        self.stack(vectors, weights=weights)
        return torch.cat(weights).float().cpu().numpy()

    def text_log_probs(self, ids: Ids, parts: int, window: int) -> NDArray[np.float32]:
        """In windows that overlap by half, `parts` at a time: but for the first, what is in the second half
        of a window counts, so that each token comes after half a window at least.
        """
        count = len(ids) - 1
        window = min(window, count)
        half = max(window // 2, 1)
        starts = half * np.arange(1 + -(-(count - window) // half))
        found = []
        for at in range(0, len(starts), parts):
            place = (starts[at : at + parts, None] + np.arange(window)).clip(max=count - 1)
            picked, _ = self._picked(ids[place], ids[place + 1], None)
            if at == 0:
                found.append(picked[0, : window - half])
            found.append(picked[:, window - half :].flatten())
        return torch.cat(found)[:count].numpy()


def make_network(settings: NeuralLM, vocabulary: int, layers: int, dropout: float) -> LanguageNetwork[Any]:
    """A network with new weights, for the settings of a language model.

    Raises ConfigError for sizes that are none, or do not go together.
    """
    for name, size in (("dim", settings.dim), ("hidden", settings.hidden), ("layers", layers)):
        if size is not None:
            check_integer(name, size, 1)
    if settings.model in RECURRENT:
        return RecurrentNetwork(
            settings.model,
            vocabulary,
            settings.dim,
            settings.hidden or settings.dim,
            layers,
            settings.tie,
            dropout,
        )
    config = TransformerConfig(
        dim=settings.dim,
        heads=settings.heads,
        layers=layers,
        hidden=settings.hidden,
        positions=settings.positions,
        max_length=settings.window,
        dropout=dropout,
    )
    return TransformerNetwork(vocabulary, settings.window, settings.tie, config)


class Training(nn.Module):
    """What the trainer calls: the loss of a batch of windows, with the state of each row carried over.

    The carried state is part of the module's, so that a training that goes on from a checkpoint goes on with
    it; it is no buffer, which DistributedDataParallel would make equal in all processes.
    """

    def __init__(self, network: LanguageNetwork[Any], rows: int) -> None:
        super().__init__()
        self.network = network
        self.carried: Tensor | None = None
        if isinstance(network, RecurrentNetwork):
            self.carried = torch.stack(network.start(rows))  # [parts, layers, rows, hidden]

    def forward(self, batch: WindowBatch) -> tuple[Tensor, int]:
        """Windows -> the sum of losses, and their number."""
        state = None
        if self.carried is not None:
            self.carried = self.carried.to(batch.rows.device)
            mine = self.carried[:, :, batch.rows].masked_fill(batch.fresh[:, None], 0.0)
            state = tuple(mine)
        logits, state = self.network(batch.inputs, state)
        if self.carried is not None and state is not None:
            # Without its history: gradients end at the window's begin.
            self.carried[:, :, batch.rows] = torch.stack(state).detach().float()
        loss = nn.functional.cross_entropy(
            logits.flatten(0, 1).float(), batch.targets.flatten(), reduction="sum"
        )
        return loss, batch.targets.numel()

    def get_extra_state(self) -> Tensor:
        """The carried state; empty where there is none."""
        return torch.empty(0) if self.carried is None else self.carried

    def set_extra_state(self, state: Tensor) -> None:
        """Raises RuntimeError for the state of another training."""
        if self.carried is not None:
            if state.shape != self.carried.shape:
                raise RuntimeError(f"carried state is {list(state.shape)}, not {list(self.carried.shape)}")
            self.carried = state.clone()
