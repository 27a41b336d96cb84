"""The ``nlptk`` command: its groups, and what every command does with errors, Ctrl-C and closed pipes."""

from __future__ import annotations

import io
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

import nlptk
from nlptk.cli import (
    annotate,
    bpe,
    compare,
    demo,
    draw,
    evaluate,
    explain,
    info,
    lm,
    train,
    translate,
    vectors,
)
from nlptk.errors import ConfigError, NlptkError
from nlptk.render import visible

# typer's own base of "wrong use" errors; where its module lies differs between typer versions.
_WrongUse: type[Exception] = typer.BadParameter.__bases__[0].__bases__[0]

app = typer.Typer(
    name="nlptk",
    help="Segment, tag and find entities in English and Chinese; train and score the models that do it.",
    epilog="Example: echo 'Ada met Charles in London.' | nlptk annotate --model en",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.command("annotate")(annotate.annotate)
app.add_typer(train.app, name="train")
app.add_typer(bpe.app, name="bpe")
app.add_typer(vectors.app, name="vectors")
app.add_typer(lm.app, name="lm")
app.command("evaluate")(evaluate.evaluate)
app.command("explain")(explain.explain)
app.add_typer(compare.app, name="compare")
app.add_typer(draw.app, name="draw")
app.command("translate")(translate.translate)
app.command("info")(info.info)
app.command("demo")(demo.demo)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the whole traceback of an error; may stand anywhere.")
    ] = False,
) -> None:
    if version:
        typer.echo(f"nlptk {nlptk.__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status: 0, 1 failed work, 2 wrong use, 130 interrupted."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    before_dashes = arguments[: arguments.index("--")] if "--" in arguments else arguments
    debug = "--debug" in before_dashes
    arguments = [a for a in before_dashes if a != "--debug"] + arguments[len(before_dashes) :]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # whatever the locale says, what goes out is UTF-8
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    ends = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    # Those that this process was told to ignore (nohup) are ignored.
    previous = {
        one: signal.signal(one, _terminate) for one in ends if signal.getsignal(one) != signal.SIG_IGN
    }
    try:
        status = _run(arguments)
        sys.stdout.flush()  # here, where a full disk or a closed pipe can still be answered
        return status
    except BaseException as error:
        if debug and not isinstance(error, (SystemExit, BrokenPipeError)):
            traceback.print_exc()
        return _status_of(error)
    finally:
        for one, handler in previous.items():
            signal.signal(one, handler)


def _run(arguments: list[str]) -> int:
    if "_NLPTK_COMPLETE" in os.environ:  # the shell asks for completions
        app(prog_name="nlptk")
    command = typer.main.get_command(app)
    # Not through app(): typer would answer errors, Ctrl-C and closed pipes in its own way.
    with command.make_context("nlptk", arguments, obj=["nlptk", *arguments]) as context:
        command.invoke(context)
    return 0


def _terminate(sent: int, _: object) -> NoReturn:
    """Ask the work to stop in order, so that its unfinished files are removed."""
    raise SystemExit(128 + sent)


def _status_of(error: BaseException) -> int:
    """Say what went wrong, in one line on stderr where a person can do something about it."""
    if isinstance(error, typer.Exit):
        return int(error.exit_code)
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    if isinstance(error, (KeyboardInterrupt, typer.Abort)):
        return 130
    if isinstance(error, BrokenPipeError):  # `| head` has seen enough
        # What is still buffered would raise again when the interpreter closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    message, status = _explain(error)
    print("nlptk: error:", visible(" ".join(message.split())), file=sys.stderr)
    return status


def _explain(error: BaseException) -> tuple[str, int]:
    if isinstance(error, _WrongUse):
        context = getattr(error, "ctx", None)
        hint = f" (see {context.command_path} --help)" if context else ""
        return error.format_message() + hint, 2  # type: ignore[attr-defined]
    if isinstance(error, ConfigError):
        return str(error), 2
    if isinstance(error, NlptkError):
        return str(error), 1
    if isinstance(error, OSError) and error.strerror:
        name = f": {error.filename}" if error.filename else ""
        return f"{error.strerror}{name}", 1
    if isinstance(error, MemoryError):
        return "out of memory; try a smaller --batch-size or a smaller input", 1
    return f"{type(error).__name__}: {error} (unexpected; run again with --debug to see where)", 1
