"""The way to endpoints: connections kept and lost, answers whole, in pieces and broken."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from brasa.platform.container_client import ContainerClient, ContainerError

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"


class Container:
    """A server that counts its connections and writes what it is told to."""

    def __init__(self, answer: bytes = OK, requests_each: int = 1_000_000) -> None:
        self.answer = answer
        self.requests_each = requests_each
        self.n_connections = 0
        self.n_open = 0
        self.requests: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.n_connections += 1
        self.n_open += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await self._answer(reader, writer)
        writer.close()
        self.n_open -= 1

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(self.requests_each):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
            self.requests.append(head + await reader.readexactly(length))
            writer.write(self.answer)


def _within(container: Container, asks: Callable[[ContainerClient, int], Awaitable[None]]) -> None:
    async def main() -> None:
        server = await asyncio.start_server(container, "127.0.0.1", 0)
        client = ContainerClient()
        try:
            await asyncio.wait_for(asks(client, server.sockets[0].getsockname()[1]), 20)
        finally:
            client.close()
            server.close()
            while container.n_open:
                await asyncio.sleep(0.01)

    asyncio.run(main())


async def _ask(client: ContainerClient, port: int) -> tuple[int, bytes]:
    async with client.post(port, "/invocations", {"accept": "text/plain"}, b"body") as answer:
        return answer.status, await answer.read()


def test_a_connection_is_kept() -> None:
    container = Container()

    async def asks(client: ContainerClient, port: int) -> None:
        for _ in range(3):
            assert await _ask(client, port) == (200, b"ok")

    _within(container, asks)
    assert container.n_connections == 1
    head, _, body = container.requests[2].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /invocations HTTP/1.1\r\nhost: 127.0.0.1:")
    assert b"accept: text/plain" in head
    assert body == b"body"


def test_a_connection_that_the_container_ended_is_replaced() -> None:
    container = Container(requests_each=2)

    async def asks(client: ContainerClient, port: int) -> None:
        for number in range(6):
            assert await _ask(client, port) == (200, b"ok")
            if number % 3 == 2:
                await asyncio.sleep(0.05)  # its end is known now; otherwise it is not, yet

    _within(container, asks)
    assert container.n_connections == 3


def test_a_container_that_says_close_is_not_asked_there_again() -> None:
    container = Container(OK.replace(b"Content-Length", b"Connection: close\r\nContent-Length"))

    async def asks(client: ContainerClient, port: int) -> None:
        for _ in range(2):
            assert await _ask(client, port) == (200, b"ok")

    _within(container, asks)
    assert container.n_connections == 2


def test_many_are_asked_at_once_and_few_connections_are_kept() -> None:
    container = Container()

    async def asks(client: ContainerClient, port: int) -> None:
        for _ in range(2):
            answers = await asyncio.gather(*(_ask(client, port) for _ in range(100)))
            assert answers == [(200, b"ok")] * 100

    _within(container, asks)
    assert container.n_connections == 136  # 64 of 100 are kept


def test_a_body_comes_in_pieces() -> None:
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    container = Container(head + piece * 50 + b"0\r\n\r\n")

    async def asks(client: ContainerClient, port: int) -> None:
        for _ in range(2):
            async with client.post(port, "/", {}, b"") as answer:
                assert answer.headers == {"transfer-encoding": "chunked"}
                sizes = [len(piece) async for piece in answer.pieces()]
            assert sum(sizes) == 50 << 16
            assert max(sizes) <= 1 << 18

    _within(container, asks)
    assert container.n_connections == 1


def test_an_answer_that_is_left_takes_its_connection_along() -> None:
    container = Container()

    async def asks(client: ContainerClient, port: int) -> None:
        with pytest.raises(KeyError):
            async with client.post(port, "/", {}, b""):
                raise KeyError
        container.answer = OK.replace(b"2\r\n\r\nok", b"5\r\n\r\nother")
        assert await _ask(client, port) == (200, b"other")

    _within(container, asks)
    assert container.n_connections == 2


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "before its answer's end"),
        (OK[:-1], "before its answer's end"),
        (OK[:20], "before its answer's end"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "HTTP"),
        (OK.replace(b" 2\r", b" two\r"), "Content-Length"),
    ],
)
def test_what_is_no_answer(answer: bytes, said: str) -> None:
    async def asks(client: ContainerClient, port: int) -> None:
        with pytest.raises(ContainerError, match=said):
            await _ask(client, port)

    _within(Container(answer, requests_each=1), asks)


def test_nobody_listens() -> None:
    async def asks() -> None:
        with pytest.raises(ContainerError, match="Connect call failed"):
            await _ask(ContainerClient(), 1)

    asyncio.run(asks())
