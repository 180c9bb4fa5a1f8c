from __future__ import annotations

import subprocess
import sys

import brasa

PROBE = """
import sys, time
import numpy
start = time.process_time()  # what a busy machine does to the clock does not count
import brasa
brasa.load, brasa.TextClassifier, brasa.WordVectors
seconds = time.process_time() - start
heavy = {"click", "rich", "safetensors", "sklearn", "torch", "zstandard"}
heavy |= {"urllib.request", "tarfile"}
print(seconds, *sorted(heavy & set(sys.modules)))
"""


def test_names_load_numpy_and_the_native_module_only() -> None:
    runs = [
        subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
        for _ in range(3)
    ]
    results = [run.stdout.split() for run in runs]
    assert [heavy for _, *heavy in results] == [[], [], []]
    assert min(float(seconds) for seconds, *_ in results) < 0.2


def test_a_program_that_asks_for_help_loads_neither_numpy_nor_a_model() -> None:
    probe = "import sys; from brasa.cli.app import brasa; brasa(['--help'], standalone_mode=False)"
    probe += "; print(*{'numpy', 'brasa.word_vectors'} & set(sys.modules), file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert "Commands" in run.stdout
    assert run.stderr.strip() == ""


def test_modules_are_found_and_other_names_are_not() -> None:
    probe = "import brasa; print(brasa.errors.CorpusError.__name__, hasattr(brasa, 'nonsense'))"
    run = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["CorpusError", "False"]
    assert set(brasa.__all__) <= set(dir(brasa))


def test_every_public_name_is_there() -> None:
    assert all(hasattr(brasa, name) for name in brasa.__all__)
    assert len(brasa.__all__) <= 13
    assert brasa.__version__.count(".") == 2
