"""``nlptk vectors similar | analogy``: look words up in a file of vectors."""

from __future__ import annotations

import enum
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nlptk.cli.files import OnErrorOrIgnore, existing_file
from nlptk.errors import ConfigError

if TYPE_CHECKING:
    from nlptk.vectors.keyed_vectors import KeyedVectors, Similar


class Method(enum.Enum):
    """How cosines are joined."""

    add = "add"
    mul = "mul"


Vectors = Annotated[
    Path,
    typer.Argument(
        callback=existing_file,
        metavar="FILE",
        show_default=False,
        help="Word vectors: .txt, .vec, .bin, .glove or .safetensors, gzip or not.",
    ),
]
TopN = Annotated[int, typer.Option("--topn", "-n", min=1, help="So many answers.")]
Restrict = Annotated[
    int | None,
    typer.Option(min=1, help="Answer with the first so many words only.", show_default=False),
]
Errors = Annotated[
    OnErrorOrIgnore, typer.Option(help="Words that are not UTF-8: stop there, replace or drop bytes.")
]
Json = Annotated[bool, typer.Option("--json", help="A JSON object a line.")]


def similar(
    file: Vectors,
    words: Annotated[list[str], typer.Argument(metavar="WORD...", show_default=False)],
    topn: TopN = 10,
    restrict_vocab: Restrict = None,
    errors: Errors = OnErrorOrIgnore.strict,
    as_json: Json = False,
) -> None:
    """Print the words whose vectors have the largest cosine with each word's, and the cosines.

    With several words each line begins with the one that was asked for.

    Example: nlptk vectors similar vectors.txt river otter --topn 5
    """
    vectors = _load(file, errors)
    _check(vectors, words)
    answers = vectors.most_similar_batch(words, topn, restrict_vocab)
    for word, answer in zip(words, answers, strict=True):
        if as_json:
            _print_json({"word": word}, answer)
        else:
            _print(answer, f"{word}\t" if len(words) > 1 else "")


def analogy(
    file: Vectors,
    a: Annotated[str, typer.Argument(metavar="A", show_default=False)],
    b: Annotated[str, typer.Argument(metavar="B", show_default=False)],
    c: Annotated[str, typer.Argument(metavar="C", show_default=False)],
    topn: TopN = 10,
    method: Annotated[Method, typer.Option(help="3CosAdd or 3CosMul.")] = Method.add,
    restrict_vocab: Restrict = None,
    errors: Errors = OnErrorOrIgnore.strict,
    as_json: Json = False,
) -> None:
    """A is to B as C is to what? Print the words that fit best, and their scores.

    Example: nlptk vectors analogy vectors.txt man king woman
    """
    vectors = _load(file, errors)
    _check(vectors, [a, b, c])
    search = vectors.most_similar if method is Method.add else vectors.most_similar_cosmul
    answer = search([b, c], [a], topn=topn, restrict_vocab=restrict_vocab)
    if as_json:
        _print_json({"a": a, "b": b, "c": c, "method": method.value}, answer)
    else:
        _print(answer, "")


def _load(file: Path, errors: OnErrorOrIgnore) -> KeyedVectors:
    from nlptk.vectors.keyed_vectors import KeyedVectors

    return KeyedVectors.load(file, errors=errors.value)


def _check(vectors: KeyedVectors, words: list[str]) -> None:
    for word in words:
        try:
            vectors.get_vector(word)
        except KeyError as error:
            raise ConfigError(str(error.args[0])) from error


def _print(answer: Similar, before: str) -> None:
    for word, score in answer:
        typer.echo(f"{before}{word}\t{score:.4f}")


def _print_json(query: dict[str, str], answer: Similar) -> None:
    found = [{"word": word, "score": round(score, 6)} for word, score in answer]
    typer.echo(json.dumps({**query, "similar": found}, ensure_ascii=False))
