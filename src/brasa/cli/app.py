"""The `brasa` program: its list of commands, and what an error becomes at the edge.

Exit codes: 0 done; 2 an error of the user's or of the input, in one message on standard error;
130 stopped by Ctrl-C; 141 the reader of standard output went away (128 + the signal's number, as
shells have it).
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import NoReturn

import click

from brasa.errors import BrasaError, TrainingInterrupted
from brasa.version import VERSION

FAILED = 2
INTERRUPTED = 130
OUTPUT_CLOSED = 141

# Command -> its module below brasa.cli and its line in the list. Modules are imported when their
# command is run: `brasa --help` and a mistyped command load neither rich nor the model code.
_COMMANDS = {
    "train": ("train", "Train word vectors, or a text classifier, on text."),
    "vectors": ("query", "Print the vectors of words."),
    "neighbors": ("query", "Print the nearest words by cosine."),
    "analogy": ("query", "Answer: A is to B as C is to what?"),
    "predict": ("supervised", "Print the labels of texts."),
    "explain": ("explain", "Tell which words of a text speak for a label."),
    "test": ("supervised", "Score a classifier on labeled texts."),
    "calibrate": ("calibrate", "Make a classifier's probabilities as often right as they say."),
    "tune": ("tune", "Search for the hyperparameters of a text classifier."),
    "evaluate": ("evaluate", "Score a model on similarity tables and analogy files."),
    "info": ("info", "Describe a model, or this installation."),
    "export": ("export", "Write a model in another program's format."),
    "quantize": ("smaller", "Make a model small: rows become codes."),
    "reduce": ("smaller", "Make word vectors shorter (PCA)."),
    "prune": ("smaller", "Keep the most frequent words, or those of a list."),
    "merge": ("smaller", "Make one model of two."),
    "align": ("smaller", "Rotate word vectors into the space of another language's."),
    "serve": ("serve", "Answer questions about models over HTTP."),
    "platform": ("platform", "Run a SageMaker of your own, for AWS's clients as they are."),
    "explore": ("explore", "Look at a model in the browser."),
    "plot": ("plot", "Draw words, the loss of a training, or similarity to people."),
    "sagemaker": ("sagemaker", "Be SageMaker's BlazingText container."),
    "fasttext": ("fasttext", "Take the commands and flags of fastText's program."),
    "demo": ("demo", "Train on the text that comes with brasa, and look at the result."),
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"brasa.cli.{_COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


def _print_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        click.echo(f"brasa {VERSION}")
        ctx.exit()


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
def brasa() -> None:
    """Word vectors with subwords and text classifiers, at the speed of the hardware.

    Data goes to standard output, progress and messages to standard error.
    """


def main() -> NoReturn:
    """Run the program and exit."""
    # OpenBLAS's threads spin for 0.1 s each when NumPy is loaded, and after each call.
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")
    sys.exit(_run())


def _run() -> int:
    try:
        with brasa.make_context("brasa", sys.argv[1:]) as ctx:
            brasa.invoke(ctx)
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where a full disk or a closed pipe is still an answer
    except click.exceptions.Exit as request:
        return request.exit_code
    except click.ClickException as error:
        error.show()
        return FAILED
    except (KeyboardInterrupt, click.Abort):
        return _fail("interrupted", INTERRUPTED)
    except TrainingInterrupted as error:
        return _fail(str(error), INTERRUPTED)
    except BrasaError as error:
        return _fail(str(error), FAILED)
    except BrokenPipeError:
        return _discard_output(OUTPUT_CLOSED)
    except OSError as error:
        # Files are brasa's own errors by now; what is left is standard output: /dev/full, a quota.
        return _discard_output(
            _fail(f"standard output cannot be written: {error.strerror}", FAILED)
        )
    except MemoryError:
        return _fail("not enough memory: lower vector_dim, buckets or max_vocab", FAILED)
    return 0


def _fail(message: str, code: int) -> int:
    click.echo(f"brasa: {message}", err=True)
    return code


def _discard_output(code: int) -> int:
    """Send what is still buffered nowhere, since Python would complain about it while it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return code
