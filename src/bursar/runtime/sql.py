"""Named queries: SQL is text in a `.sql` file beside the Python that maps it.

A file holds queries headed by `-- name: query_name`; they become attributes of the object that
`beside(__file__)` gives. Nothing builds SQL from parts; a list, which is written newest first, may
be read from its other end.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from msgspec import Struct

from bursar.domain.paging import Page

_MARK: Final = "-- name:"
_ONWARD: Final = re.compile(r"(?<=\bid )<(?= \$[0-9])")
_NEWEST: Final = re.compile(r"(?<=\bid) DESC(?= LIMIT \$[0-9])")


class Query(Struct, frozen=True, eq=False):
    """One statement and the name it goes by; it is itself only, however alike another is."""

    name: str
    text: str

    def along(self, page: Page) -> "Query":
        """A list, which goes by id and is written newest first, in the order of this window."""
        return _from_the_other_end(self) if page.is_oldest_first else self


@cache
def _from_the_other_end(listed: Query) -> Query:
    """The same rows oldest first: its one comparison and its one order are turned around."""
    text, compared = _ONWARD.subn(">", listed.text)
    text, ordered = _NEWEST.subn("", text)
    assert (compared, ordered) == (1, 1), f"{listed.name} is no list that goes by id"
    return Query(listed.name, text)


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
