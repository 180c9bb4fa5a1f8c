"""`brasa explain`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import click

from brasa.cli.output import json_option, print_json, print_table
from brasa.explanation import Explanation
from brasa.text_classifier import TextClassifier


@click.command()
@click.argument("model", type=click.Path())
@click.argument("text")
@click.option("--label", help="Explain this label instead of the most probable one.")
@click.option("-k", "k", default=10, show_default=True, help="How many words and n-grams, at most.")
@json_option
def explain(model: str, text: str, label: str | None, k: int, as_json: bool) -> None:
    """Print what the words and n-grams of TEXT add to the score of a label.

    The first line has the label, its score and its probability; then those of the greatest absolute
    value, and the sum of all others. "</s>" is the end of the line.
    """
    found = TextClassifier.load(model).explain(text, label, k)
    if as_json:
        print_json(dataclasses.asdict(found))
    else:
        print_table(_rows(found))


def _rows(found: Explanation) -> Iterator[list[str]]:
    yield [found.label, f"{found.score:+.4f}", f"{found.probability:.4f}"]
    for part in found.contributions:
        yield [part.text, f"{part.value:+.4f}", part.kind.replace("_", " ")]
    yield ["all others", f"{found.others:+.4f}", ""]
