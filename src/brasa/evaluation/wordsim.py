"""Where WordSim-353 is: the full table in the package, its halves in the evaluation folder.

The similarity and relatedness halves (Agirre et al. 2009) come without a licence that would let
them be shipped; `fetch` gets them from their authors.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import zlib
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from brasa.errors import ConfigError, ModelFormatError, StorageError
from brasa.formats.storage import new_files

if TYPE_CHECKING:
    from collections.abc import Mapping

ADDRESS = "http://alfonseca.org/pubs/ws353simrel.tar.gz"
_MAX_BYTES = 10_000_000  # the archive has about 10 kB
_READ_ERRORS = (tarfile.TarError, EOFError, zlib.error, OSError)


class Member(NamedTuple):
    """A file of the authors' archive."""

    path: str
    sha256: str


# SHA-256 of files whose SHA-1 are those that GluonNLP published for the archive's members.
MEMBERS: Mapping[str, Member] = {
    "WS-353-REL.tsv": Member(
        "wordsim353_sim_rel/wordsim_relatedness_goldstandard.txt",
        "66a7c88100624d0a391605ff61ce84e11d11ee620d51ec0298da49592838f8fa",
    ),
    "WS-353-SIM.tsv": Member(
        "wordsim353_sim_rel/wordsim_similarity_goldstandard.txt",
        "f1da938998863c94e53f72f984a5c6e215f0b46c323aae8f0f4930703a339107",
    ),
}


def folder() -> Path:
    """The evaluation folder: `BRASA_EVALUATION_DIR`, or one in the user's cache."""
    named = os.environ.get("BRASA_EVALUATION_DIR")
    if named:
        return Path(named)
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "brasa" / "evaluation"


def tables(place: Path | None = None) -> dict[str, Path | None]:
    """The three tables under BlazingText's names; None for a half that is not in the folder."""
    place = folder() if place is None else place
    bundled = resources.files("brasa.evaluation") / "data" / "wordsim353.tsv"
    halves = {name: place / name if (place / name).is_file() else None for name in MEMBERS}
    return {
        "EN-WS-353-ALL.txt": Path(str(bundled)),
        "EN-WS-353-REL.txt": halves["WS-353-REL.tsv"],
        "EN-WS-353-SIM.txt": halves["WS-353-SIM.tsv"],
    }


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
    from http.client import HTTPException  # 60 ms, and few processes ever fetch
    from urllib.error import HTTPError
    from urllib.request import urlopen

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
