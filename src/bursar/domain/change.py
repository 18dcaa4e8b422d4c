"""A decision is a value: what should become true, all of it or none.

Domain rules return a `Change`; `store.apply` is the only writer of one. Whoever reads a rule sees
every effect it has: the rows, the accounting, the facts told, the work left for later.
"""

from msgspec import Struct

from bursar.domain.agenda import Due, Undue
from bursar.domain.events import Event, Row
from bursar.domain.ledger import Posting
from bursar.domain.pending_lines import Pending
from bursar.domain.tasks import Task


class Change(Struct, frozen=True):
    """Rows to write, postings to book, facts to tell, work now and later, lines for invoices."""

    rows: tuple[Row, ...] = ()
    postings: tuple[Posting, ...] = ()
    events: tuple[Event, ...] = ()
    tasks: tuple[Task, ...] = ()
    agenda: tuple[Due | Undue, ...] = ()
    pending: tuple[Pending, ...] = ()

    def beside(self, other: "Change") -> "Change":
        """Both of them, as one decision; no row is in both."""
        assert not {row.id for row in self.rows} & {row.id for row in other.rows}
        parts = self.__struct_fields__
        return Change(*(getattr(self, part) + getattr(other, part) for part in parts))

    def __post_init__(self) -> None:
        told = {event.subject.id for event in self.events}
        for row in self.rows:
            assert row.id in told, f"a change of {row.id} tells no event"
