"""The native core refuses problems that do not fit together: it would read beyond its arrays."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from brasa import _native
from brasa.parameters import padded_matrix

N_WORDS, DIM = 3, 10


def matrix(n_rows: int = N_WORDS, dim: int = DIM) -> Any:
    rows = padded_matrix(n_rows, dim)
    _native.fill_uniform(rows, 0.5, 1, 1)
    return rows


def arguments(**changes: Any) -> dict[str, Any]:
    """A problem that fits together, but for `changes`: words 0, 1 and 2, the last with two rows."""
    path_offsets, path_nodes, path_branches = _native.build_huffman_code(np.array([3, 2, 1]))
    accept, alias = _native.build_alias_table(np.array([3.0, 2.0, 1.0]))
    return {
        "cbow": False,
        "hierarchical_softmax": False,
        "window_size": 2,
        "negative_samples": 2,
        "shared_negatives": 4,
        "tile_size": 16,
        "learning_rate": 0.05,
        "seed": 1,
        "tokens": np.array([1, 0, 2, 1, 0, 2, 2, 0], np.int32),
        "block_tokens": 4,
        "n_blocks": 2,
        "total_blocks": 6,
        "n_streams": 2,
        "line_end": 0,
        "keep": np.full(N_WORDS, 2**32 - 1, np.uint32),
        "accept": accept,
        "alias": alias,
        "row_offsets": np.array([0, 1, 2, 4]),
        "rows": np.array([0, 1, 2, 3], np.int32),
        "path_offsets": path_offsets,
        "path_nodes": path_nodes,
        "path_branches": path_branches,
        "input": matrix(N_WORDS + 1),
        "output": matrix(),
        "instruction_set": "auto",
        **changes,
    }


def int32(*values: int) -> np.ndarray[Any, np.dtype[np.int32]]:
    return np.array(values, np.int32)


@pytest.mark.parametrize("cbow", [False, True])
@pytest.mark.parametrize("hs", [False, True])
def test_a_problem_that_fits(cbow: bool, hs: bool) -> None:
    problem = _native.TrainingProblem(**arguments(cbow=cbow, hierarchical_softmax=hs))
    loss, n_pairs, finite = problem.train_span(0, 6, 2)
    assert loss > 0
    assert n_pairs > 0
    assert finite


HOSTILE: list[tuple[str, dict[str, Any]]] = [
    ("tokens", {"tokens": int32(0, 1, 2, 3)}),
    ("tokens", {"tokens": int32(0, -1, 2, 1)}),
    ("tokens", {"tokens": int32(0, 2**31 - 1, -(2**31), 0)}),
    ("tokens", {"keep": np.empty(0, np.uint32)}),
    ("row_offsets", {"keep": np.zeros(4, np.uint32)}),
    ("rows", {"rows": int32(0, 1, 2, 4)}),
    ("rows", {"rows": int32(0, -1, 2, 3)}),
    ("rows", {"input": matrix(N_WORDS)}),
    ("row_offsets", {"row_offsets": np.array([0, 1, 2, 5])}),
    ("row_offsets", {"row_offsets": np.array([0, 1, 2, 3])}),
    ("row_offsets", {"row_offsets": np.array([0, 1, 4])}),
    ("row_offsets", {"row_offsets": np.array([1, 1, 2, 4])}),
    ("row_offsets", {"row_offsets": np.array([0, 3, 2, 4])}),
    ("row_offsets", {"row_offsets": np.array([0, -1, 2, 4])}),
    ("row_offsets", {"row_offsets": np.array([0, 2**62, 2, 4])}),
    ("row_offsets", {"row_offsets": np.empty(0, np.int64)}),
    ("row_offsets", {"row_offsets": np.array([0, 1, 1, 4])}),
    ("alias", {"alias": int32(0, 1, 3)}),
    ("alias", {"alias": int32(0, 1, -1)}),
    ("alias", {"alias": int32(0, 1)}),
    ("accept", {"accept": np.zeros(2, np.uint32)}),
    ("accept", {"accept": np.empty(0, np.uint32), "alias": int32()}),
    ("path_offsets", {"hierarchical_softmax": True, "path_offsets": np.array([0, 1, 3, 6])}),
    ("path_offsets", {"hierarchical_softmax": True, "path_offsets": np.empty(0, np.int64)}),
    ("path_nodes", {"hierarchical_softmax": True, "path_nodes": int32(1, 0, 1, 0, 3)}),
    ("path_nodes", {"hierarchical_softmax": True, "path_nodes": int32(1, 0, 1, 0, -1)}),
    ("path_branches", {"hierarchical_softmax": True, "path_branches": np.zeros(4, np.uint8)}),
    ("shapes", {"output": matrix(N_WORDS - 1)}),
    ("shapes", {"output": matrix(dim=20)}),
    ("shapes", {"output": matrix(dim=11)}),
    ("input", {"input": np.zeros((4, DIM), np.float32)}),
    ("input", {"input": matrix(5)[::-1][:4]}),
    ("input", {"input": matrix(4)[:, ::2]}),
    ("input", {"input": matrix(4)[:, ::-1]}),
    ("input", {"input": matrix(4)[:, 1:]}),
    ("input", {"input": np.broadcast_to(matrix(2)[0], (4, DIM)).view()}),
    ("output", {"output": matrix().copy()}),
    *[("shapes", {name: 0}) for name in
      ("window_size", "tile_size", "block_tokens", "n_blocks", "total_blocks", "n_streams")],
    *[("shapes", {name: 2**32 - 1}) for name in
      ("window_size", "tile_size", "negative_samples", "shared_negatives")],
    ("shapes", {"n_blocks": 3}),
    ("shapes", {"n_blocks": 2**63}),
    ("shapes", {"total_blocks": 7}),
    ("kernels", {"instruction_set": "sse9"}),
]  # fmt: skip


@pytest.mark.parametrize(("message", "changes"), HOSTILE)
def test_what_does_not_fit_is_refused(message: str, changes: dict[str, Any]) -> None:
    # A read-only array is of the wrong type to nanobind.
    with pytest.raises((ValueError, TypeError)) as caught:
        _native.TrainingProblem(**arguments(**changes))
    if isinstance(caught.value, ValueError):
        assert message in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"tokens": np.array([0, 1])},  # of 64 bits; a copy would drop half of them
        {"keep": np.zeros(N_WORDS, np.int32)},
        {"rows": int32(0, 9, 1, 9, 2, 9, 3, 9)[::2]},
        {"input": np.zeros(64, np.float32)},
        {"input": padded_matrix(4, 32).view(np.float64)},  # a copy would be trained in its place
        {"window_size": -1},
        {"tokens": None},
    ],
)
def test_wrong_types_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        _native.TrainingProblem(**arguments(**changes))


@pytest.mark.parametrize("span", [(0, 0, 1), (3, 2, 1), (0, 7, 1), (6, 7, 1), (0, 6, 0)])
def test_impossible_spans_are_refused(span: tuple[int, int, int]) -> None:
    problem = _native.TrainingProblem(**arguments())
    with pytest.raises(ValueError, match="span"):
        problem.train_span(*span)


def test_a_problem_keeps_its_arrays_alive() -> None:
    problem = _native.TrainingProblem(**arguments())
    filler = [matrix(100) for _ in range(100)]
    assert problem.train_span(0, 6, 1)[2]
    assert all(np.abs(rows).max() <= 0.5 for rows in filler)


@pytest.mark.parametrize(
    "weights", [[], [0.0, 0.0], [1.0, -1.0], [1.0, np.nan], [1.0, np.inf], [1e308, 1e308]]
)
def test_weights_of_no_distribution_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="weights"):
        _native.build_alias_table(np.array(weights, np.float64))


@pytest.mark.parametrize("counts", [[], [1, 2], [3, -1], [10**15, 1], [2**63 - 1] * 3, [-(2**63)]])
def test_impossible_counts_are_refused(counts: list[int]) -> None:
    with pytest.raises(ValueError, match="counts"):
        _native.build_huffman_code(np.array(counts, np.int64))


def test_no_threads_cannot_fill_a_matrix() -> None:
    with pytest.raises(ValueError, match="n_threads"):
        _native.fill_uniform(matrix(), 0.5, 1, 0)


def test_threads_that_the_system_does_not_grant_are_not_needed() -> None:
    """300 stacks of 8 MB do not fit in what memory is left: the process must not end."""
    script = """
import resource, sys
from pathlib import Path
from brasa.config import WordVectorsConfig
from brasa.corpus import Corpus
from brasa.training import CorpusRead, train

def limit_memory(event):
    if isinstance(event, CorpusRead):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + 200_000_000
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

resource.setrlimit(resource.RLIMIT_STACK, (8 << 20, resource.RLIM_INFINITY))
config = WordVectorsConfig(min_count=1, threads=300, vector_dim=8, epochs=300)
lines = [[f"w{i % 7}", f"w{i % 3}"] for i in range(3000)]
print(len(train(Corpus(lines), config, listeners=[limit_memory]).input))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "8\n"), done.stderr
