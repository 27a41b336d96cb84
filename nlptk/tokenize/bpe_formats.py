"""BPE models on disk as others write them: ``tokenizer.json``, ``vocab.json`` with ``merges.txt``,
``.tiktoken``.

Sources: Hugging Face tokenizers 0.23 (the first two), tiktoken 0.14 (the last), subword-nmt 0.3
(``merges.txt`` alone, which it calls codes).
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nlptk import _core
from nlptk.errors import ConfigError, ModelError
from nlptk.tokenize.hf_json import (
    AddedToken,
    check_id,
    find_file,
    model_type,
    read_added_tokens,
    read_json,
    read_utf8,
    read_vocab,
    require,
)
from nlptk.tokenize.pretokenizers import from_oniguruma

PathLike = str | os.PathLike[str]
Merge = tuple[str, str]


@dataclass
class BPEParts:
    """What makes a BPE model: the arguments of :class:`nlptk.BPE`."""

    vocab: dict[str, int]
    merges: list[Merge]
    special_tokens: list[AddedToken] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)


# ---- bytes as characters -------------------------------------------------------------------------


def _byte_characters() -> list[str]:
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in set(shown)]
    names = {byte: chr(byte) for byte in shown}
    names.update({byte: chr(256 + place) for place, byte in enumerate(hidden)})
    return [names[byte] for byte in range(256)]


#: The character that stands for each byte in byte-level vocabularies (GPT-2): "Ġ" is a space.
BYTE_CHARACTERS = _byte_characters()
_SHOW = {byte: char for byte, char in enumerate(BYTE_CHARACTERS)}
# Characters of Latin-1 that stand for no byte go where encoding refuses them.
_HIDE = {byte: "\uffff" for byte in range(256)} | {
    ord(char): chr(b) for b, char in enumerate(BYTE_CHARACTERS)
}


def show_bytes(data: bytes) -> str:
    """Bytes as byte-level vocabularies write them, one character each."""
    return data.decode("latin-1").translate(_SHOW)


def hide_bytes(token: str) -> bytes | None:
    """The bytes that a byte-level token stands for; None if it holds a character that stands for no byte."""
    try:
        return token.translate(_HIDE).encode("latin-1")
    except UnicodeEncodeError:
        return None


# ---- reading -------------------------------------------------------------------------------------


def read_bpe(path: PathLike, merges: PathLike | None = None) -> BPEParts:
    """The model in a file or folder; its kind is told by name and content.

    A folder holds ``tokenizer.json`` or ``vocab.json`` and ``merges.txt``; `merges` names the latter if it
    lies elsewhere. A ``merges.txt`` (or subword-nmt's codes) alone gives its vocabulary itself.

    Raises:
        ModelError: the file is missing, malformed, or needs what is not supported; the message names the
        place.
    """
    names = ("tokenizer.json", "vocab.json", "merges.txt")
    file = find_file(path, names if merges is None else ("vocab.json",))
    if merges is not None:
        return read_vocab_and_merges(file, merges)
    if file.suffix == ".tiktoken":
        return read_tiktoken(file)
    if file.suffix != ".json":
        return read_merges_alone(file)
    data = read_json(file)
    if isinstance(data.get("model"), dict):
        return read_tokenizer(data, file)
    beside = file.with_name(file.name.replace("vocab.json", "merges.txt"))
    if beside == file or not beside.is_file():
        raise ModelError(
            f"{os.fspath(file)}: a vocabulary needs its merges; give merges=, or lay merges.txt beside"
        )
    return read_vocab_and_merges(file, beside)


def read_tokenizer(data: Mapping[str, Any], path: PathLike) -> BPEParts:
    """The object of a ``tokenizer.json`` with a BPE model, read from `path`.

    Raises ModelError for another model, and for parts that are not supported.
    """
    source = os.fspath(path)
    if model_type(data) != "BPE":
        raise ModelError(
            f"{source}: the model is {model_type(data)}, not BPE; WordPiece has a class of its own"
        )
    model = data["model"]
    entries = model.get("merges") or []
    if not isinstance(entries, list):
        raise ModelError(f'{source}: "merges" must be a list')
    merges = [_merge(entry, f"{source}: merges[{place}]") for place, entry in enumerate(entries)]
    for name in ("unk_token", "end_of_word_suffix", "continuing_subword_prefix"):
        if not isinstance(model.get(name), (str, type(None))):
            raise ModelError(f"{source}: {name} must be a token or null, not {model[name]!r}")
    settings: dict[str, Any] = {
        "byte_level": False,
        "unk_token": model.get("unk_token"),
        "end_of_word_suffix": model.get("end_of_word_suffix") or None,
        "continuing_subword_prefix": model.get("continuing_subword_prefix") or None,
        "fuse_unk": bool(model.get("fuse_unk")),
        "byte_fallback": bool(model.get("byte_fallback")),
        "ignore_merges": bool(model.get("ignore_merges")),
        "dropout": model.get("dropout"),
        **_part(data, "normalizer", _normalizer, source),
        **_part(data, "pre_tokenizer", _pre_tokenizer, source),
        **_part(data, "post_processor", _post_processor, source),
    }
    vocab = read_vocab(model.get("vocab"), path)
    if settings["byte_level"]:
        if settings["end_of_word_suffix"] or settings["continuing_subword_prefix"]:
            raise ModelError(
                f"{source}: a byte-level model with marks at words' ends or insides is not supported"
            )
        if settings["unk_token"] not in vocab:  # which no byte-level text needs
            settings["unk_token"] = None
    return BPEParts(vocab, merges, read_added_tokens(data, path), settings)


def _part(
    data: Mapping[str, Any], name: str, read: Callable[[Any, str], dict[str, Any]], source: str
) -> dict[str, Any]:
    """The settings that a part of a tokenizer.json says. ModelError if it is not made as such parts are."""
    try:
        return read(data.get(name), source)
    except ConfigError as error:
        raise ModelError(f"{source}: {error}") from error
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{source}: the {name} is malformed") from error


def _merge(entry: Any, where: str) -> Merge:
    parts = entry.split(" ") if isinstance(entry, str) else entry
    if not isinstance(parts, list) or len(parts) != 2 or not all(isinstance(part, str) for part in parts):
        raise ModelError(f"{where} must be two tokens, not {entry!r}")
    return parts[0], parts[1]


def _stages(part: Any, members: str) -> list[dict[str, Any]]:
    """A part of a tokenizer.json as a list of simple ones."""
    if part is None:
        return []
    if part.get("type") == "Sequence":
        return [stage for member in part[members] for stage in _stages(member, members)]
    return [part]


def _normalizer(part: Any, source: str) -> dict[str, Any]:
    kinds = [stage.get("type") for stage in _stages(part, "normalizers")]
    if not kinds:
        return {}
    if len(kinds) > 1 or kinds[0] not in ("NFC", "NFD", "NFKC", "NFKD"):
        raise ModelError(
            f"{source}: the normalizer {' + '.join(map(str, kinds))} is not supported (NFC and its kin are)"
        )
    return {"normalization": kinds[0]}


def _pre_tokenizer(part: Any, source: str) -> dict[str, Any]:
    found: dict[str, Any] = {"pattern": "none"}
    patterns: list[str] = []
    for stage in _stages(part, "pretokenizers"):
        kind = stage.get("type")
        if found.get("byte_level"):
            raise ModelError(f"{source}: the pre-tokenizer {kind} after ByteLevel is not supported")
        if kind == "ByteLevel":
            if stage.get("add_prefix_space") and patterns:  # each piece would get a space
                raise ModelError(f"{source}: ByteLevel with add_prefix_space after a split is not supported")
            found["byte_level"] = True
            found["prefix_space"] = bool(stage.get("add_prefix_space"))
            if stage.get("use_regex", True):
                patterns.append("gpt2")
        elif kind == "Split":
            require(stage, {"behavior": "Isolated", "invert": False}, f"{source}: the pre-tokenizer Split")
            pattern = stage.get("pattern")
            if not isinstance(pattern, dict) or not isinstance(pattern.get("Regex"), str):
                raise ModelError(f"{source}: the pre-tokenizer Split needs a Regex")
            patterns.append(from_oniguruma(pattern["Regex"]))
        elif kind in ("Whitespace", "WhitespaceSplit"):
            patterns.append("whitespace" if kind == "Whitespace" else "whitespace_split")
        else:
            raise ModelError(f"{source}: the pre-tokenizer {kind} is not supported")
    if len(patterns) > 1:
        raise ModelError(
            f"{source}: {len(patterns)} pre-tokenizers that split one after another are not supported"
        )
    return {**found, **({"pattern": patterns[0]} if patterns else {})}


def _post_processor(part: Any, source: str) -> dict[str, Any]:
    """Ids that stand before and after a text."""
    before: list[int] = []
    after: list[int] = []
    for stage in _stages(part, "processors"):
        kind = stage.get("type")
        if kind in ("RobertaProcessing", "BertProcessing"):
            left, right = [stage["cls"][1]], [stage["sep"][1]]
        elif kind == "TemplateProcessing":
            left, right = _template(stage, source)
        elif kind != "ByteLevel":  # which only trims offsets
            raise ModelError(f"{source}: the post-processor {kind} is not supported")
        else:
            continue
        before, after = [*left, *before], [*after, *right]
    return {"begin_ids": before, "end_ids": after} if before or after else {}


def _template(stage: Mapping[str, Any], source: str) -> tuple[list[int], list[int]]:
    before: list[int] = []
    after: list[int] = []
    side = before
    for item in stage["single"]:
        if "Sequence" in item:
            side = after
            continue
        name = item["SpecialToken"]["id"]
        try:
            side.extend(stage["special_tokens"][name]["ids"])
        except KeyError:
            raise ModelError(
                f"{source}: the template names {name!r}, which its special_tokens lack"
            ) from None
    return before, after


def read_vocab_and_merges(vocab: PathLike, merges: PathLike) -> BPEParts:
    """``vocab.json`` and ``merges.txt`` as GPT-2 has them: byte-level, unless an end-of-word "</w>" is in
    use.
    """
    parts = BPEParts(read_vocab(read_json(vocab), vocab), read_merges(merges))
    if any(token.endswith("</w>") for token in parts.vocab):
        parts.settings = {"byte_level": False, "end_of_word_suffix": "</w>", "pattern": "whitespace_split"}
        if "<unk>" in parts.vocab:
            parts.settings["unk_token"] = "<unk>"
    return parts


def read_merges(path: PathLike) -> list[Merge]:
    """The merges of a ``merges.txt``, best first. ModelError names a line that has not two tokens."""
    found = []
    for number, line in enumerate(read_utf8(path).split("\n"), 1):
        line = line.removesuffix("\r")
        if (number == 1 and line.startswith("#version")) or not line:
            continue
        found.append(_merge(line, f"{os.fspath(path)}, line {number}: a merge"))
    return found


def read_merges_alone(path: PathLike) -> BPEParts:
    """Codes of subword-nmt: character level, words end in "</w>"; ids in the order of first use, units
    first.
    """
    merges = read_merges(path)
    suffix = "</w>" if any(b.endswith("</w>") for _, b in merges) else None
    made = {a + b: None for a, b in merges}
    units = {part: None for merge in merges for part in merge if part not in made}
    vocab = {token: place for place, token in enumerate([*units, *made])}
    settings = {"byte_level": False, "end_of_word_suffix": suffix, "pattern": "whitespace_split"}
    return BPEParts(vocab, merges, [], settings)


def read_tiktoken(path: PathLike) -> BPEParts:
    """A ``.tiktoken`` file: a token in base64 and its rank on each line. The pattern is cl100k's unless it is
    told.

    Special tokens stand in no such file: give them to :meth:`nlptk.BPE.load`.
    """
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(read_utf8(path).split("\n"), 1):
        if not line.strip():
            continue
        where = f"{os.fspath(path)}, line {number}"
        try:
            name, rank = line.split()
            token = base64.b64decode(name, validate=True)
            if token in ranks:
                raise ModelError(f"{where}: the token {name} stands twice")
            ranks[token] = check_id(int(rank), where)
        except (ValueError, binascii.Error):
            raise ModelError(f"{where}: expected a token in base64 and its rank, not {line[:40]!r}") from None
    return parts_of_ranks(ranks, os.fspath(path))


def parts_of_ranks(ranks: Mapping[bytes, int], source: str = "the ranks") -> BPEParts:
    """A model from tiktoken's ranks, which are the ids too. ModelError if a byte has no rank."""
    if not all(bytes([byte]) in ranks for byte in range(256)):
        raise ModelError(
            f"{source}: not every one of the 256 bytes has a rank, so that not every text could be encoded"
        )
    tokens = sorted(ranks, key=ranks.__getitem__)
    names = [show_bytes(token) for token in tokens]
    merges = [(names[a], names[b]) for a, b, _ in _core.merges_of_ranks(tokens).tolist()]
    vocab = {name: ranks[token] for name, token in zip(names, tokens, strict=True)}
    return BPEParts(vocab, merges, [], {"pattern": "cl100k", "ignore_merges": True})
