"""Writing fastText's files."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from brasa import _native
from brasa.errors import ModelFormatError
from brasa.formats.fasttext import layout
from brasa.formats.safetensors import write_rows
from brasa.formats.storage import new_file
from brasa.parameters import (
    N_CENTROIDS,
    Classifier,
    Embeddings,
    FastTextArguments,
    FastTextDetails,
    ProductQuantizer,
    QuantizedMatrix,
)

if TYPE_CHECKING:
    import os

    from brasa.parameters import FloatMatrix
    from brasa.vocabulary import Vocabulary

    Path = str | os.PathLike[str]

_MODELS = {"cbow": layout.CBOW, "skipgram": layout.SKIPGRAM, "batch_skipgram": layout.SKIPGRAM}
_LR_UPDATE_RATE = 100  # tokens between updates of the learning rate: fastText's default
_CHUNK_BYTES = 4 << 20
_CHUNK_WORDS = 65536


def write(model: Embeddings | Classifier, path: Path) -> None:
    """Write a model that fastText, gensim (word vectors) and BlazingText's hosting open.

    A model that was read from a fastText file becomes the same bytes again, whatever its version.
    Otherwise every bucket gets a row, untouched ones zeros, so that the file has `buckets` rows
    more than words: 800 MB for 2,000,000 buckets of 100 numbers.

    Raises
    ------
    StorageError
        When the file cannot be written; what was at `path` is then untouched.
    """
    details = model.fasttext or FastTextDetails(layout.VERSIONS[-1], arguments_of(model))
    with new_file(path) as file:
        _write_header(file, details)
        write_body(file, model, details, path)


def write_body(
    file: BinaryIO, model: Embeddings | Classifier, details: FastTextDetails, path: Path
) -> None:
    """Write all that follows the arguments."""
    _write_dictionary(file, model, details)
    _write_input(file, model, details, path)
    if _codes(model) is not None and isinstance(model, Embeddings):
        file.write(b"\1")
        _write_matrix(file, _zeros(len(model.vocabulary), details.arguments.dim))
        return
    if details.version != layout.HEADERLESS:
        quantized = isinstance(model.output, QuantizedMatrix)
        file.write(bytes([details.quantize_output or quantized]))
    _write_matrix(file, model.output)


def arguments_of(model: Embeddings | Classifier) -> FastTextArguments:
    """What fastText would have been called with; n-grams are off as `-maxn 0` writes it."""
    if isinstance(model, Classifier):
        return _classifier_arguments(model)
    config = model.config
    buckets, min_char, max_char = (
        (config.buckets, config.min_char, config.max_char) if config.subwords else (0, 0, 0)
    )
    return FastTextArguments(
        dim=config.vector_dim,
        ws=config.window_size,
        epoch=config.epochs,
        min_count=min(config.min_count, 2**31 - 1),
        neg=config.negative_samples,
        word_ngrams=1,
        loss=layout.LOSSES[config.loss],
        model=_MODELS[config.mode],
        bucket=buckets,
        minn=min_char,
        maxn=max_char,
        lr_update_rate=_LR_UPDATE_RATE,
        t=config.sampling_threshold,
    )


def _classifier_arguments(model: Classifier) -> FastTextArguments:
    """What prediction needs; arguments of training that the model does not know are fastText's."""
    trained = model.metadata.get("hyperparameters")
    known = trained if isinstance(trained, dict) else {}

    def number(name: str, default: int) -> int:
        value = known.get(name)
        return value if type(value) is int and 0 <= value < 2**31 else default

    return FastTextArguments(
        dim=model.vector_dim,
        ws=5,
        epoch=number("epochs", 5),
        min_count=number("min_count", 1),
        neg=number("negative_samples", 5),
        word_ngrams=model.word_ngrams,
        loss=layout.LOSSES[model.loss],
        model=layout.SUPERVISED,
        bucket=model.buckets,
        minn=model.min_char if model.max_char else 0,
        maxn=model.max_char,
        lr_update_rate=_LR_UPDATE_RATE,
        t=1e-4,
    )


def _write_header(file: BinaryIO, details: FastTextDetails) -> None:
    if details.version != layout.HEADERLESS:
        file.write(struct.pack("<2i", layout.MAGIC, details.version))
    file.write(layout.ARGUMENTS.pack(*details.arguments))


def _write_dictionary(
    file: BinaryIO, model: Embeddings | Classifier, details: FastTextDetails
) -> None:
    labels = model.labels if isinstance(model, Classifier) else details.labels
    n_words, n_labels = len(model.vocabulary), 0 if labels is None else len(labels)
    n_tokens = model.vocabulary.n_tokens
    file.write(struct.pack(layout.DICTIONARY, n_words + n_labels, n_words, n_labels, n_tokens))
    pairs = _pruned(model, details)
    if details.version != layout.HEADERLESS:
        file.write(struct.pack("<q", layout.NOT_PRUNED if pairs is None else len(pairs)))
    _write_entries(file, model.vocabulary, layout.WORD)
    if labels is not None:
        _write_entries(file, labels, layout.LABEL)
    if pairs is not None:
        file.write(np.ascontiguousarray(pairs, "<i4").data)


def _pruned(
    model: Embeddings | Classifier, details: FastTextDetails
) -> np.ndarray[tuple[int, int], np.dtype[np.int32]] | None:
    """Pairs of bucket and row; None for a model of which every bucket has a row in the file."""
    if details.pruned is not None:
        return details.pruned
    if _codes(model) is None:
        return None
    ids, rows = model.bucket_ids, model.bucket_rows if isinstance(model, Classifier) else None
    if rows is None and len(ids) == details.arguments.bucket:
        return None
    pairs = np.empty((len(ids), 2), np.int32)
    pairs[:, 0], pairs[:, 1] = ids, np.arange(len(ids)) if rows is None else rows
    return pairs


def _write_entries(file: BinaryIO, vocabulary: Vocabulary, kind: int) -> None:
    arena, offsets, counts = vocabulary.arena, vocabulary.offsets, vocabulary.counts
    for start in range(0, len(vocabulary), _CHUNK_WORDS):
        stop = min(start + _CHUNK_WORDS, len(vocabulary))
        try:
            file.write(_native.format_dictionary(arena, offsets, counts, kind, start, stop))
        except ValueError as error:
            raise ModelFormatError("vocabulary", f"not written: its {error}") from None


def _write_input(
    file: BinaryIO, model: Embeddings | Classifier, details: FastTextDetails, path: Path
) -> None:
    """The rows of words and buckets, after the flag that says whether they are quantized."""
    codes = _codes(model)
    if codes is not None:
        file.write(b"\1")
        _write_matrix(file, codes)
        return
    if details.version != layout.HEADERLESS:
        file.write(b"\0")
    n_words, n_buckets = len(model.vocabulary), details.arguments.bucket
    file.write(struct.pack("<2q", n_words + n_buckets, details.arguments.dim))
    every: Any = model.input
    write_rows(file, every[:n_words])
    if details.unused_rows is not None:
        write_rows(file, details.unused_rows)
        return
    rows, ids = every[n_words:], model.bucket_ids
    if isinstance(model, Classifier) and model.bucket_rows is not None:
        rows = rows[model.bucket_rows]
    if np.any(ids[1:] <= ids[:-1]) or np.any(ids >= n_buckets):
        raise ModelFormatError(path, "not written: the model's bucket_ids are broken")
    if len(ids) == n_buckets:
        write_rows(file, rows)
    else:
        _write_buckets(file, rows, ids, n_buckets)


def _write_buckets(
    file: BinaryIO,
    rows: FloatMatrix,
    bucket_ids: np.ndarray[tuple[int], np.dtype[np.uint32]],
    n_buckets: int,
) -> None:
    """Write the touched rows at their places among zeros."""
    dim = rows.shape[1]
    step = min(max(1, _CHUNK_BYTES // (4 * dim)), max(1, n_buckets))
    firsts = np.arange(0, n_buckets, step, dtype=np.uint32)
    edges = [*np.searchsorted(bucket_ids, firsts).tolist(), len(bucket_ids)]
    chunk = np.zeros((step, dim), np.float32)
    for i, first in enumerate(firsts):
        places = bucket_ids[edges[i] : edges[i + 1]] - first
        chunk[places] = rows[edges[i] : edges[i + 1]]
        file.write(chunk[: n_buckets - int(first)].data)
        chunk[places] = 0


def _codes(model: Embeddings | Classifier) -> QuantizedMatrix | None:
    held = model.quantized if isinstance(model, Embeddings) else model.input
    return held if isinstance(held, QuantizedMatrix) else None


def _zeros(n_rows: int, dim: int) -> QuantizedMatrix:
    """The output rows of quantized word vectors, which nothing reads: a byte each."""
    book = ProductQuantizer(dim, dim, np.zeros(N_CENTROIDS * dim, np.float32))
    return QuantizedMatrix(np.zeros((n_rows, 1), np.uint8), book)


def _write_matrix(file: BinaryIO, matrix: FloatMatrix | QuantizedMatrix) -> None:
    if not isinstance(matrix, QuantizedMatrix):
        file.write(struct.pack("<2q", *matrix.shape))
        write_rows(file, matrix)
        return
    has_norms = matrix.norm_codes is not None and matrix.norm_quantizer is not None
    file.write(struct.pack("<B2qi", has_norms, *matrix.shape, matrix.codes.size))
    file.write(np.ascontiguousarray(matrix.codes).data)
    _write_quantizer(file, matrix.quantizer)
    if matrix.norm_codes is not None and matrix.norm_quantizer is not None:
        file.write(np.ascontiguousarray(matrix.norm_codes).data)
        _write_quantizer(file, matrix.norm_quantizer)


def _write_quantizer(file: BinaryIO, quantizer: ProductQuantizer) -> None:
    dim, n_parts, part_dim = quantizer.dim, quantizer.n_parts, quantizer.part_dim
    file.write(struct.pack("<4i", dim, n_parts, part_dim, dim - (n_parts - 1) * part_dim))
    file.write(np.ascontiguousarray(quantizer.centroids, "<f4").data)
