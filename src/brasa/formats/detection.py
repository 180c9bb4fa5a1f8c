"""Which format a file has, told by its content: its name says nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from brasa.errors import ModelFormatError, StorageError
from brasa.formats import fasttext, finalfusion, floret, glove, hub, index_file, native, word2vec

if TYPE_CHECKING:
    import os

    from brasa.formats.source import ByteSource

_PRINTABLE = bytes([9, 13, *range(32, 127)])


def model_file(path: str | os.PathLike[str]) -> Path:
    """The file that holds the model: `path` itself, or the one in the folder at `path`.

    That is brasa's own, or else the `model.bin` of the Hub.

    Raises
    ------
    StorageError
        When there is nothing at `path`, or it cannot be read.
    ModelFormatError
        When it is a folder of something else, or no plain file.
    """
    place = Path(path)
    try:
        file = place / native.TENSORS if place.is_dir() else place
        if not file.exists() and (place / hub.MODEL).is_file():
            file = place / hub.MODEL
        if not place.exists():
            raise StorageError(place, "there is no such file or folder")
        if not file.exists():
            raise ModelFormatError(place, f"not a brasa model: the folder has no {native.TENSORS}")
        if not file.is_file():
            raise ModelFormatError(place, "not a brasa model: not a plain file")
    except (OSError, ValueError) as error:
        if isinstance(error, (StorageError, ModelFormatError)):
            raise
        raise StorageError(path, f"cannot be read: {error}") from error
    return file


def format_of(source: ByteSource) -> str | None:
    """Name of the format, of what a compressed file holds too; None for an unknown one."""
    head = source.window(256).tobytes()
    if head.startswith(index_file.MAGIC):
        return "index"
    if head.startswith(finalfusion.MAGIC):
        return "finalfusion"
    if floret.is_binary(head):
        return "floret-binary"
    if fasttext.looks_like(head[: fasttext.START_BYTES]):
        return "fasttext"
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 2**32:
        return "native"
    line = source.first_line()
    header = word2vec.parse_header(line)
    if line is not None and header is not None:
        return "word2vec" if _is_text(source, len(line), header[1]) else "word2vec-binary"
    if floret.is_table(line):
        return "floret"
    return "glove" if glove.numbers_of(line) is not None else None


def _is_text(source: ByteSource, header_length: int, dim: int) -> bool:
    """Whether the first word is followed by text: floats are not printable for long."""
    data = source.window(1 << 16).tobytes()[header_length:].lstrip(b"\r\n")
    numbers = data.partition(b" ")[2][: 4 * max(1, dim)]
    return not numbers.partition(b"\n")[0].translate(None, _PRINTABLE)
