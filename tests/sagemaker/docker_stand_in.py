"""What the SDK's local mode asks of `docker`, done without an engine: a process for a container.

Volumes become symbolic links below a folder that stands for /opt/ml, so that the process finds and
leaves everything where a container would. Run by SDK 2's Python, which has a YAML reader.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import yaml  # type: ignore[import-untyped]

_ROOT = "/opt/ml"


def main(arguments: list[str]) -> None:
    """Answer one command line of docker's."""
    if arguments[:2] == ["compose", "version"]:
        print("Docker Compose version v2.29.0")
    elif arguments[:2] == ["compose", "-f"] and "up" in arguments:
        _up(Path(arguments[2]))
    elif arguments[:2] == ["context", "inspect"]:
        sys.exit("no context")  # then the SDK takes localhost


def _up(file: Path) -> None:
    (service,) = yaml.safe_load(file.read_text())["services"].values()
    base = Path(tempfile.mkdtemp(prefix="opt-ml-"))
    volumes = [volume.split(":")[:2] for volume in service["volumes"]]
    for host, inside in sorted(volumes, key=lambda volume: volume[1].count("/")):
        if not inside.startswith(_ROOT):
            continue
        Path(host).mkdir(parents=True, exist_ok=True)  # as docker does
        place = base / inside.removeprefix(_ROOT).lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.resolve() == Path(host).resolve():
            continue  # inside of a volume that is there already
        if place.is_dir() and not place.is_symlink():
            place.rmdir()
        if not place.exists():
            place.symlink_to(host)
    values = dict(entry.partition("=")[::2] for entry in service.get("environment", []))
    values["SAGEMAKER_BASE_DIR"] = str(base)
    for ports in service.get("ports", []):
        values["SAGEMAKER_BIND_TO_PORT"] = str(ports).partition(":")[0]
    program = os.environ["BRASA_PROGRAM"]
    command = service["command"]
    words = command.split() if isinstance(command, str) else command
    os.execve(program, [program, "sagemaker", *words], {**os.environ, **values})


if __name__ == "__main__":
    main(sys.argv[1:])
