"""Many programs at once, on a real GPU: races that the interpreter cannot have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import brasa

if TYPE_CHECKING:
    from conftest import Gpu

pytestmark = pytest.mark.gpu


TEXT = Path(__file__).resolve().parents[3] / "shared/data/corpora/text8-first-6.9mb.txt.gz"


@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
@pytest.mark.parametrize("subwords", [False, True])
def test_quality_is_the_cpus(gpu: Gpu, mode: Any, subwords: bool) -> None:
    assert not gpu.interpreted, "these tests need a GPU"
    if not TEXT.exists():
        pytest.skip("../shared is absent")
    scores = {}
    for device in ("cpu", "cuda"):
        found = [
            brasa.WordVectors.train(
                TEXT, mode=mode, subwords=subwords, device=device, seed=seed, epochs=5
            ).evaluate()["EN-WS-353-ALL.txt"]["spearmans_rho"]
            for seed in range(3)
        ]
        scores[device] = float(np.mean(found))
    assert scores["cuda"] > scores["cpu"] - 0.03, scores


def test_no_addition_is_lost(gpu: Gpu) -> None:
    """Every program adds to the same two rows: their sum is that of one program, nearly."""
    assert not gpu.interpreted, "these tests need a GPU"
    lines = [["a", "b"] * 50] * 20_000
    norms = [
        float(
            np.linalg.norm(
                brasa.WordVectors.train(
                    lines, min_count=1, device=device, sampling_threshold=0.9, epochs=1
                ).embeddings.output
            )
        )
        for device in ("cpu", "cuda")
    ]
    assert norms[1] == pytest.approx(norms[0], rel=0.3)
