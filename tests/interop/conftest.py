"""Other programs, and a reader that is not ours to ship."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

RunPeer = Callable[..., dict[str, Any]]
LabeledLines = Callable[..., list[str]]
AssertSameAnswers = Callable[[list[list[tuple[str, float]]], list[list[Any]]], None]


@pytest.fixture(scope="session")
def run_peer(tmp_path_factory: pytest.TempPathFactory) -> RunPeer:
    """A function that runs a script there; the script saves arrays under the name in argv[1]."""
    python = os.environ.get("BRASA_INTEROP_PYTHON")
    if not python:
        pytest.skip("BRASA_INTEROP_PYTHON names no Python with fasttext 0.9.2 and gensim")

    def run(script: str, *arguments: str | Path) -> dict[str, Any]:
        result = tmp_path_factory.mktemp("peer") / "result.npz"
        subprocess.run([python, "-c", script, str(result), *map(str, arguments)], check=True)
        return dict(np.load(result))

    return run


@pytest.fixture(scope="session")
def labeled_lines() -> LabeledLines:
    """A function that makes texts with a label, and in every third of them a second one."""

    def make(n_lines: int, n_labels: int, n_second_labels: int) -> list[str]:
        random = np.random.default_rng(3)
        lines = []
        for i in range(n_lines):
            second = [f"__label__{i % n_second_labels}é"] if i % 3 == 0 else []
            words = [f"word{w}" for w in random.zipf(1.5, 7) % 90] + [f"own{i % n_labels}", "ações"]
            tokens = [f"__label__{i % n_labels}", *second, *words]
            lines.append(" ".join(random.permutation(tokens).tolist()))
        return lines

    return make


@pytest.fixture(scope="session")
def assert_same_answers() -> AssertSameAnswers:
    """A function that compares the labels of texts, and their probabilities, with fastText's.

    Labels may only change places where their probabilities are the same to 1e-5.
    """

    def compare(found: list[list[tuple[str, float]]], expected: list[list[Any]]) -> None:
        assert list(map(len, found)) == list(map(len, expected))
        for ours, theirs in zip(found, expected, strict=True):
            probabilities = dict(ours)
            for (label, p), (their_label, their_p) in zip(ours, theirs, strict=True):
                assert p == pytest.approx(their_p, abs=1e-5)
                if label != their_label and their_label in probabilities:
                    assert probabilities[their_label] == pytest.approx(their_p, abs=1e-5)

    return compare


@pytest.fixture(scope="session")
def oracle() -> Any:
    """An independent reader and predictor of fastText's files."""
    path = Path(__file__).parents[3] / "shared/reference/fasttext_format_oracle.py"
    if not path.exists():
        pytest.skip("../shared is not there")
    spec = importlib.util.spec_from_file_location("fasttext_format_oracle", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def needs() -> Callable[[str], None]:
    """A function that skips a test when the peers' Python lacks a package; CI has them all."""
    python = os.environ.get("BRASA_INTEROP_PYTHON", "")

    def check(package: str) -> None:
        command = [python, "-c", f"import importlib.util as u; assert u.find_spec({package!r})"]
        if python and subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip(f"{python} has no {package}")

    return check
