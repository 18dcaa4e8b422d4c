"""Tax rates: the organization's own table of them, and what a customer's standing makes of one.

A rate is never changed: documents were made with it. Whoever needs another percentage archives it
and makes a new one. A customer who is exempt, or owes the tax where they are, pays no tax on any
line, and the document says why.
"""

from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from typing import Final

from msgspec import Struct

from bursar.domain.change import Change
from bursar.domain.customers import Customer, TaxTreatment
from bursar.domain.events import TaxRateArchived, TaxRateCreated
from bursar.domain.frozen import replace
from bursar.domain.ids import TaxRateId
from bursar.domain.money import Rate
from bursar.domain.refusals import IllegalTransition, InvalidInput
from bursar.domain.taxes import TaxCategory, TaxTerms
from bursar.domain.times import Instant

REVERSE_CHARGE_NOTE: Final = (
    "Reverse charge: the recipient is liable for the VAT (Article 196 of Directive 2006/112/EC)."
)
EXEMPT_NOTE: Final = "Exempt from tax."
NOTHING: Final = Rate(Decimal(0))


class TaxRateStatus(StrEnum):
    """Whether it may still be put on a line; documents that have it keep it."""

    ACTIVE = "active"
    ARCHIVED = "archived"


TRANSITIONS: Final[dict[TaxRateStatus, tuple[TaxRateStatus, ...]]] = {
    TaxRateStatus.ACTIVE: (TaxRateStatus.ARCHIVED,),
    TaxRateStatus.ARCHIVED: (),
}


class TaxRate(Struct, frozen=True):
    """One rate. An automatic one lies on what is billed to customers of its country, or of all."""

    id: TaxRateId
    name: str
    rate: Rate
    is_inclusive: bool
    category: TaxCategory
    country: str | None
    note: str | None
    is_automatic: bool
    status: TaxRateStatus
    metadata: dict[str, str]
    archived_at: Instant | None
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant

    @property
    def terms(self) -> TaxTerms:
        """What a document keeps of it."""
        return TaxTerms(
            rate_id=self.id,
            name=self.name,
            rate=self.rate,
            is_inclusive=self.is_inclusive,
            category=self.category,
            country=self.country,
            note=self.note,
        )

    def to(self, status: TaxRateStatus) -> "TaxRate":
        """The same rate in another state, one version later.

        Raises:
            IllegalTransition: the table has no such edge.
        """
        allowed = TRANSITIONS[self.status]
        if status not in allowed:
            raise IllegalTransition(
                f"Tax rate {self.id} is {self.status.value}; it cannot become {status.value}.",
                facts={
                    "currentStatus": self.status.value,
                    "allowedTransitions": [each.value for each in allowed],
                },
            )
        return replace(self, status=status, version=self.version + 1)

    def archive(self, at: Instant) -> Change:
        """No line gets it any more; documents that have it keep it.

        Raises:
            IllegalTransition: archived already.
        """
        after = replace(self.to(TaxRateStatus.ARCHIVED), archived_at=at)
        return Change(rows=(after,), events=(TaxRateArchived(after, self),))


def introduce(rate: TaxRate) -> Change:
    """A new rate; a reverse charge without a note gets the usual one.

    Raises:
        InvalidInput: a rate that is no tax has a percentage.
    """
    if rate.category is not TaxCategory.STANDARD and rate.rate != NOTHING:
        says = f"is 0 for a rate of the category {rate.category.value}"
        raise InvalidInput.at("percentage", says, "category")
    if rate.note is None:
        rate = replace(rate, note=_note(rate.category))
    return Change(rows=(rate,), events=(TaxRateCreated(rate),))


def for_customer(terms: TaxTerms, treatment: TaxTreatment) -> TaxTerms:
    """What a rate is for a customer of this standing."""
    if treatment is TaxTreatment.TAXABLE:
        return terms
    category = (
        TaxCategory.EXEMPT if treatment is TaxTreatment.EXEMPT else TaxCategory.REVERSE_CHARGE
    )
    return replace(terms, rate=NOTHING, category=category, note=_note(category))


def automatic(rates: Iterable[TaxRate], customer: Customer) -> tuple[TaxTerms, ...]:
    """What lies on lines that are billed to a customer by themselves, by the table alone."""
    return tuple(
        for_customer(rate.terms, customer.tax_treatment)
        for rate in rates
        if rate.is_automatic
        and rate.status is TaxRateStatus.ACTIVE
        and rate.country in {None, customer.country}
    )


def _note(category: TaxCategory) -> str | None:
    match category:
        case TaxCategory.REVERSE_CHARGE:
            return REVERSE_CHARGE_NOTE
        case TaxCategory.EXEMPT:
            return EXEMPT_NOTE
        case TaxCategory.STANDARD | TaxCategory.ZERO:
            return None
