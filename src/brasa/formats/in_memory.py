"""Vectors of gensim and spaCy in memory, to and from, without a file between."""

from __future__ import annotations

import dataclasses
import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

from brasa.config import WordVectorsConfig
from brasa.errors import ConfigError, MissingExtraError, ModelFormatError
from brasa.formats import floret
from brasa.formats.vector_rows import check_finite, word_vectors
from brasa.lookup import compose_words, encode_words
from brasa.parameters import Embeddings, FloatMatrix
from brasa.subwords import FloretHashing
from brasa.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType


def from_gensim(vectors: Any) -> Embeddings:
    """A model out of gensim's `KeyedVectors` or `FastTextKeyedVectors`.

    The latter keep their n-grams. A whole gensim model is taken for its `wv`. Matrices are shared,
    where their type allows it, not copied.

    Raises
    ------
    ConfigError
        When it is not one of these.
    ModelFormatError
        When it holds what brasa cannot: numbers that are not finite, words without text.
    """
    vectors = getattr(vectors, "wv", vectors)
    words, rows = getattr(vectors, "index_to_key", None), getattr(vectors, "vectors", None)
    if not isinstance(words, list) or not isinstance(rows, np.ndarray):
        raise ConfigError("vectors", type(vectors).__name__, "gensim's KeyedVectors")
    counts = getattr(vectors, "expandos", {}).get("count")
    whole = _words_only(words, rows, counts, "gensim")
    ngram_rows = getattr(vectors, "vectors_ngrams", None)
    if ngram_rows is None or not getattr(vectors, "max_n", 0) or not len(ngram_rows):
        return whole
    if len(whole.vocabulary) != len(words):
        raise ModelFormatError("gensim", "a word is there twice")
    try:
        config = WordVectorsConfig(
            vector_dim=rows.shape[1], subwords=True, buckets=int(vectors.bucket),
            min_char=int(vectors.min_n), max_char=int(vectors.max_n),
        )  # fmt: skip
    except ConfigError as error:
        raise ModelFormatError("gensim", str(error)) from None
    own = getattr(vectors, "vectors_vocab", None)
    if own is None or own.shape != rows.shape or len(ngram_rows) != config.buckets:
        raise ModelFormatError("gensim", "its matrices do not fit together")
    matrix = np.concatenate([own, ngram_rows]).astype(np.float32, copy=False)
    check_finite("gensim", matrix)
    ids = np.arange(config.buckets, dtype=np.uint32)
    return dataclasses.replace(whole, config=config, input=matrix, bucket_ids=ids)


def to_gensim(embeddings: Embeddings) -> Any:
    """Gensim's `KeyedVectors`: whole words, with their counts.

    For n-grams, export `fasttext` and use gensim's `load_facebook_vectors`.

    Raises
    ------
    MissingExtraError
        When gensim is not installed.
    """
    models = _import("gensim.models", "gensim", "to_gensim()")
    words = _require_words(embeddings)
    vectors = models.KeyedVectors(embeddings.config.vector_dim, dtype=np.float32)
    vectors.add_vectors(words, compose_words(embeddings, 0, len(words)))
    vectors.allocate_vecattrs(["count"], [np.int64])
    vectors.expandos["count"][:] = embeddings.vocabulary.counts
    return vectors


def from_spacy(vectors: Any) -> Embeddings:
    """A model out of spaCy's `Vectors`, or of the `Vocab` or pipeline that has them.

    In floret mode it is a table without words; otherwise words in the order of their rows.

    Raises
    ------
    ConfigError
        When it is not one of these.
    ModelFormatError
        When a key has no text in the string store, or numbers are not finite.
    """
    vectors = getattr(vectors, "vocab", vectors)
    strings = getattr(vectors, "strings", None)
    vectors = getattr(vectors, "vectors", vectors)
    if strings is None or not hasattr(vectors, "key2row"):
        raise ConfigError("vectors", type(vectors).__name__, "spaCy's Vectors, Vocab or Language")
    rows = np.asarray(vectors.data, np.float32)
    if str(vectors.mode) == "floret":
        return _from_floret(vectors, rows)
    pairs = sorted(vectors.key2row.items(), key=lambda pair: pair[1])
    try:
        words = [strings[key] for key, _ in pairs]
    except KeyError as error:
        raise ModelFormatError(
            "spaCy", f"the string store has no text for a key: {error}"
        ) from None
    return _words_only(words, rows[[row for _, row in pairs]], None, "spacy")


def to_spacy(embeddings: Embeddings, *, floret_table: bool = False) -> Any:
    """SpaCy's `Vectors`: whole words, or a floret table, which has a vector for every word.

    Parameters
    ----------
    embeddings : Embeddings
    floret_table : bool
        Compute a table that gives the same vectors as the model's n-grams: `floret.fitted`. A
        model that is a table becomes one in any case.

    Raises
    ------
    MissingExtraError
        When spaCy is not installed.
    ModelFormatError
        When a table is asked for and the model has no subwords.
    """
    module = _import("spacy.vectors", "spacy", "to_spacy()")
    if floret_table or not len(embeddings.vocabulary):
        return _to_floret(embeddings, module)
    words = _require_words(embeddings)
    strings = _import("spacy.strings", "spacy", "to_spacy()").StringStore(words)
    rows = np.array(compose_words(embeddings, 0, len(words)))
    return module.Vectors(strings=strings, data=rows, keys=words)


def _from_floret(vectors: Any, rows: FloatMatrix) -> Embeddings:
    try:
        hashing = FloretHashing(
            int(vectors.minn), int(vectors.maxn), int(vectors.hash_count),
            int(vectors.hash_seed), len(rows), vectors.bow, vectors.eow,
        )  # fmt: skip
    except ConfigError as error:
        raise ModelFormatError("spaCy", str(error)) from None
    check_finite("spaCy", rows)
    return floret.table_model(hashing, rows, {"source": "spacy"})


def _to_floret(embeddings: Embeddings, module: ModuleType) -> Any:
    hashing, rows = floret.table_of(embeddings, "floret table")
    return module.Vectors(
        mode="floret", data=np.array(rows), minn=hashing.min_char, maxn=hashing.max_char,
        hash_count=hashing.hash_count, hash_seed=hashing.seed, bow=hashing.begin, eow=hashing.end,
    )  # fmt: skip


def _words_only(words: Sequence[Any], rows: Any, counts: Any, source: str) -> Embeddings:
    if rows.ndim != 2 or len(rows) != len(words):
        raise ModelFormatError(source, f"{len(words)} words for a matrix of shape {rows.shape}")
    if not len(words):
        raise ModelFormatError(source, "has no words")
    if not all(isinstance(word, str) and word and "\0" not in word for word in words):
        raise ModelFormatError(source, "a word is empty, has a NUL in it, or is no string")
    rows = np.ascontiguousarray(rows, np.float32)
    check_finite(source, rows)
    known = np.zeros(len(words), np.int64)
    if counts is not None and len(counts) == len(words):
        known = np.maximum(np.asarray(counts, np.int64), 0)
    arena, offsets = encode_words(words)
    return word_vectors(source, arena, offsets, rows, {"source": source}, known)


def _require_words(embeddings: Embeddings) -> list[str]:
    vocabulary: Vocabulary = embeddings.vocabulary
    if not len(vocabulary):
        raise ModelFormatError("model", "has no words; to_spacy() needs none")
    words = vocabulary.words
    try:
        "".join(words).encode()
    except UnicodeEncodeError:
        raise ModelFormatError("model", "has words that are not UTF-8") from None
    return words


def _import(module: str, package: str, purpose: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise MissingExtraError(package, package, purpose) from None
