"""Looks at whether everything agrees: the ledger, the documents, the payments, the log.

All checks of one organization read one snapshot, so what is underway cannot look like a fault. The
provider's own books are on the other side of the wire: `collected` is our half of that comparison.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from bursar.domain.access import Permission
from bursar.domain.currencies import Currency
from bursar.domain.derivations import is_explained
from bursar.domain.event_chain import FIRST, SealedEvent
from bursar.domain.ids import EventId, PaymentId, print_id, uuid_of
from bursar.domain.money import Money
from bursar.domain.refusals import InvalidInput
from bursar.domain.times import Period
from bursar.domain.verification import OFFENDERS_MAX, ChainWalk, Check, Collected, KeptLink, Stretch
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.db import ReadTx, Record

Q = sql.beside(__file__)
REFUNDS = sql.beside(__file__, room="refunds")
DOCUMENTS = sql.beside(__file__, room="documents")
FIGURES = sql.beside(__file__, room="figures")
BILLING = sql.beside(__file__, room="billing")

CHECKS: Final = (
    ("every posting sums to zero", Q.postings_balance),
    ("the trial balance is zero", Q.trial_balance_is_zero),
    ("balances are the sum of their entries", Q.balances_match_entries),
    ("what is carried forward is the sum of its entries", Q.folds_match_entries),
    ("receivables are what is due on open invoices", DOCUMENTS.receivables_match_invoices),
    ("credit is what payments and documents brought", DOCUMENTS.credits_match_payments),
    ("processor accounts are what payments brought", REFUNDS.processors_match_payments),
    ("payments were given back what their refunds say", REFUNDS.payments_match_refunds),
    ("refunds are booked, those that came back reversed", REFUNDS.refunds_are_booked),
    ("what is under dispute is what banks have", REFUNDS.disputed_is_withdrawn),
    ("what is in transit is in flight", Q.transit_is_in_flight),
    ("transfers are booked as far as they came", Q.transfers_are_booked),
    ("what is held is what open holds set aside", Q.held_matches_holds),
    ("wallets are open or closed with their accounts", Q.wallets_match_accounts),
    ("invoices are lines less discounts plus tax", DOCUMENTS.invoices_add_up),
    ("invoices are paid by their payments", DOCUMENTS.invoices_match_payments),
    ("finalized invoices are booked, void ones reversed", DOCUMENTS.invoices_are_booked),
    ("payments with money are booked once", DOCUMENTS.payments_are_booked),
    ("open dunning is looked after", DOCUMENTS.dunning_is_looked_after),
    ("credit notes are within their invoices", DOCUMENTS.notes_are_of_their_invoices),
    ("invoice numbers have no gaps", DOCUMENTS.numbers_have_no_gaps),
    ("days of usage are what their events add up to", Q.days_match_usage),
    ("billed periods follow each other", BILLING.periods_are_chained),
    ("billed periods are what their lines come to", BILLING.periods_match_lines),
    ("every change has its event", Q.changes_are_told),
    ("figures are what the books and documents say", FIGURES.figures_match_books),
    ("figures of months are what their days come to", FIGURES.months_match_days),
    ("recurring revenue is the sum of its movements", FIGURES.movements_add_up),
)
CHAIN: Final = "the event chain is unbroken"
COVERED: Final = "subscriptions are billed as far as they came"
DERIVED: Final = "lines are what their derivations say"


@query(requires=Permission.AUDIT_READ, is_survey=True)
async def checks(tx: ReadTx) -> tuple[Check, ...]:
    """Everything that must hold within the database, for the bound organization."""
    org_id = uuid_of(tx.org_id)
    found = []
    for name, text in CHECKS:
        row = await tx.fetchrow(text, org_id)
        assert row is not None, "a check always answers"
        found.append(Check(name, row["counted"], tuple(row["offenders"])))
    return (*found, await _covered(tx), await _derived(tx), await _chain(tx))


@query(requires=Permission.AUDIT_READ, is_survey=True)
async def chain(tx: ReadTx) -> Check:
    """Whether the hash chain over the organization's events still holds, from the first link."""
    return await _chain(tx)


@query(requires=Permission.AUDIT_READ)
async def stretch(tx: ReadTx, *, after_position: int, limit: int) -> Stretch:
    """Whether a part of the chain holds, given the link before it.

    Raises:
        InvalidInput: the chain has no such position.
    """
    org_id = uuid_of(tx.org_id)
    before = await tx.fetch(Q.kept_hashes, org_id, [after_position])
    if after_position and not before:
        raise InvalidInput.at("afterPosition", "is no position of the chain", "unknown_position")
    last = before[0]["hash"] if before else FIRST
    walk = ChainWalk(org_id, after_position, last)
    for row in await tx.fetch(Q.stretch_of_links, org_id, after_position, limit):
        link = _kept_link(row)
        walk.follow(link)
        last = link.hash
    slipped = await tx.fetch(Q.passed_over_between, org_id, after_position, walk.position)
    return Stretch(
        after_position,
        walk.position,
        last,
        await tx.fetchval(Q.last_position, org_id),
        walk.check(CHAIN, uncovered=[row["name"] for row in slipped]).offenders,
    )


@query(requires=Permission.AUDIT_READ)
async def links(tx: ReadTx, *, after_position: int, limit: int) -> tuple[KeptLink, ...]:
    """A part of the chain as it is kept, with its events."""
    rows = await tx.fetch(Q.stretch_of_links, uuid_of(tx.org_id), after_position, limit)
    return tuple(map(_kept_link, rows))


@query(requires=Permission.AUDIT_READ)
async def links_of_month(
    tx: ReadTx, month: Period, *, after: EventId | None, limit: int
) -> tuple[KeptLink, ...]:
    """The links of the events that were told in a month, in order of their ids."""
    cursor = None if after is None else uuid_of(after)
    rows = await tx.fetch(
        Q.links_of_month, uuid_of(tx.org_id), month.start, month.end, cursor, limit
    )
    return tuple(map(_kept_link, rows))


@query(requires=Permission.AUDIT_READ)
async def kept_hashes(tx: ReadTx, positions: Sequence[int]) -> dict[int, bytes]:
    """What the chain holds at these positions; a position that is gone is left out."""
    rows = await tx.fetch(Q.kept_hashes, uuid_of(tx.org_id), list(positions))
    return {row["position"]: row["hash"] for row in rows}


@query(requires=Permission.AUDIT_READ, is_survey=True)
async def collected(tx: ReadTx) -> tuple[Collected, ...]:
    """What our books say the providers hold, payment by payment."""
    return tuple(
        Collected(
            payment_id=PaymentId(print_id("pay", row["id"])),
            provider=row["provider"],
            reference=row["provider_reference"],
            amount=Money(row["amount_minor"], Currency(row["currency"])),
            refunded=Money(row["refunded_minor"], Currency(row["currency"])),
        )
        for row in await tx.fetch(DOCUMENTS.collected, uuid_of(tx.org_id))
    )


async def _covered(tx: ReadTx) -> Check:
    row = await tx.fetchrow(BILLING.periods_are_covered, uuid_of(tx.org_id), tx.now)
    assert row is not None, "a check always answers"
    return Check(COVERED, row["counted"], tuple(row["offenders"]))


async def _derived(tx: ReadTx) -> Check:
    """Each line worked out anew from what it says of itself."""
    counted, offenders = 0, list[str]()
    async for row in tx.stream(BILLING.derived_lines, uuid_of(tx.org_id)):
        counted += 1
        amount = Money(row["amount_minor"], Currency(row["currency"]))
        period = Period(row["period_start_at"], row["period_end_at"])
        derivation = msgspec.json.decode(row["derivation"])
        if not is_explained(amount, derivation, period) and len(offenders) < OFFENDERS_MAX:
            offenders.append(row["name"])
    return Check(DERIVED, counted, tuple(offenders))


async def _chain(tx: ReadTx) -> Check:
    org_id = uuid_of(tx.org_id)
    walk = ChainWalk(org_id)
    async for row in tx.stream(Q.kept_links, org_id):
        walk.follow(_kept_link(row))
    uncovered = await tx.fetch(Q.passed_over, org_id)
    return walk.check(CHAIN, uncovered=[row["name"] for row in uncovered])


def _kept_link(row: Record) -> KeptLink:
    columns = dict(row)
    position, event_id, link_hash = (columns.pop(name) for name in ("position", "event_id", "hash"))
    apart, is_archived = columns.pop("apart"), columns.pop("is_archived")
    event = None if columns["id"] is None else SealedEvent(**columns)
    return KeptLink(position, event_id, link_hash, event, apart, is_archived)
