"""Nearest words by cosine: an exact scan of all rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from brasa import _native
from brasa.arguments import check_count
from brasa.encoding import available_threads
from brasa.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from brasa.parameters import FloatMatrix

FloatVector = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int32]

_MAX_ROWS = np.iinfo(np.int32).max


class Hits(NamedTuple):
    """The rows found for each query, best first.

    Attributes
    ----------
    rows : int32, shape (n_queries, k)
        Those of equal cosine in ascending order; -1 where fewer than k were found.
    cosines : float64, shape (n_queries, k)
        NaN where there is no row.
    """

    rows: Rows
    cosines: npt.NDArray[np.float64]

    def pairs(self, query: int) -> list[tuple[int, float]]:
        """What was found for one query, as (row, cosine)."""
        found = zip(self.rows[query].tolist(), self.cosines[query].tolist(), strict=True)
        return [(row, cosine) for row, cosine in found if row >= 0]


class ExactScan:
    """Cosine of queries with every row of a matrix.

    The matrix is neither copied nor changed: it may be mapped from a file. Kept of it is the length
    of each row. A batch reads it once for every 64 queries. The work is native, parallel,
    without the GIL, and ends at Ctrl-C. Safe to use from several threads.

    Parameters
    ----------
    vectors : float32, shape (n, dim)
        Rows may be padded. Those that are zero or not finite have no direction, and are never
        found; nor are those shorter than 1e-19 or longer than 1e19.
    threads : int, optional
        Default: all processors of this process.
    instruction_set : str
        Kernels to use, see `brasa info`.
    """

    def __init__(
        self, vectors: FloatMatrix, *, threads: int | None = None, instruction_set: str = "auto"
    ) -> None:
        if vectors.ndim != 2 or vectors.dtype != np.float32 or len(vectors) > _MAX_ROWS:
            raise ConfigError(
                "vectors", f"{vectors.dtype}, shape {vectors.shape}",
                f"a float32 matrix of at most {_MAX_ROWS} rows",
            )  # fmt: skip
        self._vectors = vectors if _is_readable(vectors) else np.ascontiguousarray(vectors)
        self._inverse_norms = _native.inverse_norms(self._vectors)
        self._threads = threads or available_threads()
        self._instruction_set = instruction_set

    def search(
        self,
        queries: FloatMatrix,
        k: int,
        *,
        exclude: Sequence[Collection[int]] | None = None,
        candidates: Rows | None = None,
    ) -> Hits:
        """The `k` rows nearest to each query; as many columns as rows can be found.

        Parameters
        ----------
        queries : float32, shape (n_queries, dim)
        k : int
        exclude : sequence of collections of int, optional
            For each query the rows that it must not find.
        candidates : int32, shape (n,), optional
            The only rows that may be found, ascending and none twice. Default: all.

        Raises
        ------
        ConfigError
            When `k` is not a positive whole number, or `queries` have another shape, are zero or
            not finite.
        """
        k = check_count("k", k)
        queries = check_vectors("vectors", queries, self._vectors.shape[1])
        n_candidates = len(self._vectors) if candidates is None else len(candidates)
        k = min(k, n_candidates)
        offsets, rows = _flat(exclude if exclude is not None else [()] * len(queries))
        found, cosines = _native.nearest_rows(
            self._vectors,
            self._inverse_norms,
            queries,
            k,
            candidates,
            offsets,
            rows,
            self._threads,
            self._instruction_set,
        )
        return Hits(found.reshape(len(queries), k), cosines.reshape(len(queries), k))

    def nearest(
        self, query: FloatVector, k: int, exclude: Collection[int] = ()
    ) -> list[tuple[int, float]]:
        """The `k` rows nearest to `query`, best first, as (row, cosine); fewer when there are not.

        Raises
        ------
        ConfigError
            See `search`.
        """
        return self.search(query[None], k, exclude=[exclude]).pairs(0)

    @property
    def has_direction(self) -> npt.NDArray[np.bool_]:
        """Whether each row can be found, shape (n,)."""
        usable: npt.NDArray[np.bool_] = ~np.isnan(self._inverse_norms)
        return usable


def unit(vector: FloatVector) -> FloatVector:
    """The vector scaled to length 1; a zero vector as it is."""
    norm = float(np.linalg.norm(vector.astype(np.float64)))
    return (vector / norm).astype(np.float32) if norm > 0 else vector


def unit_rows(rows: FloatMatrix) -> FloatMatrix:
    """Rows of length 1; a row without direction becomes zeros."""
    with np.errstate(all="ignore"):
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        scaled: FloatMatrix = np.where(np.isfinite(norms) & (norms > 0), rows / norms, 0)
    return scaled


def check_vectors(name: str, values: npt.ArrayLike, dim: int) -> FloatMatrix:
    """Vectors to search for, float32, contiguous, shape (n, dim); each finite and not zero."""
    try:
        vectors = np.ascontiguousarray(values, np.float32)
    except (TypeError, ValueError):
        raise ConfigError(name, values, "numbers") from None
    if vectors.ndim != 2 or vectors.shape[1] != dim:
        raise ConfigError(name, f"shape {np.shape(values)}", f"of shape (n, {dim})")
    finite = np.isfinite(vectors).all(axis=1) & vectors.any(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        raise ConfigError(f"{name}[{row}]", vectors[row], "finite, and not all zeros")
    return vectors


def _is_readable(vectors: FloatMatrix) -> bool:
    """Whether native code can read the rows where they lie."""
    row_stride, stride = vectors.strides
    size = vectors.itemsize
    return vectors.flags.aligned and stride == size and row_stride >= 0 and row_stride % size == 0


def _flat(groups: Sequence[Collection[int]]) -> tuple[npt.NDArray[np.int64], Rows]:
    """Where each group begins, with the end of the last, and all of them, each ascending."""
    offsets = np.zeros(len(groups) + 1, np.int64)
    np.cumsum([len(group) for group in groups], out=offsets[1:])
    return offsets, np.array([row for group in groups for row in sorted(group)], np.int32)
