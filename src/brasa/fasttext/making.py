"""Commands that make models: supervised, skipgram, cbow, quantize."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from brasa.config import WordVectorsConfig
from brasa.errors import StorageError
from brasa.fasttext.flags import UsageError, help_of, parse
from brasa.fasttext.model import _FastText
from brasa.fasttext.training import trained
from brasa.formats import word2vec
from brasa.parameters import Classifier, Embeddings

if TYPE_CHECKING:
    from brasa.fasttext.flags import Flags
    from brasa.fasttext.opened import OpenedModel
    from brasa.vocabulary import Vocabulary


def train(command: str, arguments: list[str]) -> None:
    """Write ``.bin`` (``.ftz`` with a size limit), ``.vec``, with ``-saveOutput`` ``.output``."""
    flags = parse(command, arguments)
    _check_output(flags)
    model = trained(flags)
    model.save_model(flags.output + (".ftz" if model.is_quantized() else ".bin"))
    opened = model._it
    word2vec.write(_whole_words(opened), flags.output + ".vec")
    if flags.saveOutput:
        _write_output(opened, flags.output + ".output")


def quantize(command: str, arguments: list[str]) -> None:
    """Make ``<output>.ftz`` of ``<output>.bin``."""
    if not arguments:
        raise UsageError("usage: fasttext quantize <args>" + help_of(command))
    flags = parse(command, arguments)
    model = _FastText(flags.output + ".bin")
    model.quantize(
        flags.input, qout=flags.qout, cutoff=flags.cutoff, retrain=flags.retrain,
        dsub=flags.dsub, qnorm=flags.qnorm, epoch=flags.epoch, lr=flags.lr, thread=flags.thread,
    )  # fmt: skip
    model.save_model(flags.output + ".ftz")


def _check_output(flags: Flags) -> None:
    """Refuse now what could not be written after the training."""
    folder = Path(flags.output).parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise StorageError(f"{flags.output}.bin", "cannot be opened for saving.")


def _whole_words(opened: OpenedModel) -> Embeddings:
    """What a ``.vec`` file holds: each word's vector."""
    model = opened.model
    if isinstance(model, Embeddings):
        return model
    rows = opened.vectors(model.vocabulary.words)
    return _table(model.vocabulary, rows)


def _write_output(opened: OpenedModel, path: str) -> None:
    model = opened.model
    names = model.labels if isinstance(model, Classifier) else model.vocabulary
    word2vec.write(_table(names, np.ascontiguousarray(model.output)), path)


def _table(
    names: Vocabulary, rows: np.ndarray[tuple[int, int], np.dtype[np.float32]]
) -> Embeddings:
    dim = rows.shape[1]
    return Embeddings(
        vocabulary=dataclasses.replace(names),
        config=WordVectorsConfig(vector_dim=dim),
        input=rows,
        output=np.empty((0, dim), np.float32),
        bucket_ids=np.empty(0, np.uint32),
    )
