"""Reading fastText's files."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from brasa.config import WordVectorsConfig
from brasa.formats.fasttext import layout
from brasa.formats.fasttext.layout import HEADERLESS, SUPERVISED, Cursor
from brasa.parameters import (
    N_CENTROIDS,
    Classifier,
    Embeddings,
    FastTextArguments,
    FastTextDetails,
    ProductQuantizer,
    QuantizedMatrix,
)

if TYPE_CHECKING:
    import os

    from brasa.parameters import FloatMatrix
    from brasa.vocabulary import Vocabulary

Matrix = Any  # FloatMatrix | QuantizedMatrix, which NumPy's stubs cannot tell apart by `shape`
_LOSS_NAMES = {number: name for name, number in layout.LOSSES.items()}


def read(path: str | os.PathLike[str]) -> Embeddings | Classifier:
    """Open a `.bin` or `.ftz` file, or one from before fastText's files had a magic number.

    Matrices that lie at a multiple of four bytes, which the length of the words decides, are
    mapped; others are read. Quantized word vectors, which fastText reads and does not make, stay
    quantized; their output rows, which only training wants, are passed over.

    Raises
    ------
    FormatError
        When a field is impossible or missing, or something follows the last one.
    StorageError
        When the file cannot be read.
    """
    cursor = Cursor(Path(path))
    version, arguments = _header(cursor)
    return read_model(cursor, version, arguments)


def read_model(
    cursor: Cursor, version: int, arguments: FastTextArguments
) -> Embeddings | Classifier:
    """The model whose arguments have been read."""
    body = read_body(cursor, version, arguments)
    if arguments.model == SUPERVISED:
        return _classifier(*body)
    return _embeddings(*body)


def read_body(
    cursor: Cursor, version: int, arguments: FastTextArguments
) -> tuple[Vocabulary, Vocabulary, Matrix, Matrix, FastTextDetails]:
    """Words, labels, matrices and details: all that follows the arguments."""
    words, labels, pruned = _dictionary(cursor, version, arguments)
    quantized = version != HEADERLESS and cursor.flag("quant_input")
    if pruned is not None and not quantized:
        raise cursor.error("quant_input", "1 in a pruned model", 0, cursor.offset - 1)
    n_buckets = arguments.bucket if pruned is None else len(pruned)
    shape = (len(words) + n_buckets, arguments.dim)
    rows = _matrix(cursor, "input", shape, quantized)
    quantize_output = version != HEADERLESS and cursor.flag("qout")
    supervised = arguments.model == SUPERVISED
    shape = (len(labels) if supervised else len(words), arguments.dim)
    output = _matrix(cursor, "output", shape, quantized and quantize_output)
    cursor.end()
    details = FastTextDetails(
        version,
        arguments,
        labels=labels if not supervised and len(labels) else None,
        pruned=pruned,
        quantize_output=quantize_output,
    )
    return words, labels, rows, output, details


def _header(cursor: Cursor) -> tuple[int, FastTextArguments]:
    version = HEADERLESS
    if cursor.unpack("<i", "magic number") == (layout.MAGIC,):
        (version,) = cursor.unpack("<i", "version")
        if version not in layout.VERSIONS:
            raise cursor.error("version", "11 or 12", version, 4)
    else:
        cursor.offset = 0
    start = cursor.offset
    arguments = FastTextArguments(*cursor.unpack(layout.ARGUMENTS.format, "arguments"))
    if version == HEADERLESS and len(layout.bad_arguments(arguments)) > 1:
        raise cursor.error("magic number", str(layout.MAGIC), arguments.dim, 0)
    layout.check_arguments(cursor, arguments, start)
    return version, arguments


def _dictionary(
    cursor: Cursor, version: int, arguments: FastTextArguments
) -> tuple[Vocabulary, Vocabulary, npt.NDArray[np.int32] | None]:
    start = cursor.offset
    size, n_words, n_labels, n_tokens = cursor.unpack(layout.DICTIONARY, "dictionary sizes")
    fields = {"size": size, "nwords": n_words, "nlabels": n_labels, "ntokens": n_tokens}
    for i, (name, value) in enumerate(fields.items()):
        if value < 0:
            raise cursor.error(name, "a number that is not negative", value, start + 4 * i)
    if size != n_words + n_labels:
        raise cursor.error("size", f"{n_words} words + {n_labels} labels", size, start)
    if n_words == 0 and arguments.model != SUPERVISED:
        raise cursor.error("nwords", "at least one word", 0, start + 4)
    prune_at, n_pruned = cursor.offset, layout.NOT_PRUNED
    if version != HEADERLESS:
        (n_pruned,) = cursor.unpack("<q", "pruneidx_size")
    words = cursor.entries(n_words, layout.WORD, 0, n_tokens)
    labels = cursor.entries(n_labels, layout.LABEL, n_words, n_tokens)
    if n_pruned == layout.NOT_PRUNED:
        return words, labels, None
    if arguments.model != SUPERVISED and not config_of(arguments).subwords:
        allowed = "-1, since the arguments let no n-gram have a row"
        raise cursor.error("pruneidx_size", allowed, n_pruned, prune_at)
    if not 0 <= n_pruned <= arguments.bucket:
        allowed = f"-1, or at most bucket, {arguments.bucket}"
        raise cursor.error("pruneidx_size", allowed, n_pruned, prune_at)
    return words, labels, _pruned(cursor, n_pruned, arguments.bucket)


def _pruned(cursor: Cursor, n: int, n_buckets: int) -> npt.NDArray[np.int32]:
    """Pairs of bucket and row; every row from 0 to n - 1 belongs to one bucket."""
    start = cursor.offset
    pairs = cursor.integers(2 * n, "pruning index").reshape(n, 2)
    for column, name, limit in ((0, "bucket", n_buckets), (1, "row", n)):
        values = pairs[:, column]
        bad = np.flatnonzero((values < 0) | (values >= limit))
        if len(bad):
            found, at = values[bad[0]], start + 8 * int(bad[0]) + 4 * column
            raise cursor.error(f"{name} of the pruning index", f"below {limit}", found, at)
        if len(np.unique(values)) != n:
            raise cursor.error(f"{name}s of the pruning index", "each one once", "repeats", start)
    return pairs


def _matrix(cursor: Cursor, name: str, shape: tuple[int, int], quantized: bool) -> Matrix:
    has_norms = quantized and cursor.flag(f"qnorm of the {name} matrix")
    start = cursor.offset
    found = cursor.unpack("<2q", f"shape of the {name} matrix")
    if found != shape:
        raise cursor.error(f"shape of the {name} matrix", f"{shape}", found, start)
    n_rows, dim = shape
    if not quantized:
        return cursor.floats(n_rows * dim, f"{name} matrix").reshape(shape)
    start = cursor.offset
    (n_codes,) = cursor.unpack("<i", f"number of codes of the {name} matrix")
    if n_codes < 0 or (n_codes % n_rows if n_rows else n_codes):
        allowed = f"a multiple of its {n_rows} rows"
        raise cursor.error(f"number of codes of the {name} matrix", allowed, n_codes, start)
    codes = cursor.codes(n_codes, f"codes of the {name} matrix")
    quantizer = _quantizer(cursor, f"quantizer of the {name} matrix", dim)
    if n_codes != n_rows * quantizer.n_parts:
        allowed = f"{n_rows} rows of {quantizer.n_parts}"
        raise cursor.error(f"number of codes of the {name} matrix", allowed, n_codes, start)
    codes = codes.reshape(n_rows, quantizer.n_parts)
    if not has_norms:
        return QuantizedMatrix(codes, quantizer)
    norm_codes = cursor.codes(n_rows, f"norm codes of the {name} matrix")
    norms = _quantizer(cursor, f"norm quantizer of the {name} matrix", 1)
    return QuantizedMatrix(codes, quantizer, norm_codes, norms)


def _quantizer(cursor: Cursor, field: str, dim: int) -> ProductQuantizer:
    start = cursor.offset
    found = cursor.unpack("<4i", field)
    part_dim = found[2]
    if found[0] != dim or not 1 <= part_dim <= dim:
        raise cursor.error(field, f"dim {dim}, dsub from 1 to {dim}", found, start)
    n_parts = -(-dim // part_dim)
    wanted = (dim, n_parts, part_dim, dim - (n_parts - 1) * part_dim)
    if found != wanted:
        raise cursor.error(field, f"dim, nsubq, dsub, lastdsub {wanted}", found, start)
    return ProductQuantizer(dim, part_dim, cursor.floats(N_CENTROIDS * dim, f"{field}, centroids"))


def _classifier(
    words: Vocabulary, labels: Vocabulary, rows: Matrix, output: Matrix, details: FastTextDetails
) -> Classifier:
    arguments, pruned = details.arguments, details.pruned
    if pruned is None:
        bucket_ids, bucket_rows = np.arange(arguments.bucket, dtype=np.uint32), None
    else:
        order = np.argsort(pruned[:, 0])
        bucket_ids = pruned[order, 0].astype(np.uint32)
        bucket_rows = pruned[order, 1].astype(np.int32)
    # Version 12 brought character n-grams to classifiers; older files have a maxn that means none.
    max_char = max(0, arguments.maxn) if details.version == layout.VERSIONS[-1] else 0
    return Classifier(
        vocabulary=words,
        labels=labels,
        loss=_LOSS_NAMES[arguments.loss],
        word_ngrams=max(1, arguments.word_ngrams),
        min_char=max(1, arguments.minn),
        max_char=max_char,
        buckets=arguments.bucket,
        input=rows,
        output=output,
        bucket_ids=bucket_ids,
        bucket_rows=bucket_rows,
        drops_other_buckets=True,
        metadata=metadata_of(details),
        fasttext=details,
    )


def _embeddings(
    words: Vocabulary, labels: Vocabulary, rows: Matrix, output: Matrix, details: FastTextDetails
) -> Embeddings:
    config, n_words = config_of(details.arguments), len(words)
    quantized = isinstance(rows, QuantizedMatrix)
    unused: FloatMatrix | None = None
    if not config.subwords and len(rows.codes if quantized else rows) > n_words:
        rows = rows.decode() if quantized else rows
        rows, unused, quantized = rows[:n_words], rows[n_words:], False
    if quantized:  # nothing reads output rows then
        output = np.empty((0, config.vector_dim), np.float32)
    elif isinstance(output, QuantizedMatrix):
        output = output.decode()
    pruned = details.pruned
    bucket_ids = np.arange(config.buckets if config.subwords else 0, dtype=np.uint32)
    if pruned is not None:
        pruned = pruned[np.argsort(pruned[:, 0])]
        bucket_ids = pruned[:, 0].astype(np.uint32)
        rows = rows.take(np.concatenate([np.arange(n_words), n_words + pruned[:, 1]]))
    return Embeddings(
        vocabulary=words,
        config=config,
        input=rows,
        output=output,
        bucket_ids=bucket_ids,
        metadata=metadata_of(details),
        # The index of a pruned file is written anew, in ascending order.
        fasttext=dataclasses.replace(details, unused_rows=unused, pruned=None),
    )


def config_of(arguments: FastTextArguments) -> WordVectorsConfig:
    """The file's arguments as hyperparameters, those out of brasa's ranges brought to the nearest.

    They say how the model was trained; the learning rate is not in the file.
    """
    subwords = arguments.bucket > 0 and arguments.maxn > 0 and arguments.minn <= arguments.maxn
    values: dict[str, Any] = {
        "mode": "cbow" if arguments.model == layout.CBOW else "skipgram",
        "loss": "hs" if arguments.loss == layout.LOSSES["hs"] else "ns",
        "vector_dim": arguments.dim,
        "window_size": arguments.ws,
        "epochs": arguments.epoch,
        "min_count": arguments.min_count,
        "negative_samples": arguments.neg,
        "sampling_threshold": arguments.t,
        "subwords": subwords,
    }
    if subwords:
        values |= {"min_char": arguments.minn, "max_char": arguments.maxn}
        values["buckets"] = arguments.bucket
    for field in dataclasses.fields(WordVectorsConfig):
        low, high = field.metadata["min"], field.metadata["max"]
        if field.name in values and low is not None:
            kind = type(values[field.name])
            margin = 1e-12 if field.metadata["exclusive"] else 0
            values[field.name] = kind(min(max(values[field.name], low + margin), high - margin))
    return WordVectorsConfig(**values)


def metadata_of(details: FastTextDetails) -> dict[str, Any]:
    arguments = details.arguments
    return {
        "source": "fasttext",
        "fasttext_version": details.version,
        "fasttext_arguments": {**arguments._asdict(), "loss": _LOSS_NAMES[arguments.loss]},
    }
