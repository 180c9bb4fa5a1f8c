"""An end to waiting for what does not arrive, by one timer for all requests."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable

T = TypeVar("T")
_LOOKS = 16  # at the clock within the time that a request has


class Deadline:
    """Gives each wait the same time. `asyncio.timeout` sets a timer for each: 7.5 us, not 2.

    Parameters
    ----------
    seconds : float
        From the begin of a wait until it is ended; it may be up to a sixteenth more.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._began: dict[asyncio.Task[object], float] = {}  # the oldest first
        self._late: set[asyncio.Task[object]] = set()
        self._is_looking = False

    async def wait(self, awaitable: Awaitable[T]) -> T:
        """What `awaitable` gives.

        Raises
        ------
        TimeoutError
            When it has not come in time.
        """
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None
        self._began[task] = loop.time()
        if not self._is_looking:
            self._is_looking = True
            loop.call_later(self._seconds / _LOOKS, self._look, loop)
        try:
            return await awaitable
        except asyncio.CancelledError:
            if task not in self._late:
                raise
            task.uncancel()
            raise TimeoutError from None
        finally:
            del self._began[task]
            self._late.discard(task)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        first = loop.time() - self._seconds
        for task, began in self._began.items():
            if began > first:
                break
            if task not in self._late:
                self._late.add(task)
                task.cancel()
        self._is_looking = bool(self._began)
        if self._is_looking:
            loop.call_later(self._seconds / _LOOKS, self._look, loop)
