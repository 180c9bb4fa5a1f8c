"""Time `brasa serve` beside the usual FastAPI app, one core for the server, one for the load.

    python benchmarks/serving.py [--rounds 3] [--seconds 5] [--soak MINUTES]

Needs `wrk` and `hey` (Debian has both) and `pip install fastapi uvicorn httptools`. Peaks are of
wrk with 32 connections, medians of the rounds, in which the servers take turns. Latencies at half
of the peak are of hey, which sends at a fixed rate. Words and vectors are made up: 100 dimensions;
for the model of 1 GB 1,000,000 words of 250. Private memory is `Private_Clean` and `Private_Dirty`
of the worker's smaps. Rows are added to benchmarks/results/serving.csv.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import httpx
import numpy as np

import brasa
from brasa.config import WordVectorsConfig
from brasa.parameters import Embeddings
from brasa.vocabulary import Vocabulary

HERE = Path(__file__).parent
PORT = 8471
URL = f"http://127.0.0.1:{PORT}"
SERVER_CORE, LOAD_CORE = "0", "1"
CONNECTIONS = 32
N_STALLED = 200
SERVERS = ("fastapi", "fastapi, typed", "brasa")
BATCH = 500


def model(folder: str, n_words: int, dim: int) -> Path:
    path = Path(folder, f"{n_words}x{dim}")
    rows = np.random.default_rng(0).standard_normal((n_words, dim), np.float32)
    vocabulary = Vocabulary.from_words((f"w{i}" for i in range(n_words)), [1] * n_words, n_words)
    nothing = np.empty((0, dim), np.float32)
    config = WordVectorsConfig(vector_dim=dim)
    brasa.WordVectors(Embeddings(vocabulary, config, rows, nothing, np.empty(0, np.uint32))).save(
        path
    )
    return path


def command_of(server: str, path: Path) -> list[str]:
    scripts = Path(sys.executable).parent
    if server == "brasa":
        return [str(scripts / "brasa"), "serve", str(path), "--port", str(PORT)]
    app = ["fastapi_app:app", "--app-dir", str(HERE / "serving_peers"), "--no-access-log"]
    return [str(scripts / "uvicorn"), *app, "--port", str(PORT), "--log-level", "warning"]


@contextmanager
def serving(server: str, path: Path) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """A server on its core, and the seconds until its first answer."""
    start = time.perf_counter()
    process = subprocess.Popen(
        ["taskset", "-c", SERVER_CORE, *command_of(server, path)],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "MODEL": str(path)} | ({"TYPED": "1"} if "typed" in server else {}),
    )
    while True:
        try:
            httpx.post(f"{URL}/invocations", json={"instances": ["w1"]}).raise_for_status()
            break
        except httpx.TransportError:
            if process.poll() is not None or time.perf_counter() - start > 60:
                raise
            time.sleep(0.01)
    try:
        yield process, time.perf_counter() - start
    finally:
        process.terminate()
        process.wait(40)


def peak(words: list[str], seconds: int, folder: str) -> float:
    """Requests a second of wrk, all answered with 200."""
    script = Path(folder, "post.lua")
    body = json.dumps({"instances": words})
    script.write_text(
        f"wrk.method = 'POST'\nwrk.body = '{body}'\n"
        "wrk.headers['Content-Type'] = 'application/json'\n"
    )
    command = ["taskset", "-c", LOAD_CORE, "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}"]
    command += ["--timeout", "20s"]
    said = subprocess.check_output([*command, "-s", script, f"{URL}/invocations"], text=True)
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(said)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])  # type: ignore[index]


def at_rate(rate: float, seconds: int) -> tuple[float, float, float]:
    """Milliseconds of the median and the 99th percentile at a fixed rate, and the rate reached."""
    workers = 16
    command = ["taskset", "-c", LOAD_CORE, "hey", "-z", f"{seconds}s", "-c", str(workers)]
    command += ["-q", str(max(rate / workers, 1)), "-m", "POST", "-T", "application/json"]
    command += ["-d", '{"instances": ["w42"]}', f"{URL}/invocations"]
    said = subprocess.check_output(command, text=True)
    statuses = re.findall(r"\[(\d+)\]\s+\d+ responses", said)
    if statuses != ["200"]:
        raise SystemExit(said)
    found = [re.search(rf"{p}% in ([\d.]+) secs", said) for p in (50, 99)]
    reached = re.search(r"Requests/sec:\s+([\d.]+)", said)
    half, high = (float(value[1]) * 1000 for value in found if value)
    return half, high, float(reached[1]) if reached else 0.0


def workers_of(process: subprocess.Popen[bytes]) -> list[int]:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(pid) for pid in children] or [process.pid]


def private_mb(pid: int) -> float:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(kb) for kb in re.findall(r"Private_\w+:\s+(\d+) kB", text)) / 1024


def compare(folder: str, rounds: int, seconds: int) -> list[dict[str, Any]]:
    path = model(folder, 10_000, 100)
    one: dict[str, list[float]] = {server: [] for server in SERVERS}
    many: dict[str, list[float]] = {server: [] for server in SERVERS}
    words = [f"w{i}" for i in range(BATCH)]
    for _ in range(rounds):
        for server in one:
            with serving(server, path):
                peak(["w42"], 1, folder)
                one[server].append(peak(["w42"], seconds, folder))
                many[server].append(peak(words, seconds, folder) * BATCH)
    rows = []
    for server in one:
        half = statistics.median(one[server]) / 2
        with serving(server, path):
            p50, p99, reached = at_rate(half, seconds * 2)
        rows.append(
            {
                "server": server,
                "requests_per_s": round(statistics.median(one[server])),
                "vectors_per_s": round(statistics.median(many[server])),
                "rate": round(reached),
                "p50_ms": round(p50, 2),
                "p99_ms": round(p99, 2),
            }
        )
    return rows


def large(folder: str) -> dict[str, Any]:
    path = model(folder, 1_000_000, 250)
    starts = []
    for _ in range(3):
        with serving("brasa", path) as (process, start):
            starts.append(start)
            httpx.post(f"{URL}/invocations", json={"instances": [f"w{i}" for i in range(5000)]})
            pid = workers_of(process)[0]
            private = private_mb(pid)
    return {"start_s": round(statistics.median(starts), 2), "private_mb": round(private, 1)}


def stalled(folder: str, seconds: int) -> dict[str, Any]:
    path = model(folder, 10_000, 100)
    head = b"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\n{"
    with serving("brasa", path):
        clients = [socket.create_connection(("127.0.0.1", PORT)) for _ in range(N_STALLED)]
        for client in clients:
            client.sendall(head)
        p50, p99, reached = at_rate(1000, min(seconds, 8))  # within the 10 s that bodies have
        for client in clients:
            client.close()
    return {"rate": round(reached), "p50_ms": round(p50, 2), "p99_ms": round(p99, 2)}


def soak(folder: str, minutes: float, rate: float) -> dict[str, Any]:
    path = model(folder, 10_000, 100)
    with serving("brasa", path) as (process, _):
        pid = workers_of(process)[0]
        at_rate(rate, 5)
        before = private_mb(pid)
        p50, p99, reached = at_rate(rate, round(minutes * 60))  # raises unless all are 200
        after = private_mb(pid)
    return {
        "minutes": minutes,
        "rate": round(reached),
        "p50_ms": round(p50, 2),
        "p99_ms": round(p99, 2),
        "private_mb_before": round(before, 1),
        "private_mb_after": round(after, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--soak", type=float, metavar="MINUTES", default=0)
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        rows = compare(folder, arguments.rounds, arguments.seconds)
        rows.append({"server": "brasa, 1 GB", **large(folder)})
        rows.append({"server": f"brasa, {N_STALLED} stalled", **stalled(folder, arguments.seconds)})
        if arguments.soak:
            half = rows[len(SERVERS) - 1]["requests_per_s"] / 2
            rows.append({"server": "brasa, soak", **soak(folder, arguments.soak, half)})
    for row in rows:
        print(json.dumps(row))
    *peers, own = (row["requests_per_s"] for row in rows[: len(SERVERS)])
    ratios = " and ".join(f"{own / peer:.1f}x" for peer in peers)
    print(f"one word: {ratios} the requests of FastAPI; load average before: {load:.1f}")
    commit = subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip()
    versions = {"granian": metadata.version("granian"), "orjson": metadata.version("orjson")}
    results = HERE / "results" / "serving.csv"
    is_new = not results.exists()
    with results.open("a", newline="") as file:
        writer = csv.writer(file)
        if is_new:
            writer.writerow(["date", "commit", "load", "versions", "row"])
        today = time.strftime("%Y-%m-%d")
        for row in rows:
            writer.writerow([today, commit, f"{load:.1f}", json.dumps(versions), json.dumps(row)])


if __name__ == "__main__":
    main()
