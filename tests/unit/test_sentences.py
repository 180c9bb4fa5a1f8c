from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from brasa import WordVectors
from brasa.errors import ConfigError, UnknownWordError

if TYPE_CHECKING:
    from conftest import AsFloret, MakeEmbeddings


@pytest.fixture
def vectors(make_embeddings: MakeEmbeddings) -> WordVectors:
    return WordVectors(make_embeddings())


def mean_of_directions(vectors: WordVectors, words: list[str]) -> Any:
    """The definition, one word at a time."""
    found = [vectors[word].astype(np.float64) for word in words]
    found = [vector / np.linalg.norm(vector) for vector in found if vector.any()]
    return sum(found) / len(found)


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("ember", ["ember"]),
        ("the ember ação", ["the", "ember", "ação"]),
        (" \tember\n\vthe\f\r\0 ember ", ["ember", "the", "ember"]),
        ("embersome 北海道 brasas", ["embersome", "北海道", "brasas"]),
        ("the xqzj ember", ["the", "ember"]),  # xqzj has no trained n-gram
        ("the\u00a0ember fire", ["the\u00a0ember", "fire"]),  # as in training, one word
        ("em\udcffber the", ["em\udcffber", "the"]),
    ],
)
def test_a_sentence_is_the_mean_of_its_words_directions(
    vectors: WordVectors, sentence: str, words: list[str]
) -> None:
    found = vectors.sentence_vector(sentence)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, mean_of_directions(vectors, words), atol=1e-6)
    assert not np.allclose(found, vectors.vectors(words).mean(axis=0), atol=1e-3)


def test_a_batch_has_the_sentences_one_by_one(vectors: WordVectors) -> None:
    sentences = ["the ember", "", "fire", "xqzj \n", "ember the the"]
    batch = vectors.sentence_vectors(sentences)
    assert batch.shape == (5, 20)
    for row, sentence in zip(batch, sentences, strict=True):
        np.testing.assert_allclose(row, vectors.sentence_vector(sentence), atol=1e-7)
    assert not batch[[1, 3]].any()
    assert vectors.sentence_vectors([]).shape == (0, 20)


def test_without_subwords_unseen_words_do_not_count(make_embeddings: MakeEmbeddings) -> None:
    vectors = WordVectors(make_embeddings(subwords=False))
    np.testing.assert_array_equal(
        vectors.sentence_vector("fire embersome"), vectors.sentence_vector("fire")
    )
    assert not vectors.sentence_vector("embersome").any()


@pytest.mark.parametrize("wrong", [b"the ember", None, 3, ["the"]])
def test_what_is_no_sentence_is_refused(vectors: WordVectors, wrong: Any) -> None:
    with pytest.raises(ConfigError, match="sentence"):
        vectors.sentence_vector(wrong)
    with pytest.raises(ConfigError, match="list of sentences"):
        vectors.sentence_vectors("the ember")
    with pytest.raises(UnknownWordError, match="lone surrogate"):
        vectors.sentence_vector("the \ud800")


def test_ngrams_are_those_of_the_vocabulary_with_their_rows(vectors: WordVectors) -> None:
    ngrams = vectors.ngrams()
    assert set(ngrams.values()) == set(range(len(vectors), len(vectors.embeddings.input)))
    for text, row in ngrams.items():
        assert len(text) >= vectors.config.min_char
        bucket = int(vectors.embeddings.bucket_ids[row - len(vectors)])
        assert (text, bucket, row) in [
            part for word in vectors.words if text in f"<{word}>" for part in vectors.subwords(word)
        ]


def test_ngrams_without_subwords_and_of_floret(
    make_embeddings: MakeEmbeddings, as_floret: AsFloret
) -> None:
    assert WordVectors(make_embeddings(subwords=False)).ngrams() == {}
    with pytest.raises(ConfigError, match="one row each"):
        WordVectors(as_floret(make_embeddings())).ngrams()
