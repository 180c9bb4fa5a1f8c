"""Whose fault a failed job is, as SageMaker's failure reasons tell it."""

from __future__ import annotations

from brasa.errors import BrasaError


class ClientError(BrasaError):
    """The job was asked for something impossible: hyperparameters, data, or the machine."""
