"""Figures: what a change adds to the numbers people steer by, worked out from the change itself.

Money is read off the postings, so a report cannot say what the books do not; counts are read off
the facts told. A figure belongs to a civil day of the organization and is only ever added, never
changed: sums of figures are sums of what happened. What a subscription is worth is for `mrr`.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from msgspec import Struct

from bursar.domain.change import Change
from bursar.domain.currencies import Currency
from bursar.domain.customers import Customer
from bursar.domain.events import (
    CustomerCreated,
    CustomerDeleted,
    Event,
    InvoiceFinalized,
    InvoicePaid,
    InvoiceVoided,
)
from bursar.domain.invoices import Invoice
from bursar.domain.ledger import Posting
from bursar.domain.money import Money
from bursar.domain.payment_events import PaymentFailed, PaymentSucceeded
from bursar.domain.payments import Payment
from bursar.domain.times import Instant


class Measure(StrEnum):
    """Everything that is added up, day by day and currency by currency."""

    REVENUE = "revenue"  # earned: invoiced net of tax, less what was taken back
    REFUNDS = "refunds"  # given back without a credit note
    BAD_DEBT = "bad_debt"  # given up
    COLLECTED = "collected"  # money that came in for what was owed, or more than that
    INVOICED = "invoiced"  # finalized documents, with tax
    VOIDED = "voided"
    PAID = "paid"  # documents on which nothing is due any more
    PAYMENTS_SUCCEEDED = "payments_succeeded"
    PAYMENTS_FAILED = "payments_failed"
    CUSTOMERS_CREATED = "customers_created"
    CUSTOMERS_DELETED = "customers_deleted"
    MRR_NEW = "mrr_new"
    MRR_EXPANSION = "mrr_expansion"
    MRR_CONTRACTION = "mrr_contraction"
    MRR_CHURN = "mrr_churn"
    MRR_REACTIVATION = "mrr_reactivation"
    SUBSCRIBERS_GAINED = "subscribers_gained"
    SUBSCRIBERS_LOST = "subscribers_lost"


class Figure(Struct, frozen=True):
    """So much, so often, at an instant."""

    measure: Measure
    currency: Currency
    at: Instant
    minor: int = 0
    count: int = 1


_MONEY: Final = frozenset({"processor", "bank", "wallet"})
_OWED: Final = frozenset({"receivable", "credit"})
_RESULT: Final = {
    "revenue": Measure.REVENUE,
    "refunds": Measure.REFUNDS,
    "bad_debt": Measure.BAD_DEBT,
}


def figures(change: Change, at: Instant) -> tuple[Figure, ...]:
    """Everything a change adds."""
    return (
        *(each for posting in change.postings for each in _of_posting(posting)),
        *(each for event in change.events for each in _of_event(event, at)),
    )


def _of_posting(posting: Posting) -> Iterator[Figure]:
    heads = {entry.account.code.partition(":")[0] for entry in posting.entries}
    is_collected = bool(heads & _MONEY) and bool(heads & _OWED) and heads <= _MONEY | _OWED
    at = posting.occurred_at
    for entry in posting.entries:
        head, amount = entry.account.code.partition(":")[0], entry.amount
        if head in _RESULT:
            yield Figure(_RESULT[head], amount.currency, at, entry.account.balance(amount).minor)
        if is_collected and head in _OWED:
            yield Figure(Measure.COLLECTED, amount.currency, at, -amount.minor)


def _of_event(event: Event, at: Instant) -> Iterator[Figure]:
    match event, event.subject:
        case InvoiceFinalized(), Invoice() as invoice:
            yield _amount(Measure.INVOICED, invoice.total, at)
        case InvoiceVoided(before=Invoice(number=number)), Invoice() as invoice if number:
            yield _amount(Measure.VOIDED, invoice.total, at)
        case InvoicePaid(), Invoice() as invoice:
            yield _amount(Measure.PAID, invoice.total, at)
        case PaymentSucceeded(), Payment() as payment:
            yield _amount(Measure.PAYMENTS_SUCCEEDED, payment.amount, at)
        case PaymentFailed(), Payment() as payment:
            yield _amount(Measure.PAYMENTS_FAILED, payment.amount, at)
        case CustomerCreated(), Customer() as customer:
            yield Figure(Measure.CUSTOMERS_CREATED, customer.currency, at)
        case CustomerDeleted(), Customer() as customer:
            yield Figure(Measure.CUSTOMERS_DELETED, customer.currency, at)


def _amount(measure: Measure, amount: Money, at: Instant) -> Figure:
    return Figure(measure, amount.currency, at, amount.minor)
