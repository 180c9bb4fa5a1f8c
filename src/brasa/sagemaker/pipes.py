"""Named pipes that SageMaker writes to: read with an end to the patience."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import select
import stat
import time
from typing import TYPE_CHECKING, Any, BinaryIO

from brasa.sagemaker.environment import seconds
from brasa.sagemaker.errors import ClientError

if TYPE_CHECKING:
    from pathlib import Path

_WAIT_S = 300.0
_BUFFER_BYTES = 1 << 20
_LOOK_S = 0.05


def open_pipe(path: Path, what: str) -> BinaryIO:
    """A pipe that may not be there yet; or a plain file in its place.

    It may be missing for ``BRASA_PIPE_SECONDS``, 300 by default, and each time that it is read have
    nothing for as long.

    Parameters
    ----------
    path : Path
    what : str
        Channel and epoch, for messages.

    Raises
    ------
    ClientError
        Also by what reads it.
    """
    wait_s = seconds("BRASA_PIPE_SECONDS", _WAIT_S)
    deadline = time.monotonic() + wait_s
    while True:
        try:
            mode = os.stat(path).st_mode
            if stat.S_ISFIFO(mode) or stat.S_ISREG(mode):
                return io.BufferedReader(_Pipe(path, what, wait_s), _BUFFER_BYTES)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENXIO):
                raise ClientError(f"{what}: {path} cannot be read: {error.strerror}") from None
        if time.monotonic() > deadline:
            raise ClientError(f"{what}: {path} is not there after {wait_s:g} s")
        time.sleep(_LOOK_S)


class _Pipe(io.RawIOBase):
    """Opened at once, without waiting for somebody to write, which could be for ever."""

    def __init__(self, path: Path, what: str, wait_s: float) -> None:
        self._path, self._what, self._wait_s = path, what, wait_s
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        self._poll = select.poll()
        # Nobody has written, and nobody writes any more, is told apart: the latter is POLLHUP.
        self._poll.register(self._descriptor, select.POLLIN)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while True:
            if not self._poll.poll(self._wait_s * 1000):
                raise ClientError(
                    f"{self._what}: nobody has written to the pipe {self._path} for "
                    f"{self._wait_s:g} s"
                )
            with contextlib.suppress(BlockingIOError):
                return os.readv(self._descriptor, [buffer])

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()
