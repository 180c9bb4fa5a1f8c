"""Smaller models: rows as codes of a product quantizer, and only the rows that matter."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from brasa import _native
from brasa.errors import ConfigError, ModelFormatError
from brasa.formats.fasttext import sizes
from brasa.parameters import (
    N_CENTROIDS,
    Classifier,
    Embeddings,
    FastTextDetails,
    FloatMatrix,
    ProductQuantizer,
    QuantizedMatrix,
    dense,
    largest_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from brasa.formats.fasttext.sizes import Quantization

_SEED = 1234  # fastText's, so that its files and these are alike
_LARGEST = 1e15  # sums of squares of larger numbers are no float32
_LINE_END = "</s>"


def quantize_matrix(
    matrix: FloatMatrix, *, dsub: int = 2, qnorm: bool = False, name: str = "matrix"
) -> QuantizedMatrix:
    """Code the rows of a matrix: each part of a row is the nearest of 256 centroids.

    Parameters
    ----------
    matrix : float32, shape (n_rows, dim)
    dsub : int
        Numbers in a part, which becomes one byte.
    qnorm : bool
        Code the lengths of the rows apart, one byte each, and the rows scaled to length 1.
    name : str
        What an error calls it.

    Raises
    ------
    ConfigError
        For fewer than 256 rows, or a `dsub` that is not between 1 and `dim`.
    ModelFormatError
        When a number is not finite.
    """
    n_rows, dim = matrix.shape
    check_dsub(dsub, dim)
    if n_rows < N_CENTROIDS:
        raise ConfigError(f"rows of the {name}", n_rows, f"{N_CENTROIDS} or more to be quantized")
    check_finite(matrix, name)
    norm_codes = norm_quantizer = None
    if qnorm:
        norms = row_norms(matrix)
        norm_quantizer, norm_codes = _quantize(norms[:, np.newaxis], 1)
        lengths: npt.NDArray[np.float32] = np.where(norms > 0, norms, np.float32(1))
        matrix = matrix / lengths[:, np.newaxis]
    quantizer, codes = _quantize(matrix, dsub)
    codes = codes.reshape(n_rows, quantizer.n_parts)
    return QuantizedMatrix(codes, quantizer, norm_codes, norm_quantizer)


def quantize_classifier(
    classifier: Classifier,
    *,
    cutoff: int = 0,
    max_bytes: int | None = None,
    qnorm: bool = False,
    qout: bool = False,
    dsub: int = 2,
    retrain: Callable[[Classifier], Classifier] | None = None,
) -> Classifier:
    """Make a classifier small, as fastText's `quantize` does.

    Written in fastText's format, the result is a `.ftz` file, which fastText reads.

    Parameters
    ----------
    classifier : Classifier
        Not quantized.
    cutoff : int
        How many input rows to keep: see `keep_largest_rows`; 0: all.
    max_bytes : int, optional
        Instead of `cutoff`: keep as many rows as a `.ftz` file of this size has room for.
    qnorm, dsub
        See `quantize_matrix`.
    qout : bool
        Quantize the output matrix, too, which has a row for each label.
    retrain : callable, optional
        Gets the classifier with the rows that are kept, not quantized yet, and returns it trained
        on. Called only when rows are dropped.

    Raises
    ------
    ConfigError
        When an argument is impossible, a matrix that is to be quantized has fewer than 256 rows,
        or no `.ftz` file of the classifier fits in `max_bytes`.
    ModelFormatError
        When a number is not finite.
    """
    if isinstance(classifier.input, QuantizedMatrix):
        raise ConfigError("classifier", "a quantized one", "one that is not quantized yet")
    check_dsub(dsub, classifier.vector_dim)
    form = sizes.Quantization(qnorm=qnorm, qout=qout, dsub=dsub)
    if max_bytes is not None:
        if cutoff:
            raise ConfigError("cutoff", cutoff, "left out with max_bytes, which decides it")
        cutoff = largest_cutoff(classifier, max_bytes, form)
    smaller = keep_largest_rows(classifier, cutoff) if cutoff else classifier
    if retrain is not None and smaller is not classifier:
        smaller = retrain(smaller)
    output = smaller.output
    if qout:
        output = quantize_matrix(
            dense(output), dsub=sizes.OUTPUT_DSUB, qnorm=qnorm, name="output matrix (labels)"
        )
    return dataclasses.replace(
        smaller,
        input=quantize_matrix(dense(smaller.input), dsub=dsub, qnorm=qnorm, name="input matrix"),
        output=output,
        # The file has an index of the buckets with a row; fastText passes over all others.
        drops_other_buckets=True,
        fasttext=_details(smaller, qout),
    )


def quantize_embeddings(embeddings: Embeddings, *, qnorm: bool = True, dsub: int = 2) -> Embeddings:
    """Make word vectors small: rows of words and n-grams become codes, and stay codes in memory.

    There are no output rows afterwards, so that the model cannot be trained on. fastText reads
    the result when it is written in its format.

    Parameters
    ----------
    embeddings : Embeddings
    qnorm, dsub
        See `quantize_matrix`.

    Raises
    ------
    ConfigError
        When an argument is impossible, there are fewer than 256 rows, or the model is one of
        floret's, or quantized already.
    ModelFormatError
        When a number is not finite.
    """
    if embeddings.floret is not None:
        raise ConfigError("model", "one of floret's", "one with rows of words and n-grams")
    if embeddings.quantized is not None:
        raise ConfigError("model", "a quantized one", "one that is not quantized yet")
    rows: Any = quantize_matrix(embeddings.input, dsub=dsub, qnorm=qnorm, name="input matrix")
    details = embeddings.fasttext
    if details is not None:
        details = FastTextDetails(12, details.arguments, labels=details.labels)
    return dataclasses.replace(
        embeddings,
        input=rows,
        output=embeddings.output[:0],
        metadata={**embeddings.metadata, "quantization": {"qnorm": qnorm, "dsub": dsub}},
        fasttext=details,
    )


def keep_largest_rows(classifier: Classifier, cutoff: int) -> Classifier:
    """Drop all input rows but the `cutoff` largest, by Euclidean length, as fastText does.

    The row of the line's end (``</s>``) always stays. Words and n-grams without a row are passed
    over afterwards. The same classifier when it has no more rows than that.

    Raises
    ------
    ConfigError
        When `cutoff` is below 256, what a product quantizer needs.
    ModelFormatError
        When a number is not finite.
    """
    if type(cutoff) is not int or cutoff < N_CENTROIDS:
        raise ConfigError("cutoff", cutoff, f"a whole number, {N_CENTROIDS} or more")
    rows = dense(classifier.input)
    if cutoff >= len(rows):
        return classifier
    kept = np.zeros(len(rows), bool)
    kept[_by_size(classifier)[:cutoff]] = True
    n_words = len(classifier.vocabulary)
    words = np.flatnonzero(kept[:n_words])
    places = np.arange(len(classifier.bucket_ids))
    bucket_rows = n_words + (
        places if classifier.bucket_rows is None else classifier.bucket_rows.astype(np.int64)
    )
    places = places[kept[bucket_rows]]
    return dataclasses.replace(
        classifier,
        vocabulary=classifier.vocabulary.take(words),
        input=rows[np.concatenate([words, bucket_rows[places]])],
        bucket_ids=classifier.bucket_ids[places],
        bucket_rows=None,
        drops_other_buckets=True,
        fasttext=_details(classifier, False),
    )


def largest_cutoff(classifier: Classifier, max_bytes: int, form: Quantization) -> int:
    """How many rows to keep for a `.ftz` file of at most `max_bytes`; 0: all of them.

    Exact, where fastText's `autotune-modelsize` takes ten bytes for each word, whatever its length.

    Raises
    ------
    ConfigError
        When even 256 rows need more.
    """
    if type(max_bytes) is not int or max_bytes < 1:
        raise ConfigError("max_bytes", max_bytes, "a whole number of bytes, 1 or more")
    order = _by_size(classifier)
    if sizes.ftz_bytes(classifier, form) <= max_bytes:
        return 0
    needed = sizes.ftz_bytes_of_first(classifier, form, order)
    n_rows = int(np.searchsorted(needed, max_bytes, side="right"))
    if n_rows < N_CENTROIDS:
        least = int(needed[min(N_CENTROIDS, len(needed)) - 1])
        raise ConfigError("max_bytes", max_bytes, f"at least {least} for this classifier")
    return n_rows


def check_dsub(dsub: object, dim: int) -> None:
    """Refuse what is not a number of numbers in a part."""
    if type(dsub) is not int or not 1 <= dsub <= dim:
        raise ConfigError("dsub", dsub, f"between 1 and the length of the vectors, {dim}")


def check_finite(matrix: FloatMatrix, name: str) -> None:
    """Refuse NaN, infinity and what has no finite square, naming the first row with one."""
    if largest_of(matrix) < _LARGEST:  # not of NaN
        return
    row = next(i for i, values in enumerate(matrix) if not largest_of(values) < _LARGEST)
    limit = f"{_LARGEST:.0e}"
    raise ModelFormatError(name, f"row {row} has numbers that are not finite, or above {limit}")


def row_norms(matrix: FloatMatrix) -> npt.NDArray[np.float32]:
    """Euclidean lengths of rows, float32."""
    norms: npt.NDArray[np.float32] = np.sqrt(np.einsum("ij,ij->i", matrix, matrix))
    return norms


def _quantize(matrix: FloatMatrix, part_dim: int) -> tuple[ProductQuantizer, npt.NDArray[np.uint8]]:
    centroids = _native.train_centroids(matrix, part_dim, _SEED)
    codes = _native.encode_rows(matrix, part_dim, centroids)
    return ProductQuantizer(matrix.shape[1], part_dim, centroids), codes


def _by_size(classifier: Classifier) -> npt.NDArray[np.int64]:
    """Input rows, the largest first, that of the line's end before all others."""
    rows = dense(classifier.input)
    check_finite(rows, "input matrix")
    norms = row_norms(rows)
    line_end = classifier.vocabulary.index(_LINE_END)
    if line_end is not None:
        norms[line_end] = np.inf
    return np.argsort(-norms, kind="stable")


def _details(classifier: Classifier, qout: bool) -> FastTextDetails | None:
    """What a fastText file said that stays true."""
    details = classifier.fasttext
    if details is None:
        return None
    arguments = details.arguments
    if classifier.max_char == 0:  # a number there means nothing in files before version 12
        arguments = arguments._replace(minn=0, maxn=0)
    return FastTextDetails(12, arguments, quantize_output=qout)
