"""The exceptions that brasa raises: each says what is wrong, where, and what to do instead."""

from __future__ import annotations

from typing import Any


class BrasaError(Exception):
    """Base of every error that brasa raises on purpose; `brasa` exits with code 2 on it."""


class ConfigError(BrasaError, ValueError):
    """A hyperparameter or option has an impossible value.

    Attributes
    ----------
    field : str
        Name of the hyperparameter.
    value : object
        What was given.
    allowed : str
        What would be accepted, in words.
    """

    def __init__(self, field: str, value: Any, allowed: str) -> None:
        super().__init__(f"{field}={value!r} is not possible: {field} must be {allowed}")
        self.field = field
        self.value = value
        self.allowed = allowed


class CorpusError(BrasaError, ValueError):
    """Text cannot be used for training.

    Attributes
    ----------
    source : str or None
        File (or ``"<stdin>"``, ``"<iterable>"``) in which the trouble is.
    line : int or None
        Line in that source, counted from 1.
    """

    def __init__(self, problem: str, *, source: str | None = None, line: int | None = None) -> None:
        where = "" if source is None else f"{source}: " if line is None else f"{source}:{line}: "
        super().__init__(where + problem)
        self.source = source
        self.line = line


class ModelFormatError(BrasaError, ValueError):
    """A model, vector or evaluation file is not what it should be: broken, truncated or lying.

    Attributes
    ----------
    path : str
        The file.
    """

    def __init__(self, path: object, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = str(path)


class FormatError(ModelFormatError):
    """A field of a binary model file has an impossible value, or is not there.

    Attributes
    ----------
    path : str
        The file.
    field : str
        Name of the field.
    offset : int
        Byte of the file at which the field starts.
    expected, found : str
        What the field may hold, and what it holds.
    """

    def __init__(self, path: object, field: str, offset: int, expected: str, found: str) -> None:
        super().__init__(path, f"{field}, at byte {offset}: expected {expected}, found {found}")
        self.field = field
        self.offset = offset
        self.expected = expected
        self.found = found

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.path, self.field, self.offset, self.expected, self.found)


class StorageError(BrasaError, OSError):
    """A file cannot be read or written: missing, not permitted, disk full.

    Attributes
    ----------
    path : str
        The file or folder.
    """

    def __init__(self, path: object, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = str(path)


class UnknownWordError(BrasaError, KeyError):
    """A word has no vector, and the model has no subwords to build one from.

    Attributes
    ----------
    word : str
    """

    def __init__(self, word: str, problem: str = "not in the vocabulary") -> None:
        super().__init__(f"{word!r} is {problem}")
        self.word = word

    def __str__(self) -> str:  # KeyError would print the message's repr
        return str(self.args[0])


class DivergenceError(BrasaError, ArithmeticError):
    """Training left the range of finite numbers; the message says what to change."""


class DeviceError(BrasaError, RuntimeError):
    """A GPU cannot be used, or failed; the message says why, and what to do instead."""


class HostsError(BrasaError, RuntimeError):
    """Hosts that train together do not come, do not fit, or end too early."""


class TrainingInterrupted(BrasaError):
    """Training was stopped by Ctrl-C, and the caller had not asked to keep a partial model."""


class MissingExtraError(BrasaError, ImportError):
    """An optional dependency is not installed.

    Attributes
    ----------
    extra : str
        Name of the extra that brings it.
    """

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs {package}: pip install 'brasa[{extra}]'")
        self.extra = extra
