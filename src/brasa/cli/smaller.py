"""`brasa quantize`, `reduce`, `prune`, `merge`, `align`: models made of models."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click

from brasa.cli.output import print_line
from brasa.cli.progress import display
from brasa.corpus import Corpus
from brasa.errors import ConfigError
from brasa.evaluation.lines import read_lines
from brasa.formats import native
from brasa.loading import load
from brasa.merging import Conflict
from brasa.text_classifier import TextClassifier
from brasa.word_vectors import WordVectors

_model = click.argument("model", type=click.Path())
_output = click.option(
    "-o", "--output", required=True, type=click.Path(), help="Where to write the new model."
)


@click.command()
@_model
@_output
@click.option("--cutoff", type=int, help="Keep this many input rows, the largest (classifiers).")
@click.option("--max-bytes", type=int, help="Keep as many as a file of this size has room for.")
@click.option(
    "--qnorm/--no-qnorm", default=None,
    help="Code the lengths of rows apart; on by default for word vectors only.",
)  # fmt: skip
@click.option("--qout", is_flag=True, help="Quantize the rows of the labels too (classifiers).")
@click.option("--dsub", default=2, show_default=True, help="Numbers that become one byte.")
@click.option(
    "--retrain", type=click.Path(), metavar="FILE",
    help="Train the rows that --cutoff or --max-bytes keeps on these labeled texts (classifiers).",
)  # fmt: skip
@click.option("--epochs", type=int, help="Passes of --retrain over them. Default: the model's.")
@click.option("--learning-rate", type=float, help="Of --retrain. Default: the model's, or 0.05.")
@click.option("--threads", type=int, help="Of --retrain. Default: all processors.")
@click.option("--seed", type=int, help="Of --retrain.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def quantize(
    model: str,
    output: str,
    cutoff: int | None,
    max_bytes: int | None,
    qnorm: bool | None,
    qout: bool,
    dsub: int,
    retrain: str | None,
    quiet: bool,
    **training: Any,
) -> None:
    """Replace the rows of MODEL with codes of a product quantizer.

    It is saved as a folder, or, where OUTPUT is named .ftz, as a file that fastText reads.
    """
    opened = load(model)
    given = {name: value for name, value in training.items() if value is not None}
    if isinstance(opened, TextClassifier):
        if retrain is not None and cutoff is None and max_bytes is None:
            raise ConfigError("retrain", retrain, "left out without --cutoff or --max-bytes")
        texts = None if retrain is None else Corpus(retrain if retrain == "-" else Path(retrain))
        with display("auto", quiet=quiet or texts is None) as shown:
            smaller = opened.quantize(
                cutoff=cutoff or 0, max_bytes=max_bytes, qnorm=bool(qnorm), qout=qout, dsub=dsub,
                retrain=texts, listeners=[shown], **given,
            )  # fmt: skip
        if output.endswith(".ftz"):
            smaller.export(output)
        else:
            smaller.save(output)
        return
    given |= {"cutoff": cutoff, "max_bytes": max_bytes, "qout": qout or None, "retrain": retrain}
    for name, value in given.items():
        if value is not None:
            raise ConfigError(name, value, "left out: it is for classifiers")
    vectors = opened.quantize(qnorm=qnorm is not False, dsub=dsub)
    if output.endswith(".ftz"):
        vectors.export(output, "fasttext")
    else:
        vectors.save(output)


@click.command()
@_model
@_output
@click.option("--dim", required=True, type=int, help="Length of the new vectors.")
def reduce(model: str, output: str, dim: int) -> None:
    """Project the vectors of MODEL on their directions of greatest variance."""
    native.check_target(output)
    WordVectors.load(model).reduce(dim).save(output)


@click.command()
@_model
@_output
@click.option("-n", "n_words", type=int, help="Keep this many words, the most frequent ones.")
@click.option("--words", type=click.Path(), help="Keep the words of this file, one a line.")
def prune(model: str, output: str, n_words: int | None, words: str | None) -> None:
    """Keep some of MODEL's words, and all of its n-grams."""
    native.check_target(output)
    vectors = WordVectors.load(model)
    if n_words is not None and words is None:
        vectors.prune(n_words).save(output)
    elif words is not None and n_words is None:
        vectors.prune([line for _, line in read_lines(words)]).save(output)
    else:
        raise ConfigError("words", words, "given, or else -n: one of the two")


@click.command()
@_model
@click.argument("other", type=click.Path())
@_output
@click.option(
    "--conflict", type=click.Choice(get_args(Conflict)), default="first",
    show_default=True, help="Whose vector a word gets that both models have.",
)  # fmt: skip
def merge(model: str, other: str, output: str, conflict: Conflict) -> None:
    """Make one model with the words of MODEL and OTHER, whose spaces are the same."""
    native.check_target(output)
    first, second = WordVectors.load(model), WordVectors.load(other)
    first.merge(second, conflict=conflict).save(output)


@click.command()
@_model
@click.argument("target", type=click.Path())
@click.argument("dictionary", type=click.Path())
@_output
@click.option(
    "--refinements", default=0, show_default=True,
    help="How often to look for more pairs and learn from them.",
)  # fmt: skip
def align(model: str, target: str, dictionary: str, output: str, refinements: int) -> None:
    """Rotate MODEL into the space of TARGET.

    DICTIONARY has a word of MODEL and its translation in TARGET on each line.
    """
    native.check_target(output)
    aligned = WordVectors.load(model).align_to(
        WordVectors.load(target), dictionary, refinements=refinements
    )
    aligned.save(output)
    facts = aligned.metadata["alignment"]
    print_line(f"{facts['n_pairs']} pairs, {facts['n_unknown']} with an unknown word")
