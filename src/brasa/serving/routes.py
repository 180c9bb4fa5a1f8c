"""The server's paths: what answers each, and what ``/openapi.json`` says of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from brasa.serving import embeddings, invocations, management, maps, openapi, questions
from brasa.serving.http import Request, Response, Work
from brasa.serving.service import Service

Answer = Callable[[Service, Request], "Response | Work"]


@dataclass(frozen=True)
class Route:
    """A method and a path.

    Attributes
    ----------
    method : str
    path : str
        ``{name}`` stands for one part of it.
    answer : callable
    describes : dict
        Its operation in OpenAPI's terms.
    is_public : bool
        Whether it is answered without a key.
    """

    method: str
    path: str
    answer: Answer
    describes: dict[str, Any]
    is_public: bool = False


def _invoke_endpoint(service: Service, request: Request) -> Work:
    return invocations.invoke(service, request, request.names[0])


def _document(service: Service, request: Request) -> Response:
    return openapi.document(service, ROUTES)


ROUTES = (
    Route("GET", "/ping", management.ping, openapi.PING, is_public=True),
    Route("POST", "/invocations", invocations.invoke, openapi.INVOCATIONS),
    Route("POST", "/endpoints/{name}/invocations", _invoke_endpoint, openapi.ENDPOINT),
    Route("POST", "/models/{name}/invoke", _invoke_endpoint, openapi.INVOKE_MODEL),
    Route("GET", "/models", management.list_models, openapi.LIST_MODELS),
    Route("POST", "/models", management.load_model, openapi.LOAD_MODEL),
    Route("GET", "/models/{name}", management.one_model, openapi.ONE_MODEL),
    Route("DELETE", "/models/{name}", management.unload_model, openapi.UNLOAD_MODEL),
    Route("GET", "/execution-parameters", management.execution_parameters, openapi.EXECUTION),
    Route("POST", "/v1/embeddings", embeddings.embeddings, openapi.EMBEDDINGS),
    Route("GET", "/info", management.info, openapi.INFO),
    Route("GET", "/neighbors", questions.neighbors, openapi.NEIGHBORS),
    Route("POST", "/neighbors", questions.many_neighbors, openapi.MANY_NEIGHBORS),
    Route("GET", "/analogy", questions.analogy, openapi.ANALOGY),
    Route("GET", "/similarity", questions.similarity, openapi.SIMILARITY),
    Route("GET", "/subwords", questions.subwords, openapi.SUBWORDS),
    Route("GET", "/words", questions.words, openapi.WORDS),
    Route("GET", "/map", maps.state, openapi.MAP),
    Route("GET", "/map/points", maps.points, openapi.MAP_POINTS),
    Route("GET", "/map/words", maps.words, openapi.MAP_WORDS),
    Route("POST", "/explain", questions.explain, openapi.EXPLAIN),
    Route("GET", "/metrics", management.metrics, openapi.METRICS, is_public=True),
    Route("GET", "/openapi.json", _document, openapi.DOCUMENT),
)
OTHER = len(ROUTES)  # the number under which files of the page and unknown paths are counted
NAMES = (*(f"{route.method} {route.path}" for route in ROUTES), "other")

_EXACT = {(route.method, route.path): i for i, route in enumerate(ROUTES) if "{" not in route.path}
_PATTERNS = [
    (re.compile(re.sub(r"\{\w+\}", "([^/]+)", route.path)), route.method, i)
    for i, route in enumerate(ROUTES)
    if "{" in route.path
]


def find(method: str, path: str) -> tuple[int, tuple[str, ...]] | None:
    """The number of the route that answers, and what stands for the names in its path."""
    place = _EXACT.get((method, path))
    if place is not None:
        return place, ()
    for pattern, of_method, i in _PATTERNS:
        if method == of_method and (found := pattern.fullmatch(path)):
            return i, tuple(unquote(part) for part in found.groups())
    return None


def methods_of(path: str) -> list[str]:
    """Methods that a path takes; none of a path that is not there."""
    exact = {method for method, known in _EXACT if known == path}
    return sorted(exact | {method for pattern, method, _ in _PATTERNS if pattern.fullmatch(path)})
