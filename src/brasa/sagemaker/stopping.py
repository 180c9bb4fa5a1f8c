"""SIGTERM: SageMaker's word that a job is to end, 120 s before it is killed."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


class Stop:
    """Whether the job is to end.

    While nothing is there to be kept, SIGTERM raises KeyboardInterrupt wherever the process is: it
    may wait for a pipe. Later it is only noted, and `check` raises, so that no file that is being
    written and no epoch's end is cut short.

    Attributes
    ----------
    asked : bool
    at_once : bool
        Whether SIGTERM raises by itself.
    """

    def __init__(self) -> None:
        self.asked = False
        self.at_once = False

    def listen(self) -> None:
        """Take SIGTERM from now on, and Ctrl-C, which is the same where a user runs the job."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def ignore(self) -> None:
        """Take it no more: all is written, and a process that ends would be killed by it."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)

    def interrupt_at_once(self) -> None:
        """Let SIGTERM raise from now on, and for one that came before."""
        self.at_once = True
        self.check()

    def check(self) -> None:
        """Raise KeyboardInterrupt if the job is to end."""
        if self.asked:
            raise KeyboardInterrupt

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        first, self.asked = not self.asked, True
        if first and self.at_once:  # a second one would come into the cleaning up
            raise KeyboardInterrupt
