"""What the parts of one platform share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from brasa.platform.endpoints import Endpoints
    from brasa.platform.folder import DataFolder, KeyPair
    from brasa.platform.jobs import Jobs
    from brasa.platform.objects import ObjectStore
    from brasa.platform.store import Store
    from brasa.platform.tuning import Tuning


@dataclass
class Platform:
    """One platform's folder, state, objects, jobs and endpoints.

    Attributes
    ----------
    keys : list of KeyPair
        Those that may sign; empty with ``--no-auth``.
    """

    folder: DataFolder
    keys: list[KeyPair]
    store: Store
    objects: ObjectStore
    jobs: Jobs
    endpoints: Endpoints
    tuning: Tuning
