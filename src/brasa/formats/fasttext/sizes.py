"""How long a `.ftz` file will be."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from brasa.formats.fasttext import layout
from brasa.parameters import N_CENTROIDS

if TYPE_CHECKING:
    from brasa.parameters import Classifier
    from brasa.vocabulary import Vocabulary

OUTPUT_DSUB = 2  # fastText cuts output rows so, whatever `dsub` is
_MATRIX_BYTES = 16  # rows and columns
_PAIR_BYTES = 8  # bucket and row, in the index of a pruned model


class Quantization(NamedTuple):
    """How matrices become codes: see `brasa.quantization.quantize_classifier`."""

    qnorm: bool = False
    qout: bool = False
    dsub: int = 2


def ftz_bytes(classifier: Classifier, form: Quantization) -> int:
    """Length of the file with all rows."""
    n_words, n_buckets = len(classifier.vocabulary), len(classifier.bucket_ids)
    pruned = classifier.bucket_rows is not None or n_buckets != classifier.buckets
    return int(
        _fixed_bytes(classifier, form)
        + _entry_bytes(classifier.vocabulary).sum()
        + (_PAIR_BYTES * n_buckets if pruned else 0)
        + _row_bytes(classifier.vector_dim, form.dsub, form.qnorm) * (n_words + n_buckets)
    )


def ftz_bytes_of_first(
    classifier: Classifier, form: Quantization, order: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Length of the file with the first one, two, three ... of the rows in `order`."""
    n_words = len(classifier.vocabulary)
    needed = np.full(len(order), _PAIR_BYTES, np.int64)
    needed[:n_words] = _entry_bytes(classifier.vocabulary)
    needed += _row_bytes(classifier.vector_dim, form.dsub, form.qnorm)
    total: npt.NDArray[np.int64] = np.cumsum(needed[order]) + _fixed_bytes(classifier, form)
    return total


def _fixed_bytes(classifier: Classifier, form: Quantization) -> int:
    """All that does not depend on which rows are kept."""
    dim, n_labels = classifier.vector_dim, len(classifier.labels)
    header = 8 + layout.ARGUMENTS.size + struct.calcsize(layout.DICTIONARY) + 8
    flags = 2
    output = _MATRIX_BYTES + 4 * n_labels * dim
    if form.qout:
        output = _quantizer_bytes(dim, form.qnorm)
        output += n_labels * _row_bytes(dim, OUTPUT_DSUB, form.qnorm)
    labels = int(_entry_bytes(classifier.labels).sum())
    return header + flags + labels + _quantizer_bytes(dim, form.qnorm) + output


def _quantizer_bytes(dim: int, qnorm: bool) -> int:
    """A quantized matrix without its codes: flag, shape, number of codes, centroids."""
    book = 16 + 4 * N_CENTROIDS * dim
    norms = 16 + 4 * N_CENTROIDS if qnorm else 0
    return 1 + _MATRIX_BYTES + 4 + book + norms


def _row_bytes(dim: int, dsub: int, qnorm: bool) -> int:
    return -(-dim // dsub) + qnorm


def _entry_bytes(vocabulary: Vocabulary) -> npt.NDArray[np.int64]:
    """Each word, a zero byte, its count, its kind."""
    return np.diff(vocabulary.offsets) + 10
