"""What customers are written when something happens to their invoice: one letter for one fact.

What stands in a letter is taken from the document as it then is; how it is put in words, in which
language, is for whoever prints it. Amounts travel as minor units beside their currency, days as the
organization's calendar has them.
"""

from msgspec import Struct

from bursar.domain.agenda import Due, DueKind, Undue
from bursar.domain.calendars import day_in
from bursar.domain.credit_notes import CreditNote
from bursar.domain.customers import Customer
from bursar.domain.document_settings import DocumentSettings
from bursar.domain.events import CreditNoteCreated, Event, InvoicePaid
from bursar.domain.invoices import Invoice, InvoiceStatus
from bursar.domain.mails import MailKind, NewMail
from bursar.domain.orgs import Organization
from bursar.domain.payment_events import PaymentFailed
from bursar.domain.times import Instant


class Occasion(Struct, frozen=True):
    """An invoice and everybody it concerns; `token` opens its page."""

    invoice: Invoice
    organization: Organization
    customer: Customer
    settings: DocumentSettings
    token: str
    note: CreditNote | None = None

    def letter(self, kind: MailKind, at: Instant) -> NewMail:
        """What the customer is written; a reminder says how many days after the due date it is."""
        invoice = self.invoice
        assert invoice.number is not None, "nobody is written about a draft"
        amount = invoice.total if kind is MailKind.RECEIPT else invoice.due
        parameters = {
            "organization": self.organization.name,
            "name": self.customer.name,
            "number": str(invoice.number),
            "amount": f"{amount.minor} {amount.currency}",
            "due": self._day(invoice.due_at),
            "reply_to": self.settings.reply_to or "",
            "token": self.token,
        }
        if kind is MailKind.RECEIPT:
            parameters["paid"] = self._day(invoice.paid_at)
        if self.note is not None:
            taken = self.note.total
            parameters |= {
                "note": str(self.note.number),
                "note_id": self.note.id,
                "amount": f"{taken.minor} {taken.currency}",
            }
        if kind is MailKind.REMINDER:
            assert invoice.due_at is not None
            zone = self.organization.timezone
            late = day_in(at, zone) - day_in(invoice.due_at, zone)
            parameters["days"] = str(late.days)
        return NewMail(
            kind=kind,
            recipient=self.customer.email,
            language=self.settings.language.value,
            invoice_id=invoice.id,
            parameters=parameters,
        )

    def _day(self, at: Instant | None) -> str:
        assert at is not None, "a document that is final has a due date, a paid one its day"
        return day_in(at, self.organization.timezone).isoformat()


class InvoiceCalendar(Struct, frozen=True):
    """The days on which an organization looks at invoices that are open."""

    settings: DocumentSettings
    timezone: str

    def next_look(self, invoice: Invoice, at: Instant) -> Due | Undue:
        """The next day that matters to this invoice, or never again."""
        day = None
        if invoice.status is InvoiceStatus.OPEN and invoice.due_at is not None:
            day = self.settings.next_moment(invoice.due_at, self.timezone, after=at)
        if day is None:
            return Undue(DueKind.FOLLOW_INVOICE, invoice.id)
        return Due(DueKind.FOLLOW_INVOICE, invoice.id, day)

    def reminder_due(self, invoice: Invoice, at: Instant) -> int | None:
        """The reminder whose day has come, if the invoice is still open."""
        if invoice.status is not InvoiceStatus.OPEN or invoice.due_at is None:
            return None
        assert invoice.finalized_at is not None
        return self.settings.reminder_due(
            invoice.due_at, self.timezone, since=invoice.finalized_at, at=at
        )


def kind_for(event: Event, settings: DocumentSettings) -> MailKind | None:
    """Which letter a fact causes by itself; most cause none."""
    match event:
        case InvoicePaid() if settings.sends_receipts:
            return MailKind.RECEIPT
        case CreditNoteCreated() if settings.sends_receipts:
            return MailKind.CREDIT_NOTE
        case PaymentFailed() if settings.sends_failures:
            return MailKind.PAYMENT_FAILED
        case _:
            return None
