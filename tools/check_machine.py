"""Say what this machine lacks for building brasa, before anything is installed.

Old Pythons must be able to run it, to say that they are too old: no new syntax here.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from typing import Iterator

PROGRAM = "int main() { auto twice = []<class T>(T x) { return x + x; }; return twice(0); }"


def has_compiler() -> bool:
    """Whether the C++ compiler that CMake will take understands C++20."""
    compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")
    if not compiler or not shutil.which(compiler.split()[0]):
        return False
    command = [*compiler.split(), "-std=c++20", "-x", "c++", "-fsyntax-only", "-"]
    return succeeds(command, PROGRAM)


def succeeds(command: "list[str]", text: str = "") -> bool:
    done = subprocess.run(command, input=text.encode(), stderr=subprocess.DEVNULL, check=False)
    return done.returncode == 0


def missing() -> "Iterator[str]":
    """One line for each thing that is missing, with what to install."""
    python = "python%d.%d" % sys.version_info[:2]
    if sys.version_info < (3, 11):
        yield (
            "Python 3.11 or newer; `%s` is %s. Name another one: make PYTHON=python3.12 ..."
            % (sys.executable, sys.version.split()[0])
        )
        return
    if not succeeds([sys.executable, "-c", "import venv, ensurepip"]):
        yield "Python's venv module with ensurepip: apt-get install %s-venv" % python
    header = os.path.join(sysconfig.get_path("include"), "Python.h")
    if not os.path.exists(header):
        yield "Python's headers (%s): apt-get install %s-dev" % (header, python)
    if not has_compiler():
        yield "a C++20 compiler, as g++ 11 or newer: apt-get install g++"


def main() -> None:
    lacks = list(missing())
    for line in lacks:
        sys.stderr.write("brasa needs " + line + "\n")
    sys.exit(2 if lacks else 0)


if __name__ == "__main__":
    main()
