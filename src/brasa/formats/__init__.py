"""Model files: one module for each format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from brasa.errors import ConfigError, ModelFormatError
from brasa.formats import fasttext, finalfusion, floret, glove, hub, native, word2vec
from brasa.formats.detection import format_of, model_file
from brasa.formats.source import ByteSource
from brasa.parameters import Classifier, Embeddings

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path

Format = Literal[
    "native", "fasttext", "word2vec", "word2vec-binary", "glove", "floret", "floret-binary", "hub"
]
FORMATS: tuple[str, ...] = get_args(Format)

_WRITERS: dict[str, Callable[[Embeddings, str | os.PathLike[str]], None]] = {
    "native": native.write,
    "fasttext": fasttext.write,
    "word2vec": word2vec.write,
    "word2vec-binary": word2vec.write_binary,
    "glove": glove.write,
    "floret": floret.write,
    "floret-binary": floret.write_binary,
    "hub": hub.write,
}
_WITHOUT_WORDS = ("native", "floret")  # formats of tables, which need no words
_DENSE = ("fasttext", "hub")  # formats with a row for each of fastText's buckets
_WITH_OUTPUT = ("fasttext", "floret-binary", "hub")  # formats with a second matrix
# More buckets than anybody trains with: explicit n-grams of finalfusion have 2^31 - 1.
_MAX_DENSE_BYTES = 200e9
# Formats that are read front to back, compressed or not.
_STREAM_READERS: dict[str, Callable[[ByteSource], Embeddings]] = {
    "word2vec": word2vec.read,
    "word2vec-binary": word2vec.read_binary,
    "glove": glove.read,
    "floret": floret.read,
}
# Formats whose matrices are mapped, so that the file must be plain.
_FILE_READERS: dict[str, Callable[[Path], Embeddings | Classifier]] = {
    "native": native.read,
    "fasttext": fasttext.read,
    "floret-binary": floret.read_binary,
    "finalfusion": finalfusion.read,
}


def load(path: str | os.PathLike[str]) -> Embeddings:
    """Open a word-vector model: `open_model`, which refuses a classifier."""
    model = open_model(path)
    if not isinstance(model, Embeddings):
        raise ModelFormatError(
            path, "a text classifier: open it with TextClassifier.load or brasa.load"
        )
    return model


def load_classifier(path: str | os.PathLike[str]) -> Classifier:
    """Open a text classifier: `open_model`, which refuses word vectors."""
    model = open_model(path)
    if not isinstance(model, Classifier):
        raise ModelFormatError(path, "word vectors: open them with WordVectors.load or brasa.load")
    return model


def open_model(path: str | os.PathLike[str]) -> Embeddings | Classifier:
    """Open a model or word vectors of any format that brasa reads, told by the content.

    A folder that `save` made, or its `model.safetensors`; a folder of the Hugging Face Hub;
    fastText's `.bin` or `.ftz`; floret's `.bin`; finalfusion's `.fifu`; word2vec's text and binary,
    GloVe's text and floret's table, these also compressed (gzip, bzip2, xz, Zstandard).

    Raises
    ------
    StorageError
        When there is nothing at `path`, or it cannot be read.
    ModelFormatError
        When it is not a model, or a broken one.
    """
    file = model_file(path)
    if file.name == native.TENSORS:
        return native.read(file)
    source = ByteSource(file)
    kind = format_of(source)
    if kind in _STREAM_READERS:
        return _STREAM_READERS[kind](source)
    if kind == "index":
        raise ModelFormatError(
            file, "an index of neighbors: open it with load_index of its vectors"
        )
    if kind not in _FILE_READERS:
        raise ModelFormatError(file, "not a brasa model, and not word vectors that brasa can read")
    if source.compressed:
        raise ModelFormatError(file, f"compressed, and a {kind} model: decompress it first")
    return _FILE_READERS[kind](file)


def export(embeddings: Embeddings, path: str | os.PathLike[str], format: str) -> None:
    """Write a model in another program's format.

    Parameters
    ----------
    embeddings : Embeddings
    path : path
    format : str
        ``"fasttext"``: fastText's `.bin`, subwords included. ``"word2vec"``,
        ``"word2vec-binary"``, ``"glove"``: words only. ``"floret"``: a table for spaCy, see
        `floret.fitted`. ``"floret-binary"``: floret's `.bin`. ``"hub"``: a folder for the
        Hugging Face Hub. ``"native"``: as `save`.

    Raises
    ------
    ConfigError
        For an unknown format.
    ModelFormatError
        When the format cannot hold the model: a word with a space in it.
    StorageError
        When the file cannot be written; what was at `path` is then untouched.
    """
    writer = _WRITERS.get(format)
    if writer is None:
        raise ConfigError("format", format, f"one of {', '.join(FORMATS)}")
    writer(_writable(embeddings, path, format), path)


def push_to_hub(embeddings: Embeddings, repo_id: str, **options: Any) -> str:
    """Write a model into a repository of the Hugging Face Hub: `hub.push`."""
    return hub.push(_writable(embeddings, repo_id, "hub"), repo_id, **options)


def _writable(embeddings: Embeddings, path: str | os.PathLike[str], format: str) -> Embeddings:
    """The model as the format needs it; raises when the format cannot hold it."""
    if not len(embeddings.vocabulary) and format not in _WITHOUT_WORDS:
        raise ModelFormatError(
            path, f"not written: the model has no words; {' and '.join(_WITHOUT_WORDS)} need none"
        )
    if format in _DENSE and embeddings.floret is not None:
        raise ModelFormatError(
            path,
            "not written: floret's table cannot be turned into rows of fastText's n-grams; "
            "write floret or floret-binary, or words only: word2vec, word2vec-binary, glove",
        )
    size = 4 * embeddings.config.buckets * embeddings.config.vector_dim
    if format in _DENSE and embeddings.config.subwords and size > _MAX_DENSE_BYTES:
        raise ModelFormatError(
            path,
            f"not written: {embeddings.config.buckets} buckets, each of which has a row there, "
            f"would take {size / 1e9:.0f} GB",
        )
    if format in _WITH_OUTPUT and not len(embeddings.output):
        zeros = np.zeros((1, embeddings.config.vector_dim), np.float32)
        output = np.broadcast_to(zeros, (len(embeddings.vocabulary), zeros.shape[1]))
        return embeddings.with_output(output)
    return embeddings
