"""Ctrl-C: within a second, one line, no half-written file."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

import brasa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOREVER = ["--epochs=100000", "--log-format=json", "--threads=2", "--subwords"]


@pytest.fixture
def start(program: Path, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `brasa train`; -o is the folder "model"."""
    started = []

    def start_training(*arguments: object, stdin: int | None = None) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [program, "train", "skipgram", *map(str, arguments), "-o", "model"],
            cwd=tmp_path,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start_training
    for process in started:
        if process.poll() is None:
            process.kill()
            process.communicate()


def wait_for(event: str, stream: IO[str] | None) -> None:
    """Read events until one of that name comes."""
    assert stream is not None
    for line in stream:
        if json.loads(line)["event"] == event:
            return
    pytest.fail(f"the program ended before {event}")


def interrupt(process: subprocess.Popen[str]) -> tuple[int, list[str], float]:
    """Exit code, remaining lines of standard error, and seconds it took."""
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    return process.returncode, errors.splitlines(), time.monotonic() - begin


def test_while_training(
    corpus: Path, tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    process = start(corpus, *FOREVER)
    wait_for("progress", process.stderr)
    code, lines, seconds = interrupt(process)
    assert code == 130
    assert lines[-1].startswith("brasa: ")
    assert "Traceback" not in "".join(lines)
    assert seconds < 1
    assert list(tmp_path.iterdir()) == []


def test_while_training_leaves_the_model_that_was_there(
    corpus: Path, model: Path, tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    brasa.load(model).save(tmp_path / "model")
    before = {path.name: path.read_bytes() for path in (tmp_path / "model").iterdir()}
    process = start(corpus, *FOREVER)
    wait_for("progress", process.stderr)
    assert interrupt(process)[0] == 130
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "model").iterdir()}


def test_keep_partial(
    corpus: Path, tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    process = start(corpus, *FOREVER, "--keep-partial")
    wait_for("progress", process.stderr)
    code, lines, seconds = interrupt(process)
    assert code == 130
    assert [json.loads(line)["event"] for line in lines][-3:] == [
        "training_finished", "evaluated", "saved",
    ]  # fmt: skip
    assert seconds < 3  # stopped within one, then scored and saved 50 MB
    kept = brasa.load(tmp_path / "model")
    assert kept.metadata["interrupted"] is True
    assert kept["river"].any()
    assert (tmp_path / "model/eval.json").is_file()


@pytest.mark.parametrize("keep", [[], ["--keep-partial"]])
def test_while_reading(
    tmp_path: Path, start: Callable[..., subprocess.Popen[str]], keep: list[str]
) -> None:
    process = start("-", *FOREVER, *keep, stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write("one two three\n" * 100_000)
    process.stdin.flush()
    time.sleep(1.5)  # it has started, and waits for the rest of the text
    code, lines, seconds = interrupt(process)
    assert code == 130
    assert lines[-1].startswith("brasa: ")
    assert "Traceback" not in "".join(lines)
    assert seconds < 1
    assert list(tmp_path.iterdir()) == []
