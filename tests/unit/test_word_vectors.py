from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

import brasa
from brasa import WordVectors
from brasa.errors import ConfigError, UnknownWordError

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeEmbeddings


@pytest.fixture
def vectors(make_embeddings: MakeEmbeddings) -> WordVectors:
    return WordVectors(make_embeddings())


@pytest.fixture
def whole_words(make_embeddings: MakeEmbeddings) -> WordVectors:
    return WordVectors(make_embeddings(subwords=False))


def mean_of_subwords(
    vectors: WordVectors, word: str
) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """The definition: the mean over all parts of a word, those without a row counting as zeros."""
    rows = vectors.embeddings.input
    parts = vectors.subwords(word)
    total = np.zeros(vectors.vector_dim)
    for part in parts:
        if part.row is not None:
            total += rows[part.row]
    return (total / max(1, len(parts))).astype(np.float32)


@pytest.mark.parametrize("word", ["ember", "</s>", "ação", "北海道", "🔥", "é"])
def test_a_known_word_is_the_mean_of_its_row_and_its_ngrams(
    vectors: WordVectors, word: str
) -> None:
    assert vectors.subwords(word)[0] == (word, None, vectors.vocabulary.index(word))
    assert vectors[word].dtype == np.float32
    assert vectors[word].shape == (20,)
    np.testing.assert_allclose(vectors[word], mean_of_subwords(vectors, word), atol=1e-6)


@pytest.mark.parametrize("word", ["embersome", "brasas", "ações", "北海", "em\udcffber", "the b"])
def test_an_unseen_word_is_the_mean_of_all_its_ngrams(vectors: WordVectors, word: str) -> None:
    parts = vectors.subwords(word)
    assert word not in vectors
    assert all(part.bucket is not None for part in parts)
    assert any(part.trained for part in parts)
    assert not all(part.trained for part in parts)
    np.testing.assert_allclose(vectors[word], mean_of_subwords(vectors, word), atol=1e-6)


def test_a_word_of_unseen_ngrams_only_is_zero(vectors: WordVectors) -> None:
    assert not vectors["xqzj"].any()
    assert vectors.subwords("") == []
    assert not vectors[""].any()
    with pytest.raises(UnknownWordError, match="none of its n-grams"):
        vectors.neighbors("xqzj")


def test_without_subwords_an_unseen_word_is_an_error_or_zeros(whole_words: WordVectors) -> None:
    with pytest.raises(UnknownWordError) as caught:
        whole_words["embersome"]
    assert caught.value.word == "embersome"
    assert isinstance(caught.value, KeyError)
    batch = whole_words.vectors(["fire", "embersome"])
    np.testing.assert_array_equal(batch[0], whole_words["fire"])
    assert not batch[1].any()
    assert whole_words.subwords("embersome") == []
    for use in (whole_words.neighbors, lambda w: whole_words.similarity(w, "fire")):
        with pytest.raises(UnknownWordError):
            use("embersome")


def test_a_batch_equals_single_words(vectors: WordVectors) -> None:
    words = [*vectors.words, "embersome", "", "xqzj", "brasas"] * 300  # enough for two threads
    batch = vectors.vectors(words)
    assert batch.shape == (4500, 20)
    for i in range(15):
        np.testing.assert_array_equal(batch[i::15], np.tile(vectors[words[i]], (300, 1)))


@pytest.mark.parametrize("empty", [[], ()])
def test_an_empty_batch(vectors: WordVectors, empty: list[str]) -> None:
    assert vectors.vectors(empty).shape == (0, 20)


def test_batches_run_in_threads_at_the_same_time(vectors: WordVectors) -> None:
    words = [f"{word}{i}" for i in range(300) for word in vectors.words]
    expected = vectors.vectors(words)
    found: list[bool] = []
    threads = [
        threading.Thread(
            target=lambda: found.append(np.array_equal(vectors.vectors(words), expected))
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 8


@pytest.mark.parametrize("subwords", [False, True])
@pytest.mark.parametrize("padding", [0, 12])
def test_neighbors_have_the_greatest_cosines(
    make_embeddings: MakeEmbeddings, subwords: bool, padding: int
) -> None:
    words = [f"word{i}" for i in range(500)]
    model = WordVectors(make_embeddings(words, subwords=subwords, padding=padding))
    every = model.vectors(words).astype(np.float64)
    every /= np.linalg.norm(every, axis=1, keepdims=True)
    cosines = every @ every[7]
    order = [i for i in np.argsort(-cosines) if i != 7]
    found = model.neighbors("word7", k=20)
    assert [word for word, _ in found] == [words[i] for i in order[:20]]
    np.testing.assert_allclose([cosine for _, cosine in found], cosines[order[:20]], atol=1e-5)
    by_vector = model.neighbors(model["word7"], k=21)
    assert by_vector[0][0] == "word7"
    assert [word for word, _ in by_vector[1:]] == [word for word, _ in found]
    assert len(model.neighbors("word7", k=10_000)) == 499


def test_neighbors_of_an_unseen_word(vectors: WordVectors) -> None:
    assert vectors.neighbors("embersome", k=2)[0][0] in ("ember", "embers")


def test_rows_without_direction_are_never_neighbors(make_embeddings: MakeEmbeddings) -> None:
    embeddings = make_embeddings(subwords=False)
    embeddings.input[1] = 0
    embeddings.input[2] = np.nan
    embeddings.input[3] = np.inf
    found = WordVectors(embeddings).neighbors("brasa", k=100)
    assert {word for word, _ in found} == {"</s>", "embers", "ação", "команда", "北海道", "🔥", "é"}
    assert all(-1 <= cosine <= 1 for _, cosine in found)


@pytest.mark.parametrize("k", [0, -1, 2.5, "3", True, None])
def test_impossible_k(vectors: WordVectors, k: int) -> None:
    with pytest.raises(ConfigError, match="k="):
        vectors.neighbors("ember", k=k)


@pytest.mark.parametrize(
    "query", [np.zeros(20), np.full(20, np.nan), np.ones(19), np.ones((1, 20)), [], ["a"] * 20, 7]
)
def test_impossible_query_vectors(vectors: WordVectors, query: object) -> None:
    with pytest.raises(ConfigError, match="vector"):
        vectors.neighbors(query)  # type: ignore[arg-type]


def test_analogy(make_embeddings: MakeEmbeddings) -> None:
    words = ["france", "paris", "italy", "rome", "noise", "other"]
    embeddings = make_embeddings(words, subwords=False, vector_dim=3)
    embeddings.input[:] = [
        [1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 1, 1], [-1, -1, 0], [0, 1, 0]
    ]  # fmt: skip
    vectors = WordVectors(embeddings)
    found = vectors.analogy("paris", "france", "rome", k=2)
    assert found[0][0] == "italy"
    assert not {"paris", "france", "rome"} & {word for word, _ in vectors.analogy(
        "paris", "france", "rome", k=10
    )}  # fmt: skip
    unit = embeddings.input / np.linalg.norm(embeddings.input, axis=1, keepdims=True)
    query = unit[0] - unit[1] + unit[3]
    assert found[0][1] == pytest.approx(unit[2] @ query / np.linalg.norm(query), abs=1e-6)


def test_similarity(vectors: WordVectors) -> None:
    a, b = vectors["ember"], vectors["fire"]
    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    assert vectors.similarity("ember", "fire") == pytest.approx(cosine, abs=1e-6)
    assert vectors.similarity("ember", "ember") == pytest.approx(1.0, abs=1e-6)
    assert vectors.similarity("ember", "xqzj") == 0.0


@pytest.mark.parametrize("word", [7, None, b"ember", ["ember"]])
def test_what_is_not_a_string_is_not_a_word(vectors: WordVectors, word: str) -> None:
    assert word not in vectors
    for use in (vectors.__getitem__, vectors.subwords, lambda w: vectors.vectors([w])):
        with pytest.raises(ConfigError, match="string"):
            use(word)
    for words in ("ember", 7, None):
        with pytest.raises(ConfigError, match="list of words"):
            vectors.vectors(words)  # type: ignore[arg-type]


def test_a_lone_surrogate_is_no_text(vectors: WordVectors) -> None:
    assert "\ud800" not in vectors
    for use in (vectors.__getitem__, vectors.subwords, vectors.neighbors):
        with pytest.raises(UnknownWordError, match="lone surrogate"):
            use("\ud800")


def test_what_a_model_says_of_itself(vectors: WordVectors, whole_words: WordVectors) -> None:
    assert len(vectors) == 11
    assert vectors.words[2] == "fire"
    assert "fire" in vectors
    assert vectors.vector_dim == vectors.config.vector_dim == 20
    assert vectors.metadata["brasa_version"] == "0.0"
    n_ngrams = len(vectors.embeddings.bucket_ids)
    assert repr(vectors) == (
        f"<WordVectors: 11 words, {n_ngrams} n-gram rows, vector_dim=20, mode=skipgram>"
    )
    assert repr(whole_words) == "<WordVectors: 11 words, vector_dim=20, mode=skipgram>"


def test_a_saved_model_gives_the_same_answers(vectors: WordVectors, tmp_path: Path) -> None:
    vectors.save(tmp_path / "model", evaluation={"mean_rho": 0.5})
    loaded = brasa.load(tmp_path / "model")
    words = [*vectors.words, "embersome"]
    np.testing.assert_array_equal(loaded.vectors(words), vectors.vectors(words))
    assert loaded.neighbors("ember") == vectors.neighbors("ember")
    assert (tmp_path / "model" / "eval.json").read_text() == '{\n    "mean_rho": 0.5\n}\n'
    loaded.export(tmp_path / "vectors.txt", format="word2vec")
    assert (tmp_path / "vectors.txt").read_text(encoding="utf-8").startswith("11 20\n</s> ")
