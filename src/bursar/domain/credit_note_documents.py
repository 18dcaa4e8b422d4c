"""A credit note as it is printed: the invoice's own layout, with what was taken back of it.

Lines are told without the taxes in them; the taxes stand below, each rate with what it lies on, so
that the sum is the note's. The same note always gives the same document.
"""

from collections.abc import Iterator

from msgspec import Struct

from bursar.domain.credit_notes import CreditNote, CreditNoteLine
from bursar.domain.documents import DocumentFact, DocumentLine, DocumentTotal, InvoiceDocument
from bursar.domain.einvoices import einvoice_of_note
from bursar.domain.invoice_documents import Printing
from bursar.domain.money import Money, total
from bursar.domain.refusals import NotExpressible
from bursar.domain.shapes.fields import decimal
from bursar.domain.wording import WORDINGS, Wording


class NotePrinting(Struct, frozen=True):
    """A credit note, and its invoice with everybody who stands on it."""

    note: CreditNote
    printing: Printing

    def document(self) -> InvoiceDocument:
        """The document in the organization's language, with the e-invoice where there is one."""
        note, printing = self.note, self.printing
        said = WORDINGS[printing.settings.language]
        invoice = printing.document()
        day = said.day_of(note.created_at, printing.organization.timezone)
        return InvoiceDocument(
            title=said.credit_note,
            headline=said.taken_back.format(amount=said.money(note.total), day=day),
            status=said.credited,
            seller=invoice.seller,
            buyer=invoice.buyer,
            facts=(
                DocumentFact(said.credit_note, str(note.number)),
                DocumentFact(said.receipt_for, str(printing.invoice.number)),
                DocumentFact(said.issued, day),
            ),
            lines=tuple(_lines(note, said)),
            totals=tuple(self._totals(said)),
            made_at=note.created_at,
            memo=note.reason or "",
            footer=invoice.footer,
            language=invoice.language,
            paper=invoice.paper,
            logo=invoice.logo,
            einvoice=self._einvoice(),
            notes=invoice.notes,
            words=said.words,
        )

    def _totals(self, said: Wording) -> Iterator[DocumentTotal]:
        note = self.note
        yield DocumentTotal(said.subtotal, said.money(note.net))
        for tax in self.printing.invoice.taxes:
            parts = [
                (line, each.amount)
                for line in note.lines
                for each in line.taxes
                if each.rate_id == tax.terms.rate_id
            ]
            if not parts:
                continue
            base = total((_net(line) for line, _ in parts), note.currency)
            label = said.tax_on.format(
                name=tax.terms.name,
                percent=decimal(tax.terms.rate.percent).replace(".", said.point),
                amount=said.money(base),
            )
            amount = total((amount for _, amount in parts), note.currency)
            yield DocumentTotal(label, said.money(amount))
        yield DocumentTotal(said.total, said.money(note.total), is_strong=True)

    def _einvoice(self) -> bytes | None:
        try:
            return einvoice_of_note(self.note, self.printing)
        except NotExpressible:
            return None


def _lines(note: CreditNote, said: Wording) -> Iterator[DocumentLine]:
    carried = Money.zero(note.currency)
    for line in note.lines:
        net = _net(line)
        carried += net
        amount = said.money(net)
        yield DocumentLine(line.description, "1", amount, amount, said.money(carried))


def _net(line: CreditNoteLine) -> Money:
    return line.amount - line.tax
