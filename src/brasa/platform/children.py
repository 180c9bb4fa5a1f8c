"""Processes that end when the platform does, however it ends."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_LAUNCHER = str(Path(__file__).with_name("launcher.py"))
_MAX_LINE = 256 << 10


class Child:
    """A process in a session of its own.

    It has to be started by a thread that lives as long as it: Linux ends it with that thread.

    Parameters
    ----------
    command : sequence of str
    environment : mapping
    folder : Path
        Where it runs.
    cores : sequence of int
        Numbers of the only cores that it may use; none for all.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        cores: Sequence[int] = (),
    ) -> None:
        numbers = ",".join(map(str, cores))
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", _LAUNCHER, str(os.getpid()), numbers, *command],
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self._output = self._process.stdout.fileno()
        os.set_blocking(self._output, False)
        self._pending = b""
        self._open = True

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """As shells have it, 128 + N after signal N; None while it runs."""
        code = self._process.poll()
        return code if code is None or code >= 0 else 128 - code

    def pump(self, write: Callable[[list[tuple[int, str]]], None], wait_s: float) -> None:
        """Hand over the lines, with their times in ms, that come within `wait_s`."""
        if not self._open:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(wait_s)
            return
        if not select.select([self._output], [], [], wait_s)[0]:
            return
        try:
            data = os.read(self._output, 1 << 16)
        except BlockingIOError:
            return
        self._open = bool(data)
        *lines, self._pending = (self._pending + data).split(b"\n")
        if self._pending and (not data or len(self._pending) > _MAX_LINE):
            lines.append(self._pending)
            self._pending = b""
        if lines:
            now = int(time.time() * 1000)
            write([(now, line.rstrip(b"\r").decode(errors="replace")) for line in lines])

    def drain(self, write: Callable[[list[tuple[int, str]]], None]) -> None:
        """Hand over what an ended process has left in its pipe."""
        deadline = time.monotonic() + 1.0  # a grandchild may hold the pipe open
        while self._open and time.monotonic() < deadline:
            self.pump(write, 0.05)

    def terminate(self) -> None:
        """Ask the process to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process and all that it has started."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def close(self) -> None:
        """End the process if it still runs, and let its pipe go."""
        self.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The platform's own variables without what is secret in them, and `extra`."""
    secret = ("AWS_", "BRASA_API_KEY")
    kept = {n: v for n, v in os.environ.items() if not n.startswith(secret)}
    return {**kept, "PYTHONUNBUFFERED": "1", **extra}


def free_port() -> int:
    """A port of loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
