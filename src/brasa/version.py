"""The version, where finding the installed package's would take 30 ms."""

from __future__ import annotations

VERSION = "0.1.0"
