"""Checkpoints: whoever keeps what they were told can show that their log was rewritten."""

import asyncio
import hashlib
import json
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs
from tests.support.offline_audit import checked
from tests.support.world import Org, World

from bursar.cli.audit_export import LINK, exported
from bursar.domain.checkpoints import EVENTS_MAX
from bursar.domain.event_chain import FIRST
from bursar.domain.event_names import MEANT_BY_ALL, PUBLIC_EVENTS
from bursar.domain.ids import uuid_of
from bursar.domain.webhook_subscriptions import ReplayScope, WebhookSubscription
from bursar.jobs import dispatch
from bursar.operations.audit import TellCheckpoint, tell_checkpoint
from bursar.operations.webhook_subscriptions import (
    ReplayEvents,
    SubscribeWebhook,
    replay_events,
    subscribe_webhook,
)
from bursar.reads.events import FeedFilters, events
from bursar.runtime import clock
from bursar.runtime.anchors import Anchor


async def _grown(world: World, org: Org, sql: str) -> int | None:
    connection = await asyncpg.connect(world.house.superuser_url, database="bursar")
    try:
        count: int | None = await connection.fetchval(sql, uuid_of(org.id))
    finally:
        await connection.close()
    return count


async def _waiting(world: World, org: Org) -> int | None:
    return await _grown(world, org, "SELECT event_count FROM audit_growth WHERE org_id = $1")


async def _come_due(world: World, org: Org) -> None:
    """Before all others: a pass tells some, and a whole run of tests leaves hundreds that wait."""
    first = "UPDATE audit_growth SET checkpoint_at = '-infinity' WHERE org_id = $1 RETURNING 1"
    assert await _grown(world, org, first) == 1


async def _told(world: World, url: str) -> list[tuple[dict[str, Any], bytes]]:
    await world.drain()
    bodies = [request.body for request in world.postman.sent if request.url == url]
    return [(json.loads(body), body) for body in bodies]


async def _listening(org: Org) -> str:
    url = f"https://hooks.example.com/{org.id}"
    await org.caller.run(subscribe_webhook, SubscribeWebhook(url, ("audit.checkpoint",)))
    return url


def _rewritten(org: Org, links: list[dict[str, Any]]) -> list[bytes]:
    """The same log with somebody else as who began it, every link made anew."""
    links[0]["words"][7] = "user:somebody"
    last = FIRST
    for link in links:
        hasher = hashlib.sha256(last + uuid_of(org.id).bytes)
        for word in link["words"]:
            raw = b"" if word is None else word.encode()
            hasher.update(b"-" if word is None else b"%d:%s" % (len(raw), raw))
        last = hasher.digest()
        link["hash"] = last.hex()
    return [json.dumps(link).encode() for link in links]


def _verdict(*lines: bytes) -> tuple[int, str]:
    """The exit of the checker, and how its last line ends."""
    code, said = checked(lines)
    return code, said.rpartition(": ")[2].strip()


async def test_a_log_that_grew_tells_its_head_once(world: World) -> None:
    # Not at once, then signed, and each with the one before; a checkpoint alone calls for none.
    org = await world.org()
    url = await _listening(org)
    await world.seal()
    await dispatch.tell_checkpoints(world.app)
    assert await _told(world, url) == []
    ends = []
    for _ in range(2):
        await org.customer(token=None)
        await world.seal()
        ends += [head.position for head in world.anchors().heads() if head.org == org.id][-1:]
        await _come_due(world, org)
        await dispatch.tell_checkpoints(world.app)
        assert await _waiting(world, org) is None
        await world.seal()
        assert await _waiting(world, org) is None
    (first, _), (second, _) = await _told(world, url)
    assert (first["sequence"], second["sequence"]) == (1, 2)
    assert [first["data"]["position"], second["data"]["position"]] == ends
    assert second["previousAttributes"]["position"] == first["data"]["position"]
    for data in (first["data"], second["data"]):
        head = Anchor(org.id, data["position"], data["hash"], data["signature"])
        assert (data["organizationId"], head.is_signed_by(bytes.fromhex(data["publicKey"]))) == (
            org.id,
            True,
        )


async def test_an_organization_that_fails_holds_up_no_other(world: World) -> None:
    # One comes first, has nothing sealed to tell of and fails; the next is told, then it is said.
    org = await world.org()
    url = await _listening(org)
    await world.seal()
    broken = await world.org()
    planted = "INSERT INTO audit_growth VALUES ($1, 1, '-infinity') RETURNING 1"
    assert await _grown(world, broken, planted) == 1
    await _come_due(world, org)
    with pytest.raises(AssertionError, match="what has grown was sealed"), capture_logs() as lines:
        await dispatch.tell_checkpoints(world.app)
    assert len(await _told(world, url)) == 1
    (line,) = [each for each in lines if each["event"] == "pass.org_failed"]
    assert (line["task"], line["org_id"]) == ("tell_checkpoint", broken.id)
    await _grown(world, broken, "DELETE FROM audit_growth WHERE org_id = $1 RETURNING 1")


async def test_only_who_names_a_checkpoint_hears_of_it(world: World) -> None:
    # All events are all but this one, also when they are sent again; the feed has it for everybody.
    org = await world.org()
    began = clock.now()
    hooks: list[WebhookSubscription] = []
    for types in (("*",), ("*", "audit.checkpoint"), ("audit.checkpoint",)):
        url = f"https://hooks.example.com/{org.id}/{len(hooks)}"
        made = await org.caller.run(subscribe_webhook, SubscribeWebhook(url, types))
        hooks.append(made.subscription)
    await org.customer(token=None)
    await world.seal()
    await _come_due(world, org)
    await dispatch.tell_checkpoints(world.app)
    heard = [[body["type"] for body, _ in await _told(world, hook.url)] for hook in hooks]
    assert [types.count("audit.checkpoint") for types in heard] == [0, 1, 1]
    assert heard[0] == [each for each in heard[1] if each != "audit.checkpoint"] != []
    again = ReplayEvents(
        subscription_id=hooks[0].id,
        from_at=began,
        before_at=None,
        scope=ReplayScope.ALL,
        event_types=(),
        per_second=1_000,
    )
    assert (await org.caller.run(replay_events, again)).delivery_count == len(heard[0])
    shown = await org.caller.look(events, after=None, limit=50, filters=FeedFilters())
    assert [each.name for each in shown.items].count("audit.checkpoint") == 1


async def test_the_database_knows_what_all_events_are(world: World) -> None:
    # As the catalogue says it of each.
    connection = await world.house.as_owner()
    try:
        query = "SELECT t FROM unnest($1::text[]) AS t WHERE sec.is_wanted(t, '{*}') ORDER BY t"
        meant = [row["t"] for row in await connection.fetch(query, list(PUBLIC_EVENTS))]
        named = "SELECT bool_and(sec.is_wanted(t, ARRAY[t])) FROM unnest($1::text[]) AS t"
        assert await connection.fetchval(named, list(PUBLIC_EVENTS))
    finally:
        await connection.close()
    assert tuple(meant) == MEANT_BY_ALL != PUBLIC_EVENTS


async def test_many_events_wait_for_no_time(world: World) -> None:
    # A thousand are told of at once, however they came together.
    org = await world.org()
    await world.seal()
    await _grown(
        world, org, f"UPDATE audit_growth SET event_count = {EVENTS_MAX - 1} WHERE org_id = $1"
    )
    is_due = "SELECT 1 FROM audit_growth WHERE org_id = $1 AND checkpoint_at <= now()"
    assert await _grown(world, org, is_due) is None
    await org.customer(token=None)
    await world.seal()
    assert await _grown(world, org, is_due) == 1


async def test_two_workers_tell_it_once(world: World) -> None:
    # The second finds nothing that waits.
    org = await world.org()
    await world.seal()
    machine = world.operator(org.id)
    told = await asyncio.gather(*(machine.run(tell_checkpoint, TellCheckpoint()) for _ in range(3)))
    assert len([each for each in told if each is not None]) == 1


async def test_what_was_kept_shows_a_log_rewritten_with_our_own_key(world: World) -> None:
    # Whoever holds database, key and anchors makes a log that fits itself, and not what was told.
    org = await world.org()
    url = await _listening(org)
    await world.seal()
    await _come_due(world, org)
    await dispatch.tell_checkpoints(world.app)
    ((_, kept),) = await _told(world, url)
    lines = [line async for line in exported(world.operator(org.id))]
    assert _verdict(*lines, kept) == (0, "no faults")
    links = [json.loads(line) for line in lines if line.startswith(LINK)]
    forged = [lines[0], *_rewritten(org, links)]
    assert _verdict(*forged) == (0, "no faults")
    assert _verdict(*forged, kept) == (9, "1 faults")
    assert _verdict(*lines[:2], kept) == (9, "1 faults")  # cut off after its first event
    unsigned = json.loads(kept)
    unsigned["data"]["signature"] = "00" * 64
    assert _verdict(*lines, json.dumps(unsigned).encode()) == (9, "1 faults")
