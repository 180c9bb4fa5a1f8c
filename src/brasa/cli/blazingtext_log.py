"""The log lines of Amazon SageMaker BlazingText, for programs that read them.

Wording from the logs of executed AWS notebooks (word2vec on text8, 2019). The metric's line is the
one that matters: SageMaker finds ``train:mean_rho`` in it.
"""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any, TextIO

from brasa.cli.progress import PlainDisplay
from brasa.corpus import Corpus
from brasa.training import CorpusRead, Event, Progress, ReadProgress, TrainingFinished

_READ_STEP = 10_000_000  # words between two lines while reading
_PROGRESS_STEP = 0.02  # of the whole training, between two progress lines


class BlazingTextLog(PlainDisplay):
    """Writes BlazingText's lines; see `Display`."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._reading_announced = 0
        self._next_progress = 0.0

    def started(self, mode: str, corpus: Corpus) -> None:
        self._log(f"Running single machine CPU BlazingText training using {mode} mode.")
        for source, _ in corpus.sources():
            path = Path(source)
            if path.is_file():
                size = path.stat().st_size / 2**20
                self._log(f"Processing {source} . File size: {size:.0f} MB")

    def __call__(self, event: Event) -> None:
        if isinstance(event, ReadProgress):
            while event.n_tokens >= self._reading_announced + _READ_STEP:
                self._reading_announced += _READ_STEP
                self.print(f"Read {self._reading_announced // 1_000_000}M words")
        elif isinstance(event, CorpusRead):
            self.print(f"Read {event.n_tokens // 1_000_000}M words")
            self.print(f"Number of words:  {event.n_words}")
        elif isinstance(event, Progress):
            self._progress(event)
        elif isinstance(event, TrainingFinished):
            self.print("Training finished!")
            speed = event.words_per_second / 1e6
            self.print(f"Average throughput in Million words/sec: {speed:.2f}")
            self.print(f"Total training time in seconds: {event.seconds:.2f}")

    def evaluated(self, model: str, report: dict[str, Any]) -> None:
        self.print("Evaluating word embeddings....")
        self.print(f"Vectors read from: {model}")
        self.print(json.dumps(report, indent=4))
        self._log(f"#mean_rho: {report['mean_rho']}")

    def saved(self, path: str) -> None:
        """BlazingText has no such line."""

    def _progress(self, event: Progress) -> None:
        done = event.words / event.total_words
        if done < self._next_progress:
            return
        self._next_progress = done + _PROGRESS_STEP
        self.print(
            f"##### Alpha: {event.learning_rate:.4f}  Progress: {done:.2%}  "
            f"Million Words/sec: {event.words_per_second / 1e6:.2f} #####"
        )

    def _log(self, line: str) -> None:
        """A line of BlazingText's Python side, which carries time and thread."""
        now = time.strftime("%m/%d/%Y %H:%M:%S")
        self.print(f"[{now} INFO {threading.get_ident()}] {line}")
