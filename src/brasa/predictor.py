"""What predicts with a classifier: its native core, and labeled texts that are sent through it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from brasa import _native
from brasa.errors import ModelFormatError
from brasa.metrics import ClassificationReport, Tally
from brasa.parameters import Classifier, FloatMatrix, QuantizedMatrix, dense

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Predictor(Protocol):
    """The native classifier, or what stands before it: see `brasa.calibration`.

    Labels are numbers, in compressed rows (offsets, labels, probabilities). `epsilon` is added to
    each probability, and to each factor of a tree's.
    """

    def predict(self, lines: list[str], k: int, threshold: float, epsilon: float) -> Any:
        """The labels of each line in compressed rows, best first."""
        ...

    def predict_named(
        self, lines: list[str], names: list[str], k: int, threshold: float, epsilon: float
    ) -> list[list[tuple[str, float]]]:
        """The labels of each line, by the names that are given."""
        ...

    def predict_one(
        self, line: str, names: list[str], k: int, threshold: float, epsilon: float
    ) -> list[tuple[str, float]]:
        """The labels of a line, by the names that are given."""
        ...

    def test(self, text: bytes, k: int, threshold: float, epsilon: float) -> Any:
        """Predictions for labeled lines; offsets and labels that they have; how many are unknown.

        The first is what `predict` gives.
        """
        ...

    def vectors(self, lines: list[str], as_words: bool, out: FloatMatrix) -> None:
        """Write the vectors of lines, or of words."""
        ...


def native_predictor(model: Classifier) -> Predictor:
    """The native classifier, which predicts as the matrices have it.

    Raises
    ------
    ModelFormatError
        When the parts of the model do not fit together.
    """
    try:
        return _native.Classifier(
            word_bytes=model.vocabulary.arena,
            word_offsets=model.vocabulary.offsets,
            label_bytes=model.labels.arena,
            label_offsets=model.labels.offsets,
            label_counts=model.labels.counts,
            label_prefix=model.label_prefix.encode("utf-8", "surrogateescape"),
            loss=model.loss,
            word_ngrams=model.word_ngrams,
            min_char=model.min_char,
            max_char=model.max_char,
            buckets=model.buckets,
            bucket_ids=model.bucket_ids,
            bucket_rows=model.bucket_rows,
            drops_other_buckets=model.drops_other_buckets,
            rows=model.input if not isinstance(model.input, QuantizedMatrix) else None,
            codes=model.input.native if isinstance(model.input, QuantizedMatrix) else None,
            output=dense(model.output),
        )
    except ValueError as error:
        raise ModelFormatError("classifier", f"broken: {error}") from None


def classification_report(
    predictor: Predictor,
    labels: Sequence[str],
    pieces: Iterable[bytes],
    k: int = 1,
    threshold: float = 0.0,
    epsilon: float = 0.0,
) -> ClassificationReport:
    """Predict the labels of texts that have some, and count how often that is right."""
    tally, n_unknown, limit = Tally(len(labels)), 0, min(k, len(labels))
    for piece in pieces:
        # What is below the threshold is predicted too: a text that has nothing else counts.
        found, true_offsets, true, unknown = predictor.test(piece, limit, 0.0, epsilon)
        offsets, predicted, values = found
        tally.add(offsets, predicted, values >= threshold, true_offsets, true)
        n_unknown += unknown
    return tally.result(labels, k, threshold, n_unknown)


def truth_and_probabilities(
    predictor: Predictor, n_labels: int, pieces: Iterable[bytes]
) -> tuple[npt.NDArray[np.bool_], FloatMatrix]:
    """What texts with labels have, and what is predicted; both of shape (n_texts, n_labels)."""
    truths = [np.zeros((0, n_labels), bool)]
    predictions = [np.zeros((0, n_labels), np.float32)]
    for piece in pieces:
        found, true_offsets, true, _ = predictor.test(piece, n_labels, 0.0, 0.0)
        offsets, predicted, values = found
        counted = (np.diff(true_offsets) > 0) & (np.diff(offsets) > 0)
        is_true = as_matrix(true_offsets, true, np.ones(len(true), bool), n_labels)
        truths.append(is_true[counted])
        predictions.append(as_matrix(offsets, predicted, values, n_labels)[counted])
    return np.concatenate(truths), np.concatenate(predictions)


def as_matrix(
    offsets: npt.NDArray[np.int64], columns: npt.NDArray[np.int32], values: Any, n_columns: int
) -> Any:
    """A matrix with values in compressed rows, zero elsewhere."""
    matrix = np.zeros((len(offsets) - 1, n_columns), values.dtype)
    matrix[np.repeat(np.arange(len(matrix)), np.diff(offsets)), columns] = values
    return matrix
