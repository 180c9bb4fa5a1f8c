from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from brasa import WordVectors
from brasa.errors import ConfigError, ModelFormatError, UnknownWordError
from brasa.formats import fasttext
from brasa.reduction import prune, reduce_dim

if TYPE_CHECKING:
    from pathlib import Path

    from brasa.parameters import Embeddings
    from conftest import AsFloret, MakeEmbeddings

UNSEEN = ["embersome", "fires", "xyz", "ações"]


def reference(rows: Any, dim: int) -> Any:
    """The projection of fastText's `reduce_model`, with NumPy's solver for symmetric matrices."""
    centered = rows.astype(np.float64) - rows.mean(axis=0, dtype=np.float64)
    _, vectors = np.linalg.eigh(centered.T @ centered / (len(rows) - 1))
    return vectors[:, ::-1][:, :dim]


@pytest.mark.parametrize("dim", [1, 5, 19])
@pytest.mark.parametrize("subwords", [True, False])
def test_reduction_is_numpys_up_to_signs(
    make_embeddings: MakeEmbeddings, dim: int, subwords: bool
) -> None:
    words = [f"w{i}" for i in range(40)]
    model = make_embeddings(words, subwords=subwords, padding=12)
    found = reduce_dim(model, dim)
    projection = reference(model.input, dim)
    expected = model.input @ projection
    signs = np.sign((found.input * expected).sum(axis=0))
    np.testing.assert_allclose(found.input, expected * signs, atol=1e-4)
    np.testing.assert_allclose(found.output, model.output @ projection * signs, atol=1e-4)
    assert found.config == dataclasses.replace(model.config, vector_dim=dim)
    assert found.vocabulary is model.vocabulary
    assert (np.var(found.input, axis=0)[1:] <= np.var(found.input, axis=0)[:-1] + 1e-6).all()


def test_vectors_of_unseen_words_are_reduced_too(make_embeddings: MakeEmbeddings) -> None:
    vectors = WordVectors(make_embeddings())
    smaller = vectors.reduce(6)
    projection = np.linalg.lstsq(
        vectors.embeddings.input.astype(np.float64), smaller.embeddings.input, rcond=None
    )[0]
    words = [*vectors.words, *UNSEEN]
    np.testing.assert_allclose(
        smaller.vectors(words), vectors.vectors(words) @ projection, atol=1e-5
    )


def test_a_reduced_model_is_written_and_read(
    make_embeddings: MakeEmbeddings, tmp_path: Path
) -> None:
    fasttext.write(make_embeddings(), tmp_path / "model.bin")
    smaller = WordVectors.load(tmp_path / "model.bin").reduce(5)
    smaller.export(tmp_path / "smaller.bin")
    smaller.save(tmp_path / "smaller")
    words = [*smaller.words, *UNSEEN]
    for path in (tmp_path / "smaller.bin", tmp_path / "smaller"):
        again = WordVectors.load(path)
        assert again.vector_dim == 5
        np.testing.assert_allclose(again.vectors(words), smaller.vectors(words), atol=1e-6)


def test_floret_tables_are_reduced(make_embeddings: MakeEmbeddings, as_floret: AsFloret) -> None:
    model = as_floret(make_embeddings())
    vectors, smaller = WordVectors(model), WordVectors(reduce_dim(model, 20 - 1))
    cosines = [v.similarity("embersome", "fire") for v in (vectors, smaller)]
    assert cosines[0] == pytest.approx(cosines[1], abs=0.2)


@pytest.mark.parametrize("dim", [0, -3, 20, 21, 2.0, True, None])
def test_an_impossible_dim(make_embeddings: MakeEmbeddings, dim: Any) -> None:
    with pytest.raises(ConfigError, match=r"dim.* from 1 to 19, below vector_dim 20"):
        WordVectors(make_embeddings()).reduce(dim)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
@pytest.mark.parametrize("matrix", ["input", "output"])
def test_numbers_that_are_not_finite(
    make_embeddings: MakeEmbeddings, matrix: str, value: float
) -> None:
    model = make_embeddings()
    getattr(model, matrix)[3, 4] = value
    with pytest.raises(ModelFormatError, match=f"its {matrix} rows have numbers that are not fin"):
        reduce_dim(model, 5)


def assert_kept(model: Embeddings, pruned: Embeddings, words: list[str]) -> None:
    """The words have the vectors they had; so have all that are no words now, from n-grams."""
    before, after = WordVectors(model), WordVectors(pruned)
    assert after.words == words
    np.testing.assert_array_equal(after.vectors(words), before.vectors(words))
    assert after.vocabulary.counts.tolist() == [
        int(model.vocabulary.counts[model.vocabulary.words.index(word)]) for word in words
    ]
    if not model.config.subwords:
        return
    np.testing.assert_array_equal(after.vectors(UNSEEN), before.vectors(UNSEEN))
    for word in set(before.words) - set(words) - {"</s>"}:
        parts = [part.row for part in before.subwords(word)[1:] if part.row is not None]
        mean = model.input[parts].mean(axis=0) if parts else np.zeros(model.config.vector_dim)
        np.testing.assert_allclose(after[word], mean, atol=1e-6)


@pytest.mark.parametrize("subwords", [True, False])
@pytest.mark.parametrize("loss", ["ns", "hs"])
def test_the_most_frequent_words_stay(
    make_embeddings: MakeEmbeddings, subwords: bool, loss: str
) -> None:
    model = make_embeddings(subwords=subwords, loss=loss)
    counts = model.vocabulary.counts.copy()
    counts[[1, 9]] = counts[[9, 1]]  # a model that was trained on does not descend by count
    vocabulary = dataclasses.replace(model.vocabulary, counts=counts)
    model = dataclasses.replace(model, vocabulary=vocabulary)
    words = vocabulary.words
    pruned = prune(model, 4)
    assert_kept(model, pruned, [words[i] for i in (0, 2, 3, 9)])
    expected = model.output[[0, 2, 3, 9]] if loss == "ns" else model.output[:0]
    np.testing.assert_array_equal(pruned.output, expected)


def test_named_words_stay(make_embeddings: MakeEmbeddings, tmp_path: Path) -> None:
    model = make_embeddings()
    pruned = prune(model, (word for word in ["ação", "the", "ação", "é"]))
    assert_kept(model, pruned, ["the", "ação", "é"])
    WordVectors(pruned).save(tmp_path / "model")
    WordVectors(pruned).export(tmp_path / "model.bin")
    for path in (tmp_path / "model", tmp_path / "model.bin"):
        assert_kept(model, WordVectors.load(path).embeddings, ["the", "ação", "é"])


def test_nothing_to_prune(make_embeddings: MakeEmbeddings) -> None:
    model = make_embeddings()
    assert prune(model, 11) is model
    assert prune(model, 10**12) is model
    assert prune(model, model.vocabulary.words) is model


def test_words_that_cannot_be_kept(make_embeddings: MakeEmbeddings, as_floret: AsFloret) -> None:
    vectors = WordVectors(make_embeddings())
    with pytest.raises(UnknownWordError, match=r"'nope' is not in the vocabulary$"):
        vectors.prune(["the", "nope"])
    with pytest.raises(UnknownWordError, match=r"'nope' .*, as are 2 more of the words to keep"):
        vectors.prune(["nope", "fire", "no", "nay"])
    nothings: list[Any] = [0, -1, []]
    for nothing in nothings:
        with pytest.raises(ConfigError, match="at least"):
            vectors.prune(nothing)
    odd: list[Any] = ["the", b"the", 2.5, True, None, [1]]
    for words in odd:
        with pytest.raises(ConfigError, match=r"words=.* must be (a number, or|strings)"):
            vectors.prune(words)
    with pytest.raises(ConfigError, match="one of floret's"):
        prune(as_floret(make_embeddings()), 3)
