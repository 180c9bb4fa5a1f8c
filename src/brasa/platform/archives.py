"""`model.tar.gz`: written from a folder, and read without trust in who wrote it."""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from isal import igzip, isal_zlib

from brasa.errors import BrasaError

if TYPE_CHECKING:
    from typing import IO

_PIECE = 1 << 20  # tarfile reads 10 KB at a time by itself, which takes 4 times as long
_MAX_FILES = 1000
# A fastText file of a small text is 800 MB of zeros, which gzip makes a thousandth of. What is
# larger than this may not be more than 100 times as large as its archive.
_ANY_RATIO = 8 << 30
_MAX_RATIO = 100
_MAX_SIZE = 1 << 40
_BROKEN_GZIP: type[Exception] = vars(isal_zlib)["error"]  # its stubs take it for an instance


class ArchiveError(BrasaError):
    """An archive is broken, or holds what a model does not."""


def pack(folder: Path, sink: BinaryIO) -> None:
    """Write an archive of a folder's plain files into a file that is open for writing.

    Intel's ISA-L, at its second level, makes 330 MB of a model of 1.03 GB in 1.7 s.
    """
    with (
        _compressed(sink) as stream,
        tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT, bufsize=_PIECE) as tar,
    ):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                name = path.relative_to(folder).as_posix()
                member = tar.gettarinfo(path, name)
                member.uid = member.gid = 0
                member.uname = member.gname = ""
                with path.open("rb") as content:
                    tar.addfile(member, content)


def unpack(archive: Path, folder: Path) -> None:
    """Write an archive's files into a new folder.

    Raises
    ------
    ArchiveError
        For a name that leads out of the folder, a link or a device, a file that is there twice,
        too many files, more bytes than an archive of its size may hold, and a broken archive.
    """
    allowed = min(_MAX_SIZE, max(_ANY_RATIO, _MAX_RATIO * archive.stat().st_size))
    folder.mkdir(parents=True)
    try:
        with (
            _decompressed(archive) as stream,
            tarfile.open(fileobj=stream, mode="r|", bufsize=_PIECE) as tar,
        ):
            total = 0
            for count, member in enumerate(tar, 1):
                name = _checked_name(member.name)
                if count > _MAX_FILES:
                    raise ArchiveError(f"it holds more than {_MAX_FILES} files")
                if member.isdir():
                    continue
                if not member.isreg():
                    raise ArchiveError(f"{member.name!r} in it is a link or device, no plain file")
                total += member.size
                if total > allowed:
                    raise ArchiveError(
                        f"its files have over {allowed} bytes: too many for its size"
                    )
                content = tar.extractfile(member)
                if content is not None:
                    _write(folder / name, member.name, content, member.size)
    except (tarfile.TarError, EOFError, OSError, _BROKEN_GZIP, ValueError) as error:
        if isinstance(error, BrasaError):
            raise
        raise ArchiveError(f"it is no archive as model.tar.gz is one: {error}") from None


def _checked_name(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name or "\\" in name:
        raise ArchiveError(f"{name!r} in it leads out of its folder")
    return path


def _write(path: Path, name: str, content: IO[bytes], size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ArchiveError(f"{name!r} is in it twice") from None
    with os.fdopen(descriptor, "wb") as file:
        shutil.copyfileobj(content, file, _PIECE)
        if file.tell() != size:
            raise ArchiveError(f"it ends in the middle of {name!r}")


def _compressed(file: BinaryIO) -> BinaryIO:
    opened: Any = igzip.GzipFile(fileobj=file, mode="wb", compresslevel=1)  # type: ignore[no-untyped-call]
    return cast(BinaryIO, opened)


def _decompressed(archive: Path) -> BinaryIO:
    opened: BinaryIO = igzip.open(archive, "rb")  # type: ignore[no-untyped-call]
    return opened
