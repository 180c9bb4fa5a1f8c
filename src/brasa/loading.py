"""`brasa.load`: any model, told by its content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from brasa import formats
from brasa.parameters import Embeddings
from brasa.text_classifier import TextClassifier
from brasa.word_vectors import WordVectors

if TYPE_CHECKING:
    import os


def load(path: str | os.PathLike[str]) -> Any:
    """Open a model, told by its content, whatever its name.

    Parameters
    ----------
    path : path
        A folder that `save` made, its `model.safetensors`, or fastText's `.bin` or `.ftz`.

    Returns
    -------
    WordVectors or TextClassifier
        Typed as `Any`, since what it is only the file tells; each has a `load` of its own, which
        refuses the other's models.

    Raises
    ------
    StorageError
        When there is nothing at `path`, or it cannot be read.
    ModelFormatError
        When it is not a model, or a broken one.
    """
    model = formats.open_model(path)
    return WordVectors(model) if isinstance(model, Embeddings) else TextClassifier(model)
