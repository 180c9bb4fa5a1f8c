"""Hosts that share a text, as threads and as processes that are killed."""

from __future__ import annotations

import dataclasses
import itertools
import socket
import threading
from collections.abc import Callable
from multiprocessing.connection import Client
from typing import Any

import numpy as np
import pytest

from brasa.backends.cpu import CpuBackend
from brasa.backends.hosts import Follower, Leader, key_of
from brasa.config import WordVectorsConfig
from brasa.corpus import Corpus
from brasa.encoding import encode
from brasa.errors import HostsError
from brasa.parameters import Parameters
from brasa.plan import TrainingPlan, make_plan

KEY = key_of("a job")


def plan_for(n_lines: int = 120, **changes: Any) -> TrainingPlan:
    random = np.random.default_rng(0)
    lines = [[f"w{k}" for k in random.zipf(1.3, 9) if k < 400] for _ in range(n_lines)]
    config = WordVectorsConfig(
        min_count=1, epochs=2, vector_dim=5, sampling_threshold=0.3, subwords=True, buckets=300,
        mode="batch_skipgram",
    )  # fmt: skip
    vocabulary, encoded = encode(Corpus(lines), config)
    plan = make_plan(vocabulary, encoded, config)
    return dataclasses.replace(plan, block_tokens=32, **changes)


def start(plan: TrainingPlan, seed: int = 1) -> Parameters:
    parameters = Parameters.initial(plan.n_input_rows, plan.n_words, plan.config, 1)
    random = np.random.default_rng(seed)
    for matrix in (parameters.input, parameters.output):
        matrix[:] = random.normal(0, 0.3, matrix.shape)
    return parameters


def free_address() -> tuple[str, int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        found: tuple[str, int] = server.getsockname()
    return found


class Host(threading.Thread):
    """A host that is a thread; what it raised is raised by `end`."""

    def __init__(self, work: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._work()
        except BaseException as error:
            self.error = error

    def end(self) -> None:
        self.join(60)
        assert not self.is_alive()
        if self.error is not None:
            raise self.error


def follow(
    plan: TrainingPlan, parameters: Parameters, address: Any, key: bytes = KEY, seconds: float = 30
) -> Host:
    def work() -> None:
        backend = Follower(CpuBackend, key, address, plan, parameters, 1, seconds=seconds)
        backend.train(0, plan.total_blocks)

    return Host(work)


@pytest.mark.parametrize("n", [2, 3])
def test_rows_move_by_less_than_the_sum_where_several_moved_them(n: int) -> None:
    plan, address = plan_for(), free_address()
    spans = [0, 7, 8, 30, plan.total_blocks]
    assert plan.total_blocks > 40
    found, others = start(plan), [start(plan, seed) for seed in range(2, n + 1)]
    hosts = [follow(plan, parameters, address) for parameters in others]
    leader = Leader(CpuBackend, n, KEY, plan, found, 1, address=address, seconds=30)
    assert leader.detail.endswith(f"on each of {n} hosts")
    results = [leader.train(*span) for span in itertools.pairwise(spans)]
    leader.close()
    for host in hosts:
        host.end()
    expected, loss = start(plan), []
    for first, last in itertools.pairwise(spans):
        bounds = np.linspace(first, last, n + 1).astype(int).tolist()
        before = Parameters(expected.input.copy(), expected.output.copy())
        steps = []
        for a, b in itertools.pairwise(bounds):
            own = start(plan)
            own.input[:], own.output[:] = before.input, before.output
            if a < b:
                loss.append(CpuBackend(plan, own, 1).train(a, b).loss)
            steps.append((own.input - before.input, own.output - before.output))
        for matrix, *of_hosts in zip((expected.input, expected.output), *steps, strict=True):
            movers = sum((step != 0).any(1).astype(int) for step in of_hosts)
            matrix += sum(of_hosts) / np.sqrt(np.maximum(movers, 1))[:, None]
    np.testing.assert_allclose(found.input, expected.input, atol=1e-5)
    np.testing.assert_allclose(found.output, expected.output, atol=1e-5)
    for parameters in others:
        np.testing.assert_array_equal(parameters.input, found.input)
        np.testing.assert_array_equal(parameters.output, found.output)
    assert sum(r.loss for r in results) == pytest.approx(sum(loss), rel=1e-5)
    assert np.abs(found.input - start(plan).input).max() > 0.01


def test_a_host_with_another_text_is_refused() -> None:
    plan, address = plan_for(), free_address()
    other = follow(plan_for(121), start(plan_for(121)), address)
    with pytest.raises(HostsError, match="has read another text"):
        Leader(CpuBackend, 2, KEY, plan, start(plan), 1, address=address, seconds=30)
    with pytest.raises(HostsError, match="the first host has ended"):
        other.end()


def test_strangers_are_turned_away() -> None:
    """One that does not know the key, and one that says something else."""
    plan, address = plan_for(), free_address()
    stranger = follow(plan, start(plan), address, key=key_of("another job"), seconds=5)
    rude = Host(lambda: _shout(address))
    own = follow(plan, start(plan), address)
    leader = Leader(CpuBackend, 2, KEY, plan, start(plan), 1, address=address, seconds=30)
    leader.train(0, 3)
    leader.close()
    own.end()
    rude.end()
    with pytest.raises(HostsError, match=r"another job|cannot be reached"):
        stranger.end()


def _shout(address: tuple[str, int]) -> None:
    for _ in range(100):
        try:
            with socket.create_connection(address, timeout=5) as connection:
                connection.sendall(b"GET / HTTP/1.0\r\n\r\n" + bytes(100))
            return
        except OSError:
            threading.Event().wait(0.05)


def test_hosts_that_do_not_come() -> None:
    plan, address = plan_for(), free_address()
    with pytest.raises(HostsError, match="0 of 1 other hosts have come after 0 s"):
        Leader(CpuBackend, 2, KEY, plan, start(plan), 1, address=address, seconds=0.2)
    with pytest.raises(HostsError, match=f"cannot be reached at 127.0.0.1:{address[1]}"):
        Follower(CpuBackend, KEY, address, plan, start(plan), 1, seconds=0.2)


def test_a_host_that_ends_too_early() -> None:
    plan, address = plan_for(), free_address()

    def leave() -> None:
        backend = Follower(CpuBackend, KEY, address, plan, start(plan), 1, seconds=30)
        backend._connection.close()

    host = Host(leave)
    leader = Leader(CpuBackend, 2, KEY, plan, start(plan), 1, address=address, seconds=30)
    host.end()
    with pytest.raises(HostsError, match="a host of this job has ended"):
        leader.train(0, 8)


def test_a_first_host_that_ends_too_early() -> None:
    plan, address = plan_for(), free_address()
    host = follow(plan, start(plan), address)
    leader = Leader(CpuBackend, 2, KEY, plan, start(plan), 1, address=address, seconds=30)
    leader.train(0, 8)
    for connection in leader._connections:
        connection.close()
    with pytest.raises(HostsError, match="the first host has ended"):
        host.end()


def test_messages_of_a_wrong_size_are_refused() -> None:
    """From a host that knows the key: an error, and no memory for what it claims."""
    plan, address = plan_for(), free_address()

    def lie() -> None:
        for _ in range(100):
            try:
                client = Client(address, authkey=KEY)
                break
            except OSError:
                threading.Event().wait(0.05)
        client.send_bytes(bytes(10_000_000))
        threading.Event().wait(1)
        client.close()

    host = Host(lie)
    with pytest.raises(HostsError):
        Leader(CpuBackend, 2, KEY, plan, start(plan), 1, address=address, seconds=30)
    host.join(10)
