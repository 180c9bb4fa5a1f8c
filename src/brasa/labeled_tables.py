"""Labeled texts in columns: of CSV, TSV, JSON Lines and Parquet files, or of a data frame."""

from __future__ import annotations

import csv
import importlib
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any, Literal, get_args

import numpy as np

from brasa.arguments import is_whole
from brasa.corpus import Corpus
from brasa.errors import ConfigError, CorpusError, MissingExtraError, StorageError

TableFormat = Literal["csv", "tsv", "jsonl", "parquet"]

_SUFFIXES: dict[str, TableFormat] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".manifest": "jsonl",
    ".parquet": "parquet",
}
_COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
_MAX_FIELD = 1 << 30  # of a CSV file, in characters
_PARQUET_ROWS = 10_000  # read at a time
# Columns of Amazon SageMaker's augmented manifests.
_MANIFEST = ("source", "label")

Row = tuple[Any, int]  # a mapping of columns, and the line of it in its file


class LabeledTable:
    """An iterable of pairs (text, labels), for `TextClassifier.train` and `test`.

    Parameters
    ----------
    source : path, list of paths, or data frame
        Files are told by their suffixes, of compressed ones by that before; a data frame is what
        has columns by name: pandas' ``DataFrame``, Arrow's ``Table``, a dict of lists.
    text, label : str
        Names of the columns. `text` may be several, whose texts are joined by a space. A label is
        a `str` or an `int`, or a list of them (in CSV: divided by `label_separator`).
        The defaults are those of augmented manifests, ``source`` and ``label``.
    weight : str, optional
        Name of a column of numbers from 0 up: what each text counts.
    label_separator : str, optional
        What divides several labels in one field: ``";"``, say.
    format : {"csv", "tsv", "jsonl", "parquet"}, optional
        For files with other suffixes.

    Attributes
    ----------
    weights : list of float or None
        Filled while the table is read; None without a column of them.

    Raises
    ------
    ConfigError
        For an unknown format.
    CorpusError
        While it is read: for an unknown column, a broken line, with file and line.
    """

    def __init__(
        self,
        source: Any,
        text: str | Sequence[str] = _MANIFEST[0],
        label: str = _MANIFEST[1],
        *,
        weight: str | None = None,
        label_separator: str | None = None,
        format: TableFormat | None = None,
    ) -> None:
        if format is not None and format not in get_args(TableFormat):
            raise ConfigError("format", format, f"one of {', '.join(get_args(TableFormat))}")
        if label_separator == "":
            raise ConfigError("label_separator", "", "one character or more")
        self._texts = [text] if isinstance(text, str) else list(text)
        self._label = label
        self._weight = weight
        self._separator = label_separator
        self._source = source
        self._files: list[tuple[str, TableFormat]] | None = None
        paths = _paths_of(source)
        if paths is not None:
            self._files = [(path, format or _format_of(path)) for path in paths]
        elif format is not None:
            raise ConfigError("format", format, "left out for a data frame")
        self.weights: list[float] | None = None if weight is None else []

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        if self.weights is not None:
            self.weights.clear()
        if self._files is None:
            yield from self._pairs("<table>", _rows_of_frame(self._source, self._columns))
            return
        for path, kind in self._files:
            yield from self._pairs(path, _READERS[kind](path, self._columns))

    @property
    def _columns(self) -> list[str]:
        return [*self._texts, self._label, *([] if self._weight is None else [self._weight])]

    def _pairs(self, name: str, rows: Iterable[Row]) -> Iterator[tuple[str, Any]]:
        for row, line in rows:
            for column in self._columns:
                if column not in row:
                    known = ", ".join(map(str, list(row)[:20]))
                    raise CorpusError(
                        f"no column {column}; there are: {known}", source=name, line=line
                    )
            texts = [row[column] for column in self._texts]
            for column, text in zip(self._texts, texts, strict=True):
                if not isinstance(text, str):
                    raise CorpusError(f"{column} is {text!r:.100}, no text", source=name, line=line)
            if self.weights is not None:
                self.weights.append(self._number(row[self._weight], name, line))
            yield " ".join(texts), self._labels(row[self._label], name, line)

    def _labels(self, value: Any, name: str, line: int) -> list[Any]:
        if isinstance(value, str) and self._separator is not None:
            value = [part.strip() for part in value.split(self._separator) if part.strip()]
        several = list(value) if isinstance(value, (list, tuple, np.ndarray)) else [value]
        for label in several:
            if not is_whole(label) and (not isinstance(label, str) or label.split() != [label]):
                hint = "; join the parts with _" if isinstance(label, str) else ""
                raise CorpusError(
                    f"{self._label} is {label!r:.100}, neither a word nor a whole number{hint}",
                    source=name,
                    line=line,
                )
        return several

    def _number(self, value: Any, name: str, line: int) -> float:
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not (math.isfinite(number) and number >= 0):
            problem = f"{self._weight} is {value!r:.100}, not a finite number from 0 up"
            raise CorpusError(problem, source=name, line=line)
        return number


def _paths_of(source: Any) -> list[str] | None:
    """The files that are named; None when it is a data frame."""
    if isinstance(source, (str, os.PathLike)):
        return [os.fspath(source)]
    if isinstance(source, (list, tuple)):
        if not source or not all(isinstance(path, (str, os.PathLike)) for path in source):
            raise ConfigError("source", source, "a path, a list of paths, or a data frame")
        return [os.fspath(path) for path in source]
    if not hasattr(source, "__getitem__"):
        raise ConfigError("source", source, "a path, a list of paths, or a data frame")
    return None


def _format_of(path: str) -> TableFormat:
    name = PurePath(path)
    suffix = name.suffixes[-2] if name.suffix in _COMPRESSED and len(name.suffixes) > 1 else ""
    found = _SUFFIXES.get((suffix or name.suffix).lower())
    if found is None:
        raise ConfigError("source", path, f"named with one of {', '.join(_SUFFIXES)}, or format=")
    return found


def _lines_of(path: str) -> Iterator[str]:
    """Decompressed lines with their ends, from UTF-8 with or without a mark at its beginning."""
    rest, number = b"", 0
    for source, pieces in Corpus(path if path == "-" else Path(path)).sources():
        for piece in pieces:
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                number += 1
                yield _decoded(line + b"\n", source, number)
    if rest:
        yield _decoded(rest, path, number + 1)


def _decoded(line: bytes, source: str, number: int) -> str:
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        problem = f"not UTF-8: {error.reason} at byte {error.start} of the line"
        raise CorpusError(problem, source=source, line=number) from None
    return text


def _read_csv(path: str, columns: Sequence[str], delimiter: str = ",") -> Iterator[Row]:
    csv.field_size_limit(max(csv.field_size_limit(), _MAX_FIELD))  # of the whole process
    reader = csv.DictReader(_lines_of(path), delimiter=delimiter, strict=True)
    try:
        names = reader.fieldnames or ()
        if len(set(names)) < len(names):
            raise CorpusError("two columns have the same name", source=path, line=1)
        for row in reader:
            if None in row or None in row.values():
                problem = f"not the {len(names)} fields that the first line names"
                raise CorpusError(problem, source=path, line=reader.line_num)
            yield row, reader.line_num
    except csv.Error as error:
        raise CorpusError(f"broken: {error}", source=path, line=reader.line_num) from None


def _read_tsv(path: str, columns: Sequence[str]) -> Iterator[Row]:
    return _read_csv(path, columns, "\t")


def _read_jsonl(path: str, columns: Sequence[str]) -> Iterator[Row]:
    for number, line in enumerate(_lines_of(path), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise CorpusError(f"not JSON: {error}", source=path, line=number) from None
        if not isinstance(row, dict):
            raise CorpusError(f"not a JSON object but {row!r:.100}", source=path, line=number)
        yield row, number


def _read_parquet(path: str, columns: Sequence[str]) -> Iterator[Row]:
    try:
        parquet: Any = importlib.import_module("pyarrow.parquet")
        arrow: Any = importlib.import_module("pyarrow")
    except ImportError:
        raise MissingExtraError("pyarrow", "tables", "reading Parquet files") from None
    try:
        file = parquet.ParquetFile(path)
        known = file.schema_arrow.names
        missing = next((column for column in columns if column not in known), None)
        if missing is not None:
            raise CorpusError(f"no column {missing}; there are: {', '.join(known)}", source=path)
        number = 0
        for batch in file.iter_batches(batch_size=_PARQUET_ROWS, columns=list(columns)):
            for row in batch.to_pylist():
                number += 1
                yield row, number
    except arrow.ArrowException as error:
        raise CorpusError(f"not a Parquet file, or a broken one: {error}", source=path) from None
    except OSError as error:
        raise StorageError(path, f"cannot be read: {error}") from None


def _rows_of_frame(frame: Any, columns: Sequence[str]) -> Iterator[Row]:
    known = frame.column_names if hasattr(frame, "column_names") else list(frame)
    missing = next((column for column in columns if column not in known), None)
    if missing is not None:
        shown = ", ".join(map(str, known))
        raise CorpusError(f"no column {missing}; there are: {shown}", source="<table>")
    values = [_plain_values(frame[column]) for column in columns]
    if len({len(column) for column in values}) > 1:
        raise CorpusError("its columns are not of one length", source="<table>")
    for number, row in enumerate(zip(*values, strict=True), 1):
        yield dict(zip(columns, row, strict=True)), number


def _plain_values(column: Any) -> list[Any]:
    for method in ("to_pylist", "tolist", "to_list"):  # Arrow, pandas and NumPy, polars
        if hasattr(column, method):
            values: list[Any] = getattr(column, method)()
            return values
    return list(column)


_READERS: Mapping[str, Any] = {
    "csv": _read_csv,
    "tsv": _read_tsv,
    "jsonl": _read_jsonl,
    "parquet": _read_parquet,
}
