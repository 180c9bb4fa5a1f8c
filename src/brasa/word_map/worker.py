"""The process that makes a map: ``python -m brasa.word_map.worker MODEL METHOD FOLDER [LOCK]``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from brasa import formats
from brasa.errors import BrasaError
from brasa.parameters import Embeddings
from brasa.word_map.layout import lay_out
from brasa.word_map.store import MapStore


def main(path: str, method: str, folder: str, held: str | None = None) -> None:
    """Compute a map, unless another process does, and keep it.

    `held` is the open file of the lock, from a parent that holds it.
    """
    embeddings = formats.open_model(path)
    if not isinstance(embeddings, Embeddings):
        raise SystemExit(f"{path} is no model of word vectors")
    store = MapStore(embeddings, path, method, Path(folder))
    lock = store.hold() if held is None else int(held)
    if lock is None:
        return
    try:
        store.write(lay_out(embeddings, method, progress=store.tell))
    except (BrasaError, MemoryError, OSError, ValueError) as error:
        store.tell(0.0, str(error) or type(error).__name__)
    finally:
        os.close(lock)


if __name__ == "__main__":
    os.nice(10)  # the server's requests come first
    main(*sys.argv[1:])
