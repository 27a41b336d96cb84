"""Sequence to sequence: one text in, another out, by a Transformer or a recurrent network with attention.

Sources: Sutskever, Vinyals and Le 2014; Bahdanau, Cho and Bengio 2015; Luong, Pham and Manning 2015; Bengio
et al. 2015 (scheduled sampling); Vaswani et al. 2017 (Transformer).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from nlptk.corpora.files import PathLike
from nlptk.crf import Progress
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.estimator import Estimator
from nlptk.neural.batches import Batches
from nlptk.neural.devices import find_device, ready
from nlptk.neural.seq2seq_making import make_model, make_pieces, model_state, restore_model, usual
from nlptk.neural.seq2seq_models import Seq2SeqModel, collate_pairs
from nlptk.neural.seq2seq_pieces import Pair, PairBatches
from nlptk.neural.seq2seq_recurrent import RecurrentSeq2Seq
from nlptk.neural.seq2seq_translating import Translation, Translator
from nlptk.neural.train import TrainingLog, TrainSettings, moved, train
from nlptk.store import load_model, save_model
from nlptk.tokenize.bpe import BPE

_ENTRY = {"name": "seq2seq", "factory": "seq2seq"}
_FILES = ("source_tokenizer", "target_tokenizer")  # settings that a model file has as arrays


class Seq2Seq(Estimator):
    """A translator on torch.

    Args:
        model: "transformer", "gru" or "lstm" (an encoder in two directions, and a decoder with attention).
        source_tokenizer, target_tokenizer: a BPE or its file; None to learn one from the training texts.
        vocab_size: of each that is learnt.
        shared: whether source and target have one vocabulary and one table, which is the output layer's too.
        units: what is learnt: "bpe" over bytes, "char-bpe" over characters, or "char", characters alone.
        target_units: of targets, where these are not `units`; not of a shared vocabulary.
        bpe_dropout: probability that a merge is left out in training, anew in each epoch.
        lowercase: whether texts of both sides become lower-case.
        dim: of tokens' vectors, and of the Transformer.
        hidden: of the Transformer's feed-forward networks, or of recurrent states.
        layers: of encoder and of decoder.
        heads, pre_norm: of the Transformer; `pre_norm` False for the norm's place in the paper.
        attention: of recurrent models: "bahdanau", or Luong's "dot", "general" or "concat".
        input_feeding: with Luong's.
        scheduled_sampling: share of its own tokens that a recurrent decoder reads at the end of training;
            `sampling_decay` ("linear", "exponential", "sigmoid") is the way there.
        dropout: of inputs, states and outputs.
        inner_dropout: of the Transformer's attention weights and hidden states; None: 0.
        label_smoothing: share of a target token's probability that is spread over the vocabulary.
        max_length: tokens of a text at most. Longer pairs are left out of training.
        beam: hypotheses that `predict` keeps; 1 is greedy.
        length_penalty: alpha of a beam's scores, see :mod:`nlptk.neural.decode_beam`; 0 for none.
        batch_tokens: tokens of the targets of a training batch; None for what suits the model.
        optimizer, learning_rate, weight_decay, beta2, schedule, warmup, epochs, max_grad_norm, patience,
            average, seed, device, precision, compile, halve_on_oom: see
            :class:`nlptk.neural.train_settings.TrainSettings`. None for what suits the model.

    Attributes:
        log_: :class:`nlptk.neural.train.TrainingLog` of the last training.
        left_out_: training pairs that were left out, as one side was empty or too long.
    """

    log_: TrainingLog
    left_out_: int

    def __init__(
        self,
        model: str = "transformer",
        source_tokenizer: PathLike | BPE | None = None,
        target_tokenizer: PathLike | BPE | None = None,
        vocab_size: int = 8000,
        shared: bool = True,
        units: str = "bpe",
        target_units: str | None = None,
        bpe_dropout: float = 0.0,
        lowercase: bool = False,
        dim: int = 256,
        hidden: int | None = None,
        layers: int | None = None,
        heads: int = 4,
        pre_norm: bool = True,
        attention: str = "bahdanau",
        input_feeding: bool = True,
        scheduled_sampling: float = 0.0,
        sampling_decay: str = "linear",
        dropout: float | None = None,
        inner_dropout: float | None = None,
        label_smoothing: float = 0.1,
        max_length: int = 256,
        beam: int = 5,
        length_penalty: float = 0.6,
        batch_tokens: int | None = None,
        optimizer: str = "adam",
        learning_rate: float | None = None,
        weight_decay: float = 0.0,
        beta2: float | None = None,
        schedule: str | None = None,
        warmup: float | None = None,
        epochs: int | None = None,
        max_grad_norm: float = 1.0,
        patience: int | None = None,
        average: int = 0,
        seed: int = 1,
        device: str = "auto",
        precision: str = "float32",
        compile: bool = False,
        halve_on_oom: bool = False,
    ) -> None:
        self.model = model
        self.source_tokenizer = source_tokenizer
        self.target_tokenizer = target_tokenizer
        self.vocab_size = vocab_size
        self.shared = shared
        self.units = units
        self.target_units = target_units
        self.bpe_dropout = bpe_dropout
        self.lowercase = lowercase
        self.dim = dim
        self.hidden = hidden
        self.layers = layers
        self.heads = heads
        self.pre_norm = pre_norm
        self.attention = attention
        self.input_feeding = input_feeding
        self.scheduled_sampling = scheduled_sampling
        self.sampling_decay = sampling_decay
        self.dropout = dropout
        self.inner_dropout = inner_dropout
        self.label_smoothing = label_smoothing
        self.max_length = max_length
        self.beam = beam
        self.length_penalty = length_penalty
        self.batch_tokens = batch_tokens
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.beta2 = beta2
        self.schedule = schedule
        self.warmup = warmup
        self.epochs = epochs
        self.max_grad_norm = max_grad_norm
        self.patience = patience
        self.average = average
        self.seed = seed
        self.device = device
        self.precision = precision
        self.compile = compile
        self.halve_on_oom = halve_on_oom

    # ---- training -----------------------------------------------------------------------------------------

    def fit(
        self,
        sources: Sequence[str],
        targets: Sequence[str],
        dev_sources: Sequence[str] | None = None,
        dev_targets: Sequence[str] | None = None,
        *,
        checkpoint: PathLike | None = None,
        resume: bool = False,
        progress: Progress | None = None,
    ) -> Seq2Seq:
        """Learn from texts and what they become.

        With dev texts, the weights of the epoch with the least loss on them are kept, unless `average` asks
        for the mean of the last epochs'. `checkpoint` and `resume` are those of
        :func:`nlptk.neural.train.train`.

        Raises:
            ConfigError: a setting is out of range.
            DataError: sources and targets do not match in number, or no pair has two texts.
            ModelError: a tokenizer that is given cannot be read.
        """
        suits = usual(self.model)
        settings = TrainSettings.of(suits, self.get_params())
        check_pairs(sources, targets, "training")
        dev = None
        if dev_sources is not None or dev_targets is not None:
            dev = check_pairs(dev_sources or [], dev_targets or [], "dev")
        kept = [pair for pair in zip(sources, targets, strict=True) if pair[0].strip() and pair[1].strip()]
        if not kept:
            raise DataError("no training pair has a source and a target; there is nothing to learn from")
        texts = [source for source, _ in kept], [target for _, target in kept]
        pieces = make_pieces(self, *texts)
        pairs = self._short(zip(pieces[0].encode(texts[0]), pieces[1].encode(texts[1]), strict=True))
        if not pairs:
            raise DataError(f"all training pairs have more than {self.max_length} tokens: raise max_length")
        self.left_out_ = len(sources) - len(pairs)
        torch.manual_seed(self.seed)
        model = make_model(self, pieces)
        self._model, self._pieces = model, pieces
        self._ratio = sum(len(t) + 1 for _, t in pairs) / sum(len(s) + 1 for s, _ in pairs)

        def varied(epoch: int) -> list[Pair]:
            if not self.bpe_dropout:
                return pairs
            first = (self.seed * 1_000_003 + epoch) * 2 * len(kept)  # text i has the seed first + i
            source = pieces[0].varied(texts[0], first)
            return self._short(zip(source, pieces[1].varied(texts[1], first + len(kept)), strict=True))

        tokens = suits["batch_tokens"] if self.batch_tokens is None else self.batch_tokens
        batches = PairBatches(varied, tokens, self.seed)
        if isinstance(model, RecurrentSeq2Seq):
            model.total = settings.epochs * len(batches)
        self.log_ = train(
            model,
            batches,
            collate_pairs,
            settings,
            evaluate=None if dev is None else self._evaluation(*dev),
            checkpoint=checkpoint,
            resume=resume,
            progress=progress,
        )
        return self

    def _short(self, pairs: Any) -> list[Pair]:
        """Those of at most `max_length` tokens on each side."""
        most = self.max_length
        return [pair for pair in pairs if 0 < len(pair[0]) <= most and 0 < len(pair[1]) <= most]

    def _evaluation(self, sources: Sequence[str], targets: Sequence[str]) -> Callable[[nn.Module], float]:
        """A function of the network: less the mean loss of a token of dev targets, without smoothing."""
        encoded = zip(self._pieces[0].encode(sources), self._pieces[1].encode(targets), strict=True)
        pairs = self._short(encoded)
        if not pairs:
            raise DataError(f"no dev pair has two texts of at most {self.max_length} tokens")
        lengths = [len(target) + 1 for _, target in pairs]
        batches = list(Batches(lengths, 2048, shuffle=False, within=[len(s) for s, _ in pairs]).epoch(0))

        def evaluate(model: nn.Module) -> float:
            device, loss, tokens = find_device(self.device), 0.0, 0
            for batch in batches:
                sums, count = model(moved(collate_pairs([pairs[i] for i in batch]), device))
                loss, tokens = loss + float(sums), tokens + count
            return -loss / tokens

        return evaluate

    # ---- translating --------------------------------------------------------------------------------------

    def predict(self, X: Sequence[str]) -> list[str]:
        """The best translation of each text, with the settings' beam. Raises as `translate`."""
        return [found[0].text for found in self.translate(X)]

    def translate(
        self,
        texts: Sequence[str],
        *,
        beam: int | None = None,
        length_penalty: float | None = None,
        coverage_penalty: float = 0.0,
        sampling: Mapping[str, Any] | None = None,
        seed: int = 1,
        n_best: int = 1,
        prefixes: Sequence[str] | None = None,
        max_length: int | None = None,
        attention: bool = False,
        cache: bool = True,
        batch_size: int = 64,
        numbered_from: int = 0,
    ) -> list[list[Translation]]:
        """The `n_best` best translations of each text, best first; of an empty text one that is empty.

        Args:
            beam, length_penalty: None for the settings'.
            coverage_penalty: weight of what the attention passed over (Wu et al. 2016), see
                :mod:`nlptk.neural.decode_beam`. Of a Transformer it is the mean of the last layer's heads.
            sampling: to draw `n_best` translations and not search: temperature, top_k, top_p, min_p and
                repetition_penalty of :func:`nlptk.neural.decode.sample`; {} for none of them.
            seed: of what is drawn of a text: it, the number of the text and of the translation.
            prefixes: what each text's translations begin with; "" for nothing.
            max_length: tokens of a translation at most; None for twice what training leads one to expect.
            attention: whether to give what each token looks at.
            cache: False to compute all states anew at each step: slower, the same result.
            batch_size: texts at once.
            numbered_from: the number that messages give to the first text.

        Raises:
            ConfigError: nothing is fitted; a beam larger than the vocabulary; a setting out of range.
            DataError: a text is no string or has more tokens than `max_length` of the settings; a prefix has
                a character that the vocabulary lacks, or is longer than a translation may be.
        """
        translator = Translator(
            self._fitted(),
            self._pieces,
            longest=self.max_length,
            ratio=self._ratio,
            device=find_device(self.device),
            beam=self.beam if beam is None else beam,
            length_penalty=self.length_penalty if length_penalty is None else length_penalty,
            coverage_penalty=coverage_penalty,
            sampling=sampling,
            seed=seed,
            n_best=n_best,
            max_length=max_length,
            cache=cache,
            attention=attention,
        )
        return translator.translate(texts, prefixes, batch_size, numbered_from)

    def score(self, X: Sequence[str], y: Sequence[str]) -> float:
        """Less the mean loss of a token of the targets y, given sources X: 0 is the best there is.

        Raises DataError where X and y do not match in number.
        """
        check_pairs(X, y, "test")
        model = ready(self._fitted(), find_device(self.device))
        with torch.inference_mode():
            return self._evaluation(X, y)(model)

    def _fitted(self) -> Seq2SeqModel:
        if not hasattr(self, "_model"):
            raise ConfigError("this Seq2Seq is not fitted; call fit or from_state first")
        return self._model

    # ---- files --------------------------------------------------------------------------------------------

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Settings that JSON can hold, and arrays: tokenizers and weights. ConfigError if not fitted."""
        arrays = model_state(self._fitted(), self._pieces)
        return {**self.get_params(), **dict.fromkeys(_FILES), "ratio": self._ratio}, arrays

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Seq2Seq:
        """The translator that ``to_state`` gave. Raises ModelError for anything that is not its state."""
        try:
            settings = dict(config)
            ratio = float(settings.pop("ratio"))
            made = cls(**settings)
            made._model, made._pieces = restore_model(made, arrays)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the translator's state is not usable: {error}") from error
        made._ratio = ratio
        return made

    def save(self, folder: PathLike, **meta: Any) -> None:
        """Save as a model's folder, at once or not at all; `meta` goes to its ``meta.json``.

        Raises ConfigError if nothing is fitted or a file of that name is in the way, OSError on a full disk.
        """
        save_model(folder, {**meta, "pipeline": [_ENTRY]}, {_ENTRY["name"]: self.to_state()})

    @classmethod
    def load(cls, folder: PathLike) -> Seq2Seq:
        """The translator that `save` wrote. Raises ModelError for a folder without one, or a damaged one."""
        meta, components = load_model(folder)
        if [entry["factory"] for entry in meta["pipeline"]] != [_ENTRY["factory"]]:
            raise ModelError(f"{folder}: is no translator; nlptk train seq2seq makes one")
        return cls.from_state(*components[meta["pipeline"][0]["name"]])


def check_pairs(
    sources: Sequence[str], targets: Sequence[str], which: str
) -> tuple[Sequence[str], Sequence[str]]:
    """Both. Raises DataError for unequal numbers, which are named, and for what is no text."""
    for side, texts in (("sources", sources), ("targets", targets)):
        if isinstance(texts, str):
            raise DataError(f"{which} {side} must be a list of texts, not one text")
        for number, text in enumerate(texts):
            if not isinstance(text, str):
                raise DataError(f"{which} {side}: text {number} must be a string, not {type(text).__name__}")
    if len(sources) != len(targets):
        raise DataError(
            f"there are {len(sources)} {which} sources and {len(targets)} targets: "
            "each source needs its target"
        )
    return sources, targets
