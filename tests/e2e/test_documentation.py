"""The documentation says what is true: its commands and snippets are run."""

from __future__ import annotations

import importlib.util
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import brasa

if TYPE_CHECKING:
    from e2e.conftest import Run

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SAME_ON_EVERY_RUN = ("command-line.md", "hyperparameters.md")
COMMAND = re.compile(r"^\$ (.*)\n((?:[^$].*\n)*)", re.MULTILINE)
FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def snippets(page: Path) -> list[tuple[str, str]]:
    """Language and text of the fenced blocks that can be run."""
    blocks = FENCED.findall(page.read_text(encoding="utf-8"))
    return [(language, text) for language, text in blocks if language in ("python", "console")]


@pytest.mark.parametrize("page", [p for p in PAGES if snippets(p)], ids=lambda p: p.name)
def test_snippets_run(
    page: Path, corpus: Path, bash: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks of a page run one after the other, in a folder with a file corpus.txt.

    In some pages what stands below a command is what it prints, to the letter.
    """
    shutil.copy(corpus, tmp_path / "corpus.txt")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"brasa": brasa}
    for language, text in snippets(page):
        if language == "python":
            exec(compile(text, str(page), "exec"), names)
            continue
        for command, output in COMMAND.findall(text):
            done = bash(f"set -e; ({command}) 2>&1")
            assert done.returncode == 0, f"{command}\n{done.stdout}"
            if page.name in SAME_ON_EVERY_RUN:
                assert done.stdout == output, command


def test_table_of_hyperparameters_is_that_of_the_code() -> None:
    spec = importlib.util.spec_from_file_location("table", ROOT / "tools/hyperparameter_table.py")
    assert spec is not None
    assert spec.loader is not None
    table = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(table)
    page = (ROOT / "docs/hyperparameters.md").read_text(encoding="utf-8")
    assert "| `vector_dim` | int |" in page
    assert table.filled_in(page) == page, "run: make generated"


def test_links_between_pages_lead_somewhere() -> None:
    pages = [*PAGES, ROOT / "CONTRIBUTING.md"]
    for page in pages:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"
