"""`brasa info`."""

from __future__ import annotations

import os
import platform
from typing import Any, get_args

import click

from brasa import _native
from brasa.backends.devices import describe_gpus
from brasa.cli.output import json_option, print_json, print_table
from brasa.config import InstructionSet
from brasa.loading import load
from brasa.text_classifier import TextClassifier
from brasa.version import VERSION
from brasa.word_vectors import WordVectors

_LONG = ("loss_history", "validation_accuracy")


@click.command()
@click.argument("model", required=False, type=click.Path())
@json_option
def info(model: str | None, as_json: bool) -> None:
    """Describe MODEL; without one, this installation and the kernels it uses here."""
    facts = _installation() if model is None else _model(load(model))
    if as_json:
        print_json(facts)
    else:
        print_table((name.replace("_", " "), _shown(value)) for name, value in facts.items())


def _installation() -> dict[str, Any]:
    return {
        "version": VERSION,
        "kernels": _native.instruction_set("auto"),
        "kernels_available": [
            name for name in get_args(InstructionSet)[1:] if _native.instruction_set(name)
        ],
        "processors": len(os.sched_getaffinity(0)),
        "gpu": describe_gpus(),
        "machine": platform.machine(),
        "python": platform.python_version(),
    }


def _model(opened: WordVectors | TextClassifier) -> dict[str, Any]:
    return _classifier(opened) if isinstance(opened, TextClassifier) else _vectors(opened)


def _classifier(classifier: TextClassifier) -> dict[str, Any]:
    model = classifier.model
    metadata = {k: v for k, v in classifier.metadata.items() if k not in _LONG}
    return {
        "n_labels": len(model.labels),
        "n_words": len(model.vocabulary),
        "n_ngram_rows": len(model.bucket_ids),
        "megabytes": round((model.input.nbytes + model.output.nbytes) / 1e6, 1),
        "quantized": classifier.quantized,
        "loss": model.loss,
        "vector_dim": model.vector_dim,
        "word_ngrams": model.word_ngrams,
        "min_char": model.min_char,
        "max_char": model.max_char,
        "buckets": model.buckets,
        "label_prefix": model.label_prefix,
        **metadata.pop("hyperparameters", {}),
        **(metadata.pop("scores", None) or {}),
        **metadata,
    }


def _vectors(vectors: WordVectors) -> dict[str, Any]:
    embeddings = vectors.embeddings
    metadata = {k: v for k, v in vectors.metadata.items() if k != "loss_history"}
    history = vectors.metadata.get("loss_history") or []
    return {
        "n_words": len(vectors),
        "n_tokens": vectors.vocabulary.n_tokens,
        "n_ngram_rows": len(embeddings.bucket_ids),
        "megabytes": round(embeddings.nbytes / 1e6, 1),
        "final_loss": history[-1][1] if history else None,
        **vectors.config.to_dict(),
        **metadata,  # after the config: threads and kernels as they were, not as they were asked
    }


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return "-" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
