"""The control plane's operations on hyperparameter tuning jobs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from brasa.platform import resources, training_jobs
from brasa.platform.errors import invalid
from brasa.platform.images import check_image
from brasa.platform.resources import TRAINING_JOB, TUNING_JOB, Listing, new_document

if TYPE_CHECKING:
    from brasa.platform.store import Document, Store

_STRATEGIES = ("Bayesian", "Random")
_MOST_JOBS = 750
_OUTCOMES = {"Completed": "Completed", "Failed": "NonRetryableError", "Stopped": "Stopped"}
LISTING = Listing(
    TUNING_JOB,
    "HyperParameterTuningJobSummaries",
    "HyperParameterTuningJobName",
    "HyperParameterTuningJobStatus",
    (
        "HyperParameterTuningJobName",
        "HyperParameterTuningJobArn",
        "HyperParameterTuningJobStatus",
        "Strategy",
        "CreationTime",
        "HyperParameterTuningEndTime",
        "LastModifiedTime",
        "TrainingJobStatusCounters",
        "ObjectiveStatusCounters",
        "ResourceLimits",
    ),
)


def create(store: Store, request: Document, region: str) -> Document:
    """Answer CreateHyperParameterTuningJob."""
    name = request["HyperParameterTuningJobName"]
    config = request["HyperParameterTuningJobConfig"]
    definition = request.get("TrainingJobDefinition")
    if definition is None or request.get("TrainingJobDefinitions"):
        raise invalid("A tuning job must have one TrainingJobDefinition.")
    _check(config, definition)
    values = {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobArn": resources.arn_of(TUNING_JOB, name, region),
        "HyperParameterTuningJobConfig": config,
        "TrainingJobDefinition": definition,
        "HyperParameterTuningJobStatus": "InProgress",
        "Strategy": config["Strategy"],
        "ResourceLimits": config["ResourceLimits"],
        **_counters([]),
    }
    tags = request.get("Tags", ())
    document = new_document(TUNING_JOB, name, region, values)
    arn = resources.add(store, TUNING_JOB, name, document, status="InProgress", tags=tags)
    return {"HyperParameterTuningJobArn": arn}


def _check(config: Document, definition: Document) -> None:
    if config["Strategy"] not in _STRATEGIES:
        raise invalid(f"Strategy must be Bayesian or Random, not {config['Strategy']}.")
    if "WarmStartConfig" in config:
        raise invalid("WarmStartConfig is not supported: leave it out.")
    objective = config.get("HyperParameterTuningJobObjective")
    if objective is None:
        raise invalid("HyperParameterTuningJobObjective must name the metric to tune for.")
    algorithm = definition["AlgorithmSpecification"]
    check_image(algorithm.get("TrainingImage") or "")
    metrics = [*algorithm.get("MetricDefinitions", ()), *training_jobs.METRICS]
    known = sorted({metric["Name"] for metric in metrics})
    if objective["MetricName"] not in known:
        raise invalid(
            f"The objective metric {objective['MetricName']!r} is none of {', '.join(known)}."
        )
    ranges = config.get("ParameterRanges", {})
    names = [r["Name"] for kind in ranges.values() if isinstance(kind, list) for r in kind]
    if not names:
        raise invalid("ParameterRanges must have a range to search in.")
    twice = {name for name in names if names.count(name) > 1}
    twice |= set(names) & definition.get("StaticHyperParameters", {}).keys()
    if twice:
        raise invalid(f"The hyperparameter {min(twice)!r} is given more than once.")
    for kind, number in (("IntegerParameterRanges", int), ("ContinuousParameterRanges", float)):
        for found in ranges.get(kind, ()):
            _check_range(found, number)
    limits = config["ResourceLimits"]
    if limits.get("MaxNumberOfTrainingJobs", 0) > _MOST_JOBS:
        raise invalid(f"MaxNumberOfTrainingJobs must be at most {_MOST_JOBS}.")


def _check_range(found: Document, number: Any) -> None:
    try:
        low, high = number(found["MinValue"]), number(found["MaxValue"])
    except ValueError:
        raise invalid(f"The range of {found['Name']!r} has bounds that are no numbers.") from None
    scaling = found.get("ScalingType", "Auto")
    if not low < high or (scaling == "Logarithmic" and low <= 0):
        raise invalid(f"The range of {found['Name']!r}, {low} to {high} ({scaling}), is empty.")
    if scaling == "ReverseLogarithmic":
        raise invalid(f"ScalingType of {found['Name']!r}: ReverseLogarithmic is not supported.")


def describe(store: Store, request: Document) -> Document:
    """Answer DescribeHyperParameterTuningJob."""
    name = request["HyperParameterTuningJobName"]
    job = resources.find(store, TUNING_JOB, name)
    children = store.documents(TRAINING_JOB, parent=name)
    job |= _counters(children)
    best = best_of(job, children)
    if best is not None:
        job["BestTrainingJob"] = _summary(job, best)
    return resources.public(job)


def list_(store: Store, request: Document) -> Document:
    """Answer ListHyperParameterTuningJobs."""
    return LISTING.answer(store, request)


def list_children(store: Store, request: Document) -> Document:
    """Answer ListTrainingJobsForHyperParameterTuningJob."""
    name = request["HyperParameterTuningJobName"]
    job = resources.find(store, TUNING_JOB, name)

    def value(child: Document) -> float:
        found = objective_of(job, child)
        return -1e308 if found is None else found

    answer = training_jobs.LISTING.answer(
        store, request, parent=name, sort_keys={"FinalObjectiveMetricValue": value}
    )
    children = {c["TrainingJobName"]: c for c in store.documents(TRAINING_JOB, parent=name)}
    answer["TrainingJobSummaries"] = [
        _summary(job, children[entry["TrainingJobName"]])
        for entry in answer["TrainingJobSummaries"]
        if entry["TrainingJobName"] in children
    ]
    return answer


def stop(store: Store, request: Document) -> Document:
    """Answer StopHyperParameterTuningJob."""
    name = request["HyperParameterTuningJobName"]

    def change(job: Document) -> str:
        status = job["HyperParameterTuningJobStatus"]
        if status in training_jobs.ENDED:
            raise invalid(f"The request was rejected because the tuning job is in status {status}.")
        job["HyperParameterTuningJobStatus"] = "Stopping"
        return "Stopping"

    if store.change(TUNING_JOB, name, change) is None:
        raise invalid(resources.missing(TUNING_JOB, name))
    return {}


def end(job: Document, status: str, reason: str | None = None) -> str:
    """Give a tuning job its last status."""
    job["HyperParameterTuningJobStatus"] = status
    job["HyperParameterTuningEndTime"] = time.time()
    if reason:
        job["FailureReason"] = reason[:1024]
    return status


def objective_of(job: Document, child: Document) -> float | None:
    """What a child has reached, if it has told."""
    metric = job["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["MetricName"]
    for found in child.get("FinalMetricDataList", ()):
        if found["MetricName"] == metric and child["TrainingJobStatus"] == "Completed":
            return float(found["Value"])
    return None


def best_of(job: Document, children: list[Document]) -> Document | None:
    """The child with the best objective."""
    scored = [(value, c) for c in children if (value := objective_of(job, c)) is not None]
    kind = job["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["Type"]
    pick = max if kind == "Maximize" else min
    return pick(scored, key=lambda pair: pair[0])[1] if scored else None


def _counters(children: list[Document]) -> Document:
    outcomes = [_OUTCOMES.get(c["TrainingJobStatus"], "InProgress") for c in children]
    names = ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped")
    states = [_objective_status(c) for c in children]
    return {
        "TrainingJobStatusCounters": {name: outcomes.count(name) for name in names},
        "ObjectiveStatusCounters": {
            name: states.count(name) for name in ("Succeeded", "Pending", "Failed")
        },
    }


def _objective_status(child: Document) -> str:
    if child["TrainingJobStatus"] not in training_jobs.ENDED:
        return "Pending"
    done = child["TrainingJobStatus"] == "Completed" and child.get("FinalMetricDataList")
    return "Succeeded" if done else "Failed"


def _summary(job: Document, child: Document) -> Document:
    members = (
        "TrainingJobName",
        "TrainingJobArn",
        "CreationTime",
        "TrainingStartTime",
        "TrainingEndTime",
        "TrainingJobStatus",
        "FailureReason",
    )
    summary = {name: child[name] for name in members if name in child}
    summary["TunedHyperParameters"] = child.get("_tuned", {})
    summary["ObjectiveStatus"] = _objective_status(child)
    value = objective_of(job, child)
    if value is not None:
        objective = job["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
        summary["FinalHyperParameterTuningJobObjectiveMetric"] = {**objective, "Value": value}
    return summary
