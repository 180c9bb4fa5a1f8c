"""What a job leaves in ``model``: brasa's folder, and the files that BlazingText leaves."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from brasa.errors import StorageError
from brasa.formats import native
from brasa.formats.storage import is_temporary
from brasa.sagemaker.errors import ClientError
from brasa.warm_start import ClassifierCheckpoint

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from brasa.parameters import Embeddings
    from brasa.text_classifier import TextClassifier
    from brasa.word_vectors import WordVectors

_FILES = (native.TENSORS, "config.json", "eval.json", "vectors.txt", "vectors.bin", "model.bin")


def check_room(folder: Path) -> None:
    """Refuse a folder that takes no model, before hours of training and not after them.

    What a killed process left there of a file that it was writing is deleted: it would become a
    part of the artifact.

    Raises
    ------
    ClientError
        When something else is in the way, or nothing can be written.
    """
    remove_temporaries(folder)
    foreign = [] if not folder.is_dir() or native.is_model(folder) else sorted(folder.iterdir())
    if foreign:
        names = ", ".join(path.name for path in foreign[:5]) + (", ..." if foreign[5:] else "")
        raise ClientError(
            f"{folder}, where the model goes, has something else in it ({names}): empty the folder"
        )
    try:
        native.check_target(folder)
    except StorageError as error:
        raise ClientError(f"there is no place for the model: {error}") from None
    for name in _FILES:
        if (folder / name).exists() and not (folder / name).is_file():
            raise ClientError(f"{folder / name} is in the way of a file: remove it")


def remove_temporaries(folder: Path) -> None:
    """Delete what a killed process left of files that it was writing."""
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if is_temporary(path) and path.is_file():
                path.unlink()


def write_snapshot(snapshot: Embeddings | ClassifierCheckpoint, folder: Path) -> None:
    """What there is in the middle of a training, in brasa's form alone."""
    if isinstance(snapshot, ClassifierCheckpoint):
        native.write(snapshot.best or snapshot.model, folder)
    else:
        native.write(snapshot, folder)


def write_vectors(vectors: WordVectors, folder: Path, *, evaluation: bool) -> dict[str, Any] | None:
    """Word vectors in all forms; gives their scores, if these are asked for."""
    report = vectors.evaluate() if evaluation else None
    vectors.save(folder, evaluation=report)
    vectors.export(folder / "vectors.txt", "word2vec")
    vectors.export(folder / "vectors.bin", "fasttext")
    return report


def write_classifier(model: TextClassifier, folder: Path) -> None:
    """A classifier in both forms."""
    model.save(folder)
    model.export(folder / "model.bin")
