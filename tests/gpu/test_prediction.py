"""Labels of many texts on the GPU are those of the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import brasa
from brasa.errors import ConfigError

if TYPE_CHECKING:
    from conftest import Gpu

TEXTS = ["w1 w2", "w3", "", "w4 w4 unknown w5", "unknown", "w9 w8 w7 w6", "é ☃ w1"]


def classifier(loss: str, **settings: Any) -> brasa.TextClassifier:
    random = np.random.default_rng(1)
    lines = [
        f"__label__{i % 9} " + " ".join(f"w{k + i % 9}" for k in random.integers(0, 12, 6))
        for i in range(300)
    ]
    return brasa.TextClassifier.train(
        lines, loss=loss, min_count=1, vector_dim=12, epochs=8, learning_rate=0.5, device="cpu",
        buckets=2000, **settings,
    )  # fmt: skip


@pytest.mark.parametrize("loss", ["softmax", "ns", "ova"])
@pytest.mark.parametrize("subwords", [False, True])
def test_the_same_labels(chosen: Gpu, loss: str, subwords: bool) -> None:
    here = classifier(loss, subwords=subwords)
    there = here.to("cuda")
    for k, threshold in ((1, 0.0), (3, 0.0), (20, 0.0), (20, 0.2)):
        expected = here.predict(TEXTS, k, threshold)
        found = there.predict(TEXTS, k, threshold)
        for pairs, others in zip(found, expected, strict=True):
            assert [p for _, p in pairs] == pytest.approx([p for _, p in others], abs=1e-5)
            assert dict(pairs) == pytest.approx(dict(others), abs=1e-5) or loss != "softmax"
    assert there.predict("w1 w2") == here.predict("w1 w2")
    np.testing.assert_allclose(there.probabilities(TEXTS), here.probabilities(TEXTS), atol=1e-5)
    np.testing.assert_array_equal(there.sentence_vectors(TEXTS), here.sentence_vectors(TEXTS))
    assert there.predict([]) == []


def test_labeled_texts_count_the_same(chosen: Gpu, tmp_path: Path) -> None:
    here = classifier("softmax")
    file = tmp_path / "texts"
    lines = [b"__label__%d w%d w%d" % (i % 10, i % 9, i % 7) for i in range(100)]
    file.write_bytes(b"\n".join([*lines, b"__label__1 \xff w1", b"__label__2"]))
    assert here.to("cuda").test(file, k=2).to_dict() == here.test(file, k=2).to_dict()


def test_batches(chosen: Gpu, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts are taken as many at a time as their scores fit."""
    from brasa.backends.gpu import prediction

    here = classifier("softmax")
    expected = here.to("cuda").predict(TEXTS * 5, 2)
    monkeypatch.setattr(prediction, "_SCORES_AT_ONCE", 4 * len(here.labels))
    assert here.to("cuda").predict(TEXTS * 5, 2) == expected


def test_smaller_and_calibrated_models(chosen: Gpu) -> None:
    here = classifier("ova")
    lines = [f"__label__{i % 9} w{i % 9}" for i in range(90)]
    for model in (here.quantize(), here.calibrated(lines)):
        found, expected = model.to("cuda").probabilities(TEXTS), model.probabilities(TEXTS)
        np.testing.assert_allclose(found, expected, atol=2e-5)


def test_trees_stay_on_the_cpu(chosen: Gpu) -> None:
    with pytest.raises(ConfigError, match="cpu for a model with hierarchical softmax"):
        classifier("hs").to("cuda")
    with pytest.raises(ConfigError, match="cpu or cuda"):
        classifier("softmax").to("tpu")  # type: ignore[arg-type]
