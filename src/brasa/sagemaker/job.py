"""What every part of a job needs: its folders, its log, and whether it is to end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from brasa.sagemaker.channels import channel

if TYPE_CHECKING:
    from pathlib import Path

    from brasa.corpus import Corpus
    from brasa.sagemaker.folders import Folders
    from brasa.sagemaker.hosts import Hosts
    from brasa.sagemaker.stopping import Stop
    from brasa.training import Event


class Log(Protocol):
    """What shows a training: see `brasa.cli.progress.Display`."""

    def __call__(self, event: Event) -> None: ...

    def started(self, mode: str, corpus: Corpus, n_hosts: int = 1) -> None: ...

    def evaluated(self, model: str, report: dict[str, Any]) -> None: ...

    def print(self, line: str) -> None: ...


@dataclass(frozen=True)
class Job:
    """A job.

    Attributes
    ----------
    folders : Folders
    log : Log
    stop : Stop
    spool : Path
        A folder for what the job needs while it runs.
    hosts : Hosts
    """

    folders: Folders
    log: Log
    stop: Stop
    spool: Path
    hosts: Hosts

    def data(self, name: str, *, is_supervised: bool) -> Any:
        """The data of a channel: see `brasa.sagemaker.channels.channel`."""
        return channel(self.folders, name, is_supervised=is_supervised, spool=self.spool)
