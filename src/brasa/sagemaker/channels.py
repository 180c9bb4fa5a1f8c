"""Where a job's data is: folders of files, or pipes that are read once."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from brasa.corpus import Corpus
from brasa.labeled_tables import LabeledTable
from brasa.sagemaker.errors import ClientError
from brasa.sagemaker.pipes import open_pipe
from brasa.sagemaker.recordio import MAGIC, read_records

if TYPE_CHECKING:
    from brasa.sagemaker.folders import Folders

_COPY_BYTES = 1 << 20
_HEAD_BYTES = 1 << 16  # of a file, decompressed: enough to tell what it is
_EPOCH = 0


def channel(folders: Folders, name: str, *, is_supervised: bool, spool: Path) -> Any:
    """The data of a channel, as training takes it; None when the job has no such channel.

    Files may be compressed, several, and in folders. Lines that are JSON objects are an augmented
    manifest, with ``source`` and ``label``. SageMaker makes a pipe for each epoch, ``train_0``,
    ``train_1``, ...: the first one is copied to the disk, for the epochs after it, and the others
    are left alone, as each would send the same bytes over the network again.

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
        When there is nothing in it, it cannot be read, or it is no data for this training.
    """
    described = folders.configuration("inputdataconfig.json").get(name)
    folder = folders.data / name
    if described is None and not folder.exists():
        return None
    is_records = (described or {}).get("RecordWrapperType") == "RecordIO"
    if is_records and not is_supervised:
        raise ClientError(
            f"channel {name} is wrapped in RecordIO, which has pairs of a text and its label: for "
            "word vectors give plain text, with RecordWrapperType None, or train with mode "
            "supervised"
        )
    if _is_pipe(described):
        files = [_spooled(folders, name, spool, is_records=is_records)]
    else:
        files = _files(folder)
    if not files:
        raise ClientError(f"channel {name} has no data: nothing lies in {folder}")
    return _data(name, files, is_supervised=is_supervised)


def sources(folders: Folders, names: tuple[str, ...]) -> list[tuple[str, int]]:
    """Names and sizes of the files of channels; of pipes, whose sizes nobody knows, the names."""
    described = folders.configuration("inputdataconfig.json")
    found: list[tuple[str, int]] = []
    for name in names:
        if _is_pipe(described.get(name)):
            found.append((name, -1))
            continue
        files = _files(folders.data / name)
        found += [(str(f.relative_to(folders.data)), f.stat().st_size) for f in files]
    return found


def _is_pipe(described: dict[str, Any] | None) -> bool:
    return (described or {}).get("TrainingInputMode") == "Pipe"


def _data(name: str, files: list[Path], *, is_supervised: bool) -> Any:
    kinds = {_kind(file): file for file in reversed(files)}
    if "RecordIO" in kinds:
        raise ClientError(
            f"channel {name}: {kinds['RecordIO']} is RecordIO: give "
            + ("it by a pipe, or as JSON Lines" if is_supervised else "plain text")
        )
    if not is_supervised or "a manifest" not in kinds:
        return Corpus(files)
    if len(kinds) > 1:
        raise ClientError(
            f"channel {name}: {kinds['a manifest']} is a manifest and {kinds['text']} is not: give "
            "a channel files of one kind"
        )
    return LabeledTable([str(file) for file in files], format="jsonl")


def _kind(file: Path) -> str:
    """What a file begins as; it may be compressed."""
    head = b""
    for _, pieces in Corpus(file).sources():
        for piece in pieces:
            head += piece
            if len(head) >= _HEAD_BYTES or b"\n" in head.lstrip():
                break
    if head.startswith(struct.pack("<I", MAGIC)):
        return "RecordIO"
    line = head[:_HEAD_BYTES].lstrip().split(b"\n")[0]
    try:
        value = json.loads(line)
    except ValueError:
        return "a manifest" if line.startswith(b'{"source"') else "text"
    return "a manifest" if isinstance(value, dict) and "source" in value else "text"


def _files(folder: Path) -> list[Path]:
    if folder.is_file():
        return [folder]
    found = sorted(file for file in folder.rglob("*") if file.is_file())
    return [file for file in found if file.stat().st_size > 0]


def _spooled(folders: Folders, name: str, spool: Path, *, is_records: bool) -> Path:
    """The first pass of a pipe, on the disk."""
    pipe, target = folders.data / f"{name}_{_EPOCH}", spool / name
    with (
        open_pipe(pipe, f"channel {name}, epoch {_EPOCH}") as source,
        target.open("wb") as file,
    ):
        if is_records:
            _write_manifest(source, file, pipe.name)
        else:
            shutil.copyfileobj(source, file, _COPY_BYTES)
    if target.stat().st_size == 0:
        raise ClientError(f"the pipe {pipe.name} ended without data")
    return target


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
