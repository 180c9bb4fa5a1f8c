from __future__ import annotations

import math
from typing import Any

import pytest

from brasa.config import TextClassifierConfig
from brasa.errors import ConfigError

# The ranges once more, so that a changed bound shows: smallest and largest value accepted.
RANGES: dict[str, tuple[float, float]] = {
    "vector_dim": (1, 2048),
    "epochs": (1, 1_000_000),
    "learning_rate": (math.nextafter(0, 1), math.nextafter(100, 0)),
    "min_count": (0, 2**62),
    "min_count_label": (0, 2**62),
    "word_ngrams": (1, 64),
    "buckets": (1, 2**31 - 1),
    "min_epochs": (1, 1_000_000),
    "patience": (1, 1_000_000),
    "negative_samples": (1, 1000),
    "negative_exponent": (-2, 2),
    "min_char": (1, 64),
    "max_char": (1, 64),
    "seed": (0, 2**63 - 1),
    "threads": (1, 1024),
}


def test_defaults() -> None:
    """Those of BlazingText where it has the parameter."""
    found = TextClassifierConfig()
    assert (found.vector_dim, found.epochs, found.learning_rate) == (100, 5, 0.05)
    assert (found.min_count, found.word_ngrams, found.buckets) == (5, 2, 2_000_000)
    assert (found.early_stopping, found.min_epochs, found.patience) == (False, 5, 4)
    assert (found.loss, found.subwords, found.label_prefix) == ("softmax", False, "__label__")


@pytest.mark.parametrize("name", RANGES)
def test_ranges(name: str) -> None:
    low, high = RANGES[name]
    ends: list[Any] = [low, high]
    for value in ends:
        assert getattr(TextClassifierConfig(**{name: value}), name) == value
    beyond: list[Any] = [low - 1, high * 2 + 1, math.nan, None if name != "threads" else "2"]
    for value in beyond:
        with pytest.raises(ConfigError) as caught:
            TextClassifierConfig(**{name: value})
        assert caught.value.field == name


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"loss": "logistic"}, "loss"),
        ({"mode": "skipgram"}, "mode"),
        ({"label_prefix": ""}, "label_prefix"),
        ({"label_prefix": "a b"}, "label_prefix"),
        ({"label_prefix": " a"}, "label_prefix"),
        ({"label_prefix": 3}, "label_prefix"),
        ({"early_stopping": "yes"}, "early_stopping"),
        ({"subwords": True, "min_char": 7}, "min_char"),
        ({"early_stopping": True, "epochs": 3}, "min_epochs"),
    ],
)
def test_impossible_values(values: dict[str, Any], field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        TextClassifierConfig(**values)
    assert caught.value.field == field


def test_strings_of_blazingtext() -> None:
    found = TextClassifierConfig.parse(
        {"mode": "supervised", "early_stopping": "True", "epochs": "20", "learning_rate": "0.05"}
    )
    assert (found.early_stopping, found.epochs, found.learning_rate) == (True, 20, 0.05)
    with pytest.raises(ConfigError, match="one of the known names"):
        TextClassifierConfig.parse({"window_size": "5"})
