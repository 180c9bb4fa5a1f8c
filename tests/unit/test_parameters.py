from __future__ import annotations

import numpy as np
import pytest

from brasa.config import WordVectorsConfig
from brasa.parameters import ROW_ALIGN, Parameters, largest_of, padded_matrix


@pytest.mark.parametrize("n_rows", [0, 1, 7, 1000])
@pytest.mark.parametrize("dim", [1, 15, 16, 17, 100, 2048])
def test_padded_rows_start_on_cache_lines(n_rows: int, dim: int) -> None:
    matrix = padded_matrix(n_rows, dim)
    assert matrix.shape == (n_rows, dim)
    assert matrix.dtype == np.float32
    assert not matrix.any()
    stride = matrix.strides[0] // 4
    assert stride % ROW_ALIGN == 0
    assert dim <= stride < dim + ROW_ALIGN
    assert n_rows == 0 or matrix.ctypes.data % 64 == 0


def test_initial_parameters() -> None:
    """fastText's: input rows uniform in [-1 / dim, 1 / dim], output rows zero."""
    config = WordVectorsConfig(vector_dim=50, seed=4)
    parameters = Parameters.initial(4000, 300, config, threads=2)
    assert parameters.input.shape == (4000, 50)
    assert parameters.output.shape == (300, 50)
    assert not parameters.output.any()
    bound = 1 / 50
    assert np.abs(parameters.input).max() <= np.float32(bound)
    # 200,000 uniform numbers: the mean and the ends to within five standard deviations.
    assert abs(parameters.input.mean()) < 5 * bound / np.sqrt(3 * parameters.input.size)
    assert parameters.input.std() == pytest.approx(bound / np.sqrt(3), rel=0.01)
    assert parameters.input.min() < -0.999 * bound
    assert parameters.input.max() > 0.999 * bound
    # No two rows, columns or neighbors go together: 5 / sqrt(n) in each case.
    rows = parameters.input - parameters.input.mean()
    for shifted in (rows[1:] * rows[:-1], rows[:, 1:] * rows[:, :-1]):
        assert abs(shifted.mean()) / rows.var() < 5 / np.sqrt(shifted.size)


@pytest.mark.parametrize("threads", [2, 3, 64])
def test_the_seed_decides_not_the_threads(threads: int) -> None:
    config = WordVectorsConfig(vector_dim=20, seed=4)
    one = Parameters.initial(5000, 2, config, threads=1).input
    np.testing.assert_array_equal(Parameters.initial(5000, 2, config, threads).input, one)
    np.testing.assert_array_equal(Parameters.initial(100, 2, config, threads).input, one[:100])
    other = WordVectorsConfig(vector_dim=20, seed=5)
    assert (Parameters.initial(5000, 2, other, threads).input != one).mean() > 0.99


@pytest.mark.parametrize("dim", [1, 10, 16, 100])
def test_the_largest_number(dim: int) -> None:
    matrix = padded_matrix(30_000, dim)
    matrix[:] = np.random.default_rng(1).standard_normal(matrix.shape)
    assert largest_of(matrix) == np.abs(matrix).max()
    assert largest_of(matrix[5]) == np.abs(matrix[5]).max()
    assert largest_of(matrix[:0]) == 0
    matrix[29_999, dim - 1] = -np.inf
    assert largest_of(matrix) == np.inf
    matrix[0, 0] = np.nan
    assert np.isnan(largest_of(matrix))
