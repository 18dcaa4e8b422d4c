"""Named queries: SQL is text in a `.sql` file beside the Python that maps it.

A file holds queries headed by `-- name: query_name`; they become attributes of the object that
`beside(__file__)` gives. Nothing builds SQL from parts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MARK: Final = "-- name:"


@dataclass(frozen=True, slots=True)
class Query:
    """One statement and the name it goes by."""

    name: str
    text: str


class Queries:
    """The queries of one file, by attribute."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queries = {query.name: query for query in _parsed(path)}

    def __getattr__(self, name: str) -> Query:
        try:
            return self._queries[name]
        except KeyError:
            raise AttributeError(f"{self._path.name} has no query {name}") from None

    def __iter__(self) -> Iterator[Query]:
        return iter(self._queries.values())


def beside(python_file: str, *, room: str = "") -> Queries:
    """The queries of the `.sql` file with the same stem, or of `<stem>_<room>.sql`."""
    path = Path(python_file)
    return Queries(path.with_name(f"{path.stem}_{room}.sql" if room else f"{path.stem}.sql"))


def _parsed(path: Path) -> Iterator[Query]:
    seen: set[str] = set()
    for block in path.read_text("utf-8").split(_MARK)[1:]:
        name, _, text = block.partition("\n")
        name = name.strip()
        assert name.isidentifier(), f"{path.name}: {name!r} is not a name"
        assert name not in seen, f"{path.name}: {name} stands twice"
        seen.add(name)
        yield Query(name, text.strip().removesuffix(";"))
