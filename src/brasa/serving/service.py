"""What routes have at hand: the models, the options, and what workers share."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from brasa.serving.registry import ServedModel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from brasa.serving.options import ServerOptions
    from brasa.serving.registry import Registry
    from brasa.serving.shared import Shared

_log = logging.getLogger("brasa.serving")


@dataclass
class Service:
    """A worker's view of the server.

    Attributes
    ----------
    models : Registry
    options : ServerOptions
    shared : Shared
    list_path : str
        File that lists the models which requests have loaded and unloaded, for all workers.
    worker : int
        Its number, from 0.
    """

    models: Registry
    options: ServerOptions
    shared: Shared
    list_path: str
    worker: int = 0
    _generation: float = field(default=0.0)
    _catching_up: Lock = field(default_factory=Lock)

    @property
    def is_stale(self) -> bool:
        """Whether another worker has loaded or unloaded a model."""
        return self.shared.generation != self._generation

    def catch_up(self) -> None:
        """Load and unload what other workers have; one that cannot be loaded is told in the log."""
        with self._catching_up:
            if not self.is_stale:  # another request's thread was first
                return
            generation = self.shared.generation
            for name, path in self._read().items():
                loaded = self.models.find(name)
                if path is None:
                    self.models.discard(name)
                elif loaded is None or loaded.path != path:
                    try:
                        self.models.put(ServedModel.open(name, path))
                    except Exception as error:  # others are asked for, too
                        _log.error("%s is not loaded: %s", name, error)
                        self.models.discard(name)
            self._generation = generation

    def note(self, name: str, path: str | None) -> None:
        """Tell all workers of a model that this one has loaded, or (None) unloaded."""
        with self._locked():
            wanted = self._read()
            wanted[name] = path
            temporary = f"{self.list_path}.{self.worker}"
            with open(temporary, "w") as file:
                json.dump(wanted, file)
            os.replace(temporary, self.list_path)
            self.shared.next_generation()

    def _read(self) -> dict[str, str | None]:
        try:
            with open(self.list_path) as file:
                found: dict[str, str | None] = json.load(file)
                return found
        except FileNotFoundError:
            return {}

    def _locked(self) -> AbstractContextManager[None]:
        return _lock(f"{self.list_path}.lock")


@contextlib.contextmanager
def _lock(path: str) -> Iterator[None]:
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
