"""One platform: its parts put together, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import ipaddress
import logging
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from brasa.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from brasa.platform.context import Platform
    from brasa.platform.folder import DataFolder
    from brasa.platform.jobs import Jobs
    from brasa.platform.objects import ObjectStore
    from brasa.platform.store import Store

_log = logging.getLogger("brasa.platform")
_NEEDED = ("granian", "orjson", "aiohttp", "boto3", "httptools", "isal")
_DRAIN_S = 5.0
_HEADER_TIMEOUT_MS = 10_000
_POOL = 256  # connections to the store


@dataclass(frozen=True)
class PlatformOptions:
    """What a platform is started with.

    Attributes
    ----------
    data : Path
        Its folder.
    host : str
    port : int
        0 for any free one.
    s3_endpoint : str or None
        Address of the user's own object store; None for the embedded one.
    n_cores : int or None
        How many cores jobs may take together; None for all.
    auth : bool
        Whether requests must be signed by one of the platform's keys.
    """

    data: Path
    host: str = "127.0.0.1"
    port: int = 9000
    s3_endpoint: str | None = None
    n_cores: int | None = None
    auth: bool = True


def run(options: PlatformOptions, ready: Callable[[str], None]) -> None:
    """Run a platform until SIGTERM or Ctrl-C.

    Parameters
    ----------
    options : PlatformOptions
    ready : callable
        Called with the address when it answers.

    Raises
    ------
    ConfigError
        For a platform without keys that others than this machine can reach.
    MissingExtraError
        When what it needs is not installed.
    StorageError
        When its folder is in use, or its address is.
    """
    if not options.auth and not _is_loopback(options.host):
        raise ConfigError("host", options.host, "127.0.0.1, ::1 or localhost with --no-auth")
    for package in _NEEDED:
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise MissingExtraError(package, "platform", "the platform") from error
    from brasa.platform import getting_in, shapes
    from brasa.platform.folder import DataFolder
    from brasa.platform.jobs import Jobs
    from brasa.platform.objects import ObjectStore
    from brasa.platform.seaweed import SeaweedFS
    from brasa.platform.store import Store
    from brasa.serving.process import reserved

    folder = DataFolder(options.data)
    folder.lock()
    with contextlib.ExitStack() as stack:
        holder = stack.enter_context(reserved(options.host, options.port))
        port = holder.getsockname()[1]
        if options.s3_endpoint is None:
            embedded = SeaweedFS(folder.path / "objects")
            stack.callback(embedded.stop)
            objects = ObjectStore(embedded.endpoint, embedded.key, embedded.bucket_key)
        else:
            embedded = None
            objects = ObjectStore(options.s3_endpoint)
        store = Store(folder.path / "state.sqlite")
        stack.callback(store.close)
        shapes.load("sagemaker", "logs")
        getting_in.write_shim(folder)
        if embedded is not None:
            embedded.wait(objects)
        jobs = Jobs(store, options.n_cores)
        stack.callback(jobs.close)
        platform = _assembled(options, folder, store, objects, jobs)
        host = f"[{options.host}]" if ":" in options.host else options.host
        shown = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)
        folder.set_address(f"http://{shown}:{port}")
        asyncio.run(_serve(platform, options.host, port, lambda: ready(f"http://{shown}:{port}")))


def _assembled(
    options: PlatformOptions, folder: DataFolder, store: Store, objects: ObjectStore, jobs: Jobs
) -> Platform:
    from brasa.platform.context import Platform
    from brasa.platform.endpoints import Endpoints
    from brasa.platform.training_run import TrainingJobs
    from brasa.platform.transform_run import TransformJobs
    from brasa.platform.tuning import Tuning

    tuning = Tuning(store, jobs.wake)
    endpoints = Endpoints(store, objects, folder.path / "endpoints")
    platform = Platform(
        folder, folder.keys() if options.auth else [], store, objects, jobs, endpoints, tuning
    )
    training = TrainingJobs(store, objects, folder.path / "jobs", lambda name: tuning.wake())
    jobs.start(training, TransformJobs(store, objects, folder.path / "transforms"))
    tuning.start()
    endpoints.start()
    return platform


async def _serve(platform: Platform, host: str, port: int, ready: Callable[[], None]) -> None:
    import aiohttp
    from granian.constants import HTTPModes
    from granian.http import HTTP1Settings
    from granian.server.embed import Server

    from brasa.platform.app import App
    from brasa.platform.container_client import ContainerClient

    connector = aiohttp.TCPConnector(limit=_POOL, keepalive_timeout=60)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as client:
        containers = ContainerClient()
        server = Server(
            App(platform, client, containers),
            address=host,
            port=port,
            http=HTTPModes.http1,
            websockets=False,
            log_enabled=False,
            backlog=1024,
            http1_settings=HTTP1Settings(header_read_timeout=_HEADER_TIMEOUT_MS),
        )
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        serving = asyncio.create_task(server.serve())
        ready()
        await stop.wait()
        server.stop()  # type: ignore[no-untyped-call]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(serving, _DRAIN_S)
        containers.close()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
