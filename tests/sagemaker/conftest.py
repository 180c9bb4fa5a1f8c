"""A job's folder, and the container's process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_PROGRAM = str(Path(sys.executable).parent / "brasa")
Job = Callable[..., Path]
Start = Callable[..., "subprocess.Popen[str]"]
Train = Callable[..., tuple[int, str]]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """Lay out a job: its hyperparameters, files of its channels, its machine."""

    def lay_out(
        hyperparameters: dict[str, Any],
        data: dict[str, str | bytes],
        *,
        channels: dict[str, dict[str, str]] | None = None,
        resources: dict[str, Any] | None = None,
    ) -> Path:
        base = tmp_path / "ml"
        (base / "input/config").mkdir(parents=True)
        for name, content in (
            ("hyperparameters", hyperparameters),
            ("inputdataconfig", channels or {}),
            ("resourceconfig", resources or {}),
        ):
            if content or name == "hyperparameters":
                (base / f"input/config/{name}.json").write_text(json.dumps(content))
        for name, text in data.items():
            file = base / "input/data" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode() if isinstance(text, str) else text)
        return base

    return lay_out


@pytest.fixture
def start() -> Start:
    """Start the container's command in a job's folder."""

    def run(base: Path, command: str = "train", **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [_PROGRAM, "sagemaker", command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "SAGEMAKER_BASE_DIR": str(base), **environment},
        )

    return run


@pytest.fixture
def train(start: Start) -> Train:
    """Train in a job's folder: the exit code, and what was logged."""

    def run(base: Path, **environment: str) -> tuple[int, str]:
        process = start(base, **environment)
        said = process.communicate(timeout=120)[0]
        return process.returncode, said

    return run
