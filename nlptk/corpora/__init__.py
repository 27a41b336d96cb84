"""Reading and writing corpora: CoNLL-U, entity and column files, word/tag text, plain text; gzip of each.

>>> from nlptk.corpora import read_docs
>>> docs = list(read_docs("train.conllu.gz"))           # doctest: +SKIP
"""

from nlptk.corpora.conllu_doc import doc_to_conllu, sentences_to_doc
from nlptk.corpora.files import atomic_writer, open_text, read_lines
from nlptk.corpora.formats import FORMATS, detect_format, guess_format, read_docs, write_docs
from nlptk.corpora.labelled import LabelledTexts, read_labelled
from nlptk.corpora.split import train_dev_test_split
from nlptk.corpora.text import read_texts

__all__ = [
    "FORMATS",
    "LabelledTexts",
    "atomic_writer",
    "detect_format",
    "doc_to_conllu",
    "guess_format",
    "open_text",
    "read_docs",
    "read_labelled",
    "read_lines",
    "read_texts",
    "sentences_to_doc",
    "train_dev_test_split",
    "write_docs",
]
