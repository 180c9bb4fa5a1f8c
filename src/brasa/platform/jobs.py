"""The queue: jobs start in the order in which they were made, as soon as cores are free for them.

What is in the store is the queue. After a restart the jobs that were at work are at its head, and
start again from their checkpoints.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Protocol

from brasa.platform import machine

if TYPE_CHECKING:
    from brasa.platform.store import Document, Store

_log = logging.getLogger("brasa.platform")
_LOOK_S = 5.0  # should a wake-up be missed


class Run(Protocol):
    """A job at work, in a thread of its own."""

    def run(self) -> None:
        """Work until the job has ended, and write that down."""

    def stop(self) -> None:
        """Ask it to end early."""


class Kind(Protocol):
    """A kind of job.

    Attributes
    ----------
    name : str
        Of its resources.
    status : str
        The member of its documents.
    """

    name: str
    status: str

    def cores(self, job: Document) -> int:
        """Cores that it takes."""

    def start(self, job: Document, cores: list[int]) -> Run:
        """What runs it, on cores of these numbers."""

    def stopped(self, name: str) -> None:
        """Write down that a job was stopped before it began."""


class Jobs:
    """The dispatcher.

    Parameters
    ----------
    store : Store
    n_cores : int
        How many cores jobs may take together.
    """

    def __init__(self, store: Store, n_cores: int | None = None) -> None:
        self._store = store
        self._free = machine.core_numbers()[:n_cores]
        self._all = len(self._free)
        self._kinds: list[Kind] = []
        self._runs: dict[tuple[str, str], Run] = {}
        self._condition = threading.Condition()
        self._woken = False
        self._closed = False
        self._thread = threading.Thread(target=self._dispatch, name="jobs", daemon=True)

    def start(self, *kinds: Kind) -> None:
        """Begin with what is in the store."""
        self._kinds = list(kinds)
        self._thread.start()

    def wake(self) -> None:
        """Look at the store again: there is a new job, or one to stop."""
        with self._condition:
            self._woken = True
            self._condition.notify()

    def close(self) -> None:
        """Start nothing more."""
        with self._condition:
            self._closed = True
            self._condition.notify()

    def _dispatch(self) -> None:
        while True:
            try:
                self._look()
            except Exception:
                _log.exception("the queue failed")
            with self._condition:
                self._condition.wait_for(lambda: self._woken or self._closed, _LOOK_S)
                if self._closed:
                    return
                self._woken = False

    def _look(self) -> None:
        waiting = [
            (job["CreationTime"], job["_arn"], kind, job)
            for kind in self._kinds
            for job in self._store.documents(kind.name, ("InProgress", "Stopping"))
        ]
        blocked = False
        for _, _, kind, job in sorted(waiting, key=lambda item: item[:2]):
            name = job["_arn"].rpartition("/")[2]
            stopping = job[kind.status] == "Stopping"
            with self._condition:
                run = self._runs.get((kind.name, name))
            if run is not None:
                if stopping:
                    run.stop()
            elif stopping and not job.get("_starts"):
                kind.stopped(name)
            elif not blocked:
                blocked = not self._begin(kind, name, job)

    def _begin(self, kind: Kind, name: str, job: Document) -> bool:
        taken = min(kind.cores(job), self._all)
        with self._condition:
            if taken > len(self._free) or self._closed:
                return False
            cores, self._free = self._free[:taken], self._free[taken:]
            run = self._runs[kind.name, name] = kind.start(job, cores)

        def work() -> None:
            try:
                run.run()
            except Exception:
                if not self._closed:
                    _log.exception("%s %s failed", kind.name, name)
            finally:
                with self._condition:
                    self._free += cores
                    del self._runs[kind.name, name]
                self.wake()

        threading.Thread(target=work, name=f"{kind.name} {name}", daemon=True).start()
        return True
