"""Several GPUs of one machine that share the text, and now and then their models.

Each GPU has a process, a copy of the model, and its part of each round's blocks. After a round each
row moves by what it was moved by on all of them, divided by the square root of the number of those
that moved it, as among hosts: see `brasa.backends.hosts`.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, cast

import torch
import torch.distributed as dist
import torch.multiprocessing as multiprocessing

from brasa.backends import SpanResult
from brasa.backends.gpu.device import interpreted
from brasa.backends.gpu.runner import GpuRunner
from brasa.errors import BrasaError, DeviceError
from brasa.parameters import Parameters, padded_matrix

if TYPE_CHECKING:
    from brasa.backends import ClassifierBackend

# A GPU that does not answer for so long is taken for lost.
_TIMEOUT = timedelta(minutes=5)


@dataclass
class _Member:
    """One GPU's part, in whichever process it is."""

    runner: GpuRunner
    rank: int
    n: int

    def __post_init__(self) -> None:
        for matrix in self._matrices():
            dist.broadcast(matrix, 0)
        self._before = [matrix.clone() for matrix in self._matrices()]

    def _matrices(self) -> tuple[torch.Tensor, torch.Tensor]:
        return self.runner.input, self.runner.output

    def train(self, first: int, last: int) -> SpanResult:
        """Train its part of the blocks."""
        parts = [first + (last - first) * r // self.n for r in (self.rank, self.rank + 1)]
        if parts[0] == parts[1]:
            return SpanResult(0.0, 0.0, True)
        return self.runner.train(*parts)

    def share(self) -> None:
        """Give all GPUs the same model."""
        for matrix, before in zip(self._matrices(), self._before, strict=True):
            step = matrix - before
            movers = (step != 0).any(1).float()
            dist.all_reduce(step)
            dist.all_reduce(movers)
            before += step / movers.clamp(min=1).sqrt().unsqueeze(1)
            matrix.copy_(before)


class SeveralGpus:
    """A backend that has the others work, see `brasa.backends.Backend`.

    Parameters
    ----------
    backend : callable
        What each GPU runs.
    n : int
        How many GPUs.
    plan, parameters, threads
        As for any backend.

    Raises
    ------
    DeviceError
        When there are not as many, or one of them fails.
    """

    def __init__(
        self,
        backend: Callable[[Any, Parameters, int], GpuRunner],
        n: int,
        plan: Any,
        parameters: Parameters,
        threads: int,
    ) -> None:
        available = n if interpreted() else torch.cuda.device_count()
        if available < n:
            raise DeviceError(f"gpus={n} were asked for, and this machine has {available}")
        context = multiprocessing.get_context("spawn")
        self._folder = tempfile.TemporaryDirectory(prefix="brasa-gpus-")
        meeting = f"file://{self._folder.name}/meeting"
        shapes = [matrix.shape for matrix in (parameters.input, parameters.output)]
        self._connections: list[Connection] = []
        self._processes = []
        for rank in range(1, n):
            here, there = context.Pipe()
            process = context.Process(
                target=_work,
                args=(backend, rank, n, meeting, plan, shapes, threads, there),
                daemon=True,
            )
            process.start()
            there.close()
            self._connections.append(here)
            self._processes.append(process)
        self._finalizer = weakref.finalize(self, _end, self._connections, self._folder)
        self._answers()  # each is about to meet the others
        _meet(meeting, 0, n)
        self._own = _Member(backend(plan, parameters, threads), 0, n)
        self._n = n
        self._done = 0

    @property
    def device_name(self) -> str:
        """What they are."""
        return f"{self._n} x {self._own.runner.device_name}"

    @property
    def detail(self) -> str:
        """How each of them works."""
        return self._own.runner.detail

    @property
    def blocks_at_once(self) -> int:
        """Blocks of a round, after which the models are shared."""
        return self._n * self._own.runner.blocks_at_once

    @property
    def done(self) -> int:
        """End of the last span."""
        return self._done

    def train(self, first: int, last: int) -> SpanResult:
        """Train blocks ``first .. last - 1`` round by round; see `brasa.backends.Runner`."""
        results = []
        for begin in range(first, last, self.blocks_at_once):
            end = min(last, begin + self.blocks_at_once)
            self._tell(("train", begin, end))
            results.append(self._own.train(begin, end))
            results += self._answers()
            self._tell(("share",))
            self._own.share()
            self._answers()
        self._done = last
        return SpanResult(
            sum(r.loss for r in results),
            sum(r.n_pairs for r in results),
            all(r.finite for r in results),
        )

    def write_back(self) -> None:
        """Give the host's matrices the numbers that all GPUs have."""
        self._own.runner.write_back()

    def count_right(self) -> int:
        """See `brasa.backends.ClassifierBackend`; one GPU does it."""
        return cast("ClassifierBackend", self._own.runner).count_right()

    def _tell(self, message: tuple[Any, ...]) -> None:
        for connection in self._connections:
            with contextlib.suppress(OSError):  # it is gone: its answer will say so
                connection.send(message)

    def _answers(self) -> list[Any]:
        """What each process says to the last message; raises what one of them raised."""
        answers = []
        for rank, (connection, process) in enumerate(
            zip(self._connections, self._processes, strict=True), start=1
        ):
            try:
                if not connection.poll(_TIMEOUT.total_seconds()):
                    raise DeviceError(f"GPU {rank} has not answered for {_TIMEOUT}")
                answer = connection.recv()
            except (EOFError, OSError):
                process.join(1)
                raise DeviceError(
                    f"the process of GPU {rank} ended with code {process.exitcode}. Train with "
                    "fewer gpus, or see what it wrote"
                ) from None
            if isinstance(answer, BaseException):
                raise answer
            answers.append(answer)
        return answers


def _meet(meeting: str, rank: int, n: int) -> None:
    if not interpreted():
        torch.cuda.set_device(rank)
    kind = "gloo" if interpreted() else "nccl"
    dist.init_process_group(kind, init_method=meeting, rank=rank, world_size=n, timeout=_TIMEOUT)


def _work(
    backend: Callable[[Any, Parameters, int], GpuRunner],
    rank: int,
    n: int,
    meeting: str,
    plan: Any,
    shapes: list[tuple[int, int]],
    threads: int,
    connection: Connection,
) -> None:
    """Follow the first process until it ends."""
    connection.send(None)
    try:
        _meet(meeting, rank, n)
        parameters = Parameters(*(padded_matrix(*shape) for shape in shapes))
        member = _Member(backend(plan, parameters, threads), rank, n)
        while True:
            message = connection.recv()
            connection.send(getattr(member, message[0])(*message[1:]))
    except (EOFError, KeyboardInterrupt):
        pass
    except BrasaError as error:
        connection.send(error)
    except Exception as error:
        connection.send(DeviceError(f"GPU {rank} failed: {error}"))
    os._exit(0)  # not waiting for what other processes will never send


def _end(connections: list[Connection], folder: tempfile.TemporaryDirectory[str]) -> None:
    for connection in connections:
        connection.close()
    if dist.is_initialized():
        dist.destroy_process_group()
    folder.cleanup()
