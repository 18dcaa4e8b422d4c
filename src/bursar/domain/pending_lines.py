"""Lines that wait for an invoice: what a step of a subscription costs, or gives back.

A subscription never waits for billing: each step leaves the lines it costs, to the minor unit, and
the next invoice takes them up. A line is in no invoice or in one; voiding the invoice sets it free.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Final

from msgspec import Struct

from bursar.domain.ids import CustomerId, InvoiceId, PendingLineId, PriceId, SubscriptionId
from bursar.domain.money import Money
from bursar.domain.times import Instant, Period

WAITING_MAX: Final = 900
"""Lines of one subscription that wait at a time: an invoice has room for them, and for usage."""


class PendingKind(StrEnum):
    """Why a line is due."""

    SUBSCRIPTION = "subscription"  # a period of the plan's own price
    PRORATION = "proration"  # a part of a period, by a change in the middle of it
    ADJUSTMENT = "adjustment"  # usage that came when its period was billed already


class PendingLine(Struct, frozen=True, kw_only=True):
    """One line to be billed from `due_at` on; an amount below zero gives money back.

    Quantity times unit amount is the amount. A discountable line has its coupons still before it;
    the others are net of them. The derivation says how the amount came about.
    """

    customer_id: CustomerId
    subscription_id: SubscriptionId
    kind: PendingKind
    description: str
    quantity: int
    unit_amount: Decimal
    amount: Money
    period: Period
    price_id: PriceId
    is_discountable: bool
    due_at: Instant
    derivation: Mapping[str, object]


class WaitingLine(Struct, frozen=True):
    """A pending line as it is kept; `invoice_id` is the invoice that took it up, if any has."""

    id: PendingLineId
    line: PendingLine
    invoice_id: InvoiceId | None
    created_at: Instant


class DropWaiting(Struct, frozen=True):
    """Forget what waits for a subscription that has not begun."""

    subscription_id: SubscriptionId


Pending = PendingLine | DropWaiting
