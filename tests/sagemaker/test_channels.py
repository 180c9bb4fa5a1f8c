"""What channels may hold, what is refused, and pipes that nobody writes to."""

from __future__ import annotations

import bz2
import gzip
import json
import os
import struct
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import brasa

WORDS = {"mode": "skipgram", "vector_dim": "8", "min_count": "1", "epochs": "2", "threads": "1"}
LABELS = {"mode": "supervised", "vector_dim": "8", "min_count": "1", "epochs": "8"}
TEXT = "the tiger and the cat\na computer and a keyboard\n" * 60
MANIFEST = (
    '{"source": "a great film", "label": 1}\n{"source": "a poor one", "label": [0, 2]}\n' * 40
)
RECORDS = b"".join(
    struct.pack("<II", 0xCED7230A, len(value)) + value + b"\0" * (-len(value) % 4)
    for value in (b"a great film", b"1", b"a poor film", b"2") * 20
)


def _reason(base: Path) -> str:
    return (base / "output/failure").read_text()


@pytest.mark.parametrize(
    "name", ["manifest", "manifest.gz", "manifest.jsonl.gz", "manifest.jsonl.bz2"]
)
def test_compressed_manifests_are_manifests(job: Any, train: Any, name: str) -> None:
    packed = MANIFEST.encode()
    if name.endswith(".gz"):
        packed = gzip.compress(packed)
    elif name.endswith(".bz2"):
        packed = bz2.compress(packed)
    description = {"ContentType": "application/jsonlines"}
    base = job(
        LABELS,
        {f"train/{name}": packed, f"validation/{name}": packed},
        channels={"train": description, "validation": description},
    )
    code, said = train(base)
    assert code == 0, said
    labels = brasa.TextClassifier.load(base / "model").labels
    assert sorted(labels) == ["__label__0", "__label__1", "__label__2"]
    assert "#validation_accuracy" in said


def test_a_broken_compressed_manifest_is_named(job: Any, train: Any) -> None:
    base = job(LABELS, {"train/part.gz": gzip.compress(MANIFEST.encode())[:-20]})
    assert train(base)[0] == 1
    assert _reason(base).startswith("ClientError: ")
    assert "train/part.gz: truncated" in _reason(base)


def test_files_of_two_kinds_are_refused(job: Any, train: Any) -> None:
    data = {"train/a": "__label__x some text\n__label__y another\n" * 20, "train/b": MANIFEST}
    base = job(LABELS, data)
    assert train(base)[0] == 1
    assert "train/b is a manifest and" in _reason(base)


@pytest.mark.parametrize("mode", ["skipgram", "cbow", "batch_skipgram"])
@pytest.mark.parametrize("input_mode", ["Pipe", "File"])
def test_recordio_is_refused_for_word_vectors(
    job: Any, train: Any, mode: str, input_mode: str
) -> None:
    description = {"TrainingInputMode": input_mode, "RecordWrapperType": "RecordIO"}
    data = {"train_0" if input_mode == "Pipe" else "train/file": RECORDS}
    base = job(WORDS | {"mode": mode}, data, channels={"train": description})
    assert train(base)[0] == 1
    assert _reason(base).startswith("ClientError: channel train is wrapped in RecordIO")
    assert "give plain text, with RecordWrapperType None" in _reason(base)


@pytest.mark.parametrize("given", [WORDS, LABELS])
def test_recordio_in_files_is_refused(job: Any, train: Any, given: Any) -> None:
    base = job(given, {"train/file": RECORDS})
    assert train(base)[0] == 1
    assert "train/file is RecordIO: give" in _reason(base)


@pytest.mark.parametrize("given", [WORDS, LABELS])
def test_a_pipe_that_nobody_writes_to_ends_the_job(job: Any, train: Any, given: Any) -> None:
    base = job(given, {}, channels={"train": {"TrainingInputMode": "Pipe"}})
    (base / "input/data").mkdir()
    os.mkfifo(base / "input/data/train_0")
    began = time.monotonic()
    code, _ = train(base, BRASA_PIPE_SECONDS="1")
    assert code == 1
    assert time.monotonic() - began < 20
    assert _reason(base).startswith(
        "ClientError: channel train, epoch 0: nobody has written to the pipe"
    )
    assert "for 1 s" in _reason(base)


def test_a_pipe_that_falls_silent_ends_the_job(job: Any, start: Any) -> None:
    base = job(WORDS, {}, channels={"train": {"TrainingInputMode": "Pipe"}})
    pipe = base / "input/data/train_0"
    pipe.parent.mkdir()
    os.mkfifo(pipe)
    process = start(base, BRASA_PIPE_SECONDS="1")
    with pipe.open("wb", buffering=0) as opened:
        opened.write(TEXT.encode())
        process.communicate(timeout=60)
    assert process.returncode == 1
    assert "channel train, epoch 0: nobody has written to the pipe" in _reason(base)


def test_a_pipe_that_is_never_made_ends_the_job(job: Any, train: Any) -> None:
    base = job(WORDS, {}, channels={"train": {"TrainingInputMode": "Pipe"}})
    assert train(base, BRASA_PIPE_SECONDS="0.5")[0] == 1
    assert "channel train, epoch 0: " in _reason(base)
    assert "train_0 is not there after 0.5 s" in _reason(base)


def test_a_slow_pipe_is_waited_for_and_later_epochs_are_left_alone(job: Any, start: Any) -> None:
    """Each piece comes in time, though all of them take longer than the patience for one."""
    base = job(WORDS | {"epochs": "5"}, {}, channels={"train": {"TrainingInputMode": "Pipe"}})
    pipe = base / "input/data/train_0"
    pipe.parent.mkdir()
    os.mkfifo(pipe)
    os.mkfifo(pipe.with_name("train_1"))  # as SageMaker does, while the first is read

    def feed() -> None:
        with pipe.open("wb", buffering=0) as opened:
            for _ in range(6):
                opened.write(TEXT.encode())
                time.sleep(0.5)

    feeder = threading.Thread(target=feed)
    process = start(base, BRASA_PIPE_SECONDS="2")
    feeder.start()
    said = process.communicate(timeout=60)[0]
    feeder.join()
    assert process.returncode == 0, said
    assert brasa.WordVectors.load(base / "model").vocabulary.n_tokens == 6 * 60 * 12


def test_no_number_of_seconds_for_pipes_is_refused(job: Any, train: Any) -> None:
    base = job(WORDS, {"train_0": TEXT}, channels={"train": {"TrainingInputMode": "Pipe"}})
    assert train(base, BRASA_PIPE_SECONDS="soon")[0] == 1
    assert "environment variable BRASA_PIPE_SECONDS is 'soon'" in _reason(base)


def test_manifests_in_the_json_of_other_programs(job: Any, train: Any) -> None:
    lines = [json.dumps({"label": i % 2, "source": f"text {i % 2}", "id": i}) for i in range(60)]
    base = job(LABELS, {"train/a.gz": gzip.compress("\n".join(lines).encode())})
    code, said = train(base)
    assert code == 0, said
