"""Labeled texts in columns: each format, and what is refused with file and line."""

from __future__ import annotations

import gzip
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brasa import TextClassifier
from brasa.errors import BrasaError, ConfigError, CorpusError, MissingExtraError
from brasa.labeled_tables import LabeledTable

# By name, since they have no types of their own.
pd: Any = importlib.import_module("pandas")
pa: Any = importlib.import_module("pyarrow")
parquet: Any = importlib.import_module("pyarrow.parquet")

ROWS = [('so, "good"', "pos", 1.0), ("schlécht\nvery", "neg", 0.5), ("fine", "pos", 2.0)]
PAIRS = [(text, [label]) for text, label, _ in ROWS]
COLUMNS = {name: [row[i] for row in ROWS] for i, name in enumerate(("title", "topic", "w"))}


def write(path: Path, content: str) -> Path:
    path.write_bytes(content.encode())
    return path


def csv_text(delimiter: str) -> str:
    quoted = [['"' + str(x).replace('"', '""') + '"' for x in row] for row in ROWS]
    return "\r\n".join(map(delimiter.join, [["title", "topic", "w"], *quoted])) + "\r\n"


def jsonl_text() -> str:
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]
    return "\n".join(json.dumps({**row, "more": [None]}) for row in rows)


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, Any]:
    parquet.write_table(pa.table(COLUMNS), tmp_path / "t.parquet")
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(csv_text(",").encode()))
    return {
        "csv": write(tmp_path / "t.csv", "\ufeff" + csv_text(",")),
        "gzip": tmp_path / "t.csv.gz",
        "tsv": write(tmp_path / "t.tsv", csv_text("\t")),
        "jsonl": write(tmp_path / "t.jsonl", jsonl_text() + "\n\n"),
        "without an end": str(write(tmp_path / "t.manifest", jsonl_text())),
        "parquet": tmp_path / "t.parquet",
        "pandas": pd.DataFrame(COLUMNS),
        "arrow": pa.table(COLUMNS),
        "dict": COLUMNS,
    }


@pytest.mark.parametrize(
    "name",
    ["csv", "gzip", "tsv", "jsonl", "without an end", "parquet", "pandas", "arrow", "dict"],
)
def test_every_form_has_the_same_texts(sources: dict[str, Any], name: str) -> None:
    table = LabeledTable(sources[name], "title", "topic", weight="w")
    for _ in range(2):  # it can be read again
        assert list(table) == PAIRS
        assert table.weights == [1, 0.5, 2]


def test_several_columns_and_labels(tmp_path: Path) -> None:
    frame = {"a": ["x", "y"], "b": ["1", "2"], "l": ["p; q", ""]}
    table = LabeledTable(frame, ["a", "b"], "l", label_separator=";")
    assert list(table) == [("x 1", ["p", "q"]), ("y 2", [])]
    path = write(tmp_path / "x", '{"source": "a", "label": [1, 3]}\n{"source": "b", "label": 2}')
    found = list(LabeledTable([path], format="jsonl"))
    assert found == [("a", [1, 3]), ("b", [2])]
    arrays = pd.DataFrame({"source": ["a"], "label": [np.array(["x", "y"])]})
    assert list(LabeledTable(arrays)) == [("a", ["x", "y"])]


def test_training_on_tables() -> None:
    texts = [f"{'warm' if i % 2 else 'cold'} word{i % 7}" for i in range(200)]
    labels = [("hot", "ice")[(i + 1) % 2] for i in range(200)]
    frame = pd.DataFrame({"text": texts, "label": labels, "weight": [i % 3 for i in range(200)]})
    options: dict[str, Any] = {"min_count": 1, "threads": 1, "vector_dim": 8, "learning_rate": 0.5}
    table = LabeledTable(frame, "text", "label", weight="weight")
    found = TextClassifier.train(table, validation=table, epochs=9, **options)
    weights = frame["weight"].tolist()
    expected = TextClassifier.train(texts, labels, weights=weights, epochs=9, **options)
    np.testing.assert_array_equal(np.array(found.model.input), np.array(expected.model.input))
    assert found.test(table).accuracy == found.metadata["scores"]["validation_accuracy"] == 1
    with pytest.raises(ConfigError, match="the table has a column of them"):
        TextClassifier.train(table, weights=[1.0] * 200, **options)
    with pytest.raises(CorpusError, match=r"name its columns, LabeledTable\(DataFrame"):
        TextClassifier.train(frame, **options)


BROKEN: dict[str, tuple[str, str, str]] = {
    "broken JSON": ("t.jsonl", '{"source": "a", "label": 1}\n' * 6 + "{", ":7: not JSON"),
    "no object": ("t.jsonl", '\n["a"]', ":2: not a JSON object"),
    "deep JSON": ("t.jsonl", "[" * 100_000, ":1: not JSON"),
    "unknown column": ("t.jsonl", '{"source": "a", "lable": 1}', ":1: no column label; there are:"),
    "text is a number": ("t.jsonl", '{"source": 1, "label": 1}', ":1: source is 1, no text"),
    "text is null": ("t.jsonl", '{"source": null, "label": 1}', ":1: source is None, no text"),
    "label is null": ("t.jsonl", '{"source": "a", "label": null}', ":1: label is None, neither"),
    "label is true": ("t.jsonl", '{"source": "a", "label": true}', ":1: label is True, neither"),
    "label has spaces": ("t.jsonl", '{"source": "a", "label": "a b"}', "join the parts with _"),
    "label is empty": ("t.csv", "source,label\na,\n", ":2: label is '', neither"),
    "a field too few": ("t.csv", "source,label\na,b\nc\n", ":3: not the 2 fields"),
    "a field too many": ("t.csv", "source,label\na,b,c\n", ":2: not the 2 fields"),
    "an open quote": ("t.csv", 'source,label\n"a,b\n', "broken: unexpected end of data"),
    "a name twice": ("t.csv", "source,label,label\na,b,c\n", ":1: two columns have the same name"),
    "not in the header": ("t.tsv", "source,label\na,b\n", ":2: no column source"),
    "not Parquet": ("t.parquet", "PAR1", "t.parquet: not a Parquet file"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_tables(tmp_path: Path, name: str) -> None:
    file, content, message = BROKEN[name]
    with pytest.raises(CorpusError) as caught:
        list(LabeledTable(write(tmp_path / file, content)))
    assert str(caught.value).startswith(str(tmp_path / file))
    assert message in str(caught.value)


def test_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"source,label\na,b\n\xff,b\n")
    with pytest.raises(CorpusError, match=r"t\.csv:3: not UTF-8"):
        list(LabeledTable(tmp_path / "t.csv"))


@pytest.mark.parametrize("weight", ["nan", "-1", "inf", "x", "", None])
def test_weights_that_are_none(weight: Any) -> None:
    frame = {"source": ["a"], "label": ["b"], "w": [weight]}
    with pytest.raises(CorpusError, match=r"<table>:1: w is .* not a finite number from 0 up"):
        list(LabeledTable(frame, weight="w"))


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("t.txt", {}, "named with one of .csv"),
        ("t.gz", {}, "named with one of .csv"),
        ("t.csv", {"format": "xlsx"}, "one of csv, tsv, jsonl, parquet"),
        ("t.csv", {"label_separator": ""}, "one character or more"),
        ({"a": []}, {"format": "csv"}, "left out for a data frame"),
        (7, {}, "a path, a list of paths, or a data frame"),
        ([], {}, "a path, a list of paths, or a data frame"),
        ("/nowhere/t.csv", {}, "no such file"),
        ("/nowhere/t.parquet", {}, "cannot be read"),
        ({"source": ["a"], "label": []}, {}, "not of one length"),
        ({"source": ["a"]}, {}, "no column label; there are: source"),
        (pd.DataFrame({"x": ["a"]}), {}, "no column source; there are: x"),
    ],
)
def test_what_is_no_table(source: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(BrasaError, match=message):
        list(LabeledTable(source, **options))


def test_an_unknown_column_of_a_parquet_file(sources: dict[str, Any]) -> None:
    with pytest.raises(CorpusError, match="no column text; there are: title, topic, w"):
        list(LabeledTable(sources["parquet"], "text", "topic"))


def test_nothing_of_this_is_imported_before_it_is_used(tmp_path: Path) -> None:
    script = (
        "import sys, brasa.labeled_tables as t\n"
        "assert not {'pandas', 'pyarrow'} & sys.modules.keys()\n"
        "sys.modules['pyarrow'] = None\n"
        "try: list(t.LabeledTable('t.parquet'))\n"
        "except t.MissingExtraError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "pip install 'brasa[tables]'" in done.stdout
    assert issubclass(MissingExtraError, ImportError)
