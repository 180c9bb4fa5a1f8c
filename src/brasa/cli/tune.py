"""`brasa tune`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import click

from brasa.cli import supervised
from brasa.cli.app import INTERRUPTED
from brasa.cli.options import from_config, named_values
from brasa.cli.output import json_option, print_json, print_table
from brasa.config import TextClassifierConfig, TextOptions
from brasa.errors import ConfigError
from brasa.formats import native
from brasa.tuning import NOT_TUNED, Trial, TuningResult, size_in_bytes
from brasa.tuning import tune as search


@click.command()
@click.argument("texts", nargs=-1, required=True, metavar="TEXTS...")
@click.option(
    "-o", "--output", required=True, type=click.Path(),
    help="Folder in which to save the best model; with --max-size a file, named .ftz.",
)  # fmt: skip
@click.option(
    "--validation", required=True, type=click.Path(), metavar="FILE",
    help="Labeled texts by which trials are scored.",
)  # fmt: skip
@click.option(
    "--metric", default="f1", show_default=True,
    help="accuracy, f1, f1:LABEL, macro_f1, precisionAtRecall:PERCENT or "
    "recallAtPrecision:PERCENT, these also with :LABEL.",
)  # fmt: skip
@click.option("-k", "k", default=1, show_default=True, help="Labels of a text, for f1.")
@click.option(
    "--threshold", default=0.0, show_default=True, help="Least probability of a label, for f1."
)
@click.option("--trials", type=int, help="How many trials, at most.")
@click.option(
    "--seconds", type=float,
    help="How long to search, at most. [300; with --trials no limit]",
)  # fmt: skip
@click.option(
    "--max-size", metavar="SIZE",
    help="Quantize each model into a file of at most this size: 2M, 900K or bytes.",
)  # fmt: skip
@click.option(
    "--train-on-validation", is_flag=True,
    help="At the end train the best choice again, on the validation texts too.",
)  # fmt: skip
@from_config(TextClassifierConfig, without=NOT_TUNED)
@supervised.table_options
@supervised.class_weights_option
@from_config(TextOptions)
@click.option("-q", "--quiet", is_flag=True, help="Do not show trials while they end.")
@click.option(
    "--log-format", type=click.Choice(["plain", "json"]), default="plain", show_default=True,
    help="How trials are shown on standard error.",
)  # fmt: skip
@json_option
@click.pass_context
def tune(
    ctx: click.Context,
    /,
    texts: tuple[str, ...],
    output: str,
    validation: str,
    metric: str,
    k: int,
    threshold: float,
    trials: int | None,
    seconds: float | None,
    max_size: str | None,
    train_on_validation: bool,
    class_weights: Literal["balanced"] | None,
    quiet: bool,
    log_format: str,
    as_json: bool,
    **given: Any,
) -> None:
    """Search for the hyperparameters of a text classifier, and save the best model.

    Hyperparameters that are given are not searched. Ctrl-C ends the search: the best model so far
    is saved.
    """
    columns = {name: given.pop(name) for name in supervised.COLUMNS}
    values, text_options = named_values(given, None)
    max_bytes = None if max_size is None else size_in_bytes("max_size", max_size)
    if max_bytes is None:
        native.check_target(output)
    elif Path(output).suffix != ".ftz":
        raise ConfigError("output", output, "a file named .ftz with --max-size")
    text = supervised.source_of(texts, text_options, columns)
    found = search(
        text,
        validation=supervised.source_of([validation], text_options, columns),
        metric=metric,
        k=k,
        threshold=threshold,
        trials=trials,
        seconds=seconds,
        max_bytes=max_bytes,
        train_on_validation=train_on_validation,
        class_weights=class_weights,
        callback=None if quiet else _show_as_json if log_format == "json" else _show,
        **values,
    )
    if max_bytes is None:
        found.classifier.save(output)
    else:
        found.classifier.export(output)
    if as_json:
        print_json(_described(found, output))
    else:
        print_table(_rows(found.trials))
    if found.stopped_by == "interrupt":
        ctx.exit(INTERRUPTED)


def _show(trial: Trial) -> None:
    score = trial.state if trial.score is None else f"{trial.score:.4f}"
    best = ", the best so far" if trial.is_best else ""
    values = " ".join(f"{k}={_short(v)}" for k, v in trial.hyperparameters.items())
    why = "" if trial.problem is None else f" ({trial.problem})"
    click.echo(
        f"Trial {trial.number}: {score}{best}; {trial.seconds:.1f} s; {values}{why}", err=True
    )


def _show_as_json(trial: Trial) -> None:
    click.echo(json.dumps({"event": "trial", **dataclasses.asdict(trial)}), err=True)


def _described(found: TuningResult, output: str) -> dict[str, Any]:
    return {
        "model": output,
        "stopped_by": found.stopped_by,
        "best": dataclasses.asdict(found.best),
        "trials": [dataclasses.asdict(trial) for trial in found.trials],
    }


def _rows(trials: Sequence[Trial]) -> Iterator[list[str]]:
    """A table of trials, those with the highest score first."""
    names = list(dict.fromkeys(name for trial in trials for name in trial.hyperparameters))
    yield ["trial", "score", "seconds", *names]
    best_first = sorted(trials, key=lambda trial: (-(trial.score or -1.0), trial.number))
    for trial in best_first:
        score = trial.state if trial.score is None else f"{trial.score:.4f}"
        values = [_short(trial.hyperparameters.get(name, "-")) for name in names]
        yield [str(trial.number), score, f"{trial.seconds:.1f}", *values]


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
