"""The matrices of a word-vector model, and what their rows mean."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from brasa import _native
from brasa.config import WordVectorsConfig
from brasa.vocabulary import Vocabulary

FloatMatrix = npt.NDArray[np.float32]


# Rows are padded to a multiple of this many floats and start on a cache line, as kernels need.
ROW_ALIGN = 16
# Parameters and blocks of text have random streams of their own.
_INPUT_STREAM = 0x1B873593


def padded_matrix(n_rows: int, dim: int) -> FloatMatrix:
    """A zero matrix with padded, cache-line aligned rows, shape (n_rows, dim)."""
    stride = -(-dim // ROW_ALIGN) * ROW_ALIGN
    floats = np.zeros(n_rows * stride + ROW_ALIGN, np.float32)
    skip = -floats.ctypes.data // floats.itemsize % ROW_ALIGN
    return floats[skip : skip + n_rows * stride].reshape(n_rows, stride)[:, :dim]


@dataclass(frozen=True, eq=False)
class Parameters:
    """The matrices that training moves.

    Attributes
    ----------
    input : float32, shape (n_words + n_touched, vector_dim)
        Rows of words and of touched n-gram buckets.
    output : float32, shape (n_words, vector_dim)
        Rows of words as contexts, or of the Huffman tree's inner nodes.
    """

    input: FloatMatrix
    output: FloatMatrix

    @classmethod
    def initial(
        cls, n_input_rows: int, n_words: int, config: WordVectorsConfig, threads: int
    ) -> Parameters:
        """Input rows uniform in [-1 / vector_dim, 1 / vector_dim], output rows zero.

        These are fastText's intervals; all input rows are drawn, which fastText does only with ten
        threads or more. The result depends on the seed, not on `threads`.
        """
        dim = config.vector_dim
        parameters = cls(padded_matrix(n_input_rows, dim), padded_matrix(n_words, dim))
        _native.fill_uniform(parameters.input, 1.0 / dim, config.seed ^ _INPUT_STREAM, threads)
        return parameters


@dataclass(frozen=True, eq=False)
class Embeddings:
    """A trained model as data: what the formats read and write.

    Attributes
    ----------
    vocabulary : Vocabulary
        Words by descending count; a word's index is its row.
    config : WordVectorsConfig
        Hyperparameters it was trained with.
    input : float32, shape (n_words + n_touched, vector_dim)
        Input rows: one per word, then one per touched n-gram bucket in the order of `bucket_ids`.
        Rows may be padded: the array is then a view with a longer row stride.
    output : float32, shape (n_outputs, vector_dim)
        Output rows: one per word (`loss="ns"`), or one per inner node of the Huffman tree
        (`loss="hs"`; `n_words` rows as in fastText, of which the last is unused).
    bucket_ids : uint32, shape (n_touched,)
        Bucket numbers, ascending, of the n-gram rows held; any other bucket's row is zero.
        Empty without subwords.
    metadata : dict
        JSON values: brasa's version, loss history, words per second, what was read.
    """

    vocabulary: Vocabulary
    config: WordVectorsConfig
    input: FloatMatrix
    output: FloatMatrix
    bucket_ids: npt.NDArray[np.uint32]
    metadata: dict[str, Any] = field(default_factory=dict)
