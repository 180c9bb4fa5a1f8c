"""Training jobs from their request to their artifact, in every way that they end."""

from __future__ import annotations

import io
import tarfile
import time
from typing import Any

import pytest

_GROUP = "/aws/sagemaker/TrainingJobs"


@pytest.fixture(scope="module", autouse=True)
def _text(platform: Any) -> None:
    platform.put_text()


def _slow(**changes: str) -> dict[str, str]:
    """Hyperparameters of a job that takes minutes."""
    return {
        "mode": "skipgram",
        "min_count": "1",
        "vector_dim": "300",
        "epochs": "1000000",
        "sampling_threshold": "0.9",  # or nearly all of so few words are passed over
        "evaluation": "False",
        **changes,
    }


def test_a_job_ends_with_its_artifact_its_log_and_its_metrics(platform: Any) -> None:
    client, logs = platform.client("sagemaker"), platform.client("logs")
    start = time.time()
    tags = [{"Key": "a", "Value": "b"}]
    metric = {"Name": "speed", "Regex": "Million words/sec: ([0-9.]+)"}
    request = platform.training_job("ends", Tags=tags)
    request["AlgorithmSpecification"]["MetricDefinitions"] = [metric]
    request["HyperParameters"]["evaluation"] = "True"
    created = client.create_training_job(**request)
    first = client.describe_training_job(TrainingJobName="ends")
    assert first["ModelArtifacts"]["S3ModelArtifacts"] == (
        "s3://texts/output/ends/output/model.tar.gz"
    )
    job = platform.wait_for("ends")
    took = time.time() - start
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert took < 20
    assert job["OutputDataConfig"]["KmsKeyId"] == ""
    names = [entry["Status"] for entry in job["SecondaryStatusTransitions"]]
    assert names == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert {m["MetricName"] for m in job["FinalMetricDataList"]} >= {"speed", "train:mean_rho"}
    assert client.list_tags(ResourceArn=created["TrainingJobArn"])["Tags"] == tags

    s3 = platform.client("s3")
    archive = s3.get_object(Bucket="texts", Key="output/ends/output/model.tar.gz")["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        assert {"vectors.bin", "vectors.txt"} <= set(tar.getnames())

    streams = logs.describe_log_streams(logGroupName=_GROUP, logStreamNamePrefix="ends/", limit=1)
    (stream,) = streams["logStreams"]
    assert "nextToken" not in streams
    assert stream["logStreamName"].startswith("ends/algo-1-")
    events, token = [], None
    while True:  # as the SDK reads
        page = logs.get_log_events(
            logGroupName=_GROUP,
            logStreamName=stream["logStreamName"],
            startFromHead=True,
            limit=3,
            **({"nextToken": token} if token else {}),
        )
        token = page["nextForwardToken"]
        if not page["events"]:
            break
        events += page["events"]
    lines = [event["message"] for event in events]
    assert any("#mean_rho: " in line for line in lines)
    since = events[2]["timestamp"]
    later = logs.get_log_events(
        logGroupName=_GROUP,
        logStreamName=stream["logStreamName"],
        startFromHead=True,
        startTime=since,
    )["events"]
    assert [e["message"] for e in later] == [
        e["message"] for e in events if e["timestamp"] >= since
    ]
    found = logs.filter_log_events(
        logGroupName=_GROUP, logStreamNamePrefix="ends/", filterPattern='"mean_rho"'
    )
    assert found["events"]


def test_a_name_is_taken_once(platform: Any) -> None:
    client = platform.client("sagemaker")
    request = platform.training_job("twice")
    client.create_training_job(**request)
    with pytest.raises(client.exceptions.ResourceInUse, match="already exists"):
        client.create_training_job(**request)


@pytest.mark.parametrize(
    ("name", "address", "said"),
    [
        ("bucket", "s3://no-such-bucket/x", "there is no such bucket"),
        ("prefix", "s3://texts/no-such-prefix", "No S3 objects found under S3 URL"),
    ],
)
def test_what_is_not_there_fails_the_job(platform: Any, name: str, address: str, said: str) -> None:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": address}}
    channels = [{"ChannelName": "train", "DataSource": source}]
    client = platform.client("sagemaker")
    client.create_training_job(**platform.training_job(name, InputDataConfig=channels))
    job = platform.wait_for(name)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: Data download failed: ")
    assert said in job["FailureReason"]


@pytest.mark.parametrize(
    ("name", "hyperparameters", "said"),
    [
        ("no-mode", {"epochs": "1"}, "mode"),
        ("bad-number", {"mode": "skipgram", "epochs": "many"}, "epochs"),
        ("bad-pair", {"mode": "batch_skipgram", "subwords": "True"}, "subwords"),
    ],
)
def test_wrong_hyperparameters_fail_the_job_with_a_sentence(
    platform: Any, name: str, hyperparameters: dict[str, str], said: str
) -> None:
    client = platform.client("sagemaker")
    client.create_training_job(**platform.training_job(name, HyperParameters=hyperparameters))
    job = platform.wait_for(name)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: ")
    assert said in job["FailureReason"]


def test_a_bucket_for_the_output_that_is_not_there(platform: Any) -> None:
    output = {"S3OutputPath": "s3://no-such-bucket/output"}
    client = platform.client("sagemaker")
    client.create_training_job(**platform.training_job("nowhere", OutputDataConfig=output))
    job = platform.wait_for("nowhere")
    assert job["TrainingJobStatus"] == "Failed"
    assert "Artifact upload failed" in job["FailureReason"]
    assert "no such bucket" in job["FailureReason"]


def test_a_job_is_stopped_and_keeps_what_it_has(platform: Any) -> None:
    client = platform.client("sagemaker")
    checkpoints = {"S3Uri": "s3://texts/checkpoints"}
    request = platform.training_job("stops", HyperParameters=_slow(), CheckpointConfig=checkpoints)
    client.create_training_job(**request)
    _wait_for_line(platform, "stops", "Progress")
    client.stop_training_job(TrainingJobName="stops")
    job = platform.wait_for("stops")
    assert job["TrainingJobStatus"] == "Stopped"
    platform.client("s3").head_object(Bucket="texts", Key="output/stops/output/model.tar.gz")
    with pytest.raises(client.exceptions.ClientError, match="is in status Stopped"):
        client.stop_training_job(TrainingJobName="stops")
    # As after an interruption of a spot instance: another job has the same checkpoints.
    client.create_training_job(**request | {"TrainingJobName": "goes-on"})
    _wait_for_line(platform, "goes-on", '"Resuming from the checkpoint"')
    client.stop_training_job(TrainingJobName="goes-on")
    assert platform.wait_for("goes-on")["TrainingJobStatus"] == "Stopped"


def _wait_for_line(platform: Any, name: str, pattern: str) -> None:
    platform.wait_for(name, "Training")
    logs = platform.client("logs")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = logs.filter_log_events(
            logGroupName=_GROUP, logStreamNamePrefix=f"{name}/", filterPattern=pattern
        )
        if found["events"]:
            return
        time.sleep(0.1)
    pytest.fail(f"{name} has no line with {pattern}")


def test_time_runs_out(platform: Any) -> None:
    client = platform.client("sagemaker")
    condition = {"MaxRuntimeInSeconds": 2}
    request = platform.training_job("late", HyperParameters=_slow(), StoppingCondition=condition)
    client.create_training_job(**request)
    job = platform.wait_for("late")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_a_channel_through_pipes_as_augmented_manifest(platform: Any) -> None:
    lines = "".join(
        f'{{"source": "a {word} film", "category": {label}, "id": {i}}}\n'
        for i in range(200)
        for word, label in (("good", 1), ("bad", 0))
    )
    platform.put_text("manifest/train.jsonl", lines.encode())
    source = {
        "S3DataType": "AugmentedManifestFile",
        "S3Uri": "s3://texts/manifest/train.jsonl",
        "S3DataDistributionType": "FullyReplicated",
        "AttributeNames": ["source", "category"],
    }
    channel = {
        "ChannelName": "train",
        "ContentType": "application/x-recordio",
        "InputMode": "Pipe",
        "RecordWrapperType": "RecordIO",
        "DataSource": {"S3DataSource": source},
    }
    hyperparameters = {"mode": "supervised", "min_count": "1", "vector_dim": "10", "epochs": "5"}
    client = platform.client("sagemaker")
    client.create_training_job(
        **platform.training_job(
            "pipes",
            InputDataConfig=[channel],
            HyperParameters=hyperparameters,
        )
    )
    job = platform.wait_for("pipes")
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    metrics = {m["MetricName"]: m["Value"] for m in job["FinalMetricDataList"]}
    assert metrics["train:accuracy"] > 0.9


def test_training_goes_on_from_a_model_channel(platform: Any) -> None:
    client = platform.client("sagemaker")
    client.create_training_job(**platform.training_job("first"))
    first = platform.wait_for("first")
    model = {
        "ChannelName": "model",
        "ContentType": "application/x-sagemaker-model",
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": first["ModelArtifacts"]["S3ModelArtifacts"],
            }
        },
    }
    request = platform.training_job("second")
    request["InputDataConfig"].append(model)
    client.create_training_job(**request)
    job = platform.wait_for("second")
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]


def test_instances_share_a_training(platform: Any) -> None:
    """As many processes, which meet; the first one's artifact is the job's."""
    platform.put_text()
    client = platform.client("sagemaker")
    request = platform.training_job("shared")
    request["ResourceConfig"]["InstanceCount"] = 2
    request["HyperParameters"] |= {"mode": "batch_skipgram", "subwords": "False", "epochs": "20"}
    client.create_training_job(**request)
    job = platform.wait_for("shared")
    assert job["TrainingJobStatus"] == "Completed", job
    logs = platform.client("logs")
    group = "/aws/sagemaker/TrainingJobs"
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="shared/")
    assert len(streams["logStreams"]) == 2
    for stream in streams["logStreams"]:
        name = stream["logStreamName"]
        events = logs.get_log_events(logGroupName=group, logStreamName=name)["events"]
        said = "\n".join(event["message"] for event in events)
        assert f"Number of hosts: 2, this is {name.split('/')[1][:6]}" in said


def test_jobs_are_listed_by_status(platform: Any) -> None:
    client = platform.client("sagemaker")
    client.create_training_job(**platform.training_job("listed"))
    platform.wait_for("listed")
    found = client.list_training_jobs(NameContains="listed", StatusEquals="Completed")
    (summary,) = found["TrainingJobSummaries"]
    assert summary["TrainingJobName"] == "listed"
    assert summary["TrainingEndTime"]
    none = client.list_training_jobs(NameContains="listed", StatusEquals="Failed")
    assert none["TrainingJobSummaries"] == []
