"""How many blocks of text are trained at once, and why not more.

Programs read rows, and add to them a microsecond later; what others have added meanwhile, they do
not know. Of a row that many of them move at once the sum of their steps is too long. How often that
happens depends on how often the most frequent rows are drawn, not on the device.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from brasa.classifier_plan import ClassifierPlan
from brasa.plan import TrainingPlan

# Programs on one multiprocessor: eight of 225 registers for each of 32 threads fit, and beyond what
# hides the memory's latency more gain nothing.
_PROGRAMS_OF_A_PROCESSOR = 8
# Steps on the most frequent output row that may be on their way at once, on average. Emulated on
# 100 MB of Wikipedia, quality is the CPU's at 66 and falls at 266 (docs/decisions.md).
MAX_STEPS_ON_A_ROW = 64.0
# Of a classifier, the sum of the learning rates of all texts at once, and of those that may have
# the most frequent label, whose row all of them move. Emulated, with two labels of equal share
# accuracy falls by 0.1 points at 4 and by 0.6 at 8; with 735 labels and short texts, which have
# their frequent words in common, it holds at 16 and training diverges at 64.
MAX_RATE_AT_ONCE = 16.0
MAX_RATE_ON_A_LABEL = 4.0


@dataclass(frozen=True)
class Concurrency:
    """How many programs run at once, and what bounds them, in words."""

    programs: int
    reason: str


def for_words(plan: TrainingPlan, centres: int, n_processors: int) -> Concurrency:
    """As many as the text bears and the device has room for.

    Parameters
    ----------
    plan : TrainingPlan
    centres : int
        Words that a program trains side by side.
    n_processors : int
        Multiprocessors of the device.
    """
    times = moves_of_the_hottest_row(plan)
    bearable = int(MAX_STEPS_ON_A_ROW / (times * centres))
    reason = f"since a pair moves the most frequent row {times:.3g} times"
    return _bounded(bearable, n_processors, reason)


def for_texts(plan: ClassifierPlan, n_processors: int) -> Concurrency:
    """The same for a classifier, whose texts move the rows of few labels."""
    counts, rate = plan.examples.labels.counts, plan.config.learning_rate
    share = float(counts.max() / counts.sum())
    bearable = round(min(MAX_RATE_AT_ONCE, MAX_RATE_ON_A_LABEL / share) / rate)
    shown = f"the learning rate is {rate:g} and {share:.0%} of the labels are one"
    return _bounded(bearable, n_processors, f"since {shown}")


def _bounded(bearable: int, n_processors: int, reason: str) -> Concurrency:
    room = n_processors * _PROGRAMS_OF_A_PROCESSOR
    if bearable < room:
        return Concurrency(max(1, bearable), reason)
    return Concurrency(room, f"which fill {n_processors} multiprocessors")


def moves_of_the_hottest_row(plan: TrainingPlan) -> float:
    """How often a pair with its negatives moves the most frequent output row, on average."""
    counts = np.bincount(plan.tokens, minlength=plan.n_words) * (plan.keep / 2.0**32)
    kept = counts / max(counts.sum(), 1.0)
    slots = plan.accept / 2.0**32
    drawn = np.bincount(plan.alias, weights=1 - slots, minlength=plan.n_words) + slots
    drawn /= plan.n_words
    return float((kept + plan.config.negative_samples * drawn).max())
