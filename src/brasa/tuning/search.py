"""Trials, one after another, each with all threads; Optuna proposes their hyperparameters."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from brasa.errors import BrasaError, ConfigError, DivergenceError, TrainingInterrupted

if TYPE_CHECKING:
    from collections.abc import Callable

    from brasa.text_classifier import TextClassifier

State = Literal["done", "infeasible", "failed", "stopped"]
StoppedBy = Literal["trials", "time", "interrupt"]

DEFAULT_SECONDS = 300.0  # fastText's autotune-duration
# What `quantize_classifier` refuses when a model is too large, or has too few rows for a code book.
_SIZE_FIELDS = ("max_bytes", "rows of the input matrix", "dsub")


@dataclass(frozen=True)
class Trial:
    """One training with one choice of hyperparameters. An event.

    Attributes
    ----------
    number : int
        From 0.
    hyperparameters : dict
        Those that were searched.
    state : {"done", "infeasible", "failed", "stopped"}
        Infeasible: larger than the size limit, whatever is cut off; failed: diverged, or too large
        for the memory; stopped: the budget ended.
    score : float or None
        None unless it is done.
    is_best : bool
        Whether the score is above those of all trials before.
    n_bytes : int or None
        With a size limit: length of the `.ftz` file.
    seconds : float
    problem : str or None
        Why it is not done.
    """

    number: int
    hyperparameters: dict[str, Any]
    state: State
    score: float | None
    is_best: bool
    n_bytes: int | None
    seconds: float
    problem: str | None = None


class NoTrialError(BrasaError):
    """The budget ended before a trial was done, or none of the models was small enough."""


class BudgetSpent(Exception):
    """Ends a training from one of its listeners."""


class Budget:
    """A number of trials, a time, or both."""

    def __init__(self, trials: int | None, seconds: float | None) -> None:
        whole = isinstance(trials, (int, np.integer)) and not isinstance(trials, bool)
        if trials is not None and (not whole or trials < 1):
            raise ConfigError("trials", trials, "a whole number, 1 or more")
        real = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
        if seconds is not None and (not real or not seconds > 0):
            raise ConfigError("seconds", seconds, "a number above 0")
        self.trials = trials
        if seconds is None:
            seconds = DEFAULT_SECONDS if trials is None else math.inf
        self.seconds = seconds
        self.end = math.inf

    def start(self) -> None:
        """Let the time run."""
        self.end = time.monotonic() + self.seconds

    @property
    def is_spent(self) -> bool:
        """Whether there is no time left."""
        return time.monotonic() >= self.end

    def watch(self, event: object) -> None:
        """Listen to a training, and end it when there is no time left."""
        if self.is_spent:
            raise BudgetSpent


class Search:
    """Trials, one after another; the model of the best is held, and only that."""

    def __init__(
        self,
        optuna: Any,
        budget: Budget,
        *,
        suggest: Callable[[Any], dict[str, Any]],
        train: Callable[[dict[str, Any]], TextClassifier],
        score: Callable[[TextClassifier], float],
        size: Callable[[TextClassifier], int] | None,
        tell: Callable[[Trial], object],
        seed: int,
    ) -> None:
        self._optuna, self._budget = optuna, budget
        self._suggest, self._train, self._score, self._tell = suggest, train, score, tell
        self._size, self._seed = size, seed
        self._kept: tuple[TextClassifier, Trial] | None = None
        self._best_score = -1.0
        self.trials: list[Trial] = []
        self.stopped_by: StoppedBy = "trials"

    def run(self, first: dict[str, Any]) -> None:
        """Run trials until the budget ends, or Ctrl-C."""
        optuna, verbosity = self._optuna, self._optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            sampler = optuna.samplers.TPESampler(seed=self._seed % 2**32)
            study = optuna.create_study(direction="maximize", sampler=sampler)
            study.enqueue_trial(first)
            self._budget.start()
            while self._budget.trials is None or len(self.trials) < self._budget.trials:
                if self._budget.is_spent:
                    self.stopped_by = "time"
                    break
                self._trial(study)
        except (KeyboardInterrupt, TrainingInterrupted):
            self.stopped_by = "interrupt"
        finally:
            optuna.logging.set_verbosity(verbosity)

    def result(self) -> tuple[TextClassifier, Trial]:
        """The best model and its trial.

        Raises
        ------
        NoTrialError, TrainingInterrupted
            When there is none.
        """
        if self._kept is not None:
            return self._kept
        problems = [trial.problem for trial in self.trials if trial.problem]
        why = f"; the last one: {problems[-1]}" if problems else ""
        if self.stopped_by == "interrupt":
            raise TrainingInterrupted(f"interrupted before a trial was done{why}")
        raise NoTrialError(f"none of {len(self.trials)} trials was done within the budget{why}")

    def _trial(self, study: Any) -> None:
        states = self._optuna.trial.TrialState
        asked = study.ask()
        values, began = self._suggest(asked), time.perf_counter()
        state: State = "done"
        score, size, problem, classifier = None, None, None, None
        try:
            classifier = self._train(values)
            score = self._score(classifier)
            size = None if self._size is None else self._size(classifier)
        except BudgetSpent:
            state, problem = "stopped", f"the budget of {self._budget.seconds:g} s ended"
        except (DivergenceError, MemoryError) as error:
            state, problem = "failed", str(error) or "not enough memory"
        except ConfigError as error:
            if self._size is None or error.field not in _SIZE_FIELDS:
                raise
            state, problem = "infeasible", str(error)
        # Optuna's search passes over trials that fail; those that are pruned count as bad ones.
        study.tell(asked, score, state=None if state == "done" else states.PRUNED)
        is_best = score is not None and score > self._best_score
        trial = Trial(
            len(self.trials), values, state, score, is_best, size,
            time.perf_counter() - began, problem,
        )  # fmt: skip
        if is_best and classifier is not None:
            self._kept, self._best_score = (classifier, trial), score or 0.0
        self.trials.append(trial)
        self._tell(trial)
