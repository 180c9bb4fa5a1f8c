"""`brasa export`, and the files that `brasa train --export` writes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from brasa.cli.progress import Display
from brasa.errors import ConfigError
from brasa.formats import FORMATS
from brasa.loading import load
from brasa.text_classifier import TextClassifier
from brasa.word_vectors import WordVectors

_FORMAT_OF_SUFFIX = {
    ".bin": "fasttext", ".vec": "word2vec", ".txt": "word2vec", ".floret": "floret",
}  # fmt: skip


@click.command()
@click.argument("model", type=click.Path())
@click.argument("file", type=click.Path())
@click.option(
    "--format", "format", type=click.Choice(FORMATS),
    help="Format of FILE; by default its suffix tells: .bin fasttext, .vec and .txt word2vec, "
    ".floret floret.",
)  # fmt: skip
def export(model: str, file: str, format: str | None) -> None:
    """Write MODEL to FILE in another program's format.

    fasttext is the binary format of fastText, with subwords; floret a table for spaCy, and
    floret-binary floret's own format. The others have whole words only: word2vec is text, one
    word a line; word2vec-binary the same, exact; glove is text without the first line. hub is a
    folder for the Hugging Face Hub, with fastText's format in model.bin. A text classifier can be
    written as fasttext only.
    """
    opened, wanted = load(model), format or format_of(file)
    if not isinstance(opened, TextClassifier):
        opened.export(file, wanted)
    elif wanted == "fasttext":
        opened.export(file)
    else:
        raise ConfigError("format", wanted, "fasttext for a text classifier")


def format_of(file: str) -> str:
    """The format that a file name's suffix stands for."""
    suffix = Path(file).suffix
    if suffix not in _FORMAT_OF_SUFFIX:
        known = ", ".join(f"{s} ({name})" for s, name in _FORMAT_OF_SUFFIX.items())
        raise ConfigError("file", file, f"named with a suffix that tells its format: {known}")
    return _FORMAT_OF_SUFFIX[suffix]


def export_all(vectors: WordVectors, files: Iterable[str], shown: Display) -> None:
    """Write each file in the format of its suffix."""
    for file in files:
        vectors.export(file, format_of(file))
        shown.saved(file)
