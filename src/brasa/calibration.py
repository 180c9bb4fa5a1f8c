"""Probabilities that mean what they say: temperature scaling, and Platt's scaling of each label.

Of what a calibrated model calls 80 % probable, about 80 % is right.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from brasa import _native
from brasa.backends.devices import gpu_predictor
from brasa.errors import CorpusError, ModelFormatError
from brasa.parameters import Classifier, QuantizedMatrix
from brasa.predictor import native_predictor, truth_and_probabilities

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from brasa.predictor import Predictor

KEY = "calibration"  # in a model's metadata
TEMPERATURES = (0.05, 20.0)
# fastText's sigmoid ends at scores of -8 and 8.
_LIMIT = 8.0
_GOLDEN = (math.sqrt(5) - 1) / 2
_TOLERANCE = 1e-3  # of the logarithm of the temperature
_NEWTON_STEPS = 50

Floats = npt.NDArray[np.float64]


def calibrate(model: Classifier, pieces: Sequence[bytes]) -> Classifier:
    """A model whose probabilities fit labeled texts: see `TextClassifier.calibrated`.

    Raises
    ------
    CorpusError
        When no text has a label and a word that the model knows.
    """
    metadata = {name: value for name, value in model.metadata.items() if name != KEY}
    model = dataclasses.replace(model, metadata=metadata)
    return (_with_platt if model.loss in ("ova", "ns") else _with_temperature)(model, pieces)


def _with_platt(model: Classifier, pieces: Sequence[bytes]) -> Classifier:
    is_true, before = _truth_and_probabilities(model, pieces)
    odds = log_odds_of(before)
    pairs = [fit_platt(x, y) for x, y in zip(odds.T, is_true.T, strict=True)]
    scale, offset = map(list, zip(*pairs, strict=True))
    found: dict[str, Any] = {"method": "platt", "scale": scale, "offset": offset}
    model.metadata[KEY] = found
    after = _truth_and_probabilities(model, pieces)[1]
    found["brier_score"] = [float(np.square(p - is_true).mean()) for p in (before, after)]
    return model


def _with_temperature(model: Classifier, pieces: Sequence[bytes]) -> Classifier:
    def loss(temperature: float) -> float:
        scaled = at_temperature(model, temperature)
        return negative_log_likelihood(*_truth_and_probabilities(scaled, pieces))

    temperature = best_temperature(loss)
    model.metadata[KEY] = {
        "method": "temperature",
        "temperature": temperature,
        "negative_log_likelihood": [loss(1.0), loss(temperature)],
    }
    return at_temperature(model, temperature)


def _truth_and_probabilities(model: Classifier, pieces: Sequence[bytes]) -> Any:
    found = truth_and_probabilities(predictor_of(model), len(model.labels), pieces)
    if not len(found[0]):
        raise CorpusError("no text has both a label and a word that the model knows")
    return found


def best_temperature(loss: Callable[[float], float]) -> float:
    """The temperature between 0.05 and 20 of the least loss, by golden-section search.

    The mean negative log-likelihood has one minimum: it is convex in the inverse temperature.
    """
    low, high = map(math.log, TEMPERATURES)
    inner = [high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)]
    losses = [loss(math.exp(x)) for x in inner]
    while high - low > _TOLERANCE:
        if losses[0] < losses[1]:
            high, inner[1], losses[1] = inner[1], inner[0], losses[0]
            inner[0] = high - _GOLDEN * (high - low)
            losses[0] = loss(math.exp(inner[0]))
        else:
            low, inner[0], losses[0] = inner[0], inner[1], losses[1]
            inner[1] = low + _GOLDEN * (high - low)
            losses[1] = loss(math.exp(inner[1]))
    return math.exp((low + high) / 2)


def negative_log_likelihood(is_true: npt.NDArray[np.bool_], probabilities: Any) -> float:
    """Mean over texts of the mean over their labels of -log p."""
    smallest = np.finfo(np.float32).tiny
    logs = -np.log(np.maximum(probabilities, smallest), dtype=np.float64)
    return float(((logs * is_true).sum(axis=1) / is_true.sum(axis=1)).mean())


def at_temperature(model: Classifier, temperature: float) -> Classifier:
    """The model with all scores divided by a temperature, in a tree those of each turn.

    Output rows are divided, so that every format holds it.
    """
    return dataclasses.replace(model, output=_scaled(model.output, 1 / temperature))


def fit_platt(log_odds: Floats, is_true: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Scale and offset of a label: sigmoid(scale * log_odds + offset) is its probability.

    The most likely ones for smoothed targets (Platt 1999), by Newton's method with backtracking
    (Lin, Lin and Weng 2007). 1 and 0 for a label that all texts have, or none.
    """
    n_true = int(is_true.sum())
    n_false = len(is_true) - n_true
    if n_true == 0 or n_false == 0:
        return 1.0, 0.0
    wanted = np.where(is_true, (n_true + 1) / (n_true + 2), 1 / (n_false + 2))

    def loss(parameters: Floats) -> float:
        scores = parameters[0] * log_odds + parameters[1]
        return float((np.logaddexp(0, scores) - wanted * scores).sum())

    at = np.array([0.0, math.log((n_true + 1) / (n_false + 1))])
    now = loss(at)
    for _ in range(_NEWTON_STEPS):
        p = 1 / (1 + np.exp(-(at[0] * log_odds + at[1])))
        gradient = np.array([((p - wanted) * log_odds).sum(), (p - wanted).sum()])
        if np.abs(gradient).max() < 1e-6:
            break
        curve = p * (1 - p)
        mixed = (curve * log_odds).sum()
        hessian = np.array([[(curve * log_odds**2).sum(), mixed], [mixed, curve.sum()]])
        step = np.linalg.solve(hessian + 1e-9 * np.eye(2), gradient)
        size = 1.0
        while size > 1e-10 and loss(at - size * step) > now - 1e-4 * size * (gradient @ step):
            size /= 2
        at = at - size * step
        now = loss(at)
    if at[0] <= 0:  # a score that says nothing, or the contrary: the label's share
        return 0.0, math.log((n_true + 1) / (n_false + 1))
    return float(at[0]), float(at[1])


def log_odds_of(probabilities: Any) -> Floats:
    """log(p / (1 - p)) within -8 and 8, float64."""
    p = np.asarray(probabilities, np.float64)
    with np.errstate(divide="ignore"):
        found: Floats = np.clip(np.log(p) - np.log1p(-p), -_LIMIT, _LIMIT)
    return found


class CalibratedPredictor:
    """Stands before the native classifier and maps each label's probability (ova, ns).

    The mapping of one label differs from that of another, so that the order of labels may change:
    all are asked for. For the methods see `brasa.predictor.Predictor`.
    """

    def __init__(self, native: Predictor, scales: Any, offsets: Any) -> None:
        self._native, self._scales, self._offsets = native, scales, offsets

    def predict(self, lines: list[str], k: int, threshold: float, epsilon: float) -> Any:
        """As the native method."""
        found = self._native.predict(lines, len(self._scales), 0.0, 0.0)
        return self._best(found, k, threshold, epsilon)

    def predict_named(
        self, lines: list[str], names: list[str], k: int, threshold: float, epsilon: float
    ) -> list[list[tuple[str, float]]]:
        """As the native method."""
        found = self.predict(lines, k, threshold, epsilon)
        named: list[list[tuple[str, float]]] = _native.name_predictions(names, *found)
        return named

    def predict_one(
        self, line: str, names: list[str], k: int, threshold: float, epsilon: float
    ) -> list[tuple[str, float]]:
        """As the native method."""
        return self.predict_named([line], names, k, threshold, epsilon)[0]

    def test(self, text: bytes, k: int, threshold: float, epsilon: float) -> Any:
        """As the native method."""
        found, *truth = self._native.test(text, len(self._scales), 0.0, 0.0)
        return (self._best(found, k, threshold, epsilon), *truth)

    def vectors(self, lines: list[str], as_words: bool, out: Any) -> None:
        """As the native method."""
        self._native.vectors(lines, as_words, out)

    def _best(self, found: Any, k: int, threshold: float, epsilon: float) -> Any:
        offsets, labels, values = found
        n_labels = len(self._scales)
        scores = self._scales[labels] * log_odds_of(values) + self._offsets[labels]
        mapped = (1 / (1 + np.exp(-scores))).astype(np.float32).reshape(-1, n_labels)
        order = np.argsort(-mapped, axis=1, kind="stable")[:, :k]
        mapped = np.take_along_axis(mapped, order, 1)
        chosen = np.take_along_axis(labels.reshape(-1, n_labels), order, 1)
        kept = mapped >= threshold
        counts = np.zeros(len(offsets) - 1, np.int64)
        counts[np.diff(offsets) > 0] = kept.sum(axis=1)
        ends = np.concatenate([[0], np.cumsum(counts)])
        return ends, chosen[kept], mapped[kept] + np.float32(epsilon)


def predictor_of(model: Classifier, device: str = "cpu") -> Predictor:
    """What predicts on a device, or stands before that where the model is calibrated.

    Raises
    ------
    ConfigError, MissingExtraError, DeviceError
        When `device` is "cuda" and cannot predict with this model.
    ModelFormatError
        When the model is broken, or its metadata has something else than a scale and an offset for
        each label.
    """
    native = native_predictor(model)
    if device == "cuda":
        native = gpu_predictor(native, model)
    found = model.metadata.get(KEY)
    if not isinstance(found, dict) or found.get("method") != "platt":
        return native
    arrays = []
    for name in ("scale", "offset"):
        values = found.get(name)
        if not _are_numbers(values, len(model.labels)):
            problem = f"its {KEY} has no {name} for each of {len(model.labels)} labels"
            raise ModelFormatError("classifier", problem)
        arrays.append(np.array(values, np.float64))
    return CalibratedPredictor(native, *arrays)


def _are_numbers(values: Any, n: int) -> bool:
    if not isinstance(values, list) or len(values) != n:
        return False
    return all(type(x) in (int, float) and -1e30 < x < 1e30 for x in values)


def _scaled(matrix: Any, factor: float) -> Any:
    if not isinstance(matrix, QuantizedMatrix):
        return (matrix * np.float32(factor)).astype(np.float32)
    name = "quantizer" if matrix.norm_quantizer is None else "norm_quantizer"
    book = getattr(matrix, name)
    centroids = (book.centroids * np.float32(factor)).astype(np.float32)
    return dataclasses.replace(matrix, **{name: dataclasses.replace(book, centroids=centroids)})
