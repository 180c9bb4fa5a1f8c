from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from brasa import _native
from brasa.errors import ConfigError
from brasa.neighbors import ExactScan, Hits

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

KERNELS = [name for name in ("avx512", "avx2", "neon", "scalar") if _native.instruction_set(name)]
DIMS = [1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 100, 300, 2048]


class ReferenceScan:
    """The slow, obvious scan: all cosines in double precision, sorted."""

    def __init__(self, vectors: np.ndarray) -> None:
        rows = vectors.astype(np.float64)
        with np.errstate(all="ignore"):
            squares = (rows**2).sum(axis=1)
            limits = np.finfo(np.float32)
            usable = (squares >= limits.tiny) & (squares <= limits.max)
            self.units = np.where(usable[:, None], rows / np.sqrt(squares)[:, None], np.nan)

    def search(
        self,
        queries: np.ndarray,
        k: int,
        *,
        exclude: Sequence[Collection[int]] | None = None,
        candidates: np.ndarray | None = None,
    ) -> Hits:
        allowed = np.arange(len(self.units)) if candidates is None else candidates
        k = min(k, len(allowed))
        rows = np.full((len(queries), k), -1, np.int32)
        cosines = np.full((len(queries), k), np.nan)
        for q, query in enumerate(queries.astype(np.float64)):
            scores = np.clip(self.units[allowed] @ (query / np.linalg.norm(query)), -1, 1)
            if exclude is not None:
                scores[np.isin(allowed, list(exclude[q]))] = np.nan
            scores = np.round(scores * 2**40) / 2**40  # rows of one direction tie
            order = np.lexsort((allowed, -scores))
            order = order[~np.isnan(scores[order])][:k]
            rows[q, : len(order)], cosines[q, : len(order)] = allowed[order], scores[order]
        return Hits(rows, cosines)


def numbers(n: int, dim: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)


def assert_same(found: Hits, expected: Hits) -> None:
    np.testing.assert_array_equal(found.rows, expected.rows)
    np.testing.assert_allclose(found.cosines, expected.cosines, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("n_queries", [0, 1, 4, 5, 16, 17, 64, 65, 130])
@pytest.mark.parametrize("dim", DIMS)
def test_the_rows_found_are_those_of_the_reference(dim: int, n_queries: int, kernels: str) -> None:
    vectors, queries = numbers(333, dim), numbers(n_queries, dim, seed=1) * 1000
    found = ExactScan(vectors, instruction_set=kernels).search(queries, 12)
    assert found.rows.shape == (n_queries, 12)
    assert_same(found, ReferenceScan(vectors).search(queries, 12))


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("n_queries", [1, 3, 70])
def test_threads_share_the_rows(threads: int, n_queries: int) -> None:
    vectors, queries = numbers(30_011, 300), numbers(n_queries, 300, seed=1)
    found = ExactScan(vectors, threads=threads).search(queries, 100)
    assert_same(found, ReferenceScan(vectors).search(queries, 100))


def test_a_batch_gives_what_single_queries_give_to_the_last_bit() -> None:
    vectors, queries = numbers(20_000, 100), numbers(70, 100, seed=1)
    scan = ExactScan(vectors)
    batch = scan.search(queries, 10)
    for kernels in KERNELS:
        single = ExactScan(vectors, threads=1, instruction_set=kernels)
        for q, query in enumerate(queries[:8]):
            assert single.nearest(query, 10) == batch.pairs(q)


@pytest.mark.parametrize("n_queries", [1, 20])
@pytest.mark.parametrize("threads", [1, 2])
def test_equal_rows_come_in_ascending_order(threads: int, n_queries: int) -> None:
    vectors = np.tile(np.round(numbers(50, 30) * 1000), (1000, 1))
    vectors[::7] *= 3  # of the same direction, not of the same length
    queries = numbers(n_queries, 30, seed=1)
    found = ExactScan(vectors, threads=threads).search(queries, 1500)
    for rows in found.rows:
        first, second = rows[:1000], rows[1000:]
        assert set(first % 50) == {first[0] % 50}
        assert (np.diff(first) == 50).all()
        assert (np.diff(second) == 50).all()
    found = ExactScan(np.ones((5000, 3), np.float32), threads=threads).search(queries[:, :3], 9)
    assert (found.rows == np.arange(9)).all()


@pytest.mark.parametrize("n_queries", [1, 20])
@pytest.mark.parametrize("k", [1, 5, 400, 401, 10_000])
def test_filters(k: int, n_queries: int) -> None:
    vectors, queries = numbers(400, 20), numbers(n_queries, 20, seed=1)
    random = np.random.default_rng(2)
    exclude = [random.integers(0, 400, size).tolist() for size in random.integers(0, 90, n_queries)]
    candidates = np.flatnonzero(random.random(400) < 0.3).astype(np.int32)
    scan, reference = ExactScan(vectors), ReferenceScan(vectors)
    filters: list[dict[str, Any]] = [
        {},
        {"exclude": exclude},
        {"candidates": candidates},
        {"exclude": exclude, "candidates": candidates},
        {"candidates": candidates[:0]},
        {"candidates": candidates[-1:]},
    ]
    for options in filters:
        found = scan.search(queries, k, **options)
        assert_same(found, reference.search(queries, k, **options))
        allowed = options.get("candidates", np.arange(400))
        assert found.rows.shape[1] == min(k, len(allowed))
    everything = scan.search(queries, k, exclude=[range(400)] * n_queries)
    assert (everything.rows == -1).all()
    assert everything.pairs(0) == []


def test_rows_without_direction_are_never_found() -> None:
    vectors = numbers(40, 5)
    broken = [np.zeros(5), [np.nan, 1, 1, 1, 1], [np.inf, 0, 0, 0, 0], np.full(5, -np.inf),
              np.full(5, 3e38), np.full(5, 1e-30), [1e-45, 0, 0, 0, 0]]  # fmt: skip
    vectors[3:10] = broken
    for queries in (numbers(1, 5, seed=1), numbers(20, 5, seed=1)):
        found = ExactScan(vectors).search(queries, 40)
        assert_same(found, ReferenceScan(vectors).search(queries, 40))
        assert (np.sort(found.rows[:, :33]) == [*range(3), *range(10, 40)]).all()
        assert (found.rows[:, 33:] == -1).all()
    extreme = np.array([[1e18, 2e18], [1e-18, -1e-18], [1, 0]], np.float32)
    query = np.array([[3e38, 1e38]], np.float32)  # its own length is no float
    assert_same(ExactScan(extreme).search(query, 3), ReferenceScan(extreme).search(query, 3))
    assert ExactScan(vectors).has_direction.sum() == 33


def rows_apart(vectors: np.ndarray) -> np.ndarray:
    wide = np.full((len(vectors), vectors.shape[1] + 7), np.nan, np.float32)
    wide[:, 3:-4] = vectors
    return wide[:, 3:-4]


def bytes_apart(vectors: np.ndarray) -> np.ndarray:
    record = np.zeros(len(vectors), [("flag", "u1"), ("row", "f4", vectors.shape[1])])
    record["row"] = vectors
    result: np.ndarray = record["row"]
    return result


@pytest.mark.parametrize(
    "laid_out",
    [
        rows_apart,
        bytes_apart,
        np.asfortranarray,
        lambda vectors: vectors[::-1].copy()[::-1],
        lambda vectors: np.repeat(vectors, 3, axis=0)[::3],
        lambda vectors: np.repeat(vectors, 2, axis=1)[:, ::2],
    ],
)
def test_any_layout_of_the_matrix(laid_out: Any) -> None:
    vectors, queries = numbers(100, 9), numbers(3, 9, seed=1)
    again = laid_out(vectors)
    again.flags.writeable = False
    np.testing.assert_array_equal(again, vectors)
    assert_same(ExactScan(again).search(queries, 7), ReferenceScan(vectors).search(queries, 7))
    one = np.broadcast_to(vectors[0], (8, 9))
    assert ExactScan(one).search(queries, 3).rows.tolist() == [[0, 1, 2]] * 3


def test_a_matrix_mapped_from_a_file_is_scanned_where_it_lies(tmp_path: Path) -> None:
    vectors, queries = numbers(1000, 33), numbers(2, 33, seed=1)
    vectors.tofile(tmp_path / "rows")
    mapped = np.memmap(tmp_path / "rows", np.float32, "r", shape=(1000, 33))
    scan = ExactScan(mapped)
    assert scan._vectors is mapped
    assert_same(scan.search(queries, 7), ReferenceScan(vectors).search(queries, 7))


def test_no_rows_and_one() -> None:
    query = numbers(1, 4)
    for empty in (np.empty((0, 4), np.float32), numbers(9, 4)[:0]):
        assert ExactScan(empty).nearest(query[0], 5) == []
    [(row, cosine)] = ExactScan(query * 3).nearest(query[0], 5)
    assert (row, cosine) == (0, 1.0)


@pytest.mark.parametrize(
    "wrong", [np.zeros((1, 4)), np.full((2, 4), np.nan), np.ones((1, 5)), np.ones(4), "four",
              [[1, 2, 3, np.inf]]],
)  # fmt: skip
def test_impossible_queries(wrong: Any) -> None:
    with pytest.raises(ConfigError, match="vectors"):
        ExactScan(numbers(10, 4)).search(wrong, 3)


@pytest.mark.parametrize("k", [0, -1, 2.5, "3", True, None])
def test_impossible_k(k: Any) -> None:
    with pytest.raises(ConfigError, match="k="):
        ExactScan(numbers(10, 4)).search(numbers(1, 4), k)


@pytest.mark.parametrize(
    "wrong", [np.ones(4, np.float32), np.ones((2, 2)), np.ones((1, 1, 1), "f4")]
)
def test_impossible_matrices(wrong: Any) -> None:
    with pytest.raises(ConfigError, match="float32 matrix"):
        ExactScan(wrong)


def test_native_code_refuses_what_would_read_beyond_its_arrays() -> None:
    vectors, query = numbers(10, 4), numbers(1, 4)
    norms, no_rows, offsets = np.ones(10, "f4"), np.empty(0, np.int32), np.zeros(2, np.int64)
    usual: list[Any] = [vectors, norms, query, 3, None, offsets, no_rows, 1, "auto"]
    assert len(_native.nearest_rows(*usual)[0]) == 3
    for place, wrong in (
        (1, norms[:9]),
        (2, query[:, :3].copy()),
        (3, 11),
        (4, np.array([3, 10, 11], np.int32)),
        (4, np.array([-1, 0, 1], np.int32)),
        (5, offsets[:1]),
        (5, np.array([0, 1], np.int64)),
        (5, np.array([1, 0], np.int64)),
        (7, 0),
        (8, "sse9"),
    ):
        arguments = [*usual[:place], wrong, *usual[place + 1 :]]
        with pytest.raises(ValueError, match=r"agree|range|offsets|kernels"):
            _native.nearest_rows(*arguments)


def test_threads_search_at_the_same_time() -> None:
    vectors, queries = numbers(5000, 50), numbers(8, 50, seed=1)
    scan = ExactScan(vectors)
    expected = scan.search(queries, 5).rows.tolist()
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(scan.search(queries, 5).rows.tolist()))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 8


def test_the_interpreter_runs_on_during_a_scan_and_ctrl_c_ends_it() -> None:
    scan = ExactScan(numbers(20_000, 200))
    queries = numbers(200_000, 200, seed=1)  # minutes
    began: list[float] = []

    def interrupt() -> None:
        time.sleep(0.3)
        began.append(time.monotonic())  # the GIL is free
        signal.raise_signal(signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        scan.search(queries, 3)
    thread.join()
    assert time.monotonic() - began[0] < 2
    assert len(scan.nearest(queries[0], 3)) == 3
