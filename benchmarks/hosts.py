"""What several hosts make of a text that they share, beside one host: here as processes.

    python benchmarks/hosts.py [CORPUS] [--hosts 1 2] [--threads 1] [--epochs 3]

Each host has `--threads` threads, and this machine should have as many cores as all of them
together. Seconds are of the first host's process, from reading the text to the trained model;
quality is that of benchmarks/compare.py. Rows are appended to benchmarks/results/hosts.csv.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import compare

from brasa.backends.cpu import CpuBackend
from brasa.backends.hosts import Follower, Leader, key_of
from brasa.config import WordVectorsConfig
from brasa.corpus import Corpus
from brasa.platform.children import free_port
from brasa.training import train

KEY = key_of("benchmarks/hosts.py")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    wiki = compare.SHARED / "corpora/wiki100m.txt.gz"
    parser.add_argument("corpus", nargs="?", default=wiki, type=Path)
    parser.add_argument("--hosts", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, default=compare.SHARED)
    parser.add_argument("--own", nargs=3, type=int, help=argparse.SUPPRESS)  # number, hosts, port
    given = parser.parse_args()
    if given.own:
        print(json.dumps(one_host(given, *given.own)))
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        corpus = compare.plain(given.corpus, Path(folder))
        for n in given.hosts:
            port = free_port()
            command = [sys.executable, __file__, str(corpus), "--data", str(given.data)]
            command += [
                f"--{name}={getattr(given, name)}" for name in ("threads", "epochs", "seed")
            ]
            processes = [
                subprocess.Popen(
                    [*command, "--own", str(i), str(n), str(port)], stdout=subprocess.PIPE
                )
                for i in range(n)
            ]
            said = [process.communicate()[0] for process in processes]
            if any(process.returncode for process in processes):
                raise SystemExit(f"a host of {n} failed")
            rows.append(json.loads(said[0]))
            print(rows[-1], flush=True)
    compare.append_rows("hosts", rows, compare.circumstances())


def one_host(given: argparse.Namespace, number: int, n: int, port: int) -> dict[str, Any] | None:
    """Train as host `number` of n; the first gives what came of it."""
    config = WordVectorsConfig(
        mode="batch_skipgram", epochs=given.epochs, threads=given.threads, seed=given.seed,
        evaluation=False, device="cpu",
    )  # fmt: skip
    address = ("127.0.0.1", port)
    leaders: list[Leader] = []

    def lead(*arguments: Any) -> Leader:
        leaders.append(Leader(CpuBackend, n, KEY, *arguments, address=address))
        return leaders[0]

    follow = partial(Follower, CpuBackend, KEY, address)
    backend = CpuBackend if n == 1 else lead if number == 0 else follow
    began = time.perf_counter()
    vectors = train(Corpus(given.corpus), config, backend=backend)
    seconds = time.perf_counter() - began
    for leader in leaders:
        leader.close()
    if number > 0:
        return None
    return {
        "hosts": n,
        "threads": given.threads,
        "seed": given.seed,
        "wall_s": round(seconds, 1),
        "training_mwords_per_s": round(vectors.metadata["words_per_second"] / 1e6, 3),
        **compare.quality(vectors, given.data),
    }


if __name__ == "__main__":
    main()
