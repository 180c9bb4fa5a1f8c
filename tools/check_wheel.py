"""Check that a wheel has all that an installed brasa needs, and nothing else."""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Where the compiled module stands beside its types.
NATIVE = re.compile(r"brasa/_native\.[\w-]+\.so")


def main(wheel: str) -> None:
    package = ROOT / "src"
    expected = {
        path.relative_to(package).as_posix()
        for path in (package / "brasa").rglob("*")
        if path.is_file() and path.suffix not in (".pyc", ".so")
    }
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    native = {name for name in names if NATIVE.fullmatch(name)}
    if len(native) != 1:
        sys.exit(f"{wheel}: one compiled module was expected, found {sorted(native)}")
    if names - native != expected:
        missing, added = sorted(expected - names), sorted(names - native - expected)
        sys.exit(f"{wheel}: missing {missing}, not expected {added}")
    licenses = [n for n in zipfile.ZipFile(wheel).namelist() if ".dist-info/licenses/" in n]
    if len(licenses) != 3:
        sys.exit(f"{wheel}: three licence texts were expected, found {licenses}")
    print(f"{Path(wheel).name}: {len(names)} files, {Path(wheel).stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main(*sys.argv[1:])
