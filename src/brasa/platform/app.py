"""The RSGI application: which service a request is for, whether its key signed it, who answers.

Every service has the same port. A request tells its service by the scope of its signature, and,
where signatures are not asked for, by its form.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import time
import uuid
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import orjson

from brasa.platform import control, identity, page, s3_proxy, shapes, signatures
from brasa.platform.errors import AwsError
from brasa.platform.invocation import Invocations
from brasa.serving.deadlines import Deadline

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from brasa.platform.container_client import ContainerClient
    from brasa.platform.context import Platform
    from brasa.platform.signatures import Signed

_log = logging.getLogger("brasa.platform")
_INVOCATION = re.compile(r"/endpoints/([^/]+)/invocations(-response-stream)?")
_MAX_BODY = 6 << 20  # of SageMaker's requests; AWS's runtime takes as much
_JSON_11 = "application/x-amz-json-1.1"
_BODY_S = 60.0
_ENDPOINT_WAIT_S = 5.0
_DEFAULT_REGION = "us-east-1"


class App:
    """The platform as Granian calls it.

    Parameters
    ----------
    platform : Platform
    client : ClientSession
        For what goes on to the object store.
    containers : ContainerClient
        For what goes on to endpoints.
    """

    def __init__(
        self, platform: Platform, client: ClientSession, containers: ContainerClient
    ) -> None:
        self._platform = platform
        self._client = client
        self._invocations = Invocations(platform, containers)
        self._body_deadline = Deadline(_BODY_S)

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Answer one request."""
        if scope.proto != "http":
            protocol.close(400)
            return
        start = time.perf_counter()
        service = "?"
        try:
            if scope.path == "/ping" and scope.method == "GET":
                protocol.response_empty(200, [])
                return
            if page.is_asked_for(scope):
                page.send(protocol)
                return
            signed = signatures.read(scope.headers, scope.query_string)
            service = signed.service if signed else _guessed(scope)
            if self._platform.keys and signed is None:
                raise signatures.missing_signature(service)
            if service == "s3":
                await s3_proxy.answer(self._platform, self._client, signed, scope, protocol)
            else:
                await self._answer(service, signed, scope, protocol)
        except AwsError as error:
            _refuse(service, error, scope, protocol)
        except Exception:
            request = str(uuid.uuid4())
            _log.exception("request %s failed", request)
            message = f"The platform failed; its log has {request}."
            _refuse(service, AwsError("InternalFailure", message, 500), scope, protocol)
        if _log.isEnabledFor(logging.DEBUG):
            took = (time.perf_counter() - start) * 1e3
            _log.debug("%s %s %s %.1f ms", service, scope.method, scope.path, took)

    async def _answer(self, service: str, signed: Signed | None, scope: Any, protocol: Any) -> None:
        if self._platform.keys and signed is not None:
            signatures.check_known(signed, self._platform.keys)  # before a body is kept for it
        try:
            body = await self._body_deadline.wait(_read(scope, protocol))
        except TimeoutError:
            message = f"The body did not arrive within {_BODY_S:g} s."
            raise AwsError("RequestTimeout", message, 408) from None
        if self._platform.keys and signed is not None:
            signatures.verify(
                signed,
                self._platform.keys,
                scope.method,
                scope.path,
                scope.query_string,
                scope.headers,
                hashlib.sha256(body).hexdigest(),
            )
        region = signed.region if signed else _DEFAULT_REGION
        if service in ("sts", "iam"):
            text = identity.answer(service, body)
            protocol.response_bytes(200, [("content-type", "text/xml")], text.encode())
            return
        if service not in ("sagemaker", "logs"):
            message = f"This platform has no service {service}."
            raise AwsError("UnknownOperationException", message, 404)
        endpoint = _INVOCATION.fullmatch(scope.path)
        if endpoint:
            if endpoint[2]:
                raise AwsError("ValidationError", "Endpoints here answer whole, not in streams.")
            await self._invocations.answer(endpoint[1], scope, protocol, body)
            return
        answer = self._operation(service, region, scope, body)
        if "EndpointArn" in answer and "EndpointStatus" not in answer:
            # SDK 1 asks at once whether it serves, and then every 30 s: a small model does by then.
            name = answer["EndpointArn"].rpartition("/")[2]
            await asyncio.to_thread(self._platform.endpoints.wait, name, _ENDPOINT_WAIT_S)
        protocol.response_bytes(
            200,
            [("content-type", _JSON_11), ("x-amzn-requestid", str(uuid.uuid4()))],
            orjson.dumps(answer),
        )

    def _operation(self, service: str, region: str, scope: Any, body: bytes) -> dict[str, Any]:
        kind = (scope.headers.get("content-type") or "").partition(";")[0].strip()
        target = scope.headers.get("x-amz-target") or ""
        prefix, _, operation = target.rpartition(".")
        if scope.method != "POST" or scope.path != "/":
            message = f"There is no {scope.method} {scope.path}."
            raise AwsError("UnknownOperationException", message, 404)
        if kind != _JSON_11:
            message = f"Content-Type must be {_JSON_11}, not {kind or 'missing'}."
            raise AwsError("UnknownOperationException", message, 404)
        if prefix != shapes.target_prefix(service):
            message = f"X-Amz-Target must be {shapes.target_prefix(service)}.OPERATION."
            raise AwsError("UnknownOperationException", message, 404)
        try:
            values = orjson.loads(body or b"{}")
        except orjson.JSONDecodeError as error:
            raise AwsError("SerializationException", f"The body is not JSON: {error}") from None
        return control.answer(self._platform, service, operation, values, region)


async def _read(scope: Any, protocol: Any) -> bytes:
    length = scope.headers.get("content-length")
    if length is not None and (not length.isdigit() or int(length) > _MAX_BODY):
        raise _too_large()
    if length is not None:
        body: bytes = await protocol()
        return body
    pieces, size = [], 0
    async for piece in protocol:
        size += len(piece)
        if size > _MAX_BODY:
            raise _too_large()
        pieces.append(piece)
    return b"".join(pieces)


def _too_large() -> AwsError:
    return AwsError("ValidationError", f"The body must be at most {_MAX_BODY} bytes.", 413)


def _guessed(scope: Any) -> str:
    """The service of a request that nobody signed."""
    target = scope.headers.get("x-amz-target") or ""
    if target:
        return "logs" if target.startswith("Logs_") else "sagemaker"
    if _INVOCATION.fullmatch(scope.path):
        return "sagemaker"
    kind = scope.headers.get("content-type") or ""
    if scope.method == "POST" and scope.path == "/" and "form-urlencoded" in kind:
        return "sts"
    return "s3"


def _refuse(service: str, error: AwsError, scope: Any, protocol: Any) -> None:
    """An error in the service's own protocol."""
    headers = [("x-amzn-requestid", str(uuid.uuid4()))]
    if service == "s3":
        headers.append(("content-type", "application/xml"))
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            f"<Error><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
            f"<Resource>{escape(scope.path)}</Resource></Error>"
        ).encode()
    elif service in ("sts", "iam"):
        headers.append(("content-type", "text/xml"))
        body = identity.error(service, error).encode()
    else:
        headers += [("content-type", _JSON_11), ("x-amzn-errortype", error.code)]
        answer = {"__type": error.code, "message": error.message, **error.fields}
        if _INVOCATION.fullmatch(scope.path):
            answer["Message"] = answer["message"]
        body = orjson.dumps(answer)
    if scope.method == "HEAD":
        protocol.response_empty(error.status, headers)
    else:
        protocol.response_bytes(error.status, headers, body)
