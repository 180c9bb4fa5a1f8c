"""Text out of Python iterables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any

from brasa.errors import CorpusError

ITERABLE = "<iterable>"

_BATCH_CHARS = 1 << 18


def read_lines(items: Iterable[Any]) -> Iterator[bytes]:
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
            raise self._error(f"a list of tokens has {kind} in it, {repr(other)[:100]}") from None
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
