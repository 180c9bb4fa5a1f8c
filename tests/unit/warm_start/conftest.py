"""Small models of texts with groups of words, to start from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from brasa.config import WordVectorsConfig
from brasa.corpus import Corpus
from brasa.encoding import encode
from brasa.parameters import Parameters
from brasa.plan import TrainingPlan, make_plan
from brasa.vocabulary import Vocabulary
from brasa.warm_start import StartedFrom, WarmStart
from brasa.word_vectors import WordVectors

Lines = list[list[str]]
Groups = Callable[..., Lines]
Train = Callable[..., WordVectors]
Digest = Callable[[WordVectors], tuple[bytes, bytes]]
Begin = Callable[
    [WarmStart, WordVectorsConfig, Lines],
    tuple[Parameters, Vocabulary, TrainingPlan, StartedFrom],
]


@pytest.fixture(scope="session")
def small() -> dict[str, Any]:
    """Hyperparameters that suit a few thousand words."""
    return {
        "vector_dim": 16, "min_count": 1, "threads": 1, "sampling_threshold": 0.5, "buckets": 1000,
    }  # fmt: skip


@pytest.fixture(scope="session")
def groups() -> Groups:
    """A function that makes lines of six words of one group each: its name and a digit."""

    def make(n_lines: int, *names: str, seed: int = 0) -> Lines:
        random = np.random.default_rng(seed)
        return [
            [f"{names[line % len(names)]}{i}" for i in random.integers(0, 10, 6)]
            for line in range(n_lines)
        ]

    return make


@pytest.fixture(scope="session")
def train(small: dict[str, Any]) -> Train:
    """A function that trains a small model on lines."""

    def run(lines: Lines, **hyperparameters: Any) -> WordVectors:
        return WordVectors.train(lines, **{**small, **hyperparameters})

    return run


@pytest.fixture(scope="session")
def digest() -> Digest:
    """A function that gives all numbers of a model as bytes."""

    def bytes_of(vectors: WordVectors) -> tuple[bytes, bytes]:
        return vectors.embeddings.input.tobytes(), vectors.embeddings.output.tobytes()

    return bytes_of


@pytest.fixture(scope="session")
def begin() -> Begin:
    """A function that gives what training begins with."""

    def run(
        start: WarmStart, config: WordVectorsConfig, lines: Lines
    ) -> tuple[Parameters, Vocabulary, TrainingPlan, StartedFrom]:
        vocabulary, encoded = encode(Corpus(lines), config, first_words=start.first_words)
        vocabulary = start.vocabulary(vocabulary, encoded)
        plan = make_plan(vocabulary, encoded, config, subwords=start.subwords(vocabulary, config))
        parameters = Parameters.initial(plan.n_input_rows, plan.n_words, config, 1)
        return parameters, vocabulary, plan, start.fill(parameters, vocabulary, plan)

    return run


@pytest.fixture(scope="session", params=[False, True], ids=["words", "subwords"])
def old(request: pytest.FixtureRequest, groups: Groups, train: Train) -> WordVectors:
    """A model of two groups, without and with subwords."""
    return train(groups(1000, "red", "blue"), subwords=request.param, epochs=5)


@pytest.fixture(scope="session")
def new_text(groups: Groups) -> Lines:
    """A text of one old and one new group, and a word that occurs once."""
    return [*groups(600, "green", "blue", seed=1), ["rare", "blue1"]]
