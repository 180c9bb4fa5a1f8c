"""Where text comes from: files, folders, patterns, standard input, or Python iterables."""

from __future__ import annotations

import glob
import io
import itertools
import os
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from brasa.config import TextOptions
from brasa.decompression import decompress
from brasa.errors import CorpusError, StorageError
from brasa.lines import ITERABLE, read_lines

STDIN = "<stdin>"
MAX_TOKEN_BYTES = 1 << 20  # as in the native core, which refuses longer ones

_WHITE_SPACE = (b" ", b"\n", b"\t", b"\r", b"\v", b"\f")
_READ_BYTES = 1 << 18  # of 64 KiB to 4 MiB the fastest: it stays in the second-level cache
_HEAD_BYTES = 16  # enough to tell a compressed file
_Read = Callable[[int], bytes | None]


class Corpus:
    r"""Text to train on.

    Parameters
    ----------
    source : path, list of paths, or iterable
        - a file, plain or compressed (gzip, bzip2, xz, Zstandard; told by its content);
        - a folder: all files in it and below, sorted by path, without hidden ones;
        - a pattern such as ``"news/*.gz"`` (``**`` crosses folders);
        - ``"-"``: standard input;
        - a list or tuple of these;
        - an iterable of `str`, each of them a line, with or without ``"\n"`` at its end;
        - an iterable of lists of tokens, each list a line.

        A list or tuple of `str` holds paths if its first item names something that exists or has
        no white space in it, otherwise lines.
    text_options : TextOptions, optional
        Lower-casing, Unicode normalization, what to do with bytes that are not UTF-8.

    Notes
    -----
    Words are separated by ASCII white space; every ``"\n"`` counts as the token ``</s>``, as in
    fastText, and one is supplied between two files if the first does not end with it. Everything
    is read once, from the beginning to the end, so any iterator will do.
    """

    def __init__(self, source: Any, text_options: TextOptions | None = None) -> None:
        self.text_options = text_options or TextOptions()
        self._paths: list[Any] | None = None
        self._lines: Iterable[Any] = ()
        if isinstance(source, (bytes, bytearray, memoryview, Mapping)):
            kind = type(source).__name__
            raise CorpusError(f"a corpus cannot be made of {kind}; pass a path, or str lines")
        if isinstance(source, (str, os.PathLike)):
            self._paths = [source]
        elif isinstance(source, (list, tuple)) and _holds_paths(source):
            self._paths = list(source)
        elif isinstance(source, Iterable):
            self._lines = source
        else:
            kind = type(source).__name__
            raise CorpusError(f"a corpus cannot be made of {kind}; pass a path, or str lines")

    def sources(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Names and texts of the sources, in order; a text comes in pieces of any size.

        Raises
        ------
        CorpusError
            For a pattern or folder without files, broken compressed data, and items of an iterable
            that are no text.
        StorageError
            For a file that does not exist or cannot be read.
        """
        if self._paths is None:
            yield ITERABLE, self._prepared(read_lines(self._lines))
            return
        # All are looked for before the first is read: a missing one is told at once.
        names = list(itertools.chain.from_iterable(map(_expand, self._paths)))
        for name in names:
            yield name, self._prepared(_read_file(name))

    def _prepared(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        options = self.text_options
        if not (options.lowercase or options.nfc):
            return pieces
        return _transform(pieces, lambda text: _prepare(text, options))


def _holds_paths(items: Sequence[Any]) -> bool:
    if not items or not isinstance(items[0], (str, os.PathLike)):
        return False
    first = items[0]
    return isinstance(first, os.PathLike) or len(first.split(maxsplit=1)) < 2 or _exists(first)


def _exists(name: str) -> bool:
    try:
        return Path(name).exists()
    except (OSError, ValueError):  # too long for a name, or with NUL in it
        return False


def _expand(path: Any) -> list[str]:
    """The names of the files that a path, folder or pattern stands for."""
    if not isinstance(path, (str, os.PathLike)):
        raise CorpusError(f"a list of paths has {type(path).__name__} in it")
    if path == "-":
        return [STDIN]
    name = os.fspath(path)
    if not _exists(name):
        return _match(name)
    if Path(name).is_dir():
        files = _files_below(name)
        if not files:
            raise CorpusError("a folder without files (hidden ones do not count)", source=name)
        return files
    if not os.access(name, os.R_OK):
        raise StorageError(name, "not readable: permission denied")
    return [name]


def _match(pattern: str) -> list[str]:
    if not glob.has_magic(pattern):
        shown = pattern if len(pattern) <= 100 else f"{pattern[:100]}..."
        raise StorageError(shown, "no such file or folder; lines of text go in as iter(lines)")
    # Path.glob would need the fixed part of the pattern split off, absolute ones above all.
    found = sorted(glob.glob(pattern, recursive=True))
    # What "**" matches has the files below a folder, too: the folder itself would repeat them.
    files = [name for name in found if Path(name).is_file()]
    if not files:
        files = list(itertools.chain.from_iterable(map(_expand, found)))
    if not files:
        raise CorpusError("no file matches this pattern", source=pattern)
    return files


def _files_below(folder: str) -> list[str]:
    def refuse(error: OSError) -> None:
        raise StorageError(error.filename, f"not readable: {error.strerror}")

    files = []
    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = [Path(parent, name) for name in names if not name.startswith(".")]
        files += [str(path) for path in paths if path.is_file()]
    return sorted(files)


def _read_file(name: str) -> Iterator[bytes]:
    if name == STDIN:
        yield from _decompressed(_stdin_reader(), name)
    else:
        with _open(name) as file:
            yield from _decompressed(file.read, name)


def _decompressed(read: _Read, name: str) -> Iterator[bytes]:
    pieces = _read_pieces(read, name)
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= _HEAD_BYTES:
            break
    yield from decompress(head, pieces, name)


def _open(name: str) -> io.FileIO:
    try:
        return Path(name).open("rb", buffering=0)
    except OSError as error:
        raise StorageError(name, f"not readable: {error.strerror}") from None


def _stdin_reader() -> _Read:
    # What a terminal or pipe has is read at once; read() would wait for all of it.
    buffer = getattr(sys.stdin, "buffer", None)
    if buffer is None:
        raise StorageError(STDIN, "not open")
    return buffer.read1  # type: ignore[no-any-return]


def _read_pieces(read: _Read, name: str) -> Iterator[bytes]:
    while True:
        try:
            piece = read(_READ_BYTES)
        except (OSError, ValueError) as error:
            problem = getattr(error, "strerror", None) or str(error)
            raise StorageError(name, f"not readable: {problem}") from None
        if piece is None:
            raise StorageError(name, "not readable: in non-blocking mode")
        if not piece:
            return
        yield piece


def _transform(pieces: Iterator[bytes], prepare: Callable[[bytes], bytes]) -> Iterator[bytes]:
    """Prepares pieces that were cut at white space, so that no character or word is split."""
    rest = b""
    for piece in pieces:
        data = rest + piece
        end = 1 + max(map(data.rfind, _WHITE_SPACE))
        if end > 0:
            yield prepare(data[:end])
            rest = data[end:]
        elif len(data) > MAX_TOKEN_BYTES:
            yield data  # as it is: the encoder refuses it
            rest = b""
        else:
            rest = data
    yield prepare(rest)


def _prepare(data: bytes, options: TextOptions) -> bytes:
    if data.isascii():
        return data.lower() if options.lowercase else data
    text = data.decode("utf-8", "surrogateescape")
    if options.lowercase:
        text = text.lower()
    if options.nfc:
        text = unicodedata.normalize("NFC", text)
    return text.encode("utf-8", "surrogateescape")
