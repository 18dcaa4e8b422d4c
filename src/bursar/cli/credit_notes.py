"""`bursar credit-note`: list and show, and take an invoice back in whole or in part."""

from typing import Annotated, Final

import typer

from bursar.cli.desk import ROWS, DryRun, Limit, Org, Reason, Yes, an_id, confirm, desk
from bursar.cli.narrowing import Customer, Invoice, OldestFirst, customer_of, invoice_of
from bursar.cli.output import Output, show_list, show_one
from bursar.domain.credit_notes import CreditDestination
from bursar.domain.ids import CreditNoteId, InvoiceId
from bursar.domain.shapes.credit_notes import CreditNoteOut
from bursar.operations.credit_notes import IssueCreditNote, issue_credit_note
from bursar.reads.credit_notes import CreditNoteFilters, credit_note, credit_notes

group = typer.Typer(help="What was taken back of invoices.", no_args_is_help=True)

_COLUMNS: Final = ("id", "creditNoteNumber", "invoiceId", "totalCents", "destination", "createdAt")


@group.command("list")
def list_notes(
    context: typer.Context,
    *,
    org: Org = None,
    invoice: Invoice = None,
    customer: Customer = None,
    oldest_first: OldestFirst = False,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List credit notes, newest first."""
    filters = CreditNoteFilters(invoice_id=invoice_of(invoice), customer_id=customer_of(customer))
    found = desk(context).gather(
        lambda caller, page: caller.look(credit_notes, page, filters),
        limit,
        org=org,
        is_oldest_first=oldest_first,
    )
    show_list([CreditNoteOut.of(each) for each in found], _COLUMNS, output)


@group.command("show")
def show_note(
    context: typer.Context, credit_note_id: str, *, org: Org = None, output: Output = None
) -> None:
    """Show one credit note with its lines."""
    known = CreditNoteId(an_id(credit_note_id, prefix="cn", name="credit_note_id"))
    found = desk(context).ask(lambda caller: caller.look(credit_note, known), org=org)
    show_one(CreditNoteOut.of(found), output)


@group.command("create")
def create(
    context: typer.Context,
    invoice_id: str,
    *,
    amount: Annotated[
        int | None, typer.Option(min=1, help="In minor units; all that is left otherwise.")
    ] = None,
    destination: Annotated[
        CreditDestination, typer.Option(help="Where what was paid goes.")
    ] = CreditDestination.CREDIT_BALANCE,
    org: Org = None,
    reason: Reason = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    output: Output = None,
) -> None:
    """Take an invoice back, all that is left of it or an amount with its taxes."""
    command = IssueCreditNote(
        invoice_id=_invoice_id(invoice_id, "invoice_id"),
        amount_minor=amount,
        destination=destination,
        reason=reason,
    )
    confirm(f"Take {invoice_id} back?", is_agreed=yes or dry_run)
    made = desk(context).ask(
        lambda caller: caller.run(issue_credit_note, command),
        org=org,
        reason=reason,
        is_dry_run=dry_run,
    )
    show_one(CreditNoteOut.of(made), output)


def _invoice_id(text: str, name: str) -> InvoiceId:
    return InvoiceId(an_id(text, prefix="inv", name=name))
