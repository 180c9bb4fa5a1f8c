"""How results are printed, and which words are asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def print_json(value: Any) -> None:
    """Print a value as one line of JSON."""
    click.echo(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogateescape"))


def print_line(text: str) -> None:
    """Print a line; words that are not UTF-8 come out as the bytes they were."""
    click.echo(text.encode("utf-8", "surrogateescape"))


def print_table(rows: Iterable[Sequence[str]]) -> None:
    """Print rows in columns, the first to the left, the others to the right."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        print_line("  ".join(cells).rstrip())


def words_of(arguments: Sequence[str]) -> list[str]:
    """The words asked for: the arguments, or for ``-`` the words on standard input."""
    if tuple(arguments) != ("-",):
        return list(arguments)
    # bytes.split: at ASCII white space only, as the training text is split
    return [word.decode("utf-8", "surrogateescape") for word in sys.stdin.buffer.read().split()]
