"""The server's processes: workers that share an address and the models' memory, and their parent.

The parent opens the models before it forks, so that a broken one is refused at once and its pages
are shared; it serves nothing itself. SIGTERM and Ctrl-C let requests at work end, SIGHUP opens
changed models again, and a worker that dies is replaced.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import os
import signal
import socket
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from brasa.errors import MissingExtraError, StorageError
from brasa.serving import routes
from brasa.serving.registry import ServedModel, signature_of
from brasa.serving.service import Service
from brasa.serving.shared import Shared

if TYPE_CHECKING:
    from collections.abc import Callable

    from brasa.serving.options import ServerOptions
    from brasa.serving.registry import Registry

_log = logging.getLogger("brasa.serving")
_RESPAWN_AFTER_S = 0.5
_HEADER_TIMEOUT_MS = 10_000
_MAX_CONNECTIONS = 16_384
_LISTENING_WITHIN_S = 10.0


def run(models: Registry, options: ServerOptions, ready: Callable[[int], None]) -> None:
    """Serve until SIGTERM or Ctrl-C.

    Parameters
    ----------
    models : Registry
    options : ServerOptions
    ready : callable
        Called with the port when requests are answered.

    Raises
    ------
    MissingExtraError
        When Granian is not installed.
    StorageError
        When the address is taken.
    """
    try:
        importlib.import_module("granian")
    except ImportError as error:
        raise MissingExtraError("granian", "serve", "serving") from error
    with reserved(options.host, options.port) as holder, TemporaryDirectory() as folder:
        port = holder.getsockname()[1]
        _Parent(models, options, port, folder).run(ready)


def reserved(host: str, port: int) -> socket.socket:
    """A socket that is bound but does not listen: it keeps the port for the workers' own."""
    holder = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        probe = socket.socket(holder.family)
        with probe:  # one that shares with nobody tells whether somebody is there
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            port = probe.getsockname()[1]
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind((host, port))
    except OSError as error:
        holder.close()
        raise StorageError(f"{host}:{port}", f"cannot listen there: {error.strerror}") from None
    return holder


class _Parent:
    def __init__(self, models: Registry, options: ServerOptions, port: int, folder: str) -> None:
        self._models, self._options, self._port = models, options, port
        self._shared = Shared(routes.NAMES, options.workers)
        self._list_path = str(Path(folder) / "models.json")
        self._workers: dict[int, tuple[int, float]] = {}  # pid -> number, when it was started
        self._stopping = False
        # Only the parent holds the end for writing: when it is gone, its workers read the end.
        self._alive_read, self._alive_write = os.pipe()

    def run(self, ready: Callable[[int], None]) -> None:
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signal_number, self._stop)
        signal.signal(signal.SIGHUP, self._reload)
        for number in range(self._options.workers):
            self._fork(number)
        self._wait_until_listening()
        ready(self._port)
        while self._workers:
            try:
                pid, _status = os.wait()
            except ChildProcessError:
                break
            number, started = self._workers.pop(pid, (-1, 0.0))
            if number < 0 or self._stopping:
                continue
            _log.error("worker %d died: another one takes its place", pid)
            self._shared.set_active(number, 0)
            if time.monotonic() - started < _RESPAWN_AFTER_S:
                time.sleep(_RESPAWN_AFTER_S)
            self._fork(number)

    def _wait_until_listening(self) -> None:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._options.host, self._options.host)
        deadline = time.monotonic() + _LISTENING_WITHIN_S
        while time.monotonic() < deadline and not self._stopping:
            try:
                socket.create_connection((host, self._port), 1).close()
                return
            except OSError:
                time.sleep(0.002)

    def _fork(self, number: int) -> None:
        if self._stopping:  # the signal came while a dead worker was waited for
            return
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                os.close(self._alive_write)
                service = Service(
                    self._models, self._options, self._shared, self._list_path, number
                )
                asyncio.run(_work(service, self._port, self._alive_read))
                status = 0
            except BaseException:
                _log.exception("worker %d failed", os.getpid())
            finally:
                os._exit(status)
        self._workers[pid] = number, time.monotonic()

    def _stop(self, *_: Any) -> None:
        self._stopping = True
        self._tell(signal.SIGTERM)

    def _reload(self, *_: Any) -> None:
        _open_changed(self._models)  # for workers that are started later
        self._tell(signal.SIGHUP)

    def _tell(self, signal_number: int) -> None:
        for pid in list(self._workers):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal_number)


async def _work(service: Service, port: int, parent: int) -> None:
    from granian.constants import HTTPModes
    from granian.http import HTTP1Settings
    from granian.server.embed import Server

    from brasa.serving.app import App

    options = service.options
    app = App(service)
    server = Server(
        app,
        address=options.host,
        port=port,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=_HEADER_TIMEOUT_MS),
        websockets=False,
        log_enabled=False,
        backlog=2048,
        # Connections, of which stalled ones hold one each: far above the requests at work.
        backpressure=_MAX_CONNECTIONS,
    )
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_reader(parent, stop.set)
    loop.add_signal_handler(signal.SIGINT, lambda: None)  # the parent's to handle
    loop.add_signal_handler(
        signal.SIGHUP, loop.run_in_executor, None, _open_changed, service.models
    )
    watching = asyncio.create_task(_watch(service)) if options.watch_s else None
    serving = asyncio.create_task(server.serve())
    await stop.wait()
    loop.remove_reader(parent)
    if watching is not None:
        watching.cancel()
    server.stop()  # type: ignore[no-untyped-call]
    deadline = loop.time() + options.drain_s
    while not app.is_idle and loop.time() < deadline:
        await asyncio.sleep(0.02)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(serving, max(deadline - loop.time(), 0.1))
    app.flush()


async def _watch(service: Service) -> None:
    while True:
        await asyncio.sleep(service.options.watch_s)
        await asyncio.to_thread(_open_changed, service.models)


def _open_changed(models: Registry) -> None:
    for old in models.changed():
        signature = signature_of(old.path)
        try:
            models.put(ServedModel.open(old.name, old.path))
        except Exception as error:
            models.refuse(old.name, signature)
            _log.error("%s is not reloaded: %s", old.name, error)
        else:
            _log.info("%s was replaced, and is reloaded", old.name)
