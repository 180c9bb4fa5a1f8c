"""Two GPUs that share a text: processes that meet over gloo, in Triton's interpreter."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import brasa
from brasa.config import WordVectorsConfig
from brasa.corpus import Corpus
from brasa.encoding import encode
from brasa.errors import DeviceError
from brasa.parameters import Parameters
from brasa.plan import TrainingPlan, make_plan

if TYPE_CHECKING:
    from conftest import Gpu


def small_plan() -> TrainingPlan:
    random = np.random.default_rng(0)
    lines = [[f"w{k}" for k in random.integers(0, 30, 5)] for _ in range(12)]
    config = WordVectorsConfig(
        min_count=1, epochs=1, vector_dim=4, window_size=1, sampling_threshold=0.3, subwords=True,
        buckets=100,
    )  # fmt: skip
    vocabulary, encoded = encode(Corpus(lines), config)
    return dataclasses.replace(make_plan(vocabulary, encoded, config), block_tokens=16)


def start(plan: TrainingPlan) -> Parameters:
    parameters = Parameters.initial(plan.n_input_rows, plan.n_words, plan.config, 1)
    random = np.random.default_rng(1)
    for matrix in (parameters.input, parameters.output):
        matrix[:] = random.normal(0, 0.3, matrix.shape)
    return parameters


def test_rows_move_by_less_than_the_sum_where_several_moved_them(chosen: Gpu) -> None:
    from brasa.backends.gpu.several import SeveralGpus

    plan = small_plan()
    n = plan.total_blocks
    assert n >= 4
    found = start(plan)
    both = SeveralGpus(chosen.words, 2, plan, found, 1)
    assert both.device_name.startswith("2 x ")
    rounds = [*range(0, n, both.blocks_at_once), n]
    result = both.train(0, n)
    both.write_back()
    assert both.done == n
    # The same by hand: in each round, each GPU's half of the blocks from the same start.
    expected = start(plan)
    loss = 0.0
    for first, last in itertools.pairwise(rounds):
        middle = first + (last - first) // 2
        steps = []
        for a, b in ((first, middle), (middle, last)):
            own = Parameters(expected.input.copy(), expected.output.copy())
            padded = start(plan)
            padded.input[:], padded.output[:] = own.input, own.output
            if a < b:
                runner = chosen.words(plan, padded, 1)
                loss += runner.train(a, b).loss
                runner.write_back()
            steps.append((padded.input - expected.input, padded.output - expected.output))
        for matrix, of_one, of_other in zip((expected.input, expected.output), *steps, strict=True):
            movers = sum((step != 0).any(1).astype(int) for step in (of_one, of_other))
            matrix += (of_one + of_other) / np.sqrt(np.maximum(movers, 1))[:, None]
    np.testing.assert_allclose(found.input, expected.input, atol=1e-5)
    np.testing.assert_allclose(found.output, expected.output, atol=1e-5)
    assert result.loss == pytest.approx(loss, rel=1e-4)
    assert np.abs(found.output - start(plan).output).max() > 1e-3


def test_a_process_that_dies_ends_the_training(chosen: Gpu) -> None:
    from brasa.backends.gpu.several import SeveralGpus

    plan = small_plan()
    both = SeveralGpus(chosen.words, 2, plan, start(plan), 1)
    both._processes[0].kill()
    with pytest.raises(DeviceError, match="the process of GPU 1 ended with code -9"):
        both.train(0, plan.total_blocks)


def test_word_vectors_and_classifiers(chosen: Gpu) -> None:
    settings: dict[str, Any] = {"device": "cuda", "gpus": 2, "min_count": 1, "epochs": 1}
    lines = [["a", "b", "c", "d"]] * 4
    vectors = brasa.WordVectors.train(lines, vector_dim=4, sampling_threshold=0.9, **settings)
    assert vectors.metadata["device"].startswith("2 x ")
    assert np.isfinite(vectors["a"]).all()
    texts = ["__label__x a b", "__label__y c d"] * 4
    classifier = brasa.TextClassifier.train(
        texts, vector_dim=4, learning_rate=0.5, word_ngrams=1, **settings
    )
    assert set(classifier.labels) == {"__label__x", "__label__y"}
    assert classifier.metadata["device"].startswith("2 x ")
