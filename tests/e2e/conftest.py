"""The installed program, a text and a model to run it on."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).parent / "brasa"
WORDNET = ROOT / "src/brasa/demo/wordnet.txt.gz"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def program() -> Path:
    """The installed program."""
    return PROGRAM


@pytest.fixture
def bash(tmp_path: Path) -> Run:
    """Run a line of bash that finds `brasa`, by default in a folder of its own."""

    def run_bash(command: str, folder: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        path = {"PATH": f"{PROGRAM.parent}:{os.environ['PATH']}"}
        return subprocess.run(
            ["bash", "-c", command],
            capture_output=True,
            text=True,
            cwd=folder,
            env=os.environ | path,
            timeout=120,
            check=False,
        )

    return run_bash


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `brasa` in a folder of its own."""

    def run_brasa(
        *arguments: object, stdin: str = "", env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            cwd=tmp_path,
            timeout=120,
            check=False,
            env=env,
        )

    return run_brasa


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 20,000 entries of the text that comes with brasa: 300,000 words."""
    path = tmp_path_factory.mktemp("text") / "corpus.txt"
    with gzip.open(WORDNET, "rt", encoding="ascii") as text:
        path.write_text("".join(next(text) for _ in range(20_000)), encoding="ascii")
    return path


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """300 texts with three labels, which a word of each tells; a tenth of them in valid.txt."""
    starts = ("__label__hot oven", "__label__ice snow", "__label__mild rain")
    lines = [f"{starts[i % 3]} word{i}\n" for i in range(300)]
    (tmp_path / "valid.txt").write_text("".join(lines[:31]))
    path = tmp_path / "train.txt"
    path.write_text("".join(lines))
    return path


@pytest.fixture(scope="session")
def model(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with subwords, trained by the program in a second."""
    path = tmp_path_factory.mktemp("models") / "subwords"
    options = ["--subwords", "--vector-dim=24", "--epochs=2", "--threads=1", "--quiet"]
    subprocess.run([PROGRAM, "train", "skipgram", corpus, "-o", path, *options], check=True)
    return path


@pytest.fixture(scope="session")
def words_only(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model without subwords."""
    path = tmp_path_factory.mktemp("models") / "words"
    options = ["--vector-dim=8", "--epochs=1", "--threads=1", "--quiet"]
    subprocess.run([PROGRAM, "train", "cbow", corpus, "-o", path, *options], check=True)
    return path


@pytest.fixture
def environment() -> dict[str, str]:
    """The environment without what changes how a terminal program draws."""
    hidden = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TERM"}
    return {name: value for name, value in os.environ.items() if name not in hidden}
