"""word2vec's text format: `vectors.txt` of BlazingText, `.vec` of fastText."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brasa import _native
from brasa.formats.storage import new_file
from brasa.lookup import compose_words

if TYPE_CHECKING:
    import os

    from brasa.parameters import Embeddings

_CHUNK_NUMBERS = 1 << 20  # 4 MB of vectors, about 10 MB of text


def write(embeddings: Embeddings, path: str | os.PathLike[str]) -> None:
    """Write the words' vectors as text: a line ``n_words dim``, then a line a word.

    Numbers have five significant digits, as in fastText's `.vec`. N-grams are not in this format:
    each vector is the word's whole one, the mean of its rows.

    Raises
    ------
    StorageError
        When the file cannot be written; what was at `path` is then untouched.
    """
    vocabulary, dim = embeddings.vocabulary, embeddings.config.vector_dim
    step = max(1, _CHUNK_NUMBERS // dim)
    with new_file(path) as file:
        file.write(f"{len(vocabulary)} {dim}\n".encode())
        for first in range(0, len(vocabulary), step):
            vectors = compose_words(embeddings, first, min(first + step, len(vocabulary)))
            for lines in _native.format_vector_lines(
                vocabulary.arena, vocabulary.offsets, first, vectors
            ):
                file.write(lines)
