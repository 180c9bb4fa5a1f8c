"""Real servers on ports of their own, with models trained on a few lines."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
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
    process: subprocess.Popen[str]
    client: httpx.Client

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
def serve() -> Iterator[Serve]:
    """Start a server; all are stopped at the end."""
    servers: list[Server] = []

    def start(*arguments: object, **environment: str) -> Server:
        command = [_BRASA, "serve", *map(str, arguments)]
        if "--port" not in command and "SAGEMAKER_BIND_TO_PORT" not in environment:
            command += ["--port", "0"]
        process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
        )
        assert process.stderr is not None
        said = ""
        while (found := _SERVING.search(said)) is None:
            line = process.stderr.readline()
            if not line:
                process.communicate()
                pytest.fail(f"the server said {said!r}")
            said += line
        url = found[1]
        server = Server(url, process, httpx.Client(base_url=url, timeout=30))
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.client.close()
        if server.process.poll() is None:
            server.process.terminate()
        server.process.communicate()


@pytest.fixture(scope="session")
def server(serve: Serve, models: Path) -> Server:
    """One with all models; `subwords` is the default."""
    return serve(models / "subwords", models / "words", models / "sentiment")


@pytest.fixture(scope="session")
def client(server: Server) -> httpx.Client:
    return server.client
