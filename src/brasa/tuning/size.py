"""Sizes of files, as people write them."""

from __future__ import annotations

import re

from brasa.errors import ConfigError

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}


def size_in_bytes(field: str, text: str) -> int:
    """The bytes that ``900000``, ``900K``, ``1.5M`` or ``2GB`` stands for.

    Raises
    ------
    ConfigError
        For anything else, named `field`.
    """
    match = re.fullmatch(r"(\d{1,15}(?:\.\d+)?)([kmg]?)b?", text, re.IGNORECASE | re.ASCII)
    n_bytes = int(float(match[1]) * _UNITS[match[2].lower()]) if match else 0
    if n_bytes < 1:
        raise ConfigError(field, text, "a size: 2000000, 900K or 2M, say")
    return n_bytes
