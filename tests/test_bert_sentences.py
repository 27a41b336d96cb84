"""Component sentence_vectors: sentence-transformers as its oracle, pipelines, long texts, saving, faults."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="neural models need torch")

import torch
from bert_models import real_checkpoint, small, tokenizer

import nlptk
from nlptk import Doc
from nlptk.errors import ConfigError, ModelError
from nlptk.neural.sentences import SentenceVectors

TEXTS = ["a cab.", "no", "", "the bad face. a cab?", "x y z"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    small().save_pretrained(tmp_path / "model")
    tokenizer().save(tmp_path / "model")
    return tmp_path / "model"


def test_sentence_transformers_gives_the_same() -> None:
    sentence_transformers = pytest.importorskip("sentence_transformers")
    folder = real_checkpoint()
    peer = sentence_transformers.SentenceTransformer(str(folder), device="cpu")
    texts = [
        "A cat sat on the mat.",
        "猫坐在垫子上。",
        "",
        "Zürich!",
        "word " * 200,
        "It isn't (quite) so; is it?",
    ]
    mine = SentenceVectors(folder).encode(texts)
    assert mine.shape == (6, 384)
    assert mine.dtype == np.float32
    np.testing.assert_allclose(mine, peer.encode(texts), atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(mine, axis=1), 1, atol=1e-5)  # as modules.json says


def test_vectors_are_means_of_states(folder: Path) -> None:
    made = SentenceVectors(folder)
    for text, vector in zip(TEXTS, made.encode(TEXTS), strict=True):
        [states] = made.bert.encode([made.tokenizer.encode(text)])
        np.testing.assert_allclose(vector, states.mean(0), atol=1e-5)
    normal = SentenceVectors(folder, normalize=True).encode(TEXTS)
    plain = made.encode(TEXTS)
    np.testing.assert_allclose(normal, plain / np.linalg.norm(plain, axis=1, keepdims=True), atol=1e-5)
    assert made.encode([]).shape == (0, 24)


def test_long_texts_are_not_cut(folder: Path) -> None:
    text = "abc " * 30
    made = SentenceVectors(folder)
    [states] = made.bert.encode([made.tokenizer.encode(text)], stride=15)
    assert len(states) == 92
    np.testing.assert_allclose(made.encode(["no", text])[1], states.mean(0), atol=1e-5)
    assert not np.allclose(made.encode([text]), made.encode([text[:-4] + "z"]), atol=1e-4)
    assert not np.allclose(made.encode([text]), SentenceVectors(folder, stride=7).encode([text]), atol=1e-6)


def test_in_a_pipeline(folder: Path, tmp_path: Path) -> None:
    nlp = nlptk.blank("en")
    nlp.add_pipe("sentence_vectors", config={"path": str(folder)})
    docs = list(nlp.pipe(TEXTS, batch_size=2))
    told = SentenceVectors(folder).encode(TEXTS)
    for doc, vector in zip(docs, told, strict=True):
        np.testing.assert_allclose(doc.vector, vector, atol=1e-5)
    cosine = told[0] @ told[3] / np.linalg.norm(told[0]) / np.linalg.norm(told[3])
    assert docs[0].similarity(docs[3]) == pytest.approx(cosine, abs=1e-5)

    doc = docs[3]
    assert doc.has_vector
    assert not doc[0].has_vector  # it is of the text alone
    assert not doc[:1].has_vector
    with pytest.raises(ConfigError, match="the Doc has no vectors: run word_vectors"):
        _ = doc[0].vector
    for other in (doc.copy(), pickle.loads(pickle.dumps(doc)), Doc.from_bytes(doc.to_bytes())):
        np.testing.assert_array_equal(other.vector, doc.vector)
    assert not doc[:2].as_doc().has_vector

    nlp.to_disk(tmp_path / "pipeline")
    again = nlptk.load(tmp_path / "pipeline")
    np.testing.assert_allclose(again(TEXTS[3]).vector, told[3], atol=1e-5)


def test_state_keeps_settings_and_weights(folder: Path) -> None:
    made = SentenceVectors(folder, normalize=True, stride=9, batch_tokens=64)
    config, arrays = made.to_state()
    again = SentenceVectors.from_state(json.loads(json.dumps(config)), arrays)
    assert (again.normalize, again.stride, again.batch_tokens) == (True, 9, 64)
    for (name, a), (_, b) in zip(
        made.bert.state_dict().items(), again.bert.state_dict().items(), strict=True
    ):
        assert torch.equal(a, b), name
    np.testing.assert_array_equal(made.encode(TEXTS), again.encode(TEXTS))
    del arrays["encoder.layer.0.output.dense.bias"]
    with pytest.raises(ModelError, match=r"the sentence_vectors component: lacks encoder\.layer\.0\.output"):
        SentenceVectors.from_state(config, arrays)
    with pytest.raises(ModelError, match="the sentence_vectors component lacks 'stride'"):
        SentenceVectors.from_state({k: v for k, v in config.items() if k != "stride"}, made.to_state()[1])


def test_bad_settings(folder: Path) -> None:
    with pytest.raises(ConfigError, match="sentence_vectors needs a checkpoint"):
        SentenceVectors()
    with pytest.raises(ConfigError, match="stride must be from 1 to 30"):
        SentenceVectors(folder, stride=31)
    with pytest.raises(ConfigError, match="batch_tokens must be 1 or more, not 0"):
        SentenceVectors(folder, batch_tokens=0)
    with pytest.raises(ConfigError, match="'gpu' is no device"):
        SentenceVectors(folder, device="gpu")


def test_without_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None; import nlptk\n"
        "try: nlptk.blank('en').add_pipe('sentence_vectors')\n"
        "except nlptk.errors.MissingDependencyError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "neural models need torch: pip install 'nlptk[neural]'\n"


def test_modules_of_sentence_transformers(folder: Path) -> None:
    def modules(*kinds: str) -> None:
        entries = [{"type": f"sentence_transformers.models.{kind}", "path": ""} for kind in kinds]
        (folder / "modules.json").write_text(json.dumps(entries))

    modules("Transformer", "Normalize")
    assert SentenceVectors(folder).normalize
    assert not SentenceVectors(folder, normalize=False).normalize
    modules("Transformer", "Dense")
    with pytest.raises(ModelError, match=r"modules\.json: has a module 'Dense'"):
        SentenceVectors(folder)
    (folder / "modules.json").write_text('[{"type": "x.Pooling", "path": "1_Pooling"}]')
    with pytest.raises(ModelError, match=r"is not there, but modules.json names it"):
        SentenceVectors(folder)
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    with pytest.raises(ModelError, match="asks for pooling_mode_cls_token: the mean over tokens alone"):
        SentenceVectors(folder)
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_mean_tokens": true}')
    assert not SentenceVectors(folder).normalize
