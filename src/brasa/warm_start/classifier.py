"""Classifiers that are trained on: their words, labels and n-grams stay, their rows move."""

from __future__ import annotations

import contextlib
import dataclasses
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from brasa.classifier_vocabulary import KnownFeatures
from brasa.config import TextClassifierConfig
from brasa.errors import ConfigError, ModelFormatError
from brasa.parameters import (
    Classifier,
    Parameters,
    QuantizedMatrix,
    check_trainable,
    dense,
    padded_matrix,
)
from brasa.warm_start.base import FREE_AT_RESUMPTION, OF_THE_MACHINE, copy_rows, previous_runs

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from brasa.examples import Examples
    from brasa.parameters import FloatMatrix

# How to train. All else says what rows mean, and cannot change while they are kept.
_FREE = (
    "epochs", "learning_rate", "negative_samples", "negative_exponent", "evaluation",
    "early_stopping", "min_epochs", "patience", "seed", *OF_THE_MACHINE,
)  # fmt: skip
# Those of them that are the model's own, unless given.
_INHERITED = (
    "epochs", "learning_rate", "negative_samples", "negative_exponent", "min_count",
    "min_count_label",
)  # fmt: skip


def continued_classifier(
    model: Classifier, changes: Mapping[str, Any]
) -> tuple[ClassifierStart, TextClassifierConfig]:
    """Train a classifier on, with its words, its labels and the n-grams that it has rows for.

    Parameters
    ----------
    model : Classifier
    changes : dict
        Hyperparameters; by default those that the model was trained with, as far as it says (a
        fastText file does not have its learning rate).

    Raises
    ------
    ConfigError
        For a quantized model or one with a single label, and for a hyperparameter that is
        impossible, or cannot change.
    ModelFormatError
        When the model is broken.
    """
    _check(model)
    config = TextClassifierConfig.parse({**_values_of(model), **changes})
    fixed = TextClassifierConfig.parse(_values_of(model))
    for name in changes:
        before, after = getattr(fixed, name), getattr(config, name)
        if name not in _FREE and before != after:
            raise ConfigError(name, after, f"{before!r}, as in the model that is trained on")
    return ClassifierStart(model), config


@dataclass(frozen=True, eq=False)
class ClassifierStart:
    """A classifier whose rows training starts from. It is read, never written."""

    model: Classifier

    @property
    def features(self) -> KnownFeatures:
        """What it has rows for."""
        model = self.model
        return KnownFeatures(
            model.vocabulary, model.labels, model.bucket_ids, model.drops_other_buckets
        )

    def parameters(self, bucket_ids: npt.NDArray[np.uint32]) -> Parameters:
        """Its rows, and zeros, which they were until now, for buckets that are new.

        Raises
        ------
        ModelFormatError
            When it has numbers that are not finite, or too large to train.
        """
        model = self.model
        rows: Any = model.input
        output: Any = model.output
        n_words, every = len(model.vocabulary), np.arange(len(model.bucket_ids))
        found = Parameters(
            padded_matrix(n_words + len(bucket_ids), model.vector_dim),
            padded_matrix(len(model.labels), model.vector_dim),
        )
        words = np.arange(n_words)
        copy_rows(found.input, words, rows, words)
        held = every if model.bucket_rows is None else model.bucket_rows.astype(np.intp)
        places = np.searchsorted(bucket_ids, model.bucket_ids)
        copy_rows(found.input, n_words + places, rows, n_words + held)
        found.output[:] = output
        check_trainable("classifier", found.input, found.output)
        return found

    def trained(
        self,
        parameters: Parameters,
        bucket_ids: npt.NDArray[np.uint32],
        config: TextClassifierConfig,
    ) -> Classifier:
        """The model that these become."""
        model, details = self.model, self.model.fasttext
        if details is not None:
            arguments = details.arguments._replace(epoch=config.epochs)
            details = dataclasses.replace(details, arguments=arguments)
        return dataclasses.replace(
            model,
            input=parameters.input,
            output=parameters.output,
            bucket_ids=bucket_ids,
            bucket_rows=None,
            metadata={"previous_runs": previous_runs(model.metadata)},
            fasttext=details,
        )


@dataclass(frozen=True, eq=False)
class ClassifierCheckpoint:
    """A classifier whose training is not over.

    Attributes
    ----------
    model : Classifier
        As it is now; its metadata say how far it is.
    best : Classifier, optional
        As it was after its best epoch, where `early_stopping` keeps that.
    """

    model: Classifier
    best: Classifier | None = None


def resumed_classifier(
    checkpoint: ClassifierCheckpoint, config: TextClassifierConfig
) -> ClassifierResumption:
    """Go on with a training that was interrupted, where it was, with the texts that it had.

    Raises
    ------
    ConfigError
        When it is not of an interrupted training, or one with another configuration.
    """
    metadata, best = checkpoint.model.metadata, checkpoint.best
    done, total, text = (metadata.get(n) for n in ("blocks_done", "total_blocks", "text_checksum"))
    history, waited = metadata.get("validation_accuracy", []), metadata.get("epochs_waited", 0)
    whole = all(type(number) is int for number in (done, total, text, waited))
    for each in (checkpoint.model, *([] if best is None else [best])):
        codes = isinstance(each.input, QuantizedMatrix) or isinstance(each.output, QuantizedMatrix)
        whole = whole and not codes
    if metadata.get("interrupted") is not True or not whole or not _is_history(history):
        raise _not_resumable("the model is not of a training that was interrupted and kept")
    before = metadata.get("hyperparameters")
    for name, value in config.to_dict().items():
        held = before.get(name) if isinstance(before, dict) else None
        if held != value and name not in FREE_AT_RESUMPTION:
            raise ConfigError(name, value, f"{held!r}, as before the interruption, to resume")
    if config.early_stopping and history and best is None:
        raise _not_resumable("the model of its best epoch is missing")
    return ClassifierResumption(checkpoint, history, waited)


@dataclass(frozen=True, eq=False)
class ClassifierResumption:
    """An interrupted training, as `resumed_classifier` found it fit to go on.

    Attributes
    ----------
    checkpoint : ClassifierCheckpoint
    history : list of [epoch, accuracy]
        On the validation texts.
    waited : int
        Epochs since the best one.
    """

    checkpoint: ClassifierCheckpoint
    history: list[list[float]]
    waited: int

    def fill(self, parameters: Parameters, examples: Examples, total_blocks: int) -> int:
        """Write its rows over those of the beginning; gives the blocks that were done.

        Raises
        ------
        ConfigError
            When the texts are others.
        ModelFormatError
            When it has numbers that are not finite, or too large to train.
        """
        metadata = self.checkpoint.model.metadata
        done, total = metadata["blocks_done"], metadata["total_blocks"]
        if metadata["text_checksum"] != checksum_of(examples):
            raise _not_resumable("these are not the texts of the interrupted training")
        if total != total_blocks or not 0 <= done < total:
            raise _not_resumable(
                f"{done} of {total} blocks were done, and these texts have {total_blocks}"
            )
        for model in (self.checkpoint.model, self.checkpoint.best):
            if model is not None:
                rows: Any = model.input
                output: Any = model.output
                if (rows.shape, output.shape) != (parameters.input.shape, parameters.output.shape):
                    raise _not_resumable("its matrices have other shapes than these texts make")
                check_trainable("the checkpoint", rows, output)
        parameters.input[:] = dense(self.checkpoint.model.input)
        parameters.output[:] = dense(self.checkpoint.model.output)
        return int(done)

    def best(self) -> tuple[FloatMatrix, FloatMatrix] | None:
        """The matrices of the best epoch."""
        found: Any = self.checkpoint.best
        return None if found is None else (np.array(found.input), np.array(found.output))


def checksum_of(examples: Examples) -> int:
    """CRC-32 of texts as numbers, with their words and labels: tells them from others."""
    found = 0
    for array in (
        examples.vocabulary.arena, examples.vocabulary.offsets,
        examples.labels.arena, examples.labels.offsets, examples.bucket_ids,
        examples.item_offsets, examples.items, examples.unit_offsets, examples.unit_rows,
        examples.label_offsets, examples.label_ids, examples.weights,
    ):  # fmt: skip
        found = zlib.crc32(np.ascontiguousarray(array).data.cast("B"), found)
    return found


def _is_history(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and all(type(n) in (int, float) for n in pair)
        for pair in value
    )


def _not_resumable(why: str) -> ConfigError:
    return ConfigError("resume", True, f"left out: {why}")


def _check(model: Classifier) -> None:
    if isinstance(model.input, QuantizedMatrix) or isinstance(model.output, QuantizedMatrix):
        raise ConfigError(
            "classifier", "a quantized one", "one with plain rows: codes cannot be trained. Take "
            "the model that it was made from",
        )  # fmt: skip
    if len(model.labels) < 2:
        raise ConfigError("classifier", "one of a single label", "one of two or more labels")
    model.vocabulary.check()
    model.labels.check()
    ids, counts = model.bucket_ids, model.labels.counts
    if np.any(ids[1:] <= ids[:-1]) or (len(ids) and ids[-1] >= model.buckets):
        raise ModelFormatError("classifier", "its bucket_ids are broken: they do not ascend")
    if model.loss == "hs" and (np.any(counts[1:] > counts[:-1]) or counts.sum(dtype=float) >= 1e15):
        raise ModelFormatError("classifier", "the counts of its labels, which do not descend from "
            "below 1e15, make no Huffman tree to train")  # fmt: skip
    if model.loss == "ns" and counts.min() == 0:
        raise ModelFormatError("classifier", "negatives cannot be drawn: a label has the count 0")


def _values_of(model: Classifier) -> dict[str, Any]:
    """The hyperparameters that it has; those that it does not say are left out."""
    has_buckets = model.buckets > 0
    values: dict[str, Any] = {
        "vector_dim": model.vector_dim,
        "loss": model.loss,
        "label_prefix": model.label_prefix,
        "word_ngrams": max(1, model.word_ngrams) if has_buckets else 1,
        "buckets": max(1, model.buckets),
    }
    if has_buckets and max(1, model.min_char) <= model.max_char:
        values |= {"subwords": True, "min_char": max(1, model.min_char), "max_char": model.max_char}
    known = model.metadata.get("hyperparameters")
    inherited = dict(known) if isinstance(known, dict) else {}
    if not inherited and model.fasttext is not None:
        arguments = model.fasttext.arguments
        inherited = {"epochs": arguments.epoch, "negative_samples": arguments.neg}
        inherited["min_count"] = arguments.min_count
    for name in inherited.keys() & set(_INHERITED):
        with contextlib.suppress(ConfigError):  # a file may say anything
            TextClassifierConfig(**{name: inherited[name]})
            values[name] = inherited[name]
    return values
