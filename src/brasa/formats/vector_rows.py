"""Words and their rows out of files that have nothing else: what their readers share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from brasa import _native
from brasa.config import MAX_VECTOR_DIM, WordVectorsConfig
from brasa.errors import ConfigError, ModelFormatError
from brasa.parameters import Embeddings
from brasa.vocabulary import Vocabulary

if TYPE_CHECKING:
    from pathlib import Path

    from brasa.formats.source import ByteArray, ByteSource
    from brasa.parameters import FloatMatrix

_WINDOW = 32 << 20
_MAX_LINE = 64 << 20


class RowCollector:
    """Grows a matrix and the words of its rows, a window of the file at a time.

    Parameters
    ----------
    path : path
        For messages.
    dim : int
    n_words : int or None
        How many a header promises: more are refused, and fewer, too.
    """

    def __init__(self, path: Path, dim: int, n_words: int | None) -> None:
        self._path, self._n_words = path, n_words
        self._rows = np.empty((n_words or 0, dim), np.float32)
        self._words: list[ByteArray] = []
        self._ends: list[npt.NDArray[np.int64]] = [np.zeros(1, np.int64)]
        self.n_rows = 0

    def add(self, rows: FloatMatrix, words: ByteArray, ends: npt.NDArray[np.int64]) -> None:
        """Append words and their rows."""
        stop = self.n_rows + len(rows)
        if self._n_words is not None and stop > self._n_words:
            raise ModelFormatError(
                self._path, f"its header says {self._n_words} words, and it has more"
            )
        if stop > len(self._rows):
            grown = np.empty((max(stop, len(self._rows) * 3 // 2), rows.shape[1]), np.float32)
            grown[: self.n_rows] = self._rows[: self.n_rows]
            self._rows = grown
        self._rows[self.n_rows : stop] = rows
        self.n_rows = stop
        self._words.append(words)
        self._ends.append(ends + self._ends[-1][-1])

    def reserve(self, n_rows: int) -> None:
        """Set memory aside for this many rows, a guess."""
        if n_rows > len(self._rows) and not self.n_rows:
            self._rows = np.empty((n_rows, self._rows.shape[1]), np.float32)

    def finish(self) -> tuple[ByteArray, npt.NDArray[np.int64], FloatMatrix]:
        """The words' bytes, where each begins, and the rows."""
        if self._n_words is not None and self.n_rows != self._n_words:
            raise ModelFormatError(
                self._path,
                f"truncated: its header says {self._n_words} words, and it has {self.n_rows}",
            )
        if not self.n_rows:
            raise ModelFormatError(self._path, "has no words")
        arena = np.concatenate(self._words)
        return arena, np.concatenate(self._ends), self._rows[: self.n_rows]


def check_header(source: ByteSource, n_words: int, dim: int, bytes_per_number: int) -> None:
    """Refuse what a header promises and the file cannot hold, before memory is set aside."""
    if not 1 <= dim <= MAX_VECTOR_DIM:
        raise ModelFormatError(
            source.path, f"its vectors have {dim} numbers; brasa holds 1 to {MAX_VECTOR_DIM}"
        )
    if n_words * dim * bytes_per_number > source.bound:
        raise ModelFormatError(
            source.path,
            f"truncated or lying: its header says {n_words} words of {dim} numbers, more than "
            f"{source.bound} bytes can hold",
        )


def check_finite(path: Path | str, *matrices: FloatMatrix) -> None:
    """Refuse NaN and infinity."""
    if not all(np.isfinite(matrix).all() for matrix in matrices):
        raise ModelFormatError(path, "has numbers that are not finite, or too large")


def read_lines(source: ByteSource, rows: RowCollector, dim: int, n_lines_before: int) -> None:
    """Read all lines that are left, each a word and its numbers.

    Raises
    ------
    ModelFormatError
        For a line with more or fewer numbers, something that is no finite number, no word; for
        words more than the header says; when the last line has no end.
    """
    size, n_lines, n_bytes = _WINDOW, n_lines_before, 0
    while len(text := source.window(size)):
        found, words, ends, consumed, n_read, problem = _native.parse_vector_lines(text, dim)
        if problem:
            why = problem.decode("utf-8", "backslashreplace")
            raise ModelFormatError(source.path, f"line {n_lines + n_read + 1}: {why}")
        if not consumed and len(text) < size:
            raise ModelFormatError(
                source.path,
                f"line {n_lines + 1} has no line end: the file may be truncated; "
                "if it is whole, add one",
            )
        if not consumed and size >= _MAX_LINE:
            raise ModelFormatError(source.path, f"line {n_lines + 1} is over {size} bytes long")
        if not consumed:
            size *= 2
            continue
        n_bytes += consumed
        if not source.compressed:
            rows.reserve(int(len(found) * source.bound / n_bytes * 1.02))
        rows.add(found, words, ends)
        source.skip(consumed)
        n_lines += n_read


def word_vectors(
    path: Path | str,
    arena: ByteArray,
    offsets: npt.NDArray[np.int64],
    rows: FloatMatrix,
    metadata: dict[str, Any],
    counts: npt.NDArray[np.int64] | None = None,
) -> Embeddings:
    """A model without subwords. Of equal words the first counts, as in gensim, with a note.

    Counts are 0 where the file has none; output rows there are none.
    """
    n_words, dim = rows.shape
    if counts is None:
        counts = np.zeros(n_words, np.int64)
    try:
        index = _native.WordIndex(arena, offsets)
        if index.n_duplicates:
            words = _native.decode_words(arena, offsets)
            kept = index.find_all(words) == np.arange(n_words)
            note = f"{n_words - kept.sum()} words were there twice: the first of each was kept"
            metadata = {**metadata, "notes": [*metadata.get("notes", []), note]}
            lengths = np.diff(offsets)
            arena = arena[np.repeat(kept, lengths)]
            offsets = np.concatenate([[0], np.cumsum(lengths[kept])]).astype(np.int64)
            rows, counts = rows[kept], counts[kept]
        vocabulary = Vocabulary.from_arrays(arena, offsets, counts, int(counts.sum()))
        config = WordVectorsConfig(vector_dim=dim, subwords=False)
    except (ModelFormatError, ConfigError, ValueError) as error:
        raise ModelFormatError(path, str(error)) from None
    return Embeddings(
        vocabulary=vocabulary,
        config=config,
        input=rows,
        output=np.empty((0, dim), np.float32),
        bucket_ids=np.empty(0, np.uint32),
        metadata=metadata,
    )
