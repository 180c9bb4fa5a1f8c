"""One file with the page and a model's most frequent words in it, which needs no server."""

from __future__ import annotations

import base64
import json
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from brasa import lookup
from brasa.errors import ConfigError
from brasa.formats.storage import new_file
from brasa.version import VERSION
from brasa.word_map import METHODS, lay_out

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import numpy.typing as npt

    from brasa.parameters import FloatMatrix
    from brasa.word_vectors import WordVectors

_PLACE = "BRASA_DATA"


def export_page(
    vectors: WordVectors,
    path: str | os.PathLike[str],
    *,
    name: str = "model",
    words: int = 5000,
    methods: Sequence[str] = METHODS[:1],
) -> int:
    """Write the explorer with a model in it.

    Vectors are kept in 8 bits a number, with a scale for each row: cosines differ by about 0.01.
    With subwords, the rows of all n-grams of these words are kept too, so that unseen words have
    vectors; those that only rarer words have count as never trained.

    Parameters
    ----------
    vectors : WordVectors
    path : path
        The HTML file.
    name : str
        What the page calls the model.
    words : int
        How many of the most frequent words are kept.
    methods : sequence of {"pca", "umap"}
        Maps that are made and kept.

    Returns
    -------
    int
        Bytes written.

    Raises
    ------
    StorageError
        When the file cannot be written.
    MissingExtraError
        When a map needs umap-learn, and it is not installed.
    ConfigError
        When `words` is below 1, or the model has none.
    """
    embeddings = vectors.embeddings
    n = min(words, len(vectors))
    if n < 1:
        raise ConfigError("words", words, "at least 1, of a model that has words")
    kept = [_readable(vectors.vocabulary.word(i)) for i in range(n)]
    counts = vectors.vocabulary.counts[:n].tolist()
    maps: dict[str, Any] = {}
    for method in methods:
        found = lay_out(embeddings, method, max_words=n)
        clusters = int(found.cluster.max()) + 1
        maps[method] = {
            "xy": _base64(found.points.astype("<f4")),
            "cluster": _base64(found.cluster),
            "clusters": clusters,
        }
    data = {
        "version": VERSION,
        "model": {
            "name": name,
            "kind": "word_vectors",
            "words": n,
            "vector_dim": vectors.vector_dim,
            "subwords": bool(vectors.config.subwords) and embeddings.floret is None,
            "labels": [],
            "has_counts": counts[0] > 1,
        },
        "words": kept,
        "counts": counts,
        "vectors": _rows(lookup.compose_words(embeddings, 0, n)),
        "ngrams": _ngrams(vectors, n),
        "maps": maps,
    }
    # "</script>" in a word would end the element that holds the data.
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    template = resources.files("brasa.serving").joinpath("static/export.html").read_text("utf-8")
    content = template.replace(_PLACE, text, 1).encode("utf-8")
    with new_file(path) as file:
        file.write(content)
    return len(content)


def _ngrams(vectors: WordVectors, n: int) -> dict[str, Any] | None:
    embeddings, config = vectors.embeddings, vectors.config
    if not config.subwords or embeddings.floret is not None:
        return None
    buckets: set[int] = set()
    for i in range(n):
        parts = vectors.subwords(vectors.vocabulary.word(i))
        buckets.update(part.bucket for part in parts if part.bucket is not None and part.trained)
    ids = np.array(sorted(buckets), np.uint32)
    rows = len(vectors) + np.searchsorted(embeddings.bucket_ids, ids)
    return {
        "min": config.min_char,
        "max": config.max_char,
        "buckets": config.buckets,
        "ids": _base64(ids.astype("<u4")),
        **_rows(np.asarray(embeddings.input[rows])),
    }


def _rows(matrix: FloatMatrix) -> dict[str, str]:
    largest = np.abs(matrix).max(axis=1, initial=0)
    scales = np.where(largest > 0, largest / 127, 1).astype("<f4")
    codes = np.rint(matrix / scales[:, None]).astype(np.int8)
    return {"bytes": _base64(codes), "scales": _base64(scales)}


def _base64(array: npt.NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def _readable(word: str) -> str:
    return word.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
