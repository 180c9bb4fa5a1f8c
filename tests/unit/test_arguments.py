from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from brasa.arguments import check_count, check_finite, check_strings, is_whole
from brasa.errors import ConfigError


@pytest.mark.parametrize("value", [1, 7, 2**70, np.int64(3), np.uint8(255)])
def test_counts(value: Any) -> None:
    assert is_whole(value)
    assert check_count("k", value) == value
    assert type(check_count("k", value)) is int


@pytest.mark.parametrize("value", [0, -1, np.int64(0), True, np.True_, 1.0, "1", None, [1]])
def test_what_is_no_count(value: Any) -> None:
    with pytest.raises(ConfigError, match="k must be a whole number, at least 1"):
        check_count("k", value)


@pytest.mark.parametrize("value", [0, -2.5, np.float32(0.5), np.int8(3)])
def test_finite_numbers(value: Any) -> None:
    assert check_finite("threshold", value) == value
    assert type(check_finite("threshold", value)) is float


@pytest.mark.parametrize("value", [math.nan, math.inf, np.float32("nan"), "0", None, Fraction(1)])
def test_what_is_not_finite(value: Any) -> None:
    with pytest.raises(ConfigError, match="threshold must be a finite number"):
        check_finite("threshold", value)


@pytest.mark.parametrize("values", [["a", "b"], ("a", "b"), np.array(["a", "b"]), {"a": 1, "b": 2}])
def test_strings(values: Any) -> None:
    assert check_strings("words", values, "several words") == ["a", "b"]
    assert check_strings("words", iter(values), "several words") == ["a", "b"]


@pytest.mark.parametrize("values", ["ab", b"ab", 7, None, np.array("a"), 0.5])
def test_what_is_no_list_of_strings(values: Any) -> None:
    with pytest.raises(ConfigError, match="words must be several words"):
        check_strings("words", values, "several words")


@pytest.mark.parametrize("values", [["a", 7], [b"a"], [None], [["a"]]])
def test_what_is_no_string_in_a_list(values: Any) -> None:
    with pytest.raises(ConfigError, match="words must be strings"):
        check_strings("words", values, "several words")


def test_what_an_iterable_raises_comes_through() -> None:
    def broken() -> Any:
        yield "a"
        raise TypeError("of its own")

    with pytest.raises(TypeError, match="of its own"):
        check_strings("words", broken(), "several words")
