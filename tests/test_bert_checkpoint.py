"""Checkpoints: read and written as transformers does, old names, and every fault named."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="neural models need torch")

import torch
from bert_models import SMALL, random_ids, small
from safetensors.torch import load_file, save_file

from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.neural.bert import Bert
from nlptk.neural.bert_config import BertConfig
from nlptk.neural.heads import (
    BertForPreTraining,
    BertForSequenceClassification,
    BertForTokenClassification,
    WithHeads,
)
from nlptk.neural.packing import Packed

LABELS = ("O", "B-PER", "I-PER")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    small().save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def change(folder: Path, edit: Any) -> None:
    """Edit the weights of a checkpoint, a dict name -> tensor."""
    weights = {name: tensor.clone() for name, tensor in load_file(folder / "model.safetensors").items()}
    save_file(edit(weights) or weights, folder / "model.safetensors")


def change_config(folder: Path, **fields: object) -> None:
    data = json.loads((folder / "config.json").read_text())
    data.update(fields)
    (folder / "config.json").write_text(
        json.dumps({name: value for name, value in data.items() if value != "gone"})
    )


def states(bert: Bert) -> torch.Tensor:
    with torch.no_grad():
        return bert(Packed.of(random_ids([5, 9]))).states


# ---- round trips ------------------------------------------------------------------------------------------


def test_round_trip_is_bit_equal(folder: Path) -> None:
    made, read = small(), Bert.from_pretrained(folder)
    assert read.config == made.config
    assert not read.training
    for (name, a), (_, b) in zip(made.state_dict().items(), read.state_dict().items(), strict=True):
        assert torch.equal(a, b), name
    assert all(parameter.requires_grad for parameter in read.parameters())
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    read.save_pretrained(folder)  # where it was read from
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert set(before) == {"config.json", "model.safetensors"}


def test_transformers_reads_what_is_written_and_the_other_way(folder: Path, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    peer, told = transformers.BertModel.from_pretrained(folder, output_loading_info=True)
    assert not any(told[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    peer.save_pretrained(tmp_path / "back")
    for name, tensor in load_file(folder / "model.safetensors").items():
        assert torch.equal(peer.state_dict()[name], tensor), name
    ours, back = small(), Bert.from_pretrained(tmp_path / "back")
    assert back.config == ours.config
    for (name, a), (_, b) in zip(ours.state_dict().items(), back.state_dict().items(), strict=True):
        assert torch.equal(a, b), name


@pytest.mark.parametrize(
    "kind", [BertForPreTraining, BertForTokenClassification, BertForSequenceClassification]
)
def test_models_with_heads_are_transformers(kind: type[WithHeads], tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = SMALL if kind is BertForPreTraining else SMALL.with_labels(LABELS)
    ours = kind(config).eval()
    ours.save_pretrained(tmp_path)
    peer, told = getattr(transformers, kind.architecture).from_pretrained(tmp_path, output_loading_info=True)
    assert not any(told[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    peer.eval()
    [sentence] = random_ids([12])
    batch = Packed.of([sentence])
    with torch.no_grad():
        theirs = peer(torch.tensor([sentence]))
        if isinstance(ours, BertForPreTraining):
            found = ours.bert(batch)
            words = ours.words(found.states, ours.bert.embeddings.words.weight)
            torch.testing.assert_close(words, theirs.prediction_logits[0], atol=1e-5, rtol=1e-4)
            following = ours.next(found.pooled)
            torch.testing.assert_close(following, theirs.seq_relationship_logits, atol=1e-5, rtol=1e-4)
        else:
            mine = ours(batch)
            torch.testing.assert_close(mine, theirs.logits.reshape(mine.shape), atol=1e-5, rtol=1e-4)
            assert peer.config.id2label == dict(enumerate(LABELS))
    peer.save_pretrained(tmp_path / "theirs")
    back = kind.from_pretrained(tmp_path / "theirs")
    assert back.new_weights == []
    for (name, a), (_, b) in zip(ours.state_dict().items(), back.state_dict().items(), strict=True):
        assert torch.equal(a, b), name
    encoder = Bert.from_pretrained(tmp_path / "theirs")  # the heads' weights are passed over
    assert torch.equal(states(encoder), states(ours.bert))
    assert (encoder.pooler is None) == (kind is BertForTokenClassification)


def test_new_heads_are_named(folder: Path) -> None:
    model = BertForTokenClassification.from_pretrained(folder, labels=LABELS)
    assert model.new_weights == ["classifier.weight", "classifier.bias"]
    assert torch.equal(states(model.bert), states(small()))
    assert model(Packed.of(random_ids([5, 9]))).shape == (14, 3)
    model.save_pretrained(folder)
    assert BertForTokenClassification.from_pretrained(folder).config.labels == LABELS
    other = BertForSequenceClassification.from_pretrained(folder, labels=["good", "bad"])
    assert other.new_weights == [
        *("bert.pooler.weight", "bert.pooler.bias", "classifier.weight", "classifier.bias")
    ]
    assert other(Packed.of(random_ids([5, 9]))).shape == (2, 2)


def test_old_names_prefixes_half_floats_and_copies(folder: Path) -> None:
    def old(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        words = weights["embeddings.word_embeddings.weight"]
        made = {
            "bert."
            + name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
                "LayerNorm.bias", "LayerNorm.beta"
            ): t
            for name, t in weights.items()
        }
        return {
            **made,
            "bert.embeddings.position_ids": torch.arange(32)[None],
            "cls.predictions.decoder.weight": words.clone(),
            "cls.predictions.bias": torch.zeros(60),
        }

    told = states(Bert.from_pretrained(folder))
    change(folder, old)
    assert torch.equal(states(Bert.from_pretrained(folder)), told)
    change(folder, lambda weights: {k: t.half() if t.is_floating_point() else t for k, t in weights.items()})
    halved = Bert.from_pretrained(folder)
    assert halved.embeddings.words.weight.dtype == torch.float32
    torch.testing.assert_close(states(halved), told, atol=0.05, rtol=0.05)


def test_the_file_may_go_while_the_model_lives(folder: Path) -> None:
    model = Bert.from_pretrained(folder)
    told = states(model)
    with open(folder / "model.safetensors", "r+b") as file:
        file.write(b"\0" * os.path.getsize(folder / "model.safetensors"))
    assert torch.equal(states(model), told)


# ---- faults -----------------------------------------------------------------------------------------------


def test_missing_unknown_and_misshapen_weights_are_named(folder: Path) -> None:
    def spoil(weights: dict[str, torch.Tensor]) -> None:
        del weights["encoder.layer.1.attention.self.key.bias"], weights["pooler.dense.bias"]
        weights["encoder.layer.2.output.dense.bias"] = torch.zeros(24)
        weights["encoder.layer.0.intermediate.dense.weight"] = torch.zeros(41, 24)

    change(folder, spoil)
    with pytest.raises(ModelError) as caught:
        Bert.from_pretrained(folder)
    message = str(caught.value)
    assert "lacks encoder.layer.1.attention.self.key.bias, pooler.dense.bias;" in message
    assert "has unknown weights: encoder.layer.2.output.dense.bias;" in message
    assert "encoder.layer.0.intermediate.dense.weight is [41, 24], not [40, 24]" in message
    assert str(folder / "model.safetensors") in message


def test_many_faults_are_counted(folder: Path) -> None:
    change(folder, lambda weights: {"strange": torch.zeros(1)})
    with pytest.raises(ModelError, match=r"lacks embeddings.*and 29 more; has unknown weights: strange$"):
        Bert.from_pretrained(folder)


def test_half_a_head_is_a_fault(folder: Path) -> None:
    BertForTokenClassification(SMALL.with_labels(LABELS)).save_pretrained(folder)
    change(folder, lambda weights: {k: t for k, t in weights.items() if "self.query" not in k})
    with pytest.raises(ModelError, match=r"lacks encoder\.layer\.0\.attention\.self\.query\.weight"):
        BertForTokenClassification.from_pretrained(folder)


def test_untied_words_are_refused(folder: Path) -> None:
    change(folder, lambda weights: {**weights, "cls.predictions.decoder.weight": torch.zeros(60, 24)})
    with pytest.raises(
        ModelError, match=r"decoder.weight differs from embeddings.word_embeddings.weight: only"
    ):
        Bert.from_pretrained(folder)


def test_whole_numbers_are_no_weights(folder: Path) -> None:
    change(folder, lambda weights: {k: t.int() if "pooler" in k else t for k, t in weights.items()})
    with pytest.raises(ModelError, match=r"not floating point: pooler.dense.bias, pooler.dense.weight"):
        Bert.from_pretrained(folder)


@pytest.mark.parametrize("size", [0, 7, 500, -1])
def test_truncated_files(folder: Path, size: int) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ModelError, match=r"model\.safetensors: is no whole safetensors file"):
        Bert.from_pretrained(folder)
    (folder / "config.json").write_text('{"model_type": "be')
    with pytest.raises(ModelError, match=r"config\.json: is truncated or not JSON"):
        Bert.from_pretrained(folder)


def test_files_that_are_not_there(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"config\.json: cannot be read: No such file"):
        Bert.from_pretrained(tmp_path / "nowhere")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"model\.safetensors: is not there; a checkpoint is a folder"):
        Bert.from_pretrained(folder)
    (folder / "model.safetensors.index.json").write_text("{}")
    with pytest.raises(ModelError, match="its weights are in several files; save them as one"):
        Bert.from_pretrained(folder)
    (folder / "pytorch_model.bin").write_bytes(b"\x80")
    with pytest.raises(ModelError, match=r"pytorch_model\.bin: is a pickle.*convert it: .*save_pretrained"):
        Bert.from_pretrained(folder)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model_type": "roberta"}, "is of the 'roberta' family: models of the 'bert' family can be read"),
        ({"model_type": "gone"}, "does not say its model_type"),
        ({"position_embedding_type": "relative_key"}, "has position_embedding_type 'relative_key', and only"),
        ({"is_decoder": True}, "has is_decoder True, and only False is supported"),
        ({"vocab_size": "gone", "hidden_size": "gone"}, "lacks vocab_size, hidden_size"),
        ({"hidden_size": "24"}, "hidden_size must be a whole number of at least 1, not '24'"),
        ({"id2label": {"1": "A"}}, "id2label must give a label to each number from 0 on"),
        ({"id2label": {"x": "A"}}, "invalid literal for int"),
    ],
)
def test_configs_that_cannot_be_read(folder: Path, fields: dict[str, object], message: str) -> None:
    change_config(folder, **fields)
    with pytest.raises(ModelError, match=message) as caught:
        Bert.from_pretrained(folder)
    assert str(folder / "config.json") in str(caught.value)
    with pytest.raises(ModelError, match="is not a JSON object"):
        BertConfig.from_json([])


def test_labels_are_needed_and_different(folder: Path) -> None:
    with pytest.raises(ConfigError, match="BertForTokenClassification needs labels"):
        BertForTokenClassification.from_pretrained(folder)
    with pytest.raises(ConfigError, match="labels must be one or more, and no two the same"):
        BertForTokenClassification.from_pretrained(folder, labels=["A", "A"])


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"cannot save a checkpoint to .*file'"):
        small().save_pretrained(tmp_path / "file")
