"""SageMaker Runtime: a request goes on to its endpoint's process, and the answer comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
from yarl import URL

from brasa.platform import logs
from brasa.platform.errors import AwsError

if TYPE_CHECKING:
    from brasa.platform.context import Platform

_TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=2)  # as AWS's
_ON = ("content-type", "accept", "x-amzn-sagemaker-custom-attributes")
_BACK = ("content-type", "x-amzn-sagemaker-custom-attributes")
_VARIANT = "x-amzn-invoked-production-variant"


async def invoke(
    platform: Platform,
    client: aiohttp.ClientSession,
    name: str,
    scope: Any,
    protocol: Any,
    body: bytes,
) -> None:
    """Answer InvokeEndpoint.

    Raises
    ------
    AwsError
        ``ValidationError`` for an endpoint that there is not, ``ModelError`` for what its process
        refuses: clients do not repeat that one.
    """
    endpoint = platform.endpoints.serving(name)
    if endpoint is None:
        raise AwsError("ValidationError", f"Endpoint {name} of account not found.")
    headers = {n: scope.headers.get(n) for n in _ON if scope.headers.get(n) is not None}
    try:
        async with client.post(
            endpoint.invocations,
            data=body,
            headers=headers,
            timeout=_TIMEOUT,
            skip_auto_headers=("content-type", "accept", "user-agent", "accept-encoding"),
        ) as answer:
            if answer.status != 200:
                text = await answer.text(errors="replace")
                raise _model_error(platform, name, endpoint.stream, answer.status, text)
            back = [(_VARIANT, endpoint.variant)]
            back += [(name, answer.headers[name]) for name in _BACK if name in answer.headers]
            length = answer.content_length
            if length is not None and length < 1 << 20:
                protocol.response_bytes(200, back, await answer.read())
                return
            stream = protocol.response_stream(200, back)
            async for piece in answer.content.iter_any():
                await stream.send_bytes(piece)
    except TimeoutError:
        text = "the model did not answer within 60 s"
        raise _model_error(platform, name, endpoint.stream, 504, text) from None
    except aiohttp.ClientError as error:
        raise AwsError(
            "ServiceUnavailable", f"Endpoint {name} does not answer: {error!r}", 503
        ) from None


def _model_error(platform: Platform, name: str, stream: str, status: int, text: str) -> AwsError:
    side = "client" if status < 500 else "server"
    message = f'Received {side} error ({status}) from primary with message "{text[:1000]}".'
    fields: dict[str, object] = {
        "OriginalStatusCode": status,
        "OriginalMessage": text[:10_000],
        "LogStreamArn": f"arn:aws:logs:::log-group:{logs.ENDPOINT_GROUP}/{name}:{stream}",
    }
    return AwsError("ModelError", message, 424, fields)


def invocations_of(port: int) -> URL:
    """Where an endpoint's process is asked."""
    return URL(f"http://127.0.0.1:{port}/invocations")
