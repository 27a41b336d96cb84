"""Language: the pipeline. Call it, stream through it, edit it, save it, load it.

Components are reached by registry name only. The tokenizer is a component like any other, usually the first.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from nlptk import language_io, language_pipe, store
from nlptk.component import ErrorHandler, checked_doc, raise_error
from nlptk.doc import Doc
from nlptk.errors import ConfigError
from nlptk.pipes import Pipes

if TYPE_CHECKING:
    from typing_extensions import Self

C = TypeVar("C")

BLANK_TOKENIZERS = {"en": "tokenizer_en", "zh": "jieba", "xx": "char_tokenizer"}


class Language(Pipes):
    """A pipeline of components for one language.

    >>> import nlptk
    >>> nlp = nlptk.blank("xx")
    >>> [token.text for token in nlp("Hello world")]
    ['Hello', 'world']
    """

    def __init__(self, lang: str = "xx", *, meta: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        #: lang, name, version, data, license, scores, ...; "pipeline" follows the components.
        self.meta: dict[str, Any] = {"lang": lang, "name": "pipeline", "version": "0.0.0", **(meta or {})}
        self._changed()
        self.default_error_handler: ErrorHandler = raise_error

    def _changed(self) -> None:
        super()._changed()
        self.meta["pipeline"] = [{"name": pipe.name, "factory": pipe.factory.name} for pipe in self._pipes]

    # ---- running ------------------------------------------------------------------------------------------

    @property
    def lang(self) -> str:
        """The language's code, such as "en"."""
        return str(self.meta["lang"])

    def make_doc(self, text: str) -> Doc:
        """A Doc of this text with no tokens yet. Raises ConfigError if it is not a str."""
        if not isinstance(text, str):
            raise ConfigError(
                f"nlp takes a str or a Doc, not {type(text).__name__}: "
                "decode bytes first, and use nlp.pipe for many texts"
            )
        return Doc(text)

    def __call__(self, text: str | Doc, *, disable: Sequence[str] = ()) -> Doc:
        """Annotate one text, or a Doc in place. `disable` names components to leave out this once.

        An error goes to `default_error_handler`; if that returns, the Doc goes on to the next component.
        """
        doc = text if isinstance(text, Doc) else self.make_doc(text)
        for name, component, tokenizes, needs_tokens in self._steps(disable) if disable else self._plan:
            if tokenizes and doc.is_tokenized:
                continue
            try:
                if needs_tokens and not doc.is_tokenized:
                    raise language_pipe.no_tokens(name)
                result = component(doc)
                doc = result if isinstance(result, Doc) else checked_doc(name, result)
            except Exception as error:
                self.default_error_handler(name, component, [doc], error)
        return doc

    @overload
    def pipe(
        self,
        texts: Iterable[str | Doc],
        *,
        as_tuples: Literal[False] = ...,
        batch_size: int = ...,
        n_process: int = ...,
        disable: Sequence[str] = ...,
        error_handler: ErrorHandler | None = ...,
    ) -> Iterator[Doc]: ...

    @overload
    def pipe(
        self,
        texts: Iterable[tuple[str | Doc, C]],
        *,
        as_tuples: Literal[True],
        batch_size: int = ...,
        n_process: int = ...,
        disable: Sequence[str] = ...,
        error_handler: ErrorHandler | None = ...,
    ) -> Iterator[tuple[Doc, C]]: ...

    def pipe(
        self,
        texts: Iterable[Any],
        *,
        as_tuples: bool = False,
        batch_size: int = 256,
        n_process: int = 1,
        disable: Sequence[str] = (),
        error_handler: ErrorHandler | None = None,
    ) -> Iterator[Any]:
        """Annotate a stream of texts or Docs lazily and in order; close the iterator to stop early.

        Parameters: `as_tuples`: take (text, context) and give (Doc, context); `batch_size`: Docs for each
        call of a component; `n_process`: worker processes (-1: one for each CPU), started by "spawn", so a
        script needs ``if __name__ == "__main__":``; `disable`: components to leave out; `error_handler`:
        called as ``handler(proc_name, proc, docs, error)`` with the one Doc that failed, which is then left
        out of the output if the handler returns (default: `default_error_handler`, which raises).
        """
        if batch_size < 1:
            raise ConfigError(f"batch_size must be at least 1, not {batch_size}")
        if n_process == -1:
            n_process = os.cpu_count() or 1
        if n_process < 1:
            raise ConfigError(f"n_process must be at least 1, or -1 for one for each CPU, not {n_process}")
        if isinstance(texts, (str, bytes, Doc)):
            raise ConfigError("nlp.pipe takes many texts: for one, call nlp(text)")
        handler = error_handler or self.default_error_handler
        plan = self._steps(disable)
        if n_process == 1:
            return language_pipe.stream(self, plan, texts, as_tuples, batch_size, handler)
        return language_pipe.stream_processes(self, plan, texts, as_tuples, batch_size, handler, n_process)

    def set_error_handler(self, error_handler: ErrorHandler) -> None:
        """Set `default_error_handler`: ``handler(proc_name, proc, docs, error)``."""
        self.default_error_handler = error_handler

    # ---- saving -------------------------------------------------------------------------------------------

    def to_disk(self, path: str | os.PathLike[str]) -> None:
        """Save the pipeline as a folder, at once or not at all (see `nlptk.store.save_model`)."""
        language_io.to_disk(self, path)

    @classmethod
    def from_disk(
        cls, path: str | os.PathLike[str], *, disable: Sequence[str] = (), exclude: Sequence[str] = ()
    ) -> Self:
        """The pipeline that `to_disk` saved; `disable` loads components inactive, `exclude` leaves them out.

        Raises ModelError naming file and cause if anything is missing, truncated, altered or unknown.
        """
        return language_io.from_disk(cls, path, disable, exclude)

    def to_bytes(self) -> bytes:
        """The pipeline as one safetensors container. Raises ConfigError if a config is not JSON-able."""
        return language_io.to_bytes(self)

    @classmethod
    def from_bytes(cls, data: bytes, *, disable: Sequence[str] = (), exclude: Sequence[str] = ()) -> Self:
        """The pipeline that `to_bytes` gave. Raises ModelError if the data is truncated or altered."""
        return language_io.from_bytes(cls, data, disable, exclude)


def blank(lang: str) -> Language:
    """A pipeline with only a tokenizer: "en" (rules), "zh" (jieba's words) or "xx" (any
    language).
    """
    if lang not in BLANK_TOKENIZERS:
        raise ConfigError(f"there is no language {lang!r}: use one of {', '.join(BLANK_TOKENIZERS)}")
    nlp = Language(lang)
    nlp.add_pipe(BLANK_TOKENIZERS[lang], name="tokenizer")
    return nlp


def load(
    name: str | os.PathLike[str], *, disable: Sequence[str] = (), exclude: Sequence[str] = ()
) -> Language:
    """Load a pipeline: the name of an embedded one ("en", "zh") or the path of a folder that `to_disk` wrote.

    Raises ModelError, naming file and cause, if there is none or it is damaged.
    """
    embedded = store.embedded_pipelines()
    path = embedded.get(name, Path(name)) if isinstance(name, str) else Path(name)
    if not path.is_dir():
        language_io.no_model(path, embedded)
    return Language.from_disk(path, disable=disable, exclude=exclude)
