"""The log lines of Amazon SageMaker BlazingText, for programs that read them.

Wording from the logs of executed AWS notebooks (word2vec on text8, text classification on dbpedia,
2019). The metrics' lines are the ones that matter: SageMaker finds ``train:mean_rho``,
``train:accuracy`` and ``validation:accuracy`` in them.
"""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any, TextIO

from brasa.cli.progress import PlainDisplay
from brasa.corpus import Corpus
from brasa.training import (
    CorpusRead,
    DeviceChosen,
    Event,
    Progress,
    ReadProgress,
    Scored,
    TrainingFinished,
    Validated,
)

_READ_STEP = 10_000_000  # words between two lines while reading
_PROGRESS_STEP = 0.02  # of the whole training, between two progress lines


class BlazingTextLog(PlainDisplay):
    """Writes BlazingText's lines; see `Display`."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._reading_announced = 0
        self._next_progress = 0.0
        self._supervised = False

    def started(self, mode: str, corpus: Corpus, n_hosts: int = 1) -> None:
        self._supervised = mode == "supervised"
        self._log(
            f"Running single machine CPU BlazingText training using {mode} mode."
            if n_hosts == 1
            else f"Running distributed CPU BlazingText training using {mode} on {n_hosts} hosts."
        )
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
        elif isinstance(event, DeviceChosen):
            # BlazingText's words for a GPU are not known; the line above has said CPU.
            if event.device != "CPU":
                self._log(f"Training on {event.device}: {event.detail}")
        elif isinstance(event, Progress):
            self._progress(event)
        elif isinstance(event, Validated):
            self._validated(event)
        elif isinstance(event, Scored):
            self._scored(event)
        elif isinstance(event, TrainingFinished):
            self.print("Training finished." if self._supervised else "Training finished!")
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

    def _validated(self, event: Validated) -> None:
        if not event.early_stopping:  # only the last two lines tell the accuracy then
            return
        self.print(f"-------------- End of epoch: {event.epoch}")
        self.print(f"Validation accuracy: {event.accuracy:.6g}")
        if event.improved:
            self.print("Validation accuracy improved! Storing best weights...")
        else:
            epochs = f"last {event.waited} epochs"
            self.print(f"Validation accuracy has not improved for {epochs}.")

    def _scored(self, event: Scored) -> None:
        for name, accuracy, n_texts in (
            ("train", event.train_accuracy, event.n_train),
            ("validation", event.validation_accuracy, event.n_validation),
        ):
            if accuracy is not None:
                self.print(f"#{name}_accuracy: {accuracy:.4f}")
                self.print(f"Number of {name} examples: {n_texts}")

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
