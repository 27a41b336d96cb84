"""``nlptk vectors plot``: a map of words, as a picture or a page."""

from __future__ import annotations

import enum
import sys
from pathlib import Path
from typing import Annotated

import typer

from nlptk.cli.files import OnErrorOrIgnore, check_output, existing_file
from nlptk.cli.vectors.similar import Errors, Vectors
from nlptk.errors import ConfigError, DataError


class Projection(enum.Enum):
    """How many dimensions become two."""

    pca = "pca"
    tsne = "tsne"


def plot(
    vectors: Vectors,
    output: Annotated[
        Path, typer.Option("--output", "-o", dir_okay=False, help="map.png or map.html.", show_default=False)
    ],
    words: Annotated[
        list[str] | None,
        typer.Option(
            help='Words to show, spaces between: "king queen"; may be repeated.', show_default=False
        ),
    ] = None,
    words_file: Annotated[
        Path | None,
        typer.Option(callback=existing_file, help="A file with a word a line.", show_default=False),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Without words: the first so many.")] = 500,
    method: Annotated[
        Projection, typer.Option(help="Directions of largest variance, or t-SNE, which keeps neighbours.")
    ] = Projection.pca,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of t-SNE.")] = 0,
    size: Annotated[float, typer.Option(min=1, max=100, help="Of a PNG, inches.")] = 10.0,
    errors: Errors = OnErrorOrIgnore.strict,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing.")] = False,
) -> None:
    """Draw words as a map: .png needs matplotlib, .html is a page by itself to zoom and search in.

    Example: nlptk vectors plot vectors.bin -o map.html --top 2000 --method tsne
    """
    from nlptk.vectors.keyed_vectors import KeyedVectors
    from nlptk.vectors.plot import project, save_html, save_png

    if output.suffix.lower() not in (".png", ".html"):
        raise ConfigError(f"--output {output} must end in .png or .html.")
    check_output(output, is_folder=False)
    wanted = _wanted(words, words_file)
    wv = KeyedVectors.load(vectors, errors=errors.value)
    chosen = [word for word in wanted if word in wv] if wanted is not None else wv.index_to_key[:top]
    if not chosen:
        raise DataError("none of these words has a vector" if wanted else f"{vectors} holds no words")
    points = project(wv[chosen], method.value, seed)
    title = f"{vectors.name}: {len(chosen):,} words ({'t-SNE' if method is Projection.tsne else 'PCA'})"
    missing: list[str] = []
    if output.suffix.lower() == ".html":
        save_html(output, chosen, points, title)
    else:
        missing = save_png(output, chosen, points, title, size)
    if quiet:
        return
    left_out = [word for word in wanted or () if word not in wv]
    if left_out:
        print(f"without a vector, left out: {' '.join(left_out[:20])}", file=sys.stderr)
    if missing:
        print(
            f"no installed font has {' '.join(missing[:20])}: boxes stand for them; install a font that does "
            "(for Chinese, Noto Sans CJK), or write an .html map",
            file=sys.stderr,
        )
    print(f"wrote {output}: {len(chosen):,} words", file=sys.stderr)


def _wanted(words: list[str] | None, file: Path | None) -> list[str] | None:
    """The words asked for, each once; None if none were."""
    if words is None and file is None:
        return None
    from nlptk.corpora.files import read_lines

    lines = (line.strip() for line in read_lines(file)) if file is not None else ()
    given = [word for part in words or () for word in part.split()]
    return list(dict.fromkeys([*given, *filter(None, lines)]))
