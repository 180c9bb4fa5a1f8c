"""AWS's own SDKs and its command line, each in an environment of its own, against one platform.

They wait 30 s at a time for a job or an endpoint: all are started at once, and sleep together.
"""

from __future__ import annotations

import gzip
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_CLIENTS = Path(__file__).parent / "clients"
_NOTEBOOK = Path(__file__).parents[3] / "shared/notebook/blazingtext_pt.txt"
_WAIT_S = 240


@dataclass
class Started:
    """A client at work, and where what it says goes."""

    process: subprocess.Popen[bytes]
    said: Path

    def end(self) -> str:
        code = self.process.wait(_WAIT_S)
        said = self.said.read_text(errors="replace")
        assert code == 0, said[-5000:]
        return said


@pytest.fixture(scope="module")
def started(platform: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    pythons = {
        name: os.environ.get(f"BRASA_SAGEMAKER_{name.upper()}_PYTHON")
        for name in ["v1", "v2", "v3"]
    }
    if not all(pythons.values()) or not _NOTEBOOK.exists():
        pytest.skip("BRASA_SAGEMAKER_V1_PYTHON, ..V2.., ..V3.. name no Pythons with AWS's SDKs")
    line = b"the movie was awesome and great but the film that came after it was bad and poor "
    commands: dict[str, list[Any]] = {
        "v1": [pythons["v1"], _CLIENTS / "notebook.py", _NOTEBOOK],
        "v2": [pythons["v2"], _CLIENTS / "notebook.py", _NOTEBOOK],
        "v3": [pythons["v3"], _CLIENTS / "model_trainer.py", "text"],
        "more": [pythons["v2"], _CLIENTS / "estimators.py", "labeled", "lines.jsonl"],
        "cli": [_CLIENTS / "aws_cli.sh", Path(str(pythons["v2"])).parent, "./text"],
    }
    clients = {}
    for name, command in commands.items():
        folder = tmp_path_factory.mktemp(name)
        texts = folder / "datasets" / "textmining"
        texts.mkdir(parents=True)
        with gzip.open(texts / "text8.gz", "wb") as file:
            file.write(line * 2000)
        (folder / "text").write_bytes(line * 500)
        labeled = b"__label__good a good film\n__label__bad a bad film\n"
        (folder / "labeled").write_bytes(labeled * 100)
        (folder / "lines.jsonl").write_bytes(b'{"source": "a good film"}\n' * 50)
        said = folder / "said"
        with said.open("wb") as output:
            process = subprocess.Popen(
                list(map(str, command)),
                cwd=folder,
                env=platform.environment() | {"HOME": str(folder)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        clients[name] = Started(process, said)
    yield clients
    for client in clients.values():
        client.process.kill()
        client.process.wait()


def test_the_aws_command_line(started: dict[str, Started]) -> None:
    said = started["cli"].end()
    assert "status Completed" in said
    assert "vectors.txt" in said
    assert "vectors of [10, 10] True" in said


def test_a_model_trainer_of_sdk_3(started: dict[str, Started]) -> None:
    assert "vectors of [10, 10] True" in started["v3"].end()


def test_attaching_going_on_transforming_tuning_and_updating_with_sdk_2(
    started: dict[str, Started],
) -> None:
    said = started["more"].end()
    assert "attached supervised s3://sagemaker-us-east-1-000000000000/output/" in said
    assert "went on Completed" in said
    assert "transformed 50" in said
    assert "tuned 3 True" in said
    assert "predicted ['__label__good']" in said
    assert "predicted ['__label__bad']" in said


@pytest.mark.parametrize("sdk", ["v1", "v2"])
def test_the_notebook_runs_unchanged(started: dict[str, Started], sdk: str) -> None:
    said = started[sdk].end()
    assert "Concluído!" in said
    assert "#mean_rho: " in said
    assert "vectors of [100, 100] True" in said
