"""Run by an SDK's own Python: NOTEBOOK, a notebook's text; its code cells run here, verbatim."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

_MARK = "In [None]:\n"


def cells(text: str) -> list[str]:
    """Code follows each mark: the paragraphs that Python takes, up to the first of prose."""
    found = []
    for part in text.split(_MARK)[1:]:
        code: list[str] = []
        for paragraph in part.split("\n\n"):
            heading = paragraph.lstrip().startswith(("#", "---", "*")) and code
            if heading or not _is_code(paragraph):
                break
            code.append(paragraph)
        found.append("\n\n".join(code).strip())
    return found


def _is_code(paragraph: str) -> bool:
    lines = [line for line in paragraph.splitlines() if not line.startswith("!")]
    try:
        compile("\n".join(lines), "cell", "exec")
    except SyntaxError:
        return False
    return True


def main() -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    for i, cell in enumerate(cells(Path(sys.argv[1]).read_text(encoding="utf-8"))):
        lines = cell.splitlines()
        shell = [line[1:] for line in lines if line.startswith("!")]
        for command in shell:
            subprocess.run(command, shell=True, check=True)
        python = "\n".join(line for line in lines if not line.startswith("!"))
        exec(compile(python, f"cell {i}", "exec"), names)
    assert len(names["vecs"]) == 2
    print("vectors of", [len(v["vector"]) for v in names["vecs"]], any(names["vecs"][1]["vector"]))


if __name__ == "__main__":
    main()
