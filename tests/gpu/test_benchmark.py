"""`make bench-gpu` is run once, on a rented machine: here, that it comes to its end."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Gpu

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_benchmark_comes_to_its_end(gpu: Gpu, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "benchmarks", tmp_path / "benchmarks")
    text = tmp_path / "text.txt"
    text.write_text("fire ember fire ash\n" * 6)
    command = [sys.executable, "benchmarks/gpu.py", str(text), "--dim=4", "--epochs=1"]
    command += ["--modes", "skipgram", "--programs", "1", "--data", str(tmp_path), "--no-peer"]
    environment = {**os.environ, **({"TRITON_INTERPRET": "1"} if gpu.interpreted else {})}
    found = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert found.returncode == 0, found.stderr
    assert "skipgram: one program is within" in found.stdout
    assert "| skipgram | cuda | " in found.stdout
    assert "skipgram, 1 programs: " in found.stdout
    assert " programs (chosen): " in found.stdout
    assert (tmp_path / "benchmarks/results/gpu.csv").read_text().count("\n") > 3
