"""Component ``sentence_vectors``: the mean of BERT's states as the vector of a text.

Source: Reimers and Gurevych 2019, "Sentence-BERT" (arXiv 1908.10084): encode a text, take the mean of the
last layer's states over all its tokens, [CLS] and [SEP] too, and if asked for make it of length 1.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nlptk.component import Component
from nlptk.errors import ConfigError, ModelError
from nlptk.neural import checkpoint
from nlptk.neural.bert import Bert
from nlptk.neural.bert_config import BertConfig
from nlptk.neural.devices import find_device
from nlptk.similarity import DOC_VECTOR
from nlptk.store import load_json
from nlptk.tokenize.wordpiece import WordPiece

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import Self

    from nlptk.doc import Doc

_TOKENIZER = "tokenizer_json"


class SentenceVectors(Component):
    """Gives each Doc the vector of its text: ``doc.vector``, which ``doc.similarity`` compares.

    Tokens and spans keep the vectors that another component gives them.

    Args:
        path: a folder with a checkpoint of the BERT family and its vocabulary.
        normalize: make vectors of length 1; None: if the folder's modules.json says so, a file of
            sentence-transformers.
        stride: of the windows over a text that is longer than the model; None: half of a window. Nothing is
            cut off.
        batch_tokens: of a batch.
        device: "auto" (a GPU where there is one), "cpu", "cuda", "cuda:1".

    Raises:
        ConfigError: no path, a setting is out of range.
        ModelError: the checkpoint is not usable, or is of a pooling that is not the mean.
    """

    name = "sentence_vectors"
    assigns = ("doc.vector",)

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        normalize: bool | None = None,
        stride: int | None = None,
        batch_tokens: int = 1024,
        device: str = "auto",
    ) -> None:
        if path is None:
            raise ConfigError('sentence_vectors needs a checkpoint: config={"path": "folder"}')
        told = _read_modules(Path(path))
        self._set(
            Bert.from_pretrained(path),
            WordPiece.load(path),
            told if normalize is None else normalize,
            stride,
            batch_tokens,
            device,
        )

    def _set(
        self,
        bert: Bert,
        tokenizer: WordPiece,
        normalize: bool,
        stride: int | None,
        batch_tokens: int,
        device: str,
    ) -> None:
        size = bert.config.max_position_embeddings - 2
        if stride is not None and not 1 <= stride <= size:
            raise ConfigError(f"stride must be from 1 to {size}, the tokens of a window, not {stride!r}")
        if batch_tokens < 1:
            raise ConfigError(f"batch_tokens must be 1 or more, not {batch_tokens!r}")
        self.bert, self.tokenizer, self.device = bert.to(find_device(device)), tokenizer, device
        self.normalize, self.stride, self.batch_tokens = normalize, stride, batch_tokens

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of texts, [texts, dim]."""
        bert, limit = self.bert, self.bert.config.max_position_embeddings
        sentences = self.tokenizer.encode_batch(texts)
        short = [i for i, ids in enumerate(sentences) if len(ids) <= limit]
        long = [i for i, ids in enumerate(sentences) if len(ids) > limit]
        vectors = torch.empty(len(texts), bert.config.hidden_size)
        found: list[Tensor] = bert.apply_batches(
            lambda batch: batch.mean(bert(batch).states),
            [sentences[i] for i in short],
            batch_tokens=self.batch_tokens,
        )
        if long:
            stride = self.stride or (limit - 2) // 2
            states = bert.encode([sentences[i] for i in long], stride=stride, batch_tokens=self.batch_tokens)
            found += [rows.mean(0) for rows in states]
        if found:
            vectors[[*short, *long]] = torch.stack(found).cpu()
        if self.normalize:
            vectors = F.normalize(vectors)
        return vectors.numpy()

    def annotate(self, docs: Sequence[Doc]) -> None:
        """Set the vector of each Doc."""
        for doc, vector in zip(docs, self.encode([doc.text for doc in docs]), strict=True):
            doc.tensors[DOC_VECTOR] = vector

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """The sizes and settings; weights by the names of a checkpoint, and the tokenizer.json as bytes."""
        config = {
            "bert": self.bert.config.to_json(),
            "normalize": self.normalize,
            "stride": self.stride,
            "batch_tokens": self.batch_tokens,
            "device": self.device,
        }
        arrays = {name: tensor.numpy() for name, tensor in checkpoint.their_weights(self.bert).items()}
        data = json.dumps(self.tokenizer.to_json()).encode()
        return config, {**arrays, _TOKENIZER: np.frombuffer(data, np.uint8)}

    @classmethod
    def from_state(cls, config: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Self:
        """The component that `to_state` described. Raises ModelError for a state that is not whole."""
        where = "the sentence_vectors component"
        try:
            data = load_json(arrays[_TOKENIZER].tobytes(), where)
            settings = [config[name] for name in ("normalize", "stride", "batch_tokens", "device")]
            sizes = BertConfig.from_json(config["bert"], where)
        except KeyError as error:
            raise ModelError(f"{where} lacks {error}") from None
        weights = {name: torch.tensor(array) for name, array in arrays.items() if name != _TOKENIZER}
        made = cls.__new__(cls)
        made._set(checkpoint.make_bert(sizes, weights, where), WordPiece.from_json(data, where), *settings)
        return made


def _read_modules(folder: Path) -> bool:
    """Whether sentence-transformers' modules.json, if there is one, asks for vectors of length 1.

    Raises ModelError for a module that is not built here, or another pooling than the mean.
    """
    path = folder / "modules.json"
    if not path.is_file():
        return False
    normalize = False
    for module in load_json(path.read_bytes(), str(path)):
        kind = str(module.get("type", "")).rpartition(".")[2]
        if kind == "Pooling":
            pooling = folder / str(module.get("path", "")) / "config.json"
            _check_pooling(pooling)
        elif kind == "Normalize":
            normalize = True
        elif kind != "Transformer":
            raise ModelError(
                f"{path}: has a module {kind!r}: Transformer, Pooling and Normalize are supported"
            )
    return normalize


def _check_pooling(path: Path) -> None:
    if not path.is_file():
        raise ModelError(f"{path}: is not there, but modules.json names it")
    modes = load_json(path.read_bytes(), str(path))
    asked = sorted(name for name, value in modes.items() if name.startswith("pooling_mode") and value is True)
    if asked != ["pooling_mode_mean_tokens"]:
        raise ModelError(f"{path}: asks for {', '.join(asked)}: the mean over tokens alone is supported")
