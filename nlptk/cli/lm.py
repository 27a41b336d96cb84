"""``nlptk lm``: train a language model, say how well it tells a text, let it write."""

from __future__ import annotations

import enum
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nlptk.cli import lm_neural
from nlptk.cli.files import STDIN, TextFiles, check_model_folder, check_output
from nlptk.cli.progress import Progress
from nlptk.cli.sampling import MinP, RepetitionPenalty, Seed, Temperature, TopK, TopP
from nlptk.cli.train.options import NEURAL, device_option, given, option
from nlptk.cli.vectors.text import Lower, Tokenizer, cutter
from nlptk.errors import ConfigError

if TYPE_CHECKING:
    from nlptk.lm.ngram import NgramLM

app = typer.Typer(
    name="lm",
    help="Language models: train one, measure its perplexity, let it write.",
    epilog="Example: nlptk lm train text.txt --model kneser-ney --order 5 -o my-lm",
    no_args_is_help=True,
)


class Model(enum.Enum):
    """What learns."""

    kneser_ney = "kneser-ney"
    laplace = "laplace"


class Units(enum.Enum):
    """What n-grams are of."""

    words = "words"
    characters = "characters"


Trained = Annotated[
    Path,
    typer.Argument(
        exists=True, metavar="MODEL", help="Of nlptk lm train or nlptk train lm, or an ARPA file."
    ),
]
UnitsOption = Annotated[Units | None, typer.Option(help="What n-grams are of.", show_default="words")]
Threads = Annotated[int | None, typer.Option(min=0, help="0: all cores.", show_default="0")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]


@app.command("train")
def train(
    files: TextFiles,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the model.", show_default=False)
    ] = None,
    arpa: Annotated[
        Path | None,
        typer.Option(help="Write an ARPA file, too or only; .gz compresses.", show_default=False),
    ] = None,
    model: Annotated[Model, typer.Option(help="What learns.")] = Model.kneser_ney,
    order: Annotated[int, typer.Option(min=1, max=6, help="Words of the longest n-grams.")] = 5,
    units: UnitsOption = None,
    tokenizer: Tokenizer = None,
    lower: Lower = False,
    min_freq: Annotated[int, typer.Option(min=1, help="Rarer words are read as <unk>.")] = 1,
    vocabulary: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            show_default=False,
            help="The words there are, parted by white space; others are read as <unk>.",
        ),
    ] = None,
    prune: Annotated[
        str,
        typer.Option(
            help="N-grams that occur so often or less get no entry; for each order, commas between: 0,0,1."
        ),
    ] = "0",
    discount_fallback: Annotated[
        bool,
        typer.Option(
            "--discount-fallback", help="Take discounts of 0.5, 1, 1.5 where text is too small to tell."
        ),
    ] = False,
    alpha: Annotated[float, typer.Option(help="Of laplace: added to each count.")] = 1.0,
    threads: Threads = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Learn an n-gram language model from text.

    Example: nlptk lm train wiki.txt.gz -o my-lm --arpa wiki.arpa.gz --prune 0,0,1
    """
    from nlptk.corpora.files import read_lines
    from nlptk.lm.ngram import NgramLM

    if output is None and arpa is None:
        raise ConfigError("give --output, --arpa or both: the model needs a place to go.")
    if output is not None:
        check_model_folder(output)
    if arpa is not None:
        check_output(arpa, is_folder=False, option="--arpa")
        if model is Model.laplace and order > 1:
            raise ConfigError("--arpa holds back-off models, which laplace is not; give --output.")
    learner = NgramLM(
        order=order,
        smoothing=model.value,
        min_freq=min_freq,
        vocabulary=None
        if vocabulary is None
        else [word for line in read_lines(vocabulary) for word in line.split()],
        alpha=alpha,
        prune=_numbers(prune),
        discount_fallback=(0.5, 1, 1.5) if discount_fallback else None,
        tokenizer=_cutter(tokenizer, lower, units),
        threads=threads or 0,
    )
    started = time.monotonic()
    with Progress("read", unit="MB", quiet=quiet) as bar:
        learner.fit_files(
            files,
            progress=lambda done, total: bar.update(done / 1e6, total=None if total is None else total / 1e6),
        )
    if output is not None:
        learner.save(output)
    if arpa is not None:
        learner.save_arpa(arpa)
    result = {
        "sentences": learner.sentences_,
        "tokens": learner.tokens_,
        "words": len(learner.words),
        "ngrams": learner.counts,
        "discounts": [list(discounts) for discounts in learner.discounts_],
        "seconds": round(time.monotonic() - started, 3),
        "output": output and str(output),
        "arpa": arpa and str(arpa),
    }
    if as_json:
        typer.echo(json.dumps(result))
    elif not quiet:
        where = " and ".join(str(path) for path in (output, arpa) if path is not None)
        print(
            f"{sum(learner.counts):,} n-grams of {learner.tokens_:,} tokens in {result['seconds']:.1f} s; "
            f"wrote {where}",
            file=sys.stderr,
        )


@app.command("perplexity")
def perplexity(
    model: Trained,
    files: TextFiles,
    units: UnitsOption = None,
    tokenizer: Tokenizer = None,
    lower: Lower = False,
    threads: Threads = None,
    parts: Annotated[
        int | None,
        option("Of the text, read side by side: faster, each begins anew.", NEURAL, min=1, show_default="1"),
    ] = None,
    device: Annotated[str | None, device_option(NEURAL)] = None,
    as_json: Json = False,
) -> None:
    """Say how well a model tells a text.

    Example: nlptk lm perplexity my-lm test.txt
    """
    if lm_neural.is_neural(model):
        _refuse("a neural model", units=units, tokenizer=tokenizer, lower=lower or None, threads=threads)
        told = lm_neural.load(model, device).perplexity(_lines(files), parts=parts or 1)
        typer.echo(json.dumps(lm_neural.told(told)) if as_json else lm_neural.line_of(told))
        return
    _refuse("an n-gram model", parts=parts, device=device)
    found = _load(model, _cutter(tokenizer, lower, units), threads or 0).perplexity(_lines(files))
    result = {
        "perplexity": found.including,
        "perplexity_without_unknown": found.excluding,
        "bits_per_token": found.bits_per_token,
        "log10": found.log10,
        "tokens": found.tokens,
        "unknown": found.unknown,
    }
    if as_json:
        typer.echo(json.dumps(result))
        return
    typer.echo(
        f"perplexity {found.including:.3f} of {found.tokens:,} tokens, {found.excluding:.3f} without "
        f"{found.unknown:,} unknown words, {found.bits_per_token:.4f} bits per token"
    )


@app.command("generate")
def generate(
    model: Trained,
    number: Annotated[int, typer.Option("--number", "-n", min=1, help="Texts for each prompt.")] = 1,
    prompt: Annotated[
        list[str] | None,
        typer.Option("--prompt", "-p", help="What each begins with; more than once for several."),
    ] = None,
    max_length: Annotated[
        int | None, typer.Option(min=1, help="Tokens at most.", show_default="100, neural 200")
    ] = None,
    temperature: Temperature = None,
    seed: Seed = None,
    unknown: Annotated[bool, typer.Option("--unknown", help="Let <unk> be written, too.")] = False,
    units: UnitsOption = None,
    tokenizer: Tokenizer = None,
    line: Annotated[
        bool | None, option("End with the line.", NEURAL, "--line/--no-line", show_default="line")
    ] = None,
    beam: Annotated[int | None, option("Search, do not draw.", NEURAL, min=1)] = None,
    top_k: TopK = None,
    top_p: TopP = None,
    min_p: MinP = None,
    repetition_penalty: RepetitionPenalty = None,
    length_penalty: Annotated[float | None, option("Of --beam.", NEURAL)] = None,
    device: Annotated[str | None, device_option(NEURAL)] = None,
    as_json: Json = False,
) -> None:
    """Let a model write, from prompts or from nothing.

    Example: nlptk lm generate my-lm --number 5 --prompt "the city of" --seed 1
    """
    prompts = [begin for begin in prompt or [""] for _ in range(number)]
    drawing = given(top_k=top_k, top_p=top_p, min_p=min_p, repetition_penalty=repetition_penalty)
    if lm_neural.is_neural(model):
        _refuse("a neural model", unknown=unknown or None, units=units, tokenizer=tokenizer)
        lm_neural.generate(
            model, prompts, beam=beam, drawing={**drawing, **given(temperature=temperature)},
            searching=given(length_penalty=length_penalty),
            common=given(max_length=max_length, line=line, seed=seed), device=device, as_json=as_json,
        )  # fmt: skip
        return
    _refuse("an n-gram model", line=line, beam=beam, **drawing, length_penalty=length_penalty, device=device)
    learned = _load(model, _cutter(tokenizer, False, units), 1)
    joint = "" if units is Units.characters else " "
    for which, begin in enumerate(prompt or [""]):
        sentences = learned.sample(
            number, begin, max_length=max_length or 100, unknown=unknown,
            temperature=1.0 if temperature is None else temperature,
            seed=None if seed is None else seed + which,
        )  # fmt: skip
        for words in sentences:
            text = joint.join(words)
            typer.echo(json.dumps({"text": text, "words": words}, ensure_ascii=False) if as_json else text)


def _refuse(what: str, **options: object) -> None:
    """Raise ConfigError for options that are given."""
    for name in given(**options):
        raise ConfigError(f"--{name.replace('_', '-')} is not for {what}.")


def _load(path: Path, cut: Callable[[str], list[str]] | None, threads: int) -> NgramLM:
    from nlptk.lm.ngram import NgramLM

    load = NgramLM.load if path.is_dir() else NgramLM.load_arpa
    return load(path, tokenizer=cut, threads=threads)


def _lines(files: list[Path]) -> Iterator[str]:
    from nlptk.corpora.files import read_lines

    if files.count(STDIN) > 1:
        raise ConfigError("- stands for standard input and can be given once.")
    return (line for path in files for line in read_lines(path))


def _cutter(name: str | None, lower: bool, units: Units | None) -> Callable[[str], list[str]] | None:
    if units is not Units.characters:
        return cutter(name, lower)
    if name is not None or lower:
        raise ConfigError("--units characters takes lines as they are, without --tokenizer or --lower.")
    return list


def _numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise ConfigError(f"--prune takes numbers with commas between, such as 0,0,1, not {text!r}") from None
