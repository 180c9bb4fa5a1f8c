"""Checkpoints: what is kept of a training that a spot instance may lose at any moment.

Below ``checkpoints`` lies ``brasa-checkpoint``, a model as brasa saves it: written beside, synced
and renamed, so that a killed job leaves the one before. A classifier with early stopping has a
second model, of its best epoch N, in ``brasa-checkpoint-best-N``. It is written first, and those of
earlier epochs are deleted last, so that whichever checkpoint there is finds its own.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from typing import TYPE_CHECKING

from brasa.errors import BrasaError, ConfigError
from brasa.formats import native
from brasa.parameters import Classifier, Embeddings
from brasa.sagemaker.artifacts import remove_temporaries
from brasa.warm_start import ClassifierCheckpoint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_NAME = "brasa-checkpoint"
_BEST = _NAME + "-best-"
# In the metadata: which job's it is, see `fingerprint`, and which run's, however often that was
# interrupted. The model of a best epoch belongs to one run.
_JOB, _RUN = "job", "run"
_HASHED = 12  # bytes of a fingerprint

Checkpoint = Embeddings | ClassifierCheckpoint


class Checkpoints:
    """The checkpoints of a job.

    Parameters
    ----------
    folder : Path
    job : str
        See `fingerprint`.
    say : callable
        Takes lines for the log.
    """

    def __init__(self, folder: Path, job: str, say: Callable[[str], None]) -> None:
        self._folder, self._job, self._say = folder, job, say
        self._place = folder / _NAME
        self._run = secrets.token_hex(8)
        self._best_epoch: int | None = None  # that this process has written

    def load(self) -> Checkpoint | None:
        """What an earlier run of this job has left; None, with a line in the log, for all else."""
        for folder in (self._place, *self._bests()):
            remove_temporaries(folder)
        # An empty folder is that of a job that was killed in its first checkpoint.
        if not self._place.exists() or (self._place.is_dir() and not any(self._place.iterdir())):
            return None
        try:
            model = native.read(self._place)
            if model.metadata.get(_JOB) != self._job:
                self.pass_over("it is of a job with other data, or another model to start from")
                return None
            self._run = str(model.metadata.get(_RUN))
            return model if isinstance(model, Embeddings) else self._with_best(model)
        except (BrasaError, OSError) as error:
            self.pass_over(error)
            return None

    def pass_over(self, why: object) -> None:
        """Say why the checkpoint that is there is of no use: what is trained is another run."""
        self._run = secrets.token_hex(8)
        if isinstance(why, ConfigError) and why.field == "resume":
            why = why.allowed.removeprefix("left out: ")
        self._say(f"The checkpoint in {self._place} is passed over, and will be replaced: {why}")

    def save(self, checkpoint: Checkpoint) -> None:
        """Replace the checkpoint; where that is impossible, say so and let the training go on."""
        try:
            best = None
            if isinstance(checkpoint, Embeddings):
                self._write(checkpoint, self._place)
            else:
                if checkpoint.best is not None:
                    best = self._keep_best(checkpoint.best)
                self._write(checkpoint.model, self._place)
            for old in self._bests():
                if old != best:
                    _remove(old)
        except (BrasaError, OSError) as error:
            self._say(f"The checkpoint cannot be saved: {error}")

    def _keep_best(self, model: Classifier) -> Path:
        """Write the model of the best epoch, once; gives its place."""
        epoch = _best_epoch(model)
        if epoch != self._best_epoch:
            self._write(model, self._best(epoch))
            self._best_epoch = epoch
        return self._best(epoch)

    def _write(self, model: Embeddings | Classifier, place: Path) -> None:
        if not native.is_model(place):
            _remove(place)  # broken, or no folder
        model.metadata.update({_JOB: self._job, _RUN: self._run})
        native.write(model, place)

    def _with_best(self, model: Classifier) -> ClassifierCheckpoint:
        place = self._best(_best_epoch(model))
        best = native.read(place) if place.exists() else None
        if isinstance(best, Classifier) and best.metadata.get(_RUN) == self._run:
            return ClassifierCheckpoint(model, best)
        return ClassifierCheckpoint(model)

    def _best(self, epoch: int) -> Path:
        return self._folder / f"{_BEST}{epoch}"

    def _bests(self) -> list[Path]:
        return sorted(self._folder.glob(_BEST + "*"))


def fingerprint(sources: list[tuple[str, int]], start: Path | None) -> str:
    """Tells a job from others that have the same hyperparameters.

    Parameters
    ----------
    sources : list of (str, int)
        Names and sizes of the files of all channels.
    start : Path, optional
        The model that training starts from: all its bytes count, as other models may have the
        same size.
    """
    found = hashlib.sha256(json.dumps(sorted(sources)).encode())
    if start is not None:
        with (start / native.TENSORS if start.is_dir() else start).open("rb") as file:
            found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()[: 2 * _HASHED]


def share_done(checkpoint: Checkpoint) -> float:
    """How much of the training is done, of 1; for checkpoints that were found to be resumable."""
    model = checkpoint if isinstance(checkpoint, Embeddings) else checkpoint.model
    done, total = model.metadata["blocks_done"], model.metadata["total_blocks"]
    return float(done / total) if total else 0.0


def _best_epoch(model: Classifier) -> int:
    """The first epoch with the highest accuracy, of which `best` is; 0 when there is none."""
    history = model.metadata.get("validation_accuracy")
    pairs = history if isinstance(history, list) else []
    try:
        return int(max(pairs, key=lambda pair: (pair[1], -pair[0]))[0]) if pairs else 0
    except (TypeError, IndexError, KeyError, ValueError):  # a file may say anything
        return 0


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
