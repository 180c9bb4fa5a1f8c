"""Jobs of several hosts: each is a process with folders of its own."""

from __future__ import annotations

import json
import shutil
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

import brasa

WORDS = {
    "mode": "batch_skipgram", "min_count": "1", "vector_dim": "12", "epochs": "3",
    "evaluation": "False", "sampling_threshold": "0.05",
}  # fmt: skip
TEXT = "\n".join(f"the word{i % 40} and word{(i * 7) % 40} are here" for i in range(3000))


@pytest.fixture
def hosts(job: Any, tmp_path: Path) -> Any:
    """Lay out a job for several hosts; gives their folders and what they have in common."""

    def lay_out(n: int, given: dict[str, str], text: str = TEXT) -> tuple[list[Path], Any]:
        base = job(given, {"train/text": text})
        names = [f"algo-{i + 1}" for i in range(n)]
        folders = []
        for name in names:
            folder = tmp_path / name
            shutil.copytree(base, folder)
            resources = {"hosts": names, "current_host": name}
            (folder / "input/config/resourceconfig.json").write_text(json.dumps(resources))
            folders.append(folder)
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        return folders, {"BRASA_LEADER": f"127.0.0.1:{port}", "TRAINING_JOB_NAME": "job"}

    return lay_out


def test_the_first_host_leaves_the_model_of_all(hosts: Any, start: Any) -> None:
    folders, environment = hosts(3, WORDS)
    processes = [start(folder, **environment) for folder in folders]
    said = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said
    assert "Number of hosts: 3, this is algo-1" in said[0]
    distributed = "Running distributed CPU BlazingText training using batch_skipgram on 3 hosts."
    assert all(distributed in log for log in said)
    assert {"model.safetensors", "vectors.txt"} < {p.name for p in (folders[0] / "model").iterdir()}
    assert [(folder / "model").exists() for folder in folders[1:]] == [False, False]
    vectors = brasa.WordVectors.load(folders[0] / "model")
    assert len(vectors) > 40
    assert abs(vectors.embeddings.output).max() > 0.1


def test_a_host_that_is_killed_fails_the_job(hosts: Any, start: Any) -> None:
    folders, environment = hosts(2, WORDS | {"epochs": "200000"})
    processes = [start(folder, **environment) for folder in folders]
    for line in processes[0].stdout:
        if line.startswith("##### Alpha"):
            break
    processes[1].kill()
    said = processes[0].communicate(timeout=60)[0]
    assert processes[0].returncode == 1
    assert "AlgorithmError: a host of this job has ended" in said
    assert (folders[0] / "output/failure").read_text().startswith("AlgorithmError: a host")
    processes[1].communicate(timeout=10)


def test_sigterm_to_all_leaves_a_model_on_the_first(hosts: Any, start: Any) -> None:
    folders, environment = hosts(2, WORDS | {"epochs": "200000"})
    processes = [start(folder, **environment) for folder in folders]
    for line in processes[0].stdout:
        if line.startswith("##### Alpha"):
            break
    for process in processes:
        process.send_signal(signal.SIGTERM)
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert brasa.WordVectors.load(folders[0] / "model").metadata["interrupted"]


def test_hosts_with_other_data_are_told(hosts: Any, start: Any) -> None:
    folders, environment = hosts(2, WORDS)
    (folders[1] / "input/data/train/text").write_text(TEXT + "\nmore words here\n")
    processes = [start(folder, **environment) for folder in folders]
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [1, 1]
    assert "AlgorithmError: a host has read another text" in said[0]


@pytest.mark.parametrize("leader", ["nowhere", "algo-1:port", "x:0", ":5"])
def test_an_address_that_is_none(hosts: Any, train: Any, leader: str) -> None:
    folders, environment = hosts(2, WORDS)
    code, said = train(folders[1], **(environment | {"BRASA_LEADER": leader}))
    assert code == 1
    assert f"ClientError: environment variable BRASA_LEADER is '{leader}', not HOST:PORT" in said


def test_a_host_that_is_none_of_the_hosts(job: Any, train: Any) -> None:
    resources = {"hosts": ["algo-1", "algo-2"], "current_host": "algo-3"}
    code, said = train(job(WORDS, {"train/text": TEXT}, resources=resources))
    assert code == 1
    assert "ClientError: current_host algo-3 is not one of hosts, algo-1, algo-2" in said
