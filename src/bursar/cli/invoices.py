"""`bursar invoice`: list and show, finalize, void, record what was paid, print."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bursar.cli.billing import run_billing
from bursar.cli.desk import ROWS, DryRun, Limit, Org, Reason, Yes, an_id, confirm, desk
from bursar.cli.failing import Misused
from bursar.cli.narrowing import (
    Contract,
    Customer,
    OldestFirst,
    Since,
    Until,
    contract_of,
    customer_of,
    utc,
)
from bursar.cli.output import Output, Quiet, say, show_list, show_one
from bursar.domain.documents import DocumentNotRendered
from bursar.domain.ids import InvoiceId
from bursar.domain.invoices import InvoiceStatus
from bursar.domain.payments import Receipt, ReceiptMethod
from bursar.domain.refusals import Unavailable
from bursar.domain.shapes.invoices import InvoiceOut
from bursar.domain.shapes.payments import PaymentOut
from bursar.flows.assess_taxes import assess_taxes
from bursar.operations.finalizing import FinalizeInvoice, finalize_invoice
from bursar.operations.invoices import (
    DuplicateInvoice,
    VoidInvoice,
    duplicate_invoice,
    void_invoice,
)
from bursar.operations.manual_payments import RecordPayment, record_payment
from bursar.operations.sending import RevokeLink, revoke_link
from bursar.operations.write_offs import WriteOff, write_off_invoice
from bursar.reads.invoices import InvoiceFilters, invoice, invoice_document, invoices
from bursar.runtime.app import Caller

group = typer.Typer(help="Invoices.", no_args_is_help=True)

_COLUMNS = ("id", "invoiceNumber", "status", "totalCents", "amountDueCents", "dueDate")
_WHEN = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]

group.command("run")(run_billing)


@group.command("list")
def list_invoices(
    context: typer.Context,
    *,
    org: Org = None,
    status: Annotated[list[InvoiceStatus] | None, typer.Option(help="Only these.")] = None,
    subscription: Contract = None,
    customer: Customer = None,
    search: Annotated[str | None, typer.Option(help="Part of a number.")] = None,
    since: Since = None,
    until: Until = None,
    oldest_first: OldestFirst = False,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List invoices, newest first."""
    filters = InvoiceFilters(
        customer_id=customer_of(customer),
        statuses=tuple(status or ()),
        text=search,
        created_from=utc(since),
        created_before=utc(until),
        subscription_id=contract_of(subscription),
    )
    found = desk(context).gather(
        lambda caller, page: caller.look(invoices, page, filters),
        limit,
        org=org,
        is_oldest_first=oldest_first,
    )
    show_list([InvoiceOut.of(each) for each in found], _COLUMNS, output)


@group.command("show")
def show_invoice(
    context: typer.Context, invoice_id: str, *, org: Org = None, output: Output = None
) -> None:
    """Show one invoice with its lines."""
    known = _id(invoice_id)
    found = desk(context).ask(lambda caller: caller.look(invoice, known), org=org)
    show_one(InvoiceOut.of(found), output)


@group.command("finalize")
def finalize(
    context: typer.Context,
    invoice_id: str,
    *,
    org: Org = None,
    reason: Reason = None,
    dry_run: DryRun = False,
    output: Output = None,
) -> None:
    """Number a draft, book it and open it for payment."""
    command = FinalizeInvoice(_id(invoice_id))
    done = desk(context).ask(
        lambda caller: caller.run(finalize_invoice, command),
        org=org,
        reason=reason,
        is_dry_run=dry_run,
    )
    show_one(InvoiceOut.of(done), output)


@group.command("revoke-link")
def revoke(
    context: typer.Context,
    invoice_id: str,
    *,
    org: Org = None,
    reason: Reason = None,
    dry_run: DryRun = False,
    output: Output = None,
) -> None:
    """End every link to an invoice's page that was given out; the next one mailed works."""
    command = RevokeLink(_id(invoice_id))
    done = desk(context).ask(
        lambda caller: caller.run(revoke_link, command),
        org=org,
        reason=reason,
        is_dry_run=dry_run,
    )
    show_one(InvoiceOut.of(done), output)


@group.command("assess-taxes")
def assess(
    context: typer.Context,
    invoice_id: str,
    *,
    org: Org = None,
    reason: Reason = None,
    dry_run: DryRun = False,
    output: Output = None,
) -> None:
    """Put the taxes on a draft that the tax service chooses, or else the automatic rates."""
    known = _id(invoice_id)
    done = desk(context).ask(
        lambda caller: assess_taxes(caller, known), org=org, reason=reason, is_dry_run=dry_run
    )
    show_one(InvoiceOut.of(done), output)


@group.command("duplicate")
def duplicate(
    context: typer.Context,
    invoice_id: str,
    *,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Draft an invoice again: the same lines for the same customer."""
    command = DuplicateInvoice(_id(invoice_id))
    made = desk(context).ask(
        lambda caller: caller.run(duplicate_invoice, command), org=org, reason=reason
    )
    show_one(InvoiceOut.of(made), output)


@group.command("void")
def void(
    context: typer.Context,
    invoice_id: str,
    *,
    org: Org = None,
    reason: Reason = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    output: Output = None,
) -> None:
    """Take an invoice back; its booking is reversed and its number stays used."""
    command = VoidInvoice(_id(invoice_id))
    confirm(f"Void {invoice_id}?", is_agreed=yes or dry_run)
    done = desk(context).ask(
        lambda caller: caller.run(void_invoice, command),
        org=org,
        reason=reason,
        is_dry_run=dry_run,
    )
    show_one(InvoiceOut.of(done), output)


@group.command("mark-uncollectible")
def mark_uncollectible(
    context: typer.Context,
    invoice_id: str,
    *,
    org: Org = None,
    reason: Reason = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    output: Output = None,
) -> None:
    """Write an open invoice off: what is due becomes a loss."""
    command = WriteOff(_id(invoice_id))
    confirm(f"Write {invoice_id} off?", is_agreed=yes or dry_run)
    done = desk(context).ask(
        lambda caller: caller.run(write_off_invoice, command),
        org=org,
        reason=reason,
        is_dry_run=dry_run,
    )
    show_one(InvoiceOut.of(done), output)


@group.command("record-payment")
def record_received_payment(
    context: typer.Context,
    invoice_id: str,
    *,
    amount: Annotated[int, typer.Option(min=1, help="In the currency's minor unit.")],
    received: Annotated[datetime, typer.Option(help="When it came, in UTC.", formats=_WHEN)],
    method: Annotated[ReceiptMethod, typer.Option()] = ReceiptMethod.BANK_TRANSFER,
    reference: Annotated[str | None, typer.Option(help="What the bank calls it.")] = None,
    org: Org = None,
    reason: Reason = None,
    dry_run: DryRun = False,
    output: Output = None,
) -> None:
    """Write down money that came by bank transfer, check or cash, in full or in part."""
    receipt = Receipt(method, received.replace(tzinfo=UTC), reference)
    command = RecordPayment(_id(invoice_id), amount, receipt)
    done = desk(context).ask(
        lambda caller: caller.run(record_payment, command),
        org=org,
        reason=reason,
        is_dry_run=dry_run,
    )
    show_one(PaymentOut.of(done), output)


@group.command("pdf")
def pdf(
    context: typer.Context,
    invoice_id: str,
    *,
    to: Annotated[
        Path | None, typer.Option("--to", help="The file to write; `-` for stdout.")
    ] = None,
    org: Org = None,
    quiet: Quiet = False,
) -> None:
    """Print an invoice as PDF, to a file named after its number unless told otherwise."""
    known = _id(invoice_id)

    async def act(caller: Caller) -> tuple[str, bytes]:
        found = await caller.look(invoice, known)
        document = await caller.look(invoice_document, known)
        try:
            body = await caller.app.renderer.invoice_pdf(document)
        except DocumentNotRendered as failed:
            raise Unavailable("The document could not be printed in time.") from failed
        return str(found.number or found.id), body

    name, body = desk(context).ask(act, org=org)
    if to == Path("-"):
        if sys.stdout.isatty():
            raise Misused("a PDF is nothing to read in a terminal; name a file with --to.")
        sys.stdout.buffer.write(body)
        return
    path = to or Path(f"{name}.pdf")
    path.write_bytes(body)
    say(f"wrote {path}", is_quiet=quiet)


def _id(text: str) -> InvoiceId:
    return InvoiceId(an_id(text, prefix="inv", name="invoice_id"))
