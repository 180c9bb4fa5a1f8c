"""`brasa train supervised`, and `brasa predict` and `brasa test`, which use what it makes."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from brasa import plotting
from brasa.cli.output import json_option, print_json, print_line, print_table
from brasa.cli.progress import Display
from brasa.config import TextClassifierConfig, TextOptions
from brasa.corpus import Corpus
from brasa.errors import ConfigError
from brasa.formats import storage
from brasa.labeled_tables import LabeledTable
from brasa.text_classifier import TextClassifier

Function = TypeVar("Function", bound=Callable[..., Any])

_BATCH_TEXTS = 10_000
_COLUMN_OPTIONS = (
    ("--text-column", True, "Labeled texts are the columns of tables (.csv, .tsv, .jsonl, "
     ".parquet), the text in this one; may be given again, for another part of it. [source]"),
    ("--label-column", False, "The column of the label. [label]"),
    ("--weight-column", False, "A column of numbers: what each text counts."),
    ("--label-separator", False, "What divides several labels in one field."),
)  # fmt: skip
COLUMNS = tuple(name.removeprefix("--").replace("-", "_") for name, _, _ in _COLUMN_OPTIONS)

_model = click.argument("model", type=click.Path())
_k = click.option("-k", "k", default=1, show_default=True, help="How many labels, at most.")
_threshold = click.option(
    "--threshold", default=0.0, show_default=True, help="Leave out labels less probable than this."
)
_device = click.option(
    "--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True,
    help="Where scores are computed; a GPU gains with thousands of texts and many labels.",
)  # fmt: skip


def table_options(function: Function) -> Function:
    """Add the options that name the columns of a table."""
    for name, multiple, text in reversed(_COLUMN_OPTIONS):
        function = click.option(name, multiple=multiple, metavar="NAME", help=text)(function)
    return function


class_weights_option = click.option(
    "--class-weights", type=click.Choice(["balanced"]),
    help="Weigh labels of classifiers in inverse proportion to their counts.",
)  # fmt: skip


def source_of(
    files: Sequence[str], text_options: TextOptions | None, columns: Mapping[str, Any]
) -> Corpus | LabeledTable:
    """Lines with labels in them, or if columns are named the columns of tables."""
    paths = [file if file == "-" else Path(file) for file in files]
    text, label = columns["text_column"], columns["label_column"]
    weight, separator = columns["weight_column"], columns["label_separator"]
    if not (text or label or weight or separator):
        return Corpus(paths, text_options)
    if "-" in paths:
        raise click.UsageError("a table cannot be read from standard input")
    return LabeledTable(
        paths, text or "source", label or "label", weight=weight, label_separator=separator
    )


def check(values: Mapping[str, Any], validation: str | None, exports: Iterable[str]) -> None:
    """Refuse now what training would refuse after the text has been read."""
    config = TextClassifierConfig.parse(values)
    if config.early_stopping and validation is None:
        raise ConfigError("early_stopping", True, "left out without --validation FILE")
    for file in exports:
        if Path(file).suffix != ".bin":
            raise ConfigError("file", file, "named .bin: fastText's is the format of classifiers")


def train(
    source: Corpus | LabeledTable,
    values: Mapping[str, Any],
    text_options: TextOptions,
    *,
    validation: Corpus | LabeledTable | None,
    pretrained: str | None,
    class_weights: Literal["balanced"] | None,
    keep_partial: bool,
    shown: Display,
) -> TextClassifier:
    """Train on labeled texts."""
    return TextClassifier.train(
        source,
        validation=validation,
        text_options=None if isinstance(source, Corpus) else text_options,
        pretrained=pretrained,
        class_weights=class_weights,
        listeners=[shown],
        keep_partial=keep_partial,
        **values,
    )


def save(
    classifier: TextClassifier, output: str, exports: Iterable[str], shown: Display
) -> dict[str, Any]:
    """Write the folder and the other files; gives what a program wants to know of a training."""
    classifier.save(output)
    shown.saved(output)
    for file in exports:
        classifier.export(file)
        shown.saved(file)
    return {
        "model": output,
        "n_words": len(classifier.model.vocabulary),
        "n_labels": len(classifier.labels),
        "n_tokens": classifier.model.vocabulary.n_tokens,
        "vector_dim": classifier.vector_dim,
        "metadata": classifier.metadata,
        "evaluation": classifier.metadata["scores"],
    }


@click.command()
@_model
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@_k
@_threshold
@_device
@click.option("--without-prefix", is_flag=True, help="Print labels without __label__.")
@json_option
def predict(
    model: str,
    texts: tuple[str, ...],
    k: int,
    threshold: float,
    device: Literal["cpu", "cuda"],
    without_prefix: bool,
    as_json: bool,
) -> None:
    """Print the labels of each TEXT with their probabilities, best first.

    "-" reads texts from standard input, one a line. What is printed is a line for each text: label,
    probability, and so on, divided by tabs; an empty line for a text of which the model knows
    nothing.
    """
    classifier = TextClassifier.load(model).to(device)
    lines = iter(texts) if texts != ("-",) else _lines_of_stdin()
    answers: list[dict[str, Any]] = []
    while batch := list(itertools.islice(lines, _BATCH_TEXTS)):
        for found in classifier.predict(batch, k, threshold, prefix=not without_prefix):
            if as_json:
                labels, probabilities = [name for name, _ in found], [p for _, p in found]
                answers.append({"label": labels, "prob": probabilities})
            else:
                print_line("\t".join(f"{name}\t{p:.6g}" for name, p in found))
    if as_json:
        print_json(answers)


@click.command()
@_model
@click.argument("texts", nargs=-1, required=True, metavar="TEXTS...")
@_k
@_threshold
@_device
@table_options
@click.option("--per-label", is_flag=True, help="Print a line for each label, too.")
@click.option(
    "--plot", type=click.Path(), metavar="FILE",
    help="Draw precision over recall: a file named .png, .svg or .pdf.",
)  # fmt: skip
@json_option
def test(
    model: str,
    texts: tuple[str, ...],
    k: int,
    threshold: float,
    device: Literal["cpu", "cuda"],
    per_label: bool,
    plot: str | None,
    as_json: bool,
    **columns: Any,
) -> None:
    """Predict the labels of labeled texts, and print how often that is right.

    TEXTS is any number of files, folders and patterns with a text a line and its labels in it, or
    "-" for standard input. Texts without a label that the model knows do not count.
    """
    picture_format = None if plot is None else plotting.check_suffix(plot)
    if plot is not None and "-" in texts:
        raise click.UsageError("--plot reads the texts twice: standard input will not do")
    classifier = TextClassifier.load(model).to(device)
    report = classifier.test(source_of(texts, None, columns), k, threshold)
    if plot is not None and picture_format is not None:
        truth = classifier.truth_and_probabilities(source_of(texts, None, columns))
        picture = plotting.precision_recall_picture(*truth, classifier.plain_labels, picture_format)
        with storage.new_file(plot) as file:
            file.write(picture)
    if as_json:
        print_json(report.to_dict())
        return
    values = report.to_dict()
    labels = values.pop("labels")
    print_table((name.replace("_", " "), _shown(value)) for name, value in values.items())
    if per_label:
        print_line("")
        print_table(_label_rows(labels))


def _label_rows(labels: Mapping[str, Mapping[str, Any]]) -> Iterator[list[str]]:
    yield ["label", "precision", "recall", "f1", "n true"]
    for name, score in labels.items():
        yield [name, *(_shown(value) for value in score.values())]


def _shown(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def _lines_of_stdin() -> Iterator[str]:
    for line in sys.stdin.buffer:
        yield line.removesuffix(b"\n").decode("utf-8", "surrogateescape")
