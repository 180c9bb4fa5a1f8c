"""Words, or labels, with their counts, in brasa's own format."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from brasa.errors import BrasaError, ModelFormatError
from brasa.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from brasa.formats.safetensors import Array


def tensors(vocabulary: Vocabulary, kind: str) -> dict[str, Array]:
    """Three tensors, whose names begin with `kind`."""
    return {
        f"{kind}_offsets": np.asarray(vocabulary.offsets, np.int64),
        f"{kind}_counts": np.asarray(vocabulary.counts, np.int64),
        f"{kind}_bytes": np.asarray(vocabulary.arena, np.uint8),
    }


def build(file: Path, tensors: Mapping[str, Array], kind: str, n_tokens: int) -> Vocabulary:
    """The vocabulary that these are.

    Raises
    ------
    ModelFormatError
        When they do not fit together.
    """
    arena, offsets, counts = (tensors[f"{kind}_{name}"] for name in ("bytes", "offsets", "counts"))
    try:
        return Vocabulary.from_arrays(arena, offsets, counts, n_tokens)
    except BrasaError as error:
        raise ModelFormatError(file, f"its vocabulary is broken: {error}") from error
