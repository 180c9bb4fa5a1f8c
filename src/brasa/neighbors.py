"""Nearest words by cosine: an exact scan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from brasa.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection

    from brasa.parameters import FloatMatrix

FloatVector = npt.NDArray[np.float32]


class ExactScan:
    """Cosine of a query with every row of a matrix.

    Rows are scaled after the product, by norms kept from the first query, so that the matrix is
    neither copied nor changed: it may be mapped from a file.

    Parameters
    ----------
    vectors : float32, shape (n, dim)
        Rows that are zero or not finite have no direction, and are never found.
    """

    def __init__(self, vectors: FloatMatrix) -> None:
        self._vectors = vectors
        with np.errstate(all="ignore"):
            norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
            usable = np.isfinite(norms) & (norms > 0)
            self._scale = np.where(usable, 1 / norms, np.nan).astype(np.float32)

    def cosines(self, query: FloatVector) -> FloatVector:
        """Cosine of each row with `query`; NaN for a row without direction."""
        with np.errstate(all="ignore"):
            scores: FloatVector = self._vectors @ unit(query) * self._scale
        return scores

    def nearest(
        self, query: FloatVector, k: int, exclude: Collection[int] = ()
    ) -> list[tuple[int, float]]:
        """The `k` rows nearest to `query`, best first, as (row, cosine); fewer when there are not.

        Raises
        ------
        ConfigError
            When `k` is not a positive whole number.
        """
        if not _is_count(k):
            raise ConfigError("k", k, "a whole number, at least 1")
        scores = self.cosines(query)
        scores[list(exclude)] = np.nan
        scores[np.isnan(scores)] = -np.inf
        count = min(int(k), len(scores))
        best = np.argpartition(-scores, count - 1)[:count]
        best = best[np.lexsort((best, -scores[best]))]
        return [(int(i), float(scores[i])) for i in best if scores[i] > -np.inf]


def _is_count(value: object) -> bool:
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return whole and value >= 1  # type: ignore[operator]


def unit(vector: FloatVector) -> FloatVector:
    """The vector scaled to length 1; a zero vector as it is."""
    norm = float(np.linalg.norm(vector.astype(np.float64)))
    return (vector / norm).astype(np.float32) if norm > 0 else vector
