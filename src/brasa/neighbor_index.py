"""Approximate neighbors by an index in memory, for more words than a scan can serve."""

from __future__ import annotations

import hashlib
import importlib
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from brasa import word_queries
from brasa.arguments import check_count
from brasa.encoding import available_threads
from brasa.errors import ConfigError, MissingExtraError, ModelFormatError
from brasa.formats import index_file
from brasa.neighbors import ExactScan

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from brasa.parameters import Embeddings, FloatMatrix
    from brasa.word_queries import Found, Queries

Precision = Literal["f32", "f16", "bf16"]
_PRECISIONS = ("f32", "f16", "bf16")
# Rows that are added at once; Ctrl-C is heard between.
_CHUNK = 4096


class NeighborIndex:
    """A graph (HNSW, of usearch) that leads to the nearest words without looking at all of them.

    Made by `WordVectors.build_index` or `WordVectors.load_index`. What it finds has exact cosines
    and is in the order of the exact scan, but some of the nearest words may be missing: `recall`
    measures how many.
    """

    def __init__(
        self, embeddings: Embeddings, vectors: FloatMatrix, scan: ExactScan, graph: Any, dtype: str
    ) -> None:
        self._embeddings = embeddings
        self._vectors = vectors
        self._scan = scan
        self._graph = graph
        self._dtype = dtype
        self._threads = available_threads()

    @classmethod
    def build(
        cls,
        embeddings: Embeddings,
        vectors: FloatMatrix,
        scan: ExactScan,
        *,
        connectivity: int = 16,
        expansion_add: int = 128,
        expansion_search: int = 64,
        dtype: Precision = "f16",
    ) -> NeighborIndex:
        """See `WordVectors.build_index`."""
        graph = _new_graph(vectors.shape[1], connectivity, expansion_add, expansion_search, dtype)
        rows = np.flatnonzero(scan.has_direction)
        for first in range(0, len(rows), _CHUNK):
            some = rows[first : first + _CHUNK]
            units = vectors[some].astype(np.float64)  # numbers of any size would overflow f16
            units /= np.linalg.norm(units, axis=1, keepdims=True)
            graph.add(some, units.astype(np.float32), threads=available_threads())
        return cls(embeddings, vectors, scan, graph, dtype)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        embeddings: Embeddings,
        vectors: FloatMatrix,
        scan: ExactScan,
    ) -> NeighborIndex:
        """See `WordVectors.load_index`."""
        description, content = index_file.read(path)
        if description["fingerprint"] != fingerprint(embeddings, vectors):
            raise ModelFormatError(path, "an index of other vectors: build one of these")
        names = ("connectivity", "expansion_add", "expansion_search", "dtype")
        try:
            graph = _new_graph(vectors.shape[1], *(description[name] for name in names))
            graph.load(content)
        except (ConfigError, RuntimeError) as error:
            by = description["usearch"]
            raise ModelFormatError(
                path, f"an index that cannot be used, by {by}: {error}"
            ) from error
        if len(graph) != description["n_rows"] or graph.ndim != vectors.shape[1]:
            raise ModelFormatError(path, "a broken index: its graph is not of these vectors")
        graph.expansion_search = description["expansion_search"]
        return cls(embeddings, vectors, scan, graph, description["dtype"])

    def __len__(self) -> int:
        """Number of words in the index: those whose vectors have a direction."""
        return len(self._graph)

    def __repr__(self) -> str:
        return f"<NeighborIndex: {len(self)} words, {self._dtype}>"

    def neighbors(
        self, word_or_vector: str | npt.ArrayLike, k: int = 10, *, exclude: Iterable[str] = ()
    ) -> Found:
        """As `WordVectors.neighbors`, approximately and without its `among`."""
        return self._find(word_queries.of_one(self._embeddings, word_or_vector), k, exclude)[0]

    def neighbors_batch(
        self, words_or_vectors: Sequence[str] | npt.ArrayLike, k: int = 10, *,
        exclude: Iterable[str] = (),
    ) -> list[Found]:  # fmt: skip
        """As `WordVectors.neighbors_batch`, approximately and without its `among`."""
        return self._find(word_queries.of_each(self._embeddings, words_or_vectors), k, exclude)

    def recall(self, k: int = 10, n_queries: int = 1000, *, seed: int = 0) -> float:
        """Share of the `k` nearest words of the exact scan that the index finds.

        Parameters
        ----------
        k : int
        n_queries : int
            So many words are asked for, or all when there are fewer.
        seed : int
            Chooses the words.

        Raises
        ------
        ConfigError
            When `k` or `n_queries` is below 1, or no word has a direction.
        """
        rows = np.flatnonzero(self._scan.has_direction)
        count = min(check_count("n_queries", n_queries), len(rows))
        if not count:
            raise ConfigError("n_queries", n_queries, "left alone: there is no word to ask for")
        asked = np.random.default_rng(seed).choice(rows, count, replace=False)
        queries = self._vectors[asked]
        exclude = [[row] for row in asked.tolist()]
        exact = self._scan.search(queries, k, exclude=exclude).rows
        found = self._search(queries, k, exclude)
        hits = [
            len({row for row, _ in some} & set(best.tolist()) - {-1})
            for some, best in zip(found, exact, strict=True)
        ]
        total = int((exact >= 0).sum())
        return sum(hits) / total if total else 1.0

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the index to a file, all or nothing. The vectors are not in it.

        Raises
        ------
        StorageError
            When it cannot be written; what was at `path` is then untouched.
        """
        graph = self._graph
        description = {
            "fingerprint": fingerprint(self._embeddings, self._vectors),
            "dtype": self._dtype,
            "n_rows": len(graph),
            "usearch": f"usearch {importlib.import_module('usearch').__version__}",
            "connectivity": graph.connectivity,
            "expansion_add": graph.expansion_add,
            "expansion_search": graph.expansion_search,
        }
        index_file.write(path, description, bytes(graph.save()))

    def _find(self, queries: Queries, k: int, exclude: Iterable[str]) -> list[Found]:
        without = word_queries.rows_of(self._embeddings, exclude)
        found = self._search(queries.vectors, k, [own + without for own in queries.exclude])
        word = self._embeddings.vocabulary.word
        return [[(word(row), cosine) for row, cosine in some] for some in found]

    def _search(
        self, queries: FloatMatrix, k: int, exclude: list[list[int]]
    ) -> list[list[tuple[int, float]]]:
        k = check_count("k", k)
        if not len(self) or not len(queries):
            return [[] for _ in queries]
        count = min(k + max(len(set(rows)) for rows in exclude), len(self))
        units = queries / np.linalg.norm(queries.astype(np.float64), axis=1, keepdims=True)
        matches = self._graph.search(units.astype(np.float32), count, threads=self._threads)
        # usearch answers a batch of one as it does a single query
        single = len(queries) == 1
        counts = [len(matches.keys)] if single else matches.counts.tolist()
        keys = matches.keys.reshape(len(queries), -1)
        found = []
        for query, rows in enumerate(exclude):
            candidates = _rows_of(keys[query, : counts[query]], self._vectors)
            one = queries[query : query + 1]
            hits = self._scan.search(one, k, exclude=[rows], candidates=candidates)
            found.append(hits.pairs(0))
        return found


def fingerprint(embeddings: Embeddings, vectors: FloatMatrix) -> str:
    """SHA-256 of the words and of their vectors, to tell whether an index is of them."""
    digest = hashlib.sha256()
    digest.update(np.array(vectors.shape, "<i8").tobytes())
    digest.update(embeddings.vocabulary.offsets.data)
    digest.update(embeddings.vocabulary.arena.data)
    for first in range(0, len(vectors), _CHUNK):
        digest.update(np.ascontiguousarray(vectors[first : first + _CHUNK]).reshape(-1).data)
    return digest.hexdigest()


def _rows_of(keys: Any, vectors: FloatMatrix) -> npt.NDArray[np.int32]:
    """Keys as ascending rows; what a broken graph makes up is left out."""
    return np.unique(keys[keys < len(vectors)]).astype(np.int32)


def _new_graph(
    dim: int, connectivity: object, expansion_add: object, expansion_search: object, dtype: object
) -> Any:
    if dtype not in _PRECISIONS:
        raise ConfigError("dtype", dtype, f"one of {', '.join(_PRECISIONS)}")
    options = {
        "connectivity": _option("connectivity", connectivity, 2, 512),
        "expansion_add": _option("expansion_add", expansion_add, 1, 1 << 16),
        "expansion_search": _option("expansion_search", expansion_search, 1, 1 << 16),
    }
    try:
        usearch = importlib.import_module("usearch.index")
    except ImportError:
        raise MissingExtraError("usearch", "ann", "an index of neighbors") from None
    return usearch.Index(ndim=dim, metric="cos", dtype=dtype, **options)


def _option(name: str, value: object, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise ConfigError(name, value, f"a whole number from {least} to {most}")
    return value
