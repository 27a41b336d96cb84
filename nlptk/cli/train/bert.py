"""``nlptk train bert``: pre-training on plain text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nlptk.cli.progress import Progress
from nlptk.cli.train.options import (
    Json,
    Precision,
    Quiet,
    Seed,
    Threads,
    check_resume,
    checkpoint_option,
    given,
    resume_option,
)
from nlptk.cli.train.run import shown
from nlptk.errors import ConfigError

if TYPE_CHECKING:
    from nlptk.neural.pretraining import PretrainingText


def bert(
    files: Annotated[
        list[Path],
        typer.Argument(exists=True, dir_okay=False, help="Text, a paragraph a line; gzip or not."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the checkpoint.")],
    tokenizer: Annotated[
        Path, typer.Option(exists=True, help="vocab.txt, tokenizer.json, or a folder with one.")
    ],
    dev: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Text to choose the best weights on.")
    ] = None,
    init: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Go on from this checkpoint.")
    ] = None,
    vectors: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Of pieces, to begin with: nlptk vectors train."),
    ] = None,
    hidden: Annotated[int, typer.Option(min=1, help="Dimensions.")] = 256,
    layers: Annotated[int, typer.Option(min=1, help="Layers.")] = 4,
    heads: Annotated[int, typer.Option(min=1, help="Attention heads.")] = 4,
    dropout: Annotated[
        float,
        typer.Option(min=0, max=0.99, help="Of states and attention; 0 suits a text that is read once."),
    ] = 0.1,
    max_length: Annotated[int, typer.Option(min=8, help="Tokens of a sequence.")] = 128,
    documents: Annotated[
        str, typer.Option(help="blank: blank lines part documents; line: each line is one.")
    ] = "blank",
    next_sentence: Annotated[bool, typer.Option(help="Learn from pairs of segments, too.")] = True,
    whole_word: Annotated[bool, typer.Option(help="Mask words, not pieces.")] = False,
    epochs: Annotated[int, typer.Option(min=1, help="Over the text.")] = 1,
    max_steps: Annotated[int | None, typer.Option(min=1, help="Updates at most.", show_default=False)] = None,
    batch_tokens: Annotated[int, typer.Option(min=8, help="Of a batch.")] = 4096,
    learning_rate: Annotated[float, typer.Option(help="Its highest value.")] = 5e-4,
    warmup: Annotated[float, typer.Option(min=0, help="Updates, or a share, in which it rises.")] = 0.05,
    weight_decay: Annotated[float, typer.Option(min=0, help="Of matrices.")] = 0.01,
    evaluate_every: Annotated[
        int | None, typer.Option(min=1, help="Updates between looks at --dev.", show_default=False)
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:1.")] = "auto",
    precision: Annotated[Precision, typer.Option(help="Of products.")] = Precision.float32,
    checkpoint: Annotated[Path | None, checkpoint_option()] = None,
    resume: Annotated[bool, resume_option()] = False,
    seed: Seed = None,
    threads: Threads = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Pre-train BERT on plain text: masked words (15 %) and next sentences.

    The output is a folder in Hugging Face's format, for --pretrained of nlptk train tagger --model bert.

    Example: nlptk train bert wiki.txt --tokenizer vocab.txt --dev held-out.txt -o my-bert
    """
    check_resume(checkpoint, resume)
    if output.exists() and not output.is_dir():
        raise ConfigError(f"cannot save a model to {str(output)!r}: a file of that name is in the way.")
    from nlptk.neural.bert_config import BertConfig
    from nlptk.neural.bert_training import pretrain, score_pretraining
    from nlptk.neural.devices import set_threads
    from nlptk.neural.pretraining import PretrainingText
    from nlptk.neural.train import TrainSettings
    from nlptk.tokenize.wordpiece import WordPiece

    if threads:
        set_threads(threads)
    pieces = WordPiece.load(tokenizer)

    def text(paths: list[Path]) -> PretrainingText:
        return PretrainingText(
            paths,
            pieces,
            documents=documents,  # type: ignore[arg-type]  # checked there
            max_length=max_length,
            batch_tokens=batch_tokens,
            next_sentence=next_sentence,
            whole_word=whole_word,
            **given(seed=seed),
        )

    held_out = text([dev]) if dev else None
    config = BertConfig(
        vocab_size=max(pieces.get_vocab().values()) + 1,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * hidden,
        max_position_embeddings=max(512, max_length),
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
    )
    settings = TrainSettings(
        learning_rate=learning_rate, weight_decay=weight_decay, warmup=warmup, epochs=epochs,
        max_steps=max_steps, evaluate_every=evaluate_every, device=device, precision=precision.value,
        **given(seed=seed),
    )  # fmt: skip
    with Progress("train", unit="updates", every=5.0, quiet=quiet) as progress:
        model, log = pretrain(
            text(files), config, settings, dev=held_out, init=init, vectors=vectors,
            checkpoint=checkpoint, resume=resume, progress=shown(progress),
        )  # fmt: skip
        model.save_pretrained(output)
        pieces.save(output)
        result: dict[str, Any] = {"output": str(output), "seconds": round(progress.elapsed, 2)}
        result |= {"updates": log.steps, "log": log.entries}
        if held_out is not None:
            result["dev"] = score_pretraining(model, held_out)._asdict()
    if as_json:
        typer.echo(json.dumps(result))
        return
    told = {name: value for name, value in result.get("dev", {}).items() if value is not None}
    scores = [f"dev {name.replace('_', ' ')} {value:.4f}" for name, value in told.items()]
    typer.echo(", ".join([f"saved {output} after {result['seconds']} s", *scores]))
