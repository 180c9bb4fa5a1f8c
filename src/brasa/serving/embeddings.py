"""``POST /v1/embeddings`` in OpenAI's shape: a text's vector is the mean of its words'."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import numpy as np

from brasa.serving.http import Request, Response, Work, as_json, model_name, parse_json, wrong

if TYPE_CHECKING:
    from brasa.serving.service import Service


def embeddings(service: Service, request: Request) -> Work:
    """``{"input": "a text" or [texts], "model": name}``, as OpenAI's clients send it.

    Vectors are `sentence_vectors`: of word vectors each scaled to length 1, of a classifier what
    its labels are told from. `usage` counts what white space separates.
    """
    body = parse_json(request.body)
    if not isinstance(body, dict):
        raise wrong("$", 'an object such as {"input": "a text", "model": "NAME"}')
    served = service.models.get(model_name(body))
    texts = _texts(body.get("input"))
    encoding = body.get("encoding_format", "float")
    if encoding not in ("float", "base64"):
        raise wrong("$.encoding_format", '"float" or "base64"')
    dimensions = body.get("dimensions")
    if dimensions is not None and dimensions != served.model.vector_dim:
        raise wrong("$.dimensions", f"{served.model.vector_dim}, which is the model's, or nothing")

    def answer() -> Response:
        rows = served.model.sentence_vectors([" ".join(text.splitlines()) for text in texts])
        data = [
            {"object": "embedding", "index": i, "embedding": _encoded(row, encoding)}
            for i, row in enumerate(rows)
        ]
        n_tokens = sum(len(text.split()) for text in texts)
        usage = {"prompt_tokens": n_tokens, "total_tokens": n_tokens}
        return Response(
            as_json({"object": "list", "data": data, "model": served.name, "usage": usage})
        )

    return Work(len(texts), answer)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list) or not value:
        raise wrong("$.input", "a text, or a list of at least one text")
    for i, text in enumerate(value):
        if not isinstance(text, str):
            raise wrong(f"$.input[{i}]", "a text; lists of token numbers are not understood")
    return value


def _encoded(row: Any, encoding: str) -> Any:
    if encoding == "float":
        return row
    return base64.b64encode(np.ascontiguousarray(row, "<f4").tobytes()).decode()
