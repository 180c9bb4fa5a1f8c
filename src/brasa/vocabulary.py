"""The words of a model: their bytes, their order and their counts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from brasa import _native
from brasa.errors import ModelFormatError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Words in the order of their rows, as arrays.

    A word is bytes without white space; as `str` it is UTF-8, where bytes that are not UTF-8 appear
    as lone surrogates (``errors="surrogateescape"``), so nothing is lost. `encode` orders words by
    descending count, ties by their bytes; words of other programs' models keep their order.

    Attributes
    ----------
    arena : uint8, shape (n_bytes,)
        The bytes of all words, one after the other.
    offsets : int64, shape (n_words + 1,)
        Where each word begins in `arena`, and where the last one ends.
    counts : int64, shape (n_words,)
        Occurrences of each word in the text.
    n_tokens : int
        Tokens read, those of dropped words and line ends (``</s>``) included.
    """

    arena: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    n_tokens: int

    @classmethod
    def from_arrays(cls, arena: Any, offsets: Any, counts: Any, n_tokens: int) -> Vocabulary:
        """Build from the attributes' values, after checks that take no time whatever the size.

        Raises
        ------
        ModelFormatError
            When the arrays do not fit together. Offsets that do not rise are noticed at the first
            look-up, since reading them all would slow down the opening of a mapped file.
        """
        arrays = [np.asarray(arena), np.asarray(offsets), np.asarray(counts)]
        for array, dtype, name in zip(
            arrays, (np.uint8, np.int64, np.int64), ("arena", "offsets", "counts"), strict=True
        ):
            if array.dtype != dtype or array.ndim != 1 or not array.flags.c_contiguous:
                raise _broken(f"its {name} are not a flat array of {np.dtype(dtype)}")
        n_words = len(arrays[2])
        if len(arrays[1]) != n_words + 1:
            raise _broken(f"{len(arrays[1])} offsets do not fit {n_words} counts")
        if n_words > np.iinfo(np.int32).max:
            raise _broken(f"{n_words} words are more than an int32 can number")
        if arrays[1][0] != 0 or arrays[1][-1] != len(arrays[0]):
            raise _broken(f"its offsets do not span its {len(arrays[0])} bytes")
        return cls(arrays[0], arrays[1], arrays[2], n_tokens)

    @classmethod
    def from_words(cls, words: Iterable[str], counts: npt.ArrayLike, n_tokens: int) -> Vocabulary:
        """Build from `str`, in the given order.

        Raises
        ------
        ModelFormatError
            When a word is empty, contains white space or NUL, or has surrogates that stand for no
            byte, or when counts are negative or not one for each word.
        """
        encoded = [_encode(word) for word in words]
        arena, offsets = pack(encoded)
        all_counts = np.ascontiguousarray(counts, np.int64)
        if all_counts.shape != (len(encoded),) or np.any(all_counts < 0):
            raise _broken(f"counts must be {len(encoded)} numbers that are not negative")
        return cls.from_arrays(arena, offsets, all_counts, n_tokens)

    def check(self) -> None:
        """Look at all that `from_arrays` leaves to the first use.

        Raises
        ------
        ModelFormatError
            When offsets do not rise, or a count is negative.
        """
        if np.any(self.offsets[1:] < self.offsets[:-1]):
            raise _broken("its offsets do not rise")
        if np.any(self.counts < 0):
            raise _broken("it has negative counts")

    def with_counts_of(self, first: Vocabulary) -> Vocabulary:
        """Add the counts of a vocabulary that this one begins with.

        Raises
        ------
        ModelFormatError
            When the sums are more than an int64 can hold.
        """
        counts = self.counts.astype(np.uint64)
        counts[: len(first)] += first.counts.astype(np.uint64)
        n_tokens = self.n_tokens + first.n_tokens
        largest = np.iinfo(np.int64).max
        if max(n_tokens, int(counts.max(initial=0))) > largest:
            raise _broken(f"counts above {largest} are not possible")
        return Vocabulary(self.arena, self.offsets, counts.astype(np.int64), n_tokens)

    def take(self, indices: npt.NDArray[np.integer[Any]]) -> Vocabulary:
        """Some of the words, in the order of `indices`, which must be of this vocabulary."""
        self.check()
        starts, lengths = self.offsets[indices], np.diff(self.offsets)[indices]
        offsets = np.zeros(len(indices) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        places = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
        return Vocabulary(self.arena[places], offsets, self.counts[indices], self.n_tokens)

    def __len__(self) -> int:
        return len(self.counts)

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and self.index(word) is not None

    def __reduce__(self) -> tuple[Any, ...]:  # without what is cached
        return type(self), (self.arena, self.offsets, self.counts, self.n_tokens)

    def word(self, index: int) -> str:
        """The word with this index; raises `IndexError` outside of ``range(len(self))``."""
        if not 0 <= index < len(self):
            raise IndexError(f"index {index} is not in a vocabulary of {len(self)} words")
        start, stop = self.offsets[index : index + 2].tolist()
        if not 0 <= start <= stop <= len(self.arena):
            raise _broken("its offsets do not rise")
        return self.arena[start:stop].tobytes().decode("utf-8", "surrogateescape")

    @cached_property
    def words(self) -> list[str]:
        """All words, in order. Made at the first use: do not change the list."""
        try:
            return _native.decode_words(self.arena, self.offsets)
        except ValueError as error:
            raise _broken(str(error)) from None

    def index(self, word: str) -> int | None:
        """Index of a word, None if it is not in the vocabulary."""
        found = self._index.find(word)
        return found if found >= 0 else None

    def starting_with(self, prefix: str, k: int) -> list[int]:
        """Rows of the first `k` words that begin with `prefix`, in the order of the vocabulary.

        All words are looked at as arrays, without making strings: 6 ms for a million.
        """
        try:
            encoded = prefix.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:  # a lone surrogate, which no word has
            return []
        starts, ends = self.offsets[:-1], self.offsets[1:]
        rows = np.flatnonzero(ends - starts >= len(encoded))
        for i, byte in enumerate(encoded):
            rows = rows[self.arena[starts[rows] + i] == byte]
        found: list[int] = rows[:k].tolist()
        return found

    def indices(self, words: Iterable[str]) -> npt.NDArray[np.int32]:
        """Indices of words, int32, shape (len(words),); -1 for one not in the vocabulary."""
        return self._index.find_all(list(words))

    @cached_property
    def _index(self) -> _native.WordIndex:
        try:
            return _native.WordIndex(self.arena, self.offsets)
        except ValueError as error:
            raise _broken(str(error)) from None


def pack(encoded: Sequence[bytes]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """All bytes in one array, and where each item begins, with the end of the last."""
    offsets = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded)), out=offsets[1:])
    return np.frombuffer(b"".join(encoded), np.uint8), offsets


def _broken(problem: str) -> ModelFormatError:
    return ModelFormatError("vocabulary", problem)


def _encode(word: str) -> bytes:
    try:
        encoded = word.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise _broken(f"{word!r} has surrogates that stand for no byte") from None
    if not encoded or len(encoded.split(maxsplit=1)) != 1 or encoded != encoded.strip():
        raise _broken(f"{word!r} is empty or has white space in it")
    if b"\0" in encoded:
        raise _broken(f"{word!r} has a NUL byte in it")
    return encoded
