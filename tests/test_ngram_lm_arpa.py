"""ARPA files: there and back, what KenLM reads in them, and files that are wrong."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlptk import NgramLM
from nlptk.errors import ConfigError, DataError

FALLBACK = (0.5, 1, 1.5)
_SENTENCES = st.lists(
    st.lists(st.sampled_from(["a", "b", "c", "é", "年\u3000月", "\\end\\"]), max_size=9), min_size=1
)

GOOD = """
\\data\\
ngram 1=5
ngram 2=3
ngram 3=1

\\1-grams:
-1\t<unk>
0\t<s>\t-0.3
-0.7\t</s>
-0.5 b -0.25
-0.25\ta\t-0.5\r

\\2-grams:
-0.2 b a -0.125
-0.1\t<s> b\t0
-0.4\tb </s>

\\3-grams:
-0.05\t<s> b a

\\end\\
whatever comes then
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "lm.arpa"
    path.write_bytes(text.encode())
    return path


# ---- there and back ----


@given(train=_SENTENCES, test=_SENTENCES, order=st.integers(1, 6), prune=st.sampled_from([(0,), (0, 1)]))
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory,
    train: list[list[str]],
    test: list[list[str]],
    order: int,
    prune: tuple[int, ...],
) -> None:
    model = NgramLM(order, prune=prune[:order], discount_fallback=FALLBACK).fit(train)
    folder = tmp_path_factory.mktemp("arpa")
    model.save_arpa(folder / "lm.arpa")
    again = NgramLM.load_arpa(folder / "lm.arpa")
    assert (again.order, again.words, again.counts) == (order, model.words, model.counts)
    assert again.score_batch(test).tolist() == model.score_batch(test).tolist()
    again.save_arpa(folder / "again.arpa.gz")
    assert gzip.decompress((folder / "again.arpa.gz").read_bytes()) == (folder / "lm.arpa").read_bytes()
    assert NgramLM.load_arpa(folder / "again.arpa.gz").words == model.words


def test_files_of_other_programs(tmp_path: Path) -> None:
    """N-grams in any order, blanks for tabs, back-offs left out, text after the end."""
    model = NgramLM.load_arpa(write(tmp_path, GOOD))
    assert model.counts == [5, 3, 1]
    assert model.words == ["<unk>", "<s>", "</s>", "b", "a"]
    first, second, third = model.full_scores("b a")
    assert first == (pytest.approx(-0.1), 2, False)
    assert second == (pytest.approx(-0.05), 3, False)
    assert third == (pytest.approx(-0.125 - 0.5 - 0.7), 1, False)
    assert model.score("x", eos=False) == pytest.approx(-0.3 - 1)


def test_unknown_words_of_a_file_without_them(tmp_path: Path) -> None:
    text = GOOD.replace("-1\t<unk>\n", "").replace("ngram 1=5", "ngram 1=4")
    assert NgramLM.load_arpa(write(tmp_path, text)).score("x", bos=False, eos=False) == -100
    text = GOOD.replace("<unk>", "<UNK>")
    assert NgramLM.load_arpa(write(tmp_path, text)).score("x", bos=False, eos=False) == -1


@pytest.mark.parametrize("order", [2, 5])
def test_kenlm_reads_what_is_written(tmp_path: Path, order: int) -> None:
    kenlm = pytest.importorskip("kenlm", reason="KenLM reads the ARPA file")
    train = [list("abracadabra"), list("banana"), [], list("abba"), list("cab"), ["é", "年月"]]
    model = NgramLM(order, discount_fallback=FALLBACK).fit(train)
    model.save_arpa(tmp_path / "lm.arpa")
    theirs = kenlm.Model(str(tmp_path / "lm.arpa"))
    for sentence in [*train, list("abxcd"), list("zzz"), ["é", "x", "年月"]]:
        text = " ".join(sentence)
        for bos in (True, False):
            assert model.score(text, bos) == pytest.approx(theirs.score(text, bos=bos), abs=1e-4)
        ours, expected = model.full_scores(text), list(theirs.full_scores(text))
        assert [entry[1:] for entry in ours] == [entry[1:] for entry in expected]
        assert [entry[0] for entry in ours] == pytest.approx([entry[0] for entry in expected], abs=1e-5)


# ---- what is wrong ----


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("\\data\\", "data", 2, "begins with"),
        ("ngram 2=3", "ngram 2=many", 4, "expected 'ngram 2=COUNT', found 'ngram 2=many'"),
        ("ngram 2=3", "ngram 3=3", 4, "expected 'ngram 2=COUNT'"),
        ("ngram 2=3", "ngram 2=2", 17, "more 2-grams than the 2"),
        ("ngram 2=3", "ngram 2=4", 19, "there are 3 2-grams, and the header says 4"),
        ("ngram 2=3", "ngram 2=4294967295", 4, "2\\^32 n-grams"),
        ("ngram 3=1", "ngram 3=1\nngram 4=0\nngram 5=0\nngram 6=0\nngram 7=0", 9, "6 is the highest"),
        ("\\1-grams:", "\\2-grams:", 7, "expected '.1-grams:', found '.2-grams:'"),
        ("-0.5 b -0.25", "-0.5 b x", 11, "'x' is not a number"),
        ("-0.5 b -0.25", "-0.5", 11, "expected 1 words, found 0"),
        ("-0.5 b -0.25", "nan b", 11, "'nan' is not a number"),
        ("-0.5 b -0.25", "0.5 b", 11, "above 0"),
        ("-0.5 b -0.25", "-0.5 b -0.25 9", 11, "more after the n-gram"),
        ("-0.5 b -0.25", "-0.5 a -0.25", 12, "1-gram 'a' stands here for the second time"),
        ("-0.7\t</s>", "-0.7 c", 14, "no </s> among the 1-grams"),
        ("b a -0.125", "b c -0.125", 15, "'c' is not among the 1-grams"),
        ("b a -0.125", "c a -0.125", 15, "'c' is not among the 1-grams"),
        ("-0.4\tb </s>", "-0.4\tb a", 17, "2-gram stands here for the second time"),
        ("-0.05\t<s> b a", "-0.05\ta b a", 20, "context 'a b' is not among the 2-grams"),
        ("-0.05\t<s> b a", "-0.05\t<s> b", 20, "expected 3 words, found 2"),
        ("-0.05\t<s> b a", "-0.05\t<s> b a -1", 20, "more after the n-gram"),
        ("\\end\\\nwhatever comes then", "", 22, "cut short"),
        ("\\end\\", "", 23, "'whatever' is not a number"),
        ("\\end\\", "\\4-grams:", 22, "expected '.end.', found '.4-grams:'"),
    ],
)
def test_malformed_files_are_named_with_their_line(
    tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    path = write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(DataError, match=rf"lm\.arpa, line {line}: .*{message}"):
        NgramLM.load_arpa(path)


def test_files_that_are_no_text(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 1: the file is empty"):
        NgramLM.load_arpa(write(tmp_path, ""))
    with pytest.raises(DataError, match="cannot read"):
        NgramLM.load_arpa(tmp_path / "none.arpa")
    path = tmp_path / "cut.arpa.gz"
    path.write_bytes(gzip.compress(GOOD.encode())[:-20])
    with pytest.raises(DataError, match=r"cut\.arpa\.gz, line \d+: the gzip stream is damaged"):
        NgramLM.load_arpa(path)
    path = tmp_path / "latin.arpa"
    path.write_bytes(GOOD.encode().replace(b" b ", b" \xe9 "))
    with pytest.raises(DataError, match=r"latin\.arpa, line 11: .*not UTF-8"):
        NgramLM.load_arpa(path)


@pytest.mark.parametrize("word", ["", "a b", "a\nb", "\0", "x\ty"])
def test_words_that_a_file_cannot_hold(tmp_path: Path, word: str) -> None:
    model = NgramLM(2, discount_fallback=FALLBACK).fit([["a", word]])
    with pytest.raises(DataError, match="is empty or has white space or NUL in it"):
        model.save_arpa(tmp_path / "lm.arpa")
    assert not list(tmp_path.iterdir())


def test_models_that_a_file_cannot_hold(tmp_path: Path) -> None:
    model = NgramLM(2, discount_fallback=FALLBACK).fit([["a", "\ud800"]])
    with pytest.raises(DataError, match="lone surrogate"):
        model.save_arpa(tmp_path / "lm.arpa")
    with pytest.raises(ConfigError, match="back-off models, which Laplace"):
        NgramLM(2, "laplace").fit([["a"]]).save_arpa(tmp_path / "lm.arpa")
    unigrams = NgramLM(1, "laplace").fit([["a", "b"]])
    unigrams.save_arpa(tmp_path / "lm.arpa")
    assert NgramLM.load_arpa(tmp_path / "lm.arpa").score("a c") == unigrams.score("a c")


def test_text_files_and_their_faults(tmp_path: Path) -> None:
    text = "a b c\na b\r\n\nc é\n"
    (tmp_path / "plain.txt").write_bytes(text.encode())
    (tmp_path / "packed.txt.gz").write_bytes(gzip.compress(text.encode()))
    expected = NgramLM(2, discount_fallback=FALLBACK).fit(["a b c", "a b", "", "c é"] * 2)
    done: list[int] = []
    for tokenizer in (None, str.split):
        model = NgramLM(2, discount_fallback=FALLBACK, tokenizer=tokenizer)
        model.fit_files(
            [tmp_path / "plain.txt", tmp_path / "packed.txt.gz"], progress=lambda at, total: done.append(at)
        )
        assert model.words == expected.words
        assert model.score("a b é") == expected.score("a b é")
    assert done == [len(text.encode()), 2 * len(text.encode())] * 2
    (tmp_path / "latin.txt").write_bytes(b"a b\nc \xe9 d\na\n")
    for tokenizer in (None, str.split):
        model = NgramLM(2, discount_fallback=FALLBACK, tokenizer=tokenizer)
        with pytest.raises(DataError, match=r"latin\.txt, line 2: byte 0xe9 is not UTF-8"):
            model.fit_files([tmp_path / "latin.txt"])
        assert "\ufffd" in model.fit_files([tmp_path / "latin.txt"], errors="replace")
    with pytest.raises(ConfigError, match="errors must be"):
        model.fit_files([tmp_path / "plain.txt"], errors="ignore")
