"""Tuning jobs at work: each training job that ends lets Optuna propose another.

A study is made anew from the training jobs in the store whenever it is asked, so that a restart
loses nothing.
"""

from __future__ import annotations

import logging
import threading
import zlib
from typing import TYPE_CHECKING, Any

from brasa.platform import training_jobs, tuning_jobs
from brasa.platform.errors import AwsError
from brasa.platform.resources import TRAINING_JOB, TUNING_JOB

if TYPE_CHECKING:
    from collections.abc import Callable

    from brasa.platform.store import Document, Store

_log = logging.getLogger("brasa.platform")
_LOOK_S = 5.0
_DEFAULT_JOBS = 10


class Tuning:
    """Looks after all tuning jobs.

    Parameters
    ----------
    store : Store
    wake_jobs : callable
        Called when there is a training job to start or to stop.
    """

    def __init__(self, store: Store, wake_jobs: Callable[[], None]) -> None:
        self._store, self._wake_jobs = store, wake_jobs
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tuning", daemon=True)

    def start(self) -> None:
        """Go on with what is in the store."""
        self._thread.start()

    def wake(self) -> None:
        """A tuning job is new or to be stopped, or a training job has ended."""
        self._woken.set()

    def _run(self) -> None:
        while True:
            self._woken.clear()
            for job in self._store.documents(TUNING_JOB, ("InProgress", "Stopping")):
                try:
                    self._look(job)
                except Exception as error:
                    _log.exception("tuning failed")
                    reason = error.message if isinstance(error, AwsError) else repr(error)
                    self._end(job, "Failed", reason)
            self._woken.wait(_LOOK_S)

    def _look(self, job: Document) -> None:
        name = job["HyperParameterTuningJobName"]
        children = self._store.documents(TRAINING_JOB, parent=name)
        at_work = [c for c in children if c["TrainingJobStatus"] not in training_jobs.ENDED]
        if job["HyperParameterTuningJobStatus"] == "Stopping":
            for child in at_work:
                training_jobs.stop(self._store, {"TrainingJobName": child["TrainingJobName"]})
            self._wake_jobs()
            if not at_work:
                self._end(job, "Stopped")
            return
        limits = job["HyperParameterTuningJobConfig"]["ResourceLimits"]
        most = limits.get("MaxNumberOfTrainingJobs", _DEFAULT_JOBS)
        parallel = limits["MaxParallelTrainingJobs"]
        while len(children) < most and len(at_work) < parallel:
            self._begin(job, children)
            children = self._store.documents(TRAINING_JOB, parent=name)
            at_work = [c for c in children if c["TrainingJobStatus"] not in training_jobs.ENDED]
        if not at_work:
            if any(child["TrainingJobStatus"] == "Completed" for child in children):
                self._end(job, "Completed")
            else:
                said = children[-1].get("FailureReason", "")
                self._end(job, "Failed", f"All training jobs failed. The last one: {said}")

    def _begin(self, job: Document, children: list[Document]) -> None:
        name, definition = job["HyperParameterTuningJobName"], job["TrainingJobDefinition"]
        number = len(children) + 1
        tuned = propose(job, children)
        objective = job["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
        digest = zlib.crc32(f"{name} {job['CreationTime']} {number}".encode())
        child = f"{name}-{number:03d}-{digest:08x}"
        resources = definition.get("ResourceConfig") or definition.get(
            "HyperParameterTuningResourceConfig", {}
        )
        left_out = ("StaticHyperParameters", "HyperParameterTuningResourceConfig")
        request = {
            **{n: v for n, v in definition.items() if n not in left_out},
            "TrainingJobName": child,
            "ResourceConfig": resources,
            "HyperParameters": {
                **definition.get("StaticHyperParameters", {}),
                **tuned,
                "_tuning_objective_metric": objective["MetricName"],
            },
        }
        with self._store.transaction():
            training_jobs.create(self._store, request, job["_region"], tuning_job=name)
            self._store.change(TRAINING_JOB, child, lambda document: _mark(document, tuned))
        self._wake_jobs()

    def _end(self, job: Document, status: str, reason: str | None = None) -> None:
        self._store.change(
            TUNING_JOB,
            job["HyperParameterTuningJobName"],
            lambda document: tuning_jobs.end(document, status, reason),
        )


def _mark(child: Document, tuned: dict[str, str]) -> str:
    child["_tuned"] = tuned
    return str(child["TrainingJobStatus"])


def propose(job: Document, children: list[Document]) -> dict[str, str]:
    """Hyperparameters for the next training job, as strings."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    config = job["HyperParameterTuningJobConfig"]
    space = _space(config["ParameterRanges"])
    # Another seed for each proposal: a study that is made anew would propose the first one again.
    seed = zlib.crc32(f"{config.get('RandomSeed', 0)} {len(children)}".encode())
    if config["Strategy"] == "Random":
        sampler: optuna.samplers.BaseSampler = optuna.samplers.RandomSampler(seed=seed)
    else:
        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=4)
    kind = config["HyperParameterTuningJobObjective"]["Type"]
    study = optuna.create_study(
        direction="maximize" if kind == "Maximize" else "minimize", sampler=sampler
    )
    for child in children:
        value = tuning_jobs.objective_of(job, child)
        if value is not None:
            params = {n: _read(space[n], text) for n, text in child["_tuned"].items()}
            study.add_trial(
                optuna.trial.create_trial(params=params, distributions=space, value=value)
            )
    found = study.ask(space).params
    return {name: str(value) for name, value in found.items()}


def _space(ranges: Document) -> dict[str, Any]:
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    space: dict[str, Any] = {}
    for found in ranges.get("IntegerParameterRanges", ()):
        log = found.get("ScalingType") == "Logarithmic"
        low, high = int(found["MinValue"]), int(found["MaxValue"])
        space[found["Name"]] = IntDistribution(low, high, log=log)
    for found in ranges.get("ContinuousParameterRanges", ()):
        log = found.get("ScalingType") == "Logarithmic"
        bounds = float(found["MinValue"]), float(found["MaxValue"])
        space[found["Name"]] = FloatDistribution(*bounds, log=log)
    for found in ranges.get("CategoricalParameterRanges", ()):
        space[found["Name"]] = CategoricalDistribution(found["Values"])
    return space


def _read(distribution: Any, text: str) -> Any:
    kind = type(distribution).__name__
    return {"IntDistribution": int, "FloatDistribution": float}.get(kind, str)(text)
