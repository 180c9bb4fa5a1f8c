"""`train_supervised` and `train_unsupervised`."""

from __future__ import annotations

import contextlib
import dataclasses
import mmap
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brasa.errors import DivergenceError, StorageError
from brasa.fasttext.arguments import (
    Arguments,
    check_possible,
    made_of,
    model_name,
    read_args,
)
from brasa.fasttext.autotune import tuned
from brasa.fasttext.errors import FileError, NotFiniteError
from brasa.fasttext.model import _FastText
from brasa.parameters import FastTextDetails
from brasa.text_classifier import TextClassifier
from brasa.training import CorpusRead, Progress, ReadProgress, TrainingFinished
from brasa.word_vectors import WordVectors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from brasa.parameters import Classifier, Embeddings
    from brasa.training import Event

_FILE_VERSION = 12

unsupervised_default: dict[str, Any] = {
    **{
        field.name: field.default
        for field in dataclasses.fields(Arguments)
        if field.name not in ("input", "model", "loss")
    },
    "model": "skipgram",
    "loss": "ns",
}
_SUPERVISED_DEFAULT = {
    **unsupervised_default,
    "lr": 0.1,
    "minCount": 1,
    "minn": 0,
    "maxn": 0,
    "loss": "softmax",
    "model": "supervised",
}
_UNSUPERVISED_NAMES = (
    "input", "model", "lr", "dim", "ws", "epoch", "minCount", "minCountLabel", "minn", "maxn",
    "neg", "wordNgrams", "loss", "bucket", "thread", "lrUpdateRate", "t", "label", "verbose",
    "pretrainedVectors", "seed",
)  # fmt: skip
_SUPERVISED_NAMES = (
    *(name for name in _UNSUPERVISED_NAMES if name != "model"), "autotuneValidationFile",
    "autotuneMetric", "autotunePredictions", "autotuneDuration", "autotuneModelSize",
)  # fmt: skip


def train_supervised(*kargs: Any, **kwargs: Any) -> _FastText:
    """Train a text classifier.

    Parameters
    ----------
    input : path
        Lines with their labels in them, tokens that begin with `label`.
    lr, dim, ws, epoch, minCount, minCountLabel, minn, maxn, neg, wordNgrams, loss, bucket, \
    thread, lrUpdateRate, t, label, verbose, pretrainedVectors, seed, autotuneValidationFile, \
    autotuneMetric, autotunePredictions, autotuneDuration, autotuneModelSize : optional
        As for fastText, in this order and with its defaults; `ws`, `lrUpdateRate` and `t` have no
        effect. `loss` is softmax, hs, ns or ova. With a validation file those of `lr`, `dim`,
        `epoch`, `wordNgrams`, `minn`, `maxn` and `bucket` that are not given are searched for by
        `brasa.tuning`; the model is quantized when `autotuneModelSize` is given.

    Raises
    ------
    ConfigError, CorpusError, FileError
        All of them `ValueError`: an impossible argument, a text without two labels, no file.
    ArgumentError
        A `TypeError`: an unknown name, a value of the wrong type.
    NotFiniteError
        A `RuntimeError`: the numbers left the finite range.
    TuningError
        A `RuntimeError`: the search has no such metric or label, or no time for a trial.
    MissingExtraError
        An `ImportError`: the search needs Optuna.
    """
    return trained(made_of(*read_args(kargs, kwargs, _SUPERVISED_NAMES, _SUPERVISED_DEFAULT)))


def train_unsupervised(*kargs: Any, **kwargs: Any) -> _FastText:
    """Train word vectors; tokens that begin with `label` are passed over.

    Parameters
    ----------
    input : path
        Any text.
    model, lr, dim, ws, epoch, minCount, minCountLabel, minn, maxn, neg, wordNgrams, loss, \
    bucket, thread, lrUpdateRate, t, label, verbose, pretrainedVectors, seed : optional
        As for fastText, in this order and with its defaults; `seed` is new. `loss` is ns or hs.

    Raises
    ------
    ConfigError, CorpusError, FileError, ArgumentError, NotFiniteError
        See `train_supervised`.
    """
    return trained(made_of(*read_args(kargs, kwargs, _UNSUPERVISED_NAMES, unsupervised_default)))


def trained(arguments: Arguments) -> _FastText:
    """Train what the arguments say, and tell standard error about it as fastText does."""
    check_possible(arguments)
    model: Embeddings | Classifier
    try:
        if arguments.autotuneValidationFile:
            model, arguments = tuned(arguments)
        elif arguments.model == model_name.supervised:
            model = _classifier(arguments)
        else:
            model = _vectors(arguments)
    except DivergenceError as error:
        raise NotFiniteError(f"Encountered NaN. {error}") from error
    except StorageError as error:
        raise FileError(error.path, f"cannot be opened for training! ({error})") from error
    details = FastTextDetails(_FILE_VERSION, arguments.in_file())
    if isinstance(model.fasttext, FastTextDetails):
        details = dataclasses.replace(model.fasttext, arguments=arguments.in_file())
    return _FastText._of(dataclasses.replace(model, fasttext=details), arguments)


def _classifier(arguments: Arguments) -> Classifier:
    return TextClassifier.train(
        Path(arguments.input),
        pretrained=arguments.pretrainedVectors or None,
        callback=_Log(arguments.verbose, arguments.thread),
        **arguments.classifier_options(),
    ).model


def _vectors(arguments: Arguments) -> Embeddings:
    text: Any = Path(arguments.input)
    if _has(text, arguments.label):
        text = _without_labels(text, arguments.label)
    return WordVectors.train(
        text,
        pretrained=arguments.pretrainedVectors or None,
        keep_pretrained_words=bool(arguments.pretrainedVectors),
        callback=_Log(arguments.verbose, arguments.thread),
        **arguments.vector_options(),
    ).embeddings


def _has(file: Path, prefix: str) -> bool:
    """Whether a file has a label in it, so that the slower way through Python is needed."""
    if not prefix or not file.is_file() or not file.stat().st_size:
        return False
    try:
        with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as m:
            return m.find(prefix.encode("utf-8", "surrogateescape")) >= 0
    except OSError as error:
        raise StorageError(file, f"cannot be read: {error}") from error


def _without_labels(file: Path, prefix: str) -> Iterator[str]:
    with file.open(encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
        for line in lines:
            if prefix in line:
                line = " ".join(t for t in line.split(" ") if not t.startswith(prefix))
                yield line if line.endswith("\n") else line + "\n"
            else:
                yield line


class _Log:
    """Tells standard error what fastText's `verbose` asks for: 1 counts, 2 the progress, too."""

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
        if self._verbose >= level and sys.stderr is not None:
            with contextlib.suppress(OSError, ValueError):  # a log must not end the training
                sys.stderr.write(text)
                sys.stderr.flush()
