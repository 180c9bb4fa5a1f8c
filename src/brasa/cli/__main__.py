"""``python -m brasa.cli`` is the same program as ``brasa``."""

from __future__ import annotations

from brasa.cli.app import main

if __name__ == "__main__":
    main()
