"""Checkpoints: real processes are killed, and go on; what does not fit is passed over."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import brasa
from brasa.formats import native

VECTORS = {
    "mode": "skipgram", "vector_dim": "16", "min_count": "1", "epochs": "150", "threads": "1",
    "evaluation": "False", "subwords": "True", "buckets": "1000",
}  # fmt: skip
LABELS = {
    "mode": "supervised", "vector_dim": "16", "min_count": "1", "epochs": "600", "threads": "1",
    "learning_rate": "0.001", "evaluation": "False",
}  # fmt: skip
STOPPING = {"early_stopping": "True", "patience": "80", "min_epochs": "1", "epochs": "80",
            "learning_rate": "0.01"}  # fmt: skip
_WHOLE: dict[str, list[Any]] = {}  # what was trained by whole jobs, for several tests
OFTEN = {"BRASA_CHECKPOINT_SECONDS": "0.1"}


def _text(seed: int = 1, n_lines: int = 4000) -> str:
    source = random.Random(seed)
    words = [f"w{i:03}" for i in range(500)]
    return "\n".join(" ".join(source.choices(words, k=20)) for _ in range(n_lines)) + "\n"


def _labeled(seed: int = 1, n_lines: int = 4000) -> str:
    """Lines whose label hangs on their words, with noise, so that no epoch is right at once."""
    source = random.Random(seed)
    lines = []
    for _ in range(n_lines):
        label = source.randrange(4)
        weights = [3 if i % 4 == label else 2 for i in range(400)]
        words = source.choices([f"w{i:03}" for i in range(400)], weights, k=20)
        lines.append(f"__label__{label} {' '.join(words)}")
    return "\n".join(lines) + "\n"


def _arrays(base: Path) -> list[Any]:
    model = native.read(base / "model")
    return [np.asarray(model.input), np.asarray(model.output)]


def _same(one: list[Any], other: list[Any]) -> bool:
    pairs = zip(one, other, strict=True)
    return all(a.shape == b.shape and np.array_equal(a, b) for a, b in pairs)


def _wait_for_a_new(
    checkpoint: Path, process: subprocess.Popen[str], *, or_the_end: bool = False
) -> bool:
    """Wait for the next checkpoint; False if the job has come to its end before."""
    file = checkpoint / native.TENSORS
    before = file.stat().st_mtime_ns if file.exists() else 0
    deadline = time.monotonic() + 60
    while not file.exists() or file.stat().st_mtime_ns == before:
        assert time.monotonic() < deadline
        if or_the_end and process.poll() == 0:
            process.communicate()
            return False
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.005)
    return True


@pytest.fixture
def whole(job: Any, train: Any) -> Callable[[dict[str, str], dict[str, str]], list[Any]]:
    """What a job that nothing interrupts trains; then its folder is as before."""

    def run(given: dict[str, str], data: dict[str, str]) -> list[Any]:
        key = json.dumps([given, data])
        if key in _WHOLE:
            return _WHOLE[key]
        base = job(given, data)
        code, said = train(base)
        assert code == 0, said
        found = [array.copy() for array in _arrays(base)]
        shutil.rmtree(base)
        _WHOLE[key] = found
        return found

    return run


@pytest.mark.parametrize(
    ("given", "data"),
    [
        (VECTORS, {"train/text": _text()}),
        (VECTORS | {"mode": "cbow", "subwords": "False"}, {"train/text": _text()}),
        (LABELS, {"train/text": _labeled()}),
        (
            LABELS | STOPPING | {"patience": "60"},
            {"train/text": _labeled(), "validation/text": _labeled(2, 500)},
        ),
    ],
    ids=["skipgram", "cbow", "supervised", "early stopping"],
)
def test_a_killed_job_ends_as_if_nothing_had_happened(
    job: Any, start: Any, train: Any, whole: Any, given: Any, data: Any
) -> None:
    expected = whole(given, data)
    base = job(given, data)
    checkpoint = base / "checkpoints/brasa-checkpoint"
    checkpoint.parent.mkdir()
    done = 0
    for i in range(3):
        process = start(base, **OFTEN)
        if not _wait_for_a_new(checkpoint, process, or_the_end=i > 0):
            break  # on a fast machine little is left
        time.sleep(random.Random(i).uniform(0, 0.3))
        process.kill()
        said = process.communicate()[0]
        assert ("Resuming from the checkpoint at" in said) == (i > 0)
        before, done = done, native.read(checkpoint).metadata["blocks_done"]
        assert done > before
    code, said = train(base, **OFTEN)
    assert code == 0, said
    assert "Resuming from the checkpoint at" in said
    assert said.count("Number of words:") == 1
    assert _same(_arrays(base), expected)
    assert not list(base.rglob("*.tmp"))


def test_a_kill_at_any_moment_leaves_a_good_checkpoint(job: Any, start: Any) -> None:
    """A checkpoint is written most of the time."""
    base = job(VECTORS | {"vector_dim": "300", "epochs": "1000"}, {"train/text": _text()})
    checkpoint = base / "checkpoints/brasa-checkpoint"
    checkpoint.parent.mkdir()
    done = 0
    for i in range(8):
        process = start(base, BRASA_CHECKPOINT_SECONDS="0.001")
        _wait_for_a_new(checkpoint, process)
        time.sleep(random.Random(i).uniform(0, 0.2))
        process.kill()
        process.communicate()
        metadata = brasa.WordVectors.load(checkpoint).metadata
        assert metadata["blocks_done"] > done
        done = metadata["blocks_done"]
    assert len(list(checkpoint.glob(".*.tmp"))) <= 2  # of the last one: each run cleans up


def test_checkpoints_are_saved_while_the_text_is_read_once(job: Any, start: Any) -> None:
    base = job(VECTORS, {"train/text": _text()})
    (base / "checkpoints").mkdir()
    process = start(base, **OFTEN)
    _wait_for_a_new(base / "checkpoints/brasa-checkpoint", process)
    _wait_for_a_new(base / "checkpoints/brasa-checkpoint", process)
    said = process.communicate(timeout=120)[0]
    assert process.returncode == 0, said
    assert said.count("Number of words:") == 1
    metadata = brasa.WordVectors.load(base / "model").metadata
    assert metadata["interrupted"] is False
    assert "previous_runs" not in metadata


def _truncate(checkpoint: Path) -> None:
    file = checkpoint / native.TENSORS
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size // 2)


def _garble(checkpoint: Path) -> None:
    (checkpoint / native.TENSORS).write_bytes(b"no model at all" * 100)


def _empty(checkpoint: Path) -> None:
    (checkpoint / native.TENSORS).write_bytes(b"")


def _put_a_file(checkpoint: Path) -> None:
    shutil.rmtree(checkpoint)
    checkpoint.write_text("a file")


def _rewrite(checkpoint: Path, change: Callable[[Any], None]) -> None:
    model = native.read(checkpoint)
    change(model)
    copy = checkpoint.parent / "copy"
    native.write(model, copy)
    shutil.rmtree(checkpoint)
    copy.rename(checkpoint)


def _break_numbers(checkpoint: Path) -> None:
    def change(model: Any) -> None:
        rows = np.array(model.input)
        rows[3] = np.nan
        object.__setattr__(model, "input", rows)

    _rewrite(checkpoint, change)


def _forget_the_place(checkpoint: Path) -> None:
    _rewrite(checkpoint, lambda model: model.metadata.pop("blocks_done"))


def _lie_about_the_place(checkpoint: Path) -> None:
    _rewrite(checkpoint, lambda model: model.metadata.update(blocks_done=10**9))


def _break_history(checkpoint: Path) -> None:
    _rewrite(checkpoint, lambda model: model.metadata.update(validation_accuracy=[["a"]]))


def _interrupted(base: Path, start: Any) -> Path:
    """Run until there is a checkpoint, and kill; gives its place."""
    checkpoint = base / "checkpoints/brasa-checkpoint"
    checkpoint.parent.mkdir(exist_ok=True)
    process = start(base, **OFTEN)
    _wait_for_a_new(checkpoint, process)
    process.kill()
    process.communicate()
    return checkpoint


@pytest.mark.parametrize(
    ("mode", "spoil"),
    [
        ("skipgram", _truncate),
        ("skipgram", _garble),
        ("skipgram", _empty),
        ("skipgram", _put_a_file),
        ("skipgram", _break_numbers),
        ("skipgram", _forget_the_place),
        ("skipgram", _lie_about_the_place),
        ("supervised", _truncate),
        ("supervised", _break_numbers),
        ("supervised", _forget_the_place),
        ("supervised", _lie_about_the_place),
    ],
)
def test_a_broken_checkpoint_is_passed_over(
    job: Any, start: Any, train: Any, whole: Any, mode: str, spoil: Callable[[Path], None]
) -> None:
    given, text = (LABELS, _labeled()) if mode == "supervised" else (VECTORS, _text())
    expected = whole(given, {"train/text": text})
    base = job(given, {"train/text": text})
    checkpoint = _interrupted(base, start)
    spoil(checkpoint)
    code, said = train(base, **OFTEN)
    assert code == 0, said
    assert "is passed over, and will be replaced" in said
    assert _same(_arrays(base), expected)
    assert native.read(checkpoint).metadata["blocks_done"] > 0


@pytest.mark.parametrize(
    ("given", "changed", "said_why"),
    [
        (VECTORS, {"mode": "cbow"}, "mode="),
        (VECTORS, {"vector_dim": "8"}, "vector_dim=8"),
        (VECTORS, {"subwords": "False"}, "subwords=False"),
        (VECTORS, {"learning_rate": "0.02"}, "learning_rate=0.02"),
        (LABELS, {"vector_dim": "8"}, "vector_dim=8"),
        (LABELS, {"word_ngrams": "1"}, "word_ngrams=1"),
        (LABELS, {"learning_rate": "0.02"}, "learning_rate=0.02"),
    ],
)
def test_a_checkpoint_of_other_hyperparameters_is_passed_over(
    job: Any, start: Any, train: Any, whole: Any, given: Any, changed: Any, said_why: str
) -> None:
    text = _labeled() if given is LABELS else _text()
    expected = whole(given | changed, {"train/text": text})
    base = job(given, {"train/text": text})
    _interrupted(base, start)
    (base / "input/config/hyperparameters.json").write_text(json.dumps(given | changed))
    code, said = train(base)
    assert code == 0, said
    assert "is passed over" in said
    assert said_why in said
    assert _same(_arrays(base), expected)


@pytest.mark.parametrize("mode", ["skipgram", "supervised"])
@pytest.mark.parametrize("changed", ["longer", "some words", "all words"])
def test_a_checkpoint_of_another_text_is_passed_over(
    job: Any, start: Any, train: Any, whole: Any, mode: str, changed: str
) -> None:
    given, text = (LABELS, _labeled()) if mode == "supervised" else (VECTORS, _text())
    other = {
        "longer": text + text[:1000],
        "some words": text.replace("w007", "w008", 5),
        "all words": text.replace("w", "v"),
    }[changed]
    expected = whole(given, {"train/text": other})
    base = job(given, {"train/text": text})
    _interrupted(base, start)
    (base / "input/data/train/text").write_text(other)
    code, said = train(base)
    assert code == 0, said
    assert "is passed over" in said
    assert _same(_arrays(base), expected)


def test_a_checkpoint_of_the_other_kind_of_job_is_passed_over(
    job: Any, start: Any, train: Any
) -> None:
    base = job(LABELS, {"train/text": _labeled()})
    _interrupted(base, start)
    (base / "input/config/hyperparameters.json").write_text(json.dumps(VECTORS))
    code, said = train(base, **OFTEN)
    assert code == 0, said
    assert "it is of a text classifier" in said
    assert isinstance(brasa.WordVectors.load(base / "checkpoints/brasa-checkpoint"), object)
    (base / "input/config/hyperparameters.json").write_text(json.dumps(LABELS))
    shutil.rmtree(base / "model")
    code, said = train(base)
    assert code == 0, said
    assert "it is of word vectors" in said


def test_a_checkpoint_from_another_model_is_passed_over(
    job: Any, start: Any, train: Any, tmp_path: Path
) -> None:
    base = job(VECTORS, {"train/text": _text()})
    _interrupted(base, start)
    earlier = base / "input/data/model"
    brasa.WordVectors.train(
        ["zebra and horse"] * 40, vector_dim=16, min_count=1, subwords=True, buckets=1000,
        evaluation=False,
    ).save(earlier)  # fmt: skip
    code, said = train(base)
    assert code == 0, said
    assert "another model to start from" in said
    assert "zebra" in brasa.WordVectors.load(base / "model").words


def test_a_classifier_that_is_trained_on_resumes(
    job: Any, start: Any, train: Any, tmp_path: Path
) -> None:
    brasa.TextClassifier.train(
        iter(_labeled(3, 300).splitlines()), vector_dim=16, min_count=1, epochs=2, threads=1
    ).save(tmp_path / "earlier")
    data = {f"model/{f.name}": f.read_bytes() for f in (tmp_path / "earlier").iterdir()}
    base = job(LABELS, {"train/text": _labeled(), **data})
    assert train(base)[0] == 0
    expected = [array.copy() for array in _arrays(base)]
    shutil.rmtree(base / "model")
    _interrupted(base, start)
    code, said = train(base)
    assert code == 0, said
    assert "Resuming from the checkpoint at" in said
    assert _same(_arrays(base), expected)


def test_without_its_best_model_a_checkpoint_is_passed_over(
    job: Any, start: Any, train: Any
) -> None:
    given = LABELS | STOPPING
    base = job(given, {"train/text": _labeled(), "validation/text": _labeled(2, 500)})
    checkpoint = _interrupted(base, start)
    best = list(checkpoint.parent.glob("brasa-checkpoint-best-*"))
    assert len(best) in (1, 2)
    for folder in best:
        shutil.rmtree(folder)
    code, said = train(base)
    assert code == 0, said
    assert "the model of its best epoch is missing" in said


def test_a_history_that_is_none_is_passed_over(job: Any, start: Any, train: Any) -> None:
    base = job(LABELS, {"train/text": _labeled(), "validation/text": _labeled(2, 500)})
    _break_history(_interrupted(base, start))
    code, said = train(base)
    assert code == 0, said
    assert "is passed over" in said


def test_sigterm_keeps_the_best_epoch_and_the_way_on(job: Any, start: Any, train: Any) -> None:
    given = LABELS | STOPPING | {"epochs": "600", "patience": "600", "learning_rate": "0.05"}
    base = job(given, {"train/text": _labeled(), "validation/text": _labeled(2, 500)})
    checkpoint = base / "checkpoints/brasa-checkpoint"
    checkpoint.parent.mkdir()
    process = start(base, **OFTEN)
    _wait_for_a_new(checkpoint, process)
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 0, said
    model = brasa.TextClassifier.load(base / "model")
    history = model.metadata["validation_accuracy"]
    best = max(accuracy for _, accuracy in history)
    assert model.test(base / "input/data/validation/text").accuracy == pytest.approx(best)
    assert native.read(checkpoint).metadata["validation_accuracy"] == history
    code, said = train(base)
    assert code == 0, said
    whole = brasa.TextClassifier.load(base / "model").metadata["validation_accuracy"]
    assert whole[: len(history)] == history
    assert [epoch for epoch, _ in whole] == list(range(1, len(whole) + 1))


def test_a_checkpoint_that_cannot_be_saved_does_not_end_the_training(
    job: Any, train: Any, make_disk: Any
) -> None:
    base = job(VECTORS, {"train/text": _text()})
    (base / "checkpoints").symlink_to(make_disk("64k"))
    code, said = train(base, **OFTEN)
    assert code == 0, said
    assert "The checkpoint cannot be saved: " in said
    assert brasa.WordVectors.load(base / "model").metadata["interrupted"] is False


def test_a_kill_in_the_first_checkpoint_is_no_fault_of_it(job: Any, train: Any) -> None:
    base = job(VECTORS | {"epochs": "2"}, {"train/text": _text()})
    checkpoint = base / "checkpoints/brasa-checkpoint"
    checkpoint.mkdir(parents=True)
    (checkpoint / ".model.safetensors.0a1b2c3d.tmp").write_bytes(bytes(100))
    code, said = train(base)
    assert code == 0, said
    assert "passed over" not in said
    assert not list(checkpoint.iterdir())


@pytest.mark.parametrize("seconds", ["often", "0", "-1", "nan"])
def test_no_number_of_seconds_is_refused(job: Any, train: Any, seconds: str) -> None:
    base = job(VECTORS, {"train/text": _text()})
    code, _ = train(base, BRASA_CHECKPOINT_SECONDS=seconds)
    assert code == 1
    reason = (base / "output/failure").read_text()
    assert reason.startswith("ClientError: environment variable BRASA_CHECKPOINT_SECONDS is")
