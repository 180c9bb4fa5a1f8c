"""Where each word lies: two coordinates and a cluster."""

from __future__ import annotations

import importlib
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import numpy.typing as npt

from brasa import lookup
from brasa.errors import ConfigError, MissingExtraError
from brasa.neighbors import ExactScan
from brasa.reduction import principal_directions

if TYPE_CHECKING:
    from collections.abc import Callable

    from brasa.parameters import Embeddings, FloatMatrix

Method = Literal["pca", "umap"]
METHODS: tuple[Method, ...] = get_args(Method)
MAX_WORDS = 1_000_000
# UMAP lays out so many words itself, in about a minute on 2 cores; the others get the mean of
# their nearest ones among these.
UMAP_WORDS = 20_000
_UMAP_NEIGHBORS = 15
_PLACED_BY = 4  # neighbors
_MAX_CLUSTERS = 12
_CLUSTER_SAMPLE = 20_000
_CLUSTER_STEPS = 15
_BLOCK = 50_000  # rows that are worked on at a time
_EDGE = 0.0003  # part of the words that may lie beyond the edge, and are put on it


@dataclass(frozen=True)
class WordMap:
    """A layout.

    Attributes
    ----------
    points : float32, shape (n, 2)
        Within [-1, 1], of the `n` most frequent words, in their order.
    cluster : uint8, shape (n,)
        Clusters are numbered by size, the largest is 0.
    """

    points: npt.NDArray[np.float32]
    cluster: npt.NDArray[np.uint8]


def lay_out(
    embeddings: Embeddings,
    method: str = "pca",
    *,
    max_words: int = MAX_WORDS,
    seed: int = 1,
    progress: Callable[[float], None] = lambda part: None,
) -> WordMap:
    """Lay out a model's most frequent words.

    Vectors are scaled to length 1, so that directions count, as they do for neighbors. Words
    without a direction lie where the mean does.

    Parameters
    ----------
    embeddings : Embeddings
    method : {"pca", "umap"}
        PCA is a shadow of the space from its widest side, of a million words in seconds; UMAP
        (McInnes et al. 2018) keeps neighbors together. UMAP lays out the 20,000 most frequent
        words, and puts each other one at the mean of its four nearest among these.
    max_words : int
    seed : int
    progress : callable
        Called with the part that is done, from 0 to 1.

    Returns
    -------
    WordMap

    Raises
    ------
    ConfigError
        For another method.
    MissingExtraError
        When umap-learn is not installed, and is needed.
    """
    if method not in METHODS:
        raise ConfigError("method", method, " or ".join(METHODS))
    n = min(len(embeddings.vocabulary), max_words)
    rows = np.empty((n, embeddings.config.vector_dim), np.float32)
    for first in range(0, n, _BLOCK):
        last = min(first + _BLOCK, n)
        rows[first:last] = _directions(lookup.compose_words(embeddings, first, last))
        progress(0.2 * last / n)
    has_direction = rows.any(axis=1)
    if method == "pca" or np.count_nonzero(has_direction) <= _UMAP_NEIGHBORS + 1:
        points = _pca(rows)
    else:
        found = _umap(rows[has_direction], seed, progress)
        points = np.tile(found.mean(axis=0), (n, 1))
        points[has_direction] = found
    progress(0.9)
    cluster = _clusters(rows, np.random.default_rng(seed))
    return WordMap(_scaled(points), cluster)


def plane(rows: FloatMatrix) -> FloatMatrix:
    """A few vectors on a plane, by PCA of their directions, within [-1, 1]; shape (n, 2)."""
    return _scaled(_pca(_directions(rows)))


def _pca(rows: FloatMatrix) -> FloatMatrix:
    points = np.zeros((len(rows), 2), np.float32)
    if len(rows):
        directions = principal_directions(rows, min(2, rows.shape[1]))
        points[:, : directions.shape[1]] = rows @ directions
    return points


def _umap(rows: FloatMatrix, seed: int, progress: Callable[[float], None]) -> FloatMatrix:
    core = rows[:UMAP_WORDS]
    hits = ExactScan(core).search(core, _UMAP_NEIGHBORS)
    distances = np.clip(1 - hits.cosines, 0, 2).astype(np.float32)
    progress(0.3)
    with warnings.catch_warnings():
        # That TensorFlow is not there, that neighbors are given, and what numba thinks.
        warnings.simplefilter("ignore")
        try:
            umap = importlib.import_module("umap")
        except ImportError as error:
            raise MissingExtraError("umap-learn", "map", "UMAP") from error
        model = umap.UMAP(
            n_neighbors=_UMAP_NEIGHBORS,
            metric="cosine",
            init=_scaled(_pca(core)) * np.float32(10),  # reproducible, and near what PCA shows
            precomputed_knn=(hits.rows, distances, None),
            random_state=seed,
            n_jobs=1,  # what a seed asks for
        )
        placed: FloatMatrix = model.fit_transform(core).astype(np.float32)
    progress(0.8)
    if len(rows) == len(core):
        return placed
    points = np.empty((len(rows), 2), np.float32)
    points[: len(core)] = placed
    scan = ExactScan(core)
    for first in range(len(core), len(rows), _BLOCK):
        block = rows[first : first + _BLOCK]
        near = scan.search(block, _PLACED_BY)
        weights = np.clip(near.cosines, 0, None) ** 4 + 1e-9
        total = (placed[near.rows] * weights[..., None]).sum(axis=1)
        points[first : first + len(block)] = total / weights.sum(axis=1, keepdims=True)
        progress(0.8 + 0.1 * first / len(rows))
    return points


def _directions(rows: FloatMatrix) -> FloatMatrix:
    """Rows of length 1; zeros stay."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: FloatMatrix = (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return scaled


def _clusters(rows: FloatMatrix, random: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Spherical k-means (Dhillon & Modha 2001): centers from a sample, then all words."""
    n_clusters = int(min(_MAX_CLUSTERS, max(1, len(rows) // 8)))
    sample = rows[:_CLUSTER_SAMPLE]
    if n_clusters == 1:
        return np.zeros(len(rows), np.uint8)
    centers = sample[random.choice(len(sample), n_clusters, replace=False)]
    for _ in range(_CLUSTER_STEPS):
        nearest = (sample @ centers.T).argmax(axis=1)
        sums = np.zeros_like(centers)
        np.add.at(sums, nearest, sample)
        counts = np.bincount(nearest, minlength=n_clusters)
        centers = _directions(np.where(counts[:, None] > 0, sums, centers))
    found = np.empty(len(rows), np.int64)
    for first in range(0, len(rows), _BLOCK):
        found[first : first + _BLOCK] = (rows[first : first + _BLOCK] @ centers.T).argmax(axis=1)
    by_size = np.argsort(-np.bincount(found, minlength=n_clusters), kind="stable")
    number = np.empty(n_clusters, np.uint8)
    number[by_size] = np.arange(n_clusters, dtype=np.uint8)
    cluster: npt.NDArray[np.uint8] = number[found]
    return cluster


def _scaled(points: FloatMatrix) -> FloatMatrix:
    """Into [-1, 1], with one scale for both axes, so that shapes stay."""
    if not len(points):
        return points
    low, high = np.quantile(points, [_EDGE, 1 - _EDGE], axis=0)
    middle, half = (low + high) / 2, max(float((high - low).max()) / 2, 1e-12)
    scaled: FloatMatrix = np.clip((points - middle) / half, -1, 1).astype(np.float32)
    return scaled
