"""Hosts that share a text: each trains its part of every span, and then all have the same model.

Every host reads the whole text and so makes the same plan. The first one leads: it runs the loop,
and sends each span's bounds to the others. After a span, a row moves by the sum of what
it was moved by, divided by the square root of the number of hosts that moved it: a rare word keeps
the whole step of the only host that met it. For rows of frequent words, which all hosts move, the
mean is too little (they have half of the text each), and the sum would be too much for many hosts.

Messages are bytes of fixed shapes, nothing is unpickled: a kind, then numbers or rows. They go over
`multiprocessing.connection`, which makes both sides prove that they know the job's key.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing import AuthenticationError
from multiprocessing.connection import (
    Client,
    Connection,
    answer_challenge,
    deliver_challenge,
)
from typing import Any

import numpy as np
import numpy.typing as npt

from brasa.backends import Backend, SpanResult
from brasa.errors import HostsError
from brasa.parameters import FloatMatrix, Parameters
from brasa.plan import TrainingPlan

PORT = 29500
# Hosts read the text before they meet, and not all of them equally fast.
MEETING_SECONDS = 1800.0
_SPAN = struct.Struct("<2q")  # first and last block
_END = (-1, -1)
_RESULT = struct.Struct("<2d?")
# A host that says nothing for so long is taken for lost; the first one may be saving a checkpoint.
_SILENCE_SECONDS = 1800.0
# Of the time of a span, what sharing the model may take; then spans get longer, up to this share of
# an epoch: the longer hosts train alone, the more they forget of each other.
_MOST_SHARING = 0.2
_MOST_OF_AN_EPOCH = 0.05
_RETRY_SECONDS = 0.5
_GREETING_SECONDS = 10.0

MakeBackend = Callable[[TrainingPlan, Parameters, int], Backend]
Moved = tuple[npt.NDArray[np.bool_], FloatMatrix]


class _Shared:
    """The model as all hosts had it last, and what this one has moved since."""

    def __init__(self, parameters: Parameters) -> None:
        self._matrices = (parameters.input, parameters.output)
        self._before = [matrix.copy() for matrix in self._matrices]

    def send_all(self, connection: Connection) -> None:
        for matrix in self._matrices:
            connection.send_bytes(_bytes(matrix))

    def receive_all(self, connection: Connection) -> None:
        for matrix, before in zip(self._matrices, self._before, strict=True):
            data = _received(connection, before.nbytes)
            before[:] = np.frombuffer(data, np.float32).reshape(before.shape)
            matrix[:] = before

    def moved(self) -> list[Moved]:
        """Of each matrix, which rows were moved, and by what."""
        found = []
        for matrix, before in zip(self._matrices, self._before, strict=True):
            rows = (matrix != before).any(axis=1)
            found.append((rows, matrix[rows] - before[rows]))
        return found

    def move(self, steps: list[Moved]) -> None:
        """Move the rows that all hosts had, instead of what this one did alone."""
        for matrix, before, (rows, step) in zip(self._matrices, self._before, steps, strict=True):
            before[rows] += step
            matrix[rows] = before[rows]

    def send(self, steps: list[Moved], connection: Connection) -> None:
        for rows, step in steps:
            connection.send_bytes(_bytes(np.packbits(rows)))
            connection.send_bytes(_bytes(step))

    def receive(self, connection: Connection) -> list[Moved]:
        found = []
        for before in self._before:
            n_rows, dim = before.shape
            packed = np.frombuffer(_received(connection, -(-n_rows // 8)), np.uint8)
            bits = np.unpackbits(packed, count=n_rows).astype(bool)
            n_moved = int(bits.sum())
            data = _received(connection, 4 * n_moved * dim)
            step = np.frombuffer(data, np.float32).reshape(n_moved, dim)
            found.append((bits, step))
        return found


class Leader:
    """The first host's backend, see `brasa.backends.Backend`: it has the others train too.

    Parameters
    ----------
    make : callable
        What trains here.
    n : int
        How many hosts, this one counted.
    key : bytes
        What only the hosts of this job know.
    plan, parameters, threads
        As for any backend.
    address : (str, int), optional
        Where to listen; by default on all addresses.

    Raises
    ------
    HostsError
        When hosts do not come, have read another text, or end.
    """

    def __init__(
        self,
        make: MakeBackend,
        n: int,
        key: bytes,
        plan: TrainingPlan,
        parameters: Parameters,
        threads: int,
        *,
        address: tuple[str, int] = ("0.0.0.0", PORT),
        seconds: float = MEETING_SECONDS,
    ) -> None:
        self._own = make(plan, parameters, threads)
        self._shared = _Shared(parameters)
        self._n = n
        self._done = 0
        self._blocks = n * self._own.blocks_at_once
        self._most_blocks = max(self._blocks, int(_MOST_OF_AN_EPOCH * plan.n_blocks))
        self._connections = _accept(n - 1, key, address, seconds)
        wanted = _signature(plan, parameters)
        for connection in self._connections:
            if self._heard(connection, lambda c: _received(c, len(wanted))) != wanted:
                self.close()
                raise HostsError("a host has read another text, or has other hyperparameters")
            self._heard(connection, self._shared.send_all)

    @property
    def device_name(self) -> str:
        """What this host has."""
        return self._own.device_name

    @property
    def detail(self) -> str:
        """The same, and how many hosts."""
        return f"{self._own.detail}, on each of {self._n} hosts"

    @property
    def blocks_at_once(self) -> int:
        """Blocks of a span that is long beside what sharing the model takes."""
        return self._blocks

    @property
    def done(self) -> int:
        """End of the last span."""
        return self._done

    def train(self, first: int, last: int) -> SpanResult:
        """Train blocks ``first .. last - 1``; see `brasa.backends.Runner`."""
        began = time.monotonic()
        bounds = np.linspace(first, last, self._n + 1).astype(int).tolist()
        for i, connection in enumerate(self._connections, start=1):
            message = _SPAN.pack(bounds[i], bounds[i + 1])
            self._heard(connection, partial(Connection.send_bytes, buf=message))
        results = [_train(self._own, bounds[0], bounds[1])]
        trained = time.monotonic()
        steps = [self._shared.moved()]
        for connection in self._connections:
            answer = self._heard(connection, lambda c: _received(c, _RESULT.size))
            results.append(SpanResult(*_RESULT.unpack(answer)))
            steps.append(self._heard(connection, self._shared.receive))
        merged = [_merged(list(of_matrix)) for of_matrix in zip(*steps, strict=True)]
        for connection in self._connections:
            self._heard(connection, lambda c: self._shared.send(merged, c))
        self._shared.move(merged)
        self._done = last
        sharing = (time.monotonic() - trained) / max(time.monotonic() - began, 1e-6)
        if sharing > _MOST_SHARING:
            self._blocks = min(2 * (last - first), self._most_blocks)
        loss = math.fsum(r.loss for r in results)
        n_pairs = math.fsum(r.n_pairs for r in results)
        return SpanResult(loss, n_pairs, all(r.finite for r in results))

    def write_back(self) -> None:
        """The parameters are those that are trained."""
        self._own.write_back()

    def close(self) -> None:
        """Tell the others that it is over."""
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.send_bytes(_SPAN.pack(*_END))
            connection.close()
        self._connections = []

    def _heard(self, connection: Connection, say: Callable[[Connection], Any]) -> Any:
        try:
            return say(connection)
        except (OSError, EOFError) as error:
            self.close()
            raise HostsError(f"a host of this job has ended: {str(error) or 'no answer'}") from None


class Follower:
    """Another host's backend: whatever it is told to train, it trains what the first host says."""

    def __init__(
        self,
        make: MakeBackend,
        key: bytes,
        address: tuple[str, int],
        plan: TrainingPlan,
        parameters: Parameters,
        threads: int,
        *,
        seconds: float = MEETING_SECONDS,
    ) -> None:
        self._own = make(plan, parameters, threads)
        self._shared = _Shared(parameters)
        self._total = plan.total_blocks
        self._connection = _connect(address, key, seconds)
        with self._explained():
            self._connection.send_bytes(_signature(plan, parameters))
            self._shared.receive_all(self._connection)
        self.device_name, self.detail = self._own.device_name, self._own.detail

    @property
    def blocks_at_once(self) -> int:
        """All of them: the loop has nothing to divide here."""
        return self._total

    @property
    def done(self) -> int:
        """All, when the first host has said that it is over."""
        return self._total

    def train(self, first: int, last: int) -> SpanResult:
        """Train until the first host says that it is over."""
        loss = n_pairs = 0.0
        while True:
            with self._explained():
                span = _SPAN.unpack(_received(self._connection, _SPAN.size))
                if span == _END:
                    self._connection.close()
                    return SpanResult(loss, n_pairs, True)
                result = _train(self._own, *span)
                answer = _RESULT.pack(result.loss, result.n_pairs, result.finite)
                self._connection.send_bytes(answer)
                self._shared.send(self._shared.moved(), self._connection)
                self._shared.move(self._shared.receive(self._connection))
                loss, n_pairs = loss + result.loss, n_pairs + result.n_pairs

    def write_back(self) -> None:
        """The parameters are those that are trained."""
        self._own.write_back()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (OSError, EOFError) as error:
            raise HostsError(f"the first host has ended: {str(error) or 'no answer'}") from None


def key_of(*facts: str) -> bytes:
    """A key that all hosts of a job know: from what only they are told."""
    return hashlib.sha256("\n".join(facts).encode()).digest()


def _train(runner: Backend, first: int, last: int) -> SpanResult:
    return runner.train(first, last) if first < last else SpanResult(0.0, 0.0, True)


def _merged(steps: list[Moved]) -> Moved:
    """Rows that any host has moved, and by what all are to move them."""
    rows = np.logical_or.reduce([moved for moved, _ in steps])
    total = np.zeros((int(rows.sum()), steps[0][1].shape[1]), np.float32)
    movers = np.zeros(len(total), np.float32)
    for moved, step in steps:
        places = moved[rows]
        total[places] += step
        movers[places] += 1
    total /= np.sqrt(movers)[:, None]
    return rows, total


def _signature(plan: TrainingPlan, parameters: Parameters) -> bytes:
    """The same on hosts that train the same."""
    found = hashlib.sha256(np.ascontiguousarray(plan.tokens).data)
    found.update(
        repr((parameters.input.shape, parameters.output.shape, plan.total_blocks)).encode()
    )
    found.update(plan.keep.data)
    return found.digest()


def _accept(n: int, key: bytes, address: tuple[str, int], seconds: float) -> list[Connection]:
    end = time.monotonic() + seconds
    found: list[Connection] = []
    try:
        with socket.create_server(address, backlog=max(1, n)) as server:
            while len(found) < n:
                server.settimeout(max(0.1, end - time.monotonic()))
                peer, _ = server.accept()
                peer.setblocking(True)
                connection = Connection(peer.detach())
                if _is_of_this_job(connection, key):
                    found.append(connection)
    except OSError as error:  # a timeout, for one
        for connection in found:
            connection.close()
        missing = f"{len(found)} of {n} other hosts have come after {seconds:.0f} s"
        raise HostsError(f"{address[0]}:{address[1]}: {missing}: {error}") from None
    return found


def _is_of_this_job(connection: Connection, key: bytes) -> bool:
    """Whether the other side knows the key; one that says nothing is not waited for."""
    known: list[bool] = []

    def greet() -> None:
        with contextlib.suppress(AuthenticationError, EOFError, OSError):
            deliver_challenge(connection, key)
            answer_challenge(connection, key)
            known.append(True)

    thread = threading.Thread(target=greet, daemon=True)
    thread.start()
    thread.join(_GREETING_SECONDS)
    if not known:
        connection.close()
    return bool(known)


def _connect(address: tuple[str, int], key: bytes, seconds: float) -> Connection:
    end = time.monotonic() + seconds
    while True:
        try:
            return Client(address, authkey=key)
        except AuthenticationError:
            raise HostsError(f"{address[0]} is of another job") from None
        except (OSError, EOFError) as error:
            if time.monotonic() > end:
                where = f"{address[0]}:{address[1]}"
                raise HostsError(f"the first host cannot be reached at {where}: {error}") from None
            time.sleep(_RETRY_SECONDS)


def _bytes(array: npt.NDArray[Any]) -> memoryview:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def _received(connection: Connection, n_bytes: int) -> bytes:
    """A message, which has a known length."""
    if not connection.poll(_SILENCE_SECONDS):
        raise OSError(f"it has said nothing for {_SILENCE_SECONDS:.0f} s")
    data = connection.recv_bytes(n_bytes)
    if len(data) != n_bytes:
        raise OSError(f"it sent {len(data)} bytes where {n_bytes} were expected")
    return data
