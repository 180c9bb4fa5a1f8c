"""The control plane's operations on training jobs."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from brasa.platform import resources
from brasa.platform.errors import invalid
from brasa.platform.images import check_image
from brasa.platform.resources import TRAINING_JOB, Listing, new_document
from brasa.platform.s3_address import S3Address

if TYPE_CHECKING:
    from brasa.platform.store import Document, Store

# Clients plot these without being asked; the container of BlazingText defines them too.
METRICS = (
    {"Name": "train:mean_rho", "Regex": r"#mean_rho: ([-+0-9.eE]+)"},
    {"Name": "train:accuracy", "Regex": r"#train_accuracy: ([0-9.]+)"},
    {"Name": "validation:accuracy", "Regex": r"#validation_accuracy: ([0-9.]+)"},
)
# Processes run as the platform's user: a request says what they do, not what they are.
_PLATFORMS_OWN = ("LD_", "PYTHON", "PATH", "HOME", "SAGEMAKER_BASE_DIR", "BRASA_HOST", "AWS_")
ENDED = ("Completed", "Failed", "Stopped")
_KEPT = (
    "HyperParameters",
    "RoleArn",
    "InputDataConfig",
    "ResourceConfig",
    "VpcConfig",
    "StoppingCondition",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "CheckpointConfig",
    "DebugHookConfig",
    "DebugRuleConfigurations",
    "ExperimentConfig",
    "ProfilerConfig",
    "ProfilerRuleConfigurations",
    "TensorBoardOutputConfig",
    "Environment",
    "RetryStrategy",
)
LISTING = Listing(
    TRAINING_JOB,
    "TrainingJobSummaries",
    "TrainingJobName",
    "TrainingJobStatus",
    (
        "TrainingJobName",
        "TrainingJobArn",
        "CreationTime",
        "TrainingEndTime",
        "LastModifiedTime",
        "TrainingJobStatus",
        "SecondaryStatus",
    ),
)


def create(store: Store, request: Document, region: str, *, tuning_job: str = "") -> Document:
    """Answer CreateTrainingJob: the job waits for its turn from now on."""
    name = request["TrainingJobName"]
    _check(request)
    output = {"KmsKeyId": "", "CompressionType": "GZIP", **request["OutputDataConfig"]}
    output["S3OutputPath"] = output["S3OutputPath"].rstrip("/")
    artifact = f"{output['S3OutputPath']}/{name}/output/model.tar.gz"
    algorithm = dict(request["AlgorithmSpecification"])
    named = {metric["Name"] for metric in algorithm.get("MetricDefinitions", ())}
    algorithm["MetricDefinitions"] = [
        *algorithm.get("MetricDefinitions", ()),
        *(metric for metric in METRICS if metric["Name"] not in named),
    ]
    values = {
        "TrainingJobName": name,
        "TrainingJobArn": resources.arn_of(TRAINING_JOB, name, region),
        "ModelArtifacts": {"S3ModelArtifacts": artifact},
        "TrainingJobStatus": "InProgress",
        "SecondaryStatus": "Starting",
        "AlgorithmSpecification": algorithm,
        "OutputDataConfig": output,
        "EnableNetworkIsolation": False,
        "EnableInterContainerTrafficEncryption": False,
        "EnableManagedSpotTraining": False,
        "HyperParameters": {},
        **{name: request[name] for name in _KEPT if request.get(name) is not None},
        "_starts": 0,
    }
    if tuning_job:
        values["TuningJobArn"] = resources.arn_of(resources.TUNING_JOB, tuning_job, region)
    document = new_document(TRAINING_JOB, name, region, values)
    enter(document, "Starting", "Waiting for cores of this machine")
    arn = resources.add(
        store,
        TRAINING_JOB,
        name,
        document,
        status="InProgress",
        tags=request.get("Tags", ()),
        parent=tuning_job,
    )
    return {"TrainingJobArn": arn}


def _check(request: Document) -> None:
    algorithm = request["AlgorithmSpecification"]
    if not algorithm.get("TrainingImage"):
        raise invalid("AlgorithmSpecification must have a TrainingImage: BlazingText's.")
    check_image(algorithm["TrainingImage"])
    for metric in algorithm.get("MetricDefinitions", ()):
        try:
            re.compile(metric["Regex"])
        except re.error as error:
            message = f"The regular expression of {metric['Name']} is none: {error}"
            raise invalid(message) from None
    S3Address.parse(request["OutputDataConfig"]["S3OutputPath"])
    channels = [channel["ChannelName"] for channel in request.get("InputDataConfig", ())]
    if not channels:
        raise invalid("InputDataConfig must have a channel 'train' with the text to train on.")
    twice = next((channel for channel in channels if channels.count(channel) > 1), None)
    if twice:
        raise invalid(f"InputDataConfig has the channel {twice!r} more than once.")
    for channel in request["InputDataConfig"]:
        source = channel["DataSource"].get("S3DataSource")
        if source is None:
            raise invalid(f"Channel {channel['ChannelName']!r} must have an S3DataSource.")
        S3Address.parse(source["S3Uri"])
        sharded = source.get("S3DataDistributionType") == "ShardedByS3Key"
        if sharded and request["ResourceConfig"].get("InstanceCount", 1) > 1:
            raise invalid("S3DataDistributionType must be FullyReplicated: BlazingText shares out.")
    for name in request.get("Environment", {}):
        if name.startswith(_PLATFORMS_OWN):
            raise invalid(f"Environment may not set {name}: it is the platform's own.")
    if request.get("CheckpointConfig"):
        S3Address.parse(request["CheckpointConfig"]["S3Uri"])


def describe(store: Store, request: Document) -> Document:
    """Answer DescribeTrainingJob."""
    return resources.public(resources.find(store, TRAINING_JOB, request["TrainingJobName"]))


def stop(store: Store, request: Document) -> Document:
    """Answer StopTrainingJob: the runner sees it, and ends the job's process."""
    name = request["TrainingJobName"]

    def change(job: Document) -> str:
        if job["TrainingJobStatus"] in ENDED:
            raise invalid(
                "The request was rejected because the training job is in status "
                f"{job['TrainingJobStatus']}."
            )
        if job["TrainingJobStatus"] == "InProgress":
            job["TrainingJobStatus"] = "Stopping"
            enter(job, "Stopping", "Stopping the training job")
        return "Stopping"

    if store.change(TRAINING_JOB, name, change) is None:
        raise invalid(resources.missing(TRAINING_JOB, name))
    return {}


def list_(store: Store, request: Document) -> Document:
    """Answer ListTrainingJobs."""
    return LISTING.answer(store, request)


def enter(job: Document, status: str, message: str) -> None:
    """Give a job another secondary status, and end the one it had."""
    now = time.time()
    transitions = job.setdefault("SecondaryStatusTransitions", [])
    if transitions:
        transitions[-1].setdefault("EndTime", now)
    job["SecondaryStatus"] = status
    transitions.append({"Status": status, "StartTime": now, "StatusMessage": message})


def end(job: Document, status: str, message: str, *, secondary: str | None = None) -> str:
    """Give a job its last status; `message` is the reason of a failure."""
    enter(job, secondary or status, message)
    now = time.time()
    job["SecondaryStatusTransitions"][-1]["EndTime"] = now
    job["TrainingJobStatus"] = status
    job["TrainingEndTime"] = now
    if status == "Failed":
        job["FailureReason"] = message[:1024]
    started = job.get("TrainingStartTime")
    seconds = max(1, round(now - started)) if started else 0
    job["TrainingTimeInSeconds"] = job["BillableTimeInSeconds"] = seconds
    return status
