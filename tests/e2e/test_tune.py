"""The search for hyperparameters with the installed program."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import brasa

if TYPE_CHECKING:
    from e2e.conftest import Run

OPTIONS = ["--validation=valid.txt", "--min-count=1", "--vector-dim=6", "--buckets=2000"]


def test_tune(run: Run, texts: Path) -> None:
    done = run("tune", texts, "-o", "best", "--trials=4", "--threads=1", "--seed=2", *OPTIONS)
    assert done.returncode == 0, done.stderr
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == [
        f"Trial {i}" for i in range(4)
    ]
    head, first, *others = (line.split() for line in done.stdout.splitlines())
    assert head[:4] == ["trial", "score", "seconds", "learning_rate"]
    assert len(others) == 3
    report = brasa.load(texts.parent / "best").test(texts.parent / "valid.txt")
    assert float(first[1]) == pytest.approx(report.f1, abs=1e-4)


def test_what_a_program_reads(run: Run, texts: Path) -> None:
    done = run(
        "tune", texts, "-o", "best.ftz", "--trials=3", "--max-size=30K", "--metric=f1:ice",
        "--log-format=json", "--json", "--loss=softmax", *OPTIONS,
    )  # fmt: skip
    result = json.loads(done.stdout)
    assert [json.loads(line)["event"] for line in done.stderr.splitlines()] == ["trial"] * 3
    assert (len(result["trials"]), result["stopped_by"]) == (3, "trials")
    assert (texts.parent / "best.ftz").stat().st_size == result["best"]["n_bytes"] <= 30_000
    assert run("test", "best.ftz", "valid.txt").returncode == 0


def test_ctrl_c_saves_the_best_so_far(program: Path, texts: Path) -> None:
    command = [str(program), "tune", str(texts), "-o", "best", "--trials=1000000", *OPTIONS]
    with subprocess.Popen(
        command, cwd=texts.parent, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        while "Trial 2" not in process.stderr.readline():
            assert process.poll() is None
        time.sleep(0.05)
        os.kill(process.pid, signal.SIGINT)
        printed, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert printed.startswith("trial ")
    assert brasa.load(texts.parent / "best").predict("snow")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--metric=f2"], "metric='f2' is not possible"),
        (["--metric=f1:fog"], "of a label that training texts have (__label__hot"),
        (["--trials=0"], "trials=0 is not possible"),
        (["--seconds=-1"], "seconds=-1.0 is not possible"),
        (["--max-size=2M"], "a file named .ftz with --max-size"),
        (["--max-size=many"], "max_size='many' is not possible"),
        (["--max-size=-2M"], "max_size='-2M' is not possible"),
        (["--epochs=0"], "epochs=0 is not possible"),
        (["--validation=nowhere"], "nowhere: no such file"),
        (["--seconds=0.2", "--epochs=1000000"], "none of 1 trials was done within the budget"),
    ],
)
def test_what_is_refused(run: Run, texts: Path, arguments: list[str], message: str) -> None:
    done = run("tune", texts, "-o", "best", *OPTIONS, *arguments, "--quiet")
    assert done.returncode == 2
    assert message in done.stderr
    assert not (texts.parent / "best").exists()
    assert "--validation" in run("tune", texts, "-o", "best").stderr
