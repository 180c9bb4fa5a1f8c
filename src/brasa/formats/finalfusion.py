"""finalfusion's format (`.fifu`), read only.

https://finalfusion.github.io/spec : the magic number ``FiFu``, version 0, the kinds of the chunks,
then the chunks, each with its kind and length: metadata, a vocabulary, a matrix (plain or
quantized), norms. Rows of words have length 1 where there are norms, and are whole vectors; an
unseen word has the sum of its n-grams' rows.

A model with subwords becomes one with fastText's buckets. A vector there is a mean over the word's
row and its n-grams, so that a word's row is chosen to give its whole vector. n-grams that
finalfusion numbers in another way than fastText get buckets out of 2^31 - 1, so that two n-grams
hardly ever share one; rows are kept for those in use.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from brasa import _native
from brasa.config import MAX_VECTOR_DIM, WordVectorsConfig
from brasa.errors import ConfigError, ModelFormatError
from brasa.formats.fasttext.layout import Cursor
from brasa.formats.vector_rows import check_finite, word_vectors
from brasa.lookup import compose_words
from brasa.parameters import Embeddings, FloatMatrix
from brasa.vocabulary import pack

if TYPE_CHECKING:
    from pathlib import Path

MAGIC = b"FiFu"
_SIMPLE, _ARRAY, _BUCKETS, _QUANTIZED, _METADATA, _NORMS, _FASTTEXT, _EXPLICIT = range(1, 9)
_VOCABULARIES = (_SIMPLE, _BUCKETS, _FASTTEXT, _EXPLICIT)
_MAX_CHUNKS = 16
_F32, _U8 = 10, 1
_MAX_BUCKETS = 2**31 - 1
_MAX_NGRAM = 64

Rows = npt.NDArray[np.int64]


class _Vocabulary(NamedTuple):
    """Words, and which rows n-grams have: `buckets` and `hashes` are fastText's, ascending."""

    arena: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]
    min_char: int = 0
    max_char: int = 0
    buckets: int = 0
    hashes: npt.NDArray[np.uint32] | None = None  # of n-grams; None: bucket i has row i
    ngram_rows: Rows | None = None
    n_rows: int = 0  # of n-grams


# Products of a broken file's numbers may overflow: the results are checked instead of the steps.
@np.errstate(over="ignore", invalid="ignore")
def read(path: Path) -> Embeddings:
    """Open a model: with words only, or with subwords of any of the three kinds.

    Of a bucket vocabulary the n-grams of its words are kept, as finalfusion's `to_explicit` does.
    Quantized matrices are decoded. Unseen words have finalfusion's direction; their length there
    is 1.

    Raises
    ------
    FormatError
        When a field is impossible or missing, or something follows the last one.
    ModelFormatError
        For parts that brasa cannot use.
    """
    cursor = Cursor(path)
    vocabulary: _Vocabulary | None = None
    rows: FloatMatrix | None = None
    norms: npt.NDArray[np.float32] | None = None
    metadata: dict[str, Any] = {"source": "finalfusion"}
    for kind in _header(cursor):
        end = _chunk(cursor, kind)
        if kind == _METADATA:
            text = cursor.codes(end - cursor.offset, "metadata").tobytes()
            metadata["finalfusion_metadata"] = text.decode("utf-8", "backslashreplace")
        elif kind in _VOCABULARIES and vocabulary is None:
            vocabulary = _vocabulary(cursor, kind, end)
        elif kind == _ARRAY and rows is None:
            rows = _array(cursor)
        elif kind == _QUANTIZED and rows is None:
            rows = _quantized(cursor)
        elif kind == _NORMS and norms is None:
            norms = _norms(cursor)
        else:
            raise ModelFormatError(
                path, f"a second chunk, or one of a kind that brasa lacks: {kind}"
            )
        # The Python package leaves the rows of explicit n-grams out of the chunk's length.
        n_ngrams = 0 if vocabulary is None or vocabulary.hashes is None else len(vocabulary.hashes)
        if cursor.offset != end and (kind, cursor.offset - end) != (_EXPLICIT, 8 * n_ngrams):
            raise cursor.error("chunk", f"its end at byte {end}", cursor.offset, cursor.offset)
    cursor.end()
    if vocabulary is None or rows is None:
        raise ModelFormatError(path, "has no vocabulary or no matrix")
    return _model(path, vocabulary, rows, norms, metadata)


def _header(cursor: Cursor) -> list[int]:
    magic, version, n_chunks = cursor.unpack("<4s2I", "header")
    if magic != MAGIC:
        raise cursor.error("magic number", repr(MAGIC), magic, 0)
    if version != 0:
        raise cursor.error("version", "0", version, 4)
    if not 1 <= n_chunks <= _MAX_CHUNKS:
        raise cursor.error("number of chunks", f"1 to {_MAX_CHUNKS}", n_chunks, 8)
    return list(cursor.unpack(f"<{n_chunks}I", "kinds of the chunks"))


def _chunk(cursor: Cursor, wanted: int) -> int:
    """Where the chunk that begins here ends."""
    start = cursor.offset
    kind, length = cursor.unpack("<IQ", "chunk header")
    if kind != wanted:
        raise cursor.error("kind of a chunk", f"{wanted}, as in the header", kind, start)
    if length > cursor.size - cursor.offset:
        left = f"{length} with {cursor.size - cursor.offset} bytes left"
        raise cursor.error("length of a chunk", "at most what the file has", left, start + 4)
    return cursor.offset + int(length)


def _vocabulary(cursor: Cursor, kind: int, end: int) -> _Vocabulary:
    start = cursor.offset
    if kind == _SIMPLE:
        (n_words,) = cursor.unpack("<Q", "number of words")
        return _Vocabulary(*_items(cursor, n_words, end, "word"))
    n_ngrams, buckets = 0, 0
    if kind == _EXPLICIT:
        n_words, n_ngrams, min_char, max_char = cursor.unpack("<2Q2I", "vocabulary header")
    else:
        n_words, min_char, max_char, buckets = cursor.unpack("<Q3I", "vocabulary header")
    if not 1 <= min_char <= max_char <= _MAX_NGRAM:
        found = f"{min_char} to {max_char}"
        raise cursor.error("lengths of n-grams", f"from 1 to {_MAX_NGRAM}", found, start)
    arena, offsets = _items(cursor, n_words, end, "word")
    lengths = (min_char, max_char)
    if kind == _FASTTEXT:
        if not 1 <= buckets <= _MAX_BUCKETS:
            raise cursor.error("buckets", f"1 to {_MAX_BUCKETS}", buckets, start + 16)
        return _Vocabulary(arena, offsets, *lengths, buckets, n_rows=buckets)
    if kind == _BUCKETS:
        if not 1 <= buckets <= 31:
            raise cursor.error("exponent of the buckets", "1 to 31", buckets, start + 16)
        hashes, rows = _native.finalfusion_ngrams(arena, offsets, *lengths, buckets)
        return _Vocabulary(arena, offsets, *lengths, _MAX_BUCKETS, hashes, rows, 1 << buckets)
    hashes, rows = _explicit(cursor, n_ngrams, cursor.size)
    return _Vocabulary(
        arena, offsets, *lengths, _MAX_BUCKETS, hashes, rows, int(rows.max(initial=-1)) + 1
    )


def _items(
    cursor: Cursor, n_items: int, end: int, field: str
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    if n_items * 4 > end - cursor.offset:
        raise cursor.error(f"number of {field}s", "what fits its chunk", n_items, cursor.offset)
    return pack([_item(cursor, end, field) for _ in range(n_items)])


def _item(cursor: Cursor, end: int, field: str) -> bytes:
    start = cursor.offset
    (length,) = cursor.unpack("<I", f"length of a {field}")
    if not 0 < length <= end - cursor.offset:
        raise cursor.error(f"length of a {field}", "1 to what its chunk has", length, start)
    item = cursor.codes(length, field).tobytes()
    if b"\0" in item:
        raise cursor.error(field, "no NUL byte", item[:40], start + 4)
    return item


def _explicit(cursor: Cursor, n_ngrams: int, end: int) -> tuple[npt.NDArray[np.uint32], Rows]:
    start = cursor.offset
    if n_ngrams * 12 > end - start:
        raise cursor.error("number of n-grams", "what fits its chunk", n_ngrams, start)
    hashes, rows = np.empty(n_ngrams, np.uint32), np.empty(n_ngrams, np.int64)
    for i in range(n_ngrams):
        hashes[i] = _native.hash_word(_item(cursor, end, "n-gram"))
        at = cursor.offset
        (row,) = cursor.unpack("<Q", "row of an n-gram")
        if row >= n_ngrams:
            raise cursor.error("row of an n-gram", f"below {n_ngrams}", row, at)
        rows[i] = row
    return hashes, rows


def _array(cursor: Cursor) -> FloatMatrix:
    start = cursor.offset
    n_rows, dim, kind = cursor.unpack("<Q2I", "shape of the matrix")
    if kind != _F32:
        raise cursor.error("type of the matrix", f"{_F32}, float32", kind, start + 12)
    _skip_padding(cursor)
    matrix: FloatMatrix = cursor.floats(n_rows * dim, "matrix").reshape(n_rows, dim)
    return matrix


def _quantized(cursor: Cursor) -> FloatMatrix:
    start = cursor.offset
    projects, has_norms, n_parts, dim, n_centroids, n_rows, code, number = cursor.unpack(
        "<5IQ2I", "header of the quantized matrix"
    )
    if (code, number) != (_U8, _F32):
        raise cursor.error("types of the quantized matrix", f"{(_U8, _F32)}", (code, number), start)
    if not 1 <= n_parts <= dim <= MAX_VECTOR_DIM or dim % n_parts:
        raise cursor.error("parts of the quantized matrix", f"a divisor of {dim}", n_parts, start)
    if not 1 <= n_centroids <= 256:
        raise cursor.error("number of centroids", "1 to 256", n_centroids, start + 16)
    _skip_padding(cursor)
    projection = cursor.floats(dim * dim, "projection").reshape(dim, dim) if projects else None
    books = cursor.floats(dim * n_centroids, "centroids").reshape(n_parts, n_centroids, -1)
    norms = cursor.floats(n_rows, "norms of the quantized matrix") if has_norms else None
    start = cursor.offset
    codes = cursor.codes(n_rows * n_parts, "codes").reshape(n_rows, n_parts)
    if codes.max(initial=0) >= n_centroids:
        raise cursor.error("codes", f"below {n_centroids}", codes.max(), start)
    rows: FloatMatrix = np.concatenate([books[i][codes[:, i]] for i in range(n_parts)], axis=1)
    if projection is not None:
        rows = rows @ projection.T
    return rows if norms is None else rows * norms[:, None]


def _norms(cursor: Cursor) -> npt.NDArray[np.float32]:
    start = cursor.offset
    n_rows, kind = cursor.unpack("<QI", "norms")
    if kind != _F32:
        raise cursor.error("type of the norms", f"{_F32}, float32", kind, start + 8)
    _skip_padding(cursor)
    return cursor.floats(n_rows, "norms")


def _skip_padding(cursor: Cursor) -> None:
    """Padding up to the next multiple of four bytes; four bytes where that is here."""
    cursor.codes(4 - cursor.offset % 4, "padding")


def _model(
    path: Path,
    vocabulary: _Vocabulary,
    rows: FloatMatrix,
    norms: npt.NDArray[np.float32] | None,
    metadata: dict[str, Any],
) -> Embeddings:
    n_words = len(vocabulary.offsets) - 1
    if len(rows) != n_words + vocabulary.n_rows:
        raise ModelFormatError(
            path, f"{len(rows)} rows for {n_words} words and {vocabulary.n_rows} n-gram rows"
        )
    if norms is not None and len(norms) != n_words:
        raise ModelFormatError(path, f"{len(norms)} norms for {n_words} words")
    if not n_words:
        raise ModelFormatError(path, "has no words")
    whole = rows[:n_words] if norms is None else rows[:n_words] * norms[:, None]
    check_finite(path, rows, whole)
    model = word_vectors(path, vocabulary.arena, vocabulary.offsets, whole, metadata)
    if len(model.vocabulary) != n_words:
        raise ModelFormatError(path, "a word is there twice")
    return _with_subwords(path, vocabulary, rows, model) if vocabulary.max_char else model


def _with_subwords(
    path: Path, vocabulary: _Vocabulary, rows: FloatMatrix, model: Embeddings
) -> Embeddings:
    """The model with rows for n-grams, and rows for words that give the same vectors with them."""
    n_words, dim = model.input.shape
    if vocabulary.hashes is None or vocabulary.ngram_rows is None:
        ids = np.arange(vocabulary.buckets, dtype=np.uint32)
        ngram_rows = rows[n_words:]
    else:
        ids, first = np.unique(vocabulary.hashes % _MAX_BUCKETS, return_index=True)
        ids = ids.astype(np.uint32)
        ngram_rows = rows[n_words + vocabulary.ngram_rows[first]]
        lost = len(vocabulary.hashes) - len(ids)
        if lost:
            note = f"{lost} of {len(vocabulary.hashes)} n-grams share a hash: the first was kept"
            model.metadata.setdefault("notes", []).append(note)
    try:
        config = WordVectorsConfig(
            vector_dim=dim, subwords=True, buckets=vocabulary.buckets,
            min_char=vocabulary.min_char, max_char=vocabulary.max_char,
        )  # fmt: skip
    except ConfigError as error:
        raise ModelFormatError(path, str(error)) from None

    def composed(words: FloatMatrix, ngrams: FloatMatrix, ids: Any, config: Any) -> FloatMatrix:
        matrix = np.concatenate([words, ngrams])
        parts = Embeddings(model.vocabulary, config, matrix, model.output, ids, model.metadata)
        return compose_words(parts, 0, n_words)

    # With 1 in a word's row and zeros in its n-grams', the mean is 1 / number of its rows.
    share = composed(
        np.ones((n_words, 1), np.float32),
        np.empty((0, 1), np.float32),
        np.empty(0, np.uint32),
        replace(config, vector_dim=1),
    )
    of_ngrams = composed(np.zeros_like(model.input), ngram_rows, ids, config)
    own = (model.input - of_ngrams) / share
    check_finite(path, own)
    return replace(model, config=config, input=np.concatenate([own, ngram_rows]), bucket_ids=ids)
