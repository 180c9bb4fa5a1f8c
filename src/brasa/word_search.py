"""Search among the words of a model: neighbors, analogies, an index of them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from brasa import lookup, word_queries
from brasa.neighbor_index import NeighborIndex
from brasa.neighbors import ExactScan

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from brasa.neighbor_index import Precision
    from brasa.parameters import Embeddings, FloatMatrix
    from brasa.word_queries import Among, Found, Queries


class WordSearch:
    """What `WordVectors` can find."""

    def __init__(self, embeddings: Embeddings) -> None:
        self._embeddings = embeddings

    def neighbors(
        self,
        word_or_vector: str | npt.ArrayLike,
        k: int = 10,
        *,
        among: Among | None = None,
        exclude: Iterable[str] = (),
    ) -> Found:
        """The `k` words whose vectors have the greatest cosine, best first; not the word itself.

        All are looked at, by all processors and without the GIL. Words of equal cosine come in the
        order of the vocabulary; words whose vector is zero or not finite are never found.

        Parameters
        ----------
        word_or_vector : str or array-like, shape (vector_dim,)
        k : int
        among : int, list of str, bool array of shape (len(self),) or callable, optional
            The words that may be found: the first so many of the vocabulary, which are the most
            frequent; these; those that the mask marks; those for which the function of a word is
            true. It is called for every word, so a mask is the faster way to ask again.
        exclude : iterable of str
            Words not to be found.

        Raises
        ------
        UnknownWordError
            When the word has no vector, or one of `among` is not in the vocabulary.
        ConfigError
            When `k` is below 1, or the vector has another shape, is zero or not finite.
        """
        return self._find(word_queries.of_one(self._embeddings, word_or_vector), k, among, exclude)[
            0
        ]

    def neighbors_batch(
        self,
        words_or_vectors: Sequence[str] | npt.ArrayLike,
        k: int = 10,
        *,
        among: Among | None = None,
        exclude: Iterable[str] = (),
    ) -> list[Found]:
        """`neighbors` of many words, or of the rows of a matrix, in their order.

        The vectors are read from memory once for every 64 queries: far faster than one by one.
        """
        return self._find(
            word_queries.of_each(self._embeddings, words_or_vectors), k, among, exclude
        )

    def most_similar(
        self,
        positive: str | Iterable[Any],
        negative: str | Iterable[Any] = (),
        k: int = 10,
        *,
        among: Among | None = None,
        exclude: Iterable[str] = (),
    ) -> Found:
        """The words nearest to the sum of words and vectors, less the negative ones.

        As gensim's: each is scaled to length 1, and no word that was given is found.

        Parameters
        ----------
        positive, negative : str, or iterable of str and vectors
        k, among, exclude
            See `neighbors`, which raises what this raises.
        """
        query = word_queries.combined(self._embeddings, positive, negative)
        return self._find(query, k, among, exclude)[0]

    def analogy(
        self,
        a: str,
        b: str,
        c: str,
        k: int = 10,
        *,
        among: Among | None = None,
        exclude: Iterable[str] = (),
    ) -> Found:
        """`a` is to `b` as `c` is to what? ``analogy("paris", "france", "rome")`` is Italy.

        The words nearest to b - a + c, each scaled to length 1 (3CosAdd); not one of the three.
        For `k`, `among` and `exclude` see `neighbors`.

        Raises
        ------
        UnknownWordError
            When one of the words has no vector.
        """
        return self.analogies([(a, b, c)], k, among=among, exclude=exclude)[0]

    def analogies(
        self,
        questions: Sequence[tuple[str, str, str]],
        k: int = 10,
        *,
        among: Among | None = None,
        exclude: Iterable[str] = (),
    ) -> list[Found]:
        """`analogy` of many questions (a, b, c), as `neighbors_batch` does it."""
        return self._find(word_queries.analogies(self._embeddings, questions), k, among, exclude)

    def build_index(
        self,
        *,
        connectivity: int = 16,
        expansion_add: int = 128,
        expansion_search: int = 64,
        dtype: Precision = "f16",
    ) -> NeighborIndex:
        """Build an index of neighbors, which finds most of them without looking at every word.

        Worth it where `neighbors` is too slow: see `docs/vectors.md`. Takes minutes for a million
        words, and the graph differs from run to run with more than one thread.

        Parameters
        ----------
        connectivity : int
            Links of a word in the graph, from 2 to 512.
        expansion_add, expansion_search : int
            Words looked at to find a word's links, and to answer a query: more find more.
        dtype : str
            How the index keeps vectors: ``"f32"``, ``"f16"`` or ``"bf16"``.

        Raises
        ------
        MissingExtraError
            When usearch is not installed.
        ConfigError
            For an impossible option.
        """
        return NeighborIndex.build(
            self._embeddings, self._word_rows, self._scan, connectivity=connectivity,
            expansion_add=expansion_add, expansion_search=expansion_search, dtype=dtype,
        )  # fmt: skip

    def load_index(self, path: str | os.PathLike[str]) -> NeighborIndex:
        """Open an index that `NeighborIndex.save` wrote for these words and vectors.

        Raises
        ------
        MissingExtraError
            When usearch is not installed.
        StorageError
            When the file cannot be read.
        ModelFormatError
            When it is no index, a broken one, or one of other vectors.
        """
        return NeighborIndex.load(path, self._embeddings, self._word_rows, self._scan)

    def _find(
        self, queries: Queries, k: int, among: Among | None, exclude: Iterable[str]
    ) -> list[Found]:
        without = word_queries.rows_of(self._embeddings, exclude)
        hits = self._scan.search(
            queries.vectors,
            k,
            exclude=[own + without for own in queries.exclude],
            candidates=word_queries.candidates(self._embeddings, among),
        )
        return word_queries.named(self._embeddings, hits)

    @functools.cached_property
    def _scan(self) -> ExactScan:
        return ExactScan(self._word_rows)

    @functools.cached_property
    def _word_rows(self) -> FloatMatrix:
        return lookup.compose_words(self._embeddings, 0, len(self._embeddings.vocabulary))
