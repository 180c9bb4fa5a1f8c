"""Which hyperparameters are searched, and in which ranges: fastText's autotune's, and the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from brasa.config import TextClassifierConfig

if TYPE_CHECKING:
    from collections.abc import Collection

LEARNING_RATES = (0.01, 5.0)
EPOCHS = (1, 100)
VECTOR_DIMS = (5, 300)
WORD_NGRAMS = (1, 5)
BUCKETS = (10_000, 10_000_000)
LOSSES = ("softmax", "hs", "ns", "ova")
# Shortest and longest; fastText's autotune has none, 2 to 5 and 3 to 6.
CHARACTER_NGRAMS = ("none", "2-4", "2-5", "3-5", "3-6")
DSUBS = (2, 4, 8, 16)

_CHARACTERS = "character_ngrams"
_OF_CHARACTERS = {"subwords", "min_char", "max_char"}


def suggest(trial: Any, fixed: Collection[str], *, quantized: bool) -> dict[str, Any]:
    """Hyperparameters for one of Optuna's trials, those of `fixed` left out.

    `quantized`: also ``dsub``, the length of a part in product quantization.
    """
    found: dict[str, Any] = {}
    if "learning_rate" not in fixed:
        found["learning_rate"] = trial.suggest_float("learning_rate", *LEARNING_RATES, log=True)
    for name, bounds, log in (
        ("epochs", EPOCHS, True),
        ("vector_dim", VECTOR_DIMS, True),
        ("word_ngrams", WORD_NGRAMS, False),
    ):
        if name not in fixed:
            found[name] = trial.suggest_int(name, *bounds, log=log)
    if not _OF_CHARACTERS & set(fixed):
        ngrams = trial.suggest_categorical(_CHARACTERS, CHARACTER_NGRAMS)
        found["subwords"] = ngrams != "none"
        if found["subwords"]:
            found["min_char"], found["max_char"] = map(int, ngrams.split("-"))
    if "buckets" not in fixed:
        found["buckets"] = trial.suggest_int("buckets", *BUCKETS, log=True)
    if "loss" not in fixed:
        found["loss"] = trial.suggest_categorical("loss", LOSSES)
    if quantized:
        found["dsub"] = trial.suggest_categorical("dsub", DSUBS)
    return found


def defaults(fixed: Collection[str], *, quantized: bool) -> dict[str, Any]:
    """The values that hyperparameters have which nobody names, by the names of the suggestions."""
    config = TextClassifierConfig()
    names = ("learning_rate", "epochs", "vector_dim", "word_ngrams", "buckets", "loss")
    found = {name: getattr(config, name) for name in names if name not in fixed}
    if not _OF_CHARACTERS & set(fixed):
        found[_CHARACTERS] = "none"
    if quantized:
        found["dsub"] = 2
    return found
