"""The HanLP components around real HanLP models, which this file trains on sentences of its own."""

from __future__ import annotations

import random
import re
import sys
import warnings
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nlptk
from nlptk import Doc
from nlptk.errors import ConfigError, MissingDependencyError, ModelError
from nlptk.hanlp import HanlpNer, HanlpTagger, HanlpTokenizer, align_tokens, entity_tags, load_model

NAMES, CITIES = ("王芳", "李明", "张伟", "刘洋"), ("北京", "上海", "广州", "成都")
VERBS, NOUNS = ("喜欢", "讨厌", "参观"), ("苹果", "学校", "电影")

# torch and transformers warn of what HanLP asks of them; nothing here depends on it.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


def sentence(rng: random.Random) -> list[tuple[str, str, str]]:
    """Words with part of speech and entity tag."""
    name, city = (rng.choice(NAMES), "NR", "B-PER"), (rng.choice(CITIES), "NR", "B-LOC")
    verb, noun, end = (rng.choice(VERBS), "VV", "O"), (rng.choice(NOUNS), "NN", "O"), ("。", "PU", "O")
    if rng.random() < 0.5:
        return [name, ("在", "P", "O"), city, verb, noun, end]
    return [name, verb, city, ("的", "DEC", "O"), noun, end]


@pytest.fixture(scope="module")
def hanlp() -> Any:
    return pytest.importorskip("hanlp", reason="an optional package: pip install 'nlptk[hanlp]'")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """160 sentences in HanLP's formats."""
    folder = tmp_path_factory.mktemp("hanlp")
    rng = random.Random(1)
    sentences = [sentence(rng) for _ in range(160)]
    for name, column in (("pos", 1), ("ner", 2)):
        lines = ["".join(f"{word[0]}\t{word[column]}\n" for word in words) for words in sentences]
        (folder / f"{name}.tsv").write_text("\n".join(lines), encoding="utf-8")
    text = "".join(" ".join(word for word, _, _ in words) + "\n" for words in sentences)
    (folder / "tok.txt").write_text(text, encoding="utf-8")
    return folder


def fit(component: Any, data: Path, save_dir: Path, *arguments: Any, **settings: Any) -> str:
    """Train and save a HanLP component; the folder."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # for models this small, more threads only wait for one another
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        component.fit(
            str(data), str(data), str(save_dir), *arguments, batch_size=16, devices=-1, seed=1, **settings
        )
    torch.set_num_threads(threads)
    return str(save_dir)


RNN = {"epochs": 5, "embed": 16, "rnn_hidden": 16, "lr": 0.02, "drop": 0.1, "verbose": False, "crf": False}


@pytest.fixture(scope="module")
def tagger(hanlp: Any, corpus: Path) -> str:
    from hanlp.components.taggers.rnn_tagger import RNNTagger

    return fit(RNNTagger(), corpus / "pos.tsv", corpus / "tagger", token_key="token", **RNN)


@pytest.fixture(scope="module")
def ner(hanlp: Any, corpus: Path) -> str:
    from hanlp.components.ner.rnn_ner import RNNNamedEntityRecognizer

    settings = {**RNN, "token_delimiter": "", "tagging_scheme": "BIO"}
    return fit(RNNNamedEntityRecognizer(), corpus / "ner.tsv", corpus / "ner", **settings)


@pytest.fixture(scope="module")
def tokenizer(hanlp: Any, corpus: Path) -> str:
    """Over a BERT of one layer that is made here: HanLP 2.1 cannot train its RNNTokenizer any more."""
    import torch
    from hanlp.components.tokenizers.transformer import TransformerTaggingTokenizer
    from transformers import BertConfig, BertModel, BertTokenizerFast, optimization

    bert = corpus / "bert"
    characters = sorted(set((corpus / "tok.txt").read_text("utf-8")) - set(" \n"))
    bert.mkdir()
    (bert / "vocab.txt").write_text(
        "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters]) + "\n", encoding="utf-8"
    )
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    BertModel(BertConfig(vocab_size=5 + len(characters), **shape)).save_pretrained(bert)
    BertTokenizerFast(str(bert / "vocab.txt")).save_pretrained(bert)

    def adamw(*arguments: Any, no_deprecation_warning: bool, **settings: Any) -> Any:
        return torch.optim.AdamW(*arguments, **settings)

    with pytest.MonkeyPatch.context() as patch:
        # transformers 5 took its AdamW away, which HanLP 2.1 trains with; torch's is the same.
        patch.setattr(optimization, "AdamW", adamw, raising=False)
        settings = {"epochs": 8, "lr": 1e-2, "transformer_lr": 1e-3, "verbose": False}
        return fit(
            TransformerTaggingTokenizer(), corpus / "tok.txt", corpus / "tokenizer", str(bert), **settings
        )


# ---- the components --------------------------------------------------------------------------------------


def test_tokenizer(tokenizer: str) -> None:
    nlp = nlptk.blank("zh")
    nlp.replace_pipe("tokenizer", "hanlp_tokenizer", config={"path": tokenizer, "devices": -1})
    doc = nlp(" 王芳在北京喜欢苹果。\n\n李明 讨厌学校。\ud800")
    assert doc.words[:9] == [" ", "王芳", "在", "北京", "喜欢", "苹果", "。", "李明", "讨厌"]
    assert "".join(token.text_with_ws for token in doc) == doc.text
    for text in ("", " ", "\n", "\0", "\ud800", "x\u3000王芳", "a" * 600):
        doc = nlp(text)
        assert "".join(token.text_with_ws for token in doc) == text


def test_tagger(tagger: str) -> None:
    words = ["王芳", "在", "北京", "参观", "学校", "。", "李明", "喜欢", "电影"]
    doc = Doc.from_words(words, sent_starts=[1, 0, 0, 0, 0, 0, 1, 0, 0])
    HanlpTagger(tagger, devices=-1)(doc)
    assert doc.column("tag") == ["NR", "P", "NR", "VV", "NN", "PU", "NR", "VV", "NN"]
    spaced = Doc("  王芳 在", [0, 2, 5], [2, 4, 6])
    HanlpTagger(tagger, devices=-1, column="xpos")(spaced)
    assert spaced.column("xpos") == ["", "NR", "P"]
    assert HanlpTagger(tagger, column="xpos").assigns == ("doc.xpos",)
    empty = Doc("", [], [])
    assert HanlpTagger(tagger, devices=-1)(empty).column("tag") == []


def test_ner(ner: str) -> None:
    docs = [
        Doc.from_words(["王芳", "在", "北京", "。"]),
        Doc.from_words(["李明", "讨厌", "成都", "的", "苹果", "。"]),
    ]
    component = HanlpNer(ner, devices=-1)
    assert [[(e.text, e.label_) for e in doc.ents] for doc in component.pipe(docs)] == [
        [("王芳", "PER"), ("北京", "LOC")],
        [("李明", "PER"), ("成都", "LOC")],
    ]
    assert docs[0].column("ent") == ["B-PER", "O", "B-LOC", "O"]


def test_models_take_part_in_comparisons(tokenizer: str, tagger: str, ner: str) -> None:
    """Of words, of tags and of entities, each in processes of its own, untrained."""
    rng = random.Random(2)
    rows = [sentence(rng) for _ in range(24)]
    words = [[word for word, _, _ in row] for row in rows]
    runs: list[tuple[str, str | None, str, list[Any], list[Any]]] = [
        ("taggers", "xpos", tagger, words, [[tag for _, tag, _ in row] for row in rows]),
        ("taggers", "ner", ner, words, [[entity for _, _, entity in row] for row in rows]),
        ("segmenters", None, tokenizer, list(map("".join, words)), words),
    ]
    for task, column, path, items, gold in runs:
        part = (items, gold)
        given = {"train": part, "dev": part, "test": part, "column": column, "lang": "zh", "device": "cpu"}
        found = nlptk.compare(task, **given, models=["hanlp"], hanlp=path, threads=1)
        assert found.problems() == [
            "24 test sentences stand in train too (of 24): a score on them may be of memory"
        ]
        best = found.results["models"][0]["best"]
        assert best["score"] > 0.9
        assert best["train_seconds"] is None
        assert best["disk_bytes"] > 10_000
        assert found.results["checkpoints"][0]["option"] == "hanlp"


def test_pipeline_on_disk(tokenizer: str, tagger: str, ner: str, tmp_path: Path) -> None:
    nlp = nlptk.blank("zh")
    nlp.replace_pipe("tokenizer", "hanlp_tokenizer", config={"path": tokenizer, "devices": -1})
    nlp.add_pipe("hanlp_tagger", config={"path": tagger, "devices": -1})
    nlp.add_pipe("hanlp_ner", config={"path": ner, "devices": -1})
    nlp.to_disk(tmp_path / "model")
    doc = nlptk.load(tmp_path / "model")("张伟在上海参观学校。")
    assert [(token.text, token.tag_, token.ent_type_) for token in doc] == [
        ("张伟", "NR", "PER"), ("在", "P", ""), ("上海", "NR", "LOC"),
        ("参观", "VV", ""), ("学校", "NN", ""), ("。", "PU", ""),
    ]  # fmt: skip


# ---- refusals --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [HanlpTokenizer, HanlpTagger, HanlpNer])
def test_no_path(make: Callable[[], Any]) -> None:
    with pytest.raises(ConfigError, match="a HanLP component needs a model"):
        make()


def test_missing_model(hanlp: Any, tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match="there is no HanLP model 'nowhere': give the folder of a saved model, or"
    ):
        HanlpTagger("nowhere")(Doc.from_words(["a"]))
    with pytest.raises(ModelError, match=r"is no HanLP model: there is no config\.json in it"):
        load_model(str(tmp_path))


def test_no_network(hanlp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(path: str, **_: Any) -> None:
        raise ConnectionError("no network")

    monkeypatch.setattr(hanlp, "load", offline)
    name = next(iter(hanlp.pretrained.ALL))
    with pytest.raises(
        ModelError, match=rf"HanLP cannot download '{name}' \(no network\): .* run hanlp\.load"
    ):
        load_model(name)


def test_damaged_model(tagger: str, tmp_path: Path, hanlp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import hanlp.utils.component_util as util

    monkeypatch.setattr(
        util, "get_latest_info_from_pypi", lambda: None
    )  # HanLP asks the network when it fails
    monkeypatch.setattr(util, "check_version_conflicts", lambda **_: (None, None))
    (tmp_path / "config.json").write_bytes((Path(tagger) / "config.json").read_bytes())
    with pytest.raises(ModelError, match=f"HanLP cannot load the model in '{re.escape(str(tmp_path))}'"):
        load_model(str(tmp_path))


def test_hanlp_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hanlp", None)
    with pytest.raises(
        MissingDependencyError, match=r"HanLP is not installed .*pip install 'nlptk\[hanlp\]'"
    ):
        load_model("anything")


def test_a_model_of_another_kind(tagger: str, ner: str) -> None:
    with pytest.raises(ModelError, match=r"is no tagger: it gave \[\('"):
        HanlpTagger(ner, devices=-1)(Doc.from_words(["王芳", "在", "北京", "。"]))
    with pytest.raises(ModelError, match=r"gave no entities of 2 tokens|gave 1 tags for 2 tokens"):
        entity_tags("m", ["B-PER"], 2)
    with pytest.raises(ModelError, match="'m' gave no entities of 1 tokens"):
        entity_tags("m", [("王芳", "PER", 0, 2)], 1)


# ---- alignment -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "tokens", "expected"), [
    ("王芳在北京", ["王芳", "在", "北京"], ["王芳", "在", "北京"]),
    ("x\u3000王芳 在", ["x王芳", "在"], ["x\u3000王芳", "在"]),
    ("ＡＢＣ１２，好", ["abc", "12", ",", "好"], ["ＡＢＣ", "１２", "，", "好"]),
    ("等…… 好", ["等", "......", "好"], ["等", "……", "好"]),
    ("a…b", ["a.", "..", "b"], ["a…", "b"]),
    ("甲乙丙丁", ["甲", "[UNK]", "丁"], ["甲", "乙丙", "丁"]),
    ("甲乙丙", ["甲", "丙"], ["甲", "乙丙"]),
    ("甲乙", [], ["甲乙"]),
    ("甲", ["甲", "乙"], ["甲"]),
    ("", ["甲"], []),
    (" \t", [], []),
])  # fmt: skip
def test_alignment(text: str, tokens: list[str], expected: list[str]) -> None:
    assert [text[start:end] for start, end in align_tokens(text, tokens)] == expected


@given(st.text(st.characters(codec=None)), st.lists(st.text(st.characters(codec=None))))
def test_alignment_covers_any_text(text: str, tokens: list[str]) -> None:
    spans = align_tokens(text, tokens)
    assert all(start < end for start, end in spans)
    assert all(a_end <= start for (_, a_end), (start, _) in pairwise(spans))
    covered = {place for start, end in spans for place in range(start, end)}
    assert covered >= {place for place, char in enumerate(text) if not char.isspace()}


@pytest.mark.parametrize(("tags", "expected"), [
    (["B-PER", "E-PER", "O", "S-LOC"], ["B-PER", "I-PER", "O", "B-LOC"]),
    (["B-PER", "M-PER", "E-PER", "O"], ["B-PER", "I-PER", "I-PER", "O"]),
    (["B-PER", "I-PER", "B-PER", "O"], ["B-PER", "I-PER", "B-PER", "O"]),
])  # fmt: skip
def test_entity_tags(tags: list[str], expected: list[str]) -> None:
    assert entity_tags("m", tags, 4) == expected
    assert entity_tags("m", [], 0) == []
    assert entity_tags("m", [("王芳", "PER", 0, 2)], 3) == ["B-PER", "I-PER", "O"]
