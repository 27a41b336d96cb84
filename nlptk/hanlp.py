"""HanLP's models as components: `hanlp_tokenizer`, `hanlp_tagger` and `hanlp_ner`.

HanLP (He and Choi 2021, arXiv 2109.06939) is an optional package, ``pip install 'nlptk[hanlp]'``; it is
imported, and its model read, when the first text comes. A model is what ``hanlp.load`` takes: a folder that a
HanLP component was saved to, which needs no network, or the name or address of one that HanLP downloads. A
HanLP model names classes for HanLP to import: load only what you trust. Single-task models are supported, not
the multi-task ones, whose results are dictionaries.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlptk.align import iob_to_spans, spans_to_iob
from nlptk.component import Component
from nlptk.errors import ConfigError, MissingDependencyError, ModelError

if TYPE_CHECKING:
    from nlptk.doc import Doc


def load_model(path: str, devices: int | None = None) -> Any:
    """The HanLP component of a folder, or of a name or address that HanLP knows.

    Raises:
        MissingDependencyError: HanLP is not installed.
        ModelError: there is no such model, it cannot be downloaded, or HanLP cannot read it.
    """
    try:
        import hanlp
    except ImportError as error:
        message = f"HanLP is not installed ({error}): pip install 'nlptk[hanlp]'"
        raise MissingDependencyError(message) from error
    place = Path(path)
    local = place.exists()
    if local and not any((place / name).is_file() for name in ("config.json", "meta.json")):
        raise ModelError(f"{path!r} is no HanLP model: there is no config.json in it")
    if not local and path not in hanlp.pretrained.ALL and not path.startswith(("http:", "https:")):
        raise ModelError(
            f"there is no HanLP model {path!r}: give the folder of a saved model, or a name of "
            "hanlp.pretrained.ALL, which HanLP downloads"
        )
    try:
        return hanlp.load(path, verbose=False, **({} if devices is None else {"devices": devices}))
    except (Exception, SystemExit) as error:
        if local:
            raise ModelError(f"HanLP cannot load the model in {path!r}: {error}") from error
        raise ModelError(
            f"HanLP cannot download {path!r} ({error}): where there is a network, run hanlp.load({path!r}) "
            "once and copy the folder that it makes in ~/.hanlp, then give its path"
        ) from error


class _HanlpComponent(Component):
    """What the three components share: a model that is loaded when it is first used."""

    def __init__(self, path: str = "", devices: int | None = None) -> None:
        if not isinstance(path, str) or not path:
            raise ConfigError('a HanLP component needs a model: config={"path": "folder or name"}')
        self.path = path
        self.devices = devices
        self._model: Any = None

    @property
    def model(self) -> Any:
        """HanLP's own component. Raises what `load_model` raises."""
        if self._model is None:
            self._model = load_model(self.path, self.devices)
        return self._model

    def _ask(self, inputs: list[Any]) -> list[Any]:
        """What the model makes of each input. ModelError if it is not one result for each."""
        if not inputs:
            return []
        results = self.model(inputs)
        if not isinstance(results, list) or len(results) != len(inputs):
            raise ModelError(
                f"the HanLP model {self.path!r} gave {type(results).__name__} for a list of {len(inputs)}: "
                "use a model of one task"
            )
        return results


class HanlpTokenizer(_HanlpComponent):
    """Tokens by a HanLP tokenizer; assigns "doc.tokens".

    Each line of a text goes to HanLP as a sentence. What comes back is aligned to the text, also where HanLP
    changed characters or left out whitespace: every character that is not whitespace lies in a token. A lone
    surrogate is shown to HanLP as U+FFFD.

    Args:
        path: a folder, or a name or address that HanLP knows.
        devices: number of the GPU, -1 for the processor; None: as HanLP chooses.
    """

    assigns = ("doc.tokens",)

    def annotate(self, docs: Sequence[Doc]) -> None:
        """Set the tokens of each Doc. Raises ModelError for a model that is no tokenizer."""
        lines = [[line for line in _lines(doc.text) if line[1].strip()] for doc in docs]
        found = iter(self._ask([_without_surrogates(line) for each in lines for _, line in each]))
        for doc, each in zip(docs, lines, strict=True):
            spans = []
            for offset, line in each:
                tokens = next(found)
                if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
                    raise ModelError(f"the HanLP model {self.path!r} is no tokenizer: it gave {tokens!r:.60}")
                spans += [(offset + start, offset + end) for start, end in align_tokens(line, tokens)]
            if doc.text and (not spans or spans[0][0] > 0):
                spans.insert(0, (0, spans[0][0] if spans else len(doc.text)))  # leading whitespace
            doc.set_tokens([start for start, _ in spans], [end for _, end in spans])


class HanlpTagger(_HanlpComponent):
    """Tags by a HanLP tagger, sentence by sentence where sentences are set; requires "doc.tokens".

    Args:
        path, devices: see `HanlpTokenizer`.
        column: the column that is set; the component assigns "doc.<column>".
    """

    requires = ("doc.tokens",)

    def __init__(self, path: str = "", devices: int | None = None, column: str = "tag") -> None:
        super().__init__(path, devices)
        self.column = column
        self.assigns = (f"doc.{column}",)

    def annotate(self, docs: Sequence[Doc]) -> None:
        """Set the column of each Doc; a token of whitespace has "". Raises ModelError for wrong results."""
        places, inputs = _sentences(docs)
        values = [[""] * len(doc) for doc in docs]
        for (number, tokens), tags in zip(places, self._ask(inputs), strict=True):
            _check_tags(self.path, tags, len(tokens))
            for token, tag in zip(tokens, tags, strict=True):
                values[number][token] = tag
        for doc, tags in zip(docs, values, strict=True):
            doc.set_column(self.column, tags)


class HanlpNer(_HanlpComponent):
    """Entities by a HanLP recognizer, sentence by sentence where sentences are set; assigns "doc.ent" as
    IOB2.

    Both forms of HanLP's results are read: (text, label, first token, last token + 1) and BIO or BMES tags.

    Args:
        path, devices: see `HanlpTokenizer`.
    """

    assigns = ("doc.ent",)
    requires = ("doc.tokens",)

    def annotate(self, docs: Sequence[Doc]) -> None:
        """Set the column "ent" of each Doc. Raises ModelError for wrong results."""
        places, inputs = _sentences(docs)
        values = [["O"] * len(doc) for doc in docs]
        for (number, tokens), result in zip(places, self._ask(inputs), strict=True):
            for token, tag in zip(tokens, entity_tags(self.path, result, len(tokens)), strict=True):
                values[number][token] = tag
        for doc, tags in zip(docs, values, strict=True):
            doc.set_column("ent", tags)


def entity_tags(path: str, result: Any, n: int) -> list[str]:
    """IOB2 tags for `n` tokens from HanLP's spans or tags. ModelError, which names `path`, if they do not
    fit.
    """
    if all(isinstance(item, str) for item in result):
        _check_tags(path, result, n)
        return spans_to_iob(iob_to_spans(result), n)
    try:
        return spans_to_iob([(label, start, end) for _, label, start, end in result], n)
    except (ConfigError, TypeError, ValueError) as error:
        raise ModelError(f"the HanLP model {path!r} gave no entities of {n} tokens: {error}") from error


def _check_tags(path: str, tags: Any, n: int) -> None:
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise ModelError(f"the HanLP model {path!r} is no tagger: it gave {tags!r:.60}")
    if len(tags) != n:
        # RNN taggers with a CRF, as HanLP 2.1 trains them, decode tokens and sentences the wrong way round.
        raise ModelError(
            f"the HanLP model {path!r} gave {len(tags)} tags for {n} tokens: train it with crf=False"
        )


def _lines(text: str) -> list[tuple[int, str]]:
    """Offset and text of each line, without its LF."""
    lines, start = [], 0
    for line in text.split("\n"):
        lines.append((start, line))
        start += len(line) + 1
    return lines


def _sentences(docs: Sequence[Doc]) -> tuple[list[tuple[int, list[int]]], list[list[str]]]:
    """(number of the Doc, numbers of the tokens) and the words of each sentence, tokens of whitespace left
    out.
    """
    places: list[tuple[int, list[int]]] = []
    inputs: list[list[str]] = []
    for number, doc in enumerate(docs):
        words = [_without_surrogates(word) for word in doc.words]
        spans = [(0, len(words))] if doc.sent_starts is None else [(s.start, s.end) for s in doc.sents]
        for start, end in spans:
            tokens = [i for i in range(start, end) if words[i].strip()]
            if tokens:
                places.append((number, tokens))
                inputs.append([words[i] for i in tokens])
    return places, inputs


def _without_surrogates(text: str) -> str:
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text) if text else text


# ---- alignment -------------------------------------------------------------------------------------------


def align_tokens(text: str, tokens: Sequence[str]) -> list[tuple[int, int]]:
    """Where in `text` each token lies: spans that cover all of it but the whitespace between them.

    Characters are compared without whitespace, case and compatibility forms (NFKC). What still differs is
    laid where the nearest equal characters leave room; a token that no character is left for is dropped.
    """
    key, origins = _key(text)
    token_keys = [_key(token)[0] for token in tokens]
    joined = "".join(token_keys)
    cuts = [0]
    for token_key in token_keys:
        cuts.append(cuts[-1] + len(token_key))
    if joined != key:
        cuts = _moved(cuts, joined, key)
    cuts = [0, *cuts[1:-1], len(key)]
    spans: list[tuple[int, int]] = []
    for begin, end in pairwise(cuts):
        # A character that spans a cut belongs to the token before it.
        first = begin
        while first < end and spans and origins[first] < spans[-1][1]:
            first += 1
        if first < end:
            spans.append((origins[first], origins[end - 1] + 1))
    return spans


def _key(text: str) -> tuple[str, list[int]]:
    """The text as it is compared, and the place in `text` of each of its characters."""
    key: list[str] = []
    origins: list[int] = []
    for place, char in enumerate(text):
        if not char.isspace():
            plain = "".join(unicodedata.normalize("NFKC", char).casefold().split()) or char
            key.append(plain)
            origins += [place] * len(plain)
    return "".join(key), origins


def _moved(cuts: list[int], joined: str, key: str) -> list[int]:
    """The cuts of `joined` as places in `key`."""
    moved = []
    blocks = iter(SequenceMatcher(None, joined, key, autojunk=False).get_opcodes())
    _, a, a_end, b, b_end = next(blocks, ("", 0, 0, 0, 0))
    for cut in cuts:
        while cut > a_end:
            _, a, a_end, b, b_end = next(blocks)
        moved.append(min(b + cut - a, b_end))
    return moved
