"""Language: running and editing a pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nlptk
from nlptk import Doc, Language, registry
from nlptk.component import Component
from nlptk.errors import ConfigError, NlptkError

TEXTS = st.text(st.one_of(st.characters(), st.sampled_from(" \n\x00\ud83d😀汉ab.")), max_size=40)


@pytest.fixture(autouse=True, scope="module")
def components() -> Iterator[None]:
    before = dict(registry._registered)

    @nlptk.component("lang_lengths", assigns=["doc.len"], requires=["doc.tokens"])
    class Lengths(Component):
        """Column "len" in batches; refuses texts with "bad"."""

        def __init__(self, unit: str = "") -> None:
            self.unit = unit
            self.sizes: list[int] = []

        def annotate(self, docs: Sequence[Doc]) -> None:
            self.sizes.append(len(docs))
            for doc in docs:
                if "bad" in doc.text:
                    raise ValueError(f"cannot measure {doc.text!r}")
                doc.set_column("len", [f"{len(word)}{self.unit}" for word in doc.words])

    @nlptk.component("lang_shout", requires=["doc.tokens"])
    def shout(doc: Doc) -> Doc:
        new = Doc(doc.text.upper(), doc.starts, doc.ends)  # a function may give another Doc
        new.user_data = doc.user_data
        return new

    @nlptk.component("lang_forgetful")
    def forgetful(doc: Doc) -> None:
        return None

    @nlptk.factory("lang_cats", default_config={"label": "x"}, assigns=["doc.cats"])
    def make_cats(nlp: Language, name: str, label: str) -> Any:
        def cats(doc: Doc) -> Doc:
            doc.cats[f"{nlp.lang}/{name}/{label}"] = 1.0
            return doc

        return cats

    @nlptk.factory("lang_broken")
    def make_broken(nlp: Language, name: str) -> Any:
        return 3

    yield
    registry._registered.clear()
    registry._registered.update(before)


@pytest.fixture
def nlp() -> Language:
    nlp = nlptk.blank("xx")
    nlp.add_pipe("lang_lengths", name="lengths")
    return nlp


# ---- calling ----------------------------------------------------------------------------------------------


def test_call(nlp: Language) -> None:
    doc = nlp("Hello, world")
    assert doc.words == ["Hello", ",", "world"]
    assert doc.column("len") == ["5", "1", "5"]


@given(TEXTS)
def test_any_text_is_kept(text: str) -> None:
    nlp = nlptk.blank("xx")
    nlp.add_pipe("sentencizer")
    [piped] = nlp.pipe([text])
    for doc in (nlp(text), piped):
        assert doc.text == text
        assert "".join(token.text_with_ws for token in doc) == text
        assert "".join(span.text_with_ws for span in doc.sents) == text


def test_a_million_characters_without_a_space(nlp: Language) -> None:
    assert nlp("x" * 1_000_000).column("len") == ["1000000"]


def test_a_tokenized_doc_keeps_its_tokens(nlp: Language) -> None:
    doc = Doc.from_words(["can", "not"], [False, False])
    assert nlp(doc) is doc
    assert doc.column("len") == ["3", "3"]
    texts = [Doc.from_words(["can", "not"], [False, False]), "cannot", Doc("cannot")]
    assert [d.words for d in nlp.pipe(texts)] == [["can", "not"], ["cannot"], ["cannot"]]


@pytest.mark.parametrize("wrong", [b"bytes", None, 3, ["a", "b"]])
def test_input_must_be_text(nlp: Language, wrong: Any) -> None:
    with pytest.raises(ConfigError, match="nlp takes a str or a Doc, not"):
        nlp(wrong)
    with pytest.raises(ConfigError, match="nlp takes a str or a Doc, not"):
        list(nlp.pipe([wrong]))


@pytest.mark.parametrize("wrong", ["one text", b"bytes", Doc("a")])
def test_pipe_wants_many(nlp: Language, wrong: Any) -> None:
    with pytest.raises(ConfigError, match="takes many texts"):
        nlp.pipe(wrong)


def test_call_disable(nlp: Language) -> None:
    assert not nlp("a", disable=["lengths"]).has_column("len")
    assert nlp("a").has_column("len")
    with pytest.raises(ConfigError, match="no component 'nothing': it has tokenizer, lengths"):
        nlp("a", disable=["nothing"])


def test_a_component_without_tokens_says_so() -> None:
    nlp = Language("xx")
    nlp.add_pipe("lang_lengths")
    with pytest.raises(ConfigError, match="needs tokens and the Doc has none"):
        nlp("a")
    seen = []
    docs = nlp.pipe(["a", Doc.from_words(["b"])], error_handler=lambda *args: seen.append(args[2][0].text))
    assert [doc.text for doc in docs] == ["b"]
    assert seen == ["a"]


def test_functions_and_factories(nlp: Language) -> None:
    nlp.add_pipe("lang_shout")
    nlp.add_pipe("lang_cats", name="c", config={"label": "y"})
    assert nlp("hi").text == "HI"
    assert nlp("hi").cats == {"xx/c/y": 1.0}
    assert [(d.text, c) for d, c in nlp.pipe([("a", 1), ("b", 2)], as_tuples=True)] == [("A", 1), ("B", 2)]
    nlp.add_pipe("lang_forgetful")
    with pytest.raises(ConfigError, match="'lang_forgetful' returned NoneType"):
        nlp("a")
    with pytest.raises(ConfigError, match="made int, which cannot be called"):
        nlp.add_pipe("lang_broken")


# ---- streaming --------------------------------------------------------------------------------------------


def test_pipe_is_lazy_ordered_and_batched(nlp: Language) -> None:
    read = []

    def texts() -> Iterator[str]:
        for i in range(100):
            read.append(i)
            yield f"text {i}"

    stream = nlp.pipe(texts(), batch_size=4)
    assert read == []
    assert next(stream).text == "text 0"
    assert read == [0, 1, 2, 3]
    assert [doc.text for doc in stream] == [f"text {i}" for i in range(1, 100)]
    assert nlp.get_pipe("lengths").sizes == [4] * 25


def test_pipe_can_be_closed(nlp: Language) -> None:
    stream = nlp.pipe(iter(lambda: "again", ""))
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert list(stream) == []


def test_pipe_as_tuples(nlp: Language) -> None:
    pairs = [("a", {"id": 1}), (Doc("b"), {"id": 2})]
    assert [(d.text, c["id"]) for d, c in nlp.pipe(pairs, as_tuples=True)] == [("a", 1), ("b", 2)]
    for wrong in (["a"], [("a", 1, 2)], [3]):
        with pytest.raises(ConfigError, match="pairs"):
            list(nlp.pipe(wrong, as_tuples=True))  # type: ignore[call-overload]


@pytest.mark.parametrize(("setting", "value"), [("batch_size", 0), ("n_process", 0), ("n_process", -2)])
def test_pipe_settings(nlp: Language, setting: str, value: int) -> None:
    with pytest.raises(ConfigError, match=setting):
        nlp.pipe(["a"], **{setting: value})  # type: ignore[call-overload]


def test_pipe_disable(nlp: Language) -> None:
    assert not next(nlp.pipe(["a"], disable=["lengths"])).has_column("len")


def test_what_came_before_a_failing_source_is_not_lost(nlp: Language) -> None:
    def texts() -> Iterator[str]:
        yield "a"
        yield "b"
        raise OSError("the disk is gone")

    out = []
    with pytest.raises(OSError, match="the disk is gone"):
        out.extend(doc.text for doc in nlp.pipe(texts()))
    stream = nlp.pipe(texts())
    assert [next(stream).text, next(stream).text] == ["a", "b"]
    with pytest.raises(OSError, match="the disk is gone"):
        next(stream)


# ---- errors -----------------------------------------------------------------------------------------------


def test_one_bad_text_reaches_the_handler_alone(nlp: Language) -> None:
    seen: list[tuple[str, Any, list[Any], Exception]] = []
    texts = [("a", 0), ("bad", 1), (None, 2), ("d", 3)]
    stream = nlp.pipe(texts, as_tuples=True, error_handler=lambda *args: seen.append(args))  # type: ignore[call-overload]
    assert [(d.text, c) for d, c in stream] == [("a", 0), ("d", 3)]
    (make, _, [wrong], wrong_error), (name, proc, [bad], error) = seen
    assert (make, wrong) == ("make_doc", None)
    assert "not NoneType" in str(wrong_error)
    assert (name, proc, bad.text) == ("lengths", nlp.get_pipe("lengths"), "bad")
    assert str(error) == "cannot measure 'bad'"


def test_errors_are_raised_by_default(nlp: Language) -> None:
    with pytest.raises(ValueError, match="cannot measure 'bad'"):
        nlp("bad")
    with pytest.raises(ValueError, match="cannot measure 'bad'"):
        list(nlp.pipe(["a", "bad", "c"]))


def test_set_error_handler(nlp: Language) -> None:
    seen = []
    nlp.set_error_handler(lambda name, proc, docs, error: seen.append(docs[0].text))
    assert [doc.text for doc in nlp.pipe(["a", "bad", "c"])] == ["a", "c"]
    doc = nlp("bad")  # a single Doc goes on without what failed
    assert doc.is_tokenized
    assert not doc.has_column("len")
    assert seen == ["bad", "bad"]
    assert nlp.default_error_handler is not None


def test_a_tokenizer_that_fails_on_one_text() -> None:
    @nlptk.component("lang_fussy", assigns=["doc.tokens"])
    class Fussy(Component):
        def annotate(self, docs: Sequence[Doc]) -> None:
            for doc in docs:
                if doc.text == "bad":
                    raise ValueError("no")
                doc.set_tokens([0], [len(doc.text)])

    nlp = Language()
    nlp.add_pipe("lang_fussy")
    texts = ["a", "bad", Doc.from_words(["x", "y"]), "b"]
    out = list(nlp.pipe(texts, error_handler=lambda *args: None))
    assert [doc.words for doc in out] == [["a"], ["x", "y"], ["b"]]


# ---- editing ----------------------------------------------------------------------------------------------


def names(nlp: Language) -> str:
    return " ".join(nlp.component_names)


def test_add_pipe_places() -> None:
    nlp = Language()
    for name in ("m", "n"):
        nlp.add_pipe("sentencizer", name=name)
    nlp.add_pipe("sentencizer", name="first", first=True)
    nlp.add_pipe("sentencizer", name="last", last=True)
    nlp.add_pipe("sentencizer", name="before", before="n")
    nlp.add_pipe("sentencizer", name="after", after="n")
    nlp.add_pipe("sentencizer", name="at0", before=0)
    nlp.add_pipe("sentencizer", name="after1", after=1)
    assert names(nlp) == "at0 first after1 m before n after last"


def test_add_pipe_errors(nlp: Language) -> None:
    for wrong, message in [
        ({"factory": "lang_lengths", "name": "lengths"}, "already"),
        ({"factory": "sentencizer", "before": "nothing"}, "no component 'nothing'"),
        ({"factory": "sentencizer", "after": 2}, "no component at place 2"),
        ({"factory": "sentencizer", "before": -1}, "no component at place -1"),
        ({"factory": "sentencizer", "before": "lengths", "first": True}, "only one of"),
        ({"factory": "nothing"}, "no component 'nothing'"),
        ({"factory": "lang_lengths", "name": "b", "config": {"x": 1}}, "does not take this config"),
        ({"factory": len}, "no registered component"),
    ]:
        with pytest.raises(ConfigError, match=message):
            nlp.add_pipe(**wrong)  # type: ignore[arg-type]
    assert names(nlp) == "tokenizer lengths"


def test_add_pipe_takes_an_instance() -> None:
    nlp = nlptk.blank("xx")
    made = registry.get("lang_lengths").target(unit="c")
    assert nlp.add_pipe(made, name="mine") is made
    assert made.name == "mine"
    assert nlp.pipe_factories == {"tokenizer": "char_tokenizer", "mine": "lang_lengths"}
    assert nlp("ab").column("len") == ["2c"]
    assert nlp.add_pipe(registry.get("lang_shout").target) is registry.get("lang_shout").target
    assert nlp.component_names[-1] == "lang_shout"
    with pytest.raises(ConfigError, match="has its settings already"):
        nlp.add_pipe(made, name="again", config={"unit": "d"})


def test_remove_rename_replace(nlp: Language) -> None:
    component = nlp.get_pipe("lengths")
    nlp.rename_pipe("lengths", "sizes")
    assert names(nlp) == "tokenizer sizes"
    assert component.name == "sizes"
    with pytest.raises(ConfigError, match="'tokenizer' already"):
        nlp.rename_pipe("sizes", "tokenizer")
    new = nlp.replace_pipe("sizes", "lang_lengths", config={"unit": "px"})
    assert new is not component
    assert nlp("ab").column("len") == ["2px"]
    assert nlp.remove_pipe("sizes") == ("sizes", new)
    assert names(nlp) == "tokenizer"
    assert not nlp("ab").has_column("len")
    for act in (nlp.get_pipe, nlp.remove_pipe, nlp.disable_pipe, nlp.enable_pipe):
        with pytest.raises(ConfigError, match="no component 'sizes'"):
            act("sizes")


def test_disable_and_enable(nlp: Language) -> None:
    nlp.disable_pipe("lengths")
    assert (nlp.pipe_names, nlp.disabled) == (["tokenizer"], ["lengths"])
    assert nlp.component_names == ["tokenizer", "lengths"]
    assert [name for name, _ in nlp.pipeline] == ["tokenizer"]
    assert [name for name, _ in nlp.components] == ["tokenizer", "lengths"]
    assert not nlp.has_pipe("lengths")
    assert not nlp("a").has_column("len")
    nlp.replace_pipe("lengths", "lang_lengths")
    assert nlp.disabled == ["lengths"]
    nlp.enable_pipe("lengths")
    assert nlp.has_pipe("lengths")
    assert nlp("a").has_column("len")


def test_select_pipes(nlp: Language) -> None:
    nlp.add_pipe("sentencizer")
    with nlp.select_pipes(disable="lengths") as disabled:
        assert disabled == ["lengths"]
        assert nlp.pipe_names == ["tokenizer", "sentencizer"]
        with nlp.select_pipes(enable=["tokenizer"]):
            assert nlp.pipe_names == ["tokenizer"]
        assert nlp.pipe_names == ["tokenizer", "sentencizer"]
    assert nlp.disabled == []
    with pytest.raises(RuntimeError, match="inside"), nlp.select_pipes(enable="tokenizer"):
        raise RuntimeError("inside")
    assert nlp.disabled == []
    held = nlp.select_pipes(disable=["lengths", "sentencizer"])
    nlp.remove_pipe("sentencizer")
    held.restore()
    assert nlp.pipe_names == ["tokenizer", "lengths"]
    nlp.disable_pipe("lengths")
    with nlp.select_pipes(disable=["lengths"]):
        pass
    assert nlp.disabled == ["lengths"]  # what was disabled before stays so
    for wrong in ({}, {"disable": ["lengths"], "enable": ["tokenizer"]}):
        with pytest.raises(ConfigError, match="either disable or enable"):
            nlp.select_pipes(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="no component 'nothing'"):
        nlp.select_pipes(disable=["nothing"])


def test_analyze_pipes(nlp: Language, capsys: pytest.CaptureFixture[str]) -> None:
    assert nlp.analyze_pipes()["problems"] == {"tokenizer": [], "lengths": []}
    assert capsys.readouterr().out == ""
    nlp.add_pipe("sentencizer", first=True)
    analysis = nlp.analyze_pipes(pretty=True)
    assert analysis["problems"] == {"sentencizer": ["doc.tokens"], "tokenizer": [], "lengths": []}
    assert analysis["summary"]["lengths"] == {"assigns": ["doc.len"], "requires": ["doc.tokens"]}
    assert analysis["attrs"]["doc.tokens"]["assigns"] == ["tokenizer"]
    assert analysis["attrs"]["doc.tokens"]["requires"] == ["sentencizer", "lengths"]
    printed = capsys.readouterr().out
    assert "sentencizer requires doc.tokens, which nothing before it assigns" in printed
    with nlp.select_pipes(disable="sentencizer"):
        assert "sentencizer" not in nlp.analyze_pipes()["summary"]


def test_errors_are_one_sentence_of_nlptk() -> None:
    assert issubclass(ConfigError, NlptkError)
    assert issubclass(ConfigError, ValueError)
