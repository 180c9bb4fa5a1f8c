"""Where a job's data is: folders of files, or pipes that are read once."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import time
from typing import TYPE_CHECKING, Any, BinaryIO

from brasa.corpus import Corpus
from brasa.labeled_tables import LabeledTable
from brasa.sagemaker.errors import ClientError
from brasa.sagemaker.recordio import read_records

if TYPE_CHECKING:
    from pathlib import Path

    from brasa.sagemaker.folders import Folders

_PIPE_WAIT_S = 300.0  # until a pipe is there, and has a first byte
_COPY_BYTES = 1 << 20


def channel(folders: Folders, name: str, *, is_supervised: bool, spool: Path) -> Any:
    """The data of a channel, as training takes it; None when the job has no such channel.

    Files may be compressed, several, and in folders. Lines that are JSON objects are an augmented
    manifest, with ``source`` and ``label``. Of a pipe the first pass is copied to the disk, for the
    epochs after it.

    Parameters
    ----------
    folders : Folders
    name : str
    is_supervised : bool
    spool : Path
        Folder for the copies of pipes.

    Raises
    ------
    ClientError
        When there is nothing in it, or it cannot be read.
    """
    described = folders.configuration("inputdataconfig.json").get(name)
    folder = folders.data / name
    if described is None and not folder.exists():
        return None
    mode = str((described or {}).get("TrainingInputMode", "File"))
    if mode == "Pipe":
        files = [_spooled(folders.data / f"{name}_0", described or {}, spool / name)]
    else:
        files = _files(folder)
    if not files:
        raise ClientError(f"channel {name} has no data: nothing lies in {folder}")
    if is_supervised and _is_manifest(files[0]):
        return LabeledTable([str(file) for file in files], format="jsonl")
    return Corpus(files)


def _files(folder: Path) -> list[Path]:
    if folder.is_file():
        return [folder]
    found = sorted(file for file in folder.rglob("*") if file.is_file())
    return [file for file in found if file.stat().st_size > 0]


def _spooled(pipe: Path, described: dict[str, Any], target: Path) -> Path:
    """The first pass of a pipe, on the disk."""
    is_records = described.get("RecordWrapperType") == "RecordIO"
    with _opened(pipe) as source, target.open("wb") as file:
        if is_records:
            _write_manifest(source, file, pipe.name)
        else:
            shutil.copyfileobj(source, file, _COPY_BYTES)
    if target.stat().st_size == 0:
        raise ClientError(f"the pipe {pipe.name} ended without data")
    return target


def _opened(pipe: Path) -> BinaryIO:
    """The pipe, for which SageMaker may take a while."""
    deadline = time.monotonic() + _PIPE_WAIT_S
    while True:
        try:
            if stat.S_ISFIFO(os.stat(pipe).st_mode) or pipe.is_file():
                return pipe.open("rb")
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENXIO):
                raise ClientError(f"{pipe} cannot be read: {error.strerror}") from None
        if time.monotonic() > deadline:
            raise ClientError(f"{pipe} is not there after {_PIPE_WAIT_S:g} s")
        time.sleep(0.05)


def _write_manifest(source: BinaryIO, file: BinaryIO, name: str) -> None:
    """Pairs of records, a text and its label (whatever that attribute's name), as JSON Lines."""
    text: bytes | None = None
    for record in read_records(source, name):
        if text is None:
            text = record
            continue
        label = record.decode("utf-8", "replace").strip()
        try:
            value = json.loads(label)
        except ValueError:
            value = label
        line = {"source": text.decode("utf-8", "replace"), "label": value}
        file.write(json.dumps(line).encode() + b"\n")
        text = None
    if text is not None:
        raise ClientError(f"{name}: the last text has no label: AttributeNames must be two")


def _is_manifest(file: Path) -> bool:
    with file.open("rb") as opened:
        line = opened.read(1 << 16).lstrip().split(b"\n")[0]
    try:
        value = json.loads(line)
    except ValueError:
        return line.startswith(b'{"source"')
    return isinstance(value, dict) and "source" in value
