"""Vectors of words, known and unseen, out of a model's rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from brasa import _native
from brasa.errors import UnknownWordError
from brasa.vocabulary import pack

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from brasa.parameters import Embeddings, FloatMatrix


def encode_words(words: Iterable[str]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The words' bytes in one array, and where each begins; bytes that were not UTF-8 come back.

    Raises
    ------
    UnknownWordError
        When a word has a surrogate that stands for no byte, so that it is no text.
    """
    return pack([encode_word(word) for word in words])


def encode_word(word: str) -> bytes:
    """The bytes of one word; raises as `encode_words`."""
    try:
        return word.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise UnknownWordError(word, "not text: it has a lone surrogate") from None


def compose(embeddings: Embeddings, words: Sequence[str]) -> FloatMatrix:
    """Vectors of any words, float32, shape (len(words), vector_dim).

    A word's vector is the mean of its own row, if it is in the vocabulary, and the rows of its
    n-grams, untouched ones counting as zeros. What has no row at all has the zero vector.
    """
    arena, offsets = encode_words(words)
    return _compose(embeddings, arena, offsets, embeddings.vocabulary.indices(words))


def composer(embeddings: Embeddings) -> _native.WordComposer | None:
    """What gives one vector after the other without arrays of words; None for tables and codes."""
    if embeddings.floret is not None or embeddings.quantized is not None:
        return None
    return _native.WordComposer(embeddings.input, *_meaning(embeddings))


def compose_words(embeddings: Embeddings, first: int, last: int) -> FloatMatrix:
    """Vectors of the vocabulary's words `first` to `last` (not included)."""
    if not embeddings.config.subwords:
        codes = embeddings.quantized
        return embeddings.input[first:last] if codes is None else codes.decode(first, last)
    vocabulary = embeddings.vocabulary
    return _compose(
        embeddings,
        vocabulary.arena,
        vocabulary.offsets[first : last + 1],
        np.arange(first, last, dtype=np.int32),
    )


def _compose(
    embeddings: Embeddings,
    arena: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    indices: npt.NDArray[np.int32],
) -> FloatMatrix:
    out = np.empty((len(indices), embeddings.config.vector_dim), np.float32)
    if embeddings.floret is not None:
        embeddings.floret.native.compose(
            arena, offsets, indices, embeddings.input, len(embeddings.vocabulary), out
        )
        return out
    codes = embeddings.quantized
    rows = embeddings.input if codes is None else codes.native
    _native.compose_vectors(arena, offsets, indices, rows, *_meaning(embeddings), out)
    return out


def _meaning(
    embeddings: Embeddings,
) -> tuple[int, npt.NDArray[np.uint32], int, int, int]:
    """What says which row is whose: words, buckets with a row, and which n-grams have a bucket."""
    config = embeddings.config
    buckets = config.buckets if config.subwords else 0
    words = len(embeddings.vocabulary)
    return words, embeddings.bucket_ids, config.min_char, config.max_char, buckets
