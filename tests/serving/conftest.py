"""Real servers on ports of their own, with models trained on a few lines."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

import brasa

_LINES = ["the movie was good and great", "the film was bad and poor", "a great film", "a bad one"]
_BRASA = str(Path(sys.executable).parent / "brasa")
_SERVING = re.compile(r"serving at (http://\S+)")


@dataclass
class Server:
    """A running `brasa serve`."""

    url: str
    process: subprocess.Popen[bytes]
    client: httpx.Client
    log: Path

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        """Its exit code."""
        self.process.send_signal(signal_number)
        return self.process.wait(30)


Serve = Callable[..., Server]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with models: words, subwords, sentiment."""
    folder = tmp_path_factory.mktemp("models")
    options: dict[str, Any] = {
        "vector_dim": 8,
        "min_count": 1,
        "epochs": 3,
        "threads": 1,
        "seed": 1,
    }
    text = _LINES * 20
    brasa.WordVectors.train(text, **options).save(folder / "words")
    brasa.WordVectors.train(text, subwords=True, buckets=2000, **options).save(folder / "subwords")
    labeled = [(line, "good" if "great" in line else "bad") for line in text]
    brasa.TextClassifier.train(labeled, **options).save(folder / "sentiment")
    return folder


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Start a server; all are stopped at the end."""
    folder = tmp_path_factory.mktemp("logs")
    servers: list[Server] = []

    def start(*arguments: object, **environment: str) -> Server:
        command = [_BRASA, "serve", *map(str, arguments)]
        if "--port" not in command and "SAGEMAKER_BIND_TO_PORT" not in environment:
            command += ["--port", "0"]
        log = folder / f"{len(servers)}.log"
        with log.open("w") as file:
            process = subprocess.Popen(command, stderr=file, env={**os.environ, **environment})
        while (found := _SERVING.search(log.read_text())) is None:
            if process.poll() is not None:
                pytest.fail(f"the server said {log.read_text()!r}")
            time.sleep(0.01)
        url = found[1]
        server = Server(url, process, httpx.Client(base_url=url, timeout=30), log)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.client.close()
        if server.process.poll() is None:
            server.process.terminate()
        server.process.wait(30)


@pytest.fixture(scope="session")
def server(serve: Serve, models: Path) -> Server:
    """One with all models; `subwords` is the default."""
    return serve(models / "subwords", models / "words", models / "sentiment")


@pytest.fixture(scope="session")
def client(server: Server) -> httpx.Client:
    return server.client


@pytest.fixture(scope="session")
def server_url(server: Server) -> str:
    return server.url
