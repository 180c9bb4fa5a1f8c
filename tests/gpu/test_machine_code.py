"""What must hold in the machine code for GPUs that need not be here: it decides the speed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conftest import Gpu

Kernel = dict[str, Any]


def of(kernels: list[Kernel], name: str, architecture: int = 90) -> list[Kernel]:
    found = [k for k in kernels if k["kernel"] == name and k["architecture"] == architecture]
    assert found
    return found


def count(kernel: Kernel, *beginnings: str) -> int:
    return sum(n for name, n in kernel["instructions"].items() if name.startswith(beginnings))


def check_that_all_are_compiled(kernels: list[Kernel]) -> None:
    for architecture in (90, 80):
        assert len(of(kernels, "train_skipgram", architecture)) == 3
        assert len(of(kernels, "train_cbow", architecture)) == 2
        assert len(of(kernels, "train_classifier", architecture)) == 4
        assert len(of(kernels, "sample_blocks", architecture)) == 5


def check_that_rows_move_by_reductions_without_an_answer_and_without_fences(
    kernels: list[Kernel],
) -> None:
    """An atomic that answers waits for memory, and one that is ordered empties the cache."""
    for kernel in kernels:
        assert count(kernel, "MEMBAR", "CCTL", "ERRBAR", "FENCE") == 0, kernel["settings"]
        if kernel["kernel"] != "sample_blocks":
            assert count(kernel, "RED.", "REDG.") > 0
            # The two are the program's next block.
            assert count(kernel, "ATOM") == 2, kernel["settings"]


def check_that_four_numbers_are_added_at_once(kernels: list[Kernel]) -> None:
    """Where the hardware can, which the A100 cannot."""
    for name in ("train_skipgram", "train_cbow", "train_classifier"):
        for kernel in of(kernels, name):
            fours, all_sizes = count(kernel, "REDG.E.ADD.F32x4"), count(kernel, "REDG.")
            # Where a few rows have no more numbers than the program has threads, one is enough.
            others = 0 if name == "train_skipgram" else 8
            assert fours >= 8
            assert all_sizes - fours <= others, (kernel["settings"], kernel["instructions"])


def check_that_rows_that_others_move_are_read_past_the_first_cache(kernels: list[Kernel]) -> None:
    """Four numbers at once: STRONG.GPU is what the second level has."""
    for name in ("train_skipgram", "train_cbow", "train_classifier"):
        for kernel in of(kernels, name):
            assert count(kernel, "LDG.E.128.STRONG.GPU") > 0


def check_that_cbow_multiplies_matrices(kernels: list[Kernel]) -> None:
    for architecture in (90, 80):
        for kernel in of(kernels, "train_cbow", architecture):
            assert count(kernel, "HMMA", "HGMMA") >= 40


def check_that_usual_shapes_spill_no_registers(kernels: list[Kernel]) -> None:
    for kernel in kernels:
        # On the A100, which adds one number at a time, many labels need more of them.
        if "512" not in kernel["settings"] and (
            kernel["settings"][-10:-7], kernel["architecture"],
        ) != ("700", 80):  # fmt: skip
            assert kernel["spilled"] == 0, (kernel["settings"], kernel["architecture"])


def check_that_shared_memory_is_what_any_gpu_has(kernels: list[Kernel]) -> None:
    assert max(kernel["shared"] for kernel in kernels) <= 99 * 1024


CHECKS = (
    check_that_all_are_compiled,
    check_that_rows_move_by_reductions_without_an_answer_and_without_fences,
    check_that_four_numbers_are_added_at_once,
    check_that_rows_that_others_move_are_read_past_the_first_cache,
    check_that_cbow_multiplies_matrices,
    check_that_usual_shapes_spill_no_registers,
    check_that_shared_memory_is_what_any_gpu_has,
)


def test_machine_code(gpu: Gpu, tmp_path: Path) -> None:
    """One test, since compiling for the H100 and H200, and for the A100, takes half a minute."""
    script = Path(__file__).parent / "compile_kernels.py"
    environment = {"TRITON_CACHE_DIR": str(tmp_path), "PATH": "/usr/bin"}
    found = subprocess.run(
        [sys.executable, str(script), "90", "80"],
        capture_output=True, text=True, timeout=600, env=environment,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    kernels = [json.loads(line) for line in found.stdout.splitlines()]
    for check in CHECKS:
        check(kernels)
