"""What is asked about the server itself: SageMaker's health check, its models, metrics."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from brasa.errors import BrasaError
from brasa.serving.http import HttpError, Request, Response, Work, as_json, parse_json, wrong
from brasa.serving.registry import ServedModel
from brasa.version import VERSION

if TYPE_CHECKING:
    from brasa.serving.service import Service


def ping(service: Service, request: Request) -> Response:
    """``GET /ping``: an empty answer while the server is well."""
    return Response(b"")


def info(service: Service, request: Request) -> Response:
    """``GET /info``: brasa's version and the models."""
    found = [model.describe() for model in service.models]
    default = found[0]["name"] if found else None
    return Response(as_json({"version": VERSION, "default": default, "models": found}))


def execution_parameters(service: Service, request: Request) -> Response:
    """``GET /execution-parameters``: how SageMaker's batch transform should send its work."""
    options = service.options
    return Response(
        as_json(
            {
                "MaxConcurrentTransforms": options.workers,
                "BatchStrategy": "MULTI_RECORD",
                "MaxPayloadInMB": max(options.max_body_bytes >> 20, 1),
            }
        )
    )


def metrics(service: Service, request: Request) -> Response:
    """``GET /metrics``: counters of all workers, for Prometheus."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import choose_encoder

    registry = CollectorRegistry(auto_describe=False)
    registry.register(service.shared)
    encode, content_type = choose_encoder(request.headers.get("accept") or "")
    return Response(encode(registry), content_type)


def list_models(service: Service, request: Request) -> Response:
    """``GET /models``: SageMaker's list of what is loaded."""
    found = [{"modelName": model.name, "modelUrl": model.path} for model in service.models]
    return Response(as_json({"models": found}))


def one_model(service: Service, request: Request) -> Response:
    """``GET /models/{name}``: one of them; 404 when it is not loaded."""
    model = service.models.get(request.names[0])
    return Response(as_json({"modelName": model.name, "modelUrl": model.path}))


def load_model(service: Service, request: Request) -> Work:
    """``POST /models``: load a model from below the folder that the server was told.

    409 when the name is taken, 507 when memory does not suffice, 403 outside of the folder.
    """
    body = parse_json(request.body)
    name = body.get("model_name") if isinstance(body, dict) else None
    url = body.get("url") if isinstance(body, dict) else None
    if not isinstance(name, str) or not name or not isinstance(url, str) or not url:
        raise wrong("$", 'an object such as {"model_name": "NAME", "url": "/a/folder"}')
    if not service.options.models_folder:
        raise HttpError(
            403, "loading_is_off", "this server loads no models: it has no --models-folder"
        )
    folder, path = Path(service.options.models_folder).resolve(), _path(url)
    if not path.is_relative_to(folder):
        raise HttpError(403, "outside_of_folder", f"models are loaded from below {folder} only")
    if name in service.models:
        raise _already_loaded(name)

    def answer() -> Response:
        try:
            model = ServedModel.open(name, str(path))
        except MemoryError:
            raise HttpError(507, "out_of_memory", f"no memory for {name!r}") from None
        except BrasaError as error:
            raise HttpError(400, "broken_model", str(error)) from None
        if not service.models.add(model):  # by another request, meanwhile
            raise _already_loaded(name)
        service.note(name, model.path)
        return one_model(service, Request("GET", "", "", None, names=(name,)))

    return Work(1, answer, is_slow=True)


def unload_model(service: Service, request: Request) -> Response:
    """``DELETE /models/{name}``: forget a model; 404 when it is not loaded."""
    name = service.models.get(request.names[0]).name
    service.models.remove(name)
    service.note(name, None)
    return Response(as_json({"modelName": name}))


def _already_loaded(name: str) -> HttpError:
    return HttpError(409, "already_loaded", f"a model named {name!r} is loaded already")


def _path(url: str) -> Path:
    if "\0" in url:
        raise HttpError(403, "outside_of_folder", "$.url has a NUL, which no path has")
    return Path(url.removeprefix("file://")).resolve()
