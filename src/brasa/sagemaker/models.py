"""The model in a folder, and the one in the channel ``model``, from which a job goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from brasa.errors import ConfigError
from brasa.sagemaker.archives import ArchiveError, unpack
from brasa.sagemaker.errors import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Any

    from brasa.sagemaker.folders import Folders

_CHANNEL = "model"
_Start = TypeVar("_Start")


def incoming(folders: Folders, spool: Path) -> Path | None:
    """The model of the channel ``model``; None when the job has no such channel.

    An artifact as another job left it, ``model.tar.gz``, is unpacked into `spool`.

    Raises
    ------
    ClientError
        When the channel has no model, or an archive that is none.
    """
    described = folders.configuration("inputdataconfig.json").get(_CHANNEL)
    folder = folders.data / _CHANNEL
    if described is None and not folder.exists():
        return None
    if (described or {}).get("TrainingInputMode") == "Pipe":
        raise ClientError("channel model is a pipe: give it the input mode File or FastFile")
    if not folder.is_dir():
        raise ClientError(f"channel model has no data: there is no folder {folder}")
    archives = sorted(folder.rglob("*.tar.gz"))
    if not archives:
        return find_model(folder)
    if len(archives) > 1:
        names = ", ".join(path.name for path in archives)
        raise ClientError(f"channel model has several archives, {names}: give it one")
    unpacked = spool / _CHANNEL
    try:
        unpack(archives[0], unpacked)
        return find_model(unpacked)
    except (ArchiveError, ClientError) as error:
        reason = str(error).replace(str(unpacked), "what is in it")
        raise ClientError(f"channel model: {archives[0].name}: {reason}") from None


def find_model(folder: Path) -> Path:
    """The model in a folder of artifacts: brasa's own, or fastText's binary, or vectors.

    Raises
    ------
    ClientError
        When there is none.
    """
    if (folder / "model.safetensors").is_file():
        return folder
    names = ("model.bin", "vectors.bin", "model.ftz", "vectors.txt")
    for name in names:
        if (folder / name).exists():
            return folder / name
    files = sorted(file for file in folder.glob("*") if file.is_file())
    if len(files) == 1 and files[0].suffix in (".bin", ".ftz", ".vec", ".safetensors"):
        return files[0]
    raise ClientError(f"{folder} has no model: none of {', '.join(names)}")


def fitted(begin: Callable[[Mapping[str, Any]], _Start], given: Mapping[str, Any]) -> _Start:
    """What `begin` makes of a job's hyperparameters; all that do not fit the model are named.

    Raises
    ------
    ClientError
        When the model cannot be trained on, or not with these.
    """
    fitting, refused = dict(given), []
    while True:
        try:
            begun = begin(fitting)
        except ConfigError as error:
            refused.append(str(error))
            if fitting.pop(error.field, None) is not None:
                continue  # are there others?
        break
    if not refused:
        return begun
    reasons = "; ".join(refused)
    raise ClientError(f"the model in channel model cannot be trained on: {reasons}")
