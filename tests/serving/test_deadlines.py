"""Waits that end: `brasa.serving.deadlines`."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from brasa.serving.deadlines import Deadline

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


def _run(work: Coroutine[Any, Any, T]) -> T:
    # In a thread: the browser's tests keep a loop in this one.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


async def _late(deadline: Deadline) -> float:
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        await deadline.wait(asyncio.Event().wait())
    return time.monotonic() - start


def test_what_comes_in_time_is_given_and_what_does_not_is_ended() -> None:
    async def soon() -> str:
        await asyncio.sleep(0.02)
        return "body"

    async def run() -> tuple[list[float], list[str]]:
        deadline = Deadline(0.1)
        late = asyncio.gather(*(_late(deadline) for _ in range(3)))
        in_time = asyncio.gather(*(deadline.wait(soon()) for _ in range(3)))
        return await late, await in_time

    late, in_time = _run(run())
    assert in_time == ["body"] * 3
    assert all(0.1 <= seconds < 1 for seconds in late)


def test_a_later_wait_has_its_own_time_and_the_task_goes_on() -> None:
    async def run() -> None:
        deadline = Deadline(0.1)
        for _ in range(2):  # in one task: it is not left cancelled
            assert 0.1 <= await _late(deadline) < 1
            await asyncio.sleep(0.15)  # the timer has ended, and begins again
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0

    _run(run())


def test_errors_and_another_ones_cancelling_come_through() -> None:
    async def broken() -> None:
        raise ValueError("broken")

    async def run() -> None:
        deadline = Deadline(5)
        with pytest.raises(ValueError, match="broken"):
            await deadline.wait(broken())
        waiting = asyncio.create_task(_late(deadline))
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    _run(run())
