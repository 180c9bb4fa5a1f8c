"""A training job's channels: objects of the store as the files that the container reads."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from brasa.errors import BrasaError
from brasa.platform.s3_address import S3Address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from brasa.platform.objects import ObjectStore
    from brasa.platform.store import Document


class ChannelError(BrasaError):
    """A channel's objects cannot be had."""


def configuration(job: Document) -> dict[str, Any]:
    """What ``inputdataconfig.json`` says of a job's channels."""
    found = {}
    for channel in job.get("InputDataConfig", ()):
        source = channel["DataSource"]["S3DataSource"]
        found[channel["ChannelName"]] = {
            "TrainingInputMode": mode_of(job, channel),
            "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
            "RecordWrapperType": channel.get("RecordWrapperType", "None"),
            **({"ContentType": channel["ContentType"]} if channel.get("ContentType") else {}),
        }
    return found


def mode_of(job: Document, channel: Document) -> str:
    """``File``, ``FastFile`` or ``Pipe``."""
    mode = channel.get("InputMode") or job["AlgorithmSpecification"].get("TrainingInputMode")
    return str(mode or "File")


def download(objects: ObjectStore, channel: Document, folder: Path) -> list[Path]:
    """Fetch a channel's objects into a folder; the files, in the order of the objects.

    Raises
    ------
    ChannelError
        When there are none, or a key cannot be a file's name.
    ObjectError
        When the store does not give them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for address, name in _objects(objects, channel["DataSource"]["S3DataSource"]):
        parts = PurePosixPath(name).parts
        if not parts or ".." in parts or "\0" in name:
            raise ChannelError(f"{address}: its key cannot be a file's name")
        file = folder.joinpath(*parts)
        if file in files or file.is_dir() or any(folder / p in files for p in _above(name)):
            raise ChannelError(f"{address}: another object takes its file's place")
        objects.download(address, file)
        files.append(file)
    return files


def _above(name: str) -> list[str]:
    return [str(parent) for parent in PurePosixPath(name).parents if parent.name]


def _objects(objects: ObjectStore, source: Document) -> Iterator[tuple[S3Address, str]]:
    """A channel's objects, and their names in its folder."""
    address = S3Address.parse(source["S3Uri"])
    if source["S3DataType"] == "ManifestFile":
        yield from _listed(objects, address)
    elif source["S3DataType"] == "AugmentedManifestFile":
        yield address, PurePosixPath(address.key).name
    else:
        # The address is a prefix of keys, not a folder: .../train has .../train2/text too.
        empty = True
        for key, _size in objects.list(address):
            if not key.endswith("/"):
                empty = False
                name = key[len(address.key) :].lstrip("/") or PurePosixPath(key).name
                yield S3Address(address.bucket, key), name
        if empty:
            raise ChannelError(
                f'No S3 objects found under S3 URL "{address}" given in input data source. Please '
                "ensure that objects exist under that S3 prefix."
            )


def _listed(objects: ObjectStore, address: S3Address) -> Iterator[tuple[S3Address, str]]:
    try:
        first, *names = json.loads(objects.read(address))
        prefix = S3Address.parse(first["prefix"])
        if not all(isinstance(name, str) for name in names):
            raise TypeError
    except (ValueError, TypeError, KeyError):
        raise ChannelError(
            f'{address}: is no manifest: [{{"prefix": "s3://bucket/folder/"}}, "name", ...]'
        ) from None
    for name in names:
        yield S3Address(prefix.bucket, prefix.key + name), name
