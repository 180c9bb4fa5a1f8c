"""Word similarity: rank correlation of cosines with what people said.

The algorithm is that of eval-word-vectors (Faruqui and Dyer 2014), which BlazingText's `eval.json`
agrees with: words in lower case; vectors scaled to length 1, then 1e-6 added to each element; of a
pair that a table has twice, the last score counts.
"""

from __future__ import annotations

import csv
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from brasa import lookup
from brasa.errors import ConfigError, DivergenceError
from brasa.evaluation.lines import broken, fold, read_lines

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from brasa.parameters import Embeddings

Oov = Literal["skip", "subwords"]

_EPSILON = 1e-6


class Pair(NamedTuple):
    """Two words and how similar people found them."""

    first: str
    second: str
    score: float


@dataclass(frozen=True)
class SimilarityResult:
    """Score of a model on a similarity table.

    Attributes
    ----------
    name : str
        File name of the table.
    spearmans_rho : float
        Spearman's rank correlation, -1 to 1; 0 when no pair was found.
    total_pairs, not_found : int
        Pairs in the table, and those left out because a word has no vector.
    unseen_pairs : int
        Pairs scored with a word that is not in the vocabulary, by its n-grams.
    """

    name: str
    spearmans_rho: float
    total_pairs: int
    not_found: int
    unseen_pairs: int

    @property
    def found(self) -> int:
        """Number of pairs scored."""
        return self.total_pairs - self.not_found

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"kind": "similarity", **asdict(self), "found": self.found}


def score(
    embeddings: Embeddings,
    path: str | os.PathLike[str],
    *,
    oov: Oov = "skip",
    lowercase: bool = True,
) -> SimilarityResult:
    """Score a model on a table of word pairs.

    Parameters
    ----------
    embeddings : Embeddings
    path : path
        See `read_pairs`.
    oov : {"skip", "subwords"}
        Leave out pairs with a word that is not in the vocabulary, as BlazingText does, or use the
        vector of its n-grams, where it is not zero.
    lowercase : bool
        Bring the table's words to lower case first.
    """
    if oov not in ("skip", "subwords"):
        raise ConfigError("oov", oov, "skip or subwords")
    if oov == "subwords" and not embeddings.config.subwords:
        raise ConfigError("oov", oov, "skip, as the model has no subwords")
    pairs = [
        Pair(fold(first, lowercase), fold(second, lowercase), value)
        for first, second, value in read_pairs(path)
    ]
    words = sorted({word for pair in pairs for word in pair[:2]})
    known = embeddings.vocabulary.indices(words) >= 0
    vectors = lookup.compose(embeddings, words).astype(np.float64)
    if not np.isfinite(vectors).all():
        raise DivergenceError("the model has vectors that are not finite: train it again")
    usable = known if oov == "skip" else known | vectors.any(axis=1)
    vectors /= np.sqrt((vectors**2).sum(axis=1, keepdims=True) + _EPSILON)
    place = {word: i for i, word in enumerate(words)}
    human: dict[tuple[int, int], float] = {}
    not_found = unseen = 0
    for first, second, value in pairs:
        i, j = place[first], place[second]
        if usable[i] and usable[j]:
            human[i, j] = value
            unseen += not (known[i] and known[j])
        else:
            not_found += 1
    model = [_cosine(vectors[i], vectors[j]) for i, j in human]
    rho = spearman(list(human.values()), model)
    return SimilarityResult(Path(path).name, rho, len(pairs), not_found, unseen)


def read_pairs(path: str | os.PathLike[str]) -> list[Pair]:
    """Read a table of word pairs.

    A line has two words and a score, between tabs, commas or spaces (told by the first line); with
    tabs or commas a word may have spaces. One heading line, a fourth column, or a part of speech
    before the score (SimLex-999) do no harm. A decimal comma is read too, except between commas.

    Raises
    ------
    ModelFormatError
        For anything else, with the line.
    """
    lines = read_lines(path)
    separator = "\t" if "\t" in lines[0][1] else "," if "," in lines[0][1] else None
    rows = [(number, split_row(line, separator)) for number, line in lines]
    column = score_column(rows[0][1])
    if column is None:  # a heading
        rows = rows[1:]
        column = score_column(rows[0][1]) if rows else None
    if column is None:
        number = rows[0][0] if rows else lines[0][0]
        raise broken(path, number, "not two words and a score, between tabs, commas or spaces")
    pairs = []
    for number, fields in rows:
        value = number_of(fields[column]) if len(fields) > column else None
        if value is None or not fields[0] or not fields[1]:
            raise broken(path, number, f"not two words and a score: {' | '.join(fields)[:200]}")
        pairs.append(Pair(fields[0], fields[1], value))
    return pairs


def split_row(line: str, separator: str | None) -> list[str]:
    """Fields of a line; None separates by ASCII white space; none of a line that is no CSV."""
    if separator == ",":
        try:
            fields = next(csv.reader([line], skipinitialspace=True, strict=True))
        except csv.Error:
            return []
        return [field.strip() for field in fields]
    if separator is None:
        return [field for field in line.replace("\t", " ").split(" ") if field]
    return [field.strip() for field in line.split(separator)]


def score_column(fields: Sequence[str]) -> int | None:
    """Where the score is: the third column, or the fourth after a part of speech."""
    return next((i for i in (2, 3) if i < len(fields) and number_of(fields[i]) is not None), None)


def number_of(text: str) -> float | None:
    """A finite number, with decimal point or comma; None for anything else."""
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def spearman(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Spearman's rank correlation with average ranks for ties; 0 where it is not defined."""
    first, second = _ranks(np.asarray(x, np.float64)), _ranks(np.asarray(y, np.float64))
    if len(first) == 0:
        return 0.0
    first, second = first - first.mean(), second - second.mean()
    spread = math.sqrt(float(first @ first) * float(second @ second))
    return float(first @ second) / spread if spread > 0 else 0.0


def _ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: npt.NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return ranks


def _cosine(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> float:
    first, second = first + _EPSILON, second + _EPSILON
    return float(first @ second / (np.linalg.norm(first) * np.linalg.norm(second)))
