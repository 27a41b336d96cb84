"""Word clusters from raw text: left and right neighbours, positive PMI, truncated SVD, k-means.

    python tools/word_clusters.py --output build/clusters-en.tsv.gz
    python tools/word_clusters.py --lang zh --output build/clusters-zh.tsv.gz
    python tools/word_clusters.py --lang zh --characters --output build/clusters-zh-characters.tsv.gz

English words are found by a regular expression that splits as UD's treebank does, Chinese ones by jieba.

What it writes are the lexicons of the embedded pipelines' taggers: for each frequent word a cluster number at
several grains. Sources: Bullinaria and Levy 2012 (PPMI and SVD); Schuetze 1995 (neighbours as part-of-speech
evidence); Turian et al. 2010 (clusters as features).
"""

from __future__ import annotations

import argparse
import gzip
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.cluster import MiniBatchKMeans
from sklearn.utils.extmath import randomized_svd

from nlptk import JiebaTokenizer

DATA = Path(os.environ.get("NLPTK_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
FOLDERS = {"en": ("en-simplewiki-text", "en-enwiki2014-text"), "zh": ("zh-zhwiki-text",)}
WORD = re.compile(r"n't\b|'(?:s|re|ve|ll|d|m)\b|[^\W\d_]+?(?=n't\b)|[^\W\d_]+|\d+|[^\w\s]")


def paragraphs(lang: str) -> Iterator[str]:
    """Paragraphs of the wiki text in lower case."""
    for folder in FOLDERS[lang]:
        for path in sorted((DATA / folder).glob("*.txt.gz")):
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                for line in lines:
                    yield line.strip().lower()


def words(lang: str, *, characters: bool) -> Iterator[list[str]]:
    """Paragraphs as words or characters, digits as zeros."""
    split: Callable[[str], list[str]] = WORD.findall
    if characters:
        split = list
    elif lang == "zh":
        split = JiebaTokenizer().cut
    for paragraph in paragraphs(lang):
        yield ["0" * min(len(w), 5) if w.isdigit() else w for w in split(paragraph) if not w.isspace()]


def neighbour_counts(ids: np.ndarray, vocabulary: int, contexts: int) -> csr_matrix:
    """Counts [vocabulary, 4 * contexts] of frequent words at the places -2, -1, +1 and +2."""
    blocks = []
    for offset in (-2, -1, 1, 2):
        centre, other = (ids[-offset:], ids[:offset]) if offset < 0 else (ids[:-offset], ids[offset:])
        kept = (centre >= 0) & (other >= 0) & (other < contexts)
        cells, counts = np.unique(centre[kept].astype(np.int64) * contexts + other[kept], return_counts=True)
        blocks.append((cells // contexts, cells % contexts + len(blocks) * contexts, counts))
    row, column, count = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return csr_matrix((count.astype(np.float64), (row, column)), shape=(vocabulary, 4 * contexts))


def embed(counts: csr_matrix, dimensions: int, seed: int) -> np.ndarray:
    """Rows of unit length from the truncated SVD of positive PMI."""
    total = counts.sum()
    rows = np.asarray(counts.sum(axis=1)).ravel()
    columns = np.asarray(counts.sum(axis=0)).ravel() ** 0.75
    columns *= total / columns.sum()
    coo = counts.tocoo()
    pmi = np.log(coo.data * total / (rows[coo.row] * columns[coo.col]))
    positive = pmi > 0
    matrix = csr_matrix((pmi[positive], (coo.row[positive], coo.col[positive])), shape=counts.shape)
    left, values, _ = randomized_svd(matrix, dimensions, random_state=seed)
    vectors = left * np.sqrt(values)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def main() -> None:
    """Count, embed, cluster, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--lang", choices=FOLDERS, default="en")
    parser.add_argument("--characters", action="store_true", help="classes of characters, not of words")
    parser.add_argument("--vocabulary", type=int, default=40_000)
    parser.add_argument("--contexts", type=int, default=1_000)
    parser.add_argument("--dimensions", type=int, default=80)
    parser.add_argument("--grains", type=int, nargs="+", default=[64, 256, 1000])
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    index: dict[str, int] = {}
    frequency: Counter[int] = Counter()
    stream: list[np.ndarray] = []
    for paragraph in words(options.lang, characters=options.characters):
        ids = np.array([index.setdefault(word, len(index)) for word in paragraph] + [-1, -1], np.int32)
        stream.append(ids)
        frequency.update(ids.tolist())
    del frequency[-1]
    ranked = [word for word, _ in frequency.most_common(options.vocabulary)]
    rank = np.full(len(index) + 1, -1, np.int32)
    rank[ranked] = np.arange(len(ranked))
    counts = neighbour_counts(rank[np.concatenate(stream)], len(ranked), options.contexts)
    vectors = embed(counts, options.dimensions, options.seed)
    names = list(index)
    columns = [
        MiniBatchKMeans(grain, random_state=options.seed, n_init=3, batch_size=4096).fit(vectors).labels_
        for grain in options.grains
    ]
    options.output.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(options.output, "wt", encoding="utf-8") as out:
        out.write("\t".join(["word", *(f"c{grain}" for grain in options.grains)]) + "\n")
        for word, *classes in zip(ranked, *columns, strict=True):
            out.write("\t".join([names[word], *map(str, classes)]) + "\n")
    print(f"{options.output}: {len(ranked)} words, grains {options.grains}")


if __name__ == "__main__":
    main()
