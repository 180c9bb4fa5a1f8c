"""GloVe's text format: word2vec's lines without the line ``n_words dim`` before them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brasa.errors import ModelFormatError
from brasa.formats import word2vec
from brasa.formats.storage import new_file
from brasa.formats.vector_rows import RowCollector, check_header, read_lines, word_vectors

if TYPE_CHECKING:
    import os

    from brasa.formats.source import ByteSource
    from brasa.parameters import Embeddings


def write(embeddings: Embeddings, path: str | os.PathLike[str]) -> None:
    """Write the words' vectors, a line a word, with five significant digits.

    Raises as `word2vec.write`.
    """
    word2vec.refuse_spaces(embeddings, path, "glove")
    with new_file(path) as file:
        word2vec.write_lines(embeddings, file)


def read(source: ByteSource) -> Embeddings:
    """Read lines of words and numbers; the first line tells how many numbers there are.

    A file that was cut off at a line end cannot be told from a whole one: there is no count.

    Raises
    ------
    ModelFormatError
        When a line is ragged or has something else than finite numbers.
    """
    dim = numbers_of(source.first_line())
    if dim is None:
        raise ModelFormatError(source.path, "its first line is not a word and its numbers")
    check_header(source, 1, dim, 2)
    rows = RowCollector(source.path, dim, None)
    read_lines(source, rows, dim, n_lines_before=0)
    return word_vectors(source.path, *rows.finish(), {"source": "glove"})


def numbers_of(line: bytes | None) -> int | None:
    """How many numbers follow the word in a first line; None when that is not what it is."""
    parts = (line or b"").split()
    if line is None or len(parts) < 2 or line[:1].isspace():
        return None
    dim = sum(_is_number(part) for part in parts[1:])
    return dim if dim and all(map(_is_number, parts[len(parts) - dim :])) else None


def _is_number(text: bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return b"_" not in text
