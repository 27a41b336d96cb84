"""The streams behind `Language.pipe`: batches through the components, in this process or in others."""

from __future__ import annotations

import contextlib
import os
import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from nlptk.component import ErrorHandler, annotate_batch
from nlptk.doc import Doc
from nlptk.errors import ConfigError

if TYPE_CHECKING:
    from nlptk.language import Language
    from nlptk.pipes import Step


def no_tokens(name: str) -> ConfigError:
    """The error for a component that needs tokens and was given a Doc without."""
    return ConfigError(
        f"component {name!r} needs tokens and the Doc has none: put a tokenizer or segmenter before it"
    )


def batches(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Lists of `size` items (the last shorter). If the source raises, what it gave is yielded first."""
    batch: list[Any] = []
    try:
        for item in items:
            batch.append(item)
            if len(batch) == size:
                yield batch
                batch = []
    except Exception:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def run_batch(
    make_doc: Callable[[str], Doc], plan: Sequence[Step], items: Sequence[Any], handler: ErrorHandler
) -> tuple[list[Doc], list[int]]:
    """One batch through all components: (the Docs that came through, their places in `items`)."""
    docs: list[Doc] = []
    places: list[int] = []
    for place, item in enumerate(items):
        try:
            docs.append(item if isinstance(item, Doc) else make_doc(item))
            places.append(place)
        except Exception as error:
            handler("make_doc", make_doc, [item], error)
    for step in plan:
        if docs:
            docs, kept = _run_step(step, docs, handler)
            if kept is not None:
                places = [places[k] for k in kept]
    return docs, places


def _run_step(step: Step, docs: list[Doc], handler: ErrorHandler) -> tuple[list[Doc], list[int] | None]:
    """One component over a batch: a tokenizer passes by what has tokens, others refuse what needs some and
    has none.
    """
    todo = range(len(docs))
    if step.tokenizes or step.needs_tokens:
        todo = [k for k in todo if docs[k].is_tokenized is not step.tokenizes]  # type: ignore[assignment]
    if len(todo) == len(docs):
        return annotate_batch(step.name, step.component, docs, handler)
    through = dict(enumerate(docs))
    chosen = [through.pop(k) for k in todo]
    if not step.tokenizes:
        for doc in through.values():
            handler(step.name, step.component, [doc], no_tokens(step.name))
        through.clear()
    if chosen:
        done, kept = annotate_batch(step.name, step.component, chosen, handler)
        for k, doc in zip(todo if kept is None else [todo[k] for k in kept], done, strict=True):
            through[k] = doc
    order = sorted(through)
    return [through[k] for k in order], order


def stream(
    nlp: Language,
    plan: Sequence[Step],
    texts: Iterable[Any],
    as_tuples: bool,
    batch_size: int,
    handler: ErrorHandler,
) -> Iterator[Any]:
    """`Language.pipe` in this process."""
    for batch in batches(texts, batch_size):
        items, contexts = _split(batch, as_tuples)
        docs, places = run_batch(nlp.make_doc, plan, items, handler)
        yield from docs if contexts is None else [(d, contexts[k]) for d, k in zip(docs, places, strict=True)]


def _split(batch: list[Any], as_tuples: bool) -> tuple[list[Any], list[Any] | None]:
    if not as_tuples:
        return batch, None
    try:
        pairs = [(item, context) for item, context in batch]
    except (TypeError, ValueError):
        raise ConfigError("as_tuples=True takes pairs (text, context)") from None
    return [item for item, _ in pairs], [context for _, context in pairs]


# ---- worker processes ----------------------------------------------------------------------------


class Failure(NamedTuple):
    """An error in a worker: the component's name ("make_doc" for the input itself), what failed, error,
    traceback.
    """

    proc_name: str
    docs: list[Any]
    error: Exception
    traceback: str


class Answer(NamedTuple):
    """A worker's answer for one batch: the Docs that came through, their places in it, and the failures."""

    docs: list[Doc]
    places: list[int]
    failures: list[Failure]


def stream_processes(
    nlp: Language,
    plan: Sequence[Step],
    texts: Iterable[Any],
    as_tuples: bool,
    batch_size: int,
    handler: ErrorHandler,
    n_process: int,
) -> Iterator[Any]:
    """`Language.pipe` in worker processes. Contexts stay here; failures come back to the handler."""
    from nlptk.parallel import ordered_map, with_traceback  # loads multiprocessing, which few need

    sent: deque[tuple[list[int], list[Any] | None]] = deque()

    def tasks() -> Iterator[bytes]:
        for batch in batches(texts, batch_size):
            items, contexts = _split(batch, as_tuples)
            data, places, failures = _pickled(items)
            for k, error in failures:
                handler("make_doc", nlp.make_doc, [items[k]], error)
            sent.append((places, contexts))
            yield data

    # Importing the modules that registered factories here registers them in the worker too.
    modules = sorted({pipe.factory.target.__module__ for pipe in nlp._pipes} - {"__main__"})
    threads = max(1, (os.cpu_count() or 1) // n_process)
    args = (type(nlp), nlp.to_bytes(), modules, [step.name for step in plan], threads)
    with contextlib.closing(ordered_map(_start, args, tasks(), n_process)) as answers:
        for data in answers:
            answer: Answer = pickle.loads(data)
            places, contexts = sent.popleft()
            for failure in answer.failures:
                made = failure.proc_name == "make_doc"
                proc = nlp.make_doc if made else nlp.get_pipe(failure.proc_name)
                handler(
                    failure.proc_name, proc, failure.docs, with_traceback(failure.error, failure.traceback)
                )
            if contexts is None:
                yield from answer.docs
            else:
                yield from [
                    (doc, contexts[places[k]]) for doc, k in zip(answer.docs, answer.places, strict=True)
                ]


def _pickled(items: list[Any]) -> tuple[bytes, list[int], list[tuple[int, ConfigError]]]:
    """(the items as one pickle, the places of those in it, the others with their errors)."""
    try:
        return pickle.dumps(items), list(range(len(items))), []
    except Exception:
        kept, failures = [], []
        for k, item in enumerate(items):
            try:
                pickle.dumps(item)
                kept.append(k)
            except Exception as error:
                wrong = ConfigError(f"this item cannot be sent to or from a worker process: {error}")
                failures.append((k, wrong))
        return pickle.dumps([items[k] for k in kept]), kept, failures


def _start(
    cls: type[Language], data: bytes, modules: Sequence[str], names: Sequence[str], threads: int
) -> Callable[[bytes], bytes]:
    """In the worker: the pipeline again, and the function that takes one batch through it."""
    from nlptk.parallel import portable_error

    os.environ.setdefault("NLPTK_NUM_THREADS", str(threads))  # the workers share the cores
    for module in modules:
        import_module(module)
    nlp = cls.from_bytes(data)
    with nlp.select_pipes(enable=names):
        plan = nlp._plan

    def work(data: bytes) -> bytes:
        failures: list[Failure] = []

        def collect(proc_name: str, proc: Any, docs: list[Any], error: Exception) -> None:
            failures.append(Failure(proc_name, docs, *portable_error(error)))

        docs, places = run_batch(nlp.make_doc, plan, pickle.loads(data), collect)
        _, sendable, unsendable = _pickled(docs)
        for k, error in unsendable:
            failures.append(Failure("make_doc", [docs[k].text], error, ""))
        answer = Answer([docs[k] for k in sendable], [places[k] for k in sendable], failures)
        return pickle.dumps(answer)

    return work
