"""BPE models to disk as others read them: see bpe_formats.py."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nlptk.corpora.files import atomic_writer
from nlptk.errors import DataError, ModelError
from nlptk.tokenize.bpe_formats import BPEParts, Merge, hide_bytes, parts_of_ranks
from nlptk.tokenize.pretokenizers import PATTERNS


def write_bpe(path: str | os.PathLike[str], parts: BPEParts) -> None:
    """Write a model; the file's name tells in which layout, see :meth:`nlptk.BPE.save`."""
    target = Path(path)
    if target.suffix == ".json":
        files = {target: json.dumps(tokenizer_json(parts), ensure_ascii=False, indent=2)}
    elif target.suffix == ".tiktoken":
        files = {target: tiktoken_text(parts)}
    elif target.suffix == ".txt":
        files = {target: merges_text(parts.merges)}
    else:
        try:
            target.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"cannot make the folder {os.fspath(path)!r}: {error.strerror}") from error
        vocab = dict(sorted(parts.vocab.items(), key=lambda item: item[1]))
        files = {
            target / "vocab.json": json.dumps(vocab, ensure_ascii=False),
            target / "merges.txt": merges_text(parts.merges),
        }
    for file, text in files.items():
        with atomic_writer(file) as out:
            out.write(text)


def tokenizer_json(parts: BPEParts) -> dict[str, Any]:
    """The model as a ``tokenizer.json`` has it."""
    settings = parts.settings
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            token.to_json() for token in sorted(parts.special_tokens, key=lambda token: token.id)
        ],
        "normalizer": {"type": settings["normalization"]} if settings.get("normalization") else None,
        "pre_tokenizer": _write_pre_tokenizer(settings),
        "post_processor": _write_template(parts),
        "decoder": _write_decoder(settings),
        "model": {
            "type": "BPE",
            "dropout": settings.get("dropout"),
            "unk_token": settings.get("unk_token"),
            "continuing_subword_prefix": settings.get("continuing_subword_prefix"),
            "end_of_word_suffix": settings.get("end_of_word_suffix"),
            "fuse_unk": settings.get("fuse_unk", False),
            "byte_fallback": settings.get("byte_fallback", False),
            "ignore_merges": settings.get("ignore_merges", False),
            "vocab": dict(sorted(parts.vocab.items(), key=lambda item: item[1])),
            "merges": [list(merge) for merge in parts.merges],
        },
    }


def _byte_level(prefix_space: bool, use_regex: bool) -> dict[str, Any]:
    return {
        "type": "ByteLevel",
        "add_prefix_space": prefix_space,
        "trim_offsets": True,
        "use_regex": use_regex,
    }


def _write_pre_tokenizer(settings: Mapping[str, Any]) -> dict[str, Any] | None:
    pattern = settings.get("pattern", "gpt2")
    named = {"whitespace": "Whitespace", "whitespace_split": "WhitespaceSplit"}
    stages: list[dict[str, Any]] = []
    if pattern in named:
        stages.append({"type": named[pattern]})
    elif pattern not in ("none", "gpt2") or (pattern == "gpt2" and not settings.get("byte_level", True)):
        regex = PATTERNS.get(pattern, pattern)
        stages.append({"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": False})
    if settings.get("byte_level", True):
        stages.append(_byte_level(bool(settings.get("prefix_space")), pattern == "gpt2"))
    if settings.get("prefix_space") and not (stages and stages[0]["type"] == "ByteLevel"):
        raise ModelError(
            f"tokenizer.json cannot hold prefix_space with the pattern {pattern!r}, only with gpt2 or none"
        )
    if len(stages) < 2:
        return stages[0] if stages else None
    return {"type": "Sequence", "pretokenizers": stages}


def _write_decoder(settings: Mapping[str, Any]) -> dict[str, Any] | None:
    if settings.get("byte_level", True):
        return _byte_level(True, True)
    if settings.get("end_of_word_suffix"):
        return {"type": "BPEDecoder", "suffix": settings["end_of_word_suffix"]}
    if settings.get("byte_fallback"):
        return {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}]}
    return {"type": "Fuse"}


def _write_template(parts: BPEParts) -> dict[str, Any] | None:
    before, after = parts.settings.get("begin_ids") or [], parts.settings.get("end_ids") or []
    if not before and not after:
        return None
    names = {number: token for token, number in parts.vocab.items()}
    names.update({token.id: token.content for token in parts.special_tokens})

    def items(ids: Sequence[int]) -> Iterable[dict[str, Any]]:
        return ({"SpecialToken": {"id": names[number], "type_id": 0}} for number in ids)

    def sequence(name: str, type_id: int) -> dict[str, Any]:
        return {"Sequence": {"id": name, "type_id": type_id}}

    single = [*items(before), sequence("A", 0), *items(after)]
    special = {names[n]: {"id": names[n], "ids": [n], "tokens": [names[n]]} for n in [*before, *after]}
    pair = [*single, *items(before), sequence("B", 1), *items(after)]
    return {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": special}


def merges_text(merges: Iterable[Merge]) -> str:
    """The content of a ``merges.txt``. ModelError for tokens with white space, which it cannot hold."""
    merges = list(merges)
    for merge in merges:
        if any(" " in token or "\n" in token or "\r" in token or not token for token in merge):
            raise ModelError(f"merges.txt cannot hold the merge {merge!r}; save the model as tokenizer.json")
    return "#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges)


def tiktoken_text(parts: BPEParts) -> str:
    """The content of a ``.tiktoken`` file. ModelError for a model that tiktoken would apply otherwise."""
    made = {a + b for a, b in parts.merges}
    special = {token.content for token in parts.special_tokens}
    ranks: dict[bytes, int] = {}
    for token, number in sorted(parts.vocab.items(), key=lambda item: item[1]):
        data = hide_bytes(token)
        if data is not None and (token not in special or token in made or len(data) == 1):
            ranks[data] = number
    # tiktoken knows no merges: those that it finds from the ranks must be the model's.
    if not parts.settings.get("byte_level", True) or parts_of_ranks(ranks).merges != parts.merges:
        raise ModelError(
            "a .tiktoken file holds byte-level models whose ids rise with the order of their merges only"
        )
    return "".join(f"{base64.b64encode(data).decode()} {number}\n" for data, number in ranks.items())
