"""The GPU, its memory, and what its failures mean to a user."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import triton

from brasa.errors import DeviceError

_INTERPRETED: bool = triton.knobs.runtime.interpret
# Share of the free memory that a model may fill: Triton, the driver and other programs want some.
_USABLE = 0.95


@dataclass(frozen=True)
class Device:
    """A GPU; or, under ``TRITON_INTERPRET=1``, the CPU that plays one.

    Attributes
    ----------
    torch : torch.device
    name : str
    n_processors : int
        Streaming multiprocessors, on each of which several programs run at once.
    precision : {"tf32", "ieee"}
        How matrix products read 32-bit floats: rounded to TF32, for which NVIDIA has units, or as
        they are. Others may have no such units, and there Triton refuses TF32.
    """

    torch: torch.device
    name: str
    n_processors: int
    precision: str = "ieee"

    @property
    def is_gpu(self) -> bool:
        """Whether it is one."""
        is_gpu: bool = self.torch.type != "cpu"
        return is_gpu

    def free_bytes(self) -> int:
        """Memory that no program uses."""
        if not self.is_gpu:
            return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        free: int = torch.cuda.mem_get_info(self.torch)[0]
        return free

    def check_room(self, needed: int, what: str) -> int:
        """Refuse what does not fit; gives the bytes that are left.

        Raises
        ------
        DeviceError
        """
        usable = int(_USABLE * self.free_bytes())
        if needed > usable:
            raise DeviceError(
                f"{what}: {needed / 1e9:.2f} GB, and {self.name} has {usable / 1e9:.2f} GB free. "
                "Lower vector_dim, buckets or max_vocab, raise min_count, or use device='cpu'"
            )
        return usable - needed


def interpreted() -> bool:
    """Whether Triton's kernels run in its interpreter, on the CPU: decided when they are loaded."""
    return _INTERPRETED


def open_device() -> Device:
    """The GPU that PyTorch has chosen.

    Raises
    ------
    DeviceError
        When PyTorch finds none.
    """
    if interpreted():
        return Device(torch.device("cpu"), "Triton's interpreter", 1)
    reason = why_not()
    if reason is not None:
        raise DeviceError(f"no GPU can be used: {reason}. Train with device='cpu'")
    number = torch.cuda.current_device()
    facts = torch.cuda.get_device_properties(number)
    precision = "ieee" if torch.version.cuda is None else "tf32"
    device = torch.device("cuda", number)
    return Device(device, facts.name, facts.multi_processor_count, precision)


def why_not() -> str | None:
    """Why PyTorch cannot use a GPU here; None if it can."""
    if torch.version.cuda is None and torch.version.hip is None:
        return f"PyTorch {torch.__version__} was built without support for one"
    try:
        torch.cuda.init()
    except (RuntimeError, AssertionError) as error:  # no driver, one that is too old, no device
        return _first_line(error)
    if torch.version.cuda is not None and torch.cuda.get_device_capability() < (7, 0):
        name = torch.cuda.get_device_name()
        return f"{name} is older than compute capability 7.0, the least that Triton compiles for"
    return None


def describe() -> str:
    """The GPUs here in words."""
    names = []
    for number in range(torch.cuda.device_count()):
        facts = torch.cuda.get_device_properties(number)
        names.append(f"{facts.name} ({facts.total_memory / 1e9:.0f} GB)")
    toolkit = torch.version.cuda or torch.version.hip
    return f"{', '.join(names)}; PyTorch {torch.__version__}, {toolkit}"


@contextlib.contextmanager
def failures_explained(device: Device, what: str) -> Iterator[None]:
    """Turn PyTorch's errors into brasa's; `what` says what was being done.

    Raises
    ------
    DeviceError
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise DeviceError(
            f"{device.name} ran out of memory while {what}; other programs may use it too. "
            "Try again, lower vector_dim, or use device='cpu'"
        ) from error
    except RuntimeError as error:
        if not device.is_gpu:
            raise
        raise DeviceError(
            f"{device.name} failed while {what}: {_first_line(error)}. If it fails again, see what "
            "the driver's log says (dmesg), or use device='cpu'"
        ) from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
