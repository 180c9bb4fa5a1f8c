"""What a trial is scored by."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from brasa.errors import ConfigError, CorpusError
from brasa.metrics import precision_recall_curve

if TYPE_CHECKING:
    from collections.abc import Collection

    from brasa.corpus import Corpus
    from brasa.text_classifier import TextClassifier


@dataclass(frozen=True)
class Metric:
    """What a trial is scored by: more is better.

    Attributes
    ----------
    kind : str
        ``f1`` (micro-averaged, or of one label), ``macro_f1``, ``accuracy``; ``precisionAtRecall``
        and ``recallAtPrecision``, the best of the one where the other is at least `at`.
    at : float
        Between 0 and 1.
    label : str, optional
        Without it all labels count together.
    """

    kind: str
    at: float = 0.0
    label: str | None = None

    @classmethod
    def parse(cls, text: str) -> Metric:
        """Read ``f1``, ``f1:<label>``, ``precisionAtRecall:30``, ``precisionAtRecall:30:<label>``.

        Raises
        ------
        ConfigError
            For anything else.
        """
        allowed = (
            "accuracy, macro_f1, f1, f1:<label>, or precisionAtRecall:<percent> or "
            "recallAtPrecision:<percent>, these also with :<label>"
        )
        if not isinstance(text, str):
            raise ConfigError("metric", text, allowed)
        kind, _, rest = text.partition(":")
        if kind in ("accuracy", "macro_f1") and text == kind:
            return cls(kind)
        if kind == "f1" and (text == kind or rest):
            return cls(kind, label=rest or None)
        if kind in ("precisionAtRecall", "recallAtPrecision"):
            percent, colon, label = rest.partition(":")
            at = _number(percent)
            if 0 < at <= 100 and bool(colon) == bool(label):
                return cls(kind, at / 100, label or None)
        raise ConfigError("metric", text, allowed)

    def of(self, classifier: TextClassifier, texts: Corpus, k: int, threshold: float) -> float:
        """Score a classifier on texts with labels; `k` and `threshold` are for f1 and accuracy.

        Raises
        ------
        CorpusError
            When no text has both a label and a word that the classifier knows.
        """
        if self.at:
            is_true, probabilities = classifier.truth_and_probabilities(texts)
            if self.label is not None:
                row = classifier.labels.index(self.label)
                is_true, probabilities = is_true[:, row], probabilities[:, row]
            _require(len(is_true))
            curve = precision_recall_curve(is_true.ravel(), probabilities.ravel())
            if self.kind == "precisionAtRecall":
                return curve.precision_at_recall(self.at)
            return curve.recall_at_precision(self.at)
        report = classifier.test(texts, k, threshold)
        _require(report.n)
        if self.label is not None:
            return report.labels[self.label].f1
        return (
            report.macro()["f1"] if self.kind == "macro_f1" else float(getattr(report, self.kind))
        )

    def with_prefix(
        self, prefix: str, train: Collection[str], validation: Collection[str]
    ) -> Metric:
        """The same with the label as the texts have it, whose labels are given.

        Raises
        ------
        ConfigError
            When there is no such label among those of the training texts, or of the others.
        """
        if self.label is None:
            return self
        label = self.label if self.label.startswith(prefix) else prefix + self.label
        for name, labels in (("training", train), ("validation", validation)):
            if label not in labels:
                some = ", ".join(sorted(labels)[:20]) or "none"
                allowed = f"of a label that {name} texts have ({some})"
                raise ConfigError("metric", f"{self.kind}:...:{self.label}", allowed)
        return dataclasses.replace(self, label=label)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _require(n_texts: int) -> None:
    if n_texts == 0:
        raise CorpusError(
            "no validation text has both a label of the training texts and a word of theirs"
        )
