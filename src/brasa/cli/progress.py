"""How a run shows itself on standard error: a bar, plain lines, JSON lines, or not at all.

A display is a listener of the training's events; what happens after training (evaluation, saving)
reaches it by two methods of its own. BlazingText's lines are in `blazingtext_log`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sys
import time
from typing import Any, Literal, TextIO

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
from brasa.warm_start import StartedFrom

LogFormat = Literal["auto", "bar", "plain", "blazingtext", "json"]

_SECONDS_BETWEEN_LINES = 5.0
_SECONDS_BETWEEN_FRAMES = 0.2
_NARROW = 72  # columns; below, the bar leaves out learning rate and loss


class Display:
    """The silent display, and the base of the others."""

    def __enter__(self) -> Display:
        return self

    def __exit__(self, *exception: object) -> None:
        """Leave the terminal as it was."""

    def started(self, mode: str, corpus: Corpus, n_hosts: int = 1) -> None:
        """Take what will be trained, on what, and by how many hosts."""

    def __call__(self, event: Event) -> None:
        """Take an event of the training."""

    def evaluated(self, model: str, report: dict[str, Any]) -> None:
        """Take the scores on WordSim-353, in the shape of `eval.json`."""

    def saved(self, path: str) -> None:
        """Take the place of a file or model that was written."""


class PlainDisplay(Display):
    """Lines for a log file: a summary of each stage, and one every few seconds in between."""

    verbose = False

    def __init__(self, stream: TextIO, seconds_between: float = _SECONDS_BETWEEN_LINES) -> None:
        self._stream = stream
        self._seconds_between = seconds_between
        self._last = time.monotonic()

    def __call__(self, event: Event) -> None:
        line = self.line(event)
        if line is not None:
            self.print(line)
        elif isinstance(event, (ReadProgress, Progress)) and self._is_time(self._seconds_between):
            self.print(_describe(event))

    def line(self, event: Event) -> str | None:
        """The line that an event is worth, which for most is none."""
        if isinstance(event, DeviceChosen):
            if self.verbose:
                return f"Training on {event.device}: {event.detail}"
            return None if event.device == "CPU" else f"Training on {event.device}"
        return summary(event)

    def evaluated(self, model: str, report: dict[str, Any]) -> None:
        self.print(score_line(report))

    def saved(self, path: str) -> None:
        self.print(f"Saved {path}")

    def print(self, line: str) -> None:
        """Write a line; a log that cannot be written any more does not end the training."""
        self._last = time.monotonic()
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(line + "\n")
            self._stream.flush()

    def _is_time(self, seconds: float) -> bool:
        return time.monotonic() - self._last >= seconds


class JsonDisplay(PlainDisplay):
    """One JSON object a line for every event, progress not more than once a second."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream, seconds_between=1.0)

    def __call__(self, event: Event) -> None:
        often = isinstance(event, (ReadProgress, Progress))
        if not often or self._is_time(self._seconds_between):
            self._write(_snake_case(type(event).__name__), dataclasses.asdict(event))

    def evaluated(self, model: str, report: dict[str, Any]) -> None:
        self._write("evaluated", {"model": model, "report": report})

    def saved(self, path: str) -> None:
        self._write("saved", {"path": path})

    def _write(self, name: str, values: dict[str, Any]) -> None:
        self.print(json.dumps({"event": name, **values}))


class BarDisplay(PlainDisplay):
    """A line that redraws itself on a terminal, between the summaries of the stages."""

    def __init__(self, stream: TextIO) -> None:
        from rich import progress
        from rich.console import Console

        super().__init__(stream)
        self._console = Console(file=stream, highlight=False)
        wide = self._console.width >= _NARROW
        columns = [
            progress.TextColumn("{task.description}"),
            progress.BarColumn(bar_width=None if self._console.width < 100 else 40),
            progress.TextColumn("{task.fields[share]}"),
            progress.TextColumn("{task.fields[speed]}", style="green"),
            *([progress.TextColumn("{task.fields[detail]}", style="cyan")] if wide else []),
            progress.TextColumn("{task.fields[left]}"),
        ]
        self._bar = progress.Progress(
            *columns, console=self._console, auto_refresh=False, transient=True,
            expand=self._console.width < 100, redirect_stdout=False, redirect_stderr=False,
        )  # fmt: skip
        self._task = self._bar.add_task(
            "", total=None, share="", speed="", detail="", left="", visible=False
        )

    def __enter__(self) -> Display:
        self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._bar.stop()

    def __call__(self, event: Event) -> None:
        with contextlib.suppress(OSError, ValueError):
            line = self.line(event)
            if line is not None:
                self._bar.update(self._task, visible=False, refresh=True)
                self.print(line)
                if isinstance(event, CorpusRead):  # n-grams and tables take a second or more
                    self._draw_stage("Preparing")
            elif isinstance(event, (ReadProgress, Progress)) and self._is_time(
                _SECONDS_BETWEEN_FRAMES
            ):
                self._last = time.monotonic()
                self._draw(event)

    def print(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._console.print(line, markup=False, soft_wrap=True)

    def _draw(self, event: Event) -> None:
        if isinstance(event, ReadProgress):
            megabytes = f"{event.n_bytes / 1e6:.0f} MB"
            self._draw_stage("Reading", speed=f"{millions(event.n_tokens)} words", left=megabytes)
        elif isinstance(event, Progress):
            self._bar.update(self._task, completed=event.words, total=event.total_words)
            self._draw_stage(
                "Training",
                share=f"{event.words / event.total_words:4.0%}",
                speed=f"{millions(event.words_per_second)} words/s",
                detail=f"lr {event.learning_rate:.4f}  loss {_loss(event.loss)}",
                left=f"{_clock(event.seconds_left)} left",
            )

    def _draw_stage(
        self, stage: str, share: str = "", speed: str = "", detail: str = "", left: str = ""
    ) -> None:
        self._bar.update(
            self._task, visible=True, description=stage, refresh=True,
            share=share, speed=speed, detail=detail, left=left,
        )  # fmt: skip


def display(log_format: LogFormat, *, quiet: bool, verbose: bool = False) -> Display:
    """The display that was asked for; ``auto`` is a bar on a terminal and lines elsewhere."""
    shown = _display(log_format, quiet)
    if isinstance(shown, PlainDisplay):
        shown.verbose = verbose
    return shown


def _display(log_format: LogFormat, quiet: bool) -> Display:
    stream = sys.stderr
    if quiet or stream is None:
        return Display()
    if log_format == "auto":
        can_redraw = stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        log_format = "bar" if can_redraw else "plain"
    if log_format == "bar":
        return BarDisplay(stream)
    if log_format == "blazingtext":
        from brasa.cli.blazingtext_log import BlazingTextLog

        return BlazingTextLog(stream)
    return JsonDisplay(stream) if log_format == "json" else PlainDisplay(stream)


def summary(event: Event) -> str | None:
    """The line that ends a stage; None for an event within one."""
    if isinstance(event, CorpusRead):
        return (
            f"Read {millions(event.n_tokens)} words ({event.n_bytes / 1e6:.1f} MB) in "
            f"{event.seconds:.1f} s: {event.n_words:,} in the vocabulary"
        )
    if isinstance(event, StartedFrom):
        source = "the model" if event.model is None else event.model
        line = (
            f"Started from {source}: {event.n_words:,} words have its rows, {event.n_new_words:,} "
            "are new"
        )
        return line if event.warning is None else f"{line}\nWarning: {event.warning}"
    if isinstance(event, Validated):
        best = " (the best so far)" if event.improved else ""
        return f"Epoch {event.epoch}: accuracy {event.accuracy:.4f} on the validation texts{best}"
    if isinstance(event, Scored):
        return _scores(event)
    if isinstance(event, TrainingFinished):
        verb = "Stopped early: trained" if event.interrupted else "Trained"
        return (
            f"{verb} on {millions(event.words)} words in {event.seconds:.1f} s: "
            f"{millions(event.words_per_second)} words/s, loss {_loss(event.loss)}"
        )
    return None


def _scores(event: Scored) -> str | None:
    parts = [
        f"{accuracy:.4f} on {n_texts:,} {which} texts"
        for which, accuracy, n_texts in (
            ("training", event.train_accuracy, event.n_train),
            ("validation", event.validation_accuracy, event.n_validation),
        )
        if accuracy is not None
    ]
    return f"Accuracy {', '.join(parts)}" if parts else None


def _describe(event: ReadProgress | Progress) -> str:
    if isinstance(event, ReadProgress):
        return f"Reading: {millions(event.n_tokens)} words, {event.n_bytes / 1e6:.0f} MB"
    return (
        f"Training: {event.words / event.total_words:.0%}, epoch {event.epoch:.1f}, "
        f"{millions(event.words_per_second)} words/s, learning rate {event.learning_rate:.4f}, "
        f"loss {_loss(event.loss)}, {_clock(event.seconds_left)} left"
    )


def score_line(report: dict[str, Any]) -> str:
    """The scores on WordSim-353 and its halves in one line."""
    names = {"EN-WS-353-ALL.txt": "WordSim-353", "EN-WS-353-REL.txt": "relatedness",
             "EN-WS-353-SIM.txt": "similarity"}  # fmt: skip
    scores = [
        f"{label} {report[name]['spearmans_rho']:.3f} "
        f"({report[name]['total_pairs'] - report[name]['not_found']}"
        f" of {report[name]['total_pairs']} pairs)"
        for name, label in names.items()
        if name in report
    ]
    return ", ".join(scores)


def millions(count: float) -> str:
    """A count in millions, three digits or so: ``17.0M``."""
    return f"{count / 1e6:.1f}M" if count >= 1e7 else f"{count / 1e6:.2f}M"


def _loss(loss: float | None) -> str:
    return "-" if loss is None else f"{loss:.4f}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _snake_case(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
