"""Files of neighbor indices: what the index is of, then usearch's own bytes.

A magic of 8 bytes, the length of the description as a little-endian uint32, the description in
JSON, and the graph as usearch writes it. The description has the length and the SHA-256 of the
graph, since usearch checks little of what it reads.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brasa.errors import ModelFormatError, StorageError
from brasa.formats.storage import new_file

if TYPE_CHECKING:
    import os

MAGIC = b"BRASAIX1"
_START = len(MAGIC) + 4
_FIELDS = {
    "fingerprint": str,
    "usearch": str,
    "dtype": str,
    "connectivity": int,
    "expansion_add": int,
    "expansion_search": int,
    "n_rows": int,
    "n_bytes": int,
    "sha256": str,
}


def write(path: str | os.PathLike[str], description: dict[str, Any], graph: bytes) -> None:
    """Write the file whole, or not at all.

    Raises
    ------
    StorageError
        When it cannot be written.
    """
    full = {**description, "n_bytes": len(graph), "sha256": hashlib.sha256(graph).hexdigest()}
    text = json.dumps(full).encode()
    with new_file(path) as file:
        file.write(MAGIC + len(text).to_bytes(4, "little") + text)
        file.write(graph)


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], memoryview]:
    """The description and the graph, which is what was written.

    Raises
    ------
    StorageError
        When it cannot be read.
    ModelFormatError
        When it is another file, or a broken one.
    """
    try:
        content = memoryview(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or error
        raise StorageError(path, f"cannot be read: {problem}") from error
    if content[: len(MAGIC)] != MAGIC:
        raise ModelFormatError(path, "not an index of neighbors that brasa wrote")
    length = int.from_bytes(content[len(MAGIC) : _START], "little")
    try:
        description = json.loads(content[_START : _START + length].tobytes())
    except ValueError:  # not UTF-8, or not JSON
        raise ModelFormatError(path, "a broken index: its description is no JSON") from None
    if not isinstance(description, dict) or any(
        type(description.get(name)) is not kind for name, kind in _FIELDS.items()
    ):
        raise ModelFormatError(path, "a broken index: its description lacks what it must have")
    graph = content[_START + length :]
    if len(graph) != description["n_bytes"]:
        expected = f"{description['n_bytes']} bytes after its description"
        raise ModelFormatError(path, f"a broken index: {len(graph)} instead of {expected}")
    if hashlib.sha256(graph).hexdigest() != description["sha256"]:
        raise ModelFormatError(path, "a broken index: its bytes are not those that were written")
    return description, graph
