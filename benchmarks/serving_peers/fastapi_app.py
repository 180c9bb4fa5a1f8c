"""The usual way to serve word vectors, as the yardstick: FastAPI, pydantic, lists of floats.

`MODEL` in the environment names the model, `TYPED` whether the answer's type is declared: then
FastAPI of 2026 writes it by pydantic's compiled code, else float by float in Python. Run by
`benchmarks/serving.py`.
"""

from __future__ import annotations

import os
from typing import Any

import fastapi
import pydantic

import brasa

app = fastapi.FastAPI()
vectors = brasa.WordVectors.load(os.environ["MODEL"])


class Request(pydantic.BaseModel):
    """BlazingText's."""

    instances: list[str]


class Answer(pydantic.BaseModel):
    """BlazingText's, of one word."""

    vector: list[float]
    word: str


def invocations(request: Request) -> list[dict[str, Any]]:
    """Vectors of words."""
    rows = vectors.vectors(request.instances)
    return [
        {"vector": row.tolist(), "word": word}
        for row, word in zip(rows, request.instances, strict=True)
    ]


async def plain(request: Request):  # type: ignore[no-untyped-def]
    """As many write it."""
    return invocations(request)


async def typed(request: Request) -> list[Answer]:
    """As FastAPI's documents have it."""
    return [Answer(**answer) for answer in invocations(request)]


app.post("/invocations")(typed if os.environ.get("TYPED") else plain)
