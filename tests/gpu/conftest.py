"""A GPU that is played by Triton's interpreter, where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from brasa.backends import devices

if TYPE_CHECKING:
    from conftest import Gpu


@pytest.fixture
def chosen(gpu: Gpu, monkeypatch: pytest.MonkeyPatch) -> Gpu:
    """The GPU, which ``device="cuda"`` finds though there may be no driver."""
    if gpu.interpreted:
        monkeypatch.setenv("TRITON_INTERPRET", "1")
    assert devices.why_no_gpu() is None
    return gpu
