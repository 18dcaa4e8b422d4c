"""Why an invoice is over what it is: worked out anew from what stands on it, and compared.

Each line comes from its derivation, or from quantity and unit price; then discounts, taxes and
totals follow by the rounding law from the terms that the document keeps. Nothing outside it is
asked, so a price or a rate that changed since cannot change the answer. Whatever differs from what
was billed is named, with both figures.
"""

from collections.abc import Iterator

from msgspec import Struct

from bursar.domain.derivations import explained, is_explained
from bursar.domain.frozen import replace
from bursar.domain.invoice_lines import InvoiceLine
from bursar.domain.invoices import Invoice, with_lines
from bursar.domain.money import Money, priced


class Difference(Struct, frozen=True):
    """A figure that is not what it should be; `field` is where it stands on the invoice."""

    field: str
    billed: Money
    recomputed: Money


class Explanation(Struct, frozen=True):
    """The invoice as it was billed, as it comes out anew, and where the two differ."""

    billed: Invoice
    recomputed: Invoice
    differences: tuple[Difference, ...]


def explain(invoice: Invoice) -> Explanation:
    """The invoice, worked out anew."""
    known = {each.terms.rate_id for each in invoice.taxes}
    lines = tuple(
        replace(
            line,
            amount=_amount(line),
            taxes=tuple(each for each in line.taxes if each.rate_id in known),
        )
        for line in invoice.lines
    )
    anew = with_lines(
        invoice,
        lines,
        reductions=[each.reduction for each in invoice.discounts],
        terms=[each.terms for each in invoice.taxes],
    )
    return Explanation(invoice, anew, tuple(_differences(invoice, anew)))


def _amount(line: InvoiceLine) -> Money:
    if line.derivation is None or line.period is None:
        return priced(line.quantity, line.unit_amount, line.amount.currency)
    if is_explained(line.amount, line.derivation, line.period):
        return line.amount  # to the minor unit, or within what instants to the millisecond allow
    return explained(line.derivation, line.period, line.amount.currency)


def _differences(billed: Invoice, anew: Invoice) -> Iterator[Difference]:
    for place, (was, now) in enumerate(zip(billed.lines, anew.lines, strict=True)):
        yield from _of_line(f"lines[{place}]", was, now)
    for place, (had, has) in enumerate(zip(billed.discounts, anew.discounts, strict=True)):
        yield from _differing(f"discounts[{place}].discountCents", had.amount, has.amount)
    kept = {each.terms.rate_id: each for each in anew.taxes}
    for place, tax in enumerate(billed.taxes):
        found = kept.get(tax.terms.rate_id)
        zero = Money.zero(billed.currency)
        at = f"taxes[{place}]"
        yield from _differing(f"{at}.taxableCents", tax.taxable, found.taxable if found else zero)
        yield from _differing(f"{at}.taxAmountCents", tax.amount, found.amount if found else zero)
    for name, was_sum, sum_now in (
        ("subtotalCents", billed.subtotal, anew.subtotal),
        ("discountCents", billed.discount, anew.discount),
        ("taxAmountCents", billed.tax, anew.tax),
        ("taxIncludedCents", billed.tax_included, anew.tax_included),
        ("excessCents", billed.excess, anew.excess),
        ("totalCents", billed.total, anew.total),
    ):
        yield from _differing(name, was_sum, sum_now)


def _of_line(place: str, was: InvoiceLine, now: InvoiceLine) -> Iterator[Difference]:
    yield from _differing(f"{place}.amountCents", was.amount, now.amount)
    yield from _differing(f"{place}.discountCents", was.discount, now.discount)
    known = {each.rate_id: each.amount for each in now.taxes}
    for at, had in enumerate(was.taxes):
        # A rate that the document does not keep the terms of is none at all.
        has = known.get(had.rate_id, Money.zero(had.amount.currency))
        yield from _differing(f"{place}.taxes[{at}].taxAmountCents", had.amount, has)


def _differing(field: str, billed: Money, recomputed: Money) -> Iterator[Difference]:
    if billed != recomputed:
        yield Difference(field, billed, recomputed)
