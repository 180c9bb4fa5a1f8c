"""Requests, answers and errors of the server, as its routes see them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import orjson

JSON = "application/json"
JSON_LINES = "application/jsonlines"
# orjson holds the interpreter while it writes: 128 vectors of 300 numbers take about 1 ms.
_ITEMS_A_PIECE = 128


class HttpError(Exception):
    """An answer with an error's status; its body says what is wrong as JSON.

    Attributes
    ----------
    status : int
    error_type : str
        For programs: a short name, such as ``"unknown_model"``.
    message : str
        For people: what is wrong, where, and what instead.
    headers : tuple of (str, str)
    """

    def __init__(
        self, status: int, error_type: str, message: str, *headers: tuple[str, str]
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error_type = error_type
        self.message = message
        self.headers = headers


@dataclass(slots=True)
class Request:
    """What a route is given.

    Attributes
    ----------
    method, path : str
    query_string : str
    headers : RSGI headers
        With `get`; names in lower case.
    body : bytes
    names : tuple of str
        The parts of the path that the route's pattern leaves open.
    """

    method: str
    path: str
    query_string: str
    headers: Any
    body: bytes = b""
    names: tuple[str, ...] = ()

    @property
    def query(self) -> dict[str, str]:
        """Parameters of the address; of one given twice the last."""
        if not self.query_string:
            return {}
        return dict(parse_qsl(self.query_string, keep_blank_values=True))


@dataclass(slots=True)
class Response:
    """What a route answers."""

    body: bytes
    content_type: str = JSON
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)


class Work(NamedTuple):
    """An answer that takes time in proportion to what was asked.

    Attributes
    ----------
    n_items : int
        Words or texts.
    answer : callable
    is_slow : bool
        Whether even one item takes so long that others should be answered meanwhile.
    """

    n_items: int
    answer: Callable[[], Response]
    is_slow: bool = False


def as_json(value: Any) -> bytes:
    """A value as JSON; NumPy arrays as lists, float32 with the digits that float32 needs.

    JSON has no bytes that are not UTF-8, which words and labels of a model may have: they become
    U+FFFD.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
    except orjson.JSONEncodeError:
        return orjson.dumps(_readable(value), option=orjson.OPT_SERIALIZE_NUMPY)


def list_as_json(values: Sequence[Any]) -> bytes:
    """A list as JSON, in pieces between which other threads may run."""
    if len(values) <= _ITEMS_A_PIECE:
        return as_json(values)
    pieces = (
        as_json(values[i : i + _ITEMS_A_PIECE])[1:-1] for i in range(0, len(values), _ITEMS_A_PIECE)
    )
    return b"[" + b",".join(pieces) + b"]"


def _readable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if isinstance(value, dict):
        return {name: _readable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_readable(item) for item in value]
    return value


def parse_json(body: bytes, where: str = "the body") -> Any:
    """A body's value.

    Raises
    ------
    HttpError
        400 when it is no JSON, with line and column.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise HttpError(400, "invalid_json", f"{where} is not JSON: {error}") from None


def whole_number(value: Any, where: str) -> int:
    """A count, from 1; 2.0 is one in JSON.

    Raises
    ------
    HttpError
        400 for anything else.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise wrong(where, "a whole number from 1")
    return value


def model_name(body: dict[str, Any]) -> str | None:
    """The model that a body asks for, if any.

    Raises
    ------
    HttpError
        400 when that is no string.
    """
    name = body.get("model")
    if name is not None and not isinstance(name, str):
        raise wrong("$.model", "the name of a model")
    return name


def wrong(where: str, expected: str) -> HttpError:
    """400 for a value of another shape; `where` is its path, as ``$.instances[1]``."""
    return HttpError(400, "invalid_request", f"{where}: expected {expected}")
