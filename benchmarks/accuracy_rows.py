"""The models whose quality bench_accuracy.py measures, and the files that they need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from common import MSRA, WNUT, Files

Settings = Mapping[str, "str | int | float | tuple[str, ...]"]

EWT = "ud-english-ewt/en_ewt-ud-{}.conllu.gz"
UNER = "uner-english-ewt/en_ewt-ud-{}.iob2.gz"
GSD = "ud-chinese-gsdsimp/zh_gsdsimp-v13pos-{}.conllu.gz"
PEOPLE = "people-daily-199801/pd199801-{}.txt.gz"
UNER_GSD = "ud-chinese-gsdsimp/zh_gsdsimp-ud-{}.iob2.gz"
CONLL = "conll2000/{}.txt.gz"
SST = "sst2/{}.tsv.gz"

EN, EN_300, ZH, ZH_CHARACTERS, ZH_PAIRS = (
    f"$MADE/vectors-{name}.safetensors" for name in ("en", "en-300", "zh", "zh-characters", "zh-pairs")
)

# Files below CACHE ("$MADE") that rows need and no corpus has, and how they are made from the wiki text:
# commands of nlptk, and tools of tools/ that get --output.
ZH_NER = f"--model crf --column ner --lang zh --template zh-clusters --train $DATA/{UNER_GSD.format('train')}"
TRAIN_VECTORS = "nlptk vectors train --model skipgram --window 5 --negative 5 --epochs 5"
MADE: dict[str, tuple[str, ...]] = {
    "vectors-en.safetensors": (
        f"{TRAIN_VECTORS} --dim 100 --sample 1e-4 --min-count 5 --tokenizer en $DATA/en-simplewiki-text/*.gz "
        "$DATA/en-enwiki2014-text/*.gz -o $MADE/vectors-en.safetensors",
    ),
    "vectors-en-300.safetensors": (
        f"{TRAIN_VECTORS} --dim 300 --sample 1e-4 --min-count 5 --tokenizer en $DATA/en-simplewiki-text/*.gz "
        "$DATA/en-enwiki2014-text/*.gz -o $MADE/vectors-en-300.safetensors",
    ),
    "vectors-zh.safetensors": (
        f"{TRAIN_VECTORS} --dim 100 --sample 1e-4 --min-count 3 --tokenizer jieba $DATA/zh-zhwiki-text/*.gz "
        "-o $MADE/vectors-zh.safetensors",
    ),
    "vectors-zh-characters.safetensors": (
        "spaced_characters.py $DATA/zh-zhwiki-text/*.gz --output $MADE/zh-characters.txt",
        f"{TRAIN_VECTORS} --dim 100 --sample 1e-3 --min-count 5 $MADE/zh-characters.txt "
        "-o $MADE/vectors-zh-characters.safetensors",
    ),
    "vectors-zh-pairs.safetensors": (
        "spaced_characters.py --pairs $DATA/zh-zhwiki-text/*.gz --output $MADE/zh-pairs.txt",
        f"{TRAIN_VECTORS} --dim 50 --sample 1e-3 --min-count 20 $MADE/zh-pairs.txt "
        "-o $MADE/vectors-zh-pairs.safetensors",
    ),
    "names-en.tsv.gz": ("name_gazetteer.py en --lang en --least 2 --share 0.3",),
    "clusters-zh.tsv.gz": ("word_clusters.py --lang zh --vocabulary 60000",),
    "clusters-zh-characters.tsv.gz": ("word_clusters.py --lang zh --characters --vocabulary 5000",),
    "names-zh.tsv.gz": (
        f"nlptk train tagger {ZH_NER} --dev $DATA/{UNER_GSD.format('dev')} "
        "--clusters $MADE/clusters-zh.tsv.gz --gazetteer jieba=jieba --c2 0.1 --max-iterations 20 "
        "--output $MADE/zh-first",
        "name_gazetteer.py $MADE/zh-first --lang zh --least 2 --share 0.3",
    ),
}


@dataclass(frozen=True)
class Row:
    """One model: what to train, on what, and what its scores on the test split must reach.

    `settings` are options of `nlptk train`, without the leading dashes. `hold_out` k: there is no dev split,
    so a first training leaves out every k-th sentence and tells which pass is best; the model then learns
    from all. `has_dev`: false where there is none and the passes are those that were best once. "$MADE" in
    settings stands for the folder of the files in MADE.
    """

    key: str
    what: str
    command: str
    files: Files
    reach: Mapping[str, float]
    settings: Settings = field(default_factory=dict)
    evaluate: str = ""
    hold_out: int = 0
    has_dev: bool = True

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that there are."""
        return ("train", "dev", "test") if self.has_dev and not self.hold_out else ("train", "test")


ROWS = (
    Row("ewt-hmm", "EWT test, UPOS, gold tokens: HMM", "train tagger", EWT, {"upos_acc": 0.925},
        {"model": "hmm", "column": "upos"}),
    Row("ewt-crf", "EWT test, UPOS, gold tokens: CRF", "train tagger", EWT, {"upos_acc": 0.955},
        {"model": "crf", "column": "upos", "template": "pos-clusters", "clusters": "en", "c2": 0.05,
         "max_iterations": 14}),
    Row("conll2000", "CoNLL-2000 chunks: CRF", "train tagger", CONLL, {"entity_f1": 0.940},
        {"model": "crf", "column": "2", "template": "chunk-clusters", "clusters": "en", "c2": 0.3,
         "max_iterations": 14},
        evaluate="--column 2", hold_out=10),
    Row("uner", "UNER-EWT test entities, no gazetteer: CRF", "train tagger", UNER, {"entity_f1": 0.711},
        {"model": "crf", "column": "ner", "template": "ner-clusters", "clusters": "en", "c2": 0.1,
         "max_iterations": 14}),
    Row("uner-names", "UNER-EWT test entities, self-trained gazetteer: CRF", "train tagger", UNER,
        {"entity_f1": 0.711},
        {"model": "crf", "column": "ner", "template": "ner-clusters", "clusters": "en",
         "gazetteer": "names=$MADE/names-en.tsv.gz", "c2": 0.1, "max_iterations": 14}),
    Row("wnut", "WNUT-17 test entities: CRF", "train tagger", WNUT, {"entity_f1": 0.182},
        {"model": "crf", "column": "ner", "template": "ner-clusters", "clusters": "en",
         "gazetteer": "names=$MADE/names-en.tsv.gz", "c2": 0.1, "max_iterations": 14},
        evaluate="--column ner"),
    Row("gsd-ner", "UNER-GSDSimp test entities, gold words: CRF", "train tagger", UNER_GSD,
        {"entity_f1": 0.678},
        {"model": "crf", "column": "ner", "lang": "zh", "template": "zh-clusters",
         "clusters": "$MADE/clusters-zh.tsv.gz",
         "gazetteer": ("jieba=jieba", "names=$MADE/names-zh.tsv.gz"), "c2": 0.1, "max_iterations": 20}),
    Row("msra", "MSRA test entities, by character: CRF", "train tagger", MSRA, {"entity_f1": 0.8645},
        {"model": "crf", "column": "ner", "lang": "zh", "template": "characters-clusters",
         "clusters": "$MADE/clusters-zh-characters.tsv.gz", "gazetteer": "jieba=jieba", "c2": 0.1,
         "max_iterations": 7},
        evaluate="--column ner", has_dev=False),
    Row("ewt-segmenter", "EWT test from raw text: segmenter", "train segmenter", EWT,
        {"words_f1": 0.988, "sentences_f1": 0.80}, {"lang": "en", "c2": 0.05, "max_iterations": 14},
        evaluate="--raw"),
    Row("gsd", "GSDSimp test: segmenter", "train segmenter", GSD, {"words_f1": 0.935},
        {"lang": "zh", "lexicon": "jieba", "c2": 0.03, "min_freq": 2, "max_iterations": 16},
        evaluate="--raw"),
    Row("people", "People's Daily test: segmenter", "train segmenter", PEOPLE, {"words_f1": 0.965},
        {"lang": "zh", "lexicon": "jieba", "algorithm": "ap", "max_iterations": 12}, evaluate="--raw"),
    Row("ewt-stacked", "EWT test, UPOS, gold tokens: two CRFs", "train tagger", EWT, {"upos_acc": 0.955},
        {"model": "stacked", "column": "upos", "template": "pos-clusters", "clusters": "en", "c2": 0.05,
         "max_iterations": 14}),
    Row("ewt-bilstm-crf", "EWT test, UPOS, gold tokens: BiLSTM-CRF", "train tagger", EWT,
        {"upos_acc": 0.955}, {"model": "bilstm-crf", "column": "upos", "vectors": EN, "max_iterations": 12}),
    Row("ewt-transformer", "EWT test, UPOS, gold tokens: Transformer", "train tagger", EWT,
        {"upos_acc": 0.935}, {"model": "transformer", "column": "upos", "vectors": EN}),
    Row("ewt-bert", "EWT test, UPOS, gold tokens: MiniLM", "train tagger", EWT, {"upos_acc": 0.967},
        {"model": "bert", "column": "upos", "pretrained": "$MINILM", "precision": "bfloat16"}),
    Row("conll2000-bilstm-crf", "CoNLL-2000 chunks: BiLSTM-CRF", "train tagger", CONLL,
        {"entity_f1": 0.942}, {"model": "bilstm-crf", "column": "2", "vectors": EN, "max_iterations": 15},
        evaluate="--column 2", has_dev=False),
    Row("conll2000-bert-crf", "CoNLL-2000 chunks: MiniLM-CRF", "train tagger", CONLL, {"entity_f1": 0.955},
        {"model": "bert-crf", "column": "2", "pretrained": "$MINILM", "precision": "bfloat16",
         "learning_rate": 2e-4, "max_iterations": 4},
        evaluate="--column 2", has_dev=False),
    Row("uner-bilstm-crf", "UNER-EWT test entities: BiLSTM-CRF", "train tagger", UNER, {"entity_f1": 0.72},
        {"model": "bilstm-crf", "column": "ner", "vectors": EN, "max_iterations": 15}),
    Row("uner-bert-crf", "UNER-EWT test entities: MiniLM-CRF", "train tagger", UNER, {"entity_f1": 0.775},
        {"model": "bert-crf", "column": "ner", "pretrained": "$MINILM"}),
    Row("gsd-bilstm-crf", "GSDSimp test, XPOS, gold words: BiLSTM-CRF", "train tagger", GSD,
        {"xpos_acc": 0.94},
        {"model": "bilstm-crf", "column": "xpos", "lang": "zh", "vectors": ZH,
         "character_vectors": ZH_CHARACTERS, "layers": 2, "dropout": 0.5, "max_iterations": 25}),
    Row("msra-bilstm-crf", "MSRA test entities, by character: BiLSTM-CRF", "train tagger", MSRA,
        {"entity_f1": 0.90},
        {"model": "bilstm-crf", "column": "ner", "lang": "zh", "vectors": ZH_CHARACTERS,
         "pair_vectors": ZH_PAIRS, "segment_vectors": ZH, "gazetteer": "jieba=jieba",
         "precision": "bfloat16", "max_iterations": 6},
        evaluate="--column ner", has_dev=False),
    Row("sst2-bilstm", "SST-2 test: BiLSTM with our vectors", "train classifier", SST, {"accuracy": 0.86},
        {"model": "bilstm", "vectors": EN_300, "layers": 2, "hidden": 200, "dropout": 0.5, "unknown": 0.45,
         "length_weight": 0.5, "precision": "bfloat16", "seed": 2, "max_iterations": 5}),
)  # fmt: skip
