"""fastText's autotune by `brasa.tuning`: the arguments that nobody gave are searched."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brasa.errors import ConfigError
from brasa.fasttext.arguments import Arguments
from brasa.fasttext.rows import file_arguments
from brasa.tuning import Trial, tune

if TYPE_CHECKING:
    from brasa.parameters import Classifier

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
# Hyperparameters that are searched unless one of these arguments is given.
_SEARCHED = {
    "lr": ("learning_rate",),
    "dim": ("vector_dim",),
    "epoch": ("epochs",),
    "wordNgrams": ("word_ngrams",),
    "bucket": ("buckets",),
    "minn": ("subwords", "min_char", "max_char"),
    "maxn": ("subwords", "min_char", "max_char"),
}


def tuned(arguments: Arguments) -> tuple[Classifier, Arguments]:
    """The best classifier that `autotuneDuration` allows, and the arguments that it has.

    Raises
    ------
    MissingExtraError
        When Optuna is not installed.
    ConfigError, CorpusError, StorageError
        See `brasa.tuning.tune`.
    """
    fixed = arguments.classifier_options()
    del fixed["evaluation"], fixed["seed"]
    free = {
        option
        for name, options in _SEARCHED.items()
        for option in options
        if not arguments.given & {name, *(("minn", "maxn") if name in ("minn", "maxn") else ())}
    }
    found = tune(
        Path(arguments.input),
        validation=Path(arguments.autotuneValidationFile),
        metric=arguments.autotuneMetric,
        k=arguments.autotunePredictions,
        seconds=float(arguments.autotuneDuration),
        max_bytes=model_bytes(arguments.autotuneModelSize),
        seed=arguments.seed,
        callback=_told(arguments.verbose),
        **{name: value for name, value in fixed.items() if name not in free},
    )
    model = found.classifier.model
    best = Arguments.of_file(file_arguments(model))
    for name in ("input", "ws", "thread", "label", "verbose", "minCountLabel", "seed", "t",
                 "lrUpdateRate", "autotuneValidationFile", "autotuneMetric", "autotuneDuration",
                 "autotunePredictions", "autotuneModelSize"):  # fmt: skip
        setattr(best, name, getattr(arguments, name))
    best.lr = found.best.hyperparameters.get("learning_rate", arguments.lr)
    best.epoch = found.best.hyperparameters.get("epochs", arguments.epoch)
    return model, best


def model_bytes(text: str) -> int | None:
    """The size that ``100k``, ``1M`` or ``2G`` stands for; None of an empty text.

    Raises
    ------
    ConfigError
        For anything else.
    """
    if not text:
        return None
    match = re.fullmatch(r"(\d{1,15})([kmg]?)", text, re.IGNORECASE)
    if match is None:
        raise ConfigError("autotuneModelSize", text, "a number of bytes, such as 900000, 100k, 1M")
    return int(match[1]) * _UNITS[match[2].lower()]


def _told(verbose: int) -> Any:
    def tell(trial: Trial) -> None:
        if verbose > 0 and sys.stderr is not None:
            score = trial.state if trial.score is None else f"{trial.score:.6f}"
            best = " (the best so far)" if trial.is_best else ""
            sys.stderr.write(f"Trial {trial.number + 1}: {score}{best}\n")

    return tell
