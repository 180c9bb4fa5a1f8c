from __future__ import annotations

import subprocess
import sys

import brasa

PROBE = """
import sys, time
import numpy
start = time.process_time()  # what a busy machine does to the clock does not count
import brasa
seconds = time.process_time() - start
heavy = {"click", "rich", "safetensors", "sklearn", "torch", "zstandard"}
heavy |= {"urllib.request", "tarfile"}
print(seconds, *sorted(heavy & set(sys.modules)))
"""


def test_import_loads_numpy_and_the_native_module_only() -> None:
    runs = [
        subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
        for _ in range(3)
    ]
    results = [run.stdout.split() for run in runs]
    assert [heavy for _, *heavy in results] == [[], [], []]
    assert min(float(seconds) for seconds, *_ in results) < 0.2


def test_every_public_name_is_there() -> None:
    assert all(hasattr(brasa, name) for name in brasa.__all__)
    assert len(brasa.__all__) <= 13
    assert brasa.__version__.count(".") == 2
