"""Write the tables of docs/hyperparameters.md anew from the fields in brasa/config.py."""

from __future__ import annotations

import dataclasses
import re
import sys
import typing
from pathlib import Path

from brasa.cli.options import limits
from brasa.config import TextClassifierConfig, TextOptions, WordVectorsConfig, choices, optional_of

MARKED = re.compile(r"(<!-- fields of (\w+) -->\n).*?(<!-- end -->\n)", re.DOTALL)


def table(config: type) -> str:
    """A Markdown table of a config dataclass."""
    hints = typing.get_type_hints(config)
    rows = ["| name | type | default and range | meaning |", "|---|---|---|---|"]
    for field in dataclasses.fields(config):
        kind, _ = optional_of(hints[field.name])
        values = choices(kind)
        type_name = " \\| ".join(values) if values else kind.__name__
        bounds = limits(field, hints[field.name]).strip("[]")
        rows.append(f"| `{field.name}` | {type_name} | {bounds} | {field.metadata['help']} |")
    return "\n".join(rows) + "\n"


def filled_in(page: str) -> str:
    """The page with its tables as the dataclasses have them now."""
    tables = {c.__name__: table(c) for c in (WordVectorsConfig, TextClassifierConfig, TextOptions)}
    return MARKED.sub(lambda match: match[1] + tables[match[2]] + match[3], page)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(filled_in(path.read_text(encoding="utf-8")), encoding="utf-8")
