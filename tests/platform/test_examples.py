"""The example notebooks, run by a notebook runner in SDK 3's environment against a platform."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_EXAMPLES = Path(__file__).parents[2] / "examples"
_NOTEBOOKS = sorted(_EXAMPLES.glob("*.ipynb"))
_RUN = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], 4)
NotebookClient(notebook, timeout=240, kernel_name="python3").execute()
nbformat.write(notebook, "run.ipynb")
"""


def test_the_notebooks_run_to_their_pictures(platform: Any, tmp_path: Path) -> None:
    python = os.environ.get("BRASA_SAGEMAKER_V3_PYTHON")
    if not python:
        pytest.skip("BRASA_SAGEMAKER_V3_PYTHON names no Python with SDK 3")
    line = "the movie was awesome and great but the film after it was bad and poor\n"
    processes = []
    for notebook in _NOTEBOOKS:  # side by side: each waits for its job and its endpoint
        folder = tmp_path / notebook.stem
        folder.mkdir()
        (folder / "text8").write_text(line * 3000)
        environment = platform.environment() | {"HOME": str(folder)}
        environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
        command = [python, "-c", _RUN, str(notebook)]
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        processes.append((folder, process))
    for folder, process in processes:
        code = process.wait(300)
        assert code == 0, (folder / "log").read_text()[-5000:]
        assert (folder / "awesome.png").read_bytes().startswith(b"\x89PNG")
        assert '"image/png"' in (folder / "run.ipynb").read_text()


def test_the_notebooks_are_kept_without_what_they_printed() -> None:
    assert len(_NOTEBOOKS) == 2
    for notebook in _NOTEBOOKS:
        text = notebook.read_text()
        assert '"outputs": []' in text
        assert '"execution_count": 1' not in text
