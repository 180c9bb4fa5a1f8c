"""What the fields of a fastText file are, and a reader that goes from one to the next."""

from __future__ import annotations

import mmap
import os
import struct
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from brasa import _native
from brasa.config import MAX_VECTOR_DIM, ClassifierLoss
from brasa.encoding import available_threads
from brasa.errors import FormatError, StorageError
from brasa.parameters import FastTextArguments
from brasa.vocabulary import Vocabulary

if TYPE_CHECKING:
    from pathlib import Path

MAGIC = 793712314
VERSIONS = (11, 12)
HEADERLESS = 0  # the version of files from before there were versions
ARGUMENTS = struct.Struct("<12id")
START_BYTES = ARGUMENTS.size  # what `looks_like` wants to see
DICTIONARY = "<3iq"
LOSSES: dict[ClassifierLoss, int] = {"hs": 1, "ns": 2, "softmax": 3, "ova": 4}
CBOW, SKIPGRAM, SUPERVISED = 1, 2, 3
NOT_PRUNED = -1
WORD, LABEL = 0, 1  # kinds of entries
_PIECE_BYTES = 1 << 24  # which a thread reads at a time

# What each argument may be: wide enough for every model that fastText can have trained.
_RANGES = {
    "dim": (1, MAX_VECTOR_DIM),
    "min_count": (-(2**31), 2**31 - 1),
    "word_ngrams": (0, 100),
    "loss": (1, 4),
    "model": (1, 3),
    "bucket": (0, 2**31 - 1),
    "minn": (-1, 64),
    "maxn": (-1, 64),
}


def looks_like(start: bytes) -> bool:
    """Whether the first `START_BYTES` bytes of a file are those of a fastText file, old or new."""
    if start[:4] == MAGIC.to_bytes(4, "little"):
        return True
    if len(start) < ARGUMENTS.size:
        return False
    arguments = FastTextArguments(*ARGUMENTS.unpack_from(start))
    return not any(bad_arguments(arguments))


def bad_arguments(arguments: FastTextArguments) -> list[tuple[str, str]]:
    """Names of the arguments that are out of range, with their ranges in words."""
    bad = [
        (name, f"between {low} and {high}")
        for name, (low, high) in _RANGES.items()
        if not low <= getattr(arguments, name) <= high
    ]
    if not 0 <= arguments.t < 1e9:
        bad.append(("t", "a number that is not negative"))
    return bad


def check_arguments(cursor: Cursor, arguments: FastTextArguments, start: int) -> None:
    """Refuse the first argument that is out of range; the first of all lies at byte `start`."""
    for name, allowed in bad_arguments(arguments):
        at = start + 4 * FastTextArguments._fields.index(name)
        raise cursor.error(name, allowed, getattr(arguments, name), at)


class Cursor:
    """Reads a file from its start to its end, and says what is wrong where.

    The file is mapped. Arrays are views of the mapping, except those of floats that do not lie at a
    multiple of four bytes: these are read into memory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        try:
            with path.open("rb") as file:
                self.size = os.fstat(file.fileno()).st_size
                if self.size == 0:
                    raise FormatError(path, "magic number", 0, "4 bytes", "an empty file")
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            if isinstance(error, FormatError):
                raise
            raise StorageError(path, f"cannot be read: {error}") from error
        self._mapped = mapped
        self._bytes: npt.NDArray[np.uint8] = np.frombuffer(mapped, np.uint8)

    def error(self, field: str, expected: str, found: object, offset: int) -> FormatError:
        """The error to raise for a field that starts at `offset`."""
        return FormatError(self.path, field, offset, expected, str(found))

    def unpack(self, layout: str, field: str) -> tuple[Any, ...]:
        """The next values, in the notation of `struct`."""
        start = self._claim(struct.calcsize(layout), field)
        return struct.unpack_from(layout, self._mapped, start)

    def flag(self, field: str) -> bool:
        """The next byte, 0 or 1."""
        (value,) = self.unpack("<B", field)
        if value > 1:
            raise self.error(field, "0 or 1", value, self.offset - 1)
        return bool(value)

    def codes(self, n: int, field: str) -> npt.NDArray[np.uint8]:
        """The next `n` bytes."""
        start = self._claim(n, field)
        return self._bytes[start : start + n]

    def integers(self, n: int, field: str) -> npt.NDArray[np.int32]:
        """The next `n` int32."""
        return self._copy_if_unaligned(self._claim(4 * n, field), n, np.dtype("<i4"))

    def floats(self, n: int, field: str) -> npt.NDArray[np.float32]:
        """The next `n` float32."""
        return self._copy_if_unaligned(self._claim(4 * n, field), n, np.dtype("<f4"))

    def entries(self, n: int, kind: int, first: int, n_tokens: int) -> Vocabulary:
        """The next `n` entries of the dictionary, numbered from `first`."""
        try:
            arena, offsets, counts, n_bytes = _native.parse_dictionary(
                self._bytes[self.offset :], n, kind, first
            )
        except _native.DictionaryError as error:
            field, offset, expected, found = error.args
            raise self.error(field, expected, found, self.offset + offset) from None
        self.offset += n_bytes
        return Vocabulary.from_arrays(arena, offsets, counts, n_tokens)

    def end(self) -> None:
        """Nothing may follow."""
        if self.offset != self.size:
            found = f"{self.size - self.offset} more bytes"
            raise self.error("end of the model", "the end of the file", found, self.offset)

    def _claim(self, n_bytes: int, field: str) -> int:
        start, left = self.offset, self.size - self.offset
        if n_bytes > left:
            raise self.error(field, f"{n_bytes} bytes", f"{left} up to the end of the file", start)
        self.offset += n_bytes
        return start

    def _copy_if_unaligned(self, start: int, n: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        if start % dtype.itemsize == 0 or n == 0:
            return self._bytes[start : start + n * dtype.itemsize].view(dtype)
        # Not NumPy's memory, of huge pages, for which the system may have to look: 856 MB took 0.13
        # to 1.6 s to fill, these take 0.3 to 0.5.
        values = np.frombuffer(mmap.mmap(-1, n * dtype.itemsize, mmap.MAP_PRIVATE), dtype)
        try:
            with self.path.open("rb", buffering=0) as file:
                _read_into(file.fileno(), start, values.view(np.uint8))
        except OSError as error:
            raise StorageError(self.path, f"cannot be read: {error}") from error
        return values


def _read_into(descriptor: int, start: int, target: npt.NDArray[np.uint8]) -> None:
    """Fill an array with a file's bytes from `start` on, by several threads.

    What takes time is not the copy but the memory, which the system clears page by page: one thread
    read 1.2 GB/s, two 2.4 (medians of 6 and 8).
    """

    def read(begin: int) -> None:
        piece = target.data[begin : begin + _PIECE_BYTES]
        done = 0
        while done < len(piece):
            n = os.preadv(descriptor, [piece[done:]], start + begin + done)
            if n == 0:
                raise OSError("the file became shorter while it was read")
            done += n

    with ThreadPoolExecutor(available_threads()) as threads:
        for _ in threads.map(read, range(0, len(target), _PIECE_BYTES)):
            pass
