"""The RSGI application: what a request passes on its way to its route and back."""

from __future__ import annotations

import asyncio
import hmac
import itertools
import logging
import re
import secrets
import time
from typing import TYPE_CHECKING, Any

from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]

from brasa.errors import BrasaError, MissingExtraError
from brasa.serving import routes
from brasa.serving.access_log import AccessLog
from brasa.serving.deadlines import Deadline
from brasa.serving.http import HttpError, Request, Response, Work, as_json
from brasa.serving.static_files import static_file

if TYPE_CHECKING:
    from brasa.serving.service import Service

_log = logging.getLogger("brasa.serving")
# Words or texts from which work is done in a thread, so that others are answered meanwhile. Fewer
# take less time than the way to a thread and back (about 60 us).
_THREAD_FROM = 64
_THREAD_FROM_BYTES = 16_384  # of a body: few texts may be long ones
_DIGITS = re.compile(r"[0-9]{1,18}")
_REQUEST_ID = re.compile(r"[!-~]{1,128}")
_AWS_ENDPOINT = "/endpoints/"
_CLIENT_GONE = 499  # nginx's number for it
_UNLOGGED = ("/ping", "/metrics")  # asked every few seconds by machines
_AWS_NAMES = {
    401: "AccessDeniedException",
    405: "ValidationError",
    429: "ThrottlingException",
}
_CORS_HEADERS = "authorization, content-type, x-request-id"


class App:
    """A worker's part of the server, as Granian calls it.

    Parameters
    ----------
    service : Service
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self._options = service.options
        self._n_active = 0
        self._n_items = 0  # words and texts at work
        self._bodies = Deadline(service.options.body_timeout_s)
        self._ids = itertools.count()
        self._id_prefix = secrets.token_hex(6)
        self._access_log = (
            AccessLog(asyncio.get_running_loop()) if service.options.log_requests else None
        )

    @property
    def is_idle(self) -> bool:
        """Whether no request is at work."""
        return self._n_active == 0

    def flush(self) -> None:
        """Write what is to be logged."""
        if self._access_log is not None:
            self._access_log.flush()

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Answer one request."""
        start = time.perf_counter()
        headers = scope.headers
        request = Request(scope.method, scope.path, scope.query_string, headers)
        request_id = self._request_id(headers)
        self._n_active += 1
        self.service.shared.set_active(self.service.worker, self._n_active)
        place, n_items = routes.OTHER, 0
        try:
            try:
                found = routes.find(request.method, request.path)
                if found is not None:
                    place, request.names = found
                self._admit(request, place)
                if found is None:
                    response = self._without_route(request)
                else:
                    response, n_items = await self._answer(request, place, protocol)
            except HttpError as error:
                response = self._refusal(error, request.path)
            except ProtocolClosed:
                response = Response(b"", status=_CLIENT_GONE)  # read by nobody but the log
            except MissingExtraError as error:
                response = self._refusal(HttpError(501, "not_installed", str(error)), request.path)
            except BrasaError as error:
                response = self._refusal(
                    HttpError(400, "invalid_request", str(error)), request.path
                )
            except Exception:
                _log.exception("request %s failed", request_id)
                message = f"the server failed; its log says why at {request_id}"
                response = self._refusal(HttpError(500, "internal_error", message), request.path)
            response.headers.append(("content-type", response.content_type))
            response.headers.append(("x-request-id", request_id))
            if request.path.startswith(_AWS_ENDPOINT):  # where AWS's SDKs look for it
                response.headers.append(("x-amzn-requestid", request_id))
            if self._options.cors_origins:
                self._allow_origin(headers, response)
            if response.status != _CLIENT_GONE:
                protocol.response_bytes(response.status, response.headers, response.body)
        finally:  # of a client that went away, too
            self._n_active -= 1
            self.service.shared.set_active(self.service.worker, self._n_active)
        seconds = time.perf_counter() - start
        self.service.shared.count(self.service.worker, place, response.status, seconds, n_items)
        if self._access_log is not None and request.path not in _UNLOGGED:
            self._access_log.add(request_id, request.method, request.path, response.status, seconds)

    def _admit(self, request: Request, place: int) -> None:
        if place != routes.OTHER and routes.ROUTES[place].is_public:
            return
        if self._needs_key(request, place):
            self._check_key(request.headers.get("authorization"))
        if self._n_active > self._options.max_waiting:
            raise _overloaded()

    async def _answer(self, request: Request, place: int, protocol: Any) -> tuple[Response, int]:
        if request.method == "POST":
            request.body = await self._body(request.headers, protocol)
        if self.service.is_stale:
            await asyncio.to_thread(self.service.catch_up)
        found = routes.ROUTES[place].answer(self.service, request)
        if isinstance(found, Response):
            return found, 0
        return await self._work(found, len(request.body)), found.n_items

    async def _work(self, work: Work, n_bytes: int) -> Response:
        most = self._options.max_batch
        if work.n_items > most:
            raise HttpError(
                413,
                "batch_too_large",
                f"{work.n_items} words or texts in one request: at most {most} are answered",
            )
        is_small = work.n_items < _THREAD_FROM and n_bytes < _THREAD_FROM_BYTES
        if is_small and not work.is_slow:
            return work.answer()
        if self._n_items and self._n_items + work.n_items > 4 * most:
            raise _overloaded()
        self._n_items += work.n_items
        try:
            return await asyncio.to_thread(work.answer)
        finally:
            self._n_items -= work.n_items

    async def _body(self, headers: Any, protocol: Any) -> bytes:
        limit = self._options.max_body_bytes
        length = headers.get("content-length")
        if length is not None and (not _DIGITS.fullmatch(length) or int(length) > limit):
            raise _too_large(limit)
        whole = protocol() if length is not None else _joined(protocol, limit)
        try:
            return await self._bodies.wait(whole)
        except TimeoutError:
            raise HttpError(
                408,
                "body_timeout",
                f"the body did not arrive within {self._options.body_timeout_s:g} s",
                ("connection", "close"),
            ) from None

    def _without_route(self, request: Request) -> Response:
        if request.method in ("GET", "HEAD"):
            page = static_file(request)
            if page is not None:
                return page
        allowed = routes.methods_of(request.path)
        if request.method == "OPTIONS" and allowed and self._options.cors_origins:
            return Response(b"", status=204, headers=[("allow", ", ".join(allowed))])
        if allowed:
            raise HttpError(
                405,
                "method_not_allowed",
                f"{request.path} takes {' and '.join(allowed)}, not {request.method}",
                ("allow", ", ".join(allowed)),
            )
        raise HttpError(404, "unknown_path", f"there is no {request.path[:200]}: see /openapi.json")

    def _needs_key(self, request: Request, place: int) -> bool:
        """Whether it is not for the page itself, which asks its reader for the key.

        Browsers ask whether they may ask (OPTIONS) without it.
        """
        return (
            self._options.api_key is not None
            and request.method != "OPTIONS"
            and (place != routes.OTHER or bool(routes.methods_of(request.path)))
        )

    def _check_key(self, authorization: str | None) -> None:
        scheme, _, key = (authorization or "").partition(" ")
        expected = (self._options.api_key or "").encode()
        is_right = hmac.compare_digest(key.strip().encode("utf-8", "replace"), expected)
        if scheme.lower() != "bearer" or not is_right:
            raise HttpError(
                401,
                "unauthorized",
                "this server wants its key: Authorization: Bearer KEY",
                ("www-authenticate", "Bearer"),
            )

    def _allow_origin(self, headers: Any, response: Response) -> None:
        origin = headers.get("origin")
        response.headers.append(("vary", "origin"))
        if origin in self._options.cors_origins or "*" in self._options.cors_origins:
            response.headers += [
                ("access-control-allow-origin", origin or "*"),
                ("access-control-allow-headers", _CORS_HEADERS),
                ("access-control-allow-methods", "GET, POST, DELETE"),
                ("access-control-expose-headers", "x-request-id"),
            ]

    def _request_id(self, headers: Any) -> str:
        given = headers.get("x-request-id") or headers.get("x-amzn-requestid")
        if given is not None and _REQUEST_ID.fullmatch(given):
            found: str = given
            return found
        return f"{self._id_prefix}{next(self._ids):08x}"

    def _refusal(self, error: HttpError, path: str) -> Response:
        said = {"error": error.message, "error_type": error.error_type}
        if path.startswith(_AWS_ENDPOINT):
            return _aws_refusal(error, said)
        return Response(as_json(said), status=error.status, headers=list(error.headers))


async def _joined(pieces: Any, limit: int) -> bytes:
    """A body whose length was not told."""
    body = bytearray()
    async for piece in pieces:
        if len(body) + len(piece) > limit:
            raise _too_large(limit)
        body += piece
    return bytes(body)


def _aws_refusal(error: HttpError, said: dict[str, Any]) -> Response:
    """An error as SageMaker Runtime tells it: what the model refuses is a ModelError, 424."""
    if error.error_type == "unknown_model":
        status, name = 400, "ValidationError"
    elif error.status in _AWS_NAMES:  # of the server, not of the model
        status, name = error.status, _AWS_NAMES[error.status]
    else:
        status, name = 424, "ModelError"
        said |= {
            "OriginalStatusCode": error.status,
            "OriginalMessage": error.message,
            "LogStreamArn": "",
        }
    said["Message"] = error.message
    headers = [("x-amzn-errortype", name), *error.headers]
    return Response(as_json(said), status=status, headers=headers)


def _overloaded() -> HttpError:
    return HttpError(
        429, "overloaded", "too many requests are at work: try again", ("retry-after", "1")
    )


def _too_large(limit: int) -> HttpError:
    return HttpError(
        413,
        "body_too_large",
        f"the body is larger than {limit} bytes: send fewer words or texts at a time",
        ("connection", "close"),
    )
