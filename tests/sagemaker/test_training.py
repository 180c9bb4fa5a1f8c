from __future__ import annotations

import gzip
import json
import os
import re
import signal
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import brasa

Train = Callable[[Path], tuple[int, str]]
TEXT = "the tiger and the cat\na computer and a keyboard\nthe king and the queen\n" * 60
WORDS = {"mode": "skipgram", "vector_dim": "8", "min_count": "1", "epochs": "2", "threads": "1"}
LABELED = "__label__good a great film\n__label__bad a poor film\n" * 60
LABELS = {"mode": "supervised", "vector_dim": "8", "min_count": "1", "epochs": "8"}
MAGIC = 0xCED7230A


def _records(*values: bytes) -> bytes:
    found = b""
    for value in values:
        found += struct.pack("<II", MAGIC, len(value)) + value + b"\0" * (-len(value) % 4)
    return found


@pytest.mark.parametrize("subwords", ["True", "true", "FALSE"])
@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
def test_word_vectors_leave_blazingtexts_artifacts(
    job: Any, train: Train, mode: str, subwords: str
) -> None:
    base = job(WORDS | {"mode": mode, "subwords": subwords}, {"train/text": TEXT})
    code, said = train(base)
    assert code == 0, said
    vectors = brasa.WordVectors.load(base / "model")
    assert vectors.config.subwords == (subwords.lower() == "true")
    same = brasa.WordVectors.load(base / "model/vectors.bin")
    assert (same["tiger"] == vectors["tiger"]).all()
    head, first = (base / "model/vectors.txt").read_text().splitlines()[:2]
    assert head == f"{len(vectors)} 8"
    assert first.split()[0] == vectors.words[0]
    report = json.loads((base / "model/eval.json").read_text())
    assert report["EN-WS-353-ALL.txt"]["total_pairs"] == 353
    assert re.search(r"^\[\d\d/\d\d/\d{4} [\d:]+ INFO \d+\] #mean_rho: [-\d.e]+$", said, re.M)
    for line in (
        r"^Arguments: train$",
        rf"Running single machine CPU BlazingText training using {mode} mode\.$",
        r"Processing .*/train/text \. File size: 0 MB$",
        r"^Number of words:  \d+$",
        r"^##### Alpha: 0\.\d{4}  Progress: [\d.]+%  Million Words/sec: [\d.]+ #####$",
        r"^Training finished!$",
        r"^Average throughput in Million words/sec: [\d.]+$",
        r"^Total training time in seconds: [\d.]+$",
    ):
        assert re.search(line, said, re.M), line


def test_a_classifier_leaves_its_binary_and_its_metrics(job: Any, train: Train) -> None:
    given = LABELS | {"Early_Stopping": "True", "patience": "2", "min_epochs": "1"}
    base = job(given, {"train/text": LABELED, "validation/text": LABELED})
    code, said = train(base)
    assert code == 0, said
    for path in (base / "model", base / "model/model.bin"):
        model = brasa.TextClassifier.load(path)
        assert model.predict("a great film")[0][0] == "__label__good"
    assert re.search(r"^#train_accuracy: 1\.0000$", said, re.M)
    assert re.search(r"^#validation_accuracy: 1\.0000$", said, re.M)
    assert re.search(r"^-------------- End of epoch: 1$", said, re.M)


def test_more_epochs_than_a_float_has_powers_of_two(job: Any, train: Any) -> None:
    base = job(LABELS | {"epochs": "1100"}, {"train/text": LABELED, "validation/text": LABELED})
    code, said = train(base)
    assert code == 0, said


def test_several_files_folders_and_compressed_ones(job: Any, train: Train) -> None:
    data = {"train/a": TEXT, "train/deep/b": gzip.compress(b"zebra " * 50), "train/empty": b""}
    base = job(WORDS, data)
    code, said = train(base)
    assert code == 0, said
    assert {"zebra", "tiger"} <= set(brasa.WordVectors.load(base / "model").words)


def test_an_augmented_manifest_in_files(job: Any, train: Train) -> None:
    lines = '{"source": "a great film", "label": 1}\n{"source": "a poor one", "label": [0, 2]}\n'
    base = job(LABELS, {"train/manifest": lines * 40})
    code, said = train(base)
    assert code == 0, said
    labels = brasa.TextClassifier.load(base / "model").labels
    assert sorted(labels) == ["__label__0", "__label__1", "__label__2"]


@pytest.mark.parametrize("wrapper", ["None", "RecordIO"])
def test_pipes_are_read(job: Any, start: Any, wrapper: str) -> None:
    description = {"TrainingInputMode": "Pipe", "RecordWrapperType": wrapper}
    base = job(LABELS, {}, channels={"train": description, "validation": description})
    folder = base / "input/data"
    folder.mkdir()
    content = LABELED.encode()
    if wrapper == "RecordIO":
        pairs = (b"a great film", b"1", b"a poor film", b"[0,3]")
        content = _records(*pairs) * 50

    def feed(name: str) -> None:
        time.sleep(0.3)  # SageMaker makes pipes while the container starts
        os.mkfifo(folder / name)
        (folder / name).write_bytes(content)

    feeders = [threading.Thread(target=feed, args=(f"{n}_0",)) for n in ("train", "validation")]
    process = start(base)
    for feeder in feeders:
        feeder.start()
    said = process.communicate(timeout=120)[0]
    for feeder in feeders:
        feeder.join()
    assert process.returncode == 0, said
    found = brasa.TextClassifier.load(base / "model").predict("a great film")[0][0]
    assert found == ("__label__good" if wrapper == "None" else "__label__1")
    assert "#validation_accuracy" in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"plain text that is no record", "no RecordIO record at byte 0"),
        (_records(b"a text", b"1")[:-3], "cut off"),
        (_records(b"a text"), "has no label"),
        (struct.pack("<II", MAGIC, (1 << 29) - 1), "longer than"),
        (struct.pack("<II", MAGIC, 1 << 30), "a part of no other"),
        (b"", "ended without data"),
    ],
)
def test_broken_records_fail_the_job(job: Any, train: Train, content: bytes, said: str) -> None:
    description = {"TrainingInputMode": "Pipe", "RecordWrapperType": "RecordIO"}
    base = job(LABELS, {"train_0": content}, channels={"train": description})
    code, _ = train(base)
    assert code == 1
    reason = (base / "output/failure").read_text()
    assert reason.startswith("ClientError: ")
    assert said in reason


@pytest.mark.parametrize(
    ("hyperparameters", "resources", "said"),
    [
        ({}, {}, "Please provide a mode in hyperparameters"),
        ({"mode": "glove"}, {}, "mode 'glove' is not one of"),
        ({"mode": "cbow", "epochs": "many"}, {}, "Parameter epochs expects integer input"),
        ({"mode": "cbow", "learning_rate": "x"}, {}, "Parameter learning_rate expects float"),
        ({"mode": "cbow", "subwords": "perhaps"}, {}, "Parameter subwords expects True or False"),
        ({"mode": "cbow", "epochs": "0"}, {}, "epochs=0"),
        ({"mode": "cbow", "vector_dim": "2049"}, {}, "vector_dim=2049"),
        ({"mode": "cbow", "sampling_threshold": "1"}, {}, "sampling_threshold=1"),
        ({"mode": "cbow", "window_size": "-1"}, {}, "window_size=-1"),
        ({"mode": "cbow", "negative_samples": "0"}, {}, "negative_samples=0"),
        ({"mode": "cbow", "min_char": "7", "subwords": "True"}, {}, "min_char=7"),
        ({"mode": "cbow", "dim": "7"}, {}, "hyperparameter dim is unknown"),
        ({"mode": "batch_skipgram", "batch_size": "33"}, {}, "batch_size must be from 1 to 32"),
        ({"mode": "batch_skipgram", "subwords": "True"}, {}, "not supported by batch_skipgram"),
        ({"mode": "supervised", "early_stopping": "True"}, {}, "needs a validation channel"),
        (
            {"mode": "cbow"},
            {"hosts": ["algo-1", "algo-2"], "current_host": "algo-1"},
            "Only batch_skipgram is available when training on multiple CPU instances",
        ),
        (
            {"mode": "batch_skipgram"},
            {"hosts": ["algo-1"], "current_instance_type": "ml.p3.2xlarge"},
            "batch_skipgram is not supported on GPU. Please select a CPU instance or use",
        ),
        (
            {"mode": "cbow"},
            {"hosts": ["algo-1", "algo-2"], "current_instance_type": "ml.p3.2xlarge"},
            "Please use a single GPU instance or change to multiple CPU instances.",
        ),
        ({"mode": "supervised"}, {"hosts": ["algo-1", "algo-2"]}, "a single CPU instance"),
    ],
)
def test_what_blazingtext_refuses_is_refused(
    job: Any, train: Train, hyperparameters: Any, resources: Any, said: str
) -> None:
    base = job(hyperparameters, {"train/text": LABELED}, resources=resources)
    code, log = train(base)
    assert code == 1
    reason = (base / "output/failure").read_text()
    assert reason.startswith("ClientError: ")
    assert said in reason
    assert reason in log
    assert not (base / "model").exists()


def test_what_published_notebooks_give_besides_is_passed_over(job: Any, train: Train) -> None:
    given = WORDS | {"batch_size": "11", "early_stopping": "True", "patience": "4"}
    given |= {"_tuning_objective_metric": "train:mean_rho", "sagemaker_job": "x"}
    base = job(given, {"train/text": TEXT, "validation/text": TEXT})
    code, said = train(base)
    assert code == 0, said


@pytest.mark.parametrize("data", [{}, {"train/empty": b""}, {"test/text": TEXT}])
def test_a_job_without_data_says_so(job: Any, train: Train, data: Any) -> None:
    code, _ = train(job(WORDS, data))
    assert code == 1


def _long_text() -> str:
    import random

    source = random.Random(1)
    words = [f"w{i}" for i in range(500)]
    return "\n".join(" ".join(source.choices(words, k=20)) for _ in range(8000))


def test_sigterm_leaves_a_valid_model_and_a_checkpoint_to_go_on_from(
    job: Any, start: Any, train: Train
) -> None:
    given = WORDS | {"epochs": "60", "evaluation": "False"}
    base = job(given, {"train/text": _long_text()})
    (base / "checkpoints").mkdir()
    process = start(base)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("##### Alpha"):
            break
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 0, said
    partial = brasa.WordVectors.load(base / "model")
    assert partial.metadata["interrupted"] is True
    done = partial.metadata["blocks_done"]
    code, said = train(base)
    assert code == 0, said
    assert "Resuming from the checkpoint at" in said
    whole = brasa.WordVectors.load(base / "model")
    assert whole.metadata["interrupted"] is False
    assert whole.metadata["blocks_done"] == whole.metadata["total_blocks"] > done


def test_a_killed_job_goes_on_from_its_last_checkpoint(
    job: Any, start: Any, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRASA_CHECKPOINT_SECONDS", "0.3")
    given = WORDS | {"epochs": "300", "evaluation": "False"}
    base = job(given, {"train/text": _long_text()})
    (base / "checkpoints").mkdir()
    for _ in range(2):
        process = start(base)
        deadline = time.monotonic() + 120
        kept = base / "checkpoints/brasa-checkpoint/model.safetensors"
        before = kept.stat().st_mtime_ns if kept.exists() else 0
        while not kept.exists() or kept.stat().st_mtime_ns == before:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.02)
        time.sleep(0.1)
        process.kill()
        process.communicate()
    code, said = train(base)
    assert code == 0, said
    assert "Resuming from the checkpoint at" in said
    whole = brasa.WordVectors.load(base / "model")
    assert whole.metadata["interrupted"] is False
    assert said.count("Number of words:") == 1


def test_training_goes_on_from_the_channel_model(job: Any, train: Train, tmp_path: Path) -> None:
    earlier = tmp_path / "earlier"
    brasa.WordVectors.train(
        ["zebra and horse"] * 40, vector_dim=8, min_count=1, evaluation=False
    ).save(earlier)
    files = {f"model/{file.name}": file.read_bytes() for file in earlier.iterdir()}
    base = job(WORDS, {"train/text": TEXT, **files})
    code, said = train(base)
    assert code == 0, said
    words = brasa.WordVectors.load(base / "model").words
    assert {"zebra", "tiger"} <= set(words)


def test_a_model_is_served_as_in_a_container(job: Any, start: Any, train: Train) -> None:
    import socket

    import httpx

    base = job(WORDS, {"train/text": TEXT})
    assert train(base)[0] == 0
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = start(base, "serve", SAGEMAKER_BIND_TO_PORT=str(port))
    deadline = time.monotonic() + 20
    while True:
        try:
            assert httpx.get(f"http://127.0.0.1:{port}/ping").status_code == 200
            break
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    body = {"instances": ["tiger"]}
    answer = httpx.post(f"http://127.0.0.1:{port}/invocations", json=body)
    assert answer.json()[0]["word"] == "tiger"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_serving_nothing_says_so(job: Any, start: Any) -> None:
    base = job(WORDS, {})
    process = start(base, "serve")
    said = process.communicate(timeout=30)[0]
    assert process.returncode == 2
    assert "has no model" in said
