"""Where training runs: each backend trains spans of the text and knows nothing of the loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from brasa.classifier_plan import ClassifierPlan
from brasa.parameters import Parameters
from brasa.plan import TrainingPlan


@dataclass(frozen=True)
class SpanResult:
    """What a backend tells of a span.

    Attributes
    ----------
    loss : float
        Sum of the losses of the pairs, or of a classifier's texts, that were looked at.
    n_pairs : float
        How many those are; backends look at a sample.
    finite : bool
        False when a loss was NaN or infinite; the span then ended early.
    """

    loss: float
    n_pairs: float
    finite: bool


class Runner(Protocol):
    """A training run, whatever is trained."""

    def train(self, first: int, last: int) -> SpanResult:
        """Train blocks ``first .. last - 1`` of ``range(plan.total_blocks)``.

        The learning rate falls linearly with the position in all blocks (of a classifier: with the
        features of all epochs), so that spans of any length give the same result.
        """
        ...

    @property
    def done(self) -> int:
        """End of the last span that the parameters have, though Ctrl-C may have kept its result."""
        ...

    @property
    def device_name(self) -> str:
        """What trains: ``"CPU"``, or a GPU's name."""
        ...

    @property
    def detail(self) -> str:
        """How it does, in a few words."""
        ...

    @property
    def blocks_at_once(self) -> int:
        """Blocks that are trained side by side whatever the span: the loop begins with as many."""
        ...

    def write_back(self) -> None:
        """Bring `parameters` up to date, if training moves them elsewhere than in this memory."""
        ...


class OnHost:
    """What runners have in common that move the matrices where they are."""

    device_name = "CPU"
    detail = "one thread"
    # A span of one block is as fast as one of many, but for the threads that have no part in it.
    blocks_at_once = 1

    def write_back(self) -> None:
        """Nothing is elsewhere."""


class Backend(Runner, Protocol):
    """A place where word vectors are trained. It moves `parameters` in place; see `write_back`.

    Block b is block ``plan.block_of(b)`` of the text.
    """

    def __init__(self, plan: TrainingPlan, parameters: Parameters, threads: int) -> None: ...


class ClassifierBackend(Runner, Protocol):
    """The same for a classifier; its blocks are the plan's steps."""

    def __init__(self, plan: ClassifierPlan, parameters: Parameters, threads: int) -> None: ...

    def count_right(self) -> int:
        """How many of the texts have a label of their own as the best one."""
        ...
