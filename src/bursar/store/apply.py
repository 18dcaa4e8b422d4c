"""The only writer of a `Change`: rows, lines, books, events, agenda and tasks, all together.

It stays dumb: what should be true was decided before. Each row is stamped with the transaction's
time and with how many events its resource has told; the events carry the resource as it then is.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from bursar.domain.api_keys import ApiKeyRecord
from bursar.domain.catalog import Plan
from bursar.domain.change import Change
from bursar.domain.checkpoints import Checkpoint
from bursar.domain.credit_notes import CreditNote
from bursar.domain.customers import Customer
from bursar.domain.discounts import Coupon
from bursar.domain.disputes import Dispute
from bursar.domain.document_settings import DocumentSettings
from bursar.domain.dunning import DunningCase
from bursar.domain.events import Row
from bursar.domain.frozen import replace
from bursar.domain.holds import Hold
from bursar.domain.imports import Import
from bursar.domain.invoices import Invoice
from bursar.domain.members import Member
from bursar.domain.meters import Meter
from bursar.domain.orgs import Organization
from bursar.domain.payment_methods import PaymentMethod
from bursar.domain.payments import Payment
from bursar.domain.payouts import Payout
from bursar.domain.recurring_invoices import RecurringInvoice
from bursar.domain.refunds import Refund
from bursar.domain.subscriptions import Subscription
from bursar.domain.tax_rates import TaxRate
from bursar.domain.test_clocks import OrgClock
from bursar.domain.usage import UsageAggregate
from bursar.domain.wallets import Wallet
from bursar.domain.webhook_subscriptions import WebhookSubscription
from bursar.runtime.db import Tx
from bursar.store import (
    agenda,
    api_keys,
    checkpoints,
    correspondence,
    coupons,
    credit_notes,
    customers,
    disputes,
    document_settings,
    dunning_cases,
    events,
    figures,
    holds,
    imports,
    invoices,
    ledger,
    members,
    meters,
    orgs,
    payment_methods,
    payments,
    payouts,
    pending_lines,
    plans,
    recurring_invoices,
    refunds,
    subscriptions,
    tax_rates,
    test_clocks,
    usage,
    wallets,
    webhook_subscriptions,
)

Save = Callable[[Tx, Any], Awaitable[None]]

_SAVE: Final[dict[type, Save]] = {
    Organization: orgs.save,
    Member: members.save,
    ApiKeyRecord: api_keys.save,
    Customer: customers.save,
    Plan: plans.save,
    Meter: meters.save,
    Subscription: subscriptions.save,
    UsageAggregate: usage.save,
    Coupon: coupons.save,
    TaxRate: tax_rates.save,
    CreditNote: credit_notes.save,
    Import: imports.save,
    Invoice: invoices.save,
    DocumentSettings: document_settings.save,
    RecurringInvoice: recurring_invoices.save,
    PaymentMethod: payment_methods.save,
    Payment: payments.save,
    Refund: refunds.save,
    DunningCase: dunning_cases.save,
    Dispute: disputes.save,
    Payout: payouts.save,
    Wallet: wallets.save,
    Hold: holds.save,
    WebhookSubscription: webhook_subscriptions.save,
    OrgClock: test_clocks.save,
    Checkpoint: checkpoints.save,
}


async def apply(tx: Tx, change: Change) -> dict[str, Row]:
    """Make a change true; gives the rows as they were written, by id."""
    told: dict[str, int] = {}
    for event in change.events:
        told[event.subject.id] = told.get(event.subject.id, 0) + 1
    written: dict[str, Row] = {}
    for row in change.rows:
        stamped: Any = row
        written[row.id] = replace(stamped, sequence=row.sequence + told[row.id], updated_at=tx.now)
        await _SAVE[type(row)](tx, written[row.id])
    for line in change.pending:
        await pending_lines.note(tx, line)
    for posting in change.postings:
        await ledger.post(tx, posting)
    await events.append(tx, change.events, written)
    await figures.note(tx, (change,))
    await correspondence.follow(tx, change.events, written)
    for item in change.agenda:
        await agenda.note(tx, item)
    await tx.enqueue(*change.tasks)
    return written
