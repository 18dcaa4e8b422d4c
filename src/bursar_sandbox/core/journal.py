"""The books on disk: one SQLite file that receives every committed request in one transaction.

A killed process loses nothing it has answered, and a second process is kept out while one is in.
"""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

import msgspec

from bursar_sandbox.core.books import Change
from bursar_sandbox.core.wire import Thing

WAIT_S = 5.0
SCHEMA = "CREATE TABLE IF NOT EXISTS rows (kind TEXT, key TEXT, body BLOB, PRIMARY KEY (kind, key))"
SAVE = (
    "INSERT INTO rows (kind, key, body) VALUES (?, ?, ?) "
    "ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body"
)


class SqliteJournal:
    """Rows in one file, in the order they were first written."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = NORMAL"):
            self._file.execute(f"PRAGMA {pragma}")
        self._file.execute(SCHEMA)

    def load(self) -> Iterable[tuple[str, str, Thing]]:
        """Every row, oldest first."""
        for kind, key, body in self._file.execute(
            "SELECT kind, key, body FROM rows ORDER BY rowid"
        ):
            yield kind, key, msgspec.json.decode(body)

    def write(self, changes: list[Change]) -> None:
        """Make one request's changes durable, all or none."""
        saved = [
            (kind, key, msgspec.json.encode(row)) for kind, key, row in changes if row is not None
        ]
        dropped = [(kind, key) for kind, key, row in changes if row is None]
        self._file.execute("BEGIN IMMEDIATE")
        try:
            self._file.executemany("DELETE FROM rows WHERE kind = ? AND key = ?", dropped)
            self._file.executemany(SAVE, saved)
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")

    def close(self) -> None:
        self._file.close()
