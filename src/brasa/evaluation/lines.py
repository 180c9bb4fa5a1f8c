"""Lines of an evaluation file, with their numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from brasa.errors import ModelFormatError, StorageError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

ASCII_SPACE = " \t\n\r\v\f"
_MAX_BYTES = 100_000_000  # the largest public table has 0.6 MB


def read_lines(path: str | os.PathLike[str]) -> list[tuple[int, str]]:
    """The lines that hold something, stripped, with their numbers; comments are left out.

    Comments begin with ``#`` (gensim's tables) or ``//`` (word2vec's analogies).

    Raises
    ------
    StorageError
        When the file cannot be read.
    ModelFormatError
        When it is not UTF-8 text, or holds nothing.
    """
    try:
        if Path(path).stat().st_size > _MAX_BYTES:
            raise ModelFormatError(path, f"more than {_MAX_BYTES} bytes: not an evaluation file")
        raw = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, ModelFormatError):
            raise
        raise StorageError(path, f"cannot be read: {error}") from error
    lines = list(_decode(path, raw.removeprefix(b"\xef\xbb\xbf")))
    if not lines:
        raise ModelFormatError(path, "holds no line of data")
    return lines


def _decode(path: str | os.PathLike[str], raw: bytes) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(raw.split(b"\n"), start=1):
        try:
            text = line.decode("utf-8").strip(ASCII_SPACE)
        except UnicodeDecodeError as error:
            raise broken(path, number, f"not UTF-8: {error.reason}") from None
        if "\0" in text:
            raise broken(path, number, "a NUL byte: not a text file")
        if text and not text.startswith(("#", "//")):
            yield number, text


def broken(path: str | os.PathLike[str], number: int, problem: str) -> ModelFormatError:
    """The error for one line of a file."""
    return ModelFormatError(path, f"line {number}: {problem}")


def fold(text: str, lowercase: bool) -> str:
    """The text in lower case, if wanted."""
    return text.lower() if lowercase else text
