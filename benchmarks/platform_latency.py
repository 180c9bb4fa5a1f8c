"""What a platform adds: to a request for an endpoint, to a job, and to an upload.

    python benchmarks/platform_latency.py

Starts a platform, trains a small model, deploys it, and asks it over one kept connection: through
the platform, signed, and at its own port, in turns. Medians in ms.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

IMAGE = "brasa:latest"
ROLE = "arn:aws:iam::000000000000:role/service-role/AmazonSageMaker-ExecutionRole"
BODY = b'{"instances":["awesome"]}'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--megabytes", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "brasa.cli", "platform", "--data", folder, "--port", "0"]
        platform = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            assert platform.stderr is not None
            said = platform.stderr.readline()
            url = said.split()[-1]
            printed = subprocess.check_output([*command[:4], "env", "--data", folder, "--json"])
            variables = json.loads(printed)
            _measure(url, variables, options.requests, options.megabytes)
        finally:
            platform.terminate()
            platform.wait()


def _measure(url: str, variables: dict[str, str], n_requests: int, megabytes: int) -> None:
    def client(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        )

    s3, sagemaker = client("s3"), client("sagemaker")
    s3.create_bucket(Bucket="texts")
    s3.put_object(Bucket="texts", Key="train/text", Body=b"an awesome film\n" * 1000)
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://texts/train"}}
    sagemaker.create_training_job(
        TrainingJobName="bench",
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        RoleArn=ROLE,
        InputDataConfig=[{"ChannelName": "train", "DataSource": source}],
        OutputDataConfig={"S3OutputPath": "s3://texts/output"},
        ResourceConfig={
            "InstanceCount": 1,
            "InstanceType": "ml.c5.large",
            "VolumeSizeInGB": 30,
        },
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        HyperParameters={"mode": "skipgram", "min_count": "1", "evaluation": "False"},
    )
    while True:
        job = sagemaker.describe_training_job(TrainingJobName="bench")
        if job["TrainingJobStatus"] != "InProgress":
            break
        time.sleep(0.01)
    steps = {s["Status"]: s for s in job["SecondaryStatusTransitions"]}
    whole = (job["TrainingEndTime"] - job["CreationTime"]).total_seconds()
    training = (steps["Training"]["EndTime"] - steps["Training"]["StartTime"]).total_seconds()
    print(
        f"job: {whole:.2f} s, of which its process {training:.2f} s: {whole - training:.2f} s added"
    )
    container = {"Image": IMAGE, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
    sagemaker.create_model(ModelName="bench", PrimaryContainer=container)
    variant = {
        "VariantName": "all",
        "ModelName": "bench",
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
    }
    sagemaker.create_endpoint_config(EndpointConfigName="bench", ProductionVariants=[variant])
    start = time.perf_counter()
    sagemaker.create_endpoint(EndpointName="bench", EndpointConfigName="bench")
    print(f"endpoint: {time.perf_counter() - start:.2f} s from CreateEndpoint to InService")
    _endpoint(url, variables, n_requests)
    data = os.urandom(1 << 20) * megabytes
    start = time.perf_counter()
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        s3.upload_fileobj(file, "texts", "large")
    up = time.perf_counter() - start
    start = time.perf_counter()
    with tempfile.TemporaryFile() as file:
        s3.download_fileobj("texts", "large", file)
    down = time.perf_counter() - start
    print(f"S3: {megabytes / up:.0f} MB/s up, {megabytes / down:.0f} MB/s down")


def _endpoint(url: str, variables: dict[str, str], n_requests: int) -> None:
    path = "/endpoints/bench/invocations"
    request = AWSRequest(
        "POST", url + path, data=BODY, headers={"Content-Type": "application/json"}
    )
    key = Credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
    SigV4Auth(key, "sagemaker", "us-east-1").add_auth(request)
    signed = dict(request.headers.items())
    ways = {
        "endpoint": (_port_of_endpoint(), "/invocations", {"Content-Type": "application/json"}),
        "platform": (urlsplit(url).port or 80, path, signed),
    }
    connections = {n: http.client.HTTPConnection("127.0.0.1", p) for n, (p, _, _) in ways.items()}
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(n_requests):
        for name, (_, target, headers) in ways.items():
            start = time.perf_counter()
            connections[name].request("POST", target, BODY, headers)
            answer = connections[name].getresponse()
            answer.read()
            took[name].append(time.perf_counter() - start)
            assert answer.status == 200
    medians = {name: statistics.median(times) * 1e3 for name, times in took.items()}
    tails = {name: sorted(times)[int(0.99 * n_requests)] * 1e3 for name, times in took.items()}
    for name in ways:
        print(f"{name}: {medians[name]:.3f} ms median, {tails[name]:.3f} ms at the 99th of 100")
    print(f"added: {medians['platform'] - medians['endpoint']:.3f} ms")


def _port_of_endpoint() -> int:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            found = re.search(rb"SAGEMAKER_BIND_TO_PORT=(\d+)", (process / "environ").read_bytes())
        except OSError:
            continue
        if found:
            return int(found[1])
    raise SystemExit("no endpoint runs")


if __name__ == "__main__":
    main()
