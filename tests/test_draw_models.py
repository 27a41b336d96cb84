"""What models look at, as it is drawn: the weights are theirs; ``nlptk draw attention``; clear refusals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="neural models need torch")

from bert_models import small, tokenizer  # noqa: E402
from cli_process import check_refusal  # noqa: E402

import nlptk  # noqa: E402
from nlptk import draw  # noqa: E402
from nlptk.errors import ConfigError, DataError  # noqa: E402
from nlptk.neural.bert import Bert  # noqa: E402
from nlptk.neural.classifier import NeuralClassifier  # noqa: E402
from nlptk.neural.lm import NeuralLM  # noqa: E402
from nlptk.neural.seq2seq import Seq2Seq  # noqa: E402

Run = Callable[..., tuple[int, str, str]]
TEXTS = ["ab cd", "cd ab", "ab ab", "cd"] * 4
LABELS = ["x", "y", "x", "y"] * 4
TINY: dict[str, Any] = {"dim": 8, "layers": 2, "epochs": 1, "device": "cpu"}


@pytest.fixture(scope="module")
def translator() -> Seq2Seq:
    return Seq2Seq("transformer", units="char", heads=2, hidden=8, **TINY).fit(TEXTS, TEXTS)


@pytest.fixture(scope="module")
def language_model() -> NeuralLM:
    return NeuralLM("transformer", heads=2, window=12, batch_size=2, **TINY).fit(TEXTS)


@pytest.fixture(scope="module")
def bert_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bert")
    small(vocab_size=59).save_pretrained(folder)
    tokenizer().save(folder)
    return folder


def classifier(encoder: str, **options: Any) -> NeuralClassifier:
    return NeuralClassifier(encoder, hidden=8, **{**TINY, **options}).fit(TEXTS, LABELS)


# ---- BERT --------------------------------------------------------------------------------------------------


def test_bert_looks_as_transformers_says(bert_folder: Path) -> None:
    transformers = pytest.importorskip("transformers")
    peer = transformers.BertModel.from_pretrained(bert_folder, attn_implementation="eager").eval()
    seen = Bert.from_pretrained(bert_folder).to_attention(tokenizer(), "abc de.", "f?")
    assert seen.rows == seen.columns
    assert seen.rows == ("[CLS]", "a", "##b", "##c", "d", "##e", ".", "[SEP]", "f", "?", "[SEP]")
    pieces = tokenizer().encode_with_offsets("abc de.", "f?")
    with torch.no_grad():
        told = peer(
            torch.tensor([pieces.ids]), token_type_ids=torch.tensor([pieces.type_ids]), output_attentions=True
        )
    np.testing.assert_allclose(seen.weights, torch.cat(told.attentions).numpy(), atol=1e-5)


def test_bert_looks_as_its_formula_says() -> None:
    bert = small()
    seen = bert.to_attention(tokenizer(), "abc")
    ids = torch.tensor(tokenizer().encode("abc"))
    with torch.no_grad():
        x = bert.embeddings(ids, torch.arange(len(ids)), None)
        q, k, _ = bert.layers[0].attention.qkv(x).chunk(3, -1)
        q, k = (part.view(len(ids), 3, -1).transpose(0, 1) for part in (q, k))  # [heads, pieces, dim / heads]
        told = (q @ k.transpose(1, 2) / q.shape[-1] ** 0.5).softmax(-1)
    np.testing.assert_allclose(seen.weights[0], told.numpy(), atol=1e-5)
    np.testing.assert_allclose(seen.weights.sum(-1), 1, atol=1e-5)


def test_longer_than_bert() -> None:
    with pytest.raises(DataError, match="the text has 42 pieces, and the model has positions for 32"):
        small().to_attention(tokenizer(), "abcd " * 10)


# ---- language models ---------------------------------------------------------------------------------------


def test_a_language_model_looks_back(language_model: NeuralLM) -> None:
    seen = language_model.to_attention("ab c")
    assert seen.rows == seen.columns == ("\n", "a", "b", " ", "c")
    assert seen.weights.shape == (2, 2, 5, 5)
    np.testing.assert_allclose(seen.weights.sum(-1), 1, atol=1e-5)
    assert (np.triu(seen.weights, 1) == 0).all()


def test_looking_is_what_the_model_does(language_model: NeuralLM) -> None:
    """The values, weighted so, are what each block goes on with."""
    stack = language_model.network.stack
    given: list[Any] = []
    hooks = [
        block.attention.register_forward_hook(lambda _, taken, made: given.append((taken[0], made.output)))
        for block in stack.blocks
    ]
    x = torch.randn(1, 6, 8)
    with torch.no_grad():
        plain = stack(x)
        weights: list[Any] = []
        looked = stack(x, weights=weights)
        for hook in hooks:
            hook.remove()
        torch.testing.assert_close(looked, plain)
        for block, shares, (y, output) in zip(stack.blocks, weights, given, strict=False):
            _, value = block.attention.project(y)
            mixed = (shares @ value).transpose(1, 2).flatten(2)
            torch.testing.assert_close(block.attention.output(mixed), output)


def test_language_models_that_do_not_look(language_model: NeuralLM) -> None:
    with pytest.raises(ConfigError, match="'lstm' has no attention; train a 'transformer'"):
        NeuralLM("lstm", window=4, batch_size=2, **TINY).fit(TEXTS).to_attention("ab")
    with pytest.raises(DataError, match="has 15 tokens with its begin, and the model looks back at 12"):
        language_model.to_attention("ab ab\ncd cd ab")
    with pytest.raises(DataError, match="does not know the character 'z'"):
        language_model.to_attention("az")


# ---- translators -------------------------------------------------------------------------------------------


def test_a_translation_is_drawn(translator: Seq2Seq, tmp_path: Path) -> None:
    ((found,),) = translator.translate(["ab cd"], attention=True, max_length=4)
    seen = found.to_attention()
    np.testing.assert_array_equal(seen.weights, found.attention)
    assert (seen.rows, seen.columns) == (tuple(found.tokens), tuple(found.source_tokens))
    assert draw.attention(found, tmp_path / "page.html", layer=1) == []
    assert (tmp_path / "page.html").read_text("utf-8") == draw.to_html(seen, layer=1)


@pytest.mark.parametrize(("text", "asked"), [("ab", False), (" ", True)])
def test_a_translation_without_attention(translator: Seq2Seq, text: str, asked: bool) -> None:
    ((found,),) = translator.translate([text], attention=asked)
    with pytest.raises(ConfigError, match="translate a text that is not empty with attention=True"):
        found.to_attention()


# ---- classifiers -------------------------------------------------------------------------------------------


def test_a_classifier_looks_at_words() -> None:
    model = classifier("gru")
    seen = model.to_attention("ab cd zz")
    assert (seen.rows, seen.columns) == (("text",), ("ab", "cd", "zz"))
    np.testing.assert_array_equal(seen.weights[0, 0, 0], model.attention(["ab cd zz"])[0])
    assert seen.title == f"{model.predict(['ab cd zz'])[0]}: ab cd zz"
    with pytest.raises(DataError, match="the text has no words"):
        model.to_attention(" ")
    with pytest.raises(ConfigError, match="no attention over words; choose bilstm, gru or transformer"):
        classifier("cnn").to_attention("ab")


def test_a_bert_classifier_looks_at_pieces(bert_folder: Path) -> None:
    model = classifier("bert", pretrained=bert_folder, learning_rate=1e-9)
    seen = model.to_attention(["ab", "c"])
    assert seen.rows == ("[CLS]", "a", "##b", "c", "[SEP]")
    told = Bert.from_pretrained(bert_folder).to_attention(tokenizer(), "ab c")
    np.testing.assert_allclose(seen.weights, told.weights, atol=1e-4)
    assert seen.title in ("x: ab c", "y: ab c")


# ---- the command -------------------------------------------------------------------------------------------


def draws(run: Run, model: Path, text: str, folder: Path, *more: object) -> tuple[str, str]:
    page = folder / "drawn.html"
    status, out, err = run("draw", "attention", model, text, "-o", page, *more)
    assert (status, out) == (0, ""), err
    return page.read_text("utf-8"), err


def test_command_draws_a_translator(run: Run, translator: Seq2Seq, tmp_path: Path) -> None:
    translator.save(tmp_path / "model")
    page, err = draws(run, tmp_path / "model", "ab", tmp_path, "--title", "A & B", "--layer", 1)
    assert "<h1>A &amp; B</h1>" in page
    assert '"layer": 1, "head": null' in page
    assert "2 layers, 2 heads" in err


def test_command_draws_a_bert(run: Run, bert_folder: Path, tmp_path: Path) -> None:
    page, err = draws(run, bert_folder, "ab", tmp_path, "--pair", "c")
    assert '["[CLS]", "a", "##b", "[SEP]", "c", "[SEP]"]' in page
    assert err.endswith("drawn.html: 2 layers, 3 heads, 6 x 6 words\n")


def test_command_draws_a_language_model(run: Run, language_model: NeuralLM, tmp_path: Path) -> None:
    language_model.save(tmp_path / "lm")
    page, err = draws(run, tmp_path / "lm", "ab", tmp_path, "-q")
    assert ('["\\u240a", "a", "b"]' in page, err) == (True, "")
    check_refusal(
        run("draw", "attention", tmp_path / "lm", "ab", "--pair", "c", "-o", tmp_path / "a.html"),
        2,
        "is for a BERT",
    )


def pipeline(factory: str, folder: Path, **config: Any) -> Path:
    nlp = nlptk.blank("en")
    gold = list(nlp.pipe(TEXTS))
    for doc, label in zip(gold, LABELS, strict=True):
        doc.cats = {label: 1.0}
    nlp.add_pipe(factory, config=config).fit(gold)
    nlp.to_disk(folder)
    return folder


def test_command_draws_a_classifier(run: Run, tmp_path: Path) -> None:
    model = pipeline("neural_textcat", tmp_path / "model", encoder="gru", hidden=8, **TINY)
    page, _ = draws(run, model, "ab cd", tmp_path)
    assert '"rows": ["text"], "columns": ["ab", "cd"]' in page
    pytest.importorskip("matplotlib")
    status, _, _ = run("draw", "attention", model, "ab", "-o", tmp_path / "a.png", "--head", 0)
    assert status == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_command_refuses(run: Run, bert_folder: Path, tmp_path: Path) -> None:
    linear = pipeline("textcat", tmp_path / "linear")
    ask = ("draw", "attention")
    check_refusal(run(*ask, linear, "ab", "-o", tmp_path / "a.html"), 2, "has no attention to draw")
    check_refusal(run(*ask, bert_folder, "ab", "-o", tmp_path / "a.svg"), 2, "must end in .html")
    check_refusal(
        run(*ask, bert_folder, "ab", "-o", tmp_path / "a.html", "--head", 3), 2, "there is no head 3"
    )
    check_refusal(run(*ask, bert_folder, "ab", "-o", tmp_path / "no" / "a.html"), 2, "there is no folder")
    check_refusal(run(*ask, tmp_path, "ab", "-o", tmp_path / "a.html"), 1, "meta.json")
    check_refusal(run(*ask, tmp_path / "no", "ab", "-o", tmp_path / "a.html"), 2, "does not exist")
    assert not (tmp_path / "a.html").exists()
