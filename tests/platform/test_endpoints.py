"""Endpoints: deployed, asked, updated, broken; and batch transform with the same models."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

Deploy = Callable[..., str]
IMAGE = "811284229777.dkr.ecr.us-east-1.amazonaws.com/blazingtext:1"


@pytest.fixture(scope="module")
def artifact(platform: Any) -> str:
    """Address of word vectors' model.tar.gz."""
    return _trained(platform, "words")


@pytest.fixture(scope="module")
def classifier(platform: Any) -> str:
    """Address of a classifier's model.tar.gz."""
    text = "__label__good a good film\n__label__bad a bad film\n" * 100
    platform.put_text("labeled/train", text.encode())
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://texts/labeled"}}
    hyperparameters = {"mode": "supervised", "min_count": "1", "vector_dim": "10"}
    return _trained(
        platform,
        "classifier",
        InputDataConfig=[{"ChannelName": "train", "DataSource": source}],
        HyperParameters=hyperparameters,
    )


def _trained(platform: Any, name: str, **changes: Any) -> str:
    platform.put_text()
    platform.client("sagemaker").create_training_job(**platform.training_job(name, **changes))
    job = platform.wait_for(name)
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    address: str = job["ModelArtifacts"]["S3ModelArtifacts"]
    return address


@pytest.fixture(scope="module")
def deploy(platform: Any) -> Deploy:
    """A function that makes a model and a configuration of one name, and an endpoint of it."""
    client = platform.client("sagemaker")

    def make(name: str, address: str, endpoint: bool = True) -> str:
        container = {"Image": IMAGE, "ModelDataUrl": address}
        client.create_model(ModelName=name, PrimaryContainer=container)
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": name,
            "InitialInstanceCount": 1,
            "InstanceType": "ml.m5.large",
        }
        client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        if endpoint:
            client.create_endpoint(EndpointName=name, EndpointConfigName=name)
        return name

    return make


def _settled(platform: Any, name: str) -> dict[str, Any]:
    client = platform.client("sagemaker")
    deadline = time.monotonic() + 60
    while True:
        endpoint: dict[str, Any] = client.describe_endpoint(EndpointName=name)
        if endpoint["EndpointStatus"] in ("InService", "Failed"):
            return endpoint
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _ask(platform: Any, name: str, body: Any, **options: Any) -> Any:
    runtime = platform.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName=name, Body=json.dumps(body), **options)
    return json.loads(answer["Body"].read())


def test_an_endpoint_lives(platform: Any, artifact: str, deploy: Deploy) -> None:
    deploy("serves", artifact)
    endpoint = _settled(platform, "serves")
    assert endpoint["EndpointStatus"] == "InService"
    assert endpoint["ProductionVariants"][0]["CurrentInstanceCount"] == 1
    answer = _ask(platform, "serves", {"instances": ["awesome", "awweeesome"]})
    assert [a["word"] for a in answer] == ["awesome", "awweeesome"]
    assert all(any(a["vector"]) and len(a["vector"]) == 10 for a in answer)
    words = [f"awesome{n}" for n in range(10_000)]
    answer = _ask(platform, "serves", {"instances": words})  # of over 1 MB, which goes on in pieces
    assert [a["word"] for a in answer] == words
    client = platform.client("sagemaker")
    listed = client.list_endpoints(NameContains="serves")["Endpoints"]
    assert listed[0]["EndpointStatus"] == "InService"
    client.delete_endpoint(EndpointName="serves")
    with pytest.raises(ClientError, match='Could not find endpoint "serves"'):
        client.describe_endpoint(EndpointName="serves")
    time.sleep(0.5)
    with pytest.raises(ClientError, match="not found"):
        _ask(platform, "serves", {"instances": ["x"]})


def test_what_a_model_refuses_is_a_model_error(
    platform: Any, artifact: str, deploy: Deploy
) -> None:
    deploy("refuses", artifact)
    _settled(platform, "refuses")
    with pytest.raises(ClientError) as refused:
        _ask(platform, "refuses", {"wrong": 1})
    error = refused.value.response
    assert error["Error"]["Code"] == "ModelError"
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert error["OriginalStatusCode"] == 400
    assert "instances" in error["OriginalMessage"]


def test_an_update_changes_the_model_without_a_gap(
    platform: Any, artifact: str, classifier: str, deploy: Deploy
) -> None:
    deploy("changes", artifact)
    deploy("changes-2", classifier, endpoint=False)
    _settled(platform, "changes")
    client = platform.client("sagemaker")
    with ThreadPoolExecutor() as pool:

        def ask() -> list[str]:  # an error in between fails the test
            seen: list[str] = []
            deadline = time.monotonic() + 30
            while "label" not in seen and time.monotonic() < deadline:
                seen += _ask(platform, "changes", {"instances": ["a good film"]})[0]
            return seen

        asking = pool.submit(ask)
        time.sleep(0.1)
        client.update_endpoint(EndpointName="changes", EndpointConfigName="changes-2")
        assert {"vector", "label"} <= set(asking.result())
    endpoint = _settled(platform, "changes")
    assert endpoint["EndpointConfigName"] == "changes-2"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../escaped", "leads out of its folder"),
        ("/etc/escaped", "leads out of its folder"),
        ("link", "is a link or device"),
        ("twice", "is in it twice"),
        ("text", "no archive as model.tar.gz is one"),
        ("empty", ""),
        ("missing", "there is no such object"),
    ],
)
def test_model_archives_that_are_none(platform: Any, deploy: Deploy, name: str, said: str) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for _ in range(2 if name == "twice" else 0 if name == "empty" else 1):
            member = tarfile.TarInfo(name)
            if name == "link":
                member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tar.addfile(member)
    body = b"plain text" if name == "text" else file.getvalue()
    key = f"archives/{name.strip('./')}.tar.gz"
    if name != "missing":
        platform.put_text(key, body)
    endpoint = "archive-" + name.strip("./").replace("/", "-")
    deploy(endpoint, f"s3://texts/{key}")
    found = _settled(platform, endpoint)
    assert found["EndpointStatus"] == "Failed"
    assert said in found["FailureReason"]


def test_a_lost_process_is_started_again(platform: Any, artifact: str, deploy: Deploy) -> None:
    import os
    import signal
    from pathlib import Path

    deploy("lost", artifact)
    _settled(platform, "lost")
    before = _ask(platform, "lost", {"instances": ["awesome"]})
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes()
        except OSError:
            continue
        if str(platform.folder / "endpoints" / "lost").encode() in environment:
            os.kill(int(process.name), signal.SIGKILL)
    deadline = time.monotonic() + 30
    while True:
        try:
            assert _ask(platform, "lost", {"instances": ["awesome"]}) == before
            return
        except ClientError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_batch_transform(platform: Any, classifier: str, deploy: Deploy) -> None:
    deploy("batch", classifier, endpoint=False)
    lines = [{"id": i, "source": f"a {'good' if i % 2 else 'bad'} film"} for i in range(50)]
    body = "\n".join(map(json.dumps, lines)).encode()
    platform.put_text("batch/in/a.jsonl", body)
    platform.put_text("batch/in/deep/b.jsonl", body)
    client = platform.client("sagemaker")
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://texts/batch/in"}
    request: dict[str, Any] = {
        "ModelName": "batch",
        "TransformInput": {
            "DataSource": {"S3DataSource": source},
            "ContentType": "application/jsonlines",
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": "s3://texts/batch/out",
            "Accept": "application/jsonlines",
            "AssembleWith": "Line",
        },
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    processing = {"JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"}
    client.create_transform_job(TransformJobName="plain", BatchStrategy="MultiRecord", **request)
    client.create_transform_job(
        TransformJobName="joined",
        **request
        | {
            "DataProcessing": processing,
            "BatchStrategy": "SingleRecord",
            "MaxConcurrentTransforms": 4,
            "TransformOutput": request["TransformOutput"]
            | {"S3OutputPath": "s3://texts/batch/joined"},
        },
    )
    wrong = request | {"TransformInput": request["TransformInput"] | {"ContentType": "text/csv"}}
    client.create_transform_job(TransformJobName="fails", **wrong)
    deadline = time.monotonic() + 60
    for name, expected in (("plain", "Completed"), ("joined", "Completed"), ("fails", "Failed")):
        while True:
            job = client.describe_transform_job(TransformJobName=name)
            if job["TransformJobStatus"] != "InProgress":
                break
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert job["TransformJobStatus"] == expected, job.get("FailureReason")
    s3 = platform.client("s3")
    for key in ("batch/out/a.jsonl.out", "batch/out/deep/b.jsonl.out"):
        out = s3.get_object(Bucket="texts", Key=key)["Body"].read().splitlines()
        labels = [json.loads(line)["label"][0] for line in out]
        assert labels == ["__label__bad", "__label__good"] * 25
    joined = s3.get_object(Bucket="texts", Key="batch/joined/a.jsonl.out")["Body"].read()
    found = [json.loads(line) for line in joined.splitlines()]
    assert [line["id"] for line in found] == list(range(50))
    assert found[1].keys() == {"id", "SageMakerOutput"}
    groups = platform.client("logs").describe_log_groups()["logGroups"]
    assert "/aws/sagemaker/TransformJobs" in [group["logGroupName"] for group in groups]
