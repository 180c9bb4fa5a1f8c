"""RecordIO, in which SageMaker wraps the attributes of augmented manifests in Pipe mode.

A record is MXNet's: the number 0xced7230a and a length, both little-endian and of 32 bits, then the
bytes, then zeros up to a multiple of 4. The length's upper three bits say which part of a longer
record it is (0: all of it; 1, 2, 3: first, middle, last). Parts are joined by the number.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

from brasa.sagemaker.errors import ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = 0xCED7230A
_HEAD = struct.Struct("<II")
_LENGTH = (1 << 29) - 1
_MOST_BYTES = 1 << 24  # of a text: BlazingText's are lines
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)


def read_records(file: BinaryIO, name: str) -> Iterator[bytes]:
    """The records of a stream, one after the other.

    Raises
    ------
    ClientError
        When it is something else, is cut off, or a record is longer than 16 MB.
    """
    offset = 0
    parts: list[bytes] = []
    while head := _exactly(file, _HEAD.size, name, offset, may_end=not parts):
        magic, word = _HEAD.unpack(head)
        length, part = word & _LENGTH, word >> 29
        if magic != MAGIC:
            raise ClientError(f"{name}: no RecordIO record at byte {offset}")
        if length > _MOST_BYTES or sum(map(len, parts)) > _MOST_BYTES:
            raise ClientError(f"{name}: a record at byte {offset} is longer than {_MOST_BYTES}")
        if part > _LAST or (part in (_MIDDLE, _LAST)) != bool(parts):
            raise ClientError(f"{name}: a record at byte {offset} is a part of no other")
        padded = -(-length // 4) * 4
        parts.append(_exactly(file, padded, name, offset + _HEAD.size)[:length])
        offset += _HEAD.size + padded
        if part in (_WHOLE, _LAST):
            yield struct.pack("<I", MAGIC).join(parts)
            parts = []


def _exactly(file: BinaryIO, n: int, name: str, offset: int, *, may_end: bool = False) -> bytes:
    content = file.read(n)
    while content and len(content) < n:  # a pipe gives what it has
        more = file.read(n - len(content))
        if not more:
            break
        content += more
    if len(content) < n and (content or not may_end):
        raise ClientError(f"{name}: cut off at byte {offset + len(content)}")
    return content
