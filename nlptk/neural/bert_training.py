"""Pre-training of BERT on plain text: masked words and next sentences (Devlin et al. 2019)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from nlptk.corpora.files import PathLike
from nlptk.crf import Progress
from nlptk.errors import ConfigError
from nlptk.neural.bert_config import BertConfig
from nlptk.neural.heads import BertForPreTraining
from nlptk.neural.pretraining import PretrainingText, collate
from nlptk.neural.states import load_vectors
from nlptk.neural.train import TrainingLog, TrainSettings, train
from nlptk.tokenize.wordpiece import WordPiece
from nlptk.vectors.keyed_vectors import KeyedVectors

_SCALE = 0.05  # standard deviation of given embeddings


class PretrainingScore(NamedTuple):
    """Of text that was not trained on.

    Attributes:
        loss: of masked words, nats a word.
        accuracy: share of masked words that are found.
        unigram_loss: of masked words by their frequencies alone, those of this very text: what knows no
            neighbours cannot get below it.
        next_accuracy: share of pairs told right, which half of all guesses are; None without pairs.
    """

    loss: float
    accuracy: float
    unigram_loss: float
    next_accuracy: float | None


def score_pretraining(model: BertForPreTraining, text: PretrainingText) -> PretrainingScore:
    """How well masked words and next sentences of the text's first epoch are told."""
    device = model.bert.device
    losses = right = pairs = pairs_right = 0.0
    words: list[np.ndarray[Any, Any]] = []
    model.eval()
    with torch.inference_mode():
        for examples in text.epoch(0):
            batch = collate(examples).to(device)
            scores, following = model.scores(batch)
            losses += float(F.cross_entropy(scores, batch.targets, reduction="sum"))
            right += int((scores.argmax(1) == batch.targets).sum())
            words.append(batch.targets.cpu().numpy())
            if following is not None and batch.random_next is not None:
                pairs += len(following)
                pairs_right += int((following.argmax(1) == batch.random_next).sum())
    counts = np.bincount(np.concatenate(words)) if words else np.zeros(0)
    shares = counts[counts > 0] / max(counts.sum(), 1)
    total = max(float(counts.sum()), 1.0)
    entropy = float(-(shares * np.log(shares)).sum())
    return PretrainingScore(losses / total, right / total, entropy, pairs_right / pairs if pairs else None)


def begin_with(model: BertForPreTraining, vectors: KeyedVectors, tokenizer: WordPiece) -> None:
    """Let word embeddings, which also score the words, begin as given vectors of pieces.

    What words are like then need not be learnt through the encoder, from 15 % of the words. The vectors are
    centred and scaled; pieces without one keep their random embedding.

    Raises ConfigError if the vectors have other dimensions, or none of the pieces.
    """
    table = model.bert.embeddings.words.weight
    if vectors.vector_size != table.shape[1]:
        raise ConfigError(f"the vectors have {vectors.vector_size} dimensions and the model {table.shape[1]}")
    rows = {token: row for row, token in enumerate(vectors.index_to_key)}
    found = [(number, rows[token]) for token, number in tokenizer.get_vocab().items() if token in rows]
    if not found:
        raise ConfigError("the vectors have none of the tokenizer's pieces; train them on pieces of text")
    numbers, chosen = map(list, zip(*found, strict=True))
    given = vectors.vectors[chosen]
    given = given - given.mean(axis=0)
    given *= _SCALE / max(float(given.std()), 1e-9)
    with torch.no_grad():
        table[numbers] = torch.from_numpy(given)


def pretrain(
    text: PretrainingText,
    config: BertConfig,
    settings: TrainSettings,
    *,
    dev: PretrainingText | None = None,
    init: PathLike | None = None,
    vectors: PathLike | KeyedVectors | None = None,
    checkpoint: PathLike | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> tuple[BertForPreTraining, TrainingLog]:
    """Train on masked words and, where the text makes pairs, on next sentences.

    A new model begins with the frequencies of words in the text as the bias of their scores: an update moves
    a weight by the learning rate at most, so that to learn them would take thousands, and until then they
    would fill the states that are to tell neighbours.

    Args:
        text: what is learnt from; its tokenizer is the model's.
        config: the sizes of a new model; of one that goes on (`init`) those of its folder count.
        dev: what the best weights are chosen on, by the loss of masked words.
        init: a folder of :meth:`BertForPreTraining.from_pretrained`.
        vectors: of the tokenizer's pieces, as many dimensions as the model has: what a new model's word
            embeddings begin with (:func:`begin_with`).
        checkpoint, resume, progress: as :func:`nlptk.neural.train.train`, whose errors these are, too.

    Raises:
        ConfigError: the vocabulary or the sequences are larger than the model; vectors do not fit it.
    """
    torch.manual_seed(settings.seed)
    model = BertForPreTraining(config) if init is None else BertForPreTraining.from_pretrained(init)
    size = max(text.tokenizer.get_vocab().values()) + 1
    if size > model.config.vocab_size:
        raise ConfigError(f"the tokenizer has {size} tokens and the model {model.config.vocab_size}")
    if text.max_length > model.config.max_position_embeddings:
        raise ConfigError(
            f"sequences of {text.max_length} tokens do not fit the model's "
            f"{model.config.max_position_embeddings} positions; use a smaller max_length"
        )
    if init is not None and vectors is not None:
        raise ConfigError("vectors are what a new model begins with, and this one goes on from init")
    if init is None:
        if vectors is not None:
            begin_with(model, load_vectors(vectors), text.tokenizer)
        counts = np.ones(model.config.vocab_size)
        counts[:size] += text.counts()
        with torch.no_grad():
            model.words.bias.copy_(torch.from_numpy(np.log(counts / counts.sum())))
    if not text.next_sentence:  # what gets no gradient is no part of the training
        for part in (model.next, model.bert.pooler):
            if part is not None:
                part.requires_grad_(False)

    def evaluate(_: nn.Module) -> float:
        assert dev is not None
        return -score_pretraining(model, dev).loss

    log = train(
        model,
        text,
        collate,
        settings,
        evaluate=None if dev is None else evaluate,
        checkpoint=checkpoint,
        resume=resume,
        progress=progress,
    )
    return model, log
