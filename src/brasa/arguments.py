"""What is given to a public function: taken as what it must be, or refused in words."""

from __future__ import annotations

import math
from typing import Any, TypeGuard

import numpy as np

from brasa.errors import ConfigError


def is_whole(value: object) -> TypeGuard[int]:
    """Whether it is an `int`, NumPy's too, and no `bool`."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def check_count(name: str, value: object) -> int:
    """Refuse what is no whole number of at least 1."""
    if not is_whole(value) or value < 1:
        raise ConfigError(name, value, "a whole number, at least 1")
    return int(value)


def check_finite(name: str, value: object) -> float:
    """Refuse what is no number, or none of the finite ones."""
    is_real = isinstance(value, (int, float, np.integer, np.floating))
    if not is_real or not math.isfinite(value):  # type: ignore[arg-type]
        raise ConfigError(name, value, "a finite number")
    return float(value)  # type: ignore[arg-type]


def check_strings(name: str, values: Any, expected: str) -> list[str]:
    """The strings of an iterable; one string, an iterable of its letters, is refused."""
    try:
        items = None if isinstance(values, (str, bytes)) else iter(values)
    except TypeError:
        items = None
    if items is None:
        raise ConfigError(name, values, expected)
    found: list[Any] = list(items)
    for value in found:
        if not isinstance(value, str):
            raise ConfigError(name, value, "strings")
    return found
