"""Bodies in signed chunks: each chunk's signature holds for it and all before it.

``aws-chunked`` as in AWS's documentation, "Signature calculations for the authorization header:
transferring payload in multiple chunks". A trailer is signed too, and its checksum is dropped:
what the signatures have proved needs no checksum.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING

from brasa.platform.errors import AwsError
from brasa.platform.signatures import EMPTY_HASH

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from brasa.platform.signatures import Signed

_HEADER = re.compile(rb"([0-9a-fA-F]{1,8});chunk-signature=([0-9a-f]{64})")
_MAX_CHUNK = 16 << 20
_MAX_TRAILER = 8 << 10


async def decoded(
    body: AsyncIterator[bytes], signed: Signed | None, key: bytes | None
) -> AsyncIterator[bytes]:
    """The bytes in the chunks.

    Parameters
    ----------
    signed : Signed or None
        Whose signature is the first of the chain; None when signatures are not asked for.
    key : bytes or None
        The signing key.

    Raises
    ------
    AwsError
        When a chunk is broken or was not signed.
    """
    reader = _Reader(body)
    previous = signed.signature if signed else ""
    while True:
        header = _HEADER.fullmatch(await reader.line())
        size = int(header[1], 16) if header else -1
        if header is None or size > _MAX_CHUNK:
            raise AwsError("InvalidRequest", "The body is not in signed chunks of at most 16 MiB.")
        chunk = await reader.exactly(size)
        if signed is not None and key is not None:
            text = "\n".join(
                (
                    "AWS4-HMAC-SHA256-PAYLOAD",
                    signed.time,
                    signed.scope,
                    previous,
                    EMPTY_HASH,
                    hashlib.sha256(chunk).hexdigest(),
                )
            )
            expected = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
            if not hmac.compare_digest(expected, header[2].decode()):
                message = "The signature of a chunk does not match what was computed."
                raise AwsError("SignatureDoesNotMatch", message, 403)
            previous = expected
        if size == 0:
            await reader.rest()
            return
        if await reader.exactly(2) != b"\r\n":
            raise AwsError("InvalidRequest", "A chunk does not end where it should.")
        yield chunk


class _Reader:
    def __init__(self, body: AsyncIterator[bytes]) -> None:
        self._body = body
        self._buffer = bytearray()

    async def _more(self) -> None:
        try:
            self._buffer += await anext(self._body)
        except StopAsyncIteration:
            raise AwsError("IncompleteBody", "The body ended in the middle of a chunk.") from None

    async def line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > 200:
                return bytes(self._buffer)
            await self._more()
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    async def exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            await self._more()
        piece = bytes(self._buffer[:size])
        del self._buffer[:size]
        return piece

    async def rest(self) -> None:
        size = len(self._buffer)
        async for piece in self._body:
            size += len(piece)
            if size > _MAX_TRAILER:
                raise AwsError("InvalidRequest", "The trailer is over 8 KiB.")
