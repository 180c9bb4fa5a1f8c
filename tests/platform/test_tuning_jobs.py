"""Hyperparameter tuning jobs: what they propose, how many at a time, and the best of them."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from brasa.platform.tuning import propose

IMAGE = "811284229777.dkr.ecr.us-east-1.amazonaws.com/blazingtext:1"


def _config(strategy: str, **changes: Any) -> dict[str, Any]:
    return {
        "Strategy": strategy,
        "HyperParameterTuningJobObjective": {
            "Type": "Maximize",
            "MetricName": "validation:accuracy",
        },
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2},
        "ParameterRanges": {
            "IntegerParameterRanges": [
                {"Name": "epochs", "MinValue": "1", "MaxValue": "5", "ScalingType": "Auto"}
            ],
            "ContinuousParameterRanges": [
                {
                    "Name": "learning_rate",
                    "MinValue": "0.005",
                    "MaxValue": "0.5",
                    "ScalingType": "Logarithmic",
                }
            ],
            "CategoricalParameterRanges": [{"Name": "word_ngrams", "Values": ["1", "2"]}],
        },
    } | changes


def _request(platform: Any, name: str, **changes: Any) -> dict[str, Any]:
    job = platform.training_job(name)
    channels = []
    for channel in ("train", "validation"):
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://texts/tuning/{channel}"}
        channels.append({"ChannelName": channel, "DataSource": {"S3DataSource": source}})
    definition = {
        "StaticHyperParameters": {"mode": "supervised", "min_count": "1", "vector_dim": "10"},
        "AlgorithmSpecification": job["AlgorithmSpecification"],
        "RoleArn": job["RoleArn"],
        "InputDataConfig": channels,
        "OutputDataConfig": job["OutputDataConfig"],
        "HyperParameterTuningResourceConfig": job["ResourceConfig"],
        "StoppingCondition": job["StoppingCondition"],
    }
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": _config("Bayesian"),
        "TrainingJobDefinition": definition,
    } | changes


def test_a_tuning_job_finds_the_best_of_its_jobs(platform: Any) -> None:
    text = "__label__good a good film\n__label__bad a bad film\n" * 100
    for channel in ("train", "validation"):
        platform.put_text(f"tuning/{channel}", text.encode())
    client = platform.client("sagemaker")
    client.create_hyper_parameter_tuning_job(**_request(platform, "tunes"))
    deadline = time.monotonic() + 60
    most_at_work = 0
    while True:
        job = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="tunes")
        most_at_work = max(most_at_work, job["TrainingJobStatusCounters"]["InProgress"])
        if job["HyperParameterTuningJobStatus"] != "InProgress":
            break
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert job["HyperParameterTuningJobStatus"] == "Completed", job.get("FailureReason")
    assert most_at_work <= 2
    assert job["TrainingJobStatusCounters"]["Completed"] == 4
    best = job["BestTrainingJob"]
    listed = client.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="tunes", SortBy="FinalObjectiveMetricValue"
    )["TrainingJobSummaries"]
    values = [s["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for s in listed]
    assert len(values) == 4
    assert values == sorted(values, reverse=True)
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == values[0]
    child = client.describe_training_job(TrainingJobName=best["TrainingJobName"])
    tuned = best["TunedHyperParameters"]
    assert tuned.keys() == {"epochs", "learning_rate", "word_ngrams"}
    assert child["HyperParameters"].items() >= tuned.items()
    assert child["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    assert len({str(s["TunedHyperParameters"]) for s in listed}) == 4
    names = client.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"]
    assert "tunes" in [entry["HyperParameterTuningJobName"] for entry in names]


def test_a_tuning_job_is_stopped(platform: Any) -> None:
    request = _request(platform, "halts")
    limits = {"MaxNumberOfTrainingJobs": 500, "MaxParallelTrainingJobs": 2}
    request["HyperParameterTuningJobConfig"]["ResourceLimits"] = limits
    client = platform.client("sagemaker")
    client.create_hyper_parameter_tuning_job(**request)
    client.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="halts")
    deadline = time.monotonic() + 30
    while True:
        job = client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="halts")
        if job["HyperParameterTuningJobStatus"] == "Stopped":
            break
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"Strategy": "Hyperband"}, "Bayesian or Random"),
        ({"ParameterRanges": {}}, "a range to search in"),
        (
            {"HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "speed"}},
            "validation:accuracy",
        ),
        (
            {
                "ParameterRanges": {
                    "IntegerParameterRanges": [{"Name": "epochs", "MinValue": "5", "MaxValue": "1"}]
                }
            },
            "is empty",
        ),
        (
            {
                "ParameterRanges": {
                    "CategoricalParameterRanges": [{"Name": "mode", "Values": ["skipgram"]}]
                }
            },
            "'mode' is given more than once",
        ),
    ],
)
def test_wrong_tuning_jobs_are_refused(platform: Any, changes: dict[str, Any], said: str) -> None:
    request = _request(platform, "wrong")
    request["HyperParameterTuningJobConfig"] |= changes
    with pytest.raises(ClientError) as refused:
        platform.client("sagemaker").create_hyper_parameter_tuning_job(**request)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert said in refused.value.response["Error"]["Message"]


@pytest.mark.parametrize("strategy", ["Bayesian", "Random"])
def test_proposals_are_in_their_ranges_and_differ(strategy: str) -> None:
    job = {"HyperParameterTuningJobConfig": _config(strategy, RandomSeed=1)}
    children: list[dict[str, Any]] = []
    for i in range(12):
        tuned = propose(job, children)
        assert 1 <= int(tuned["epochs"]) <= 5
        assert 0.005 <= float(tuned["learning_rate"]) <= 0.5
        assert tuned["word_ngrams"] in ("1", "2")
        metric = {"MetricName": "validation:accuracy", "Value": float(tuned["learning_rate"])}
        child = {"TrainingJobStatus": "Completed", "_tuned": tuned, "FinalMetricDataList": [metric]}
        children.append(child | {"CreationTime": i})
    rates = [float(child["_tuned"]["learning_rate"]) for child in children]
    assert len(set(rates)) == 12
    assert propose(job, []) == children[0]["_tuned"]  # the seed decides
    if strategy == "Bayesian":  # it has learned that a high rate is good
        assert sum(rates[8:]) > sum(rates[:4])
