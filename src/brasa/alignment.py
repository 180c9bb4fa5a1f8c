"""Vectors of two languages in one space: a rotation learned from pairs of words."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from brasa import lookup
from brasa.arguments import check_count, check_strings, is_whole
from brasa.errors import ConfigError
from brasa.evaluation.lines import broken, read_lines
from brasa.neighbors import ExactScan, unit_rows
from brasa.parameters import Embeddings, FloatMatrix
from brasa.reduction import check_rows, map_rows

Retrieval = Literal["csls", "cosine"]
Pairs = Iterable[tuple[str, str]] | Mapping[str, str] | str | os.PathLike[str]

_NEIGHBORS = 10  # whose mean cosine CSLS subtracts, as in the paper
_CHUNK = 1024  # queries that are scored at once


@dataclass(frozen=True, eq=False)
class Alignment:
    """A rotation of one model's vectors into another model's space.

    Attributes
    ----------
    rotation : float32, shape (vector_dim, vector_dim)
        Orthogonal; vectors are multiplied by it from the left, ``vector @ rotation``.
    n_pairs : int
        Pairs of the dictionary of which both words have a vector.
    n_unknown : int
        Pairs of the dictionary of which one has none.
    n_refined : tuple of int
        Pairs that each refinement found.
    """

    rotation: FloatMatrix
    n_pairs: int
    n_unknown: int
    n_refined: tuple[int, ...] = ()

    def apply(self, embeddings: Embeddings) -> Embeddings:
        """The model with all its rows rotated, those of n-grams too; cosines stay as they are."""
        rotated = map_rows(embeddings, self.rotation)
        facts = {"n_pairs": self.n_pairs, "n_unknown": self.n_unknown, "refined": self.n_refined}
        metadata = {**embeddings.metadata, "alignment": {**facts, "refined": [*self.n_refined]}}
        return dataclasses.replace(rotated, metadata=metadata)


def align(
    source: Embeddings,
    target: Embeddings,
    dictionary: Pairs,
    *,
    refinements: int = 0,
    retrieval: Retrieval = "csls",
    n_words: int = 10_000,
) -> Alignment:
    """Find the rotation that brings words nearest to their translations (orthogonal Procrustes).

    With U S Vt the singular value decomposition of Xt Y, where X and Y have the pairs' vectors,
    scaled to length 1, as rows, the rotation is U Vt.

    Parameters
    ----------
    source, target : Embeddings
        Of one `vector_dim`.
    dictionary : iterable of pairs, dict, or path
        Words of `source` with their translations in `target`; a file has a pair a line. A word may
        occur several times. As many pairs as `vector_dim`, at the least, determine a rotation.
    refinements : int
        How often to look for pairs that are each other's nearest among the `n_words` most frequent
        words, and to learn the rotation anew from these (A. Conneau et al., "Word Translation
        Without Parallel Data", 2018).
    retrieval : {"csls", "cosine"}
        What is near in a refinement: see `translations`.
    n_words : int
        Words of each model that a refinement looks at.

    Raises
    ------
    ConfigError
        When an argument is impossible, the models' vectors have different lengths, or no pair has
        two known words.
    StorageError, ModelFormatError
        When the file cannot be read, a line is no pair, or a model has numbers that are not finite.
    """
    _check_models(source, target)
    _check_retrieval(retrieval)
    if not is_whole(refinements) or refinements < 0:
        raise ConfigError("refinements", refinements, "a whole number, 0 or more")
    n_words = check_count("n_words", n_words)
    pairs = read_pairs(dictionary)
    places = _known(source, target, pairs)
    if not len(places):
        raise ConfigError(
            "dictionary", f"{len(pairs)} pairs", "pairs of words that both models know"
        )
    rotation = _rotation(
        lookup.compose(source, [pairs[i][0] for i in places]),
        lookup.compose(target, [pairs[i][1] for i in places]),
    )
    x, y = _frequent(source, n_words), _frequent(target, n_words)
    found = []
    for _ in range(refinements):
        rows, columns = _mutual(x @ rotation, y, retrieval)
        if not len(rows):
            break
        rotation = _rotation(x[rows], y[columns])
        found.append(len(rows))
    return Alignment(rotation, len(places), len(pairs) - len(places), tuple(found))


def translations(
    source: Embeddings,
    target: Embeddings,
    words: Iterable[str],
    *,
    k: int = 1,
    retrieval: Retrieval = "csls",
    n_words: int = 50_000,
) -> list[list[str]]:
    """The `k` nearest words of `target` for each word, best first; `source` is aligned to it.

    ``"cosine"`` is the plain cosine. ``"csls"`` is 2 cos(x, y) - r(x) - r(y), with r the mean
    cosine of a vector with its ten nearest in the other language, so that words that are near to
    everything (hubs) do not win.

    Parameters
    ----------
    n_words : int
        Candidates: the most frequent words of `target`; and of `source`, for r(y).

    Raises
    ------
    ConfigError
        When an argument is impossible, or the models' vectors have different lengths.
    ModelFormatError
        When a number is not finite.
    """
    _check_models(source, target)
    _check_retrieval(retrieval)
    k, n_words = check_count("k", k), check_count("n_words", n_words)
    words = check_strings("words", words, "several words, not one string")
    queries = unit_rows(lookup.compose(source, words))
    candidates = _frequent(target, n_words)
    names = _frequent_indices(target, n_words)
    hubness = _hubness(candidates, _frequent(source, n_words)) if retrieval == "csls" else None
    k = min(k, len(candidates))
    found = []
    for start in range(0, len(queries), _CHUNK):
        scores = queries[start : start + _CHUNK] @ candidates.T
        if hubness is not None:
            scores = 2 * scores - hubness  # r(x) changes no order
        best = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
        found.append(np.take_along_axis(best, order, axis=1))
    word = target.vocabulary.word
    return [[word(int(names[i])) for i in row] for rows in found for row in rows]


def precision(
    source: Embeddings,
    target: Embeddings,
    pairs: Pairs,
    *,
    k: int = 1,
    retrieval: Retrieval = "csls",
    n_words: int = 50_000,
) -> float:
    """Part of the source words of which a right translation is among the `k` nearest words.

    Pairs with a word that is not in the vocabularies do not count; those of one source word count
    once, and any of its translations is right. Parameters are those of `translations`.

    Raises
    ------
    ConfigError
        As `translations`; also when no pair has two known words.
    """
    listed = read_pairs(pairs)
    known = _known(source, target, listed)
    if not len(known):
        raise ConfigError("pairs", f"{len(listed)} pairs", "pairs of words that both models know")
    right: dict[str, set[str]] = {}
    for i in known:
        right.setdefault(listed[i][0], set()).add(listed[i][1])
    found = translations(source, target, right, k=k, retrieval=retrieval, n_words=n_words)
    hits = [not right[word].isdisjoint(answers) for word, answers in zip(right, found, strict=True)]
    return float(np.mean(hits))


def read_pairs(dictionary: Pairs) -> list[tuple[str, str]]:
    """Pairs of words, from a file too: two words a line.

    Raises
    ------
    ConfigError
        When something is not a pair of strings.
    StorageError, ModelFormatError
        When the file cannot be read, or a line does not have two words.
    """
    if isinstance(dictionary, (str, os.PathLike)):
        return [_pair_of_line(dictionary, *line) for line in read_lines(dictionary)]
    if isinstance(dictionary, Mapping):
        dictionary = dictionary.items()
    try:
        listed = [tuple(pair) for pair in dictionary]
    except TypeError:
        raise ConfigError("dictionary", dictionary, "pairs of words") from None
    for pair in listed:
        if len(pair) != 2 or not all(isinstance(word, str) for word in pair):
            raise ConfigError("dictionary", pair, "pairs of words, each a string")
    return listed


def _pair_of_line(path: str | os.PathLike[str], number: int, line: str) -> tuple[str, str]:
    words = line.split()
    if len(words) != 2:
        raise broken(path, number, f"{len(words)} words instead of a pair")
    return words[0], words[1]


def _known(
    source: Embeddings, target: Embeddings, pairs: list[tuple[str, str]]
) -> npt.NDArray[np.int64]:
    """Which pairs have two words of the vocabularies."""
    left = source.vocabulary.indices([pair[0] for pair in pairs])
    right = target.vocabulary.indices([pair[1] for pair in pairs])
    return np.flatnonzero((left >= 0) & (right >= 0))


def _rotation(x: FloatMatrix, y: FloatMatrix) -> FloatMatrix:
    left, _, right = np.linalg.svd(unit_rows(x).T.astype(np.float64) @ unit_rows(y))
    rotation: FloatMatrix = (left @ right).astype(np.float32)
    return rotation


def _mutual(
    x: FloatMatrix, y: FloatMatrix, retrieval: Retrieval
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Rows of x and y that are each other's nearest."""
    csls = retrieval == "csls"
    to_y = _nearest(x, y, _hubness(y, x) if csls else None)
    to_x = _nearest(y, x, _hubness(x, y) if csls else None)
    rows = np.flatnonzero(to_x[to_y] == np.arange(len(x)))
    return rows, to_y[rows]


def _nearest(
    queries: FloatMatrix, candidates: FloatMatrix, hubness: FloatMatrix | None
) -> npt.NDArray[np.int64]:
    best = np.empty(len(queries), np.int64)
    for start in range(0, len(queries), _CHUNK):
        scores = queries[start : start + _CHUNK] @ candidates.T
        if hubness is not None:
            scores = 2 * scores - hubness
        best[start : start + _CHUNK] = scores.argmax(axis=1)
    return best


def _hubness(vectors: FloatMatrix, others: FloatMatrix) -> FloatMatrix:
    """Mean cosine of each vector with the nearest of the others."""
    means = np.zeros(len(vectors), np.float32)
    usable = np.flatnonzero(vectors.any(axis=1))
    if len(usable):
        hits = ExactScan(others).search(vectors[usable], _NEIGHBORS)
        means[usable] = np.where(hits.rows >= 0, hits.cosines, 0).mean(axis=1)
    return means


def _frequent_indices(embeddings: Embeddings, n_words: int) -> npt.NDArray[np.int64]:
    counts = np.asarray(embeddings.vocabulary.counts)
    return np.argsort(-counts, kind="stable")[:n_words]


def _frequent(embeddings: Embeddings, n_words: int) -> FloatMatrix:
    """Directions of the most frequent words."""
    vectors = lookup.compose_words(embeddings, 0, len(embeddings.vocabulary))
    return unit_rows(vectors[_frequent_indices(embeddings, n_words)])


def _check_models(source: Embeddings, target: Embeddings) -> None:
    dims = (source.config.vector_dim, target.config.vector_dim)
    if dims[0] != dims[1]:
        raise ConfigError("vector_dim", dims[1], f"{dims[0]}, as in the source model")
    for model in (source, target):
        check_rows(model)


def _check_retrieval(retrieval: str) -> None:
    if retrieval not in get_args(Retrieval):
        raise ConfigError("retrieval", retrieval, f"one of {', '.join(get_args(Retrieval))}")
