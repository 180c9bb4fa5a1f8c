"""One suite for every backend and every set of kernels, against the NumPy reference."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from brasa import _native
from brasa.backends import Backend
from brasa.backends.cpu import CpuBackend
from brasa.backends.reference import ReferenceBackend
from brasa.config import WordVectorsConfig
from brasa.corpus import Corpus
from brasa.encoding import encode
from brasa.parameters import Parameters
from brasa.plan import TrainingPlan, make_plan
from brasa.subwords import FloretHashing, floret_subword_table

KERNELS = [name for name in ("avx512", "avx2", "neon", "scalar") if _native.instruction_set(name)]
MODES = ["skipgram", "cbow", "batch_skipgram"]


def sentences(n_lines: int, n_words: int, seed: int = 0) -> list[list[str]]:
    """Lines of 0 to 12 words with skewed frequencies."""
    random = np.random.default_rng(seed)
    lengths = random.integers(0, 13, n_lines)
    return [
        [f"w{min(int(random.zipf(1.5)), n_words)}ing" for _ in range(length)] for length in lengths
    ]


def plan_for(lines: list[list[str]], **hyperparameters: Any) -> TrainingPlan:
    defaults: dict[str, Any] = {
        "vector_dim": 20,
        "min_count": 1,
        "sampling_threshold": 0.05,
        "epochs": 1,
        "buckets": 500,
    }
    config = WordVectorsConfig(**{**defaults, **hyperparameters})
    vocabulary, encoded = encode(Corpus(lines), config)
    return make_plan(vocabulary, encoded, config)


def start(plan: TrainingPlan) -> Parameters:
    """Parameters in mid-training: random, so that no gradient is zero by symmetry."""
    parameters = Parameters.initial(plan.n_input_rows, plan.n_words, plan.config, threads=1)
    random = np.random.default_rng(1)
    for matrix in (parameters.input, parameters.output):
        matrix[:] = random.normal(0, 0.2, matrix.shape)
    return parameters


def trained(backend: type[Backend], plan: TrainingPlan) -> tuple[Parameters, float]:
    parameters = start(plan)
    result = backend(plan, parameters, 1).train(0, plan.total_blocks)
    assert result.finite
    return parameters, result.loss


def assert_equal(plan: TrainingPlan) -> None:
    found, loss = trained(CpuBackend, plan)
    expected, expected_loss = trained(ReferenceBackend, plan)
    before = start(plan)
    for name in ("input", "output"):
        matrix, reference = getattr(found, name), getattr(expected, name)
        moved = np.abs(reference - getattr(before, name)).max()
        assert moved > 0.01, f"the {name} matrix did not move: nothing is compared"
        # Single against double precision: a row is moved by at most a few thousand steps, each
        # rounded to 2**-24 of a number below 4.
        np.testing.assert_allclose(matrix, reference, rtol=0, atol=5e-5 * max(1.0, moved))
    assert loss == pytest.approx(expected_loss, rel=1e-4)


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("subwords", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_modes(mode: str, subwords: bool, kernels: str) -> None:
    assert_equal(
        plan_for(sentences(100, 30), mode=mode, subwords=subwords, instruction_set=kernels)
    )


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("dim", [1, 7, 100, 130, 300])
@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
def test_dimensions(mode: str, dim: int, kernels: str) -> None:
    assert_equal(
        plan_for(
            sentences(40, 20), mode=mode, vector_dim=dim, subwords=True, instruction_set=kernels
        )
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shared_negatives", [1, 7, 64])
def test_numbers_of_negatives(mode: str, shared_negatives: int) -> None:
    assert_equal(plan_for(sentences(60, 30), mode=mode, shared_negatives=shared_negatives))


@pytest.mark.parametrize("batch_size", [1, 2, 15, 16, 17, 32])
def test_batch_sizes(batch_size: int) -> None:
    assert_equal(plan_for(sentences(60, 30), mode="batch_skipgram", batch_size=batch_size))


@pytest.mark.parametrize("subwords", [False, True])
@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
def test_negatives_of_each_pair(mode: str, subwords: bool) -> None:
    assert_equal(plan_for(sentences(40, 20), mode=mode, subwords=subwords, shared_negatives=0))


@pytest.mark.parametrize("mode", MODES)
def test_hierarchical_softmax(mode: str) -> None:
    assert_equal(plan_for(sentences(40, 30), mode=mode, loss="hs"))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("window_size", [1, 2, 40])
def test_windows(mode: str, window_size: int) -> None:
    assert_equal(plan_for(sentences(40, 30), mode=mode, window_size=window_size))


@pytest.mark.parametrize("mode", MODES)
def test_sentences_of_one_word(mode: str) -> None:
    lines = [[f"w{i % 5}"] for i in range(60)]
    assert_equal(plan_for(lines, mode=mode, sampling_threshold=0.9))


@pytest.mark.parametrize("mode", MODES)
def test_vocabulary_of_two(mode: str) -> None:
    lines = [["a", "b", "a"]] * 20
    assert_equal(plan_for(lines, mode=mode, max_vocab=3, sampling_threshold=0.9))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("n_streams", [1, 3, 100])
def test_blocks_and_epochs(mode: str, n_streams: int) -> None:
    plan = plan_for(sentences(80, 30), mode=mode, epochs=3)
    plan = replace(plan, block_tokens=64, n_streams=n_streams)
    assert plan.n_blocks > 3
    assert_equal(plan)


@pytest.mark.parametrize("n_streams", [1, 3, 16, 100])
def test_every_block_is_trained_once_in_an_epoch(n_streams: int) -> None:
    plan = replace(plan_for(sentences(300, 30)), block_tokens=32, n_streams=n_streams)
    blocks = [plan.block_of(index) for index in range(plan.n_blocks)]
    assert sorted(blocks) == list(range(plan.n_blocks))
    assert (blocks == sorted(blocks)) == (n_streams in (1, 100))


def test_comparison_can_fail() -> None:
    """A learning rate that is 1 % off must show: the tolerance is not too wide."""
    plan = plan_for(sentences(100, 30), mode="skipgram")
    off = replace(plan, config=replace(plan.config, learning_rate=0.0505))
    found, _ = trained(CpuBackend, off)
    expected, _ = trained(ReferenceBackend, plan)
    moved = np.abs(expected.output - start(plan).output).max()
    assert np.abs(found.output - expected.output).max() > 5e-5 * max(1.0, moved)


@pytest.mark.parametrize("backend", [CpuBackend, ReferenceBackend])
def test_spans_do_not_matter(backend: type[Backend]) -> None:
    plan = replace(plan_for(sentences(80, 30), mode="cbow", epochs=2), block_tokens=64)
    whole, _ = trained(backend, plan)
    pieces = start(plan)
    runner = backend(plan, pieces, 1)
    for first in range(plan.total_blocks):
        runner.train(first, first + 1)
    if backend is CpuBackend:
        np.testing.assert_array_equal(pieces.input, whole.input)
    else:  # it rounds to single precision at the end of each span
        np.testing.assert_allclose(pieces.input, whole.input, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("mode", MODES)
def test_padding_stays_zero(mode: str, kernels: str) -> None:
    plan = plan_for(sentences(40, 20), mode=mode, vector_dim=7, instruction_set=kernels)
    parameters, _ = trained(CpuBackend, plan)
    for matrix in (parameters.input, parameters.output):
        padded = np.lib.stride_tricks.as_strided(matrix, (len(matrix), 16))
        np.testing.assert_array_equal(padded[:, 7:], 0)


def test_subsampling_keeps_the_expected_share() -> None:
    """The kept share of a word is min(1, sqrt(t / f) + t / f): fastText's formula."""
    plan = plan_for([["a"] * 3000 + ["b"] * 1000] * 5, sampling_threshold=0.1)
    share = 15000 / plan.n_raw_tokens
    expected = np.sqrt(0.1 / share) + 0.1 / share
    assert plan.keep[0] / 2**32 == pytest.approx(expected, rel=1e-6)


def test_negatives_follow_the_exponent() -> None:
    """The alias table gives back count ** negative_exponent."""
    plan = plan_for(sentences(200, 40), negative_exponent=0.75)
    n = plan.n_words
    probability = plan.accept / 2**32 / n
    np.add.at(probability, plan.alias, (1 - plan.accept / 2**32) / n)
    vocabulary, _ = encode(Corpus(sentences(200, 40)), plan.config)
    weights = vocabulary.counts.astype(float) ** 0.75
    np.testing.assert_allclose(probability, weights / weights.sum(), rtol=1e-6)


@pytest.mark.parametrize("mode", MODES)
def test_a_table_of_florets(mode: str) -> None:
    """Words share all their rows; the parts of a word fall on rows of it more than once."""
    lines = sentences(400, 60)
    config = plan_for(lines, mode=mode, subwords=True).config
    vocabulary, encoded = encode(Corpus(lines), config)
    hashing = FloretHashing(2, 3, hash_count=4, seed=1, buckets=40)
    table = floret_subword_table(vocabulary, hashing)
    own = [table.rows[a:b] for a, b in itertools.pairwise(table.offsets)]
    assert any(len(set(rows)) < len(rows) for rows in own)
    assert_equal(make_plan(vocabulary, encoded, config, subwords=table))
