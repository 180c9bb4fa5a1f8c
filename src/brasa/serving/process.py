"""The server's processes: workers that share an address and the models' memory, and their parent.

The parent opens the models before it forks, so that a broken one is refused at once and its pages
are shared; it serves nothing itself. SIGTERM and Ctrl-C let requests at work end, SIGHUP opens
changed models again, and a worker that dies is replaced.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING, Any

from brasa.errors import MissingExtraError, StorageError
from brasa.serving.registry import ServedModel

if TYPE_CHECKING:
    from collections.abc import Callable

    from brasa.serving.options import ServerOptions
    from brasa.serving.registry import Registry

_log = logging.getLogger("brasa.serving")
_RESPAWN_AFTER_S = 0.5


def run(models: Registry, options: ServerOptions, ready: Callable[[int], None]) -> None:
    """Serve until SIGTERM or Ctrl-C.

    Parameters
    ----------
    models : Registry
    options : ServerOptions
    ready : callable
        Called with the port when all workers are started.

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
    with _reserved(options.host, options.port) as holder:
        port = holder.getsockname()[1]
        _Parent(models, options, port).run(ready)


def _reserved(host: str, port: int) -> socket.socket:
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
    def __init__(self, models: Registry, options: ServerOptions, port: int) -> None:
        self._models, self._options, self._port = models, options, port
        self._workers: dict[int, float] = {}
        self._stopping = False
        # Only the parent holds the end for writing: when it is gone, its workers read the end.
        self._alive_read, self._alive_write = os.pipe()

    def run(self, ready: Callable[[int], None]) -> None:
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signal_number, self._stop)
        signal.signal(signal.SIGHUP, self._reload)
        for _ in range(self._options.workers):
            self._fork()
        ready(self._port)
        while self._workers:
            try:
                pid, _status = os.wait()
            except ChildProcessError:
                break
            started = self._workers.pop(pid, None)
            if started is None or self._stopping:
                continue
            _log.error("worker %d died: another one takes its place", pid)
            if time.monotonic() - started < _RESPAWN_AFTER_S:
                time.sleep(_RESPAWN_AFTER_S)
            self._fork()

    def _fork(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                os.close(self._alive_write)
                asyncio.run(_work(self._models, self._options, self._port, self._alive_read))
                status = 0
            finally:
                os._exit(status)
        self._workers[pid] = time.monotonic()

    def _stop(self, *_: Any) -> None:
        self._stopping = True
        self._tell(signal.SIGTERM)

    def _reload(self, *_: Any) -> None:
        _open_changed(self._models)  # for workers that are started later
        self._tell(signal.SIGHUP)

    def _tell(self, signal_number: int) -> None:
        for pid in list(self._workers):
            os.kill(pid, signal_number)


async def _work(models: Registry, options: ServerOptions, port: int, parent: int) -> None:
    from granian.constants import HTTPModes
    from granian.server.embed import Server

    from brasa.serving.app import App

    app = App(models, options)
    server = Server(
        app,
        address=options.host,
        port=port,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
        backlog=2048,
        backpressure=options.max_waiting * 2 + 1024,
    )
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_reader(parent, stop.set)
    loop.add_signal_handler(signal.SIGINT, lambda: None)  # the parent's to handle
    loop.add_signal_handler(
        signal.SIGHUP, lambda: loop.run_in_executor(None, _open_changed, models)
    )
    serving = asyncio.create_task(server.serve())
    await stop.wait()
    server.stop()  # type: ignore[no-untyped-call]
    try:
        await asyncio.wait_for(serving, options.drain_s)
    except TimeoutError:
        return


def _open_changed(models: Registry) -> None:
    for old in models.changed():
        try:
            models.put(ServedModel.open(old.name, old.path))
        except Exception as error:  # noqa: PERF203  (the old one goes on)
            _log.error("%s is not reloaded: %s", old.name, error)
