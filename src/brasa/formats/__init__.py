"""Model files: one module for each format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from brasa.errors import ConfigError, ModelFormatError, StorageError
from brasa.formats import fasttext, native, word2vec
from brasa.parameters import Classifier, Embeddings

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

Format = Literal["native", "fasttext", "word2vec"]
FORMATS: tuple[str, ...] = get_args(Format)

_WRITERS: dict[str, Callable[[Embeddings, str | os.PathLike[str]], None]] = {
    "native": native.write,
    "fasttext": fasttext.write,
    "word2vec": word2vec.write,
}


def load(path: str | os.PathLike[str]) -> Embeddings:
    """Open a word-vector model: `open_model`, which refuses a classifier."""
    model = open_model(path)
    if not isinstance(model, Embeddings):
        raise ModelFormatError(path, "a text classifier: use brasa.TextClassifier.load")
    return model


def load_classifier(path: str | os.PathLike[str]) -> Classifier:
    """Open a text classifier: `open_model`, which refuses word vectors."""
    model = open_model(path)
    if not isinstance(model, Classifier):
        raise ModelFormatError(path, "word vectors, no classifier: use brasa.WordVectors.load")
    return model


def open_model(path: str | os.PathLike[str]) -> Embeddings | Classifier:
    """Open a model, told by its content.

    That is a folder that `save` made, or its `model.safetensors`; or fastText's `.bin` or `.ftz`.

    Raises
    ------
    StorageError
        When there is nothing at `path`, or it cannot be read.
    ModelFormatError
        When it is not a model, or a broken one.
    """
    place = Path(path)
    try:
        file = place / native.TENSORS if place.is_dir() else place
        if not place.exists():
            raise StorageError(place, "there is no such file or folder")
        if not file.exists():
            raise ModelFormatError(place, f"not a brasa model: the folder has no {native.TENSORS}")
        if not file.is_file():
            raise ModelFormatError(place, "not a brasa model: not a plain file")
        with file.open("rb") as stream:
            start = stream.read(fasttext.START_BYTES)
    except (OSError, ValueError) as error:
        if isinstance(error, (StorageError, ModelFormatError)):
            raise
        raise StorageError(path, f"cannot be read: {error}") from error
    if fasttext.looks_like(start):
        return fasttext.read(file)
    return native.read(file)


def export(embeddings: Embeddings, path: str | os.PathLike[str], format: str) -> None:
    """Write a model in another program's format.

    Parameters
    ----------
    embeddings : Embeddings
    path : path
    format : {"fasttext", "word2vec", "native"}
        ``"fasttext"``: fastText's `.bin`, subwords included. ``"word2vec"``: text, words only.

    Raises
    ------
    ConfigError
        For an unknown format.
    StorageError
        When the file cannot be written; what was at `path` is then untouched.
    """
    writer = _WRITERS.get(format)
    if writer is None:
        raise ConfigError("format", format, f"one of {', '.join(FORMATS)}")
    writer(embeddings, path)
