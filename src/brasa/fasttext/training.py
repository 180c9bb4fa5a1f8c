"""`train_supervised` and `train_unsupervised`."""

from __future__ import annotations

import dataclasses
import mmap
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
from brasa.fasttext.log import TrainingLog
from brasa.fasttext.model import _FastText
from brasa.parameters import FastTextDetails
from brasa.text_classifier import TextClassifier
from brasa.word_vectors import WordVectors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from brasa.parameters import Classifier, Embeddings

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
        callback=TrainingLog(arguments.verbose, arguments.thread),
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
        callback=TrainingLog(arguments.verbose, arguments.thread),
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
