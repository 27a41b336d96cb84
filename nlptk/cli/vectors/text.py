"""How commands on raw text read it: the options, and the tokenizer that they name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from nlptk.cli.files import OnErrorOrIgnore
from nlptk.errors import ConfigError

Tokenizer = Annotated[
    str | None,
    typer.Option(
        show_default=False,
        help="Cut raw text by en, jieba, a tokenizer.json or a pipeline; else by white space.",
    ),
]
Lower = Annotated[bool, typer.Option("--lower", help="Lower-case the text; with --tokenizer.")]
Errors = Annotated[
    OnErrorOrIgnore, typer.Option(help="Bytes that are not UTF-8: stop there, replace or drop them.")
]


def cutter(name: str | None, lower: bool) -> Callable[[str], list[str]] | None:
    """What --tokenizer names, if anything. Raises ConfigError where there is no such thing to be had."""
    if name is None:
        if lower:
            raise ConfigError("--lower goes with --tokenizer; text without one is read as it is.")
        return None
    cut = _named(name)
    return (lambda text: cut(text.lower())) if lower else cut


def _named(name: str) -> Callable[[str], list[str]]:
    if name == "en":
        from nlptk.tokenize.rules import RuleTokenizer

        return RuleTokenizer().tokenize
    if name == "jieba":
        from nlptk.tokenize.jieba import JiebaTokenizer

        return JiebaTokenizer().cut
    path = Path(name)
    if path.is_file():
        return _of_json(path)
    from nlptk.language import load

    if not path.is_dir():
        raise ConfigError(f"--tokenizer {name}: give en, jieba, a tokenizer.json or a pipeline's folder.")
    nlp: Any = load(path)
    return lambda text: [token.text for token in nlp(text)]


def _of_json(path: Path) -> Callable[[str], list[str]]:
    from nlptk.errors import ModelError
    from nlptk.tokenize.bpe import BPE
    from nlptk.tokenize.wordpiece import WordPiece

    try:
        return BPE.load(path).tokenize
    except ModelError as of_bpe:
        try:
            return WordPiece.load(path).tokenize
        except ModelError:
            raise of_bpe from None
