"""Vectors of words made from their characters: ids [words, characters], 0 for padding -> [words, dim].

A word that was never seen in training still has a spelling. Both encoders give zeros for a word without
characters, and padding changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nlptk.errors import ConfigError
from nlptk.neural.recurrent import turned_round

PADDING = 0


class CharacterCnn(nn.Module):
    """Filters slide over the characters; each keeps its strongest answer (Ma and Hovy 2016; Kim et al. 2016).

        y_w[i] = f(W_w [e_(i - a) ... e_(i + b)] + bias)   a window of w characters round the i-th
        word   = max_i y_w[i], widths side by side         then highway layers, where there are some

    Ma and Hovy: widths (3,), 30 filters, 30 dimensions of a character, dropout before. Kim: widths 1 to 6 or
    7 and one or two highway layers. The window is centred, so that the ends of a word are seen as ends.

    Args:
        characters: number of ids, padding included.
        character_dim: dimensions of a character.
        dim: of a word; shared among the widths, the first getting what is left over.
        widths: characters that a filter sees.
        highway: layers on top.
        dropout: share of a character's dimensions that are dropped, in training.

    Raises:
        ConfigError: no widths, widths below 1, or more of them than `dim`.
    """

    def __init__(
        self,
        characters: int,
        character_dim: int,
        dim: int,
        *,
        widths: Sequence[int] = (3,),
        highway: int = 0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if not widths or min(widths) < 1 or len(widths) > dim:
            raise ConfigError(f"widths must be 1 to dim = {dim} numbers of 1 or more, not {list(widths)}")
        self.table = nn.Embedding(characters, character_dim, padding_idx=PADDING)
        sizes = [dim // len(widths)] * len(widths)
        sizes[0] += dim % len(widths)
        self.filters = nn.ModuleList(
            nn.Conv1d(character_dim, size, width) for size, width in zip(sizes, widths, strict=True)
        )
        self.highway = nn.ModuleList(Highway(dim) for _ in range(highway))
        self.dropout = dropout
        self.dim = dim

    def forward(self, ids: Tensor) -> Tensor:
        """int64 [words, characters] -> [words, dim]"""
        inside = ids != PADDING  # [words, characters]
        if not ids.shape[1]:
            return self.table.weight.new_zeros(len(ids), self.dim)
        # [words, character_dim, characters]; padding is the vector 0, as is what lies beside a word
        x = F.dropout(self.table(ids), self.dropout, self.training).transpose(1, 2)
        found = []
        for filters in self.filters:
            width: int = filters.kernel_size[0]  # type: ignore[index, assignment]
            y = filters(F.pad(x, ((width - 1) // 2, width // 2)))  # [words, size, characters]
            found.append(y.masked_fill(~inside[:, None], -torch.inf).amax(2))
        word = torch.relu(torch.cat(found, 1))  # [words, dim]; relu(max) is max(relu), and -inf becomes 0
        for layer in self.highway:
            word = layer(word)
        return word * inside.any(1, keepdim=True)


class Highway(nn.Module):
    """t * relu(W x + b) + (1 - t) * x with t = sigmoid(V x + c) (Srivastava et al. 2015).

    c begins at -2, so that a layer begins by carrying its input on.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.change, self.gate = nn.Linear(dim, dim), nn.Linear(dim, dim)
        nn.init.constant_(self.gate.bias, -2.0)

    def forward(self, x: Tensor) -> Tensor:
        t = self.gate(x).sigmoid()
        return t * self.change(x).relu() + (1 - t) * x  # type: ignore[no-any-return]


class CharacterLstm(nn.Module):
    """The last states of an LSTM from the left and of one from the right, side by side (Lample et al. 2016).

    The second reads words that are turned round, so that padding is behind the end for both: no packed
    sequences, and torch's fused kernel runs over all of a batch.

    Args:
        characters: number of ids, padding included.
        character_dim: dimensions of a character.
        dim: of a word, an even number: half for each direction.
        dropout: share of a character's dimensions that are dropped, in training.

    Raises:
        ConfigError: an odd `dim`.
    """

    def __init__(self, characters: int, character_dim: int, dim: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        if dim < 2 or dim % 2:
            raise ConfigError(f"dim of a character LSTM must be even, half for each direction, not {dim}")
        self.table = nn.Embedding(characters, character_dim, padding_idx=PADDING)
        self.forwards = nn.LSTM(character_dim, dim // 2, batch_first=True)
        self.backwards = nn.LSTM(character_dim, dim // 2, batch_first=True)
        self.dropout = dropout
        self.dim = dim

    def forward(self, ids: Tensor) -> Tensor:
        """int64 [words, characters], padding at the end -> [words, dim]"""
        words, characters = ids.shape
        if not words or not characters:
            return self.table.weight.new_zeros(words, self.dim)
        lengths = (ids != PADDING).sum(1)  # [words]
        x = F.dropout(self.table(ids), self.dropout, self.training)  # [words, characters, character_dim]
        turned = turned_round(x, lengths)
        last = (lengths - 1).clamp(min=0)[:, None, None].expand(-1, 1, self.dim // 2)
        ends = [  # each [words, dim / 2]
            net(read)[0].gather(1, last)[:, 0] for net, read in ((self.forwards, x), (self.backwards, turned))
        ]
        return torch.cat(ends, 1) * (lengths > 0)[:, None]


#: Name -> encoder, made from (characters, character_dim, dim).
CHARACTERS: dict[str, type[CharacterCnn] | type[CharacterLstm]] = {
    "cnn": CharacterCnn,
    "lstm": CharacterLstm,
}
