from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brasa.metrics import (
    ClassificationReport,
    Score,
    Tally,
    confusion_matrix,
    expected_calibration_error,
    precision_recall_curve,
)


def rows(lists: list[list[int]]) -> tuple[Any, Any]:
    offsets = np.cumsum([0, *map(len, lists)])
    return offsets, np.array([x for row in lists for x in row], np.int32)


def report(
    predicted: list[list[int]], true: list[list[int]], cut: list[list[bool]] | None = None
) -> ClassificationReport:
    tally = Tally(3)
    kept = [[True] * len(row) for row in predicted] if cut is None else cut
    offsets, labels = rows(predicted)
    flat = np.array([x for row in kept for x in row], np.bool_)
    tally.add(offsets, labels, flat, *rows(true))
    return tally.result(["a", "b", "c"], 2, 0.5, 4)


def test_by_hand() -> None:
    found = report([[0, 1], [1, 2], [0], [], [2]], [[0], [0, 2], [0], [1], []])
    assert (found.n, found.n_skipped, found.n_unknown_labels) == (3, 2, 4)
    assert found.accuracy == pytest.approx(2 / 3)
    assert found.micro == Score(n_true=4, n_predicted=5, n_correct=3)
    assert (found.precision, found.recall) == (3 / 5, 3 / 4)
    assert found.f1 == pytest.approx(2 * 0.6 * 0.75 / 1.35)
    assert found.labels == {"a": Score(3, 2, 2), "b": Score(0, 2, 0), "c": Score(1, 1, 1)}
    assert found.macro() == pytest.approx(
        {"precision": 1.0, "recall": (2 / 3 + 1) / 2, "f1": (0.8 + 1) / 2}
    )
    values = found.to_dict()
    assert values["precision_at_2"] == 3 / 5
    assert list(values["labels"]) == ["a", "c"]


def test_below_the_threshold_is_not_predicted() -> None:
    found = report([[0, 1], [1]], [[0], [1]], [[True, False], [False]])
    assert (found.n, found.accuracy) == (2, 0.5)
    assert found.micro == Score(2, 1, 1)


def test_of_nothing() -> None:
    found = Tally(0).result([], 1, 0.0, 0)
    assert (found.accuracy, found.precision, found.recall, found.f1) == (0, 0, 0, 0)
    assert found.macro() == {"precision": 0, "recall": 0, "f1": 0}


LISTS = st.lists(st.lists(st.integers(0, 2), max_size=3, unique=True), min_size=1, max_size=8)


@given(LISTS, LISTS)
def test_against_sets(predicted: list[list[int]], true: list[list[int]]) -> None:
    n = min(len(predicted), len(true))
    predicted, true = predicted[:n], true[:n]
    found = report(predicted, true)
    counted = [(set(p), set(t)) for p, t in zip(predicted, true, strict=True) if p and t]
    assert found.n == len(counted)
    for label, name in enumerate("abc"):
        assert found.labels[name] == Score(
            sum(label in t for _, t in counted),
            sum(label in p for p, _ in counted),
            sum(label in p & t for p, t in counted),
        )


def test_confusion_matrix() -> None:
    true, predicted = list("aabbcz"), list("ababac")
    found = confusion_matrix(true, predicted, ["a", "b", "c"])
    counts = Counter(zip(true, predicted, strict=True))
    assert found.tolist() == [[counts[x, y] for y in "abc"] for x in "abc"]
    with pytest.raises(ValueError, match="argument"):
        confusion_matrix("aa", "a", ["a"])


def test_precision_recall_curve() -> None:
    curve = precision_recall_curve([1, 0, 1, 1, 0], [0.9, 0.8, 0.7, 0.7, 0.1])
    assert curve.thresholds.tolist() == [0.9, 0.8, 0.7, 0.1]
    assert curve.precision.tolist() == pytest.approx([1, 1 / 2, 3 / 4, 3 / 5])
    assert curve.recall.tolist() == pytest.approx([1 / 3, 1 / 3, 1, 1])
    assert curve.precision_at_recall(0.5) == 3 / 4
    assert curve.recall_at_precision(0.9) == pytest.approx(1 / 3)
    assert curve.precision_at_recall(1.1) == 0
    assert curve.average_precision == pytest.approx(1 / 3 + 2 / 3 * 3 / 4)


@pytest.mark.parametrize("values", [([], []), ([0, 0], [0.5, 0.5])])
def test_curves_of_nothing(values: Any) -> None:
    curve = precision_recall_curve(*values)
    assert curve.recall.tolist() == [0] * len(curve.thresholds)
    assert curve.average_precision == 0


@pytest.mark.parametrize("values", [([1], [0.5, 0.5]), ([1], [np.nan]), ([[1]], [[0.5]])])
def test_impossible_curves(values: Any) -> None:
    with pytest.raises(ValueError, match="flat"):
        precision_recall_curve(*values)


def test_expected_calibration_error() -> None:
    assert expected_calibration_error([True, False], [0.5, 0.5]) == 0
    assert expected_calibration_error([True] * 4, [0.75] * 4) == pytest.approx(0.25)
    # Two bins: 0.1 said and none right of 3, 1.0 said and half right of 2.
    said, right = [0.1, 0.1, 0.1, 1.0, 1.0], [False, False, False, True, False]
    assert expected_calibration_error(right, said) == pytest.approx((3 * 0.1 + 2 * 0.5) / 5)
    assert expected_calibration_error([], []) == 0
    for broken in ([1.1], [-0.1], [float("nan")], [0.5, 0.5]):
        with pytest.raises(ValueError, match="one length"):
            expected_calibration_error([True], broken)
