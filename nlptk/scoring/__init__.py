"""Scores of tokens, sentences, labels and entities, counted as the field's own scripts count them.

* `accuracy`: share of labels that agree, unknown words apart, and a table for each label.
* `entity_scores`: entities as conlleval counts them (Tjong Kim Sang and Buchholz, 2000).
* `segmentation_scores`: words and sentences as conll18_ud_eval counts them (Zeman et al., 2018).
* `word_scores`: words by character spans, as Chinese word segmentation is scored (SIGHAN bakeoffs).
* `category_scores`: labels of texts, their confusion, and how far probabilities can be trusted.

Every function but the last takes one sequence (or Doc) or a list of them, gold first.
"""

from nlptk.scoring.categories import CategoryScores, category_scores
from nlptk.scoring.labels import (
    AccuracyScore,
    EntityScore,
    accuracy,
    entity_scores,
    label_scores,
    label_table,
)
from nlptk.scoring.prf import PRF
from nlptk.scoring.segmentation import SegmentationScore, WordScore, segmentation_scores, word_scores

__all__ = [
    "PRF",
    "AccuracyScore",
    "CategoryScores",
    "EntityScore",
    "SegmentationScore",
    "WordScore",
    "accuracy",
    "category_scores",
    "entity_scores",
    "label_scores",
    "label_table",
    "segmentation_scores",
    "word_scores",
]
