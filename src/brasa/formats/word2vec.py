"""word2vec's formats: text (`vectors.txt` of BlazingText, `.vec` of fastText) and binary.

Both begin with a line ``n_words dim``. A line of text is the word and its numbers; fastText writes
five significant digits and a space after the last. A binary record is the word, a space and
little-endian floats, followed by a line end in files of word2vec's own program, not of gensim's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from brasa import _native
from brasa.errors import ModelFormatError
from brasa.formats.source import ByteSource
from brasa.formats.storage import new_file
from brasa.formats.vector_rows import RowCollector, check_header, read_lines, word_vectors
from brasa.lookup import compose_words

if TYPE_CHECKING:
    import os

    from brasa.parameters import Embeddings

_CHUNK_NUMBERS = 1 << 20  # 4 MB of vectors, about 10 MB of text
_WINDOW = 32 << 20
_MAX_HEADER = 64
_SPACES = np.frombuffer(b" \t\n\v\f\r", np.uint8)


def write(embeddings: Embeddings, path: str | os.PathLike[str]) -> None:
    """Write the words' vectors as text: a line ``n_words dim``, then a line a word.

    Numbers have five significant digits, as in fastText's `.vec`. N-grams are not in this format:
    each vector is the word's whole one, the mean of its rows.

    Raises
    ------
    StorageError
        When the file cannot be written; what was at `path` is then untouched.
    ModelFormatError
        When a word has white space in it, which the format cannot hold.
    """
    vocabulary, dim = embeddings.vocabulary, embeddings.config.vector_dim
    refuse_spaces(embeddings, path, "word2vec")
    with new_file(path) as file:
        file.write(f"{len(vocabulary)} {dim}\n".encode())
        write_lines(embeddings, file)


def write_lines(embeddings: Embeddings, file: BinaryIO) -> None:
    """Write a line for each word."""
    vocabulary = embeddings.vocabulary
    step = max(1, _CHUNK_NUMBERS // embeddings.config.vector_dim)
    for first in range(0, len(vocabulary), step):
        vectors = compose_words(embeddings, first, min(first + step, len(vocabulary)))
        for lines in _native.format_vector_lines(
            vocabulary.arena, vocabulary.offsets, first, vectors
        ):
            file.write(lines)


def write_binary(embeddings: Embeddings, path: str | os.PathLike[str]) -> None:
    """Write word2vec's binary format, exact to the last bit, each record followed by a line end.

    Raises as `write`.
    """
    vocabulary, dim = embeddings.vocabulary, embeddings.config.vector_dim
    refuse_spaces(embeddings, path, "word2vec-binary")
    step = max(1, _CHUNK_NUMBERS // dim)
    with new_file(path) as file:
        file.write(f"{len(vocabulary)} {dim}\n".encode())
        for first in range(0, len(vocabulary), step):
            last = min(first + step, len(vocabulary))
            vectors = np.ascontiguousarray(compose_words(embeddings, first, last), "<f4")
            offsets = vocabulary.offsets[first : last + 1]
            text = vocabulary.arena[offsets[0] : offsets[-1]].tobytes()
            ends = (offsets - offsets[0]).tolist()
            file.write(
                b"".join(
                    text[ends[i] : ends[i + 1]] + b" " + vectors[i].tobytes() + b"\n"
                    for i in range(last - first)
                )
            )


def read(source: ByteSource) -> Embeddings:
    """Read text with a header.

    Raises
    ------
    ModelFormatError
        When a line is ragged or has something else than finite numbers, and when there are more
        or fewer words than the header says.
    """
    n_words, dim = _take_header(source, bytes_per_number=2)
    rows = RowCollector(source.path, dim, n_words)
    read_lines(source, rows, dim, n_lines_before=1)
    return word_vectors(source.path, *rows.finish(), {"source": "word2vec"})


def read_binary(source: ByteSource) -> Embeddings:
    """Read the binary format, of word2vec and of gensim.

    Raises
    ------
    ModelFormatError
        When there are more or fewer words than the header says, no word where one should be, or
        a number is not finite.
    """
    n_words, dim = _take_header(source, bytes_per_number=4)
    rows = RowCollector(source.path, dim, n_words)
    while rows.n_rows < n_words:
        data = source.window(_WINDOW)
        n_read, found, words, ends, consumed, problem = _native.parse_vector_records(
            data, dim, n_words - rows.n_rows
        )
        if problem:
            why = problem.decode("utf-8", "backslashreplace")
            raise ModelFormatError(source.path, f"word {rows.n_rows + n_read + 1}: {why}")
        if not n_read:
            break
        rows.add(found.reshape(n_read, dim), words, ends)
        source.skip(consumed)
    rest = source.window(2).tobytes()
    if rows.n_rows == n_words and rest not in (b"", b"\n"):
        raise ModelFormatError(source.path, f"bytes follow the {n_words} words of its header")
    return word_vectors(source.path, *rows.finish(), {"source": "word2vec-binary"})


def parse_header(line: bytes | None) -> tuple[int, int] | None:
    """``n_words dim`` of a first line, or None when it is another line."""
    parts = (line or b"").split()
    if line is None or len(line) > _MAX_HEADER or len(parts) != 2:
        return None
    if not all(part.isdigit() and len(part) < 20 for part in parts):
        return None
    return int(parts[0]), int(parts[1])


def refuse_spaces(embeddings: Embeddings, path: str | os.PathLike[str], format: str) -> None:
    """Refuse words that would end too early in a text file."""
    arena, offsets = embeddings.vocabulary.arena, embeddings.vocabulary.offsets
    places = np.flatnonzero(np.isin(arena, _SPACES))
    empty = np.flatnonzero(offsets[1:] == offsets[:-1])
    if len(places) or len(empty):
        index = int(np.searchsorted(offsets, places[0], "right")) - 1 if len(places) else empty[0]
        word = embeddings.vocabulary.word(int(index))
        raise ModelFormatError(
            path, f"not written: the word {word!r} has white space or nothing in it, which the "
            f"{format} format cannot hold"
        )  # fmt: skip


def _take_header(source: ByteSource, bytes_per_number: int) -> tuple[int, int]:
    line = source.first_line()
    header = parse_header(line)
    if header is None or line is None:
        raise ModelFormatError(source.path, "does not begin with a line 'n_words dim'")
    check_header(source, *header, bytes_per_number)
    source.skip_line()
    return header
