"""The variables that send AWS's clients to a platform, and the cure for those that ignore them.

Every SDK of SageMaker asks STS at an address that it makes itself, whatever the variables say. A
`sitecustomize` on PYTHONPATH takes that address back, in Python processes that have the variables.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from brasa.errors import BrasaError
from brasa.formats.storage import new_file

if TYPE_CHECKING:
    from brasa.platform.folder import DataFolder

_SITECUSTOMIZE = '''\
"""Sends SageMaker's own STS clients where AWS_ENDPOINT_URL says; written by brasa platform."""

import importlib.machinery
import importlib.util
import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))


class _Finder:
    """Changes botocore.session when something imports it: others pay nothing for it."""

    def find_spec(self, name, path=None, target=None):
        if name != "botocore.session":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module):
                execute(module)
                _change(module.Session)

            spec.loader.exec_module = exec_module
        return spec


def _change(session):
    create = session.create_client

    def create_client(self, service_name, *args, **kwargs):
        own = os.environ.get("AWS_ENDPOINT_URL_STS") or os.environ.get("AWS_ENDPOINT_URL")
        if service_name == "sts" and own and ".amazonaws.com" in (kwargs.get("endpoint_url") or ""):
            kwargs["endpoint_url"] = None
        return create(self, service_name, *args, **kwargs)

    session.create_client = create_client


sys.meta_path.insert(0, _Finder())

# The sitecustomize that this one hides, if there is one.
_path = [p for p in sys.path if os.path.abspath(p or ".") != _HERE]
_spec = importlib.machinery.PathFinder.find_spec("sitecustomize", _path)
if _spec is not None and _spec.loader is not None:
    _spec.loader.exec_module(importlib.util.module_from_spec(_spec))
'''
_CONFIG = """\
SchemaVersion: '1.0'
SageMaker:
  PythonSDK:
    Modules:
      TelemetryOptOut: true
"""


def write_shim(folder: DataFolder) -> None:
    """Write what the variables point to into the platform's folder."""
    shim = folder.path / "shim"
    shim.mkdir(exist_ok=True)
    for name, text in (("sitecustomize.py", _SITECUSTOMIZE), ("config.yaml", _CONFIG)):
        with new_file(shim / name) as file:
            file.write(text.encode())


def variables(folder: DataFolder) -> dict[str, str]:
    """What a client's environment must say; PYTHONPATH is to be put before the one that is there.

    Raises
    ------
    BrasaError
        When no platform has run in this folder.
    """
    address = folder.address()
    if address is None:
        raise BrasaError(
            f"{folder.path}: no platform has run here: start one with "
            f"brasa platform --data {shlex.quote(str(folder.path))}"
        )
    key = folder.keys()[0]
    shim = folder.path / "shim"
    return {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": key.access_key,
        "AWS_SECRET_ACCESS_KEY": key.secret_key,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAGEMAKER_SUPPRESS_V2_WARNING": "1",
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(shim / "config.yaml"),
        "PYTHONPATH": str(shim),
    }


def as_shell(values: dict[str, str]) -> str:
    """The variables as lines for a shell's `eval`."""
    lines = ["unset AWS_PROFILE AWS_SESSION_TOKEN;"]
    for name, value in values.items():
        rest = '"${PYTHONPATH:+:$PYTHONPATH}"' if name == "PYTHONPATH" else ""
        lines.append(f"export {name}={shlex.quote(value)}{rest};")
    return "\n".join(lines)
