"""The hosts of a job, which share the training of ``batch_skipgram``."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from brasa.backends.cpu import CpuBackend
from brasa.backends.hosts import PORT, Follower, Leader, key_of
from brasa.sagemaker.errors import ClientError

if TYPE_CHECKING:
    from brasa.backends import Backend

MakeBackend = Callable[..., "Backend"]
# Where the first host listens, as HOST:PORT; without it, at its name in the job's network.
LEADER = "BRASA_LEADER"


@dataclass(frozen=True)
class Hosts:
    """Which hosts there are, and which one this is.

    Attributes
    ----------
    names : tuple of str
        The first in the alphabet leads, as in BlazingText.
    own : str
    key : bytes
        What only hosts of this job know.
    """

    names: tuple[str, ...]
    own: str
    key: bytes

    @classmethod
    def of(cls, resources: Mapping[str, Any], hyperparameters: Mapping[str, Any]) -> Hosts:
        """Those of ``resourceconfig.json``; one host if it says nothing.

        Raises
        ------
        ClientError
            When this host is none of them.
        """
        names = tuple(sorted(str(host) for host in resources.get("hosts") or ["algo-1"]))
        own = str(resources.get("current_host") or names[0])
        if own not in names:
            raise ClientError(f"current_host {own} is not one of hosts, {', '.join(names)}")
        job = os.environ.get("TRAINING_JOB_NAME", "")
        return cls(names, own, key_of(job, json.dumps(hyperparameters, sort_keys=True)))

    @property
    def is_first(self) -> bool:
        """Whether this host leads, and writes the artifacts."""
        return self.own == self.names[0]

    @contextlib.contextmanager
    def backend(self) -> Iterator[MakeBackend | None]:
        """What trains here: None on one host, else this host's part of all.

        Raises
        ------
        ClientError
            When the environment names no address.
        """
        if len(self.names) == 1:
            yield None
            return
        address = self._address()
        if not self.is_first:
            yield partial(Follower, CpuBackend, self.key, address)
            return
        # Others on this machine alone where that is where the address is.
        here = address if address[0] == "127.0.0.1" else ("0.0.0.0", address[1])
        made: list[Leader] = []

        def lead(*arguments: Any) -> Leader:
            made.append(Leader(CpuBackend, len(self.names), self.key, *arguments, address=here))
            return made[0]

        try:
            yield lead
        finally:
            for leader in made:
                leader.close()

    def _address(self) -> tuple[str, int]:
        text = os.environ.get(LEADER) or f"{self.names[0]}:{PORT}"
        host, _, port = text.rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise ClientError(f"environment variable {LEADER} is {text!r}, not HOST:PORT")
        return host, int(port)
