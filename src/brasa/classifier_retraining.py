"""Training a classifier on, with the rows that it has: what fastText's `-retrain` does."""

from __future__ import annotations

import dataclasses
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt

from brasa.backends.cpu import CpuClassifierBackend
from brasa.classifier_plan import make_classifier_plan
from brasa.config import TextClassifierConfig
from brasa.corpus import Corpus
from brasa.encoding import available_threads
from brasa.errors import ConfigError, CorpusError
from brasa.examples import Examples, encode_examples
from brasa.parameters import Classifier, Parameters, QuantizedMatrix, padded_matrix
from brasa.training import Event, Listener, Run

Offsets = npt.NDArray[np.int64]
Ids = npt.NDArray[np.int32]


def retrain(
    classifier: Classifier, corpus: Corpus, *, listener: Listener | None = None, **changes: Any
) -> Classifier:
    """Train a classifier on; words and n-grams without a row are passed over.

    Parameters
    ----------
    classifier : Classifier
        Not quantized; with its buckets in order (no `bucket_rows`).
    corpus : Corpus
        Lines with their labels in them. Labels that the classifier does not know are passed over.
    listener : callable, optional
        Called with the events of the training.
    **changes
        `epochs`, `learning_rate`, `seed`, `threads`, ... where they are to differ from those of the
        training before, as far as the model knows them.

    Raises
    ------
    ConfigError
        For an impossible hyperparameter, or one that decides what rows mean.
    CorpusError, StorageError
        When the text cannot be read, or has no line with a label and a feature that are known.
    DivergenceError, TrainingInterrupted
        As in `train`.
    """
    if isinstance(classifier.input, QuantizedMatrix) or isinstance(
        classifier.output, QuantizedMatrix
    ):
        raise ConfigError("classifier", "a quantized one", "one that is not quantized yet")
    config = _config(classifier, changes)
    threads = config.threads or available_threads()
    examples = known_examples(classifier, encode_examples(corpus, config))
    if not len(examples):
        raise CorpusError("no line has both a label and a feature that the classifier knows")
    plan = make_classifier_plan(examples, config)
    parameters = Parameters(
        padded_matrix(*classifier.input.shape), padded_matrix(*classifier.output.shape)
    )
    parameters.input[:], parameters.output[:] = classifier.input, classifier.output

    def tell(event: Event) -> None:
        if listener is not None:
            listener(event)

    run = Run(plan, tell)
    run.train(CpuClassifierBackend(plan, parameters, threads), parameters, False)
    facts: dict[str, Any] = {
        "brasa_version": version("brasa"),
        "sources": list(examples.sources),
    }
    facts |= {"hyperparameters": config.to_dict(), **run.finish()}
    return dataclasses.replace(
        classifier,
        input=parameters.input,
        output=parameters.output,
        metadata={**classifier.metadata, "retrained": facts},
    )


def known_examples(classifier: Classifier, examples: Examples) -> Examples:
    """The same texts with the classifier's rows and labels; texts that are left with none go."""
    n_words = len(examples.vocabulary)
    row_of = np.full(n_words + len(examples.bucket_ids), -1, np.int32)
    row_of[:n_words] = classifier.vocabulary.indices(examples.vocabulary.words)
    places = np.searchsorted(classifier.bucket_ids, examples.bucket_ids)
    places[places == len(classifier.bucket_ids)] = 0
    if len(classifier.bucket_ids):
        found = classifier.bucket_ids[places] == examples.bucket_ids
        row_of[n_words:][found] = len(classifier.vocabulary) + places[found]
    label_of = classifier.labels.indices(examples.labels.words)
    labels = label_of[examples.label_ids]
    label_offsets, labels = _chosen(examples.label_offsets, labels, labels >= 0)
    unit_offsets, unit_rows, items = examples.unit_offsets, examples.unit_rows, examples.items
    if len(unit_offsets):
        unit_rows = row_of[unit_rows]
        unit_offsets, unit_rows = _chosen(unit_offsets, unit_rows, unit_rows >= 0)
        is_unit = items >= 0
        rows = row_of[np.where(is_unit, 0, ~items)]
        has_rows = np.diff(unit_offsets)[np.where(is_unit, items, 0)] > 0
        kept = np.where(is_unit, has_rows, rows >= 0)
        items = np.where(is_unit, items, ~rows).astype(np.int32)
    else:
        items = row_of[items]
        kept = items >= 0
    item_offsets, items = _chosen(examples.item_offsets, items, kept)
    texts = (np.diff(item_offsets) > 0) & (np.diff(label_offsets) > 0)
    item_offsets, items = _texts(item_offsets, items, texts)
    label_offsets, labels = _texts(label_offsets, labels, texts)
    return dataclasses.replace(
        examples,
        vocabulary=classifier.vocabulary,
        labels=classifier.labels,
        item_offsets=item_offsets,
        items=items,
        unit_offsets=unit_offsets,
        unit_rows=unit_rows,
        label_offsets=label_offsets,
        label_ids=labels,
        bucket_ids=classifier.bucket_ids,
        n_skipped=examples.n_skipped + int((~texts).sum()),
    )


def _chosen(offsets: Offsets, values: Ids, kept: npt.NDArray[np.bool_]) -> tuple[Offsets, Ids]:
    """Lists in compressed rows, without some of their values."""
    before = np.zeros(len(kept) + 1, np.int64)
    np.cumsum(kept, out=before[1:])
    return before[offsets], values[kept]


def _texts(offsets: Offsets, values: Ids, kept: npt.NDArray[np.bool_]) -> tuple[Offsets, Ids]:
    """Some of the lists."""
    lengths = np.diff(offsets)
    new = np.zeros(int(kept.sum()) + 1, np.int64)
    np.cumsum(lengths[kept], out=new[1:])
    return new, values[np.repeat(kept, lengths)]


def _config(classifier: Classifier, changes: dict[str, Any]) -> TextClassifierConfig:
    """The hyperparameters of the training before, those that rows depend on as the model has them.

    Words are not dropped by count: those without a row still take part in n-grams.
    """
    fixed = {
        "vector_dim": classifier.vector_dim,
        "loss": classifier.loss,
        "word_ngrams": classifier.word_ngrams,
        "subwords": classifier.max_char > 0,
        "buckets": max(1, classifier.buckets),
        "label_prefix": classifier.label_prefix,
        "min_count": 1,
        "min_count_label": 0,
    }
    if classifier.max_char > 0:
        fixed |= {"min_char": classifier.min_char, "max_char": classifier.max_char}
    for name in changes.keys() & fixed.keys():
        raise ConfigError(name, changes[name], f"left out: it is {fixed[name]}, as in the model")
    before = classifier.metadata.get("hyperparameters")
    known = dict(before) if isinstance(before, dict) else {}
    for name in ("early_stopping", "threads", "instruction_set"):  # this machine's, this time's
        known.pop(name, None)
    return TextClassifierConfig.parse({**known, **fixed, "evaluation": False, **changes})
