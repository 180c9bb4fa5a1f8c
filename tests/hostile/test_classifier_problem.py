"""The native core refuses classification problems that do not fit together."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest

from brasa import _native
from brasa.parameters import padded_matrix

N_LABELS, DIM = 3, 10
LOSSES = ["softmax", "hs", "ns", "ova"]


def matrix(n_rows: int, dim: int = DIM) -> Any:
    rows = padded_matrix(n_rows, dim)
    _native.fill_uniform(rows, 0.5, 1, 1)
    return rows


def int32(*values: int) -> np.ndarray[Any, np.dtype[np.int32]]:
    return np.array(values, np.int32)


def row_arguments(**changes: Any) -> dict[str, Any]:
    """Items of three texts that fit together, but for `changes`: three words and a word n-gram."""
    return {
        "item_offsets": np.array([0, 2, 3, 6]),
        "items": int32(0, 1, 3, 2, 2, 0),
        "unit_offsets": np.empty(0, np.int64),
        "unit_rows": int32(),
        "n_words": 3,
        "n_rows": 4,
        **changes,
    }


def example_rows(**changes: Any) -> _native.ExampleRows:
    return _native.ExampleRows(**row_arguments(**changes))


def arguments(rows: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A problem that fits together, but for `changes`: three texts in two blocks, four rows."""
    path_offsets, path_nodes, path_branches = _native.build_huffman_code(np.array([3, 2, 1]))
    accept, alias = _native.build_alias_table(np.array([3.0, 2.0, 1.0]))
    return {
        "loss": "softmax",
        "negative_samples": 2,
        "learning_rate": 0.05,
        "seed": 1,
        "epochs": 2,
        "rows": example_rows(**(rows or {})),
        "label_offsets": np.array([0, 1, 3, 4]),
        "labels": int32(0, 1, 2, 1),
        "line_weights": np.empty(0, np.float32),
        "label_weights": np.empty(0, np.float32),
        "label_counts": np.array([3, 2, 1]),
        "order": int32(2, 0, 1),
        "block_offsets": np.array([0, 2, 3]),
        "block_order": int32(0, 1, 1, 0),
        "step_items": np.array([0, 5, 6, 7, 12]),
        "accept": accept,
        "alias": alias,
        "path_offsets": path_offsets,
        "path_nodes": path_nodes,
        "path_branches": path_branches,
        "input": matrix(4),
        "output": matrix(N_LABELS),
        "instruction_set": "auto",
        **changes,
    }


# Of the three words, and of a dropped one.
UNITS: dict[str, Any] = {
    "unit_offsets": np.array([0, 1, 3, 4, 5]),
    "unit_rows": int32(0, 1, 3, 2, 3),
    "items": int32(0, 1, 3, 2, ~0, 0),
}


@pytest.mark.parametrize("units", [{}, UNITS])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_problem_that_fits(loss: str, units: dict[str, Any]) -> None:
    problem = _native.ClassifierProblem(**arguments(loss=loss, rows=units))
    sum_of_losses, n_texts, finite = problem.train_span(0, 4, 2)
    assert sum_of_losses > 0
    assert n_texts == 4
    assert 0 <= problem.count_right(2) <= 3
    assert finite


@pytest.mark.parametrize("threads", [1, 3])
def test_rows_of_texts(threads: int) -> None:
    offsets, rows = example_rows(**UNITS).list(0, 3, threads)
    assert offsets.tolist() == [0, 3, 4, 7]
    assert rows.tolist() == [0, 1, 3, 3, 2, 3, 0]
    offsets, rows = example_rows().list(1, 3, threads)
    assert offsets.tolist() == [0, 1, 4]
    assert rows.tolist() == [3, 2, 2, 0]
    assert example_rows().list(2, 2, threads)[1].tolist() == []


@pytest.mark.parametrize("span", [(-1, 2, 1), (2, 1, 1), (0, 4, 1), (0, 2, 0)])
def test_impossible_spans_of_texts_are_refused(span: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="span"):
        example_rows().list(*span)


@pytest.mark.parametrize(
    ("message", "changes"),
    [
        ("items", {"items": int32(0, 1, 4, 2, 2, 0)}),
        ("items", {"items": int32(0, 1, -1, 2, 2, 0)}),
        ("items", {**UNITS, "items": int32(0, 1, 3, ~1, 2, 0)}),
        ("items", {**UNITS, "items": int32(0, 1, 4, 2, 2, 0)}),
        ("items", {**UNITS, "items": int32(0, 1, -(2**31), 2, 2, 0)}),
        ("items", {**UNITS, "unit_offsets": np.array([0, 1, 1, 4, 5])}),  # a unit without rows
        ("unit_offsets", {**UNITS, "unit_offsets": np.array([0, 1, 3, 6])}),
        ("unit_offsets", {**UNITS, "unit_offsets": np.array([0, 1, 5])}),  # fewer than words
        ("unit_rows", {**UNITS, "unit_rows": int32(0, 1, 4, 2, 3)}),
        ("item_offsets", {"item_offsets": np.array([0, 2, 3, 7])}),
        ("item_offsets", {"item_offsets": np.array([0, 3, 2, 6])}),
        ("item_offsets", {"item_offsets": np.array([0, 2, 2, 6])}),  # a text without features
        ("item_offsets", {"item_offsets": np.array([0, 2**62, 3, 6])}),
        ("item_offsets", {"item_offsets": np.empty(0, np.int64)}),
        ("n_rows", {"n_rows": 2}),
        ("n_rows", {"n_rows": 2**31}),
    ],
)
def test_rows_that_do_not_fit_are_refused(message: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=message):
        example_rows(**changes)


HOSTILE: list[tuple[str, dict[str, Any]]] = [
    ("rows", {"rows": {"n_rows": 5}}),
    ("label_offsets", {"rows": {"item_offsets": np.array([0, 2, 6])}}),
    ("label_offsets", {"label_offsets": np.array([0, 1, 1, 4])}),
    ("label_offsets", {"label_offsets": np.array([0, 1, 4])}),
    ("labels", {"labels": int32(0, 1, 3, 1)}),
    ("labels", {"labels": int32(0, 1, -1, 1)}),
    ("line_weights", {"line_weights": np.ones(2, np.float32)}),
    ("line_weights", {"line_weights": np.array([1, -1, 1], np.float32)}),
    ("label_weights", {"label_weights": np.ones(4, np.float32)}),
    ("label_weights", {"label_weights": np.array([1, np.nan, 1], np.float32)}),
    ("label_weights", {"label_weights": np.array([1, np.inf, 1], np.float32)}),
    ("label_counts", {"label_counts": np.array([3, 2])}),
    ("order", {"order": int32(2, 0, 3)}),
    ("order", {"order": int32(2, 0, -1)}),
    ("block_offsets", {"block_offsets": np.array([0, 2, 4])}),
    ("block_offsets", {"block_offsets": np.array([0, 4, 3])}),
    ("shapes", {"block_offsets": np.array([0])}),
    ("block_order", {"block_order": int32(0, 1, 2, 0)}),
    ("block_order", {"block_order": int32(0, 1, -1, 0)}),
    ("block_order", {"block_order": int32(0, 1, 1)}),
    ("block_order", {"block_order": int32()}),
    ("step_items", {"step_items": np.array([0, 5, 6, 7])}),
    ("step_items", {"step_items": np.array([0, 0, 0, 0, 0])}),
    ("step_items", {"step_items": np.array([0, 7, 6, 8, 9])}),
    ("step_items", {"step_items": np.array([1, 5, 6, 7, 12])}),
    ("accept", {"loss": "ns", "accept": np.zeros(2, np.uint32)}),
    ("alias", {"loss": "ns", "alias": int32(0, 1, 3)}),
    ("path_offsets", {"loss": "hs", "path_offsets": np.array([0, 1, 3, 6])}),
    ("path_nodes", {"loss": "hs", "path_nodes": int32(1, 0, 1, 0, 3)}),
    ("path_branches", {"loss": "hs", "path_branches": np.zeros(4, np.uint8)}),
    ("shapes", {"output": matrix(N_LABELS, dim=20)}),
    ("shapes", {"output": matrix(N_LABELS, dim=11)}),
    ("labels", {"output": matrix(N_LABELS - 1)}),
    ("input", {"input": np.zeros((4, DIM), np.float32)}),
    ("shapes", {"epochs": 0}),
    ("shapes", {"epochs": 2**63}),
    ("shapes", {"negative_samples": 2**32 - 1}),
    ("loss", {"loss": "hinge"}),
    ("kernels", {"instruction_set": "sse9"}),
]


@pytest.mark.parametrize(("message", "changes"), HOSTILE)
def test_what_does_not_fit_is_refused(message: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=message):
        _native.ClassifierProblem(**arguments(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"input": padded_matrix(4, 32).view(np.float64)},
        {"negative_samples": -1},
        {"labels": None},
    ],
)
def test_wrong_types_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        _native.ClassifierProblem(**arguments(**changes))


def test_rows_are_needed() -> None:
    with pytest.raises(TypeError):
        _native.ClassifierProblem(**{**arguments(), "rows": None})


@pytest.mark.parametrize(
    "changes",
    [
        {"items": np.array([0, 1, 3, 2, 2, 0])},
        {"item_offsets": int32(0, 2, 3, 6)},
        {"n_words": -1},
    ],
)
def test_rows_of_wrong_types_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        example_rows(**changes)


def test_a_problem_keeps_its_rows() -> None:
    """Nothing else holds them."""
    problem = _native.ClassifierProblem(**arguments())
    gc.collect()
    assert problem.train_span(0, 4, 1)[2]


@pytest.mark.parametrize("span", [(0, 0, 1), (3, 2, 1), (0, 5, 1), (0, 4, 0)])
def test_impossible_spans_are_refused(span: tuple[int, int, int]) -> None:
    problem = _native.ClassifierProblem(**arguments())
    with pytest.raises(ValueError, match="span"):
        problem.train_span(*span)
    with pytest.raises(ValueError, match="n_threads"):
        problem.count_right(0)


def example_arguments(**changes: Any) -> dict[str, Any]:
    """Three words and a label: "a bb __label__x </s>"."""
    return {
        "ids": int32(0, 1, 3, 2),
        "arena": np.frombuffer(b"abb</s>__label__x", np.uint8),
        "offsets": np.array([0, 1, 3, 7, 17]),
        "meaning": int32(0, 1, 2, -3),
        "n_words": 3,
        "word_ngrams": 2,
        "min_char": 1,
        "max_char": 3,
        "buckets": 100,
        "line_end": 2,
        "threads": 1,
        "model_buckets": np.empty(0, np.uint32),
        "drops_other_buckets": False,
        **changes,
    }


def test_examples_that_fit() -> None:
    found = _native.build_examples(**example_arguments())
    assert found["item_offsets"].tolist() == [0, 5]
    assert found["labels"].tolist() == [0]


def test_examples_of_a_model() -> None:
    """Its buckets have rows whatever is in the text, and may be the only ones that do."""
    plain = _native.build_examples(**example_arguments())["bucket_ids"].tolist()
    held = np.array([*plain[:3], 99], np.uint32)
    more = _native.build_examples(**example_arguments(model_buckets=held))
    assert more["bucket_ids"].tolist() == sorted({*plain, 99})
    only = _native.build_examples(**example_arguments(model_buckets=held, drops_other_buckets=True))
    assert only["bucket_ids"].tolist() == held.tolist()
    assert set(only["unit_rows"].tolist()) == {0, 1, 2, 3, 4, 5}
    none = _native.build_examples(**example_arguments(drops_other_buckets=True))
    assert none["bucket_ids"].tolist() == []
    assert none["items"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("message", "changes"),
    [
        ("ids", {"ids": int32(0, 4)}),
        ("ids", {"ids": int32(0, -1)}),
        ("offsets", {"offsets": np.array([0, 1, 3, 7, 18])}),
        ("offsets", {"offsets": np.array([0, 3, 1, 7, 17])}),
        ("offsets", {"offsets": np.empty(0, np.int64)}),
        ("options", {"meaning": int32(0, 1, 2)}),
        ("options", {"meaning": int32(0, 1, 3, -3)}),
        ("options", {"meaning": int32(0, 1, 1, -3)}),  # a row of two words
        ("options", {"n_words": -1}),
        ("options", {"word_ngrams": 0}),
        ("options", {"min_char": 0}),
        ("options", {"min_char": 4}),
        ("options", {"buckets": 0}),
        ("options", {"threads": 0}),
        ("options", {"model_buckets": np.array([3, 100], np.uint32)}),
    ],
)
def test_examples_that_do_not_fit_are_refused(message: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=message):
        _native.build_examples(**example_arguments(**changes))
