"""Real platforms on ports of their own, and AWS's own clients that talk to them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

_BRASA = str(Path(sys.executable).parent / "brasa")
_AT = re.compile(r"platform is at (http://\S+)")
IMAGE = "811284229777.dkr.ecr.us-east-1.amazonaws.com/blazingtext:1"
ROLE = "arn:aws:iam::000000000000:role/service-role/AmazonSageMaker-ExecutionRole"


@dataclass
class RunningPlatform:
    """A `brasa platform`, its folder and clients with its key."""

    folder: Path
    arguments: tuple[str, ...] = ()
    url: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [_BRASA, "platform", "--data", str(self.folder), *self.arguments]
        if "--port" not in command:
            port = self.url.rpartition(":")[2] or "0"  # a restart has the port it had
            command += ["--port", port]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        said = ""
        while (found := _AT.search(said)) is None:
            line = self.process.stderr.readline()
            if not line:
                pytest.fail(f"the platform said {said!r}")
            said += line
        self.url = found[1]
        printed = subprocess.run(
            [_BRASA, "platform", "env", "--json", "--data", str(self.folder)],
            capture_output=True,
            check=True,
        )
        self.variables = json.loads(printed.stdout)

    def kill(self) -> None:
        """As a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.communicate()

    def stop(self) -> int:
        """Its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=30)
        return self.process.returncode

    def client(self, service: str, **options: Any) -> Any:
        given = {
            "endpoint_url": self.url,
            "region_name": "us-east-1",
            "aws_access_key_id": self.variables["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": self.variables["AWS_SECRET_ACCESS_KEY"],
            "config": Config(retries={"max_attempts": 1}),
        }
        return boto3.client(service, **given | options)

    def environment(self) -> dict[str, str]:
        """For a client in a process of its own."""
        kept = {n: v for n, v in os.environ.items() if not n.startswith("AWS_")}
        return kept | self.variables

    def training_job(self, name: str, **changes: Any) -> dict[str, Any]:
        """A request for a training job on the text that `put_text` has put."""
        source = {"S3DataType": "S3Prefix", "S3Uri": "s3://texts/train"}
        request = {
            "TrainingJobName": name,
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "RoleArn": ROLE,
            "InputDataConfig": [
                {
                    "ChannelName": "train",
                    "ContentType": "text/plain",
                    "DataSource": {"S3DataSource": source},
                }
            ],
            "OutputDataConfig": {"S3OutputPath": "s3://texts/output"},
            "ResourceConfig": {
                "InstanceCount": 1,
                "InstanceType": "ml.t3.medium",
                "VolumeSizeInGB": 30,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
            "HyperParameters": {
                "mode": "skipgram",
                "epochs": "2",
                "min_count": "1",
                "vector_dim": "10",
                "subwords": "True",
                "buckets": "2000",
                "evaluation": "False",
            },
        }
        return request | changes

    def put_text(self, key: str = "train/text", body: bytes | None = None) -> None:
        s3 = self.client("s3")
        with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
            s3.create_bucket(Bucket="texts")
        lines = b"the movie was awesome and great\nthe film was bad and poor\na great film\n"
        s3.put_object(Bucket="texts", Key=key, Body=body or lines * 200)

    def wait_for(self, name: str, *statuses: str, seconds: float = 60) -> dict[str, Any]:
        """A training job's description when it has one of the statuses, or has ended."""
        client = self.client("sagemaker")
        deadline = time.monotonic() + seconds
        while True:
            job: dict[str, Any] = client.describe_training_job(TrainingJobName=name)
            known = (job["TrainingJobStatus"], job["SecondaryStatus"])
            if set(known) & {*statuses, "Completed", "Failed", "Stopped"}:
                return job
            if time.monotonic() > deadline:
                pytest.fail(f"{name} is {known} after {seconds} s")
            time.sleep(0.05)


StartPlatform = Callable[..., RunningPlatform]


@pytest.fixture(scope="session")
def start_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartPlatform]:
    """Start a platform in a new folder; all are stopped at the end."""
    started: list[RunningPlatform] = []

    def start(*arguments: str) -> RunningPlatform:
        platform = RunningPlatform(tmp_path_factory.mktemp("platform") / "data", arguments)
        platform.start()
        started.append(platform)
        return platform

    yield start
    for platform in started:
        platform.stop()


@pytest.fixture(scope="session")
def platform(start_platform: StartPlatform) -> RunningPlatform:
    """One that is shared by all tests of a worker."""
    return start_platform()


@pytest.fixture(scope="session")
def sagemaker(platform: RunningPlatform) -> Any:
    return platform.client("sagemaker")
