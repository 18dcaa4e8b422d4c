"""The books on disk, the seed, and what a crash may not lose."""

import sqlite3
from pathlib import Path

import pytest
from tests.sandbox.test_sandbox_keys import FIELDS, KEYED
from tests.sandbox.worlds import World
from tests.support.sandbox import browse

from bursar_sandbox.core.books import Books, Change
from bursar_sandbox.core.ids import Ids
from bursar_sandbox.core.journal import SqliteJournal
from bursar_sandbox.core.wire import Request, Thing


async def test_a_restart_finds_everything(tmp_path: Path) -> None:
    # Objects, keys, open sessions, pending settlements and unsent webhooks survive a restart.
    journal = SqliteJournal(tmp_path / "books.db")
    before = World(journal)
    paid = await before.v1.payment_intents.create_async(FIELDS, KEYED)
    slow = await before.pay("pm_sandbox_processing_10")
    session = await before.open_checkout()
    before.advance(5)
    before.sandbox.close()

    after = World(SqliteJournal(tmp_path / "books.db"))

    assert after.sandbox.now_ms == before.now_ms + 5_000
    again = await after.v1.payment_intents.create_async(FIELDS, KEYED)
    assert again.to_dict() == paid.to_dict()
    after.advance(5)
    settled = await after.v1.payment_intents.retrieve_async(slow.id)
    assert settled.status == "succeeded"
    assert browse(after.sandbox, "GET", session.url).status == 200
    assert after.events().count("payment_intent.succeeded") == 2
    listed = await after.v1.payment_intents.list_async()
    assert [row.id for row in listed.data] == [slow.id, paid.id]
    fresh = await after.pay()
    assert fresh.id not in {paid.id, slow.id}
    after.sandbox.close()


async def test_a_refused_request_leaves_no_row(tmp_path: Path) -> None:
    # What was begun before a refusal is undone, in memory and on disk.
    journal = SqliteJournal(tmp_path / "books.db")
    world = World(journal)
    rows = [(kind, key) for kind, key, _ in journal.load()]
    body = b"amount=500&currency=usd&payment_method=pm_card_visa&confirm=true&nothing=known"
    headers = {"Authorization": "Bearer sk_test_sandbox", "Idempotency-Key": "k"}
    answer = world.sandbox.handle(Request("POST", "/v1/payment_intents", headers, body))
    assert answer.status == 400
    assert [(kind, key) for kind, key, _ in journal.load()] == rows
    world.sandbox.close()


def test_one_file_has_one_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Two processes writing one set of books would each miss the other's charges.
    monkeypatch.setattr("bursar_sandbox.core.journal.WAIT_S", 0.05)
    first = SqliteJournal(tmp_path / "books.db")
    first.write([("charge", "ch_1", {"id": "ch_1"})])
    with pytest.raises(sqlite3.OperationalError):
        SqliteJournal(tmp_path / "books.db")
    first.close()


def test_books_that_cannot_be_written_keep_what_they_had() -> None:
    # A failing disk fails the request as a whole: memory never runs ahead of the file.
    class FullDisk:
        def load(self) -> list[tuple[str, str, Thing]]:
            return [("charge", "ch_1", {"amount": 1})]

        def write(self, changes: list[Change]) -> None:
            raise OSError(changes)

        def close(self) -> None:
            return None

    books = Books(FullDisk())
    books.edit("charge", "ch_1")["amount"] = 2
    books.put("charge", "ch_2", {"amount": 3})
    with pytest.raises(OSError, match="ch_1"):
        books.commit()
    assert books.all("charge") == [{"amount": 1}]


async def test_the_same_seed_gives_the_same_run() -> None:
    # Two worlds with the same seed, clock and requests answer the same bytes.
    runs = []
    for _ in range(2):
        world = World()
        await world.v1.customers.create_async({"name": "Jo"}, {"idempotency_key": "cus_1"})
        await world.v1.payment_intents.create_async(FIELDS, KEYED)
        runs.append([delivery.body for delivery in world.deliveries()])
    assert runs[0] == runs[1]
    assert Ids("a").next("pi_") != Ids("b").next("pi_")
