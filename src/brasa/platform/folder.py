"""The platform's folder: its keys, its state, and a lock that keeps a second platform out."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING

from brasa.errors import StorageError
from brasa.formats.storage import new_file

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = "000000000000"
ROLE = "AmazonSageMaker-ExecutionRole"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/service-role/{ROLE}"
_KEY_LETTERS = string.ascii_uppercase + "234567"


@dataclass(frozen=True)
class KeyPair:
    """An access key and its secret."""

    access_key: str
    secret_key: str


class DataFolder:
    """Where a platform keeps everything; made when it is not there, readable by its owner only.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(path, f"cannot be made: {error.strerror}") from None
        self._lock: int | None = None

    def lock(self) -> None:
        """Keep others out for as long as this process lives.

        Raises
        ------
        StorageError
            When another platform runs in this folder.
        """
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise StorageError(
                self.path, "another platform runs in this folder: give --data another one"
            ) from None
        self._lock = descriptor

    def keys(self) -> list[KeyPair]:
        """The platform's key pairs; the first is made when there are none.

        Raises
        ------
        StorageError
            When `keys.json` cannot be read as such.
        """
        file = self.path / "keys.json"
        if not file.exists():
            access_key = "AKIA" + "".join(secrets.choice(_KEY_LETTERS) for _ in range(16))
            pair = {"access_key": access_key, "secret_key": secrets.token_urlsafe(30)}
            self._write(file, json.dumps([pair], indent=1))
        try:
            return [KeyPair(p["access_key"], p["secret_key"]) for p in json.loads(file.read_text())]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StorageError(file, f"is no list of key pairs: {error!r}") from None

    def address(self) -> str | None:
        """Where the platform of this folder listens or last listened."""
        file = self.path / "address"
        return file.read_text().strip() if file.exists() else None

    def set_address(self, url: str) -> None:
        """Tell `brasa platform env` where the platform listens."""
        self._write(self.path / "address", url + "\n")

    def _write(self, file: Path, text: str) -> None:
        old = os.umask(0o077)
        try:
            with new_file(file) as stream:
                stream.write(text.encode())
        finally:
            os.umask(old)
