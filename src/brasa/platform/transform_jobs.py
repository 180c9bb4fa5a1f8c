"""The control plane's operations on batch transform jobs."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from brasa.platform import resources
from brasa.platform.errors import invalid
from brasa.platform.resources import MODEL, TRANSFORM_JOB, Listing, new_document
from brasa.platform.s3_address import S3Address

if TYPE_CHECKING:
    from brasa.platform.store import Document, Store

ENDED = ("Completed", "Failed", "Stopped")
LISTING = Listing(
    TRANSFORM_JOB,
    "TransformJobSummaries",
    "TransformJobName",
    "TransformJobStatus",
    (
        "TransformJobName",
        "TransformJobArn",
        "CreationTime",
        "TransformEndTime",
        "LastModifiedTime",
        "TransformJobStatus",
        "FailureReason",
    ),
)
_KEPT = (
    "MaxConcurrentTransforms",
    "MaxPayloadInMB",
    "BatchStrategy",
    "Environment",
    "TransformInput",
    "TransformOutput",
    "TransformResources",
    "DataProcessing",
    "ModelClientConfig",
)
_NAMES = re.compile(r"\$\[('[^']+'(?:,\s*'[^']+')*)\]")
_NAME = re.compile(r"\$\.([A-Za-z_][A-Za-z0-9_]*)")
_MOST_MB = 100


def create(store: Store, request: Document, region: str) -> Document:
    """Answer CreateTransformJob: the job waits for its turn from now on."""
    name = request["TransformJobName"]
    model = resources.find(store, MODEL, request["ModelName"])
    _check(request)
    output = dict(request["TransformOutput"])
    output["S3OutputPath"] = output["S3OutputPath"].rstrip("/")
    values = {
        **{key: request[key] for key in _KEPT if request.get(key) is not None},
        "TransformJobName": name,
        "TransformJobArn": resources.arn_of(TRANSFORM_JOB, name, region),
        "TransformJobStatus": "InProgress",
        "ModelName": request["ModelName"],
        "TransformOutput": {"KmsKeyId": "", "AssembleWith": "None", **output},
        "_container": model["PrimaryContainer"],
        "_starts": 0,
    }
    document = new_document(TRANSFORM_JOB, name, region, values)
    tags = request.get("Tags", ())
    arn = resources.add(store, TRANSFORM_JOB, name, document, status="InProgress", tags=tags)
    return {"TransformJobArn": arn}


def _check(request: Document) -> None:
    source = request["TransformInput"]
    S3Address.parse(source["DataSource"]["S3DataSource"]["S3Uri"])
    S3Address.parse(request["TransformOutput"]["S3OutputPath"])
    split = source.get("SplitType", "None")
    if split not in ("None", "Line"):
        raise invalid(f"SplitType must be None or Line, not {split}.")
    megabytes, parallel = (
        request.get("MaxPayloadInMB", 6),
        request.get("MaxConcurrentTransforms", 1),
    )
    if megabytes > _MOST_MB or megabytes * max(1, parallel) > _MOST_MB:
        raise invalid("MaxPayloadInMB, times MaxConcurrentTransforms, must be at most 100.")
    if request.get("BatchStrategy") == "MultiRecord" and split == "None":
        raise invalid("BatchStrategy MultiRecord needs SplitType Line.")
    processing = request.get("DataProcessing", {})
    for name in ("InputFilter", "OutputFilter"):
        parse_filter(processing.get(name, "$"), name)
    if processing.get("JoinSource", "None") == "Input" and split != "Line":
        raise invalid("JoinSource Input needs SplitType Line.")


def parse_filter(text: str, name: str = "filter") -> list[str] | str | None:
    """What a filter selects of a JSON object: names, one name, or (None) all of it.

    Raises
    ------
    AwsError
        For more of JSONPath than ``$``, ``$.name`` and ``$['name','name']``.
    """
    if text == "$":
        return None
    one, several = _NAME.fullmatch(text), _NAMES.fullmatch(text)
    if one:
        return one[1]
    if several:
        return [part.strip()[1:-1] for part in several[1].split(",")]
    raise invalid(f"{name} {text!r} is not $, $.name or $['name','name'].")


def select(value: Any, wanted: list[str] | str | None) -> Any:
    """Apply a filter."""
    if wanted is None or not isinstance(value, dict):
        return value
    if isinstance(wanted, str):
        return value.get(wanted)
    return {name: value[name] for name in wanted if name in value}


def describe(store: Store, request: Document) -> Document:
    """Answer DescribeTransformJob."""
    return resources.public(resources.find(store, TRANSFORM_JOB, request["TransformJobName"]))


def list_(store: Store, request: Document) -> Document:
    """Answer ListTransformJobs."""
    return LISTING.answer(store, request)


def stop(store: Store, request: Document) -> Document:
    """Answer StopTransformJob."""
    name = request["TransformJobName"]

    def change(job: Document) -> str:
        status = job["TransformJobStatus"]
        if status in ENDED:
            raise invalid(
                f"The request was rejected because the transform job is in status {status}."
            )
        job["TransformJobStatus"] = "Stopping"
        return "Stopping"

    if store.change(TRANSFORM_JOB, name, change) is None:
        raise invalid(resources.missing(TRANSFORM_JOB, name))
    return {}


def end(job: Document, status: str, reason: str | None = None) -> str:
    """Give a job its last status."""
    job["TransformJobStatus"] = status
    job["TransformEndTime"] = time.time()
    if reason:
        job["FailureReason"] = reason[:1024]
    return status
