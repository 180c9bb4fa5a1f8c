"""Pipe mode: a named pipe for each pass over a channel, written for as long as somebody reads.

RecordIO as in Apache MXNet: magic number, length in 29 bits, data, zeros up to a multiple of four.
"""

from __future__ import annotations

import errno
import json
import os
import struct
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from brasa.platform.store import Document

_MAGIC = 0xCED7230A
_PIECE = 1 << 20
_MAX_RECORD = 1 << 29


class Pipe:
    """The pipes ``CHANNEL_0``, ``CHANNEL_1``, ... of one channel.

    Parameters
    ----------
    folder : Path
        Where they are made.
    channel : dict
    files : list of Path
        What one pass has.
    """

    def __init__(self, folder: Path, channel: Document, files: list[Path]) -> None:
        self._folder, self._channel, self._files = folder, channel, files
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._feed, daemon=True)

    def start(self) -> None:
        """Make the first pipe, and wait for a reader."""
        os.mkfifo(self._path(0))
        self._thread.start()

    def close(self) -> None:
        """Write no more."""
        self._closed.set()
        self._thread.join(5)

    def _path(self, epoch: int) -> Path:
        return self._folder / f"{self._channel['ChannelName']}_{epoch}"

    def _feed(self) -> None:
        epoch = 0
        while not self._closed.is_set():
            descriptor = self._opened(self._path(epoch))
            if descriptor is None:
                return
            try:
                # The next one is there before this one ends: the reader opens it at once.
                os.mkfifo(self._path(epoch + 1))
                for piece in self._pieces():
                    if not self._write(descriptor, piece):
                        break
            finally:
                os.close(descriptor)
            epoch += 1

    def _opened(self, path: Path) -> int | None:
        while not self._closed.is_set():
            try:
                return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                if error.errno != errno.ENXIO:  # nobody reads yet
                    return None
                time.sleep(0.01)
        return None

    def _write(self, descriptor: int, data: bytes) -> bool:
        view = memoryview(data)
        while view and not self._closed.is_set():
            try:
                view = view[os.write(descriptor, view) :]
            except BlockingIOError:
                time.sleep(0.001)
            except BrokenPipeError:  # the reader has enough
                return False
        return not view

    def _pieces(self) -> Iterator[bytes]:
        source = self._channel["DataSource"]["S3DataSource"]
        wrapped = self._channel.get("RecordWrapperType") == "RecordIO"
        if source["S3DataType"] == "AugmentedManifestFile":
            for file in self._files:
                with file.open("rb") as lines:
                    for line in lines:
                        if line.strip():
                            yield from _attributes(line, source.get("AttributeNames", []), wrapped)
            return
        for file in self._files:
            if wrapped:
                yield _record(file.read_bytes())
                continue
            with file.open("rb") as stream:
                while piece := stream.read(_PIECE):
                    yield piece


def _attributes(line: bytes, names: list[str], wrapped: bool) -> Iterator[bytes]:
    try:
        values = json.loads(line)
        parts = [values[name] for name in names]
    except (ValueError, KeyError, TypeError):
        parts = [line.decode(errors="replace")]  # the container says what is wrong with it
    for part in parts:
        text = part if isinstance(part, str) else json.dumps(part)
        yield _record(text.encode()) if wrapped else text.encode() + b"\n"


def _record(data: bytes) -> bytes:
    """Long data in parts, as the format has them: first, middle, last."""
    out = []
    pieces = [data[i : i + _MAX_RECORD - 4] for i in range(0, len(data), _MAX_RECORD - 4)] or [b""]
    for i, piece in enumerate(pieces):
        kind = 0 if len(pieces) == 1 else 1 if i == 0 else 3 if i == len(pieces) - 1 else 2
        out += [
            struct.pack("<II", _MAGIC, kind << 29 | len(piece)),
            piece,
            b"\0" * (-len(piece) % 4),
        ]
    return b"".join(out)
