"""The other backends' suite for the GPU, small: without one, Triton interprets its kernels."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from brasa.backends.gpu.reference import SimultaneousReference
from brasa.backends.reference_classifier import ReferenceClassifierBackend
from brasa.classifier_plan import MAX_ORDERS, ClassifierPlan, make_classifier_plan
from brasa.config import TextClassifierConfig, WordVectorsConfig
from brasa.corpus import Corpus
from brasa.encoding import encode
from brasa.examples import encode_examples
from brasa.plan import TrainingPlan, make_plan
from brasa.subwords import FloretHashing, floret_subword_table

if TYPE_CHECKING:
    from conformance.conftest import Comparison
    from conftest import Gpu

MODES = ["skipgram", "cbow", "batch_skipgram"]
LOSSES = ["softmax", "ns", "ova"]


def sentences(n_lines: int, n_words: int) -> list[list[str]]:
    """Lines of 0 to 12 words with skewed frequencies."""
    random = np.random.default_rng(0)
    lengths = random.integers(0, 13, n_lines)
    return [
        [f"w{min(int(random.zipf(1.5)), n_words)}ing" for _ in range(length)] for length in lengths
    ]


def plan_for(lines: list[list[str]], **hyperparameters: Any) -> TrainingPlan:
    defaults: dict[str, Any] = {
        "vector_dim": 20,
        "min_count": 1,
        "sampling_threshold": 0.2,
        "window_size": 3,
        "epochs": 1,
        "buckets": 500,
    }
    config = WordVectorsConfig(**{**defaults, **hyperparameters})
    vocabulary, encoded = encode(Corpus(lines), config)
    return make_plan(vocabulary, encoded, config)


@pytest.fixture(scope="module")
def compare(comparison: type[Comparison], gpu: Gpu) -> Comparison:
    # Sums of single precision, in another order than the reference's; a GPU's matrix products have
    # 11 bits of each number.
    tolerance = 5e-5 if gpu.interpreted else 2e-3
    return comparison(gpu.one_program, SimultaneousReference, spread=0.2, tolerance=tolerance)


@pytest.mark.parametrize("subwords", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_modes(compare: Comparison, mode: str, subwords: bool) -> None:
    compare.assert_equal(plan_for(sentences(12, 20), mode=mode, subwords=subwords))


@pytest.mark.parametrize("dim", [1, 7, 130, 300])
@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
def test_dimensions(compare: Comparison, mode: str, dim: int) -> None:
    compare.assert_equal(plan_for(sentences(5, 20), mode=mode, vector_dim=dim, subwords=True))


@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
@pytest.mark.parametrize("shared_negatives", [1, 7, 64])
def test_numbers_of_shared_negatives(compare: Comparison, mode: str, shared_negatives: int) -> None:
    compare.assert_equal(plan_for(sentences(5, 20), mode=mode, shared_negatives=shared_negatives))


@pytest.mark.parametrize("negative_samples", [1, 8, 11])
def test_numbers_of_negatives(compare: Comparison, negative_samples: int) -> None:
    compare.assert_equal(plan_for(sentences(6, 20), negative_samples=negative_samples))


@pytest.mark.parametrize("batch_size", [1, 17])
def test_batch_sizes(compare: Comparison, batch_size: int) -> None:
    compare.assert_equal(plan_for(sentences(7, 20), mode="batch_skipgram", batch_size=batch_size))


@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
@pytest.mark.parametrize("window_size", [1, 40])
def test_windows(compare: Comparison, mode: str, window_size: int) -> None:
    compare.assert_equal(plan_for(sentences(6, 20), mode=mode, window_size=window_size))


@pytest.mark.parametrize("mode", MODES)
def test_sentences_of_one_word(compare: Comparison, mode: str) -> None:
    lines = [[f"w{i % 5}"] for i in range(12)]
    compare.assert_equal(plan_for(lines, mode=mode, sampling_threshold=0.9))


@pytest.mark.parametrize("mode", MODES)
def test_vocabulary_of_two(compare: Comparison, mode: str) -> None:
    lines = [["a", "b", "a"]] * 5
    compare.assert_equal(plan_for(lines, mode=mode, max_vocab=3, sampling_threshold=0.9))


@pytest.mark.parametrize("mode", MODES)
def test_words_that_are_not_contexts_of_any(compare: Comparison, mode: str) -> None:
    """Lines of one word between others: a slot, or a lane, has nothing to do."""
    lines = [["a"], ["b", "c", "a"], ["c"], ["b"], ["a", "b"]] * 3
    compare.assert_equal(plan_for(lines, mode=mode, sampling_threshold=0.9))


@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
@pytest.mark.parametrize("n_streams", [1, 3])
def test_blocks_and_epochs(compare: Comparison, mode: str, n_streams: int) -> None:
    plan = plan_for(sentences(13, 20), mode=mode, epochs=2)
    plan = replace(plan, block_tokens=16, n_streams=n_streams)
    assert plan.n_blocks > 3
    compare.assert_equal(plan)


@pytest.mark.parametrize("mode", MODES)
def test_a_table_of_florets(compare: Comparison, mode: str) -> None:
    """Words share all their rows; the parts of a word fall on rows of it more than once."""
    lines = sentences(14, 60)
    config = plan_for(lines, mode=mode, subwords=True).config
    vocabulary, encoded = encode(Corpus(lines), config)
    hashing = FloretHashing(2, 3, hash_count=4, seed=1, buckets=40)
    table = floret_subword_table(vocabulary, hashing)
    own = [table.rows[a:b] for a, b in itertools.pairwise(table.offsets)]
    assert any(len(set(rows)) < len(rows) for rows in own)
    compare.assert_equal(make_plan(vocabulary, encoded, config, subwords=table))


def test_words_with_many_rows(compare: Comparison) -> None:
    """More than are read at once."""
    lines = [["internationalization", "of", "telecommunications"]] * 5
    plan = plan_for(lines, subwords=True, sampling_threshold=0.9)
    assert np.diff(plan.subwords.offsets).max() > 64
    compare.assert_equal(plan)


def test_comparison_can_fail(compare: Comparison) -> None:
    """A learning rate that is 5 % off must show: the tolerance is not too wide."""
    plan = plan_for(sentences(20, 20), mode="skipgram")
    off = replace(plan, config=replace(plan.config, learning_rate=0.0525))
    compare.assert_different(off, plan)


def test_spans_do_not_matter(compare: Comparison) -> None:
    plan = replace(plan_for(sentences(12, 20), mode="cbow"), block_tokens=16)
    compare.assert_spans_do_not_matter(plan, compare.native)


@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
def test_padding_stays_zero(compare: Comparison, mode: str) -> None:
    compare.assert_padding_stays_zero(plan_for(sentences(10, 20), mode=mode, vector_dim=7))


def texts(n: int, n_labels: int = 5) -> list[str]:
    """Lines of one to three labels and 0 to 9 words, some of them twice, in any order."""
    random = np.random.default_rng(0)
    lines = []
    for _ in range(n):
        labels = [f"__label__{random.zipf(1.5) % n_labels}" for _ in range(random.integers(1, 4))]
        words = [f"w{random.zipf(1.5) % 40}ing" for _ in range(random.integers(0, 10))]
        lines.append(" ".join(random.permutation([*labels, *words]).tolist()))
    return [*lines, "__label__0 w1ing", "__label__1 w2ing"]


def classifier_plan_for(
    lines: list[str], block_items: int = 100, **hyperparameters: Any
) -> ClassifierPlan:
    defaults: dict[str, Any] = {
        "vector_dim": 20,
        "min_count": 2,
        "epochs": 2,
        "learning_rate": 0.5,
        "buckets": 300,
    }
    config = TextClassifierConfig(**{**defaults, **hyperparameters})
    return make_classifier_plan(encode_examples(Corpus(iter(lines)), config), config, block_items)


@pytest.fixture(scope="module")
def compare_classifiers(comparison: type[Comparison], gpu: Gpu) -> Comparison:
    backends = gpu.one_classifier_program, ReferenceClassifierBackend
    return comparison(*backends, spread=0.3, tolerance=5e-5)


@pytest.mark.parametrize("subwords", [False, True])
@pytest.mark.parametrize("word_ngrams", [1, 3])
@pytest.mark.parametrize("loss", LOSSES)
def test_losses_and_features(
    compare_classifiers: Comparison, loss: str, word_ngrams: int, subwords: bool
) -> None:
    plan = classifier_plan_for(texts(25), loss=loss, word_ngrams=word_ngrams, subwords=subwords)
    assert (plan.n_input_rows > len(plan.examples.vocabulary)) == (subwords or word_ngrams > 1)
    compare_classifiers.assert_equal(plan)


@pytest.mark.parametrize("dim", [1, 7, 300])
@pytest.mark.parametrize("loss", LOSSES)
def test_classifier_dimensions(compare_classifiers: Comparison, loss: str, dim: int) -> None:
    compare_classifiers.assert_equal(classifier_plan_for(texts(8), loss=loss, vector_dim=dim))


@pytest.mark.parametrize("n_labels", [2, 17, 40])
@pytest.mark.parametrize("loss", LOSSES)
def test_numbers_of_labels(compare_classifiers: Comparison, loss: str, n_labels: int) -> None:
    """With 100 columns and 40 labels, output rows are read in several parts."""
    lines = [*texts(8, n_labels), *(f"__label__{k} w{k % 9} w{k % 9}" for k in range(n_labels))]
    plan = classifier_plan_for(lines, loss=loss, vector_dim=100, epochs=1)
    assert plan.n_labels == n_labels
    compare_classifiers.assert_equal(plan)


@pytest.mark.parametrize("negative_samples", [1, 20])
def test_classifier_negatives(compare_classifiers: Comparison, negative_samples: int) -> None:
    compare_classifiers.assert_equal(
        classifier_plan_for(texts(20), loss="ns", negative_samples=negative_samples)
    )


@pytest.mark.parametrize("loss", LOSSES)
def test_one_feature_and_one_text_a_block(compare_classifiers: Comparison, loss: str) -> None:
    lines = [f"__label__{i % 3} w{i % 3}" for i in range(12)]
    plan = classifier_plan_for(lines, block_items=1, loss=loss, word_ngrams=1)
    assert plan.n_blocks == 12
    compare_classifiers.assert_equal(plan)


def test_orders_of_blocks_come_again(compare_classifiers: Comparison) -> None:
    lines = [f"__label__{i % 3} w{i % 3}" for i in range(6)]
    plan = classifier_plan_for(lines, 2, epochs=MAX_ORDERS + 2, learning_rate=0.05)
    assert plan.total_blocks > len(plan.block_order) > plan.n_blocks
    compare_classifiers.assert_equal(plan)


@pytest.mark.parametrize("loss", LOSSES)
def test_weights(compare_classifiers: Comparison, loss: str) -> None:
    plan = classifier_plan_for(texts(20), loss=loss)
    weights = np.random.default_rng(2).uniform(0, 2, len(plan.examples)).astype(np.float32)
    weights[3] = 0
    labels = np.linspace(0, 3, plan.n_labels, dtype=np.float32)
    plan = replace(plan, examples=replace(plan.examples, weights=weights), label_weights=labels)
    compare_classifiers.assert_equal(plan)


@pytest.mark.parametrize("subwords", [False, True])
@pytest.mark.parametrize("loss", LOSSES)
def test_the_same_texts_are_right(
    compare_classifiers: Comparison, loss: str, subwords: bool
) -> None:
    plan = classifier_plan_for(texts(40), loss=loss, subwords=subwords, epochs=1)
    parameters, _ = compare_classifiers.trained(compare_classifiers.native, plan)
    found = compare_classifiers.native(plan, parameters, 1).count_right()
    assert found == ReferenceClassifierBackend(plan, parameters, 1).count_right()
    assert 0 < found < len(plan.examples)


def test_classifier_comparison_can_fail(compare_classifiers: Comparison) -> None:
    """A learning rate that is 0.1 % off must show: the tolerance is not too wide."""
    plan = classifier_plan_for(texts(25))
    off = replace(plan, config=replace(plan.config, learning_rate=0.5005))
    compare_classifiers.assert_different(off, plan)


def test_classifier_spans_do_not_matter(compare_classifiers: Comparison) -> None:
    plan = classifier_plan_for(texts(25), block_items=30)
    compare_classifiers.assert_spans_do_not_matter(plan, compare_classifiers.native)
