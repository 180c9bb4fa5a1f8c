"""How many cores a job takes of this machine, by the name of its instance type."""

from __future__ import annotations

import os
import re

_SIZE = re.compile(r"ml\.[a-z0-9\-]+\.(?:([0-9]*)x)?(medium|large|metal)")


def core_numbers() -> list[int]:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def cores() -> int:
    """How many they are."""
    return len(core_numbers())


def cores_of(instance_type: str, count: int = 1) -> int:
    """What a job on instances of a type takes here; never more than there is.

    ``ml.c5.4xlarge`` has 16 virtual CPUs: 4 an ``xlarge``, 2 a ``large``.
    """
    found = _SIZE.fullmatch(instance_type)
    if found is None or found[2] == "metal":
        return cores()
    if found[2] == "medium" or found[1] is None:
        wanted = 1 if found[2] == "medium" else 2
    else:
        wanted = 4 * int(found[1] or 1)
    return max(1, min(cores(), wanted * count))
