"""Maps on disk: made once, in a process of their own, and kept for every server of the model."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from brasa.formats.storage import new_file
from brasa.word_map.layout import MAX_WORDS, WordMap

if TYPE_CHECKING:
    from brasa.parameters import Embeddings

_VERSION = 1  # of the layout: another one is another map
_BYTES_PER_WORD = 9  # two float32 and a byte


@dataclass(frozen=True)
class MapState:
    """Whether a map is there.

    Attributes
    ----------
    state : {"ready", "computing", "failed"}
    progress : float
        From 0 to 1.
    error : str or None
    """

    state: Literal["ready", "computing", "failed"]
    progress: float = 0.0
    error: str | None = None


class MapStore:
    """The map of one model by one method.

    Parameters
    ----------
    embeddings : Embeddings
    model_path : str
        Where the process that computes it loads the model from.
    method : {"pca", "umap"}
    folder : path, optional
        Default: ``brasa/maps`` in the user's cache folder.
    """

    def __init__(
        self, embeddings: Embeddings, model_path: str, method: str, folder: Path | None = None
    ) -> None:
        self.n_words = min(len(embeddings.vocabulary), MAX_WORDS)
        self.version = digest(embeddings)
        self.method = method
        self._model_path = model_path
        folder = folder or cache_folder()
        self._path = folder / f"{self.version}-{method}-{_VERSION}.map"
        self._status = self._path.with_suffix(".status")
        self._lock = self._path.with_suffix(".lock")

    def state(self) -> MapState:
        """How far the map is; it is begun when nobody has."""
        if self._content() is not None:
            return MapState("ready", 1.0)
        try:
            found = json.loads(self._status.read_text())
            progress, error = float(found["progress"]), found["error"]
        except (OSError, ValueError, KeyError, TypeError):
            progress, error = 0.0, None
        if error is not None:
            return MapState("failed", progress, str(error))
        if not self._is_at_work():
            self._begin()
        return MapState("computing", progress)

    def points(self) -> bytes | None:
        """X and y of each word, little-endian float32, then a cluster of each, uint8; or None."""
        return self._content()

    def write(self, found: WordMap) -> None:
        """Keep a map."""
        points = np.ascontiguousarray(found.points, "<f4").tobytes()
        with new_file(self._path) as file:
            file.write(points + found.cluster.tobytes())
        self._status.unlink(missing_ok=True)

    def tell(self, progress: float, error: str | None = None) -> None:
        """Say how far the map is, or why there is none."""
        temporary = self._status.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps({"progress": progress, "error": error}))
        temporary.replace(self._status)

    def hold(self) -> int | None:
        """Take the right to compute the map, a file to close at the end; None when it is taken."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            return None
        return file

    def _is_at_work(self) -> bool:
        file = self.hold()
        if file is None:
            return True
        os.close(file)
        return False

    def _begin(self) -> None:
        self.tell(0.0)
        command = [sys.executable, "-m", "brasa.word_map.worker", self._model_path, self.method]
        process = subprocess.Popen(
            [*command, str(self._path.parent)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # it goes on when the server is stopped: the map is kept
        )
        threading.Thread(target=process.wait, daemon=True).start()  # leaves no zombie

    def _content(self) -> bytes | None:
        try:
            content = self._path.read_bytes()
        except OSError:
            return None
        is_whole = len(content) == self.n_words * _BYTES_PER_WORD
        return content if is_whole and self._is_finite(content) else None

    def _is_finite(self, content: bytes) -> bool:
        return bool(np.isfinite(np.frombuffer(content, "<f4", 2 * self.n_words)).all())


def cache_folder() -> Path:
    """Where maps are kept: ``$XDG_CACHE_HOME/brasa/maps``."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "brasa" / "maps"


def digest(embeddings: Embeddings) -> str:
    """A name for a model's words and vectors: of the words all, of the vectors a sample.

    All of a gigabyte would take a second at each start.
    """
    vocabulary = embeddings.vocabulary
    n = len(vocabulary)
    rows = np.linspace(0, max(n - 1, 0), min(n, 1000)).astype(np.int64)
    found = hashlib.blake2b(digest_size=16)
    found.update(json.dumps([n, embeddings.config.vector_dim]).encode())
    found.update(np.ascontiguousarray(vocabulary.offsets[:: max(n // 10_000, 1)]).tobytes())
    found.update(np.ascontiguousarray(vocabulary.arena[: 1 << 22]).tobytes())
    for row in rows.tolist():
        found.update(np.ascontiguousarray(embeddings.input[row]).tobytes())
    return found.hexdigest()
