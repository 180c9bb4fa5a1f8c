"""The map of a model's words: ``/map``, ``/map/points``, ``/map/words``."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from brasa.serving.http import HttpError, Request, Response, Work, as_json, wrong
from brasa.serving.questions import word_vectors
from brasa.serving.registry import ServedModel
from brasa.word_map import METHODS, MapStore
from brasa.word_vectors import WordVectors

if TYPE_CHECKING:
    from brasa.serving.service import Service

_MOST_WORDS = 10_000  # in one answer


def state(service: Service, request: Request) -> Work:
    """``GET /map?method=``: whether the map is there; it is begun when it is not."""
    query = request.query
    store = _store(service, query)

    def answer() -> Response:
        found, content = store.state(), store.points()
        clusters = 0
        if content:
            clusters = int(np.frombuffer(content, np.uint8, offset=8 * store.n_words).max()) + 1
        return Response(
            as_json(
                {
                    "method": store.method,
                    "state": found.state,
                    "progress": found.progress,
                    "points": store.n_words,
                    "clusters": clusters,
                    "error": found.error,
                    "version": store.version,
                }
            )
        )

    return Work(1, answer, is_slow=True)


def points(service: Service, request: Request) -> Work:
    """``GET /map/points?method=``: the coordinates; 404 while there are none."""
    store = _store(service, request.query)
    tag = f'"{store.version}-{store.method}"'

    def answer() -> Response:
        if request.headers.get("if-none-match") == tag:
            return Response(b"", status=304, headers=[("etag", tag)])
        content = store.points()
        if content is None:
            raise HttpError(404, "no_map", "the map is not there yet: ask /map")
        headers = [("etag", tag), ("cache-control", "private, no-cache")]
        return Response(content, "application/octet-stream", headers=headers)

    return Work(1, answer, is_slow=True)


def words(service: Service, request: Request) -> Response:
    """``GET /map/words?start=&stop=``: the words of these points, at most 10,000."""
    query = request.query
    vocabulary = word_vectors(service.models, query).vocabulary
    start = min(_whole(query, "start", 0), len(vocabulary))
    stop = min(_whole(query, "stop", start + 1000), start + _MOST_WORDS, len(vocabulary))
    found = range(start, max(stop, start))
    return Response(
        as_json(
            {
                "start": start,
                "words": [vocabulary.word(i) for i in found],
                "counts": vocabulary.counts[found.start : found.stop].tolist(),
            }
        )
    )


def _store(service: Service, query: dict[str, str]) -> MapStore:
    method = query.get("method", METHODS[0])
    if method not in METHODS:
        raise wrong("method", " or ".join(METHODS))
    word_vectors(service.models, query)  # refuses classifiers
    served: ServedModel = service.models.get(query.get("model"))
    return MapStore(cast("WordVectors", served.model).embeddings, served.path, method)


def _whole(query: dict[str, str], name: str, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit():
        raise wrong(name, "a whole number from 0")
    return int(text[:12])
