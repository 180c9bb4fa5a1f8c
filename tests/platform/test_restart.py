"""A platform that is killed and started again goes on where it was."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import pytest


@pytest.fixture(scope="module")
def restarted(start_platform: Any) -> Any:
    platform = start_platform()
    platform.put_text()
    return platform


def test_fifty_jobs_end_in_order_through_a_kill(restarted: Any) -> None:
    client = restarted.client("sagemaker")
    names = [f"many-{i:02d}" for i in range(50)]
    for name in names:
        client.create_training_job(**restarted.training_job(name))
    deadline = time.monotonic() + 60
    while _ended(client, names) < 10 and time.monotonic() < deadline:
        time.sleep(0.05)
    before = _ended(client, names)
    assert 10 <= before < 50
    restarted.kill()
    restarted.start()
    client = restarted.client("sagemaker")
    deadline = time.monotonic() + 120
    while _ended(client, names) < 50 and time.monotonic() < deadline:
        time.sleep(0.1)
    jobs = [client.describe_training_job(TrainingJobName=name) for name in names]
    assert [job.get("FailureReason") for job in jobs] == [None] * 50
    assert [job["TrainingJobStatus"] for job in jobs] == ["Completed"] * 50
    starts = [job["TrainingStartTime"] for job in jobs]
    n_cores = len(os.sched_getaffinity(0))  # as many begin together, in any order
    assert all(a <= b for a, b in zip(starts, starts[n_cores:], strict=False))
    s3 = restarted.client("s3")
    for job in jobs:
        key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://texts/")
        assert s3.head_object(Bucket="texts", Key=key)["ContentLength"] > 1000


def _ended(client: Any, names: list[str]) -> int:
    pages = client.get_paginator("list_training_jobs").paginate(
        StatusEquals="Completed", MaxResults=100
    )
    found = {job["TrainingJobName"] for page in pages for job in page["TrainingJobSummaries"]}
    return len(found & set(names))


def test_endpoints_come_back_without_their_objects(restarted: Any) -> None:
    client = restarted.client("sagemaker")
    client.create_training_job(**restarted.training_job("hosted"))
    job = restarted.wait_for("hosted")
    address = job["ModelArtifacts"]["S3ModelArtifacts"]
    container = {"Image": "brasa:latest", "ModelDataUrl": address}
    client.create_model(ModelName="hosted", PrimaryContainer=container)
    variant = {"VariantName": "all", "ModelName": "hosted", "InitialInstanceCount": 1}
    variant["InstanceType"] = "ml.m5.large"
    client.create_endpoint_config(EndpointConfigName="hosted", ProductionVariants=[variant])
    client.create_endpoint(EndpointName="hosted", EndpointConfigName="hosted")
    before = _vectors(restarted)
    client.delete_endpoint_config(EndpointConfigName="hosted")
    client.delete_model(ModelName="hosted")
    key = address.removeprefix("s3://texts/")
    restarted.client("s3").delete_object(Bucket="texts", Key=key)
    restarted.kill()
    restarted.start()
    client = restarted.client("sagemaker")
    waiter = client.get_waiter("endpoint_in_service")
    waiter.wait(EndpointName="hosted", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    assert _vectors(restarted) == before
    client.delete_endpoint(EndpointName="hosted")


def _vectors(platform: Any) -> Any:
    body = json.dumps({"instances": ["awesome", "awweeesome"]})
    runtime = platform.client("sagemaker-runtime")
    return json.loads(runtime.invoke_endpoint(EndpointName="hosted", Body=body)["Body"].read())


def test_a_second_platform_is_kept_out_of_the_folder(restarted: Any) -> None:
    import subprocess
    import sys

    command = [sys.executable, "-m", "brasa.cli", "platform", "--data", str(restarted.folder)]
    refused = subprocess.run([*command, "--port", "0"], capture_output=True, text=True, timeout=30)
    assert refused.returncode == 2
    assert "another platform runs in this folder" in refused.stderr


def test_a_job_at_work_goes_on_from_its_checkpoint(
    start_platform: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRASA_CHECKPOINT_SECONDS", "0.3")
    platform = start_platform()
    platform.put_text()
    hyperparameters = {
        "mode": "skipgram",
        "min_count": "1",
        "vector_dim": "100",
        "sampling_threshold": "0.9",
        "epochs": "4000",
        "evaluation": "False",
    }
    request = platform.training_job("goes-on", HyperParameters=hyperparameters)
    platform.client("sagemaker").create_training_job(**request)
    deadline = time.monotonic() + 60
    checkpoint = platform.folder / "jobs/goes-on/checkpoints/brasa-checkpoint"
    while not all((checkpoint / n).exists() for n in ("model.safetensors", "config.json")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    platform.kill()
    platform.start()
    job = platform.wait_for("goes-on", seconds=120)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    found = platform.client("logs").filter_log_events(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix="goes-on/"
    )["events"]
    lines = [event["message"] for event in found]
    assert sum("Resuming from the checkpoint at" in line for line in lines) == 1
    assert len({event["logStreamName"] for event in found}) == 2
