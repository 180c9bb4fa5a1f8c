"""``/openapi.json``: the server's paths in OpenAPI 3.1's terms, as clients and tests read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from brasa.serving.http import JSON, JSON_LINES, Response, as_json
from brasa.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from brasa.serving.routes import Route
    from brasa.serving.service import Service

Schema = dict[str, Any]

_STRING: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_COUNT: Schema = {"type": "integer", "minimum": 1}
_WHOLE: Schema = {"type": "integer", "minimum": 0}
_TEXT: Schema = {"type": "string", "minLength": 1}
_BOOL: Schema = {"type": "boolean"}
_ANY: Schema = {}


def _list(items: Schema, at_least: int = 0) -> Schema:
    return {"type": "array", "items": items} | ({"minItems": at_least} if at_least else {})


def _object(required: dict[str, Schema], **optional: Schema) -> Schema:
    return {"type": "object", "properties": required | optional, "required": list(required)}


def _nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _query(name: str, schema: Schema, required: bool = False) -> Schema:
    return {"name": name, "in": "query", "schema": schema, "required": required}


def _content(schema: Schema, kind: str = JSON) -> Schema:
    return {kind: {"schema": schema}}


def _errors(*statuses: int) -> Schema:
    answer = {"$ref": "#/components/responses/Error"}
    return {str(status): answer for status in (*statuses, 401, 429)}


def _operation(
    summary: str,
    answer: Schema | None,
    *parameters: Schema,
    body: Schema | None = None,
    errors: tuple[int, ...] = (400, 404),
) -> Schema:
    operation: Schema = {"summary": summary, "parameters": list(parameters)}
    if body is not None:
        operation["requestBody"] = {"required": True, "content": body}
        errors = (*errors, 408, 413)
    found: Schema = {"description": "The answer."}
    if answer is not None:
        found["content"] = answer
    operation["responses"] = {"200": found} | _errors(*errors)
    return operation


_MODEL = _query("model", _STRING)
_K = _query("k", {"type": "integer", "minimum": 1, "default": 10})
_AMONG = _query("restrict_vocab", _COUNT)
_NAME = {"name": "name", "in": "path", "required": True, "schema": _TEXT}
_FOUND = _list(_object({"word": _STRING, "cosine": _NUMBER}))
_NEIGHBORS = _object({"word": _STRING, "known": _BOOL, "neighbors": _FOUND})
_LOADED = _object({"modelName": _STRING, "modelUrl": _STRING})

_INSTANCES = _object(
    {"instances": _list(_STRING, 1)},
    configuration=_nullable(_object({}, k=_COUNT)),
)
_WORDS_ANSWER = _object({"vector": _list(_NUMBER), "word": _STRING})
_LABELS_ANSWER = _object({"label": _list(_STRING), "prob": _list(_NUMBER)})
_INVOKE_BODY = _content(_INSTANCES) | _content(
    {"type": "string", "description": '{"source": "a word or a text", "k": 1} in each line'},
    JSON_LINES,
)
_INVOKE_ANSWER = _content(_list({"anyOf": [_WORDS_ANSWER, _LABELS_ANSWER]})) | _content(
    _STRING, JSON_LINES
)


def _invoke(summary: str, *parameters: Schema, errors: tuple[int, ...] = (400, 404, 415)) -> Schema:
    return _operation(summary, _INVOKE_ANSWER, *parameters, body=_INVOKE_BODY, errors=errors)


PING: Schema = {"summary": "Health", "responses": {"200": {"description": "The server is well."}}}
INVOCATIONS = _invoke("Vectors of words, or labels of texts, as BlazingText answers", _MODEL)
ENDPOINT = _invoke("The same of a model by name, as SageMaker Runtime", _NAME, errors=(400, 424))
INVOKE_MODEL = _invoke("The same, as a multi-model container", _NAME)
LIST_MODELS = _operation("What is loaded", _content(_object({"models": _list(_LOADED)})), errors=())
LOAD_MODEL = _operation(
    "Load a model",
    _content(_LOADED),
    body=_content(_object({"model_name": _TEXT, "url": _TEXT})),
    errors=(400, 403, 409, 507),
)
ONE_MODEL = _operation("One that is loaded", _content(_LOADED), _NAME, errors=(404,))
UNLOAD_MODEL = _operation(
    "Unload a model", _content(_object({"modelName": _STRING})), _NAME, errors=(404,)
)
EXECUTION = _operation(
    "What batch transform should send",
    _content(
        _object(
            {"MaxConcurrentTransforms": _COUNT, "BatchStrategy": _STRING, "MaxPayloadInMB": _COUNT}
        )
    ),
    errors=(),
)
EMBEDDINGS = _operation(
    "Vectors of texts, as OpenAI answers",
    _content(
        _object(
            {
                "object": _STRING,
                "data": _list(_object({"object": _STRING, "index": _WHOLE, "embedding": _ANY})),
                "model": _STRING,
                "usage": _object({"prompt_tokens": _WHOLE, "total_tokens": _WHOLE}),
            }
        )
    ),
    body=_content(
        _object(
            {"input": {"anyOf": [_STRING, _list(_STRING, 1)]}},
            model=_nullable(_STRING),
            encoding_format={"enum": ["float", "base64"]},
        )
    ),
)
INFO = _operation(
    "The models",
    _content(
        _object(
            {
                "version": _STRING,
                "default": _nullable(_STRING),
                "models": _list(
                    _object(
                        {
                            "name": _STRING,
                            "kind": {"enum": ["word_vectors", "classifier"]},
                            "words": _WHOLE,
                            "vector_dim": _COUNT,
                            "subwords": _BOOL,
                            "labels": _list(_STRING),
                            "has_counts": _BOOL,
                        }
                    )
                ),
            }
        )
    ),
    errors=(),
)
NEIGHBORS = _operation(
    "The nearest words", _content(_NEIGHBORS), _query("word", _TEXT, True), _K, _AMONG, _MODEL
)
MANY_NEIGHBORS = _operation(
    "Those of several words",
    _content(_object({"results": _list(_NEIGHBORS)})),
    body=_content(
        _object({"words": _list(_TEXT, 1)}, k=_COUNT, restrict_vocab=_COUNT, model=_STRING)
    ),
)
ANALOGY = _operation(
    "a is to b as c is to what?",
    _content(_object({"a": _STRING, "b": _STRING, "c": _STRING, "answers": _FOUND})),
    *(_query(name, _TEXT, True) for name in "abc"),
    _K,
    _AMONG,
    _MODEL,
)
SIMILARITY = _operation(
    "The cosine of two words",
    _content(_object({"a": _STRING, "b": _STRING, "cosine": _NUMBER})),
    *(_query(name, _TEXT, True) for name in "ab"),
    _MODEL,
)
SUBWORDS = _operation(
    "The rows that a word's vector is made of, and what each brings",
    _content(
        _object(
            {
                "word": _STRING,
                "known": _BOOL,
                "subwords": _list(
                    _object(
                        {
                            "ngram": _STRING,
                            "bucket": _nullable(_WHOLE),
                            "known": _BOOL,
                            "share": _NUMBER,
                        }
                    )
                ),
            }
        )
    ),
    _query("word", _TEXT, True),
    _MODEL,
)
WORDS = _operation(
    "The most frequent words that begin so",
    _content(
        _object({"words": _list(_object({"word": _STRING, "count": _WHOLE, "rank": _WHOLE}))})
    ),
    _query("prefix", _STRING),
    _K,
    _MODEL,
)
_METHOD = _query("method", {"enum": ["pca", "umap"]})
MAP = _operation(
    "Whether the map of the words is there; it is begun when it is not",
    _content(
        _object(
            {
                "method": {"enum": ["pca", "umap"]},
                "state": {"enum": ["ready", "computing", "failed"]},
                "progress": _NUMBER,
                "points": _WHOLE,
                "clusters": _WHOLE,
                "error": _nullable(_STRING),
                "version": _STRING,
            }
        )
    ),
    _METHOD,
    _MODEL,
)
MAP_POINTS = _operation(
    "x and y of each word, little-endian float32, then its cluster, uint8",
    _content({"type": "string", "format": "binary"}, "application/octet-stream"),
    _METHOD,
    _MODEL,
    _query("version", _STRING),
)
MAP_WORDS = _operation(
    "The words of the map's points, and their counts",
    _content(_object({"start": _WHOLE, "words": _list(_STRING), "counts": _list(_WHOLE)})),
    _query("start", _WHOLE),
    _query("stop", _WHOLE),
    _MODEL,
)
EXPLAIN = _operation(
    "What speaks for a label",
    _content(
        _object(
            {
                "text": _STRING,
                "label": _STRING,
                "probability": _NUMBER,
                "features": _list(_object({"kind": _STRING, "text": _STRING, "weight": _NUMBER})),
            }
        )
    ),
    body=_content(_object({"text": _STRING}, label=_nullable(_STRING), k=_COUNT, model=_STRING)),
)
METRICS: Schema = {
    "summary": "Counters for Prometheus",
    "responses": {
        "200": {
            "description": "Prometheus' text, or OpenMetrics where that is accepted.",
            "content": _content(_STRING, "text/plain")
            | _content(_STRING, "application/openmetrics-text"),
        }
    },
}
DOCUMENT = _operation("This document", _content({"type": "object"}), errors=())


def document(service: Service, routes: Iterable[Route]) -> Response:
    """The document of a server; with its key's scheme, when it asks for a key."""
    paths: Schema = {}
    needs_key = service.options.api_key is not None
    for route in routes:
        operation = dict(route.describes)
        if needs_key and not route.is_public:
            operation["security"] = [{"key": []}]
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    components: Schema = {
        "schemas": {"Error": _object({"error": _STRING, "error_type": _STRING})},
        "responses": {
            "Error": {
                "description": "What is wrong, where, and what instead.",
                "content": _content({"$ref": "#/components/schemas/Error"}),
            }
        },
    }
    if needs_key:
        components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    return Response(
        as_json(
            {
                "openapi": "3.1.0",
                "info": {"title": "brasa", "version": VERSION},
                "paths": paths,
                "components": components,
            }
        )
    )
