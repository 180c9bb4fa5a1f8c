"""What a classifier's backends are handed, each table against its definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from brasa.classifier_plan import MAX_ORDERS, ClassifierPlan, make_classifier_plan
from brasa.config import TextClassifierConfig
from brasa.corpus import Corpus
from brasa.examples import encode_examples

# Counts 30, 10 and 10.
LINES = [f"__label__{'abaca'[i % 5]} w{i % 7} w{i % 11}" for i in range(50)]


def plan_of(block_items: int = 20, **hyperparameters: Any) -> ClassifierPlan:
    config = TextClassifierConfig(**{"min_count": 1, "threads": 1, **hyperparameters})
    return make_classifier_plan(encode_examples(Corpus(LINES), config), config, block_items)


def test_sizes() -> None:
    plan = plan_of(epochs=7)
    assert plan.n_labels == 3
    assert plan.n_input_rows == len(plan.examples.vocabulary) + len(plan.examples.bucket_ids)
    assert plan.total_blocks == 7 * plan.n_blocks
    assert plan.total_words == 7 * 50 * 4  # a label, two words and the line's end


@pytest.mark.parametrize("block_items", [1, 7, 20, 10**6])
def test_blocks_have_every_text_once(block_items: int) -> None:
    plan = plan_of(block_items)
    assert sorted(plan.order.tolist()) == list(range(50))
    assert (plan.block_offsets[0], plan.block_offsets[-1]) == (0, 50)
    assert (np.diff(plan.block_offsets) > 0).all()
    assert plan.n_blocks == min(50, max(1, len(plan.examples.items) // block_items))
    sizes = np.diff(plan.examples.item_offsets)[plan.order]
    parts = np.split(sizes, plan.block_offsets[1:-1])
    items = np.array([part.sum() for part in parts])
    assert np.diff(plan.step_items).tolist() == items[plan.block_order].tolist()


def test_each_epoch_has_every_block_once_in_an_order_of_its_own() -> None:
    plan = plan_of(block_items=7, epochs=MAX_ORDERS + 3)
    orders = plan.block_order.reshape(MAX_ORDERS, plan.n_blocks)
    assert (np.sort(orders, axis=1) == np.arange(plan.n_blocks)).all()
    assert len({tuple(order) for order in orders.tolist()}) == MAX_ORDERS
    assert plan.total_items == len(plan.examples.items) * (MAX_ORDERS + 3)
    assert plan_of(block_items=7, epochs=2).total_items == len(plan.examples.items) * 2


def test_the_order_is_the_seeds() -> None:
    order = plan_of(seed=1).order.tolist()
    assert plan_of(seed=1, threads=3).order.tolist() == order
    assert plan_of(seed=2).order.tolist() != order
    assert order != list(range(50))


@pytest.mark.parametrize("exponent", [0, 0.5, 1])
def test_negatives(exponent: float) -> None:
    plan = plan_of(loss="ns", negative_exponent=exponent)
    weights = np.array([30.0, 10, 10]) ** exponent
    found = plan.accept / 2**32 / 3
    np.add.at(found, plan.alias, (1 - plan.accept / 2**32) / 3)
    np.testing.assert_allclose(found, weights / weights.sum(), atol=1e-9)


def test_each_loss_has_its_own_table() -> None:
    for loss, sizes in {"softmax": (0, 0), "ova": (0, 0), "ns": (3, 0), "hs": (0, 4)}.items():
        plan = plan_of(loss=loss)
        assert (len(plan.accept), len(plan.path_offsets)) == sizes
    # 30 against 10 + 10: one branch to the most frequent label, two to the others.
    assert plan_of(loss="hs").path_offsets.tolist() == [0, 1, 3, 5]
