"""fastText's autotune by `brasa.tuning`: the arguments that nobody gave are searched."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from brasa.errors import ConfigError
from brasa.fasttext.arguments import Arguments
from brasa.fasttext.errors import TuningError
from brasa.fasttext.log import write
from brasa.fasttext.rows import file_arguments
from brasa.tuning import NoTrialError, Trial, size_in_bytes, tune

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from brasa.parameters import Classifier

# Hyperparameters that are searched unless one of these arguments is given.
_SEARCHED = {
    ("lr",): ("learning_rate",),
    ("dim",): ("vector_dim",),
    ("epoch",): ("epochs",),
    ("wordNgrams",): ("word_ngrams",),
    ("bucket",): ("buckets",),
    ("minn", "maxn"): ("subwords", "min_char", "max_char"),
}
_LONGER = 3  # than minn is maxn, where minn alone is given


def tuned(arguments: Arguments) -> tuple[Classifier, Arguments]:
    """The best classifier that `autotuneDuration` allows, and the arguments that it has.

    Raises
    ------
    MissingExtraError
        When Optuna is not installed.
    TuningError
        For an unknown metric or label of it; when no trial was done.
    ConfigError, CorpusError, StorageError
        See `brasa.tuning.tune`.
    """
    _check(arguments)
    if "minn" in arguments.given and "maxn" not in arguments.given:
        given = arguments.given
        maxn = arguments.minn + _LONGER if arguments.minn > 0 else 0
        arguments = dataclasses.replace(arguments, maxn=maxn)
        arguments.given = given
    fixed = arguments.classifier_options()
    del fixed["evaluation"], fixed["seed"]
    free = {
        option
        for names, options in _SEARCHED.items()
        for option in options
        if arguments.given.isdisjoint(names)
    }
    size = arguments.autotuneModelSize
    with _fasttext_errors():
        found = tune(
            Path(arguments.input),
            validation=Path(arguments.autotuneValidationFile),
            metric=arguments.autotuneMetric,
            k=arguments.autotunePredictions,
            seconds=float(arguments.autotuneDuration),
            max_bytes=size_in_bytes("autotuneModelSize", size) if size else None,
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
    if arguments.verbose > 0:
        searched = {n: v for n, v in found.best.hyperparameters.items() if n in {*free, "dsub"}}
        shown = ", ".join(f"{name}={value}" for name, value in searched.items())
        write(f"Best score: {found.best.score:.6f} ({shown})\n")
    return model, best


def _check(arguments: Arguments) -> None:
    if arguments.pretrainedVectors:
        allowed = "left out where arguments are searched for: trials begin with random numbers"
        raise ConfigError("pretrainedVectors", arguments.pretrainedVectors, allowed)
    if arguments.autotuneDuration < 1:
        raise TuningError(
            f"autotuneDuration={arguments.autotuneDuration} is not enough time to train once: "
            "pass 1 second or more"
        )


@contextlib.contextmanager
def _fasttext_errors() -> Iterator[None]:
    """Raise what fastText raises as a `RuntimeError` as one."""
    try:
        yield
    except ConfigError as error:
        if error.field != "metric":
            raise
        raise TuningError(f"Unknown autotune metric or label: {error}") from error
    except NoTrialError as error:
        raise TuningError(f"{error}: increase autotuneDuration or autotuneModelSize") from error


def _told(verbose: int) -> Callable[[Trial], None]:
    def tell(trial: Trial) -> None:
        if verbose > 0:
            score = trial.state if trial.score is None else f"{trial.score:.6f}"
            best = " (the best so far)" if trial.is_best else ""
            write(f"Trial {trial.number + 1}: {score}{best}\n")

    return tell
