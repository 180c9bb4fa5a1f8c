"""One suite for every backend and every set of kernels, against the NumPy reference."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from brasa.backends import Backend
from brasa.backends.cpu import CpuBackend
from brasa.backends.reference import ReferenceBackend
from brasa.config import WordVectorsConfig
from brasa.corpus import Corpus
from brasa.encoding import encode
from brasa.plan import TrainingPlan, make_plan
from brasa.subwords import FloretHashing, floret_subword_table

if TYPE_CHECKING:
    from conformance.conftest import Comparison

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


@pytest.fixture(scope="module")
def compare(comparison: type[Comparison]) -> Comparison:
    # Single against double precision: a row is moved by at most a few thousand steps, each
    # rounded to 2**-24 of a number below 4.
    return comparison(CpuBackend, ReferenceBackend, spread=0.2, tolerance=5e-5)


@pytest.mark.parametrize("subwords", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_modes(compare: Comparison, mode: str, subwords: bool, kernels: str) -> None:
    compare.assert_equal(
        plan_for(sentences(100, 30), mode=mode, subwords=subwords, instruction_set=kernels)
    )


@pytest.mark.parametrize("dim", [1, 7, 100, 130, 300])
@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
def test_dimensions(compare: Comparison, mode: str, dim: int, kernels: str) -> None:
    compare.assert_equal(
        plan_for(
            sentences(40, 20), mode=mode, vector_dim=dim, subwords=True, instruction_set=kernels
        )
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shared_negatives", [1, 7, 64])
def test_numbers_of_negatives(compare: Comparison, mode: str, shared_negatives: int) -> None:
    compare.assert_equal(plan_for(sentences(60, 30), mode=mode, shared_negatives=shared_negatives))


@pytest.mark.parametrize("batch_size", [1, 2, 15, 16, 17, 32])
def test_batch_sizes(compare: Comparison, batch_size: int) -> None:
    compare.assert_equal(plan_for(sentences(60, 30), mode="batch_skipgram", batch_size=batch_size))


@pytest.mark.parametrize("subwords", [False, True])
@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
def test_negatives_of_each_pair(compare: Comparison, mode: str, subwords: bool) -> None:
    compare.assert_equal(
        plan_for(sentences(40, 20), mode=mode, subwords=subwords, shared_negatives=0)
    )


@pytest.mark.parametrize("mode", MODES)
def test_hierarchical_softmax(compare: Comparison, mode: str) -> None:
    compare.assert_equal(plan_for(sentences(40, 30), mode=mode, loss="hs"))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("window_size", [1, 2, 40])
def test_windows(compare: Comparison, mode: str, window_size: int) -> None:
    compare.assert_equal(plan_for(sentences(40, 30), mode=mode, window_size=window_size))


@pytest.mark.parametrize("mode", MODES)
def test_sentences_of_one_word(compare: Comparison, mode: str) -> None:
    lines = [[f"w{i % 5}"] for i in range(60)]
    compare.assert_equal(plan_for(lines, mode=mode, sampling_threshold=0.9))


@pytest.mark.parametrize("mode", MODES)
def test_vocabulary_of_two(compare: Comparison, mode: str) -> None:
    lines = [["a", "b", "a"]] * 20
    compare.assert_equal(plan_for(lines, mode=mode, max_vocab=3, sampling_threshold=0.9))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("n_streams", [1, 3, 100])
def test_blocks_and_epochs(compare: Comparison, mode: str, n_streams: int) -> None:
    plan = plan_for(sentences(80, 30), mode=mode, epochs=3)
    plan = replace(plan, block_tokens=64, n_streams=n_streams)
    assert plan.n_blocks > 3
    compare.assert_equal(plan)


@pytest.mark.parametrize("n_streams", [1, 3, 16, 100])
def test_every_block_is_trained_once_in_an_epoch(n_streams: int) -> None:
    plan = replace(plan_for(sentences(300, 30)), block_tokens=32, n_streams=n_streams)
    blocks = [plan.block_of(index) for index in range(plan.n_blocks)]
    assert sorted(blocks) == list(range(plan.n_blocks))
    assert (blocks == sorted(blocks)) == (n_streams in (1, 100))


def test_comparison_can_fail(compare: Comparison) -> None:
    """A learning rate that is 1 % off must show: the tolerance is not too wide."""
    plan = plan_for(sentences(100, 30), mode="skipgram")
    off = replace(plan, config=replace(plan.config, learning_rate=0.0505))
    compare.assert_different(off, plan)


@pytest.mark.parametrize("backend", [CpuBackend, ReferenceBackend])
def test_spans_do_not_matter(compare: Comparison, backend: type[Backend]) -> None:
    plan = replace(plan_for(sentences(80, 30), mode="cbow", epochs=2), block_tokens=64)
    compare.assert_spans_do_not_matter(plan, backend)


@pytest.mark.parametrize("mode", MODES)
def test_padding_stays_zero(compare: Comparison, mode: str, kernels: str) -> None:
    compare.assert_padding_stays_zero(
        plan_for(sentences(40, 20), mode=mode, vector_dim=7, instruction_set=kernels)
    )


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
def test_a_table_of_florets(compare: Comparison, mode: str) -> None:
    """Words share all their rows; the parts of a word fall on rows of it more than once."""
    lines = sentences(400, 60)
    config = plan_for(lines, mode=mode, subwords=True).config
    vocabulary, encoded = encode(Corpus(lines), config)
    hashing = FloretHashing(2, 3, hash_count=4, seed=1, buckets=40)
    table = floret_subword_table(vocabulary, hashing)
    own = [table.rows[a:b] for a, b in itertools.pairwise(table.offsets)]
    assert any(len(set(rows)) < len(rows) for rows in own)
    compare.assert_equal(make_plan(vocabulary, encoded, config, subwords=table))
