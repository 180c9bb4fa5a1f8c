"""Matrices that are codes of a product quantizer, in brasa's own format.

Instead of the tensor `input` (or a classifier's `output`) there are the codes, a byte for each part
of a row, and the centroids; and the same for the lengths of the rows where these are coded apart.
The number of numbers in a part, `dsub` (`output_dsub`), is in the metadata.
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

_DTYPES = {"centroids": "F32", "codes": "U8"}
_NORM_DTYPES = {"norm_centroids": "F32", "norm_codes": "U8"}


def dtypes(
    plain: Mapping[str, str], header: Mapping[str, Any], name: str = "input"
) -> dict[str, str]:
    """The tensors of the model that a header describes, out of those of a plain one."""
    coded = {f"{name}_{part}": dtype for part, dtype in _DTYPES.items()}
    norms = {f"{name}_{part}": dtype for part, dtype in _NORM_DTYPES.items()}
    if name in header or not header.keys() & coded.keys():
        return dict(plain)
    others = {other: dtype for other, dtype in plain.items() if other != name}
    return {**others, **coded, **(norms if header.keys() & norms.keys() else {})}


def centroids(matrix: QuantizedMatrix, name: str = "input") -> dict[str, Array]:
    """Tensors of four-byte elements."""
    found: dict[str, Array] = {f"{name}_centroids": matrix.quantizer.centroids}
    if matrix.norm_quantizer is not None:
        found[f"{name}_norm_centroids"] = matrix.norm_quantizer.centroids
    return found


def codes(matrix: QuantizedMatrix, name: str = "input") -> dict[str, Array]:
    """Tensors of bytes."""
    found: dict[str, Array] = {f"{name}_codes": matrix.codes}
    if matrix.norm_codes is not None:
        found[f"{name}_norm_codes"] = matrix.norm_codes
    return found


def build(
    file: Path, tensors: Mapping[str, Array], dsub: object, dim: int, name: str = "input"
) -> QuantizedMatrix:
    """The matrix of a file.

    Raises
    ------
    ModelFormatError
        When the tensors do not fit together.
    """
    if type(dsub) is not int or not 1 <= dsub <= dim:
        raise ModelFormatError(file, f"its metadata is broken: dsub is {dsub!r}")
    quantizer = ProductQuantizer(dim, dsub, tensors[f"{name}_centroids"])
    found = tensors[f"{name}_codes"]
    if found.ndim != 2 or found.shape[1] != quantizer.n_parts:
        raise ModelFormatError(
            file, f"tensor {name}_codes has shape {found.shape}, not (rows, {quantizer.n_parts})"
        )
    check_shapes(file, tensors, {f"{name}_centroids": (N_CENTROIDS * dim,)})
    if f"{name}_norm_codes" not in tensors:
        return QuantizedMatrix(found, quantizer)
    wanted = {
        f"{name}_norm_codes": found.shape[:1],
        f"{name}_norm_centroids": (N_CENTROIDS,),
    }
    check_shapes(file, tensors, wanted)
    norm_quantizer = ProductQuantizer(1, 1, tensors[f"{name}_norm_centroids"])
    return QuantizedMatrix(found, quantizer, tensors[f"{name}_norm_codes"], norm_quantizer)
