from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from brasa import WordVectors
from brasa.alignment import align, precision, read_pairs, translations
from brasa.errors import ConfigError, ModelFormatError, StorageError
from brasa.vocabulary import Vocabulary

if TYPE_CHECKING:
    from brasa.parameters import Embeddings
    from conftest import MakeEmbeddings

SHARED = Path(__file__).parents[3] / "shared"
N_WORDS = 600


def random_rotation(dim: int, seed: int = 5) -> Any:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(dim, dim)))[0].astype(np.float32)


def rotated(model: Embeddings, noise: float = 0.0) -> Embeddings:
    """Another language: each word has an X before it, vectors are rotated, and a little off."""
    rng = np.random.default_rng(9)
    dim = model.config.vector_dim
    rotation = random_rotation(dim)
    scale = noise * np.linalg.norm(model.input, axis=1).mean() / np.sqrt(dim)
    rows = (model.input + scale * rng.normal(size=model.input.shape)) @ rotation
    words = [f"X{word}" for word in model.vocabulary.words]
    vocabulary = Vocabulary.from_words(words, model.vocabulary.counts, model.vocabulary.n_tokens)
    return dataclasses.replace(
        model, vocabulary=vocabulary, input=rows.astype(np.float32), fasttext=None
    )


@pytest.fixture
def languages(make_embeddings: MakeEmbeddings) -> tuple[Embeddings, Embeddings]:
    source = make_embeddings([f"w{i}" for i in range(N_WORDS)], subwords=False)
    return source, rotated(source)


def pairs(first: int, last: int) -> list[tuple[str, str]]:
    return [(f"w{i}", f"Xw{i}") for i in range(first, last)]


def test_the_rotation_is_found(languages: tuple[Embeddings, Embeddings]) -> None:
    source, target = languages
    found = align(source, target, pairs(0, 100))
    np.testing.assert_allclose(found.rotation, random_rotation(20), atol=1e-4)
    assert (found.n_pairs, found.n_unknown, found.n_refined) == (100, 0, ())
    aligned = found.apply(source)
    np.testing.assert_allclose(aligned.input, target.input, atol=1e-3)
    np.testing.assert_allclose(aligned.output, source.output @ random_rotation(20), atol=1e-3)
    assert aligned.vocabulary is source.vocabulary
    assert aligned.metadata["alignment"] == {"n_pairs": 100, "n_unknown": 0, "refined": []}
    for retrieval in ("csls", "cosine"):
        assert precision(aligned, target, pairs(100, 600), retrieval=retrieval) == 1.0
        assert precision(source, target, pairs(100, 600), retrieval=retrieval) < 0.05
    assert translations(aligned, target, ["w7", "w300"], k=2)[1][0] == "Xw300"


def test_the_rotation_is_that_of_procrustes(languages: tuple[Embeddings, Embeddings]) -> None:
    """No rotation brings the pairs nearer; a map that is not orthogonal might."""
    source, target = languages
    rows: Any = target.input + np.roll(target.input, 1, axis=0) / 2
    noisy = dataclasses.replace(target, input=rows)
    rotation = align(source, noisy, pairs(0, 200)).rotation
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(20), atol=1e-5)
    x, y = (
        m.input[:200] / np.linalg.norm(m.input[:200], axis=1, keepdims=True)
        for m in (source, noisy)
    )
    best = ((x @ rotation - y) ** 2).sum()
    for seed in range(50):
        small = np.random.default_rng(seed).normal(size=(20, 20)) * 0.05
        other = np.linalg.qr(np.eye(20) + small - small.T)[0]
        other *= np.sign(np.diag(other))
        assert ((x @ rotation @ other - y) ** 2).sum() > best


@pytest.mark.parametrize("retrieval", ["csls", "cosine"])
def test_refinement_needs_few_pairs(make_embeddings: MakeEmbeddings, retrieval: Any) -> None:
    source = make_embeddings([f"w{i}" for i in range(N_WORDS)], subwords=False)
    target = rotated(source, noise=0.3)
    few = pairs(0, 18)
    plain = align(source, target, few)
    refined = align(source, target, few, refinements=5, retrieval=retrieval)
    scores = [precision(a.apply(source), target, pairs(50, 600)) for a in (plain, refined)]
    assert scores[1] > scores[0] + 0.1
    assert scores[1] > 0.95
    assert len(refined.n_refined) == 5
    assert refined.n_refined[-1] > 500


def test_csls_passes_over_hubs(languages: tuple[Embeddings, Embeddings]) -> None:
    """A word in the middle of everything is nearest to many by cosine."""
    noise = np.random.default_rng(3).normal(size=(N_WORDS, 20)).astype(np.float32)
    source = dataclasses.replace(languages[0], input=languages[0].input + 1.1)
    target = dataclasses.replace(languages[1], input=source.input + 1.5 * noise)
    target.input[0] = 1.1
    words, right = source.vocabulary.words[1:], pairs(1, N_WORDS)
    hubs, scores = [], []
    for retrieval in ("csls", "cosine"):
        found = translations(source, target, words, retrieval=retrieval)
        hubs.append(sum(answers == ["Xw0"] for answers in found))
        scores.append(precision(source, target, right, retrieval=retrieval))
    assert hubs[1] > 50
    assert hubs[0] < hubs[1] / 3
    assert scores[0] > scores[1] + 0.05


def test_only_frequent_words_are_candidates(languages: tuple[Embeddings, Embeddings]) -> None:
    source, target = languages
    aligned = align(source, target, pairs(0, 100)).apply(source)
    assert translations(aligned, target, ["w30"], n_words=31) == [["Xw30"]]
    assert translations(aligned, target, ["w30"], n_words=30) != [["Xw30"]]
    assert len(translations(aligned, target, ["w30"], k=99, n_words=30)[0]) == 30
    assert translations(aligned, target, []) == []


def test_several_right_translations_count_once(languages: tuple[Embeddings, Embeddings]) -> None:
    source, target = languages
    aligned = align(source, target, pairs(0, 100)).apply(source)
    listed = [("w1", "Xw2"), ("w1", "Xw1"), ("w2", "Xw1"), ("w3", "nope"), ("nope", "Xw3")]
    assert precision(aligned, target, listed) == 0.5


def test_dictionaries(tmp_path: Path) -> None:
    wanted = [("fire", "fogo"), ("fire", "lume"), ("ember", "brasa")]
    file = tmp_path / "pairs.txt"
    file.write_text("fire fogo\n\nfire\tlume\n ember  brasa\n", "utf-8")
    assert read_pairs(file) == read_pairs(str(file)) == read_pairs(iter(wanted)) == wanted
    assert read_pairs({"fire": "fogo", "ember": "brasa"}) == [wanted[0], wanted[2]]
    file.write_text("fire fogo\nember\n", "utf-8")
    with pytest.raises(ModelFormatError, match=r"pairs.txt: line 2: 1 words instead of a pair"):
        read_pairs(file)
    file.write_bytes(b"")
    with pytest.raises(ModelFormatError, match="holds no line"):
        read_pairs(file)
    with pytest.raises(StorageError, match="cannot be read"):
        read_pairs(tmp_path / "nothing")
    odd: list[Any] = [None, 3, [1, 2], [("a",)], [("a", 2)], [("a", "b", "c")]]
    for dictionary in odd:
        with pytest.raises(ConfigError, match="pairs of words"):
            read_pairs(dictionary)


def test_what_cannot_be_aligned(
    languages: tuple[Embeddings, Embeddings], make_embeddings: MakeEmbeddings
) -> None:
    source, target = languages
    nothing: list[list[tuple[str, str]]] = [[], [("nope", "Xw1"), ("w1", "w1")]]
    for dictionary in nothing:
        for function in (align, precision):
            with pytest.raises(ConfigError, match=rf"{len(dictionary)} pairs.* both models know"):
                function(source, target, dictionary)
    with pytest.raises(ConfigError, match=r"vector_dim=7 .* must be 20, as in the source model"):
        WordVectors(source).align_to(WordVectors(make_embeddings(vector_dim=7)), pairs(0, 9))
    wrong: list[dict[str, Any]] = [
        {"refinements": -1}, {"refinements": 1.5}, {"n_words": 0}, {"retrieval": "nearest"},
    ]  # fmt: skip
    for option in wrong:
        with pytest.raises(ConfigError, match=next(iter(option))):
            align(source, target, pairs(0, 9), **option)
    wrong = [{"k": 0}, {"k": True}, {"n_words": 0}, {"retrieval": "nearest"}]
    for option in wrong:
        with pytest.raises(ConfigError, match=next(iter(option))):
            translations(source, target, ["w1"], **option)
    with pytest.raises(ConfigError, match="not one string"):
        translations(source, target, "w1")
    target.input[5, 5] = np.inf
    with pytest.raises(ModelFormatError, match="not finite"):
        align(source, target, pairs(0, 9))


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is not there")
def test_real_vectors_that_were_rotated() -> None:
    """Half of the words are the dictionary, the other half are found; unseen words follow."""
    source = WordVectors.load(SHARED / "data/models/gensim/lee_fasttext_new.bin")
    rotation = random_rotation(source.vector_dim)
    rows = source.vectors(source.words) @ rotation
    target = WordVectors(
        dataclasses.replace(
            source.embeddings,
            config=dataclasses.replace(source.config, subwords=False),
            input=rows,
            bucket_ids=np.empty(0, np.uint32),
            fasttext=None,
        )
    )
    listed = [(word, word) for word in source.words]
    aligned = source.align_to(target, listed[::2])
    assert precision(aligned.embeddings, target.embeddings, listed[1::2]) > 0.99
    words = [*source.words, "embersome", "unforeseeable"]
    np.testing.assert_allclose(aligned.vectors(words), source.vectors(words) @ rotation, atol=1e-4)
