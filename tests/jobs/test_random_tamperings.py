"""Whatever a superuser does to the log is found and named: by the chain, or by the heads outside.

Each tampering is done and judged in a transaction that is rolled back, by the very queries that
`verify` runs; the exported log is judged by the script that needs neither Bursar nor a database.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from random import Random
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest
from tests.support.offline_audit import checked
from tests.support.world import Org, World

from bursar.cli.audit_export import exported
from bursar.domain.event_chain import FIRST, SealedEvent, continued
from bursar.domain.ids import uuid_of
from bursar.domain.verification import ChainWalk, KeptLink
from bursar.reads.verify import Q, stretch
from bursar.runtime.anchors import Anchor

TAMPERINGS: Final = 1_000
FIELDS: Final = {
    "type": "'invoice.unheard_of'",
    "actor": "'user:somebody'",
    "reason": "coalesce(reason, '') || 'x'",
    "request_id": "request_id || '0'",
    "occurred_at": "occurred_at + interval '1 microsecond'",
    "recorded_at": "recorded_at - interval '1 day'",
    "sequence": "sequence + 1",
    "is_public": "NOT is_public",
    "payload_version": "payload_version + 1",
    "resource_id": "gen_random_uuid()",
    "resource_type": "resource_type || 's'",
    "snapshot": "snapshot || '{\"forged\": true}'",
    "previous": "coalesce(previous, '{}') || '{\"forged\": 1}'",
}


@dataclass
class Bench:
    """A sealed log, its heads outside, and somebody with all the power there is."""

    org: Org
    uuid: UUID
    heads: list[Anchor]
    superuser: "asyncpg.Connection[asyncpg.Record]"
    ids: list[UUID]

    async def found(self) -> list[str]:
        """What the chain and the heads say."""
        walk, hashes = ChainWalk(self.uuid), {}
        for row in await self.superuser.fetch(Q.kept_links.text, self.uuid):
            columns = dict(row)
            position, event_id, link, *_ = (
                columns.pop(name)
                for name in ("position", "event_id", "hash", "apart", "is_archived")
            )
            event = None if columns["id"] is None else SealedEvent(**columns)
            walk.follow(KeptLink(position, event_id, link, event))
            hashes[position] = link.hex()
        slipped = await self.superuser.fetch(Q.passed_over.text, self.uuid)
        check = walk.check("chain", uncovered=[row["name"] for row in slipped])
        lost = [
            f"head {head.position}" for head in self.heads if hashes.get(head.position) != head.hash
        ]
        return [*check.offenders, *lost]

    async def rewrite(self, forged: UUID) -> None:
        """Change an event and seal everything anew, as an insider would who knows how."""
        await self.superuser.execute(
            "UPDATE events SET actor = 'user:forged' WHERE org_id = $1 AND id = $2",
            *(self.uuid, forged),
        )
        rows = await self.superuser.fetch(Q.kept_links.text, self.uuid)
        events = []
        for row in rows:
            columns = {name: row[name] for name in SealedEvent.__struct_fields__}
            events.append(SealedEvent(**columns))
        for link in continued(self.uuid, None, events):
            await self.superuser.execute(
                "UPDATE event_seals SET hash = $3 WHERE org_id = $1 AND position = $2",
                *(self.uuid, link.position, link.hash),
            )


@pytest.fixture
async def bench(world: World) -> AsyncIterator[Bench]:
    org = await world.org()
    for _ in range(12):
        await org.invoice(await org.customer(None))
    await world.seal()
    superuser = await asyncpg.connect(world.house.superuser_url, database="bursar")
    await superuser.execute("SET session_replication_role = replica")
    heads = [head for head in world.anchors().heads() if head.org == org.id]
    query = "SELECT event_id FROM event_seals WHERE org_id = $1 ORDER BY position"
    ids = [row["event_id"] for row in await superuser.fetch(query, uuid_of(org.id))]
    yield Bench(org, uuid_of(org.id), heads, superuser, ids)
    await superuser.close()


async def tampered(bench: Bench, chance: Random) -> tuple[str, str]:
    """Do something; what, and how what must be found begins or ends."""
    run, at = bench.superuser.execute, chance.randrange(len(bench.ids) - 1)
    victim = bench.ids[at]
    kind = chance.choice(("edit", "edit", "edit", "delete", "insert", "cut", "rewrite", "relink"))
    match kind:
        case "edit":
            field = chance.choice(sorted(FIELDS))
            await run(
                f"UPDATE events SET {field} = {FIELDS[field]} WHERE org_id = $1 AND id = $2",
                *(bench.uuid, victim),
            )
            return f"edit {field}", f"evt_{victim}"
        case "delete":
            await run("DELETE FROM events WHERE org_id = $1 AND id = $2", bench.uuid, victim)
            return kind, f"deleted evt_{victim}"
        case "insert":
            made = await bench.superuser.fetchval(
                "INSERT INTO events SELECT (x.e).* FROM (SELECT jsonb_populate_record(e,"
                " jsonb_build_object('id', sec.new_uuid7())) AS e FROM events AS e"
                " WHERE org_id = $1 AND id = $2) AS x RETURNING id",
                *(bench.uuid, bench.ids[at // 2]),  # into the past: after the head it is just new
            )
            return kind, f"inserted evt_{made}"
        case "cut":
            query = "DELETE FROM event_seals WHERE org_id = $1 AND position > $2"
            await run(query, bench.uuid, at)
            rest = "DELETE FROM events WHERE org_id = $1 AND id = ANY($2)"
            await run(rest, bench.uuid, bench.ids[at:])
            return kind, "head"
        case "rewrite":
            await bench.rewrite(victim)
            return kind, "head"
        case _:
            query = "UPDATE event_seals SET hash = sha256(hash) WHERE org_id = $1 AND event_id = $2"
            await run(query, bench.uuid, victim)
            return kind, f"evt_{victim}"


async def judged(bench: Bench, count: int, seed: int) -> dict[str, int]:
    chance, kinds, missed = Random(seed), dict[str, int](), []
    for _ in range(count):
        transaction = bench.superuser.transaction()
        await transaction.start()
        try:
            kind, named = await tampered(bench, chance)
            found = await bench.found()
        finally:
            await transaction.rollback()
        kinds[kind.split()[0]] = kinds.get(kind.split()[0], 0) + 1
        if not any(named in one for one in found):
            missed.append((kind, named, found))
    assert missed == []
    assert await bench.found() == []
    return kinds


async def test_some_random_tamperings_are_named(bench: Bench) -> None:
    # Nothing is found before and after; each of them is in between.
    assert await bench.found() == []
    assert len(await judged(bench, 60, 1)) == 6


@pytest.mark.proof
async def test_a_thousand_random_tamperings_are_named(bench: Bench) -> None:
    # By a superuser, cut tails and full rewrites among them: all found, with the right id.
    kinds = await judged(bench, TAMPERINGS, 7)
    print(f"{sum(kinds.values())} tamperings, all found: {kinds}")


async def test_the_chain_is_verified_in_parts(bench: Bench) -> None:
    # Each part stands on the link before it; together they are the whole, and a fault is in one.
    caller, total = bench.org.caller, len(bench.ids)
    whole = await caller.look(stretch, after_position=0, limit=1000)
    assert (whole.last_position, whole.offenders) == (total, ())
    first = await caller.look(stretch, after_position=0, limit=10)
    rest = await caller.look(stretch, after_position=10, limit=1000)
    assert (first.last_position, rest.last_hash) == (10, whole.last_hash)
    await bench.superuser.execute(
        "UPDATE events SET actor = 'user:x' WHERE org_id = $1 AND id = $2", bench.uuid, bench.ids[3]
    )
    assert (await caller.look(stretch, after_position=0, limit=10)).offenders == (
        f"edited evt_{bench.ids[3]}",
    )
    assert (await caller.look(stretch, after_position=10, limit=1000)).offenders == ()


def changed(line: bytes, **fields: Any) -> bytes:
    return json.dumps({**json.loads(line), **fields}).encode()


async def test_an_exported_log_is_checked_without_us(bench: Bench) -> None:
    # By a script that knows only the format: edits, cut tails, rewrites and forged heads are named.
    lines = [line async for line in exported(bench.org.world.system(bench.org.id))]
    code, said = checked(lines)
    assert (code, "no faults" in said) == (0, True), said
    links = [at for at, line in enumerate(lines) if b'"link"' in line]
    words = json.loads(lines[links[4]])["words"]
    edited = [*lines]
    edited[links[4]] = changed(lines[links[4]], words=["forged", *words[1:]])
    code, said = checked(edited)
    assert (code, "edited evt_" in said) == (9, True), said
    cut = [line for at, line in enumerate(lines) if at not in links[-3:]]
    code, said = checked(cut)
    assert (code, "was cut off" in said) == (9, True), said
    forged = [changed(line, signature="00" * 64) if b'"head"' in line else line for line in lines]
    code, said = checked(forged)
    assert (code, "is not signed" in said) == (9, True), said
    assert bytes(32) == FIRST
