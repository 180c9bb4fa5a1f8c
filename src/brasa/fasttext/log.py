"""What trainings and searches tell on standard error, as `verbose` asks for."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from brasa.training import CorpusRead, Progress, ReadProgress, TrainingFinished

if TYPE_CHECKING:
    from brasa.training import Event


def write(text: str) -> None:
    """Write on standard error, if it can be written: a log must not end the training."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(text)
            sys.stderr.flush()


class TrainingLog:
    """Tells what fastText's `verbose` asks for: 1 counts, 2 the progress, too."""

    def __init__(self, verbose: int, threads: int) -> None:
        self._verbose, self._threads = verbose, threads

    def __call__(self, event: Event) -> None:
        if isinstance(event, CorpusRead):
            self._read(event.n_tokens, f"\nNumber of words:  {event.n_words}\n", level=1)
        elif isinstance(event, ReadProgress):
            self._read(event.n_tokens, "", level=2)
        elif isinstance(event, Progress):
            share = 100 * event.words / max(1, event.total_words)
            self._progress(share, event, event.learning_rate, event.seconds_left)
        elif isinstance(event, TrainingFinished):
            self._progress(100, event, 0, 0)
            self._write("\n", level=2)

    def _read(self, n_tokens: int, rest: str, level: int) -> None:
        self._write(f"\rRead {n_tokens // 10**6}M words{rest}", level)

    def _progress(
        self, percent: float, event: Progress | TrainingFinished, lr: float, left: float
    ) -> None:
        minutes, seconds = divmod(int(left), 60)
        speed = event.words_per_second / self._threads
        self._write(
            f"\rProgress: {percent:5.1f}% words/sec/thread: {speed:7.0f} lr: {lr:9.6f} avg.loss: "
            f"{event.loss or 0:9.6f} ETA: {minutes // 60:3}h{minutes % 60:2}m{seconds:2}s",
            level=2,
        )

    def _write(self, text: str, level: int) -> None:
        if self._verbose >= level:
            write(text)
