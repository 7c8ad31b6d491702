"""The rnnlab command: its subcommands, and what becomes of an error.

Only the modules of the subcommands that the command line names are imported, so that help is there at once.
"""

import os
import sys
from collections.abc import Collection
from importlib import import_module
from io import TextIOWrapper
from typing import Annotated

import typer

from rnnlab import __version__
from rnnlab.errors import RnnlabError
from rnnlab.terminal import one_line

# Each is a function of the same name in the module of that name in rnnlab.commands.
COMMANDS = {
    "sweep": "Run the variants of a space of configs.",
    "ls": "List runs.",
    "show": "Show all about a run, and the command that makes it again.",
    "diff": "Show in what two runs differ.",
    "compare": "Compare groups of runs by their means over seeds.",
    "plot": "Draw learning curves, or a metric against config keys.",
    "report": "Write a report on runs as one HTML file.",
    "evaluate": "Score a run at other lengths, by step, and in closed loop.",
    "predict": "Predict with a run's network, from CSV to CSV.",
    "copy": "Copy runs from one store to another.",
    "checkpoints": "List or clear what killed runs could go on from.",
}


def make_app(loaded: Collection[str] = tuple(COMMANDS)) -> typer.Typer:
    """The command, with the subcommands in `loaded` ready to be called and only the names of the others."""
    app = typer.Typer(
        name="rnnlab",
        help="Experiment tracking for recurrent networks on sequences and time series.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for name, words in COMMANDS.items():
        if name in loaded:
            app.command(name)(getattr(import_module(f"rnnlab.commands.{name}"), name))
        else:
            app.command(name, help=words)(_not_loaded)
    return app


def main() -> None:
    """Run the command line, and exit: 0, or 1 after one line for an error, 2 for wrong usage, 130 after Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # whatever a store holds, and whatever the terminal's letters
    try:
        make_app([word for word in sys.argv[1:] if word in COMMANDS])(prog_name="rnnlab")
    except RnnlabError as error:
        print(f"error: {one_line(str(error))}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever reads has seen enough; Python's own last flush must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"rnnlab {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def _not_loaded() -> None:
    raise AssertionError("a command that is called is named on the command line, and so is loaded")
