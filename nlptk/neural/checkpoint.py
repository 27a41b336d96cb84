"""Hugging Face checkpoints of the BERT family: config.json and model.safetensors, by a table of names.

Older checkpoints name a norm's weights gamma and beta; those of models with heads put "bert." before the
encoder's names. The three projections of the attention are one matrix here and three there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from nlptk.corpora.files import PathLike
from nlptk.errors import DataError, ModelError
from nlptk.neural.bert_config import BertConfig
from nlptk.store import dump_json, load_json, write_atomic

if TYPE_CHECKING:
    from nlptk.neural.bert import Bert

CONFIG, WEIGHTS = "config.json", "model.safetensors"

# Ours -> theirs. What stands behind (.weight, .bias) is the same; a layer's number takes the place of {}.
_NAMES: dict[str, tuple[str, ...]] = {
    "embeddings.words": ("embeddings.word_embeddings",),
    "embeddings.positions": ("embeddings.position_embeddings",),
    "embeddings.types": ("embeddings.token_type_embeddings",),
    "embeddings.norm": ("embeddings.LayerNorm",),
    "layers.{}.attention.qkv": tuple(
        f"encoder.layer.{{}}.attention.self.{part}" for part in ("query", "key", "value")
    ),
    "layers.{}.attention.out": ("encoder.layer.{}.attention.output.dense",),
    "layers.{}.attention_norm": ("encoder.layer.{}.attention.output.LayerNorm",),
    "layers.{}.up": ("encoder.layer.{}.intermediate.dense",),
    "layers.{}.down": ("encoder.layer.{}.output.dense",),
    "layers.{}.norm": ("encoder.layer.{}.output.LayerNorm",),
    "pooler": ("pooler.dense",),
    # heads
    "words.dense": ("cls.predictions.transform.dense",),
    "words.norm": ("cls.predictions.transform.LayerNorm",),
    "words": ("cls.predictions",),
    "next": ("cls.seq_relationship",),
    "classifier": ("classifier",),
}
_POOLER = ("pooler.weight", "pooler.bias")
# Files may have these: buffers, and the words' head's weights, which are the embeddings.
_COPIES = {
    "embeddings.position_ids": "",
    "embeddings.token_type_ids": "",
    "cls.predictions.decoder.weight": "embeddings.word_embeddings.weight",
    "cls.predictions.decoder.bias": "cls.predictions.bias",
}
# Of heads, which a model without them passes over.
_HEADS = ("cls.", "classifier.", "qa_outputs.", "pooler.")


def their_names(name: str) -> tuple[str, ...]:
    """The names of a parameter in a checkpoint, without "bert.": three for the joined projections."""
    stem, _, kind = name.removeprefix("bert.").rpartition(".")
    number = re.search(r"\d+", stem)
    found = _NAMES[re.sub(r"\d+", "{}", stem)]
    return tuple(f"{theirs.format(number[0] if number else '')}.{kind}" for theirs in found)


# ---- reading ----------------------------------------------------------------------------------------------


def read_config(folder: PathLike) -> BertConfig:
    """The config of a checkpoint. Raises ModelError if it is not there or no BERT's."""
    path = Path(folder) / CONFIG
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path}: cannot be read: {error.strerror}; a checkpoint is a folder with {CONFIG} and {WEIGHTS}"
        ) from error
    return BertConfig.from_json(load_json(data, str(path)), str(path))


def read_weights(folder: PathLike) -> dict[str, Tensor]:
    """Name -> float32 tensor, names as newer checkpoints of a bare encoder have them.

    Raises ModelError: there is no model.safetensors, it is truncated, or holds what is not floating point.
    """
    path = Path(folder) / WEIGHTS
    if not path.is_file():
        raise ModelError(_why_none(path))
    weights: dict[str, Tensor] = {}
    try:
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 (is no mapping)
                weights[_newer(name)] = file.get_tensor(name)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: is no whole safetensors file: {error}") from error
    for name, copied in _COPIES.items():
        copy = weights.pop(name, None)
        if copy is not None and copied in weights and not torch.equal(copy, weights[copied]):
            raise ModelError(
                f"{path}: {name} differs from {copied}: only a masked-word head that is tied to the "
                "embeddings is supported"
            )
    whole = [name for name, tensor in weights.items() if not tensor.is_floating_point()]
    if whole:
        raise ModelError(f"{path}: holds weights that are not floating point: {_some(whole)}")
    # A copy: the file may be replaced while the model lives.
    return {name: tensor.to(torch.float32, copy=True) for name, tensor in weights.items()}


def _why_none(path: Path) -> str:
    folder = path.parent
    if (folder / "pytorch_model.bin").is_file():
        return (
            f"{folder / 'pytorch_model.bin'}: is a pickle, which may run code when it is read; convert it: "
            "transformers' AutoModel.from_pretrained(folder).save_pretrained(other) writes "
            f"{WEIGHTS}, or safetensors.torch.save_file(torch.load(file, weights_only=True), {WEIGHTS!r})"
        )
    if (folder / f"{WEIGHTS}.index.json").is_file():
        return (
            f"{folder}: its weights are in several files; save them as one: transformers' "
            "save_pretrained(folder, max_shard_size='100GB')"
        )
    return f"{path}: is not there; a checkpoint is a folder with {CONFIG} and {WEIGHTS}"


def _newer(name: str) -> str:
    name = name.removeprefix("bert.")
    name = re.sub(r"LayerNorm\.gamma$", "LayerNorm.weight", name)
    return re.sub(r"LayerNorm\.beta$", "LayerNorm.bias", name)


def read_bert(folder: PathLike) -> Bert:
    """See `Bert.from_pretrained`."""
    return make_bert(read_config(folder), read_weights(folder), Path(folder) / WEIGHTS)


def make_bert(config: BertConfig, weights: Mapping[str, Tensor], where: PathLike) -> Bert:
    """The encoder with these weights, which has a pooler if they have one. Raises ModelError as `assign`."""
    from nlptk.neural.bert import Bert

    pooler = [name for ours in _POOLER for name in their_names(ours)]
    with torch.device("meta"):  # nothing is drawn at random that is replaced at once
        made = Bert(config, pooler=any(name in weights for name in pooler))
    assign(made, weights, where)
    return made.eval()


def assign(
    module: nn.Module, weights: Mapping[str, Tensor], where: PathLike, optional: Collection[str] = ()
) -> list[str]:
    """Give a module the weights of a checkpoint.

    Args:
        module: an encoder, or a model whose encoder is its attribute `bert`; may be on the meta device.
        weights: as `read_weights` gives them.
        where: the file, for messages.
        optional: parameters that the file need not have: what they are now stays.

    Returns:
        The optional parameters that the file lacks.

    Raises:
        ModelError: weights are missing, unknown or of a wrong shape; all are named.
    """
    missing: list[str] = []
    absent: list[str] = []
    wrong: list[str] = []
    used: set[str] = set()
    ready: dict[str, Tensor] = {}
    for name, own in module.state_dict(keep_vars=True).items():
        theirs = their_names(name)
        used.update(theirs)
        lacking = [part for part in theirs if part not in weights]
        if lacking:
            if name in optional and len(lacking) == len(theirs):
                absent.append(name)
            else:
                missing += lacking
            continue
        parts = [weights[part] for part in theirs]
        shape = torch.Size([own.shape[0] // len(parts), *own.shape[1:]])
        wrong += [
            f"{part} is {list(tensor.shape)}, not {list(shape)}"
            for part, tensor in zip(theirs, parts, strict=True)
            if tensor.shape != shape
        ]
        ready[name] = parts[0] if len(parts) == 1 else torch.cat(parts) if not wrong else own
    extra = [name for name in weights if name not in used and not name.startswith(_HEADS)]
    faults = [
        f"lacks {_some(missing)}" if missing else "",
        f"has unknown weights: {_some(extra)}" if extra else "",
        f"does not fit {CONFIG}: {_some(wrong)}" if wrong else "",
    ]
    if any(faults):
        raise ModelError(f"{where}: {'; '.join(filter(None, faults))}")
    module.load_state_dict(ready, strict=False, assign=True)
    return absent


def _some(names: list[str], most: int = 8) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


# ---- writing ----------------------------------------------------------------------------------------------


def their_weights(module: nn.Module) -> dict[str, Tensor]:
    """The module's weights under the names of a checkpoint, "bert." before an encoder within a model."""
    weights: dict[str, Tensor] = {}
    for name, tensor in module.state_dict().items():
        prefix = "bert." if name.startswith("bert.") else ""
        theirs = their_names(name)
        for part, value in zip(theirs, tensor.detach().cpu().chunk(len(theirs)), strict=True):
            weights[prefix + part] = value.contiguous()
    return weights


def write(module: nn.Module, folder: PathLike, config: BertConfig, architecture: str) -> None:
    """Write model.safetensors and config.json, each whole or not at all; other files there are kept.

    Raises DataError if the folder cannot be written.
    """
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
        write_atomic(path / WEIGHTS, save(their_weights(module), {"format": "pt"}))
        write_atomic(path / CONFIG, dump_json(config.to_json(architecture), CONFIG, indent=2))
    except OSError as error:
        raise DataError(f"cannot save a checkpoint to {str(path)!r}: {error.strerror}") from error
