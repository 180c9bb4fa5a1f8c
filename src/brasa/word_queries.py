"""What is searched for, and among what, in words: as rows and vectors, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from brasa import lookup
from brasa.arguments import check_count, check_strings, is_whole
from brasa.errors import ConfigError, UnknownWordError
from brasa.neighbors import Hits, Rows, check_vectors

if TYPE_CHECKING:
    from brasa.parameters import Embeddings, FloatMatrix

Among = int | Sequence[str] | npt.NDArray[np.bool_] | Callable[[str], bool]
Found = list[tuple[str, float]]


class Queries(NamedTuple):
    """Vectors to search for, and the rows that each must not find.

    Attributes
    ----------
    vectors : float32, shape (n, vector_dim)
        Finite, none of them zero.
    exclude : list of lists of int, of length n
    """

    vectors: FloatMatrix
    exclude: list[list[int]]


def of_words(embeddings: Embeddings, words: Sequence[str]) -> Queries:
    """The vectors of words, none of which is to find itself.

    Raises
    ------
    UnknownWordError
        When a word has no vector.
    """
    for word in words:
        check_word(word)
    vectors = lookup.compose(embeddings, words)
    indices = embeddings.vocabulary.indices(words)
    usable = np.isfinite(vectors).all(axis=1) & vectors.any(axis=1)
    if not usable.all():
        place = int(np.argmin(usable))
        raise UnknownWordError(words[place], _trouble(embeddings, int(indices[place])))
    return Queries(vectors, [[index] if index >= 0 else [] for index in indices.tolist()])


def of_each(embeddings: Embeddings, items: Any) -> Queries:
    """Queries for a list of words, or for the rows of a matrix.

    Raises
    ------
    UnknownWordError
        When a word has no vector.
    ConfigError
        When they are neither, or a vector has another shape, is zero or not finite.
    """
    if isinstance(items, (str, bytes)):
        raise ConfigError("queries", items, "a list of words or of vectors, not one string")
    if not isinstance(items, np.ndarray):
        if not isinstance(items, Iterable):
            raise ConfigError("queries", items, "a list of words or of vectors")
        items = list(items)
        if any(isinstance(item, (str, bytes)) for item in items) or not items:
            return of_words(embeddings, items)
    vectors = check_vectors("vectors", items, embeddings.config.vector_dim)
    return Queries(vectors, [[] for _ in vectors])


def of_one(embeddings: Embeddings, item: str | npt.ArrayLike) -> Queries:
    """One query, for a word or a vector; raises as `of_each`."""
    if isinstance(item, str):
        return of_words(embeddings, [item])
    try:
        vector = np.asarray(item, np.float32)
    except (TypeError, ValueError):
        raise ConfigError("vector", item, "numbers") from None
    dim = embeddings.config.vector_dim
    if vector.shape != (dim,):
        raise ConfigError("vector", f"shape {vector.shape}", f"of shape ({dim},)")
    return Queries(check_vectors("vector", vector[None], dim), [[]])


def combined(embeddings: Embeddings, positive: Iterable[Any], negative: Iterable[Any]) -> Queries:
    """The sum of words and vectors, each scaled to length 1, less that of the negative ones.

    Raises
    ------
    UnknownWordError
        When a word has no vector.
    ConfigError
        When there is none, they cancel each other out, or one is no vector.
    """
    total, exclude = np.zeros(embeddings.config.vector_dim), set[int]()
    for sign, name, items in ((1, "positive", positive), (-1, "negative", negative)):
        if not isinstance(items, Iterable):
            raise ConfigError(name, items, "a word, or a list of words and vectors")
        for item in [items] if isinstance(items, str) else items:
            query = of_one(embeddings, item)
            vector = query.vectors[0].astype(np.float64)
            total += sign * vector / np.linalg.norm(vector)
            exclude.update(query.exclude[0])
    if not total.any():
        raise ConfigError("positive", positive, "words or vectors whose sum is not zero")
    return Queries(total.astype(np.float32)[None], [sorted(exclude)])


def analogies(embeddings: Embeddings, questions: Sequence[Sequence[str]]) -> Queries:
    """The vectors b - a + c of questions (a, b, c), words of length 1; raises as `of_words`."""
    for question in questions:
        if not isinstance(question, (tuple, list)) or len(question) != 3:
            raise ConfigError("questions", question, "three words each: a, b, c")
    words = of_words(embeddings, [word for question in questions for word in question])
    if not len(questions):
        return words
    norms = np.linalg.norm(words.vectors.astype(np.float64), axis=1, keepdims=True)
    a, b, c = np.moveaxis((words.vectors / norms).reshape(len(questions), 3, -1), 1, 0)
    rows = words.exclude
    exclude = [rows[i] + rows[i + 1] + rows[i + 2] for i in range(0, len(rows), 3)]
    vectors = (b - a + c).astype(np.float32)
    for question, vector in zip(questions, vectors, strict=True):
        if not vector.any():
            raise ConfigError("questions", question, "words whose b - a + c is not zero")
    return Queries(vectors, exclude)


def candidates(embeddings: Embeddings, among: Among | None) -> Rows | None:
    """The rows that may be found, int32, ascending; None for all.

    Raises
    ------
    ConfigError
        When `among` is none of what it may be, or a mask of another length.
    UnknownWordError
        When a word of the list is not in the vocabulary.
    """
    vocabulary = embeddings.vocabulary
    if among is None:
        return None
    if callable(among):
        keep = np.fromiter((bool(among(word)) for word in vocabulary.words), np.bool_)
        return np.flatnonzero(keep).astype(np.int32)
    if isinstance(among, np.ndarray) and among.dtype == np.bool_:
        if among.shape != (len(vocabulary),):
            raise ConfigError("among", f"shape {among.shape}", f"of shape ({len(vocabulary)},)")
        return np.flatnonzero(among).astype(np.int32)
    if is_whole(among):
        return np.arange(min(check_count("among", among), len(vocabulary)), dtype=np.int32)
    words = check_strings(
        "among", among, "a list of words, a number of words, a mask or a function of a word"
    )
    rows = vocabulary.indices(words)
    if len(rows) and rows.min() < 0:
        raise UnknownWordError(words[int(np.argmin(rows))])
    return np.unique(rows)


def rows_of(embeddings: Embeddings, words: Iterable[str]) -> list[int]:
    """Rows of the words that are in the vocabulary; the others cannot be found anyway."""
    rows = embeddings.vocabulary.indices(check_strings("exclude", words, "a list of words"))
    return [row for row in rows.tolist() if row >= 0]


def named(embeddings: Embeddings, hits: Hits) -> list[Found]:
    """What was found for each query, as (word, cosine)."""
    word = embeddings.vocabulary.word
    return [
        [(word(row), cosine) for row, cosine in hits.pairs(query)]
        for query in range(len(hits.rows))
    ]


def check_word(word: object) -> None:
    """Refuse what is no string."""
    if not isinstance(word, str):
        raise ConfigError("word", word, "a string")


def _trouble(embeddings: Embeddings, index: int) -> str:
    if index >= 0:
        return "in the vocabulary, but its vector is zero or not finite"
    if embeddings.config.subwords:
        return "unseen, and training saw none of its n-grams"
    return "not in the vocabulary"
