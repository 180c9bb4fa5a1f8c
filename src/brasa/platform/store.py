"""All that the platform knows, in one SQLite file that a `kill -9` cannot tear.

The write-ahead log makes each change whole or absent; readers do not wait for writers. Resources
are the documents that Describe answers; a member that begins with "_" is the platform's own.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from brasa.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

Document = dict[str, Any]

_SCHEMA = """
create table if not exists resource (
    sequence integer primary key autoincrement,
    kind text not null,
    name text not null,
    created real not null,
    modified real not null,
    status text,
    parent text,
    document text not null,
    unique (kind, name)
);
create index if not exists resource_status on resource (kind, status);
create index if not exists resource_parent on resource (parent);
create table if not exists tag (
    arn text not null, key text not null, value text not null, primary key (arn, key)
) without rowid;
create table if not exists log_stream (
    id integer primary key, log_group text not null, name text not null, created integer not null,
    unique (log_group, name)
);
create table if not exists log_event (
    stream integer not null, position integer not null, timestamp integer not null,
    message text not null, primary key (stream, position)
) without rowid;
"""


class Store:
    """The file, opened once by a platform and used by all its threads.

    Parameters
    ----------
    path : Path

    Raises
    ------
    StorageError
        When the file cannot be opened, is no such file, or another platform has it open.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._closed = False
        try:
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._connection.execute("pragma journal_mode = wal")
            self._connection.execute("pragma synchronous = normal")
            self._connection.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise StorageError(path, f"cannot be opened as the platform's state: {error}") from None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._closed = True
            self._connection.close()

    def _check_open(self) -> None:
        """Hold threads that outlive the platform until the process ends, a moment later.

        What they would write then is only that parts of the platform are gone.
        """
        if self._closed:
            self._lock.release()
            threading.Event().wait()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All that is written inside takes effect together, or not at all."""
        with self._lock:
            self._check_open()
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("begin immediate")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")

    def _rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            self._check_open()
            return self._connection.execute(query, values).fetchall()

    # Resources

    def get(self, kind: str, name: str) -> Document | None:
        """One resource's document."""
        query = "select document from resource where kind = ? and name = ?"
        found = self._rows(query, (kind, name))
        return json.loads(found[0][0]) if found else None

    def add(
        self, kind: str, name: str, document: Document, *, status: str | None, parent: str = ""
    ) -> bool:
        """Keep a new resource; False when the name is taken."""
        now = document["CreationTime"]
        with self.transaction() as connection:
            done = connection.execute(
                "insert or ignore into resource "
                "(kind, name, created, modified, status, parent, document) "
                "values (?, ?, ?, ?, ?, ?, ?)",
                (kind, name, now, now, status, parent, json.dumps(document)),
            )
            return done.rowcount == 1

    def change(
        self, kind: str, name: str, change: Callable[[Document], str | None]
    ) -> Document | None:
        """Change a resource's document in place; `change` returns its status.

        None when there is no such resource (any more).
        """
        with self.transaction() as connection:
            document = self.get(kind, name)
            if document is None:
                return None
            status = change(document)
            now = time.time()
            document["LastModifiedTime"] = now
            connection.execute(
                "update resource set document = ?, status = ?, modified = ? "
                "where kind = ? and name = ?",
                (json.dumps(document), status, now, kind, name),
            )
            return document

    def remove(self, kind: str, name: str) -> Document | None:
        """Forget a resource, and its tags; its document, or None when there was none."""
        with self.transaction() as connection:
            document = self.get(kind, name)
            if document is not None:
                connection.execute("delete from resource where kind = ? and name = ?", (kind, name))
                connection.execute("delete from tag where arn = ?", (document["_arn"],))
            return document

    def documents(
        self, kind: str, statuses: Sequence[str] = (), parent: str | None = None
    ) -> list[Document]:
        """Resources of a kind in the order in which they were made."""
        query, values = "select document from resource where kind = ?", [kind]
        if statuses:
            query += f" and status in ({', '.join('?' * len(statuses))})"
            values += statuses
        if parent is not None:
            query += " and parent = ?"
            values.append(parent)
        return [json.loads(text) for (text,) in self._rows(query + " order by sequence", values)]

    # Tags

    def tags(self, arn: str) -> dict[str, str]:
        """Tags of a resource."""
        return dict(self._rows("select key, value from tag where arn = ? order by key", (arn,)))

    def put_tags(self, arn: str, tags: dict[str, str]) -> None:
        """Add tags, or replace those of the same keys."""
        with self.transaction() as connection:
            connection.executemany(
                "insert or replace into tag values (?, ?, ?)",
                [(arn, key, value) for key, value in tags.items()],
            )

    def remove_tags(self, arn: str, keys: Sequence[str]) -> None:
        """Forget tags."""
        with self.transaction() as connection:
            connection.executemany(
                "delete from tag where arn = ? and key = ?", [(arn, key) for key in keys]
            )

    # Logs

    def log_stream(self, group: str, name: str) -> int:
        """Number of a stream, which is made when it is not there."""
        with self.transaction() as connection:
            connection.execute(
                "insert or ignore into log_stream (log_group, name, created) values (?, ?, ?)",
                (group, name, int(time.time() * 1000)),
            )
        return self.find_stream(group, name) or 0

    def find_stream(self, group: str, name: str) -> int | None:
        """Number of a stream, or None."""
        query = "select id from log_stream where log_group = ? and name = ?"
        found = self._rows(query, (group, name))
        return int(found[0][0]) if found else None

    def log_groups(self) -> list[str]:
        """Groups that have streams."""
        query = "select distinct log_group from log_stream order by log_group"
        return [group for (group,) in self._rows(query)]

    def log_streams(self, group: str, prefix: str = "") -> list[tuple[int, str, int]]:
        """Number, name and time of creation (ms) of a group's streams, by name."""
        return self._rows(
            "select id, name, created from log_stream "
            "where log_group = ? and substr(name, 1, ?) = ? order by name",
            (group, len(prefix), prefix),
        )

    def log(self, stream: int, events: Sequence[tuple[int, str]]) -> None:
        """Append (ms, line) to a stream."""
        with self.transaction() as connection:
            (first,) = connection.execute(
                "select coalesce(max(position) + 1, 0) from log_event where stream = ?", (stream,)
            ).fetchone()
            connection.executemany(
                "insert into log_event values (?, ?, ?, ?)",
                [(stream, first + i, ms, line) for i, (ms, line) in enumerate(events)],
            )

    def log_events(
        self, stream: int, start: int, limit: int, since: int = 0, until: int = 2**62
    ) -> list[tuple[int, int, str]]:
        """Position, ms and line of events from a position on, with since <= ms < until."""
        return self._rows(
            "select position, timestamp, message from log_event where stream = ? "
            "and position >= ? and timestamp >= ? and timestamp < ? order by position limit ?",
            (stream, start, since, until, limit),
        )

    def log_length(self, stream: int) -> int:
        """Number of events in a stream."""
        query = "select coalesce(max(position) + 1, 0) from log_event where stream = ?"
        return int(self._rows(query, (stream,))[0][0])
