"""The folders of a job: ``/opt/ml``, or what ``SAGEMAKER_BASE_DIR`` names."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brasa.sagemaker.errors import ClientError

_MOST_BYTES = 1 << 24  # of a configuration file
_REASON_BYTES = 1024  # SageMaker shows no more of a failure


@dataclass(frozen=True)
class Folders:
    """Where a job finds and leaves things.

    Attributes
    ----------
    base : Path
    """

    base: Path

    @classmethod
    def of_environment(cls) -> Folders:
        """Those of this process."""
        return cls(Path(os.environ.get("SAGEMAKER_BASE_DIR") or "/opt/ml"))

    @property
    def model(self) -> Path:
        """Where artifacts go, and where they are when the model is served."""
        return self.base / "model"

    @property
    def checkpoints(self) -> Path:
        """What is kept through an interruption; there only when the job asks for it."""
        return self.base / "checkpoints"

    @property
    def data(self) -> Path:
        """The channels."""
        return self.base / "input" / "data"

    def configuration(self, name: str, *, required: bool = False) -> dict[str, Any]:
        """A file below ``input/config``, an object; empty when it is not there and need not be.

        Raises
        ------
        ClientError
            When it cannot be read, or holds something else.
        """
        path = self.base / "input" / "config" / name
        try:
            if path.stat().st_size > _MOST_BYTES:
                raise ClientError(f"{path} is larger than {_MOST_BYTES} bytes")
            found = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            if required:
                raise ClientError(f"{path} is missing: this is no folder of a job") from None
            return {}
        except (OSError, ValueError) as error:
            raise ClientError(f"{path} cannot be read: {error}") from None
        if not isinstance(found, dict):
            raise ClientError(f"{path} holds no object")
        return found

    def fail(self, reason: str) -> None:
        """Write why the job failed, where SageMaker looks for it."""
        path = self.base / "output" / "failure"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(reason.encode("utf-8", "replace")[:_REASON_BYTES])
