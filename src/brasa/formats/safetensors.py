"""The safetensors container, read without trust and written row by row.

https://github.com/huggingface/safetensors#format : a little-endian u64 header length, a JSON header
(name -> dtype, shape, data_offsets; and `__metadata__`, strings only), then one buffer without
holes. The library of that name reads whole tensors into memory; here they are mapped, and the
matrices of a training run, whose rows are padded, are written without a second copy.
"""

from __future__ import annotations

import json
import math
import os
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import numpy.typing as npt

from brasa import _native
from brasa.errors import ModelFormatError, StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Array = npt.NDArray[Any]

ALIGNMENT = 64  # a cache line, and the widest vector register
_MAX_HEADER = 100_000_000  # the library's own limit
_CHUNK = 4 << 20
_DTYPES = {"F32": "<f4", "I64": "<i8", "U32": "<u4", "U8": "|u1"}
_NAMES = {np.dtype(code): name for name, code in _DTYPES.items()}


def write(
    file: BinaryIO, tensors: Mapping[str, Array], metadata: Mapping[str, str], *, aligned: str
) -> None:
    """Write `tensors` in their order, the one named `aligned` at a multiple of 64 bytes."""
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    offset, shift = 0, 0
    for name, tensor in tensors.items():
        if name == aligned:
            shift = offset
        end = offset + tensor.nbytes
        header[name] = {
            "dtype": _NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [offset, end],
        }
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text) + shift) % ALIGNMENT)
    file.write(len(text).to_bytes(8, "little") + text)
    for tensor in tensors.values():
        write_rows(file, tensor)


def write_rows(file: BinaryIO, tensor: Array) -> None:
    """Write an array of one or two dimensions in C order, a few megabytes at a time."""
    row_bytes = max(1, tensor.nbytes // max(1, len(tensor)))
    step = max(1, _CHUNK // row_bytes)
    for start in range(0, len(tensor), step):
        file.write(_packed(tensor[start : start + step]).view(np.uint8).data)


def _packed(rows: Array) -> Array:
    """The rows without padding; NumPy takes 66 ms for a million short ones, two threads 7."""
    is_padded = rows.ndim == 2 and rows.strides[0] > rows.shape[1] * rows.strides[1] > 0
    if not is_padded or rows.strides[1] != rows.itemsize or rows.dtype != np.float32:
        return np.ascontiguousarray(rows)
    packed = np.empty(rows.shape, np.float32)
    _native.pack_rows(rows, packed)
    return packed


def read_header(path: Path) -> tuple[dict[str, Any], int, int]:
    """Read the header; return it with where the buffer starts and how long it is.

    Raises
    ------
    ModelFormatError
        When the header's length, or its text, cannot be a header's.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > size - 8:
                raise ModelFormatError(
                    path, f"truncated or not safetensors: {size} bytes, header of {length}"
                )
            if length > _MAX_HEADER:
                raise ModelFormatError(path, f"header of {length} bytes, {_MAX_HEADER} are allowed")
            text = file.read(length)
    except OSError as error:
        raise StorageError(path, f"cannot be read: {error.strerror or error}") from error
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelFormatError(path, f"the safetensors header is not JSON: {error}") from None
    if not isinstance(header, dict):
        raise ModelFormatError(path, "the safetensors header is not a JSON object")
    return header, 8 + length, size - 8 - length


def metadata_of(header: Mapping[str, Any], key: str) -> Any:
    """The JSON value stored under `key` in a header's metadata; None when there is none."""
    metadata = header.get("__metadata__")
    text = metadata.get(key) if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def map_tensors(path: Path, dtypes: Mapping[str, str]) -> tuple[dict[str, Array], dict[str, Any]]:
    """Map the tensors of a file into memory; return them with the header.

    `dtypes` has the name and safetensors dtype of each tensor that must be there. Nothing of the
    tensors is read, except those that do not lie at a multiple of their element's size, as other
    programs may write them: no pointer of native code may point there, so they are copied.

    Raises
    ------
    ModelFormatError
        When a tensor is missing, unexpected, of another type, or not where it can be.
    """
    header, start, size = read_header(path)
    names = [name for name in header if name != "__metadata__"]
    if sorted(names) != sorted(dtypes):
        raise ModelFormatError(
            path, f"has the tensors {sorted(names)}, a model of this kind has {sorted(dtypes)}"
        )
    entries = {name: _entry(path, name, header[name]) for name in names}
    _check_cover(path, entries, size)
    buffer: Array = np.memmap(path, dtype=np.uint8, mode="r").view(np.ndarray)[start:]
    tensors = {}
    for name, (dtype, shape, begin, end) in entries.items():
        if dtype != dtypes[name]:
            raise ModelFormatError(path, f"tensor {name} is {dtype}, not {dtypes[name]}")
        tensor = buffer[begin:end].view(_DTYPES[dtype]).reshape(shape)
        tensors[name] = np.require(tensor, requirements=["ALIGNED"])
    return tensors, header


def check_shapes(
    path: Path, tensors: Mapping[str, Array], wanted: Mapping[str, tuple[int, ...]]
) -> None:
    """Refuse a tensor of another shape than it must have."""
    for name, shape in wanted.items():
        if tensors[name].shape != shape:
            raise ModelFormatError(
                path, f"tensor {name} has shape {tensors[name].shape}, not {shape}"
            )


def _entry(path: Path, name: str, entry: Any) -> tuple[str, tuple[int, ...], int, int]:
    if not isinstance(entry, dict) or entry.get("dtype") not in [*_DTYPES]:
        raise ModelFormatError(path, f"tensor {name}: its entry has no dtype out of {[*_DTYPES]}")
    shape, offsets = _sizes(entry.get("shape")), _sizes(entry.get("data_offsets"))
    if shape is None or offsets is None or len(offsets) != 2 or len(shape) > 2:
        raise ModelFormatError(path, f"tensor {name}: shape or data_offsets are impossible")
    begin, end = offsets
    wanted = math.prod(shape) * np.dtype(_DTYPES[entry["dtype"]]).itemsize
    if end - begin != wanted:
        raise ModelFormatError(
            path, f"tensor {name}: {end - begin} bytes, shape {shape} needs {wanted}"
        )
    return entry["dtype"], tuple(shape), begin, end


def _sizes(value: Any) -> list[int] | None:
    if not isinstance(value, list) or not all(type(x) is int and 0 <= x < 2**62 for x in value):
        return None
    return value


def _check_cover(path: Path, entries: Mapping[str, tuple[Any, ...]], size: int) -> None:
    """The tensors must lie one after another, without holes, and fill the buffer."""
    position = 0
    for name, (_, _, begin, end) in sorted(entries.items(), key=lambda item: item[1][2:]):
        if begin != position:
            what = "overlaps the tensor before it" if begin < position else "follows a hole"
            raise ModelFormatError(path, f"tensor {name} {what} (offset {begin}, not {position})")
        position = end
    if position != size:
        what = "truncated" if position > size else "bytes after the last tensor"
        raise ModelFormatError(path, f"{what}: {size} bytes of tensors, the header has {position}")
