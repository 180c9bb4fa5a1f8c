"""A text classifier in brasa's own format: its tensors and its metadata.

The folder, the safetensors container and the way they are written are those of `native`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from brasa.config import MAX_VECTOR_DIM, ClassifierLoss
from brasa.errors import ModelFormatError
from brasa.formats import native_codes, native_vocabulary
from brasa.formats.safetensors import check_shapes
from brasa.parameters import Classifier, QuantizedMatrix

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from brasa.formats.safetensors import Array

KIND = "text_classifier"
# Eight-byte elements come first, so that every tensor is aligned to its own element size.
_DTYPES = {
    "word_offsets": "I64",
    "word_counts": "I64",
    "label_offsets": "I64",
    "label_counts": "I64",
    "input": "F32",
    "output": "F32",
    "bucket_ids": "U32",
    "word_bytes": "U8",
    "label_bytes": "U8",
}
_SIZES = {"I64": 0, "F32": 1, "U32": 1, "U8": 2}  # the largest elements first
# What the metadata says of features, and the bounds of each.
_NUMBERS = {
    "n_tokens": (0, 2**63 - 1),
    "word_ngrams": (0, 100),
    "min_char": (0, 64),
    "max_char": (0, 64),
    "buckets": (0, 2**31 - 1),
}


def dtypes(header: Mapping[str, Any]) -> dict[str, str]:
    """The tensors of the model that a header describes."""
    return native_codes.dtypes(native_codes.dtypes(_DTYPES, header), header, "output")


def tensors(model: Classifier) -> dict[str, Array]:
    """What is written, in its order."""
    n_words = len(model.vocabulary)
    rows = model.input
    if model.bucket_rows is not None:
        order = np.concatenate([np.arange(n_words), n_words + model.bucket_rows.astype(np.int64)])
        rows = rows.take(order) if isinstance(rows, QuantizedMatrix) else rows[order]
    found = {
        "bucket_ids": np.asarray(model.bucket_ids, np.uint32),
        **native_vocabulary.tensors(model.vocabulary, "word"),
        **native_vocabulary.tensors(model.labels, "label"),
    }
    codes: dict[str, Array] = {}
    for name, matrix in (("input", rows), ("output", model.output)):
        if isinstance(matrix, QuantizedMatrix):
            found |= native_codes.centroids(matrix, name)
            codes |= native_codes.codes(matrix, name)
        else:
            found[name] = matrix
    sizes = dtypes(found | codes)
    order_of = sorted(sizes, key=lambda name: (_SIZES[sizes[name]], name in codes))
    return {name: (found | codes)[name] for name in order_of}


def describe(model: Classifier) -> dict[str, Any]:
    """The metadata: JSON values."""
    return {
        "kind": KIND,
        "n_words": len(model.vocabulary),
        "n_labels": len(model.labels),
        "vector_dim": model.vector_dim,
        "n_tokens": int(model.vocabulary.n_tokens),
        "loss": model.loss,
        "word_ngrams": model.word_ngrams,
        "min_char": model.min_char,
        "max_char": model.max_char,
        "buckets": model.buckets,
        "drops_other_buckets": model.drops_other_buckets,
        "label_prefix": model.label_prefix,
        "metadata": model.metadata,
        **{
            key: matrix.quantizer.part_dim
            for key, matrix in (("dsub", model.input), ("output_dsub", model.output))
            if isinstance(matrix, QuantizedMatrix)
        },
    }


def build(file: Path, tensors: Mapping[str, Array], described: Mapping[str, Any]) -> Classifier:
    """The model that tensors and metadata are of; nothing of the matrices is read.

    Raises
    ------
    ModelFormatError
        When they do not fit together.
    """
    _check_metadata(file, described)
    rows = _matrix(file, tensors, described, "input", "dsub")
    output = _matrix(file, tensors, described, "output", "output_dsub")
    _check_shapes(file, tensors, rows.shape, output.shape, described["buckets"])
    n_tokens = described["n_tokens"]
    return Classifier(
        vocabulary=native_vocabulary.build(file, tensors, "word", n_tokens),
        labels=native_vocabulary.build(file, tensors, "label", n_tokens),
        loss=described["loss"],
        word_ngrams=described["word_ngrams"],
        min_char=described["min_char"],
        max_char=described["max_char"],
        buckets=described["buckets"],
        input=rows,
        output=output,
        bucket_ids=tensors["bucket_ids"],
        drops_other_buckets=described["drops_other_buckets"],
        label_prefix=described["label_prefix"],
        metadata=described["metadata"],
    )


def _check_metadata(file: Path, described: Mapping[str, Any]) -> None:
    for name, (low, high) in _NUMBERS.items():
        value = described.get(name)
        if type(value) is not int or not low <= value <= high:
            problem = f"its metadata is broken: {name} is {value!r}, not from {low} to {high}"
            raise ModelFormatError(file, problem)
    kinds = {"drops_other_buckets": bool, "label_prefix": str, "metadata": dict}
    for name, kind in kinds.items():
        if not isinstance(described.get(name), kind):
            raise ModelFormatError(file, f"its metadata is broken: {name} is no {kind.__name__}")
    if described.get("loss") not in get_args(ClassifierLoss):
        raise ModelFormatError(file, f"its metadata is broken: loss is {described.get('loss')!r}")
    if re.search("[\ud800-\udbff]", described["label_prefix"]):
        raise ModelFormatError(file, "its metadata is broken: label_prefix is no text")


def _matrix(
    file: Path, tensors: Mapping[str, Array], described: Mapping[str, Any], name: str, dsub: str
) -> Any:
    if name in tensors:
        return tensors[name]
    dim = described.get("vector_dim")
    if type(dim) is not int or not 1 <= dim <= MAX_VECTOR_DIM:
        raise ModelFormatError(file, f"its metadata is broken: vector_dim is {dim!r}")
    return native_codes.build(file, tensors, described.get(dsub), dim, name)


def _check_shapes(
    file: Path,
    tensors: Mapping[str, Array],
    input_shape: tuple[int, ...],
    output_shape: tuple[int, ...],
    buckets: int,
) -> None:
    n_words, n_labels = tensors["word_counts"].size, tensors["label_counts"].size
    n_buckets = tensors["bucket_ids"].size
    dim = input_shape[-1] if len(input_shape) == 2 else 0
    wanted = {"word_offsets": (n_words + 1,), "label_offsets": (n_labels + 1,)}
    flat = [name for name in _DTYPES if name not in (*wanted, "input", "output")]
    wanted.update({name: (tensors[name].size,) for name in flat})
    check_shapes(file, tensors, wanted)
    for name, shape, n_rows in (
        ("input", input_shape, n_words + n_buckets),
        ("output", output_shape, n_labels),
    ):
        if shape != (n_rows, dim):
            raise ModelFormatError(file, f"tensor {name} has shape {shape}, not {(n_rows, dim)}")
    if dim == 0 or n_labels == 0:
        raise ModelFormatError(file, f"a classifier of {n_labels} labels, vectors of {dim} numbers")
    if n_buckets and tensors["bucket_ids"][-1] >= buckets:
        raise ModelFormatError(file, f"bucket_ids is not below buckets, {buckets}")
