"""Maps on disk: made once, in a process of their own, and kept for every server of the model."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
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
_RETRY_S = 60.0  # a failure is told for so long: its cause may be gone then


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
        """How far the map is; it is begun when nobody has, and again some time after a failure."""
        if self._content() is not None:
            return MapState("ready", 1.0)
        progress, error = self._told()
        if error is not None:
            return MapState("failed", progress, error)
        try:
            lock = self.hold()
            if lock is not None:
                if self._content() is not None:  # kept between the two looks
                    os.close(lock)
                    return MapState("ready", 1.0)
                progress = 0.0
                self._begin(lock)
        except OSError as failure:
            reason = failure.strerror or type(failure).__name__
            place = f"{self._path.parent} cannot be used: {reason}"
            return MapState("failed", 0.0, f"{place}; XDG_CACHE_HOME names another folder")
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

    def _told(self) -> tuple[float, str | None]:
        try:
            found = json.loads(self._status.read_text())
            progress, error = float(found["progress"]), found["error"]
            is_old = time.time() - self._status.stat().st_mtime > _RETRY_S
        except (OSError, ValueError, KeyError, TypeError):
            return 0.0, None
        return progress, None if error is None or is_old else str(error)

    def _begin(self, lock: int) -> None:
        """Start the process, which shares the lock from its first moment to its last."""
        command = [sys.executable, "-m", "brasa.word_map.worker", self._model_path, self.method]
        try:
            self.tell(0.0)
            process = subprocess.Popen(
                [*command, str(self._path.parent), str(lock)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # it goes on when the server is stopped: the map is kept
                pass_fds=[lock],
            )
        except OSError:
            os.close(lock)
            raise
        threading.Thread(target=self._wait, args=(process, lock), daemon=True).start()

    def _wait(self, process: subprocess.Popen[bytes], lock: int) -> None:
        """Leave no zombie, and say so when the process left neither a map nor a reason."""
        code = process.wait()
        try:
            if self._content() is None and self._told()[1] is None:
                reason = "was the model moved, changed or out of memory?"
                self.tell(0.0, f"the process that makes the map ended with {code}: {reason}")
        except OSError:
            pass  # the folder is gone: the next one who asks is told
        finally:
            os.close(lock)

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
