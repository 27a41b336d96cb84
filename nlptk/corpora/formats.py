"""Corpus formats by name, and two functions for all of them: `read_docs` and `write_docs`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from nlptk.corpora import columns, conllu, conllu_doc, text, wordtag
from nlptk.corpora.files import PathLike, TextWriter, atomic_writer, open_text, source_name
from nlptk.corpora.labels import is_iob_label
from nlptk.corpora.pieces import Piece, Unit, build_doc, group
from nlptk.doc import Doc
from nlptk.errors import ConfigError, DataError


@dataclass(frozen=True)
class ReadOptions:
    """What `read_docs` passes to a format's reader."""

    label: str | None = None
    strict: bool = False
    spaces: bool | None = None
    lang: str | None = None


@dataclass(frozen=True)
class Format:
    """A corpus format: how a file becomes pieces, how the Doc of a number becomes text, and its usual
    names."""

    name: str
    description: str
    extensions: tuple[str, ...]
    pieces: Callable[[PathLike, ReadOptions], Iterator[Piece]] | None
    write: Callable[[Doc, TextWriter, int], None]


def _conllu_pieces(path: PathLike, options: ReadOptions) -> Iterator[Piece]:
    for sentence in conllu.read(path):
        yield conllu_doc.sentence_piece(
            sentence, strict=options.strict, spaces=options.spaces, lang=options.lang
        )


def _column_pieces(path: PathLike, options: ReadOptions, layout: columns.Layout | None) -> Iterator[Piece]:
    for sentence in columns.read(path, layout=layout):
        yield columns.sentence_piece(
            sentence, label=options.label, strict=options.strict, spaces=options.spaces, lang=options.lang
        )


def _iob2_pieces(path: PathLike, options: ReadOptions) -> Iterator[Piece]:
    return _column_pieces(path, ReadOptions("ent", options.strict, options.spaces, options.lang), None)


def _conll_pieces(path: PathLike, options: ReadOptions) -> Iterator[Piece]:
    return _column_pieces(path, options, "plain")


def _wordtag_pieces(path: PathLike, options: ReadOptions) -> Iterator[Piece]:
    return wordtag.read(path, spaces=options.spaces, lang=options.lang)


def _segmented_pieces(path: PathLike, options: ReadOptions) -> Iterator[Piece]:
    return wordtag.read(path, tagged=False, spaces=options.spaces, lang=options.lang)


def _write_conllu(doc: Doc, file: TextWriter, number: int) -> None:
    doc_id = str(doc.user_data.get("id", "")) or str(number)
    file.write(conllu.dumps(conllu_doc.doc_to_conllu(doc, doc_id)))


def _write_segmented(doc: Doc, file: TextWriter, number: int) -> None:
    wordtag.write(doc, file, number, tagged=False)


FORMATS: dict[str, Format] = {
    entry.name: entry
    for entry in (
        Format("conllu", "CoNLL-U (Universal Dependencies)", (".conllu",), _conllu_pieces, _write_conllu),
        Format(
            "iob2",
            "entity columns: Universal NER, or word and label; the last column is read as entities",
            (".iob2", ".iob", ".bio", ".bioes"),
            _iob2_pieces,
            columns.write_index,
        ),
        Format(
            "conll",
            "columns: word, then columns '1', '2'... (CoNLL-2000, CoNLL-2003, WNUT)",
            (".conll", ".col", ".annotated"),
            _conll_pieces,
            columns.write_plain,
        ),
        Format(
            "wordtag",
            "word/tag text, one sentence a line",
            (".wordtag", ".pos"),
            _wordtag_pieces,
            wordtag.write,
        ),
        Format(
            "segmented", "words separated by spaces", (".seg", ".tok"), _segmented_pieces, _write_segmented
        ),
        Format("text", "plain text, one document a line", (".txt", ".text", ".raw"), None, text.write),
    )
}

_TAGGED = re.compile(r".+/[A-Za-z]{1,5}")

# Names of columns as treebanks and the command line call them.
COLUMN_NAMES = {"upos": "pos", "xpos": "tag", "ner": "ent"}


def guess_format(path: PathLike) -> str:
    """The format that a file's name says (``.gz`` is ignored); standard input is ``text``.

    Raises:
        ConfigError: the name ends in nothing known.
    """
    name = os.fspath(path)
    if name == "-":
        return "text"
    stem = name[:-3] if name.endswith(".gz") else name
    extension = os.path.splitext(stem)[1].lower()
    for entry in FORMATS.values():
        if extension in entry.extensions:
            return entry.name
    raise ConfigError(f"cannot tell the format of {name!r} from its name; give one of {', '.join(FORMATS)}")


def detect_format(path: PathLike, column: str | None = None) -> str:
    """As `guess_format`, but a file named as plain text is looked into: many corpora come as ``.txt``.

    It is ``wordtag`` if all words of its first line end in a slash and a short tag; ``conll`` if the lines of
    its first block have two columns or more, equally many, and end in an entity or chunk label (in anything,
    if a `column` is wanted).

    Raises:
        ConfigError: as `guess_format`.
        DataError: the file cannot be read.
    """
    guess = guess_format(path)
    if guess != "text" or os.fspath(path) == "-":
        return guess
    block: list[list[str]] = []
    with open_text(path) as reader:
        for line in reader:
            fields = line.split()
            if fields and len(block) < 20:
                block.append(fields)
            elif block:
                break
    if block and all(_TAGGED.fullmatch(item) for item in block[0]):
        return "wordtag"
    widths = set(map(len, block))
    if len(block) > 1 and len(widths) == 1 and widths != {1}:
        labelled = all(is_iob_label(fields[-1]) for fields in block)
        return "conll" if labelled or column is not None else guess
    return guess


def get_format(name: str) -> Format:
    """The format called `name`.

    Raises:
        ConfigError: there is none.
    """
    if name not in FORMATS:
        raise ConfigError(f"unknown corpus format {name!r}; use one of {', '.join(FORMATS)}")
    return FORMATS[name]


def read_docs(
    path: PathLike,
    format: str | None = None,
    column: str | None = None,
    unit: Unit = "sentence",
    *,
    spaces: bool | None = None,
    lang: str | None = None,
    strict: bool = False,
) -> Iterator[Doc]:
    """Docs of a corpus file, one at a time, with gold tokens, sentence starts and columns.

    Args:
        path: file, gzip or not; ``-`` is standard input.
        format: a name in ``FORMATS``; by default told by `detect_format`.
        column: the column that the caller is after (``upos``, ``xpos``, ``ner`` mean pos, tag, ent). Every
            Doc then has it, unset where the file leaves it out; a file without it is an error, raised at its
            end. In a ``conll`` file a name that is no number names the last column.
        unit: a Doc is a sentence, a paragraph (``# newpar``) or a document (``# newdoc``, ``-DOCSTART-``);
            where the file marks none, the whole file. In ``text``: a line, lines up to a blank one, the file.
        spaces, lang: how words are joined where the file does not keep spacing, see
            `nlptk.corpora.pieces.join_words`.
        strict: a ``# text`` that the words do not spell is an error; otherwise the words make the text.

    Columns: ``conllu`` gives pos, tag, lemma (those that the file fills), ent from ``NER=`` in MISC, form
    where a multiword's words do not spell it; ``iob2`` ent; ``conll`` "1", "2"...; ``wordtag`` tag. Docs of
    ``text`` have no tokens. Sentence and paragraph Docs carry no outer whitespace; document Docs carry what
    the file records.

    Raises:
        ConfigError: unknown format or unit.
        DataError: a malformed line (names file and line), or a file without `column`.
    """
    entry = get_format(format if format is not None else detect_format(path, column))
    wanted = COLUMN_NAMES.get(column, column) if column is not None else None
    if entry.pieces is None:
        if wanted is not None:
            message = f"{source_name(path)!r} is read as plain text, which has no column {column!r}"
            raise ConfigError(f"{message}; give its format: one of {', '.join(FORMATS)}")
        return text.read(path, unit)
    label = wanted if wanted is not None and not wanted.isdigit() else None
    options = ReadOptions(label, strict, spaces, lang)
    return _docs(entry.pieces(path, options), unit, options, wanted, source_name(path))


def _docs(
    pieces: Iterator[Piece], unit: Unit, options: ReadOptions, wanted: str | None, source: str
) -> Iterator[Doc]:
    seen: set[str] = set()
    for members in group(pieces, unit):
        doc = build_doc(members, spaces=options.spaces, lang=options.lang, unit=unit)
        seen.update(doc.columns)
        if wanted is not None and not doc.has_column(wanted):
            doc.set_column(wanted, [""] * len(doc))
        yield doc
    if wanted is not None and wanted not in seen:
        raise DataError(f"{source} has no column {wanted!r} (it has: {', '.join(sorted(seen)) or 'none'})")


def write_docs(docs: Iterable[Doc], path: PathLike, format: str | None = None) -> int:
    """Write tokenized Docs (``text``: any) to a corpus file, whole or not at all; returns how many.

    ``conllu`` keeps every text and token exactly; the other formats raise where they cannot hold one, and
    keep neither spacing nor columns that they have no place for.

    Raises:
        ConfigError: unknown format.
        DataError: a Doc has no tokens, or the format cannot hold it; the file cannot be written.
    """
    entry = get_format(format if format is not None else guess_format(path))
    number = 0
    with atomic_writer(path) as file:
        for number, doc in enumerate(docs, 1):
            if not doc.is_tokenized and entry.pieces is not None and doc.text:
                raise DataError(
                    f"document {number} has no tokens; run a tokenizer before writing {entry.name}"
                )
            entry.write(doc, file, number)
    return number
