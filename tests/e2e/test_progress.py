"""What a run shows: on a terminal, in a log file, as BlazingText, as JSON."""

from __future__ import annotations

import json
import os
import pty
import re
import struct
import subprocess
import termios
from fcntl import ioctl
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from brasa.cli.blazingtext_log import BlazingTextLog
from brasa.cli.progress import PlainDisplay
from brasa.training import Progress, ReadProgress

if TYPE_CHECKING:
    from e2e.conftest import Run

PROGRESS = Progress(
    words=17_340_000, total_words=85_026_035, epoch=1.02, learning_rate=0.0398, loss=2.1,
    words_per_second=4.22e6, seconds_left=16.1,
)  # fmt: skip


def on_terminal(
    command: list[str | Path], folder: Path, environment: dict[str, str], columns: int = 80
) -> tuple[int, str]:
    """Exit code, and all that the program wrote to a terminal of that width."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # EIO: the last process that had the terminal open is gone
            break
        if not part:
            break
        written += part
    os.close(ours)
    return process.wait(60), written.decode()


def visible(written: str) -> list[str]:
    """The lines as they are drawn, without the sequences that move the cursor or color."""
    return re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written))


@pytest.mark.parametrize("columns", [80, 40, 200])
def test_bar_on_a_terminal(
    program: Path, corpus: Path, tmp_path: Path, environment: dict[str, str], columns: int
) -> None:
    options = ["--epochs=12", "--vector-dim=50", "--threads=1", "--subwords"]
    code, written = on_terminal(
        [program, "train", "skipgram", corpus, "-o", "m", *options],
        tmp_path,
        environment | {"TERM": "xterm-256color"},
        columns,
    )
    assert code == 0
    drawn = [line for line in visible(written) if line.startswith("Training ")]
    assert drawn, written
    assert all(re.search(r"\d+% +\d+\.\d+M words/s .*\d:\d\d left", line) for line in drawn)
    assert all(len(line) <= columns for line in drawn)
    assert all(("lr 0.0" in line and "loss " in line) == (columns >= 72) for line in drawn)
    assert "Saved m" in visible(written)
    assert written.count("\x1b[?25l") == written.count("\x1b[?25h")  # the cursor comes back


def test_no_color_and_dumb_terminals(
    program: Path, corpus: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    command: list[str | Path] = [
        program,
        "train",
        "skipgram",
        corpus,
        "-o",
        "m",
        "--epochs=4",
        "--threads=1",
    ]
    _, dumb = on_terminal(command, tmp_path, environment | {"TERM": "dumb"})
    assert "\x1b" not in dumb
    plain = environment | {"TERM": "xterm", "NO_COLOR": "1"}
    _, colorless = on_terminal(command, tmp_path, plain)
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", colorless)


def test_blazingtext_lines_of_a_training(run: Run, corpus: Path) -> None:
    done = run(
        "train", "cbow", corpus, "-o", "m", "--epochs=30", "--threads=1",
        "--log-format=blazingtext",
    )  # fmt: skip
    stamp = r"\[\d\d/\d\d/\d{4} \d\d:\d\d:\d\d INFO \d+\] "
    size = round(corpus.stat().st_size / 2**20)
    expected = [
        stamp + r"Running single machine CPU BlazingText training using cbow mode\.",
        stamp + re.escape(f"Processing {corpus} . File size: {size} MB"),
        r"Read 0M words",
        r"Number of words:  \d+",
        r"(##### Alpha: 0\.0\d{3}  Progress: \d+\.\d\d%  Million Words/sec: \d+\.\d\d #####\n)+"
        r"Training finished!",
        r"Average throughput in Million words/sec: \d+\.\d\d",
        r"Total training time in seconds: \d+\.\d\d",
        r"Evaluating word embeddings\.\.\.\.",
        r"Vectors read from: m",
        r"\{\n(    .*\n)+\}",
        stamp + r"#mean_rho: -?0\.\d+",
    ]
    assert re.fullmatch("\n".join(expected) + "\n", done.stderr), done.stderr


def test_blazingtext_progress_is_in_its_wording(capsys: pytest.CaptureFixture[str]) -> None:
    import sys

    log = BlazingTextLog(sys.stderr)
    log(ReadProgress(n_bytes=95_000_000, n_tokens=12_000_000))
    log(PROGRESS)
    log(PROGRESS)  # less than 2 % further: no second line
    assert capsys.readouterr().err == (
        "Read 10M words\n##### Alpha: 0.0398  Progress: 20.39%  Million Words/sec: 4.22 #####\n"
    )


def test_plain_lines_come_seldom(capsys: pytest.CaptureFixture[str]) -> None:
    import sys

    shown = PlainDisplay(sys.stderr, seconds_between=3600)
    for _ in range(100):
        shown(PROGRESS)
    assert capsys.readouterr().err == ""
    PlainDisplay(sys.stderr, seconds_between=0)(PROGRESS)
    assert capsys.readouterr().err == (
        "Training: 20%, epoch 1.0, 4.22M words/s, learning rate 0.0398, loss 2.1000, 0:16 left\n"
    )


def test_json_lines(run: Run, corpus: Path) -> None:
    done = run("train", "cbow", corpus, "-o", "m", "--epochs=2", "--log-format=json")
    events = [json.loads(line) for line in done.stderr.splitlines()]
    names = [event["event"] for event in events]
    assert names[-3:] == ["training_finished", "evaluated", "saved"]
    read = next(event for event in events if event["event"] == "corpus_read")
    assert read["n_bytes"] == corpus.stat().st_size
    assert read["sources"] == [str(corpus)]
    assert events[-3]["words"] == 2 * read["n_tokens"]
