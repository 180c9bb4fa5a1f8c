"""The same training on a native backend and on the reference, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from brasa import _native
from brasa.parameters import Parameters
from brasa.plan import TrainingPlan

if TYPE_CHECKING:
    from brasa.classifier_plan import ClassifierPlan

    Plan = TrainingPlan | ClassifierPlan

KERNELS = [name for name in ("avx512", "avx2", "neon", "scalar") if _native.instruction_set(name)]


@dataclass(frozen=True)
class Comparison:
    """What trains, from where, and how far apart the results may be.

    Attributes
    ----------
    native, reference
        Backends.
    spread : float
        Standard deviation of the parameters that training starts from.
    tolerance : float
        Of a number that moves by 1 or less.
    """

    native: Any
    reference: Any
    spread: float
    tolerance: float

    def start(self, plan: Plan) -> Parameters:
        """Parameters in mid-training: random, so that no gradient is zero by symmetry."""
        n_outputs = plan.n_words if isinstance(plan, TrainingPlan) else plan.n_labels
        parameters = Parameters.initial(plan.n_input_rows, n_outputs, plan.config, threads=1)
        random = np.random.default_rng(1)
        for matrix in (parameters.input, parameters.output):
            matrix[:] = random.normal(0, self.spread, matrix.shape)
        return parameters

    def trained(self, backend: Any, plan: Plan) -> tuple[Parameters, float]:
        """The parameters after all blocks, and the loss."""
        parameters = self.start(plan)
        runner = backend(plan, parameters, 1)
        result = runner.train(0, plan.total_blocks)
        runner.write_back()
        assert result.finite
        assert result.n_pairs >= plan.total_blocks  # of each block at least the first one
        return parameters, result.loss

    def assert_equal(self, plan: Plan) -> None:
        """Both move both matrices, and alike."""
        found, loss = self.trained(self.native, plan)
        expected, expected_loss = self.trained(self.reference, plan)
        before = self.start(plan)
        for name in ("input", "output"):
            matrix, reference = getattr(found, name), getattr(expected, name)
            moved = np.abs(reference - getattr(before, name)).max()
            assert moved > 0.01, f"the {name} matrix did not move: nothing is compared"
            atol = self.tolerance * max(1.0, moved)
            np.testing.assert_allclose(matrix, reference, rtol=0, atol=atol)
        assert loss == pytest.approx(expected_loss, rel=1e-4)

    def assert_different(self, plan: Plan, other: Plan) -> None:
        """What the one plan makes natively shows beside what the other makes."""
        found, _ = self.trained(self.native, plan)
        expected, _ = self.trained(self.reference, other)
        moved = np.abs(expected.output - self.start(other).output).max()
        difference = np.abs(found.output - expected.output).max()
        assert difference > self.tolerance * max(1.0, moved)

    def assert_spans_do_not_matter(self, plan: Plan, backend: Any) -> None:
        """Block by block the result is that of all blocks at once."""
        assert plan.n_blocks > 3
        whole, _ = self.trained(backend, plan)
        pieces = self.start(plan)
        runner = backend(plan, pieces, 1)
        for first in range(plan.total_blocks):
            runner.train(first, first + 1)
        runner.write_back()
        # The reference rounds to single precision at the end of each span.
        atol = 1e-5 if backend is self.reference else 0
        np.testing.assert_allclose(pieces.input, whole.input, rtol=0, atol=atol)

    def assert_padding_stays_zero(self, plan: Plan) -> None:
        """What lies between the rows, of 7 numbers in 16, is not written."""
        parameters, _ = self.trained(self.native, plan)
        for matrix in (parameters.input, parameters.output):
            assert matrix.shape[1] == 7
            padded = np.lib.stride_tricks.as_strided(matrix, (len(matrix), 16))
            np.testing.assert_array_equal(padded[:, 7:], 0)


@pytest.fixture(scope="session")
def comparison() -> type[Comparison]:
    """The class, since test modules cannot import it."""
    return Comparison


@pytest.fixture(params=KERNELS)
def kernels(request: pytest.FixtureRequest) -> str:
    """Each set of kernels that this machine has."""
    name: str = request.param
    return name
