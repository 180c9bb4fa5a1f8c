"""From a text to vectors in other programs' hands, by the Python interface."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import brasa
from brasa.evaluation import similarity, wordsim

WORDNET = Path(brasa.__file__).parent / "demo/wordnet.txt.gz"
SETTINGS: dict[str, Any] = {"vector_dim": 40, "threads": 2, "seed": 3}


@pytest.fixture(scope="module")
def trained() -> brasa.WordVectors:
    return brasa.WordVectors.train(WORDNET, subwords=True, **SETTINGS)


def test_words_of_one_stem_are_near(trained: brasa.WordVectors) -> None:
    nearest = [word for word, _ in trained.neighbors("animal", k=5)]
    assert "animals" in nearest
    assert trained.similarity("animal", "animals") > trained.similarity("animal", "political")


def test_a_word_never_seen_is_near_what_it_is_spelled_like(trained: brasa.WordVectors) -> None:
    assert "animalish" not in trained
    assert trained.similarity("animalish", "animals") > 0.5
    assert any(part.trained for part in trained.subwords("animalish"))


def test_only_touched_rows_are_held_and_stored(trained: brasa.WordVectors, tmp_path: Path) -> None:
    rows = trained.embeddings.input
    assert len(rows) == len(trained) + len(trained.embeddings.bucket_ids)
    assert len(rows) < 200_000  # of 2,000,000 buckets
    trained.save(tmp_path / "model")
    stored = (tmp_path / "model" / "model.safetensors").stat().st_size
    assert stored < 4 * 40 * (len(rows) + len(trained)) + 2_000_000


def test_saving_and_loading_changes_nothing(trained: brasa.WordVectors, tmp_path: Path) -> None:
    trained.save(tmp_path / "model")
    loaded = brasa.load(tmp_path / "model")
    words = [*trained.words[:2000], "animalish", "awweeesome"]
    np.testing.assert_array_equal(loaded.vectors(words), trained.vectors(words))
    assert loaded.config == trained.config
    assert loaded.metadata == json.loads(json.dumps(trained.metadata))
    assert loaded.vocabulary.n_tokens == trained.vocabulary.n_tokens
    assert loaded.neighbors("animal") == trained.neighbors("animal")


@pytest.mark.parametrize(
    ("mode", "subwords", "rho"),  # 0.57, 0.53, 0.55 and 0.39 are usual
    [
        ("skipgram", True, 0.5),
        ("skipgram", False, 0.45),
        ("batch_skipgram", True, 0.45),
        ("cbow", False, 0.3),
    ],
)
def test_every_mode_learns_what_people_say_of_words(
    tmp_path: Path, mode: str, subwords: bool, rho: float
) -> None:
    vectors = brasa.WordVectors.train(WORDNET, mode=mode, subwords=subwords, **SETTINGS)
    table = wordsim.tables()["EN-WS-353-ALL.txt"]
    assert table is not None
    result = similarity.score(vectors.embeddings, table)
    assert result.found > 300
    assert result.spearmans_rho > rho
    vectors.save(tmp_path / "model", evaluation=vectors.evaluate())
    report = json.loads((tmp_path / "model" / "eval.json").read_text())
    assert report["EN-WS-353-ALL.txt"]["spearmans_rho"] == result.spearmans_rho


def test_text_options_belong_to_a_corpus() -> None:
    with pytest.raises(brasa.ConfigError, match="text_options"):
        brasa.WordVectors.train(
            brasa.Corpus(WORDNET), text_options=brasa.TextOptions(lowercase=True)
        )


def test_impossible_hyperparameters_are_refused_before_the_text_is_read() -> None:
    impossible: dict[str, Any] = {"colour": 1, "vector_dim": 0, "buckets": 0, "min_char": 7}
    for name, value in impossible.items():
        with pytest.raises(brasa.ConfigError, match=name):
            brasa.WordVectors.train("/absent", subwords=True, **{name: value})
