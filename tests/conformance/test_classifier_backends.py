"""One suite for every way to train a classifier and every set of kernels, against NumPy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from brasa.backends import ClassifierBackend
from brasa.backends.cpu import CpuClassifierBackend
from brasa.backends.reference_classifier import ReferenceClassifierBackend
from brasa.classifier_plan import MAX_ORDERS, ClassifierPlan, make_classifier_plan
from brasa.config import TextClassifierConfig
from brasa.corpus import Corpus
from brasa.examples import encode_examples

if TYPE_CHECKING:
    from conformance.conftest import Comparison

LOSSES = ["softmax", "hs", "ns", "ova"]


def texts(n: int = 80, n_labels: int = 5, seed: int = 0) -> list[str]:
    """Lines of one to three labels and 0 to 9 words, some of them twice, in any order."""
    random = np.random.default_rng(seed)
    lines = []
    for _ in range(n):
        labels = [f"__label__{random.zipf(1.5) % n_labels}" for _ in range(random.integers(1, 4))]
        words = [f"w{random.zipf(1.5) % 40}ing" for _ in range(random.integers(0, 10))]
        lines.append(" ".join(random.permutation([*labels, *words]).tolist()))
    return [*lines, "__label__0 w1ing", "__label__1 w2ing"]


def plan_for(lines: list[str], block_items: int = 100, **hyperparameters: Any) -> ClassifierPlan:
    defaults: dict[str, Any] = {
        "vector_dim": 20,
        "min_count": 2,
        "epochs": 2,
        "learning_rate": 0.5,
        "buckets": 300,
        "threads": 1,
    }
    config = TextClassifierConfig(**{**defaults, **hyperparameters})
    return make_classifier_plan(encode_examples(Corpus(iter(lines)), config), config, block_items)


@pytest.fixture(scope="module")
def compare(comparison: type[Comparison]) -> Comparison:
    # Single against double precision: a row is moved by at most some hundred steps, each
    # rounded to 2**-24 of a number below 16.
    return comparison(CpuClassifierBackend, ReferenceClassifierBackend, spread=0.3, tolerance=2e-5)


@pytest.mark.parametrize("subwords", [False, True])
@pytest.mark.parametrize("word_ngrams", [1, 2, 4])
@pytest.mark.parametrize("loss", LOSSES)
def test_losses_and_features(
    compare: Comparison, loss: str, word_ngrams: int, subwords: bool, kernels: str
) -> None:
    plan = plan_for(
        texts(), loss=loss, word_ngrams=word_ngrams, subwords=subwords, instruction_set=kernels
    )
    assert (plan.n_input_rows > len(plan.examples.vocabulary)) == (subwords or word_ngrams > 1)
    compare.assert_equal(plan)


@pytest.mark.parametrize("dim", [1, 7, 100, 300])
@pytest.mark.parametrize("loss", LOSSES)
def test_dimensions(compare: Comparison, loss: str, dim: int, kernels: str) -> None:
    compare.assert_equal(plan_for(texts(30), loss=loss, vector_dim=dim, instruction_set=kernels))


@pytest.mark.parametrize("n_labels", [2, 3, 15, 16, 17, 33])
@pytest.mark.parametrize("loss", LOSSES)
def test_numbers_of_labels(compare: Comparison, loss: str, n_labels: int) -> None:
    lines = [*texts(60, n_labels), *(f"__label__{k} w{k}" for k in range(n_labels))]
    plan = plan_for(lines, loss=loss)
    assert plan.n_labels == n_labels
    compare.assert_equal(plan)


@pytest.mark.parametrize("negative_samples", [1, 4, 20])
def test_negatives(compare: Comparison, negative_samples: int) -> None:
    compare.assert_equal(plan_for(texts(), loss="ns", negative_samples=negative_samples))


@pytest.mark.parametrize("loss", LOSSES)
def test_one_feature_and_one_text_a_block(compare: Comparison, loss: str) -> None:
    lines = [f"__label__{i % 3} w{i % 3}" for i in range(20)]
    plan = plan_for(lines, block_items=1, loss=loss, word_ngrams=1, epochs=3)
    assert plan.n_blocks == 20
    compare.assert_equal(plan)


def test_orders_of_blocks_come_again(compare: Comparison) -> None:
    plan = plan_for(texts(20), epochs=MAX_ORDERS + 2, learning_rate=0.05)
    assert plan.total_blocks > len(plan.block_order) > plan.n_blocks
    compare.assert_equal(plan)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_long_text(compare: Comparison, loss: str) -> None:
    words = " ".join(f"w{i % 50}" for i in range(500))
    plan = plan_for([f"__label__a {words}", "__label__b w1 w1"], loss=loss, subwords=True)
    compare.assert_equal(plan)


@pytest.mark.parametrize("loss", LOSSES)
def test_weights(compare: Comparison, loss: str) -> None:
    plan = plan_for(texts(), loss=loss)
    weights = np.random.default_rng(2).uniform(0, 2, len(plan.examples)).astype(np.float32)
    weights[3] = 0
    labels = np.linspace(0, 3, plan.n_labels, dtype=np.float32)
    plan = replace(plan, examples=replace(plan.examples, weights=weights), label_weights=labels)
    compare.assert_equal(plan)


@pytest.mark.parametrize("n_labels", [2, 3, 17])
@pytest.mark.parametrize("loss", LOSSES)
def test_the_same_texts_are_right(
    compare: Comparison, loss: str, n_labels: int, kernels: str
) -> None:
    lines = [*texts(200, n_labels), *(f"__label__{k} w{k}" for k in range(n_labels))]
    plan = plan_for(lines, loss=loss, instruction_set=kernels)
    parameters, _ = compare.trained(CpuClassifierBackend, plan)
    found = CpuClassifierBackend(plan, parameters, 2).count_right()
    assert found == ReferenceClassifierBackend(plan, parameters, 1).count_right()
    assert len(plan.examples) / 4 < found < len(plan.examples)


def test_a_label_that_a_text_has_twice(compare: Comparison) -> None:
    lines = [f"__label__{i % 3} __label__{i % 2} w{i % 7}" for i in range(40)]
    compare.assert_equal(plan_for(lines, loss="ova"))


def test_comparison_can_fail(compare: Comparison) -> None:
    """A learning rate that is 0.1 % off must show: the tolerance is not too wide."""
    plan = plan_for(texts())
    off = replace(plan, config=replace(plan.config, learning_rate=0.5005))
    compare.assert_different(off, plan)


@pytest.mark.parametrize("backend", [CpuClassifierBackend, ReferenceClassifierBackend])
@pytest.mark.parametrize("loss", LOSSES)
def test_spans_do_not_matter(
    compare: Comparison, backend: type[ClassifierBackend], loss: str
) -> None:
    plan = plan_for(texts(), loss=loss)
    compare.assert_spans_do_not_matter(plan, backend)


@pytest.mark.parametrize("loss", LOSSES)
def test_padding_stays_zero(compare: Comparison, loss: str, kernels: str) -> None:
    compare.assert_padding_stays_zero(
        plan_for(texts(), loss=loss, vector_dim=7, instruction_set=kernels)
    )


@pytest.mark.parametrize("loss", LOSSES)
def test_the_step_is_the_gradient_of_the_loss(compare: Comparison, loss: str) -> None:
    """By finite differences, on one text: the reference itself is held to its formula."""
    lines = ["__label__a u v w u", "__label__b", "__label__c", "__label__d"]
    config: dict[str, Any] = {
        "loss": loss,
        "epochs": 1,
        "min_count": 1,
        "vector_dim": 5,
        "learning_rate": 1e-6,
    }
    plan = plan_for(lines, **config, negative_samples=3)
    text = next(i for i in range(len(plan.examples)) if len(plan.examples.rows_of(i)) > 2)
    plan = replace(
        plan,
        order=np.array([text], np.int32),
        block_offsets=np.array([0, 1]),
        block_order=np.zeros(1, np.int32),
        step_items=np.array([0, len(plan.examples.rows_of(text))]),
    )
    for name in ("input", "output"):
        moved = compare.start(plan)
        backend = ReferenceClassifierBackend(plan, moved, 1)
        before = {k: getattr(backend, f"_{k}").copy() for k in ("input", "output")}
        backend.train(0, 1)
        step = (getattr(backend, f"_{name}") - before[name]) / 1e-6
        for row, column in [(r, c) for r in range(len(step)) for c in range(5)]:
            losses = []
            for shift in (1e-3, -1e-3):
                again = ReferenceClassifierBackend(plan, compare.start(plan), 1)
                getattr(again, f"_{name}")[row, column] += shift
                losses.append(again.train(0, 1).loss)
            slope = (losses[1] - losses[0]) / 2e-3
            assert step[row, column] == pytest.approx(slope, abs=1e-5)
