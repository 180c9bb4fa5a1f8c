"""``train``: what a SageMaker training container does, from hyperparameters to artifacts."""

from __future__ import annotations

import dataclasses
import os
import signal
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from brasa import formats
from brasa.config import TextClassifierConfig, WordVectorsConfig
from brasa.corpus import Corpus
from brasa.errors import BrasaError, ConfigError, DivergenceError, StorageError
from brasa.parameters import Embeddings
from brasa.sagemaker import hyperparameters
from brasa.sagemaker.channels import channel
from brasa.sagemaker.errors import ClientError
from brasa.text_classifier import TextClassifier
from brasa.training import CorpusRead, Event, Progress, ReadProgress, TrainingFinished
from brasa.warm_start import StartedFrom
from brasa.word_vectors import WordVectors

if TYPE_CHECKING:
    from brasa.sagemaker.folders import Folders

_CHECKPOINT = "brasa-checkpoint"
_CHECKPOINT_EVERY_S = float(os.environ.get("BRASA_CHECKPOINT_SECONDS") or 60)
_FAILED = 1


class Log(Protocol):
    """What shows a training: see `brasa.cli.progress.Display`."""

    def __call__(self, event: Event) -> None: ...

    def started(self, mode: str, corpus: Corpus) -> None: ...

    def evaluated(self, model: str, report: dict[str, Any]) -> None: ...

    def print(self, line: str) -> None: ...


def run(folders: Folders, log: Log) -> int:
    """Train as the folders ask for; the exit code.

    What goes wrong is written to ``output/failure``: ``ClientError:`` for what the user can mend,
    ``AlgorithmError:`` for the rest. SIGTERM ends the training with what there is: a valid model,
    and exit code 0.
    """
    try:
        _run(folders, log)
    except (ConfigError, StorageError, DivergenceError, ClientError, BrasaError) as error:
        return _failed(folders, log, f"ClientError: {error}")
    except MemoryError:
        reason = "ClientError: not enough memory: lower vector_dim or buckets, or take more memory"
        return _failed(folders, log, reason)
    except Exception as error:
        log.print(traceback.format_exc())
        return _failed(folders, log, f"AlgorithmError: {type(error).__name__}: {error}")
    return 0


def _failed(folders: Folders, log: Log, reason: str) -> int:
    log.print(reason)
    folders.fail(reason)
    return _FAILED


def _run(folders: Folders, log: Log) -> None:
    log.print("Arguments: train")
    config = hyperparameters.parse(folders.configuration("hyperparameters.json", required=True))
    resources = folders.configuration("resourceconfig.json")
    hosts = [str(host) for host in resources.get("hosts") or ["algo-1"]]
    own = str(resources.get("current_host") or hosts[0])
    instance = str(resources.get("current_instance_type") or "")
    hyperparameters.check_machine(config.mode, len(hosts), instance, n_gpus=0)
    if own != min(hosts):
        # BlazingText divides the text among hosts; here the first one trains on all of it.
        log.print(f"{own}: the training runs on {min(hosts)} alone; this host is done.")
        return
    is_supervised = isinstance(config, TextClassifierConfig)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends a training as Ctrl-C does
    with tempfile.TemporaryDirectory(prefix="brasa-") as spool:
        text = channel(folders, "train", is_supervised=is_supervised, spool=Path(spool))
        if text is None:
            raise ClientError("there is no channel named train")
        before = _incoming(folders)
        if isinstance(config, TextClassifierConfig):
            held_out = channel(folders, "validation", is_supervised=True, spool=Path(spool))
            _classifier(folders, log, config, text, held_out, before)
        else:
            _vectors(folders, log, config, text, before)


def _incoming(folders: Folders) -> Path | None:
    """The model of the channel ``model``, from which an incremental training starts."""
    folder = folders.data / "model"
    return find_model(folder) if folder.is_dir() else None


def find_model(folder: Path) -> Path:
    """The model in a folder of artifacts: brasa's own, or fastText's binary, or vectors.

    Raises
    ------
    ClientError
        When there is none.
    """
    if (folder / "model.safetensors").is_file():
        return folder
    names = ("model.bin", "vectors.bin", "model.ftz", "vectors.txt")
    for name in names:
        if (folder / name).exists():
            return folder / name
    files = sorted(file for file in folder.glob("*") if file.is_file())
    if len(files) == 1 and files[0].suffix in (".bin", ".ftz", ".vec", ".safetensors"):
        return files[0]
    raise ClientError(f"{folder} has no model: none of {', '.join(names)}")


def _classifier(
    folders: Folders,
    log: Log,
    config: TextClassifierConfig,
    text: Any,
    held_out: Any,
    before: Path | None,
) -> None:
    if config.early_stopping and held_out is None:
        raise ClientError(
            "early_stopping needs a validation channel: add one, or set early_stopping to False"
        )
    log.started("supervised", text if isinstance(text, Corpus) else Corpus([]))
    options: dict[str, Any] = {
        "validation": held_out, "listeners": [log], "keep_partial": True,
    }  # fmt: skip
    values = _given(config)
    if before is None:
        model = TextClassifier.train(text, **options, **values)
    else:
        model = TextClassifier.load(before).train_on(text, **options)
    if not model.metadata.get("interrupted"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # what is left to do is writing
    folders.model.mkdir(parents=True, exist_ok=True)
    model.save(folders.model)
    model.export(folders.model / "model.bin")


def _vectors(
    folders: Folders, log: Log, config: WordVectorsConfig, text: Corpus, before: Path | None
) -> None:
    log.started(config.mode, text)
    vectors = _trained(folders, log, config, text, before)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    folders.model.mkdir(parents=True, exist_ok=True)
    written = folders.model / "vectors.txt"
    report = vectors.evaluate() if config.evaluation else None
    vectors.save(folders.model, evaluation=report)
    vectors.export(written, "word2vec")
    vectors.export(folders.model / "vectors.bin", "fasttext")
    if report is not None:
        log.evaluated(str(written), report)


def _trained(
    folders: Folders, log: Log, config: WordVectorsConfig, text: Corpus, before: Path | None
) -> WordVectors:
    """Train to the end or to SIGTERM, with a checkpoint every minute where a folder is for it.

    A checkpoint is a training that was interrupted and goes on: one more reading of the text.
    """
    values = _given(config)
    checkpoint = folders.checkpoints / _CHECKPOINT if folders.checkpoints.is_dir() else None
    vectors = _checkpointed(checkpoint, log)
    first = True
    while True:
        watch = _Watch(log, None if checkpoint is None else _CHECKPOINT_EVERY_S, is_first=first)
        options: dict[str, Any] = {"listeners": [watch], "keep_partial": True}
        if vectors is not None:
            vectors = vectors.continue_training(text, resume=True, **options, **values)
        elif before is not None:
            vectors = WordVectors.load(before).continue_training(text, **options, **values)
        else:
            vectors = WordVectors.train(text, **options, **values)
        first = False
        if vectors.metadata.get("interrupted") and checkpoint is not None:
            vectors.save(checkpoint)
        if not (vectors.metadata.get("interrupted") and watch.is_due):
            return vectors


def _checkpointed(checkpoint: Path | None, log: Log) -> WordVectors | None:
    """What a run before this one has left, if it can be gone on with."""
    if checkpoint is None or not checkpoint.exists():
        return None
    try:
        model = formats.open_model(checkpoint)
    except BrasaError as error:
        log.print(f"The checkpoint is left alone: {error}")
        return None
    if not isinstance(model, Embeddings) or not model.metadata.get("interrupted"):
        return None
    done, total = model.metadata["blocks_done"], model.metadata["total_blocks"]
    log.print(f"Resuming from the checkpoint at {done / total:.1%}")
    return WordVectors(model)


class _Watch:
    """Passes events on, those of reading only once; ends a span of training when it is time."""

    def __init__(self, log: Log, every_s: float | None, *, is_first: bool) -> None:
        self._log, self._every_s, self._is_first = log, every_s, is_first
        self._started = time.monotonic()
        self.is_due = False

    def __call__(self, event: Event) -> None:
        reading = isinstance(event, (ReadProgress, CorpusRead, StartedFrom))
        is_end = isinstance(event, TrainingFinished) and event.interrupted
        if (self._is_first or not reading) and not is_end:
            self._log(event)
        if not isinstance(event, Progress) or self._every_s is None or self.is_due:
            return
        left = event.seconds_left > self._every_s / 10  # not worth it just before the end
        if time.monotonic() - self._started > self._every_s and left:
            self.is_due = True
            raise KeyboardInterrupt


def _given(config: WordVectorsConfig | TextClassifierConfig) -> dict[str, Any]:
    return dataclasses.asdict(config)
