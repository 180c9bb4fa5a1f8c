"""The control plane's operations on models, endpoint configurations and endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brasa.platform import resources
from brasa.platform.errors import invalid
from brasa.platform.images import check_image
from brasa.platform.resources import ENDPOINT, ENDPOINT_CONFIG, MODEL, Listing, new_document
from brasa.platform.s3_address import S3Address

if TYPE_CHECKING:
    from brasa.platform.store import Document, Store

MODELS = Listing(MODEL, "Models", "ModelName", None, ("ModelName", "ModelArn", "CreationTime"))
CONFIGS = Listing(
    ENDPOINT_CONFIG,
    "EndpointConfigs",
    "EndpointConfigName",
    None,
    ("EndpointConfigName", "EndpointConfigArn", "CreationTime"),
)
ENDPOINTS = Listing(
    ENDPOINT,
    "Endpoints",
    "EndpointName",
    "EndpointStatus",
    ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus"),
)


def create_model(store: Store, request: Document, region: str) -> Document:
    """Answer CreateModel."""
    name = request["ModelName"]
    containers = request.get("Containers") or []
    if "PrimaryContainer" in request:
        containers = [request["PrimaryContainer"], *containers]
    if len(containers) != 1:
        raise invalid(f"A model must have one container; {name!r} has {len(containers)}.")
    container = containers[0]
    check_image(container.get("Image") or "")
    if container.get("Mode", "SingleModel") != "SingleModel":
        raise invalid("Mode must be SingleModel: give each model an endpoint of its own.")
    if not container.get("ModelDataUrl"):
        raise invalid("The container must have a ModelDataUrl: where its model.tar.gz is.")
    S3Address.parse(container["ModelDataUrl"])
    defaults: Document = {"Mode": "SingleModel", "Environment": {}}
    values: Document = {
        "ModelName": name,
        "ModelArn": resources.arn_of(MODEL, name, region),
        "PrimaryContainer": {**defaults, **container},
        "EnableNetworkIsolation": bool(request.get("EnableNetworkIsolation")),
    }
    values |= {key: request[key] for key in ("ExecutionRoleArn", "VpcConfig") if key in request}
    document = new_document(MODEL, name, region, values)
    return {"ModelArn": resources.add(store, MODEL, name, document, tags=request.get("Tags", ()))}


def describe_model(store: Store, request: Document) -> Document:
    """Answer DescribeModel."""
    return resources.public(resources.find(store, MODEL, request["ModelName"]))


def delete_model(store: Store, request: Document) -> Document:
    """Answer DeleteModel; endpoints that have it go on."""
    if store.remove(MODEL, request["ModelName"]) is None:
        raise invalid(resources.missing(MODEL, request["ModelName"]))
    return {}


def create_config(store: Store, request: Document, region: str) -> Document:
    """Answer CreateEndpointConfig."""
    name = request["EndpointConfigName"]
    variants = request["ProductionVariants"]
    if len(variants) != 1:
        raise invalid(
            f"ProductionVariants must be one: this platform does not split the requests of an "
            f"endpoint; {name!r} has {len(variants)}."
        )
    model = variants[0].get("ModelName")
    if not model:
        raise invalid("The production variant must have a ModelName.")
    resources.find(store, MODEL, model)
    kept = ("DataCaptureConfig", "KmsKeyId", "AsyncInferenceConfig", "ExecutionRoleArn")
    values = {
        "EndpointConfigName": name,
        "EndpointConfigArn": resources.arn_of(ENDPOINT_CONFIG, name, region),
        "ProductionVariants": variants,
        **{key: request[key] for key in kept if key in request},
    }
    document = new_document(ENDPOINT_CONFIG, name, region, values)
    tags = request.get("Tags", ())
    return {"EndpointConfigArn": resources.add(store, ENDPOINT_CONFIG, name, document, tags=tags)}


def describe_config(store: Store, request: Document) -> Document:
    """Answer DescribeEndpointConfig."""
    name = request["EndpointConfigName"]
    return resources.public(resources.find(store, ENDPOINT_CONFIG, name))


def delete_config(store: Store, request: Document) -> Document:
    """Answer DeleteEndpointConfig; endpoints that were made with it go on."""
    if store.remove(ENDPOINT_CONFIG, request["EndpointConfigName"]) is None:
        raise invalid(resources.missing(ENDPOINT_CONFIG, request["EndpointConfigName"]))
    return {}


def create_endpoint(store: Store, request: Document, region: str) -> Document:
    """Answer CreateEndpoint: its model is fetched and its process started from now on."""
    name = request["EndpointName"]
    container, variants = _resolved(store, request["EndpointConfigName"])
    values = {
        "EndpointName": name,
        "EndpointArn": resources.arn_of(ENDPOINT, name, region),
        "EndpointConfigName": request["EndpointConfigName"],
        "EndpointStatus": "Creating",
        "_container": container,
        "_variants": variants,
        "_generation": 1,
    }
    document = new_document(ENDPOINT, name, region, values)
    arn = resources.add(
        store, ENDPOINT, name, document, status="Creating", tags=request.get("Tags", ())
    )
    return {"EndpointArn": arn}


def update_endpoint(store: Store, request: Document) -> Document:
    """Answer UpdateEndpoint: the old model answers until the new one does."""
    name, config = request["EndpointName"], request["EndpointConfigName"]
    container, variants = _resolved(store, config)

    def change(endpoint: Document) -> str:
        if endpoint["EndpointStatus"] not in ("InService", "Failed"):
            raise invalid(f'Cannot update in-progress endpoint "{endpoint["_arn"]}".')
        endpoint.pop("FailureReason", None)
        endpoint["EndpointStatus"] = "Updating"
        endpoint["_next"] = {"container": container, "variants": variants, "config": config}
        return "Updating"

    document = store.change(ENDPOINT, name, change)
    if document is None:
        raise invalid(resources.missing(ENDPOINT, name))
    return {"EndpointArn": document["_arn"]}


def describe_endpoint(store: Store, request: Document) -> Document:
    """Answer DescribeEndpoint."""
    return resources.public(resources.find(store, ENDPOINT, request["EndpointName"]))


def delete_endpoint(store: Store, request: Document) -> Document:
    """Answer DeleteEndpoint."""
    if store.remove(ENDPOINT, request["EndpointName"]) is None:
        raise invalid(resources.missing(ENDPOINT, request["EndpointName"]))
    return {}


def _resolved(store: Store, config_name: str) -> tuple[Document, list[Document]]:
    """What an endpoint of this configuration runs; a copy, since both may be deleted later."""
    config = resources.find(store, ENDPOINT_CONFIG, config_name)
    variant = config["ProductionVariants"][0]
    model = resources.find(store, MODEL, variant["ModelName"])
    count = variant.get("InitialInstanceCount", 1)
    shown = {
        "VariantName": variant["VariantName"],
        "DeployedImages": [
            {
                "SpecifiedImage": model["PrimaryContainer"]["Image"],
                "ResolvedImage": model["PrimaryContainer"]["Image"],
            }
        ],
        "CurrentWeight": variant.get("InitialVariantWeight", 1.0),
        "DesiredWeight": variant.get("InitialVariantWeight", 1.0),
        "CurrentInstanceCount": count,
        "DesiredInstanceCount": count,
    }
    return model["PrimaryContainer"], [shown]
