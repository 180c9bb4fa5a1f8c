"""Options generated from the fields of the config dataclasses, and the file below them."""

from __future__ import annotations

import dataclasses
import tomllib
import typing
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from brasa.config import TextClassifierConfig, TextOptions, WordVectorsConfig, choices, optional_of
from brasa.errors import BrasaError, ConfigError, StorageError

Function = TypeVar("Function", bound=Callable[..., Any])


def from_config(
    config: type, *, without: Collection[str] = (), prefix: str = ""
) -> Callable[[Function], Function]:
    """Add an option for every field of a config dataclass, in its order; help begins with `prefix`.

    An option that is not given is None, so that a config file's value or the default holds.
    """
    hints = typing.get_type_hints(config)
    fields = [f for f in dataclasses.fields(config) if f.name not in without]

    def decorate(function: Function) -> Function:
        for f in reversed(fields):
            function = _option(f, hints[f.name], prefix)(function)
        return function

    return decorate


def _option(
    field: dataclasses.Field[Any], hint: Any, prefix: str
) -> Callable[[Function], Function]:
    kind, _ = optional_of(hint)
    flag = "--" + field.name.replace("_", "-")
    if kind is bool:
        flag += f"/--no-{field.name.replace('_', '-')}"
    allowed = choices(kind)
    return click.option(
        flag,
        field.name,
        type=click.Choice(allowed) if allowed else kind,
        default=None,
        help=f"{prefix}{field.metadata['help']} {limits(field, hint)}",
    )


def limits(field: dataclasses.Field[Any], hint: Any) -> str:
    """Default and range of a field: ``[100; 1 to 2048]``."""
    kind, optional = optional_of(hint)
    low, high = field.metadata["min"], field.metadata["max"]
    default = [] if optional else [_shown(field.default)]
    if kind in (bool, str) or choices(kind):
        bounds = []
    elif high >= 2**31 - 1:
        bounds = [f"{low} or more"]
    else:
        excluded = ", both excluded" if field.metadata["exclusive"] else ""
        bounds = [f"{low} to {high}{excluded}"]
    parts = "; ".join(default + bounds)
    return f"[{parts}]"


def _shown(value: Any) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def named_values(given: Mapping[str, Any], file: Path | None) -> tuple[dict[str, Any], TextOptions]:
    """Hyperparameters that are named: by an option, else in the file; and the text's options.

    Parameters
    ----------
    given : dict
        Field name -> value, None where the option was not given.
    file : path, optional
        TOML: ``vector_dim = 300``, the names of both dataclasses side by side.

    Raises
    ------
    StorageError, ConfigError
        When the file cannot be read or understood, or an option of the text is impossible.
    """
    values = {} if file is None else _read(file)
    values.update({name: value for name, value in given.items() if value is not None})
    text_names = {f.name for f in dataclasses.fields(TextOptions)}
    text_values = {name: values.pop(name) for name in text_names & values.keys()}
    return values, TextOptions(**text_values)


def _read(file: Path) -> dict[str, Any]:
    configs = (WordVectorsConfig, TextClassifierConfig, TextOptions)
    known = list(dict.fromkeys(f.name for c in configs for f in dataclasses.fields(c)))
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise StorageError(file, f"cannot be read: {error.strerror}") from error
    except ValueError as error:  # not UTF-8, not TOML
        raise BrasaError(f"{file}: not a TOML file: {error}") from error
    for name, value in values.items():
        if name not in known:
            raise ConfigError(name, value, f"(in {file}) one of {', '.join(known)}")
    return values
