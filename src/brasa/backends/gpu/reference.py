"""What the GPU's kernels are tested against: `brasa.backends.reference`, but for repeated rows."""

from __future__ import annotations

import numpy as np

from brasa.backends.gpu.shapes import negatives_at_once
from brasa.backends.reference import Centre, ReferenceBackend, Vector, sigmoid, softplus


class SimultaneousReference(ReferenceBackend):
    """Steps that read all rows before they move one, and many negatives group by group.

    It differs from its base where a step has a row twice.
    """

    def _train_side_by_side(
        self, centres: list[Centre], negatives: list[int], rate: float
    ) -> float:
        targets = [centre.contexts.pop(0) for centre in centres]
        hidden = np.array([centre.hidden for centre in centres])
        rows = self._output[targets]
        scores = (hidden * rows).sum(axis=1)
        gradients = rate * (1 - sigmoid(scores))
        steps = gradients[:, None] * rows
        loss = float(softplus(-scores).sum())
        weights = np.ones(len(centres))
        loss += self._train_negatives(hidden, steps, negatives, weights, rate)
        np.add.at(self._output, targets, gradients[:, None] * hidden)
        for centre, step in zip(centres, steps, strict=True):
            centre.hidden = centre.hidden + step
        return loss

    def _train_negatives(
        self, hidden: Vector, steps: Vector, negatives: list[int], weights: Vector, rate: float
    ) -> float:
        size, loss = negatives_at_once(self._plan.config), 0.0
        for k in range(0, len(negatives), size):
            group = negatives[k : k + size]
            loss += super()._train_negatives(hidden, steps, group, weights, rate)
        return loss
