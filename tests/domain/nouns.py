"""Nouns for the tests of the domain: whole, valid, and changed by name."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from hypothesis import strategies as st
from msgspec import Struct

from bursar.domain import invoices
from bursar.domain.change import Change
from bursar.domain.currencies import Currency, currency
from bursar.domain.events import Row
from bursar.domain.frozen import replace
from bursar.domain.ids import InvoiceLineId, PaymentId
from bursar.domain.invoice_lines import Charge, InvoiceLine, priced_line
from bursar.domain.invoices import Invoice, InvoiceNumber, InvoiceStatus, NewDraft
from bursar.domain.money import Money
from bursar.domain.payments import Payment, PaymentMode, PaymentPurpose, PaymentStatus
from bursar.domain.shapes import samples

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = AT + timedelta(days=1)
USD = currency("usd")
NUMBER = InvoiceNumber("INV-2026", 1)

Kind = TypeVar("Kind")


def moments(first_year: int, last_year: int) -> st.SearchStrategy[datetime]:
    """Instants from the beginning of one year to that of another."""
    first = datetime(first_year, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    last = datetime(last_year, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    return st.datetimes(first, last, timezones=st.just(UTC))


def the(kind: type[Kind], change: Change | None) -> Kind:
    """The row of this kind that a change writes."""
    assert change is not None, "nothing changed"
    (row,) = [row for row in change.rows if isinstance(row, kind)]
    return row


def told(change: Change | None) -> list[str]:
    """The names of the events of a change, in order."""
    return [] if change is None else [event.name for event in change.events]


def fields_changed(before: Row, after: Row) -> set[str]:
    assert isinstance(before, Struct)
    names = before.__struct_fields__
    return {name for name in names if getattr(before, name) != getattr(after, name)}


def a_line(minor: int = 1000, quantity: int = 1, code: Currency = USD) -> InvoiceLine:
    return priced_line(InvoiceLineId("il_1"), Charge("Work", quantity, Decimal(minor)), code)


def a_draft(*minors: int, code: Currency = USD, **changes: Any) -> Invoice:
    empty = NewDraft(
        id=samples.DRAFT.id, customer_id=samples.CUSTOMER.id, currency=code, at=samples.AT
    ).blank()
    drafted = invoices.with_lines(empty, [a_line(minor, code=code) for minor in minors or (1000,)])
    return replace(drafted, **changes)


def an_open_invoice(*minors: int, code: Currency = USD) -> Invoice:
    finalized = a_draft(*minors, code=code).finalize(NUMBER, due_at=LATER, at=AT)
    return the(Invoice, finalized)


def an_invoice(status: InvoiceStatus) -> Invoice:
    """An invoice in any state, by the shortest way there."""
    opened = an_open_invoice()
    match status:
        case InvoiceStatus.DRAFT:
            return a_draft()
        case InvoiceStatus.OPEN:
            return opened
        case InvoiceStatus.PAID:
            return opened.pay(opened.due, AT)
        case InvoiceStatus.VOID:
            return the(Invoice, opened.void(AT))
        case InvoiceStatus.UNCOLLECTIBLE:
            return opened.to(InvoiceStatus.UNCOLLECTIBLE)


def an_attempt(invoice: Invoice, number: int = 1, **changes: Any) -> Payment:
    """A charge that was just written down."""
    attempt = Payment(
        id=PaymentId(f"pay_{number}"),
        purpose=PaymentPurpose.INVOICE,
        invoice_id=invoice.id,
        customer_id=invoice.customer_id,
        wallet_id=None,
        mode=PaymentMode.CHARGE,
        status=PaymentStatus.PENDING,
        amount=invoice.due,
        refunded=Money.zero(invoice.currency),
        refunding=Money.zero(invoice.currency),
        provider="sandbox",
        provider_reference=None,
        session_reference=None,
        method_reference="pm_1",
        checkout_url=None,
        next_action_url=None,
        success_url=None,
        cancel_url=None,
        failure_code=None,
        failure_message=None,
        decline_kind=None,
        attempt_key=f"key-{number}",
        watch_step=0,
        credited=Money.zero(USD),
        receipt=None,
        expires_at=None,
        settled_at=None,
        version=1,
        sequence=0,
        created_at=AT,
        updated_at=AT,
    )
    return replace(attempt, **changes)


def an_open_page(invoice: Invoice, number: int = 1, **changes: Any) -> Payment:
    """A hosted checkout that waits for the customer."""
    page = {
        "mode": PaymentMode.CHECKOUT,
        "session_reference": "cs_1",
        "checkout_url": "https://pay.example/cs_1",
        "expires_at": AT + timedelta(hours=1),
    }
    return an_attempt(invoice, number, **(page | changes))
