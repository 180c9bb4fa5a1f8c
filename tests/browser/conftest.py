"""A server with real models, for the page that it has."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import brasa

_ROOT = Path(__file__).parents[2]
_PROGRAM = str(Path(sys.executable).parent / "brasa")


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Word vectors of WordNet's text, with subwords; and a classifier of a few lines."""
    folder = tmp_path_factory.mktemp("models")
    brasa.WordVectors.train(
        _ROOT / "src/brasa/demo/wordnet.txt.gz",
        vector_dim=24, subwords=True, buckets=20_000, min_count=20, epochs=2, seed=1,
    ).save(folder / "wordnet")  # fmt: skip
    lines = ["the movie was good and great", "the film was bad and poor", "a great film"]
    labeled = [(line, "good" if "great" in line else "bad") for line in lines * 20]
    brasa.TextClassifier.train(labeled, vector_dim=8, min_count=1, epochs=5, seed=1).save(
        folder / "sentiment"
    )
    return folder


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Start a server, and give its address."""
    folder = tmp_path_factory.mktemp("servers")
    processes: list[subprocess.Popen[bytes]] = []

    def start(*arguments: object) -> str:
        log = folder / f"{len(processes)}.log"
        command = [_PROGRAM, "serve", *map(str, arguments), "--port", "0"]
        environment = {**os.environ, "XDG_CACHE_HOME": str(folder)}
        with log.open("w") as file:
            processes.append(subprocess.Popen(command, stderr=file, env=environment))
        while (found := re.search(r"serving at (\S+)", log.read_text())) is None:
            assert processes[-1].poll() is None, log.read_text()
            time.sleep(0.01)
        return found[1]

    yield start
    for process in processes:
        process.terminate()
        process.wait(40)


@pytest.fixture(scope="session")
def url(serve: Callable[..., str], models: Path) -> str:
    return serve(models / "wordnet", models / "sentiment")
