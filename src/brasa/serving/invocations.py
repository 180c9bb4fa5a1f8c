"""BlazingText's requests and answers: ``POST /invocations``.

The shapes are those of the developer guide's page on BlazingText. Words:
``{"instances": ["awesome"]}`` is answered with ``[{"vector": [...], "word": "awesome"}]``. Texts:
the same with ``[{"prob": [...], "label": [...]}]``. JSON Lines have a ``source`` in each line. What
the guide leaves open is said at each function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from brasa.serving.http import (
    JSON,
    JSON_LINES,
    HttpError,
    Request,
    Response,
    Work,
    as_json,
    list_as_json,
    parse_json,
    whole_number,
    wrong,
)
from brasa.word_vectors import WordVectors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from brasa.serving.registry import ServedModel
    from brasa.serving.service import Service

_ALLOWED = f"{JSON} or {JSON_LINES}"
# What clients send that do not say what they send; the body is JSON all the same.
_UNTOLD = ("", "application/octet-stream", "application/x-www-form-urlencoded")


class Invocation(NamedTuple):
    """A parsed request.

    Attributes
    ----------
    items : list of str
        Words or texts.
    k : list of int
        How many labels, for each text.
    as_lines : bool
        Whether it came, and is answered, as JSON Lines.
    """

    items: list[str]
    k: list[int]
    as_lines: bool


def parse(content_type: str | None, body: bytes) -> Invocation:
    """Read a request.

    A missing content type, and the one that SageMaker's SDK sends when it was told none, mean JSON.

    Raises
    ------
    HttpError
        415 for another type; 400 for what is no JSON, or has another shape, with its path.
    """
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind == JSON_LINES:
        return _parse_lines(body)
    if kind == JSON or kind in _UNTOLD:
        return _parse_instances(body)
    raise HttpError(
        415, "unsupported_content_type", f"content type {kind} is not supported: send {_ALLOWED}"
    )


def invoke(service: Service, request: Request, name: str | None = None) -> Work:
    """Answer a request for the model `name`, or the default."""
    served = service.models.get(name or request.query.get("model"))
    asked = parse(request.headers.get("content-type"), request.body)
    return Work(len(asked.items), lambda: answer(served, asked))


def answer(served: ServedModel, request: Invocation) -> Response:
    """The answer to a request, in its form.

    Words of models without subwords that they do not know have a vector of zeros. JSON Lines of
    words have one ``{"vector", "word"}`` a line.
    """
    model = served.model
    found: Sequence[Any]
    if isinstance(model, WordVectors):
        vectors = model.vectors(request.items)
        found = [
            {"vector": vector, "word": word}
            for vector, word in zip(vectors, request.items, strict=True)
        ]
    else:
        found = _labels(model, request)
    if not request.as_lines:
        return Response(list_as_json(found))
    return Response(b"".join(as_json(line) + b"\n" for line in found), JSON_LINES)


def _labels(model: Any, request: Invocation) -> list[dict[str, Any]]:
    texts = [" ".join(text.splitlines()) for text in request.items]  # a text is one line
    most = min(max(request.k), len(model.labels))
    return [
        {
            "label": [label for label, _ in found[:k]],
            "prob": [probability for _, probability in found[:k]],
        }
        for found, k in zip(model.predict(texts, most), request.k, strict=True)
    ]


def _parse_instances(body: bytes) -> Invocation:
    value = parse_json(body)
    if isinstance(value, str):
        raise wrong(
            "$",
            'an object with "instances"; this is a string of JSON: it was encoded twice '
            "(an SDK's serializer and json.dumps, perhaps)",
        )
    if not isinstance(value, dict) or "instances" not in value:
        raise wrong("$", 'an object such as {"instances": ["a word or a text"]}')
    items = value["instances"]
    if not isinstance(items, list) or not items:
        raise wrong("$.instances", "a list of at least one word or text")
    for i, item in enumerate(items):
        if not isinstance(item, str):
            raise wrong(f"$.instances[{i}]", "a string")
    configuration = value.get("configuration")
    if configuration is None:
        configuration = {}
    if not isinstance(configuration, dict):
        raise wrong("$.configuration", 'an object such as {"k": 2}')
    k = whole_number(configuration.get("k", 1), "$.configuration.k")
    return Invocation(items, [k] * len(items), as_lines=False)


def _parse_lines(body: bytes) -> Invocation:
    items, counts = [], []
    for number, line in enumerate(body.split(b"\n"), start=1):
        if not line.strip():
            continue
        value = parse_json(line, f"line {number}")
        if not isinstance(value, dict) or not isinstance(value.get("source"), str):
            raise wrong(f"line {number}", 'an object such as {"source": "a word or a text"}')
        items.append(value["source"])
        counts.append(whole_number(value.get("k", 1), f"k of line {number}"))
    if not items:
        raise wrong("the body", 'at least one line such as {"source": "a word or a text"}')
    return Invocation(items, counts, as_lines=True)
