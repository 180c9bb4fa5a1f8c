"""Input rows that are codes of a product quantizer, in brasa's own format.

Instead of the tensor `input` there are the codes, a byte for each part of a row, and the centroids;
and the same for the lengths of the rows where these are coded apart. The number of numbers in a
part, `dsub`, is in the metadata.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from brasa.errors import ModelFormatError
from brasa.formats.safetensors import check_shapes
from brasa.parameters import N_CENTROIDS, ProductQuantizer, QuantizedMatrix

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from brasa.formats.safetensors import Array

_CODES = {"input_centroids": "F32", "input_codes": "U8"}
_NORM_CODES = {"input_norm_centroids": "F32", "input_norm_codes": "U8"}


def dtypes(plain: Mapping[str, str], header: Mapping[str, Any]) -> dict[str, str]:
    """The tensors of the model that a header describes, out of those of a plain one."""
    if "input" in header or not header.keys() & _CODES.keys():
        return dict(plain)
    others = {name: dtype for name, dtype in plain.items() if name != "input"}
    return {**others, **_CODES, **(_NORM_CODES if header.keys() & _NORM_CODES.keys() else {})}


def centroids(matrix: QuantizedMatrix) -> dict[str, Array]:
    """Tensors of four-byte elements."""
    found: dict[str, Array] = {"input_centroids": matrix.quantizer.centroids}
    if matrix.norm_quantizer is not None:
        found["input_norm_centroids"] = matrix.norm_quantizer.centroids
    return found


def codes(matrix: QuantizedMatrix) -> dict[str, Array]:
    """Tensors of bytes."""
    found: dict[str, Array] = {"input_codes": matrix.codes}
    if matrix.norm_codes is not None:
        found["input_norm_codes"] = matrix.norm_codes
    return found


def build(file: Path, tensors: Mapping[str, Array], dsub: object, dim: int) -> QuantizedMatrix:
    """The matrix of a file.

    Raises
    ------
    ModelFormatError
        When the tensors do not fit together.
    """
    if type(dsub) is not int or not 1 <= dsub <= dim:
        raise ModelFormatError(file, f"its metadata is broken: dsub is {dsub!r}")
    quantizer = ProductQuantizer(dim, dsub, tensors["input_centroids"])
    found = tensors["input_codes"]
    if found.ndim != 2 or found.shape[1] != quantizer.n_parts:
        raise ModelFormatError(
            file, f"tensor input_codes has shape {found.shape}, not (rows, {quantizer.n_parts})"
        )
    check_shapes(file, tensors, {"input_centroids": (N_CENTROIDS * dim,)})
    if "input_norm_codes" not in tensors:
        return QuantizedMatrix(found, quantizer)
    wanted = {"input_norm_codes": found.shape[:1], "input_norm_centroids": (N_CENTROIDS,)}
    check_shapes(file, tensors, wanted)
    norm_quantizer = ProductQuantizer(1, 1, tensors["input_norm_centroids"])
    return QuantizedMatrix(found, quantizer, tensors["input_norm_codes"], norm_quantizer)
