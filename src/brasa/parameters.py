"""The matrices of a word-vector model, and what their rows mean."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from brasa.config import WordVectorsConfig
from brasa.vocabulary import Vocabulary

FloatMatrix = npt.NDArray[np.float32]


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
