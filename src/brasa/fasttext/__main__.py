"""``python -m brasa.fasttext`` is the program ``brasa fasttext``."""

from __future__ import annotations

import sys

from brasa.fasttext.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
