"""Endpoints: a process of the container's `serve` each, started, watched and replaced.

A thread looks after each endpoint. What an endpoint serves lies unpacked in the platform's folder,
so that it comes back after a restart though its objects or its configuration are gone.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING

from brasa.errors import BrasaError
from brasa.platform import archives, logs
from brasa.platform.children import Child, environment, free_port
from brasa.platform.resources import ENDPOINT
from brasa.platform.s3_address import S3Address
from brasa.platform.training_run import CONTAINER

if TYPE_CHECKING:
    from pathlib import Path

    from brasa.platform.objects import ObjectStore
    from brasa.platform.store import Document, Store

_log = logging.getLogger("brasa.platform")
_HEALTHY_S = 480.0  # as AWS gives a container to answer /ping
_STOP_S = 30.0
_MOST_RESTARTS = 5
_STEADY_S = 60.0  # one that has run for as long has its restarts forgiven


@dataclass(frozen=True)
class Serving:
    """Where an endpoint's requests go.

    Attributes
    ----------
    port : int
        Of its process.
    variant : str
        Name of its production variant.
    stream : str
        Its log stream.
    """

    port: int
    variant: str
    stream: str


class Endpoints:
    """All endpoints of a platform.

    Parameters
    ----------
    store : Store
    objects : ObjectStore
    folder : Path
        Where their models are unpacked.
    """

    def __init__(self, store: Store, objects: ObjectStore, folder: Path) -> None:
        self.store, self.objects, self.folder = store, objects, folder
        folder.mkdir(exist_ok=True)
        self._lock = threading.Lock()
        self._keepers: dict[str, _Keeper] = {}
        self._serving: dict[str, Serving] = {}

    def start(self) -> None:
        """Bring back the endpoints that are in the store."""
        known = {endpoint["EndpointName"] for endpoint in self.store.documents(ENDPOINT)}
        for folder in self.folder.iterdir():
            if folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)
        for name in sorted(known):
            self.store.change(ENDPOINT, name, _come_back)
            self.look(name)

    def look(self, name: str) -> None:
        """An endpoint was made, changed or deleted."""
        with self._lock:
            keeper = self._keepers.get(name)
            if keeper is None:
                keeper = self._keepers[name] = _Keeper(self, name)
                keeper.start()
            keeper.woken.set()

    def serving(self, name: str) -> Serving | None:
        """Where requests for an endpoint go; None when there is none, or not yet."""
        return self._serving.get(name)

    def serve(self, name: str, serving: Serving | None) -> None:
        """Send requests there from now on."""
        if serving is None:
            self._serving.pop(name, None)
        else:
            self._serving[name] = serving

    def wait(self, name: str, seconds: float) -> None:
        """Return when an endpoint serves, has failed, or time is up."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            endpoint = self.store.get(ENDPOINT, name)
            if endpoint is None or endpoint["EndpointStatus"] not in ("Creating", "Updating"):
                return
            time.sleep(0.02)

    def leave(self, name: str) -> bool:
        """End a deleted endpoint's keeper; False when the name was taken again meanwhile."""
        with self._lock:
            if self.store.get(ENDPOINT, name) is not None:
                return False
            del self._keepers[name]
            return True


def _come_back(endpoint: Document) -> str:
    if endpoint["EndpointStatus"] == "InService":
        endpoint["EndpointStatus"] = "Creating"
    return str(endpoint["EndpointStatus"])


@dataclass
class _Process:
    child: Child
    serving: Serving
    log: int
    started: float
    folder: Path


class _Keeper(threading.Thread):
    """Looks after one endpoint until it is deleted."""

    def __init__(self, endpoints: Endpoints, name: str) -> None:
        super().__init__(name=f"endpoint {name}", daemon=True)
        self.woken = threading.Event()
        self._all, self._name = endpoints, name
        self._folder = endpoints.folder / name
        self._process: _Process | None = None
        self._of: float = 0.0  # when the endpoint was made that the process serves
        self._restarts = 0

    def run(self) -> None:
        while True:
            self.woken.clear()
            try:
                endpoint = self._all.store.get(ENDPOINT, self._name)
                if self._process and (not endpoint or endpoint["CreationTime"] != self._of):
                    self._end_process()
                    shutil.rmtree(self._folder, ignore_errors=True)
                if endpoint is None:
                    shutil.rmtree(self._folder, ignore_errors=True)
                    if self._all.leave(self._name):
                        return
                    continue
                self._look(endpoint)
            except Exception as error:
                _log.exception("endpoint %s failed", self._name)
                self._status("Failed", f"InternalServerError: {error}")
            self._attend()

    def _look(self, endpoint: Document) -> None:
        if endpoint["EndpointStatus"] == "Updating":
            self._update(endpoint)
        elif self._process is None and endpoint["EndpointStatus"] != "Failed":
            self._of = endpoint["CreationTime"]
            try:
                process = self._launch(endpoint, endpoint["_container"], endpoint["_generation"])
            except BrasaError as error:
                self._status("Failed", str(error))
                return
            self._take(process)
            self._status("InService")

    def _update(self, endpoint: Document) -> None:
        following = endpoint.get("_next")
        if following is None:
            self._status("InService" if self._process else "Creating")
            self.woken.set()
            return
        self._of = endpoint["CreationTime"]
        generation = endpoint["_generation"] + 1
        try:
            process = self._launch(endpoint, following["container"], generation)
        except BrasaError as error:
            reason = str(error)[:1024]

            def back(document: Document) -> str:
                document.pop("_next", None)
                document["FailureReason"] = reason
                document["EndpointStatus"] = "InService" if self._process else "Failed"
                return str(document["EndpointStatus"])

            self._all.store.change(ENDPOINT, self._name, back)
            return
        old = self._process
        self._take(process)

        def done(document: Document) -> str:
            document["_container"] = following["container"]
            document["_variants"] = following["variants"]
            document["EndpointConfigName"] = following["config"]
            document["_generation"] = generation
            document.pop("_next", None)
            document["ProductionVariants"] = following["variants"]
            document["EndpointStatus"] = "InService"
            return "InService"

        self._all.store.change(ENDPOINT, self._name, done)
        if old is not None:
            _end(old)
            shutil.rmtree(old.folder, ignore_errors=True)

    def _take(self, process: _Process) -> None:
        self._process = process
        self._all.serve(self._name, process.serving)

    def _launch(self, endpoint: Document, container: Document, generation: int) -> _Process:
        base = self._folder / f"{endpoint['CreationTime']:.6f}-{generation}"
        if not base.is_dir():
            self._fetch(container["ModelDataUrl"], base)
        port = free_port()
        variant = endpoint["_variants"][0]["VariantName"]
        stream = f"{variant}/i-{int(time.time() * 1000):x}"
        log = self._all.store.log_stream(f"{logs.ENDPOINT_GROUP}/{self._name}", stream)
        child = Child(
            (*CONTAINER, "serve"),
            environment(
                {
                    **container.get("Environment", {}),
                    "SAGEMAKER_BASE_DIR": str(base),
                    "SAGEMAKER_BIND_TO_PORT": str(port),
                    "BRASA_HOST": "127.0.0.1",  # others come through the platform, with a key
                    "SAGEMAKER_REGION": endpoint["_region"],
                }
            ),
            base,
        )
        serving = Serving(port, variant, stream)
        process = _Process(child, serving, log, time.monotonic(), base)
        try:
            self._until_healthy(process, port)
        except BaseException:
            child.close()
            raise
        return process

    def _fetch(self, address: str, base: Path) -> None:
        new = base.with_name(base.name + ".new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        archive = new / "model.tar.gz"
        try:
            self._all.objects.download(S3Address.parse(address), archive)
            archives.unpack(archive, new / "model")
        except BrasaError as error:
            shutil.rmtree(new, ignore_errors=True)
            message = f"The model data at {address} cannot be used: {error}"
            raise BrasaError(message) from None
        archive.unlink()
        new.rename(base)

    def _until_healthy(self, process: _Process, port: int) -> None:
        lines: list[str] = []

        def write(new: list[tuple[int, str]]) -> None:
            self._all.store.log(process.log, new)
            lines[:] = (lines + [line for _, line in new])[-3:]

        deadline = time.monotonic() + _HEALTHY_S
        while not answers_ping(port):
            process.child.pump(write, 0.02)
            if process.child.exit_code is not None:
                process.child.drain(write)
                said = " ".join(lines) or f"exit code {process.child.exit_code}"
                raise BrasaError(f"The container did not pass the ping health check: {said}")
            if time.monotonic() > deadline:
                raise BrasaError("The container did not pass the ping health check in 8 minutes.")
            if self._all.store.get(ENDPOINT, self._name) is None:
                raise BrasaError("The endpoint was deleted.")

    def _attend(self) -> None:
        """Keep the log until something has changed."""
        process = self._process
        if process is None:
            self.woken.wait()
            return

        def write(lines: list[tuple[int, str]]) -> None:
            self._all.store.log(process.log, lines)

        while not self.woken.is_set() and process.child.exit_code is None:
            process.child.pump(write, 0.2)
        if process.child.exit_code is not None and not self.woken.is_set():
            process.child.drain(write)
            self._died(process)

    def _died(self, process: _Process) -> None:
        self._restarts = 0 if time.monotonic() - process.started > _STEADY_S else self._restarts + 1
        _log.error("endpoint %s ended: started again", self._name)
        self._process = None
        self._all.serve(self._name, None)
        process.child.close()
        if self._restarts > _MOST_RESTARTS:
            self._status("Failed", f"The container ended {self._restarts} times in a row.")
        else:
            self.woken.set()

    def _end_process(self) -> None:
        self._all.serve(self._name, None)
        if self._process is not None:
            _end(self._process)
        self._process = None

    def _status(self, status: str, reason: str | None = None) -> None:
        def change(endpoint: Document) -> str:
            endpoint["EndpointStatus"] = status
            endpoint.pop("FailureReason", None)
            if reason is not None:
                endpoint["FailureReason"] = reason[:1024]
            if status == "InService":
                endpoint["ProductionVariants"] = endpoint["_variants"]
            return status

        self._all.store.change(ENDPOINT, self._name, change)


def _end(process: _Process) -> None:
    process.child.terminate()
    deadline = time.monotonic() + _STOP_S
    while process.child.exit_code is None and time.monotonic() < deadline:
        process.child.pump(lambda lines: None, 0.05)
    process.child.close()


def answers_ping(port: int) -> bool:
    """Whether a container is healthy."""
    with (
        contextlib.suppress(OSError, urllib.error.URLError),
        urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=2) as answer,
    ):
        return bool(answer.status == 200)
    return False
