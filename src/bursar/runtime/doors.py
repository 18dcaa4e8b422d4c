"""The few questions that span organizations: each a function of the database that gives only ids.

Finding work needs no organization; doing it does, and happens in a transaction of that one.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
from msgspec import Struct

from bursar.domain.ids import ApiKeyId, DeliveryId, InvoiceId, OrgId, PaymentId, print_id, uuid_of
from bursar.domain.sending import WebhookAnswer
from bursar.domain.times import Instant
from bursar.runtime import sql
from bursar.runtime.connections import Connection

Q = sql.beside(__file__)


class DueItem(Struct, frozen=True):
    """An agenda item that this worker leased."""

    org_id: OrgId
    kind: str
    subject: UUID


class FoundKey(Struct, frozen=True):
    """What the hash of an API key leads to."""

    org_id: OrgId
    key_id: ApiKeyId
    scopes: tuple[str, ...]
    allowed_addresses: tuple[str, ...]
    expires_at: Instant | None


class Lags(Struct, frozen=True):
    """How many seconds the agenda and the relay are behind; transfers in flight, and their age."""

    agenda: float
    relay: float
    active_transfers: int
    transit: float


class Backlog(Struct, frozen=True):
    """How many subscriptions are due to be billed, and for how long the oldest has been."""

    due: int
    oldest_seconds: float


class Claim(Struct, frozen=True):
    """A lease under a token: on so many deliveries at most, and so many of each endpoint."""

    token: UUID
    limit: int
    per_endpoint: int
    lease: timedelta


class Receipt(Struct, frozen=True):
    """A good answer to a delivery that this worker leases."""

    org_id: OrgId
    delivery_id: DeliveryId
    lease: UUID
    answer: WebhookAnswer


async def claim_due(connection: Connection, limit: int, lease: timedelta) -> list[DueItem]:
    """Lease what is due."""
    rows = await connection.fetch(Q.claim_due.text, limit, lease)
    return [DueItem(_org(row["org_id"]), row["kind"], row["subject_id"]) for row in rows]


async def relay_events(connection: Connection, limit: int) -> int:
    """Fan new events out to endpoints; how many were read, or -1 when all of them are held back."""
    count: int = await connection.fetchval(Q.relay_events.text, limit)
    return count


async def pass_on(
    connection: Connection, limit: int, claim: Claim
) -> tuple[int, list[tuple[OrgId, DeliveryId]]]:
    """The same, and lease deliveries in the same commit: the count, and what was leased."""
    rows = await connection.fetch(Q.pass_on.text, limit, *_terms(claim))
    return rows[0]["passed_on"], _claimed(row for row in rows if row["delivery_id"] is not None)


async def claim_deliveries(connection: Connection, claim: Claim) -> list[tuple[OrgId, DeliveryId]]:
    """Lease deliveries that are due."""
    return _claimed(await connection.fetch(Q.claim_deliveries.text, *_terms(claim)))


async def keep_delivered(
    connection: Connection, context: str, *, receipts: Sequence[Receipt]
) -> set[DeliveryId]:
    """Record good answers, in one commit; which of them were kept."""
    rows = await connection.fetch(
        Q.keep_delivered.text,
        context,
        [uuid_of(each.org_id) for each in receipts],
        [uuid_of(each.delivery_id) for each in receipts],
        [each.lease for each in receipts],
        [each.answer.status for each in receipts],
        [each.answer.duration_ms for each in receipts],
        [each.answer.excerpt for each in receipts],
    )
    return {DeliveryId(print_id("whd", row["delivery_id"])) for row in rows}


async def unsealed_orgs(connection: Connection, limit: int) -> list[OrgId]:
    """Organizations with events to seal."""
    rows = await connection.fetch(Q.unsealed_orgs.text, limit)
    return [_org(row["org_id"]) for row in rows]


async def orgs_to_checkpoint(connection: Connection, limit: int) -> list[OrgId]:
    """Organizations whose next checkpoint is due."""
    rows = await connection.fetch(Q.orgs_to_checkpoint.text, limit)
    return [_org(row["org_id"]) for row in rows]


async def forget_idempotency_keys(connection: Connection, limit: int) -> int:
    """Remove old keys; how many went."""
    gone: int = await connection.fetchval(Q.forget_idempotency_keys.text, limit)
    return gone


async def forget_visits(connection: Connection, limit: int) -> int:
    """Remove old tries, tokens and sessions; how many rows went."""
    gone: int = await connection.fetchval(Q.forget_visits.text, limit)
    return gone


async def forget_deliveries(connection: Connection, before: Instant, limit: int) -> int:
    """Remove webhook deliveries that ended long ago, with their attempts; how many went."""
    gone: int = await connection.fetchval(Q.forget_deliveries.text, before, limit)
    return gone


async def lags(connection: Connection) -> Lags:
    """How far behind the machine is."""
    row = await connection.fetchrow(Q.lags.text)
    assert row is not None
    return Lags(row["agenda"], row["relay"], row["active"], row["transit"])


async def find_api_keys(
    connection: Connection, asked: Sequence[Sequence[bytes]]
) -> list[FoundKey | None]:
    """Whose each key is, by any of its hashes; nothing for an unknown, revoked or expired one."""
    pairs = [(asker, key_hash) for asker, hashes in enumerate(asked) for key_hash in hashes]
    askers, hashed = [asker for asker, _ in pairs], [key_hash for _, key_hash in pairs]
    rows = await connection.fetch(Q.find_api_keys.text, askers, hashed)
    found: list[FoundKey | None] = [None] * len(asked)
    for row in rows:
        found[row["asker"]] = _found_key(row)
    return found


def _found_key(row: asyncpg.Record) -> FoundKey:
    return FoundKey(
        org_id=_org(row["org_id"]),
        key_id=ApiKeyId(print_id("key", row["id"])),
        scopes=tuple(row["scopes"]),
        allowed_addresses=tuple(row["allowed_addresses"]),
        expires_at=row["expires_at"],
    )


async def org_of_payment(connection: Connection, payment_id: PaymentId) -> OrgId | None:
    """Whose payment this is."""
    found = await connection.fetchval(Q.org_of_payment.text, uuid_of(payment_id))
    return None if found is None else _org(found)


async def payment_of_reference(
    connection: Connection, *, provider: str, reference: str
) -> PaymentId | None:
    """The payment that a provider calls this."""
    found = await connection.fetchval(Q.payment_of_reference.text, provider, reference)
    return None if found is None else PaymentId(print_id("pay", found))


async def books_read_until(connection: Connection, provider: str) -> Instant | None:
    """How far a processor's books were read; nothing, when it was never asked for anything."""
    until: Instant | None = await connection.fetchval(Q.books_read_until.text, provider)
    return until


async def payout_read(connection: Connection, *, provider: str, reference: str) -> str | None:
    """The state in which a payout was last read for everybody, if it was."""
    status: str | None = await connection.fetchval(Q.payout_read.text, provider, reference)
    return status


async def note_payout_read(
    connection: Connection, *, provider: str, reference: str, status: str
) -> None:
    """Everybody's share of a payout in this state is booked."""
    await connection.execute(Q.note_payout_read.text, provider, reference, status)


async def orgs_to_fold(connection: Connection, margin: timedelta, limit: int) -> list[OrgId]:
    """Organizations with entries older than that which no fold covers."""
    rows = await connection.fetch(Q.orgs_to_fold.text, margin, limit)
    return [_org(row["org_id"]) for row in rows]


async def clocks_under_way(connection: Connection, limit: int) -> list[OrgId]:
    """Organizations whose test clock is on its way."""
    rows = await connection.fetch(Q.clocks_under_way.text, limit)
    return [_org(row["org_id"]) for row in rows]


async def orgs_with_figures(connection: Connection, limit: int) -> list[OrgId]:
    """Organizations with figures that no day has been told of."""
    rows = await connection.fetch(Q.orgs_with_figures.text, limit)
    return [_org(row["org_id"]) for row in rows]


async def finals_to_print(
    connection: Connection, *, stretch: int, each: int
) -> list[tuple[OrgId, InvoiceId]]:
    """Invoices that became final in the next stretch of the log, some of each organization."""
    rows = await connection.fetch(Q.finals_to_print.text, stretch, each)
    return [(_org(row["org_id"]), InvoiceId(print_id("inv", row["invoice_id"]))) for row in rows]


async def billing_backlog(connection: Connection, org_id: OrgId | None = None) -> Backlog:
    """What is due to be billed, in one organization or in all."""
    key = None if org_id is None else uuid_of(org_id)
    row = await connection.fetchrow(Q.billing_backlog.text, key)
    assert row is not None
    return Backlog(row["due"], row["oldest_seconds"])


async def org_ids(connection: Connection) -> list[OrgId]:
    """Every organization."""
    return [_org(row["org_ids"]) for row in await connection.fetch(Q.org_ids.text)]


def _org(value: UUID) -> OrgId:
    return OrgId(print_id("org", value))


def _terms(claim: Claim) -> tuple[int, int, UUID, timedelta]:
    return claim.limit, claim.per_endpoint, claim.token, claim.lease


def _claimed(rows: Iterable[asyncpg.Record]) -> list[tuple[OrgId, DeliveryId]]:
    return [(_org(row["org_id"]), DeliveryId(print_id("whd", row["delivery_id"]))) for row in rows]
