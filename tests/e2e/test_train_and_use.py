"""From a text to vectors in other programs' hands, by the Python interface."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

import brasa
from brasa.evaluation import similarity, wordsim

if TYPE_CHECKING:
    from pathlib import Path

SMALL = {"vector_dim": 24, "epochs": 3, "threads": 1, "seed": 3}


@pytest.fixture(scope="module")
def trained(corpus: Path) -> brasa.WordVectors:
    return brasa.WordVectors.train(corpus, subwords=True, **SMALL)


def test_words_of_one_stem_are_near(trained: brasa.WordVectors) -> None:
    nearest = [word for word, _ in trained.neighbors("animal", k=5)]
    assert "animals" in nearest
    assert trained.similarity("animal", "animals") > trained.similarity("animal", "political")


def test_a_word_never_seen_is_near_what_it_is_spelled_like(trained: brasa.WordVectors) -> None:
    assert "animalss" not in trained
    assert trained.similarity("animalss", "animals") > 0.5
    assert any(part.trained for part in trained.subwords("animalss"))


def test_only_touched_rows_are_held_and_stored(trained: brasa.WordVectors, tmp_path: Path) -> None:
    rows = trained.embeddings.input
    assert len(rows) == len(trained) + len(trained.embeddings.bucket_ids)
    assert len(rows) < 200_000  # of 2,000,000 buckets
    trained.save(tmp_path / "model")
    stored = (tmp_path / "model" / "model.safetensors").stat().st_size
    assert stored < 4 * 24 * (len(rows) + len(trained)) + 2_000_000


def test_saving_and_loading_changes_nothing(trained: brasa.WordVectors, tmp_path: Path) -> None:
    trained.save(tmp_path / "model")
    loaded = brasa.load(tmp_path / "model")
    words = [*trained.words[:2000], "animalss", "awweeesome"]
    np.testing.assert_array_equal(loaded.vectors(words), trained.vectors(words))
    assert loaded.config == trained.config
    assert loaded.metadata == json.loads(json.dumps(trained.metadata))
    assert loaded.vocabulary.n_tokens == trained.vocabulary.n_tokens
    assert loaded.neighbors("animal") == trained.neighbors("animal")


@pytest.mark.parametrize("mode", ["cbow", "skipgram", "batch_skipgram"])
@pytest.mark.parametrize("subwords", [False, True])
def test_every_mode_learns_what_people_say_of_words(
    corpus: Path, tmp_path: Path, mode: str, subwords: bool
) -> None:
    vectors = brasa.WordVectors.train(corpus, mode=mode, subwords=subwords, **SMALL)
    table = wordsim.tables()["EN-WS-353-ALL.txt"]
    assert table is not None
    result = similarity.score(vectors.embeddings, table)
    assert result.found > 200
    assert result.spearmans_rho > 0.1
    vectors.save(tmp_path / "model", evaluation=vectors.evaluate())
    report = json.loads((tmp_path / "model" / "eval.json").read_text())
    assert report["EN-WS-353-ALL.txt"]["spearmans_rho"] == result.spearmans_rho


def test_text_options_belong_to_a_corpus(corpus: Path) -> None:
    with pytest.raises(brasa.ConfigError, match="text_options"):
        brasa.WordVectors.train(
            brasa.Corpus(corpus), text_options=brasa.TextOptions(lowercase=True)
        )


def test_impossible_hyperparameters_are_refused_before_the_text_is_read() -> None:
    for name, value in {"colour": 1, "vector_dim": 0, "buckets": 0, "min_char": 7}.items():
        with pytest.raises(brasa.ConfigError, match=name):
            brasa.WordVectors.train("/absent", subwords=True, **{name: value})
