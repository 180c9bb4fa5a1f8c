"""The rows of a model's input matrix, numbered as fastText numbers them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from brasa import _native
from brasa.config import MAX_VECTOR_DIM
from brasa.errors import ConfigError
from brasa.fasttext.text import EOS
from brasa.formats.fasttext.writing import arguments_of
from brasa.parameters import (
    Classifier,
    Embeddings,
    FastTextArguments,
    FastTextDetails,
    QuantizedMatrix,
)
from brasa.subwords import Subwords

if TYPE_CHECKING:
    import numpy.typing as npt

    from brasa.parameters import FloatMatrix


def file_arguments(model: Embeddings | Classifier) -> FastTextArguments:
    """The arguments that a file of the model holds."""
    return arguments_of(model) if model.fasttext is None else model.fasttext.arguments


def codes_of(model: Embeddings | Classifier) -> QuantizedMatrix | None:
    """The input rows as codes, which are numbered as they lie; None for rows of numbers."""
    held = model.quantized if isinstance(model, Embeddings) else model.input
    return held if isinstance(held, QuantizedMatrix) else None


def dim_of(model: Embeddings | Classifier) -> int:
    """Length of the vectors."""
    return model.config.vector_dim if isinstance(model, Embeddings) else model.vector_dim


def n_rows(model: Embeddings | Classifier) -> int:
    """Rows of words, then of buckets: of each, or in a pruned model of those that are left."""
    codes = codes_of(model)
    if codes is not None:
        return len(codes.codes)
    return len(model.vocabulary) + file_arguments(model).bucket


def input_matrix(model: Embeddings | Classifier) -> FloatMatrix:
    """All rows, float32, shape (n_rows, dim); those of buckets that the model lacks are zero."""
    codes = codes_of(model)
    if codes is not None:
        return codes.decode()
    n_words, held = len(model.vocabulary), _dense(model)
    matrix = np.zeros((n_rows(model), held.shape[1]), np.float32)
    matrix[:n_words] = held[:n_words]
    details = model.fasttext
    if details is not None and details.unused_rows is not None:
        matrix[n_words:] = details.unused_rows
    elif len(model.bucket_ids):
        places = _places(model, np.arange(len(model.bucket_ids)))
        matrix[n_words + model.bucket_ids.astype(np.int64)] = held[places]
    return matrix


def input_row(model: Embeddings | Classifier, index: int) -> FloatMatrix:
    """One row of `input_matrix`, shape (dim,)."""
    total = n_rows(model)
    if not 0 <= index < total:
        raise ConfigError("ind", index, f"from 0 to {total - 1}, the last row of the input matrix")
    codes = codes_of(model)
    if codes is not None:
        row: FloatMatrix = codes.decode(index, index + 1)[0]
        return row
    n_words, held, details = len(model.vocabulary), _dense(model), model.fasttext
    if index < n_words:
        return np.array(held[index])
    if details is not None and details.unused_rows is not None:
        return np.array(details.unused_rows[index - n_words])
    place = int(np.searchsorted(model.bucket_ids, index - n_words))
    if place == len(model.bucket_ids) or model.bucket_ids[place] != index - n_words:
        return np.zeros(held.shape[1], np.float32)
    return np.array(held[_places(model, np.array([place]))[0]])


def subwords(model: Embeddings | Classifier, word: str) -> tuple[list[str], list[int]]:
    """The word itself, if it is known, and its n-grams that have a row; with their rows."""
    known = model.vocabulary.index(word)
    parts, ids = ([], []) if known is None else ([word], [known])
    arguments = file_arguments(model)
    low, high = max(1, arguments.minn), max_char(model)
    if high <= 0 or low > high or arguments.bucket <= 0 or word == EOS:
        return parts, ids
    ngrams = Subwords(low, high, arguments.bucket)
    buckets = ngrams.bucket_ids(word)
    n_words = len(model.vocabulary)
    if codes_of(model) is None:
        return parts + ngrams.ngrams(word), ids + (n_words + buckets.astype(np.int64)).tolist()
    places = np.searchsorted(model.bucket_ids, buckets)
    for text, bucket, place in zip(ngrams.ngrams(word), buckets, places.tolist(), strict=True):
        if place < len(model.bucket_ids) and model.bucket_ids[place] == bucket:
            parts.append(text)
            ids.append(int(_places(model, np.array([place]))[0]))
    return parts, ids


def max_char(model: Embeddings | Classifier) -> int:
    """The longest character n-gram; 0: there are none."""
    if isinstance(model, Classifier):
        return model.max_char
    return model.config.max_char if model.config.subwords else 0


def bucket_of(model: Embeddings | Classifier, subword: str) -> int:
    """The row of a string, taken as an n-gram."""
    buckets = file_arguments(model).bucket
    if buckets < 1:
        raise ConfigError("subword", subword, "left out: the model has no buckets for n-grams")
    hashed = _native.hash_word(subword.encode("utf-8", "surrogateescape"))
    return len(model.vocabulary) + hashed % buckets


def with_matrices(
    model: Embeddings | Classifier, input_rows: Any, output_rows: Any
) -> Embeddings | Classifier:
    """The model with other matrices, of as many rows, and of any number of columns."""
    if codes_of(model) is not None:
        raise ConfigError("model", "a quantized one", "one that is not quantized")
    rows, output = (np.ascontiguousarray(m, np.float32) for m in (input_rows, output_rows))
    wanted = (n_rows(model), model.output.shape[0])
    dim = rows.shape[1] if rows.ndim == 2 else 0
    if not 1 <= dim <= MAX_VECTOR_DIM or rows.shape != (wanted[0], dim) or output.shape != (
        wanted[1], dim,
    ):  # fmt: skip
        raise ConfigError(
            "matrices", f"shapes {rows.shape} and {output.shape}",
            f"of {wanted[0]} and {wanted[1]} rows, with the same number of columns",
        )  # fmt: skip
    arguments = file_arguments(model)._replace(dim=dim)
    details = model.fasttext or FastTextDetails(12, arguments)
    details = dataclasses.replace(details, arguments=arguments)
    n_words = len(model.vocabulary)
    if isinstance(model, Classifier):
        ids = np.arange(model.buckets, dtype=np.uint32)
        return dataclasses.replace(
            model, input=rows[: n_words + len(ids)], output=output, bucket_ids=ids,
            bucket_rows=None,
            fasttext=dataclasses.replace(details, unused_rows=_rest(rows, n_words + len(ids))),
        )  # fmt: skip
    ids = np.arange(model.config.buckets if model.config.subwords else 0, dtype=np.uint32)
    return dataclasses.replace(
        model,
        config=dataclasses.replace(model.config, vector_dim=dim),
        input=rows[: n_words + len(ids)],
        output=output,
        bucket_ids=ids,
        fasttext=dataclasses.replace(details, unused_rows=_rest(rows, n_words + len(ids))),
    )


def _rest(rows: FloatMatrix, start: int) -> FloatMatrix | None:
    """Rows of buckets that no n-gram has."""
    return rows[start:] if len(rows) > start else None


def _dense(model: Embeddings | Classifier) -> FloatMatrix:
    held: Any = model.input
    dense: FloatMatrix = held
    return dense


def _places(model: Embeddings | Classifier, ranks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Where in the input matrix the rows of the buckets with these ranks lie."""
    if isinstance(model, Classifier) and model.bucket_rows is not None:
        ranks = model.bucket_rows[ranks].astype(np.int64)
    return len(model.vocabulary) + ranks
