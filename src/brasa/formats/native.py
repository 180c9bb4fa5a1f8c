"""brasa's own format: a folder with `model.safetensors` and `config.json`.

`model.safetensors` is all that is needed to open a model: one file, so one rename replaces a model,
and no crash can pair the vectors of one training run with the words of another. `config.json`
repeats its metadata for people and programs; brasa does not read it.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brasa.config import WordVectorsConfig
from brasa.errors import ConfigError, ModelFormatError, StorageError
from brasa.formats import native_classifier, native_codes, native_vocabulary, safetensors
from brasa.formats.storage import is_temporary, new_files
from brasa.parameters import Classifier, Embeddings
from brasa.subwords import FloretHashing

if TYPE_CHECKING:
    from collections.abc import Mapping

TENSORS = "model.safetensors"
VERSION = 1
_CONFIG = "config.json"
_KEY = "brasa"
_WORD_VECTORS = "word_vectors"
_KINDS = (_WORD_VECTORS, native_classifier.KIND)
# Made from a model and kept beside it: a new model makes them wrong, so saving deletes them.
_DERIVED = ("eval.json", "vectors.bin", "vectors.txt")
# Eight-byte elements come first, so that every tensor is aligned to its own element size.
_DTYPES = {
    "word_offsets": "I64",
    "word_counts": "I64",
    "input": "F32",
    "output": "F32",
    "bucket_ids": "U32",
    "word_bytes": "U8",
}


def write(
    model: Embeddings | Classifier,
    path: str | os.PathLike[str],
    *,
    extra: Mapping[str, bytes] | None = None,
) -> None:
    """Save a model as a folder, replacing the model that is there.

    Parameters
    ----------
    model : Embeddings or Classifier
    path : path
        The folder; made when missing. Its other files are kept, except those that brasa derives
        from a model (`eval.json`, `vectors.txt`, `vectors.bin`).
    extra : dict of str to bytes, optional
        Contents of further files, such as `eval.json`.

    Raises
    ------
    StorageError
        When the folder cannot be written (the model that was there is then untouched), or `path`
        holds something else than a brasa model.
    """
    if isinstance(model, Classifier):
        described = native_classifier.describe(model)
        tensors = native_classifier.tensors(model)
    else:
        described, tensors = _describe(model), _tensors(model)
    described = {"version": VERSION, **described}
    check_target(path)
    folder = Path(os.path.realpath(path))
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(folder, f"cannot be made: {error.strerror or error}") from error
    contents = {**(extra or {}), _CONFIG: json.dumps(described, indent=2).encode()}
    stale = [name for name in (*_DERIVED, _CONFIG) if name not in (extra or {})]
    try:
        with new_files(folder, [TENSORS, *contents], stale=stale) as files:
            safetensors.write(files[0], tensors, {_KEY: json.dumps(described)}, aligned="input")
            for file, content in zip(files[1:], contents.values(), strict=True):
                file.write(content)
    except BaseException:
        if made and not any(folder.iterdir()):
            folder.rmdir()
        raise


def read(path: str | os.PathLike[str]) -> Embeddings | Classifier:
    """Open a model: its matrices are mapped, not read, so it takes the same time at any size.

    Raises
    ------
    ModelFormatError
        When the file is broken, truncated, or made by a newer brasa.
    StorageError
        When it cannot be read.
    """
    file = Path(path) / TENSORS if Path(path).is_dir() else Path(path)
    header = safetensors.read_header(file)[0]
    described = safetensors.metadata_of(header, _KEY)
    if not isinstance(described, dict):
        raise ModelFormatError(file, "safetensors, but not of a brasa model")
    kind = described.get("kind")
    if described.get("version") != VERSION or kind not in _KINDS:
        raise ModelFormatError(
            file,
            f"a {kind} model of format version {described.get('version')}; this brasa reads "
            f"{' and '.join(_KINDS)} of version {VERSION}",
        )
    if kind == native_classifier.KIND:
        tensors, _ = safetensors.map_tensors(file, native_classifier.dtypes(header))
        return native_classifier.build(file, tensors, described)
    tensors, _ = safetensors.map_tensors(file, native_codes.dtypes(_DTYPES, header))
    return _build(file, tensors, described)


def _build(
    file: Path, tensors: Mapping[str, safetensors.Array], described: Mapping[str, Any]
) -> Embeddings:
    try:
        config = WordVectorsConfig.parse(described["config"])
        n_tokens, metadata = described["n_tokens"], described["metadata"]
        floret = FloretHashing(**described["floret"]) if "floret" in described else None
    except (ConfigError, KeyError, AttributeError, TypeError) as error:
        raise ModelFormatError(file, f"its metadata is broken: {error!r}") from None
    if type(n_tokens) is not int or not 0 <= n_tokens < 2**63 or not isinstance(metadata, dict):
        raise ModelFormatError(file, f"its metadata is broken: n_tokens is {n_tokens!r}")
    rows: Any = tensors.get("input")
    if rows is None:
        rows = native_codes.build(file, tensors, described.get("dsub"), config.vector_dim)
    _check_shapes(file, tensors, rows.shape, config, floret)
    return Embeddings(
        vocabulary=native_vocabulary.build(file, tensors, "word", n_tokens),
        config=config,
        input=rows,
        output=tensors["output"],
        bucket_ids=tensors["bucket_ids"],
        metadata=metadata,
        floret=floret,
    )


def is_model(path: str | os.PathLike[str]) -> bool:
    """Whether this is a folder with a brasa model, broken or not."""
    file = Path(path) / TENSORS
    try:
        header, _, _ = safetensors.read_header(file)
    except (ModelFormatError, StorageError):
        return False
    return safetensors.metadata_of(header, _KEY) is not None


def check_target(path: str | os.PathLike[str]) -> None:
    """Refuse a place where a model cannot be saved; call it before a long training run.

    Raises
    ------
    StorageError
        When `path` is a file, a folder of something else, or cannot be written.
    """
    try:
        folder = Path(os.path.realpath(path))
        there = next(place for place in (folder, *folder.parents) if place.exists())
        is_folder = there.is_dir()
        others = there == folder and is_folder and not all(map(is_temporary, folder.iterdir()))
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise StorageError(path, f"cannot be used: {error}") from error
    if not is_folder and there == folder:
        raise StorageError(folder, "is a file; a model is saved as a folder: name another path")
    if not is_folder:
        raise StorageError(folder, f"cannot be made: {there} is a file")
    if others and not is_model(folder):
        raise StorageError(
            folder, "is a folder with something else than a brasa model: name another path"
        )
    if not os.access(there, os.W_OK | os.X_OK):
        raise StorageError(folder, f"cannot be written: no permission to write in {there}")


def _tensors(embeddings: Embeddings) -> dict[str, safetensors.Array]:
    codes, words = embeddings.quantized, native_vocabulary.tensors(embeddings.vocabulary, "word")
    found: dict[str, safetensors.Array] = {
        "word_offsets": words["word_offsets"],
        "word_counts": words["word_counts"],
        **({"input": embeddings.input} if codes is None else native_codes.centroids(codes)),
        "output": embeddings.output,
        "bucket_ids": np.asarray(embeddings.bucket_ids, np.uint32),
        "word_bytes": words["word_bytes"],
    }
    return found if codes is None else {**found, **native_codes.codes(codes)}


def _describe(embeddings: Embeddings) -> dict[str, Any]:
    codes = embeddings.quantized
    return {
        "kind": _WORD_VECTORS,
        "n_words": len(embeddings.vocabulary),
        "n_tokens": int(embeddings.vocabulary.n_tokens),
        "config": embeddings.config.to_dict(),
        "metadata": embeddings.metadata,
        **({} if codes is None else {"dsub": codes.quantizer.part_dim}),
        **({} if embeddings.floret is None else {"floret": asdict(embeddings.floret)}),
    }


def _check_shapes(
    file: Path,
    tensors: Mapping[str, safetensors.Array],
    input_shape: tuple[int, ...],
    config: WordVectorsConfig,
    floret: FloretHashing | None,
) -> None:
    n_words, n_buckets = tensors["word_counts"].size, tensors["bucket_ids"].size
    # None where the vectors were made by a program that keeps none.
    n_outputs = min(len(tensors["output"]), 1) * n_words
    wanted = {
        "word_offsets": (n_words + 1,),
        "word_counts": (n_words,),
        "output": (n_outputs, config.vector_dim),
        "bucket_ids": (n_buckets,),
        "word_bytes": (tensors["word_bytes"].size,),
    }
    if input_shape != (n_words + n_buckets, config.vector_dim):
        raise ModelFormatError(
            file, f"tensor input has shape {input_shape}, not "
            f"{(n_words + n_buckets, config.vector_dim)}",
        )  # fmt: skip
    safetensors.check_shapes(file, tensors, wanted)
    if floret is not None and n_buckets != floret.buckets:
        raise ModelFormatError(file, f"{n_buckets} rows in a table of {floret.buckets} buckets")
    if n_words == 0 and floret is None:
        raise ModelFormatError(file, "a model without words")
    offsets = tensors["word_offsets"]
    if offsets[0] != 0 or offsets[-1] != tensors["word_bytes"].size:
        raise ModelFormatError(file, "word_offsets does not match the size of word_bytes")
    if n_buckets and not config.subwords:
        raise ModelFormatError(file, f"{n_buckets} n-gram rows in a model without subwords")
    if n_buckets and tensors["bucket_ids"][-1] >= config.buckets:
        raise ModelFormatError(file, f"bucket_ids is not below buckets, {config.buckets}")
