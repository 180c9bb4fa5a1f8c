"""Fetching evaluation data from its authors, on request only."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zlib
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import urlopen

from brasa.errors import ConfigError, ModelFormatError, StorageError
from brasa.evaluation.wordsim import ADDRESS, MEMBERS, Member, folder
from brasa.formats.storage import new_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_MAX_BYTES = 10_000_000  # the archive has about 10 kB
_READ_ERRORS = (tarfile.TarError, EOFError, zlib.error, OSError)


def fetch(
    url: str = ADDRESS,
    *,
    place: Path | None = None,
    members: Mapping[str, Member] = MEMBERS,
    timeout_s: float = 30.0,
) -> list[Path]:
    """Fetch the halves of WordSim-353 from their authors into the evaluation folder.

    Parameters
    ----------
    url : str
        Address of the archive.
    place : path, optional
        Where to; by default the evaluation folder.
    members : mapping
        File name in the folder -> path in the archive and SHA-256 of the content.
    timeout_s : float
        How long to wait for an answer, and for each part of it.

    Returns
    -------
    list of Path
        The files written; all or none are.

    Raises
    ------
    StorageError
        When the address does not answer with an archive, or the folder cannot be written.
    ModelFormatError
        When a file is missing in the archive, or its checksum is wrong.
    """
    place = folder() if place is None else place
    contents = _extract(url, _download(url, timeout_s), members)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(place, f"cannot be made: {error.strerror or error}") from error
    with new_files(place, list(contents)) as files:
        for file, content in zip(files, contents.values(), strict=True):
            file.write(content)
    return [place / name for name in contents]


def _download(url: str, timeout_s: float) -> bytes:
    if not url.startswith(("http://", "https://")):
        raise ConfigError("url", url, "an address that begins with http:// or https://")
    try:
        with urlopen(url, timeout=timeout_s) as answer:
            announced = answer.headers.get("Content-Length")
            content: bytes = answer.read(_MAX_BYTES + 1)
    except HTTPError as error:
        error.close()
        raise StorageError(url, f"cannot be fetched: {error.code} {error.reason}") from None
    except (OSError, HTTPException, ValueError) as error:  # ValueError: no such address can be
        raise StorageError(url, f"cannot be fetched: {error!r}") from error
    if len(content) > _MAX_BYTES:
        raise ModelFormatError(url, f"more than {_MAX_BYTES} bytes: not the archive expected")
    if announced is not None and announced.isdigit() and len(content) < int(announced):
        raise StorageError(url, f"connection lost after {len(content)} of {announced} bytes")
    return content


def _extract(url: str, archive: bytes, members: Mapping[str, Member]) -> dict[str, bytes]:
    contents = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:*") as tar:
            for name, member in members.items():
                file = tar.extractfile(member.path)
                contents[name] = b"" if file is None else file.read(_MAX_BYTES)
    except KeyError as error:
        raise ModelFormatError(url, f"the archive is not the one expected: {error}") from None
    except _READ_ERRORS as error:
        raise ModelFormatError(url, f"not a whole tar archive: {error}") from error
    for name, member in members.items():
        found = hashlib.sha256(contents[name]).hexdigest()
        if found != member.sha256:
            raise ModelFormatError(
                url, f"{member.path} has the SHA-256 {found}, {member.sha256} was expected"
            )
    return contents
