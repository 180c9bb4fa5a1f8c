"""The RSGI application: what a request passes on its way to its route and back."""

from __future__ import annotations

import asyncio
import hmac
import logging
import mimetypes
import re
import secrets
import time
from importlib import metadata, resources
from typing import TYPE_CHECKING, Any

from brasa.errors import BrasaError
from brasa.serving import invocations, questions
from brasa.serving.http import HttpError, Request, Response, as_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from brasa.serving.options import ServerOptions
    from brasa.serving.registry import Registry

_log = logging.getLogger("brasa.serving")
_PUBLIC = ("/ping", "/metrics")  # without a key: for load balancers and scrapers
# Words or texts from which work is done in a thread, so that others are answered meanwhile. Fewer
# take less time than the way to a thread and back (about 60 us).
_THREAD_FROM = 64
_ENDPOINT = re.compile(r"/endpoints/([^/]+)/invocations")
_DIGITS = re.compile(r"[0-9]{1,18}")


class App:
    """The server as Granian calls it.

    Parameters
    ----------
    models : Registry
    options : ServerOptions
    """

    def __init__(self, models: Registry, options: ServerOptions) -> None:
        self.models = models
        self.options = options
        self.n_active = 0
        self._routes: dict[tuple[str, str], Callable[[Registry, Request], Response]] = {
            ("GET", "/ping"): _ping,
            ("GET", "/info"): _info,
            ("GET", "/neighbors"): questions.neighbors,
            ("POST", "/neighbors"): questions.many_neighbors,
            ("GET", "/analogy"): questions.analogy,
            ("GET", "/similarity"): questions.similarity,
            ("GET", "/subwords"): questions.subwords,
            ("GET", "/words"): questions.words,
            ("POST", "/explain"): questions.explain,
        }

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Answer one request."""
        if scope.proto != "http":
            protocol.close(400)
            return
        start = time.perf_counter()
        headers = scope.headers
        request_id = headers.get("x-request-id") or secrets.token_hex(8)
        self.n_active += 1
        try:
            response = await self._answer(scope, protocol, headers)
        except HttpError as error:
            response = _refusal(error)
        except BrasaError as error:
            response = _refusal(HttpError(400, "invalid_request", str(error)))
        except Exception:
            _log.exception("request %s failed", request_id)
            response = _refusal(
                HttpError(500, "internal_error", f"the server failed; its log has {request_id}")
            )
        finally:
            self.n_active -= 1
        response.headers.append(("content-type", response.content_type))
        response.headers.append(("x-request-id", request_id))
        protocol.response_bytes(response.status, response.headers, response.body)
        if self.options.log_requests and _log.isEnabledFor(logging.INFO):
            _log.info(
                "%s %s %d",
                scope.method,
                scope.path,
                response.status,
                extra={"request_id": request_id, "seconds": time.perf_counter() - start},
            )

    async def _answer(self, scope: Any, protocol: Any, headers: Any) -> Response:
        method, path = scope.method, scope.path
        if self.options.api_key is not None and path not in _PUBLIC:
            self._check_key(headers.get("authorization"))
        if self.n_active > self.options.max_waiting and path != "/ping":
            raise HttpError(
                429, "overloaded", "too many requests at a time: try again", ("retry-after", "1")
            )
        request = Request(method, path, scope.query_string, headers)
        if method == "POST":
            request.body = await self._body(headers, protocol)
            if path == "/invocations":
                return await self._invoke(request, request.query.get("model"))
            endpoint = _ENDPOINT.fullmatch(path)
            if endpoint:
                return await self._invoke(request, endpoint[1])
        route = self._routes.get((method, path))
        if route is None:
            return self._without_route(method, path)
        return route(self.models, request)

    async def _invoke(self, request: Request, name: str | None) -> Response:
        served = self.models.get(name)
        asked = invocations.parse(request.headers.get("content-type"), request.body)
        if len(asked.items) > self.options.max_batch:
            raise HttpError(
                413,
                "batch_too_large",
                f"{len(asked.items)} instances in one request; at most {self.options.max_batch}",
            )
        if len(asked.items) < _THREAD_FROM:
            return invocations.answer(served, asked)
        return await asyncio.to_thread(invocations.answer, served, asked)

    async def _body(self, headers: Any, protocol: Any) -> bytes:
        limit = self.options.max_body_bytes
        length = headers.get("content-length")
        if length is not None and (not _DIGITS.fullmatch(length) or int(length) > limit):
            raise _too_large(limit)
        pieces, size = [], 0
        try:
            async with asyncio.timeout(self.options.body_timeout_s):
                if length is not None:
                    body: bytes = await protocol()
                    return body
                async for piece in protocol:
                    size += len(piece)
                    if size > limit:
                        raise _too_large(limit)
                    pieces.append(piece)
        except TimeoutError:
            raise HttpError(
                408,
                "body_timeout",
                f"the body did not arrive within {self.options.body_timeout_s:g} s",
                ("connection", "close"),
            ) from None
        return b"".join(pieces)

    def _check_key(self, authorization: str | None) -> None:
        expected = f"Bearer {self.options.api_key}"
        if not hmac.compare_digest((authorization or "").encode(), expected.encode()):
            raise HttpError(
                401,
                "unauthorized",
                "send the key: Authorization: Bearer KEY",
                ("www-authenticate", "Bearer"),
            )

    def _without_route(self, method: str, path: str) -> Response:
        if method == "GET":
            page = _static_file("index.html" if path == "/" else path.removeprefix("/"))
            if page is not None:
                return page
        allowed = sorted({known for known, route in self._routes if route == path})
        if allowed:
            raise HttpError(
                405,
                "method_not_allowed",
                f"{path} takes {' and '.join(allowed)}",
                ("allow", ", ".join(allowed)),
            )
        raise HttpError(404, "unknown_path", f"there is no {path}")


def _ping(models: Registry, request: Request) -> Response:
    return Response(b"")


def _info(models: Registry, request: Request) -> Response:
    found = [model.describe() for model in models]
    version = metadata.version("brasa")
    default = found[0]["name"] if found else None
    return Response(as_json({"version": version, "default": default, "models": found}))


def _static_file(name: str) -> Response | None:
    if ".." in name or name.startswith("/") or "\0" in name:
        return None
    file = resources.files("brasa.serving") / "static" / name
    if not file.is_file():
        return None
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Response(file.read_bytes(), kind)


def _refusal(error: HttpError) -> Response:
    body = as_json({"error": error.message, "error_type": error.error_type})
    return Response(body, status=error.status, headers=list(error.headers))


def _too_large(limit: int) -> HttpError:
    return HttpError(
        413, "body_too_large", f"the body is over {limit} bytes", ("connection", "close")
    )
