"""`ClassifierPlan`: what the training of a classifier consists of, as plain arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from brasa import _native
from brasa.config import TextClassifierConfig
from brasa.errors import ConfigError
from brasa.examples import Examples
from brasa.vocabulary import Vocabulary

ClassWeights = Mapping[str, float] | Literal["balanced"]

# Items of the texts that are trained as one piece of work: a millisecond or less, so that threads
# do not wait for each other at the end of a span.
BLOCK_ITEMS = 2048
# Epochs that have an order of their own: 12 bytes a block and epoch, of the block's 8 kB.
MAX_ORDERS = 32
# Texts are trained in a random order, not in that of the file, which may be sorted by label.
_ORDER_STREAM = 0x5851F42D


@dataclass(frozen=True, eq=False)
class ClassifierPlan:
    """Tables, sizes and seeds of one training run.

    Attributes
    ----------
    config : TextClassifierConfig
    examples : Examples
    order : int32, shape (n_texts,)
        The texts, in a random order.
    block_offsets : int64, shape (n_blocks + 1,)
        Block b is ``order[block_offsets[b]:block_offsets[b + 1]]``.
    block_order : int32, shape (n_blocks * min(epochs, MAX_ORDERS),)
        Step i trains block ``block_order[i % len(block_order)]``: each epoch all blocks, in a
        random order of its own.
    step_items : int64, shape (len(block_order) + 1,)
        Items of the steps before each step: the learning rate's clock.
    accept, alias : uint32 and int32, shape (n_labels,)
        Alias table of the negatives' distribution; empty unless ``loss="ns"``.
    path_offsets, path_nodes, path_branches : int64, int32, uint8
        Huffman path of each label in compressed rows; empty unless ``loss="hs"``.
    label_weights : float32, shape (n_labels,)
        What steps towards a label are multiplied by; empty: 1.
    """

    config: TextClassifierConfig
    examples: Examples
    order: npt.NDArray[np.int32]
    block_offsets: npt.NDArray[np.int64]
    block_order: npt.NDArray[np.int32]
    step_items: npt.NDArray[np.int64]
    accept: npt.NDArray[np.uint32]
    alias: npt.NDArray[np.int32]
    path_offsets: npt.NDArray[np.int64]
    path_nodes: npt.NDArray[np.int32]
    path_branches: npt.NDArray[np.uint8]
    label_weights: npt.NDArray[np.float32]

    @property
    def remedy(self) -> str:
        """What helps against divergence besides a lower learning rate."""
        return ""

    @property
    def loss_terms(self) -> int:
        """How many logarithms the loss of a text is the sum of, at most."""
        return self.n_labels if self.config.loss == "ova" else self.config.negative_samples

    @property
    def n_blocks(self) -> int:
        """Blocks of one epoch."""
        return len(self.block_offsets) - 1

    @property
    def total_blocks(self) -> int:
        """Blocks of all epochs."""
        return self.n_blocks * self.config.epochs

    @property
    def total_items(self) -> int:
        """Items of all epochs."""
        n_orders = len(self.block_order) // self.n_blocks
        return int(self.step_items[-1]) // n_orders * self.config.epochs

    @property
    def n_input_rows(self) -> int:
        """One row for each word and each touched n-gram bucket."""
        return len(self.examples.vocabulary) + len(self.examples.bucket_ids)

    @property
    def n_labels(self) -> int:
        """Rows of the output matrix."""
        return len(self.examples.labels)

    @property
    def total_words(self) -> int:
        """Raw tokens of all epochs, labels and line ends included, as BlazingText counts them."""
        return self.examples.vocabulary.n_tokens * self.config.epochs


def make_classifier_plan(
    examples: Examples,
    config: TextClassifierConfig,
    block_items: int = BLOCK_ITEMS,
    class_weights: ClassWeights | None = None,
) -> ClassifierPlan:
    """Compute the tables of a training run.

    Raises
    ------
    ConfigError
        For a class weight of an unknown label, or one that is not a finite number from 0 up.
    """
    seed = config.seed ^ _ORDER_STREAM
    order = _native.permutation(len(examples), seed, 0)
    before = np.zeros(len(order) + 1, np.int64)
    np.cumsum(np.diff(examples.item_offsets)[order], out=before[1:])
    n_blocks = max(1, int(before[-1]) // block_items)
    cuts = np.searchsorted(before, np.linspace(0, before[-1], n_blocks + 1))
    block_offsets = cuts[np.diff(cuts, prepend=-1) > 0].astype(np.int64)  # each once
    items = np.diff(before[block_offsets])
    block_order = np.concatenate(
        [
            _native.permutation(len(items), seed, 1 + epoch)
            for epoch in range(min(config.epochs, MAX_ORDERS))
        ]
    )
    step_items = np.zeros(len(block_order) + 1, np.int64)
    np.cumsum(items[block_order], out=step_items[1:])
    counts = examples.labels.counts
    accept, alias = np.empty(0, np.uint32), np.empty(0, np.int32)
    paths = (np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.uint8))
    if config.loss == "ns":
        accept, alias = _native.build_alias_table(
            counts.astype(np.float64) ** config.negative_exponent
        )
    elif config.loss == "hs":
        paths = _native.build_huffman_code(counts)
    return ClassifierPlan(
        config=config,
        examples=examples,
        order=order,
        block_offsets=block_offsets,
        block_order=block_order,
        step_items=step_items,
        accept=accept,
        alias=alias,
        path_offsets=paths[0],
        path_nodes=paths[1],
        path_branches=paths[2],
        label_weights=_label_weights(class_weights, examples.labels, config.label_prefix),
    )


def _label_weights(
    weights: ClassWeights | None, labels: Vocabulary, prefix: str
) -> npt.NDArray[np.float32]:
    if weights is None:
        return np.empty(0, np.float32)
    if weights == "balanced":
        return np.asarray(labels.counts.mean() / labels.counts, np.float32)
    if not isinstance(weights, Mapping):
        raise ConfigError("class_weights", weights, "a dict of labels and numbers, or 'balanced'")
    found = np.ones(len(labels), np.float32)
    for name, weight in weights.items():
        row = labels.index(str(name))
        row = labels.index(f"{prefix}{name}") if row is None else row
        if row is None:
            allowed = f"of labels of the text: {', '.join(labels.words[:20])}"
            raise ConfigError("class_weights", name, allowed)
        is_number = isinstance(weight, (int, float, np.integer, np.floating))
        if not is_number or not 0 <= weight < np.finfo(np.float32).max:
            raise ConfigError("class_weights", {name: weight}, "finite numbers from 0 up")
        found[row] = weight
    return found
