"""brasa's errors, which are also what the module `fasttext` raises in their place."""

from __future__ import annotations

from brasa.errors import BrasaError, DivergenceError, StorageError


class FileError(StorageError, ValueError):
    """A file cannot be opened: a `ValueError`, as there."""


class NotFiniteError(DivergenceError, RuntimeError):
    """Training left the range of finite numbers: a `RuntimeError`, as there."""


class TuningError(BrasaError, RuntimeError):
    """A search has no such metric or label, or no time for a trial: a `RuntimeError`, as there."""


class ArgumentError(BrasaError, TypeError):
    """An argument is of the wrong type, unknown, or given twice: a `TypeError`, as there."""
