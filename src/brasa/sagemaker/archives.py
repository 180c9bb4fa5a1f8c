"""`model.tar.gz`, read without trust in who wrote it."""

from __future__ import annotations

import errno
import gzip
import os
import shutil
import tarfile
import zlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from brasa.errors import BrasaError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

PIECE = 1 << 20  # tarfile reads 10 KB at a time by itself, which takes 4 times as long
_MAX_FILES = 1000
# A fastText file of a small text is 800 MB of zeros, which gzip makes a thousandth of. What is
# larger than this may not be more than 100 times as large as its archive.
_ANY_RATIO = 8 << 30
_MAX_RATIO = 100
_MAX_SIZE = 1 << 40


class ArchiveError(BrasaError):
    """An archive is broken, or holds what a model does not."""


def unpack(archive: Path, folder: Path) -> None:
    """Write an archive's files into a new folder.

    Raises
    ------
    ArchiveError
        For a name that leads out of the folder, a link or a device, a file that is there twice,
        too many files, more bytes than an archive of its size may hold or the disk has room for,
        and a broken archive.
    """
    allowed = min(_MAX_SIZE, max(_ANY_RATIO, _MAX_RATIO * archive.stat().st_size))
    folder.mkdir(parents=True)
    broken: tuple[type[Exception], ...] = (tarfile.TarError, EOFError, ValueError, *_broken_gzip())
    try:
        with (
            _decompressed(archive) as stream,
            tarfile.open(fileobj=stream, mode="r|", bufsize=PIECE) as tar,
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
    except ArchiveError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ArchiveError(f"there is no room for its files in {folder}") from None
        raise _no_archive(error) from None
    except broken as error:
        raise _no_archive(error) from None


def _no_archive(error: Exception) -> ArchiveError:
    return ArchiveError(f"it is no archive as model.tar.gz is one: {error}")


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
        shutil.copyfileobj(content, file, PIECE)
        if file.tell() != size:
            raise ArchiveError(f"it ends in the middle of {name!r}")


def _decompressed(archive: Path) -> BinaryIO:
    """By Intel's ISA-L where it is installed (`brasa[platform]`), three times as fast."""
    try:
        from isal import igzip
    except ImportError:
        return gzip.open(archive, "rb")  # type: ignore[return-value]
    opened: BinaryIO = igzip.open(archive, "rb")  # type: ignore[no-untyped-call]
    return opened


def _broken_gzip() -> tuple[type[Exception], ...]:
    try:
        from isal import isal_zlib
    except ImportError:
        return (zlib.error,)
    return zlib.error, vars(isal_zlib)["error"]  # its stubs take it for an instance
