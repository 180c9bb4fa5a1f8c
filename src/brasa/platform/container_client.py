"""HTTP to the processes of endpoints, over kept connections.

asyncio's streams carry, httptools parses: 0.57 ms a request where aiohttp's client takes 1.0, of
which the endpoint has 0.5.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httptools

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

_IDLE = 64  # connections kept, over all endpoints
_PIECE = 1 << 18


class ContainerError(Exception):
    """A container that takes no connection, ends one too early, or answers what is no HTTP."""


class ContainerClient:
    """Posts to containers of this machine."""

    def __init__(self) -> None:
        self._idle: list[_Connection] = []  # the one used last at the end

    @asynccontextmanager
    async def post(
        self, port: int, path: str, headers: Mapping[str, str], body: bytes
    ) -> AsyncIterator[Answer]:
        """Send a request; within the context, its answer.

        Raises
        ------
        ContainerError
        """
        lines = [f"POST {path} HTTP/1.1", f"host: 127.0.0.1:{port}", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        request = "\r\n".join([*lines, "\r\n"]).encode() + body
        connection, answer = await self._answered(port, request)
        try:
            yield answer
        except BaseException:
            connection.close()  # its body may still come
            raise
        if answer.keeps_alive:
            self._keep(connection)
        else:
            connection.close()

    async def _answered(self, port: int, request: bytes) -> tuple[_Connection, Answer]:
        while True:
            connection = self._kept(port)
            is_new = connection is None
            if connection is None:
                connection = await self._connected(port)
            try:
                return connection, await connection.ask(request)
            except BaseException as error:
                connection.close()
                # A container ends idle connections when it likes; asking changes nothing in it.
                if is_new or not isinstance(error, ContainerError):
                    raise

    def _kept(self, port: int) -> _Connection | None:
        for place in range(len(self._idle) - 1, -1, -1):
            if self._idle[place].port == port:
                connection = self._idle.pop(place)
                if not connection.is_ended():
                    return connection
                connection.close()
        return None

    async def _connected(self, port: int) -> _Connection:
        for connection in [c for c in self._idle if c.is_ended()]:
            connection.close()
            self._idle.remove(connection)
        try:
            return _Connection(port, *await asyncio.open_connection("127.0.0.1", port))
        except OSError as error:
            raise ContainerError(str(error)) from None

    def _keep(self, connection: _Connection) -> None:
        self._idle.append(connection)
        if len(self._idle) > _IDLE:
            self._idle.pop(0).close()

    def close(self) -> None:
        """Give the kept connections up."""
        while self._idle:
            self._idle.pop().close()


class _Connection:
    def __init__(
        self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.port = port
        self._reader = reader
        self._writer = writer

    def is_ended(self) -> bool:
        return self._reader.at_eof() or self._writer.is_closing()

    def close(self) -> None:
        self._writer.close()

    async def ask(self, request: bytes) -> Answer:
        """The answer, as soon as its head is there."""
        self._writer.write(request)  # a whole one is in memory anyway: no waiting for its leaving
        answer = Answer(self._reader)
        await answer.begun()
        return answer


class Answer:
    """What a container answers.

    Attributes
    ----------
    status : int
    headers : dict of str to str
        Names in lower case.
    is_complete : bool
        Whether its body has come to its end.
    keeps_alive : bool
        Whether it has, and another request may follow.
    """

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.is_complete = False
        self.keeps_alive = False
        self._pieces: list[bytes] = []
        self._reader = reader
        self._parser = httptools.HttpResponseParser(self)

    async def begun(self) -> None:
        """Wait for status and headers."""
        while not self.status:
            await self._feed()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes."""
        while True:
            pieces, self._pieces = self._pieces, []
            for piece in pieces:
                yield piece
            if self.is_complete:
                return
            await self._feed()

    async def read(self) -> bytes:
        """The whole body."""
        while not self.is_complete:
            await self._feed()
        return b"".join(self._pieces)

    async def _feed(self) -> None:
        try:
            data = await self._reader.read(_PIECE)
            if not data:
                raise ContainerError("it ended the connection before its answer's end")
            self._parser.feed_data(data)
        except (OSError, httptools.HttpParserError) as error:
            raise ContainerError(str(error)) from None

    # What httptools calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        self._pieces.append(body)

    def on_message_complete(self) -> None:
        self.is_complete = True
        self.keeps_alive = self._parser.should_keep_alive()
