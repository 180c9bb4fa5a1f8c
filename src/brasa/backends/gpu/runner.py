"""What training on a GPU has in common, whatever is trained."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from brasa.backends import SpanResult
from brasa.backends.gpu.concurrency import Concurrency
from brasa.backends.gpu.device import Device, failures_explained
from brasa.parameters import FloatMatrix, Parameters

# Blocks that are trained by one launch at most: 4096 of them are 16.8 million words, a tenth of a
# second or more, and their scratch is 134 MB.
MAX_BLOCKS_OF_A_LAUNCH = 4096
# The loss is looked at in one tile of word vectors in this many, as in the other backends.
LOSS_INTERVAL = 32


class GpuRunner(ABC):
    """Holds the matrices on the device, launches kernels span by span, and brings results back.

    `programs` is how many blocks are trained at once; None: as many as the text bears, see
    `concurrency`. With one, training is the reference's, step for step.
    """

    programs: int | None = None

    def __init__(
        self, parameters: Parameters, scratch_bytes: int, device: Device, at_once: Concurrency
    ) -> None:
        self.device = device
        self.blocks_at_once = at_once.programs  # a shorter span leaves the device idle
        self.detail = f"{at_once.programs} blocks at once, {at_once.reason}"
        matrices = (parameters.input, parameters.output)
        n_bytes = sum(_padded(matrix).nbytes for matrix in matrices)
        rows = sum(len(matrix) for matrix in matrices)
        self._room = self.device.check_room(
            n_bytes + scratch_bytes,
            f"the model does not fit ({rows:,} rows of {_padded(parameters.input).strides[0]:,} "
            f"bytes, and {scratch_bytes / 1e6:,.0f} MB to work with)",
        )
        with failures_explained(self.device, "the model was copied to it"):
            self._host = [torch.from_numpy(_padded(matrix)) for matrix in matrices]
            self.input, self.output = (matrix.to(self.device.torch) for matrix in self._host)
        self._done = 0

    @property
    def device_name(self) -> str:
        """The GPU's name."""
        return self.device.name

    @property
    def done(self) -> int:
        """End of the last span."""
        return self._done

    def train(self, first: int, last: int) -> SpanResult:
        """Train blocks ``first .. last - 1``; see `brasa.backends.Runner`."""
        with failures_explained(self.device, f"blocks {first} to {last} were trained"):
            totals = torch.zeros(2, dtype=torch.float64, device=self.device.torch)
            for begin in range(first, last, MAX_BLOCKS_OF_A_LAUNCH):
                end = min(last, begin + MAX_BLOCKS_OF_A_LAUNCH)
                losses, counts = self._launch(begin, end)
                totals += torch.stack([losses.double().sum(), counts.double().sum()])
            loss, count = totals.tolist()
        self._done = last
        return SpanResult(loss, count, bool(np.isfinite(loss)))

    @abstractmethod
    def _launch(self, first: int, last: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Start the training of a few blocks; gives the loss of each and what it is the sum of."""

    def write_back(self) -> None:
        """Give the host's matrices the device's numbers."""
        with failures_explained(self.device, "the model was copied from it"):
            for host, matrix in zip(self._host, (self.input, self.output), strict=True):
                host.copy_(matrix)

    def take_over(self) -> None:
        """Give the device the host's numbers."""
        with failures_explained(self.device, "the model was copied to it"):
            for host, matrix in zip(self._host, (self.input, self.output), strict=True):
                matrix.copy_(host)

    def on_device(self, array: npt.NDArray[Any]) -> torch.Tensor:
        """A copy of an array there, even of an empty one something that has an address."""
        tensor = torch.tensor(array) if array.size else torch.zeros(1, dtype=torch.int32)
        return tensor.to(self.device.torch)

    def empty(self, *shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """Memory there, not set to anything."""
        return torch.empty(shape, dtype=dtype, device=self.device.torch)

    def next_item(self) -> torch.Tensor:
        """Where the programs of a launch take the number of their next block from."""
        return torch.zeros(1, dtype=torch.int32, device=self.device.torch)


def _padded(matrix: FloatMatrix) -> FloatMatrix:
    """The matrix with what lies between its rows."""
    stride = matrix.strides[0] // matrix.itemsize
    return np.lib.stride_tricks.as_strided(matrix, (len(matrix), stride))
