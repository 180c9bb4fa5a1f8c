"""A program: PARENT CORES COMMAND... becomes COMMAND, which Linux ends when the parent dies."""

from __future__ import annotations

import contextlib
import os
import sys

_PR_SET_PDEATHSIG, _SIGKILL = 1, 9


def main() -> None:
    """Ask for the signal, and become the command."""
    parent, cores, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL)
        if cores:  # brasa has as many threads as it may use cores
            os.sched_setaffinity(0, map(int, cores.split(",")))
    if os.getppid() != parent:  # it died before the signal was asked for
        sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
