"""`model.tar.gz`, written from a folder. What reads it is shared with `brasa sagemaker train`."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from isal import igzip_threaded

from brasa.sagemaker.archives import PIECE, ArchiveError, unpack

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ArchiveError", "pack", "unpack"]


def pack(folder: Path, sink: BinaryIO) -> None:
    """Write an archive of a folder's plain files into a file that is open for writing.

    Intel's ISA-L, at its second level and in a thread of its own, makes 357 MB of a model of
    1.09 GB in 1.1 s. A tarfile that is opened as a stream copies what it holds back with each
    piece, which took 6 s.
    """
    with (
        _compressed(sink) as stream,
        tarfile.TarFile(
            fileobj=cast(Any, _Counted(stream)),
            mode="w",
            format=tarfile.PAX_FORMAT,
            copybufsize=PIECE,
        ) as tar,
    ):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                name = path.relative_to(folder).as_posix()
                member = tar.gettarinfo(path, name)
                member.uid = member.gid = 0
                member.uname = member.gname = ""
                with path.open("rb") as content:
                    tar.addfile(member, content)


class _Counted:
    """A stream that knows where it is, as tarfile asks."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._n_bytes = stream, 0

    def write(self, data: bytes) -> int:
        self._n_bytes += len(data)
        return self._stream.write(data)

    def tell(self) -> int:
        return self._n_bytes


def _compressed(file: BinaryIO) -> BinaryIO:
    opened: BinaryIO = igzip_threaded.open(  # type: ignore[no-untyped-call]
        file, "wb", compresslevel=1, threads=1, block_size=PIECE
    )
    return opened
