"""One model out of two."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from brasa import lookup
from brasa.errors import ConfigError
from brasa.parameters import Embeddings, FloatMatrix
from brasa.reduction import check_rows
from brasa.subwords import build_subword_table
from brasa.version import VERSION
from brasa.vocabulary import Vocabulary, pack

Conflict = Literal["first", "second", "mean"]


def merge(first: Embeddings, second: Embeddings, *, conflict: Conflict = "first") -> Embeddings:
    """A model with the words of both, each with the vector that it had.

    Vectors of two trainings have nothing to do with each other, unless one model was trained on
    from the other or aligned to it: see `brasa.alignment`.

    N-gram rows are those of both models. A word's own row is chosen such that its mean with its
    n-grams' rows is the wanted vector, so words keep theirs although n-grams have changed. Unseen
    words get new vectors. Counts add up. There are no output rows: they belong to one training.

    Parameters
    ----------
    first, second : Embeddings
        Of one `vector_dim`; with the same n-grams, or one or both of them without.
    conflict : {"first", "second", "mean"}
        Whose vector a word, or whose row an n-gram, gets that both have: that of the first or of
        the second model, or the mean of both.

    Raises
    ------
    ConfigError
        When the models do not fit together.
    ModelFormatError
        When a number is not finite, or counts add up to more than an int64 can hold.
    """
    if conflict not in get_args(Conflict):
        raise ConfigError("conflict", conflict, f"one of {', '.join(get_args(Conflict))}")
    _check_alike(first, second)
    with_ngrams = next((m for m in (first, second) if m.config.subwords), first)
    vocabulary, new = _joined(first.vocabulary, second.vocabulary)
    in_first = second.vocabulary.indices(first.vocabulary.words)
    both = np.flatnonzero(in_first >= 0)
    vectors = np.concatenate(
        [
            lookup.compose_words(first, 0, len(first.vocabulary)),
            lookup.compose_words(second, 0, len(second.vocabulary))[new],
        ]
    )
    others = lookup.compose_words(second, 0, len(second.vocabulary))[in_first[both]]
    vectors[both] = _decided(vectors[both], others, conflict)
    bucket_ids, ngram_rows = _ngrams(first, second, conflict)
    merged = Embeddings(
        vocabulary=vocabulary,
        config=with_ngrams.config,
        input=np.concatenate([np.zeros_like(vectors), ngram_rows]),
        output=np.empty((0, vectors.shape[1]), np.float32),
        bucket_ids=bucket_ids,
        metadata={
            "brasa_version": VERSION,
            "merged": [first.metadata, second.metadata],
            "conflict": conflict,
        },
    )
    merged.input[: len(vocabulary)] = _own_rows(merged, vectors)
    return merged


def _check_alike(first: Embeddings, second: Embeddings) -> None:
    for model in (first, second):
        if model.floret is not None:
            raise ConfigError("model", "one of floret's", "one whose words have rows of their own")
    dims = (first.config.vector_dim, second.config.vector_dim)
    if dims[0] != dims[1]:
        raise ConfigError("vector_dim", dims[1], f"{dims[0]}, as in the first model")
    names = ("min_char", "max_char", "buckets")
    ngrams = [[getattr(m.config, name) for name in names] for m in (first, second)]
    if first.config.subwords and second.config.subwords and ngrams[0] != ngrams[1]:
        wanted = ", ".join(f"{n} {v}" for n, v in zip(names, ngrams[0], strict=True))
        raise ConfigError("subwords", ngrams[1], f"those of the first model ({wanted}), or off")
    for model in (first, second):
        check_rows(model)


def _joined(first: Vocabulary, second: Vocabulary) -> tuple[Vocabulary, npt.NDArray[np.int64]]:
    """The words of both, counts added, and which of the second are new."""
    places = first.indices(second.words)
    new = np.flatnonzero(places < 0)
    extra = second.take(new)
    arena, offsets = pack([first.arena.tobytes(), extra.arena.tobytes()])
    offsets = np.concatenate([first.offsets, extra.offsets[1:] + offsets[1]])
    counts = np.zeros(len(first) + len(new), np.int64)
    counts[places[places >= 0]] = second.counts[places >= 0]
    counts[len(first) :] = extra.counts
    joined = Vocabulary.from_arrays(arena, offsets, counts, second.n_tokens)
    return joined.with_counts_of(first), new


def _ngrams(
    first: Embeddings, second: Embeddings, conflict: Conflict
) -> tuple[npt.NDArray[np.uint32], FloatMatrix]:
    """Buckets that one of the models has, ascending, and their rows."""
    ids = np.union1d(first.bucket_ids, second.bucket_ids).astype(np.uint32)
    rows = np.zeros((len(ids), first.config.vector_dim), np.float32)
    rows[np.searchsorted(ids, second.bucket_ids)] = second.input[len(second.vocabulary) :]
    places = np.searchsorted(ids, first.bucket_ids)
    own = first.input[len(first.vocabulary) :]
    shared = np.isin(first.bucket_ids, second.bucket_ids)
    rows[places[~shared]] = own[~shared]
    rows[places[shared]] = _decided(own[shared], rows[places[shared]], conflict)
    return ids, rows


def _decided(first: FloatMatrix, second: FloatMatrix, conflict: Conflict) -> FloatMatrix:
    if conflict == "mean":
        mean: FloatMatrix = (first + second) / np.float32(2)
        return mean
    return first if conflict == "first" else second


def _own_rows(model: Embeddings, vectors: FloatMatrix) -> FloatMatrix:
    """The words' rows that make `vectors` of a model whose words have zeros."""
    if not model.config.subwords:
        return vectors
    of_ngrams = lookup.compose_words(model, 0, len(model.vocabulary))
    n_parts = np.diff(build_subword_table(model.vocabulary, model.config).offsets)
    own: FloatMatrix = (vectors - of_ngrams) * n_parts[:, np.newaxis].astype(np.float32)
    return own
