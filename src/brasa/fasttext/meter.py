"""`_Meter`: precision and recall of a classifier on a file, for every threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from brasa.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Floats = npt.NDArray[np.float64]

_MISSED = -1.0  # the score of a label that a text has and that was not predicted


class _Meter:
    """What was predicted for the texts of a file, and what was right; made by `get_meter`.

    Parameters
    ----------
    labels : sequence of str
    batches : iterable of (offsets, labels, probabilities, true offsets, true labels)
        Predictions of texts and their labels, in compressed rows. Texts without a label or without
        a feature do not count.
    """

    def __init__(self, labels: Sequence[str], batches: Iterable[tuple[Any, ...]]) -> None:
        self._ids = {label: i for i, label in enumerate(labels)}
        n = len(labels)
        scores, golds, of_label = [], [], []
        for offsets, predicted, probabilities, true_offsets, true in batches:
            counts, true_counts = np.diff(offsets), np.diff(true_offsets)
            counted = (counts > 0) & (true_counts > 0)
            texts = np.arange(len(counts), dtype=np.int64)
            guesses = np.repeat(texts, counts) * n + predicted
            truths = np.unique(np.repeat(texts, true_counts) * n + true)
            guessed = np.repeat(counted, counts)
            truths = truths[counted[truths // max(1, n)]]
            right = np.isin(guesses[guessed], truths)
            missed = truths[~np.isin(truths, guesses)]
            scores += [np.minimum(probabilities[guessed], 1), np.full(len(missed), _MISSED)]
            golds += [right, np.ones(len(missed), bool)]
            of_label += [predicted[guessed], missed % max(1, n)]
        self._score: Floats = np.concatenate([np.empty(0), *scores])
        self._gold = np.concatenate([np.empty(0, bool), *golds])
        self._label = np.concatenate([np.empty(0, np.int64), *of_label])
        # Ascending, as fastText sorts pairs of a score and whether it is right.
        order = np.lexsort((self._gold, self._score))
        self._score, self._gold = self._score[order], self._gold[order]
        self._label = self._label[order]

    def score_vs_true(self, label: str | None) -> tuple[Floats, Floats]:
        """Scores of one label, ascending, and for each 1 or 0: whether the text has it.

        -1 is the score of a text that has the label, for which it was not predicted.
        """
        chosen = self._of(label)
        return self._score[chosen], self._gold[chosen].astype(np.float64)

    def precision_recall_curve(self, label: str | None = None) -> tuple[Floats, Floats]:
        """Precision and recall for each threshold, from the highest down; of all labels by default.

        The curve ends where the recall is complete, and with the point (1, 0); it is empty when
        nothing was predicted.
        """
        scores, golds = self.score_vs_true(label)
        n_gold = golds.sum()
        scores, golds = scores[scores >= 0][::-1], golds[scores >= 0][::-1]
        if not len(scores):
            return np.empty(0), np.empty(0)
        last = np.flatnonzero(np.append(np.diff(scores) != 0, True))  # of equal scores
        correct, taken = np.cumsum(golds)[last], last + 1.0
        end = min(int(np.searchsorted(correct, n_gold)) + 1, len(correct))
        precision = correct[:end] / taken[:end]
        recall = correct[:end] / n_gold if n_gold else np.full(end, np.nan)
        return np.append(precision, 1.0), np.append(recall, 0.0)

    def precision_at_recall(self, recall: float, label: str | None = None) -> float:
        """The best precision with at least this recall; 0 where it is out of reach."""
        precisions, recalls = self.precision_recall_curve(label)
        return float(precisions[recalls >= recall].max(initial=0))

    def recall_at_precision(self, precision: float, label: str | None = None) -> float:
        """The best recall with at least this precision; 0 where it is out of reach."""
        precisions, recalls = self.precision_recall_curve(label)
        return float(recalls[precisions >= precision].max(initial=0))

    def precision(self, label: str | None = None) -> float:
        """Share of the predicted labels that are right; NaN where none was predicted."""
        golds = self._gold[self._of(label) & (self._score >= 0)]
        return float(golds.mean()) if len(golds) else float("nan")

    def recall(self, label: str | None = None) -> float:
        """Share of the texts' labels that were predicted; NaN where there is none."""
        scores = self._score[self._of(label) & self._gold]
        return float((scores >= 0).mean()) if len(scores) else float("nan")

    def f1_score(self, label: str | None = None) -> float:
        """Harmonic mean of precision and recall; NaN where no text has the label or got it."""
        chosen = self._of(label)
        predicted = chosen & (self._score >= 0)
        total = int(predicted.sum()) + int((chosen & self._gold).sum())
        return 2 * int((predicted & self._gold).sum()) / total if total else float("nan")

    def _of(self, label: str | None) -> npt.NDArray[np.bool_]:
        if not label:
            return np.ones(len(self._label), bool)
        if label not in self._ids:
            raise ConfigError("label", label, "one of the model's labels")
        found: npt.NDArray[np.bool_] = self._label == self._ids[label]
        return found
