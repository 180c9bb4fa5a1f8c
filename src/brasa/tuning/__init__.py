"""Search for hyperparameters of a classifier: trials under a budget, scored on validation texts."""

from __future__ import annotations

from brasa.tuning.metric import Metric
from brasa.tuning.search import NoTrialError, Trial
from brasa.tuning.size import size_in_bytes
from brasa.tuning.tune import NOT_TUNED, TuningResult, tune

__all__ = [
    "NOT_TUNED",
    "Metric",
    "NoTrialError",
    "Trial",
    "TuningResult",
    "size_in_bytes",
    "tune",
]
