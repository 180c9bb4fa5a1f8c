"""floret's formats: the table that spaCy reads (`.floret`), and its binary format.

https://github.com/explosion/floret . A table begins with a line ``buckets dim min_char max_char
hash_count seed begin end``; each further line is a row's number and its numbers. The binary format
is fastText's with the magic number and version of fastText, and two more numbers in the arguments:
the mode (1: a fastText model, 2: a table) and the number of hashes. A fastText program would
misread it without a word.
"""

from __future__ import annotations

import dataclasses
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from brasa import _native
from brasa.config import WordVectorsConfig
from brasa.errors import ModelFormatError
from brasa.formats.fasttext import layout, reading, writing
from brasa.formats.storage import new_file
from brasa.formats.vector_rows import RowCollector, check_header, read_lines
from brasa.lookup import compose_words
from brasa.parameters import Embeddings, FastTextArguments, FastTextDetails
from brasa.subwords import FloretHashing
from brasa.vocabulary import Vocabulary

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from brasa.formats.source import ByteSource
    from brasa.parameters import Classifier, FloatMatrix

SEED = 2166136261  # floret's own
_HEADER = struct.Struct("<2i14id")
_ARGUMENTS_AT = 8  # after magic number and version
_FASTTEXT, _FLORET = 1, 2  # modes
_HEADER_FIELDS = 8
_CHUNK_NUMBERS = 1 << 20
# Of the tables that are made from fastText's n-grams: see `fitted`.
_HASHES = 3
_ROWS_PER_ITEM = 3.0
_TRIES = 8


def is_binary(head: bytes) -> bool:
    """Whether a file with fastText's magic number is floret's.

    Where fastText has a threshold of 1e-4 or so, floret has two small whole numbers, which read as
    a threshold of less than 1e-307.
    """
    if len(head) < _HEADER.size or head[:4] != struct.pack("<i", layout.MAGIC):
        return False
    mode, hash_count = struct.unpack_from("<2i", head, 52)
    (threshold,) = struct.unpack_from("<d", head, 56)
    return mode in (_FASTTEXT, _FLORET) and 1 <= hash_count <= 4 and 0 < threshold < 1e-300


def is_table(line: bytes | None) -> bool:
    """Whether a file with this first line is a table."""
    parts = (line or b"").split()
    return len(parts) == _HEADER_FIELDS and all(part.isdigit() for part in parts[:6])


def read(source: ByteSource) -> Embeddings:
    """Read a table: a model without words, in which every word has a vector.

    Raises
    ------
    ModelFormatError
        When a header field is impossible, or not every row is there once, in whole.
    """
    line = source.first_line() or b""
    try:
        fields = line.decode().split()
        buckets, dim, min_char, max_char, hash_count, seed = map(int, fields[:6])
        hashing = FloretHashing(min_char, max_char, hash_count, seed, buckets, *fields[6:])
    except (ValueError, TypeError) as error:
        raise ModelFormatError(source.path, f"its header {line!r} is wrong: {error}") from None
    check_header(source, buckets, dim, bytes_per_number=2)
    source.skip_line()
    collector = RowCollector(source.path, dim, buckets)
    read_lines(source, collector, dim, n_lines_before=1)
    arena, offsets, rows = collector.finish()
    order = _row_numbers(source.path, arena, offsets, buckets)
    if not np.array_equal(order, np.arange(buckets)):
        ordered = np.empty_like(rows)
        ordered[order] = rows
        rows = ordered
    return table_model(hashing, rows, {"source": "floret"})


def table_model(hashing: FloretHashing, rows: FloatMatrix, metadata: dict[str, Any]) -> Embeddings:
    """The model that a table is: one without words."""
    buckets, dim = rows.shape
    return Embeddings(
        vocabulary=Vocabulary.from_words([], [], 0),
        config=_config(hashing, vector_dim=dim),
        input=rows,
        output=np.empty((0, dim), np.float32),
        bucket_ids=np.arange(buckets, dtype=np.uint32),
        metadata=metadata,
        floret=hashing,
    )


def write(embeddings: Embeddings, path: str | os.PathLike[str]) -> None:
    """Write a table that spaCy reads; see `fitted` for models that floret did not make.

    Raises
    ------
    ModelFormatError
        When the model has no subwords.
    StorageError
        When the file cannot be written; what was at `path` is then untouched.
    """
    hashing, rows = table_of(embeddings, path)
    buckets, dim = rows.shape
    header = [buckets, dim, hashing.min_char, hashing.max_char, hashing.hash_count, hashing.seed]
    step = max(1, _CHUNK_NUMBERS // dim)
    with new_file(path) as file:
        file.write(f"{' '.join([*map(str, header), hashing.begin, hashing.end])}\n".encode())
        for first in range(0, buckets, step):
            some = rows[first : first + step]
            numbers = Vocabulary.from_words(
                map(str, range(first, first + len(some))), np.zeros(len(some), np.int64), 0
            )
            for lines in _native.format_vector_lines(numbers.arena, numbers.offsets, 0, some):
                file.write(lines)


def table_of(
    embeddings: Embeddings, path: str | os.PathLike[str]
) -> tuple[FloretHashing, FloatMatrix]:
    """The table of a model of floret's, or the `fitted` one of a model with fastText's n-grams."""
    if embeddings.floret is None:
        return fitted(embeddings, path)
    return embeddings.floret, embeddings.input[len(embeddings.vocabulary) :]


def fitted(
    embeddings: Embeddings, path: str | os.PathLike[str]
) -> tuple[FloretHashing, FloatMatrix]:
    """A table for a model with fastText's n-grams.

    Each word of the vocabulary has the vector that it has in the model. So has, but for its length,
    an unseen word whose n-grams all occur in words of the vocabulary: its vector is n / (n + 1)
    times as long, since floret counts the word among its n + 1 parts. Other n-grams and unseen
    words fall on rows of the table that are not theirs, where the model has zeros: noise, as in any
    table of floret's.

    The rows are the exact solution of one equation for each word and n-gram, with three hashes,
    three times as many rows as equations, and the first seed from floret's own on for which there
    is a solution.

    Raises
    ------
    ModelFormatError
        When the model has no subwords: there is nothing to say about unseen words.
    """
    config, vocabulary = embeddings.config, embeddings.vocabulary
    if not config.subwords:
        raise ModelFormatError(
            path,
            "not written: the model has no subwords, and a floret table gives every word a vector "
            "from its n-grams; write word2vec, which spaCy reads, too",
        )
    vectors = compose_words(embeddings, 0, len(vocabulary))
    for seed in range(SEED, SEED + _TRIES):
        hashing = FloretHashing(config.min_char, config.max_char, _HASHES, seed, 1)
        table = hashing.native.fit_table(
            vocabulary.arena, vocabulary.offsets, vectors, embeddings.input,
            embeddings.bucket_ids, config.buckets, _ROWS_PER_ITEM,
        )  # fmt: skip
        if table is not None:
            rows = np.asarray(table).reshape(-1, config.vector_dim)
            return dataclasses.replace(hashing, buckets=len(rows)), rows
    raise ModelFormatError(path, f"not written: no table was found with {_TRIES} seeds")


def read_binary(path: Path) -> Embeddings | Classifier:
    """Open floret's binary format. One that holds a fastText model is read as that.

    Raises
    ------
    FormatError
        When a field is impossible or missing, or something follows the last one.
    ModelFormatError
        For a classifier that floret trained on a table.
    """
    cursor = layout.Cursor(path)
    _, version, *arguments, mode, hash_count, update_rate, threshold = cursor.unpack(
        _HEADER.format, "arguments"
    )
    if version not in layout.VERSIONS:
        raise cursor.error("version", "11 or 12", version, 4)
    given = FastTextArguments._make([*arguments, update_rate, threshold])
    layout.check_arguments(cursor, given, _ARGUMENTS_AT)
    if mode == _FASTTEXT:
        return reading.read_model(cursor, version, given)
    if given.model == layout.SUPERVISED:
        raise ModelFormatError(
            path, "a classifier that floret trained on a table, which brasa cannot use"
        )
    if given.bucket < 1:
        at = _ARGUMENTS_AT + 4 * FastTextArguments._fields.index("bucket")
        raise cursor.error("bucket", "at least 1", given.bucket, at)
    words, _, rows, output, details = reading.read_body(cursor, version, given)
    if not isinstance(rows, np.ndarray):
        raise ModelFormatError(path, "a quantized floret table, which floret itself does not make")
    max_char = max(0, given.maxn)
    hashing = FloretHashing(
        min(max(0, given.minn), max(1, max_char)), max_char, hash_count, SEED, given.bucket
    )
    return Embeddings(
        vocabulary=words,
        config=dataclasses.replace(reading.config_of(given), **_subword_fields(hashing)),
        input=rows,
        output=output,
        bucket_ids=np.arange(given.bucket, dtype=np.uint32),
        metadata=reading.metadata_of(details) | {"source": "floret-binary"},
        fasttext=details,
        floret=hashing,
    )


def write_binary(embeddings: Embeddings, path: str | os.PathLike[str]) -> None:
    """Write floret's binary format: of its own model, or of one with fastText's n-grams.

    Raises
    ------
    ModelFormatError
        When the model has no words, or is a table that floret's program could not have made.
    StorageError
        When the file cannot be written; what was at `path` is then untouched.
    """
    hashing = embeddings.floret
    if not len(embeddings.vocabulary):
        raise ModelFormatError(path, "not written: floret's program needs words in a model")
    if hashing is not None and (hashing.seed, hashing.begin, hashing.end) != (SEED, "<", ">"):
        raise ModelFormatError(path, "not written: floret's program has another seed or marks")
    details = embeddings.fasttext
    if details is None or details.version not in layout.VERSIONS:
        details = FastTextDetails(layout.VERSIONS[-1], writing.arguments_of(embeddings))
        if hashing is not None:
            arguments = details.arguments._replace(minn=hashing.min_char, maxn=hashing.max_char)
            details = dataclasses.replace(details, arguments=arguments)
    mode, hash_count = (_FASTTEXT, 1) if hashing is None else (_FLORET, hashing.hash_count)
    *first, update_rate, threshold = details.arguments
    with new_file(path) as file:
        file.write(
            _HEADER.pack(
                layout.MAGIC, details.version, *first, mode, hash_count, update_rate, threshold
            )
        )
        writing.write_body(file, embeddings, details, path)


def _row_numbers(path: Path, arena: Any, offsets: Any, buckets: int) -> Any:
    """The numbers before the rows; each from 0 to buckets - 1 must be there once."""
    words = _native.decode_words(arena, offsets)
    bad = next((w for w in words if not (w.isascii() and w.isdigit() and len(w) < 11)), None)
    if bad is not None:
        raise ModelFormatError(path, f"a row is numbered {bad!r}")
    numbers = np.fromiter(map(int, words), np.int64, len(words))
    if not np.array_equal(np.sort(numbers), np.arange(buckets)):
        raise ModelFormatError(path, f"its rows are not numbered from 0 to {buckets - 1}")
    return numbers


def _subword_fields(hashing: FloretHashing) -> dict[str, Any]:
    """The nearest that brasa's hyperparameters can say; lookups use the hashing itself."""
    max_char = max(1, hashing.max_char)
    return {
        "subwords": True,
        "buckets": hashing.buckets,
        "min_char": min(max(1, hashing.min_char), max_char),
        "max_char": max_char,
    }


def _config(hashing: FloretHashing, vector_dim: int) -> WordVectorsConfig:
    return WordVectorsConfig(vector_dim=vector_dim, **_subword_fields(hashing))
