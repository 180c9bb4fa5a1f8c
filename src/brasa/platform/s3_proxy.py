"""S3: requests are verified, signed anew with the store's own key, and streamed on to it.

Clients know only the platform's keys; the store's never leave the platform, and neither is logged.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import aiohttp
from yarl import URL

from brasa.platform import signatures
from brasa.platform.errors import AwsError
from brasa.platform.s3_chunks import decoded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from brasa.platform.context import Platform
    from brasa.platform.signatures import Signed

_HOP = frozenset(
    ("connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "expect")
)
# Ours to write anew, or about an account that the store does not have.
_OURS = frozenset(
    (
        "host",
        "authorization",
        "x-amz-date",
        "x-amz-security-token",
        "x-amz-expected-bucket-owner",
        "x-amz-source-expected-bucket-owner",
        "content-length",
        "user-agent",
        "accept-encoding",
        "date",
    )
)
_SIGNED_CHUNKS = (
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
)
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=300)
_WHOLE = 256 << 10  # answers up to this size are sent in one piece


async def answer(
    platform: Platform,
    client: aiohttp.ClientSession,
    signed: Signed | None,
    scope: Any,
    protocol: Any,
) -> None:
    """Answer a request for S3."""
    headers = scope.headers
    payload_hash = headers.get("x-amz-content-sha256") or signatures.UNSIGNED
    pair = None
    if platform.keys and signed is not None:
        pair = signatures.verify(
            signed,
            platform.keys,
            scope.method,
            scope.path,
            scope.query_string,
            headers,
            payload_hash,
        )
    length = headers.get("content-length")
    body: AsyncIterator[bytes] | None = None
    if (length or "0") != "0" or headers.get("transfer-encoding"):
        body = _pieces(protocol)
        if payload_hash in _SIGNED_CHUNKS:
            key = None
            if pair is not None and signed is not None:
                parts = (signed.date, signed.region, signed.service)
                key = signatures.signing_key(pair.secret_key, *parts)
            body = decoded(body, signed if key else None, key)
            length = headers.get("x-amz-decoded-content-length")
        elif len(payload_hash) == 64:
            body = _checked(body, payload_hash)
        body = await _begun(body)
    sent = _onward(scope)
    if payload_hash in _SIGNED_CHUNKS:
        payload_hash = signatures.UNSIGNED
        for name in (
            "x-amz-decoded-content-length",
            "x-amz-trailer",
            "x-amz-sdk-checksum-algorithm",
        ):
            sent.pop(name, None)
        sent.pop("content-encoding", None)
    if body is not None and length is not None:
        sent["content-length"] = length
    query = "" if signed is not None and signed.presigned else scope.query_string
    target = platform.objects.url(quote(scope.path, safe="/-_.~"), query)
    sent = platform.objects.signed(scope.method, target, sent, payload_hash)
    try:
        async with client.request(
            scope.method,
            URL(target, encoded=True),
            headers=sent,
            data=body,
            timeout=_TIMEOUT,
            allow_redirects=False,
            skip_auto_headers=("content-type", "accept", "user-agent", "accept-encoding"),
        ) as reply:
            if reply.status == 403:
                await _check_bucket(platform, scope.path)
            await _pass_on(scope.method, reply, protocol)
    except aiohttp.ClientError as error:
        cause = error.__cause__
        if isinstance(cause, AwsError):  # raised while the body was read
            raise cause from None
        raise AwsError(
            "ServiceUnavailable", f"The object store does not answer: {type(error).__name__}", 503
        ) from None


async def _check_bucket(platform: Platform, path: str) -> None:
    """SeaweedFS denies access to what is in no bucket; S3 says that there is none."""
    bucket = path.split("/")[1]
    if bucket and not await asyncio.to_thread(platform.objects.has_bucket, bucket):
        raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404)


def _onward(scope: Any) -> dict[str, str]:
    return {
        name: value
        for name, value in scope.headers.items()
        if name not in _HOP and name not in _OURS
    }


async def _pieces(protocol: Any) -> AsyncIterator[bytes]:
    async for piece in protocol:  # which may be begun once only
        yield piece


async def _begun(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The body, its first piece read: what is refused before it never reaches the store.

    SeaweedFS keeps an empty object when a request ends before its body begins.
    """
    first = await anext(body, b"")

    async def whole() -> AsyncIterator[bytes]:
        if first:
            yield first
        async for piece in body:
            yield piece

    return whole()


async def _checked(body: AsyncIterator[bytes], expected: str) -> AsyncIterator[bytes]:
    """The body; at its end, before its last piece goes on, an error when it was not signed.

    The store has then too few bytes for the length that it was told, and keeps nothing.
    """
    digest = hashlib.sha256()
    held = b""
    async for piece in body:
        if not piece:
            continue
        digest.update(piece)
        if held:
            yield held
        held = piece
    if not hmac.compare_digest(digest.hexdigest(), expected):
        message = "The provided 'x-amz-content-sha256' header does not match what was computed."
        raise AwsError("XAmzContentSHA256Mismatch", message)
    if held:
        yield held


async def _pass_on(method: str, reply: aiohttp.ClientResponse, protocol: Any) -> None:
    headers = [(n.lower(), v) for n, v in reply.headers.items() if n.lower() not in _HOP]
    length = reply.content_length
    if method == "HEAD" or reply.status in (204, 304):
        protocol.response_empty(reply.status, headers)
    elif length is not None and length <= _WHOLE:
        protocol.response_bytes(reply.status, headers, await reply.read())
    else:
        stream = protocol.response_stream(reply.status, headers)
        async for piece in reply.content.iter_any():
            await stream.send_bytes(piece)
