"""A superuser changes, deletes or reorders the books or the log: `verify` names what was touched.

No grant, trigger or foreign key stops them here. Balanced fraud counts too: an amount changed on
both sides, a posting made up whole, two entries that trade places.
"""

from dataclasses import dataclass

import asyncpg
import pytest
from tests.support.world import Org, World

from bursar.domain.ids import uuid_of
from bursar.domain.transfers import Transfer
from bursar.operations.transfers import PostTransfer, post_transfer
from bursar.reads.verify import checks


@dataclass(frozen=True)
class Scene:
    """An organization in which one wallet has paid another, twice."""

    org: Org
    first: Transfer
    second: Transfer


async def a_scene(world: World) -> Scene:
    org = await world.org()
    sender, receiver = await org.wallet(1_000), await org.wallet()
    command = PostTransfer(from_wallet_id=sender.id, to_wallet_id=receiver.id, amount_minor=300)
    made = [await org.caller.run(post_transfer, command) for _ in range(2)]
    await world.seal()
    return Scene(org, made[0], made[1])


POSTING = """(
    SELECT id FROM ledger_transactions
    WHERE org_id = $1 AND kind = 'transfer_credited' AND source_id = $2
)"""
ENTRIES = f"org_id = $1 AND transaction_id = {POSTING}"
POSTED = f"org_id = $1 AND id = {POSTING}"
EVENT = "org_id = $1 AND type = 'transaction.credited' AND 'txn_' || resource_id = $2"
WALLET, TRANSFER, POSTED_AS = "wallet:", "txn_", "led_"

# What is done, in SQL, and how the name of what was touched begins.
TAMPERINGS: dict[str, tuple[str, str]] = {
    "one side of a posting": (
        f"UPDATE ledger_entries SET amount_minor = 7 WHERE {ENTRIES} AND position = 1",
        POSTED_AS,
    ),
    "both sides of a posting": (
        f"UPDATE ledger_entries SET amount_minor = amount_minor * 2 WHERE {ENTRIES}",
        WALLET,
    ),
    "an entry deleted": (
        f"DELETE FROM ledger_entries WHERE {ENTRIES} AND position = 1",
        POSTED_AS,
    ),
    "a posting deleted": (
        f"""WITH p AS (DELETE FROM ledger_transactions WHERE {POSTED} RETURNING id)
        DELETE FROM ledger_entries AS e USING p WHERE e.org_id = $1 AND e.transaction_id = p.id""",
        TRANSFER,
    ),
    "a posting without its entries": (
        f"DELETE FROM ledger_entries WHERE {ENTRIES}",
        POSTED_AS,
    ),
    "an entry moved to another account": (
        f"""UPDATE ledger_entries SET account_id = (
            SELECT id FROM ledger_accounts WHERE org_id = $1 AND code = 'external'
        ) WHERE {ENTRIES} AND position = 2""",
        WALLET,
    ),
    "two entries that trade places": (
        f"UPDATE ledger_entries SET amount_minor = -amount_minor WHERE {ENTRIES}",
        WALLET,
    ),
    "another currency": (
        f"UPDATE ledger_entries SET currency = 'eur' WHERE {ENTRIES}",
        "transit",
    ),
    "another kind of move": (
        f"UPDATE ledger_transactions SET kind = 'transfer_refunded' WHERE {POSTED}",
        TRANSFER,
    ),
    "another cause": (
        f"UPDATE ledger_transactions SET source_id = 'txn_of_nobody' WHERE {POSTED}",
        TRANSFER,
    ),
    "a posting made up": (
        f"""WITH p AS (
            INSERT INTO ledger_transactions
            (org_id, id, kind, source_id, description, occurred_at)
            SELECT org_id, gen_random_uuid(), kind, source_id || '-again', '', now()
            FROM ledger_transactions WHERE {POSTED} RETURNING id
        )
        INSERT INTO ledger_entries
        SELECT e.org_id, p.id, e.position, e.account_id, e.amount_minor, e.currency
        FROM p, ledger_entries AS e WHERE e.org_id = $1 AND e.transaction_id = {POSTING}""",
        TRANSFER,
    ),
    "a kept balance": (
        """UPDATE ledger_accounts SET balance_minor = balance_minor + 5
        WHERE org_id = $1 AND $2 <> '' AND code LIKE 'wallet:%'""",
        WALLET,
    ),
    "a transfer's amount": (
        "UPDATE transfers SET amount_minor = 3 WHERE org_id = $1 AND 'txn_' || id = $2",
        TRANSFER,
    ),
    "a transfer deleted": (
        "DELETE FROM transfers WHERE org_id = $1 AND 'txn_' || id = $2",
        TRANSFER,
    ),
    "an event's words": (
        f"""UPDATE events SET snapshot = snapshot || '{{"amountCents": 1}}' WHERE {EVENT}""",
        "edited",
    ),
    "an event's author": (f"UPDATE events SET actor = 'user:else' WHERE {EVENT}", "edited"),
    "an event deleted": (f"DELETE FROM events WHERE {EVENT}", "deleted"),
    "two events that trade places": (
        """UPDATE events AS e SET type = o.type, sequence = o.sequence, snapshot = o.snapshot
        FROM events AS o
        WHERE e.org_id = $1 AND o.org_id = $1 AND e.resource_id = o.resource_id
            AND 'txn_' || e.resource_id = $2 AND e.sequence + o.sequence = 5""",
        "edited",
    ),
    "a link of the chain": (
        """UPDATE event_seals SET hash = sha256(hash)
        WHERE org_id = $1 AND $2 <> '' AND position = 3""",
        "edited",
    ),
}


@pytest.mark.parametrize("name", TAMPERINGS)
async def test_tampering_is_named(world: World, name: str) -> None:
    # It was green before; now at least one check fails and names the row.
    scene = await a_scene(world)
    assert await found_in(scene) == []
    statement, named = TAMPERINGS[name]
    connection = await asyncpg.connect(world.house.superuser_url, database="bursar")
    try:
        await connection.execute("SET session_replication_role = replica")
        touched = await connection.execute(statement, uuid_of(scene.org.id), scene.first.id)
    finally:
        await connection.close()
    assert not touched.endswith(" 0"), "something was touched"
    found = await found_in(scene)
    assert any(offender.startswith(named) for offender in found), found


async def found_in(scene: Scene) -> list[str]:
    found = await scene.org.caller.look(checks)
    return [offender for check in found for offender in check.offenders]
