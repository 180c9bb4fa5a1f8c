"""Where text comes from: files, folders, patterns, standard input, or Python iterables."""

from __future__ import annotations

import contextlib
import glob
import itertools
import os
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

from brasa.config import TextOptions
from brasa.decompression import decompress
from brasa.errors import CorpusError, StorageError

STDIN = "<stdin>"
ITERABLE = "<iterable>"
MAX_TOKEN_BYTES = 1 << 20  # as in the native core, which refuses longer ones

_WHITE_SPACE = (b" ", b"\n", b"\t", b"\r", b"\v", b"\f")
_READ_BYTES = 1 << 18  # of 64 KiB to 4 MiB the fastest: it stays in the second-level cache
_HEAD_BYTES = 16  # enough to tell a compressed file
_BATCH_CHARS = 1 << 18


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
            yield ITERABLE, self._prepared(_read_lines(self._lines))
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
    if isinstance(first, os.PathLike):
        return True
    return len(first.split(maxsplit=1)) < 2 or os.path.exists(first)


def _expand(path: Any) -> list[str]:
    """The names of the files that a path, folder or pattern stands for."""
    if not isinstance(path, (str, os.PathLike)):
        raise CorpusError(f"a list of paths has {type(path).__name__} in it")
    if path == "-":
        return [STDIN]
    name = os.path.expanduser(os.fspath(path))
    if not os.path.exists(name):
        if glob.has_magic(name):
            found = sorted(glob.glob(name, recursive=True))
            files = list(itertools.chain.from_iterable(map(_expand, found)))
            if not files:
                raise CorpusError("no file matches this pattern", source=name)
            return files
        shown = name if len(name) <= 100 else f"{name[:100]}..."
        raise StorageError(shown, "no such file or folder; lines of text go in as iter(lines)")
    if os.path.isdir(name):
        files = _files_below(name)
        if not files:
            raise CorpusError("a folder without files (hidden ones do not count)", source=name)
        return files
    if not os.access(name, os.R_OK):
        raise StorageError(name, "not readable: permission denied")
    return [name]


def _files_below(folder: str) -> list[str]:
    def refuse(error: OSError) -> None:
        raise StorageError(error.filename, f"not readable: {error.strerror}")

    files = []
    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            file = os.path.join(parent, name)
            if not name.startswith(".") and os.path.isfile(file):
                files.append(file)
    return sorted(files)


def _read_file(name: str) -> Iterator[bytes]:
    """The text of one file, decompressed."""
    with contextlib.ExitStack() as stack:
        read = _stdin_reader() if name == STDIN else _open(name, stack)
        pieces = _read_pieces(read, name)
        head = b""
        for piece in pieces:
            head += piece
            if len(head) >= _HEAD_BYTES:
                break
        if head or name != STDIN:
            yield from decompress(head, pieces, name)


def _open(name: str, stack: contextlib.ExitStack) -> Callable[[int], bytes | None]:
    try:
        return stack.enter_context(open(name, "rb", buffering=0)).read
    except OSError as error:
        raise StorageError(name, f"not readable: {error.strerror}") from None


def _stdin_reader() -> Callable[[int], bytes | None]:
    # What a terminal or pipe has is read at once; read() would wait for all of it.
    buffer = getattr(sys.stdin, "buffer", None)
    if buffer is None:
        raise StorageError(STDIN, "not open")
    return buffer.read1  # type: ignore[no-any-return]


def _read_pieces(read: Callable[[int], bytes | None], name: str) -> Iterator[bytes]:
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


def _read_lines(items: Iterable[Any]) -> Iterator[bytes]:
    """The items of an iterable as text, many at a time."""
    batch = _LineBatch()
    for item in items:
        if isinstance(item, str):
            batch.add_line(item)
        else:
            batch.add_tokens(item)
        if batch.n_chars >= _BATCH_CHARS:
            yield batch.take()
    yield batch.take()


class _LineBatch:
    """Lines that become bytes together, since a call for each would cost more than its text."""

    def __init__(self) -> None:
        self.n_chars = 0
        self._lines: list[str] = []
        self._first_line = 1  # of the batch in the whole text

    def add_line(self, line: str) -> None:
        self._append(line if line.endswith("\n") else line + "\n")

    def add_tokens(self, item: Any) -> None:
        if isinstance(item, (bytes, bytearray, Mapping, Set)) or not isinstance(item, Iterable):
            kind = type(item).__name__
            hint = "; decode it first" if isinstance(item, (bytes, bytearray)) else ""
            raise self._error(f"an item is {kind}, neither a str nor a list of tokens{hint}")
        tokens = list(item)
        try:
            line = " ".join(tokens)
        except TypeError:
            other = next(token for token in tokens if not isinstance(token, str))
            kind = type(other).__name__
            raise self._error(f"a list of tokens has {kind} in it, {other!r}") from None
        # One space between tokens and no other white space: checked at the speed of memchr.
        if not all(tokens) or _count_breaks(line) != max(len(tokens) - 1, 0):
            self._refuse_token(tokens)
        self._append(line + "\n")

    def take(self) -> bytes:
        text = "".join(self._lines)
        try:
            data = text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as error:
            self._lines = [text[: error.start]]
            problem = f"{text[error.start]!a} is a surrogate that stands for no character"
            raise self._error(problem) from None
        self._first_line += data.count(b"\n")
        self._lines, self.n_chars = [], 0
        return data

    def _append(self, line: str) -> None:
        self._lines.append(line)
        self.n_chars += len(line)

    def _refuse_token(self, tokens: list[str]) -> None:
        bad = next(token for token in tokens if not token or _count_breaks(token))
        if bad == "":
            raise self._error("a list of tokens has an empty one in it")
        raise self._error(
            f"the token {bad[:100]!r} has white space or NUL in it; join the parts with _"
        )

    def _error(self, problem: str) -> CorpusError:
        line = self._first_line + sum(line.count("\n") for line in self._lines)
        return CorpusError(problem, source=ITERABLE, line=line)


def _count_breaks(text: str) -> int:
    return sum(map(text.count, " \n\t\r\v\f\0"))


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
