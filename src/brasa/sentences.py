"""Vectors of sentences out of vectors of words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from brasa.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from brasa.parameters import FloatMatrix

# What separates words in fastText and in training; other Unicode spaces are part of words.
WORD = re.compile("[^ \\t\\n\\v\\f\\r\\0]+")


def sentence_means(
    sentences: Sequence[str], vectors: Callable[[list[str]], FloatMatrix], dim: int
) -> FloatMatrix:
    """Means of word vectors scaled to length 1, float32, shape (len(sentences), dim).

    Words whose vector is zero do not count; a sentence without others has zeros.
    """
    numbers: dict[str, int] = {}
    rows: list[list[int]] = []
    for sentence in sentences:
        if not isinstance(sentence, str):
            raise ConfigError("sentence", sentence, "a string")
        rows.append([numbers.setdefault(word, len(numbers)) for word in WORD.findall(sentence)])
    directions = vectors(list(numbers)).astype(np.float64)
    norms = np.linalg.norm(directions, axis=1)
    usable = np.isfinite(norms) & (norms > 0)
    directions[usable] /= norms[usable, None]
    means = np.zeros((len(rows), dim), np.float32)
    for mean, words in zip(means, rows, strict=True):
        count = int(usable[words].sum())
        if count:
            mean[:] = directions[words].sum(axis=0) / count
    return means
