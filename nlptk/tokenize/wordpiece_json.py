"""WordPiece on disk: vocab.txt and the parts of a tokenizer.json that make a BERT tokenizer."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlptk.corpora.files import atomic_writer
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.tokenize.hf_json import (
    PathLike,
    find_file,
    model_type,
    read_added_tokens,
    read_json,
    read_tokenizer_json,
    read_utf8,
    read_vocab,
    require,
)

if TYPE_CHECKING:
    from nlptk.tokenize.wordpiece import WordPiece

FILES = ("tokenizer.json", "vocab.txt")
# White_Space of Unicode, which ends a line of vocab.txt; str.rstrip would take U+001C to U+001F too.
_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
_SPACE += "\u2028\u2029\u202f\u205f\u3000"


@dataclass(frozen=True)
class Slot:
    """A part of what `encode` gives: the ids of the text named "A" or "B", or else these special tokens."""

    text: str = ""
    ids: tuple[int, ...] = ()
    type_id: int = 0


def bert_template(cls_id: int, sep_id: int, *, pair: bool) -> tuple[Slot, ...]:
    """[CLS] A [SEP], and B [SEP] of type 1 for two texts."""
    one = (Slot(ids=(cls_id,)), Slot("A"), Slot(ids=(sep_id,)))
    return (*one, Slot("B", type_id=1), Slot(ids=(sep_id,), type_id=1)) if pair else one


# ---- reading ---------------------------------------------------------------------------------------------


def read(path: PathLike, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What `WordPiece` is made with, from a file or folder. ModelError if that cannot be done."""
    file = find_file(path, FILES)
    if file.suffix == ".json":
        return _usable({**from_json(read_tokenizer_json(file), file), **settings}, file)
    return _usable({"vocab": read_vocab_txt(file), **_config_beside(file), **settings}, file)


def _usable(arguments: dict[str, Any], source: PathLike) -> dict[str, Any]:
    unk_token = arguments.get("unk_token", "[UNK]")
    if unk_token not in arguments["vocab"]:
        raise ModelError(f"{os.fspath(source)}: the vocabulary has no unknown token {unk_token!r}")
    return arguments


def read_vocab_txt(path: PathLike) -> dict[str, int]:
    """Token -> number of its line, from 0; of equal tokens the last counts, as in tokenizers.

    Raises:
        ModelError: the file cannot be read, is empty or is not UTF-8 (the line is named).
    """
    text = read_utf8(path)
    lines = text.removesuffix("\n").split("\n") if text else []
    if not lines:
        raise ModelError(f"{os.fspath(path)}: the vocabulary is empty")
    return {line.rstrip(_SPACE): number for number, line in enumerate(lines)}


def _config_beside(vocab_txt: Path) -> dict[str, Any]:
    config = vocab_txt.with_name("tokenizer_config.json")
    if not config.is_file():
        return {}
    names = {
        "do_lower_case": "lowercase",
        "strip_accents": "strip_accents",
        "tokenize_chinese_chars": "tokenize_chinese_chars",
    }
    found = read_json(config)
    settings = {names[name]: found[name] for name in names if name in found}
    for name, value in settings.items():
        if not (isinstance(value, bool) or (name == "strip_accents" and value is None)):
            raise ModelError(f"{config}: {name} must be true or false, not {value!r}")
    return settings


def from_json(data: Mapping[str, Any], source: PathLike) -> dict[str, Any]:
    """The arguments of `WordPiece` for a tokenizer.json. ModelError names what is not supported."""
    where = os.fspath(source)
    if model_type(data) != "WordPiece":
        raise ModelError(f"{where}: the model is {model_type(data)!r}, not 'WordPiece'")
    model = data["model"]
    arguments: dict[str, Any] = {"vocab": read_vocab(model.get("vocab"), source)}
    arguments["unk_token"] = _setting(model, "unk_token", "[UNK]", str, where)
    arguments["wordpieces_prefix"] = _setting(model, "continuing_subword_prefix", "##", str, where)
    arguments["max_input_chars_per_word"] = _setting(model, "max_input_chars_per_word", 100, int, where)
    arguments |= _normalizer(data, where)
    if _type(data, "pre_tokenizer", where) != "BertPreTokenizer":
        raise _unsupported(where, "pre_tokenizer", _type(data, "pre_tokenizer", where), "BertPreTokenizer")
    arguments["added_tokens"] = [
        replace(token, id=arguments["vocab"].get(token.content, token.id))
        for token in read_added_tokens(data, source)
    ]
    arguments["single"], arguments["pair"] = _templates(data, where)
    decoder = _type(data, "decoder", where)
    if decoder not in (None, "WordPiece"):
        raise _unsupported(where, "decoder", decoder, "WordPiece")
    if decoder is not None:
        require(data["decoder"], {"prefix": arguments["wordpieces_prefix"]}, f"{where}: decoder")
    arguments["cleanup"] = _setting(data.get("decoder") or {}, "cleanup", True, bool, where)
    return _usable(arguments, source)


def _normalizer(data: Mapping[str, Any], where: str) -> dict[str, Any]:
    kind = _type(data, "normalizer", where)
    if kind is None:
        return dict.fromkeys(("clean_text", "tokenize_chinese_chars", "strip_accents", "lowercase"), False)
    if kind != "BertNormalizer":
        raise _unsupported(where, "normalizer", kind, "BertNormalizer")
    part = data["normalizer"]
    place = f"{where}: normalizer"
    strip_accents = part.get("strip_accents")
    return {
        "clean_text": _setting(part, "clean_text", True, bool, place),
        "tokenize_chinese_chars": _setting(part, "handle_chinese_chars", True, bool, place),
        "strip_accents": None
        if strip_accents is None
        else _setting(part, "strip_accents", None, bool, place),
        "lowercase": _setting(part, "lowercase", True, bool, place),
    }


def _templates(data: Mapping[str, Any], where: str) -> tuple[tuple[Slot, ...], tuple[Slot, ...]]:
    kind = _type(data, "post_processor", where)
    if kind is None:
        return (Slot("A"),), (Slot("A"), Slot("B", type_id=1))
    part = data["post_processor"]
    try:
        if kind == "BertProcessing":
            cls_id, sep_id = int(part["cls"][1]), int(part["sep"][1])
            return bert_template(cls_id, sep_id, pair=False), bert_template(cls_id, sep_id, pair=True)
        if kind == "TemplateProcessing":
            single, pair = (tuple(_slot(entry, part) for entry in part[name]) for name in ("single", "pair"))
        else:
            raise _unsupported(where, "post_processor", kind, "BertProcessing and TemplateProcessing")
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise ModelError(f"{where}: the post_processor is malformed ({error!r})") from error
    if [slot.text for slot in single if slot.text] != ["A"]:
        raise ModelError(f"{where}: the post_processor must have the text once in its template for one text")
    if sorted(slot.text for slot in pair if slot.text) != ["A", "B"]:
        raise ModelError(
            f"{where}: the post_processor must have each text once in its template for two texts"
        )
    return single, pair


def _slot(entry: Mapping[str, Any], part: Mapping[str, Any]) -> Slot:
    if "Sequence" in entry:
        return Slot(str(entry["Sequence"]["id"]), type_id=int(entry["Sequence"]["type_id"]))
    special = entry["SpecialToken"]
    ids = tuple(int(number) for number in part["special_tokens"][special["id"]]["ids"])
    return Slot(ids=ids, type_id=int(special["type_id"]))


def _type(data: Mapping[str, Any], name: str, where: str) -> str | None:
    part = data.get(name)
    if part is None:
        return None
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        raise ModelError(f'{where}: "{name}" must be an object with a "type"')
    return str(part["type"])


def _unsupported(where: str, name: str, kind: str | None, known: str) -> ModelError:
    return ModelError(f"{where}: the {name} {kind!r} is not supported with WordPiece (only {known})")


def _setting(part: Mapping[str, Any], name: str, default: Any, kind: type, where: str) -> Any:
    value = part.get(name, default)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ModelError(f"{where}: {name} must be {kind.__name__}, not {value!r}")
    return value


# ---- writing ---------------------------------------------------------------------------------------------


def to_json(
    tokenizer: WordPiece,
    vocab: Mapping[str, int],
    single: Sequence[Slot],
    pair: Sequence[Slot],
    tokens: Mapping[int, str],
) -> dict[str, Any]:
    """The object of a tokenizer.json."""
    names = {slot.ids: " ".join(tokens[number] for number in slot.ids) for slot in (*single, *pair)}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [token.to_json() for token in sorted(tokenizer.added_tokens, key=lambda t: t.id)],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": tokenizer.clean_text,
            "handle_chinese_chars": tokenizer.tokenize_chinese_chars,
            "strip_accents": tokenizer.strip_accents,
            "lowercase": tokenizer.lowercase,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [_entry(slot, names) for slot in single],
            "pair": [_entry(slot, names) for slot in pair],
            "special_tokens": {
                name: {"id": name, "ids": list(ids), "tokens": [tokens[number] for number in ids]}
                for ids, name in names.items()
                if ids
            },
        },
        "decoder": {
            "type": "WordPiece",
            "prefix": tokenizer.wordpieces_prefix,
            "cleanup": tokenizer.cleanup,
        },
        "model": {
            "type": "WordPiece",
            "unk_token": tokenizer.unk_token,
            "continuing_subword_prefix": tokenizer.wordpieces_prefix,
            "max_input_chars_per_word": tokenizer.max_input_chars_per_word,
            "vocab": dict(sorted(vocab.items(), key=lambda item: item[1])),
        },
    }


def _entry(slot: Slot, names: Mapping[tuple[int, ...], str]) -> dict[str, Any]:
    if slot.text:
        return {"Sequence": {"id": slot.text, "type_id": slot.type_id}}
    return {"SpecialToken": {"id": names[slot.ids], "type_id": slot.type_id}}


def write(path: PathLike, data: Mapping[str, Any]) -> None:
    """Write the object of a tokenizer.json to a file, its vocabulary to a .txt, or both into a folder."""
    place = Path(path)
    if place.suffix == ".txt":
        write_vocab_txt(place, data["model"]["vocab"])
        return
    if place.suffix == ".json":
        _write_text(place, json.dumps(data, ensure_ascii=False, indent=2) + "\n")
        return
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot write {os.fspath(path)!r}: {error.strerror}") from error
    write_vocab_txt(place / "vocab.txt", data["model"]["vocab"])
    write(place / "tokenizer.json", data)


def write_vocab_txt(path: Path, vocab: Mapping[str, int]) -> None:
    """One token a line in the order of the ids. ConfigError where that would not read back the same."""
    lines = list(vocab)
    if [vocab[token] for token in lines] != list(range(len(lines))):
        raise ConfigError("the ids have gaps, which a vocab.txt cannot tell: save a tokenizer.json")
    for token in lines:
        if "\n" in token or token != token.rstrip(_SPACE):
            raise ConfigError(f"a vocab.txt cannot hold the token {token!r}: save a tokenizer.json")
    _write_text(path, "".join(f"{token}\n" for token in lines))


def _write_text(path: Path, text: str) -> None:
    with atomic_writer(path) as out:
        out.write(text)
