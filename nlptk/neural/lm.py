"""Neural language models: RNN, LSTM, GRU and Transformer, on characters, words or pieces of a BPE.

Sources: Mikolov et al. 2010 (RNN); Sundermeyer et al. 2012 (LSTM); Press and Wolf 2017 (tied weights);
Radford et al. 2019 (Transformer).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from nlptk.corpora.files import PathLike
from nlptk.crf import Progress
from nlptk.decoding import Hypothesis, Limits
from nlptk.draw import Attention
from nlptk.errors import ConfigError, DataError, ModelError
from nlptk.estimator import Estimator
from nlptk.neural.decode import beam_search, sample
from nlptk.neural.devices import find_device, ready
from nlptk.neural.lm_data import Shuffled, Streams
from nlptk.neural.lm_models import (
    RECURRENT,
    LanguageNetwork,
    Training,
    TransformerNetwork,
    make_network,
)
from nlptk.neural.lm_units import END, UNKNOWN, Unit, Units, checked_lines
from nlptk.neural.states import checked_dropout, load_weights, pack_weights, unpack_weights
from nlptk.neural.train import TrainingLog, TrainSettings, train
from nlptk.perplexity import Perplexity
from nlptk.state import check_integer
from nlptk.store import load_json, pack_sealed, unpack_sealed, write_atomic

#: What suits a model: dropout, and settings of its training.
MODELS: dict[str, dict[str, Any]] = {
    "rnn": {"dropout": 0.1, "learning_rate": 1e-3, "layers": 1},
    "lstm": {"dropout": 0.1, "learning_rate": 3e-3, "layers": 1},
    "gru": {"dropout": 0.1, "learning_rate": 2e-3, "layers": 1},
    "transformer": {"dropout": 0.1, "learning_rate": 1e-3, "layers": 4},
}
_TIED = "output.weight"  # is the embedding's, which a file has once


class NeuralLM(Estimator):
    """A language model on torch.

    It reads a text as one: lines follow one another, each with an end, which also stands before the first.
    Recurrent models carry their state over from line to line, in training (truncated back-propagation) and
    afterwards; the Transformer sees `window` tokens.

    Args:
        model: "rnn", "lstm", "gru" or "transformer".
        unit: what is told: "characters", "words" (between white space), or a BPE or its file.
        min_count: characters and words that are seen fewer times are unknown; None: 1 for characters, which
            leaves nothing to learn the unknown one from, 2 for words.
        dim: of a token's vector, and of the Transformer.
        hidden: of each recurrent layer (`dim` where None), or of the Transformer's feed-forward networks
            (4 dim where None).
        layers: None for what suits the model.
        heads, positions: of the Transformer; see :class:`nlptk.neural.transformer.TransformerConfig`.
        tie: whether a token has one vector at the input and the output.
        dropout: of inputs, between layers, and of outputs; None for what suits the model.
        window: tokens that gradients go back through, and that the Transformer looks back at.
        batch_size: windows of an update.
        optimizer, learning_rate, weight_decay, schedule, warmup, epochs, max_steps, max_grad_norm,
            evaluate_every, patience, seed, device, precision, compile: see
            :class:`nlptk.neural.train_settings.TrainSettings`. None for what suits the model.

    Attributes:
        log_: :class:`nlptk.neural.train.TrainingLog` of the last training; a dev score is minus the bits per
            character.
    """

    log_: TrainingLog

    def __init__(
        self,
        model: str = "lstm",
        unit: Unit = "characters",
        min_count: int | None = None,
        dim: int = 256,
        hidden: int | None = None,
        layers: int | None = None,
        heads: int = 4,
        positions: str = "rope",
        tie: bool = True,
        dropout: float | None = None,
        window: int = 128,
        batch_size: int = 32,
        optimizer: str = "adamw",
        learning_rate: float | None = None,
        weight_decay: float = 0.01,
        schedule: str = "cosine",
        warmup: float = 0.02,
        epochs: int = 5,
        max_steps: int | None = None,
        max_grad_norm: float = 1.0,
        evaluate_every: int | None = None,
        patience: int | None = None,
        seed: int = 1,
        device: str = "auto",
        precision: str = "float32",
        compile: bool = False,
    ) -> None:
        self.model = model
        self.unit = unit
        self.min_count = min_count
        self.dim = dim
        self.hidden = hidden
        self.layers = layers
        self.heads = heads
        self.positions = positions
        self.tie = tie
        self.dropout = dropout
        self.window = window
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.warmup = warmup
        self.epochs = epochs
        self.max_steps = max_steps
        self.max_grad_norm = max_grad_norm
        self.evaluate_every = evaluate_every
        self.patience = patience
        self.seed = seed
        self.device = device
        self.precision = precision
        self.compile = compile

    # ---- training -----------------------------------------------------------------------------------------

    def fit(
        self,
        lines: Iterable[str],
        dev: Iterable[str] | None = None,
        *,
        checkpoint: PathLike | None = None,
        resume: bool = False,
        progress: Progress | None = None,
    ) -> NeuralLM:
        """Learn from the lines of a text; empty ones are left out.

        With a dev text the weights that tell it best are kept. `checkpoint`, `resume` and `progress` are
        those of :func:`nlptk.neural.train.train`.

        Raises:
            ConfigError: a setting is out of range.
            DataError: there is no text, it is shorter than a window, or the loss is not finite.
        """
        usual = self._usual()
        given = checked_lines(lines, "the text")
        dev_lines = None if dev is None else checked_lines(dev, "the dev text")
        count = (2 if self.unit == "words" else 1) if self.min_count is None else self.min_count
        units = Units.of(self.unit, given, count)
        ids = units.encode_lines(given).ids
        recurrent = self.model in RECURRENT
        source = (Streams if recurrent else Shuffled)(ids, self.batch_size, self.window, self.seed)
        torch.manual_seed(self.seed)
        network = self._made(units)
        self._units, self._network = units, network

        def evaluate(_: nn.Module) -> float:
            assert dev_lines is not None
            return -self.perplexity(dev_lines, parts=self.batch_size).bits_per_character

        self.log_ = train(
            Training(network, source.batch),
            source,
            source.collate,
            TrainSettings.of(usual, self.get_params()),
            evaluate=None if dev_lines is None else evaluate,
            checkpoint=checkpoint,
            resume=resume,
            progress=progress,
        )
        return self

    def _usual(self) -> dict[str, Any]:
        if self.model not in MODELS:
            raise ConfigError(f"there is no model {self.model!r}; choose one of {', '.join(MODELS)}")
        return MODELS[self.model]

    def _made(self, units: Units) -> LanguageNetwork[Any]:
        usual = self._usual()
        dropout = checked_dropout(self.dropout, usual["dropout"])
        layers = usual["layers"] if self.layers is None else self.layers
        return make_network(self, len(units), layers, dropout)

    # ---- using --------------------------------------------------------------------------------------------

    def perplexity(self, lines: Iterable[str], *, parts: int = 1) -> Perplexity:
        """How well the model tells the lines of a text, which follow one another; empty ones are left out.

        Args:
            parts: of the text that are read side by side, which is faster. A recurrent network begins each
                without having read the one before; for the Transformer it changes nothing.

        Raises:
            ConfigError: nothing is fitted, or `parts` is below 1.
            DataError: there is no text.
        """
        check_integer("parts", parts, 1)
        network, units = self._ready(), self._units
        text = units.encode_lines(checked_lines(lines, "the text"))
        count = len(text.ids) - 1
        found = network.text_log_probs(text.ids, min(parts, count), self.window)
        log_prob = float(found.sum(dtype=np.float64))
        return Perplexity(log_prob, count, text.words, text.characters, text.unknown)

    @overload
    def generate(self, prompt: str = ..., **options: Any) -> str: ...
    @overload
    def generate(self, prompt: Sequence[str], **options: Any) -> list[str]: ...
    def generate(
        self,
        prompt: str | Sequence[str] = "",
        *,
        max_length: int = 200,
        line: bool = True,
        beam: int | None = None,
        seed: int = 1,
        **options: Any,
    ) -> str | list[str]:
        """Go on from a prompt, or from each of many.

        Args:
            prompt: the begin of a line; lines before it may stand there too.
            max_length: tokens to add at most.
            line: whether to end with the line; else `max_length` tokens are added.
            beam: hypotheses of a beam search; None to draw.
            seed: of prompt i is (seed, i).
            options: of :func:`nlptk.neural.decode.sample` (temperature, top_k, top_p, min_p,
                repetition_penalty), or of :func:`nlptk.neural.decode.beam_search` (length_penalty,
                length_form).

        Returns:
            The prompt and what was added, for each prompt; its words that are not known stand as <unk>.

        Raises:
            ConfigError: nothing is fitted, or a setting is out of range.
            DataError: a prompt has a character that the model does not know, or there are no prompts.
        """
        prompts = [prompt] if isinstance(prompt, str) else list(prompt)
        self._ready()
        if not prompts:
            raise DataError("there is nothing to go on from: the list of prompts is empty")
        heads = [self._prompt(one) for one in prompts]
        texts = [""] * len(prompts)
        # Prompts of one length are read together; what is drawn does not depend on that.
        for length in sorted(set(map(len, heads))):
            rows = [row for row, head in enumerate(heads) if len(head) == length]
            ids = np.array([heads[row] for row in rows], np.int64)
            limits = Limits(
                bos=ids[:, -1].tolist(),
                eos=END if line else None,
                max_length=max_length,
                banned=[UNKNOWN],
            )
            if beam is None:
                had = [[number for number in heads[row] if number != END] for row in rows]
                own = {"context": had, "seed": [[seed, row] for row in rows], **options}
            else:
                own = {"beam": beam, **options}
            for row, found in zip(rows, self._decode(ids, limits, own), strict=True):
                texts[row] = self._units.decode([*heads[row][1:], *found.body])
        return texts[0] if isinstance(prompt, str) else texts

    def _prompt(self, prompt: str) -> list[int]:
        """END, and the numbers of a prompt's tokens."""
        lines = prompt.split("\n")
        if self._units.kind == "characters":
            unknown = [one for line in lines for one in self._units.unknown(line)]
            if unknown:
                raise DataError(
                    f"the model does not know the character {unknown[0]!r} of the prompt: leave it out, or "
                    "train on a text that has it"
                )
        ids = [END]
        for number, line in enumerate(lines):
            ids += [*([END] if number else []), *self._units.encode(line)]
        return ids

    def to_attention(self, text: str) -> Attention:
        """How much each token of a text looks at each up to itself; the end of a line stands before it.

        `nlptk.draw.attention` draws it.

        Raises:
            ConfigError: nothing is fitted, or the model is no Transformer.
            DataError: the text is longer than the model's window, or has a character that it does not know.
        """
        network = self._ready()
        if not isinstance(network, TransformerNetwork):
            raise ConfigError(f"a language model {self.model!r} has no attention; train a 'transformer'")
        ids = self._prompt(text)
        if len(ids) > self.window:
            raise DataError(
                f"the text has {len(ids)} tokens with its begin, and the model looks back at {self.window}: "
                "draw a part of it"
            )
        tokens = [self._units.decode([number]) for number in ids]
        return Attention(network.looks(ids), tokens, tokens, text)

    @torch.no_grad()
    def _decode(self, ids: NDArray[np.int64], limits: Limits, options: dict[str, Any]) -> list[Hypothesis]:
        """What follows prompts of one length, int64 [rows, length]."""
        network, rows = self._network, len(ids)
        state = network.start(rows)
        if ids.shape[1] > 1:
            state = network.read(torch.from_numpy(ids[:, :-1]).to(network.device), state)
        if "beam" in options:
            return [found[0] for found in beam_search(network, state, rows, limits, **options)]
        return sample(network, state, rows, limits, **options)

    @property
    def network(self) -> LanguageNetwork[Any]:
        """The network: a :class:`nlptk.decoding.StepModel` of `units`' numbers. ConfigError without one."""
        return self._ready()

    @property
    def units(self) -> Units:
        """From text to numbers and back. ConfigError where nothing is fitted."""
        self._ready()
        return self._units

    def _ready(self) -> LanguageNetwork[Any]:
        if not hasattr(self, "_network"):
            raise ConfigError("this NeuralLM is not fitted; call fit or load first")
        return ready(self._network, find_device(self.device))

    # ---- files --------------------------------------------------------------------------------------------

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Settings that JSON can hold, and arrays: vocabulary and weights. ConfigError if not fitted."""
        network = self._ready()
        arrays = pack_weights(network)
        if self.tie:
            del arrays[f"model.{_TIED}"]
        return {**self.get_params(), "unit": self._units.kind}, {**self._units.to_arrays(), **arrays}

    @classmethod
    def from_state(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> NeuralLM:
        """The model that `to_state` gave. Raises ModelError for anything that is not its state."""
        try:
            made = cls(**config)
            made._units = Units.from_arrays(str(made.unit), arrays)
            made.unit = made._units.bpe or made.unit
            weights = unpack_weights(arrays)
            if made.tie:
                weights[_TIED] = weights["embedding.weight"]
            network = made._made(made._units)
            load_weights(network, weights, "language model")
            made._network = network.eval()
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the neural language model's state is not usable: {error}") from error
        return made

    def save(self, path: PathLike) -> None:
        """Write one safetensors file, whole or not at all.

        Raises ConfigError if nothing is fitted, DataError if the file cannot be written.
        """
        config, arrays = self.to_state()
        arrays["config"] = np.frombuffer(json.dumps(config).encode(), np.uint8)
        try:
            write_atomic(path, pack_sealed(arrays, "the language model"))
        except OSError as error:
            raise DataError(f"cannot write {str(path)!r}: {error.strerror or error}") from error

    @classmethod
    def load(cls, path: PathLike) -> NeuralLM:
        """What `save` wrote. Raises ModelError: the file is missing, damaged, or holds something else."""
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise ModelError(f"cannot read {str(path)!r}: {error.strerror}") from error
        arrays = unpack_sealed(data, str(path))
        if "config" not in arrays:
            raise ModelError(f"{path} holds no language model: save one with NeuralLM.save")
        return cls.from_state(load_json(arrays.pop("config").tobytes(), str(path)), arrays)
