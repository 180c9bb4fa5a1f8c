"""SIGTERM at any moment, and what is in the way of a model."""

from __future__ import annotations

import os
import random
import signal
import time
from typing import Any

import pytest

import brasa
from brasa.formats import native

VECTORS = {"mode": "skipgram", "vector_dim": "100", "min_count": "1", "epochs": "40"}
LABELS = {"mode": "supervised", "vector_dim": "50", "min_count": "1", "epochs": "200",
          "early_stopping": "True", "min_epochs": "1", "patience": "200"}  # fmt: skip


def _text(n_lines: int, *, labeled: bool) -> str:
    source = random.Random(1)
    words = [f"w{i:03}" for i in range(500)]
    lines = (" ".join(source.choices(words, k=20)) for _ in range(n_lines))
    return "".join(f"__label__{i % 3} {line}\n" if labeled else f"{line}\n"
                   for i, line in enumerate(lines))  # fmt: skip


@pytest.mark.parametrize("mode", ["skipgram", "supervised"])
@pytest.mark.parametrize("seed", range(5))
def test_sigterm_at_any_moment_leaves_a_model_if_anything_was_trained(
    job: Any, start: Any, mode: str, seed: int
) -> None:
    """With a checkpoint every hundredth of a second, so that SIGTERM comes in one, too."""
    labeled = mode == "supervised"
    data = {"train/text": _text(4000, labeled=labeled)}
    if labeled:
        data["validation/text"] = _text(200, labeled=True)
    base = job(LABELS if labeled else VECTORS, data)
    (base / "checkpoints").mkdir()
    process = start(base, BRASA_CHECKPOINT_SECONDS="0.01")
    assert process.stdout is not None
    first = process.stdout.readline()
    assert first == "Arguments: train\n"
    time.sleep(random.Random(seed).uniform(0, 2 if seed % 2 else 0.3))
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert not (base / "output/failure").exists()
    if "stopped before anything was trained" in said:
        assert not (base / "model").exists()
        assert "##### Alpha" not in said
        return
    names = ["model.bin"] if labeled else ["vectors.bin", "vectors.txt"]
    for path in (base / "model", *(base / "model" / name for name in names)):
        model: Any = brasa.TextClassifier if labeled else brasa.WordVectors
        assert model.load(path)
    assert not list((base / "model").glob(".*"))
    checkpoint = native.read(base / "checkpoints/brasa-checkpoint")
    assert checkpoint.metadata["blocks_done"] > 0


def test_several_sigterms_are_one(job: Any, start: Any) -> None:
    base = job(VECTORS, {"train/text": _text(4000, labeled=False)})
    process = start(base)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("##### Alpha"):
            break
    while process.poll() is None:
        process.send_signal(signal.SIGTERM)
        time.sleep(0.002)
    said = process.communicate()[0]
    assert process.returncode == 0, said
    assert brasa.WordVectors.load(base / "model").metadata["interrupted"] is True
    assert brasa.WordVectors.load(base / "model/vectors.txt")


def test_sigterm_ends_a_wait_for_a_pipe(job: Any, start: Any) -> None:
    base = job(VECTORS, {}, channels={"train": {"TrainingInputMode": "Pipe"}})
    pipe = base / "input/data/train_0"
    pipe.parent.mkdir()
    os.mkfifo(pipe)
    process = start(base)
    opened = os.open(pipe, os.O_WRONLY)  # waits until the job is there
    process.terminate()
    said = process.communicate(timeout=20)[0]
    os.close(opened)
    assert process.returncode == 0, said
    assert "stopped before anything was trained" in said
    assert not (base / "output/failure").exists()
    assert not (base / "model").exists()


@pytest.mark.parametrize("mode", ["skipgram", "supervised"])
def test_sigterm_before_a_resumed_training_goes_on_leaves_the_checkpoints_model(
    job: Any, start: Any, mode: str
) -> None:
    """The text never comes again, so that all that there is lies in the checkpoint."""
    labeled = mode == "supervised"
    given = LABELS | {"early_stopping": "False", "epochs": "4000"} if labeled else VECTORS
    base = job(given, {}, channels={"train": {"TrainingInputMode": "Pipe"}})
    (base / "checkpoints").mkdir()
    pipe = base / "input/data/train_0"
    pipe.parent.mkdir()
    os.mkfifo(pipe)
    process = start(base)
    pipe.write_text(_text(4000, labeled=labeled))
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("##### Alpha"):
            break
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 0, said
    first = native.read(base / "model").metadata["blocks_done"]
    for file in (base / "model").iterdir():
        file.unlink()
    process = start(base)
    opened = os.open(pipe, os.O_WRONLY)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=60)[0]
    os.close(opened)
    assert process.returncode == 0, said
    assert "Resuming from the checkpoint at" in said
    assert native.read(base / "model").metadata["blocks_done"] == first
    assert (base / "model" / ("model.bin" if labeled else "vectors.bin")).exists()


@pytest.mark.parametrize(
    ("in_the_way", "said"),
    [
        ("model/notes.txt", "has something else in it (notes.txt): empty the folder"),
        ("model", "there is no place for the model: "),
    ],
)
def test_what_is_in_the_way_of_the_model_is_refused_before_training(
    job: Any, train: Any, in_the_way: str, said: str
) -> None:
    base = job(VECTORS, {"train/text": _text(100, labeled=False)})
    path = base / in_the_way
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    code, log = train(base)
    assert code == 1
    reason = (base / "output/failure").read_text()
    assert reason.startswith("ClientError: ")
    assert said in reason
    assert "Number of words" not in log
    assert path.read_text() == "mine"


@pytest.mark.parametrize("name", ["vectors.txt", "vectors.bin", "eval.json"])
def test_a_folder_in_the_way_of_an_artifact_is_refused_before_training(
    job: Any, train: Any, name: str
) -> None:
    base = job(VECTORS | {"epochs": "1"}, {"train/text": _text(100, labeled=False)})
    assert train(base)[0] == 0
    (base / "model" / name).unlink()
    (base / "model" / name).mkdir()
    code, log = train(base)
    assert code == 1
    assert "is in the way of a file: remove it" in (base / "output/failure").read_text()
    assert "Number of words" not in log


def test_what_a_killed_run_left_of_a_model_is_no_part_of_the_next_one(job: Any, train: Any) -> None:
    base = job(VECTORS | {"epochs": "1"}, {"train/text": _text(100, labeled=False)})
    (base / "model").mkdir()
    (base / "model/.model.safetensors.0a1b2c3d.tmp").write_bytes(bytes(1000))
    code, said = train(base)
    assert code == 0, said
    assert not list((base / "model").glob(".*"))


def test_a_model_that_another_run_left_is_replaced(job: Any, train: Any) -> None:
    base = job(VECTORS | {"epochs": "1"}, {"train/text": _text(100, labeled=False)})
    for _ in range(2):
        code, said = train(base)
        assert code == 0, said
