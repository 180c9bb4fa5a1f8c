"""The command line: one module for each group of commands. Parse, call, print."""

from __future__ import annotations

from brasa.cli.app import main

__all__ = ["main"]
