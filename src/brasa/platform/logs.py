"""The reading half of CloudWatch Logs.

Tokens are absolute positions in a stream: they stay valid when there is nothing new, so that a
client that keeps one for a whole job neither misses nor repeats a line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from brasa.platform.errors import AwsError
from brasa.platform.folder import ACCOUNT

if TYPE_CHECKING:
    from brasa.platform.store import Document, Store

TRAINING_GROUP = "/aws/sagemaker/TrainingJobs"
TRANSFORM_GROUP = "/aws/sagemaker/TransformJobs"
ENDPOINT_GROUP = "/aws/sagemaker/Endpoints"
_TOKEN = re.compile(r"([fb])/([0-9]{1,18})")
_MOST_EVENTS = 10_000
_MOST_STREAMS = 50


def describe_groups(store: Store, request: Document, region: str) -> Document:
    """Answer DescribeLogGroups."""
    prefix = request.get("logGroupNamePrefix", "")
    pattern = request.get("logGroupNamePattern", "")
    groups = [g for g in store.log_groups() if g.startswith(prefix) and pattern in g]
    arn = f"arn:aws:logs:{region}:{ACCOUNT}:log-group:"
    return {"logGroups": [{"logGroupName": g, "arn": f"{arn}{g}:*"} for g in groups]}


def describe_streams(store: Store, request: Document, region: str) -> Document:
    """Answer DescribeLogStreams.

    SDK 2 repeats the request without the token for as long as it gets one: there is none up to 50
    streams.
    """
    group = _group(store, request)
    streams = store.log_streams(group, request.get("logStreamNamePrefix", ""))
    start = _position(request.get("nextToken"), "f") or 0
    limit = min(request.get("limit", _MOST_STREAMS), _MOST_STREAMS)
    if request.get("descending"):
        streams.reverse()
    arn = f"arn:aws:logs:{region}:{ACCOUNT}:log-group:{group}:log-stream:"
    answer: Document = {
        "logStreams": [
            {"logStreamName": name, "creationTime": created, "arn": arn + name, "storedBytes": 0}
            for _, name, created in streams[start : start + limit]
        ]
    }
    if len(streams) > max(start + limit, _MOST_STREAMS):
        answer["nextToken"] = f"f/{start + limit}"
    return answer


def get_events(store: Store, request: Document, region: str) -> Document:
    """Answer GetLogEvents; startTime is inclusive, endTime is not."""
    stream = store.find_stream(_group(store, request), request["logStreamName"])
    if stream is None:
        raise _not_found("The specified log stream does not exist.")
    limit = min(request.get("limit", _MOST_EVENTS), _MOST_EVENTS)
    length = store.log_length(stream)
    token = request.get("nextToken")
    if token and token.startswith("b/"):
        start = max(0, (_position(token, "b") or 0) - limit)
    elif token:
        start = _position(token, "f") or 0
    else:
        start = 0 if request.get("startFromHead") else max(0, length - limit)
    first, last = request.get("startTime", 0), request.get("endTime", 2**62)
    events = store.log_events(stream, start, limit, first, last)
    following = max(start, events[-1][0] + 1 if events else start)
    return {
        "events": [
            {"timestamp": ms, "message": line, "ingestionTime": ms} for _, ms, line in events
        ],
        "nextForwardToken": f"f/{following}",
        "nextBackwardToken": f"b/{start}",
    }


def filter_events(store: Store, request: Document, region: str) -> Document:
    """Answer FilterLogEvents: plain words of the pattern, all of which a line must have."""
    group = _group(store, request)
    prefix = request.get("logStreamNamePrefix", "")
    names = request.get("logStreamNames")
    words = re.findall(r'"([^"]*)"|(\S+)', request.get("filterPattern", ""))
    needles = [quoted or word for quoted, word in words]
    first, last = request.get("startTime", 0), request.get("endTime", 2**62)
    found: list[Document] = []
    for stream, name, _ in store.log_streams(group, prefix):
        if names is not None and name not in names:
            continue
        for position, ms, line in store.log_events(stream, 0, 2**62):
            if first <= ms <= last and all(needle in line for needle in needles):
                event = {"logStreamName": name, "timestamp": ms, "message": line}
                found.append(event | {"ingestionTime": ms, "eventId": f"{stream}-{position}"})
    found.sort(key=lambda event: event["timestamp"])
    start = _position(request.get("nextToken"), "f") or 0
    limit = min(request.get("limit", _MOST_EVENTS), _MOST_EVENTS)
    answer: Document = {"events": found[start : start + limit], "searchedLogStreams": []}
    if len(found) > start + limit:
        answer["nextToken"] = f"f/{start + limit}"
    return answer


OPERATIONS = {
    "DescribeLogGroups": describe_groups,
    "DescribeLogStreams": describe_streams,
    "GetLogEvents": get_events,
    "FilterLogEvents": filter_events,
}


def _group(store: Store, request: Document) -> str:
    name = request.get("logGroupName") or request.get("logGroupIdentifier") or ""
    if name not in store.log_groups():
        raise _not_found("The specified log group does not exist.")
    return str(name)


def _position(token: str | None, direction: str) -> int | None:
    if token is None:
        return None
    found = _TOKEN.fullmatch(token)
    if not found or found[1] != direction:
        raise AwsError("InvalidParameterException", "The specified nextToken is invalid.")
    return int(found[2])


def _not_found(message: str) -> AwsError:
    return AwsError("ResourceNotFoundException", message)
