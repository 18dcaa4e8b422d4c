"""Who says which taxes lie on a draft: the organization's own table, or a service from outside.

An engine chooses among the organization's rates, line by line. What they come to is worked out by
the rounding law all the same, so a document explains itself whoever chose; and a rate that the
table does not have is added to the table first, where it gets its id and its note.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from bursar.domain.customers import Customer
from bursar.domain.document_settings import DocumentSettings
from bursar.domain.frozen import replace
from bursar.domain.ids import InvoiceLineId, TaxRateId
from bursar.domain.invoice_lines import InvoiceLine
from bursar.domain.invoices import Invoice, with_lines
from bursar.domain.money import Money
from bursar.domain.tax_rates import TaxRate, TaxRateStatus, for_customer
from bursar.domain.taxes import RATES_PER_LINE_MAX, LineTax, TaxTerms


class TaxesNotKnown(Exception):
    """Nobody could say which taxes lie on it: the service is away, or its answer is none."""


class TaxQuestion(Struct, frozen=True):
    """A draft, who sells what to whom, and the rates there are to choose from."""

    invoice: Invoice
    seller: DocumentSettings
    customer: Customer
    rates: tuple[TaxRate, ...]


class TaxAdvice(Struct, frozen=True):
    """The rates that lie on each line; a line that is not named bears none."""

    rates: Mapping[InvoiceLineId, tuple[TaxRateId, ...]]


class TaxEngine(Protocol):
    """Says which taxes lie on a draft."""

    @property
    def name(self) -> str:
        """Who that is."""
        ...

    async def advise(self, question: TaxQuestion) -> TaxAdvice:
        """Which of the offered rates lie on which line, in a time that is bounded.

        Raises:
            TaxesNotKnown: no answer, or none of use.
        """
        ...


def assessed(draft: Invoice, advice: TaxAdvice, question: TaxQuestion) -> Invoice:
    """The draft with the taxes that were advised, for a customer of this standing.

    Raises:
        TaxesNotKnown: a line or a rate that was not in the question, or too many on one line.
        InvalidInput: included taxes round to more than the price they are in.
    """
    known = {
        rate.id: for_customer(rate.terms, question.customer.tax_treatment)
        for rate in question.rates
        if rate.status is TaxRateStatus.ACTIVE
    }
    if not advice.rates.keys() <= {line.id for line in draft.lines}:
        raise TaxesNotKnown("a line that is not on the document")
    lines = [_taxed(line, advice.rates.get(line.id, ()), known) for line in draft.lines]
    chosen = {tax.rate_id for line in lines for tax in line.taxes}
    return with_lines(
        draft,
        lines,
        reductions=[each.reduction for each in draft.discounts],
        terms=[known[rate_id] for rate_id in sorted(chosen)],
    )


def _taxed(
    line: InvoiceLine, chosen: Sequence[TaxRateId], known: Mapping[TaxRateId, TaxTerms]
) -> InvoiceLine:
    is_sound = len(set(chosen)) == len(chosen) <= RATES_PER_LINE_MAX and known.keys() >= set(chosen)
    if not is_sound:
        raise TaxesNotKnown("a rate that was not offered, one twice, or too many on one line")
    zero = Money.zero(line.amount.currency)
    taxes = tuple(LineTax(each, zero, known[each].is_inclusive) for each in chosen)
    return replace(line, taxes=taxes)
