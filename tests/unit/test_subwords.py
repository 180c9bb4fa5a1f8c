from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brasa import _native
from brasa.config import WordVectorsConfig
from brasa.subwords import Subwords, build_subword_table
from brasa.vocabulary import Vocabulary

MAX_NGRAMS = 65_536


def characters(wrapped: bytes) -> list[bytes]:
    """fastText's characters: a byte 10xxxxxx belongs to the one before it."""
    found: list[bytes] = []
    for byte in wrapped:
        if byte & 0xC0 == 0x80:
            found[-1] += bytes([byte])
        else:
            found.append(bytes([byte]))
    return found


def slow_ngrams(word: bytes, min_char: int, max_char: int) -> list[bytes]:
    if word == b"</s>":
        return []
    wrapped = characters(b"<" + word + b">")
    last = len(wrapped)
    return [
        b"".join(wrapped[i : i + n])
        for i in range(last)
        for n in range(min_char, max_char + 1)
        if i + n <= last and not (n == 1 and i in (0, last - 1))
    ]


def slow_hash(data: bytes) -> int:
    value = 2166136261
    for byte in data:
        signed = byte - 256 if byte > 127 else byte
        value = ((value ^ (signed & 0xFFFFFFFF)) * 16777619) & 0xFFFFFFFF
    return value


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("команда", 1725507386),
        ("маленьких", 3011324125),
        ("друзей", 737001801),
        ("mysterious", 1903186891),
        ("北海道", 4096045468),
        ("札幌", 3909947444),
    ],
)
def test_hashes_of_fasttext(word: str, expected: int) -> None:
    assert _native.hash_word(word.encode()) == expected
    assert slow_hash(word.encode()) == expected


def test_buckets_of_finalfusions_test() -> None:
    found = Subwords(3, 6, 2_000_000).bucket_ids("Daniël")
    assert found.dtype == np.uint32
    assert sorted(set(found.tolist())) == [
        69886, 84537, 338340, 441697, 448390, 468430, 504093, 573175, 749365,
        804851, 811506, 991985, 1022467, 1105725, 1249224, 1418443, 1493412, 1880616,
    ]  # fmt: skip


def test_ngrams_come_in_order() -> None:
    assert Subwords(3, 4, 10).ngrams("abc") == ["<ab", "<abc", "abc", "abc>", "bc>"]
    assert Subwords(1, 2, 10).ngrams("é") == ["<é", "é", "é>"]
    assert Subwords(3, 6, 10).ngrams("</s>") == []
    assert Subwords(3, 6, 10).ngrams("\ud800")


@given(
    word=st.one_of(
        st.text(max_size=30).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.binary(max_size=30),
        st.sampled_from([b"</s>", b"/s", b"<", b">", b""]),
    ),
    sizes=st.tuples(st.integers(1, 8), st.integers(1, 8)).map(sorted),
    buckets=st.sampled_from([1, 2, 1000, 2_000_000, 2**31 - 1]),
)
def test_ngrams_are_those_of_the_definition(word: bytes, sizes: list[int], buckets: int) -> None:
    expected = slow_ngrams(word, *sizes)
    text = word.decode("utf-8", "surrogateescape")
    subwords = Subwords(sizes[0], sizes[1], buckets)
    assert [n.encode("utf-8", "surrogateescape") for n in subwords.ngrams(text)] == expected
    assert subwords.bucket_ids(text).tolist() == [slow_hash(n) % buckets for n in expected]


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_the_table_has_the_rows_of_each_word(threads: int) -> None:
    words = ["</s>", "banana", "é", *(f"word{i}" for i in range(5000))]
    vocabulary = Vocabulary.from_words(words, np.ones(len(words)), len(words))
    config = WordVectorsConfig(subwords=True, min_char=2, max_char=5, buckets=1000)
    table = build_subword_table(vocabulary, config, threads=threads)
    subwords = Subwords(2, 5, 1000)
    assert table.rows.dtype == np.int32
    assert np.all(np.diff(table.bucket_ids.astype(np.int64)) > 0)
    for i, word in enumerate(words):
        rows = table.rows[table.offsets[i] : table.offsets[i + 1]]
        assert rows[0] == i
        buckets = table.bucket_ids[rows[1:] - len(words)]
        assert buckets.tolist() == subwords.bucket_ids(word).tolist()
    assert len(np.unique(table.rows)) == len(words) + len(table.bucket_ids)


def test_without_subwords_a_word_has_its_own_row_only() -> None:
    vocabulary = Vocabulary.from_words(["a", "b"], [2, 1], 3)
    table = build_subword_table(vocabulary, WordVectorsConfig(subwords=False))
    assert table.offsets.tolist() == [0, 1, 2]
    assert table.rows.tolist() == [0, 1]
    assert len(table.bucket_ids) == 0


def test_a_monstrous_word_has_its_first_ngrams_only() -> None:
    word = "ab" * 500_000
    assert len(Subwords(1, 64, 100).bucket_ids(word)) == MAX_NGRAMS
    vocabulary = Vocabulary.from_words([word, "b"], [2, 1], 3)
    config = WordVectorsConfig(subwords=True, min_char=1, max_char=64)
    table = build_subword_table(vocabulary, config)
    assert table.offsets.tolist()[:2] == [0, 1 + MAX_NGRAMS]
    ordinary = "a" * 16_000
    assert len(Subwords(3, 6, 100).bucket_ids(ordinary)) == len(
        slow_ngrams(ordinary.encode(), 3, 6)
    )
