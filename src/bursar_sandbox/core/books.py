"""The sandbox's books: JSON rows by kind and id, changed one whole request at a time.

The working set is in memory; a journal, when there is one, receives every committed request in one
transaction. A row handed out by `get` is read, never changed; `edit` gives the one to change.
"""

from collections.abc import Iterable
from typing import Protocol

import msgspec

from bursar_sandbox.core.wire import Thing

Change = tuple[str, str, Thing | None]


class Journal(Protocol):
    """Where committed rows survive a restart."""

    def load(self) -> Iterable[tuple[str, str, Thing]]: ...

    def write(self, changes: list[Change]) -> None: ...

    def close(self) -> None: ...


class Books:
    """Every row of the sandbox, oldest first within a kind."""

    def __init__(self, journal: Journal | None = None) -> None:
        self._rows: dict[str, dict[str, Thing]] = {}
        self._before: dict[tuple[str, str], Thing | None] = {}
        self._journal = journal
        for kind, key, row in journal.load() if journal else ():
            self._rows.setdefault(kind, {})[key] = row

    def get(self, kind: str, key: str) -> Thing | None:
        return self._rows.get(kind, {}).get(key)

    def all(self, kind: str) -> list[Thing]:
        """Every row of a kind, in the order they were added."""
        return list(self._rows.get(kind, {}).values())

    def first(self, kind: str) -> tuple[str, Thing] | None:
        """The oldest row of a kind, with its key."""
        return next(iter(self._rows.get(kind, {}).items()), None)

    def edit(self, kind: str, key: str) -> Thing:
        """The row, to be changed in place until the request commits or rolls back."""
        row = self._rows[kind][key]
        if (kind, key) not in self._before:
            self._before[kind, key] = copied(row)
        return row

    def put(self, kind: str, key: str, row: Thing) -> None:
        rows = self._rows.setdefault(kind, {})
        self._before.setdefault((kind, key), rows.get(key))
        rows[key] = row

    def drop(self, kind: str, key: str) -> None:
        row = self._rows.get(kind, {}).pop(key, None)
        if row is not None:
            self._before.setdefault((kind, key), row)

    @property
    def is_changed(self) -> bool:
        return bool(self._before)

    def commit(self) -> None:
        """Make the request's changes final."""
        if self._journal and self._before:
            try:
                self._journal.write([(k, i, self.get(k, i)) for k, i in self._before])
            except BaseException:
                self.rollback()
                raise
        self._before.clear()

    def rollback(self) -> None:
        """Forget the request's changes."""
        for (kind, key), row in self._before.items():
            if row is None:
                self._rows[kind].pop(key, None)
            else:
                self._rows[kind][key] = row
        self._before.clear()

    def clear(self, *kept: str) -> None:
        """Drop every row but those of the kinds kept; the next commit makes it final."""
        for kind in self._rows.keys() - set(kept):
            for key in list(self._rows[kind]):
                self.drop(kind, key)

    def close(self) -> None:
        if self._journal:
            self._journal.close()


def copied(row: Thing) -> Thing:
    """A deep copy; JSON is what rows are made of, so JSON copies them fastest."""
    fresh: Thing = msgspec.json.decode(msgspec.json.encode(row))
    return fresh
