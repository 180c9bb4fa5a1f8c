"""``serve``: what a SageMaker inference container does: find the model, and serve it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from brasa.sagemaker.models import find_model
from brasa.serving.options import ServerOptions
from brasa.serving.process import run
from brasa.serving.registry import Registry, ServedModel

if TYPE_CHECKING:
    from collections.abc import Callable

    from brasa.sagemaker.folders import Folders


def serve(folders: Folders, ready: Callable[[int], None]) -> None:
    """Serve the model below ``model``, at every address, port 8080 unless SageMaker names another.

    ``BRASA_HOST`` names one address instead, where no container's network is around the process.

    With ``SAGEMAKER_MULTI_MODEL=true`` there may be none: requests load them, from ``models``.

    Raises
    ------
    ClientError
        When there is no model.
    """
    is_multi = os.environ.get("SAGEMAKER_MULTI_MODEL", "").lower() == "true"
    models = str(folders.base / "models") if is_multi else None
    host = os.environ.get("BRASA_HOST") or "0.0.0.0"
    options = ServerOptions(host=host, models_folder=models).with_environment()
    registry = Registry()
    if not is_multi:
        registry.put(ServedModel.open("model", str(find_model(folders.model))))
    run(registry, options, ready)
