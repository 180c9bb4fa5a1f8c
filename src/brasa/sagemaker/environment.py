"""What a job's environment variables say."""

from __future__ import annotations

import math
import os

from brasa.sagemaker.errors import ClientError


def seconds(name: str, default: float) -> float:
    """A number of seconds above 0 that an environment variable gives.

    Raises
    ------
    ClientError
        When it gives something else.
    """
    text = os.environ.get(name) or str(default)
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 < found < math.inf:
        raise ClientError(f"environment variable {name} is {text!r}, not a number of seconds")
    return found
