"""The feed tells every public fact once and in order, however late it was committed."""

from uuid import UUID

import asyncpg
import pytest
from tests.support.world import Org, World

from bursar.domain.event_names import PUBLIC_EVENTS
from bursar.domain.ids import EventId, uuid_of
from bursar.domain.paging import Page
from bursar.domain.payments import PaymentMode
from bursar.domain.refusals import InvalidInput, NotFound
from bursar.domain.shapes.events import event_body
from bursar.domain.webhook_subscriptions import DeliveryStatus
from bursar.operations.webhook_subscriptions import SubscribeWebhook, subscribe_webhook
from bursar.reads.events import AuditFilters, FeedFilters, audit, event, events
from bursar.reads.invoices import timeline
from bursar.reads.webhook_subscriptions import DeliveryFilters, deliveries

LATE = UUID("0195a1b2-c3d4-7006-8000-0123456789ab")


async def feed(org: Org, after: EventId | None = None, **filters: object) -> list[str]:
    found = await org.caller.look(
        events,
        after=after,
        limit=100,
        filters=FeedFilters(**filters),  # type: ignore[arg-type]  # each filter by its name
    )
    return [one.name for one in found.items]


async def test_the_feed_tells_public_facts_oldest_first(world: World) -> None:
    # Registration is nobody's business; the customer, the draft and the rest are.
    org = await world.org()
    billed = await org.invoice(await org.customer(token=None))
    names = await feed(org)
    assert names[0] == "customer.created"
    assert names[-2:] == ["invoice.created", "invoice.finalized"]
    assert set(names) <= set(PUBLIC_EVENTS)
    assert await feed(org, types=("invoice.created",)) == ["invoice.created"]
    assert await feed(org, resource_id=billed.id) == ["invoice.created", "invoice.finalized"]
    assert await feed(org, actor="nobody") == []


async def test_following_the_feed_in_pieces_gives_the_whole(world: World) -> None:
    # Whatever the piece, nothing twice and nothing missing; at the end the cursor stays.
    org = await world.org()
    await org.invoice(await org.customer(token=None))
    whole = await feed(org)
    pieces: list[str] = []
    after: EventId | None = None
    while True:
        found = await org.caller.look(events, after=after, limit=1, filters=FeedFilters())
        if not found.items:
            assert found.next_cursor == after
            break
        pieces += [one.name for one in found.items]
        assert found.next_cursor is not None
        after = EventId(found.next_cursor)
    assert pieces == whole


async def test_a_fact_committed_late_is_not_skipped(world: World) -> None:
    # While its transaction runs, nothing after it is told; then it is told before them.
    org = await world.org()
    await org.customer(token=None)
    seen = await org.caller.look(events, after=None, limit=100, filters=FeedFilters())
    assert seen.next_cursor is not None
    cursor = EventId(seen.next_cursor)
    slow = await world.house.as_owner()
    try:
        transaction = slow.transaction()
        await transaction.start()
        await slow.execute(
            "INSERT INTO events (org_id, id, type, payload_version, is_public, resource_type,"
            " resource_id, sequence, actor, request_id, occurred_at, snapshot)"
            " SELECT org_id, $2, 'invoice.updated', 1, true, resource_type, resource_id, 99, actor,"
            " request_id, occurred_at, snapshot FROM events WHERE org_id = $1 LIMIT 1",
            uuid_of(org.id),
            LATE,
        )
        await org.customer(token=None)
        assert await feed(org, cursor) == []
        await transaction.commit()
    finally:
        await slow.close()
    assert (await feed(org, cursor))[:2] == ["invoice.updated", "customer.created"]


async def test_an_unknown_cursor_is_refused(world: World) -> None:
    # Starting over silently would tell everything twice; another organization's is unknown too.
    org, other = await world.org(), await world.org()
    await other.customer(token=None)
    theirs = await other.caller.look(events, after=None, limit=1, filters=FeedFilters())
    for after in (EventId(f"evt_{LATE}"), EventId(theirs.items[0].id)):
        with pytest.raises(InvalidInput) as refused:
            await feed(org, after)
        assert [detail.field for detail in refused.value.details] == ["after"]


async def test_one_fact_is_found_if_it_is_public(world: World) -> None:
    # An internal one is as unknown as one that never was.
    org = await world.org()
    await org.customer(token=None)
    trail = await org.caller.look(audit, Page(), AuditFilters())
    by_name = {one.name: one.id for one in trail.items}
    found = await org.caller.look(event, by_name["customer.created"])
    assert found.actor == f"user:{org.user_id}"
    with pytest.raises(NotFound):
        await org.caller.look(event, by_name["organization.created"])


async def test_the_audit_trail_tells_everything_newest_first(world: World) -> None:
    # Internal facts too, by resource, actor, action and time.
    org = await world.org()
    buyer = await org.customer(token=None)
    trail = await org.caller.look(audit, Page(), AuditFilters())
    ids = [one.id for one in trail.items]
    assert ids == sorted(ids, reverse=True)
    assert trail.total_count == len(ids)
    assert {"organization.created", "member.added"} <= {one.name for one in trail.items}

    async def found(filters: AuditFilters) -> set[str]:
        page = await org.caller.look(audit, Page(), filters)
        assert page.total_count == len(page.items)
        return {one.name for one in page.items}

    assert await found(AuditFilters(resource_type="member")) == {"member.added"}
    assert "customer.created" in await found(AuditFilters(resource_id=buyer.id))
    assert await found(AuditFilters(action="customer.created")) == {"customer.created"}
    assert await found(AuditFilters(actor="cli:nobody")) == set()
    assert await found(AuditFilters(created_before=buyer.created_at)) <= {
        "organization.created",
        "member.added",
    }


async def test_the_timeline_of_an_invoice_has_its_payments(world: World) -> None:
    # In the order in which it happened, without what only the machine notes.
    org = await world.org()
    billed = await org.invoice(await org.customer())
    other = await org.invoice(await org.customer())
    await org.pay(other.id, PaymentMode.CHECKOUT)
    await org.pay(billed.id)
    told = await org.caller.look(timeline, billed.id)
    assert [one.name for one in told] == [
        "invoice.created",
        "invoice.finalized",
        "payment.attempted",
        "payment.succeeded",
        "invoice.paid",
    ]


async def test_the_log_cannot_be_changed(world: World) -> None:
    # Not even by the owner of its tables, as long as the guards stand.
    org = await world.org()
    owner = await world.house.as_owner()
    try:
        for change in ("UPDATE events SET actor = 'x'", "DELETE FROM events"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await owner.execute(f"{change} WHERE org_id = $1", uuid_of(org.id))
    finally:
        await owner.close()


async def test_a_webhook_says_what_the_feed_says(world: World) -> None:
    # Letter for letter the same fact by push and by pull, and the delivery shows its one try.
    org = await world.org()
    command = SubscribeWebhook("https://hooks.example/in", ("invoice.finalized",), None)
    subscription = (await org.caller.run(subscribe_webhook, command)).subscription
    await org.invoice(await org.customer(token=None))
    await world.drain()
    told = await org.caller.look(
        events, after=None, limit=100, filters=FeedFilters(types=("invoice.finalized",))
    )
    (fact,) = told.items
    (sent,) = [one for one in world.postman.sent if one.headers["webhook-id"] == fact.id]
    assert sent.body == event_body(fact)
    (delivery,) = (
        await org.caller.look(deliveries, subscription.id, Page(), DeliveryFilters())
    ).items
    assert (delivery.event_id, delivery.status) == (fact.id, DeliveryStatus.DELIVERED)
    assert [(one.number, one.status) for one in delivery.attempts] == [(1, 200)]
    waiting = DeliveryFilters(statuses=(DeliveryStatus.PENDING,))
    assert (await org.caller.look(deliveries, subscription.id, Page(), waiting)).items == ()
