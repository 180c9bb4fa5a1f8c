"""Word vectors with fewer numbers, or fewer words."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from brasa.arguments import check_strings, is_whole
from brasa.errors import ConfigError, ModelFormatError, UnknownWordError
from brasa.parameters import Embeddings, FloatMatrix, largest_of

if TYPE_CHECKING:
    from collections.abc import Iterable

_PCA_ROWS = 100_000  # fastText's `reduce_model` looks at as many
_LARGEST = 1e15  # sums of squares of larger numbers are no float32


def reduce_dim(embeddings: Embeddings, dim: int) -> Embeddings:
    """Project the vectors on their `dim` directions of greatest variance.

    As `fasttext.util.reduce_model`: the directions are the leading eigenvectors of the covariance
    of the first 100,000 input rows, and all rows are projected, those of n-grams and of the output
    matrix too. Rows are not centered. Directions are in the order of their variance; the largest
    number of each is positive, so that every machine finds the same.

    Raises
    ------
    ConfigError
        When `dim` is not below the length of the vectors, or below 1.
    ModelFormatError
        When a number is not finite.
    """
    now = embeddings.config.vector_dim
    if type(dim) is not int or not 1 <= dim < now:
        raise ConfigError("dim", dim, f"a whole number from 1 to {now - 1}, below vector_dim {now}")
    check_rows(embeddings)
    return map_rows(embeddings, principal_directions(embeddings.input, dim))


def map_rows(embeddings: Embeddings, matrix: FloatMatrix) -> Embeddings:
    """Multiply every row by a matrix of shape (vector_dim, new_dim): vectors follow."""
    dim = matrix.shape[1]
    details = embeddings.fasttext
    if details is not None:
        unused = None if details.unused_rows is None else details.unused_rows @ matrix
        arguments = details.arguments._replace(dim=dim)
        details = dataclasses.replace(details, arguments=arguments, unused_rows=unused)
    return dataclasses.replace(
        embeddings,
        config=dataclasses.replace(embeddings.config, vector_dim=dim),
        input=embeddings.input @ matrix,
        output=embeddings.output @ matrix,
        fasttext=details,
    )


def prune(embeddings: Embeddings, words: int | Iterable[str]) -> Embeddings:
    """Keep some of the words: the most frequent ones, or those that are named.

    Words keep their order. All n-gram rows stay, so that a word that is dropped has the vector of
    an unseen word. Output rows of a Huffman tree are dropped, since their tree is another one.

    Parameters
    ----------
    embeddings : Embeddings
    words : int, or iterable of str
        How many, or which ones; more than there are keeps all.

    Raises
    ------
    ConfigError
        When no word would be left, or for a model of floret's, whose words have no rows.
    UnknownWordError
        When a word is not in the vocabulary.
    """
    if embeddings.floret is not None:
        raise ConfigError("model", "one of floret's", "one whose words have rows of their own")
    vocabulary = embeddings.vocabulary
    kept = _chosen(embeddings, words)
    if len(kept) == len(vocabulary):
        return embeddings
    has_output = len(embeddings.output) > 0 and embeddings.config.loss == "ns"
    rows = np.concatenate([kept, np.arange(len(vocabulary), len(embeddings.input))])
    return dataclasses.replace(
        embeddings,
        vocabulary=vocabulary.take(kept),
        input=embeddings.input[rows],
        output=embeddings.output[kept if has_output else kept[:0]],
    )


def check_rows(embeddings: Embeddings) -> None:
    """Refuse a model with numbers that are not finite."""
    for name, rows in (("input", embeddings.input), ("output", embeddings.output)):
        if not largest_of(rows) < _LARGEST:  # nor of NaN
            problem = f"its {name} rows have numbers that are not finite, or above {_LARGEST:.0e}"
            raise ModelFormatError("model", problem)


def principal_directions(rows: FloatMatrix, dim: int) -> FloatMatrix:
    """The leading eigenvectors of the first 100,000 rows' covariance, as columns, float32."""
    rows = rows[:_PCA_ROWS]
    centered = rows - rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    covariance = (centered.T @ centered).astype(np.float64)  # but for a factor
    _, vectors = np.linalg.eigh(covariance)  # ascending
    leading = vectors[:, ::-1][:, :dim]
    largest = leading[np.abs(leading).argmax(axis=0), np.arange(dim)]
    directions: FloatMatrix = (leading * np.sign(largest)).astype(np.float32)
    return directions


def _chosen(embeddings: Embeddings, words: int | Iterable[str]) -> npt.NDArray[np.int64]:
    """Indices of the words to keep, ascending."""
    vocabulary = embeddings.vocabulary
    if is_whole(words):
        if words < 1:
            raise ConfigError("words", words, "at least 1")
        by_count = np.argsort(-np.asarray(vocabulary.counts), kind="stable")
        return np.sort(by_count[:words])
    named = check_strings("words", words, "a number, or the words themselves")
    found = vocabulary.indices(named)
    if (found < 0).any():
        unknown = [word for word, index in zip(named, found, strict=True) if index < 0]
        more = f", as are {len(unknown) - 1} more of the words to keep" if unknown[1:] else ""
        raise UnknownWordError(unknown[0], f"not in the vocabulary{more}")
    if not named:
        raise ConfigError("words", named, "at least one word")
    return np.unique(found).astype(np.int64)
