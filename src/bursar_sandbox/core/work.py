"""One request's view of the books: the moment it happens, fresh ids, rows, events and later acts.

Every room receives a `Work` and nothing else, so that time, chance and telling the world of a
change all go through one place.
"""

from dataclasses import dataclass

from bursar_sandbox.core import outbox
from bursar_sandbox.core.books import Books, copied
from bursar_sandbox.core.ids import Ids
from bursar_sandbox.core.refusals import no_such
from bursar_sandbox.core.wire import Thing

API_VERSION = "2026-10-28.endive"
DUE = "_due"


@dataclass(slots=True)
class Work:
    """The books as one request may see and change them."""

    books: Books
    ids: Ids
    now_ms: int
    public_url: str
    api_version: str = API_VERSION
    request_id: str | None = None
    idempotency_key: str | None = None

    @property
    def now(self) -> int:
        """Epoch seconds, the unit of every published timestamp."""
        return self.now_ms // 1000

    def get(self, kind: str, key: str) -> Thing | None:
        return self.books.get(kind, key)

    def find(self, kind: str, key: str, param: str = "id", status: int = 404) -> Thing:
        """The row, read only.

        Raises:
            Refusal: the books do not know the id.
        """
        row = self.books.get(kind, key)
        if row is None:
            raise no_such(kind.replace(".", "_"), key, param, status)
        return row

    def edit(self, kind: str, key: str) -> Thing:
        return self.books.edit(kind, key)

    def add(self, row: Thing) -> Thing:
        """Book a new object under its own kind and id."""
        self.books.put(row["object"], row["id"], row)
        return row

    def all(self, kind: str) -> list[Thing]:
        return self.books.all(kind)

    def emit(self, name: str, row: Thing, previous: Thing | None = None) -> Thing:
        """Tell the world: one event in the books, one delivery for each endpoint."""
        told: Thing = {"object": copied(public(row))}
        if previous is not None:
            told["previous_attributes"] = previous
        event: Thing = {
            "id": self.ids.next("evt_"),
            "object": "event",
            "api_version": self.api_version,
            "created": self.now,
            "data": told,
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": self.request_id, "idempotency_key": self.idempotency_key},
            "type": name,
        }
        event["pending_webhooks"] = outbox.enqueue(self.books, self.ids, event, self.now_ms)
        return self.add(event)

    def schedule(self, act: str, subject: str, *, after_s: int) -> None:
        """Ask for `act` on `subject` once the sandbox's clock has passed `after_s` seconds.

        A second request for the same act and subject replaces the first.
        """
        key = f"{act}:{subject}"
        due_ms = self.now_ms + after_s * 1000
        self.books.put(DUE, key, {"act": act, "subject": subject, "due_ms": due_ms})

    def unschedule(self, act: str, subject: str) -> None:
        self.books.drop(DUE, f"{act}:{subject}")


def public(row: Thing) -> Thing:
    """The row without the sandbox's own notes, whose names start with an underscore."""
    return {key: value for key, value in row.items() if not key.startswith("_")}
