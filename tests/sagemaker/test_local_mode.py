"""AWS's own local mode drives the container's contract, by a `docker` that starts processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

_HERE = Path(__file__).parent


def test_the_sdks_local_mode_trains_and_serves(tmp_path: Path) -> None:
    python = os.environ.get("BRASA_SAGEMAKER_V2_PYTHON")
    if not python:
        pytest.skip("BRASA_SAGEMAKER_V2_PYTHON names no Python with SDK 2")
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(f'#!/bin/sh\nexec "{python}" "{_HERE}/docker_stand_in.py" "$@"\n')
    docker.chmod(0o755)
    text, output = tmp_path / "text", tmp_path / "output"
    text.mkdir()
    output.mkdir()
    (text / "lines").write_text("the movie was awesome and great\nthe film was bad\n" * 200)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    no_telemetry = tmp_path / "sdk.yaml"
    no_telemetry.write_text(
        "SchemaVersion: '1.0'\nSageMaker: {PythonSDK: {Modules: {TelemetryOptOut: true}}}\n"
    )
    environment = {n: v for n, v in os.environ.items() if not n.startswith("AWS_")}
    environment |= {
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "BRASA_PROGRAM": str(Path(sys.executable).parent / "brasa"),
        "HOME": str(tmp_path),
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(no_telemetry),
        "TMPDIR": str(tmp_path),
        "PATH": f"{docker.parent}:{os.environ['PATH']}",
    }
    command = [python, str(_HERE / "local_mode_client.py"), str(text), str(output), str(port)]
    found = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=240,
        check=False,
    )  # fmt: skip
    said = found.stdout + found.stderr
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-5000:]
    assert "vectors of [10, 10] ['awesome', 'awweeesome']" in said
    assert "#mean_rho:" in said  # the log is the container's
    with tarfile.open(next(output.rglob("model.tar.gz"))) as archive:
        names = {Path(name).name for name in archive.getnames()}
    assert {"vectors.txt", "vectors.bin", "eval.json", "model.safetensors"} <= names
