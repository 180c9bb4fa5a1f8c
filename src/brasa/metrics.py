"""How well labels are predicted: precision, recall and their kin, from counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Counts = npt.NDArray[np.int64]


def ratio(part: float, whole: float) -> float:
    """`part` divided by `whole`; 0 of nothing is 0."""
    return part / whole if whole else 0.0


@dataclass(frozen=True)
class Score:
    """Counts of what was predicted, of one label or of several.

    Attributes
    ----------
    n_true : int
        Labels that the texts have.
    n_predicted : int
        Labels that were predicted.
    n_correct : int
        Those among the predicted that the texts have.
    """

    n_true: int
    n_predicted: int
    n_correct: int

    @property
    def precision(self) -> float:
        """Share of the predicted labels that are right; 0 where none was predicted."""
        return ratio(self.n_correct, self.n_predicted)

    @property
    def recall(self) -> float:
        """Share of the texts' labels that were predicted; 0 where there is none."""
        return ratio(self.n_correct, self.n_true)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return ratio(2 * self.n_correct, self.n_true + self.n_predicted)

    def to_dict(self) -> dict[str, Any]:
        """The ratios and `n_true`."""
        return {
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "n_true": self.n_true,
        }


@dataclass(frozen=True)
class ClassificationReport:
    """What `TextClassifier.test` finds.

    Attributes
    ----------
    n : int
        Texts that have a label of the model's and a feature: only these count.
    n_skipped : int
        Lines that do not.
    n_unknown_labels : int
        Labels of the text that the model does not have; they count nowhere.
    k, threshold : int, float
        Predicted are the k best labels of a text, less those below the threshold.
    n_first_correct : int
        Texts whose best label is one of theirs.
    micro : Score
        All labels together: fastText's ``P@k`` and ``R@k``.
    labels : dict of str to Score
        Each label of the model.
    """

    n: int
    n_skipped: int
    n_unknown_labels: int
    k: int
    threshold: float
    n_first_correct: int
    micro: Score
    labels: dict[str, Score]

    @property
    def accuracy(self) -> float:
        """Share of the texts whose best label is one of theirs."""
        return ratio(self.n_first_correct, self.n)

    @property
    def precision(self) -> float:
        """Precision at k, as fastText's ``P@k``."""
        return self.micro.precision

    @property
    def recall(self) -> float:
        """Recall at k, as fastText's ``R@k``."""
        return self.micro.recall

    @property
    def f1(self) -> float:
        """Micro-averaged F1 at k."""
        return self.micro.f1

    def macro(self) -> dict[str, float]:
        """Mean precision, recall and F1 of the labels that the texts have."""
        scores = [score for score in self.labels.values() if score.n_true]
        return {
            name: ratio(sum(getattr(score, name) for score in scores), len(scores))
            for name in ("precision", "recall", "f1")
        }

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON values; labels that no text has are left out."""
        macro = self.macro()
        return {
            "n": self.n,
            "n_skipped": self.n_skipped,
            "n_unknown_labels": self.n_unknown_labels,
            "k": self.k,
            "threshold": self.threshold,
            "accuracy": self.accuracy,
            f"precision_at_{self.k}": self.precision,
            f"recall_at_{self.k}": self.recall,
            "f1": self.f1,
            **{f"macro_{name}": value for name, value in macro.items()},
            "labels": {
                name: score.to_dict() for name, score in self.labels.items() if score.n_true
            },
        }


class Tally:
    """Counts predictions against the truth, some texts at a time.

    Lists of labels are given in compressed rows: those of text i are
    ``labels[offsets[i]:offsets[i + 1]]``.
    """

    def __init__(self, n_labels: int) -> None:
        self._counts = np.zeros((3, n_labels), np.int64)  # true, predicted, correct
        self.n_texts = 0
        self.n_skipped = 0
        self.n_first_correct = 0

    def add(
        self,
        predicted_offsets: Counts,
        predicted: npt.NDArray[np.int32],
        kept: npt.NDArray[np.bool_],
        true_offsets: Counts,
        true: npt.NDArray[np.int32],
    ) -> None:
        """Take texts' predictions, best first, of which those not `kept` are below a threshold.

        A text without a label, or without a prediction at all, is skipped.
        """
        n_labels = self._counts.shape[1]
        n_predicted, n_true = np.diff(predicted_offsets), np.diff(true_offsets)
        counted = (n_predicted > 0) & (n_true > 0)
        self.n_texts += int(counted.sum())
        self.n_skipped += int((~counted).sum())
        texts = np.arange(len(counted), dtype=np.int64)
        guesses = np.repeat(texts, n_predicted) * n_labels + predicted
        # A label that a line has twice is one label, as in a set; fastText counts it twice.
        truths = np.unique(np.repeat(texts, n_true) * n_labels + true)
        truths = truths[counted[truths // max(1, n_labels)]]
        right = np.isin(guesses, truths)
        first = predicted_offsets[:-1][counted]
        self.n_first_correct += int((right[first] & kept[first]).sum())
        guessed = kept & np.repeat(counted, n_predicted)
        for row, chosen in enumerate((truths, guesses[guessed], guesses[guessed & right])):
            labels = chosen % max(1, n_labels)
            self._counts[row] += np.bincount(labels, minlength=n_labels)

    def result(
        self, labels: Sequence[str], k: int, threshold: float, n_unknown: int
    ) -> ClassificationReport:
        """What has been counted."""
        return ClassificationReport(
            n=self.n_texts,
            n_skipped=self.n_skipped,
            n_unknown_labels=n_unknown,
            k=k,
            threshold=threshold,
            n_first_correct=self.n_first_correct,
            micro=Score(*map(int, self._counts.sum(axis=1))),
            labels={
                name: Score(*counts)
                for name, counts in zip(labels, self._counts.T.tolist(), strict=True)
            },
        )


def confusion_matrix(
    true: Iterable[str], predicted: Iterable[str], labels: Sequence[str]
) -> Counts:
    """How often texts of each label (a row) were given each label (a column).

    Parameters
    ----------
    true, predicted : iterable of str
        One label of each text. Texts with a label that is not in `labels` are left out.
    labels : sequence of str
        What rows and columns stand for.

    Returns
    -------
    int64, shape (len(labels), len(labels))
    """
    place = {name: i for i, name in enumerate(labels)}
    matrix = np.zeros((len(labels), len(labels)), np.int64)
    for wanted, found in zip(true, predicted, strict=True):
        if wanted in place and found in place:
            matrix[place[wanted], place[found]] += 1
    return matrix


@dataclass(frozen=True, eq=False)
class PrecisionRecallCurve:
    """Precision and recall of one label for every threshold that makes a difference.

    Attributes
    ----------
    thresholds : float64, shape (n,)
        Descending: texts of at least this probability are taken.
    precision, recall : float64, shape (n,)
    """

    thresholds: npt.NDArray[np.float64]
    precision: npt.NDArray[np.float64]
    recall: npt.NDArray[np.float64]

    @property
    def average_precision(self) -> float:
        """Area under the curve as a staircase: the mean precision over equal steps of recall."""
        return float((np.diff(self.recall, prepend=0) * self.precision).sum())

    def precision_at_recall(self, recall: float) -> float:
        """The best precision with at least this recall; 0 where it is out of reach."""
        return float(self.precision[self.recall >= recall].max(initial=0))

    def recall_at_precision(self, precision: float) -> float:
        """The best recall with at least this precision; 0 where it is out of reach."""
        return float(self.recall[self.precision >= precision].max(initial=0))


def precision_recall_curve(
    is_true: npt.ArrayLike, probability: npt.ArrayLike
) -> PrecisionRecallCurve:
    """The curve of one label.

    Parameters
    ----------
    is_true : array of bool, shape (n_texts,)
        Which texts have the label.
    probability : array of float, shape (n_texts,)
        How probable it was said to be.

    Raises
    ------
    ValueError
        When the shapes differ or a probability is not a number.
    """
    wanted = np.asarray(is_true, np.bool_)
    scores = np.asarray(probability, np.float64)
    if wanted.shape != scores.shape or wanted.ndim != 1 or np.isnan(scores).any():
        raise ValueError("is_true and probability must be flat, of one length, without NaN")
    order = np.argsort(-scores, kind="stable")
    scores, wanted = scores[order], wanted[order]
    last = np.flatnonzero(np.append(np.diff(scores) != 0, len(scores) > 0))
    correct = np.cumsum(wanted)[last]
    n_true = max(1, int(wanted.sum()))
    return PrecisionRecallCurve(scores[last], correct / (last + 1), correct / n_true)


def expected_calibration_error(
    is_true: npt.ArrayLike, probability: npt.ArrayLike, n_bins: int = 15
) -> float:
    """Mean distance between what was said to be probable and how often it was so.

    Probabilities are put into `n_bins` bins of equal width; the distances are weighted by how many
    are in each (Naeini, Cooper and Hauskrecht 2015).

    Parameters
    ----------
    is_true : array of bool, shape (n,)
        Whether each was right: the best label of each text, say.
    probability : array of float, shape (n,)
        How probable it was said to be, between 0 and 1.
    n_bins : int

    Raises
    ------
    ValueError
        When the shapes differ or a probability is not between 0 and 1.
    """
    right, said = np.asarray(is_true, np.float64), np.asarray(probability, np.float64)
    if right.shape != said.shape or right.ndim != 1 or not ((said >= 0) & (said <= 1)).all():
        raise ValueError("is_true and probability must be flat, of one length, from 0 to 1")
    place = np.minimum((said * n_bins).astype(int), n_bins - 1)
    distances = np.bincount(place, right - said, minlength=n_bins)
    return float(np.abs(distances).sum() / max(1, len(said)))
