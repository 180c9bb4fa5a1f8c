"""Labels of many texts at once on the GPU, by PyTorch's own kernels.

The texts' words and n-grams are found by the CPU's threads; means, scores and the best labels are
computed on the device.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from brasa import _native
from brasa.backends.gpu.device import Device, failures_explained, open_device
from brasa.errors import ConfigError
from brasa.parameters import Classifier, FloatMatrix, dense

# Numbers that the scores of one batch may be.
_SCORES_AT_ONCE = 1 << 26
# fastText's sigmoid: 512 steps over [-8, 8], as native/predict/predictor.cpp has it.
_RANGE, _STEPS_PER_UNIT = 8.0, 32


def scores_of_rows(
    input: torch.Tensor,
    output: torch.Tensor,
    rows: torch.Tensor,
    begins: torch.Tensor,
    counts: torch.Tensor,
) -> torch.Tensor:
    """The scores of each label for texts of which each has some rows, shape (n_texts, n_labels).

    Parameters
    ----------
    input, output : float32, shape (n_rows, dim) and (n_labels, dim)
    rows : int32, shape (n,)
        Input rows of all texts, one after the other.
    begins : int64, shape (n_texts,)
        Where each text's rows begin.
    counts : int32 or float32, shape (n_texts,)
        What the sum of a text's rows is divided by.
    """
    hidden = torch.nn.functional.embedding_bag(rows.long(), input, begins, mode="sum")
    return (hidden / counts.clamp(min=1).unsqueeze(1)) @ output.T


class GpuPredictor:
    """See `brasa.predictor.Predictor`: batches are predicted on the device, one text by the CPU.

    Raises
    ------
    ConfigError
        For hierarchical softmax, whose labels are found by walking a tree.
    DeviceError
        When there is no GPU, the model does not fit, or the device fails.
    """

    def __init__(self, native: Any, model: Classifier, device: Device | None = None) -> None:
        if model.loss == "hs":
            raise ConfigError("device", "cuda", "cpu for a model with hierarchical softmax")
        self._native, self._loss = native, model.loss
        self._device = device or open_device()
        matrices = dense(model.input), dense(model.output)
        n_bytes = sum(matrix.nbytes for matrix in matrices)
        self._device.check_room(n_bytes + 8 * _SCORES_AT_ONCE, "the model does not fit")
        there = self._device.torch
        with failures_explained(self._device, "the model was copied to it"):
            self._input, self._output = (torch.tensor(m, device=there) for m in matrices)
            steps = torch.arange(2 * int(_RANGE) * _STEPS_PER_UNIT + 1, dtype=torch.float64)
            self._sigmoid = torch.sigmoid(steps / _STEPS_PER_UNIT - _RANGE).float().to(there)

    def predict(self, lines: list[str], k: int, threshold: float, epsilon: float) -> Any:
        """The labels of each line in compressed rows, best first."""
        return self._best(self._native.features(lines), k, threshold, epsilon)

    def _best(self, features: Any, k: int, threshold: float, epsilon: float) -> Any:
        offsets, rows, counts = features
        n_labels = len(self._output)
        batch = max(1, _SCORES_AT_ONCE // max(1, n_labels))
        lengths, labels, values = [np.zeros(1, np.int64)], [], []
        with failures_explained(self._device, "texts were classified"):
            for begin in range(0, len(counts), batch):
                ends = offsets[begin : begin + batch + 1]
                own = rows[ends[0] : ends[-1]], ends[:-1] - ends[0], counts[begin : begin + batch]
                scores = scores_of_rows(self._input, self._output, *map(self._there, own))
                best = self._probabilities(scores).topk(min(k, n_labels), dim=1)
                is_known = self._there(own[2] > 0).unsqueeze(1)
                taken = is_known & (best.values >= threshold)
                lengths.append(taken.sum(1).cpu().numpy())
                labels.append(best.indices[taken].int().cpu().numpy())
                values.append((best.values[taken] + epsilon).cpu().numpy())
        none = np.zeros(0, np.float32)
        return (
            np.cumsum(np.concatenate(lengths)),
            np.concatenate([none.astype(np.int32), *labels]),
            np.concatenate([none, *values]),
        )

    def _there(self, array: npt.NDArray[Any]) -> torch.Tensor:
        return torch.tensor(array, device=self._device.torch)

    def _probabilities(self, scores: torch.Tensor) -> torch.Tensor:
        if self._loss == "softmax":
            return scores.softmax(1)
        place = ((scores.clamp(-_RANGE, _RANGE) + _RANGE) * _STEPS_PER_UNIT).long()
        # Beyond the table it is 0 or 1.
        probabilities = torch.where(scores < -_RANGE, 0.0, self._sigmoid[place])
        return torch.where(scores > _RANGE, 1.0, probabilities)

    def predict_named(
        self, lines: list[str], names: list[str], k: int, threshold: float, epsilon: float
    ) -> list[list[tuple[str, float]]]:
        """The labels of each line, by the names that are given."""
        found = self.predict(lines, k, threshold, epsilon)
        named: list[list[tuple[str, float]]] = _native.name_predictions(names, *found)
        return named

    def predict_one(
        self, line: str, names: list[str], k: int, threshold: float, epsilon: float
    ) -> list[tuple[str, float]]:
        """The labels of a line: by the CPU, which has them before a GPU would have begun."""
        found: list[tuple[str, float]] = self._native.predict_one(
            line, names, k, threshold, epsilon
        )
        return found

    def test(self, text: bytes, k: int, threshold: float, epsilon: float) -> Any:
        """Predictions for labeled lines, what labels these have, and how many are unknown."""
        features, *truth = self._native.labeled_features(text)
        return (self._best(features, k, threshold, epsilon), *truth)

    def vectors(self, lines: list[str], as_words: bool, out: FloatMatrix) -> None:
        """Write the vectors of lines, or of words: by the CPU."""
        self._native.vectors(lines, as_words, out)
