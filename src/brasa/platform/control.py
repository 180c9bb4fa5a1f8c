"""The control plane: which operations there are, and what answers them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from brasa.platform import (
    hosting,
    logs,
    resources,
    shapes,
    training_jobs,
    transform_jobs,
    tuning_jobs,
)
from brasa.platform.errors import AwsError
from brasa.platform.folder import ROLE_ARN

if TYPE_CHECKING:
    from collections.abc import Callable

    from brasa.platform.context import Platform
    from brasa.platform.store import Document


def answer(platform: Platform, service: str, operation: str, values: Any, region: str) -> Document:
    """Answer one operation of SageMaker or CloudWatch Logs.

    Raises
    ------
    AwsError
    """
    table = logs.OPERATIONS if service == "logs" else _OPERATIONS
    if operation not in table:
        raise AwsError(
            "UnknownOperationException",
            f"There is no operation {operation or '(none)'}: this platform has "
            f"{', '.join(sorted(table))}.",
        )
    request = shapes.check(service, operation, values)
    if service == "logs":
        return logs.OPERATIONS[operation](platform.store, request, region)
    return _OPERATIONS[operation](platform, request, region)


def _create_training_job(platform: Platform, request: Document, region: str) -> Document:
    answer = training_jobs.create(platform.store, request, region)
    platform.jobs.wake()
    return answer


def _stop_training_job(platform: Platform, request: Document, region: str) -> Document:
    answer = training_jobs.stop(platform.store, request)
    platform.jobs.wake()
    return answer


def _create_endpoint(platform: Platform, request: Document, region: str) -> Document:
    answer = hosting.create_endpoint(platform.store, request, region)
    platform.endpoints.look(request["EndpointName"])
    return answer


def _update_endpoint(platform: Platform, request: Document, region: str) -> Document:
    answer = hosting.update_endpoint(platform.store, request)
    platform.endpoints.look(request["EndpointName"])
    return answer


def _delete_endpoint(platform: Platform, request: Document, region: str) -> Document:
    answer = hosting.delete_endpoint(platform.store, request)
    platform.endpoints.look(request["EndpointName"])
    return answer


def _create_transform_job(platform: Platform, request: Document, region: str) -> Document:
    answer = transform_jobs.create(platform.store, request, region)
    platform.jobs.wake()
    return answer


def _stop_transform_job(platform: Platform, request: Document, region: str) -> Document:
    answer = transform_jobs.stop(platform.store, request)
    platform.jobs.wake()
    return answer


def _create_tuning_job(platform: Platform, request: Document, region: str) -> Document:
    answer = tuning_jobs.create(platform.store, request, region)
    platform.tuning.wake()
    return answer


def _stop_tuning_job(platform: Platform, request: Document, region: str) -> Document:
    answer = tuning_jobs.stop(platform.store, request)
    platform.tuning.wake()
    return answer


def _describe_notebook(platform: Platform, request: Document, region: str) -> Document:
    # SDK 1 finds the role of a notebook instance by it.
    return {
        "NotebookInstanceName": request["NotebookInstanceName"],
        "NotebookInstanceStatus": "InService",
        "RoleArn": ROLE_ARN,
    }


def _of_store(
    function: Callable[..., Document], *, region: bool = False
) -> Callable[[Platform, Document, str], Document]:
    def operation(platform: Platform, request: Document, name: str) -> Document:
        return (
            function(platform.store, request, name) if region else function(platform.store, request)
        )

    return operation


def _list(listing: resources.Listing) -> Callable[[Platform, Document, str], Document]:
    return lambda platform, request, region: listing.answer(platform.store, request)


_OPERATIONS: dict[str, Callable[[Platform, Document, str], Document]] = {
    "CreateTrainingJob": _create_training_job,
    "DescribeTrainingJob": _of_store(training_jobs.describe),
    "ListTrainingJobs": _of_store(training_jobs.list_),
    "StopTrainingJob": _stop_training_job,
    "CreateModel": _of_store(hosting.create_model, region=True),
    "DescribeModel": _of_store(hosting.describe_model),
    "DeleteModel": _of_store(hosting.delete_model),
    "ListModels": _list(hosting.MODELS),
    "CreateEndpointConfig": _of_store(hosting.create_config, region=True),
    "DescribeEndpointConfig": _of_store(hosting.describe_config),
    "DeleteEndpointConfig": _of_store(hosting.delete_config),
    "ListEndpointConfigs": _list(hosting.CONFIGS),
    "CreateEndpoint": _create_endpoint,
    "UpdateEndpoint": _update_endpoint,
    "DescribeEndpoint": _of_store(hosting.describe_endpoint),
    "DeleteEndpoint": _delete_endpoint,
    "ListEndpoints": _list(hosting.ENDPOINTS),
    "CreateTransformJob": _create_transform_job,
    "DescribeTransformJob": _of_store(transform_jobs.describe),
    "ListTransformJobs": _of_store(transform_jobs.list_),
    "StopTransformJob": _stop_transform_job,
    "CreateHyperParameterTuningJob": _create_tuning_job,
    "DescribeHyperParameterTuningJob": _of_store(tuning_jobs.describe),
    "ListHyperParameterTuningJobs": _of_store(tuning_jobs.list_),
    "ListTrainingJobsForHyperParameterTuningJob": _of_store(tuning_jobs.list_children),
    "StopHyperParameterTuningJob": _stop_tuning_job,
    "ListTags": _of_store(resources.list_tags),
    "AddTags": _of_store(resources.add_tags),
    "DeleteTags": _of_store(resources.delete_tags),
    "DescribeNotebookInstance": _describe_notebook,
}
