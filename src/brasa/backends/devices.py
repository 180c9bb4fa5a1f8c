"""Which device trains. PyTorch is imported only where there is a GPU to train on."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brasa.backends.cpu import CpuBackend, CpuClassifierBackend
from brasa.backends.gpu.shapes import MAX_CBOW_DIM
from brasa.config import TextClassifierConfig, WordVectorsConfig
from brasa.errors import ConfigError, DeviceError, MissingExtraError

if TYPE_CHECKING:
    from brasa.backends import Backend, ClassifierBackend
    from brasa.classifier_plan import ClassifierPlan
    from brasa.parameters import Classifier, Parameters
    from brasa.plan import TrainingPlan

# What the drivers of NVIDIA, of NVIDIA under Windows' Linux, and of AMD put there.
_DEVICE_FILES = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")
# Words times epochs from which `auto` takes a GPU. Two processor cores train as many in 15 to 25 s;
# importing PyTorch and starting a driver is thought to take some seconds (not measured on a GPU).
AUTO_MIN_WORDS = 50_000_000


class Choice:
    """A configuration's device, chosen in two steps.

    Made before the text is read, it refuses what cannot be had, and for "cuda" begins to load
    PyTorch. Asked afterwards, it makes the backend; for "auto" PyTorch is loaded then, if the text
    is long enough.

    Raises
    ------
    ConfigError, MissingExtraError, DeviceError
        For ``device="cuda"``, when this machine or the settings do not allow it.
    """

    def __init__(self, config: WordVectorsConfig | TextClassifierConfig) -> None:
        self._config = config
        self._loading: threading.Thread | None = None
        if config.device != "cuda":
            if config.gpus > 1:
                raise ConfigError("gpus", config.gpus, "1 unless device='cuda'")
            return
        unsupported = _unsupported(config)
        if unsupported is not None:
            raise unsupported
        _refuse(why_no_gpu(), "training on a GPU")
        # Not a daemon, which might be cut off while PyTorch's libraries are being loaded.
        self._loading = threading.Thread(target=_load)
        self._loading.start()

    def words(self, plan: TrainingPlan, parameters: Parameters, threads: int) -> Backend:
        """What trains word vectors."""
        if self._takes_gpu(plan.total_words):
            from brasa.backends.gpu.word_vectors import GpuBackend

            trainer: Backend = self._on_gpu(GpuBackend, plan, parameters, threads)
            return trainer
        return CpuBackend(plan, parameters, threads)

    def texts(
        self, plan: ClassifierPlan, parameters: Parameters, threads: int
    ) -> ClassifierBackend:
        """What trains a classifier."""
        if self._takes_gpu(plan.total_words):
            from brasa.backends.gpu.text_classifier import GpuClassifierBackend

            trainer: ClassifierBackend = self._on_gpu(
                GpuClassifierBackend, plan, parameters, threads
            )
            return trainer
        return CpuClassifierBackend(plan, parameters, threads)

    def _takes_gpu(self, total_words: int) -> bool:
        if self._loading is not None:
            self._loading.join()
            return True
        return (
            self._config.device == "auto"
            and total_words >= AUTO_MIN_WORDS
            and _unsupported(self._config) is None
            and has_gpu()
        )

    def _on_gpu(self, backend: Callable[..., Any], *arguments: Any) -> Any:
        if self._config.gpus > 1:
            from brasa.backends.gpu.several import SeveralGpus

            backend = partial(SeveralGpus, backend, self._config.gpus)
        return backend(*arguments)


def gpu_predictor(native: Any, model: Classifier) -> Any:
    """What predicts many texts on the GPU, before a native classifier.

    Raises
    ------
    ConfigError, MissingExtraError, DeviceError
    """
    _refuse(why_no_gpu(), "predicting on a GPU")
    from brasa.backends.gpu.prediction import GpuPredictor

    return GpuPredictor(native, model)


def _refuse(reason: str | None, purpose: str) -> None:
    if reason is None:
        return
    if find_spec("torch") is None or not _has_triton():
        raise MissingExtraError("PyTorch and Triton", "gpu", purpose)
    raise DeviceError(f"no GPU can be used: {reason}. Use device='cpu'")


def why_no_gpu() -> str | None:
    """What is missing for a GPU, as far as it shows without PyTorch; None if nothing."""
    if find_spec("torch") is None or not _has_triton():
        return "PyTorch and Triton are not installed: pip install 'brasa[gpu]'"
    if os.environ.get("TRITON_INTERPRET") == "1" or any(Path(f).exists() for f in _DEVICE_FILES):
        return None
    return f"there is no driver (no {', '.join(_DEVICE_FILES[:-1])} or {_DEVICE_FILES[-1]})"


def has_gpu() -> bool:
    """Whether one can train; imports PyTorch if a driver is there."""
    if why_no_gpu() is not None:
        return False
    from brasa.backends.gpu import device

    return device.interpreted() or device.why_not() is None


def describe_gpus() -> str:
    """The GPUs that can train, or why there are none; imports PyTorch if a driver is there."""
    reason = why_no_gpu()
    if reason is None:
        from brasa.backends.gpu import device

        reason = device.why_not()
        if reason is None:
            return device.describe()
    return f"none: {reason}"


def _has_triton() -> bool:
    return find_spec("triton") is not None


def _unsupported(config: WordVectorsConfig | TextClassifierConfig) -> ConfigError | None:
    if config.loss == "hs":
        others = "softmax, ova or ns" if isinstance(config, TextClassifierConfig) else "ns"
        return ConfigError("loss", "hs", f"{others} on a GPU; device='cpu' has hs")
    if isinstance(config, TextClassifierConfig):
        return None
    if config.shared_negatives == 0:
        allowed = "1 or more on a GPU; device='cpu' draws negatives for every pair"
        return ConfigError("shared_negatives", 0, allowed)
    if config.mode == "cbow" and config.vector_dim > MAX_CBOW_DIM:
        allowed = f"at most {MAX_CBOW_DIM} with cbow on a GPU; device='cpu' has more"
        return ConfigError("vector_dim", config.vector_dim, allowed)
    return None


def _load() -> None:
    """Import PyTorch and the kernels, and start the driver; what fails is told when it is used."""
    for name in ("word_vectors", "text_classifier"):
        import_module(f"brasa.backends.gpu.{name}")
    has_gpu()
