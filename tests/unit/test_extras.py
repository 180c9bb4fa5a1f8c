from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"MissingExtraError\([^,()]+, \"(\w+)\"|brasa\[([\w,]+)\]")


def test_extras_that_messages_and_documents_name_can_be_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    texts = [*(ROOT / "src/brasa").rglob("*.py"), *(ROOT / "docs").glob("*.md"), ROOT / "README.md"]
    named = {
        extra
        for path in texts
        for found in NAMED.findall(path.read_text())
        for extra in "".join(found).split(",")
    }
    assert {"notebook", "gpu", "zstd"} <= named
    assert named <= set(project["optional-dependencies"])
