"""fastText's binary format, version 12: `vectors.bin` of BlazingText, `model.bin` of fastText.

The layout is that of `FastText::saveModel` in fastText 0.9.2: raw little-endian structures.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from brasa.errors import ModelFormatError
from brasa.formats.safetensors import write_rows
from brasa.formats.storage import new_file

if TYPE_CHECKING:
    import os

    from brasa.config import WordVectorsConfig
    from brasa.parameters import Embeddings, FloatMatrix
    from brasa.vocabulary import Vocabulary

MAGIC = 793712314
VERSION = 12
_MODELS = {"cbow": 1, "skipgram": 2, "batch_skipgram": 2}
_LOSSES = {"hs": 1, "ns": 2}
_NOT_PRUNED = -1
_PLAIN = b"\0"  # the matrix that follows is not quantized
_CHUNK_BYTES = 4 << 20
_CHUNK_WORDS = 16384


def write(embeddings: Embeddings, path: str | os.PathLike[str]) -> None:
    """Write a model that fastText, gensim and BlazingText's hosting open.

    Every bucket gets a row, untouched ones zeros, so that the file has `buckets` rows more than
    words: 800 MB for 2,000,000 buckets of 100 numbers.

    Raises
    ------
    StorageError
        When the file cannot be written; what was at `path` is then untouched.
    """
    config, vocabulary = embeddings.config, embeddings.vocabulary
    n_words = len(vocabulary)
    with new_file(path) as file:
        file.write(_header(config))
        file.write(struct.pack("<3i2q", n_words, n_words, 0, vocabulary.n_tokens, _NOT_PRUNED))
        _write_words(file, vocabulary)
        n_buckets = config.buckets if config.subwords else 0
        file.write(_PLAIN + struct.pack("<2q", n_words + n_buckets, config.vector_dim))
        write_rows(file, embeddings.input[:n_words])
        _write_buckets(file, embeddings.input[n_words:], embeddings.bucket_ids, n_buckets, path)
        file.write(_PLAIN + struct.pack("<2q", *embeddings.output.shape))
        write_rows(file, embeddings.output)


def _header(config: WordVectorsConfig) -> bytes:
    """Magic, version and arguments; n-grams are off as `-maxn 0` writes it."""
    buckets, min_char, max_char = (
        (config.buckets, config.min_char, config.max_char) if config.subwords else (0, 0, 0)
    )
    return struct.pack(
        "<14id",
        MAGIC,
        VERSION,
        config.vector_dim,
        config.window_size,
        config.epochs,
        min(config.min_count, 2**31 - 1),
        config.negative_samples,
        1,  # word n-grams
        _LOSSES[config.loss],
        _MODELS[config.mode],
        buckets,
        min_char,
        max_char,
        100,  # tokens between updates of the learning rate: fastText's default
        config.sampling_threshold,
    )


def _write_words(file: BinaryIO, vocabulary: Vocabulary) -> None:
    """Each word's bytes, a NUL, its count (int64) and its kind (a byte, 0 for a word)."""
    tail = struct.Struct("<xqx")
    for start in range(0, len(vocabulary), _CHUNK_WORDS):
        stop = min(start + _CHUNK_WORDS, len(vocabulary))
        offsets = vocabulary.offsets[start : stop + 1].tolist()
        text = vocabulary.arena[offsets[0] : offsets[-1]].tobytes()
        counts = vocabulary.counts[start:stop].tolist()
        ends = [offset - offsets[0] for offset in offsets]
        file.write(
            b"".join(
                text[ends[i] : ends[i + 1]] + tail.pack(count) for i, count in enumerate(counts)
            )
        )


def _write_buckets(
    file: BinaryIO,
    rows: FloatMatrix,
    bucket_ids: np.ndarray[tuple[int], np.dtype[np.uint32]],
    n_buckets: int,
    path: str | os.PathLike[str],
) -> None:
    """Write the touched rows at their places among zeros."""
    if np.any(bucket_ids[1:] <= bucket_ids[:-1]) or np.any(bucket_ids >= n_buckets):
        raise ModelFormatError(path, "not written: the model's bucket_ids are broken")
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
