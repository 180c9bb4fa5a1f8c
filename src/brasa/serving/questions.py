"""brasa's own questions: neighbors, analogies, n-grams, completion, and why a label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from brasa.errors import ConfigError, UnknownWordError
from brasa.serving.http import (
    HttpError,
    Request,
    Response,
    Work,
    as_json,
    model_name,
    parse_json,
    whole_number,
    wrong,
)
from brasa.text_classifier import TextClassifier
from brasa.word_vectors import WordVectors

if TYPE_CHECKING:
    from brasa.serving.registry import Registry
    from brasa.serving.service import Service

MAX_K = 1000
_LONGEST_EXPLAINED = 100_000  # characters; explaining takes about 0.4 s then
_MANY_WORDS = 20_000  # of which a scan takes about 0.3 ms: more, and others are answered meanwhile


def neighbors(service: Service, request: Request) -> Work:
    """``GET /neighbors?word=``: the nearest words, and whether the word was in the vocabulary."""
    query = request.query
    vectors = word_vectors(service.models, query)
    asked, k, among = [_text(query, "word")], _k(query), _among(query)

    def answer() -> Response:
        return Response(as_json(_neighbors(vectors, asked, k, among)[0]))

    return Work(1, answer, is_slow=len(vectors) > _MANY_WORDS)


def many_neighbors(service: Service, request: Request) -> Work:
    """``POST /neighbors``: those of several words."""
    body = _object(request)
    vectors = word_vectors(service.models, body)
    asked, k, among = _texts(body, "words"), _k(body), _among(body)

    def answer() -> Response:
        return Response(as_json({"results": _neighbors(vectors, asked, k, among)}))

    return Work(len(asked), answer, is_slow=True)


def analogy(service: Service, request: Request) -> Work:
    """``GET /analogy?a=&b=&c=``: a is to b as c is to what?"""
    query = request.query
    a, b, c = (_text(query, name) for name in "abc")
    vectors, k, among = word_vectors(service.models, query), _k(query), _among(query)

    def answer() -> Response:
        found = _asked(vectors.analogy, a, b, c, k, among=among)
        return Response(as_json({"a": a, "b": b, "c": c, "answers": _named(found)}))

    return Work(1, answer, is_slow=len(vectors) > _MANY_WORDS)


def similarity(service: Service, request: Request) -> Response:
    """``GET /similarity?a=&b=``: the cosine of two words."""
    query = request.query
    a, b = _text(query, "a"), _text(query, "b")
    cosine = _asked(word_vectors(service.models, query).similarity, a, b)
    return Response(as_json({"a": a, "b": b, "cosine": cosine}))


def subwords(service: Service, request: Request) -> Response:
    """``GET /subwords?word=``: the rows that a word's vector is made of.

    `share` is how much of the vector's length, along its own direction, a row brings: the shares
    of all rows sum to 1.
    """
    query = request.query
    vectors, word = word_vectors(service.models, query), _text(query, "word")
    parts = _asked(vectors.subwords, word)
    rows = vectors.embeddings.input
    trained = [part for part in parts if part.row is not None]
    shares: dict[int, float] = {}
    if trained:
        matrix = np.asarray(rows[np.array([part.row for part in trained])], np.float64)
        total = matrix.sum(axis=0)
        squared = float(total @ total)
        along = matrix @ total / squared if squared > 0 else np.zeros(len(trained))
        shares = {id(part): float(x) for part, x in zip(trained, along, strict=True)}
    found = [
        {
            "ngram": part.text,
            "bucket": part.bucket,
            "known": part.trained,
            "share": shares.get(id(part), 0.0),
        }
        for part in parts
    ]
    return Response(as_json({"word": word, "known": word in vectors, "subwords": found}))


def words(service: Service, request: Request) -> Response:
    """``GET /words?prefix=``: the most frequent words that begin so; of classifiers too."""
    query = request.query
    model = service.models.get(query.get("model")).model
    vocabulary = model.vocabulary if isinstance(model, WordVectors) else model.model.vocabulary
    found = [
        {"word": vocabulary.word(rank), "count": int(vocabulary.counts[rank]), "rank": rank}
        for rank in vocabulary.starting_with(query.get("prefix", ""), _k(query))
    ]
    return Response(as_json({"words": found}))


def explain(service: Service, request: Request) -> Work:
    """``POST /explain``: which words and n-grams of a text speak for a label."""
    body = _object(request)
    served = service.models.get(model_name(body))
    if not isinstance(served.model, TextClassifier):
        raise _wrong_kind(served.name, "classifier")
    text, label = body.get("text"), body.get("label")
    if not isinstance(text, str):
        raise wrong("text", "a string")
    if len(text) > _LONGEST_EXPLAINED:
        raise HttpError(
            413,
            "text_too_large",
            f"the text has {len(text)} characters: at most {_LONGEST_EXPLAINED} are explained",
        )
    if label is not None and not isinstance(label, str):
        raise wrong("label", "a string")
    classifier, k = served.model, _k(body)

    def answer() -> Response:
        try:
            found = classifier.explain(" ".join(text.splitlines()), label, k)
        except ConfigError as error:
            if error.field not in ("label", "text"):
                raise
            raise HttpError(404, f"unknown_{error.field}", str(error)) from None
        features = [
            {"kind": c.kind, "text": c.text, "weight": c.value} for c in found.contributions
        ]
        said = {"text": text, "label": found.label, "probability": found.probability}
        return Response(as_json(said | {"features": features}))

    return Work(1, answer, is_slow=True)


def _neighbors(
    vectors: WordVectors, asked: list[str], k: int, among: int | None
) -> list[dict[str, Any]]:
    batch = _asked(vectors.neighbors_batch, asked, k, among=among)
    return [
        {"word": word, "known": word in vectors, "neighbors": _named(found)}
        for word, found in zip(asked, batch, strict=True)
    ]


def _named(found: list[tuple[str, float]]) -> list[dict[str, Any]]:
    return [{"word": word, "cosine": cosine} for word, cosine in found]


def word_vectors(models: Registry, options: Any) -> WordVectors:
    served = models.get(model_name(options))
    if not isinstance(served.model, WordVectors):
        raise _wrong_kind(served.name, "model of word vectors")
    return served.model


def _asked(question: Any, *arguments: Any, **options: Any) -> Any:
    try:
        return question(*arguments, **options)
    except UnknownWordError as error:
        raise HttpError(404, "unknown_word", str(error)) from None


def _object(request: Request) -> dict[str, Any]:
    value = parse_json(request.body)
    if not isinstance(value, dict):
        raise wrong("$", "an object")
    return value


def _text(query: dict[str, str], name: str) -> str:
    if not query.get(name):
        raise wrong(name, f"a word, as ?{name}=...")
    return query[name]


def _texts(body: dict[str, Any], name: str) -> list[str]:
    texts = body.get(name)
    if not isinstance(texts, list) or not texts:
        raise wrong(f"$.{name}", "a list of at least one string")
    for i, text in enumerate(texts):
        if not isinstance(text, str) or not text:
            raise wrong(f"$.{name}[{i}]", "a string that is not empty")
    return texts


def _among(options: Any) -> int | None:
    return _count(options, "restrict_vocab", None, 1 << 31)


def _k(options: Any) -> int:
    return _count(options, "k", 10, MAX_K) or 10


def _count(options: Any, name: str, default: int | None, most: int) -> int | None:
    value = options.get(name)
    if value is None and name not in options:
        return default
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:18])
    return min(whole_number(value, name), most)


def _wrong_kind(name: str, wanted: str) -> HttpError:
    return HttpError(404, "wrong_kind_of_model", f"{name!r} is no {wanted}")
