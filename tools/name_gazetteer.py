"""A gazetteer of names from raw text: what a tagger of entities finds often, and mostly as one kind of name.

    python tools/name_gazetteer.py en --lang en --output build/names-en.tsv.gz

The model is a pipeline that fills "ent". Its names in the wiki text are counted by kind; kept are those found
`--least` times, `--share` of them as one kind and, of one word, in `--share` of the word's places.
A tagger that learns with them as a gazetteer knows names that its own training corpus does not have.
Source: self-training of lists as in Etzioni et al. 2005 and Toral and Munoz 2006; read by `nlptk train tagger
--gazetteer`.
"""

from __future__ import annotations

import argparse
import gzip
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import nlptk
from nlptk.doc import Doc

DATA = Path(os.environ.get("NLPTK_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
FOLDERS = {"en": ("en-simplewiki-text", "en-enwiki2014-text"), "zh": ("zh-zhwiki-text",)}


def paragraphs(lang: str) -> Iterator[str]:
    """Paragraphs of the wiki text."""
    for folder in FOLDERS[lang]:
        for path in sorted((DATA / folder).glob("*.txt.gz")):
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                yield from filter(None, map(str.strip, lines))


def docs(model: str, lang: str, *, characters: bool) -> Iterator[Doc]:
    """The text with names; with `characters` each character is a token, as in MSRA's corpus."""
    nlp = nlptk.load(model)
    texts = paragraphs(lang)
    names = [name for name in nlp.pipe_names if "doc.ent" in nlp.get_pipe(name).assigns]
    first = nlp.pipe_names[:1] if not characters else []
    sentences = [name for name in nlp.pipe_names if nlp.pipe_factories[name] == "sentencizer"]
    with nlp.select_pipes(enable=[*first, *sentences, *names]):
        yield from nlp.pipe(map(by_character, texts) if characters else texts)


def by_character(text: str) -> Doc:
    """A Doc of a token for each character that is not white space."""
    starts = [i for i, char in enumerate(text) if not char.isspace()]
    return Doc(text, starts, [i + 1 for i in starts])


def main() -> None:
    """Tag, count, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="a pipeline's name or folder")
    parser.add_argument("--lang", choices=FOLDERS, default="en")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--characters", action="store_true", help="the model tags characters, not words")
    parser.add_argument("--least", type=int, default=3)
    parser.add_argument("--share", type=float, default=0.5)
    options = parser.parse_args()

    found: Counter[tuple[str, str]] = Counter()
    places: Counter[str] = Counter()
    for doc in docs(options.model, options.lang, characters=options.characters):
        places.update(doc.words)
        found.update((span.text, span.label_) for span in doc.ents)
    total: Counter[str] = Counter()
    for (name, _), count in found.items():
        total[name] += count
    options.output.parent.mkdir(parents=True, exist_ok=True)
    kept = [
        (name, kind)
        for (name, kind), count in sorted(found.items())
        if count >= options.least and count >= options.share * max(total[name], places[name])
    ]
    with gzip.open(options.output, "wt", encoding="utf-8") as out:
        out.writelines(f"{name}\t{kind}\n" for name, kind in kept)
    print(f"{options.output}: {len(kept)} names")


if __name__ == "__main__":
    main()
