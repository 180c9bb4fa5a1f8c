"""Hyperparameters as SageMaker gives them, strings, and what BlazingText refuses."""

from __future__ import annotations

import dataclasses
import typing
from typing import TYPE_CHECKING, Any

from brasa.config import TextClassifierConfig, WordVectorsConfig, choices, optional_of
from brasa.errors import ConfigError
from brasa.sagemaker.errors import ClientError

if TYPE_CHECKING:
    from collections.abc import Mapping

WORD_MODES = ("cbow", "skipgram", "batch_skipgram")
SUPERVISED = "supervised"
# What a job of the other kind may name: BlazingText ignores it, and published notebooks rely on it.
_IGNORED = {
    SUPERVISED: {"batch_size", "evaluation", "negative_samples", "sampling_threshold", "subwords",
                 "window_size"},
    "words": {"early_stopping", "min_epochs", "patience", "word_ngrams"},
}  # fmt: skip
_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no")


def parse(given: Mapping[str, Any]) -> WordVectorsConfig | TextClassifierConfig:
    """The configuration that a job's hyperparameters ask for: see `values_of`.

    Raises
    ------
    ClientError
        As `values_of`, and for an impossible value.
    """
    values = values_of(given)
    mode = values["mode"]
    if mode == "batch_skipgram" and values.get("subwords"):
        raise ClientError(
            "subwords are not supported by batch_skipgram: use skipgram or cbow, or leave them out"
        )
    if mode == "batch_skipgram" and not 0 < values.get("batch_size", 11) <= 32:
        raise ClientError("batch_size must be from 1 to 32")
    try:
        return _kind_of(mode).parse(values)
    except ConfigError as error:
        raise ClientError(str(error)) from None


def values_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """What a job gives, by brasa's names; what it leaves out is not in it.

    Names may be in any case, and so may True and False. Names that begin with ``_`` or
    ``sagemaker_`` are of SageMaker itself. Beside BlazingText's names brasa's own are taken:
    `seed`, `loss`, `threads`, ...

    Raises
    ------
    ClientError
        For a missing or unknown mode, an unknown name, or a value of another type.
    """
    named = {str(name).strip().lower(): str(value).strip() for name, value in given.items()}
    named = {n: v for n, v in named.items() if not n.startswith(("_", "sagemaker_"))}
    mode = named.get("mode", "").lower()
    allowed = ", ".join((*WORD_MODES, SUPERVISED))
    if not mode:
        raise ClientError(f"Please provide a mode in hyperparameters: {allowed}")
    if mode not in (*WORD_MODES, SUPERVISED):
        raise ClientError(f"mode {named['mode']!r} is not one of {allowed}")
    named["mode"] = mode
    kind = _kind_of(mode)
    ignored = _IGNORED[SUPERVISED if mode == SUPERVISED else "words"]
    hints = typing.get_type_hints(kind)
    values = {}
    for name, text in named.items():
        if name in hints:
            values[name] = _value(name, text, hints[name])
        elif name not in ignored:
            known = ", ".join(sorted(f.name for f in dataclasses.fields(kind)))
            raise ClientError(f"hyperparameter {name} is unknown in mode {mode}; there are {known}")
    return values


def _kind_of(mode: str) -> type[WordVectorsConfig] | type[TextClassifierConfig]:
    return TextClassifierConfig if mode == SUPERVISED else WordVectorsConfig


def check_machine(mode: str, n_hosts: int, instance_type: str, n_gpus: int) -> None:
    """Refuse what BlazingText refuses of a machine.

    Parameters
    ----------
    mode : str
    n_hosts : int
    instance_type : str
        As ``ml.c5.xlarge``; empty when it is not known.
    n_gpus : int
        Of this machine; 0 when it has none, or it is not known.

    Raises
    ------
    ClientError
        With BlazingText's words, where it has some.
    """
    is_gpu = instance_type.startswith(("ml.p", "ml.g"))
    if is_gpu and n_hosts > 1:
        raise ClientError("Please use a single GPU instance or change to multiple CPU instances.")
    if is_gpu and mode == "batch_skipgram":
        raise ClientError(
            "batch_skipgram is not supported on GPU. Please select a CPU instance or use "
            "cbow/skipgram"
        )
    if mode == SUPERVISED and (n_hosts > 1 or n_gpus > 1):
        raise ClientError("supervised trains on a single CPU instance, or on one GPU")
    if n_hosts > 1 and mode != "batch_skipgram":
        raise ClientError(
            "Only batch_skipgram is available when training on multiple CPU instances"
        )


def _value(name: str, text: str, hint: Any) -> Any:
    kind, _ = optional_of(hint)
    if kind is bool:
        if text.lower() in (*_TRUE, *_FALSE):
            return text.lower() in _TRUE
        raise ClientError(f"Parameter {name} expects True or False, not {text!r}.")
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            word = "integer" if kind is int else "float"
            raise ClientError(f"Parameter {name} expects {word} input, not {text!r}.") from None
    return text.lower() if choices(kind) else text
