from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brasa.errors import BrasaError, ModelFormatError
from brasa.vocabulary import Vocabulary

WORDS = ["the", "é", "команда", "a" * 15, "a" * 16, "b" * 500, "caf\udce9", "</s>"]


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary.from_words(WORDS, range(len(WORDS), 0, -1), 100)


def test_words_are_found_again(vocabulary: Vocabulary) -> None:
    assert len(vocabulary) == len(WORDS)
    assert vocabulary.words == WORDS
    assert [vocabulary.word(i) for i in range(len(WORDS))] == WORDS
    assert [vocabulary.index(word) for word in WORDS] == list(range(len(WORDS)))
    assert all(word in vocabulary for word in WORDS)
    assert vocabulary.counts.tolist() == [8, 7, 6, 5, 4, 3, 2, 1]
    assert bytes(vocabulary.arena[:5]) == b"the\xc3\xa9"


def test_absent_words(vocabulary: Vocabulary) -> None:
    absent = ["", "th", "then", "a" * 17, "caf\udce8", "\ud800", "\0"]
    assert [vocabulary.index(word) for word in absent] == [None] * len(absent)
    assert not any(word in vocabulary for word in absent)
    assert 5 not in vocabulary
    indices = vocabulary.indices(["é", *absent, "the"])
    assert indices.dtype == np.int32
    assert indices.tolist() == [1, *[-1] * len(absent), 0]
    assert vocabulary.indices([]).shape == (0,)
    for index in (-1, len(WORDS)):
        with pytest.raises(IndexError):
            vocabulary.word(index)


def test_an_empty_vocabulary() -> None:
    empty = Vocabulary.from_words([], [], 0)
    assert len(empty) == 0
    assert empty.words == []
    assert empty.index("word") is None


@given(st.lists(st.text(alphabet="ab\udcff\U0001f525", min_size=1, max_size=20), unique=True))
def test_any_words(words: list[str]) -> None:
    vocabulary = Vocabulary.from_words(words, np.zeros(len(words)), 0)
    assert vocabulary.words == words
    assert vocabulary.indices(words).tolist() == list(range(len(words)))


def test_copies_leave_the_caches_behind(vocabulary: Vocabulary) -> None:
    assert "the" in vocabulary
    assert vocabulary.words
    for other in (pickle.loads(pickle.dumps(vocabulary)), copy.deepcopy(vocabulary)):
        assert other.words == WORDS
        assert other.index("é") == 1
        assert other.n_tokens == 100


@pytest.mark.parametrize("word", ["", "a b", " a", "a\n", "a\0", "\ud800", "\x0b"])
def test_what_is_no_word_is_refused(word: str) -> None:
    with pytest.raises(ModelFormatError):
        Vocabulary.from_words(["fine", word], [2, 1], 3)


@pytest.mark.parametrize("counts", [[1], [1, -1], [[1, 2]]])
def test_counts_must_fit(counts: Any) -> None:
    with pytest.raises(ModelFormatError, match="counts must be 2 numbers"):
        Vocabulary.from_words(["a", "b"], counts, 3)


def arrays(**changes: Any) -> dict[str, Any]:
    return {
        "arena": np.frombuffer(b"abbc", np.uint8),
        "offsets": np.array([0, 1, 3, 4]),
        "counts": np.array([3, 2, 1]),
        "n_tokens": 6,
        **changes,
    }


def test_arrays_that_fit() -> None:
    assert Vocabulary.from_arrays(**arrays()).words == ["a", "bb", "c"]


@pytest.mark.parametrize(
    "changes",
    [
        {"arena": np.zeros(4, np.int8)},
        {"arena": np.zeros((2, 2), np.uint8)},
        {"arena": np.zeros(8, np.uint8)[::2]},
        {"arena": np.zeros(5, np.uint8)},
        {"offsets": np.array([0, 1, 3, 4], np.int32)},
        {"offsets": np.array([0, 1, 4])},
        {"offsets": np.array([1, 1, 3, 4])},
        {"offsets": np.array([0, 1, 3, 5])},
        {"counts": np.array([3.0, 2.0, 1.0])},
        {"counts": np.array([], np.int64), "offsets": np.array([], np.int64)},
    ],
)
def test_arrays_that_do_not_fit_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ModelFormatError):
        Vocabulary.from_arrays(**arrays(**changes))


@pytest.mark.parametrize("inner", [[3, 1], [-5, 3], [2**60, 3]])
def test_offsets_that_lie_are_noticed_at_the_first_look(inner: list[int]) -> None:
    vocabulary = Vocabulary.from_arrays(**arrays(offsets=np.array([0, *inner, 4])))
    for look in (
        lambda: vocabulary.words,
        lambda: vocabulary.index("a"),
        lambda: vocabulary.indices(["a"]),
        lambda: [vocabulary.word(i) for i in range(3)],
    ):
        with pytest.raises(BrasaError, match="offsets"):
            look()


def test_a_million_equal_words_do_not_hang() -> None:
    vocabulary = Vocabulary.from_words(["same"] * 1_000_000, np.ones(1_000_000), 1_000_000)
    assert vocabulary.index("same") == 0
