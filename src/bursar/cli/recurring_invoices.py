"""`bursar recurring-invoice`: list and show, create, pause, resume, cancel."""

from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from bursar.cli.desk import ROWS, Limit, Org, Reason, Yes, an_id, confirm, desk
from bursar.cli.narrowing import Customer, OldestFirst, customer_of
from bursar.cli.output import Output, show_list, show_one
from bursar.domain.ids import CustomerId, RecurringInvoiceId
from bursar.domain.recurring_invoices import (
    EVERY_MAX,
    RecurringInterval,
    RecurringInvoice,
    RecurringLine,
    RecurringStatus,
)
from bursar.domain.refusals import InvalidInput
from bursar.domain.shapes.recurring_invoices import RecurringInvoiceOut
from bursar.operations.recurring_invoices import (
    CreateRecurringInvoice,
    SteerRecurringInvoice,
    cancel_recurring_invoice,
    create_recurring_invoice,
    pause_recurring_invoice,
    resume_recurring_invoice,
)
from bursar.reads.recurring_invoices import recurring_invoice, recurring_invoices
from bursar.runtime.app import Operation

group = typer.Typer(help="Invoices that come by themselves.", no_args_is_help=True)

_COLUMNS = ("id", "status", "customerId", "interval", "nextDate", "occurrences", "lastInvoiceId")
_LINE_PARTS = 3


@group.command("list")
def list_recurring(
    context: typer.Context,
    *,
    org: Org = None,
    customer: Customer = None,
    status: Annotated[list[RecurringStatus] | None, typer.Option(help="Only these.")] = None,
    oldest_first: OldestFirst = False,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List recurring invoices, newest first."""
    whose, statuses = customer_of(customer), tuple(status or ())
    found = desk(context).gather(
        lambda caller, page: caller.look(recurring_invoices, page, whose, statuses),
        limit,
        org=org,
        is_oldest_first=oldest_first,
    )
    show_list([RecurringInvoiceOut.of(each) for each in found], _COLUMNS, output)


@group.command("show")
def show_recurring(
    context: typer.Context, recurring_invoice_id: str, *, org: Org = None, output: Output = None
) -> None:
    """Show one recurring invoice with its lines."""
    known = _id(recurring_invoice_id)
    found = desk(context).ask(lambda caller: caller.look(recurring_invoice, known), org=org)
    show_one(RecurringInvoiceOut.of(found), output)


@group.command("create")
def create(
    context: typer.Context,
    *,
    customer: Annotated[str, typer.Option(help="Who it bills (cust_…).")],
    line: Annotated[
        list[str], typer.Option(help="QUANTITY:UNIT_AMOUNT:DESCRIPTION, in minor units.")
    ],
    interval: Annotated[RecurringInterval, typer.Option()] = RecurringInterval.MONTH,
    every: Annotated[int, typer.Option(min=1, max=EVERY_MAX, help="Of how many each.")] = 1,
    draft: Annotated[bool, typer.Option("--draft", help="Leave the invoices drafts.")] = False,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Begin a recurring invoice, now; dates and mail are set over the API."""
    command = CreateRecurringInvoice(
        customer_id=CustomerId(an_id(customer, prefix="cust", name="--customer")),
        lines=tuple(map(_line, line)),
        interval=interval,
        every=every,
        auto_finalize=not draft,
        metadata={},
    )
    made = desk(context).ask(
        lambda caller: caller.run(create_recurring_invoice, command), org=org, reason=reason
    )
    show_one(RecurringInvoiceOut.of(made), output)


@group.command("pause")
def pause(
    context: typer.Context,
    recurring_invoice_id: str,
    *,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Make no invoices until it is resumed."""
    done = _steered(context, pause_recurring_invoice, recurring_invoice_id, org, reason)
    show_one(RecurringInvoiceOut.of(done), output)


@group.command("resume")
def resume(
    context: typer.Context,
    recurring_invoice_id: str,
    *,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Go on with the first date that is not past."""
    done = _steered(context, resume_recurring_invoice, recurring_invoice_id, org, reason)
    show_one(RecurringInvoiceOut.of(done), output)


@group.command("cancel")
def cancel(
    context: typer.Context,
    recurring_invoice_id: str,
    *,
    org: Org = None,
    reason: Reason = None,
    yes: Yes = False,
    output: Output = None,
) -> None:
    """Make no invoices any more; what was made stays."""
    confirm(f"Cancel {recurring_invoice_id}?", is_agreed=yes)
    done = _steered(context, cancel_recurring_invoice, recurring_invoice_id, org, reason)
    show_one(RecurringInvoiceOut.of(done), output)


def _steered(
    context: typer.Context,
    verb: Operation[SteerRecurringInvoice, RecurringInvoice],
    text: str,
    /,
    org: str | None,
    reason: str | None,
) -> RecurringInvoice:
    command = SteerRecurringInvoice(_id(text))
    return desk(context).ask(lambda caller: caller.run(verb, command), org=org, reason=reason)


def _id(text: str) -> RecurringInvoiceId:
    return RecurringInvoiceId(an_id(text, prefix="rinv", name="recurring_invoice_id"))


def _line(text: str) -> RecurringLine:
    refusal = InvalidInput.at("--line", "expected QUANTITY:UNIT_AMOUNT:DESCRIPTION")
    try:
        quantity, amount, description = text.split(":", _LINE_PARTS - 1)
        line = RecurringLine(description, int(quantity), Decimal(amount))
    except (ValueError, InvalidOperation):
        raise refusal from None
    if line.quantity < 1 or not line.unit_amount.is_finite() or line.unit_amount < 0:
        raise refusal
    return line
