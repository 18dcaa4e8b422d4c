"""Looks at invoices: one, many, the history of one, and one as it is printed."""

from collections import defaultdict
from collections.abc import Sequence

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.document_settings import Language, settings_unsaid
from bursar.domain.document_settings_rows import row_to_document_settings
from bursar.domain.documents import InvoiceDocument
from bursar.domain.einvoices import einvoice
from bursar.domain.event_log import LoggedEvent
from bursar.domain.frozen import replace
from bursar.domain.ids import CustomerId, InvoiceId, SubscriptionId, uuid_of
from bursar.domain.invoice_documents import Printing
from bursar.domain.invoice_rows import row_to_invoice
from bursar.domain.invoices import Invoice, InvoiceNumber, InvoiceStatus
from bursar.domain.issued_rows import as_issued
from bursar.domain.money import Money, total
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.payment_rows import row_to_payment
from bursar.domain.payments import Payment
from bursar.domain.refusals import NotExpressible, NotFound
from bursar.domain.rows import (
    row_to_customer,
    row_to_event,
    row_to_organization,
)
from bursar.domain.tax_engine import TaxQuestion
from bursar.domain.tax_rate_rows import row_to_tax_rate
from bursar.domain.tax_rates import TaxRateStatus
from bursar.domain.times import Instant
from bursar.runtime import sql
from bursar.runtime.app import glance, query
from bursar.runtime.counting import total_count
from bursar.runtime.db import ReadTx, Record

Q = sql.beside(__file__)

TIMELINE_MAX = 1000
ATTEMPTS_MAX = 100


class InvoiceFilters(Struct, frozen=True, kw_only=True):
    """Which invoices; what is None or empty filters nothing. `text` is part of a number."""

    customer_id: CustomerId | None = None
    statuses: tuple[InvoiceStatus, ...] = ()
    text: str | None = None
    created_from: Instant | None = None
    created_before: Instant | None = None
    subscription_id: SubscriptionId | None = None

    @property
    def arguments(self) -> tuple[object, ...]:
        """As the queries number them; where a text may lie is asked apart."""
        return (
            None if self.customer_id is None else uuid_of(self.customer_id),
            [status.value for status in self.statuses] or None,
            self.created_from,
            self.created_before,
            None if self.subscription_id is None else uuid_of(self.subscription_id),
        )


class HostedInvoice(Struct, frozen=True):
    """An invoice with the attempts at paying it, newest first, as they are at a moment."""

    printing: Printing
    attempts: tuple[Payment, ...]
    now: Instant

    @property
    def invoice(self) -> Invoice:
        """The invoice itself."""
        return self.printing.invoice

    @property
    def refunded(self) -> Money:
        """What was given back of what was paid."""
        return total((each.refunded for each in self.attempts), self.invoice.currency)

    @property
    def has_ended(self) -> bool:
        """No link leads here any more."""
        return self.invoice.link_ends_at <= self.now


def _by_id(invoice_id: InvoiceId) -> tuple[object, ...]:
    return uuid_of(invoice_id), None


@glance(requires=Permission.INVOICE_READ, statement=Q.invoices_at_once, arguments=_by_id)
def invoice(row: Record, invoice_id: InvoiceId) -> Invoice:
    """One invoice with its lines.

    Raises:
        NotFound: no such invoice in this organization.
    """
    if row["invoice"] is None:
        raise NotFound(f"No invoice {invoice_id}.")
    return row_to_invoice(row["invoice"], row["lines"])


@query(requires=Permission.INVOICE_READ)
async def invoices_by_ids(tx: ReadTx, ids: Sequence[InvoiceId]) -> list[Invoice]:
    """Those of these invoices that are here, with their lines."""
    rows = await tx.fetch(Q.invoices_by_ids, uuid_of(tx.org_id), [uuid_of(each) for each in ids])
    return await _with_lines(tx, rows)


@query(requires=Permission.INVOICE_READ)
async def invoices(tx: ReadTx, page: Page, filters: InvoiceFilters) -> Paged[Invoice]:
    """The invoices with their lines, newest first."""
    org_id = uuid_of(tx.org_id)
    holding, ending, pattern = await _sought(tx, filters.text)
    if holding == ending == []:
        return paged([], page, total_count=0)  # what is in no number need be looked for in none
    wanted = *filters.arguments, holding, ending, pattern
    rows = await tx.fetch(
        Q.invoices.along(page), org_id, page.after, page.fetched, page.offset, *wanted
    )
    count = await total_count(tx, page, rows, Q.count_invoices, org_id, COUNTED_MAX, *wanted)
    return paged(await _with_lines(tx, rows), page, total_count=count)


async def _sought(
    tx: ReadTx, text: str | None
) -> tuple[list[str] | None, list[str] | None, str | None]:
    """Where a text may lie in printed numbers: series, and series with a pattern of the number."""
    if text is None:
        return None, None, None
    head, pattern = InvoiceNumber.sought(text)
    row = await tx.fetchrow(Q.sought_series, uuid_of(tx.org_id), text, head)
    assert row is not None, "a sum of rows is a row"
    return row["holding"], row["ending"] if pattern else [], pattern


@query(requires=Permission.INVOICE_FINALIZE)
async def status_to_send(tx: ReadTx, invoice_id: InvoiceId) -> InvoiceStatus:
    """What an invoice is to whoever may send it; who may only read is refused here already.

    Raises:
        NotFound: no such invoice in this organization.
    """
    row = await tx.fetchrow(Q.invoice, uuid_of(tx.org_id), uuid_of(invoice_id))
    if row is None:
        raise NotFound(f"No invoice {invoice_id}.")
    return InvoiceStatus(row["status"])


@query(requires=Permission.INVOICE_READ)
async def timeline(tx: ReadTx, invoice_id: InvoiceId) -> tuple[LoggedEvent, ...]:
    """What happened to the invoice and to the attempts at paying it, oldest first.

    Raises:
        NotFound: no such invoice in this organization.
    """
    key = uuid_of(tx.org_id), uuid_of(invoice_id)
    if await tx.fetchrow(Q.invoice, *key) is None:
        raise NotFound(f"No invoice {invoice_id}.")
    return tuple(map(row_to_event, await tx.fetch(Q.timeline, *key, TIMELINE_MAX)))


@query(requires=Permission.INVOICE_READ)
async def hosted_invoice(tx: ReadTx, invoice_id: InvoiceId) -> HostedInvoice:
    """The invoice as whoever holds its link sees it.

    Raises:
        NotFound: no such invoice in this organization.
    """
    printing = await invoice_printing.ask(tx, invoice_id)
    rows = await tx.fetch(Q.attempts, uuid_of(tx.org_id), uuid_of(invoice_id), ATTEMPTS_MAX)
    return HostedInvoice(printing, tuple(map(row_to_payment, rows)), tx.now)


@query(requires=Permission.INVOICE_READ)
async def invoice_document(
    tx: ReadTx, invoice_id: InvoiceId, language: Language | None = None
) -> InvoiceDocument:
    """The invoice as it is printed, in the organization's language unless another is asked for.

    Raises:
        NotFound: no such invoice in this organization.
    """
    printing = await invoice_printing.ask(tx, invoice_id)
    document = printing.document(language)
    try:
        return replace(document, einvoice=einvoice(printing))
    except NotExpressible:
        return document


@query(requires=Permission.INVOICE_READ)
async def invoice_printing(tx: ReadTx, invoice_id: InvoiceId) -> Printing:
    """The invoice and everybody who stands on it, as they were when it was issued.

    Raises:
        NotFound: no such invoice in this organization.
    """
    found = await _invoice(tx, invoice_id)
    seller = await tx.fetchrow(Q.seller, uuid_of(tx.org_id))
    buyer = await tx.fetchrow(Q.buyer, uuid_of(tx.org_id), uuid_of(invoice_id))
    assert seller is not None, "an invoice is somebody's"
    assert buyer is not None, "an invoice is to somebody"
    row = await tx.fetchrow(Q.looks, uuid_of(tx.org_id))
    looks = settings_unsaid(tx.org_id, tx.now) if row is None else row_to_document_settings(row)
    today = Printing(found, row_to_organization(seller), row_to_customer(buyer), looks)
    if found.finalized_at is None:
        return today
    return as_issued(today, await tx.fetch(Q.as_issued, uuid_of(tx.org_id), uuid_of(invoice_id)))


@query(requires=Permission.INVOICE_WRITE)
async def tax_question(tx: ReadTx, invoice_id: InvoiceId) -> TaxQuestion:
    """What an engine is asked of a draft, for whoever may change it.

    Raises:
        NotFound: no such invoice in this organization.
        IllegalTransition: it is no draft, so its taxes are what they are.
    """
    printing = await invoice_printing.ask(tx, invoice_id)
    printing.invoice.require_draft()
    active = TaxRateStatus.ACTIVE.value
    rates = await tx.fetch(Q.offered_rates, uuid_of(tx.org_id), active)
    return TaxQuestion(
        printing.invoice, printing.settings, printing.customer, tuple(map(row_to_tax_rate, rates))
    )


async def _invoice(tx: ReadTx, invoice_id: InvoiceId) -> Invoice:
    row = await tx.fetchrow(Q.invoice, uuid_of(tx.org_id), uuid_of(invoice_id))
    if row is None:
        raise NotFound(f"No invoice {invoice_id}.")
    (found,) = await _with_lines(tx, [row])
    return found


async def _with_lines(tx: ReadTx, rows: Sequence[Record]) -> list[Invoice]:
    lines: defaultdict[object, list[Record]] = defaultdict(list)
    for line in await tx.fetch(Q.lines, uuid_of(tx.org_id), [row["id"] for row in rows]):
        lines[line["invoice_id"]].append(line)
    return [row_to_invoice(row, lines[row["id"]]) for row in rows]
