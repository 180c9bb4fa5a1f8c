"""A job's checkpoints in the object store: fetched before it starts, sent while it runs."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from brasa.errors import BrasaError
from brasa.platform.s3_address import S3Address

if TYPE_CHECKING:
    from pathlib import Path

    from brasa.platform.objects import ObjectStore
    from brasa.platform.store import Document

_log = logging.getLogger("brasa.platform")
_EVERY_S = 5.0


class CheckpointMirror:
    """The folder `checkpoints` of a job, and the address that its CheckpointConfig names, if any.

    Parameters
    ----------
    objects : ObjectStore
    job : dict
    folder : Path
    """

    def __init__(self, objects: ObjectStore, job: Document, folder: Path) -> None:
        config = job.get("CheckpointConfig")
        self._address = S3Address.parse(config["S3Uri"]) if config else None
        self._objects, self._folder = objects, folder
        self._sent: dict[str, tuple[int, int]] = {}
        self._next = 0.0

    def fetch(self) -> None:
        """Fetch what is there, unless the folder has checkpoints that are newer: its own."""
        if self._address is None or any(self._folder.iterdir()):
            return
        prefix = S3Address(self._address.bucket, self._address.key.rstrip("/") + "/")
        for key, _size in self._objects.list(prefix):
            name = key[len(prefix.key) :]
            if not name or name.endswith("/") or ".." in name.split("/"):
                continue
            self._objects.download(S3Address(prefix.bucket, key), self._folder / name)
        self._sent = self._there()

    def push(self, *, last: bool = False) -> None:
        """Send what has changed, forget what is gone; a failure is tried again a moment later."""
        if self._address is None or (time.monotonic() < self._next and not last):
            return
        try:
            there = self._there()
            for name, signature in there.items():
                if self._sent.get(name) != signature:
                    self._objects.upload(self._folder / name, self._address / name)
                    self._sent[name] = signature
            for name in self._sent.keys() - there.keys():
                self._objects.delete(self._address / name)
                del self._sent[name]
        except (BrasaError, OSError) as error:
            _log.warning("checkpoints are not sent: %s", error)
        self._next = time.monotonic() + _EVERY_S

    def _there(self) -> dict[str, tuple[int, int]]:
        found = {}
        for path in self._folder.rglob("*"):
            if path.is_file() and not path.name.endswith(".tmp"):
                status = path.stat()
                name = path.relative_to(self._folder).as_posix()
                found[name] = (status.st_size, status.st_mtime_ns)
        return found
