"""How fast is text read, counted and numbered, and how much memory does it take?

    python benchmarks/reading.py FILE [--threads 1 2] [--repeats 5]

Each row is the median of runs in processes of their own, so that the peak memory is that of one
reading. MB are those of the plain text; "MB / CPU s" does not suffer from what else runs on the
machine: with n idle processors, n times that is the limit.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

_ONE_RUN = """
import json, resource, sys, time
from brasa import Corpus, TextOptions, WordVectorsConfig
from brasa.encoding import encode
path, threads, options, as_lines = json.loads(sys.argv[1])
lines = open(path, encoding="utf-8", errors="surrogateescape") if as_lines else path
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter(), time.process_time()
corpus = Corpus(lines, TextOptions(**options))
vocabulary, encoded = encode(corpus, WordVectorsConfig(min_count=5, threads=threads))
wall, cpu = time.perf_counter() - start[0], time.process_time() - start[1]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps([encoded.n_bytes, vocabulary.n_tokens, len(vocabulary), wall, cpu, peak / 1024]))
"""

_WAYS: dict[str, tuple[dict[str, object], bool]] = {
    "file": ({}, False),
    "file, UTF-8 checked": ({"on_invalid": "refuse"}, False),
    "file, lower-cased": ({"lowercase": True}, False),
    "file, lower-cased, NFC": ({"lowercase": True, "nfc": True}, False),
    "iterator of lines": ({}, True),
}


def measure(path: Path, threads: int, way: str, repeats: int) -> list[float]:
    """Medians of bytes, tokens, words, wall and CPU seconds, and MB of memory."""
    argument = json.dumps([str(path), threads, *_WAYS[way]])
    runs = [
        json.loads(subprocess.check_output([sys.executable, "-c", _ONE_RUN, argument]))
        for _ in range(repeats)
    ]
    return [statistics.median(column) for column in zip(*runs, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    compressed = arguments.file.suffix in (".gz", ".bz2", ".xz", ".zst")
    print(f"{arguments.file}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    print(f"{'way':24}{'threads':>8}{'MB/s':>8}{'MB / CPU s':>12}{'M tokens/s':>12}{'peak MB':>9}")
    for way in _WAYS:
        if compressed and way == "iterator of lines":
            continue
        for threads in arguments.threads:
            n_bytes, n_tokens, _, wall, cpu, peak = measure(
                arguments.file, threads, way, arguments.repeats
            )
            print(
                f"{way:24}{threads:8}{n_bytes / wall / 1e6:8.0f}{n_bytes / cpu / 1e6:12.0f}"
                f"{n_tokens / wall / 1e6:12.1f}{peak:9.0f}"
            )


if __name__ == "__main__":
    main()
