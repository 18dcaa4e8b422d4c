"""One line of an invoice: what it charges for, and how its amount came about.

The amount is rounded once, half to even, and may be negative: what was prorated goes back. What a
discount takes off and what taxes come to is worked out for the whole document and shared to the
lines, see `domain/invoices.py`.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeAlias

from msgspec import Struct, field

from bursar.domain.currencies import Currency
from bursar.domain.discounts import Reduction
from bursar.domain.ids import InvoiceLineId, SubscriptionId
from bursar.domain.money import AmountOutOfRange, Money, priced, total
from bursar.domain.refusals import AmountTooLarge
from bursar.domain.taxes import LineTax, TaxTerms
from bursar.domain.times import Period

LINES_MAX: Final = 1000

Derivation: TypeAlias = Mapping[str, object]
"""How an amount came about: plain JSON, by which `/explain` works it out anew."""


class LineType(StrEnum):
    """What a line charges for."""

    MANUAL = "manual"
    SUBSCRIPTION = "subscription"
    USAGE = "usage"
    PRORATION = "proration"
    ADJUSTMENT = "adjustment"


class InvoiceLine(Struct, frozen=True):
    """One line. The discount holds its own reductions and its part of the document's."""

    id: InvoiceLineId
    description: str
    type: LineType
    quantity: int
    unit_amount: Decimal  # minor units, up to 12 decimal places
    amount: Money
    discount: Money
    taxes: tuple[LineTax, ...] = ()
    reductions: tuple[Reduction, ...] = ()
    subscription_id: SubscriptionId | None = None
    period: Period | None = None
    derivation: Derivation | None = None

    @property
    def net(self) -> Money:
        """What is left of the amount after discounts; included taxes are still in it."""
        return self.amount - self.discount

    @property
    def tax(self) -> Money:
        """All taxes of the line, included ones too."""
        if not self.taxes:
            return Money.zero(self.amount.currency)
        return total((each.amount for each in self.taxes), self.amount.currency)

    @property
    def tax_included(self) -> Money:
        """The part of the taxes that is in the amount."""
        if not self.taxes:
            return Money.zero(self.amount.currency)
        inside = (each.amount for each in self.taxes if each.is_inclusive)
        return total(inside, self.amount.currency)

    @property
    def total(self) -> Money:
        """What the customer pays for the line."""
        return self.net + self.tax - self.tax_included if self.taxes else self.net


class LineDetails(Struct, frozen=True, kw_only=True):
    """What a line has beside its price."""

    type: LineType = LineType.MANUAL
    terms: Sequence[TaxTerms] = ()
    reductions: tuple[Reduction, ...] = ()
    subscription_id: SubscriptionId | None = None
    period: Period | None = None
    derivation: Derivation | None = field(default=None)


_PLAIN: Final = LineDetails()


class Charge(Struct, frozen=True):
    """So many of something at so much; `unit_amount` is in minor units and may be below one."""

    description: str
    quantity: int
    unit_amount: Decimal


def priced_line(
    line_id: InvoiceLineId, charge: Charge, currency: Currency, details: LineDetails = _PLAIN
) -> InvoiceLine:
    """A line whose amount is quantity times unit price, rounded once, half to even.

    Raises:
        AmountTooLarge: the product leaves the exact range.
    """
    try:
        amount = priced(charge.quantity, charge.unit_amount, currency)
    except AmountOutOfRange as exceeded:
        raise AmountTooLarge(str(exceeded)) from exceeded
    return charged_line(line_id, charge, amount, details)


def charged_line(
    line_id: InvoiceLineId, charge: Charge, amount: Money, details: LineDetails = _PLAIN
) -> InvoiceLine:
    """A line whose amount was worked out elsewhere (tiers, a part of a period), and rounded there.

    The details say how: an amount that is not quantity times price needs a derivation.
    """
    zero = Money.zero(amount.currency)
    return InvoiceLine(
        id=line_id,
        description=charge.description,
        type=details.type,
        quantity=charge.quantity,
        unit_amount=charge.unit_amount,
        amount=amount,
        discount=zero,
        taxes=tuple(LineTax(each.rate_id, zero, each.is_inclusive) for each in details.terms),
        reductions=details.reductions,
        subscription_id=details.subscription_id,
        period=details.period,
        derivation=details.derivation,
    )
