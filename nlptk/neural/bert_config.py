"""BertConfig: the sizes of a BERT model, as the fields of a Hugging Face config.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from nlptk.errors import ConfigError, ModelError

# Fields that change what a model computes, and the only value that is built here.
_ONLY = {
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
    "chunk_size_feed_forward": 0,
}


@dataclass(frozen=True)
class BertConfig:
    """The sizes; names and defaults are those of config.json, so bert-base-uncased's.

    Attributes:
        labels: of the classes of a classification head, in the order of their numbers (id2label).

    Raises:
        ConfigError: a size is not a positive whole number, hidden_size is no multiple of the heads, a dropout
            is not in [0, 1).
    """

    vocab_size: int = 30522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    pad_token_id: int = 0
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in _SIZES:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ConfigError(f"{name} must be a whole number of at least 1, not {value!r}")
        if self.hidden_size % self.num_attention_heads:
            raise ConfigError(
                f"hidden_size {self.hidden_size} is no multiple of num_attention_heads "
                f"{self.num_attention_heads}: each head takes an equal part"
            )
        for name in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 <= value < 1:
                raise ConfigError(f"{name} must be a number from 0 to below 1, not {value!r}")

    def with_labels(self, labels: Sequence[str]) -> BertConfig:
        """The same with labels of classes. Raises ConfigError for none, or one that comes twice."""
        if not labels or len(set(labels)) < len(labels):
            raise ConfigError(f"labels must be one or more, and no two the same: {list(labels)!r}")
        return replace(self, labels=tuple(labels))

    @classmethod
    def from_json(cls, data: Any, where: str = "config.json") -> BertConfig:
        """The config of a config.json's object.

        Raises ModelError naming `where`: it is of another family than BERT, of a variant that is not built,
        or a field is missing or malformed.
        """
        if not isinstance(data, Mapping):
            raise ModelError(f"{where}: is not a JSON object")
        family = data.get("model_type")
        if family != "bert":
            named = "does not say its model_type" if family is None else f"is of the {family!r} family"
            raise ModelError(f"{where}: {named}: models of the 'bert' family can be read")
        for name, only in _ONLY.items():
            if data.get(name, only) != only:
                raise ModelError(f"{where}: has {name} {data[name]!r}, and only {only!r} is supported")
        missing = [name for name in _SIZES if name != "type_vocab_size" and name not in data]
        if missing:
            raise ModelError(f"{where}: lacks {', '.join(missing)}")
        known = {name: data[name] for name in _FIELDS if data.get(name) is not None}
        try:
            return cls(**known, labels=_labels(data.get("id2label")))
        except (ConfigError, ValueError, TypeError) as error:
            raise ModelError(f"{where}: {error}") from error

    def to_json(self, architecture: str = "BertModel") -> dict[str, Any]:
        """The object of a config.json, of that class of transformers."""
        data = asdict(self)
        labels = data.pop("labels")
        if labels:
            data["id2label"] = {str(i): label for i, label in enumerate(labels)}
            data["label2id"] = {label: i for i, label in enumerate(labels)}
        return {"architectures": [architecture], "model_type": "bert", **data}


_FIELDS = [field.name for field in fields(BertConfig) if field.name != "labels"]
_SIZES = (
    *("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads"),
    *("intermediate_size", "max_position_embeddings", "type_vocab_size"),
)


def _labels(table: Any) -> tuple[str, ...]:
    if table is None:
        return ()
    if not isinstance(table, Mapping) or {int(key) for key in table} != set(range(len(table))):
        raise ConfigError("id2label must give a label to each number from 0 on")
    return tuple(str(label) for _, label in sorted((int(key), label) for key, label in table.items()))
