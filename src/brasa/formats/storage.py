"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from brasa.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@contextlib.contextmanager
def new_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its place at `path` when the block ends without error.

    Until then whatever was at `path` stays as it was; after an error (a full disk, Ctrl-C) it stays
    for good and nothing else is left behind.

    Raises
    ------
    StorageError
        When the file cannot be written, or `path` is there and is not a plain file.
    """
    try:
        target = Path(os.path.realpath(path))
    except ValueError as error:  # a NUL
        raise StorageError(path, f"cannot be a path: {error}") from error
    with new_files(target.parent, [target.name]) as (file,):
        yield file


@contextlib.contextmanager
def new_files(
    folder: Path, names: Sequence[str], *, stale: Sequence[str] = ()
) -> Iterator[list[BinaryIO]]:
    """Open files of one folder that take their places, in the order given, when all are complete.

    All are on the disk (fsync) before the first takes its place, so the first may hold what the
    others repeat. Files named in `stale` belong to what is replaced, and are deleted just before.
    """
    temporary = [folder / f".{name}.{os.urandom(4).hex()}.tmp" for name in names]
    try:
        for name in names:
            if (folder / name).exists() and not (folder / name).is_file():
                raise StorageError(folder / name, "is there already and is not a plain file")
        with contextlib.ExitStack() as stack:
            files: list[BinaryIO] = [stack.enter_context(path.open("xb")) for path in temporary]
            yield files
            for file in files:
                file.flush()
                os.fsync(file.fileno())
        for name in stale:
            (folder / name).unlink(missing_ok=True)
        for path, name in zip(temporary, names, strict=True):
            path.replace(folder / name)
        _sync_folder(folder)
    except OSError as error:
        if isinstance(error, StorageError):
            raise
        place = folder / names[0]
        kept = "; what was there is untouched" if os.path.exists(place) else ""
        raise StorageError(place, f"cannot be written: {error.strerror or error}{kept}") from error
    finally:
        for path in temporary:
            with contextlib.suppress(OSError):
                path.unlink()


def is_temporary(path: Path) -> bool:
    """Whether this is what a killed process left of a file that it was writing."""
    return path.name.startswith(".") and path.name.endswith(".tmp")


def _sync_folder(folder: Path) -> None:
    """Make the renames last through a power cut, where the system can open a folder."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
