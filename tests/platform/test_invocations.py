"""Answers of containers on their way through the platform's server, whole and broken off."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from granian.constants import HTTPModes
from granian.server.embed import Server

from brasa.platform.children import free_port
from brasa.platform.container_client import ContainerClient
from brasa.platform.endpoints import Serving
from brasa.platform.errors import AwsError
from brasa.platform.invocation import Invocations

_SIZE = 3 << 20


async def _asked(answer: bytes) -> httpx.Response | tuple[int, str]:
    """What a client gets of a container that writes `answer`, and then ends the connection."""

    async def contain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    container = await asyncio.start_server(contain, "127.0.0.1", 0)
    port = container.sockets[0].getsockname()[1]
    serving = Serving(port, "AllTraffic", "stream")
    platform: Any = SimpleNamespace(endpoints=SimpleNamespace(serving=lambda name: serving))
    containers = ContainerClient()
    invocations = Invocations(platform, containers)
    refused: list[tuple[int, str]] = []

    class App:
        async def __rsgi__(self, scope: Any, protocol: Any) -> None:
            try:
                await invocations.answer("name", scope, protocol, b"")
            except AwsError as error:
                refused.append((error.status, error.message))
                protocol.response_empty(error.status, [])

    own = free_port()
    server: Any = Server(  # its `stop` has no types
        App(), address="127.0.0.1", port=own, http=HTTPModes.http1, websockets=False,
        log_enabled=False,
    )  # fmt: skip
    running = asyncio.create_task(server.serve())
    try:
        transport = httpx.AsyncHTTPTransport(retries=5)
        async with httpx.AsyncClient(transport=transport, timeout=20) as client:
            found = await client.post(f"http://127.0.0.1:{own}/")
        return refused[0] if refused else found
    finally:
        server.stop()
        await running
        containers.close()
        container.close()


def _answer(length: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + length + b"\r\n\r\n" + body


_TOLD = b"Content-Length: %d" % _SIZE
_CHUNKED = b"Transfer-Encoding: chunked"
_CHUNK = b"%x\r\n%b\r\n" % (_SIZE, b"x" * _SIZE)


@pytest.mark.parametrize(
    "answer",
    [_answer(_TOLD, b"x" * _SIZE), _answer(_CHUNKED, _CHUNK + b"0\r\n\r\n")],
    ids=["with a length", "chunked"],
)
def test_a_large_answer_comes_whole(answer: bytes) -> None:
    found = asyncio.run(_asked(answer))
    assert isinstance(found, httpx.Response)
    assert (found.status_code, found.headers["content-type"]) == (200, "application/json")
    assert found.headers["x-amzn-invoked-production-variant"] == "AllTraffic"
    assert found.content == b"x" * _SIZE


def test_an_answer_that_breaks_off_is_seen_to() -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        asyncio.run(_asked(_answer(_TOLD, b"x" * (_SIZE // 2))))


def test_chunks_that_break_off_are_an_error() -> None:
    found = asyncio.run(_asked(_answer(_CHUNKED, _CHUNK)))
    assert isinstance(found, tuple)
    assert found[0] == 503
    assert "before its answer's end" in found[1]
