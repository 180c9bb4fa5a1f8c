"""The two kinds of training: word vectors, and text classifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from brasa import training, warm_start
from brasa.classifier_training import labeled_texts, train_classifier
from brasa.config import TextClassifierConfig, WordVectorsConfig
from brasa.corpus import Corpus
from brasa.errors import ConfigError
from brasa.parameters import Embeddings
from brasa.sagemaker import artifacts
from brasa.sagemaker.errors import ClientError
from brasa.sagemaker.models import fitted
from brasa.text_classifier import TextClassifier
from brasa.warm_start import ClassifierCheckpoint
from brasa.word_vectors import WordVectors

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from brasa.sagemaker.checkpoints import Checkpoint
    from brasa.sagemaker.job import Job
    from brasa.sagemaker.watch import Watch
    from brasa.warm_start import ClassifierResumption, ClassifierStart, WarmStart

_Resumption = TypeVar("_Resumption")
_Model = TypeVar("_Model")


class Kind(Protocol[_Resumption, _Model]):
    """A kind of training, of one job.

    Attributes
    ----------
    channels : tuple of str
        What it reads.
    """

    channels: tuple[str, ...]

    def resumption(self, found: Checkpoint) -> _Resumption:
        """How to go on from a checkpoint; ConfigError or ModelFormatError when it does not fit."""
        ...

    def read(self) -> None:
        """Find the data."""
        ...

    def train(self, resumption: _Resumption | None, watch: Watch) -> _Model:
        """Train to the end, or to a KeyboardInterrupt between spans."""
        ...

    def model_of(self, found: Checkpoint) -> _Model:
        """What a checkpoint that can be gone on with is by itself."""
        ...

    def write(self, model: _Model) -> None:
        """Leave the artifacts."""
        ...


class VectorsKind:
    """Word vectors."""

    channels: tuple[str, ...] = ("train",)

    def __init__(
        self, job: Job, config: WordVectorsConfig, given: Mapping[str, Any], before: Path | None
    ) -> None:
        self._job, self._config = job, config
        self._start: WarmStart | None = None
        if before is not None:
            model, path = WordVectors.load(before).embeddings, str(job.folders.data / "model")
            self._start, self._config = fitted(
                lambda values: warm_start.continued(model, values, path=path), given
            )
        self._text = Corpus([])

    def resumption(self, found: Checkpoint) -> WarmStart:
        if not isinstance(found, Embeddings):
            raise ConfigError("resume", True, "left out: it is of a text classifier")
        return warm_start.resumed(found, self._config.to_dict(), path="the checkpoint")[0]

    def read(self) -> None:
        self._text = _required(self._job.data("train", is_supervised=False))
        n_hosts = len(self._job.hosts.names)
        self._job.log.started(self._config.mode, self._text, n_hosts)

    def train(self, resumption: WarmStart | None, watch: Watch) -> WordVectors:
        with self._job.hosts.backend() as backend:
            trained = training.train(
                self._text,
                self._config,
                start=self._start if resumption is None else resumption,
                listeners=[watch],
                keep_partial=True,
                between_spans=watch.between_spans,
                backend=backend,
            )
        return WordVectors(trained)

    def model_of(self, found: Checkpoint) -> WordVectors:
        assert isinstance(found, Embeddings)  # `resumption` has taken it
        return WordVectors(found)

    def write(self, model: WordVectors) -> None:
        folder = self._job.folders.model
        report = artifacts.write_vectors(model, folder, evaluation=self._config.evaluation)
        if report is not None:
            self._job.log.evaluated(str(folder / "vectors.txt"), report)


class ClassifierKind:
    """Text classifiers."""

    channels: tuple[str, ...] = ("train", "validation")

    def __init__(
        self, job: Job, config: TextClassifierConfig, given: Mapping[str, Any], before: Path | None
    ) -> None:
        self._job, self._config = job, config
        self._start: ClassifierStart | None = None
        if before is not None:
            model = TextClassifier.load(before).model
            self._start, self._config = fitted(
                lambda values: warm_start.continued_classifier(model, values), given
            )
        self._texts: Any = None
        self._held_out: Any = None

    def resumption(self, found: Checkpoint) -> ClassifierResumption:
        if not isinstance(found, ClassifierCheckpoint):
            raise ConfigError("resume", True, "left out: it is of word vectors")
        return warm_start.resumed_classifier(found, self._config)

    def read(self) -> None:
        # The validation texts first: they are few, and may be missing.
        self._held_out = self._job.data("validation", is_supervised=True)
        if self._config.early_stopping and self._held_out is None:
            raise ClientError(
                "early_stopping needs a validation channel: add one, or set early_stopping to False"
            )
        self._texts = _required(self._job.data("train", is_supervised=True))
        is_text = isinstance(self._texts, Corpus)
        self._job.log.started("supervised", self._texts if is_text else Corpus([]))

    def train(self, resumption: ClassifierResumption | None, watch: Watch) -> TextClassifier:
        read = labeled_texts(self._config, self._texts, validation=self._held_out)
        return TextClassifier(
            train_classifier(
                config=self._config,
                start=self._start,
                resumption=resumption,
                listeners=[watch],
                keep_partial=True,
                between_spans=watch.between_spans,
                **read,
            ),
            trained=True,
        )

    def model_of(self, found: Checkpoint) -> TextClassifier:
        assert isinstance(found, ClassifierCheckpoint)  # `resumption` has taken it
        return TextClassifier(found.best or found.model)

    def write(self, model: TextClassifier) -> None:
        artifacts.write_classifier(model, self._job.folders.model)


def _required(data: Any) -> Any:
    if data is None:
        raise ClientError("there is no channel named train")
    return data
