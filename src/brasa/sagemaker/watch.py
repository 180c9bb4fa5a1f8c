"""What looks after a training while it runs: its log, its checkpoints, and its end."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from brasa.sagemaker import artifacts
from brasa.sagemaker.environment import seconds
from brasa.training import CorpusRead, Event, Progress, ReadProgress

if TYPE_CHECKING:
    from collections.abc import Callable

    from brasa.sagemaker.checkpoints import Checkpoint, Checkpoints
    from brasa.sagemaker.job import Job

_CHECKPOINT_EVERY_S = 60.0
_MOST_SAVING = 0.1  # of the time: a large model has checkpoints more rarely
_WORTH_IT = 0.1  # of the time between checkpoints: with less left to train there is none


class Watch:
    """A listener of a training's events, and what it calls between spans.

    Parameters
    ----------
    job : Job
    checkpoints : Checkpoints, optional
        Where the job asks for some.
    """

    def __init__(self, job: Job, checkpoints: Checkpoints | None) -> None:
        self._job, self._checkpoints = job, checkpoints
        self._every_s = seconds("BRASA_CHECKPOINT_SECONDS", _CHECKPOINT_EVERY_S)
        self._next = math.inf
        self._left_s = math.inf

    def __call__(self, event: Event) -> None:
        if isinstance(event, ReadProgress):
            self._job.stop.check()
        elif isinstance(event, CorpusRead):
            # From here on SIGTERM waits for the end of a span, where `between_spans` looks for it.
            self._job.stop.at_once = False
            self._next = time.monotonic() + self._every_s
        elif isinstance(event, Progress):
            self._left_s = event.seconds_left
        self._job.log(event)

    def between_spans(self, snapshot: Callable[[], Checkpoint]) -> None:
        """Save a checkpoint when it is time; end the training when the job is to end.

        Before it ends what there is becomes a valid artifact: what comes after, exports and
        scores, may take more than the time that SageMaker gives.
        """
        stopped = self._job.stop.asked
        began = time.monotonic()
        is_due = began >= self._next and self._left_s > _WORTH_IT * self._every_s
        if self._checkpoints is not None and (is_due or stopped):
            self._checkpoints.save(snapshot())
            ended = time.monotonic()
            self._next = ended + max(self._every_s, (ended - began) / _MOST_SAVING)
        if stopped:
            artifacts.write_snapshot(snapshot(), self._job.folders.model)
            raise KeyboardInterrupt
