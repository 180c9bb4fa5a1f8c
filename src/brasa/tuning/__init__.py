"""Search for hyperparameters of a classifier: trials under a budget, scored on validation texts."""

from __future__ import annotations

from brasa.tuning.metric import Metric
from brasa.tuning.search import Trial
from brasa.tuning.tune import TuningResult, tune

__all__ = ["Metric", "Trial", "TuningResult", "tune"]
