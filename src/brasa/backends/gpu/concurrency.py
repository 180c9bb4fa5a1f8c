"""How many blocks of text are trained at once, and why not more.

Programs read rows, and add to them a microsecond later; what others have added meanwhile, they do
not know. Of a row that many of them move at once the sum of their steps is too long. How often that
happens depends on how often the most frequent rows are drawn, not on the device.
"""

from __future__ import annotations

import numpy as np

from brasa.classifier_plan import ClassifierPlan
from brasa.plan import TrainingPlan

# Programs on one multiprocessor: more than hide the memory's latency gain nothing.
_PROGRAMS_OF_A_PROCESSOR = 8
# Steps on the most frequent output row that may be on their way at once, on average. See
# docs/decisions.md for the quality at other values.
MAX_STEPS_ON_A_ROW = 8.0
# Texts that are trained at once: with softmax and ova each of them moves every label's row.
MAX_TEXTS_AT_ONCE = 64


def programs_for_words(plan: TrainingPlan, centres: int, n_processors: int) -> int:
    """Programs for word vectors, at least 1."""
    return bounded(hottest_share(plan), centres, n_processors)


def hottest_share(plan: TrainingPlan) -> float:
    """Share of the pairs' steps that fall on the most frequent output row, negatives included."""
    counts = np.bincount(plan.tokens, minlength=plan.n_words) * (plan.keep / 2.0**32)
    kept = counts / max(counts.sum(), 1.0)
    slots = plan.accept / 2.0**32
    drawn = np.bincount(plan.alias, weights=1 - slots, minlength=plan.n_words) + slots
    drawn /= plan.n_words
    return float((kept + plan.config.negative_samples * drawn).max())


def bounded(share: float, pairs: int, n_processors: int) -> int:
    """Programs of which each has `pairs` on their way, a `share` of whose steps is on one row."""
    bearable = int(MAX_STEPS_ON_A_ROW / max(share * pairs, 1e-12))
    return max(1, min(bearable, n_processors * _PROGRAMS_OF_A_PROCESSOR))


def programs_for_texts(plan: ClassifierPlan, n_processors: int) -> int:
    """Programs for a classifier, at least 1.

    Each text moves the rows of all its labels, and with softmax and ova of all others.
    """
    return max(1, min(MAX_TEXTS_AT_ONCE, n_processors * _PROGRAMS_OF_A_PROCESSOR))
