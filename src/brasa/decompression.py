"""Compressed text, told by its first bytes: gzip, bzip2, xz and Zstandard.

The standard library's file objects are not used: bz2 and lzma pass over what follows the first
stream in silence when it is broken, and the zstandard package's over the end of a truncated file.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from brasa.errors import CorpusError, MissingExtraError

# Output is produced in pieces of this size, however well the input is compressed.
PIECE_BYTES = 1 << 20
# Zstandard's decoder has no bound on its output, and 4 bytes of input can hold a block of 128 KiB:
# given no more than this at once, it makes 32 MiB at most.
_ZSTD_SLICE = 1024

# Given a decoder and input: pieces of output. The decoder then has `eof` and `unused_data`.
_Drain = Callable[[Any, bytes], Iterator[bytes]]


@dataclass(frozen=True)
class _Format:
    name: str
    suffixes: tuple[str, ...]
    matches: Callable[[bytes], bool]
    new_decoder: Callable[[], Any]
    drain: _Drain
    padding: bytes = b""  # bytes that may follow a stream


def is_compressed(head: bytes) -> bool:
    """Whether a file that begins with `head` is in one of the compressed formats."""
    return any(f.matches(head) for f in _FORMATS)


def decompress(head: bytes, rest: Iterator[bytes], name: str) -> Iterator[bytes]:
    """The text of a file, of which `head` holds the first bytes and `rest` the others.

    Raises
    ------
    CorpusError
        When the file is named as compressed but is not, is truncated, or is corrupt.
    MissingExtraError
        When it is Zstandard and the zstandard package is not installed.
    """
    found = next((f for f in _FORMATS if f.matches(head)), None)
    named = next((f for f in _FORMATS if PurePath(name).suffix.lower() in f.suffixes), None)
    if found is None and named is not None:
        problem = f"named as {named.name}, but does not begin as {named.name} data"
        raise CorpusError(f"{problem}; if it is plain text, rename it", source=name)
    if found is None:
        yield head
        yield from rest
    else:
        yield from _streams(found, head, rest, name)


def _streams(kind: _Format, head: bytes, rest: Iterator[bytes], name: str) -> Iterator[bytes]:
    """The output of all streams of a file, one behind the other."""
    decoder = None
    data = head
    while True:
        while data:
            if decoder is None:
                data = data.lstrip(kind.padding) if kind.padding else data
                if not data:
                    break
                decoder = kind.new_decoder()
            try:
                yield from kind.drain(decoder, data)
            except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, _zstd_error()) as e:
                raise CorpusError(f"corrupt {kind.name} data ({e})", source=name) from None
            data = b""
            if decoder.eof:
                data, decoder = decoder.unused_data, None
        data = next(rest, b"")
        if not data:
            break
    if decoder is not None:
        problem = f"truncated: the file ends within its {kind.name} data; fetch it again"
        raise CorpusError(problem, source=name)


def _drain_zlib(decoder: Any, data: bytes) -> Iterator[bytes]:
    while True:
        output = decoder.decompress(data, PIECE_BYTES)
        yield output
        data = decoder.unconsumed_tail
        if decoder.eof or (not data and len(output) < PIECE_BYTES):
            return


def _drain_standard(decoder: Any, data: bytes) -> Iterator[bytes]:
    yield decoder.decompress(data, PIECE_BYTES)
    while not decoder.eof and not decoder.needs_input:
        yield decoder.decompress(b"", PIECE_BYTES)


class _ZstdDecoder:
    """A decoder of one frame, which keeps what follows the frame."""

    def __init__(self) -> None:
        self._decoder = _import_zstandard().ZstdDecompressor().decompressobj()
        self.eof = False
        self.unused_data = b""

    def drain(self, data: bytes) -> Iterator[bytes]:
        outputs: list[bytes] = []
        n_bytes = 0
        for i in range(0, len(data), _ZSTD_SLICE):
            outputs.append(self._decoder.decompress(data[i : i + _ZSTD_SLICE]))
            n_bytes += len(outputs[-1])
            if self._decoder.eof:
                self.eof = True
                self.unused_data = self._decoder.unused_data + data[i + _ZSTD_SLICE :]
                break
            if n_bytes >= PIECE_BYTES:
                yield b"".join(outputs)
                outputs, n_bytes = [], 0
        yield b"".join(outputs)


def _import_zstandard() -> Any:
    try:
        import zstandard
    except ImportError:
        raise MissingExtraError("zstandard", "zstd", "reading .zst files") from None
    return zstandard


def _zstd_error() -> type[Exception]:
    try:
        import zstandard
    except ImportError:
        return EOFError
    return zstandard.ZstdError


def _is_zstd(head: bytes) -> bool:
    # A file may begin with a skippable frame, as those of pzstd do.
    skippable = head[1:4] == b"\x2a\x4d\x18" and 0x50 <= head[0] <= 0x5F
    return skippable or head.startswith(b"\x28\xb5\x2f\xfd")


def _is_bzip2(head: bytes) -> bool:
    # "BZh9" could begin a text; the marks of a block or of the end, which follow, could not.
    marks = (b"\x31\x41\x59\x26\x53\x59", b"\x17\x72\x45\x38\x50\x90")
    return head.startswith(b"BZh") and head[4:10] in marks


_FORMATS = (
    _Format(
        "gzip",
        (".gz",),
        lambda head: head.startswith(b"\x1f\x8b\x08"),
        lambda: zlib.decompressobj(wbits=31),
        _drain_zlib,
        padding=b"\0",
    ),
    _Format("bzip2", (".bz2",), _is_bzip2, bz2.BZ2Decompressor, _drain_standard),
    _Format(
        "xz",
        (".xz",),
        lambda head: head.startswith(b"\xfd7zXZ\0"),
        lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ),
        _drain_standard,
        padding=b"\0",
    ),
    _Format("Zstandard", (".zst", ".zstd"), _is_zstd, _ZstdDecoder, _ZstdDecoder.drain),
)
