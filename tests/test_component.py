"""Component: batches, errors, default state."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from nlptk import Doc
from nlptk.component import Component, annotate_batch
from nlptk.errors import ConfigError


class Upper(Component):
    """Sets the column "up"; refuses a Doc with the word "bad"."""

    name = "upper"

    def __init__(self, mark: str = "", *, times: int = 1) -> None:
        self.mark = mark
        self.times = times
        self.batches: list[int] = []

    def annotate(self, docs: Sequence[Doc]) -> None:
        self.batches.append(len(docs))
        for doc in docs:
            if "bad" in doc.words:
                raise ValueError(f"bad: {doc.text}")
            doc.set_column("up", [w.upper() + self.mark for w in doc.words])


def docs(*texts: str) -> list[Doc]:
    return [Doc.from_words(text.split()) for text in texts]


def test_call_and_pipe() -> None:
    upper = Upper("!")
    doc = docs("a b")[0]
    assert upper(doc) is doc
    assert doc.column("up") == ["A!", "B!"]
    out = list(upper.pipe(iter(docs("a", "b", "c")), batch_size=2))
    assert [d.column("up") for d in out] == [["A!"], ["B!"], ["C!"]]
    assert upper.batches == [1, 2, 1]


def test_pipe_is_lazy() -> None:
    def endless():
        while True:
            yield docs("a")[0]

    stream = Upper().pipe(endless(), batch_size=3)
    assert next(stream).column("up") == ["A"]


def test_one_bad_doc_reaches_the_handler_alone() -> None:
    seen = []
    upper = Upper()
    stream = upper.pipe(docs("a", "bad", "c"), error_handler=lambda *args: seen.append(args))
    assert [d.text for d in stream] == ["a", "c"]
    [(name, proc, failed, error)] = seen
    assert (name, proc) == ("upper", upper)
    assert [d.text for d in failed] == ["bad"]
    assert str(error) == "bad: bad"


def test_without_a_handler_the_error_is_raised() -> None:
    with pytest.raises(ValueError, match="bad: bad"):
        list(Upper().pipe(docs("a", "bad")))


def test_annotate_batch_reports_places() -> None:
    done, kept = annotate_batch("upper", Upper(), docs("bad", "b", "bad", "d"), lambda *args: None)
    assert [d.text for d in done] == ["b", "d"]
    assert kept == [1, 3]
    assert annotate_batch("upper", Upper(), docs("bad"), lambda *args: None) == ([], [])
    done, kept = annotate_batch("f", lambda doc: doc, docs("a"), lambda *args: None)
    assert ([d.text for d in done], kept) == (["a"], None)


def test_a_function_must_return_the_doc() -> None:
    errors = []
    annotate_batch("f", lambda doc: None, docs("a"), lambda *args: errors.append(args[3]))
    assert "component 'f' returned NoneType" in str(errors[0])


def test_default_state_is_the_settings() -> None:
    config, arrays = Upper("?", times=3).to_state()
    assert (config, arrays) == ({"mark": "?", "times": 3}, {})
    again = Upper.from_state(config, arrays)
    assert (again.mark, again.times) == ("?", 3)

    class Forgets(Component):
        def __init__(self, size: int = 3) -> None:
            pass

    with pytest.raises(ConfigError, match="does not keep its setting 'size'"):
        Forgets().to_state()


def test_annotate_must_be_written() -> None:
    with pytest.raises(NotImplementedError, match="must define annotate"):
        Component()(Doc("a"))
