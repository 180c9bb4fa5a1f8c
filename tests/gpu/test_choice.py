"""Which device trains, what it says, and what happens when it cannot or fails."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import brasa
from brasa.backends import devices
from brasa.classifier_plan import ClassifierPlan, make_classifier_plan
from brasa.cli import main
from brasa.config import TextClassifierConfig, WordVectorsConfig
from brasa.corpus import Corpus
from brasa.encoding import encode
from brasa.errors import BrasaError, ConfigError, DeviceError, MissingExtraError
from brasa.examples import encode_examples
from brasa.plan import TrainingPlan, make_plan
from brasa.training import DeviceChosen, Event

if TYPE_CHECKING:
    from conftest import Gpu

LINES = [["a", "b", "c", "d"]] * 6
SMALL: dict[str, Any] = {"vector_dim": 8, "min_count": 1, "epochs": 1, "sampling_threshold": 0.9}


def no_gpu(monkeypatch: pytest.MonkeyPatch, *missing: str, driver: bool = False) -> None:
    """A machine without some packages, or without a driver."""
    find = importlib.util.find_spec

    def find_spec(name: str) -> Any:
        return None if name in missing else find(name)

    monkeypatch.setattr(devices, "find_spec", find_spec)
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    if not driver:
        monkeypatch.setattr(devices, "_DEVICE_FILES", ("/nowhere/a", "/nowhere/b"))


@pytest.mark.parametrize("missing", ["torch", "triton"])
def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    no_gpu(monkeypatch, missing)
    with pytest.raises(MissingExtraError, match=r"pip install 'brasa\[gpu\]'"):
        brasa.WordVectors.train(LINES, device="cuda", **SMALL)


def test_no_driver(gpu: Gpu, monkeypatch: pytest.MonkeyPatch) -> None:
    no_gpu(monkeypatch)
    problem = r"there is no driver \(no /nowhere/a or /nowhere/b\)\. Use device='cpu'"
    with pytest.raises(DeviceError, match=problem):
        brasa.WordVectors.train(LINES, device="cuda", **SMALL)
    with pytest.raises(DeviceError, match=problem):
        brasa.TextClassifier.train(["__label__a b"], device="cuda")
    trained = brasa.WordVectors.train(LINES, device="auto", **SMALL)
    assert trained.metadata["device"] == "CPU"


def test_a_driver_that_pytorch_cannot_use(gpu: Gpu, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with an old one: PyTorch says so, and auto trains on the CPU."""
    import torch

    from brasa.backends.gpu import device

    def init() -> None:
        raise RuntimeError("The NVIDIA driver on your system is too old (found version 11040).\nX")

    monkeypatch.setattr(device, "_INTERPRETED", False)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "init", init)
    with pytest.raises(DeviceError, match=r"too old \(found version 11040\)\. Train with"):
        device.open_device()
    monkeypatch.setenv("TRITON_INTERPRET", "1")  # for a driver
    monkeypatch.setattr(devices, "AUTO_MIN_WORDS", 0)
    assert brasa.WordVectors.train(LINES, **SMALL).metadata["device"] == "CPU"
    monkeypatch.setattr(torch.version, "cuda", None)
    assert "built without support" in str(device.why_not())


def test_device_cpu_loads_no_pytorch() -> None:
    """Nor does auto without a driver: it takes seconds."""
    script = (
        "import brasa, sys\n"
        "brasa.WordVectors.train([['a', 'b']] * 9, min_count=1, device='cpu')\n"
        "brasa.WordVectors.train([['a', 'b']] * 9, min_count=1)\n"
        "assert 'torch' not in sys.modules or brasa.backends.devices.why_no_gpu() is None\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        (WordVectorsConfig(loss="hs", device="cuda"), "loss must be ns on a GPU"),
        (TextClassifierConfig(loss="hs", device="cuda"), "softmax, ova or ns on a GPU"),
        (WordVectorsConfig(shared_negatives=0, device="cuda"), "1 or more on a GPU"),
        (WordVectorsConfig(mode="cbow", vector_dim=513, device="cuda"), "at most 512 with cbow"),
        (WordVectorsConfig(gpus=2), "1 unless device='cuda'"),
    ],
)
def test_what_a_gpu_does_not_train(
    chosen: Gpu, config: WordVectorsConfig | TextClassifierConfig, problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem):
        devices.Choice(config)


def test_auto_leaves_to_the_cpu_what_only_it_trains(chosen: Gpu) -> None:
    trained = brasa.WordVectors.train(LINES, loss="hs", **SMALL)
    assert trained.metadata["device"] == "CPU"


def test_auto_takes_a_gpu_for_long_texts(chosen: Gpu, monkeypatch: pytest.MonkeyPatch) -> None:
    assert brasa.WordVectors.train(LINES, **SMALL).metadata["device"] == "CPU"
    monkeypatch.setattr(devices, "AUTO_MIN_WORDS", 10)
    assert brasa.WordVectors.train(LINES, **SMALL).metadata["device"] != "CPU"


def test_what_trains_is_told_and_kept(chosen: Gpu) -> None:
    events: list[Event] = []
    vectors = brasa.WordVectors.train(LINES, device="cuda", listeners=[events.append], **SMALL)
    told = next(event for event in events if isinstance(event, DeviceChosen))
    assert told.device == vectors.metadata["device"]
    assert "blocks at once" in told.detail
    assert np.isfinite(vectors["a"]).all()


@pytest.mark.parametrize("mode", ["skipgram", "cbow", "batch_skipgram"])
@pytest.mark.parametrize("subwords", [False, True])
def test_a_vocabulary_of_three_and_ten_words_of_text(
    chosen: Gpu, mode: Any, subwords: bool
) -> None:
    lines = [["a", "b", "c"]] * 3 + [["a"]]
    vectors = brasa.WordVectors.train(lines, mode=mode, subwords=subwords, device="cuda", **SMALL)
    assert len(vectors) == 4  # and </s>
    assert np.isfinite(vectors.embeddings.input).all()
    assert np.abs(vectors.embeddings.output).max() > 0


def test_the_model_can_be_trained_on_by_the_cpu(chosen: Gpu, tmp_path: Path) -> None:
    vectors = brasa.WordVectors.train(LINES, device="cuda", subwords=True, **SMALL)
    vectors.save(tmp_path / "model")
    loaded = brasa.WordVectors.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded["a"], vectors["a"])
    again = loaded.continue_training(LINES, epochs=1, device="cpu")
    assert again.metadata["device"] == "CPU"


def test_a_model_that_does_not_fit_is_refused_with_the_arithmetic(
    chosen: Gpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    from brasa.backends.gpu.device import Device

    monkeypatch.setattr(Device, "free_bytes", lambda self: 1_000)
    with pytest.raises(
        DeviceError, match=r"10 rows of 64 bytes, and \d+ MB to work with.*0\.00 GB"
    ):
        brasa.WordVectors.train(LINES, device="cuda", **SMALL)
    with pytest.raises(DeviceError, match="does not fit"):
        brasa.TextClassifier.train(["__label__a b", "__label__b a"], device="cuda", min_count=1).to(
            "cuda"
        )


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        ("OutOfMemoryError", "ran out of memory while blocks 0 to 5 were trained"),
        ("AcceleratorError", "failed while blocks 0 to 5 were trained: CUDA error: lost"),
    ],
)
def test_a_failure_in_the_middle_leaves_no_model(
    chosen: Gpu,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    error: str,
    problem: str,
) -> None:
    import torch

    from brasa.backends.gpu.device import Device

    def fail(*arguments: Any) -> None:
        monkeypatch.setattr(Device, "is_gpu", property(lambda self: True))
        if error == "OutOfMemoryError":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
        raise RuntimeError("CUDA error: lost\nCompile with `TORCH_USE_CUDA_DSA`")

    monkeypatch.setattr(chosen.words, "_launch", fail)
    text = tmp_path / "text.txt"
    text.write_text("a b c d\n" * 9)
    output = tmp_path / "model"
    arguments = ["train", "skipgram", str(text), "-o", str(output), "--min-count", "1"]
    monkeypatch.setattr(sys, "argv", ["brasa", *arguments, "--device", "cuda", "-q"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert problem in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [text]


def test_ctrl_c_keeps_what_was_trained(chosen: Gpu) -> None:
    """What is on the device comes back first."""

    def interrupt(event: Event) -> None:
        if type(event).__name__ == "Progress":
            raise KeyboardInterrupt

    vectors = brasa.WordVectors.train(
        LINES, device="cuda", listeners=[interrupt], keep_partial=True, **SMALL
    )
    assert np.abs(vectors.embeddings.output).max() > 0


def test_info_tells_of_the_gpu(gpu: Gpu) -> None:
    command = [sys.executable, "-m", "brasa.cli", "info", "--json"]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    told = json.loads(found.stdout)["gpu"]
    assert told.startswith("none: there is no driver") == gpu.interpreted


def test_errors_are_brasas() -> None:
    assert issubclass(DeviceError, BrasaError)


def test_fewer_blocks_at_once_where_rows_are_moved_often(gpu: Gpu) -> None:
    """A text of few words bears one program; a text of many fills the device."""
    from brasa.backends.gpu.concurrency import (
        MAX_STEPS_ON_A_ROW,
        for_words,
        moves_of_the_hottest_row,
    )

    def plan(n_words: int) -> TrainingPlan:
        config = WordVectorsConfig(min_count=1, sampling_threshold=0.9)
        lines = [[f"w{k}" for k in range(n_words)]] * 3
        vocabulary, encoded = encode(Corpus(lines), config)
        return make_plan(vocabulary, encoded, config)

    few, many = plan(2), plan(40_000)
    # Three words with </s>; each is a third of the contexts and of five negatives.
    assert moves_of_the_hottest_row(few) == pytest.approx(2.0)
    assert for_words(few, 4, 132).programs == MAX_STEPS_ON_A_ROW // 8
    assert for_words(few, 4, 132).reason == "since a pair moves the most frequent row 2 times"
    assert for_words(few, 10_000, 132).programs == 1
    assert for_words(many, 4, 132).programs == 8 * 132
    assert for_words(many, 4, 132).reason == "which fill 132 multiprocessors"


def test_fewer_texts_at_once_with_few_labels_and_long_steps(gpu: Gpu) -> None:
    from brasa.backends.gpu.concurrency import for_texts

    def plan(n_labels: int, rate: float) -> ClassifierPlan:
        config = TextClassifierConfig(min_count=1, learning_rate=rate)
        lines = [f"__label__{k} word" for k in range(n_labels)]
        return make_classifier_plan(encode_examples(Corpus(iter(lines)), config), config)

    assert for_texts(plan(2, 0.5), 132).programs == 16
    assert for_texts(plan(10, 0.1), 132).programs == 160
    assert for_texts(plan(100, 0.01), 132).programs == 8 * 132
    assert for_texts(plan(2, 50.0), 132).programs == 1
    assert for_texts(plan(2, 0.5), 132).reason == (
        "since the learning rate is 0.5 and 50% of the labels are one"
    )
