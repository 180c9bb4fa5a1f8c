"""`model.tar.gz`, written from a folder. What reads it is shared with `brasa sagemaker train`."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from isal import igzip

from brasa.sagemaker.archives import PIECE, ArchiveError, unpack

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ArchiveError", "pack", "unpack"]


def pack(folder: Path, sink: BinaryIO) -> None:
    """Write an archive of a folder's plain files into a file that is open for writing.

    Intel's ISA-L, at its second level, makes 330 MB of a model of 1.03 GB in 1.7 s.
    """
    with (
        _compressed(sink) as stream,
        tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT, bufsize=PIECE) as tar,
    ):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                name = path.relative_to(folder).as_posix()
                member = tar.gettarinfo(path, name)
                member.uid = member.gid = 0
                member.uname = member.gname = ""
                with path.open("rb") as content:
                    tar.addfile(member, content)


def _compressed(file: BinaryIO) -> BinaryIO:
    opened: Any = igzip.GzipFile(fileobj=file, mode="wb", compresslevel=1)  # type: ignore[no-untyped-call]
    return cast(BinaryIO, opened)
