"""Sizes of the kernels' pieces, which the results depend on a little: see `reference`."""

from __future__ import annotations

from brasa.config import WordVectorsConfig

# Of skip-gram: five, the usual number, fill a power of two.
_SKIPGRAM_NEGATIVES = 8
# Of cbow, in one matrix product; half of it for long vectors, to fit into shared memory.
_CBOW_NEGATIVES = 32
_LONG = 256
# The matrices of a tile lie in a multiprocessor's shared memory, of which there is 99 kB or more:
# with 512 columns they take 98,304 bytes (tests/gpu/compile_kernels.py).
MAX_CBOW_DIM = 512


def used_columns(dim: int) -> int:
    """Columns of a row that are read and moved: a multiple of four, the rest of them zero."""
    return -(-dim // 4) * 4


def columns_for(dim: int) -> int:
    """A row's columns in a kernel, where shapes are powers of two."""
    return 1 << (used_columns(dim) - 1).bit_length()


def warps_for(columns: int) -> int:
    """Warps of a program: each thread has four numbers of a row of up to 1024."""
    return max(1, min(8, columns // 128))


def negatives_at_once(config: WordVectorsConfig) -> int:
    """Negatives that a step reads before it moves one of them; more take several turns."""
    if config.mode != "cbow":
        asked = 1 << (config.negative_samples - 1).bit_length()
        return min(_SKIPGRAM_NEGATIVES, asked)
    is_long = columns_for(config.vector_dim) > _LONG
    return _CBOW_NEGATIVES // 2 if is_long else _CBOW_NEGATIVES
