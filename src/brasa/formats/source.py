"""The bytes of a model file from front to back, plain or compressed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import numpy.typing as npt

from brasa.decompression import decompress, is_compressed
from brasa.errors import CorpusError, ModelFormatError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

ByteArray = npt.NDArray[np.uint8]

_PIECE = 1 << 20
_MAX_FIRST_LINE = 1 << 16
# bzip2 packs best: 46 bytes of it can hold 45 MB of one letter. A file that is larger than this
# many times its compressed size is not made of vectors.
_MAX_RATIO = 100


class ByteSource:
    """A file read in windows that the reader chooses.

    A plain file is mapped, so a window costs nothing; a compressed one is decoded as it is read,
    and never held whole.

    Attributes
    ----------
    path : Path
    compressed : bool
    bound : int
        More bytes than this the content does not have: what a header promises can be held
        against it before memory is set aside.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._position = 0
        try:
            size = self.path.stat().st_size
            with self.path.open("rb") as file:
                self.compressed = is_compressed(file.read(16))
            self.bound = size * _MAX_RATIO if self.compressed else size
            if self.compressed:
                self._pieces: Iterator[bytes] = _decode(self.path)
                self._buffer = b""
            elif size:
                self._mapped: ByteArray = np.memmap(self.path, np.uint8, "r").view(np.ndarray)
            else:
                self._mapped = np.empty(0, np.uint8)
        except (OSError, ValueError) as error:
            raise StorageError(path, f"cannot be read: {error}") from error

    def window(self, n_bytes: int) -> ByteArray:
        """The next `n_bytes`, fewer only at the end of the content; they are not used up."""
        if not self.compressed:
            return self._mapped[self._position : self._position + n_bytes]
        if len(self._buffer) < n_bytes:
            pieces, size = [self._buffer], len(self._buffer)
            for piece in self._pieces:
                pieces.append(piece)
                size += len(piece)
                if size >= n_bytes:
                    break
            self._buffer = b"".join(pieces)
        return np.frombuffer(self._buffer, np.uint8)[:n_bytes]

    def skip(self, n_bytes: int) -> None:
        """Use up bytes of the last window."""
        self._position += n_bytes
        if self.compressed:
            self._buffer = self._buffer[n_bytes:]
            if self._position > self.bound:
                raise ModelFormatError(
                    self.path, f"its content is over {_MAX_RATIO} times its size: decompress it"
                )

    def first_line(self) -> bytes | None:
        """The next line without its end; None when none ends within 64 KiB. It is not used up."""
        line, end, _ = self._line()
        return line.removesuffix(b"\r") if end else None

    def skip_line(self) -> None:
        """Use up the line that `first_line` gives."""
        line, end, _ = self._line()
        self.skip(len(line) + len(end))

    def _line(self) -> tuple[bytes, bytes, bytes]:
        return self.window(_MAX_FIRST_LINE).tobytes().partition(b"\n")


def _decode(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from decompress(file.read(_PIECE), _pieces(file), str(path))
    except CorpusError as error:
        problem = str(error).removeprefix(f"{path}: ")
        raise ModelFormatError(path, problem) from None
    except OSError as error:
        raise StorageError(path, f"cannot be read: {error.strerror or error}") from error


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece
