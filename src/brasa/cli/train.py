"""`brasa train`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import click

from brasa.cli import supervised
from brasa.cli.app import INTERRUPTED
from brasa.cli.export import export_all, format_of
from brasa.cli.options import from_config, named_values
from brasa.cli.output import json_option, print_json
from brasa.cli.progress import Display, LogFormat, display
from brasa.config import (
    ClassifierLoss,
    Mode,
    TextClassifierConfig,
    TextOptions,
    WordVectorsConfig,
)
from brasa.corpus import Corpus
from brasa.errors import BrasaError
from brasa.formats import native
from brasa.word_vectors import WordVectors

SUPERVISED = "supervised"
FIELDS_OF_VECTORS = [f.name for f in dataclasses.fields(WordVectorsConfig)]


@click.command()
@click.argument("mode", type=click.Choice([*get_args(Mode), SUPERVISED]))
@click.argument("corpus", nargs=-1, required=True, metavar="CORPUS...")
@click.option(
    "-o", "--output", required=True, type=click.Path(), help="Folder in which to save the model."
)
@click.option(
    "--export", "exports", multiple=True, type=click.Path(), metavar="FILE",
    help="Write this file too: .bin is fastText's format, .vec and .txt are word2vec's text.",
)  # fmt: skip
@from_config(WordVectorsConfig, without=["mode", "loss"])
@click.option(
    "--loss", type=click.Choice(get_args(ClassifierLoss)),
    help="Negative sampling or hierarchical softmax for vectors [ns]; for supervised also softmax, "
    "and ova: one logistic regression for each label [softmax].",
)  # fmt: skip
@from_config(TextClassifierConfig, without=FIELDS_OF_VECTORS, prefix="(supervised) ")
@click.option(
    "--validation", type=click.Path(), metavar="FILE",
    help="(supervised) Labeled texts on which the accuracy is measured after every epoch.",
)  # fmt: skip
@supervised.table_options
@supervised.class_weights_option
@from_config(TextOptions)
@click.option(
    "--config", "config_file", type=click.Path(path_type=Path), metavar="FILE",
    help="TOML file with hyperparameters, as in vector_dim = 300; options stand above it.",
)  # fmt: skip
@click.option(
    "--pretrained", type=click.Path(), metavar="FILE",
    help="Start words from their vectors in this model or file of vectors, of any format.",
)  # fmt: skip
@click.option(
    "--keep-pretrained-words", is_flag=True,
    help="Keep all words of --pretrained, those not in the text too, as fastText does.",
)  # fmt: skip
@click.option(
    "--continue", "continued", type=click.Path(), metavar="MODEL",
    help="Train this model on: its words, rows and hyperparameters, and what the text adds.",
)  # fmt: skip
@click.option(
    "--resume", is_flag=True,
    help="With --continue: finish a training that --keep-partial saved, with the same text.",
)  # fmt: skip
@click.option(
    "--keep-partial", is_flag=True,
    help="After Ctrl-C save what was trained until then; without it nothing is written.",
)  # fmt: skip
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@click.option("-v", "--verbose", is_flag=True, help="Tell what trains, and how.")
@click.option(
    "--log-format", type=click.Choice(get_args(LogFormat)), default="auto", show_default=True,
    help="How progress is shown on standard error; auto is a bar on a terminal, else plain lines.",
)  # fmt: skip
@json_option
@click.pass_context
def train(
    ctx: click.Context,
    /,
    mode: str,
    corpus: tuple[str, ...],
    output: str,
    exports: tuple[str, ...],
    config_file: Path | None,
    pretrained: str | None,
    keep_pretrained_words: bool,
    continued: str | None,
    resume: bool,
    keep_partial: bool,
    validation: str | None,
    class_weights: Literal["balanced"] | None,
    quiet: bool,
    verbose: bool,
    log_format: LogFormat,
    as_json: bool,
    **given: Any,
) -> None:
    """Train word vectors, or with "supervised" a text classifier, and save the folder --output.

    CORPUS is any number of files (.gz, .bz2, .xz and .zst are unpacked), folders and glob patterns,
    or "-" for standard input. Words are what stands between white space. For a classifier each line
    is a text, and words that begin with --label-prefix are its labels.
    """
    columns = {name: given.pop(name) for name in supervised.COLUMNS}
    values, text_options = named_values({"mode": mode, **given}, config_file)
    if values["mode"] == SUPERVISED:
        if continued is not None or resume or keep_pretrained_words:
            raise click.UsageError(
                "supervised goes without --continue, --resume and --keep-pretrained-words"
            )
        supervised.check(values, validation, exports)
        native.check_target(output)
        text = supervised.source_of(corpus, text_options, columns)
        held_out = None
        if validation is not None:
            held_out = supervised.source_of([validation], text_options, columns)
        with display(log_format, quiet=quiet, verbose=verbose) as shown:
            shown.started(SUPERVISED, corpus_of(corpus, text_options))
            classifier = supervised.train(
                text,
                values,
                text_options,
                validation=held_out,
                pretrained=pretrained,
                class_weights=class_weights,
                keep_partial=keep_partial,
                shown=shown,
            )
            summary = supervised.save(classifier, output, exports, shown)
        if as_json:
            print_json(summary)
        if classifier.metadata["interrupted"]:
            ctx.exit(INTERRUPTED)
        return
    if validation is not None or class_weights is not None or any(columns.values()):
        raise click.UsageError(
            "--validation, --class-weights and the options of columns are for supervised"
        )
    if continued is None:
        WordVectorsConfig.parse(values)  # refused now, not after a model has been opened
    if continued is not None and (pretrained is not None or keep_pretrained_words):
        raise click.UsageError("--continue keeps all of the model: leave --pretrained out")
    if resume and continued is None:
        raise click.UsageError("--resume needs --continue MODEL")
    native.check_target(output)
    for file in exports:
        format_of(file)  # refused now, not after the training
    text = corpus_of(corpus, text_options)
    before = None if continued is None else WordVectors.load(continued)
    with display(log_format, quiet=quiet, verbose=verbose) as shown:
        shown.started(values["mode"], text)
        watch: dict[str, Any] = {"listeners": [shown], "keep_partial": keep_partial}
        if before is not None:
            vectors = before.continue_training(text, resume=resume, **watch, **values)
        else:
            vectors = WordVectors.train(
                text,
                pretrained=pretrained,
                keep_pretrained_words=keep_pretrained_words,
                **watch,
                **values,
            )
        report = save(vectors, output, shown)
        export_all(vectors, exports, shown)
    if as_json:
        print_json(result(vectors, output, report))
    if vectors.metadata.get("interrupted"):
        ctx.exit(INTERRUPTED)


def corpus_of(arguments: Sequence[str], text_options: TextOptions) -> Corpus:
    """The corpus that the arguments name: never lines of text, even with spaces in a name."""
    return Corpus([a if a == "-" else Path(a) for a in arguments], text_options)


def save(vectors: WordVectors, output: str, shown: Display) -> dict[str, Any] | None:
    """Score the model if its configuration asks for it, save it, return the scores.

    A broken evaluation file must not cost the user the training: the model is saved all the same.
    """
    report, problem = None, None
    if vectors.config.evaluation:
        try:
            report = vectors.evaluate()
        except BrasaError as error:
            problem = error
        else:
            shown.evaluated(output, report)
    vectors.save(output, evaluation=report)
    shown.saved(output)
    if problem is not None:
        raise problem
    return report


def result(vectors: WordVectors, output: str, report: dict[str, Any] | None) -> dict[str, Any]:
    """What a program wants to know of a training."""
    return {
        "model": output,
        "n_words": len(vectors),
        "n_tokens": vectors.vocabulary.n_tokens,
        "vector_dim": vectors.vector_dim,
        "metadata": vectors.metadata,
        "evaluation": report,
    }
