from __future__ import annotations

import dataclasses
import json
import math
import typing
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from brasa.config import (
    TextOptions,
    WordVectorsConfig,
    choices,
    describe_range,
    optional_of,
)
from brasa.errors import ConfigError

FIELDS = {f.name: f for f in dataclasses.fields(WordVectorsConfig)}
HINTS = {name: optional_of(hint) for name, hint in typing.get_type_hints(WordVectorsConfig).items()}
NUMBERS = [name for name, (kind, _) in HINTS.items() if kind in (int, float)]
INTEGERS = [name for name in NUMBERS if HINTS[name][0] is int]
FLOATS = [name for name in NUMBERS if HINTS[name][0] is float]

# The ranges once more, so that a changed bound shows: smallest and largest value accepted.
RANGES: dict[str, tuple[float, float]] = {
    "vector_dim": (1, 2048),
    "window_size": (1, 1000),
    "epochs": (1, 1_000_000),
    "learning_rate": (math.nextafter(0, 1), math.nextafter(100, 0)),
    "min_count": (0, 2**62),
    "negative_samples": (1, 1000),
    "sampling_threshold": (math.nextafter(0, 1), math.nextafter(1, 0)),
    "min_char": (1, 64),
    "gpus": (1, 64),
    "max_char": (1, 64),
    "buckets": (1, 2**31 - 1),
    "batch_size": (1, 32),
    "negative_exponent": (-2, 2),
    "shared_negatives": (0, 256),
    "max_vocab": (1, 2**31 - 1),
    "seed": (0, 2**63 - 1),
    "threads": (1, 1024),
}


def config(**values: Any) -> WordVectorsConfig:
    return WordVectorsConfig(**values)


def refusal(name: str, value: Any) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        config(**{name: value})
    assert caught.value.field == name
    assert str(caught.value).startswith(f"{name}={value!r} is not possible: {name} must be ")
    return caught.value


def test_every_number_has_a_range() -> None:
    assert sorted(RANGES) == sorted(NUMBERS)


def test_defaults() -> None:
    """Those of BlazingText where it has the parameter."""
    found = config()
    assert (found.vector_dim, found.window_size, found.epochs) == (100, 5, 5)
    assert (found.learning_rate, found.sampling_threshold) == (0.05, 1e-4)
    assert (found.min_count, found.negative_samples, found.batch_size) == (5, 5, 11)
    assert (found.min_char, found.max_char, found.buckets) == (3, 6, 2_000_000)
    assert (found.subwords, found.evaluation) == (False, True)


@pytest.mark.parametrize("name", NUMBERS)
def test_the_ends_of_a_range_are_accepted(name: str) -> None:
    for value in RANGES[name]:
        assert getattr(config(**{name: value}), name) == value


@pytest.mark.parametrize("name", NUMBERS)
def test_what_is_just_outside_a_range_is_refused(name: str) -> None:
    low, high = RANGES[name]
    if name in INTEGERS:
        outside = [low - 1, high + 1]
    else:
        outside = [math.nextafter(low, -math.inf), math.nextafter(high, math.inf)]
    for value in outside:
        assert refusal(name, value).allowed == describe_range(FIELDS[name].metadata)


@pytest.mark.parametrize("name", NUMBERS)
def test_monstrous_numbers_are_refused(name: str) -> None:
    for value in (-1e308, 10**400, -(10**400), math.nan, math.inf, -math.inf):
        refusal(name, value)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [True, False, "5", b"5", [5], 5j, object(), np.arange(3)])
def test_what_is_no_number_is_refused(name: str, value: object) -> None:
    assert refusal(name, value).allowed == f"of type {HINTS[name][0].__name__}"


@pytest.mark.parametrize("name", INTEGERS)
def test_whole_floats_are_no_integers(name: str) -> None:
    refusal(name, 5.0)
    refusal(name, np.float32(5))


@pytest.mark.parametrize("name", [n for n in FIELDS if not HINTS[n][1]])
def test_none_is_accepted_only_where_it_is_the_default(name: str) -> None:
    refusal(name, None)


@pytest.mark.parametrize("name", INTEGERS)
@pytest.mark.parametrize("scalar", [np.int8, np.uint8, np.int32, np.uint64])
def test_numpy_integers_become_integers(name: str, scalar: Any) -> None:
    found = config(**{name: scalar(6)})
    assert type(getattr(found, name)) is int
    assert found == config(**{name: 6})
    json.dumps(found.to_dict())


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("value", [np.float32(0.5), np.float64(0.5), np.float16(0.5)])
def test_numpy_floats_become_floats(name: str, value: Any) -> None:
    found = config(**{name: value})
    assert type(getattr(found, name)) is float
    assert found == config(**{name: 0.5})
    json.dumps(found.to_dict())


def test_integers_and_fractions_become_floats() -> None:
    for value in (1, np.int64(1), Fraction(1)):
        assert type(config(learning_rate=value).learning_rate) is float
    assert config(sampling_threshold=Fraction(1, 4)).sampling_threshold == 0.25


@pytest.mark.parametrize("value", [np.float64("nan"), np.float32("inf")])
def test_numpy_floats_that_are_not_finite_are_refused(value: Any) -> None:
    for name in FLOATS:
        refusal(name, value)


@pytest.mark.parametrize("name", ["mode", "loss", "instruction_set"])
def test_choices(name: str) -> None:
    allowed = choices(HINTS[name][0])
    assert allowed is not None
    for value in allowed:
        assert getattr(config(**{name: value}), name) == value
    impossible: list[Any] = ["", "Skipgram", 0, True, ["ns"], np.array(["skipgram", "ns", "auto"])]
    for value in impossible:
        assert refusal(name, value).allowed == f"one of {', '.join(allowed)}"


@pytest.mark.parametrize("name", ["subwords", "evaluation"])
def test_switches(name: str) -> None:
    for value in (0, 1, "True", 1.0):
        assert refusal(name, value).allowed == "of type bool"


def test_ngrams_shorter_than_the_shortest() -> None:
    with pytest.raises(ConfigError, match=r"min_char=4 .* at most max_char, 3") as caught:
        config(subwords=True, min_char=4, max_char=3)
    assert caught.value.field == "min_char"
    config(subwords=True, min_char=4, max_char=4)
    config(subwords=False, min_char=4, max_char=3)  # not used


def test_it_cannot_be_changed_unchecked() -> None:
    found = config()
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.vector_dim = 0  # type: ignore[misc]
    with pytest.raises(ConfigError, match="vector_dim"):
        dataclasses.replace(found, vector_dim=0)


@pytest.mark.parametrize("spelling", [str, lambda v: str(v).lower(), lambda v: f" {v}\n"])
def test_strings_of_a_job_are_parsed(spelling: Any) -> None:
    values: dict[str, Any] = {
        "mode": "cbow",
        "vector_dim": 30,
        "learning_rate": 0.025,
        "subwords": True,
        "evaluation": False,
        "threads": 3,
        "shared_negatives": 0,
        "sampling_threshold": 1e-05,
    }
    strings = {n: v if n == "mode" else spelling(v) for n, v in values.items()}
    assert WordVectorsConfig.parse(strings) == config(**values)
    assert WordVectorsConfig.parse(values) == config(**values)
    assert WordVectorsConfig.parse({}) == config()


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("vector_dim", "5.0", "a number of type int"),
        ("vector_dim", "", "a number of type int"),
        ("vector_dim", "0x10", "a number of type int"),
        ("vector_dim", "9" * 5000, "a number of type int"),
        ("learning_rate", "0,05", "a number of type float"),
        ("threads", "all", "a number of type int"),
        ("subwords", "yes", "True or False"),
        ("subwords", "1", "True or False"),
    ],
)
def test_strings_that_do_not_parse(name: str, value: str, allowed: str) -> None:
    with pytest.raises(ConfigError) as caught:
        WordVectorsConfig.parse({name: value})
    assert (caught.value.field, caught.value.value, caught.value.allowed) == (name, value, allowed)


@pytest.mark.parametrize("value", ["nan", "inf", "1e999", "-0.0"])
def test_strings_of_numbers_out_of_range(value: str) -> None:
    with pytest.raises(ConfigError, match="learning_rate"):
        WordVectorsConfig.parse({"learning_rate": value})


def test_unknown_names() -> None:
    with pytest.raises(ConfigError, match=r"colour='1' .*known names: mode, vector_dim, "):
        WordVectorsConfig.parse({"vector_dim": "5", "colour": "1"})


def test_plain_values_give_it_back() -> None:
    found = config(mode="cbow", threads=2, subwords=True, learning_rate=0.1)
    assert WordVectorsConfig.parse(json.loads(json.dumps(found.to_dict()))) == found


def test_text_options() -> None:
    assert TextOptions() == TextOptions(lowercase=False, nfc=False, on_invalid="keep")
    impossible: dict[str, Any] = {"lowercase": 1, "nfc": None, "on_invalid": "drop"}
    for name, value in impossible.items():
        with pytest.raises(ConfigError) as caught:
            TextOptions(**{name: value})
        assert caught.value.field == name
