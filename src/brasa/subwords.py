"""Character n-grams of words and the hash buckets they share, exactly as in fastText."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from brasa import _native
from brasa.errors import ConfigError

if TYPE_CHECKING:
    from brasa.config import WordVectorsConfig


@dataclass(frozen=True)
class Subwords:
    """How a word is cut into character n-grams, and in which bucket each of them falls.

    The word is wrapped in ``<`` and ``>`` first. N-grams start at each character in turn, shortest
    first; ``<`` and ``>`` alone are none; the line end ``</s>`` has none. A character is a UTF-8
    sequence: any bytes of the form 10xxxxxx belong to the byte before them. Buckets are FNV-1a
    hashes of 32 bits, of bytes that are sign-extended before the XOR, modulo `buckets`.

    Only the first 65,536 n-grams of a word are used (fastText has no bound): words of up to
    16,000 characters are not affected with n-grams of 3 to 6 characters.

    Attributes
    ----------
    min_char, max_char : int
        Shortest and longest n-gram, in characters.
    buckets : int
        Number of buckets.
    """

    min_char: int
    max_char: int
    buckets: int

    def ngrams(self, word: str) -> list[str]:
        """The n-grams of a word, in fastText's order, repeated ones too."""
        return _native.word_ngrams(_encode(word), self.min_char, self.max_char)

    def bucket_ids(self, word: str) -> npt.NDArray[np.uint32]:
        """The bucket of each n-gram of a word, uint32, shape (n_ngrams,)."""
        return _native.word_bucket_ids(_encode(word), self.min_char, self.max_char, self.buckets)


@dataclass(frozen=True)
class FloretHashing:
    """How floret finds a word's rows: words and their n-grams share the rows of one table.

    The parts of a word are the word itself between `begin` and `end`, and the n-grams of that.
    MurmurHash3_x64_128 of a part gives four numbers of 32 bits, of which the first `hash_count`,
    modulo `buckets`, are its rows. A word's vector is the mean of all its parts' rows.

    Attributes
    ----------
    min_char, max_char : int
        Shortest and longest n-gram, in characters; `max_char` 0: the word is its only part.
    hash_count : int
        Rows of each part, 1 to 4.
    seed : int
        Of the hash; floret's own is 2166136261.
    buckets : int
        Rows of the table.
    begin, end : str
        What marks the ends of a word.
    """

    min_char: int
    max_char: int
    hash_count: int
    seed: int
    buckets: int
    begin: str = "<"
    end: str = ">"

    def __post_init__(self) -> None:
        for name, (low, high) in {
            "min_char": (0, 64),
            "max_char": (0, 64),
            "hash_count": (1, 4),
            "seed": (0, 2**32 - 1),
            "buckets": (1, 2**31 - 1),
        }.items():
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise ConfigError(name, value, f"between {low} and {high}")
        for name in ("begin", "end"):
            value = getattr(self, name)
            if not isinstance(value, str) or not 0 < len(value) <= 64 or value.split() != [value]:
                raise ConfigError(name, value, "a short string without white space")

    @cached_property
    def native(self) -> _native.FloretHashing:
        """The same for the native core."""
        return _native.FloretHashing(**asdict(self))

    def parts(self, word: str) -> list[tuple[str, list[int]]]:
        """The parts of a word, each with its rows in the table."""
        return [
            (part.decode("utf-8", "surrogateescape"), rows)
            for part, rows in self.native.parts_of(_encode(word))
        ]


@dataclass(frozen=True, eq=False)
class SubwordTable:
    """The rows of the input matrix that make up each word's vector, in compressed rows.

    Attributes
    ----------
    offsets : int64, shape (n_words + 1,)
        The rows of word i are ``rows[offsets[i]:offsets[i + 1]]``.
    rows : int32, shape (offsets[-1],)
        A word's own row, its index; then, for each n-gram, n_words + the index of the n-gram's
        bucket in `bucket_ids`. Repeats are kept, as fastText keeps them.
    bucket_ids : uint32, shape (n_touched,)
        Buckets that at least one n-gram falls in, ascending; empty without subwords.
    """

    offsets: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int32]
    bucket_ids: npt.NDArray[np.uint32]


class _Words(Protocol):
    @property
    def arena(self) -> npt.NDArray[np.uint8]: ...
    @property
    def offsets(self) -> npt.NDArray[np.int64]: ...


def add_buckets(table: SubwordTable, bucket_ids: npt.NDArray[np.uint32]) -> SubwordTable:
    """The same table with rows for more buckets; `bucket_ids` ascend."""
    if not len(bucket_ids):
        return table
    # Two ascending runs: np.union1d hashes and sorts, which took 5 s for 2,000,000 buckets.
    places = np.minimum(np.searchsorted(bucket_ids, table.bucket_ids), len(bucket_ids) - 1)
    added = table.bucket_ids[bucket_ids[places] != table.bucket_ids]
    every = np.sort(np.concatenate([bucket_ids, added]), kind="stable")
    n_words = len(table.offsets) - 1
    places = np.searchsorted(every, table.bucket_ids)
    row_of = np.concatenate([np.arange(n_words), n_words + places]).astype(np.int32)
    return SubwordTable(table.offsets, row_of[table.rows], every)


def build_subword_table(
    vocabulary: _Words, config: WordVectorsConfig, *, threads: int = 1
) -> SubwordTable:
    """Cut all words of a vocabulary; only each word's own row without ``config.subwords``."""
    if not config.subwords:
        n_words = len(vocabulary.offsets) - 1
        return SubwordTable(
            np.arange(n_words + 1, dtype=np.int64),
            np.arange(n_words, dtype=np.int32),
            np.empty(0, np.uint32),
        )
    return SubwordTable(
        *_native.build_subword_table(
            vocabulary.arena,
            vocabulary.offsets,
            config.min_char,
            config.max_char,
            config.buckets,
            threads,
        )
    )


def floret_subword_table(vocabulary: _Words, hashing: FloretHashing) -> SubwordTable:
    """The rows of all words of a vocabulary in a table of floret's, which follows the words' own.

    The first word has its own row too, as in floret's program; so has the line end, which has no
    other.
    """
    offsets, rows = hashing.native.rows_of_words(vocabulary.arena, vocabulary.offsets)
    return SubwordTable(offsets, rows, np.arange(hashing.buckets, dtype=np.uint32))


def _encode(word: str) -> bytes:
    # A surrogate that stands for no byte cannot be in any text; its n-grams only have to exist.
    try:
        return word.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return word.encode("utf-8", "surrogatepass")
