"""Training and scoring from the command line, on a small made-up corpus."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import nlptk
from nlptk.cli.main import main

INSTALLED = Path(nlptk.__file__).parents[1]  # where the package under test lies
NAMES, VERBS, THINGS, PLACES = (
    ("Ada", "Grace", "Alan"),
    ("saw", "fed", "lost"),
    ("cat", "piano", "comet"),
    ("Oslo", "Lima"),
)

Run = Callable[..., tuple[int, str, str]]


def _sentences() -> list[list[tuple[str, str, str, str]]]:
    return [
        [
            (name, "PROPN", "NNP", "B-PER"), (verb, "VERB", "VBD", "O"), ("a", "DET", "DT", "O"),
            (thing, "NOUN", "NN", "O"), ("in", "ADP", "IN", "O"), (place, "PROPN", "NNP", "B-LOC"),
            (".", "PUNCT", ".", "O"),
        ]
        for name, verb, thing, place in itertools.product(NAMES, VERBS, THINGS, PLACES)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train.conllu, train.iob2 and train.conll (word, XPOS, entity)."""
    folder = tmp_path_factory.mktemp("corpus")
    conllu, iob2, conll = [], [], []
    for number, sentence in enumerate(_sentences()):
        conllu += ["# newpar"] if number % 3 == 0 else []
        for i, (word, upos, xpos, entity) in enumerate(sentence, start=1):
            misc = "SpaceAfter=No" if word in PLACES else "_"
            conllu.append(f"{i}\t{word}\t_\t{upos}\t{xpos}\t_\t_\t_\t_\t{misc}")
            iob2.append(f"{i}\t{word}\t{entity}\t-\t-")
            conll.append(f"{word} {xpos} {entity}")
        for lines in (conllu, iob2, conll):
            lines.append("")
    for name, lines in (("conllu", conllu), ("iob2", iob2), ("conll", conll)):
        (folder / f"train.{name}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def upos_model(corpus: Path) -> Path:
    """An HMM of UPOS."""
    folder = corpus / "upos"
    arguments = ["--train", corpus / "train.conllu", "--lang", "xx", "--output", folder, "--quiet"]
    assert main(["train", "tagger", "--model", "hmm", *map(str, arguments)]) == 0
    return folder


@pytest.mark.parametrize("model", ["hmm", "crf"])
@pytest.mark.parametrize(
    ("file", "column", "score"),
    [
        ("train.conllu", "upos", "upos_acc"),
        ("train.conllu", "xpos", "xpos_acc"),
        ("train.conll", "1", "accuracy"),
        ("train.conll", "2", "entity_f1"),
    ],
)
def test_train_and_evaluate_a_tagger(
    run: Run, corpus: Path, tmp_path: Path, model: str, file: str, column: str, score: str
) -> None:
    data, output = corpus / file, tmp_path / "out"
    status, out, err = run(
        "train", "tagger", "--model", model, "--train", data, "--dev", data, "--column", column,
        "--lang", "xx", "-o", output, "--json", "-q",
    )  # fmt: skip
    assert (status, err) == (0, "")
    result = json.loads(out)
    assert result["output"] == str(output)
    assert result["dev"][score] == 1.0
    status, out, _ = run("evaluate", output, data, "--column", column, "--train", data, "--json")
    assert status == 0
    scores = json.loads(out)
    assert (scores[score], scores["tokens"], scores["sentences"]) == (1.0, 54 * 7, 54)
    assert scores["from"] == "gold tokens"
    if score.endswith("acc") or score == "accuracy":
        assert (scores[f"{score}_known"], scores[f"{score}_unknown"], scores["unknown_tokens"]) == (
            1.0,
            None,
            0,
        )


def test_train_from_a_stream(run: Run, corpus: Path, tmp_path: Path) -> None:
    data, output = corpus / "train.conllu", tmp_path / "out"
    given = ["--train", data, "--dev", data, "--lang", "xx", "-o", output, "--json", "-q"]
    status, out, err = run("train", "tagger", "--stream", "--hash-bits", 12, "--max-iterations", 3, *given)
    assert (status, err) == (0, "")
    assert json.loads(out)["dev"]["upos_acc"] == 1.0
    meta = json.loads(run("info", output, "--json")[1])
    assert meta["data"]["train"]["tokens"] == 54 * 7
    assert run("evaluate", output, data, "--json")[0] == 0


@pytest.mark.parametrize("documents", [[], ["--documents"]])
def test_train_two_crfs_in_a_row(run: Run, corpus: Path, tmp_path: Path, documents: list[str]) -> None:
    data, output = corpus / "train.iob2", tmp_path / "out"
    given = ["--train", data, "--column", "ner", "--folds", 3, "--max-iterations", 5, "--lang", "xx"]
    status, _, err = run("train", "tagger", "--model", "stacked", *given, *documents, "-o", output, "-q")
    assert (status, err) == (0, "")
    scores = json.loads(run("evaluate", output, data, *documents, "--json")[1])
    assert (scores["entity_f1"], scores["sentences"]) == (1.0, 54)


def test_hmm_entities_are_valid_and_scored_by_type(run: Run, corpus: Path, tmp_path: Path) -> None:
    data = corpus / "train.iob2"
    arguments = ["--train", data, "--column", "ner", "--lang", "xx", "-o", tmp_path / "ner", "-q"]
    assert run("train", "tagger", "--model", "hmm", *arguments)[0] == 0
    scores = json.loads(run("evaluate", tmp_path / "ner", data, "--json")[1])
    assert scores["entity_f1"] == 1.0
    assert sorted(scores["entity_per_label"]) == ["LOC", "PER"]
    assert "upos_acc" not in scores


def test_columns_that_nothing_sets_come_from_the_corpus(run: Run, corpus: Path, tmp_path: Path) -> None:
    """A chunker reads parts of speech that its pipeline does not make."""
    data, output = corpus / "train.conll", tmp_path / "chunker"
    given = ["--column", 2, "--template", "chunk", "--max-iterations", 5, "--lang", "xx", "-o", output, "-q"]
    assert run("train", "tagger", "--train", data, *given)[0] == 0
    scores = json.loads(run("evaluate", output, data, "--json")[1])
    assert scores["entity_f1"] == 1.0
    assert "column_1" not in str(scores)


def test_a_trained_folder_loads_and_annotates(run: Run, upos_model: Path) -> None:
    assert [token.pos_ for token in nlptk.load(upos_model)("Alan fed a comet in Oslo.")][:4] == [
        "PROPN", "VERB", "DET", "NOUN",
    ]  # fmt: skip
    status, out, _ = run("annotate", "-m", upos_model, "-f", "conllu", stdin=b"Alan fed a comet in Oslo.")
    assert status == 0
    assert "1\tAlan\t_\tPROPN\t_" in out


def test_info_tells_the_data_and_scores(run: Run, corpus: Path, upos_model: Path) -> None:
    meta = json.loads(run("info", upos_model, "--json")[1])
    assert meta["name"] == "upos"
    assert meta["data"]["train"]["file"] == "train.conllu"
    assert meta["data"]["train"]["tokens"] == 54 * 7
    assert len(meta["data"]["train"]["sha256"]) == 64


def test_evaluate_prints_the_scores_and_a_row_a_label(run: Run, corpus: Path, upos_model: Path) -> None:
    status, out, _ = run("evaluate", upos_model, corpus / "train.conllu")
    assert status == 0
    lines = [line.split() for line in out.splitlines()]
    assert ["upos_acc", "1.0000"] in lines
    assert ["NOUN", "1.0000", "1.0000", "1.0000", "54"] in lines


def test_segmenter_from_raw_text(run: Run, corpus: Path, tmp_path: Path) -> None:
    data, output = corpus / "train.conllu", tmp_path / "seg"
    status, out, err = run("train", "segmenter", "--train", data, "--dev", data, "--seed", 5, "-o", output)
    assert status == 0
    assert "words_f1 1.0000" in out
    assert f"{data}: 378 tokens" in err
    scores = json.loads(run("evaluate", output, data, "--json")[1])
    assert (scores["from"], scores["words_f1"], scores["sentences_f1"]) == ("raw text", 1.0, 1.0)
    doc = nlptk.load(output)("Ada lost a cat in Lima. Grace saw a piano in Oslo.")
    assert [len(sentence) for sentence in doc.sents] == [7, 7]


def test_raw_scores_count_label_and_span_together(run: Run, corpus: Path, upos_model: Path) -> None:
    scores = json.loads(run("evaluate", upos_model, corpus / "train.conllu", "--raw", "--json")[1])
    assert scores["from"] == "raw text"
    assert scores["words_f1"] == scores["upos_f1"] == 1.0


def test_templates_can_come_from_a_file(run: Run, corpus: Path, tmp_path: Path) -> None:
    data, template = corpus / "train.conllu", tmp_path / "template.txt"
    template.write_text("# only the word\nword  # itself\n\nword[-1]\n")
    status, _, _ = run("train", "tagger", "--template", template, "--train", data, "--lang", "xx", "-o",
                       tmp_path / "out", "-q")  # fmt: skip
    assert status == 0
    tagger = nlptk.load(tmp_path / "out").get_pipe("upos_tagger")
    assert tagger.to_state()[0]["state"]["templates"] == ["word", "word[-1]"]


def test_gazetteers_are_kept_in_the_model(run: Run, corpus: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.tsv"
    names.write_text("Anna\tPER\nNew Haven\tLOC\n")
    status, _, err = run("train", "tagger", "--column", "ner", "--train", corpus / "train.iob2",
                         "--gazetteer", f"towns={names}", "-o", tmp_path / "out", "-q")  # fmt: skip
    assert (status, err) == (0, "")
    names.unlink()
    state = nlptk.load(tmp_path / "out").get_pipe("ner_tagger").to_state()[0]["state"]
    assert state["gazetteers"] == [{"name": "towns", "longest": 8, "ignore_case": True}]
    assert "gazetteer:towns" in state["templates"]


def test_training_again_replaces_the_model(run: Run, corpus: Path, tmp_path: Path) -> None:
    arguments = ["--train", corpus / "train.conllu", "--lang", "xx", "-o", tmp_path / "out", "-q"]
    assert run("train", "tagger", "--model", "hmm", *arguments)[0] == 0
    assert run("train", "tagger", "--model", "hmm", "--column", "xpos", *arguments)[0] == 0
    assert nlptk.load(tmp_path / "out").pipe_names[-1] == "xpos_tagger"


def test_other_files_are_never_replaced(run: Run, corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    for output in (tmp_path, tmp_path / "thesis.txt"):
        status, _, err = run("train", "tagger", "--train", corpus / "train.conllu", "-o", output)
        assert status == 2
        assert str(output) in err
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("arguments", "status", "named"),
    [
        (["--column", "pso"], 2, "pso"),
        (["--column", "0"], 2, "0"),
        (["--column", "ner", "--model", "hmm"], 1, "ent"),
        (["--model", "hmm", "--c1", "1"], 2, "c1"),
        (["--gazetteer", "names.tsv"], 2, "NAME=FILE"),
        (["--gazetteer", "n=no-such-file.tsv"], 1, "no-such-file"),
        (["--model", "hmm", "--stream"], 2, "--stream is for --model crf"),
        (["--stream", "--documents"], 2, "--documents"),
        (["--model", "stacked", "--stream"], 2, "--stream is for --model crf"),
        (["--model", "stacked", "--folds", "55"], 1, "54 sentences, too few for 55 folds"),
        (["--folds", "5"], 2, "folds"),
        (["--hash-bits", "12"], 2, "--hash-bits is for --stream"),
        (["--stream", "--algorithm", "lbfgs"], 2, "algorithm='sgd'"),
        (["--template", "no-such-set"], 2, "no-such-set"),
        (["--lang", "tlh"], 2, "tlh"),
        (["--corpus-format", "docx"], 2, "docx"),
        (["--algorithm", "ap", "--c1", "1"], 2, "c1"),
    ],
)
def test_bad_settings_are_one_line(
    run: Run, corpus: Path, tmp_path: Path, arguments: list[str], status: int, named: str
) -> None:
    given = ["--train", corpus / "train.conllu", "-o", tmp_path / "out", "-q"]
    lang = [] if "--lang" in arguments else ["--lang", "xx"]
    answer = run("train", "tagger", *given, *lang, *arguments)
    assert answer[:2] == (status, "")
    assert answer[2].count("\n") == 1
    assert named in answer[2]
    assert not (tmp_path / "out").exists()


def test_a_bad_line_is_named(run: Run, tmp_path: Path) -> None:
    data = tmp_path / "bad.conllu"
    data.write_text("1\tHello\t_\tINTJ\t_\t_\t_\t_\t_\t_\n2 no tabs here\n\n")
    status, _, err = run("train", "tagger", "--train", data, "--lang", "xx", "-o", tmp_path / "out")
    assert status == 1
    assert f"{data}, line 2" in err
    assert err.count("\n") == 1


def test_an_empty_corpus_is_refused(run: Run, tmp_path: Path, upos_model: Path) -> None:
    data = tmp_path / "empty.conllu"
    data.write_text("")
    status, _, err = run("train", "tagger", "--train", data, "--lang", "xx", "-o", tmp_path / "out")
    assert (status, err.count("\n")) == (1, 1)
    status, _, err = run("evaluate", upos_model, data)
    assert (status, err.count("\n")) == (1, 1)


def test_labels_that_only_dev_has_count_as_misses(run: Run, corpus: Path, tmp_path: Path) -> None:
    dev = tmp_path / "dev.conllu"
    dev.write_text("1\tAda\t_\tPROPN\t_\t_\t_\t_\t_\t_\n2\tsaw\t_\tNOVEL\t_\t_\t_\t_\t_\t_\n\n")
    status, out, _ = run("train", "tagger", "--train", corpus / "train.conllu", "--dev", dev, "--lang", "xx",
                         "-o", tmp_path / "out", "--json", "-q")  # fmt: skip
    assert status == 0
    assert json.loads(out)["dev"]["upos_acc"] == 0.5


def test_nothing_to_score_says_what_there_is(run: Run, corpus: Path, upos_model: Path) -> None:
    status, _, err = run("evaluate", upos_model, corpus / "train.iob2", "--gold-tokens")
    assert status == 2
    assert "pos" in err
    assert "ent" in err


def test_interrupted_training_leaves_nothing(corpus: Path, tmp_path: Path) -> None:
    arguments = ["--train", corpus / "train.conllu", "--lang", "xx", "-o", tmp_path / "out"]
    arguments += ["--algorithm", "ap", "--max-iterations", "100000000"]
    process = subprocess.Popen(
        [sys.executable, "-m", "nlptk", "train", "tagger", *map(str, arguments)],
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(INSTALLED)},
    )
    assert process.stderr is not None
    assert b"378 tokens" in process.stderr.readline()  # the data is read, the training begins
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    assert list(tmp_path.iterdir()) == []
