"""The server's log: a JSON object a line on standard error."""

from __future__ import annotations

import logging
import sys
import time
from typing import TYPE_CHECKING, Any

from brasa.serving.http import as_json

if TYPE_CHECKING:
    import asyncio

_FLUSH_AFTER_S = 0.25
_MOST_NOTED = 64  # requests: to write their lines takes 0.25 ms, in which no other is answered


class JsonFormatter(logging.Formatter):
    """Messages of the server and its libraries, as JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        fields: dict[str, Any] = {
            "time": round(record.created, 3),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return as_json(fields).decode()


def log_as_json() -> None:
    """Send what is logged to standard error, as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


class AccessLog:
    """One line for each request, written by many: a write for each took 8 us."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._noted: list[tuple[float, str, str, str, int, float]] = []

    def add(self, request_id: str, method: str, path: str, status: int, seconds: float) -> None:
        """Note a request that was answered."""
        if not self._noted:
            self._loop.call_later(_FLUSH_AFTER_S, self.flush)
        self._noted.append((time.time(), request_id, method, path, status, seconds))
        if len(self._noted) >= _MOST_NOTED:
            self.flush()

    def flush(self) -> None:
        """Write what is noted."""
        noted, self._noted = self._noted, []
        if noted:
            sys.stderr.buffer.write(b"".join(_line(*request) for request in noted))
            sys.stderr.buffer.flush()


def _line(at: float, request_id: str, method: str, path: str, status: int, seconds: float) -> bytes:
    fields = {
        "time": round(at, 3),
        "level": "info",
        "request_id": request_id,
        "method": method,
        "path": path[:500],
        "status": status,
        "ms": round(seconds * 1000, 3),
    }
    return as_json(fields) + b"\n"
