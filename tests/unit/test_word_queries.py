from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from brasa import WordVectors
from brasa.errors import ConfigError, UnknownWordError

if TYPE_CHECKING:
    from conftest import AsFloret, MakeEmbeddings

WORDS = [f"word{i}" for i in range(60)]


@pytest.fixture(params=[False, True], ids=["words", "subwords"])
def vectors(make_embeddings: MakeEmbeddings, request: pytest.FixtureRequest) -> WordVectors:
    return WordVectors(make_embeddings(WORDS, subwords=request.param))


def nearest(vectors: WordVectors, query: Any, allowed: list[str], k: int) -> list[str]:
    """The definition: the allowed words by descending cosine."""
    rows = vectors.vectors(allowed).astype(np.float64)
    cosines = rows @ query / np.linalg.norm(rows, axis=1)
    return [allowed[i] for i in np.argsort(-cosines, kind="stable")[:k]]


def words_of(found: list[tuple[str, float]]) -> list[str]:
    return [word for word, _ in found]


def test_a_batch_has_the_answers_one_by_one(vectors: WordVectors) -> None:
    asked = [*WORDS[:9], "word3"] * 9
    expected = [vectors.neighbors(word, 5) for word in asked]
    assert vectors.neighbors_batch(asked, 5) == expected
    assert vectors.neighbors_batch(tuple(asked[:2]), 5) == expected[:2]
    matrix = vectors.vectors(asked)
    by_vector = vectors.neighbors_batch(matrix, 6)
    assert [found[1:] for found in by_vector] == expected
    assert vectors.neighbors_batch(list(matrix[:3]), 6) == by_vector[:3]
    assert vectors.neighbors_batch([matrix[0].tolist()], 6) == by_vector[:1]
    assert vectors.neighbors_batch([]) == []
    assert vectors.neighbors_batch(matrix[:0]) == []


def test_what_may_be_found(vectors: WordVectors) -> None:
    query = vectors["word7"]
    mask = np.zeros(60, np.bool_)
    mask[[1, 7, 30, 59]] = True
    filters: list[tuple[Any, list[str]]] = [
        (20, WORDS[:20]),
        (np.int64(20), WORDS[:20]),
        (1000, WORDS),
        (["word9", "word2", "word50", "word2"], ["word2", "word9", "word50"]),
        (mask, [WORDS[i] for i in (1, 7, 30, 59)]),
        (lambda word: word.endswith("3"), [word for word in WORDS if word.endswith("3")]),
        ([], []),
        (lambda word: False, []),
        (np.zeros(60, np.bool_), []),
    ]
    for among, allowed in filters:
        expected = nearest(vectors, query, allowed, 8) if allowed else []
        assert words_of(vectors.neighbors(query, 8, among=among)) == expected
        others = [word for word in allowed if word != "word7"]
        expected = nearest(vectors, query, others, 8) if others else []
        assert words_of(vectors.neighbors("word7", 8, among=among)) == expected
        assert words_of(vectors.neighbors_batch(["word7"], 8, among=among)[0]) == expected


def test_what_must_not_be_found(vectors: WordVectors) -> None:
    first = words_of(vectors.neighbors("word7", 6))
    exclude = [first[0], first[3], "no such word", "word7"]
    found = vectors.neighbors("word7", 4, exclude=exclude)
    assert words_of(found) == [first[i] for i in (1, 2, 4, 5)]
    assert vectors.neighbors_batch(["word7"], 4, exclude=iter(exclude)) == [found]
    assert vectors.neighbors("word7", exclude=WORDS) == []
    assert first[0] in words_of(vectors.most_similar("word7", k=1))
    assert first[0] not in words_of(vectors.most_similar("word7", exclude=exclude))


@pytest.mark.parametrize("among", [0, -3, True, 2.5, "word3", b"word3", [3], np.ones(59, np.bool_)])
def test_impossible_filters(vectors: WordVectors, among: Any) -> None:
    with pytest.raises(ConfigError):
        vectors.neighbors("word7", among=among)
    with pytest.raises(ConfigError):
        vectors.analogy("word1", "word2", "word3", among=among)


def test_unknown_words_of_a_filter(vectors: WordVectors) -> None:
    with pytest.raises(UnknownWordError, match="'xqzj' is not in the vocabulary"):
        vectors.neighbors("word7", among=["word3", "xqzj"])
    with pytest.raises(ConfigError, match="exclude='word3'"):
        vectors.neighbors("word7", exclude="word3")
    with pytest.raises(ConfigError, match="exclude=3"):
        vectors.neighbors("word7", exclude=[3])  # type: ignore[list-item]


def test_most_similar_sums_up_directions(vectors: WordVectors) -> None:
    def direction(word: str) -> Any:
        vector = vectors[word].astype(np.float64)
        return vector / np.linalg.norm(vector)

    query = direction("word1") + direction("word2") - direction("word3")
    allowed = [word for word in WORDS if word not in ("word1", "word2", "word3")]
    found = vectors.most_similar(["word1", "word2"], ["word3"], 9)
    assert words_of(found) == nearest(vectors, query, allowed, 9)
    assert vectors.most_similar(["word1", "word2"], "word3", 9) == found
    mixed = vectors.most_similar(["word1", vectors["word2"] * 50], ["word3"], 9, exclude=["word2"])
    assert words_of(mixed) == words_of(found)
    one = vectors.most_similar("word1", k=9)
    assert words_of(one) == words_of(vectors.neighbors("word1", 9))
    cosines = [cosine for _, cosine in vectors.neighbors("word1", 9)]
    assert [cosine for _, cosine in one] == pytest.approx(cosines, abs=1e-7)
    assert words_of(vectors.analogy("word3", "word1", "word2", 9)) == words_of(found)


def test_many_analogies_have_the_answers_one_by_one(vectors: WordVectors) -> None:
    questions = [(WORDS[i], WORDS[(7 * i + 1) % 60], WORDS[(3 * i + 2) % 60]) for i in range(60)]
    found = vectors.analogies(questions, 4)
    assert found == [vectors.analogy(*question, k=4) for question in questions]
    for question, answers in zip(questions, found, strict=True):
        assert len(answers) == 4
        assert not set(question) & set(words_of(answers))
    assert vectors.analogies([]) == []
    assert words_of(vectors.analogies(questions[:1], among=WORDS[40:42])[0]) in (
        WORDS[40:42], WORDS[41:39:-1]
    )  # fmt: skip


def test_impossible_batches(vectors: WordVectors) -> None:
    broken = vectors.vectors(WORDS[:3])
    broken[1, 2] = np.nan
    batches: list[Any] = [
        broken, broken[:1, :19], np.zeros((2, 20)), broken[0], np.ones((2, 2, 20)), 7,
        "word1", b"word1", ["word1", broken[0]], ["word1", 3], [[1.0], [1.0, 2.0]],
    ]  # fmt: skip
    for wrong in batches:
        with pytest.raises(ConfigError):
            vectors.neighbors_batch(wrong)
    with pytest.raises(ConfigError, match=r"vectors\[1\]"):
        vectors.neighbors_batch(broken)
    impossible: list[Any] = [0, -1, 2.5, True]
    for k in impossible:
        with pytest.raises(ConfigError, match="k="):
            vectors.neighbors_batch(["word1"], k)
    with pytest.raises(UnknownWordError, match="'xqzj'"):
        vectors.neighbors_batch(["word1", "xqzj"])
    with pytest.raises(UnknownWordError, match="'xqzj'"):
        vectors.analogies([("word1", "xqzj", "word2")])
    questions: list[Any] = [[("word1", "word2")], ["abc"], [("word1", "word2", 3)], [7]]
    for wrong in questions:
        with pytest.raises(ConfigError):
            vectors.analogies(wrong)
    sums: list[Any] = [[], [broken[1]], [np.zeros(20)], [3], 3]
    for positive in sums:
        with pytest.raises(ConfigError):
            vectors.most_similar(positive)
    with pytest.raises(ConfigError, match="sum is not zero"):
        vectors.most_similar("word1", "word1")


def test_a_word_whose_own_vector_is_no_direction(make_embeddings: MakeEmbeddings) -> None:
    embeddings = make_embeddings(WORDS, subwords=False)
    embeddings.input[4], embeddings.input[5] = 0, np.inf
    vectors = WordVectors(embeddings)
    for word in ("word4", "word5"):
        with pytest.raises(UnknownWordError, match="zero or not finite"):
            vectors.neighbors(word)
        with pytest.raises(UnknownWordError, match=f"'{word}'"):
            vectors.neighbors_batch(["word1", word])


def test_words_of_floret_and_words_that_share_their_vector(
    make_embeddings: MakeEmbeddings, as_floret: AsFloret
) -> None:
    floret = WordVectors(as_floret(make_embeddings(WORDS)))
    expected = nearest(floret, floret["word7"], [word for word in WORDS if word != "word7"], 5)
    assert words_of(floret.neighbors("word7", 5)) == expected
    embeddings = make_embeddings(WORDS, subwords=False)
    embeddings.input[:] = embeddings.input[9]
    alike = WordVectors(embeddings).neighbors("word1", 4)
    assert alike == [("word0", 1.0), ("word2", 1.0), ("word3", 1.0), ("word4", 1.0)]
