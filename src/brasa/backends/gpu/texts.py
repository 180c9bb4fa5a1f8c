"""The encoded text on the device: all of it, or as much as the next launch reads."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

from brasa.backends.gpu.device import Device
from brasa.plan import TrainingPlan

Loaded = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


class Texts(Protocol):
    """Gives the tokens of blocks."""

    def load(self, first: int, last: int) -> Loaded:
        """Tokens there; where in them each of the blocks begins, int64; their lengths, int32."""
        ...

    def release(self) -> None:
        """What reads the tokens that were loaded last has been launched."""
        ...


def texts_on(device: Device, plan: TrainingPlan, room: int, blocks_at_once: int) -> Texts:
    """All of the text if it fits into `room` bytes, else a window on it."""
    if plan.tokens.nbytes <= room:
        return ResidentText(device, plan)
    return StreamedText(device, plan, blocks_at_once)


class ResidentText:
    """The whole text, copied once."""

    def __init__(self, device: Device, plan: TrainingPlan) -> None:
        self._device, self._plan = device, plan
        self._tokens = torch.tensor(plan.tokens).to(device.torch)

    def load(self, first: int, last: int) -> Loaded:
        """See `Texts`."""
        begins, lengths = _places(self._plan, first, last)
        return self._tokens, _to(self._device, begins), _to(self._device, lengths)

    def release(self) -> None:
        """Nothing is to be used again."""


class StreamedText:
    """Two buffers in turn: one is filled and copied while the other is read.

    The host's side is page-locked, so that a copy runs beside the kernels, on a stream of its own.
    """

    def __init__(self, device: Device, plan: TrainingPlan, blocks_at_once: int) -> None:
        self._device, self._plan = device, plan
        size = blocks_at_once * plan.block_tokens
        self._host = [
            torch.empty(size, dtype=torch.int32, pin_memory=device.is_gpu) for _ in range(2)
        ]
        self._there = [torch.empty(size, dtype=torch.int32, device=device.torch) for _ in range(2)]
        self._turn = 0
        if device.is_gpu:
            self._copies = torch.cuda.Stream(device.torch)
            self._read = [torch.cuda.Event(), torch.cuda.Event()]

    def load(self, first: int, last: int) -> Loaded:
        """See `Texts`."""
        host, there = self._host[self._turn], self._there[self._turn]
        if self._device.is_gpu:
            self._read[self._turn].synchronize()
        begins, lengths = _places(self._plan, first, last)
        ends = np.cumsum(lengths, dtype=np.int64)
        gathered = host.numpy()
        for begin, length, end in zip(begins, lengths, ends, strict=True):
            gathered[end - length : end] = self._plan.tokens[begin : begin + length]
        n = int(ends[-1])
        if self._device.is_gpu:
            with torch.cuda.stream(self._copies):
                there[:n].copy_(host[:n], non_blocking=True)
            torch.cuda.current_stream(self._device.torch).wait_stream(self._copies)
        else:
            there[:n].copy_(host[:n])
        return there, _to(self._device, ends - lengths), _to(self._device, lengths)

    def release(self) -> None:
        """See `Texts`."""
        if self._device.is_gpu:
            self._read[self._turn].record(torch.cuda.current_stream(self._device.torch))
        self._turn = 1 - self._turn


def _places(
    plan: TrainingPlan, first: int, last: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Where the blocks of a span begin in the text, and how long they are."""
    begins = plan.blocks_of(first, last) * plan.block_tokens
    lengths = np.minimum(plan.block_tokens, len(plan.tokens) - begins).astype(np.int32)
    return begins, lengths


def _to(device: Device, array: npt.NDArray[Any]) -> torch.Tensor:
    return torch.from_numpy(array).to(device.torch)
