"""`brasa calibrate`."""

from __future__ import annotations

from typing import Any

import click

from brasa.calibration import KEY
from brasa.cli import supervised
from brasa.cli.output import json_option, print_json, print_table
from brasa.formats import native
from brasa.text_classifier import TextClassifier


@click.command()
@click.argument("model", type=click.Path())
@click.argument("texts", nargs=-1, required=True, metavar="TEXTS...")
@click.option(
    "-o", "--output", required=True, type=click.Path(), help="Folder in which to save the model."
)
@supervised.table_options
@json_option
def calibrate(
    model: str, texts: tuple[str, ...], output: str, as_json: bool, **columns: Any
) -> None:
    """Save a classifier whose probabilities are as often right as they say.

    TEXTS have labels, and the model was not trained on them. What is printed is the loss on these
    texts, before and after.
    """
    native.check_target(output)
    source = supervised.source_of(texts, None, columns)
    fitted = TextClassifier.load(model).calibrated(source)
    fitted.save(output)
    found = fitted.metadata[KEY]
    if as_json:
        print_json({"model": output, **found})
        return
    rows = [["method", found["method"]]]
    if "temperature" in found:
        rows.append(["temperature", f"{found['temperature']:.4f}"])
    name = next(name for name in ("negative_log_likelihood", "brier_score") if name in found)
    before, after = found[name]
    rows.append([f"{name.replace('_', ' ')}, before", f"{before:.4f}"])
    rows.append([f"{name.replace('_', ' ')}, after", f"{after:.4f}"])
    print_table(rows)
