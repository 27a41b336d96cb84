"""A Doc as JSON, as bytes and as a spaCy Doc. `Doc` has a method for each of these functions."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from nlptk.align import iob_to_spans, spans_to_iob
from nlptk.errors import ConfigError, DataError, MissingDependencyError, ModelError, NlptkError
from nlptk.store import dump_json, load_json, pack_sealed, unpack_sealed, write_atomic

if TYPE_CHECKING:
    from nlptk.doc import Doc

D = TypeVar("D", bound="Doc")
_TOKEN_FIELDS = ("id", "start", "end")
_NOT_COLUMNS = frozenset({*_TOKEN_FIELDS, "morph", "dep", "head"})

# ---- JSON ----------------------------------------------------------------------------------------


def to_json(doc: Doc, underscore: Sequence[str] | None = None) -> dict[str, Any]:
    """See `Doc.to_json`."""
    data: dict[str, Any] = {"text": doc.text}
    if doc.has_column("ent"):
        data["ents"] = [{"start": e.start_char, "end": e.end_char, "label": e.label_} for e in doc.ents]
    if doc.sent_starts is not None:
        data["sents"] = [{"start": s.start_char, "end": s.end_char} for s in doc.sents]
    if doc.cats:
        data["cats"] = dict(doc.cats)
    if doc.is_tokenized:
        offsets = zip(doc.starts.tolist(), doc.ends.tolist(), strict=True)
        data["tokens"] = [{"id": i, "start": s, "end": e} for i, (s, e) in enumerate(offsets)]
        for column in doc.columns:
            if column in _NOT_COLUMNS:
                raise ConfigError(
                    f"column {column!r} cannot be written as JSON: the name has a meaning there"
                )
            if column != "ent":
                for token, value in zip(data["tokens"], doc.column(column), strict=True):
                    token[column] = value
    if underscore:
        _underscore_to_json(doc, underscore, data)
    return data


def _underscore_to_json(doc: Doc, names: Sequence[str], data: dict[str, Any]) -> None:
    known = set()
    for key in names:
        if doc._.has(key):
            data.setdefault("_", {})[key] = doc._.get(key)
            known.add(key)
    for key, value in doc.user_data.items():
        if not (isinstance(key, tuple) and len(key) == 4 and key[0] == "._." and key[1] in names):
            continue
        _, name, start, end = key
        known.add(name)
        if start is not None and end is None:
            data.setdefault("underscore_token", {}).setdefault(name, []).append(
                {"start": start, "value": value}
            )
        elif start is not None:
            place = {"start": start, "end": end, "value": value}
            data.setdefault("underscore_span", {}).setdefault(name, []).append(place)
    for name in names:
        if name not in known:
            raise ConfigError(f"no extension {name!r} is set on this Doc: leave it out of underscore")


def from_json(cls: type[D], data: dict[str, Any]) -> D:
    """See `Doc.from_json`."""
    try:
        doc = cls(data["text"])
        tokens = data.get("tokens")
        if tokens is None:
            if data.get("ents") or data.get("sents"):
                raise DataError("the JSON Doc has ents or sents but no tokens")
        else:
            doc.set_tokens(
                [token["start"] for token in tokens],
                [token["end"] for token in tokens],
            )
            _columns_from_json(doc, tokens)
            _spans_from_json(doc, data)
        doc.cats = {str(name): _finite(score) for name, score in data.get("cats", {}).items()}
        for name, value in data.get("_", {}).items():
            doc.user_data["._.", name, None, None] = value
        for field in ("underscore_token", "underscore_span"):
            for name, places in data.get(field, {}).items():
                for place in places:
                    doc.user_data["._.", name, place["start"], place.get("end")] = place["value"]
    except NlptkError as error:
        raise DataError(f"this JSON is not a Doc: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise DataError(f"this JSON is not a Doc: {type(error).__name__}: {error}") from error
    return doc


def _finite(score: Any) -> float:
    if not math.isfinite(score):
        raise ValueError(f"cats has the score {score}")
    return float(score)


def _columns_from_json(doc: Doc, tokens: list[dict[str, Any]]) -> None:
    names = dict.fromkeys(name for token in tokens for name in token if name not in _NOT_COLUMNS)
    for name in names:
        doc.set_column(name, [token.get(name, "") for token in tokens])


def _spans_from_json(doc: Doc, data: dict[str, Any]) -> None:
    if "ents" in data:
        doc.set_column("ent", ["O"] * len(doc))
        spans = []
        for ent in data["ents"]:
            span = doc.char_span(ent["start"], ent["end"], ent["label"])
            if span is None:
                raise DataError(f"entity [{ent['start']}, {ent['end']}) does not begin and end with a token")
            spans.append(span)
        doc.ents = tuple(spans)
    if "sents" in data:
        firsts = {sent["start"] for sent in data["sents"]}
        if not firsts <= set(doc.starts.tolist()):
            raise DataError("a sentence does not begin with a token")
        doc.sent_starts = [start in firsts for start in doc.starts.tolist()]


# ---- bytes ---------------------------------------------------------------------------------------


def encode_user_data(user_data: dict[Any, Any]) -> list[list[Any]]:
    """Pairs [key, value] for JSON; a tuple key becomes {"tuple": [...]}. Values are checked when they are
    written.
    """
    return [
        [{"tuple": list(key)} if isinstance(key, tuple) else key, value] for key, value in user_data.items()
    ]


def decode_user_data(pairs: list[list[Any]]) -> dict[Any, Any]:
    """Back from `encode_user_data`."""
    return {tuple(key["tuple"]) if isinstance(key, dict) else key: value for key, value in pairs}


def to_bytes(doc: Doc) -> bytes:
    """See `Doc.to_bytes`."""
    head = {
        "text": doc.text,
        "is_tokenized": doc.is_tokenized,
        "columns": {name: doc.labels(name) for name in doc.columns},
        "tensors": list(doc.tensors),
        "cats": doc.cats,
        "user_data": encode_user_data(doc.user_data),
    }
    arrays: dict[str, Any] = {"json": np.frombuffer(dump_json(head, "the Doc's data"), np.uint8)}
    arrays |= {"starts": doc.starts, "ends": doc.ends}
    if doc.sent_starts is not None:
        arrays["sent_starts"] = doc.sent_starts
    arrays |= {f"codes/{k}": doc.codes(name) for k, name in enumerate(doc.columns)}
    arrays |= {f"tensor/{k}": rows for k, rows in enumerate(doc.tensors.values())}
    return pack_sealed(arrays, "the Doc")


def from_bytes(cls: type[D], data: bytes, where: str = "the bytes of a Doc") -> D:
    """See `Doc.from_bytes`."""
    arrays = unpack_sealed(data, where)
    try:
        head = load_json(arrays["json"].tobytes(), where)
        doc = cls(head["text"])
        if head["is_tokenized"]:
            doc.set_tokens(arrays["starts"], arrays["ends"], arrays.get("sent_starts"))
        for k, (name, labels) in enumerate(head["columns"].items()):
            doc.set_codes(name, np.array(arrays[f"codes/{k}"]), labels)
        doc.tensors = {name: np.array(arrays[f"tensor/{k}"]) for k, name in enumerate(head["tensors"])}
        doc.cats = head["cats"]
        doc.user_data = decode_user_data(head["user_data"])
    except (KeyError, TypeError, AttributeError, ConfigError) as error:
        raise ModelError(f"{where}: is not a Doc: {type(error).__name__}: {error}") from error
    return doc


def to_disk(doc: Doc, path: str | os.PathLike[str]) -> None:
    """See `Doc.to_disk`."""
    write_atomic(path, to_bytes(doc))


def from_disk(cls: type[D], path: str | os.PathLike[str]) -> D:
    """See `Doc.from_disk`."""
    return from_bytes(cls, read_file(path), str(path))


def read_file(path: str | os.PathLike[str]) -> bytes:
    """The file's bytes. Raises ModelError naming file and cause."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error


# ---- spaCy ---------------------------------------------------------------------------------------


def to_spacy(doc: Doc, vocab: Any = None) -> Any:
    """See `Doc.to_spacy`. spaCy has at most one space behind a token: longer whitespace becomes tokens."""
    try:
        import spacy.tokens
    except ImportError as error:
        raise MissingDependencyError("spaCy is not installed: pip install spacy") from error
    columns = {name: doc.column(name) for name in ("pos", "tag", "lemma") if doc.has_column(name)}
    ents = doc.column("ent") if doc.has_column("ent") else None
    if ents is not None:
        ents = spans_to_iob(iob_to_spans(ents), len(ents))  # spaCy takes valid IOB2 only
    sents = None if doc.sent_starts is None else doc.sent_starts.astype(bool).tolist()
    words: list[str] = []
    spaces: list[bool] = []
    origin: list[int] = []  # the token of each word; -1 for whitespace
    for i, (word, gap) in enumerate(zip(doc.words, doc.whitespaces, strict=True)):
        words.append(word)
        origin.append(i)
        spaces.append(gap.startswith(" "))
        if rest := gap.removeprefix(" "):
            words.append(rest)
            origin.append(-1)
            spaces.append(False)

    def spread(values: list[str], space: str) -> list[str]:
        return [space if i < 0 else values[i] for i in origin]

    result = spacy.tokens.Doc(
        spacy.blank("xx").vocab if vocab is None else vocab,
        words=words,
        spaces=spaces,
        pos=spread(columns["pos"], "SPACE") if "pos" in columns else None,
        tags=spread(columns["tag"], "_SP") if "tag" in columns else None,
        lemmas=spread(columns["lemma"], " ") if "lemma" in columns else None,
        ents=None if ents is None else _spread_ents(ents, origin),
        sent_starts=None if sents is None else [i >= 0 and sents[i] for i in origin],
    )
    result.cats = dict(doc.cats)
    return result


def _spread_ents(ents: list[str], origin: list[int]) -> list[str]:
    # A whitespace token inside an entity belongs to it, or spaCy would see the entity end there.
    spread = []
    for k, i in enumerate(origin):
        if i >= 0:
            spread.append(ents[i])
            continue
        after = origin[k + 1] if k + 1 < len(origin) else -1
        spread.append(ents[after] if after >= 0 and ents[after].startswith("I-") else "O")
    return spread


def from_spacy(cls: type[D], source: Any) -> D:
    """See `Doc.from_spacy`."""
    text: str = source.text
    kept = [token for token in source if token.i == 0 or not token.text.isspace()]
    doc = cls(text)
    starts = [token.idx for token in kept]
    sents = None
    if source.has_annotation("SENT_START"):
        firsts = sorted(sent.start_char for sent in source.sents)
        # A sentence that begins with a whitespace token begins, here, with the word behind it.
        places = np.searchsorted(np.array(starts, np.int64), np.array(firsts, np.int64))
        sents = np.zeros(len(kept), np.uint8)
        sents[places[places < len(kept)]] = 1
    doc.set_tokens(starts, [token.idx + len(token.text) for token in kept], sents)
    for column, attribute, annotation in (
        ("pos", "pos_", "POS"),
        ("tag", "tag_", "TAG"),
        ("lemma", "lemma_", "LEMMA"),
    ):
        if source.has_annotation(annotation):
            doc.set_column(column, [getattr(token, attribute) for token in kept])
    if source.has_annotation("ENT_IOB"):
        spans = []
        for ent in source.ents:
            span = doc.char_span(ent.start_char, ent.end_char, ent.label_, "contract")
            if span is not None:
                spans.append(span)
        doc.ents = tuple(spans)
    doc.cats = dict(source.cats)
    return doc
